/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The time axis of a picture. A scan of a millisecond and its stragglers two minutes later would be
 * a line and a dot: a pause that takes a third of the width or more, and far longer than most, is
 * cut out, and what remains is laid out in parts. */
#ifndef RECONMON_REPORT_AXIS_H
#define RECONMON_REPORT_AXIS_H

#include <stddef.h>
#include <stdint.h>

enum {
	AXIS_PARTS_MAX = 4,
	AXIS_CUT = 72,	      /* width of a pause that is cut out: its length stands in it */
	AXIS_PART_LEAST = 34, /* width of a part, be it a moment */
};

struct report_axis {
	struct axis_part {
		uint64_t t0_ns, t1_ns; /* from its first to its last moment */
		double x0, x1;
	} part[AXIS_PARTS_MAX]; /* in order of time */
	unsigned int parts;
};

/* report_axis_make - lays n moments (1 or more, sorted; nanoseconds) out between left and right. */
void report_axis_make(struct report_axis *ret, const uint64_t *t_ns, size_t n, double left,
		      double right);

/* report_axis_x - where a moment lies; of one within a pause, where the part before it ends. */
double report_axis_x(const struct report_axis *x, uint64_t t_ns);

/* report_axis_span - what is not cut out, in nanoseconds. */
uint64_t report_axis_span(const struct report_axis *x);

/* report_axis_step - a step that people count in (1, 2, 5 of a unit, 15 minutes, 6 hours, ...), at
 * most so many of which fit into the span. report_axis_after - a time after the beginning in the
 * unit that suits the step: "0.4 ms", "90 s"; buf has REPORT_WORD_MAX bytes; returns it. */
uint64_t report_axis_step(uint64_t span_ns, unsigned int most);
const char *report_axis_after(uint64_t t_ns, uint64_t step_ns, char *buf);

#endif
