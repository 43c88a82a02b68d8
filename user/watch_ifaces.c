// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* Which interfaces are watched, and which not, and why. They come and go (netlink); what is refused
 * is tried again; what shows us nothing of what the kernel counts there is said. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store_maps.h"
#include "watch_parts.h"

/* How often interfaces that could not be watched are tried again. */
#define RETRY_NS 10000000000ull

enum {
	LOOK_TICKS = 10,      /* between two looks whether interfaces show us what they carry */
	FILES_WANTED = 65536, /* descriptors: two an interface; the kernel takes what it is asked */
	FILES_SPARE = 32,     /* left for outputs that are opened anew, and for queries */
};

struct attachment *watch_hook_find(struct watch *w, uint32_t ifindex)
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

void watch_hook_drop(struct watch *w, struct attachment *a)
{
	attach_release(&w->bpf, a);
	*a = w->hook[--w->hooks];
}

/* watch_raise_files - as many descriptors as the hard limit allows, or more where we may raise
 * that. */
void watch_raise_files(struct watch *w)
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

struct refusal *watch_refusal_find(struct watch *w, uint32_t ifindex)
{
	for (size_t i = 0; i < w->refusals; i++)
		if (w->refused[i].ifindex == ifindex)
			return &w->refused[i];
	return NULL;
}

void watch_refusal_drop(struct watch *w, uint32_t ifindex)
{
	struct refusal *f = watch_refusal_find(w, ifindex);

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
	struct refusal *f = watch_refusal_find(w, iface->index);
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
	watch_refusal_drop(w, iface->index);
	w->hooks++;
	if (note.text[0])
		log_notice("%s", note.text);
	if (w->ready)
		log_notice("watching interface '%s' too (%s)", iface->name,
			   attach_mode_text(a, mode));
}

void watch_on_iface(void *ctx, const struct iface *iface, bool gone)
{
	struct watch *w = ctx;
	struct attachment *a = watch_hook_find(w, iface->index);

	if (gone)
		watch_refusal_drop(w, iface->index);
	if (gone && a) {
		w->retried_ns = 0; /* descriptors are free now */
		watch_hook_drop(w, a);
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
			watch_hook_drop(w, &w->hook[i]);
	for (size_t i = w->refusals; i--;)
		if (!if_indextoname(w->refused[i].ifindex, name))
			watch_refusal_drop(w, w->refused[i].ifindex);
	w->retried_ns = 0;
}

/* watch_look_at_all - after messages were lost. While too many come and go, the list is broken off
 * again and again: then the next tick looks. */
int watch_look_at_all(struct watch *w)
{
	int r = iface_monitor_list(w->monitor, watch_on_iface, w);

	drop_vanished(w);
	w->relist = r == -EINTR;
	return w->relist ? 0 : r;
}

void watch_on_links(struct watch *w)
{
	int r = iface_monitor_read(w->monitor, watch_on_iface, w);

	if (r == -ENOBUFS)
		r = watch_look_at_all(w);
	if (r < 0)
		log_problem("interfaces: %s; those that come from now on may be missed",
			    strerror(-r));
}

static void on_retry(void *ctx, const struct iface *iface, bool gone)
{
	struct watch *w = ctx;
	const struct refusal *f = watch_refusal_find(w, iface->index);

	if (f && is_passing(f->error))
		watch_on_iface(w, iface, gone);
}

/* Once in a while, and when descriptors have become free, what was refused is tried again. */
void watch_retry_refused(struct watch *w)
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
int watch_check_names(const struct config *cfg, struct error *err)
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

int watch_ifaces(struct watch *w)
{
	int r = watch_check_names(w->cfg, w->err);

	if (r < 0)
		return r;
	r = iface_monitor_list(w->monitor, watch_on_iface, w);
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

void watch_say_ready(struct watch *w)
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

/* ---- do they show us what they carry? ---- */

static void on_look(void *ctx, const struct iface *iface, bool gone)
{
	struct watch *w = ctx;
	uint8_t *bits = &w->bpf.skel->bss->seen[iface->index & (SEEN_SLOTS - 1)];
	char text[UNSEEN_TEXT_MAX];
	bool again;

	if (gone || !watch_hook_find(w, iface->index))
		return;
	if (unseen_look(w->unseen, iface, __atomic_exchange_n(bits, 0, __ATOMIC_RELAXED), text,
			&again))
		(again ? log_notice : log_problem)("interface '%s': %s", iface->name, text);
}

/* watch_look_at_unseen - once in a while: do interfaces show us what the kernel counts there? */
void watch_look_at_unseen(struct watch *w)
{
	if (++w->ticks < LOOK_TICKS)
		return;
	w->ticks = 0;
	unseen_begin(w->unseen);
	if (iface_monitor_list(w->monitor, on_look, w) < 0)
		log_debug("interfaces could not be listed; looked at again later");
}
