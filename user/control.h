/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The control socket: who may open it asks a running daemon how it is doing. A line of JSON in,
 * lines of JSON out; docs/control.md is the protocol.
 *
 * It runs in the loop of the daemon and never waits for a client: sockets do not block, an answer
 * is made once for all who ask within a twentieth of a second, a client gets its next answer when
 * it has taken the last, and each turn writes at most CONTROL_TURN_BYTES to it. Clients are
 * limited, and one that takes nothing for five seconds is let go. Where there is no descriptor left
 * for one, it waits at the door, which is looked at again a second later. */
#ifndef RECONMON_CONTROL_H
#define RECONMON_CONTROL_H

#include "config.h"
#include "control_request.h"

enum {
	CONTROL_CLIENTS_MAX = 16,
	CONTROL_TURN_BYTES = 64 * 1024,
};

struct control;

/* Who knows the answers. Texts are lines without their ends, for free(); NULL is want of memory. */
struct control_source {
	void *ctx;
	/* one - the answer to `status` or `live`. */
	char *(*one)(void *ctx, enum control_get get);
	/* walk_begin - a walk over alerts, or over the one of that id. walk_next - its next line;
	 * NULL: that was all, or no memory. walk_end - frees it. */
	void *(*walk_begin)(void *ctx, const char *id);
	char *(*walk_next)(void *ctx, void *walk);
	void (*walk_end)(void *ctx, void *walk);
};

struct control_stats {
	uint32_t clients;    /* now */
	uint64_t requests;   /* taken */
	uint64_t invalid;    /* that made no sense */
	uint64_t refused;    /* clients that came when there were too many */
	uint64_t unaccepted; /* times that one could not be let in: no descriptor, no memory */
	uint64_t dropped;    /* clients that took nothing for too long */
	uint64_t skipped;    /* answers of a subscription that its reader was too slow for */
};

/* control_open - listens where cfg says, if it says so. Returns 0 with *ret for control_close(),
 * NULL where there is nothing to listen at; note (not NULL) then says why, or is empty. A negative
 * errno with err filled: the path was asked for and cannot be had. Another daemon's socket is left
 * alone, what a dead one left is replaced. */
int control_open(const struct config *cfg, const struct control_source *source,
		 struct control **ret, struct error *note, struct error *err);
void control_close(struct control *c); /* NULL is fine */

/* control_fd - becomes readable when there is work for control_run(). */
int control_fd(const struct control *c);
void control_run(struct control *c, uint64_t now_ns);

void control_stats_get(const struct control *c, struct control_stats *ret);

/* control_address - where a daemon with this configuration listens, or a client of it asks: what
 * --control or `control:` says, else reconmon.sock in $RUNTIME_DIRECTORY (systemd's
 * RuntimeDirectory=) or /run/reconmon. buf: CONTROL_PATH_MAX bytes. NULL: nowhere. */
const char *control_address(const struct config *cfg, char *buf);

#endif
