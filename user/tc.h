/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The tc hooks: tcx where the kernel has it (Linux 6.6), clsact filters elsewhere.
 *
 * A tcx link dies with its file descriptor. A clsact filter outlives its maker, so a child process,
 * the janitor, holds the other end of a pipe and removes ours when that breaks: after kill -9 too.
 * Filters are removed by identity (is the program at that handle still ours?), never by position.
 *
 * With a pin (pin.h) both are kept: a link by its pin, a filter by not telling the janitor. Who
 * takes them over exchanges their programs in place: no packet passes unseen, nobody's order
 * changes. */
#ifndef RECONMON_TC_H
#define RECONMON_TC_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"

enum tc_kind {
	TC_NOT = 0,
	TC_TCX,
	TC_CLSACT
};

struct tc_hook {
	enum tc_kind kind;
	uint32_t ifindex;
	bool egress;
	int link_fd;		   /* tcx */
	uint32_t handle, priority; /* clsact */
	uint32_t prog_id;
	bool made_qdisc; /* the clsact qdisc was not there before us */
};

struct pin;

/* tc_attach - puts prog_fd at the head of a hook, or into what `pin` has kept there. Returns 0 with
 * *ret filled, or a negative errno with err filled and nothing changed. */
int tc_attach(int prog_fd, const char *ifname, uint32_t ifindex, bool egress, struct pin *pin,
	      struct tc_hook *ret, struct error *err);

/* tc_is_kept - does `pin` know of a hook there? tc_drop_kept - takes it away, if it does. */
bool tc_is_kept(struct pin *pin, uint32_t ifindex, bool egress);
void tc_drop_kept(struct pin *pin, uint32_t ifindex, bool egress);

/* tc_detach - takes it away, out of `pin` too; a hook that was never attached, or whose interface
 * is gone, is fine. tc_leave - leaves what is kept attached; without a pin that is nothing. */
void tc_detach(struct tc_hook *h, struct pin *pin);
void tc_leave(struct tc_hook *h);

/* tc_kind_name - "tcx" or "clsact". */
const char *tc_kind_name(enum tc_kind kind);

#endif
