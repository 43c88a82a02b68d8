/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What went wrong, in one sentence for a person. Filled once, where the facts are known; main() or
 * the loop decides what becomes of it. */
#ifndef RECONMON_ERROR_H
#define RECONMON_ERROR_H

#include <stddef.h>

/* Exit codes, the same for every subcommand. */
enum exit_code {
	EXIT_FINE = 0,
	EXIT_RUNTIME = 1,	/* something failed while it ran */
	EXIT_USAGE = 2,		/* a command line that makes no sense */
	EXIT_NOT_PERMITTED = 3, /* root or capabilities are missing */
	EXIT_KERNEL = 4,	/* the kernel lacks something */
	EXIT_FOUND = 10,	/* replay --fail-on-alert: something was found */
};

struct error {
	int exit_code; /* enum exit_code */
	char text[512];
};

/* error_set - writes the sentence (printf; one line, lower case, no full stop: thing, value,
 * remedy) and the exit code into err, which may be NULL. Returns code, a negative errno, so that
 * a failing function ends with `return error_set(...)`. */
int error_set(struct error *err, int code, enum exit_code exit_code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* error_prefix - puts "CONTEXT: " (printf) in front of the sentence that is there already: what a
 * module that knew no more could not say. err may be NULL. Returns code. */
int error_prefix(struct error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Diagnostics, to standard error. Modules below the loop do not call these. */
enum log_level {
	LOG_QUIET = 0,
	LOG_NOTICE,
	LOG_DEBUG
};
void log_set_level(enum log_level level);

/* log_text - lines as they are, whatever the level. A standard error whose reader stalls must not
 * stall us: after 0.1 s what it does not take is dropped, until it takes something again. */
void log_text(const char *text, size_t len);

/* log_problem - always shown: "reconmon: ...". */
void log_problem(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* log_notice - not with -q. */
void log_notice(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* log_debug - only with -v. */
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
