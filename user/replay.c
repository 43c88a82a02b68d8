// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "replay.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "attempt_log.h"
#include "capture.h"
#include "counters.h"
#include "floods.h"
#include "host_store.h"
#include "output.h"
#include "replay_show.h"
#include "sweep.h"
#include "ticks.h"
#include "zeeklog.h"

enum {
	PROGRESS_PACKETS = 65536, /* between two looks at the clock for the progress bar */

	/* Packets parsed ahead of the one that is followed: enough for their nursery buckets to
	 * arrive from memory, few enough to stay in the first-level cache (96 bytes each). */
	AHEAD = 32,

	PAUSE_TICKS = 1000, /* at most, of a silence, where somebody looks on */
};

/* A packet that waits to be followed, and when and which way it went. */
struct waiting {
	struct parsed parsed;
	uint64_t t_ns;
	uint8_t dir;
};

struct replay {
	const struct config *cfg;
	const char *const *file; /* what to read */
	size_t files;
	const struct replay_tap *tap; /* NULL: the outputs are told */
	struct store store;
	struct ticks *ticks; /* to judge() */
	struct engine *engine;
	struct floods *floods;
	struct output *out;
	struct attempt_log *attempts; /* NULL: none is kept */
	struct replay_show *show;     /* NULL: nobody looks on */
	struct sweep_stats swept;
	struct waiting waiting[AHEAD]; /* in order of time, none beyond the next tick */
	unsigned int n_waiting;
	uint64_t now_ns, tick_ns;  /* the files' clock; when the next tick is due */
	uint64_t unfollowed;	   /* attempts that the guard left out, as of the last tick */
	uint64_t lost;		   /* evidence, likewise: judge() knows */
	uint64_t no_memory;	   /* of that, what could not be kept: judge() counts */
	struct captures *captures; /* while captures are read */
	struct timespec started;
	uint64_t packets;	/* so far, where progress is shown */
	uint64_t read, skipped; /* packets or rows; which of them could not be used */
	bool progress;
};

static void on_judged(void *ctx, const struct attempt *a, __u32 bits)
{
	struct replay *r = ctx;

	pieces_add_attempt(&ticks_next(r->ticks)->pieces, a, bits);
}

static void on_ripe(void *ctx, const struct attempt *a, uint32_t bits)
{
	struct replay *r = ctx;

	pieces_add_attempt(&ticks_next(r->ticks)->pieces, a, bits);
}

static void on_ended(void *ctx, const struct ended *e)
{
	struct replay *r = ctx;

	attempt_log_add(r->attempts, e, 0, NULL);
}

static void on_flood(void *ctx, const struct flood_event *e)
{
	const struct replay *r = ctx;
	char text[FLOOD_TEXT_MAX];

	log_notice("%s", flood_text(e, r->cfg->guard_rate, text));
}

/* look_at_floods - returns how many attempts were left out since the last look. */
static uint64_t look_at_floods(struct replay *r, uint64_t now_ns)
{
	uint64_t unfollowed = r->store.stats.n[STAT_GUARD], more = unfollowed - r->unfollowed;

	floods_tick(r->floods, r->store.guard, &r->store.stats, now_ns);
	r->unfollowed = unfollowed;
	return more;
}

static void on_complaint(void *ctx, const char *text)
{
	const struct replay *r = ctx;

	log_problem("%s", text);
	if (r->tap)
		r->tap->complained(r->tap->ctx, text);
}

/* read_counters - after ticks_wait(), or where nobody judges but the caller. */
static void read_counters(void *ctx, struct counters *c)
{
	const struct replay *r = ctx;

	memset(c, 0, sizeof(*c));
	c->kernel = r->store.stats;
	engine_stats_get(r->engine, &c->engine);
	c->drain.no_memory = r->no_memory;
	c->sweep = r->swept;
	c->allow = r->cfg->allow;
	c->habits = engine_habits(r->engine);
	c->floods = r->floods;
}

/* judge - a tick's evidence by windows and rules. In a thread of its own: of *r it touches the
 * engine, the outputs and what only it writes. */
static void judge(void *ctx, struct tick *t)
{
	struct replay *r = ctx;
	struct counters c = { .kernel = t->stats };
	uint64_t lost;

	engine_unfollowed(r->engine, t->unfollowed);
	pieces_feed(&t->pieces, r->engine);
	r->no_memory += t->pieces.no_memory;
	t->pieces.no_memory = 0;
	engine_stats_get(r->engine, &c.engine);
	c.drain.no_memory = r->no_memory;
	lost = counters_lost(&c);
	if (r->out)
		output_clock(r->out, t->now_ns);
	engine_flush(r->engine, t->now_ns, lost > r->lost);
	r->lost = lost;
}

/* What drain_tick() does live, at a moment of the files' clock. */
static void replay_tick(struct replay *r, uint64_t now_ns)
{
	const struct ripeness ripe = { r->cfg->settle_ns, r->cfg->settle_open_ns };
	const struct sweep_out out = { on_ripe, NULL, r->attempts ? on_ended : NULL, r };
	struct tick *tick = ticks_next(r->ticks);

	sweep_nursery(r->store.tags, r->store.vals, (uint32_t)r->store.bucket_mask + 1, now_ns,
		      &ripe, &r->swept, &out);
	tick->now_ns = now_ns;
	tick->unfollowed = look_at_floods(r, now_ns);
	tick->stats = r->store.stats;
	counters_expired(r->cfg->allow, (int64_t)now_ns);
	ticks_hand_over(r->ticks);
	attempt_log_flush(r->attempts);
	if (r->show)
		replay_show_tick(r->show, now_ns);
	r->tick_ns = now_ns + r->cfg->tick_ns;
}

/* wait_for - until that moment has come for whoever looks on, evidence ripens as it does live, tick
 * by tick; in long silences by longer ones. */
static void wait_for(struct replay *r, uint64_t t_ns)
{
	uint64_t step = t_ns > r->tick_ns ? (t_ns - r->tick_ns) / PAUSE_TICKS : 0;

	while (r->tick_ns < t_ns) {
		replay_show_until(r->show, r->tick_ns);
		replay_tick(r, r->tick_ns);
		r->tick_ns += step;
	}
	replay_show_until(r->show, t_ns);
}

/* Moves the clock to the time of the next packet or row. */
static void advance(struct replay *r, uint64_t t_ns)
{
	if (!r->tick_ns)
		r->tick_ns = t_ns + r->cfg->tick_ns;
	if (r->show)
		wait_for(r, t_ns);
	r->now_ns = t_ns;
	if (t_ns >= r->tick_ns)
		replay_tick(r, t_ns);
}

static double seconds_since(const struct timespec *t)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - t->tv_sec) + (double)(now.tv_nsec - t->tv_nsec) / 1e9;
}

/* One line on a terminal, rewritten in place: share done, speed, time left. */
static void show_progress(const struct replay *r)
{
	double took = seconds_since(&r->started), share;
	struct capture_stats s;

	if (took < 0.5)
		return;
	captures_stats_get(r->captures, &s);
	share = s.bytes_total ? (double)s.bytes_read / (double)s.bytes_total : 0;
	fprintf(stderr, "\r%3.0f %%  %.2f M packets/s", share * 100,
		(double)s.packets / took / 1e6);
	if (share > 0.01)
		fprintf(stderr, "  %.0f s left ", took / share - took);
	else
		fprintf(stderr, "  %" PRIu64 " packets ", s.packets);
}

/* follow_waiting - everything that has been parsed, in its order. */
static void follow_waiting(struct replay *r)
{
	for (unsigned int i = 0; i < r->n_waiting; i++)
		host_store_expect(&r->store, &r->waiting[i].parsed);
	for (unsigned int i = 0; i < r->n_waiting; i++) {
		const struct waiting *w = &r->waiting[i];

		r->store.now_ns = w->t_ns;
		r->store.dir = w->dir;
		host_store_track(&r->store, &w->parsed);
	}
	r->n_waiting = 0;
}

static void on_packet(void *ctx, const struct capture_packet *p)
{
	const int v4 = ETH_TYPE_IPV4, v6 = ETH_TYPE_IPV6;
	struct replay *r = ctx;
	struct waiting *w;

	if (r->n_waiting == AHEAD || p->t_ns >= r->tick_ns || r->show)
		follow_waiting(r);
	advance(r, p->t_ns);
	if (r->progress && ++r->packets % PROGRESS_PACKETS == 0)
		show_progress(r);
	r->store.dir = p->outgoing ? DIR_EGRESS : DIR_INGRESS;
	if (p->ethertype && p->ethertype != v4 && p->ethertype != v6) {
		store_count(&r->store, STAT_INGRESS);
		store_count(&r->store, STAT_PARSE_NOT_IP);
		return;
	}
	w = &r->waiting[r->n_waiting];
	if (host_store_parse(&r->store, p->data, p->have, p->wire_len, !p->ethertype, &w->parsed))
		return;
	w->t_ns = p->t_ns;
	w->dir = r->store.dir;
	r->n_waiting++;
}

static int replay_captures(struct replay *r, const char *const *file, size_t n, struct error *err)
{
	struct capture_stats s;
	int ret = captures_open(file, n, on_complaint, r, &r->captures, err);

	if (ret < 0)
		return ret;
	captures_each(r->captures, on_packet, r);
	follow_waiting(r);
	if (r->progress)
		fprintf(stderr, "\r\033[K");
	captures_stats_get(r->captures, &s);
	log_notice("read: %" PRIu64 " packets, %" PRIu64 " cut short by the snap length, %" PRIu64
		   " cut within the link-layer header, %" PRIu64 " of an unread link type, %" PRIu64
		   " with time running backwards, %" PRIu64 " files damaged, %" PRIu64 " refused",
		   s.packets, s.cut, s.link_truncated, s.link_unread, s.backwards, s.files_damaged,
		   s.files_refused);
	r->read += s.packets;
	r->skipped += s.link_truncated + s.link_unread;
	captures_close(r->captures);
	if (!s.packets && s.link_unread)
		return error_set(err, -ENODATA, EXIT_RUNTIME,
				 "none of the packets has a link type that is read");
	return 0;
}

/* Reads the rows of one log into *rows. */
static int read_log(struct replay *r, const char *file, struct pieces *rows, struct error *err)
{
	struct zeeklog_stats s;
	struct contact_key key;
	struct contact c;
	struct zeeklog *z;
	int ret = zeeklog_open(file, r->store.exempt_transfers, on_complaint, r, &z, err);

	if (ret < 0)
		return ret;
	while (zeeklog_next(z, &key, &c))
		pieces_add_contact(rows, &key, &c);
	zeeklog_stats_get(z, &s);
	log_notice("read: %" PRIu64 " rows of '%s'%s", s.rows, file,
		   s.damaged ? ", which is damaged" : "");
	r->read += s.rows;
	for (enum zeeklog_skip i = 0; i < ZEEKLOG_SKIP_MAX; i++) {
		r->skipped += s.skipped[i];
		if (s.skipped[i])
			log_notice("skipped: %" PRIu64 " rows: %s", s.skipped[i],
				   zeeklog_skip_name(i));
	}
	zeeklog_close(z);
	return 0;
}

/* Rows are written when connections end, and hours may lie between beginning and end: all rows are
 * read (about 100 bytes each) and put in order before the first counts. */
static int replay_logs(struct replay *r, struct error *err)
{
	struct pieces rows = { 0 };
	int ret = 0;

	for (size_t i = 0; !ret && i < r->files; i++)
		ret = read_log(r, r->file[i], &rows, err);
	pieces_sort(&rows);
	for (size_t i = 0; !ret && i < rows.n; i++) {
		const struct piece *row = pieces_at(&rows, i);

		advance(r, piece_time(row));
		pieces_add_contact(&ticks_next(r->ticks)->pieces, &row->key, &row->contact);
	}
	ticks_next(r->ticks)->pieces.no_memory += rows.no_memory;
	pieces_done(&rows);
	return ret;
}

/* Logs are told from captures by how they begin. Standard input is taken for a capture. */
static bool is_log(const char *file)
{
	char head[512];
	size_t n;
	FILE *f;

	if (!strcmp(file, "-"))
		return false;
	f = fopen(file, "re");
	if (!f)
		return false;
	n = fread(head, 1, sizeof(head), f);
	fclose(f);
	return n > 0 && zeeklog_is(head, n);
}

static int replay_files(struct replay *r, struct error *err)
{
	size_t logs = 0;

	for (size_t i = 0; i < r->files; i++)
		logs += is_log(r->file[i]);
	if (!logs)
		return replay_captures(r, r->file, r->files, err);
	if (logs < r->files)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "captures and Zeek logs together: a connection would count twice; "
				 "replay one kind at a time");
	if (r->attempts)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "--attempts makes a conn.log of captures; '%.200s' is one already",
				 r->file[0]);
	return replay_logs(r, err);
}

/* After the last packet nothing more comes: what was silent so far has been so for good. */
static void replay_end(struct replay *r)
{
	const struct sweep_out out = { on_ripe, NULL, r->attempts ? on_ended : NULL, r };
	struct counters c;

	replay_tick(r, r->now_ns);
	if (r->show)
		wait_for(r, r->now_ns + r->cfg->settle_ns + r->cfg->settle_open_ns);
	replay_tick(r, r->now_ns + r->cfg->settle_ns + r->cfg->settle_open_ns);
	if (r->show)
		replay_show_stay(r->show);
	ticks_wait(r->ticks);
	sweep_nursery_last(r->store.tags, r->store.vals, (uint32_t)r->store.bucket_mask + 1, &out);
	floods_end(r->floods);
	engine_close(r->engine);
	if (r->tap) {
		read_counters(r, &c);
		r->tap->ended(r->tap->ctx, &c, r->read, r->skipped);
		return;
	}
	output_end(r->out);
	attempt_log_end(r->attempts, r->now_ns);
	read_counters(r, &c);
	counters_outputs(&c, r->out);
	attempt_log_stats_get(r->attempts, &c.attempts);
	if (r->cfg->verbosity >= 0)
		counters_print(&c, (uint64_t)(seconds_since(&r->started) * 1e9),
			       r->cfg->verbosity > 0);
}

/* begin - engine and state machine; whoever is told of alerts is there. */
static int begin(struct replay *r, alertbook_emit_fn *emit, void *ctx, struct error *err)
{
	const struct config *cfg = r->cfg;

	clock_gettime(CLOCK_MONOTONIC, &r->started);
	r->progress = isatty(STDERR_FILENO) && cfg->verbosity >= 0;
	r->engine = engine_new(cfg, emit, ctx);
	r->floods = floods_new(on_flood, r);
	/* Whoever looks on wants to see the tick that they have seen the packets of. */
	r->ticks = ticks_new(!r->tap && !cfg->top_speed, judge, r);
	if (!r->engine || !r->floods || !r->ticks ||
	    host_store_init(&r->store, cfg->nursery_slots / NURSERY_WAYS, on_judged, r) < 0 ||
	    host_store_guard(&r->store, cfg->guard_rate) < 0)
		return error_set(err, -ENOMEM, EXIT_RUNTIME, "no memory for windows and rules");
	r->store.exempt_transfers = cfg->profile != PROFILE_SPLUNK;
	r->store.ended = r->attempts ? on_ended : NULL;
	if (r->tap) { /* there is one tick then, filled again and again */
		ticks_next(r->ticks)->pieces.told = r->tap->told;
		ticks_next(r->ticks)->pieces.ctx = r->tap->ctx;
	}
	return 0;
}

static void done(struct replay *r)
{
	ticks_free(r->ticks);
	r->ticks = NULL;
	host_store_done(&r->store);
	floods_free(r->floods);
	engine_free(r->engine);
}

/* on_shown - an alert of a replay that somebody looks at. */
static void on_shown(void *ctx, struct alert *a, enum alert_state state)
{
	struct replay *r = ctx;

	replay_show_alert(r->show, a, state);
	output_emit(r->out, a, state);
}

int replay_each(const struct config *cfg, const char *const *file, size_t n,
		const struct replay_tap *tap, struct error *err)
{
	struct replay r = { .cfg = cfg, .file = file, .files = n, .tap = tap };
	int code = EXIT_FINE;

	if (begin(&r, tap->emit, tap->ctx, err) < 0 || replay_files(&r, err) < 0)
		code = err->exit_code;
	else
		replay_end(&r);
	done(&r);
	return code;
}

static int begin_run(struct replay *r, struct error *err)
{
	const struct config *cfg = r->cfg;
	bool shown = cfg->top_speed > 0;
	int ret = shown ? begin(r, on_shown, r, err) : begin(r, output_emit, r->out, err);

	if (!ret && shown)
		ret = replay_show_open(cfg, r->engine, r->out, read_counters, r, &r->show, err);
	return ret;
}

int replay_run(const struct config *cfg, struct error *err)
{
	struct replay r = { .cfg = cfg, .file = cfg->file, .files = cfg->files };
	int code = EXIT_FINE;

	if (output_open(cfg, &r.out, err) < 0)
		return err->exit_code;
	if (attempt_log_open(cfg, &r.attempts, err) < 0) {
		output_free(r.out);
		return err->exit_code;
	}
	if (begin_run(&r, err) < 0 || replay_files(&r, err) < 0)
		code = err->exit_code;
	else
		replay_end(&r);
	if (code == EXIT_FINE)
		code = output_verdict(r.out, err);
	if (code == EXIT_FINE)
		code = attempt_log_verdict(r.attempts, err);
	if (code == EXIT_FINE && cfg->fail_on_alert) {
		struct engine_stats s;

		engine_stats_get(r.engine, &s);
		code = s.alerts_opened ? EXIT_FOUND : EXIT_FINE;
	}
	done(&r);
	replay_show_close(r.show);
	attempt_log_free(r.attempts);
	output_free(r.out);
	return code;
}
