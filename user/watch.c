// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "watch.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "alert_walk.h"
#include "attach.h"
#include "attempt_log.h"
#include "config_change.h"
#include "control.h"
#include "counters.h"
#include "floods.h"
#include "keep.h"
#include "live.h"
#include "metrics.h"
#include "notify.h"
#include "output.h"
#include "owner_maps.h"
#include "pin.h"
#include "recent.h"
#include "reload.h"
#include "state.h"
#include "status.h"
#include "store_maps.h"
#include "unseen.h"

/* Early drains come no closer together than this, nor than the last one took, so that a storm of
 * wake-ups costs half a core at the most and an alert waits at most this much longer. */
#define EARLY_GAP_NS 10000000ull

/* How long after an alert it is looked whether its outputs have taken it (keep.h). */
#define SAID_NS 20000000ull

/* How often interfaces that could not be watched are tried again. */
#define RETRY_NS 10000000000ull

enum {
	LOOK_TICKS = 10,      /* between two looks whether interfaces show us what they carry */
	FILES_WANTED = 65536, /* descriptors: two an interface; the kernel takes what it is asked */
	FILES_SPARE = 32,     /* left for outputs that are opened anew, and for queries */
};

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

/* ---- counters ---- */

static void read_counters(struct watch *w, struct counters *c)
{
	memset(c, 0, sizeof(*c));
	bpf_side_stats(&w->bpf, &c->kernel);
	engine_stats_get(w->engine, &c->engine);
	drain_stats_get(w->drain, &c->drain);
	sweep_stats_get(w->sweep, &c->sweep);
	c->allow = w->cfg->allow;
	c->habits = engine_habits(w->engine);
	if (w->owners)
		owners_stats_get(w->owners, &c->owners);
	c->guarded = w->floods ? floods_count(w->floods) : 0;
	if (w->control)
		control_stats_get(w->control, &c->control);
}

static void show_counters(struct watch *w, bool all)
{
	struct counters c;

	read_counters(w, &c);
	counters_outputs(&c, w->out);
	attempt_log_stats_get(w->attempts, &c.attempts);
	counters_print(&c, clock_boot_ns() - w->started_ns, all);
}

/* ---- the tick ---- */

static void on_alert(void *ctx, struct alert *a, enum alert_state state)
{
	struct watch *w = ctx;

	if (w->silent)
		return;
	recent_alert(w->recent, a, state);
	output_emit(w->out, a, state);
	w->spoke = true;
}

static int arm(int fd, uint64_t first_ns, uint64_t every_ns)
{
	const struct itimerspec t = {
		.it_value = { (time_t)(first_ns / 1000000000), (long)(first_ns % 1000000000) },
		.it_interval = { (time_t)(every_ns / 1000000000), (long)(every_ns % 1000000000) },
	};

	return timerfd_settime(fd, 0, &t, NULL) < 0 ? -errno : 0;
}

/* note_said - what all outputs have taken, or have on disk, need not be said again by a successor.
 * Looked at again soon after an alert, and from then on with every tick. */
static void note_said(struct watch *w)
{
	if (!w->keep)
		return;
	if (output_settled(w->out))
		keep_said(w->keep);
	else if (w->spoke && !w->early_pending && !arm(w->early_fd, SAID_NS, 0))
		w->early_pending = true;
	w->spoke = false;
}

static void say_status(struct watch *w, const struct counters *c)
{
	if (!notify_is_on(&w->notify) || !w->ready)
		return;
	notify_status(&w->notify, "watching %zu interface%s; %llu alerts open; %llu lost", w->hooks,
		      w->hooks == 1 ? "" : "s", (unsigned long long)c->engine.alerts_open,
		      (unsigned long long)w->lost);
}

static void on_flood(void *ctx, const struct flood_event *e)
{
	const struct watch *w = ctx;
	char text[FLOOD_TEXT_MAX];

	log_notice("%s", flood_text(e, w->cfg->guard_rate, text));
}

static void look_at_floods(struct watch *w, const struct stats *stats, uint64_t now_ns)
{
	uint64_t unfollowed = stats->n[STAT_GUARD];

	floods_tick(w->floods, &w->bpf.skel->bss->guard, stats, now_ns);
	drain_unfollowed(w->drain, unfollowed - w->unfollowed);
	w->unfollowed = unfollowed;
}

/* drain_done - the engine has had all of this drain. */
static void drain_done(struct watch *w)
{
	uint64_t now = w->drain_ns;
	struct counters c;

	read_counters(w, &c);
	w->drained_ns = clock_boot_ns();
	w->took_ns = w->drained_ns - now;
	recent_took(&w->drain_took, w->drained_ns - now);
	live_expire(w->live, now);
	counters_expired(w->cfg->allow, (int64_t)now + clock_wall_offset_ns(now));
	state_tick(&w->state, engine_habits(w->engine), now, clock_wall_offset_ns(now), false);
	note_said(w);
	keep_turn(w->keep, w->engine, false);
	say_status(w, &c);
	if (output_dead(w->out) && !w->done)
		w->done = error_set(w->err, EXIT_RUNTIME, EXIT_RUNTIME,
				    "no output takes alerts any more: %s",
				    strerror(output_dead(w->out)));
}

/* drain_on - goes on with a drain. */
static void drain_on(struct watch *w)
{
	w->draining = drain_some(w->drain);
	if (!w->draining)
		drain_done(w);
}

/* drain_start - begins a drain, unless one is going on. Mostly it is over at once; a flood's takes
 * a tenth of a second, and between its slices the loop looks at what else has come. */
static void drain_start(struct watch *w)
{
	struct counters c;
	uint64_t lost;

	if (w->draining)
		return;
	read_counters(w, &c);
	lost = counters_lost(&c);
	w->drain_ns = clock_boot_ns();
	keep_lost(w->keep, lost);
	recent_tick(w->recent);
	look_at_floods(w, &c.kernel, w->drain_ns);
	drain_begin(w->drain, w->drain_ns, clock_wall_offset_ns(w->drain_ns),
		    c.kernel.n[STAT_CONTACT_NEW], lost > w->lost);
	w->lost = lost;
	drain_on(w);
}

/* drain_now - a whole drain, after the one that is going on. */
static void drain_now(struct watch *w)
{
	while (w->draining)
		drain_on(w);
	drain_start(w);
	while (w->draining)
		drain_on(w);
}

static void retry_refused(struct watch *w);
static void look_at_unseen(struct watch *w);
static int look_at_all(struct watch *w);
static void reload(struct watch *w);

static void on_tick(struct watch *w)
{
	uint64_t n;

	if (read(w->tick_fd, &n, sizeof(n)) != sizeof(n))
		return;
	drain_start(w);
	metrics_turn(w->metrics, w->ready && w->hooks, w->hooks);
	if (w->relist)
		look_at_all(w);
	retry_refused(w);
	look_at_unseen(w);
	if (w->cfg->reload_on_change && config_change_due(&w->change, w->cfg->config_file))
		reload(w);
}

/* The ring's bytes say nothing; that there is one is the message. */
static int on_wake_event(void *ctx, void *data, size_t len)
{
	(void)ctx;
	(void)data;
	(void)len;
	return 0;
}

/* The kernel saw somebody reach a threshold. */
static void on_wake(struct watch *w)
{
	uint64_t since = clock_boot_ns() - w->drained_ns;
	uint64_t gap = w->took_ns > EARLY_GAP_NS ? w->took_ns : EARLY_GAP_NS;

	ring_buffer__consume(w->ring);
	if (since >= gap && !w->draining) {
		drain_start(w);
		return;
	}
	since = since < gap ? since : 0; /* what is going on has taken its evidence already */
	if (!w->early_pending && !arm(w->early_fd, gap - since, 0))
		w->early_pending = true;
}

static void on_early(struct watch *w)
{
	uint64_t n;

	if (read(w->early_fd, &n, sizeof(n)) != sizeof(n))
		return;
	w->early_pending = w->draining && !arm(w->early_fd, EARLY_GAP_NS, 0);
	drain_start(w);
}

/* After the first, a second one ends the process at once, whatever the last words wait for (a
 * reader of standard output that does not read). Links die with it, filters by the janitor. */
static void unblock_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* ---- interfaces ---- */

static struct attachment *hook_find(struct watch *w, uint32_t ifindex)
{
	for (size_t i = 0; i < w->hooks; i++)
		if (w->hook[i].ifindex == ifindex)
			return &w->hook[i];
	return NULL;
}

static struct attachment *hook_room(struct watch *w)
{
	if (w->hooks == w->hooks_room) {
		size_t room = w->hooks_room ? w->hooks_room * 2 : 16;
		struct attachment *more = realloc(w->hook, room * sizeof(*more));

		if (!more)
			return NULL;
		w->hook = more;
		w->hooks_room = room;
	}
	return &w->hook[w->hooks];
}

static void hook_drop(struct watch *w, struct attachment *a)
{
	attach_release(&w->bpf, a);
	*a = w->hook[--w->hooks];
}

/* raise_files - as many descriptors as the hard limit allows, or more where we may raise that. */
static void raise_files(struct watch *w)
{
	struct rlimit now, more;

	if (getrlimit(RLIMIT_NOFILE, &now) < 0)
		return;
	more = now;
	if (more.rlim_max < FILES_WANTED)
		more.rlim_max = FILES_WANTED;
	more.rlim_cur = more.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &more) < 0) { /* no CAP_SYS_RESOURCE */
		more.rlim_max = now.rlim_max;
		more.rlim_cur = now.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &more) < 0)
			more = now;
	}
	w->files_max = more.rlim_cur;
}

static struct refusal *refusal_find(struct watch *w, uint32_t ifindex)
{
	for (size_t i = 0; i < w->refusals; i++)
		if (w->refused[i].ifindex == ifindex)
			return &w->refused[i];
	return NULL;
}

static void refusal_drop(struct watch *w, uint32_t ifindex)
{
	struct refusal *f = refusal_find(w, ifindex);

	if (f)
		*f = w->refused[--w->refusals];
}

static bool has_refusal(const struct watch *w, int error)
{
	for (size_t i = 0; i < w->refusals; i++)
		if (w->refused[i].error == error)
			return true;
	return false;
}

/* refuse - remembers an interface that could not be watched, and says why unless that was said: of
 * each interface once, and that files have run out once for all of them. */
static void refuse(struct watch *w, const struct iface *iface, int error, const char *why)
{
	struct refusal *f = refusal_find(w, iface->index);
	bool said = (f && f->error == error) || (error == -EMFILE && has_refusal(w, error));
	struct refusal *more;

	if (said)
		log_debug("%s", why);
	else
		log_problem("%s", why);
	if (!f) {
		more = realloc(w->refused, (w->refusals + 1) * sizeof(*more));
		if (!more)
			return;
		w->refused = more;
		f = &more[w->refusals++];
		f->ifindex = iface->index;
	}
	f->error = error;
	snprintf(f->why, sizeof(f->why), "%.*s", (int)sizeof(f->why) - 1, why);
}

/* Are there descriptors for one more interface, and FILES_SPARE for the rest of us? The kernel
 * gives out the lowest that is free. */
static bool files_left(const struct watch *w)
{
	int lowest = dup(w->epoll_fd);

	if (lowest < 0)
		return false;
	close(lowest);
	return (rlim_t)lowest + 2 + FILES_SPARE <= w->files_max;
}

/* attach_one - as attach_iface(). */
static int attach_one(struct watch *w, const struct iface *iface, struct attachment *a,
		      struct error *note, struct error *err)
{
	int r = files_left(w) ? attach_iface(&w->bpf, w->cfg->ingress, iface, a, note, err)
			      : -EMFILE;

	if (r == -EMFILE)
		error_set(err, r, EXIT_RUNTIME,
			  "interface '%s' cannot be watched: the %llu files that this process may "
			  "open are in use, two an interface; raise the limit (LimitNOFILE= of the "
			  "unit, `ulimit -n`)",
			  iface->name, (unsigned long long)w->files_max);
	return r;
}

/* Is there hope without anybody's doing? What a driver refuses is not tried again and again: on
 * some that resets the link. */
static bool is_passing(int error)
{
	return error == -EMFILE || error == -ENFILE || error == -ENOMEM || error == -EAGAIN;
}

static size_t refusals_passing(const struct watch *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->refusals; i++)
		n += is_passing(w->refused[i].error);
	return n;
}

static void watch_iface(struct watch *w, const struct iface *iface)
{
	struct attachment *a = hook_room(w);
	struct error note, err;
	char mode[32];
	int r;

	if (!a)
		return;
	r = attach_one(w, iface, a, &note, &err);
	if (r == -ENODEV) { /* gone between its message and now: nothing to see there */
		log_debug("interface '%s' is gone before it could be watched", iface->name);
		return;
	}
	if (r < 0) {
		if (w->err->exit_code == EXIT_FINE)
			w->err->exit_code = err.exit_code; /* in case that nothing can be watched */
		refuse(w, iface, r, err.text);
		return;
	}
	refusal_drop(w, iface->index);
	w->hooks++;
	if (note.text[0])
		log_notice("%s", note.text);
	if (w->ready)
		log_notice("watching interface '%s' too (%s)", iface->name,
			   attach_mode_text(a, mode));
}

static void on_iface(void *ctx, const struct iface *iface, bool gone)
{
	struct watch *w = ctx;
	struct attachment *a = hook_find(w, iface->index);

	if (gone)
		refusal_drop(w, iface->index);
	if (gone && a) {
		w->retried_ns = 0; /* descriptors are free now */
		hook_drop(w, a);
		log_notice("interface '%s' is gone; still watching %zu", iface->name, w->hooks);
	} else if (!gone && !a && iface_is_wanted(w->cfg, iface)) {
		watch_iface(w, iface);
	}
}

/* drop_vanished - of interfaces that have gone unheard of nothing is listed. */
static void drop_vanished(struct watch *w)
{
	char name[IFNAMSIZ];

	for (size_t i = w->hooks; i--;)
		if (!if_indextoname(w->hook[i].ifindex, name))
			hook_drop(w, &w->hook[i]);
	for (size_t i = w->refusals; i--;)
		if (!if_indextoname(w->refused[i].ifindex, name))
			refusal_drop(w, w->refused[i].ifindex);
	w->retried_ns = 0;
}

/* look_at_all - after messages were lost. While too many come and go, the list is broken off again
 * and again: then the next tick looks. */
static int look_at_all(struct watch *w)
{
	int r = iface_monitor_list(w->monitor, on_iface, w);

	drop_vanished(w);
	w->relist = r == -EINTR;
	return w->relist ? 0 : r;
}

static void on_links(struct watch *w)
{
	int r = iface_monitor_read(w->monitor, on_iface, w);

	if (r == -ENOBUFS)
		r = look_at_all(w);
	if (r < 0)
		log_problem("interfaces: %s; those that come from now on may be missed",
			    strerror(-r));
}

static void on_retry(void *ctx, const struct iface *iface, bool gone)
{
	struct watch *w = ctx;
	const struct refusal *f = refusal_find(w, iface->index);

	if (f && is_passing(f->error))
		on_iface(w, iface, gone);
}

/* Once in a while, and when descriptors have become free, what was refused is tried again. */
static void retry_refused(struct watch *w)
{
	uint64_t now = clock_boot_ns();
	int r;

	if (!w->refusals || now - w->retried_ns < RETRY_NS || !refusals_passing(w))
		return;
	w->retried_ns = now;
	r = iface_monitor_list(w->monitor, on_retry, w);
	if (r < 0)
		log_debug("interfaces: %s; tried again later", strerror(-r));
}

static bool is_glob(const char *name)
{
	return strpbrk(name, "*?[");
}

/* A name without wildcard that is not there is a mistake, whatever else is there. A glob may match
 * what comes later. */
static int check_names(const struct config *cfg, struct error *err)
{
	for (uint32_t i = 0; i < cfg->ifaces; i++) {
		const char *name = cfg->iface[i];

		if (*name != '!' && !is_glob(name) && !if_nametoindex(name))
			return error_set(err, -ENODEV, EXIT_RUNTIME,
					 "no interface '%s' in this network namespace; `ip link` "
					 "lists them",
					 name);
	}
	return 0;
}

static int watch_ifaces(struct watch *w)
{
	int r = check_names(w->cfg, w->err);

	if (r < 0)
		return r;
	r = iface_monitor_list(w->monitor, on_iface, w);
	if (r < 0)
		return error_set(w->err, r, EXIT_RUNTIME, "cannot list interfaces: %s",
				 strerror(-r));
	w->retried_ns = clock_boot_ns();
	if (w->hooks)
		return 0;
	if (w->refusals)
		return error_set(w->err, -EIO, (enum exit_code)w->err->exit_code,
				 "no interface could be watched");
	if (w->cfg->ifaces) /* globs only: names were checked */
		return 0;
	return error_set(w->err, -ENODEV, EXIT_RUNTIME, "no interface is up; `ip link set DEV up`");
}

static void say_ready(struct watch *w)
{
	char mode[32], *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	w->ready = true;
	if (!out)
		return;
	fprintf(out, "ready: watching");
	if (!w->hooks)
		fprintf(out, " no interface yet; waiting for one that matches");
	for (uint32_t i = 0; !w->hooks && i < w->cfg->ifaces; i++)
		fprintf(out, "%s '%s'", i ? " or" : "", w->cfg->iface[i]);
	for (size_t i = 0; i < w->hooks; i++)
		fprintf(out, "%s %s (%s)", i ? "," : "", w->hook[i].name,
			attach_mode_text(&w->hook[i], mode));
	fprintf(out, "\n");
	if (refusals_passing(w))
		fprintf(out, "not watched yet: %zu interface%s; tried again every %llu s\n",
			refusals_passing(w), refusals_passing(w) == 1 ? "" : "s",
			RETRY_NS / 1000000000);
	if (!fclose(out))
		log_text(text, len);
	free(text);
}

/* ---- what those are told who ask ---- */

static void on_look(void *ctx, const struct iface *iface, bool gone)
{
	struct watch *w = ctx;
	uint8_t *bits = &w->bpf.skel->bss->seen[iface->index & (SEEN_SLOTS - 1)];
	char text[UNSEEN_TEXT_MAX];
	bool again;

	if (gone || !hook_find(w, iface->index))
		return;
	if (unseen_look(w->unseen, iface, __atomic_exchange_n(bits, 0, __ATOMIC_RELAXED), text,
			&again))
		(again ? log_notice : log_problem)("interface '%s': %s", iface->name, text);
}

/* look_at_unseen - once in a while: do interfaces show us what the kernel counts there? */
static void look_at_unseen(struct watch *w)
{
	if (++w->ticks < LOOK_TICKS)
		return;
	w->ticks = 0;
	unseen_begin(w->unseen);
	if (iface_monitor_list(w->monitor, on_look, w) < 0)
		log_debug("interfaces could not be listed; looked at again later");
}

static int listen_to(struct watch *w, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

struct missed_list {
	struct watch *w;
	struct status_missed *missed;
	size_t n;
};

/* why_missed - of an interface that is there and not watched. */
static const char *why_missed(struct watch *w, const struct iface *iface)
{
	const struct refusal *f = refusal_find(w, iface->index);

	if (f)
		return f->why;
	if (!iface_is_wanted(w->cfg, iface))
		return w->cfg->ifaces && iface->up ? "not among `interfaces`" : "it is down";
	return "it has just come";
}

static void note_missed(void *ctx, const struct iface *iface, bool gone)
{
	char unseen[UNSEEN_TEXT_MAX];
	struct missed_list *l = ctx;
	bool hooked = hook_find(l->w, iface->index);
	struct status_missed *m;

	if (gone || (hooked && !unseen_why(l->w->unseen, iface->index, unseen)) ||
	    l->n++ >= STATUS_MISSED_MAX)
		return;
	m = &l->missed[l->n - 1];
	m->ifindex = iface->index;
	memcpy(m->name, iface->name, sizeof(m->name));
	snprintf(m->why, sizeof(m->why), "%s", hooked ? unseen : why_missed(l->w, iface));
}

/* view_of - everything that status.c looks at; *c and *state_file are the caller's. */
static struct status_view view_of(struct watch *w, struct counters *c, char *state_file)
{
	read_counters(w, c);
	counters_outputs(c, w->out);
	attempt_log_stats_get(w->attempts, &c->attempts);
	if (!w->state.path[0] || !engine_habits(w->engine))
		*state_file = '\0';
	else
		strcpy(state_file, w->state.path);
	return (struct status_view){
		.cfg = w->cfg,
		.counters = c,
		.engine = w->engine,
		.live = w->live,
		.recent = w->recent,
		.hook = w->hook,
		.hooks = w->hooks,
		.refused = w->refusals,
		.unseen = unseen_count(w->unseen),
		.no_owners = w->no_owners,
		.state_file = state_file,
		.drain_took = &w->drain_took,
		.sc = output_context(w->out, NULL, NULL),
		.started_ns = w->started_ns,
		.config_read_ns = w->config_read_ns,
		.reload_problem = w->reload_problem,
		.reloaded_well = !w->reload_problem[0],
		.ready = w->ready && w->hooks,
	};
}

static json_t *status_now(struct watch *w)
{
	struct missed_list l = { .w = w };
	char state_file[STATE_MAX];
	struct counters c;
	struct status_view v = view_of(w, &c, state_file);
	json_t *ret;

	l.missed = calloc(STATUS_MISSED_MAX, sizeof(*l.missed));
	if (!l.missed || iface_monitor_list(w->monitor, note_missed, &l) < 0)
		log_debug("status: interfaces could not be listed");
	v.missed = l.missed;
	v.n_missed = l.n;
	ret = status_json(&v);
	free(l.missed);
	return ret;
}

static json_t *live_now(struct watch *w)
{
	char state_file[STATE_MAX];
	struct counters c;
	struct status_view v = view_of(w, &c, state_file);

	return status_live(&v);
}

static char *text_of(json_t *o)
{
	char *text = o ? json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(STATUS_DIGITS)) : NULL;

	json_decref(o);
	return text;
}

static char *answer(void *ctx, enum control_get get)
{
	return text_of(get == CONTROL_LIVE ? live_now(ctx) : status_now(ctx));
}

static void *walk_begin(void *ctx, const char *id)
{
	struct watch *w = ctx;

	return alert_walk_new(w->engine, w->recent, id);
}

static char *walk_next(void *ctx, void *walk)
{
	(void)ctx;
	return alert_walk_next(walk);
}

static void walk_end(void *ctx, void *walk)
{
	(void)ctx;
	alert_walk_free(walk);
}

/* publish - what those get who scrape. */
static void publish(struct watch *w)
{
	char state_file[STATE_MAX];
	struct counters c;
	struct status_view v = view_of(w, &c, state_file);

	metrics_publish(w->metrics, status_figures(&v));
}

static int open_metrics(struct watch *w)
{
	struct error note;
	int r = metrics_open(w->cfg, &w->metrics, &note, w->err);

	if (note.text[0])
		log_notice("%s", note.text);
	if (!w->metrics)
		return r;
	log_debug("metrics: http://%s/metrics", metrics_where(w->metrics));
	if (listen_to(w, metrics_fd(w->metrics)) < 0)
		r = error_set(w->err, -errno, EXIT_RUNTIME, "epoll: %s", strerror(errno));
	return r;
}

static int open_control(struct watch *w)
{
	const struct control_source source = { w, answer, walk_begin, walk_next, walk_end };
	struct error note;
	int r = control_open(w->cfg, &source, &w->control, &note, w->err);

	if (note.text[0] && w->cfg->control[0])
		log_problem("%s", note.text);
	else if (note.text[0])
		log_notice("%s", note.text);
	if (!r && w->control && listen_to(w, control_fd(w->control)) < 0)
		r = error_set(w->err, -errno, EXIT_RUNTIME, "epoll: %s", strerror(errno));
	return r;
}

/* ---- a configuration read again ---- */

static void on_note(void *ctx, const char *text)
{
	(void)ctx;
	log_notice("reload: %s", text);
}

/* After a reload: those that are wanted now, and no others. */
static void on_relist(void *ctx, const struct iface *iface, bool gone)
{
	struct watch *w = ctx;
	struct attachment *a = hook_find(w, iface->index);
	bool wanted = !gone && iface_is_wanted(w->cfg, iface);

	if (!wanted)
		refusal_drop(w, iface->index);
	if (a && !wanted) {
		log_notice("interface '%s' is not watched any more", iface->name);
		hook_drop(w, a);
	} else if (!a) {
		on_iface(w, iface, gone);
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

	if (check_names(next, err) < 0)
		return -ENODEV;
	drain_now(w); /* what was seen so far is judged by what held so far */
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

static void reload(struct watch *w)
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

/* SIGHUP: files are opened anew, the configuration is read again. Where there is neither, or where
 * the kernel sends it, a terminal is gone: a good end, but for a service. Returns false for that.
 */
static bool on_hangup(struct watch *w, const struct signalfd_siginfo *si)
{
	unsigned int files = output_reopen(w->out) + !!*w->cfg->attempts_file;

	attempt_log_reopen(w->attempts);
	if (!notify_is_on(&w->notify) &&
	    (si->ssi_code == SI_KERNEL || (!files && !w->cfg->config_file)))
		return false;
	reload(w);
	return true;
}

static void on_signal(struct watch *w)
{
	struct signalfd_siginfo si;

	if (read(w->signal_fd, &si, sizeof(si)) != sizeof(si))
		return;
	if (si.ssi_signo == SIGUSR1) {
		show_counters(w, true);
		return;
	}
	if (si.ssi_signo == SIGHUP && on_hangup(w, &si))
		return;
	w->done = -1; /* SIGINT, SIGTERM: a good end */
	notify_stopping(&w->notify);
	unblock_signals();
}

/* ---- the loop ---- */

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN); /* a closed standard output is an error of write */
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int open_loop(struct watch *w)
{
	w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	w->tick_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	w->early_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	w->end_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	w->alive_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	w->signal_fd = open_signals();
	if (w->epoll_fd < 0 || w->alive_fd < 0 || w->tick_fd < 0 || w->early_fd < 0 ||
	    w->end_fd < 0 || w->signal_fd < 0)
		return -errno;
	if (listen_to(w, w->alive_fd) || listen_to(w, w->tick_fd) || listen_to(w, w->early_fd) ||
	    listen_to(w, w->end_fd) || listen_to(w, w->signal_fd) ||
	    listen_to(w, iface_monitor_fd(w->monitor)) ||
	    listen_to(w, ring_buffer__epoll_fd(w->ring)))
		return -errno;
	if (arm(w->tick_fd, w->cfg->tick_ns, w->cfg->tick_ns) ||
	    arm(w->alive_fd, w->notify.watchdog_ns / 3, w->notify.watchdog_ns / 3) ||
	    arm(w->end_fd, w->cfg->duration_ns, 0))
		return -errno;
	return 0;
}

/* The loop goes round: that is all the watchdog wants to know. */
static void on_alive(struct watch *w)
{
	uint64_t n;

	if (read(w->alive_fd, &n, sizeof(n)) == sizeof(n))
		notify_alive(&w->notify);
}

static void dispatch(struct watch *w, int fd)
{
	if (fd == w->tick_fd)
		on_tick(w);
	else if (fd == w->early_fd)
		on_early(w);
	else if (fd == w->signal_fd)
		on_signal(w);
	else if (fd == w->alive_fd)
		on_alive(w);
	else if (fd == w->end_fd)
		w->done = -1;
	else if (fd == iface_monitor_fd(w->monitor))
		on_links(w);
	else if (w->metrics && fd == metrics_fd(w->metrics))
		publish(w);
	else if (w->control && fd == control_fd(w->control))
		control_run(w->control, clock_boot_ns());
	else
		on_wake(w);
}

static void loop(struct watch *w)
{
	struct epoll_event ev[8];

	while (!w->done) {
		int n = epoll_wait(w->epoll_fd, ev, 8, w->draining ? 0 : -1);

		if (n < 0 && errno != EINTR) {
			w->done = error_set(w->err, EXIT_RUNTIME, EXIT_RUNTIME, "epoll: %s",
					    strerror(errno));
			return;
		}
		for (int i = 0; i < n; i++)
			dispatch(w, ev[i].data.fd);
		if (w->draining)
			drain_on(w);
	}
}

/* Owners are an extra: where they cannot be had, all else goes on, and that is said once. */
static int open_owners(struct watch *w)
{
	struct error why = w->bpf.no_owners;
	struct owner_kernel kernel;

	if (!why.text[0])
		owner_maps_open(&w->bpf, &w->owner_maps, &why);
	if (!w->owner_maps) {
		log_notice("who scans from this host will not be known: %s", why.text);
		memcpy(w->no_owners, why.text, sizeof(w->no_owners));
		return 0;
	}
	owner_maps_kernel(w->owner_maps, &kernel);
	w->owners = owners_new(&kernel);
	if (!w->owners)
		return error_set(w->err, -ENOMEM, EXIT_RUNTIME, "no memory for owners");
	engine_owners(w->engine, w->owners);
	if (w->cfg->pod_names[0]) {
		w->kube = kube_new(w->cfg->pod_names);
		owners_name(w->owners, w->kube);
	}
	return 0;
}

static void open_state(struct watch *w)
{
	uint64_t now = clock_boot_ns();

	state_open(&w->state, w->cfg, engine_habits(w->engine), now, clock_wall_offset_ns(now));
}

/* The last of what was learnt. */
static void close_state(struct watch *w)
{
	uint64_t now = clock_boot_ns();

	state_tick(&w->state, engine_habits(w->engine), now, clock_wall_offset_ns(now), true);
}

static bool is_hooked(void *ctx, uint32_t ifindex)
{
	return hook_find(ctx, ifindex);
}

/* sweep_pins - interfaces that have vanished since, or are not wanted any more. */
static int sweep_pins(struct watch *w)
{
	unsigned int n = pin_sweep(w->pin, is_hooked, w);

	if (n)
		log_notice("pin '%s': %u hooks of interfaces that are gone, or not watched any "
			   "more, removed",
			   w->pin_dir, n);
	return 0;
}

static int open_engine(struct watch *w)
{
	engine_free(w->engine);
	w->engine = engine_new(w->cfg, on_alert, w);
	if (!w->engine)
		return error_set(w->err, -ENOMEM, EXIT_RUNTIME, "no memory for windows and rules");
	if (w->owners)
		engine_owners(w->engine, w->owners);
	engine_live(w->engine, w->live);
	open_state(w);
	return 0;
}

static void on_speak(void *ctx, bool aloud)
{
	struct watch *w = ctx;

	w->silent = !aloud;
}

/* recover - what our predecessor knew, if there was one. *last: its last tick; *left: what it had
 * not counted. Returns 1, 0 if there was none, or a negative errno with w->err filled. */
static int recover(struct watch *w, struct pieces *left, struct keep_tick *last)
{
	struct error why;
	int r = keep_open(w->pin, &w->keep, w->err);

	if (r < 0)
		return r;
	r = keep_recover(w->keep, w->engine, on_speak, w, left, last, &why);
	w->silent = false;
	if (r >= 0)
		return r;
	log_problem("pin '%s': %s", w->pin_dir, why.text);
	pieces_clear(left);
	return open_engine(w);
}

/* open_drain - all that is between the kernel's maps and the engine. */
static int open_drain(struct watch *w)
{
	bool counted = pin_map_taken_over(w->pin, "stats");
	struct pieces left = { 0 };
	struct keep_tick last;
	struct counters c;
	int found = w->pin ? recover(w, &left, &last) : 0;
	int r = found < 0 ? found : sweep_open(&w->bpf, w->cfg, &w->sweep, w->err);

	if (!r)
		r = drain_open(&w->bpf, w->sweep, w->engine, &w->drain, w->err);
	if (!r) {
		drain_keep(w->drain, w->keep, &left, found && counted ? &last : NULL);
		if (w->owners)
			drain_owners(w->drain, w->owners);
		read_counters(w, &c);
		w->lost = found && counted ? last.lost_sum : counters_lost(&c);
		w->unfollowed = c.kernel.n[STAT_GUARD];
		floods_begin(w->floods, &c.kernel);
		r = keep_begin(w->keep, w->engine, w->err);
	}
	pieces_done(&left);
	return r;
}

/* The kernel's BTF is read twice on the way up, 11 MB each time. As pieces of the heap these would
 * stay ours for good once something small lies above them (glibc raises the size from which memory
 * is mapped, and so goes back, with the first such piece): 12 MB of 24, measured. */
static void keep_heap_small(void)
{
	mallopt(M_MMAP_THRESHOLD, 256 * 1024);
}

static int open_all(struct watch *w)
{
	int r;

	keep_heap_small();
	raise_files(w);
	config_change_applied(&w->change, w->cfg->config_file);
	r = output_open(w->cfg, &w->out, w->err);

	if (r < 0)
		return r;
	r = attempt_log_open(w->cfg, &w->attempts, w->err);
	if (r < 0)
		return r;
	w->live = live_new();
	w->unseen = unseen_new();
	w->recent = recent_new(w->out);
	if (!w->live || !w->recent || !w->unseen)
		return error_set(w->err, -ENOMEM, EXIT_RUNTIME, "no memory for the alerts of late");
	w->floods = floods_new(on_flood, w);
	if (!w->floods)
		return error_set(w->err, -ENOMEM, EXIT_RUNTIME, "no memory for floods");
	r = open_engine(w);
	if (r < 0)
		return r;
	w->wake_ports = engine_wake_ports(w->engine);
	w->pin_dir = config_pin_dir(w->cfg, notify_is_on(&w->notify));
	if (w->pin_dir)
		r = pin_open(w->pin_dir, &w->pin, w->err);
	if (!r)
		r = bpf_side_load(w->cfg, w->wake_ports, w->pin, &w->bpf, w->err);
	if (!r)
		r = open_owners(w);
	if (!r)
		r = open_drain(w);
	if (!r && w->attempts)
		r = drain_log(w->drain, w->attempts, w->err);
	if (!r)
		r = iface_monitor_open(&w->monitor, w->err);
	if (r < 0)
		return r;
	w->ring =
		ring_buffer__new(bpf_map__fd(w->bpf.skel->maps.wakeups), on_wake_event, NULL, NULL);
	r = w->ring ? open_loop(w) : -errno;
	if (r < 0)
		return error_set(w->err, r, EXIT_RUNTIME, "cannot set up the event loop: %s",
				 strerror(-r));
	r = open_control(w);
	if (!r)
		r = open_metrics(w);
	if (!r)
		r = watch_ifaces(w);
	if (!r)
		r = sweep_pins(w);
	return r;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void close_all(struct watch *w)
{
	for (size_t i = 0; w->pin && i < w->hooks; i++)
		attach_leave(&w->hook[i]);
	while (!w->pin && w->hooks)
		hook_drop(w, &w->hook[0]);
	free(w->hook);
	free(w->refused);
	ring_buffer__free(w->ring);
	iface_monitor_close(w->monitor);
	drain_close(w->drain);
	sweep_close(w->sweep);
	control_close(w->control);
	floods_free(w->floods);
	metrics_close(w->metrics);
	engine_free(w->engine);
	live_free(w->live);
	unseen_free(w->unseen);
	recent_free(w->recent);
	owners_free(w->owners);
	kube_free(w->kube);
	owner_maps_close(w->owner_maps);
	bpf_side_unload(&w->bpf);
	keep_close(w->keep);
	pin_close(w->pin);
	notify_close(&w->notify);
	attempt_log_free(w->attempts);
	output_free(w->out);
	close_fd(w->epoll_fd);
	close_fd(w->tick_fd);
	close_fd(w->early_fd);
	close_fd(w->end_fd);
	close_fd(w->alive_fd);
	close_fd(w->signal_fd);
}

static void end_attempts(struct watch *w)
{
	uint64_t now = clock_boot_ns();
	struct counters c;

	read_counters(w, &c);
	attempt_log_miss(w->attempts, c.kernel.n[STAT_ENDED_FAILED]);
	attempt_log_end(w->attempts, (uint64_t)((int64_t)now + clock_wall_offset_ns(now)));
}

int watch_run(struct config *cfg, struct error *err)
{
	struct watch w = { .cfg = cfg,
			   .err = err,
			   .epoll_fd = -1,
			   .tick_fd = -1,
			   .early_fd = -1,
			   .signal_fd = -1,
			   .end_fd = -1,
			   .alive_fd = -1,
			   .started_ns = clock_boot_ns(),
			   .config_read_ns = clock_boot_ns() };
	int code = EXIT_FINE;

	notify_open(&w.notify);
	if (open_all(&w) < 0) {
		code = err->exit_code;
	} else {
		drain_now(&w);	/* starts the clock of ages before the first packet is judged */
		malloc_trim(0); /* what loading took is not needed again */
		say_ready(&w);
		metrics_turn(w.metrics, w.hooks, w.hooks);
		notify_ready(&w.notify);
		loop(&w);
		if (w.done > 0)
			code = w.done;
		drain_now(&w);
		floods_end(w.floods);
		close_state(&w);
		if (!w.pin) { /* else all goes on without us */
			drain_last(w.drain);
			engine_close(w.engine);
		}
		output_end(w.out);
		if (output_settled(w.out)) {
			keep_said(w.keep);
			keep_turn(w.keep, w.engine, true);
		}
		end_attempts(&w);
		if (cfg->verbosity >= 0)
			show_counters(&w, cfg->verbosity > 0);
		if (code == EXIT_FINE)
			code = output_verdict(w.out, err);
		if (code == EXIT_FINE)
			code = attempt_log_verdict(w.attempts, err);
	}
	close_all(&w);
	return code;
}
