// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* How long may an attempt be silent before that means something? */
#include "sweep.h"

/* ripe_after_ns - an established connection may wait for a slow greeting, or be a browser's
 * preconnect; everything else would have gone on within a round trip. */
uint64_t ripe_after_ns(const struct ripeness *r, const struct attempt *a, uint8_t state)
{
	if (a->proto == PROTO_TCP && state & STATE_ESTAB)
		return r->settle_open_ns;
	return r->settle_ns;
}
