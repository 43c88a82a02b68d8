// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "output_lane.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S     1000000000ull
#define RETRY_MIN_NS (NS_PER_S / 10)
#define RETRY_MAX_NS (5 * NS_PER_S)
#define STOP_NS	     (NS_PER_S * 3 / 2) /* a thread that was told to stop has this long */

enum {
	STACK_SIZE = 512 << 10, /* name look-ups and TLS want a few hundred KiB at most */
};

struct lane {
	char name[OUTPUT_NAME_MAX];
	const struct dest *dest;
	void *handle;
	size_t limit;
	bool patient;
	int stop_fd; /* readable once the thread must not wait for its receiver any more */
	pthread_t thread;

	pthread_mutex_t lock; /* of everything below */
	pthread_cond_t work;  /* to the thread: a record, or the end */
	pthread_cond_t news;  /* from the thread: room, or it has ended */
	struct record *head, **tail;
	uint64_t queued_lines; /* of the records that wait */
	struct lane_stats stats;
	bool closing, reopen, ended;
	bool orphan;   /* its owner did not wait: the thread frees it, should it ever end */
	bool refusing; /* the last record was refused */
	bool full;     /* a record was refused; said once until the queue is calm again */
	uint64_t failing_since_ns, retry_ns;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

/* wait_until - waits for a condition, until a moment (0: for ever). Returns false once it is over.
 */
static bool wait_until(struct lane *l, pthread_cond_t *cond, uint64_t until_ns)
{
	const struct timespec t = { (time_t)(until_ns / NS_PER_S), (long)(until_ns % NS_PER_S) };

	if (until_ns)
		return pthread_cond_timedwait(cond, &l->lock, &t) != ETIMEDOUT;
	pthread_cond_wait(cond, &l->lock);
	return true;
}

/* ---- the thread ---- */

static void pop(struct lane *l)
{
	struct record *r = l->head;

	l->head = r->next;
	if (!l->head)
		l->tail = &l->head;
	l->stats.queued--;
	l->stats.queued_bytes -= r->len;
	l->queued_lines -= r->lines;
	free(r);
	pthread_cond_broadcast(&l->news);
}

static void lose_all(struct lane *l)
{
	while (l->head) {
		l->stats.lost += l->head->lines;
		pop(l);
	}
}

/* What is to be said on standard error once the lock is let go: that, too, may block. */
struct saying {
	bool problem;
	char text[OUTPUT_NAME_MAX + 256];
};

static void say(const struct saying *s)
{
	if (s->text[0] && s->problem)
		log_problem("%s", s->text);
	else if (s->text[0])
		log_notice("%s", s->text);
}

static void on_written(struct lane *l, struct saying *ret)
{
	pop(l);
	l->stats.written++;
	l->retry_ns = 0;
	l->refusing = false;
	if (!l->stats.failing)
		return;
	l->stats.failing = false;
	snprintf(ret->text, sizeof(ret->text),
		 "output %s: works again after %.1f s; alerts waiting: %u, never written so far: "
		 "%" PRIu64,
		 l->name, (double)(now_ns() - l->failing_since_ns) / NS_PER_S, l->stats.queued,
		 l->stats.lost);
}

static const char *why(const struct lane *l, int error)
{
	const char *text = l->dest->why ? l->dest->why(l->handle, error) : NULL;

	return text ? text : strerror(error);
}

/* The receiver lives, but not for this record. Said once until it takes another. */
static void on_refused(struct lane *l, int error, struct saying *ret)
{
	ret->problem = true;
	if (!l->refusing)
		snprintf(ret->text, sizeof(ret->text),
			 "output %s: it refuses an alert of %zu bytes, which is lost: %s", l->name,
			 l->head->len, why(l, error));
	l->refusing = true;
	l->stats.lost += l->head->lines;
	pop(l);
}

static void on_failed(struct lane *l, int error, struct saying *ret)
{
	uint64_t now = now_ns();
	bool first = !l->stats.failing, final;

	l->stats.failures++;
	l->stats.failing = true;
	if (first)
		l->failing_since_ns = now;
	final = (l->closing && !l->patient) || (l->dest->is_final && l->dest->is_final(error)) ||
		(l->patient && now - l->failing_since_ns >= l->dest->patience_ns);
	if (final || first) {
		ret->problem = true;
		snprintf(ret->text, sizeof(ret->text), "output %s: %s; %s", l->name, why(l, error),
			 final ? "it takes no more alerts" : "alerts wait until it works again");
	}
	if (final) {
		l->stats.dead = error;
		lose_all(l);
		return;
	}
	l->retry_ns = l->retry_ns ? l->retry_ns * 2 : RETRY_MIN_NS;
	if (l->retry_ns > RETRY_MAX_NS)
		l->retry_ns = RETRY_MAX_NS;
}

/* back_off - waits until the next attempt is due; the end comes sooner. */
static void back_off(struct lane *l)
{
	uint64_t until = now_ns() + l->retry_ns;

	while ((!l->closing || l->patient) && !l->reopen && wait_until(l, &l->work, until))
		;
}

/* next_record - waits for one. NULL: it is the end. */
static struct record *next_record(struct lane *l)
{
	if (l->stats.failing && !l->stats.dead)
		back_off(l);
	while (!l->head && !l->closing)
		wait_until(l, &l->work, 0);
	return l->head;
}

static void lane_destroy(struct lane *l)
{
	l->dest->close(l->handle);
	pthread_cond_destroy(&l->work);
	pthread_cond_destroy(&l->news);
	pthread_mutex_destroy(&l->lock);
	close(l->stop_fd);
	free(l);
}

static void *lane_run(void *arg)
{
	struct lane *l = arg;
	struct record *r;
	bool orphan;

	pthread_mutex_lock(&l->lock);
	while ((r = next_record(l))) {
		bool reopen = l->reopen && l->dest->reopen;
		struct saying s = { .problem = false };
		int error;

		l->reopen = false;
		pthread_mutex_unlock(&l->lock);
		if (reopen) {
			l->dest->reopen(l->handle);
			r->done = 0;
		}
		error = -l->dest->send(l->handle, r, l->stop_fd); /* r stays the head meanwhile */
		pthread_mutex_lock(&l->lock);
		if (error == ECANCELED)
			break;
		if (error == EBADMSG)
			on_refused(l, error, &s);
		else if (error)
			on_failed(l, error, &s);
		else
			on_written(l, &s);
		pthread_mutex_unlock(&l->lock);
		say(&s);
		pthread_mutex_lock(&l->lock);
	}
	lose_all(l);
	l->ended = true;
	orphan = l->orphan;
	pthread_cond_broadcast(&l->news);
	pthread_mutex_unlock(&l->lock);
	if (orphan)
		lane_destroy(l);
	return NULL;
}

/* ---- its owner ---- */

static void locks_init(struct lane *l)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&l->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&l->work, &attr);
	pthread_cond_init(&l->news, &attr);
	pthread_condattr_destroy(&attr);
}

/* Signals are the main thread's. All but SIGPIPE: where that is not ignored (replay), a closed pipe
 * ends the process as it does any filter. */
static int start_thread(struct lane *l)
{
	sigset_t block, old;
	pthread_attr_t attr;
	int r;

	sigfillset(&block);
	sigdelset(&block, SIGPIPE);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	pthread_sigmask(SIG_SETMASK, &block, &old);
	r = -pthread_create(&l->thread, &attr, lane_run, l);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return r;
}

int lane_open(const struct lane_spec *spec, struct lane **ret)
{
	struct lane *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return -ENOMEM;
	snprintf(l->name, sizeof(l->name), "%s", spec->name);
	l->dest = spec->dest;
	l->handle = spec->handle;
	l->limit = spec->limit;
	l->patient = spec->patient;
	l->tail = &l->head;
	l->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->stop_fd < 0) {
		r = -errno;
		free(l);
		return r;
	}
	locks_init(l);
	r = start_thread(l);
	if (r < 0) {
		close(l->stop_fd);
		free(l);
		return r;
	}
	*ret = l;
	return 0;
}

/* A record larger than the whole queue goes if it is alone. */
static bool has_room(const struct lane *l, size_t len)
{
	return !l->head || l->stats.queued_bytes + len <= l->limit;
}

bool lane_push(struct lane *l, struct record *r)
{
	bool taken, first_refused = false;

	r->next = NULL;
	r->done = 0;
	pthread_mutex_lock(&l->lock);
	while (l->patient && !l->stats.dead && !has_room(l, r->len))
		wait_until(l, &l->news, 0);
	taken = !l->stats.dead && has_room(l, r->len);
	if (taken) {
		*l->tail = r;
		l->tail = &r->next;
		l->stats.queued++;
		l->stats.queued_bytes += r->len;
		l->queued_lines += r->lines;
		pthread_cond_signal(&l->work);
	} else if (!l->stats.dead) {
		first_refused = !l->full;
		l->full = true;
	}
	pthread_mutex_unlock(&l->lock);
	if (!taken)
		free(r);
	if (first_refused)
		log_problem("output %s: the receiver does not keep up and the queue of %zu KiB is "
			    "full; alerts are dropped until it does",
			    l->name, l->limit >> 10);
	return taken;
}

void lane_lost(struct lane *l)
{
	pthread_mutex_lock(&l->lock);
	l->stats.lost++;
	pthread_mutex_unlock(&l->lock);
}

bool lane_is_calm(struct lane *l)
{
	bool calm;

	pthread_mutex_lock(&l->lock);
	calm = !l->stats.dead && l->stats.queued_bytes <= l->limit / 2;
	if (calm)
		l->full = false;
	pthread_mutex_unlock(&l->lock);
	return calm;
}

void lane_reopen(struct lane *l)
{
	pthread_mutex_lock(&l->lock);
	l->reopen = true;
	pthread_cond_signal(&l->work);
	pthread_mutex_unlock(&l->lock);
}

void lane_end(struct lane *l, uint64_t until_ns)
{
	const uint64_t one = 1;
	bool in_time = true;

	pthread_mutex_lock(&l->lock);
	l->closing = true;
	pthread_cond_signal(&l->work);
	while (!l->ended && in_time)
		in_time = wait_until(l, &l->news, until_ns);
	if (!l->ended && write(l->stop_fd, &one, sizeof(one)) == sizeof(one)) {
		in_time = true;
		until_ns = now_ns() + STOP_NS;
		while (!l->ended && in_time)
			in_time = wait_until(l, &l->news, until_ns);
	}
	if (!l->ended) { /* what the thread does not let go of */
		l->stats.lost += l->queued_lines;
		l->stats.dead = EIO;
	}
	pthread_mutex_unlock(&l->lock);
}

void lane_stats_get(struct lane *l, struct lane_stats *ret)
{
	pthread_mutex_lock(&l->lock);
	*ret = l->stats;
	pthread_mutex_unlock(&l->lock);
}

void lane_free(struct lane *l)
{
	bool ended;

	if (!l)
		return;
	pthread_mutex_lock(&l->lock);
	ended = l->ended;
	l->orphan = !ended;
	if (!ended)
		pthread_detach(l->thread);
	pthread_mutex_unlock(&l->lock);
	if (!ended)
		return;
	pthread_join(l->thread, NULL);
	lane_destroy(l);
}
