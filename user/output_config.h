/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One output as people write it: a destination ("stdout", "file:/var/log/alerts.json") and settings
 * by name ("format" "ecs"). The command line and the configuration file both come through here, so
 * that both accept the same and complain alike. */
#ifndef RECONMON_OUTPUT_CONFIG_H
#define RECONMON_OUTPUT_CONFIG_H

#include "config.h"

/* output_config_dest - reads a destination into *ret, all settings at their defaults. Returns 0, or
 * -EINVAL with err filled. */
int output_config_dest(const char *dest, struct output_config *ret, struct error *err);

/* output_config_set - applies one setting. Keys: format; severity (0 to 10); states (words out of
 * open, update, close joined by '+'); rules (names joined by '+'); queue (bytes, with K, M or G);
 * of syslog also facility (a name of syslog(3)), framing (octet, lf), enterprise (a number);
 * of what goes over HTTP token-file and ca (paths), index (a name).
 * Returns 0, or -EINVAL with err filled and *oc unchanged. */
int output_config_set(struct output_config *oc, const char *key, const char *value,
		      struct error *err);

/* output_config_parse - "DEST[,KEY=VALUE]...", as on the command line. A destination that holds a
 * comma can only be given to output_config_dest(). */
int output_config_parse(const char *text, struct output_config *ret, struct error *err);

/* output_config_rules - checks the names in `rules` against those there are. Returns 0, or -EINVAL
 * with err filled. */
int output_config_rules(const struct output_config *oc, const struct rule_set *rules,
			struct error *err);

/* output_format - the format that an output writes: its own, or what its kind has by default. */
enum output_format output_format(const struct output_config *oc);

/* output_format_name - "text", "ecs". */
const char *output_format_name(enum output_format f);

/* output_config_name - the destination as it was written, without settings, into buf of
 * OUTPUT_NAME_MAX bytes; returns buf. For messages and counters. */
enum {
	OUTPUT_NAME_MAX = OUTPUT_TARGET_MAX + 32
};
const char *output_config_name(const struct output_config *oc, char *buf);

/* output_list_has - is `name` one of those in `list` ("a+b")? An empty list has all. */
bool output_list_has(const char *list, const char *name);

#endif
