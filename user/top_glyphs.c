// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "top_glyphs.h"

#include <stdlib.h>
#include <string.h>

#include "top_model.h"

void glyph_spark(const uint32_t *numbers, unsigned int n, uint8_t *ret, unsigned int cells)
{
	uint32_t most = 0;

	for (unsigned int i = 0; i < n; i++)
		if (numbers[i] > most)
			most = numbers[i];
	for (unsigned int c = 0; c < cells; c++) {
		/* from the right: cell `cells - 1` ends with the latest number */
		unsigned int end = n - (unsigned int)((uint64_t)(cells - 1 - c) * n / cells);
		unsigned int begin = n - (unsigned int)((uint64_t)(cells - c) * n / cells);
		uint32_t top = 0;

		for (unsigned int i = begin; i < end; i++)
			if (numbers[i] > top)
				top = numbers[i];
		ret[c] = top ? (uint8_t)(1 + (uint64_t)(top - 1) * (GLYPH_LEVELS - 1) /
						     (most > 1 ? most - 1 : 1))
			     : 0;
		if (top == most && most)
			ret[c] = GLYPH_LEVELS;
	}
}

bool glyph_better(uint8_t a, uint8_t b)
{
	static const uint8_t worth[ANSWER_MAX + 1] = { [ANSWER_NONE + 1] = 1,
						       [ANSWER_CLOSED + 1] = 2,
						       [ANSWER_FILTERED + 1] = 3,
						       [ANSWER_OPEN + 1] = 4 };

	return worth[a] > worth[b];
}

static void cell_add(struct glyph_cell *c, uint8_t answer)
{
	if (c->count < UINT16_MAX)
		c->count++;
	if (glyph_better(answer + 1, c->answer))
		c->answer = answer + 1;
}

struct map {
	struct glyph_cell *cell;
	unsigned int share; /* ports a cell */
	uint8_t answer;
};

static void map_range(void *ctx, uint32_t first, uint32_t last)
{
	const struct map *m = ctx;

	for (uint32_t p = first; p <= last; p++)
		cell_add(&m->cell[p / m->share], m->answer);
}

void glyph_map(const char *const *lists, struct glyph_cell *ret, unsigned int cells)
{
	struct map m = { .cell = ret, .share = GLYPH_PORTS / cells };

	memset(ret, 0, cells * sizeof(*ret));
	for (m.answer = 0; m.answer < ANSWER_MAX; m.answer++)
		top_ports_each(lists[m.answer], map_range, &m);
}

static int by_port(const void *a, const void *b)
{
	const struct glyph_probe *x = a, *y = b;

	return (x->port > y->port) - (x->port < y->port);
}

static unsigned int distinct_ports(const struct glyph_probe *probe, unsigned int n)
{
	unsigned int ports = 0;

	for (unsigned int i = 0; i < n; i++)
		ports += !i || probe[i].port != probe[i - 1].port;
	return ports;
}

void glyph_timeline(struct glyph_probe *probe, unsigned int n, double first, double last,
		    unsigned int rows, unsigned int columns, struct glyph_cell *ret, int *ranks)
{
	double span = last > first ? last - first : 1;
	unsigned int ports, rank = 0;

	memset(ret, 0, (size_t)rows * columns * sizeof(*ret));
	for (unsigned int i = 0; ranks && i < rows; i++)
		ranks[i] = -1;
	qsort(probe, n, sizeof(*probe), by_port);
	ports = distinct_ports(probe, n);
	for (unsigned int i = 0; i < n; i++) {
		double x = (probe[i].t - first) / span;
		unsigned int column, row;

		rank += i && probe[i].port != probe[i - 1].port;
		row = rows - 1 -
		      (ports <= rows ? rank : (unsigned int)((uint64_t)rank * rows / ports));
		x = x < 0 ? 0 : x > 1 ? 1 : x;
		column = (unsigned int)(x * (columns - 1) + 0.5);
		cell_add(&ret[(size_t)row * columns + column], probe[i].answer);
		if (ranks && ranks[row] < 0)
			ranks[row] = probe[i].port;
	}
}
