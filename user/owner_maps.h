/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The kernel's half of "who did it": attaches what writes sockets down, and reads what it wrote
 * (bpf/owner.h). */
#ifndef RECONMON_OWNER_MAPS_H
#define RECONMON_OWNER_MAPS_H

#include "load.h"
#include "owner.h"

struct owner_maps;

/* owner_maps_open - attaches to the sockets of this host; those of a moment ago stay unknown.
 * Returns 0 with *ret for owner_maps_close(), or a negative errno with err saying why nobody's
 * sockets will be known. `b` must outlive it. */
int owner_maps_open(const struct bpf_side *b, struct owner_maps **ret, struct error *err);
void owner_maps_close(struct owner_maps *m); /* NULL is fine */

/* owner_maps_turn - with each drain: lets go of memory that nobody asks for any more. */
void owner_maps_turn(struct owner_maps *m);

/* owner_maps_kernel - m as owners_new() takes it. */
void owner_maps_kernel(const struct owner_maps *m, struct owner_kernel *ret);

#endif
