// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "reload.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"

struct noting {
	reload_note_fn *note;
	void *ctx;
};

__attribute__((format(printf, 2, 3))) static void note(const struct noting *n, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	n->note(n->ctx, text);
}

/* is_applied - settings of one word that hold from now on. */
static bool is_applied(const char *name)
{
	return !strcmp(name, "ingress") || !strcmp(name, "verbosity") ||
	       !strcmp(name, "reload-on-change");
}

/* keep_settings - the kernel's programs, the sweep, windows and outputs were made for these. */
static int keep_settings(const struct config *now, struct config *next, const struct noting *n,
			 struct error *err)
{
	unsigned int settings;
	const struct config_setting *s = config_settings(&settings);
	char was[CONFIG_WORD_MAX], is[CONFIG_WORD_MAX];

	for (unsigned int i = 0; i < settings; i++) {
		s[i].get(now, was);
		s[i].get(next, is);
		if (is_applied(s[i].name) || !strcmp(was, is))
			continue;
		if (next->profile != now->profile)
			return error_set(err, -EINVAL, EXIT_USAGE,
					 "profile '%s': it was '%s', and another one needs a "
					 "restart",
					 is, was);
		s[i].set(next, s[i].name, was, NULL);
		note(n, "%s stays %s; %s needs a restart", s[i].name, was, is);
	}
	return 0;
}

static void keep_limits(const struct config *now, struct config *next, const struct noting *n)
{
	unsigned int limits;
	const struct config_limit *l = config_limits(&limits);
	char text[16];

	for (unsigned int i = 0; i < limits; i++) {
		uint32_t was = config_limit_get(now, &l[i]), is = config_limit_get(next, &l[i]);

		if (was == is)
			continue;
		snprintf(text, sizeof(text), "%u", was);
		config_limit_set(next, &l[i], l[i].name, text, NULL);
		note(n, "limits.%s stays %u; %u needs a restart", l[i].name, was, is);
	}
}

static void keep_outputs(const struct config *now, struct config *next, const struct noting *n)
{
	bool same = next->outputs == now->outputs;

	for (uint32_t i = 0; same && i < now->outputs; i++)
		same = !strcmp(now->output_said[i], next->output_said[i]);
	if (!same)
		note(n, "outputs stay as they are; others need a restart");
	memcpy(next->output, now->output, sizeof(next->output));
	memcpy(next->output_said, now->output_said, sizeof(next->output_said));
	next->outputs = now->outputs;
}

/* keep_geoip - files that have changed are opened again by themselves. */
static void keep_geoip(const struct config *now, struct config *next, const struct noting *n)
{
	bool same = next->geoips == now->geoips;

	for (uint32_t i = 0; same && i < now->geoips; i++)
		same = !strcmp(now->geoip[i], next->geoip[i]);
	if (!same)
		note(n, "geoip stays as it is; other databases need a restart");
	memcpy(next->geoip, now->geoip, sizeof(next->geoip));
	next->geoips = now->geoips;
}

/* is_again - can the file be read a second time? A pipe (-c <(...)) has been read, or makes us wait
 * for whoever writes into it, and so does a terminal. What is not there is said by who reads. */
static bool is_again(const char *path)
{
	struct stat st;

	return !path || stat(path, &st) < 0 || S_ISREG(st.st_mode) || S_ISDIR(st.st_mode);
}

int reload_read(const struct config *now, reload_note_fn *note_fn, void *ctx, struct config **ret,
		struct error *err)
{
	const struct noting n = { note_fn, ctx };
	struct config *next;
	int r = 0;

	if (!is_again(now->config_file))
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "%.300s: a pipe or device, which cannot be read again; a plain "
				 "file can",
				 now->config_file);
	next = malloc(sizeof(*next));
	if (!next)
		return error_set(err, -ENOMEM, EXIT_RUNTIME, "no memory for a configuration");
	if (cli_parse(now->argc, now->argv, next, err) != CLI_RUN) {
		free(next);
		return -EINVAL;
	}
	r = keep_settings(now, next, &n, err);
	if (r < 0) {
		config_done(next);
		free(next);
		return r;
	}
	keep_limits(now, next, &n);
	keep_outputs(now, next, &n);
	keep_geoip(now, next, &n);
	*ret = next;
	return 0;
}
