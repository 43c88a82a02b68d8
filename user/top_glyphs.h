/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Small pictures made of characters: a sparkline, a map of ports, a time line. Each cell is a level
 * or an answer; which character and colour it becomes is the terminal's business. */
#ifndef RECONMON_TOP_GLYPHS_H
#define RECONMON_TOP_GLYPHS_H

#include <stdbool.h>
#include <stdint.h>

#include "portset.h"

enum {
	GLYPH_LEVELS = 8, /* of a sparkline's cell; 0 is nothing at all */
	GLYPH_PORTS = 65536,
};

/* glyph_spark - n numbers as `cells` levels, 0 to GLYPH_LEVELS, the latest on the right; where
 * cells are fewer, each has the highest of its share. The highest of all is the highest level, a
 * number above zero never level 0. */
void glyph_spark(const uint32_t *numbers, unsigned int n, uint8_t *ret, unsigned int cells);

/* What a cell of a map or time line holds: the most telling answer, and how full it is. */
struct glyph_cell {
	uint8_t answer; /* enum answer + 1; 0: empty */
	uint16_t count;
};

/* glyph_better - whether answer a tells more than b (both + 1): open, filtered, closed, none. */
bool glyph_better(uint8_t a, uint8_t b);

/* glyph_map - ports by answer (as lists of ranges, by enum answer) over `cells` cells that share
 * all 65,536 ports evenly; cells divides GLYPH_PORTS. */
void glyph_map(const char *const *lists, struct glyph_cell *ret, unsigned int cells);

/* One probe on a time line. */
struct glyph_probe {
	double t; /* seconds */
	uint16_t port;
	uint8_t answer; /* enum answer */
};

/* glyph_timeline - probes over rows x columns: time to the right from `first` to `last`, ports
 * upwards by their rank among those there are, so that a handful of ports that lie far apart is
 * still a picture. ret: rows * columns cells, top row first. ranks (rows entries, top first; may be
 * NULL): the lowest port of each row, -1 where a row has none. Sorts the probes by port. */
void glyph_timeline(struct glyph_probe *probe, unsigned int n, double first, double last,
		    unsigned int rows, unsigned int columns, struct glyph_cell *ret, int *ranks);

#endif
