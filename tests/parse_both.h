/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* parse_packet() for tests, which makes sure that the parser's short way leads where the long one
 * does: what parse_quick() takes, parse_thorough() reads as the same packet, with the same hash. */
#ifndef RECONMON_TESTS_PARSE_BOTH_H
#define RECONMON_TESTS_PARSE_BOTH_H

#include <string.h>

#include <reconmon/nursery.h>

/* parse_both_family - what parse_quick() says of the frame, and where both ways differ, in *ret_why
 * (else NULL). */
static inline enum quick_family parse_both_family(const struct cursor *at, int ethernet,
						  const char **ret_why)
{
	static const __u64 seed[4] = { 0x243F6A8885A308D3, 0x13198A2E03707345, 0xA4093822299F31D1,
				       0x082EFA98EC4E6C89 };
	struct packet quick, thorough;
	enum quick_family family;
	struct cursor cur = *at;
	struct quick q;

	*ret_why = NULL;
	if (parse_quick(at, QUICK_AT_HAND, ethernet, &q) &&
	    !parse_quick(at, QUICK_WIRE, ethernet, &q) &&
	    (size_t)((const char *)at->end - (const char *)at->pos) <= at->wire_left)
		*ret_why = "what is at hand is enough, and the whole frame is not";
	family = parse_quick(at, QUICK_WIRE, ethernet, &q);
	if (family == QUICK_NOT)
		return family;
	if (parse_thorough(&cur, ethernet, &thorough))
		*ret_why = "parse_quick() takes what parse_thorough() refuses";
	memset(&quick, 0xa5, sizeof(quick));
	quick_packet(&q, &quick);
	if (memcmp(&quick, &thorough, sizeof(quick)))
		*ret_why = "parse_quick() reads another packet than parse_thorough()";
	if (quick_hash(&q, family, seed) != nursery_hash(&thorough, seed))
		*ret_why = "quick_hash() is not nursery_hash()";
	return family;
}

#endif
