/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Why did it fire? An alert explained: the rule in words, what each port answered, what would have
 * to be otherwise for it to stay quiet, the lines that silence it and nothing else, and the filter
 * that shows its packets in Wireshark. */
#ifndef RECONMON_EXPLAIN_H
#define RECONMON_EXPLAIN_H

#include <stddef.h>

#include "config.h"
#include "error.h"
#include "subject.h"

/* explain_run - `reconmon explain ID|FILE...`: every alert in the files (alert logs of ECS
 * documents, captures, Zeek logs), or only those whose ids are given; an id without a file is asked
 * of the running daemon. To standard output, as text or (cfg->json) one JSON document a line.
 * Returns an enum exit_code with err filled unless fine. */
int explain_run(const struct config *cfg, struct error *err);

/* What the parts of an explanation are made of. cfg: the rules that hold. */
struct explain {
	const struct config *cfg;
	const struct subject *s;
	const struct services *services; /* names of ports; NULL: none */
};

/* explain_words - the parts that are sentences: an object {"why": [TEXT], "probes": [TEXT],
 * "otherwise": [TEXT]}; NULL for want of memory. */
json_t *explain_words(const struct explain *x);

/* explain_ports - a row a port or range: [{"ports", "service", "answer", "means"}] in order. Ports
 * that are neighbours and answered alike are one row where there are more than
 * EXPLAIN_ROWS_MAX. */
enum {
	EXPLAIN_ROWS_MAX = 64
};
json_t *explain_ports(const struct explain *x);

/* explain_silence - {"option": "--allow ...", "yaml": TEXT, "set": "--set ...", "set_note": TEXT,
 * "note": TEXT}: the first two, one as good as the other, silence this alert alone; the third the
 * rule, and those that would speak in its place, for everybody up to this many ports. Notes say
 * where a line is broader than that, or may not be enough. */
json_t *explain_silence(const struct explain *x);

/* explain_filter - a display filter of Wireshark 4 into buf; returns buf. Ports are left out where
 * they are more than a filter should list. */
enum {
	EXPLAIN_FILTER_MAX = 4096
};
const char *explain_filter(const struct explain *x, char *buf);

#endif
