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

/* The programs that packets pass, one a hook and kind of frame. */
enum packet_program {
	PROGRAM_TC_INGRESS,
	PROGRAM_TC_EGRESS,
	PROGRAM_TC_INGRESS_L3,
	PROGRAM_TC_EGRESS_L3,
	PROGRAM_XDP,
	PACKET_PROGRAMS
};

struct bpf_side {
	struct reconmon_bpf *skel;
	int late[PACKET_PROGRAMS]; /* descriptors of those that were loaded later, else 0 */
	struct pin *pin;	   /* what keeps it all; NULL: it ends with us. The caller's */
	int cpus;		   /* possible CPUs: entries of a per-CPU value */
	struct error no_owners;	   /* text: why owners cannot be found; "": they can */
};

/* bpf_side_load - loads maps for cfg, and the programs that nearly every host needs: the verifier
 * takes its time for each. wake_ports: threshold of the early wake-up, 0
 * for none. pin: takes over the maps that it keeps, and keeps these; NULL: none. Returns 0 and
 * fills *ret (bpf_side_unload() frees it), or a negative errno with err saying what the kernel or
 * the permissions lack. */
int bpf_side_load(const struct config *cfg, uint32_t wake_ports, struct pin *pin,
		  struct bpf_side *ret, struct error *err);
void bpf_side_unload(struct bpf_side *b); /* a zeroed one is fine */

/* bpf_side_program - the descriptor of a program, which is loaded if nothing has needed it so far.
 * It stays b's. Returns a negative errno with err filled if the kernel refuses it. */
int bpf_side_program(struct bpf_side *b, enum packet_program which, struct error *err);

/* bpf_side_stats - sums the counters over all CPUs. Returns 0 or a negative errno. */
int bpf_side_stats(const struct bpf_side *b, struct stats *ret);

#endif
