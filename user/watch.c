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
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "store_maps.h"
#include "watch_parts.h"

/* Early drains come no closer together than this, nor than the last one took, so that a storm of
 * wake-ups costs half a core at the most and an alert waits at most this much longer. */
#define EARLY_GAP_NS 10000000ull

/* How long after an alert it is looked whether its outputs have taken it (keep.h). */
#define SAID_NS 20000000ull

/* ---- counters ---- */

void watch_counters(struct watch *w, struct counters *c)
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
	c->floods = w->floods;
	keep_stats_get(w->keep, &c->keep);
	if (w->control)
		control_stats_get(w->control, &c->control);
}

static void show_counters(struct watch *w, bool all)
{
	struct counters c;

	watch_counters(w, &c);
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

	watch_counters(w, &c);
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
	watch_counters(w, &c);
	lost = counters_lost(&c);
	w->drain_ns = clock_boot_ns();
	keep_lost(w->keep, lost);
	recent_tick(w->recent);
	look_at_floods(w, &c.kernel, w->drain_ns);
	if (w->owner_maps)
		owner_maps_turn(w->owner_maps);
	drain_begin(w->drain, w->drain_ns, clock_wall_offset_ns(w->drain_ns),
		    c.kernel.n[STAT_CONTACT_NEW], lost > w->lost);
	w->lost = lost;
	drain_on(w);
}

/* watch_drain_now - a whole drain, after the one that is going on. */
void watch_drain_now(struct watch *w)
{
	while (w->draining)
		drain_on(w);
	drain_start(w);
	while (w->draining)
		drain_on(w);
}

static void on_tick(struct watch *w)
{
	uint64_t n;

	if (read(w->tick_fd, &n, sizeof(n)) != sizeof(n))
		return;
	drain_start(w);
	metrics_turn(w->metrics, w->ready && w->hooks, w->hooks);
	if (w->relist)
		watch_look_at_all(w);
	watch_retry_refused(w);
	watch_look_at_unseen(w);
	if (w->cfg->reload_on_change && config_change_due(&w->change, w->cfg->config_file))
		watch_reload(w);
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

/* SIGHUP: files are opened anew, the configuration is read again. Where there is neither, or where
 * the kernel sends it, a terminal is gone: a good end, but for a service. Returns false for that.
 */
static bool on_hangup(struct watch *w, const struct signalfd_siginfo *si)
{
	unsigned int files = output_reopen(w->out) + !!*w->cfg->attempts_file;

	attempt_log_reopen(w->attempts);
	if (!notify_is_on(&w->notify) &&
	    (si->ssi_code == SI_KERNEL || (!files && !w->cfg->config_file))) {
		log_notice("hangup: %s",
			   si->ssi_code == SI_KERNEL
				   ? "the terminal is gone"
				   : "no configuration file to read again, no file to "
				     "open anew: this is the end");
		return false;
	}
	watch_reload(w);
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

int watch_listen(struct watch *w, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

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
	if (watch_listen(w, w->alive_fd) || watch_listen(w, w->tick_fd) ||
	    watch_listen(w, w->early_fd) || watch_listen(w, w->end_fd) ||
	    watch_listen(w, w->signal_fd) || watch_listen(w, iface_monitor_fd(w->monitor)) ||
	    watch_listen(w, ring_buffer__epoll_fd(w->ring)))
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
		watch_on_links(w);
	else if (w->metrics && fd == metrics_fd(w->metrics))
		watch_publish(w);
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
	return watch_hook_find(ctx, ifindex);
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
		watch_counters(w, &c);
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
	watch_raise_files(w);
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
	r = watch_open_control(w);
	if (!r)
		r = watch_open_metrics(w);
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
		watch_hook_drop(w, &w->hook[0]);
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

	watch_counters(w, &c);
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
		watch_drain_now(
			&w);	/* starts the clock of ages before the first packet is judged */
		malloc_trim(0); /* what loading took is not needed again */
		watch_say_ready(&w);
		metrics_turn(w.metrics, w.hooks, w.hooks);
		notify_ready(&w.notify);
		loop(&w);
		if (w.done > 0)
			code = w.done;
		watch_drain_now(&w);
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
