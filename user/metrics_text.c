// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "metrics_text.h"

#include <bpf/libbpf.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
	NAME_MAX_LEN = 80,
	SEVERITY_LEAST = 4, /* of alerts whose rule has none: alert_severity() */
	SEVERITY_MOST = 10,
};

static const char *text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

static int64_t int_of(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

/* put_escaped - as the format wants it: in a label's value quotes too. */
static void put_escaped(FILE *out, const char *text, bool quotes)
{
	for (; *text; text++) {
		if (*text == '\\' || (quotes && *text == '"'))
			fputc('\\', out);
		if (*text == '\n')
			fputs("\\n", out);
		else
			fputc(*text, out);
	}
}

/* family - the lines in front of the samples of a metric. */
static void family(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP %s ", name);
	put_escaped(out, help, false);
	fprintf(out, "\n# TYPE %s %s\n", name, type);
}

/* sample - one value; up to three labels, a NULL ends them. */
struct label {
	const char *name, *value;
};
static void sample(FILE *out, const char *name, const struct label *labels, double value)
{
	fputs(name, out);
	for (int i = 0; i < 3 && labels && labels[i].name; i++) {
		fprintf(out, "%c%s=\"", i ? ',' : '{', labels[i].name);
		put_escaped(out, labels[i].value, true);
		fputc('"', out);
	}
	fprintf(out, "%s %.15g\n", labels && labels[0].name ? "}" : "", value);
}

static void single(FILE *out, const char *name, const char *type, const char *help, double value)
{
	family(out, name, type, help);
	sample(out, name, NULL, value);
}

/* seconds_of - a time as the figures write it, since the epoch; 0 if it is none. */
static double seconds_of(const char *text)
{
	struct tm tm = { 0 };

	return strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) ? (double)timegm(&tm) : 0;
}

/* ---- alerts and probes ---- */

static double said(const json_t *rule, int severity, const char *state)
{
	const json_t *o;
	size_t i;

	json_array_foreach (json_object_get(rule, "said"), i, o)
		if (int_of(o, "severity") == severity && !strcmp(text_of(o, "state"), state))
			return (double)int_of(o, "count");
	return 0;
}

/* Series are there from the start: one that is born at 1 shows no increase(). */
static void put_alerts_of(FILE *out, const json_t *rule)
{
	static const char *const states[] = { "open", "update", "close" };
	int fixed = (int)int_of(rule, "severity");

	for (int severity = 0; severity <= SEVERITY_MOST; severity++)
		for (int s = 0; s < 3; s++) {
			char text[16];
			const struct label labels[] = { { "rule", text_of(rule, "name") },
							{ "severity", text },
							{ "state", states[s] } };
			double n = said(rule, severity, states[s]);
			bool may_be = fixed ? severity == fixed : severity >= SEVERITY_LEAST;

			snprintf(text, sizeof(text), "%d", severity);
			if (may_be || n > 0)
				sample(out, "reconmon_alerts_total", labels, n);
		}
}

static void put_by_rule(FILE *out, const json_t *rules, const char *name, const char *member,
			const char *help)
{
	const json_t *o;
	size_t i;

	family(out, name, "gauge", help);
	json_array_foreach ((json_t *)rules, i, o) {
		const struct label labels[] = { { "rule", text_of(o, "name") }, { NULL, NULL } };

		sample(out, name, labels, (double)int_of(o, member));
	}
}

static void put_rules(FILE *out, const json_t *figures)
{
	const json_t *rules = json_object_get(figures, "rules"), *o;
	size_t i;

	family(out, "reconmon_alerts_total", "counter",
	       "Alerts by rule, severity and state: open, update, close.");
	json_array_foreach ((json_t *)rules, i, o)
		put_alerts_of(out, o);
	put_by_rule(out, rules, "reconmon_alerts_open", "alerts_open", "Alerts that are open.");
	put_by_rule(out, rules, "reconmon_groups", "groups",
		    "Groups (as of originator and responder) in the window of a rule.");
}

static void put_probes(FILE *out, const json_t *figures)
{
	const json_t *o;
	size_t i;

	family(out, "reconmon_probes_total", "counter",
	       "Silent attempts that a rule counted, by protocol, technique and answer.");
	json_array_foreach (json_object_get(figures, "probes"), i, o) {
		const struct label labels[] = { { "protocol", text_of(o, "protocol") },
						{ "technique", text_of(o, "technique") },
						{ "answer", text_of(o, "answer") } };

		sample(out, "reconmon_probes_total", labels, (double)int_of(o, "count"));
	}
}

/* ---- counters ---- */

/* Counters that are part of a family with labels, or told better elsewhere. */
static const char *const elsewhere[] = {
	"packets_ingress", "packets_egress", "probes",	    "alerts_opened",
	"alerts_closed",   "alerts_live",    "groups_live", "engine_bytes",
};

static bool is_elsewhere(const char *name)
{
	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++)
		if (!strcmp(name, elsewhere[i]))
			return true;
	return !strncmp(name, "parse_", 6);
}

static bool is_loss(const json_t *counter)
{
	return !strncmp(text_of(counter, "text"), "lost: ", 6);
}

static double counter_of(const json_t *figures, const char *name)
{
	const json_t *o;
	size_t i;

	json_array_foreach (json_object_get(figures, "counters"), i, o)
		if (!strcmp(text_of(o, "name"), name))
			return (double)int_of(o, "value");
	return 0;
}

/* put_reasons - the counters that begin with a prefix (or, without one, those of losses) as one
 * family with a label. */
static void put_reasons(FILE *out, const json_t *figures, const char *name, const char *prefix,
			const char *help)
{
	size_t i, len = prefix ? strlen(prefix) : 0;
	const json_t *o;

	family(out, name, "counter", help);
	json_array_foreach (json_object_get(figures, "counters"), i, o) {
		const char *reason = text_of(o, "name");
		const struct label labels[] = { { "reason", reason + len }, { NULL, NULL } };

		if (prefix ? !strncmp(reason, prefix, len) : is_loss(o))
			sample(out, name, labels, (double)int_of(o, "value"));
	}
}

/* put_counter - one that is a metric by itself: "habits_live" is reconmon_habits. */
static void put_counter(FILE *out, const json_t *o)
{
	bool gauge = !strcmp(text_of(o, "kind"), "gauge");
	const char *counter = text_of(o, "name"), *help = text_of(o, "text");
	size_t len = strlen(counter);
	char name[NAME_MAX_LEN], sentence[200];

	if (len > 5 && !strcmp(counter + len - 5, "_live"))
		len -= 5;
	snprintf(name, sizeof(name), "reconmon_%.*s%s", (int)len, counter, gauge ? "" : "_total");
	/* Some sentences go on from the counter above them. */
	snprintf(sentence, sizeof(sentence), "%s: %s.", counter,
		 help + (strncmp(help, "... ", 4) ? 0 : 4));
	single(out, name, gauge ? "gauge" : "counter", sentence, (double)int_of(o, "value"));
}

static void put_counters(FILE *out, const json_t *figures)
{
	const struct label in[] = { { "direction", "ingress" }, { NULL, NULL } };
	const struct label eg[] = { { "direction", "egress" }, { NULL, NULL } };
	const json_t *o;
	size_t i;

	family(out, "reconmon_packets_total", "counter", "Packets seen, by direction.");
	sample(out, "reconmon_packets_total", in, counter_of(figures, "packets_ingress"));
	sample(out, "reconmon_packets_total", eg, counter_of(figures, "packets_egress"));
	put_reasons(out, figures, "reconmon_parse_errors_total", "parse_",
		    "Packets that carried nothing that could be followed, by reason.");
	put_reasons(out, figures, "reconmon_lost_total", NULL,
		    "Evidence, or alerts, that left unseen, by the counter that tells of it.");
	json_array_foreach (json_object_get(figures, "counters"), i, o)
		if (!is_loss(o) && !is_elsewhere(text_of(o, "name")))
			put_counter(out, o);
	single(out, "reconmon_memory_bytes", "gauge", "Memory of windows, habits and alerts.",
	       counter_of(figures, "engine_bytes"));
}

/* ---- tables, outputs, interfaces ---- */

static void put_tables(FILE *out, const json_t *figures)
{
	static const struct {
		const char *name, *member, *help;
	} of[] = {
		{ "reconmon_map_entries", "used", "Entries in use of a table, or map." },
		{ "reconmon_map_max_entries", "size", "Entries that it has room for." },
	};
	const json_t *o;
	size_t i;

	for (int n = 0; n < 2; n++) {
		family(out, of[n].name, "gauge", of[n].help);
		json_array_foreach (json_object_get(figures, "tables"), i, o) {
			const struct label labels[] = { { "map", text_of(o, "name") },
							{ NULL, NULL } };

			sample(out, of[n].name, labels, (double)int_of(o, of[n].member));
		}
	}
}

/* sink_name - "2-syslog": its place in the configuration and its kind. Its name may hold an
 * address. */
static const char *sink_name(const json_t *output, size_t i, char *buf, size_t size)
{
	const char *name = text_of(output, "name");

	snprintf(buf, size, "%zu-%.*s", i + 1, (int)strcspn(name, ":"), name);
	return buf;
}

static void put_sinks(FILE *out, const json_t *figures)
{
	static const struct {
		const char *name, *type, *member, *help;
		bool spool; /* a member of `spool`; 0 where there is none */
	} of[] = {
		{ "reconmon_sink_events_total", "counter", "written",
		  "Records that the receiver of an output took.", false },
		{ "reconmon_sink_lost_total", "counter", "lost",
		  "Lines that an output never wrote.", false },
		{ "reconmon_sink_errors_total", "counter", "failures", "Attempts that failed.",
		  false },
		{ "reconmon_sink_queue_length", "gauge", "queued", "Records that wait.", false },
		{ "reconmon_sink_queue_bytes", "gauge", "queued_bytes", "Their text.", false },
		{ "reconmon_sink_failing", "gauge", "failing",
		  "Whether the last attempt failed, or the output has been given up.", false },
		{ "reconmon_sink_spool_records", "gauge", "records",
		  "Records that wait on disk for the receiver.", true },
		{ "reconmon_sink_spool_bytes", "gauge", "bytes", "Disk that they take.", true },
		{ "reconmon_sink_spool_damaged_total", "counter", "damaged",
		  "Places on disk that could not be read.", true },
	};
	char name[64];
	const json_t *o;
	size_t i;

	for (size_t n = 0; n < sizeof(of) / sizeof(of[0]); n++) {
		family(out, of[n].name, of[n].type, of[n].help);
		json_array_foreach (json_object_get(figures, "outputs"), i, o) {
			const json_t *at = of[n].spool ? json_object_get(o, "spool") : o;
			const json_t *value = json_object_get(at, of[n].member);
			const struct label labels[] = {
				{ "sink", sink_name(o, i, name, sizeof(name)) }, { NULL, NULL }
			};
			double v = (double)json_integer_value(value);

			if (json_is_boolean(value))
				v = json_is_true(value) || *text_of(o, "given_up");
			sample(out, of[n].name, labels, v);
		}
	}
}

/* put_attached - interfaces by hook and mode. Names of pods' interfaces come and go, so they are no
 * labels. */
static void put_attached(FILE *out, const json_t *figures)
{
	static const struct {
		const char *hook, *mode;
	} of[] = {
		{ "ingress", "tcx" },	      { "ingress", "clsact" }, { "ingress", "xdp" },
		{ "ingress", "xdp-generic" }, { "egress", "tcx" },     { "egress", "clsact" },
	};
	const json_t *o;
	size_t i;

	family(out, "reconmon_attached", "gauge", "Interfaces watched, by hook and mode.");
	for (size_t n = 0; n < sizeof(of) / sizeof(of[0]); n++) {
		const struct label labels[] = { { "hook", of[n].hook },
						{ "mode", of[n].mode },
						{ NULL, NULL } };
		double count = 0;

		json_array_foreach (json_object_get(figures, "interfaces"), i, o)
			count += !strcmp(text_of(o, of[n].hook), of[n].mode);
		sample(out, "reconmon_attached", labels, count);
	}
	single(out, "reconmon_interfaces_refused", "gauge",
	       "Interfaces that are wanted and cannot be watched.",
	       (double)int_of(figures, "refused"));
	single(out, "reconmon_interfaces_unseen", "gauge",
	       "Interfaces that are watched, whose packets the kernel counts and we do not see.",
	       (double)int_of(figures, "unseen"));
}

/* ---- the rest ---- */

static void put_histogram(FILE *out, const json_t *figures, const char *member, const char *name,
			  const char *help)
{
	const json_t *h = json_object_get(figures, member);
	const json_t *bounds = json_object_get(h, "bounds_s"),
		     *counts = json_object_get(h, "counts");
	char bucket[NAME_MAX_LEN], le[32];
	double sum = 0;

	family(out, name, "histogram", help);
	snprintf(bucket, sizeof(bucket), "%s_bucket", name);
	for (size_t i = 0; i < json_array_size(counts); i++) {
		const struct label labels[] = { { "le", le }, { NULL, NULL } };

		snprintf(le, sizeof(le), "%g", json_number_value(json_array_get(bounds, i)));
		if (i >= json_array_size(bounds))
			strcpy(le, "+Inf");
		sum += (double)json_integer_value(json_array_get(counts, i));
		sample(out, bucket, labels, sum);
	}
	fprintf(out, "%s_sum %.15g\n%s_count %.15g\n", name,
		json_number_value(json_object_get(h, "sum_s")), name, sum);
}

static void put_about(FILE *out, const json_t *figures)
{
	const json_t *config = json_object_get(figures, "config");
	const struct label labels[] = { { "version", text_of(figures, "version") },
					{ "libbpf", libbpf_version_string() },
					{ NULL, NULL } };

	family(out, "reconmon_build_info", "gauge", "What runs here; always 1.");
	sample(out, "reconmon_build_info", labels, 1);
	single(out, "reconmon_ready", "gauge", "Whether interfaces are watched and were drained.",
	       json_is_true(json_object_get(figures, "ready")));
	single(out, "reconmon_config_last_reload_successful", "gauge",
	       "Whether the configuration that was read last is in effect.",
	       json_is_true(json_object_get(config, "last_reload_ok")));
	single(out, "reconmon_config_last_reload_success_timestamp_seconds", "gauge",
	       "When the configuration in effect was read.", seconds_of(text_of(config, "read")));
	single(out, "process_start_time_seconds", "gauge", "When the process started.",
	       seconds_of(text_of(figures, "started")));
}

void metrics_write(FILE *out, const json_t *figures)
{
	put_about(out, figures);
	put_rules(out, figures);
	put_probes(out, figures);
	put_counters(out, figures);
	put_tables(out, figures);
	put_sinks(out, figures);
	put_attached(out, figures);
	put_histogram(out, figures, "drain_duration", "reconmon_drain_duration_seconds",
		      "How long a drain of the kernel's maps takes, rules and outputs included.");
	put_histogram(out, figures, "alert_delay", "reconmon_alert_delay_seconds",
		      "From the last probe's packet to the word that an alert is open.");
	single(out, "reconmon_closed_alerts_dropped_total", "counter",
	       "Closed alerts that the control socket cannot show any more.",
	       (double)int_of(figures, "closed_alerts_dropped"));
}

/* ---- the process ---- */

static double resident_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long pages = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%*s %lu", &pages) != 1)
		pages = 0;
	fclose(f);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static double open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = -3; /* ".", "..", and the directory itself */

	if (!d)
		return 0;
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

void metrics_write_process(FILE *out)
{
	struct rlimit files = { 0 };
	struct rusage u = { 0 };

	getrusage(RUSAGE_SELF, &u);
	getrlimit(RLIMIT_NOFILE, &files);
	single(out, "process_cpu_seconds_total", "counter", "Processor time that was used.",
	       (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
		       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6);
	single(out, "process_resident_memory_bytes", "gauge", "Resident memory.", resident_bytes());
	single(out, "process_open_fds", "gauge", "Open file descriptors.", open_fds());
	single(out, "process_max_fds", "gauge", "The most that there may be.",
	       (double)files.rlim_cur);
}
