/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Is a judgement covered by packets that were there? A second look at the whole conversation, from
 * its packets and not from the state machine's notes: what must have been seen for a judgement to
 * be possible, and what, once seen, forbids it. It asks for less than the state machine knows, so
 * that it has no opinion where a conversation is odd, and its own bugs cannot hide those of
 * track.h. */
#ifndef RECONMON_TESTS_FUZZ_WITNESS_H
#define RECONMON_TESTS_FUZZ_WITNESS_H

#include <reconmon/attempt.h>

#include "trace.h"

/* A packet as it came. */
struct entry {
	__u8 *frame; /* have bytes, exactly, on the heap */
	__u32 have, wire_len;
	int ethernet;
	__u8 dir;
	bool sweep; /* the daemon looks first */
	__u64 step_ns, t_ns;
	int error; /* of the parser; 0: pkt is filled */
	struct packet pkt;
};

struct trace {
	struct entry e[TRACE_FRAMES_MAX];
	__u32 n;
	__u8 options;
};

static inline bool witness_same_attempt(const struct attempt *a, const struct attempt *b)
{
	return addr_same(&a->orig, &b->orig) && addr_same(&a->resp, &b->resp) &&
	       a->orig_port == b->orig_port && a->resp_port == b->resp_port &&
	       a->first_ns == b->first_ns && a->isn == b->isn && a->proto == b->proto;
}

static inline bool from_orig(const struct packet *p, const struct attempt *a)
{
	return p->proto == a->proto && addr_same(&p->src, &a->orig) &&
	       addr_same(&p->dst, &a->resp) && p->src_port == a->orig_port &&
	       p->dst_port == a->resp_port;
}

static inline bool from_resp(const struct packet *p, const struct attempt *a)
{
	return p->proto == a->proto && addr_same(&p->src, &a->resp) &&
	       addr_same(&p->dst, &a->orig) && p->src_port == a->resp_port &&
	       p->dst_port == a->orig_port;
}

/* is_opener - may this packet have opened the attempt? */
static inline bool is_opener(const struct entry *e, const struct attempt *a)
{
	return !e->error && e->pkt.kind == PACKET_PLAIN && from_orig(&e->pkt, a) &&
	       e->t_ns == a->first_ns && (a->proto != PROTO_TCP || e->pkt.seq == a->isn);
}

static inline unsigned int witness_openers(const struct trace *t, __u32 seen,
					   const struct attempt *a)
{
	unsigned int n = 0;

	for (__u32 i = 0; i < seen; i++)
		n += is_opener(&t->e[i], a);
	return n;
}

/* What was there between an attempt's first packet and its judgement. */
struct evidence {
	unsigned int openers;	/* packets that may have opened it */
	unsigned int dirs;	/* their directions, a bit each */
	unsigned int packets;	/* of the attempt, quoted ones too */
	unsigned int resp;	/* the responder's */
	unsigned int orig_acks; /* the originator's with ACK */
	bool refused, filtered; /* RST of the responder or port unreachable; other unreachable */
	bool payload;		/* a sequence number, or its acknowledgement, beyond the first */
	bool headless;		/* a fragment that hides its flags */
	/* The plain course, as long as nothing else came between: */
	enum {
		PLAIN_SYN,
		PLAIN_ANSWERED, /* a SYN-ACK that acknowledges the SYN and nothing more */
		PLAIN_SENT,	/* payload in the originator's next segment */
		PLAIN_CARRIED,	/* the responder has acknowledged it: for good */
	} course;
	bool odd; /* something else came */
};

/* course_step - how a TCP conversation goes that leaves no question. */
static inline void course_step(struct evidence *v, const struct packet *p, const struct attempt *a,
			       bool orig)
{
	__u8 flags = p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN);
	__u32 acked = p->ack - a->isn - 1;

	if (v->odd || v->course == PLAIN_CARRIED)
		return;
	if (p->kind != PACKET_PLAIN || p->headless)
		v->odd = true;
	else if (!orig && v->course == PLAIN_SYN && flags == (TCP_SYN | TCP_ACK) && !acked)
		v->course = PLAIN_ANSWERED;
	else if (orig && v->course == PLAIN_ANSWERED && flags == TCP_ACK && p->payload_len &&
		 p->payload_len < 65536 && p->seq == a->isn + 1)
		v->course = PLAIN_SENT;
	else if (!orig && v->course == PLAIN_SENT && flags == TCP_ACK && acked && acked < 65536)
		v->course = PLAIN_CARRIED;
	else if (flags != TCP_ACK || p->payload_len)
		v->odd = true;
}

static inline void evidence_add(struct evidence *v, const struct packet *p, const struct attempt *a,
				bool opener)
{
	bool orig = from_orig(p, a), resp = from_resp(p, a);
	__s32 sent = (__s32)(p->seq + p->payload_len - a->isn - 1);

	if (!orig && !resp)
		return;
	v->packets++;
	if (a->proto == PROTO_TCP && !opener)
		course_step(v, p, a, orig);
	if (p->kind != PACKET_PLAIN) {
		v->refused |= p->kind == PACKET_UNREACH_PORT;
		v->filtered |= p->kind != PACKET_UNREACH_PORT;
		return;
	}
	v->headless |= p->headless;
	v->resp += !orig;
	v->refused |= !orig && p->tcp_flags & TCP_RST;
	v->orig_acks += orig && p->tcp_flags & TCP_ACK;
	if (a->proto != PROTO_TCP)
		v->payload |= orig && p->payload_len;
	else if (!orig)
		v->payload |= (__s32)(p->ack - a->isn - 1) > 0;
	else if (!(p->tcp_flags & TCP_SYN)) /* payload on a SYN is none before it is acknowledged */
		v->payload |= sent > 0;
}

/* evidence_of - several packets of one instant may have opened the attempt (retransmitted, or after
 * it was evicted). What must have been there counts from the first of them, what must not from the
 * last. */
static inline void evidence_of(const struct trace *t, __u32 seen, const struct attempt *a,
			       struct evidence *v)
{
	memset(v, 0, sizeof(*v));
	for (__u32 i = 0; i < seen; i++) {
		const struct entry *e = &t->e[i];
		bool opener = is_opener(e, a);

		if (e->error || (!v->openers && !opener))
			continue;
		if (opener) {
			v->openers++;
			v->dirs |= 1u << e->dir;
			v->course = PLAIN_SYN;
			v->odd = false;
		}
		evidence_add(v, &e->pkt, a, opener);
	}
}

/* check_silent - answers, and what no answer may follow. */
static inline void check_silent(const struct attempt *a, __u32 bits, const struct evidence *v)
{
	bool plain = !(bits & CONTACT_ODD); /* else it is a probe whatever follows */

	CHECK(!plain || v->course != PLAIN_CARRIED, "silent (%#x), after payload was acknowledged",
	      bits);
	CHECK(!(bits & CONTACT_OPEN) || v->resp || (a->proto == PROTO_TCP && v->orig_acks > 1),
	      "open, without an answer");
	CHECK(!(bits & CONTACT_CLOSED) || v->refused, "closed, without a refusal");
	CHECK(!(bits & CONTACT_FILTERED) || v->filtered, "filtered, without an error");
	CHECK(!plain || !(bits & CONTACT_NONE) || v->course == PLAIN_SYN,
	      "no answer, after a SYN-ACK");
}

/* check_bits - what attempt.h says of the bits. */
static inline void check_bits(const struct attempt *a, __u32 bits)
{
	__u32 technique = bits & (CONTACT_SYN | CONTACT_CONNECT), odd = bits & CONTACT_ODD;

	CHECK(__builtin_popcount(bits & (CONTACT_SILENT | CONTACT_CARRIED)) == 1,
	      "not one answer or one reason: %#x", bits);
	CHECK(technique != (CONTACT_SYN | CONTACT_CONNECT), "half open, and completed");
	CHECK(!technique || (bits & CONTACT_OPEN && a->proto == PROTO_TCP), "a handshake in %#x",
	      bits);
	CHECK(__builtin_popcount(odd) + !!technique <= 1, "two techniques: %#x", bits);
	CHECK(!odd || bits & CONTACT_SILENT, "a scan with payload: %#x", bits);
	CHECK(!odd || a->proto == (odd == CONTACT_COOKIE ? PROTO_SCTP : PROTO_TCP),
	      "%#x of protocol %u", bits, a->proto);
	CHECK(!(bits & CONTACT_PAYLOAD) || a->proto == PROTO_TCP || a->proto == PROTO_UDP ||
		      a->proto == PROTO_SCTP,
	      "payload of protocol %u", a->proto);
	CHECK(!(bits & CONTACT_UDP) == (a->proto != PROTO_UDP), "%#x of protocol %u", bits,
	      a->proto);
	CHECK(!(bits & CONTACT_TRANSFER) || a->proto == PROTO_TCP, "a transfer by %u", a->proto);
}

/* check_refused - a probe of no known attempt: its refusal is there at that moment, from the other
 * side, in the other direction. */
static inline void check_refused(const struct trace *t, __u32 seen, const struct attempt *a,
				 __u32 bits, bool mirrored)
{
	const struct entry *e = &t->e[seen - 1];

	CHECK(seen && !e->error && e->pkt.kind == PACKET_PLAIN && from_resp(&e->pkt, a) &&
		      (e->pkt.tcp_flags & (TCP_RST | TCP_ACK)) == TCP_RST,
	      "a probe that nobody refused");
	CHECK(a->first_ns == e->t_ns && a->dir == (!e->dir ^ mirrored), "refused elsewhere");
	CHECK((bits & CONTACT_SILENT) == CONTACT_CLOSED, "refused, and not closed: %#x", bits);
}

/* witness_check - may the attempt be judged so, after the first `seen` packets? */
static inline void witness_check(const struct trace *t, __u32 seen, const struct attempt *a,
				 __u32 bits, bool mirrored)
{
	bool to_itself = addr_same(&a->orig, &a->resp) && a->orig_port == a->resp_port;
	struct evidence v;

	check_bits(a, bits);
	if (bits & CONTACT_UNASKED) {
		check_refused(t, seen, a, bits, mirrored);
		return;
	}
	evidence_of(t, seen, a, &v);
	CHECK(v.openers, "an attempt that no packet has opened");
	CHECK(v.dirs >> (a->dir ^ mirrored) & 1, "opened in the other direction");
	if (to_itself)
		return; /* it has no sides */
	if (bits & CONTACT_SILENT)
		check_silent(a, bits, &v);
	CHECK(!(bits & CONTACT_PAYLOAD) || v.payload, "payload that nobody sent");
	CHECK(!(bits & CONTACT_FRAGMENT) || v.headless, "a fragment, where none was");
	CHECK(!(bits & CONTACT_SPAN) || v.packets > 1, "one packet that took time");
}

#endif
