// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* Which alerts are to be explained, and how that is written. */
#include "explain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "control_client.h"
#include "replay.h"
#include "report_alertlog.h"
#include "sink_json.h"
#include "words.h"

enum {
	ALERTS_MAX = 65536, /* that are kept while files are read */
	ANSWER_MS = 5000,   /* that a daemon may take */
};

/* The alerts to explain, in the order in which they were first seen: of each its last document. */
struct gathered {
	json_t *by_id;	/* object, which keeps that order */
	json_t *wanted; /* object of ids; empty: all */
	uint64_t lines, foreign, too_many;
	bool no_memory;
};

static void take(struct gathered *g, json_t *doc)
{
	const char *id = json_string_value(json_object_get(json_object_get(doc, "event"), "id"));

	if (!doc || !id || !subject_is_alert(doc))
		g->foreign++;
	else if (json_object_size(g->wanted) && !json_object_get(g->wanted, id))
		; /* somebody else's */
	else if (json_object_size(g->by_id) >= ALERTS_MAX && !json_object_get(g->by_id, id))
		g->too_many++;
	else if (json_object_set(g->by_id, id, doc) < 0)
		g->no_memory = true;
	json_decref(doc);
}

/* ---- alert logs ---- */

static int read_log(gzFile gz, struct gathered *g)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;
	int code = Z_OK;

	while ((n = report_alertlog_next(gz, &line, &size)) != -1) {
		g->lines++;
		if (n == -2)
			g->foreign++;
		else if (line[strspn(line, " \t\r\n")])
			take(g, json_loadb(line, (size_t)n, 0, NULL));
	}
	free(line);
	(void)gzerror(gz, &code);
	if (code == Z_ERRNO)
		return errno ? -errno : -EIO;
	return code == Z_OK || code == Z_STREAM_END ? 0 : -EIO;
}

static int read_alert_log(const char *file, struct gathered *g, struct error *err)
{
	int fd = strcmp(file, "-") ? -1 : dup(STDIN_FILENO), r;
	gzFile gz = fd < 0 ? gzopen(file, "rbe") : gzdopen(fd, "rb");

	errno = gz ? 0 : errno ? errno : ENOMEM;
	r = gz ? read_log(gz, g) : -errno;
	if (gz)
		gzclose(gz);
	else if (fd >= 0)
		close(fd);
	if (r < 0)
		return error_set(err, r, EXIT_RUNTIME, "cannot read '%s': %s", file, strerror(-r));
	return 0;
}

/* ---- captures ---- */

static void on_alert(void *ctx, struct alert *a, enum alert_state state)
{
	const struct sink_context sink = { .now_ns = a->last_ns }; /* their clock is the wall's */
	struct gathered *g = ctx;
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f || sink_json_write(f, a, state, &sink) < 0)
		g->no_memory = true;
	if (f)
		fclose(f);
	if (text)
		take(g, json_loadb(text, len, 0, NULL));
	free(text);
}

static void on_complaint(void *ctx, const char *text)
{
	(void)ctx;
	(void)text; /* it stood on standard error already */
}

static void on_end(void *ctx, const struct counters *c, uint64_t read, uint64_t skipped)
{
	(void)ctx;
	(void)c;
	(void)read;
	(void)skipped;
}

static int replay_files(const struct config *cfg, const char **files, size_t n, struct gathered *g,
			struct error *err)
{
	const struct replay_tap tap = {
		.emit = on_alert, .complained = on_complaint, .ended = on_end, .ctx = g
	};

	return n && replay_each(cfg, files, n, &tap, err) != EXIT_FINE ? -EIO : 0;
}

/* ---- the daemon that runs ---- */

/* ask_daemon - for one alert, open or closed of late. */
static int ask_daemon(struct control_client *c, const char *id, struct gathered *g,
		      struct error *err)
{
	char request[64 + ALERT_ID_LEN];
	json_t *answer = NULL;
	int r;

	snprintf(request, sizeof(request), "{\"get\":\"alerts\",\"id\":\"%s\"}", id);
	r = control_client_ask(c, request, err);
	while (!r) { /* lines of alerts, then one of type "end" */
		json_t *doc;

		r = control_client_read(c, ANSWER_MS, &answer, err);
		if (r <= 0)
			break;
		r = json_object_get(answer, "document") == NULL; /* the end */
		doc = json_incref(json_object_get(answer, "document"));
		json_decref(answer);
		if (doc)
			take(g, doc);
	}
	return r < 0 ? r : 0;
}

static int ask_for_all(const struct config *cfg, struct gathered *g, struct error *err)
{
	struct control_client *c = NULL;
	int r = control_client_open(cfg, &c, err);
	const char *id;
	json_t *v;

	if (r < 0)
		return error_prefix(err, r, "explain by id asks the daemon, or the files given");
	json_object_foreach (g->wanted, id, v) {
		if (!r)
			r = ask_daemon(c, id, g, err);
	}
	control_client_close(c);
	return r;
}

/* ---- what to read ---- */

/* is_id - an alert's id, as none of our files is called: hexadecimal digits and dashes. */
static bool is_id(const char *word)
{
	size_t len = strspn(word, "0123456789abcdef-");

	return len >= 5 && len < ALERT_ID_LEN && !word[len] && strchr(word, '-') &&
	       access(word, F_OK) < 0;
}

/* gather - reads the files for their alerts: alert logs here, all others together as `replay`
 * would, so that captures are merged by time. */
static int gather(const struct config *cfg, struct gathered *g, struct error *err)
{
	const char **rest = calloc(cfg->files + 1, sizeof(*rest));
	size_t n = 0, ids = 0;
	int r = 0;

	if (!rest)
		return error_set(err, -ENOMEM, EXIT_RUNTIME, "explain: out of memory");
	for (size_t i = 0; i < cfg->files; i++) /* all ids before the first file */
		if (is_id(cfg->file[i])) {
			json_object_set_new(g->wanted, cfg->file[i], json_true());
			ids++;
		}
	for (size_t i = 0; !r && i < cfg->files; i++) {
		const char *file = cfg->file[i];

		if (is_id(file))
			continue;
		if (!strcmp(file, "-") || report_alertlog_is(file))
			r = read_alert_log(file, g, err);
		else
			rest[n++] = file;
	}
	if (!r && ids == cfg->files)
		r = ask_for_all(cfg, g, err);
	if (!r)
		r = replay_files(cfg, rest, n, g, err);
	free(rest);
	return r;
}

/* ---- what is written ---- */

/* explanation - one document; NULL for want of memory. */
static json_t *explanation(const struct explain *x)
{
	const struct subject *s = x->s;
	char filter[EXPLAIN_FILTER_MAX];
	json_t *doc = explain_words(x);

	json_object_set_new(doc, "id", json_string(s->id));
	json_object_set_new(doc, "rule", json_string(s->rule));
	json_object_set_new(doc, "originator", json_string(s->originator));
	if (*s->responder)
		json_object_set_new(doc, "responder", json_string(s->responder));
	if (*s->transport)
		json_object_set_new(doc, "transport", json_string(s->transport));
	if (s->port >= 0)
		json_object_set_new(doc, "port", json_integer(s->port));
	json_object_set_new(doc, "start", json_string(s->start));
	json_object_set_new(doc, "end", json_string(s->end));
	json_object_set_new(doc, "state", json_string(s->state));
	json_object_set_new(doc, "severity", json_integer(s->severity));
	json_object_set_new(doc, "incomplete", json_boolean(s->incomplete));
	json_object_set_new(doc, "ports", explain_ports(x));
	json_object_set_new(doc, "silence", explain_silence(x));
	if (json_object_set_new(doc, "wireshark", json_string(explain_filter(x, filter))) == 0)
		return doc;
	json_decref(doc);
	return NULL;
}

static const char *str(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

static void print_list(const char *title, const json_t *list, FILE *out)
{
	size_t i;
	json_t *v;

	if (json_array_size(list))
		fprintf(out, "\n%s\n", title);
	json_array_foreach (list, i, v)
		fprintf(out, "  - %s\n", json_string_value(v));
}

/* print_ports - a line each; what an answer means is said where it comes first. */
static void print_ports(const struct subject *s, const json_t *rows, FILE *out)
{
	bool said[ANSWER_MAX] = { false };
	size_t i;
	json_t *v;

	if (json_array_size(rows))
		fprintf(out, "\nWhat was looked at, and what it answered%s\n",
			s->ports_cut ? " (the list is cut)" : "");
	json_array_foreach (rows, i, v) {
		const char *answer = str(v, "answer");
		enum answer a = 0;

		while (a < ANSWER_MAX - 1 && strcmp(answer, answer_name(a)) != 0)
			a++;
		fprintf(out, "  %-12s %-16s %-9s%s%s\n", str(v, "ports"), str(v, "service"), answer,
			said[a] ? "" : " ", said[a] ? "" : str(v, "means"));
		said[a] = true;
	}
}

static void print_responders(const struct subject *s, FILE *out)
{
	size_t i, n = json_array_size(s->responders);
	json_t *v;

	if (!n)
		return;
	fprintf(out, "\nResponders (%lld)\n ", (long long)s->responder_count);
	json_array_foreach (s->responders, i, v) {
		const char *addr = json_string_value(v);

		fprintf(out, " %s", addr && text_is_plain(addr) ? addr : "?");
		if (i % 6 == 5 && i + 1 < n)
			fprintf(out, "\n ");
	}
	fprintf(out, "%s\n", (int64_t)n < s->responder_count ? " ..." : "");
}

static void print_head(const struct subject *s, FILE *out)
{
	fprintf(out, "%s %s: ", s->rule, s->id);
	if (*s->originator)
		fprintf(out, "%s", s->originator);
	else
		fprintf(out, "%lld originators", (long long)s->originator_count);
	fprintf(out, "%s%s", *s->responder ? " -> " : "", s->responder);
	if (*s->transport)
		fprintf(out, " %s", s->transport);
	if (s->port >= 0)
		fprintf(out, " port %d", s->port);
	fprintf(out, "\n%s to %s, severity %lld, last seen as: %s%s\n", s->start, s->end,
		(long long)s->severity, s->state, s->retracted ? " (taken back)" : "");
	if (*s->process)
		fprintf(out, "by %s%s[%lld]\n",
			!strcmp(s->owner_source, "guess") ? "probably " : "", s->process,
			(long long)s->pid);
	if (*s->container || *s->pod)
		fprintf(out, "from container %s%s%s\n", *s->container ? s->container : "?",
			*s->pod ? ", pod " : "", s->pod);
	if (s->incomplete)
		fprintf(out, "Some evidence was lost while it lived: there may be more ports than "
			     "these.\n");
}

static void print_text(const struct subject *s, const json_t *doc, FILE *out)
{
	const json_t *silence = json_object_get(doc, "silence");

	print_head(s, out);
	print_list("Why it fired", json_object_get(doc, "why"), out);
	print_list("What its packets were", json_object_get(doc, "probes"), out);
	print_ports(s, json_object_get(doc, "ports"), out);
	print_responders(s, out);
	print_list("It would not have fired with (each by itself)",
		   json_object_get(doc, "otherwise"), out);
	fprintf(out,
		"\nTo silence this and nothing else%s%s%s, on the command line\n  %s\nor in "
		"the configuration file\n",
		*str(silence, "note") ? " (" : "", str(silence, "note"),
		*str(silence, "note") ? ")" : "", str(silence, "option"));
	fputs(str(silence, "yaml"), out);
	fprintf(out, "To silence the rule for whatever is no larger%s%s%s\n  %s\n",
		*str(silence, "set_note") ? " (" : "", str(silence, "set_note"),
		*str(silence, "set_note") ? ")" : "", str(silence, "set"));
	fprintf(out, "\nIts packets in Wireshark\n  %s\n", str(doc, "wireshark"));
}

static int explain_all(const struct config *cfg, const struct gathered *g, struct error *err)
{
	struct subject *s = malloc(sizeof(*s)); /* 64 KB of ports */
	struct services *services = cfg->numeric ? NULL : services_new();
	const struct explain x = { .cfg = cfg, .s = s, .services = services };
	const char *id;
	json_t *doc, *said;
	size_t n = 0;
	int r = s ? 0 : -ENOMEM;

	if (services)
		services_load(services);
	json_object_foreach (g->by_id, id, doc) {
		if (r < 0)
			break;
		if (!subject_read(doc, s)) {
			log_problem("alert %s: its document makes no sense", id);
			continue;
		}
		said = explanation(&x);
		r = said ? 0 : -ENOMEM;
		if (said && cfg->json)
			r = sink_json_line(stdout, json_incref(said), SINK_JSON_DIGITS);
		else if (said)
			print_text(s, said, stdout);
		if (said && !cfg->json && ++n < json_object_size(g->by_id))
			fputs("\n----\n\n", stdout);
		json_decref(said);
	}
	services_free(services);
	free(s);
	if (r == -ENOMEM)
		return error_set(err, r, EXIT_RUNTIME, "explain: out of memory");
	if (fflush(stdout) || ferror(stdout))
		return error_set(err, -EIO, EXIT_RUNTIME, "standard output: %m");
	return 0;
}

/* check_found - an id that was asked for and is not there is an error; files without alerts are
 * not, and said. */
static int check_found(const struct gathered *g, struct error *err)
{
	const char *id;
	json_t *v;

	json_object_foreach (g->wanted, id, v)
		if (!json_object_get(g->by_id, id))
			return error_set(err, -ENOENT, EXIT_RUNTIME, "no alert %s in what was read",
					 id);
	if (!json_object_size(g->by_id))
		log_notice("no alerts in what was read: nothing to explain");
	if (g->foreign)
		log_notice("%llu lines of %llu are no alerts of reconmon's",
			   (unsigned long long)g->foreign, (unsigned long long)g->lines);
	if (g->too_many)
		log_problem("more than %d alerts: those that came later are left out; name ids",
			    ALERTS_MAX);
	return 0;
}

int explain_run(const struct config *cfg, struct error *err)
{
	struct gathered g = { .by_id = json_object(), .wanted = json_object() };
	int r = gather(cfg, &g, err);

	if (!r && g.no_memory)
		r = error_set(err, -ENOMEM, EXIT_RUNTIME, "explain: out of memory");
	if (!r)
		r = check_found(&g, err);
	if (!r)
		r = explain_all(cfg, &g, err);
	json_decref(g.by_id);
	json_decref(g.wanted);
	return r < 0 ? err->exit_code : EXIT_FINE;
}
