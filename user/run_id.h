/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What tells the ids of one run from those of another: the first evidence that an id is given for.
 * So who reads the same capture again gives the same ids, and others do by chance of 2^-32. */
#ifndef RECONMON_RUN_ID_H
#define RECONMON_RUN_ID_H

#include <reconmon/packet.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* run_id_mix - FNV-1a (Fowler, Noll, Vo) of len bytes, after `id`. */
static inline uint32_t run_id_mix(uint32_t id, const void *bytes, size_t len)
{
	const uint8_t *b = bytes;

	for (size_t i = 0; i < len; i++)
		id = (id ^ b[i]) * 16777619u;
	return id;
}

/* run_id - of what looks (a rule's name, "incident"), whom it saw and when, by the wall clock in
 * nanoseconds. Never 0. */
static inline uint32_t run_id(const char *what, const struct ip_addr *orig,
			      const struct ip_addr *resp, int64_t wall_ns)
{
	uint32_t id = run_id_mix(2166136261u, what, strlen(what));

	id = run_id_mix(id, orig, sizeof(*orig));
	id = run_id_mix(id, resp, sizeof(*resp));
	id = run_id_mix(id, &wall_ns, sizeof(wall_ns));
	return id ? id : 1;
}

#endif
