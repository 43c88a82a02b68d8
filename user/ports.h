/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Ports as a user lists them: numbers and ranges. (What an alert found is a portset, portset.h.) */
#ifndef RECONMON_PORTS_H
#define RECONMON_PORTS_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"

enum {
	PORT_RANGES_MAX = 32, /* in one list */
	PORT_RANGE_TEXT = 12, /* "65534-65535" */
};

/* Zeroed is empty. Ports are in host byte order. */
struct port_ranges {
	struct {
		uint16_t first, last; /* both included */
	} range[PORT_RANGES_MAX];
	uint32_t n;
};

/* port_ranges_add - reads "22" or "8000-8010" and adds it to the list. Returns 0, or -EINVAL with
 * err filled: no port, a range that runs backwards, a list that is full, or ports that are there
 * already. `what` names the option. */
int port_ranges_add(const char *what, const char *text, struct port_ranges *ret, struct error *err);

bool port_ranges_has(const struct port_ranges *p, uint16_t port);

/* port_ranges_count - how many ports they are. */
uint32_t port_ranges_count(const struct port_ranges *p);

/* port_ranges_format - range i (below p->n) as port_ranges_add() reads it, into buf of
 * PORT_RANGE_TEXT bytes; returns buf. */
const char *port_ranges_format(const struct port_ranges *p, uint32_t i, char *buf);

#endif
