/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Who takes clsact filters away when the daemon cannot any more? A child process that waits for the
 * end of a pipe. It is started with the first filter, knows each by a message, and needs nothing
 * else: no maps, no programs. */
#ifndef RECONMON_JANITOR_H
#define RECONMON_JANITOR_H

#include "tc.h"

/* janitor_note - tells it of a filter that was made (or removed). Returns 0 or a negative errno. */
int janitor_note(const struct tc_hook *h, bool made);

/* janitor_remove - removes the filter if the program there is still ours, and the qdisc if we made
 * it and nothing is left in it. */
void janitor_remove(const struct tc_hook *h);

/* janitor_remove_qdisc - removes an interface's clsact qdisc if it is empty. */
void janitor_remove_qdisc(uint32_t ifindex);

#endif
