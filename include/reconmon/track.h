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
 *	payload, acknowledged	decided: stays until the daemon's next sweep has read that, and
 *				nothing but a SYN with a new initial number means anything to it
 *	RST, FIN, unreachable	final, if still silent: a probe, with what the scanner learnt
 *	nothing			ripens in the daemon's sweep (user/sweep_nursery.c)
 *
 * No clock and no packet bytes here; where attempts live and end is the including side's: store.h.
 */
#ifndef RECONMON_TRACK_H
#define RECONMON_TRACK_H

#include "nursery.h"

enum {
	/* A silent originator to whom this much is streamed is fetching, not looking: passive FTP.
	 * Banners are tens to hundreds of bytes. */
	TRACK_BULK_BYTES = 64 * 1024,
	/* As in Zeek: before the handshake is seen, an acknowledgement further off than this
	 * belongs to an older connection on the same ports (RFC 5961, 4: challenge ACK). */
	TRACK_JUMP_MAX = 1024 * 1024,
	/* UDP from a well-known to an ephemeral port that belongs to nothing: a late reply. */
	TRACK_UDP_WELL_KNOWN = 1024,
	TRACK_UDP_EPHEMERAL = 32768, /* Linux' ip_local_port_range begins here */
	/* A UDP flow's age in the nursery is renewed when it is older: 2^29 ns each, 8.6 s. */
	TRACK_UDP_RENEW = 16,
};

/* A judgement: CONTACT_* bits with which the attempt leaves, and above them what becomes of the
 * slot. 0: undecided. */
enum verdict {
	VERDICT_DECIDE = 1 << 16, /* payload: it stays, marked; alone */
	VERDICT_RENEW = 1 << 17,  /* the packet that ends it opens another on the same ports */
};

/* attempt_open - makes *a of the packet that opens an attempt and stores it. Returns 1 if that was
 * done, else 0. */
SLOW_PATH int attempt_open(struct store *st, __u64 h, const struct packet *pkt, struct attempt *a,
			   __u32 state)
{
	a->orig = pkt->src;
	a->resp = pkt->dst;
	a->orig_port = pkt->src_port;
	a->resp_port = pkt->dst_port;
	a->acct = 0;
	a->isn = pkt->seq;
	a->syn_len = pkt->payload_len > 0xffff ? 0xffff : (__u16)pkt->payload_len;
	a->proto = pkt->proto;
	store_stamp(st, a);
	if (!store_open(st, h, a, (__u8)state))
		return 0;
	store_count(st, STAT_ATTEMPTS);
	return 1;
}

/* resp_isn_set - remembers the responder's initial sequence number (replacing a guess). */
static __always_inline void resp_isn_set(struct attempt *a, __u8 gen, __u32 isn)
{
	__u64 was = LOAD(&a->acct);

	if ((__u8)(was >> ACCT_GEN_SHIFT) != gen)
		return;
	/* Lost to another CPU: that one writes the same number. */
	(void)CAS(&a->acct, was, (__u64)gen << ACCT_GEN_SHIFT | ACCT_SEEN | isn);
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
		resp_isn_set(s->a, TAG_GEN(s->tag), pkt->ack - 1);
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
		return silent_bits(s->a, state) | CONTACT_SPAN;
	if (!(state & STATE_ANSWERED) && pkt->tcp_flags & TCP_ACK) {
		orig_infers(st, s, pkt);
		state = TAG_STATE(s->tag);
	}
	if (state & STATE_ANSWERED && sent > 0)
		return VERDICT_DECIDE;
	if (pkt->tcp_flags & TCP_FIN)
		return silent_bits(s->a, state) | CONTACT_SPAN;
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
		return silent_bits(s->a, state);
	if (pkt->tcp_flags & TCP_ACK && acked > s->a->syn_len) {
		store_count(st, STAT_BAD_ANSWER);
		return 0;
	}
	return CONTACT_CLOSED | CONTACT_SPAN | (state & STATE_FRAGMENT ? CONTACT_FRAGMENT : 0);
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
		resp_isn_set(s->a, TAG_GEN(s->tag), is_syn ? pkt->seq : pkt->seq - 1);
		store_mark(st, s, STATE_ANSWERED | STATE_AGAIN);
		return 0;
	}
	if (!is_syn && is_bulk(st, s->a, next))
		return CONTACT_TRANSFER;
	return 0;
}

/* track_tcp_decided - a segment of an attempt that carried payload: only the next attempt on the
 * same ports changes that. */
static __always_inline __u32 track_tcp_decided(struct slot *s, const struct packet *pkt)
{
	if (!s->from_orig || pkt->headless || (pkt->tcp_flags & (TCP_SYN | TCP_ACK)) != TCP_SYN)
		return 0;
	return pkt->seq != s->a->isn ? VERDICT_RENEW : 0;
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
	return bits;
}

/* opens - does a packet of no known attempt open one? Only a SYN, a datagram, or a first fragment
 * that hides its flags does; everything else is late, or older than we are. Sets *ret_state to the
 * state of the new attempt. */
static __always_inline int opens(const struct packet *pkt, __u8 *ret_state)
{
	__u8 flags = pkt->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN);

	*ret_state = 0;
	if (pkt->kind != PACKET_PLAIN)
		return 0;
	if (pkt->proto == PROTO_TCP) {
		if (pkt->headless)
			*ret_state = STATE_FRAGMENT;
		return flags == TCP_SYN || pkt->headless;
	}
	if (!pkt->payload_len)
		return 1;
	*ret_state = STATE_DECIDED;
	return bpf_ntohs(pkt->src_port) >= TRACK_UDP_WELL_KNOWN ||
	       bpf_ntohs(pkt->dst_port) < TRACK_UDP_EPHEMERAL;
}

/* is_midstream - data or an acknowledgement: what connections are made of, and nothing to anybody
 * but an undecided attempt of its own. */
static __always_inline int is_midstream(const struct packet *pkt)
{
	return pkt->proto == PROTO_TCP && pkt->kind == PACKET_PLAIN && !pkt->headless &&
	       !(pkt->tcp_flags & (TCP_SYN | TCP_RST | TCP_FIN));
}

/* track_concerns - can this packet, whose store_look() is `look`, change anything? The gate before
 * track_packet(), and all that most packets see: those of connections that are long decided. */
static __always_inline int track_concerns(const struct packet *pkt, __u32 look)
{
	return !(look & (LOOK_NONE | LOOK_DECIDED)) || !is_midstream(pkt);
}

static __always_inline void count_judged(struct store *st, __u32 bits)
{
	if (bits & CONTACT_TRANSFER)
		store_count(st, STAT_TRANSFER);
	else
		store_count(st, STAT_SILENT);
}

/* slot_judge - carries a verdict out on the table: marks the attempt, or takes it and hands it to
 * its contact; payload that no sweep has read goes first. Does nothing if another CPU got there
 * before; that one judges. */
static __always_inline void slot_judge(struct store *st, __u64 h, const struct packet *pkt,
				       struct slot *s, __u32 verdict)
{
	struct attempt a;
	__u32 owed;

	if (verdict & VERDICT_DECIDE) {
		if (store_decide(st, s))
			store_count(st, STAT_PAYLOAD);
		return;
	}
	if (!store_take(st, s, &a))
		return;
	owed = owed_bits(&a, TAG_STATE(s->tag));
	if (owed)
		store_judged(st, &a, owed);
	if (CONTACT_BITS(verdict)) {
		count_judged(st, verdict);
		store_judged(st, &a, CONTACT_BITS(verdict));
	}
	if (verdict & VERDICT_RENEW) {
		store_count(st, STAT_ATTEMPT_RENEWED);
		attempt_open(st, h, pkt, &a, 0);
	}
}

/* track_known - a packet of a known attempt. Returns what it means: 0, or a verdict. */
static __always_inline __u32 track_known(struct store *st, struct slot *s, const struct packet *pkt)
{
	if (pkt->proto == PROTO_TCP && TAG_STATE(s->tag) & STATE_DECIDED)
		return track_tcp_decided(s, pkt);
	if (pkt->kind != PACKET_PLAIN)
		return track_unreachable(st, s, pkt);
	if (pkt->proto == PROTO_UDP)
		return track_udp(st, s, pkt);
	if (s->from_orig)
		return track_tcp_orig(st, s, pkt);
	return track_tcp_resp(st, s, pkt);
}

/* track_unknown - a packet of no known attempt: it opens one, or is an orphan. A datagram with
 * payload opens one that is decided. */
static __always_inline void track_unknown(struct store *st, __u64 h, const struct packet *pkt)
{
	struct attempt a;
	__u8 state;

	if (!opens(pkt, &state)) {
		if (!is_midstream(pkt))
			store_count(st, STAT_ORPHAN);
		return;
	}
	if (attempt_open(st, h, pkt, &a, state) && state & STATE_DECIDED)
		store_count(st, STAT_PAYLOAD);
}

/* track_packet - follows one parsed packet; h is its store_hash(), `look` what store_look() said.
 * Whatever comes of it is in the store and in its counters. */
static __always_inline void track_packet(struct store *st, __u64 h, __u32 look,
					 const struct packet *pkt)
{
	struct slot s;
	__u32 verdict;
	__u8 state;

	if (pkt->proto == PROTO_SCTP) {
		store_count(st, STAT_SCTP_UNTRACKED);
		return;
	}
	switch (store_find(st, h, look, pkt, &s)) {
	case FOUND_YES:
		verdict = track_known(st, &s, pkt);
		if (verdict)
			slot_judge(st, h, pkt, &s, verdict);
		break;
	case FOUND_NOT:
		track_unknown(st, h, pkt);
		break;
	case FOUND_OTHER:
		if (opens(pkt, &state))
			store_count(st, STAT_NURSERY_COLLISION);
		break;
	default:
		break;
	}
}

#endif
