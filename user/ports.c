// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "ports.h"

#include <errno.h>
#include <stdio.h>

/* port_read - up to five digits at *p, which moves behind them. Returns the port or -EINVAL. */
static int port_read(const char **p)
{
	int port = 0, digits = 0;

	for (; **p >= '0' && **p <= '9' && digits < 6; (*p)++, digits++)
		port = port * 10 + (**p - '0');
	return digits && port <= UINT16_MAX ? port : -EINVAL;
}

int port_ranges_add(const char *what, const char *text, struct port_ranges *ret, struct error *err)
{
	const char *p = text;
	int first = port_read(&p), last = first;

	if (*p == '-') {
		p++;
		last = port_read(&p);
	}
	if (first < 0 || last < 0 || *p)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "%s '%.80s': a port from 0 to 65535 or a range like 8000-8010 is "
				 "accepted",
				 what, text);
	if (last < first)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "%s '%.80s': a range begins with its lower port: %d-%d", what,
				 text, last, first);
	for (uint32_t i = 0; i < ret->n; i++)
		if (first <= ret->range[i].last && last >= ret->range[i].first)
			return error_set(err, -EINVAL, EXIT_USAGE,
					 "%s '%.80s': listed already, with %u-%u", what, text,
					 ret->range[i].first, ret->range[i].last);
	if (ret->n == PORT_RANGES_MAX)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "%s '%.80s': more than %d of them; neighbours make a range", what,
				 text, PORT_RANGES_MAX);
	ret->range[ret->n].first = (uint16_t)first;
	ret->range[ret->n++].last = (uint16_t)last;
	return 0;
}

bool port_ranges_has(const struct port_ranges *p, uint16_t port)
{
	for (uint32_t i = 0; i < p->n; i++)
		if (port >= p->range[i].first && port <= p->range[i].last)
			return true;
	return false;
}

uint32_t port_ranges_count(const struct port_ranges *p)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->n; i++) /* no two overlap */
		n += p->range[i].last - p->range[i].first + 1u;
	return n;
}

const char *port_ranges_format(const struct port_ranges *p, uint32_t i, char *buf)
{
	if (p->range[i].first == p->range[i].last)
		snprintf(buf, PORT_RANGE_TEXT, "%u", p->range[i].first);
	else
		snprintf(buf, PORT_RANGE_TEXT, "%u-%u", p->range[i].first, p->range[i].last);
	return buf;
}
