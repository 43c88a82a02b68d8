/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Telling the service manager how we are: sd_notify(3)'s protocol, a datagram of lines KEY=VALUE to
 * the socket that $NOTIFY_SOCKET names. Without that variable nothing is said. Not libsystemd: this
 * is all that we would use of it. */
#ifndef RECONMON_NOTIFY_H
#define RECONMON_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

enum {
	NOTIFY_STATUS_MAX = 256
};

struct notify {
	int fd;				/* -1: nobody listens */
	uint64_t watchdog_ns;		/* how often it wants to hear of us; 0: never */
	char status[NOTIFY_STATUS_MAX]; /* the last that was said */
};

/* notify_open - reads the variables and takes them out of the environment: they are not meant for
 * our children. */
void notify_open(struct notify *n);
void notify_close(struct notify *n);

/* notify_is_on - is there a service manager? */
bool notify_is_on(const struct notify *n);

/* notify_ready - all hooks are attached; after notify_reloading() too: the reload is done. */
void notify_ready(const struct notify *n);
void notify_reloading(const struct notify *n);
void notify_stopping(const struct notify *n);
void notify_alive(const struct notify *n); /* for its watchdog */

/* notify_status - one line about how it goes (printf); the same again is not sent. */
void notify_status(struct notify *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
