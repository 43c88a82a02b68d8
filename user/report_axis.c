// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "report_axis.h"

#include <stdbool.h>
#include <stdlib.h>

#include "report_text.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define NS_PER_US     ((uint64_t)1000)
#define NS_PER_MS     ((uint64_t)1000000)
#define NS_PER_S      ((uint64_t)1000000000)

enum {
	/* A pause of this part of what remains is cut out, if it is so many times longer than most:
	 * in a scan of a probe an hour no hour is a pause. */
	CUT_SHARE = 3,
	CUT_TIMES = 8,
	SAMPLE = 255, /* pauses of which the median is taken for that of all */
};

/* --- pauses --------------------------------------------------------------------------------- */

/* widest - the place behind which the longest pause is that is not cut out yet; ret_ns is its
 * length. */
static size_t widest(const uint64_t *t, size_t n, const size_t *cut, unsigned int cuts,
		     uint64_t *ret_ns)
{
	size_t at = 0;

	*ret_ns = 0;
	for (size_t i = 0; i + 1 < n; i++) {
		bool is_cut = false;

		if (t[i + 1] - t[i] <= *ret_ns)
			continue;
		for (unsigned int k = 0; k < cuts; k++)
			is_cut |= cut[k] == i;
		if (is_cut)
			continue;
		*ret_ns = t[i + 1] - t[i];
		at = i;
	}
	return at;
}

static int compare_ns(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

	return (a > b) - (a < b);
}

/* usual - the median pause. */
static uint64_t usual(const uint64_t *t, size_t n)
{
	uint64_t pause[SAMPLE];
	size_t every = n / SAMPLE + 1, taken = 0;

	for (size_t i = 0; i + 1 < n && taken < SAMPLE; i += every)
		pause[taken++] = t[i + 1] - t[i];
	if (!taken)
		return 0;
	qsort(pause, taken, sizeof(*pause), compare_ns);
	return pause[(taken - 1) / 2];
}

/* cuts_find - the places behind which a pause is cut out, in order. Something remains. */
static unsigned int cuts_find(const uint64_t *t, size_t n, size_t *cut)
{
	uint64_t left = t[n - 1] - t[0], least = usual(t, n) * CUT_TIMES, pause;
	unsigned int cuts = 0;

	while (cuts + 1 < AXIS_PARTS_MAX) {
		size_t at = widest(t, n, cut, cuts, &pause);
		unsigned int to = cuts;

		if (pause < left / CUT_SHARE || pause < least || pause >= left)
			break;
		left -= pause;
		for (; to && cut[to - 1] > at; to--)
			cut[to] = cut[to - 1];
		cut[to] = at;
		cuts++;
	}
	return cuts;
}

void report_axis_make(struct report_axis *ret, const uint64_t *t_ns, size_t n, double left,
		      double right)
{
	size_t cut[AXIS_PARTS_MAX];
	unsigned int cuts = cuts_find(t_ns, n, cut);
	double room, x = left;
	uint64_t span;

	ret->parts = cuts + 1;
	for (unsigned int i = 0; i <= cuts; i++) {
		ret->part[i].t0_ns = t_ns[i ? cut[i - 1] + 1 : 0];
		ret->part[i].t1_ns = t_ns[i < cuts ? cut[i] : n - 1];
	}
	span = report_axis_span(ret);
	room = right - left - cuts * (double)AXIS_CUT -
	       (cuts ? ret->parts * (double)AXIS_PART_LEAST : 0);
	for (unsigned int i = 0; i <= cuts; i++) {
		struct axis_part *part = &ret->part[i];
		double share = span ? (double)(part->t1_ns - part->t0_ns) / (double)span : 1;

		part->x0 = x;
		part->x1 = x + room * share + (cuts ? AXIS_PART_LEAST : 0);
		x = part->x1 + AXIS_CUT;
	}
}

double report_axis_x(const struct report_axis *x, uint64_t t_ns)
{
	const struct axis_part *p = &x->part[0];

	for (unsigned int i = 1; i < x->parts && t_ns >= x->part[i].t0_ns; i++)
		p = &x->part[i];
	if (t_ns <= p->t0_ns)
		return p->t1_ns > p->t0_ns ? p->x0 : (p->x0 + p->x1) / 2;
	if (t_ns >= p->t1_ns)
		return p->t1_ns > p->t0_ns ? p->x1 : (p->x0 + p->x1) / 2;
	return p->x0 + (p->x1 - p->x0) * (double)(t_ns - p->t0_ns) / (double)(p->t1_ns - p->t0_ns);
}

uint64_t report_axis_span(const struct report_axis *x)
{
	uint64_t span = 0;

	for (unsigned int i = 0; i < x->parts; i++)
		span += x->part[i].t1_ns - x->part[i].t0_ns;
	return span;
}

/* --- labels --------------------------------------------------------------------------------- */

uint64_t report_axis_step(uint64_t span_ns, unsigned int most)
{
	static const uint64_t minutes[] = { 1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440 };
	uint64_t step = 1;

	for (; step <= 10 * NS_PER_S; step *= 10)
		for (unsigned int k = 1; k <= 5; k += k == 2 ? 3 : 1) {
			if (k == 3 || step * k > 30 * NS_PER_S)
				continue;
			if (span_ns / (step * k) <= most)
				return step * k;
		}
	for (size_t i = 0; i < ARRAY_SIZE(minutes); i++)
		if (span_ns / (minutes[i] * 60 * NS_PER_S) <= most)
			return minutes[i] * 60 * NS_PER_S;
	for (step = 2 * 86400 * NS_PER_S; span_ns / step > most;)
		step *= 2;
	return step;
}

const char *report_axis_after(uint64_t t_ns, uint64_t step_ns, char *buf)
{
	static const struct {
		uint64_t ns;
		const char *name;
	} units[] = {
		{ 86400 * NS_PER_S, "d" },
		{ 3600 * NS_PER_S, "h" },
		{ 60 * NS_PER_S, "min" },
		{ NS_PER_S, "s" },
		{ NS_PER_MS, "ms" },
		{ NS_PER_US, "us" },
		{ 1, "ns" },
	};
	size_t i = 0;

	/* The largest in which steps have a digit behind the point at most. */
	while (i + 1 < ARRAY_SIZE(units) &&
	       (step_ns * 5 < units[i].ns || step_ns % (units[i].ns / 10)))
		i++;
	snprintf(buf, REPORT_WORD_MAX, "%.10g %s", (double)t_ns / (double)units[i].ns,
		 units[i].name);
	return buf;
}
