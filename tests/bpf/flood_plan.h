/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What test_flood.c tells flood.bpf.c to send. */
#ifndef RECONMON_TESTS_FLOOD_PLAN_H
#define RECONMON_TESTS_FLOOD_PLAN_H

#include <reconmon/platform.h>

struct flood_plan {
	__be32 dst;
	__be16 port; /* 0: any */
	__u16 refused;
};

#endif
