// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "counters.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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
		     c->drain.evicted + c->sink_errors;

	for (enum stat s = 0; s < STAT_MAX; s++)
		if (is_loss(s))
			n += c->kernel.n[s];
	return n;
}

static void print_one(const char *name, uint64_t value, const char *text)
{
	fprintf(stderr, "  %-26s %12" PRIu64 "  %s\n", name, value, text);
}

static void print_user(const struct counters *c)
{
	print_one("probes", c->engine.probes, "silent attempts that a rule counted");
	print_one("probes_ripened", c->sweep.ripened, "... of them provisional, by time");
	print_one("probes_outweighed", c->engine.outweighed,
		  "silent, but payload flowed there too");
	print_one("probes_retracted", c->engine.retracted, "taken back: payload came after all");
	print_one("payload_reported", c->sweep.carried,
		  "attempts with payload read from the nursery");
	print_one("undecided", c->sweep.undecided, "attempts not judged yet");
	print_one("nursery_live", c->sweep.live, "attempts in the nursery");
	print_one("nursery_retired", c->sweep.retired, "reported and over, or idle");
	print_one("contacts_drained", c->drain.contacts, "entries taken from `contacts`");
	print_one("contacts_evicted", c->drain.evicted, "lost: pushed out before a drain came by");
	print_one("drain_ticks", c->drain.ticks, "drains, early ones included");
	print_one("drain_errors", c->drain.errors, "batch calls that failed");
	print_one("drain_no_memory", c->drain.no_memory,
		  "lost: evidence not kept for want of memory");
	print_one("groups_live", c->engine.groups, "groups in windows");
	print_one("groups_evicted", c->engine.groups_evicted,
		  "lost: groups beyond --limit groups=");
	print_one("history_full", c->engine.history_full, "contacts with payload forgotten early");
	print_one("engine_bytes", c->engine.bytes, "memory of windows and history");
	print_one("engine_no_memory", c->engine.no_memory,
		  "lost: no memory for a value or an alert");
	print_one("alerts_opened", c->engine.alerts_opened, "alerts raised");
	print_one("alerts_live", c->engine.alerts_open, "... of them open");
	print_one("alerts_closed", c->engine.alerts_closed,
		  "... closed after a window without news");
	print_one("alerts_retracted", c->engine.alerts_retracted, "closed: payload came after all");
	print_one("alerts_forced", c->engine.alerts_forced, "closed early: too many at once");
	print_one("alerts_not_written", c->sink_errors, "lost: standard output took no more");
}

void counters_print(const struct counters *c, uint64_t uptime_ns, bool all)
{
	const unsigned long long *n = c->kernel.n;
	uint64_t lost = counters_lost(c);

	fprintf(stderr,
		"summary: %.1f s, %llu packets, %llu attempts, %llu with payload, %" PRIu64
		" probes, %" PRIu64 " alerts, %" PRIu64 " lost\n",
		(double)uptime_ns / 1e9, n[STAT_INGRESS] + n[STAT_EGRESS], n[STAT_ATTEMPTS],
		n[STAT_PAYLOAD] + n[STAT_TRANSFER], c->engine.probes, c->engine.alerts_opened,
		lost);
	for (enum stat s = 0; s < STAT_MAX; s++)
		if (all || (n[s] && is_loss(s)))
			print_one(kernel_names[s].name, n[s], kernel_names[s].text);
	if (!all && c->drain.evicted)
		print_one("contacts_evicted", c->drain.evicted, "see --limit contacts=");
	if (!all)
		return;
	print_user(c);
	print_one("lost", lost, "the sum of everything marked lost");
}
