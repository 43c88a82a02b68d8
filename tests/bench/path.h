/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What bench_path.c tells path.bpf.c to do. */
#ifndef RECONMON_TESTS_BENCH_PATH_H
#define RECONMON_TESTS_BENCH_PATH_H

#include <reconmon/platform.h>

enum {
	PLAN_STEPS = 4,
	PLAN_LAG = 32,	/* fewer than any `flows`; what is long swept is as cold as it would be */
	PLAN_WORDS = 7, /* Ethernet, IPv4 and TCP headers without options are 54 bytes */
};

/* A conversation that a test run repeats: run n is packet n % steps of flow n / steps. */
struct plan {
	__u64 packet[PLAN_STEPS][PLAN_WORDS];
	__u32 from_resp[PLAN_STEPS]; /* 1: the flow's port is the destination's */
	__u32 steps;
	__u32 flow_mask; /* flows - 1; they differ in the originator's port, */
	__u32 vary_addr; /* 1: and in its address, so that each is a contact of its own; from flow
			  * 65,536 on in any case */
	__u32 swept;	 /* 1: the slot of a conversation is emptied PLAN_LAG conversations later */
	__u32 step, flow; /* where the run is; reset step to 0 */
	__u64 runs;
};

#endif
