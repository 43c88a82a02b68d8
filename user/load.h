/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The BPF side as the daemon holds it: loaded programs, maps, counters. */
#ifndef RECONMON_LOAD_H
#define RECONMON_LOAD_H

#include <reconmon/stats.h>
#include <stdint.h>

#include "config.h"
#include "error.h"

struct reconmon_bpf;

struct pin;

struct bpf_side {
	struct reconmon_bpf *skel;
	struct pin *pin;	/* what keeps it all; NULL: it ends with us. The caller's */
	int cpus;		/* possible CPUs: entries of a per-CPU value */
	struct error no_owners; /* text: why owners cannot be found; "": they can */
};

/* bpf_side_load - loads programs and maps for cfg. wake_ports: threshold of the early wake-up, 0
 * for none. pin: takes over the maps that it keeps, and keeps these; NULL: none. Returns 0 and
 * fills *ret (bpf_side_unload() frees it), or a negative errno with err saying what the kernel or
 * the permissions lack. */
int bpf_side_load(const struct config *cfg, uint32_t wake_ports, struct pin *pin,
		  struct bpf_side *ret, struct error *err);
void bpf_side_unload(struct bpf_side *b); /* a zeroed one is fine */

/* bpf_side_stats - sums the counters over all CPUs. Returns 0 or a negative errno. */
int bpf_side_stats(const struct bpf_side *b, struct stats *ret);

#endif
