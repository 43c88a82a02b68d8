/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The one place where the two builds of the daemon differ in what the skeleton holds: see sweep.c
 * (nursery) and sweep_lru.c (the reference). */
#ifndef RECONMON_STORE_MAPS_H
#define RECONMON_STORE_MAPS_H

#include <reconmon/flood.h> /* before the skeleton, which has variables of their types */
#include <reconmon/owner.h>

#include <reconmon.skel.h>
#include <stdint.h>

/* store_maps_size - before the load: room for so many undecided attempts. Returns 0 or a negative
 * errno. */
int store_maps_size(struct reconmon_bpf *skel, uint32_t slots);

#endif
