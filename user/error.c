// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "error.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	STALL_MS = 100
};

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

int error_prefix(struct error *err, int code, const char *fmt, ...)
{
	char text[sizeof(err->text)];
	size_t len;
	va_list ap;

	if (!err)
		return code;
	memcpy(text, err->text, sizeof(text));
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	len = strlen(err->text);
	snprintf(err->text + len, sizeof(err->text) - len, ": %s", text);
	return code;
}

void log_set_level(enum log_level l)
{
	level = l;
}

/* Does standard error take something? A pipe that poll() calls writable has room for PIPE_BUF bytes
 * (pipe(7)). Threads of outputs log too; that two of them wait is no harm. */
static bool takes_more(void)
{
	static atomic_bool stalled;
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };
	bool takes = poll(&p, 1, atomic_load(&stalled) ? 0 : STALL_MS) != 0;

	atomic_store(&stalled, !takes);
	return takes;
}

void log_text(const char *text, size_t len)
{
	while (len && takes_more()) {
		ssize_t n = write(STDERR_FILENO, text, len < PIPE_BUF ? len : PIPE_BUF);

		if (n < 0 && errno != EINTR)
			return;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
}

static void log_line(const char *prefix, const char *fmt, va_list ap)
{
	char line[1100];
	int n = snprintf(line, sizeof(line), "%s", prefix);

	n += vsnprintf(line + n, sizeof(line) - 1 - (size_t)n, fmt, ap);
	if (n > (int)sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n] = '\n';
	log_text(line, (size_t)n + 1); /* one write: lines of two processes do not mix */
}

void log_problem(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line("reconmon: ", fmt, ap);
	va_end(ap);
}

void log_notice(const char *fmt, ...)
{
	va_list ap;

	if (level < LOG_NOTICE)
		return;
	va_start(ap, fmt);
	log_line("", fmt, ap);
	va_end(ap);
}

void log_debug(const char *fmt, ...)
{
	va_list ap;

	if (level < LOG_DEBUG)
		return;
	va_start(ap, fmt);
	log_line("", fmt, ap);
	va_end(ap);
}
