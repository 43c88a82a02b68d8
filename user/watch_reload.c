// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* A configuration read again: applied as a whole, or not at all. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reload.h"
#include "watch_parts.h"

static void on_note(void *ctx, const char *text)
{
	(void)ctx;
	log_notice("reload: %s", text);
}

/* After a reload: those that are wanted now, and no others. */
static void on_relist(void *ctx, const struct iface *iface, bool gone)
{
	struct watch *w = ctx;
	struct attachment *a = watch_hook_find(w, iface->index);
	bool wanted = !gone && iface_is_wanted(w->cfg, iface);

	if (!wanted)
		watch_refusal_drop(w, iface->index);
	if (a && !wanted) {
		log_notice("interface '%s' is not watched any more", iface->name);
		watch_hook_drop(w, a);
	} else if (!a) {
		watch_on_iface(w, iface, gone);
	}
}

/* The kernel wakes us at a count of ports that was fixed when its programs were loaded. */
static void note_wake(const struct watch *w)
{
	uint32_t ports = engine_wake_ports(w->engine);

	if (ports && (!w->wake_ports || ports < w->wake_ports))
		on_note(NULL, "alerts at fewer ports than before may wait for the tick; a restart "
			      "makes them as fast as the others");
}

/* apply - the new configuration takes the place of the old. What it cannot do is known before
 * anything is changed. */
static int apply(struct watch *w, struct config *next, struct error *err)
{
	static const enum log_level levels[] = { LOG_QUIET, LOG_NOTICE, LOG_DEBUG };

	if (watch_check_names(next, err) < 0)
		return -ENODEV;
	watch_drain_now(w); /* what was seen so far is judged by what held so far */
	if (engine_rules(w->engine, &next->rules) < 0)
		return error_set(err, -ENOMEM, EXIT_RUNTIME, "no memory for windows and rules");
	allow_carry(next->allow, w->cfg->allow);
	config_done(w->cfg);
	*w->cfg = *next; /* in place: everybody has a pointer to it */
	log_set_level(levels[next->verbosity + 1]);
	keep_turn(w->keep, w->engine, true); /* what follows is judged by other rules */
	if (iface_monitor_list(w->monitor, on_relist, w) < 0)
		log_problem("interfaces could not be listed; those that are new may be missed");
	note_wake(w);
	return 0;
}

void watch_reload(struct watch *w)
{
	struct config *next = NULL;
	struct error err = { 0 };
	int r;

	notify_reloading(&w->notify);
	config_change_applied(&w->change, w->cfg->config_file);
	r = reload_read(w->cfg, on_note, NULL, &next, &err);

	if (!r && apply(w, next, &err) < 0) {
		config_done(next);
		r = -EINVAL;
	}
	free(next);
	snprintf(w->reload_problem, sizeof(w->reload_problem), "%s", r < 0 ? err.text : "");
	if (r < 0)
		log_problem("reload: %s; nothing was changed", err.text);
	else
		w->config_read_ns = clock_boot_ns();
	if (!r)
		log_notice("reload: %s applied; watching %zu interface%s",
			   w->cfg->config_file ? w->cfg->config_file : "no configuration file",
			   w->hooks, w->hooks == 1 ? "" : "s");
	notify_ready(&w->notify);
}
