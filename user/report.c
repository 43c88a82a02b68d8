// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* From files to a report: each input goes where it is understood, then one of the writers writes
 * what came together. */
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "replay.h"
#include "report_alertlog.h"
#include "report_html.h"
#include "report_live.h"
#include "report_svg.h"

enum {
	NONCE_BYTES = 16,
	OUT_BUFFER = 1 << 16,
};

/* --- reading -------------------------------------------------------------------------------- */

/* read_evidence - captures or logs of attempts, by the rules. */
static int read_evidence(const struct config *cfg, const char *const *file, size_t n,
			 struct report *m, struct error *err)
{
	const struct replay_tap tap = {
		.emit = report_emit,
		.told = report_told,
		.complained = report_complained,
		.ended = report_ended,
		.ctx = m,
	};

	for (size_t i = 0; i < n; i++)
		report_source_add(m, "%s", strcmp(file[i], "-") ? file[i] : "standard input");
	return replay_each(cfg, file, n, &tap, err);
}

static int read_all(const struct config *cfg, struct report *m, struct error *err)
{
	const char **evidence = calloc(cfg->files + 1, sizeof(*evidence));
	size_t n = 0;
	int code = EXIT_FINE;

	if (!evidence) {
		error_set(err, -ENOMEM, EXIT_RUNTIME, "no memory for the list of files");
		return err->exit_code;
	}
	for (size_t i = 0; code == EXIT_FINE && i < cfg->files; i++) {
		if (!report_alertlog_is(cfg->file[i]))
			evidence[n++] = cfg->file[i];
		else if (report_alertlog_read(cfg->file[i], m, err) < 0)
			code = err->exit_code;
	}
	if (!cfg->files && report_live_read(cfg, m, err) < 0)
		code = err->exit_code;
	if (code == EXIT_FINE && n)
		code = read_evidence(cfg, evidence, n, m, err);
	free(evidence);
	return code;
}

/* --- writing -------------------------------------------------------------------------------- */

/* nonce_make - what the page's policy lets its own style and script by: nobody whose text is in the
 * page could know it. */
static void nonce_make(char text[2 * NONCE_BYTES + 1])
{
	unsigned char random[NONCE_BYTES];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		memset(random, 0, sizeof(random)); /* escaping alone protects the page, then */
	for (size_t i = 0; i < NONCE_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", random[i]);
}

static int write_to(const struct config *cfg, const struct report *m, FILE *out)
{
	char nonce[2 * NONCE_BYTES + 1];
	struct services *services = cfg->numeric ? NULL : services_new();
	int r;

	if (services)
		services_load(services); /* what is missing has no name */
	switch (cfg->report_format) {
	case REPORT_SVG:
		r = report_svg_file(out, m, services);
		break;
	case REPORT_JSON:
		r = report_json_file(out, m, services);
		break;
	case REPORT_MD:
		r = report_md_file(out, m, services);
		break;
	default:
		nonce_make(nonce);
		r = report_html_file(out, m, services, nonce);
		break;
	}
	services_free(services);
	if (fflush(out) && !r)
		r = -EIO;
	return r == -EIO ? -(errno ? errno : EIO) : r;
}

/* write_file - whole, or not at all: under another name first. What is no plain file (/dev/stdout,
 * a pipe) is written to as it is. */
static int write_file(const struct config *cfg, const struct report *m, struct error *err)
{
	const char *path = cfg->report_file;
	char temp[PATH_MAX];
	struct stat st;
	bool plain = stat(path, &st) < 0 || S_ISREG(st.st_mode);
	FILE *out;
	int r;

	if (snprintf(temp, sizeof(temp), plain ? "%s.new" : "%s", path) >= (int)sizeof(temp))
		return error_set(err, -ENAMETOOLONG, EXIT_RUNTIME, "'%.80s...': %s", path,
				 strerror(ENAMETOOLONG));
	out = fopen(temp, "we");
	if (!out)
		return error_set(err, -errno, EXIT_RUNTIME, "report '%s': %m", temp);
	(void)setvbuf(out, NULL, _IOFBF, OUT_BUFFER);
	errno = 0;
	r = write_to(cfg, m, out);
	if (fclose(out) && !r)
		r = -errno;
	if (!r && plain && rename(temp, path))
		r = -errno;
	if (!r)
		return 0;
	if (plain)
		unlink(temp);
	return error_set(err, r, EXIT_RUNTIME, "report '%s': %s", path, strerror(-r));
}

static int write_report(const struct config *cfg, const struct report *m, struct error *err)
{
	int r;

	if (cfg->report_file && strcmp(cfg->report_file, "-") != 0)
		return write_file(cfg, m, err);
	errno = 0;
	r = write_to(cfg, m, stdout);
	return r ? error_set(err, r, EXIT_RUNTIME, "standard output: %s", strerror(-r)) : 0;
}

/* check_apart - evidence is not written over by what is made of it. */
static int check_apart(const struct config *cfg, struct error *err)
{
	struct stat to, from;

	if (!cfg->report_file || stat(cfg->report_file, &to) < 0 || !S_ISREG(to.st_mode))
		return 0;
	for (size_t i = 0; i < cfg->files; i++)
		if (!stat(cfg->file[i], &from) && from.st_dev == to.st_dev &&
		    from.st_ino == to.st_ino)
			return error_set(err, -EINVAL, EXIT_USAGE,
					 "-o '%s' is what is read, and would be lost; another name "
					 "keeps it",
					 cfg->report_file);
	return 0;
}

int report_run(const struct config *cfg, struct error *err)
{
	struct report *m;
	int code;

	if (check_apart(cfg, err) < 0)
		return err->exit_code;
	if (cfg->report_format == REPORT_HTML && !cfg->report_file && isatty(STDOUT_FILENO)) {
		error_set(err, -EINVAL, EXIT_USAGE,
			  "a page is nothing for a terminal: -o FILE.html writes it to a file, "
			  "--format md prints one to read here");
		return err->exit_code;
	}
	m = report_new(cfg);
	if (!m) {
		error_set(err, -ENOMEM, EXIT_RUNTIME, "no memory for a report");
		return err->exit_code;
	}
	code = read_all(cfg, m, err);
	if (code == EXIT_FINE && report_finish(m) < 0) {
		error_set(err, -ENOMEM, EXIT_RUNTIME, "no memory to order what was read");
		code = err->exit_code;
	}
	if (code == EXIT_FINE && write_report(cfg, m, err) < 0)
		code = err->exit_code;
	report_free(m);
	return code;
}
