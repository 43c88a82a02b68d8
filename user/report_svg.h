/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The pictures of a report, as SVG elements that stand in a page or in a file of their own. Colours
 * are classes (user/report/picture.css). */
#ifndef RECONMON_REPORT_SVG_H
#define RECONMON_REPORT_SVG_H

#include <stdio.h>

#include "report_model.h"
#include "services.h"

/* What a picture shows. */
struct report_picture {
	uint64_t marks, drawn;	 /* known; in the picture */
	uint64_t kind[MARK_MAX]; /* of marks */
	unsigned int pauses;	 /* that are cut out of the time */
	uint32_t height;	 /* in the units of the picture */
};

/* report_svg_scan - an <svg> of one alert: time across, ports (of a sweep: hosts) up, one mark a
 * probe, colour and shape by what it was answered. `number` makes its ids; y moves it down, where
 * it stands in another <svg>. Of more than `most` marks those that would lie on one another are
 * drawn once. Nothing is written, and ret->drawn is 0, if no probe of it is known or for want of
 * memory. */
void report_svg_scan(FILE *out, const struct report *m, const struct report_alert *a,
		     const struct services *services, unsigned int number, uint32_t y, size_t most,
		     struct report_picture *ret);

/* report_svg_overview - an <svg> of everything: who scanned when, a row an originator, and below it
 * how many probes there were. Returns its height; 0: there is nothing to show, and nothing is
 * written. */
uint32_t report_svg_overview(FILE *out, const struct report *m);

/* report_svg_key - the mark of a kind alone, for legends and tables. */
void report_svg_key(FILE *out, enum mark_kind kind);

/* report_svg_file - all pictures in one document of their own. Returns 0, or -EIO with errno. */
int report_svg_file(FILE *out, const struct report *m, const struct services *services);

#endif
