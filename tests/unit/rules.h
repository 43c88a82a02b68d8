/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Two of the built-in rules, as the tests of alerts and outputs know them. */
#ifndef RECONMON_TESTS_RULES_H
#define RECONMON_TESTS_RULES_H

#include "rule.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define NS_PER_S      1000000000ull

#define T1046                                                                                      \
	{                                                                                          \
		"TA0007", "T1046", ""                                                              \
	}
#define T1595                                                                                      \
	{                                                                                          \
		"TA0043", "T1595", "T1595.001"                                                     \
	}

static const struct rule port_scan = {
	.name = "port-scan",
	.description = "several ports of one host",
	.where = WHERE_PROBE,
	.group = FIELD_ORIG | FIELD_RESP | FIELD_PROTO,
	.distinct = FIELD_RESP_PORT,
	.window_ns = 300 * NS_PER_S,
	.threshold = 3,
	.attack_internal = T1046,
	.attack_external = T1595,
};

static const struct rule sweep = {
	.name = "sweep",
	.description = "one port of several hosts",
	.where = WHERE_PROBE,
	.group = FIELD_ORIG | FIELD_RESP_PORT | FIELD_PROTO,
	.distinct = FIELD_RESP,
	.window_ns = 300 * NS_PER_S,
	.threshold = 25,
	.attack_internal = T1046,
	.attack_external = T1595,
};

#endif
