/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The state machine of one attempt: a parsed packet in, a change of state out. This is where a
 * packet's source and destination become an attempt's originator and responder.
 *
 * The question it answers: did the originator send payload? It is judged by sequence numbers
 * against the SYN's initial number, so retransmissions count once, keepalives (one old byte) not at
 * all, and payload that took another way still shows in a later sequence number or in what the
 * responder acknowledges.
 *
 *	SYN			opens (a retransmitted one does not; a new initial number does)
 *	flags no stack sends	open too, and are probes whatever follows
 *	payload, acknowledged	decided: stays until the daemon's next sweep has read that, and
 *				nothing but a SYN with a new initial number means anything to it
 *	RST, unreachable	final, if still silent: a probe, with what the scanner learnt
 *	FIN of the originator	final likewise, and kept a while to see how it closes
 *	nothing			ripens in the daemon's sweep (user/sweep_nursery.c)
 *	RST without ACK, to no	answers an ACK or FIN that belonged to nothing: a probe, if it was
 *	known attempt		seen, no payload was, and the ports are not those of a late packet
 *
 * UDP, SCTP, ICMP and empty packets of other protocols follow the same scheme with what they have.
 *
 * No clock and no packet bytes here; where attempts live and end is the including side's: store.h.
 */
#ifndef RECONMON_TRACK_H
#define RECONMON_TRACK_H

#include "guard.h"

enum {
	/* A silent originator to whom this much is streamed is fetching, not looking: passive FTP.
	 * Banners are tens to hundreds of bytes. */
	TRACK_BULK_BYTES = 64 * 1024,
	/* As in Zeek: before the handshake is seen, an acknowledgement further off than this
	 * belongs to an older connection on the same ports (RFC 5961, 4: challenge ACK). */
	TRACK_JUMP_MAX = 1024 * 1024,
	/* From a well-known to an ephemeral port, and to nothing known: a late reply. */
	TRACK_WELL_KNOWN = 1024,
	TRACK_EPHEMERAL = 32768, /* Linux' ip_local_port_range begins here */
	/* A UDP flow's age in the nursery is renewed when it is older: 2^29 ns each, 8.6 s. */
	TRACK_UDP_RENEW = 16,
};

/* A judgement: CONTACT_* bits with which the attempt leaves, and above them what becomes of the
 * slot. 0: undecided. */
enum verdict {
	VERDICT_DECIDE = 1 << 24, /* payload: it stays, marked; alone */
	VERDICT_SETTLE = 1 << 25, /* judged, and stays for a moment to be seen closing */
	VERDICT_TAKE = 1 << 26,	  /* it leaves without another word */
	VERDICT_RENEW = 1 << 27,  /* the packet that ends it opens another on the same ports */
	/* How it ended, for the log of attempts. */
	VERDICT_RST_ORIG = 1 << 28,
	VERDICT_RST_RESP = 1 << 29,
	VERDICT_FIN = 1 << 30, /* both sides are done */
};

/* What opens() answers: 0, or a state (enum attempt_state) and an opening. */
#define OPENS(state, opening) (0x10000u | (__u32)(opening) << 8 | (state))
#define OPENS_STATE(opens)    ((__u8)(opens))
#define OPENS_OPENING(opens)  ((opens) >> 8 & 0xf)

/* attempt_fill - writes all of *a, the attempt that pkt opens; acct: what is known of it. */
static __always_inline void attempt_fill(struct store *st, struct attempt *a,
					 const struct packet *pkt, __u64 acct)
{
	a->orig = pkt->src;
	a->resp = pkt->dst;
	a->orig_port = pkt->src_port;
	a->resp_port = pkt->dst_port;
	a->acct = acct;
	a->isn = pkt->seq;
	a->syn_len = pkt->payload_len > 0xffff ? 0xffff : (__u16)pkt->payload_len;
	a->proto = pkt->proto;
	store_stamp(st, a);
}

/* attempt_make - stores the attempt that pkt opens, for which opens() said `how`, unless the flood
 * guard lets it go by. Returns 1 if that was done, else 0. */
static __always_inline int attempt_make(struct store *st, __u64 h, const struct packet *pkt,
					__u32 how)
{
	int admitted = attempt_admit(st, pkt);
	struct attempt *a;
	struct claim c;

	if (!admitted)
		return 0;
	a = store_claim(st, h, admitted == ADMIT_KNOWN ? TAG_KNOWN : 0, &c);
	if (!a)
		return 0;
	attempt_fill(st, a, pkt,
		     (__u64)OPENS_OPENING(how) << ACCT_OPENING_SHIFT | store_generation(&c) |
			     (admitted == ADMIT_KNOWN ? ACCT_KNOWN : 0));
	if (!store_publish(st, &c, OPENS_STATE(how)))
		return 0;
	store_count(st, STAT_ATTEMPTS);
	if (how & STATE_DECIDED)
		store_count(st, STAT_PAYLOAD);
	return 1;
}

#ifdef __bpf__
/* attempt_open_once - attempt_open(). A global function: the verifier walks it once, not once for
 * each state in which a packet comes to it. One for all of it: a call costs up to 17 ns where each
 * return is guarded against speculation. origin: interface, and above 32 bits the direction. */
__attribute__((noinline)) int attempt_open_once(struct stats *stats, __u64 h,
						const struct packet *pkt, __u32 how, __u64 origin)
{
	struct store st = { .stats = stats, .ifindex = (__u32)origin, .dir = (__u8)(origin >> 32) };

	if (!stats || !pkt)
		return 0;
	return attempt_make(&st, h, pkt, how);
}
#endif

/* attempt_open - attempt_make(). */
static __always_inline int attempt_open(struct store *st, __u64 h, const struct packet *pkt,
					__u32 how)
{
#ifdef __bpf__
	return attempt_open_once(st->stats, h, pkt, how, (__u64)st->dir << 32 | st->ifindex);
#else
	return attempt_make(st, h, pkt, how);
#endif
}

/* acct_set - puts `set` in the place of the bits of `mask`, unless the slot has changed hands. Two
 * CPUs that lose to each other three times lose a line of history, or a number that both know. */
static __always_inline void acct_set(struct slot *s, __u64 mask, __u64 set)
{
	for (int try = 0; try < NURSERY_TRIES; try++) {
		__u64 was = LOAD(&s->a->acct);

		if ((__u8)(was >> ACCT_GEN_SHIFT) != TAG_GEN(s->tag) ||
		    CAS(&s->a->acct, was, (was & ~mask) | set) == was)
			return;
	}
}

/* resp_isn_set - remembers the responder's initial sequence number (replacing a guess); `history`
 * is ACCT_SYN_ACK or 0. */
static __always_inline void resp_isn_set(struct slot *s, __u32 isn, __u64 history)
{
	acct_set(s, ~0u, ACCT_SEEN | history | isn);
}

/* is_bulk - has the responder sent this originator 64 KiB, by a sequence number of its own or by
 * what the originator acknowledges? */
static __always_inline int is_bulk(struct store *st, struct attempt *a, __u32 resp_next)
{
	__u64 acct = LOAD(&a->acct);

	if (!(acct & ACCT_SEEN) || !store_exempts_transfers(st))
		return 0;
	return (__s32)(resp_next - (__u32)acct - 1) >= TRACK_BULK_BYTES;
}

/* orig_infers - no answer was seen so far and the originator acknowledges something. A single such
 * segment proves nothing, whoever wrote it; when its acknowledgement moves on, the responder is
 * talking on a way that we do not see (asymmetric routes, one-sided captures). */
static __always_inline void orig_infers(struct store *st, struct slot *s, const struct packet *pkt)
{
	__u64 acct = LOAD(&s->a->acct);

	if (!(acct & ACCT_SEEN))
		resp_isn_set(s, pkt->ack - 1, 0);
	else if ((__s32)(pkt->ack - (__u32)acct - 1) > 0)
		store_mark(st, s, STATE_ANSWERED | STATE_ESTAB | STATE_AGAIN);
}

/* track_syn_again - a SYN from the originator of a known attempt: a retransmission, or the end of
 * that attempt and the beginning of another. */
static __always_inline __u32 track_syn_again(struct store *st, struct slot *s,
					     const struct packet *pkt)
{
	__u8 state = TAG_STATE(s->tag);

	if (pkt->seq != s->a->isn)
		return silent_bits(s->a, state) | VERDICT_RENEW;
	if (!(state & STATE_AGAIN))
		store_mark(st, s, STATE_AGAIN);
	return 0;
}

static __always_inline __u32 track_tcp_orig(struct store *st, struct slot *s,
					    const struct packet *pkt)
{
	__u8 state = TAG_STATE(s->tag);
	__s32 sent = (__s32)(pkt->seq + pkt->payload_len - s->a->isn - 1);

	if (pkt->headless)
		return 0; /* flags unknown: a repeated fragment, or a later segment cut up */
	if (pkt->tcp_flags & TCP_SYN) {
		if (pkt->tcp_flags & TCP_ACK)
			return 0;
		return track_syn_again(st, s, pkt);
	}
	/* Before RST: its sequence number is whatever its sender liked. */
	if (pkt->tcp_flags & TCP_RST)
		return silent_bits(s->a, state) | CONTACT_SPAN | VERDICT_RST_ORIG;
	if (!(state & STATE_ANSWERED) && pkt->tcp_flags & TCP_ACK) {
		orig_infers(st, s, pkt);
		state = TAG_STATE(s->tag);
	}
	if (state & STATE_ANSWERED && sent > 0)
		return VERDICT_DECIDE;
	if (pkt->tcp_flags & TCP_FIN)
		return silent_bits(s->a, state) | CONTACT_SPAN | VERDICT_SETTLE;
	if (!(state & STATE_ANSWERED) || !(pkt->tcp_flags & TCP_ACK))
		return 0;
	if (is_bulk(st, s->a, pkt->ack))
		return CONTACT_TRANSFER;
	if (!(state & STATE_ESTAB))
		store_mark(st, s, STATE_ESTAB);
	return 0;
}

/* track_refusal - a RST from the responder. It must acknowledge what was sent (RFC 9293, 3.10.7.1);
 * one without ACK answers an ACK that we missed. */
static __always_inline __u32 track_refusal(struct store *st, struct slot *s,
					   const struct packet *pkt)
{
	__u8 state = TAG_STATE(s->tag);
	__u32 acked = pkt->ack - s->a->isn - 1;

	if (state & STATE_ANSWERED)
		return silent_bits(s->a, state) | VERDICT_RST_RESP;
	if (ACCT_OPENING(LOAD(&s->a->acct)))
		acked++; /* no SYN was sent that would have to be acknowledged... */
	if (pkt->tcp_flags & TCP_ACK && acked > s->a->syn_len + 2u * !!opening_bits(s->a)) {
		store_count(st, STAT_BAD_ANSWER); /* ... but perhaps SYN and FIN */
		return 0;
	}
	return CONTACT_CLOSED | CONTACT_SPAN | VERDICT_RST_RESP | opening_bits(s->a) |
	       (state & STATE_FRAGMENT ? CONTACT_FRAGMENT : 0);
}

static __always_inline __u32 track_tcp_resp(struct store *st, struct slot *s,
					    const struct packet *pkt)
{
	__u8 state = TAG_STATE(s->tag);
	__u8 is_syn = pkt->tcp_flags & TCP_SYN;
	__s32 acked = (__s32)(pkt->ack - s->a->isn - 1);
	__s32 acked_max = is_syn ? s->a->syn_len : TRACK_JUMP_MAX;
	__u32 next = pkt->seq + pkt->payload_len;

	if (pkt->headless)
		return 0;
	if (pkt->tcp_flags & TCP_RST)
		return track_refusal(st, s, pkt);
	if (!(pkt->tcp_flags & TCP_ACK))
		return 0; /* a crossed SYN, or nonsense: nothing that answers */

	if ((is_syn || !(state & STATE_ANSWERED)) && (acked < 0 || acked > acked_max)) {
		store_count(st, STAT_BAD_ANSWER);
		return 0;
	}
	if (acked > 0)
		return VERDICT_DECIDE;
	if (!(state & STATE_ANSWERED)) {
		resp_isn_set(s, is_syn ? pkt->seq : pkt->seq - 1, is_syn ? ACCT_SYN_ACK : 0);
		store_mark(st, s, STATE_ANSWERED | STATE_AGAIN);
	} else if (!is_syn && is_bulk(st, s->a, next)) {
		return CONTACT_TRANSFER;
	}
	if (pkt->tcp_flags & TCP_FIN)
		acct_set(s, 0, ACCT_FIN_RESP);
	return 0;
}

/* track_tcp_odd - a packet of an attempt that began with flags no stack sends. It is a probe
 * already; what is still to learn is how it is answered. */
static __always_inline __u32 track_tcp_odd(struct store *st, struct slot *s,
					   const struct packet *pkt)
{
	__u8 state = TAG_STATE(s->tag), flags = pkt->tcp_flags & (TCP_SYN | TCP_ACK);

	if (!s->from_orig) {
		if (pkt->tcp_flags & TCP_RST)
			return track_refusal(st, s, pkt);
		if (flags == (TCP_SYN | TCP_ACK) && !(state & STATE_ANSWERED)) {
			resp_isn_set(s, pkt->seq, ACCT_SYN_ACK);
			store_mark(st, s, STATE_ANSWERED | STATE_AGAIN);
		}
		return 0;
	}
	if (flags == TCP_SYN && pkt->seq != s->a->isn)
		return silent_bits(s->a, state) | VERDICT_RENEW;
	if (pkt->tcp_flags & TCP_RST && !(pkt->tcp_flags & (TCP_SYN | TCP_FIN)))
		return silent_bits(s->a, state) | CONTACT_SPAN | VERDICT_RST_ORIG;
	if (!(state & STATE_AGAIN))
		store_mark(st, s, STATE_AGAIN);
	return 0;
}

/* track_tcp_closing - a segment of an attempt that was silent to its FIN: how does it close? Closed
 * on both sides it stays all the same, so that its last, late segments find it. */
static __always_inline __u32 track_tcp_closing(struct slot *s, const struct packet *pkt)
{
	if (pkt->tcp_flags & TCP_RST && s->from_orig)
		return VERDICT_TAKE | VERDICT_RST_ORIG;
	if (pkt->tcp_flags & TCP_RST) /* refused after all: that is news */
		return VERDICT_RST_RESP | (TAG_STATE(s->tag) & STATE_ANSWERED
						   ? (__u32)VERDICT_TAKE
						   : (__u32)(CONTACT_CLOSED | CONTACT_SPAN));
	if (pkt->tcp_flags & TCP_FIN && !s->from_orig)
		acct_set(s, 0, ACCT_FIN_RESP);
	return 0;
}

/* track_tcp_decided - a segment of an attempt that is decided: if it carried payload, only the next
 * attempt on the same ports changes that. */
static __always_inline __u32 track_tcp_decided(struct slot *s, const struct packet *pkt)
{
	__u8 flags = pkt->tcp_flags & (TCP_SYN | TCP_ACK);

	if (pkt->kind != PACKET_PLAIN || pkt->headless)
		return 0;
	if (s->from_orig && flags == TCP_SYN)
		return pkt->seq != s->a->isn ? VERDICT_RENEW : 0;
	return LOAD(&s->a->acct) & ACCT_FIN_ORIG ? track_tcp_closing(s, pkt) : 0;
}

/* track_sctp - a packet of a known association that is not decided. INIT and INIT ACK are what SYN
 * and SYN-ACK are to TCP, ABORT is a RST, DATA is payload. A COOKIE ECHO that opened the attempt
 * and is accepted belongs to an association older than we are. */
static __always_inline __u32 track_sctp(struct store *st, struct slot *s, const struct packet *pkt)
{
	__u8 state = TAG_STATE(s->tag), want = STATE_AGAIN, what = pkt->tcp_flags;

	if (s->from_orig) {
		if (what == SCTP_ABORT)
			return silent_bits(s->a, state) | CONTACT_SPAN | VERDICT_RST_ORIG;
		if (what == SCTP_SHUTDOWN)
			return silent_bits(s->a, state) | CONTACT_SPAN | VERDICT_FIN;
		/* After a COOKIE ECHO, DATA takes an answer that we may not see (asymmetric
		 * routes): its tag is the responder's. */
		if (pkt->payload_len &&
		    (state & STATE_ANSWERED || (state & STATE_ESTAB && what == SCTP_OTHER)))
			return VERDICT_DECIDE;
		if (what == SCTP_COOKIE)
			want |= STATE_ESTAB;
	} else {
		if (what == SCTP_ABORT && state & STATE_ANSWERED)
			return silent_bits(s->a, state) | VERDICT_RST_RESP;
		if (what == SCTP_ABORT)
			return CONTACT_CLOSED | CONTACT_SPAN | VERDICT_RST_RESP |
			       opening_bits(s->a);
		if (what == SCTP_COOKIE_ACK && ACCT_OPENING(LOAD(&s->a->acct)))
			return VERDICT_TAKE;
		if (what == SCTP_INIT_ACK && !(state & STATE_ANSWERED)) {
			acct_set(s, 0, ACCT_SYN_ACK);
			want |= STATE_ANSWERED;
		}
	}
	if ((state & want) != want)
		store_mark(st, s, want);
	return 0;
}

/* track_asked - a packet of a known question that has no payload by its nature: an empty echo, an
 * empty packet of some protocol. Any reply is an answer. */
static __always_inline __u32 track_asked(struct store *st, struct slot *s)
{
	if (!s->from_orig)
		return CONTACT_OPEN | CONTACT_SPAN;
	if (!(TAG_STATE(s->tag) & STATE_AGAIN))
		store_mark(st, s, STATE_AGAIN);
	return 0;
}

/* track_udp - a datagram of a known flow. Empty ones are silent; the first with payload decides,
 * and from then on the flow is kept only so that it opens no second attempt. */
static __always_inline __u32 track_udp(struct store *st, struct slot *s, const struct packet *pkt)
{
	__u8 state = TAG_STATE(s->tag), want = STATE_AGAIN;

	if (!s->from_orig)
		want |= STATE_ANSWERED;
	else if (pkt->payload_len)
		want |= STATE_DECIDED;
	if (want & STATE_DECIDED && !(state & STATE_DECIDED))
		return VERDICT_DECIDE;
	if ((state & want) != want || (__u8)(store_age(st) - TAG_AGE(s->tag)) > TRACK_UDP_RENEW)
		store_mark(st, s, want);
	return 0;
}

/* track_unreachable - an ICMP error about a packet of the originator's. It counts while nothing
 * else has answered, and for TCP only if it quotes the SYN. A datagram whose port is reported
 * closed was a look, whatever it carried. */
static __always_inline __u32 track_unreachable(struct store *st, struct slot *s,
					       const struct packet *pkt)
{
	__u8 state = TAG_STATE(s->tag);
	__u32 bits = pkt->kind == PACKET_UNREACH_PORT ? CONTACT_CLOSED : CONTACT_FILTERED;

	if (!s->from_orig || state & STATE_ANSWERED ||
	    (s->a->proto == PROTO_TCP && pkt->seq != s->a->isn)) {
		store_count(st, STAT_BAD_ANSWER);
		return 0;
	}
	if (state & STATE_DECIDED && bits != CONTACT_CLOSED)
		return 0;
	if (state & STATE_AGAIN)
		bits |= CONTACT_SPAN;
	if (state & STATE_FRAGMENT)
		bits |= CONTACT_FRAGMENT;
	if (s->a->proto == PROTO_UDP)
		bits |= CONTACT_UDP;
	if (s->a->proto == PROTO_UDP && bpf_ntohs(s->a->orig_port) < TRACK_WELL_KNOWN &&
	    bpf_ntohs(s->a->resp_port) >= TRACK_WELL_KNOWN)
		bits |= CONTACT_LATE;
	return bits | opening_bits(s->a);
}

/* is_late - would a segment between these ports, of no connection that we know, be an ordinary late
 * packet of one that its responder has forgotten? A server's are, to the ephemeral ports of its
 * clients: Linux takes those from 32768 on, other stacks and address translators from 1024 on, but
 * then above the port that they talk to. */
static __always_inline int is_late(__be16 orig_port, __be16 resp_port)
{
	__u16 orig = bpf_ntohs(orig_port), resp = bpf_ntohs(resp_port);

	return resp >= TRACK_EPHEMERAL || (resp >= TRACK_WELL_KNOWN && orig < resp);
}

/* is_late_fin - likewise for a FIN without ACK, which no stack should send, but a server's might:
 * to the ephemeral ports of its clients. */
static __always_inline int is_late_fin(__be16 orig_port, __be16 resp_port)
{
	__u16 orig = bpf_ntohs(orig_port), resp = bpf_ntohs(resp_port);

	return orig < TRACK_EPHEMERAL && orig < resp && resp >= TRACK_WELL_KNOWN;
}

/* opens_tcp - a SYN does, a first fragment that hides its flags, and every combination of flags
 * that no stack sends: without ACK nothing but SYN and RST is ever sent (RFC 9293, 3.10.7), and SYN
 * comes with neither RST nor FIN. A FIN alone may be a sloppy stack's late one. */
static __always_inline __u32 opens_tcp(const struct packet *pkt)
{
	__u8 flags = pkt->tcp_flags & 0x3f;

	if (pkt->headless)
		return OPENS(STATE_FRAGMENT, OPENING_PLAIN);
	if (flags & TCP_SYN) {
		if (flags & (TCP_RST | TCP_FIN))
			return OPENS(0, OPENING_FLAGS);
		return flags & TCP_ACK ? 0 : OPENS(0, OPENING_PLAIN);
	}
	if (flags & (TCP_ACK | TCP_RST))
		return 0;
	switch (flags) {
	case TCP_FIN:
		return is_late_fin(pkt->src_port, pkt->dst_port) ? 0 : OPENS(0, OPENING_FIN);
	case 0:
		return OPENS(0, OPENING_NULL);
	case TCP_FIN | TCP_PSH | TCP_URG:
		return OPENS(0, OPENING_XMAS);
	default:
		return OPENS(0, OPENING_FLAGS);
	}
}

/* opens - does a packet of no known attempt open one, and how (OPENS())? What does not is late, or
 * older than we are. */
static __always_inline __u32 opens(const struct packet *pkt)
{
	if (pkt->kind != PACKET_PLAIN)
		return 0;
	switch (pkt->proto) {
	case PROTO_TCP:
		return opens_tcp(pkt);
	case PROTO_UDP:
		if (!pkt->payload_len)
			return OPENS(0, OPENING_PLAIN);
		return bpf_ntohs(pkt->src_port) >= TRACK_WELL_KNOWN ||
				       bpf_ntohs(pkt->dst_port) < TRACK_EPHEMERAL
			       ? OPENS(STATE_DECIDED, OPENING_PLAIN)
			       : 0;
	default: /* SCTP's INIT, an empty echo, an empty packet of some protocol */
		if (pkt->tcp_flags == TCP_SYN)
			return OPENS(0, OPENING_PLAIN);
		return pkt->tcp_flags == SCTP_COOKIE ? OPENS(0, OPENING_COOKIE) : 0;
	}
}

/* is_midstream - data or an acknowledgement: what connections are made of, and nothing to anybody
 * but an undecided attempt of its own. */
static __always_inline int is_midstream(const struct packet *pkt)
{
	return pkt->kind == PACKET_PLAIN && !pkt->headless &&
	       (pkt->tcp_flags & (TCP_SYN | TCP_RST | TCP_FIN | TCP_ACK)) == TCP_ACK;
}

/* track_concerns - can this packet, whose store_look() is `look`, change anything? The gate before
 * track_packet(), and all that most packets see: those of connections that are long decided. */
static __always_inline int track_concerns(const struct packet *pkt, __u32 look)
{
	return !(look & (LOOK_NONE | LOOK_DECIDED)) || !is_midstream(pkt);
}

/* Notes of what went by (store_note_at()): 27 bits of the flow's hash, which way it went, and an
 * opening: of a probe, if a RST should answer it, or NOTE_CARRIED: payload flowed, or both sides
 * spoke, so it was a connection once. */
#define NOTE_CARRIED	       0xfu
#define NOTE_UP		       0x10u
#define NOTE(hash, what)       (((__u32)((hash) >> 32) & ~0x1fu) | (what))
#define NOTE_IS_OF(note, hash) (!(((note) ^ (__u32)((hash) >> 32)) & ~0x1fu))

/* note_way - NOTE_UP for one direction of a flow and 0 for the other: its hash is the same for
 * both.
 */
static __always_inline __u32 note_way(const struct packet *pkt)
{
	int up = pkt->src_port < pkt->dst_port;

	if (pkt->src_port == pkt->dst_port)
		up = pkt->src.w[1] == pkt->dst.w[1] ? pkt->src.w[0] < pkt->dst.w[0]
						    : pkt->src.w[1] < pkt->dst.w[1];
	return up ? NOTE_UP : 0;
}

/* note_segment - a segment of no known attempt went by: which may be a probe, or goes on with what
 * is noted. */
static __always_inline void note_segment(__u32 *note, __u64 h, const struct packet *pkt,
					 __u32 opening)
{
	__u32 was = *note, way = note_way(pkt);

	if (pkt->payload_len || (NOTE_IS_OF(was, h) && (was & NOTE_UP) != way))
		*note = NOTE(h, NOTE_CARRIED);
	else if (!NOTE_IS_OF(was, h) || opening != OPENING_ACK)
		*note = NOTE(h, way | opening);
}

/* note_orphan - a FIN-ACK, SYN-ACK or, as OPENING_ACK, any other segment that belongs to no
 * undecided attempt. */
static __always_inline void note_orphan(struct store *st, __u64 h, const struct packet *pkt,
					__u32 opening)
{
	__u32 *note = store_note_at(st, h);

	if (*note != NOTE(h, NOTE_CARRIED))
		note_segment(note, h, pkt, opening);
}

/* track_passing - a segment that track_packet() need not see: data or an acknowledgement of a
 * connection that is long decided, older than we are, or no connection at all. Of each flow the
 * first is noted, and the first payload or reply; after that a look at the note is all it costs. */
static __always_inline void track_passing(struct store *st, __u64 h, const struct packet *pkt)
{
	note_orphan(st, h, pkt, OPENING_ACK);
}

/* track_quick - the whole of it for most of what parse_quick() knows: a segment that
 * track_concerns() would let pass, and of which track_passing() has nothing new to note. Returns 1,
 * or 0: those have to be asked. */
static __always_inline int track_quick(struct store *st, __u64 h, const struct quick *q)
{
	__u32 *note;

	if ((q->tcp->flags & (TCP_SYN | TCP_RST | TCP_FIN | TCP_ACK)) != TCP_ACK ||
	    store_holds(st, h))
		return 0;
	note = store_note_at(st, h);
	if (*note == NOTE(h, NOTE_CARRIED))
		return 1;
	if (!quick_payload(q))
		return 0;
	*note = NOTE(h, NOTE_CARRIED);
	return 1;
}

static __always_inline void count_judged(struct store *st, __u32 bits)
{
	if (bits & CONTACT_TRANSFER)
		store_count(st, STAT_TRANSFER);
	else
		store_count(st, STAT_SILENT);
}

/* ended_as - the history bits of a verdict. */
static __always_inline __u64 ended_as(__u32 verdict)
{
	__u64 acct = 0;

	if (verdict & VERDICT_RST_ORIG)
		acct |= ACCT_RST_ORIG;
	if (verdict & VERDICT_RST_RESP)
		acct |= ACCT_RST_RESP;
	if (verdict & VERDICT_RENEW)
		acct |= ACCT_RENEWED;
	if (verdict & VERDICT_FIN)
		acct |= ACCT_FIN_ORIG | ACCT_FIN_RESP;
	return acct;
}

/* slot_settle - the attempt was silent to its FIN: judges it and leaves it to be seen closing. */
static __always_inline void slot_settle(struct store *st, struct slot *s, __u32 verdict,
					struct attempt *a)
{
	acct_set(s, 0, ACCT_FIN_ORIG);
	if (!store_settle(st, s, a))
		return;
	count_judged(st, verdict);
	store_judged(st, a, CONTACT_BITS(verdict));
}

/* slot_leave - takes the attempt out and hands it to its contact; payload that no sweep has read
 * goes first. Does nothing if another CPU got there before; that one judges. Returns 1 or 0. */
static __always_inline int slot_leave(struct store *st, struct slot *s, __u32 verdict,
				      struct attempt *a)
{
	__u32 bits = CONTACT_BITS(verdict), owed;

	if (!store_take(st, s, a))
		return 0;
	a->acct |= ended_as(verdict);
	owed = owed_bits(a, TAG_STATE(s->tag));
	if (owed)
		store_judged(st, a, owed);
	if (bits) {
		count_judged(st, verdict);
		store_judged(st, a, bits);
	}
	store_ended(st, a, TAG_STATE(s->tag), bits ? bits : ended_bits(a, TAG_STATE(s->tag)));
	return 1;
}

/* slot_judge - carries a verdict out on the table. */
static __always_inline void slot_judge(struct store *st, __u64 h, const struct packet *pkt,
				       struct slot *s, __u32 verdict, struct attempt *a)
{
	if (verdict & VERDICT_DECIDE) {
		*store_note_at(st, h) = NOTE(h, NOTE_CARRIED);
		if (store_decide(st, s))
			store_count(st, STAT_PAYLOAD);
	} else if (verdict & VERDICT_SETTLE) {
		slot_settle(st, s, verdict, a);
	} else if (slot_leave(st, s, verdict, a) && verdict & VERDICT_RENEW) {
		store_count(st, STAT_ATTEMPT_RENEWED);
		attempt_open(st, h, pkt, OPENS(0, OPENING_PLAIN));
	}
}

/* track_known - a packet of a known attempt. Returns what it means: 0, or a verdict. */
static __always_inline __u32 track_known(struct store *st, struct slot *s, const struct packet *pkt)
{
	if (pkt->proto == PROTO_TCP && TAG_STATE(s->tag) & STATE_DECIDED)
		return track_tcp_decided(s, pkt);
	if (pkt->kind != PACKET_PLAIN)
		return track_unreachable(st, s, pkt);
	switch (pkt->proto) {
	case PROTO_UDP:
		return track_udp(st, s, pkt);
	case PROTO_SCTP:
		return TAG_STATE(s->tag) & STATE_DECIDED ? 0 : track_sctp(st, s, pkt);
	case PROTO_TCP:
		if (ACCT_OPENING(LOAD(&s->a->acct)))
			return track_tcp_odd(st, s, pkt);
		return s->from_orig ? track_tcp_orig(st, s, pkt) : track_tcp_resp(st, s, pkt);
	default:
		return track_asked(st, s);
	}
}

/* track_refused - a RST that acknowledges nothing and belongs to nothing we know answers a segment
 * with ACK that belonged to nothing its sender knows (RFC 9293, 3.10.7.1): a look at that port, if
 * that segment was seen, from the other side, no payload and no reply were, and the ports say that
 * it is no late packet. Where the guard leaves attempts out, either end may be answering one. */
static __always_inline void track_refused(struct store *st, __u64 h, const struct packet *pkt,
					  struct attempt *a)
{
	__u32 note = *store_note_at(st, h), opening = note & 0xf, bits;

	if (!NOTE_IS_OF(note, h) || opening == NOTE_CARRIED || (note & NOTE_UP) == note_way(pkt) ||
	    is_late(pkt->dst_port, pkt->src_port) ||
	    service_is_over(st, &pkt->src, pkt->src_port, PROTO_TCP) ||
	    service_is_over(st, &pkt->dst, pkt->dst_port, PROTO_TCP)) {
		store_count(st, STAT_ORPHAN_LATE);
		return;
	}
	a->orig = pkt->dst;
	a->resp = pkt->src;
	a->orig_port = pkt->dst_port;
	a->resp_port = pkt->src_port;
	a->isn = pkt->seq;
	a->syn_len = 0;
	a->proto = PROTO_TCP;
	a->acct = (__u64)opening << ACCT_OPENING_SHIFT | ACCT_RST_RESP |
		  (source_admit(st, &a->orig) == ADMIT_KNOWN ? ACCT_KNOWN : 0);
	store_stamp(st, a);
	a->dir = !a->dir; /* this is the answer: the probe went the other way */
	bits = CONTACT_CLOSED | CONTACT_SPAN | opening_bits(a);
	store_count(st, STAT_ORPHAN_PROBE);
	store_judged(st, a, bits);
	store_ended(st, a, STATE_AGAIN, bits);
}

/* track_orphan - a packet that neither belongs to an attempt nor opens one. */
static __always_inline void track_orphan(struct store *st, __u64 h, const struct packet *pkt,
					 struct attempt *a)
{
	__u8 flags = pkt->tcp_flags & (TCP_SYN | TCP_ACK | TCP_FIN | TCP_RST);

	if (is_midstream(pkt)) {
		track_passing(st, h, pkt);
		return;
	}
	store_count(st, STAT_ORPHAN);
	if (pkt->proto != PROTO_TCP || pkt->kind != PACKET_PLAIN)
		return;
	if (flags == TCP_RST && !pkt->payload_len)
		track_refused(st, h, pkt, a);
	else if (flags == (TCP_FIN | TCP_ACK))
		note_orphan(st, h, pkt, OPENING_MAIMON);
	else if (flags == (TCP_SYN | TCP_ACK))
		note_orphan(st, h, pkt, OPENING_SYN_ACK);
}

/* track_unknown - a packet of no known attempt: it opens one, or is an orphan. A datagram with
 * payload opens one that is decided. */
static __always_inline void track_unknown(struct store *st, __u64 h, const struct packet *pkt,
					  struct attempt *a)
{
	__u32 how = opens(pkt);

	if (how)
		attempt_open(st, h, pkt, how);
	else
		track_orphan(st, h, pkt, a);
}

/* track_packet - follows one parsed packet; h is its store_hash(), `look` what store_look() said.
 * Whatever comes of it is in the store and in its counters. */
static __always_inline void track_packet(struct store *st, __u64 h, __u32 look,
					 const struct packet *pkt)
{
	struct attempt a; /* one for all ways: BPF's stack is small */
	struct slot s;
	__u32 verdict;

	switch (store_find(st, h, look, pkt, &s)) {
	case FOUND_YES:
		verdict = track_known(st, &s, pkt);
		if (verdict)
			slot_judge(st, h, pkt, &s, verdict, &a);
		break;
	case FOUND_NOT:
		track_unknown(st, h, pkt, &a);
		break;
	case FOUND_OTHER:
		if (opens(pkt))
			store_count(st, STAT_NURSERY_COLLISION);
		break;
	default:
		break;
	}
}

#endif
