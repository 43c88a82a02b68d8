// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "counters.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"
#include "output_config.h"

static const struct {
	const char *name, *text;
} kernel_names[STAT_MAX] = {
#define X(id, name, text) [STAT_##id] = { name, text },
	RECONMON_STATS(X)
#undef X
};

static bool is_loss(enum stat s)
{
	return !strncmp(kernel_names[s].text, "lost: ", 6);
}

uint64_t counters_lost(const struct counters *c)
{
	uint64_t n = c->engine.groups_evicted + c->engine.no_memory + c->drain.no_memory +
		     c->drain.evicted;

	for (enum stat s = 0; s < STAT_MAX; s++)
		if (is_loss(s))
			n += c->kernel.n[s];
	return n;
}

static void each_user(const struct counters *c, counters_fn *fn, void *ctx)
{
	fn(ctx, COUNTER_SUM, "probes", c->engine.probes, "silent attempts that a rule counted");
	fn(ctx, COUNTER_SUM, "probes_ripened", c->sweep.ripened,
	   "... of them provisional, by time");
	fn(ctx, COUNTER_SUM, "probes_allowed", c->engine.allowed,
	   "silent attempts that the allow-list lets be");
	fn(ctx, COUNTER_SUM, "probes_outweighed", c->engine.outweighed,
	   "silent, but payload flowed there too");
	fn(ctx, COUNTER_SUM, "probes_excused", c->engine.excused,
	   "silent, but a habit to a rule, or traceroute");
	fn(ctx, COUNTER_SUM, "probes_retracted", c->engine.retracted,
	   "taken back: payload came after all");
	fn(ctx, COUNTER_SUM, "payload_reported", c->sweep.carried,
	   "attempts with payload read from the nursery");
	fn(ctx, COUNTER_NOW, "undecided", c->sweep.undecided, "attempts not judged yet");
	fn(ctx, COUNTER_NOW, "nursery_live", c->sweep.live, "attempts in the nursery");
	fn(ctx, COUNTER_SUM, "nursery_retired", c->sweep.retired, "reported and over, or idle");
	fn(ctx, COUNTER_SUM, "nursery_unread", c->sweep.unread,
	   "parts of it that the kernel did not map: read a sweep later");
	fn(ctx, COUNTER_SUM, "contacts_drained", c->drain.contacts,
	   "entries taken from `contacts`");
	fn(ctx, COUNTER_SUM, "contacts_evicted", c->drain.evicted,
	   "lost: pushed out before a drain came by");
	fn(ctx, COUNTER_SUM, "drain_ticks", c->drain.ticks, "drains, early ones included");
	fn(ctx, COUNTER_SUM, "drain_errors", c->drain.errors, "batch calls that failed");
	fn(ctx, COUNTER_SUM, "drain_no_memory", c->drain.no_memory,
	   "lost: evidence not kept for want of memory");
	fn(ctx, COUNTER_NOW, "groups_live", c->engine.groups, "groups in windows");
	fn(ctx, COUNTER_SUM, "groups_evicted", c->engine.groups_evicted,
	   "lost: groups beyond --limit groups=");
	fn(ctx, COUNTER_SUM, "history_full", c->engine.history_full,
	   "contacts with payload forgotten early");
	fn(ctx, COUNTER_SUM, "groups_crowded", c->engine.crowded,
	   "times that many originators could not be told apart: too many");
	fn(ctx, COUNTER_NOW, "habits_live", c->engine.habits.live,
	   "silent contacts that recur steadily");
	fn(ctx, COUNTER_SUM, "habits_learnt", c->engine.habits.learnt, "... that became habits");
	fn(ctx, COUNTER_NOW, "habits_candidates", c->engine.habits.candidates,
	   "contacts that may become one");
	fn(ctx, COUNTER_SUM, "habits_evicted", c->engine.habits.evicted,
	   "habits forgotten for want of room (--limit habits=)");
	fn(ctx, COUNTER_SUM, "habits_overlooked", c->engine.habits.overlooked,
	   "candidates likewise");
	fn(ctx, COUNTER_NOW, "incidents_live", c->engine.incidents.live,
	   "originators whose alerts belong together");
	fn(ctx, COUNTER_SUM, "incidents_evicted", c->engine.incidents.evicted,
	   "incidents ended early: too many at once");
	fn(ctx, COUNTER_NOW, "engine_bytes", c->engine.bytes, "memory of windows and history");
	fn(ctx, COUNTER_SUM, "engine_no_memory", c->engine.no_memory,
	   "lost: no memory for a value or an alert");
	fn(ctx, COUNTER_SUM, "owners_resolved", c->owners.resolved, "owners looked up in /proc");
	fn(ctx, COUNTER_SUM, "owners_gone", c->owners.gone, "... processes that had ended by then");
	fn(ctx, COUNTER_SUM, "owners_evicted", c->owners.evicted,
	   "owners forgotten for want of room");
	fn(ctx, COUNTER_SUM, "pods_named", c->owners.kube.found,
	   "names of pods and containers read");
	fn(ctx, COUNTER_SUM, "pods_unnamed", c->owners.kube.missing,
	   "... looked for, and not there yet, or any more");
	fn(ctx, COUNTER_NOW, "kept_bytes", c->keep.bytes, "pinned, to outlive the daemon");
	fn(ctx, COUNTER_SUM, "kept_pieces", c->keep.pieces, "evidence written there");
	fn(ctx, COUNTER_SUM, "kept_not", c->keep.unkept,
	   "... that found no memory: a kill -9 would lose it");
	fn(ctx, COUNTER_SUM, "kept_snapshots", c->keep.snapshots,
	   "windows and alerts written there as a whole");
	fn(ctx, COUNTER_NOW, "guarded_targets", floods_count(c->floods),
	   "services under the flood guard");
	fn(ctx, COUNTER_NOW, "control_clients", c->control.clients,
	   "clients of the control socket");
	fn(ctx, COUNTER_SUM, "control_requests", c->control.requests, "requests answered there");
	fn(ctx, COUNTER_SUM, "control_invalid", c->control.invalid, "... that made no sense");
	fn(ctx, COUNTER_SUM, "control_refused", c->control.refused,
	   "clients turned away: too many at once");
	fn(ctx, COUNTER_SUM, "control_unaccepted", c->control.unaccepted,
	   "times that one could not be let in: no descriptor or memory left");
	fn(ctx, COUNTER_SUM, "control_dropped", c->control.dropped,
	   "clients let go: they did not read their answer");
	fn(ctx, COUNTER_SUM, "control_skipped", c->control.skipped,
	   "answers left out: the reader was too slow for its own interval");
	fn(ctx, COUNTER_SUM, "alerts_opened", c->engine.alerts_opened, "alerts raised");
	fn(ctx, COUNTER_NOW, "alerts_live", c->engine.alerts_open, "... of them open");
	fn(ctx, COUNTER_SUM, "alerts_closed", c->engine.alerts_closed,
	   "... closed after a window without news");
	fn(ctx, COUNTER_SUM, "alerts_retracted", c->engine.alerts_retracted,
	   "closed: payload came after all");
	fn(ctx, COUNTER_SUM, "alerts_forced", c->engine.alerts_forced,
	   "closed early: too many at once");
}

void counters_each(const struct counters *c, counters_fn *fn, void *ctx)
{
	for (enum stat s = 0; s < STAT_MAX; s++)
		fn(ctx, COUNTER_SUM, kernel_names[s].name, c->kernel.n[s], kernel_names[s].text);
	each_user(c, fn, ctx);
	fn(ctx, COUNTER_SUM, "alerts_not_written", counters_unwritten(c),
	   "lost: an output did not take them");
}

static void print_one(FILE *out, const char *name, uint64_t value, const char *text)
{
	fprintf(out, "  %-26s %12" PRIu64 "  %s\n", name, value, text);
}

static void print_counter(void *ctx, enum counter_kind kind, const char *name, uint64_t value,
			  const char *text)
{
	(void)kind;
	print_one(ctx, name, value, text);
}

void counters_outputs(struct counters *c, const struct output *out)
{
	c->outputs = output_count(out);
	for (unsigned int i = 0; i < c->outputs; i++)
		output_stats_get(out, i, &c->output[i]);
}

uint64_t counters_unwritten(const struct counters *c)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < c->outputs; i++)
		n += c->output[i].lane.lost;
	return n;
}

/* What each output was given, if that is asked for or if it lost any. */
static void print_outputs(FILE *out, const struct counters *c, bool all)
{
	for (unsigned int i = 0; i < c->outputs; i++) {
		const struct output_stats *s = &c->output[i];

		if (!all && !s->lane.lost && !s->lane.spool.records && !s->lane.spool.damaged)
			continue;
		fprintf(out,
			"  output %s (%s): written %" PRIu64 ", lost %" PRIu64
			", failed attempts %" PRIu64 ", waiting %u%s",
			s->name, output_format_name(s->format), s->lane.written, s->lane.lost,
			s->lane.failures, s->lane.queued, s->lane.dead ? ", given up" : "");
		if (s->spool[0])
			fprintf(out,
				", in spool %" PRIu64 " (%" PRIu64 " bytes, %" PRIu64 " damaged)",
				s->lane.spool.records, s->lane.spool.bytes, s->lane.spool.damaged);
		fputc('\n', out);
	}
}

static void print_attempts(FILE *out, const struct counters *c, bool all)
{
	uint64_t unlogged = c->kernel.n[STAT_ENDED_FAILED];

	if (unlogged && !all)
		print_one(out, kernel_names[STAT_ENDED_FAILED].name, unlogged,
			  kernel_names[STAT_ENDED_FAILED].text);
	if (all ? c->attempts.rows : c->attempts.lost)
		fprintf(out, "  log of attempts: %" PRIu64 " rows, %" PRIu64 " never written\n",
			c->attempts.rows, c->attempts.lost);
}

static void say_expired(void *ctx, const struct allow_entry *entry)
{
	char what[256], day[16];

	(void)ctx;
	log_problem("allow-list, %s: '%s' ended with %s and lets nothing be any more: %s",
		    entry->from, entry->comment, allow_date(entry, day),
		    allow_text(entry, what, sizeof(what)));
}

void counters_expired(struct allow *allow, int64_t wall_ns)
{
	allow_expired(allow, wall_ns / 1000000000, say_expired, NULL);
}

/* What was let be, entry by entry; those that matched nothing only if that is asked for. */
static void print_allowed(FILE *out, const struct counters *c, bool all)
{
	char what[256];

	for (uint32_t i = 0; i < allow_count(c->allow); i++) {
		const struct allow_entry *e = allow_entry(c->allow, i);

		if (all || e->contacts)
			fprintf(out,
				"  allowed (%s): %" PRIu64 " attempts, %" PRIu64
				" of them silent: %s: %s\n",
				e->from, e->attempts, e->silent, allow_text(e, what, sizeof(what)),
				e->comment);
	}
}

enum {
	HABITS_SHOWN = 100
};

struct habit_lines {
	FILE *out;
	uint64_t skip; /* the first so many are left out */
};

/* printable - a program's name may hold any byte; not the reader's terminal. */
static const char *printable(const char *name, char *buf)
{
	char *end = buf;

	for (; *name; name++)
		*end++ = *name >= ' ' && *name < 0x7f ? *name : '?';
	*end = '\0';
	return buf;
}

static void print_habit(void *ctx, const struct habit_id *id, const struct habit *b)
{
	struct habit_lines *l = ctx;
	char orig[NET_TEXT_MAX], resp[NET_TEXT_MAX], program[OWNER_COMM_LEN + 1];

	if (l->skip) {
		l->skip--;
		return;
	}
	fprintf(l->out, "  habit: ");
	if (id->kind == HABIT_PROGRAM)
		fprintf(l->out, "program %s of uid %u", printable(id->program, program), id->uid);
	else
		fprintf(l->out, "%s", addr_format(&id->orig, orig));
	fprintf(l->out,
		" -> %s %s port %u: seen %u times, pauses up to %lld s, %u probes excused\n",
		id->kind == HABIT_CONTACT ? addr_format(&id->resp, resp) : "any host",
		proto_name(id->proto), id->port, b->seen,
		(long long)((b->pause_ns + 999999999) / 1000000000), b->excused);
}

/* Habits in a word, or the newest of them one by one. */
static void print_habits(FILE *out, const struct counters *c, bool all)
{
	const struct habits_stats *s = &c->engine.habits;
	struct habit_lines lines = { out, s->live > HABITS_SHOWN ? s->live - HABITS_SHOWN : 0 };

	if (s->live && !all)
		fprintf(out,
			"  habits: %" PRIu64 " (%" PRIu64 " learnt), %" PRIu64 " probes excused\n",
			s->live, s->learnt, c->engine.excused);
	if (!c->habits || !all)
		return;
	if (lines.skip)
		fprintf(out, "  habit: %" PRIu64 " more, not seen for longest\n", lines.skip);
	habits_each(c->habits, print_habit, &lines);
}

static void print_all(FILE *out, const struct counters *c, uint64_t uptime_ns, bool all)
{
	const unsigned long long *n = c->kernel.n;
	uint64_t unwritten = counters_unwritten(c), lost = counters_lost(c) + unwritten;

	fprintf(out,
		"summary: %.1f s, %llu packets, %llu attempts, %llu with payload, %" PRIu64
		" probes, %" PRIu64 " alerts, %" PRIu64 " lost\n",
		(double)uptime_ns / 1e9, n[STAT_INGRESS] + n[STAT_EGRESS], n[STAT_ATTEMPTS],
		n[STAT_PAYLOAD] + n[STAT_TRANSFER], c->engine.probes, c->engine.alerts_opened,
		lost);
	for (enum stat s = 0; s < STAT_MAX && !all; s++)
		if (n[s] && is_loss(s))
			print_one(out, kernel_names[s].name, n[s], kernel_names[s].text);
	if (!all && n[STAT_GUARD])
		print_one(out, kernel_names[STAT_GUARD].name, n[STAT_GUARD],
			  kernel_names[STAT_GUARD].text);
	if (!all && c->drain.evicted)
		print_one(out, "contacts_evicted", c->drain.evicted, "see --limit contacts=");
	if (all)
		counters_each(c, print_counter, out);
	if (!all && unwritten)
		print_one(out, "alerts_not_written", unwritten,
			  "lost: an output did not take them");
	print_outputs(out, c, all);
	print_attempts(out, c, all);
	print_allowed(out, c, all);
	print_habits(out, c, all);
	if (!all)
		return;
	print_one(out, "lost", lost, "the sum of everything marked lost");
}

void counters_print(const struct counters *c, uint64_t uptime_ns, bool all)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return;
	print_all(out, c, uptime_ns, all);
	if (!fclose(out))
		log_text(text, len);
	free(text);
}
