/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* How is the daemon doing? Gathers what it knows of itself into JSON, for the control socket
 * (control.h) and the metrics (metrics.h); docs/control.md tells every member. Nothing here changes
 * anything, and nothing is kept. */
#ifndef RECONMON_STATUS_H
#define RECONMON_STATUS_H

#include <jansson.h>

#include "attach.h"
#include "counters.h"
#include "live.h"
#include "recent.h"

enum {
	STATUS_ALERTS_MAX = 64,	 /* open alerts that `status` and `live` list, the latest first */
	STATUS_PROBES_MAX = 16,	 /* of each, so many of its last probes in `live` */
	STATUS_LOOKERS_MAX = 64, /* originators in `live` */
	STATUS_HABITS_MAX = 100,
	STATUS_MISSED_MAX = 512, /* interfaces that are not watched */
};

/* An interface that is not watched, or of which nothing is seen. */
struct status_missed {
	char name[IFNAMSIZ];
	uint32_t ifindex;
	char why[256];
};

/* What there is to look at; all of it the caller's. */
struct status_view {
	const struct config *cfg;
	const struct counters *counters;
	const struct engine *engine;
	const struct live *live;
	const struct recent *recent;
	const struct attachment *hook;
	size_t hooks;
	const struct status_missed *missed; /* status_json() only */
	size_t n_missed;
	size_t refused;		/* interfaces that are wanted and cannot be watched */
	size_t unseen;		/* ... that are watched, and whose packets we do not see */
	const char *no_owners;	/* why owners are unknown; "": they are not */
	const char *state_file; /* where habits are kept; "": nowhere */
	const struct recent_histogram *drain_took;
	struct sink_context sc;	    /* this moment, and what makes wall clock of it */
	uint64_t started_ns;	    /* CLOCK_BOOTTIME */
	uint64_t config_read_ns;    /* when the configuration in effect was read */
	const char *reload_problem; /* why a later one was not taken; "": there is none */
	bool reloaded_well;	    /* the last reload, or the start, went well */
	bool ready;		    /* attached, and drained once */
};

enum {
	STATUS_DIGITS = 12, /* of numbers that are not whole, in JSON text */
};

/* status_figures - what can be counted: the part of `status` that metrics are made of.
 * status_json - all of `status`. status_live - `live`. Each returns an object, or NULL for want of
 * memory. */
json_t *status_figures(const struct status_view *v);
json_t *status_json(const struct status_view *v);
json_t *status_live(const struct status_view *v);

/* status_text - an answer as a line without its end, for free(); takes the object over. NULL: it
 * was NULL, or there is no memory. */
char *status_text(json_t *answer);

/* status_print - an answer to `status` as text for people: of the counters those that are not 0 and
 * the few that are looked for even then, or all. Returns 0 or -EIO. */
int status_print(const json_t *status, bool all, FILE *out);

#endif
