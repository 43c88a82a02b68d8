/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A replay that somebody looks at while it runs (`replay --top`): as fast as the files were, times
 * a factor, and with the daemon's control socket, so that whoever can ask a daemon can ask it. */
#ifndef RECONMON_REPLAY_SHOW_H
#define RECONMON_REPLAY_SHOW_H

#include "config.h"
#include "counters.h"
#include "engine.h"
#include "output.h"

struct replay_show;

/* replay_show_open - listens where cfg->control says. The clock of the files stands still until the
 * first replay_show_until(). read_counters: fills what there is to count; ctx is its first
 * argument. Engine and output must outlive it. Returns 0 with *ret for replay_show_close(), or a
 * negative errno with err filled. */
int replay_show_open(const struct config *cfg, struct engine *engine, const struct output *out,
		     void (*read_counters)(void *ctx, struct counters *c), void *ctx,
		     struct replay_show **ret, struct error *err);
void replay_show_close(struct replay_show *s); /* NULL is fine */

/* replay_show_alert - an alert says something. replay_show_tick - evidence was judged. */
void replay_show_alert(struct replay_show *s, const struct alert *a, enum alert_state state);
void replay_show_tick(struct replay_show *s, uint64_t now_ns);

/* replay_show_until - answers whoever asks until that moment of the files' clock has come. */
void replay_show_until(struct replay_show *s, uint64_t t_ns);

/* replay_show_stay - answers whoever asks for ever: a signal ends it. */
void replay_show_stay(struct replay_show *s) __attribute__((noreturn));

#endif
