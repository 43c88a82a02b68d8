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

/* Where alerts go. Any number of outputs, each with its own filter and format; output_config.h
 * reads one from text. */
enum output_kind {
	OUTPUT_STDOUT,
	OUTPUT_FILE,
	OUTPUT_KIND_MAX,
};

enum output_format {
	FORMAT_DEFAULT, /* what the kind of output is usually read with: output_format() */
	FORMAT_TEXT,
	FORMAT_ECS,
	FORMAT_MAX,
};

enum {
	OUTPUTS_MAX = 16,
	OUTPUT_TARGET_MAX = 512,
	OUTPUT_RULES_MAX = 256,
};

struct output_config {
	enum output_kind kind;
	char target[OUTPUT_TARGET_MAX]; /* file: its path; stdout: "" */
	enum output_format format;
	uint8_t states;		      /* set of 1 << enum alert_state; all by default */
	uint8_t severity;	      /* what is below stays unsaid here; 0 (default) to 10 */
	char rules[OUTPUT_RULES_MAX]; /* names, joined by '+'; "" (default): all */
	uint32_t queue_bytes;	      /* text that may wait for the receiver; 64K to 1G */
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
	struct output_config output[OUTPUTS_MAX];
	uint32_t outputs;	/* none: alerts go to standard output */
	bool json;		/* standard output: ECS where no format is given */
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
