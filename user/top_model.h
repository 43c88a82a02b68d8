/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What `top` shows: the answer to `live` (docs/control.md) as rows that can be sorted, filtered and
 * pointed at. Knows nothing of terminals. */
#ifndef RECONMON_TOP_MODEL_H
#define RECONMON_TOP_MODEL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net.h"
#include "portset.h"

enum top_sort {
	TOP_BY_SEVERITY, /* of its alerts; then by ports */
	TOP_BY_PORTS,
	TOP_BY_RATE,
	TOP_BY_LAST, /* whose last probe is the latest */
	TOP_BY_ADDRESS,
	TOP_SORT_MAX,
};

enum {
	TOP_SECONDS = 60,    /* of the sparkline */
	TOP_FILTER_MAX = 64, /* bytes, NUL included */
	TOP_OWNER_MAX = 96,
	TOP_TECHNIQUES_MAX = 64,
};

/* An originator that looks around. Texts are borrowed from the answer. */
struct top_row {
	const json_t *said; /* its object in "originators" */
	const char *addr, *last;
	uint32_t ports, responders;
	uint32_t answers[ANSWER_MAX]; /* ports by answer */
	double rate;
	uint32_t per_second[TOP_SECONDS]; /* oldest first */
	int severity;			  /* of its worst open alert; 0: it has none */
	uint32_t alerts;		  /* open */
	char technique[TOP_TECHNIQUES_MAX];
	char owner[TOP_OWNER_MAX]; /* "nmap[4242]", "?nmap[4242]" (a guess), a container; "" */
};

struct top_model {
	json_t *live;	     /* the latest answer; NULL: none yet */
	struct top_row *row; /* those that fit the filter, in order */
	size_t rows, room, total;
	enum top_sort sort;
	bool reverse;
	char filter[TOP_FILTER_MAX];
	char chosen[NET_TEXT_MAX];	  /* address of the row that is pointed at; "": the first */
	uint32_t per_second[TOP_SECONDS]; /* of all together */
};

/* top_model_take - shows another answer from now on, which is taken over. Returns 0, or -ENOMEM
 * (what was shown stays). An answer of the wrong shape shows as nothing. */
int top_model_take(struct top_model *m, json_t *live);

/* top_model_arrange - sorts and filters anew, after a change of sort, reverse or filter. Returns as
 * top_model_take(). */
int top_model_arrange(struct top_model *m);

void top_model_done(struct top_model *m);

/* top_model_at - index of the row that is pointed at; 0 if it is gone. top_model_point - points
 * `by` rows further, within what is there. */
size_t top_model_at(const struct top_model *m);
void top_model_point(struct top_model *m, long by);

const char *top_sort_name(enum top_sort sort); /* "severity", "ports", ... */

/* top_alerts - the open alerts of an originator, worst first, borrowed, into ret of `max` entries.
 * Returns how many there are in the answer. */
size_t top_alerts(const struct top_model *m, const char *addr, const json_t **ret, size_t max);

/* top_ports_each - calls fn with each range of "22,80,8000-8010"; what is no range is passed over.
 * Returns the number of ports. fn may be NULL. */
uint32_t top_ports_each(const char *list, void (*fn)(void *ctx, uint32_t first, uint32_t last),
			void *ctx);

#endif
