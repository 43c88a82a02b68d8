/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The state of one connection attempt, and what is kept of it once it is judged. One definition,
 * read by the BPF programs, the daemon and the tests. Fixed-width types only; no pointers.
 *
 * Byte order: addresses and ports in network order, everything else in host order. Times are
 * CLOCK_BOOTTIME in nanoseconds (live) or the capture's clock. */
#ifndef RECONMON_ATTEMPT_H
#define RECONMON_ATTEMPT_H

#include "packet.h"

enum attempt_dir {
	DIR_INGRESS = 0, /* its first packet came in through `ifindex` */
	DIR_EGRESS = 1,	 /* ... went out through it */
};

enum {
	SEEN_SLOTS = 4096 /* interfaces told apart by who asks which were seen: a power of two */
};

/* An attempt that is still undecided: a slot's value in the nursery (nursery.h), or the value of
 * the map `attempts` of the LRU reference build. One cache line.
 *
 * Written whole before it becomes visible; afterwards only `acct` changes, by compare and
 * exchange, and its top byte (the slot's generation) keeps a late writer out of a later attempt. */
struct attempt {
	struct ip_addr orig, resp;
	__be16 orig_port, resp_port;
	__u32 ifindex;	/* where the first packet was seen */
	__u64 first_ns; /* when */
	__u64 acct;	/* ACCT_*: generation, history, the responder's initial sequence number */
	__u32 isn;	/* originator's initial sequence number; 0 for UDP */
	__u16 syn_len;	/* payload bytes on the SYN: payload only once acknowledged (RFC 7413) */
	__u8 proto;
	__u8 dir; /* enum attempt_dir */
};
_Static_assert(sizeof(struct attempt) == 64, "one cache line a slot");

#define ACCT_GEN_SHIFT 56
#define ACCT_SEEN      (1ull << 32) /* the low 32 bits hold the responder's initial sequence number */
/* What happened besides, for conn_state and history; none of it is read in the packet path but
 * FIN_ORIG and FIN_RESP. */
#define ACCT_SYN_ACK  (1ull << 33) /* the responder answered with SYN-ACK (SCTP: INIT-ACK) */
#define ACCT_FIN_ORIG (1ull << 34) /* the originator is done; judged, and kept to see the rest */
#define ACCT_FIN_RESP (1ull << 35) /* the responder is done */
#define ACCT_RST_ORIG (1ull << 36) /* reset by the originator: in the copy that is handed out */
#define ACCT_RST_RESP (1ull << 37) /* ... by the responder: likewise */
#define ACCT_KNOWN    (1ull << 38) /* its originator had been seen before: guard.h */
#define ACCT_RENEWED                                                                               \
	(1ull << 38) /* another on the same ports came: likewise; when it ended is unknown */
#define ACCT_HISTORY (ACCT_SYN_ACK | ACCT_FIN_ORIG | ACCT_FIN_RESP | ACCT_RST_ORIG | ACCT_RST_RESP)
/* How it was opened: enum opening. */
#define ACCT_OPENING_SHIFT 48
#define ACCT_OPENING(acct) ((__u32)((acct) >> ACCT_OPENING_SHIFT) & 0xf)

/* What kind of packet opened an attempt; it names the technique. */
enum opening {
	OPENING_PLAIN =
		0,	/* TCP: SYN; UDP: a datagram; SCTP: INIT; ICMP, IP protocol: all there is */
	OPENING_FIN,	/* FIN alone */
	OPENING_NULL,	/* no flag at all */
	OPENING_XMAS,	/* FIN, PSH, URG */
	OPENING_FLAGS,	/* any other combination that no stack sends */
	OPENING_ACK,	/* ACK (also nmap's window scan: the same packets), known by the RST */
	OPENING_MAIMON, /* FIN and ACK, known by the RST */
	OPENING_SYN_ACK, /* SYN and ACK of nothing, known by the RST: an idle scan's zombie */
	OPENING_COOKIE,	 /* SCTP: COOKIE ECHO without an INIT */
};

/* What is known of an undecided attempt. It lives in the tag beside the value, where one
 * compare-and-exchange decides between CPUs (nursery.h). */
enum attempt_state {
	STATE_BUSY = 0x01,     /* the slot is being written */
	STATE_LIVE = 0x02,     /* it holds an attempt */
	STATE_ANSWERED = 0x04, /* the responder accepted: SYN-ACK, or a UDP reply */
	STATE_ESTAB = 0x08,    /* ... and the originator acknowledged that */
	STATE_REPORTED = 0x10, /* the daemon knows: a provisional probe, or, decided, its payload */
	STATE_DECIDED = 0x20,  /* nothing can change its judgement: the originator sent payload
				* (kept until the daemon has read that, a UDP flow until it is
				* idle), or was silent to its FIN (kept for what else closes);
				* first to give way */
	STATE_AGAIN = 0x40,    /* a second packet was seen (Zeek: duration > 0) */
	STATE_FRAGMENT = 0x80, /* opened by a first fragment without flags */
};

/* A contact: what one originator showed at one port of a responder since the last drain. Key and
 * value of the LRU map `contacts`, and the unit in which evidence reaches the rules. */
struct contact_key {
	struct ip_addr orig, resp;
	__be16 resp_port;
	__u8 proto;
	__u8 pad[5]; /* zero: the kernel hashes every byte of a key */
};
_Static_assert(sizeof(struct contact_key) == 40, "no hidden padding");

enum contact_bits {
	/* How silent attempts were answered. */
	CONTACT_OPEN = 0x0001,	   /* SYN-ACK or UDP reply */
	CONTACT_CLOSED = 0x0002,   /* RST, ICMP port unreachable */
	CONTACT_FILTERED = 0x0004, /* other ICMP unreachable */
	CONTACT_NONE = 0x0008,	   /* not at all */
	/* What was not silent. */
	CONTACT_PAYLOAD = 0x0010,  /* the originator sent payload */
	CONTACT_TRANSFER = 0x0020, /* the responder streamed bulk data to a silent originator */
	/* Zeek writes orig_bytes only where duration > 0 (`--profile splunk`). */
	CONTACT_SPAN = 0x0040,
	/* Techniques, as far as packets tell them apart. */
	CONTACT_SYN = 0x0100,	  /* handshake left half open by the originator */
	CONTACT_CONNECT = 0x0200, /* handshake completed */
	CONTACT_UDP = 0x0400,
	CONTACT_FRAGMENT = 0x0800, /* SYN cut into fragments too small to hold its flags */
	CONTACT_FIN = 0x1000,	   /* the rest: one bit for each enum opening but the first */
	CONTACT_NULL = 0x2000,
	CONTACT_XMAS = 0x4000,
	CONTACT_FLAGS = 0x8000,
	CONTACT_ACK = 0x10000,
	CONTACT_MAIMON = 0x20000,
	CONTACT_SYN_ACK = 0x40000,
	CONTACT_COOKIE = 0x80000,
	/* A datagram from a port below 1024 to one above, refused: perhaps a late answer. */
	CONTACT_LATE = 0x100000,

	CONTACT_SILENT = CONTACT_OPEN | CONTACT_CLOSED | CONTACT_FILTERED | CONTACT_NONE,
	CONTACT_CARRIED = CONTACT_PAYLOAD | CONTACT_TRANSFER,
	/* Opened by something that no ordinary program sends. */
	CONTACT_ODD = CONTACT_FIN | CONTACT_NULL | CONTACT_XMAS | CONTACT_FLAGS | CONTACT_ACK |
		      CONTACT_MAIMON | CONTACT_SYN_ACK | CONTACT_COOKIE,
};
/* ... and known only by the RST that answered: it may have been a late packet. */
#define CONTACT_UNASKED (CONTACT_ACK | CONTACT_MAIMON | CONTACT_SYN_ACK)
_Static_assert(CONTACT_FIN << (OPENING_COOKIE - OPENING_FIN) == CONTACT_COOKIE, "opening_bits()");

/* The value. All that decides is in `word`, which changes by compare and exchange only and carries
 * part of the key's hash: LRU maps reuse an element at once, so a pointer from a lookup may point
 * at another contact by the time it is written through. The times and counts beside it may then
 * take a stray update; they decide nothing. */
struct contact {
	__u64 word;		/* CONTACT_HASH_SHIFT: hash; low 24 bits: enum contact_bits */
	__u64 silent_first_ns;	/* first packets of the first and the last silent attempt; */
	__u64 silent_last_ns;	/* 0 where there was none */
	__u64 carried_first_ns; /* likewise, attempts that carried payload */
	__u64 carried_last_ns;
	__u32 silent, carried; /* how many */
	__u32 ifindex;
	__u8 dir;   /* enum attempt_dir of the first attempt */
	__u8 known; /* 1: the originator had been seen before (ACCT_KNOWN); the drain's */
	__u8 pad[2];
};
_Static_assert(sizeof(struct contact) == 56, "no hidden padding");

#define CONTACT_HASH_SHIFT 32
#define CONTACT_BITS(word) ((__u32)((word)&0xffffff))

/* Who has looked at whom, for the early wake-up alone: value of the LRU map `sources`, whose key is
 * a contact_key with port 0. */
struct source {
	__u64 ports; /* distinct silent ports, as far as the kernel knows; the daemon corrects it */
};

static __always_inline struct contact_key contact_key_of(const struct attempt *a)
{
	return (struct contact_key){
		.orig = a->orig,
		.resp = a->resp,
		.resp_port = a->resp_port,
		.proto = a->proto,
	};
}

/* contact_hash - 32 bits of the key, to tell one contact's `word` from another's. */
static __always_inline __u32 contact_hash(const struct contact_key *k)
{
	__u64 x = k->orig.w[0] ^ k->orig.w[1] * 0x9E3779B97F4A7C15ull;

	x = (x ^ k->resp.w[0] ^ x >> 29) * 0xBF58476D1CE4E5B9ull;
	x = (x ^ k->resp.w[1] ^ x >> 32) * 0x94D049BB133111EBull;
	x ^= (__u64)k->resp_port << 8 | k->proto;
	return (__u32)(x * 0x9E3779B97F4A7C15ull >> 32);
}

/* contact_init - the contact that a single attempt makes; `bits` are CONTACT_*, exactly one of
 * CONTACT_SILENT or CONTACT_CARRIED among them. */
static __always_inline void contact_init(struct contact *c, const struct contact_key *key,
					 const struct attempt *a, __u32 bits)
{
	__builtin_memset(c, 0, sizeof(*c));
	c->word = (__u64)contact_hash(key) << CONTACT_HASH_SHIFT | bits;
	c->ifindex = a->ifindex;
	c->dir = a->dir;
	c->known = !!(a->acct & ACCT_KNOWN);
	if (bits & CONTACT_SILENT) {
		c->silent = 1;
		c->silent_first_ns = a->first_ns;
		c->silent_last_ns = a->first_ns;
	} else {
		c->carried = 1;
		c->carried_first_ns = a->first_ns;
		c->carried_last_ns = a->first_ns;
	}
}

/* owed_bits - the contact that a decided attempt makes, as long as the daemon has not heard of it;
 * 0 afterwards (what closed in silence is heard of at once), and for all others. */
static __always_inline __u32 owed_bits(const struct attempt *a, __u8 state)
{
	if ((state & (STATE_DECIDED | STATE_REPORTED)) != STATE_DECIDED)
		return 0;
	return a->proto == PROTO_UDP ? CONTACT_PAYLOAD | CONTACT_UDP : CONTACT_PAYLOAD;
}

/* opening_bits - the technique that the first packet gave away: CONTACT_FIN to CONTACT_COOKIE, or
 * 0.
 */
static __always_inline __u32 opening_bits(const struct attempt *a)
{
	return CONTACT_FIN >> 1 << ACCT_OPENING(LOAD(&a->acct)) & CONTACT_ODD;
}

/* silent_bits - the contact that a silent attempt makes when it ends in this state. */
static __always_inline __u32 silent_bits(const struct attempt *a, __u8 state)
{
	__u32 bits = CONTACT_NONE;

	if (state & STATE_ANSWERED)
		bits = CONTACT_OPEN | CONTACT_SPAN;
	if (state & STATE_AGAIN)
		bits |= CONTACT_SPAN;
	if (state & STATE_FRAGMENT)
		bits |= CONTACT_FRAGMENT;
	if (a->proto == PROTO_UDP)
		return bits | CONTACT_UDP;
	if (a->proto != PROTO_TCP || ACCT_OPENING(LOAD(&a->acct)))
		return bits | opening_bits(a);
	if (state & STATE_ESTAB)
		return bits | CONTACT_CONNECT;
	if (state & STATE_ANSWERED)
		return bits | CONTACT_SYN;
	return bits;
}

/* ended_bits - what an attempt that leaves the table in this state was, all in all: CONTACT_*. */
static __always_inline __u32 ended_bits(const struct attempt *a, __u8 state)
{
	if (!(state & STATE_DECIDED) || LOAD(&a->acct) & ACCT_FIN_ORIG)
		return silent_bits(a, state);
	return a->proto == PROTO_UDP ? CONTACT_PAYLOAD | CONTACT_UDP : CONTACT_PAYLOAD;
}

/* An attempt that has left the table, for the log of attempts (`--attempts`): what the ring
 * `ended` carries from the kernel, and what replay and the sweep hand over themselves. */
struct ended {
	struct attempt a;
	__u64 end_ns; /* the packet that ended it; 0: none did */
	__u32 bits;   /* CONTACT_*: how it was judged */
	__u8 state;   /* enum attempt_state at the end */
	__u8 pad[3];
};
_Static_assert(sizeof(struct ended) == 80, "no hidden padding");

/* Which of them anybody wants to hear of. */
enum log_attempts {
	LOG_NONE = 0,
	LOG_PROBES, /* the silent ones */
	LOG_ALL,
};

#endif
