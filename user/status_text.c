// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* How does a person read the daemon's status? From the JSON that the daemon sent, member by member;
 * a member that a daemon of another version does not send is left out. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "status.h"

/* put - prints text that may hold whatever bytes an interface or a program is called by: control
 * characters but line ends stay out of the reader's terminal. */
__attribute__((format(printf, 2, 3))) static void put(FILE *out, const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (unsigned char *p = (unsigned char *)text; *p; p++)
		if ((*p < ' ' && *p != '\n') || *p == 0x7f)
			*p = '?';
	fputs(text, out);
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

static int64_t int_of(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static double real_of(const json_t *o, const char *key)
{
	return json_number_value(json_object_get(o, key));
}

static bool bool_of(const json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}

static const char *plural(int64_t n)
{
	return n == 1 ? "" : "s";
}

static void put_uptime(FILE *out, double seconds)
{
	uint64_t s = (uint64_t)seconds;

	if (s < 60)
		put(out, "%.1f s", seconds);
	else if (s < 3600)
		put(out, "%" PRIu64 " min %" PRIu64 " s", s / 60, s % 60);
	else if (s < 86400)
		put(out, "%" PRIu64 " h %" PRIu64 " min", s / 3600, s / 60 % 60);
	else
		put(out, "%" PRIu64 " d %" PRIu64 " h", s / 86400, s / 3600 % 24);
}

static void put_head(FILE *out, const json_t *s)
{
	const json_t *config = json_object_get(s, "config");
	const char *file = text_of(config, "file");

	put(out, "reconmon %s, pid %" PRId64 ", up ", text_of(s, "version"), int_of(s, "pid"));
	put_uptime(out, real_of(s, "uptime_s"));
	put(out, ", %s, %" PRId64 " lost\n", bool_of(s, "ready") ? "ready" : "NOT READY",
	    int_of(s, "lost"));
	put(out, "configuration: %s, read %s%s%s\n", *file ? file : "no file",
	    text_of(config, "read"),
	    bool_of(config, "last_reload_ok") ? "" : "; A LATER ONE WAS NOT TAKEN: ",
	    text_of(config, "problem"));
}

static void put_interfaces(FILE *out, const json_t *s)
{
	const json_t *list = json_object_get(s, "interfaces"), *o;
	int64_t total = int_of(s, "not_watched_total");
	size_t i;

	put(out, "watching %zu interface%s:", json_array_size(list),
	    plural((int64_t)json_array_size(list)));
	json_array_foreach ((json_t *)list, i, o)
		put(out, "%s %s (%s)", i ? "," : "", text_of(o, "name"), text_of(o, "mode"));
	put(out, "\n");
	if (total)
		put(out, "not watched: %" PRId64 "\n", total);
	json_array_foreach (json_object_get(s, "not_watched"), i, o)
		put(out, "  %s: %s\n", text_of(o, "interface"), text_of(o, "why"));
	o = json_object_get(s, "owners");
	if (o && !bool_of(o, "known"))
		put(out, "owners: not known: %s\n", text_of(o, "why_not"));
}

static void put_alert(FILE *out, const json_t *a)
{
	const char *resp = text_of(a, "responder"), *orig = text_of(a, "originator");

	put(out, "  %s %s -> %s %s", text_of(a, "rule"), *orig ? orig : "several hosts",
	    *resp ? resp : "several hosts", text_of(a, "protocol"));
	if (json_object_get(a, "port"))
		put(out, " port %" PRId64, int_of(a, "port"));
	put(out, ": %" PRId64 " in %" PRId64 " attempts, severity %" PRId64 ", last %s (id %s)\n",
	    int_of(a, "count"), int_of(a, "attempts"), int_of(a, "severity"), text_of(a, "last"),
	    text_of(a, "id"));
}

static void put_alerts(FILE *out, const json_t *s)
{
	int64_t total = int_of(s, "alerts_total"), incidents = int_of(s, "incidents_total");
	const json_t *list = json_object_get(s, "alerts"), *o;
	size_t i;

	put(out, "alerts: %" PRId64 " open, %" PRId64 " incident%s\n", total, incidents,
	    plural(incidents));
	json_array_foreach ((json_t *)list, i, o)
		put_alert(out, o);
	if (total > (int64_t)json_array_size(list))
		put(out, "  ... and %" PRId64 " more\n", total - (int64_t)json_array_size(list));
	json_array_foreach (json_object_get(s, "incidents"), i, o)
		put(out, "  incident %s: %s, %" PRId64 "%s responder%s, until %s at least\n",
		    text_of(o, "id"), text_of(o, "originator"), int_of(o, "responders"),
		    bool_of(o, "responders_cut") ? " or more" : "", plural(int_of(o, "responders")),
		    text_of(o, "until"));
}

static void put_flood(FILE *out, const json_t *o)
{
	const char *where = text_of(o, "interface");

	put(out, "  %s %s", text_of(o, "responder"), text_of(o, "protocol"));
	if (json_object_get(o, "port"))
		put(out, " port %" PRId64, int_of(o, "port"));
	if (*where)
		put(out, " (%s on %s)", strcmp(text_of(o, "direction"), "egress") ? "in" : "out",
		    where);
	put(out, ": since %s, %" PRId64 " attempts not followed, last %s\n", text_of(o, "since"),
	    int_of(o, "unfollowed"), text_of(o, "last"));
}

static void put_guard(FILE *out, const json_t *s)
{
	const json_t *guard = json_object_get(s, "guard"), *list, *o;
	int64_t rate = int_of(guard, "rate");
	size_t i;

	if (!guard)
		return;
	if (!rate) {
		put(out, "flood guard: off\n");
		return;
	}
	list = json_object_get(guard, "services");
	if (bool_of(guard, "engaged"))
		put(out, "flood guard: ENGAGED for %zu service%s", json_array_size(list),
		    plural((int64_t)json_array_size(list)));
	else
		put(out, "flood guard: not engaged");
	put(out,
	    ", above %" PRId64 " attempts a second at one; %" PRId64
	    " attempts not followed so far\n",
	    rate, int_of(guard, "unfollowed"));
	json_array_foreach ((json_t *)list, i, o)
		put_flood(out, o);
}

static void put_habit(FILE *out, const json_t *h)
{
	const char *program = text_of(h, "program"), *resp = text_of(h, "responder");

	if (*program)
		put(out, "  program %s of uid %" PRId64, program, int_of(h, "uid"));
	else
		put(out, "  %s", text_of(h, "originator"));
	put(out,
	    " -> %s %s port %" PRId64 ": seen %" PRId64 " times, pauses up to %.0f s, %" PRId64
	    " probes excused\n",
	    *resp ? resp : "any host", text_of(h, "protocol"), int_of(h, "port"), int_of(h, "seen"),
	    real_of(h, "pause_s"), int_of(h, "excused"));
}

static void put_habits(FILE *out, const json_t *s)
{
	const json_t *habits = json_object_get(s, "habits"), *o;
	const char *file = text_of(habits, "state_file");
	size_t i;

	if (!habits)
		return;
	if (!bool_of(habits, "on")) {
		put(out, "habits: off\n");
		return;
	}
	put(out, "habits: %" PRId64 ", %" PRId64 " probes excused; %s%s\n", int_of(habits, "total"),
	    int_of(habits, "excused"), *file ? "kept in " : "not kept over restarts", file);
	json_array_foreach (json_object_get(habits, "list"), i, o)
		put_habit(out, o);
}

static void put_allow(FILE *out, const json_t *s)
{
	const json_t *list = json_object_get(s, "allow_list"), *o;
	size_t i;

	if (json_array_size(list))
		put(out, "allow-list:\n");
	json_array_foreach ((json_t *)list, i, o)
		put(out,
		    "  %s: %" PRId64 " attempts let be, %" PRId64 " of them silent: %s: %s%s\n",
		    text_of(o, "from"), int_of(o, "attempts"), int_of(o, "silent"),
		    text_of(o, "what"), text_of(o, "comment"),
		    bool_of(o, "expired") ? " (HAS ENDED)" : "");
}

/* put_output - and what waits on disk, if the output has a spool. */
static void put_output(FILE *out, const json_t *o)
{
	const json_t *spool = json_object_get(o, "spool");

	put(out,
	    "  %s (%s): written %" PRId64 ", lost %" PRId64 ", failed attempts %" PRId64
	    ", waiting %" PRId64 " (%" PRId64 " bytes)%s%s%s\n",
	    text_of(o, "name"), text_of(o, "format"), int_of(o, "written"), int_of(o, "lost"),
	    int_of(o, "failures"), int_of(o, "queued"), int_of(o, "queued_bytes"),
	    bool_of(o, "failing") ? ", FAILING" : "", *text_of(o, "given_up") ? ", GIVEN UP: " : "",
	    text_of(o, "given_up"));
	if (json_is_object(spool))
		put(out, "    in %s: %" PRId64 " (%" PRId64 " bytes), damaged %" PRId64 "\n",
		    text_of(spool, "folder"), int_of(spool, "records"), int_of(spool, "bytes"),
		    int_of(spool, "damaged"));
}

static void put_outputs(FILE *out, const json_t *s)
{
	const json_t *o;
	size_t i;

	put(out, "outputs:\n");
	json_array_foreach (json_object_get(s, "outputs"), i, o)
		put_output(out, o);
}

static void put_tables(FILE *out, const json_t *s)
{
	const json_t *o;
	size_t i;

	put(out, "tables, used of their size:\n");
	json_array_foreach (json_object_get(s, "tables"), i, o) {
		int64_t used = int_of(o, "used"), size = int_of(o, "size");

		put(out, "  %-26s %12" PRId64 " of %" PRId64 " (%.1f %%)\n", text_of(o, "name"),
		    used, size, size ? 100.0 * (double)used / (double)size : 0);
	}
}

/* is_essential - of these a 0 is an answer: nothing comes in, nobody connects, nobody scans. */
static bool is_essential(const char *name)
{
	static const char *const names[] = { "packets_ingress", "packets_egress", "attempts",
					     "probes", "alerts_opened" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

static void put_counters(FILE *out, const json_t *s, bool all)
{
	const json_t *o;
	size_t i, left_out = 0;

	put(out, "counters:\n");
	json_array_foreach (json_object_get(s, "counters"), i, o) {
		if (!all && !int_of(o, "value") && !is_essential(text_of(o, "name")))
			left_out++;
		else
			put(out, "  %-26s %12" PRId64 "  %s\n", text_of(o, "name"),
			    int_of(o, "value"), text_of(o, "text"));
	}
	if (left_out)
		put(out, "  ... and %zu that are 0 (--all)\n", left_out);
}

int status_print(const json_t *status, bool all, FILE *out)
{
	put_head(out, status);
	put_interfaces(out, status);
	put_alerts(out, status);
	put_guard(out, status);
	put_habits(out, status);
	put_allow(out, status);
	put_outputs(out, status);
	put_tables(out, status);
	put_counters(out, status, all);
	return fflush(out) || ferror(out) ? -EIO : 0;
}
