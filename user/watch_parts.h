/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The parts of the live daemon (watch.h), which one thread runs: watch.c has the loop and the tick,
 * watch_ifaces.c the interfaces, watch_answers.c what those are told who ask, watch_reload.c a
 * configuration that is read again. What they share is here; nobody else includes it. */
#ifndef RECONMON_WATCH_PARTS_H
#define RECONMON_WATCH_PARTS_H

#include <sys/resource.h>

#include "attach.h"
#include "attempt_log.h"
#include "config_change.h"
#include "control.h"
#include "counters.h"
#include "floods.h"
#include "iface.h"
#include "keep.h"
#include "live.h"
#include "metrics.h"
#include "notify.h"
#include "output.h"
#include "owner_maps.h"
#include "pin.h"
#include "recent.h"
#include "state.h"
#include "unseen.h"
#include "watch.h"

/* An interface that is wanted and could not be watched. */
struct refusal {
	uint32_t ifindex;
	int error;
	char why[200];
};

struct watch {
	struct config *cfg;  /* a reload puts another in its place */
	const char *pin_dir; /* what outlives us is kept there; NULL: nothing does */
	struct pin *pin;     /* likewise */
	struct keep *keep;   /* likewise */
	struct bpf_side bpf;
	struct sweep *sweep;
	struct engine *engine;
	struct state state;
	struct drain *drain;
	struct floods *floods;
	struct unseen *unseen;
	unsigned int ticks;	       /* since the last look at those */
	struct owner_maps *owner_maps; /* NULL: owners stay unknown */
	struct owners *owners;
	struct kube *kube; /* NULL: pods have no names */
	struct config_change change;
	struct iface_monitor *monitor;
	struct ring_buffer *ring;
	struct output *out;
	struct attempt_log *attempts; /* NULL: none is kept */
	struct live *live;
	struct recent *recent;
	struct control *control; /* NULL: nobody can ask */
	struct metrics *metrics; /* NULL: they are off */
	struct recent_histogram drain_took;
	struct attachment *hook;
	size_t hooks, hooks_room;
	struct refusal *refused;
	size_t refusals;
	uint64_t retried_ns; /* when the refused were last tried */
	rlim_t files_max;    /* RLIMIT_NOFILE */
	struct notify notify;
	int epoll_fd, tick_fd, early_fd, signal_fd, end_fd, alive_fd;
	uint64_t started_ns, drained_ns, config_read_ns;
	uint64_t drain_ns;	  /* when the last drain began */
	uint64_t took_ns;	  /* ... and how long it took */
	bool draining;		  /* it goes on */
	char reload_problem[512]; /* why the last one was not taken; "": it was */
	char no_owners[512];	  /* why they stay unknown */
	uint64_t lost;		  /* as of the last drain */
	uint64_t unfollowed;	  /* likewise, attempts that the guard left out */
	uint32_t wake_ports;	  /* what the kernel was told; 0: never to wake */
	bool early_pending;
	bool ready;
	bool relist;	   /* interfaces are to be looked at with the next tick */
	bool spoke;	   /* an alert was said in this drain */
	bool silent;	   /* alerts are our predecessor's, who has said them */
	int done;	   /* an exit code has been chosen */
	struct error *err; /* of the whole run */
};

/* watch.c: the counters as they are now; a whole drain, after the one that is going on; one more
 * descriptor to wait for (0, or a negative errno). */
void watch_counters(struct watch *w, struct counters *c);
void watch_drain_now(struct watch *w);
int watch_listen(struct watch *w, int fd);

/* watch_ifaces.c. Of an interface: our hook, or NULL; taken away; refused, or NULL; not refused any
 * more; seen, changed or gone (an iface_event_fn). */
struct attachment *watch_hook_find(struct watch *w, uint32_t ifindex);
void watch_hook_drop(struct watch *w, struct attachment *a);
struct refusal *watch_refusal_find(struct watch *w, uint32_t ifindex);
void watch_refusal_drop(struct watch *w, uint32_t ifindex);
void watch_on_iface(void *ctx, const struct iface *iface, bool gone);

/* Of all: as many files as may be open; names that are there (0, or -ENODEV with err filled); the
 * first look (0, or a negative errno with w->err filled), the word that it is done, and every look
 * after it: what netlink says, all of them again (0 or a negative errno), those that were refused,
 * those that show us nothing. */
void watch_raise_files(struct watch *w);
int watch_check_names(const struct config *cfg, struct error *err);
int watch_ifaces(struct watch *w);
void watch_say_ready(struct watch *w);
void watch_on_links(struct watch *w);
int watch_look_at_all(struct watch *w);
void watch_retry_refused(struct watch *w);
void watch_look_at_unseen(struct watch *w);

/* watch_answers.c: opens what is asked (0, or a negative errno with w->err filled), and gives those
 * figures who scrape. */
int watch_open_metrics(struct watch *w);
int watch_open_control(struct watch *w);
void watch_publish(struct watch *w);

/* watch_reload.c: reads the configuration again. A bad one changes nothing and says so. */
void watch_reload(struct watch *w);

#endif
