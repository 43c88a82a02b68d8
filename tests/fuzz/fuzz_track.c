// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* The packet path: parser, state machine, nursery and sweep, over packets with their times. Input:
 * trace.h.
 *
 * Each input is run over a large nursery; over the same with another seed, every direction turned
 * around and no gate before track_packet(); and over a single bucket, where attempts evict one
 * another. What is checked: that the parser's result has the documented form and does not depend on
 * what is not the packet (padding, VLAN tags, the snap length); that the table is sound after each
 * packet; that each judgement is covered by packets that were there (witness.h); that the counters
 * add up; and that the runs agree wherever nothing was lost. */
#include "fuzz.h"

#include <host_store.h>
#include <parse_both.h>
#include <sweep.h>

#include "trace.h"
#include "witness.h"

enum {
	LARGE_BUCKETS = 32,
	TICK_NS = 1000000000, /* as config.c */
	JUDGED_MAX = 4 * TRACE_FRAMES_MAX + 64,
};

static const struct ripeness ripe = { 2000000000ull, 30000000000ull }; /* as config.c */

/* A judgement, and how many packets had been seen by then. */
struct judgement {
	struct attempt a;
	__u32 bits;
	__u32 seen;
	bool swept;
};

struct run {
	const struct trace *trace;
	struct store st;
	struct sweep_stats swept;
	bool mirrored; /* DIR_INGRESS and DIR_EGRESS change places */
	bool no_gate;
	__u32 seen;    /* packets handed to the store, the current one included */
	__u64 tick_ns; /* when the daemon looks next */
	bool sweeping;
	struct judgement j[JUDGED_MAX];
	size_t judged;
	__u64 ended; /* attempts that left the table at a packet */
};

/* --- for who looks into a finding --- */

static bool tell; /* FUZZ_TELL is set: say what goes in and what comes out */

/* entry_tell - a line a packet, for who looks into a finding. */
static void entry_tell(const struct entry *e)
{
	const struct packet *p = &e->pkt;

	fprintf(stderr, "+%llu us %s%s ", (unsigned long long)e->step_ns / 1000,
		e->sweep ? "sweep, " : "", e->dir == DIR_EGRESS ? "out" : "in");
	if (e->error)
		fprintf(stderr, "%u of %u bytes: error %d\n", e->have, e->wire_len, -e->error);
	else
		fprintf(stderr,
			"proto %u kind %u %llx%016llx:%u > %llx%016llx:%u flags %#x seq %u ack %u "
			"payload %u%s\n",
			p->proto, p->kind, p->src.w[0], p->src.w[1], ntohs(p->src_port),
			p->dst.w[0], p->dst.w[1], ntohs(p->dst_port), p->tcp_flags, p->seq, p->ack,
			p->payload_len, p->headless ? " headless" : "");
}

static void judgement_tell(const struct judgement *j)
{
	fprintf(stderr, "after packet %u: %s proto %u ports %u > %u: %#x\n", j->seen,
		j->swept ? "swept" : "judged", j->a.proto, ntohs(j->a.orig_port),
		ntohs(j->a.resp_port), j->bits);
}

/* --- the parser --- */

static int parse_copy(const __u8 *frame, __u32 have, __u32 wire_len, int ethernet,
		      struct packet *ret)
{
	uint8_t *copy = exact_copy(frame, have);
	struct cursor cur = { copy, copy + have, wire_len };
	const char *why;
	int r;

	parse_both_family(&cur, ethernet, &why);
	CHECK(!why, "%s", why);
	r = parse_packet(&cur, ethernet, ret);
	free(copy);
	return r;
}

/* check_form - what packet.h says of the fields. */
static void check_form(const struct packet *p, __u32 wire_len)
{
	__u32 max = wire_len > 65535 ? wire_len : 65535;

	CHECK(p->proto == PROTO_TCP || p->proto == PROTO_UDP || p->proto == PROTO_SCTP ||
		      p->proto == PROTO_ICMP || p->proto == PROTO_ICMPV6 || p->proto == PROTO_ANY,
	      "protocol %u", p->proto);
	CHECK(p->proto == PROTO_TCP || (!p->ack && !p->headless), "TCP's fields of protocol %u",
	      p->proto);
	CHECK(p->proto != PROTO_UDP || !p->tcp_flags, "flags of UDP");
	CHECK(p->headless <= 1 && !(p->headless && (p->tcp_flags || p->ack || p->payload_len)),
	      "flags of a fragment that hides them");
	CHECK(p->payload_len <= max, "%u bytes of payload in %u", p->payload_len, wire_len);
	CHECK(p->kind == PACKET_PLAIN || (!p->payload_len && !p->tcp_flags),
	      "an ICMP error with payload or flags of its own");
	CHECK((p->proto != PROTO_ANY && p->proto != PROTO_ICMP && p->proto != PROTO_ICMPV6) ||
		      !p->payload_len,
	      "payload of protocol %u", p->proto);
}

/* is_cut - errors by which a frame of which less is at hand may differ. */
static bool is_cut(int r)
{
	return r == -STAT_PARSE_ETH_TRUNCATED || r == -STAT_PARSE_VLAN_TRUNCATED ||
	       r == -STAT_PARSE_IPV4_TRUNCATED || r == -STAT_PARSE_IPV6_TRUNCATED ||
	       r == -STAT_PARSE_IPV6_EXT_TRUNCATED || r == -STAT_PARSE_FRAGMENT_SHORT ||
	       r == -STAT_PARSE_TCP_TRUNCATED || r == -STAT_PARSE_UDP_TRUNCATED ||
	       r == -STAT_PARSE_SCTP_TRUNCATED || r == -STAT_PARSE_ICMP_TRUNCATED ||
	       r == -STAT_PARSE_ICMP_QUOTE;
}

/* check_equal - the same packet came out; SCTP's DATA chunk may have been cut off. */
static void check_equal(const struct entry *e, struct packet *p, const char *with)
{
	if (p->proto == PROTO_SCTP && !p->payload_len)
		p->payload_len = e->pkt.payload_len;
	CHECK(!e->error && !memcmp(p, &e->pkt, sizeof(*p)), "another packet with %s", with);
}

/* check_snap - the snap length changes nothing but whether the headers are there. */
static void check_snap(const struct entry *e, __u32 keep)
{
	struct packet p;
	int r = parse_copy(e->frame, keep, e->wire_len, e->ethernet, &p);

	if (r < 0)
		CHECK(is_cut(r) || r == e->error, "%d with all bytes, %d with %u", e->error, r,
		      keep);
	else
		check_equal(e, &p, "fewer bytes at hand");
}

/* is_open_ended - is the packet's length left to the frame (BIG TCP, jumbograms)? */
static bool is_open_ended(const struct entry *e)
{
	struct cursor cur = { e->frame, e->frame + e->have, e->wire_len };
	int type = e->ethernet ? parse_eth(&cur) : ETH_TYPE_IPV4;
	const __u8 *ip = cur.pos;

	if (type < 0 || (const __u8 *)cur.end - ip < 6)
		return false;
	return ip[0] >> 4 == 4 ? !(ip[2] | ip[3]) : !(ip[4] | ip[5]);
}

/* check_padding - what follows the packet in its frame is not the packet's. */
static void check_padding(const struct entry *e)
{
	struct packet p;

	if (e->error || is_open_ended(e))
		return;
	CHECK(!parse_copy(e->frame, e->have, e->wire_len + 6, e->ethernet, &p), "padding hurts");
	check_equal(e, &p, "padding");
}

/* check_tag - nor is a VLAN tag. */
static void check_tag(const struct entry *e)
{
	__u8 *tagged = malloc(e->have + 4);
	struct packet p;
	int r;

	if (!tagged)
		abort();
	memcpy(tagged, e->frame, 12);
	memcpy(tagged + 12, "\x81\x00\x20\x01", 4);
	memcpy(tagged + 16, e->frame + 12, e->have - 12);
	r = parse_copy(tagged, e->have + 4, e->wire_len + 4, 1, &p);
	free(tagged);
	if (r != -STAT_PARSE_VLAN_DEPTH)
		CHECK(r == e->error && (r || !memcmp(&p, &e->pkt, sizeof(p))),
		      "%d without a VLAN tag, %d with one", e->error, r);
}

static void entry_parse(struct entry *e)
{
	e->error = parse_copy(e->frame, e->have, e->wire_len, e->ethernet, &e->pkt);
	CHECK(e->error <= 0 && e->error > -STAT_MAX, "the parser returned %d", e->error);
	if (!e->error)
		check_form(&e->pkt, e->wire_len);
	for (__u32 keep = 0; keep < e->have && keep < 160; keep += 7)
		check_snap(e, keep);
	check_padding(e);
	if (e->ethernet && e->have >= 14)
		check_tag(e);
}

/* --- the table --- */

static void check_slot(struct store *st, __u64 bucket, int way)
{
	const struct attempt *a = &st->vals[bucket].v[way];
	__u64 tag = st->tags[bucket].t[way], h;
	__u8 state = TAG_STATE(tag);
	struct packet pkt = { .src = a->orig,
			      .dst = a->resp,
			      .src_port = a->orig_port,
			      .dst_port = a->resp_port,
			      .proto = a->proto };

	CHECK(state & STATE_LIVE && !(state & STATE_BUSY), "state %#x at rest", state);
	CHECK(!(state & STATE_ESTAB) || state & STATE_ANSWERED || a->proto == PROTO_SCTP,
	      "established, never answered");
	CHECK((__u8)(a->acct >> ACCT_GEN_SHIFT) == TAG_GEN(tag), "another generation's account");
	CHECK(a->first_ns <= st->now_ns, "opened in the future");
	h = nursery_hash(&pkt, st->seed);
	CHECK(!TAG_FP(tag ^ h) && (h & st->bucket_mask) == bucket, "its hash is another");
	for (int i = 0; i < way; i++)
		CHECK(!(TAG_STATE(st->tags[bucket].t[i])) || TAG_FP(tag ^ st->tags[bucket].t[i]),
		      "two slots for one attempt");
}

/* table_check - after each packet. Returns how many attempts there are. */
static __u64 table_check(struct store *st)
{
	__u64 live = 0;

	for (__u64 b = 0; b <= st->bucket_mask; b++) {
		for (int i = 0; i < NURSERY_WAYS; i++) {
			if (!TAG_STATE(st->tags[b].t[i]))
				continue;
			check_slot(st, b, i);
			live++;
		}
	}
	return live;
}

/* --- judgements --- */

static void take_judgement(struct run *r, const struct attempt *a, __u32 bits)
{
	struct judgement *j = &r->j[r->judged];

	CHECK(r->judged < JUDGED_MAX, "more judgements than packets can give");
	*j = (struct judgement){ *a, bits, r->seen, r->sweeping };
	r->judged++;
	if (tell)
		judgement_tell(j);
	witness_check(r->trace, r->seen, a, bits, r->mirrored);
	CHECK(!(bits & CONTACT_TRANSFER) || r->st.exempt_transfers, "a transfer where none counts");
}

static void on_judged(void *ctx, const struct attempt *a, __u32 bits)
{
	take_judgement(ctx, a, bits);
}

/* is_heard - has the attempt been judged or reported? (One that a COOKIE ECHO opened and a COOKIE
 * ACK confirms is older than we are, and nobody's business.) */
static bool is_heard(const struct run *r, const struct attempt *a)
{
	for (size_t i = r->judged; i-- > 0;)
		if (witness_same_attempt(&r->j[i].a, a))
			return true;
	return false;
}

static void on_ended(void *ctx, const struct ended *e)
{
	struct run *r = ctx;

	check_bits(&e->a, e->bits);
	CHECK(e->end_ns == r->st.now_ns, "ended at another time");
	CHECK(is_heard(r, &e->a) || ACCT_OPENING(e->a.acct) == OPENING_COOKIE,
	      "left the table, and nobody has heard of it");
	r->ended += !(e->bits & CONTACT_UNASKED); /* those were never in it */
}

static void on_swept(void *ctx, const struct attempt *a, uint32_t bits)
{
	struct run *r = ctx;

	if (bits & CONTACT_SILENT)
		CHECK(r->st.now_ns - a->first_ns >= ripe.settle_ns, "a probe before it is ripe");
	take_judgement(r, a, bits);
}

/* check_once - an attempt is judged at most once at its end, and reported at most once before; one
 * that was silent to its FIN once more if it is refused then. One that was opened and evicted may
 * come again, by a packet of its own. */
static void check_once(const struct run *r)
{
	for (size_t i = 0; i < r->judged; i++) {
		const struct judgement *j = &r->j[i];
		unsigned int same = 0;

		for (size_t k = 0; k <= i; k++)
			same += r->j[k].swept == j->swept &&
				!(r->j[k].bits & CONTACT_SILENT) == !(j->bits & CONTACT_SILENT) &&
				witness_same_attempt(&r->j[k].a, &j->a);
		if (j->bits & CONTACT_UNASKED)
			continue;
		CHECK(same <= (j->a.proto == PROTO_TCP && !j->swept ? 2 : 1) *
				      witness_openers(r->trace, r->seen, &j->a),
		      "judged %u times", same);
	}
}

/* --- runs --- */

/* check_kept - a sweep takes nothing out of the table that nobody has heard of. */
static void check_kept(const struct store *st, const struct nursery_tags *before)
{
	for (__u64 b = 0; b <= st->bucket_mask; b++)
		for (int i = 0; i < NURSERY_WAYS; i++) {
			__u8 was = TAG_STATE(before[b].t[i]), is = TAG_STATE(st->tags[b].t[i]);

			CHECK(!was || is || was & (STATE_REPORTED | STATE_DECIDED),
			      "retired in state %#x, never reported", was);
		}
}

static void sweep(struct run *r, __u64 now_ns)
{
	const struct sweep_out out = { .report = on_swept, .ctx = r };
	static struct nursery_tags before[LARGE_BUCKETS];

	memcpy(before, r->st.tags, (r->st.bucket_mask + 1) * sizeof(*before));
	r->st.now_ns = now_ns;
	r->sweeping = true;
	sweep_nursery(r->st.tags, r->st.vals, (uint32_t)r->st.bucket_mask + 1, now_ns, &ripe,
		      &r->swept, &out);
	r->sweeping = false;
	r->tick_ns = now_ns + TICK_NS;
	check_kept(&r->st, before);
	table_check(&r->st);
}

/* send_ungated - host_store_frame() without track_concerns(). */
static void send_ungated(struct run *r, const struct entry *e)
{
	__u64 hash;

	store_count(&r->st, r->st.dir == DIR_INGRESS ? STAT_INGRESS : STAT_EGRESS);
	if (e->error) {
		store_count(&r->st, (enum stat) - e->error);
		return;
	}
	hash = store_hash(&r->st, &e->pkt);
	track_packet(&r->st, hash, store_look(&r->st, hash), &e->pkt);
}

static void send_entry(struct run *r, const struct entry *e)
{
	if (e->sweep || e->t_ns >= r->tick_ns)
		sweep(r, e->t_ns);
	r->seen++;
	r->st.now_ns = e->t_ns;
	r->st.dir = e->dir ^ r->mirrored;
	if (r->no_gate)
		send_ungated(r, e);
	else
		CHECK(host_store_frame(&r->st, e->frame, e->have, e->wire_len, e->ethernet) ==
			      e->error,
		      "parsed otherwise than before");
	table_check(&r->st);
}

static __u64 live_owed(const struct store *st)
{
	__u64 n = 0;

	for (__u64 b = 0; b <= st->bucket_mask; b++)
		for (int i = 0; i < NURSERY_WAYS; i++)
			n += owed_bits(&st->vals[b].v[i], TAG_STATE(st->tags[b].t[i])) != 0;
	return n;
}

/* is_lossless - was there room for every attempt? */
static bool is_lossless(const struct run *r)
{
	const unsigned long long *n = r->st.stats.n;

	return !(n[STAT_NURSERY_EVICTED_SEEN] | n[STAT_NURSERY_EVICTED_UNSEEN] |
		 n[STAT_NURSERY_NO_ROOM] | n[STAT_NURSERY_COLLISION]);
}

static __u64 judged_of(const struct run *r, bool swept, __u32 bits, __u8 proto)
{
	__u64 n = 0;

	for (size_t i = 0; i < r->judged; i++)
		n += r->j[i].swept == swept && r->j[i].bits & bits &&
		     (!proto || r->j[i].a.proto == proto);
	return n;
}

/* check_counters - what came in is what went out, plus what is still there. */
static void check_counters(struct run *r)
{
	const unsigned long long *n = r->st.stats.n;
	__u64 live = table_check(&r->st), out;
	__u64 errors[STAT_MAX] = { 0 };

	CHECK(n[STAT_INGRESS] + n[STAT_EGRESS] == r->trace->n, "packets are missing");
	for (__u32 i = 0; i < r->trace->n; i++)
		errors[-r->trace->e[i].error]++;
	for (int s = STAT_PARSE_ETH_TRUNCATED; s <= STAT_PARSE_PROTO_OTHER; s++)
		CHECK(n[s] == errors[s], "counter %d is %llu", s, n[s]);

	CHECK(n[STAT_ORPHAN_PROBE] == judged_of(r, false, CONTACT_UNASKED, 0), "orphans_refused");
	CHECK(n[STAT_SILENT] + n[STAT_ORPHAN_PROBE] == judged_of(r, false, CONTACT_SILENT, 0),
	      "attempts_silent");
	CHECK(n[STAT_TRANSFER] == judged_of(r, false, CONTACT_TRANSFER, 0), "attempts_transfer");
	CHECK(r->swept.ripened == judged_of(r, true, CONTACT_SILENT, 0), "ripened");
	CHECK(r->swept.carried == judged_of(r, true, CONTACT_CARRIED, 0), "carried");
	CHECK(n[STAT_PAYLOAD] == judged_of(r, false, CONTACT_PAYLOAD, 0) +
					 judged_of(r, true, CONTACT_PAYLOAD, 0) + live_owed(&r->st),
	      "%llu attempts with payload", n[STAT_PAYLOAD]);

	/* A sweep keeps a UDP flow that carried payload, and lets all others go. */
	out = r->ended + n[STAT_NURSERY_EVICTED_UNSEEN] + r->swept.retired +
	      judged_of(r, true, CONTACT_PAYLOAD, 0) -
	      judged_of(r, true, CONTACT_PAYLOAD, PROTO_UDP);
	CHECK(n[STAT_ATTEMPTS] == live + out, "%llu opened, %llu live, %llu gone", n[STAT_ATTEMPTS],
	      (unsigned long long)live, (unsigned long long)out);
	CHECK(n[STAT_NURSERY_GAVE_UP] + n[STAT_NURSERY_EXISTS] + n[STAT_NURSERY_TWIN] +
			      n[STAT_NURSERY_UNSURE] + n[STAT_NURSERY_BUSY] ==
		      0,
	      "another CPU, where there is one");
}

/* run_all - plays the trace and ends as replay does: all that was silent is known then. */
static void run_all(struct run *r, const struct trace *t, __u32 buckets)
{
	r->trace = t;
	if (host_store_init(&r->st, buckets, on_judged, r) < 0)
		abort();
	r->st.exempt_transfers = !(t->options & TRACE_LITERAL);
	r->st.ended = on_ended;
	if (r->mirrored)
		for (int i = 0; i < 4; i++)
			r->st.seed[i] = ~r->st.seed[i] | 1;
	r->tick_ns = t->n ? t->e[0].t_ns + TICK_NS : 0;
	for (__u32 i = 0; i < t->n; i++)
		send_entry(r, &t->e[i]);
	sweep(r, r->st.now_ns);
	sweep(r, r->st.now_ns + ripe.settle_ns + ripe.settle_open_ns);
	sweep(r, r->st.now_ns);
	CHECK(!r->swept.undecided, "%llu attempts that nobody has heard of at the end",
	      (unsigned long long)r->swept.undecided);
	check_once(r);
	check_counters(r);
	host_store_done(&r->st);
}

/* --- runs that must agree --- */

static int attempt_order(const struct attempt *a, const struct attempt *b)
{
	int by_ends = memcmp(a, b, offsetof(struct attempt, ifindex));

	return by_ends ? by_ends : a->proto - b->proto; /* there is one of each at a time */
}

/* order - judgements of one sweep come in the order of the table. */
static int order(const void *a, const void *b)
{
	const struct judgement *x = a, *y = b;

	if (x->seen != y->seen)
		return x->seen < y->seen ? -1 : 1;
	if (x->swept != y->swept)
		return x->swept - y->swept;
	if (!x->swept) /* at one packet: as they came */
		return (x > y) - (x < y);
	return attempt_order(&x->a, &y->a);
}

/* check_same - both have judged the same, at the same packets; directions are each other's mirror
 * image if one run is mirrored. */
static void check_same(struct run *a, struct run *b)
{
	bool turned = a->mirrored != b->mirrored;

	if (!is_lossless(a) || !is_lossless(b))
		return;
	CHECK(a->judged == b->judged, "%zu judgements and %zu", a->judged, b->judged);
	qsort(a->j, a->judged, sizeof(*a->j), order);
	qsort(b->j, b->judged, sizeof(*b->j), order);
	for (size_t i = 0; i < a->judged; i++)
		CHECK(a->j[i].bits == b->j[i].bits && a->j[i].seen == b->j[i].seen &&
			      a->j[i].swept == b->j[i].swept &&
			      witness_same_attempt(&a->j[i].a, &b->j[i].a) &&
			      a->j[i].a.dir == (b->j[i].a.dir ^ turned),
		      "judgement %zu differs: %#x and %#x", i, a->j[i].bits, b->j[i].bits);
	for (int s = 0; s < STAT_MAX; s++) {
		int other = s == STAT_INGRESS ? STAT_EGRESS : s == STAT_EGRESS ? STAT_INGRESS : s;

		CHECK(a->st.stats.n[s] == b->st.stats.n[turned ? other : s],
		      "counter %d: %llu, %llu", s, a->st.stats.n[s],
		      b->st.stats.n[turned ? other : s]);
	}
	CHECK(!memcmp(&a->swept, &b->swept, sizeof(a->swept)), "sweeps differ");
}

/* --- the input --- */

/* record_read - one record into *e. Returns what is left of the input. */
static size_t record_read(const uint8_t **data, size_t size, struct entry *e)
{
	const uint8_t *p = *data, *end = p + size;
	__u8 control = *p++;
	struct frame f;
	size_t n;

	e->dir = control & REC_OUT ? DIR_EGRESS : DIR_INGRESS;
	e->sweep = control & REC_SWEEP;
	e->step_ns = trace_steps_ns[control >> REC_STEP_SHIFT];
	e->ethernet = 1;
	if (!(control & REC_RAW)) {
		if (end - p < SMALL_LEN)
			return 0;
		e->wire_len = small_frame(p, &f);
		e->have = f.len;
		e->frame = exact_copy(f.b, f.len);
		n = SMALL_LEN;
	} else {
		if (end - p < 3)
			return 0;
		n = (size_t)(p[0] | p[1] << 8);
		p += 2;
		e->ethernet = !(control & REC_L3);
		e->wire_len = control & REC_LONGER ? 1u << (*p & 16 ? 17 : *p & 15) : 0;
		p += !!(control & REC_LONGER);
		n = n < (size_t)(end - p) ? n : (size_t)(end - p);
		e->have = (__u32)n;
		e->frame = exact_copy(p, n);
	}
	e->wire_len += e->have;
	*data = p + n;
	return (size_t)(end - p) - n;
}

static void trace_read(struct trace *t, const uint8_t *data, size_t size)
{
	__u64 now_ns = 1700000000000000000ull;

	t->n = 0;
	t->options = 0;
	if (!size)
		return;
	t->options = *data++;
	size--;
	while (size && t->n < TRACE_FRAMES_MAX) {
		struct entry *e = &t->e[t->n];

		e->frame = NULL;
		size = record_read(&data, size, e);
		if (!e->frame)
			break;
		now_ns += e->step_ns;
		e->t_ns = now_ns;
		entry_parse(e);
		t->n++;
		if (tell)
			entry_tell(e);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct run large, other, tiny;
	static struct trace t;

	tell = getenv("FUZZ_TELL");
	trace_read(&t, data, size);
	memset(&large, 0, sizeof(large));
	memset(&other, 0, sizeof(other));
	memset(&tiny, 0, sizeof(tiny));
	other.mirrored = true;
	other.no_gate = true;
	run_all(&large, &t, LARGE_BUCKETS);
	run_all(&other, &t, LARGE_BUCKETS);
	run_all(&tiny, &t, 1);
	check_same(&large, &other);
	check_same(&large, &tiny);
	for (__u32 i = 0; i < t.n; i++)
		free(t.e[i].frame);
	return 0;
}
