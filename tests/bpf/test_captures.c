// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* Does the kernel say of a capture what replay says?
 *
 * Each capture goes through replay_run() as it ships, and, packet by packet, through the BPF
 * programs under test runs, whose maps the daemon's own drain and sweep then empty. The clock is
 * the capture's; the linker's --wrap shows this file replay's ticks, evidence and alerts. Built
 * twice, over the nursery and over the LRU hash (-DSTORE_LRU): as both must agree with replay, they
 * agree with each other. Three runs a capture:
 *
 * default, splunk: drained at replay's ticks. Compared are the alerts, as JSON documents, tick by
 * tick; the evidence of each tick, contact by contact; and the counters.
 *
 * live: drained as the daemon does it, at ticks of its own and when the kernel wakes it. Compared
 * is how each alert ends; when it speaks in between, and which late packet still finds its attempt,
 * is a matter of ticks.
 *
 * What may differ, and why:
 * - The interface, and with it an alert's direction: test runs happen on `lo`, captures have none.
 * - The number of attempts, and the rate: an alert opens with what its window holds, each value
 *   once. A contact with several attempts in that very tick is one piece of evidence from the
 *   kernel and several from replay, which counts those after the opening.
 * - The order of a sweep's responders: of those met at one instant, any may be the first.
 * - The number of pieces: a contact of several attempts within a tick is one entry of the kernel's
 *   map. Here replay's are put together by the same rule (contact_merge()).
 * - Counters of maps and rings that replay does not have, and of the nursery under LRU.
 */
#include <dirent.h>
#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "bpf_store.h"

#include "capture.h"
#include "counters.h"
#include "drain.h"
#include "pieces.h"
#include "replay.h"
#include "sink.h"
#include "sweep.h"
#include "ticks.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Room for whatever a capture leaves undecided, without evictions, which the two stores would do
 * differently. The kernel's LRU hash needs no slack for full buckets, and a smaller one is walked
 * faster. */
#ifdef STORE_LRU
#define BUCKETS 2048
#else
#define BUCKETS 8192
#endif

enum {
	SKB_MAX = 3000,	       /* a test run at tc takes a page, less what the kernel needs of it */
	FRAME_MAX_LEN = 68000, /* an XDP test run's limit is 17 pages */
	ETH_LEN = 14,
	RUNS_MAX = 2048,
	EARLY_GAP_NS = 10000000, /* as in user/watch.c */
	SILENT_TICKS = 100,
	SHOWN_MAX = 5, /* differences of a kind that are printed */
};

/* --- what a run leaves behind ---------------------------------------------------------------- */

/* A piece of evidence: made by one attempt, or, from the kernel's map, by several. */
struct sighting {
	uint32_t tick, order;
	bool swept; /* by the sweep, not judged at a packet */
	struct contact_key key;
	struct contact contact;
};

struct account {
	struct sighting *seen;
	size_t n_seen;
	uint64_t *tick_ns;
	size_t n_ticks;
	char *alerts; /* a JSON document a line, each after the number of its tick */
	size_t alerts_len, n_alerts;
	FILE *out;
	bool is_kernel, sweeping;
	struct stats stats;
	uint64_t *packet_ns; /* the kernel's run: when each packet came */
	size_t n_packets;
};

static struct account *now_recording;

/* Of all captures together. */
static struct {
	size_t packets, by_xdp, not_given, sightings, alerts, wakes;
} total;

static void *room_for(void *p, size_t n, size_t size)
{
	if (n & (n - 1)) /* grows at powers of two */
		return p;
	p = realloc(p, (n ? 2 * n : 1) * size);
	assert_non_null(p);
	return p;
}

static void record_piece(const struct contact_key *key, const struct contact *c, bool swept)
{
	struct account *r = now_recording;

	r->seen = room_for(r->seen, r->n_seen, sizeof(*r->seen));
	r->seen[r->n_seen] = (struct sighting){ .tick = (uint32_t)r->n_ticks,
						.order = (uint32_t)r->n_seen,
						.swept = swept,
						.key = *key,
						.contact = *c };
	r->n_seen++;
}

static int compare_hosts(const void *a, const void *b)
{
	const struct host_value *x = a, *y = b;

	return memcmp(&x->addr, &y->addr, sizeof(x->addr));
}

/* The document as it would be written, without what tells one run from another. */
static void record_alert(const struct alert *a, enum alert_state state)
{
	static struct host_value hosts[ALERT_HOSTS_MAX];
	struct account *r = now_recording;
	struct sink_context sc = { .sequence = 1, .hostname = "", .host_id = "" };
	struct alert copy = *a;

	if (a->n_hosts) {
		memcpy(hosts, a->hosts, a->n_hosts * sizeof(*hosts));
		qsort(hosts, a->n_hosts, sizeof(*hosts), compare_hosts);
		copy.hosts = hosts;
	}
	memset(copy.id, 0, sizeof(copy.id));
	/* Of an incident's id, its number alone: the rest tells two runs apart. */
	memmove(copy.incident, strrchr(a->incident, '-'), strlen(strrchr(a->incident, '-')) + 1);
	memset(copy.ifname, 0, sizeof(copy.ifname));
	copy.ifindex = 0;
	copy.dir = DIR_INGRESS;
	copy.attempts = 0;
	r->n_alerts++;
	fprintf(r->out, "%zu ", r->n_ticks);
	assert_int_equal(sink_json_write(r->out, &copy, state, &sc), 0);
}

static void record_init(struct account *r)
{
	*r = (struct account){ .out = NULL };
	r->out = open_memstream(&r->alerts, &r->alerts_len);
	assert_non_null(r->out);
	now_recording = r;
}

static void record_done(struct account *r)
{
	fclose(r->out);
	free(r->alerts);
	free(r->seen);
	free(r->tick_ns);
	free(r->packet_ns);
}

/* --- between replay, drain and engine (-Wl,--wrap) ------------------------------------------- */

void __real_pieces_add_attempt(struct pieces *p, const struct attempt *a, uint32_t bits);
void __wrap_pieces_add_attempt(struct pieces *p, const struct attempt *a, uint32_t bits);
void __real_pieces_add_contact(struct pieces *p, const struct contact_key *key,
			       const struct contact *c);
void __wrap_pieces_add_contact(struct pieces *p, const struct contact_key *key,
			       const struct contact *c);
void __real_engine_flush(struct engine *e, uint64_t now_ns, bool lost);
void __wrap_engine_flush(struct engine *e, uint64_t now_ns, bool lost);
void __real_sweep_nursery(struct nursery_tags *tags, struct nursery_vals *vals, uint32_t buckets,
			  uint64_t now_ns, const struct ripeness *ripe, struct sweep_stats *stats,
			  const struct sweep_out *out);
void __wrap_sweep_nursery(struct nursery_tags *tags, struct nursery_vals *vals, uint32_t buckets,
			  uint64_t now_ns, const struct ripeness *ripe, struct sweep_stats *stats,
			  const struct sweep_out *out);
uint64_t __real_counters_lost(const struct counters *c);
uint64_t __wrap_counters_lost(const struct counters *c);
void __wrap_output_emit(void *ctx, struct alert *a, enum alert_state state);
struct ticks *__real_ticks_new(bool threaded, tick_fn *fn, void *ctx);
struct ticks *__wrap_ticks_new(bool threaded, tick_fn *fn, void *ctx);

void __wrap_pieces_add_attempt(struct pieces *p, const struct attempt *a, uint32_t bits)
{
	struct contact_key key = contact_key_of(a);
	struct contact c;

	contact_init(&c, &key, a, bits);
	record_piece(&key, &c, now_recording->is_kernel || now_recording->sweeping);
	__real_pieces_add_attempt(p, a, bits);
}

void __wrap_pieces_add_contact(struct pieces *p, const struct contact_key *key,
			       const struct contact *c)
{
	record_piece(key, c, false);
	__real_pieces_add_contact(p, key, c);
}

void __wrap_sweep_nursery(struct nursery_tags *tags, struct nursery_vals *vals, uint32_t buckets,
			  uint64_t now_ns, const struct ripeness *ripe, struct sweep_stats *stats,
			  const struct sweep_out *out)
{
	now_recording->sweeping = true;
	__real_sweep_nursery(tags, vals, buckets, now_ns, ripe, stats, out);
	now_recording->sweeping = false;
}

void __wrap_engine_flush(struct engine *e, uint64_t now_ns, bool lost)
{
	struct account *r = now_recording;

	assert_false(lost);
	__real_engine_flush(e, now_ns, lost);
	r->tick_ns = room_for(r->tick_ns, r->n_ticks, sizeof(*r->tick_ns));
	r->tick_ns[r->n_ticks++] = now_ns;
}

/* Replay looks at its counters at each tick, the last of them after the last packet. */
uint64_t __wrap_counters_lost(const struct counters *c)
{
	now_recording->stats = c->kernel;
	return __real_counters_lost(c);
}

/* One thread: evidence is recorded beside the tick that it belongs to. */
struct ticks *__wrap_ticks_new(bool threaded, tick_fn *fn, void *ctx)
{
	(void)threaded;
	return __real_ticks_new(false, fn, ctx);
}

void __wrap_output_emit(void *ctx, struct alert *a, enum alert_state state)
{
	(void)ctx;
	record_alert(a, state);
}

/* --- the two runs ---------------------------------------------------------------------------- */

struct profile {
	const char *name;
	enum rule_profile profile;
	struct bpf_store store;
};

static struct profile profiles[] = {
	{ .name = "default", .profile = PROFILE_DEFAULT },
	{ .name = "splunk", .profile = PROFILE_SPLUNK },
};

struct run {
	char *file, *name; /* for as long as the program runs */
	struct profile *profile;
	bool is_live; /* ticks and wake-ups as the daemon has them */
};

static void config_of(const struct run *run, const char **file, struct config *cfg)
{
	config_defaults(cfg);
	cfg->profile = run->profile->profile;
	rules_builtin(cfg->profile, &cfg->rules);
	cfg->command = COMMAND_REPLAY;
	cfg->verbosity = -1;
	cfg->file = file;
	cfg->files = 1;
	*file = run->file;
}

/* run_replay - returns replay_run()'s exit code. */
static int run_replay(const struct run *run, struct account *r)
{
	struct config cfg;
	struct error err = { .exit_code = 0 };
	const char *file;

	config_of(run, &file, &cfg);
	record_init(r);
	return replay_run(&cfg, &err);
}

/* A capture's way through the kernel. */
struct kernel {
	struct bpf_store *store;
	struct sweep *sweep;
	struct engine *engine;
	struct drain *drain;
	__u64 before[STAT_MAX]; /* counters, when it began */
	uint64_t not_given;	/* frames that no test run takes */
	/* Live: the daemon's own ticks, and drains that a wake-up brings forward (user/watch.c). */
	struct ring_buffer *ring;
	bool woken;
	uint64_t every_ns, drained_ns, tick_ns, early_ns; /* the last two: when due; 0: not */
};

static void on_alert(void *ctx, struct alert *a, enum alert_state state)
{
	(void)ctx;
	record_alert(a, state);
}

static uint64_t counted(const struct kernel *k, enum stat which)
{
	__u64 n[STAT_MAX];

	bpf_store_stats(k->store, n);
	return n[which] - k->before[which];
}

static void kernel_tick(struct kernel *k, uint64_t now_ns)
{
	drain_tick(k->drain, now_ns, 0, counted(k, STAT_CONTACT_NEW), false);
}

static int on_wake(void *ctx, void *data, size_t len)
{
	(void)data;
	(void)len;
	((struct kernel *)ctx)->woken = true;
	return 0;
}

/* live_until - every drain that is due before t_ns. In a long silence nothing happens after a while
 * but that the clock moves on: the ticks in its middle are left out. */
static void live_until(struct kernel *k, uint64_t t_ns)
{
	if (!k->tick_ns) { /* the daemon drains once before the first packet */
		kernel_tick(k, t_ns);
		k->tick_ns = t_ns + k->every_ns;
	}
	for (int i = 0; i < SILENT_TICKS; i++) {
		bool is_early = k->early_ns && k->early_ns < k->tick_ns;
		uint64_t due_ns = is_early ? k->early_ns : k->tick_ns;

		if (due_ns > t_ns)
			return;
		kernel_tick(k, due_ns);
		k->drained_ns = due_ns;
		if (is_early)
			k->early_ns = 0;
		else
			k->tick_ns += k->every_ns;
	}
	if (k->tick_ns > t_ns)
		return;
	k->drained_ns = t_ns - (t_ns - k->tick_ns) % k->every_ns;
	kernel_tick(k, k->drained_ns);
	k->tick_ns = k->drained_ns + k->every_ns;
}

/* live_woken - after a packet at t_ns: has the kernel asked for a drain? */
static void live_woken(struct kernel *k, uint64_t t_ns)
{
	ring_buffer__consume(k->ring);
	if (!k->woken)
		return;
	k->woken = false;
	total.wakes++;
	if (t_ns >= k->drained_ns + EARLY_GAP_NS) {
		kernel_tick(k, t_ns);
		k->drained_ns = t_ns;
	} else if (!k->early_ns) {
		k->early_ns = k->drained_ns + EARLY_GAP_NS;
	}
}

static int test_run(const struct bpf_program *prog, const void *frame, uint32_t len)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = len);

	return bpf_prog_test_run_opts(bpf_program__fd(prog), &opts);
}

/* kernel_packet - one packet of the capture, at its time. What has no Ethernet header gets one;
 * what the snap length cut off is zero. */
static void kernel_packet(struct kernel *k, const struct capture_packet *p)
{
	static uint8_t frame[FRAME_MAX_LEN];
	const struct reconmon_bpf *skel = k->store->skel;
	uint32_t eth = p->ethertype ? ETH_LEN : 0, len = p->wire_len + eth;

	skel->bss->capture_ns = p->t_ns;
	if (!k->ring) /* live, the sweep sets it at each tick */
		skel->bss->age_clock = (uint32_t)(p->t_ns >> NURSERY_AGE_SHIFT);
	assert_in_range(len, p->have + eth, FRAME_MAX_LEN);
	memset(frame, 0, len);
	if (eth) {
		frame[12] = (uint8_t)(p->ethertype >> 8);
		frame[13] = (uint8_t)p->ethertype;
	}
	memcpy(frame + eth, p->data, p->have);
	if (len <= SKB_MAX &&
	    !test_run(p->outgoing ? skel->progs.tc_egress : skel->progs.tc_ingress, frame, len))
		return;
	total.by_xdp++;
	if (test_run(skel->progs.xdp_ingress, frame, len))
		k->not_given++;
}

static void kernel_open(const struct run *run, struct config *cfg, struct kernel *k)
{
	static struct bpf_side side;
	struct error err;

	*k = (struct kernel){ .store = &run->profile->store };
	side = (struct bpf_side){ .skel = k->store->skel };
	cfg->nursery_slots = BUCKETS * NURSERY_WAYS;
	bpf_store_stats(k->store, k->before);
	assert_int_equal(sweep_open(&side, cfg, &k->sweep, &err), 0);
	k->engine = engine_new(cfg, on_alert, NULL);
	assert_non_null(k->engine);
	assert_int_equal(drain_open(&side, k->sweep, k->engine, &k->drain, &err), 0);
	k->every_ns = cfg->tick_ns;
	if (!run->is_live)
		return;
	k->ring = ring_buffer__new(bpf_map__fd(k->store->skel->maps.wakeups), on_wake, k, NULL);
	assert_non_null(k->ring);
	ring_buffer__consume(k->ring);
	k->woken = false;
}

static void clear_map(const struct bpf_map *map)
{
	struct contact_key key;

	while (!bpf_map_get_next_key(bpf_map__fd(map), NULL, &key))
		bpf_map_delete_elem(bpf_map__fd(map), &key);
}

static void kernel_close(struct kernel *k, struct account *r)
{
	struct drain_stats s;
	__u64 n[STAT_MAX];

	engine_close(k->engine);
	drain_stats_get(k->drain, &s);
	assert_int_equal(s.evicted + s.no_memory + s.errors, 0);
	bpf_store_stats(k->store, n);
	for (int i = 0; i < STAT_MAX; i++)
		r->stats.n[i] = n[i] - k->before[i];
	ring_buffer__free(k->ring);
	drain_close(k->drain);
	sweep_close(k->sweep);
	engine_free(k->engine);
	bpf_store_clear(k->store, NULL, NULL);
	memset(k->store->skel->bss, 0, sizeof(*k->store->skel->bss)); /* what the programs noted */
	clear_map(k->store->skel->maps.contacts);
	clear_map(k->store->skel->maps.contacts_known);
	clear_map(k->store->skel->maps.sources);
}

static void on_complaint(void *ctx, const char *text)
{
	(void)ctx;
	print_message("%s\n", text);
}

/* run_kernel - the capture's packets through the programs; the ticks are those of replay's run, or,
 * live, the daemon's. The last two come after the last packet (replay_end()). Returns how many
 * frames no test run took. */
static uint64_t run_kernel(const struct run *run, const struct account *replay, struct account *r)
{
	struct config cfg;
	struct capture_packet p;
	struct captures *c;
	struct kernel k;
	struct error err;
	const char *file;
	size_t tick = 0;

	config_of(run, &file, &cfg);
	record_init(r);
	r->is_kernel = true;
	kernel_open(run, &cfg, &k);
	assert_int_equal(captures_open(&file, 1, on_complaint, NULL, &c, &err), 0);
	while (captures_next(c, &p)) {
		if (run->is_live)
			live_until(&k, p.t_ns);
		else if (tick + 2 < replay->n_ticks && replay->tick_ns[tick] <= p.t_ns)
			kernel_tick(&k, replay->tick_ns[tick++]);
		kernel_packet(&k, &p);
		if (run->is_live)
			live_woken(&k, p.t_ns);
		r->packet_ns = room_for(r->packet_ns, r->n_packets, sizeof(*r->packet_ns));
		r->packet_ns[r->n_packets++] = p.t_ns;
	}
	captures_close(c);
	if (run->is_live)
		tick = replay->n_ticks - 2;
	assert_int_equal(tick + 2, replay->n_ticks);
	while (tick < replay->n_ticks)
		kernel_tick(&k, replay->tick_ns[tick++]);
	kernel_close(&k, r);
	return k.not_given;
}

/* --- comparing ------------------------------------------------------------------------------- */

static int compare_sightings(const void *a, const void *b)
{
	const struct sighting *x = a, *y = b;
	int r = memcmp(&x->key, &y->key, sizeof(x->key));

	if (x->tick != y->tick)
		return x->tick < y->tick ? -1 : 1;
	return r ? r : (x->order > y->order) - (x->order < y->order);
}

static void merge_times(__u64 *first, __u64 *last, __u64 more_first, __u64 more_last, bool swept)
{
	if (!*first || (swept && more_first && more_first < *first))
		*first = more_first;
	if (more_last && (!swept || more_last > *last))
		*last = more_last;
}

/* What the map does with two attempts at one contact (bpf/contact.h); what the sweep reports comes
 * in no order, so there the earliest and the latest count. */
static void merge(struct sighting *into, const struct sighting *s)
{
	struct contact *a = &into->contact;
	const struct contact *b = &s->contact;

	a->word |= b->word;
	a->silent += b->silent;
	a->carried += b->carried;
	merge_times(&a->silent_first_ns, &a->silent_last_ns, b->silent_first_ns, b->silent_last_ns,
		    s->swept);
	merge_times(&a->carried_first_ns, &a->carried_last_ns, b->carried_first_ns,
		    b->carried_last_ns, s->swept);
}

/* record_merge - leaves one sighting for each tick and contact, in order. */
static void record_merge(struct account *r)
{
	size_t n = 0;

	if (r->n_seen)
		qsort(r->seen, r->n_seen, sizeof(*r->seen), compare_sightings);
	for (size_t i = 0; i < r->n_seen; i++) {
		struct sighting *last = n ? &r->seen[n - 1] : NULL;

		if (last && last->tick == r->seen[i].tick &&
		    !memcmp(&last->key, &r->seen[i].key, sizeof(last->key)))
			merge(last, &r->seen[i]);
		else
			r->seen[n++] = r->seen[i];
	}
	r->n_seen = n;
}

/* The number of the first packet at that time, from 1; 0: none. */
static size_t packet_at(const struct account *kernel, uint64_t t_ns)
{
	for (size_t i = 0; i < kernel->n_packets; i++)
		if (kernel->packet_ns[i] == t_ns)
			return i + 1;
	return 0;
}

static void print_sighting(const char *who, const struct account *kernel, const struct sighting *s)
{
	const struct contact *c = &s->contact;
	char orig[NET_TEXT_MAX], resp[NET_TEXT_MAX];

	print_message("  %s: tick %u, %s > %s port %u, protocol %u, bits %#x: %u silent, packets "
		      "%zu to %zu; %u with payload, packets %zu to %zu\n",
		      who, s->tick, addr_format(&s->key.orig, orig),
		      addr_format(&s->key.resp, resp), ntohs(s->key.resp_port), s->key.proto,
		      CONTACT_BITS(c->word), c->silent, packet_at(kernel, c->silent_first_ns),
		      packet_at(kernel, c->silent_last_ns), c->carried,
		      packet_at(kernel, c->carried_first_ns),
		      packet_at(kernel, c->carried_last_ns));
}

static bool same_sighting(const struct sighting *a, const struct sighting *b)
{
	const struct contact *x = &a->contact, *y = &b->contact;

	return a->tick == b->tick && !memcmp(&a->key, &b->key, sizeof(a->key)) &&
	       x->word == y->word && x->silent == y->silent && x->carried == y->carried &&
	       x->silent_first_ns == y->silent_first_ns && x->silent_last_ns == y->silent_last_ns &&
	       x->carried_first_ns == y->carried_first_ns &&
	       x->carried_last_ns == y->carried_last_ns && x->dir == y->dir;
}

static int compare_places(const struct sighting *a, const struct sighting *b)
{
	return a->tick != b->tick ? (a->tick < b->tick ? -1 : 1)
				  : memcmp(&a->key, &b->key, sizeof(a->key));
}

/* Says what only one run has seen, or both differently. Returns how many those are. */
static int differ_in_evidence(struct account *replay, struct account *kernel)
{
	size_t i = 0, j = 0;
	int bad = 0;

	record_merge(replay);
	record_merge(kernel);
	while (i < replay->n_seen || j < kernel->n_seen) {
		const struct sighting *a = i < replay->n_seen ? &replay->seen[i] : NULL;
		const struct sighting *b = j < kernel->n_seen ? &kernel->seen[j] : NULL;
		int order = !a ? 1 : !b ? -1 : compare_places(a, b);
		bool same = !order && same_sighting(a, b);

		if (!same && bad++ < SHOWN_MAX) {
			if (order <= 0)
				print_sighting("replay", kernel, a);
			if (order >= 0)
				print_sighting("kernel", kernel, b);
		}
		i += order <= 0;
		j += order >= 0;
	}
	return bad;
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Cuts the documents into lines, in an order that does not depend on who spoke first in a tick; or
 * those that close an alert alone, whenever that was. */
static char **alert_lines(struct account *r, bool closes, size_t *ret_n)
{
	char **line = NULL;

	fflush(r->out);
	*ret_n = 0;
	for (char *p = strtok(r->alerts, "\n"); p; p = strtok(NULL, "\n")) {
		if (closes && !strstr(p, "\"state\":\"close\""))
			continue;
		line = room_for(line, *ret_n, sizeof(*line));
		line[(*ret_n)++] = closes ? strchr(p, ' ') : p;
	}
	if (line)
		qsort(line, *ret_n, sizeof(*line), compare_lines);
	return line;
}

/* The documents are long: shows where they part. */
static void print_difference(const char *a, const char *b)
{
	size_t same = 0, from;

	while (a[same] && a[same] == b[same])
		same++;
	from = same > 60 ? same - 60 : 0;
	printf("  an alert: %.200s\n    replay: ...%.160s\n    kernel: ...%.160s\n", *a ? a : b,
	       *a ? a + from : "none", *b ? b + from : "none");
}

static int differ_in_alerts(struct account *replay, struct account *kernel, bool closes)
{
	size_t n, m;
	char **a = alert_lines(replay, closes, &n), **b = alert_lines(kernel, closes, &m);
	int bad = 0;

	for (size_t i = 0; i < n || i < m; i++) {
		if (i < n && i < m && !strcmp(a[i], b[i]))
			continue;
		if (bad++ < SHOWN_MAX)
			print_difference(i < n ? a[i] : "", i < m ? b[i] : "");
	}
	free(a);
	free(b);
	return bad;
}

static const char *const stat_names[] = {
#define X(id, name, text) [STAT_##id] = name,
	RECONMON_STATS(X)
#undef X
};

/* is_kernels_own - does the counter speak of what replay does not have? */
static bool is_kernels_own(enum stat s)
{
	const char *name = stat_names[s];

#ifdef STORE_LRU
	if (!strncmp(name, "nursery_", 8))
		return true;
#endif
	return !strncmp(name, "contacts_", 9) || !strncmp(name, "sources_", 8) ||
	       !strncmp(name, "wakes", 5) || !strncmp(name, "packets_", 8) || s == STAT_ENDED ||
	       s == STAT_ENDED_FAILED;
}

static int differ_in_counters(const struct account *replay, const struct account *kernel,
			      uint64_t not_given)
{
	int bad = 0;

	for (enum stat s = 0; s < STAT_MAX; s++) {
		unsigned long long want = replay->stats.n[s], got = kernel->stats.n[s];

		if (s == STAT_PARSE_ETH_TRUNCATED) /* what no test run takes is just that */
			got += not_given;
		if (want == got || is_kernels_own(s))
			continue;
		print_message("  %s: replay %llu, kernel %llu\n", stat_names[s], want, got);
		bad++;
	}
	return bad;
}

static void test_capture(void **state)
{
	const struct run *run = *state;
	struct account replay, kernel;
	uint64_t not_given;
	int bad;

	if (run_replay(run, &replay)) { /* of a link type that we do not read, and it has said so */
		assert_int_equal(replay.n_ticks, 0);
		record_done(&replay);
		skip();
	}
	not_given = run_kernel(run, &replay, &kernel);
	bad = differ_in_alerts(&replay, &kernel, run->is_live);
	if (!run->is_live)
		bad += differ_in_evidence(&replay, &kernel) +
		       differ_in_counters(&replay, &kernel, not_given);
	total.packets += kernel.n_packets;
	total.not_given += not_given;
	total.sightings += kernel.n_seen;
	total.alerts += kernel.n_alerts;
	record_done(&replay);
	record_done(&kernel);
	assert_int_equal(bad, 0);
}

/* --- which captures -------------------------------------------------------------------------- */

/* The guard is replay's: its rate, and its ticks (captures.bpf.c). */
static int stores_open(void **state)
{
	struct config cfg;

	(void)state;
	config_defaults(&cfg);
	for (size_t i = 0; i < ARRAY_SIZE(profiles); i++) {
		int r = bpf_store_open_guarded(&profiles[i].store, BUCKETS,
					       profiles[i].profile != PROFILE_SPLUNK,
					       cfg.guard_rate, 1000000000 >> 20);

		if (r < 0)
			return r;
	}
	return 0;
}

static int stores_close(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(profiles); i++)
		bpf_store_close(&profiles[i].store);
	return 0;
}

static struct run runs[RUNS_MAX];
static struct CMUnitTest tests[RUNS_MAX];
static size_t n_runs;

static int is_capture(const struct dirent *d)
{
	return strstr(d->d_name, ".pcap") && !strstr(d->d_name, ".tsv");
}

static char *text_of(const char *format, const char *a, const char *b)
{
	char *text;

	if (asprintf(&text, format, a, b) < 0)
		abort();
	return text;
}

static void add_run(const char *file, struct profile *profile, bool is_live)
{
	struct run *run = &runs[n_runs];

	if (n_runs + 1 == RUNS_MAX)
		abort();
	run->file = text_of("%s%s", file, "");
	run->name = text_of(is_live ? "%s (%s, live)" : "%s (%s)", file, profile->name);
	run->profile = profile;
	run->is_live = is_live;
	tests[n_runs++] = (struct CMUnitTest){ .name = run->name,
					       .test_func = test_capture,
					       .initial_state = run };
}

/* add_folder - every capture of a folder, in every way. Returns how many captures it has. */
static int add_folder(const char *folder)
{
	struct dirent **d;
	int n = scandir(folder, &d, is_capture, alphasort);

	for (int i = 0; i < n; i++) {
		char *file = text_of("%s/%s", folder, d[i]->d_name);

		for (size_t j = 0; j < ARRAY_SIZE(profiles); j++)
			add_run(file, &profiles[j], false);
		add_run(file, &profiles[0], true);
		free(file);
		free(d[i]);
	}
	if (n >= 0)
		free(d);
	return n;
}

static void add_folders(void)
{
	const char *shared = getenv("RECONMON_SHARED"), *folder[] = { "scans", "benign" };
	char path[192];

	if (add_folder("tests/data") <= 0 || add_folder("tests/data/zeek") <= 0)
		fail_msg("no captures at tests/data: run from the repository's root");
	for (size_t i = 0; i < ARRAY_SIZE(folder); i++) {
		snprintf(path, sizeof(path), "%s/conformance/%s", shared ? shared : "../shared",
			 folder[i]);
		if (add_folder(path) <= 0)
			print_message("skipped: no captures at %s (set RECONMON_SHARED)\n", path);
	}
}

/* test_total - the last: that all this was about something. */
static void test_total(void **state)
{
	(void)state;
	printf("%zu packets (%zu through XDP, %zu shorter than an Ethernet header), %zu pieces of "
	       "evidence, %zu alert documents, %zu wake-ups\n",
	       total.packets, total.by_xdp, total.not_given, total.sightings, total.alerts,
	       total.wakes);
	assert_true(total.packets > 10000 && total.sightings > 1000 && total.alerts > 100 &&
		    total.wakes > 10);
}

int main(int argc, char **argv)
{
	if (argc > 1) /* a glob over the names of the tests */
		cmocka_set_test_filter(argv[1]);
	if (bpf_store_skip())
		return 77;
	log_set_level(LOG_QUIET);
	add_folders();
	tests[n_runs++] = (struct CMUnitTest)cmocka_unit_test(test_total);
	return _cmocka_run_group_tests("captures", tests, n_runs, stores_open, stores_close);
}
