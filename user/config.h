/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Everything a user can choose, after the command line is read and checked. */
#ifndef RECONMON_CONFIG_H
#define RECONMON_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "net.h"
#include "rule.h"

enum ingress_hook {
	INGRESS_AUTO, /* native XDP on physical NICs that have it free, tc elsewhere */
	INGRESS_TC,
	INGRESS_XDP,
	INGRESS_XDP_GENERIC,
};

enum command {
	COMMAND_WATCH,	/* live, the default */
	COMMAND_REPLAY, /* over captures */
};

enum {
	IFACE_PATTERNS_MAX = 64,
	IFACE_PATTERN_LEN = 64
};

struct config {
	enum command command;
	const char **file; /* replay: what to read, in argv; freed by config_done() */
	size_t files;
	bool fail_on_alert; /* replay: exit 10 when something was found */
	char iface[IFACE_PATTERNS_MAX]
		  [IFACE_PATTERN_LEN]; /* names or globs; none: all that are up */
	uint32_t ifaces;
	enum ingress_hook ingress;
	uint64_t tick_ns;	 /* 50 ms to 60 s; default 1 s */
	uint64_t settle_ns;	 /* 100 ms to 60 s; default 2 s */
	uint64_t settle_open_ns; /* 100 ms to 10 min; default 30 s */
	uint64_t duration_ns;	 /* 0: until a signal */
	enum rule_profile profile;
	struct rule_set rules;
	struct net_list internal;
	bool json;
	bool color;		/* text to a terminal, NO_COLOR unset */
	int verbosity;		/* -1: -q, 0, 1: -v */
	uint32_t nursery_slots; /* a power of two; 65,536 */
	uint32_t contacts_max;	/* entries of the map `contacts` */
	uint32_t groups_max;	/* live groups a rule, user space */
};

/* config_defaults - what `reconmon` alone means. */
void config_defaults(struct config *cfg);
/* config_done - frees what cli_parse() allocated in it. */
void config_done(struct config *cfg);

#endif
