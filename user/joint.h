/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Did many originators look at one host's ports together? A scan that is split among many addresses
 * shows each of them at a few ports, and each port to few of them. Many clients of a service that
 * is down show the opposite: one port to all of them.
 *
 * So of the pairs of originator and port only those count whose port hardly anybody else tried, and
 * whose originator has not tried so many that it is a scanner by itself: the rules about one
 * originator have that one, and what it tried must not hide what the others did. */
#ifndef RECONMON_JOINT_H
#define RECONMON_JOINT_H

#include <stdint.h>

#include "window.h"

enum {
	JOINT_ORIGINATORS_MAX = 1024, /* that a rule may ask for */
	JOINT_PORTS_MAX = 1024,	      /* likewise ports */
	JOINT_KEEP = 2048,	      /* pairs that a group holds; with more it is not judged */
	JOINT_SHARE = 4,	      /* who tried more than 1/4 of the threshold is left out */
	JOINT_CROWD = 8, /* so are ports that more than 1/8 of the others tried, but for one */
};

struct joint_count {
	uint32_t pairs, ports, originators;
};

/* joint_choose - pairs[0..n), in which addr is the originator, each pair once; moves those that
 * count to the front. limit: ports that one originator may have tried, 1 or more. Returns how many
 * they are, and of how many ports and originators. */
struct joint_count joint_choose(struct window_value *pairs, uint32_t n, uint32_t limit);

/* joint_limit - the limit that belongs to a rule. */
static inline uint32_t joint_limit(const struct rule *rule)
{
	return rule->threshold > JOINT_SHARE ? rule->threshold / JOINT_SHARE : 1;
}

#endif
