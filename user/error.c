// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "error.h"

#include <stdarg.h>
#include <stdio.h>

static enum log_level level = LOG_NOTICE;

int error_set(struct error *err, int code, enum exit_code exit_code, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return code;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	err->exit_code = exit_code;
	return code;
}

void log_set_level(enum log_level l)
{
	level = l;
}

static void log_line(const char *fmt, va_list ap)
{
	char line[1024];

	vsnprintf(line, sizeof(line), fmt, ap);
	fprintf(stderr, "%s\n", line); /* one write: lines of two processes do not mix */
}

void log_problem(const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(stderr, "reconmon: %s\n", text);
}

void log_notice(const char *fmt, ...)
{
	va_list ap;

	if (level < LOG_NOTICE)
		return;
	va_start(ap, fmt);
	log_line(fmt, ap);
	va_end(ap);
}

void log_debug(const char *fmt, ...)
{
	va_list ap;

	if (level < LOG_DEBUG)
		return;
	va_start(ap, fmt);
	log_line(fmt, ap);
	va_end(ap);
}
