// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "output.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "drain.h"
#include "output_config.h"
#include "services.h"
#include "sink.h"
#include "words.h"

#define NS_PER_S 1000000000ull
#define END_NS	 (2 * NS_PER_S) /* what the last words may take, live */

_Static_assert(OUTPUTS_MAX <= 32, "a bit each in alert.unopened");

struct outlet {
	struct output_config cfg;
	const struct sink *sink;
	struct lane *lane;
	char spool[STATE_MAX + OUTPUT_SPOOL_MAX]; /* its folder, "": none */
	uint64_t sequence;			  /* of the last record that was written or lost */
};

struct output {
	const struct config *cfg;
	struct outlet outlet[OUTPUTS_MAX];
	unsigned int n;
	uint64_t clock_ns; /* replay: the files'; 0: live */
	bool ended;
	struct services *services; /* NULL: ports are numbers */
	struct geoip *geoip;	   /* NULL: where originators are is not known */
	char hostname[256], host_id[64];
};

static const struct dest *dest_of(enum output_kind kind)
{
	static const struct dest *const dests[OUTPUT_KIND_MAX] = {
		[OUTPUT_STDOUT] = &dest_stdout,	    [OUTPUT_FILE] = &dest_file,
		[OUTPUT_STDERR] = &dest_stderr,	    [OUTPUT_SYSLOG] = &dest_syslog,
		[OUTPUT_JOURNALD] = &dest_journald, [OUTPUT_WEBHOOK] = &dest_http,
		[OUTPUT_HEC] = &dest_http,	    [OUTPUT_ELASTICSEARCH] = &dest_http,
		[OUTPUT_COMMAND] = &dest_command,
	};

	return dests[kind];
}

/* ---- opening ---- */

static void read_host_id(char *buf, size_t len)
{
	FILE *f = fopen("/etc/machine-id", "re");

	if (!f)
		return;
	if (fgets(buf, (int)len, f))
		buf[strcspn(buf, "\n")] = '\0';
	fclose(f);
}

/* settled - the output with its format decided. */
static struct output_config settled(const struct config *cfg, const struct output_config *oc)
{
	struct output_config ret = *oc;

	ret.format = output_format(oc);
	if ((oc->kind == OUTPUT_STDOUT || oc->kind == OUTPUT_STDERR) &&
	    oc->format == FORMAT_DEFAULT && cfg->json)
		ret.format = FORMAT_ECS;
	return ret;
}

/* outlet_spool - opens its spool, if it has one. One that nobody asked for, and that cannot be had,
 * is no reason not to start. */
static int outlet_spool(struct output *o, struct outlet *out, struct spool **ret, struct error *err)
{
	uint32_t bytes = out->cfg.spool_bytes ? out->cfg.spool_bytes : o->cfg->spool_bytes;
	struct error note;
	int r;

	if (!output_spool_folder(o->cfg, &out->cfg, out->spool))
		return 0;
	for (unsigned int i = 0; i < o->n; i++) /* the same receiver twice */
		if (!strcmp(o->outlet[i].spool, out->spool))
			snprintf(out->spool + strlen(out->spool),
				 sizeof(out->spool) - strlen(out->spool), "-%u", o->n);
	r = spool_open(out->spool, bytes, ret, &note, err);
	if (r < 0)
		out->spool[0] = '\0';
	if (r < 0 && config_spool_said(o->cfg, &out->cfg))
		return r;
	if (r < 0)
		log_problem("%s; alerts wait in memory alone", err->text);
	else if (note.text[0])
		log_problem("%s", note.text);
	return 0;
}

static int outlet_open(struct output *o, const struct output_config *oc, struct error *err)
{
	struct outlet *out = &o->outlet[o->n];
	char name[OUTPUT_NAME_MAX];
	struct lane_spec spec = {
		.name = output_config_name(oc, name),
		.dest = dest_of(oc->kind),
		.limit = oc->queue_bytes,
		.patient = o->cfg->command == COMMAND_REPLAY,
	};
	int r = output_config_rules(oc, &o->cfg->rules, err);

	out->cfg = settled(o->cfg, oc);
	out->sink = sink_of(out->cfg.format);
	if (!r)
		r = spec.dest->open(&out->cfg, &spec.handle, err);
	if (!r) {
		r = outlet_spool(o, out, &spec.spool, err);
		if (r < 0)
			spec.dest->close(spec.handle);
	}
	if (r < 0) {
		struct error why = *err;

		return error_set(err, r, why.exit_code, "output %.200s: %.280s", name, why.text);
	}
	r = lane_open(&spec, &out->lane);
	if (r < 0) {
		spec.dest->close(spec.handle);
		spool_close(spec.spool);
		return error_set(err, r, EXIT_RUNTIME, "output %s: cannot start its thread: %s",
				 name, strerror(-r));
	}
	o->n++;
	return 0;
}

/* read_hostname - what alerts call this host: in Kubernetes the node, whose name may be another
 * than the host's (NODE_NAME, by the downward API). */
static void read_hostname(char *buf, size_t len)
{
	const char *node = getenv("NODE_NAME");

	memset(buf, 0, len);
	if (node && *node && strlen(node) < len && text_is_plain(node))
		memcpy(buf, node, strlen(node));
	else if (gethostname(buf, len - 1) < 0)
		buf[0] = '\0';
}

/* is_ours - does an output of this run use the spool? */
static bool is_ours(const struct output *o, const char *folder)
{
	for (unsigned int i = 0; i < o->n; i++)
		if (!strcmp(o->outlet[i].spool, folder))
			return true;
	return false;
}

static void on_spool(void *ctx, const char *folder)
{
	const struct output *o = ctx;
	uint64_t n = is_ours(o, folder) ? 0 : spool_waiting(folder);

	if (n)
		log_problem("spool '%s': %" PRIu64 " alerts wait for an output that is not "
			    "configured any more; configure it again, or remove the folder",
			    folder, n);
}

/* look_for_orphans - what waits for receivers that are configured no more would wait for ever. */
static void look_for_orphans(struct output *o)
{
	char folder[STATE_MAX];
	const struct output_config any = { .kind = OUTPUT_SYSLOG };

	if (config_spool(o->cfg, &any, folder))
		output_spool_each(folder, on_spool, o);
}

int output_open(const struct config *cfg, struct output **ret, struct error *err)
{
	struct output *o = calloc(1, sizeof(*o));
	struct output_config oc;
	int r = 0;

	if (!o)
		return error_set(err, -ENOMEM, EXIT_RUNTIME, "no memory for outputs");
	o->cfg = cfg;
	read_hostname(o->hostname, sizeof(o->hostname));
	read_host_id(o->host_id, sizeof(o->host_id));
	if (!cfg->numeric) { /* for want of memory: fewer names */
		o->services = services_new();
		if (o->services)
			services_load(o->services);
	}
	if (cfg->geoips)
		r = geoip_open(cfg->geoip, cfg->geoips, &o->geoip, err);
	for (uint32_t i = 0; !r && i < cfg->outputs; i++)
		r = outlet_open(o, &cfg->output[i], err);
	if (!r && !cfg->outputs) {
		bool taken = cfg->log_attempts && !*cfg->attempts_file; /* by the attempts */

		r = output_config_dest(taken ? "stderr" : "stdout", &oc, err);
		if (!r)
			r = outlet_open(o, &oc, err);
	}
	if (r < 0) {
		output_free(o);
		return r;
	}
	look_for_orphans(o);
	*ret = o;
	return 0;
}

void output_clock(struct output *o, uint64_t now_ns)
{
	o->clock_ns = now_ns;
}

/* ---- saying ---- */

struct sink_context output_context(const struct output *o, const struct alert *a, struct geo *geo)
{
	struct sink_context sc = {
		.hostname = o->hostname,
		.host_id = o->host_id,
		.allow = o->cfg->allow,
		.services = o->services,
		.offline = o->cfg->command == COMMAND_REPLAY,
		.now_ns = o->clock_ns,
	};

	if (a && sink_has_orig(a) && !a->orig_internal && geoip_find(o->geoip, &a->orig, geo))
		sc.geo = geo;
	if (o->clock_ns)
		return sc;
	sc.now_ns = clock_boot_ns();
	sc.wall_offset_ns = clock_wall_offset_ns(sc.now_ns);
	return sc;
}

/* record_take - makes a record of what was written to f, which is closed, as `text`. NULL for want
 * of memory. */
static struct record *record_take(FILE *f, char **text, const size_t *len, uint64_t wall_ns)
{
	struct record *rec = fclose(f) ? NULL : malloc(sizeof(*rec) + *len + 1);

	if (rec) {
		rec->wall_ns = wall_ns;
		rec->len = *len;
		rec->lines = 1;
		memcpy(rec->text, *text, *len + 1);
	}
	free(*text);
	return rec;
}

/* record_make - an alert as this output writes it; NULL for want of memory. */
static struct record *record_make(const struct output *o, const struct outlet *out,
				  const struct alert *a, enum alert_state state)
{
	struct geo geo;
	struct sink_context sc = output_context(o, a, &geo);
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	struct record *rec;
	int r;

	if (!f)
		return NULL;
	sc.sequence = out->sequence + 1;
	sc.color = o->cfg->color && out->cfg.kind == OUTPUT_STDOUT;
	if (out->cfg.kind == OUTPUT_SYSLOG)
		sink_frame_syslog(f, a, state, &sc, &out->cfg);
	r = out->sink->write(f, a, state, &sc);
	rec = record_take(f, &text, &len, (uint64_t)((int64_t)sc.now_ns + sc.wall_offset_ns));
	if (!r)
		return rec;
	free(rec);
	return NULL;
}

/* outlet_say - returns whether the record is on its way. */
static bool outlet_say(struct output *o, struct outlet *out, const struct alert *a,
		       enum alert_state state)
{
	struct record *r;

	if (!(out->cfg.states & 1u << state))
		return true;
	r = record_make(o, out, a, state);
	if (!r || !lane_push(out->lane, r))
		return false;
	out->sequence++;
	return true;
}

/* What an output missed for good leaves a gap in its sequence. */
static void outlet_miss(struct outlet *out)
{
	out->sequence++;
	lane_lost(out->lane);
}

/* outlet_open_alert - says `open`, or says it again after it found no room (repeat). What has not
 * reached the output's severity yet may still do so. */
static void outlet_open_alert(struct output *o, struct outlet *out, struct alert *a, bool repeat)
{
	const uint32_t bit = 1u << (out - o->outlet);

	a->unopened |= bit;
	if (alert_severity(a) < out->cfg.severity || (repeat && !lane_is_calm(out->lane)))
		return;
	if (outlet_say(o, out, a, ALERT_OPEN))
		a->unopened &= ~bit;
}

/* outlet_close_alert - an `open` that was owed comes first: better late than never, unless payload
 * took the alert back meanwhile. */
static void outlet_close_alert(struct output *o, struct outlet *out, struct alert *a)
{
	const uint32_t bit = 1u << (out - o->outlet);

	if (a->unopened & bit) {
		if (a->retracted || alert_severity(a) < out->cfg.severity)
			return;
		if (!outlet_say(o, out, a, ALERT_OPEN))
			outlet_miss(out);
	}
	if (!outlet_say(o, out, a, ALERT_CLOSE))
		outlet_miss(out);
}

static void outlet_tell(struct output *o, struct outlet *out, struct alert *a,
			enum alert_state state, bool repeat)
{
	bool owed = a->unopened & 1u << (out - o->outlet);

	if (!output_list_has(out->cfg.rules, a->rule->name))
		return;
	if (state == ALERT_CLOSE)
		outlet_close_alert(o, out, a);
	else if (state == ALERT_OPEN || owed)
		outlet_open_alert(o, out, a, repeat);
	else if (!outlet_say(o, out, a, state))
		outlet_miss(out);
}

void output_emit(void *ctx, struct alert *a, enum alert_state state)
{
	struct output *o = ctx;
	uint32_t owed = a->unopened;
	bool repeat = state == ALERT_OPEN && owed; /* only to those it is owed to */

	for (unsigned int i = 0; i < o->n; i++)
		if (!repeat || owed & 1u << i)
			outlet_tell(o, &o->outlet[i], a, state, repeat);
}

/* ---- the end ---- */

unsigned int output_reopen(struct output *o)
{
	unsigned int files = 0;

	for (unsigned int i = 0; i < o->n; i++) {
		lane_reopen(o->outlet[i].lane);
		files += o->outlet[i].cfg.kind == OUTPUT_FILE;
	}
	return files;
}

/* outlet_finish - what a file of this format ends with, if any was written. */
static void outlet_finish(const struct output *o, struct outlet *out)
{
	struct timespec t;
	char *text = NULL;
	size_t len = 0;
	struct record *rec;
	uint64_t wall_ns;
	FILE *f;

	if (!out->sink->end || !out->sequence)
		return;
	clock_gettime(CLOCK_REALTIME, &t);
	wall_ns = o->clock_ns ? o->clock_ns : (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
	f = open_memstream(&text, &len);
	if (!f)
		return;
	out->sink->end(f, wall_ns);
	rec = record_take(f, &text, &len, wall_ns);
	if (rec)
		lane_push(out->lane, rec);
}

static void say_kept(const struct outlet *out)
{
	char name[OUTPUT_NAME_MAX];
	struct lane_stats s;

	lane_stats_get(out->lane, &s);
	if (s.spool.records)
		log_notice("output %s: %" PRIu64 " alerts wait in '%s' for the next start",
			   output_config_name(&out->cfg, name), s.spool.records, out->spool);
}

void output_end(struct output *o)
{
	struct timespec t;
	uint64_t until = 0;

	if (o->ended)
		return;
	o->ended = true;
	for (unsigned int i = 0; i < o->n; i++)
		outlet_finish(o, &o->outlet[i]);
	clock_gettime(CLOCK_MONOTONIC, &t);
	if (o->cfg->command != COMMAND_REPLAY)
		until = (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec + END_NS;
	for (unsigned int i = 0; i < o->n; i++)
		lane_end(o->outlet[i].lane, until);
	for (unsigned int i = 0; i < o->n; i++)
		say_kept(&o->outlet[i]);
}

void output_free(struct output *o)
{
	if (!o)
		return;
	output_end(o);
	for (unsigned int i = 0; i < o->n; i++)
		lane_free(o->outlet[i].lane);
	services_free(o->services);
	geoip_close(o->geoip);
	free(o);
}

unsigned int output_count(const struct output *o)
{
	return o->n;
}

void output_stats_get(const struct output *o, unsigned int i, struct output_stats *ret)
{
	const struct outlet *out = &o->outlet[i];

	output_config_name(&out->cfg, ret->name);
	ret->format = out->cfg.format;
	strcpy(ret->spool, out->spool);
	lane_stats_get(out->lane, &ret->lane);
}

bool output_settled(const struct output *o)
{
	for (unsigned int i = 0; i < o->n; i++) {
		struct lane_stats s;

		lane_stats_get(o->outlet[i].lane, &s);
		if (s.queued && !s.dead)
			return false;
	}
	return true;
}

uint64_t output_lost(const struct output *o)
{
	uint64_t lost = 0;

	for (unsigned int i = 0; i < o->n; i++) {
		struct lane_stats s;

		lane_stats_get(o->outlet[i].lane, &s);
		lost += s.lost;
	}
	return lost;
}

int output_verdict(const struct output *o, struct error *err)
{
	uint64_t lost = output_lost(o);

	if (!lost)
		return EXIT_FINE;
	return error_set(err, EXIT_RUNTIME, EXIT_RUNTIME,
			 "%" PRIu64 " lines about alerts were never written", lost);
}

int output_dead(const struct output *o)
{
	int dead = 0;

	for (unsigned int i = 0; i < o->n; i++) {
		struct lane_stats s;

		lane_stats_get(o->outlet[i].lane, &s);
		if (!s.dead)
			return 0;
		dead = s.dead;
	}
	return dead;
}
