// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "notify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_US 1000ull

/* connect_to - "/path", or "@name" in the abstract namespace. Returns a descriptor, or -1. */
static int connect_to(const char *name)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t len = strlen(name);
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	int fd;

	if ((*name != '/' && *name != '@') || len < 2 || len >= sizeof(to.sun_path))
		return -1;
	memcpy(to.sun_path, name, len);
	if (*name == '@')
		to.sun_path[0] = '\0';
	else
		size++;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, size)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* watchdog_of - WATCHDOG_USEC, unless it is meant for another process. */
static uint64_t watchdog_of(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

	if (!usec || (pid && strtoul(pid, NULL, 10) != (unsigned long)getpid()))
		return 0;
	return strtoull(usec, NULL, 10) * NS_PER_US;
}

void notify_open(struct notify *n)
{
	const char *name = getenv("NOTIFY_SOCKET");

	*n = (struct notify){ .fd = name ? connect_to(name) : -1 };
	if (n->fd >= 0)
		n->watchdog_ns = watchdog_of();
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

void notify_close(struct notify *n)
{
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}

bool notify_is_on(const struct notify *n)
{
	return n->fd >= 0;
}

/* A manager that does not read is not waited for. */
static void say(const struct notify *n, const char *text)
{
	if (n->fd >= 0)
		send(n->fd, text, strlen(text), MSG_NOSIGNAL);
}

void notify_ready(const struct notify *n)
{
	say(n, "READY=1\n");
}

void notify_reloading(const struct notify *n)
{
	struct timespec t;
	char text[80];

	clock_gettime(CLOCK_MONOTONIC, &t);
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\n",
		 (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000);
	say(n, text);
}

void notify_stopping(const struct notify *n)
{
	say(n, "STOPPING=1\n");
}

void notify_alive(const struct notify *n)
{
	say(n, "WATCHDOG=1\n");
}

void notify_status(struct notify *n, const char *fmt, ...)
{
	char status[NOTIFY_STATUS_MAX], text[NOTIFY_STATUS_MAX + 16];
	va_list ap;

	if (n->fd < 0)
		return;
	va_start(ap, fmt);
	vsnprintf(status, sizeof(status), fmt, ap);
	va_end(ap);
	if (!strcmp(status, n->status))
		return;
	memcpy(n->status, status, sizeof(status));
	snprintf(text, sizeof(text), "STATUS=%s\n", status);
	say(n, text);
}
