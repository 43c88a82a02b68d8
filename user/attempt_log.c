// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "attempt_log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "conn_row.h"
#include "output_config.h"
#include "output_lane.h"

#define NS_PER_S 1000000000ull
#define END_NS	 (2 * NS_PER_S) /* what the last rows may take, live */

enum {
	BATCH_BYTES = 64 * 1024,	/* rows that go out as one record */
	QUEUE_BYTES = 32 * 1024 * 1024, /* about 300,000 rows */
};

struct attempt_log {
	const struct config *cfg;
	struct conn_context ctx;
	struct lane *lane;
	FILE *batch; /* over text and len; NULL between batches */
	char *text;
	size_t len;
	uint64_t batch_rows, wall_ns; /* of the last row */
	struct attempt_log_stats stats;
};

static int dest_make(const struct config *cfg, struct output_config *oc, struct error *err)
{
	int r = output_config_dest("stdout", oc, err);

	if (r < 0)
		return r;
	oc->format = cfg->json ? FORMAT_CONN_JSON : FORMAT_CONN_TSV;
	if (*cfg->attempts_file) {
		oc->kind = OUTPUT_FILE;
		memcpy(oc->target, cfg->attempts_file, sizeof(oc->target));
	}
	return 0;
}

int attempt_log_open(const struct config *cfg, struct attempt_log **ret, struct error *err)
{
	struct lane_spec spec = {
		.name = *cfg->attempts_file ? cfg->attempts_file : "stdout",
		.dest = *cfg->attempts_file ? &dest_file : &dest_stdout,
		.limit = QUEUE_BYTES,
		.patient = cfg->command == COMMAND_REPLAY,
	};
	struct output_config oc;
	struct attempt_log *l;
	int r;

	*ret = NULL;
	if (cfg->log_attempts == LOG_NONE)
		return 0;
	r = dest_make(cfg, &oc, err);
	if (!r)
		r = spec.dest->open(&oc, &spec.handle, err);
	if (r < 0) {
		struct error why = *err;

		return error_set(err, r, why.exit_code, "attempts to '%.200s': %.280s", spec.name,
				 why.text);
	}
	l = calloc(1, sizeof(*l));
	r = l ? lane_open(&spec, &l->lane) : -ENOMEM;
	if (r < 0) {
		spec.dest->close(spec.handle);
		free(l);
		return error_set(err, r, EXIT_RUNTIME, "cannot keep a log of attempts: %s",
				 strerror(-r));
	}
	l->cfg = cfg;
	l->ctx = (struct conn_context){
		.internal = &cfg->internal,
		.literal = cfg->profile == PROFILE_SPLUNK,
		.json = cfg->json,
	};
	*ret = l;
	return 0;
}

/* push - what the batch holds becomes a record. */
static void push(struct attempt_log *l)
{
	struct record *r = fclose(l->batch) ? NULL : malloc(sizeof(*r) + l->len + 1);

	l->batch = NULL;
	if (r) {
		r->wall_ns = l->wall_ns;
		r->len = l->len;
		r->lines = (uint32_t)l->batch_rows;
		memcpy(r->text, l->text, l->len + 1);
	}
	free(l->text);
	if (!r || !lane_push(l->lane, r))
		l->stats.lost += l->batch_rows;
	l->batch_rows = 0;
}

void attempt_log_flush(struct attempt_log *l)
{
	if (l && l->batch)
		push(l);
}

/* is_wanted - a probe is a row; with --attempts=all everything is. */
static bool is_wanted(const struct attempt_log *l, const struct ended *e)
{
	return l->cfg->log_attempts == LOG_ALL || e->bits & CONTACT_SILENT;
}

void attempt_log_add(struct attempt_log *l, const struct ended *e, int64_t wall_offset_ns,
		     struct owners *owners)
{
	struct contact_key key = contact_key_of(&e->a);
	const struct owner *owner = NULL;
	struct contact c;

	if (!l || !is_wanted(l, e))
		return;
	if (owners) {
		contact_init(&c, &key, &e->a, e->bits);
		owner = owners_find(owners, &key, &c);
	}
	l->stats.rows++;
	if (!l->batch)
		l->batch = open_memstream(&l->text, &l->len);
	l->ctx.wall_offset_ns = wall_offset_ns;
	l->wall_ns = (uint64_t)((int64_t)e->a.first_ns + wall_offset_ns);
	if (!l->batch || conn_row_write(l->batch, e, owner, &l->ctx) < 0) {
		l->stats.lost++;
		return;
	}
	l->batch_rows++;
	if (l->len >= BATCH_BYTES)
		push(l);
}

void attempt_log_miss(struct attempt_log *l, uint64_t rows)
{
	if (l)
		l->stats.lost += rows;
}

void attempt_log_reopen(struct attempt_log *l)
{
	if (l)
		lane_reopen(l->lane);
}

void attempt_log_end(struct attempt_log *l, uint64_t wall_ns)
{
	struct timespec t;
	uint64_t until = 0;

	if (!l)
		return;
	if (!l->cfg->json && l->stats.rows) {
		if (!l->batch)
			l->batch = open_memstream(&l->text, &l->len);
		if (l->batch)
			conn_tsv_end(l->batch, wall_ns);
	}
	attempt_log_flush(l);
	clock_gettime(CLOCK_MONOTONIC, &t);
	if (l->cfg->command != COMMAND_REPLAY)
		until = (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec + END_NS;
	lane_end(l->lane, until);
}

void attempt_log_free(struct attempt_log *l)
{
	if (!l)
		return;
	if (l->batch) {
		fclose(l->batch);
		free(l->text);
	}
	lane_free(l->lane);
	free(l);
}

void attempt_log_stats_get(const struct attempt_log *l, struct attempt_log_stats *ret)
{
	struct lane_stats lane;

	*ret = (struct attempt_log_stats){ 0 };
	if (!l)
		return;
	*ret = l->stats;
	lane_stats_get(l->lane, &lane);
	ret->lost += lane.lost;
}

int attempt_log_verdict(const struct attempt_log *l, struct error *err)
{
	struct attempt_log_stats s;

	attempt_log_stats_get(l, &s);
	if (!s.lost)
		return EXIT_FINE;
	return error_set(err, EXIT_RUNTIME, EXIT_RUNTIME,
			 "%" PRIu64 " rows of the log of attempts were never written", s.lost);
}
