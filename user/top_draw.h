/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* How does it look? Draws with curses what top_model.c has arranged. Nothing here asks anybody or
 * changes the model. */
#ifndef RECONMON_TOP_DRAW_H
#define RECONMON_TOP_DRAW_H

#include <stdbool.h>

#include "services.h"
#include "top_model.h"

enum top_view {
	TOP_LIST,
	TOP_ORIGINATOR, /* one of them: alert by alert, time line, map of ports */
	TOP_HELP,
};

/* What is on the screen beside the model. */
struct top_screen {
	const char *source; /* "daemon", "own daemon", "replay" */
	enum top_view view;
	size_t first;	     /* row of the list at the top of the screen */
	bool frozen;	     /* the picture is; the daemon is not */
	const char *gone;    /* why the daemon answers no more; NULL: it does */
	const char *typed;   /* filter that is being typed, or NULL */
	const char *problem; /* a sentence for the last line, or NULL */
	const json_t *alert; /* of the originator that is looked at: answer to `alerts`, or NULL */
	size_t nth;	     /* which of its alerts */
	const struct services *services;
};

/* top_draw_init - once curses is up: colours, unless NO_COLOR is set or there are none; block
 * characters if the locale's encoding is UTF-8. */
void top_draw_init(void);

/* top_draw - the whole screen. Moves screen->first so that the chosen row is seen. */
void top_draw(const struct top_model *m, struct top_screen *screen);

/* top_draw_rows - how many rows of the list the screen holds. */
int top_draw_rows(void);

#endif
