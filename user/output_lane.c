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
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S      1000000000ull
#define RETRY_MIN_NS  (NS_PER_S / 10)
#define RETRY_MAX_NS  (5 * NS_PER_S)
#define STOP_NS	      (NS_PER_S * 3 / 2) /* a thread that was told to stop has this long */
#define GRACE_NS      (NS_PER_S / 10)	 /* what is delivered sooner never touches the disk */
#define DISK_RETRY_NS NS_PER_S

enum {
	STACK_SIZE = 512 << 10, /* name look-ups and TLS want a few hundred KiB at most */
};

struct lane {
	char name[OUTPUT_NAME_MAX];
	const struct dest *dest;
	void *handle;
	size_t limit;
	bool patient;
	uint64_t run;
	int stop_fd;	     /* readable once the thread must not wait for its receiver any more */
	struct spool *spool; /* whoever has `disk` set may use it; NULL: none */
	pthread_t sender, keeper;

	pthread_mutex_t lock;	     /* of everything below */
	pthread_cond_t work;	     /* to the threads: a record, a failure, or the end */
	pthread_cond_t news;	     /* from them: room, the disk is free, or one has ended */
	struct record *current;	     /* what the sender has in hand */
	bool current_spooled;	     /* it is the first in the spool too */
	struct record *head, **tail; /* what waits in memory behind it */
	uint64_t queued_lines;	     /* of the records in memory, current included */
	uint64_t pushed;
	struct lane_stats stats;
	bool disk;		/* a thread is at the spool */
	bool disk_failing;	/* it took nothing, which was said */
	uint64_t disk_retry_ns; /* not before then; 0: at once */
	bool closing, reopen;
	bool sent;	      /* the sender has ended */
	bool tried_at_end;    /* the last attempt was made after the end began */
	bool abandon;	      /* the owner waits no longer: what is in memory goes to disk */
	unsigned int threads; /* that run */
	bool orphan;   /* its owner did not wait: the last thread frees it, should it ever end */
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

/* ---- the queue in memory ---- */

/* forget - a record is done with, or safe on disk. */
static void forget(struct lane *l, const struct record *r)
{
	l->stats.queued--;
	l->stats.queued_bytes -= r->len;
	l->queued_lines -= r->lines;
	pthread_cond_broadcast(&l->news);
}

/* take_head - the first that waits in memory; it still counts as queued. */
static struct record *take_head(struct lane *l)
{
	struct record *r = l->head;

	l->head = r->next;
	if (!l->head)
		l->tail = &l->head;
	return r;
}

static void lose_all(struct lane *l)
{
	if (l->current && !l->current_spooled) {
		l->stats.lost += l->current->lines;
		forget(l, l->current);
	}
	free(l->current);
	l->current = NULL;
	while (l->head) {
		struct record *r = take_head(l);

		l->stats.lost += r->lines;
		forget(l, r);
		free(r);
	}
}

/* ---- the spool ---- */

static bool spool_has(const struct lane *l)
{
	return l->spool && l->stats.spool.records;
}

/* disk_take - waits for the spool, which is this thread's until disk_give(); the lock is let go. */
static void disk_take(struct lane *l)
{
	while (l->disk)
		wait_until(l, &l->news, 0);
	l->disk = true;
	pthread_mutex_unlock(&l->lock);
}

static void disk_give(struct lane *l)
{
	pthread_mutex_lock(&l->lock);
	spool_stats_get(l->spool, &l->stats.spool);
	l->disk = false;
	pthread_cond_broadcast(&l->news);
}

/* ---- the sender ---- */

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

/* finish - the record in hand is delivered, or never will be. What the keeper is copying to disk
 * meanwhile is delivered there too. */
static void finish(struct lane *l)
{
	struct record *r = l->current;

	while (l->disk)
		wait_until(l, &l->news, 0);
	if (l->current_spooled) {
		disk_take(l);
		spool_ack(l->spool); /* if that fails, it is sent again after a restart */
		disk_give(l);
		l->disk_retry_ns = 0; /* there may be room now */
		pthread_cond_broadcast(&l->work);
	} else {
		forget(l, r);
	}
	l->current = NULL;
	free(r);
}

static void on_written(struct lane *l, struct saying *ret)
{
	finish(l);
	l->stats.written++;
	l->retry_ns = 0;
	l->refusing = false;
	if (!l->stats.failing)
		return;
	l->stats.failing = false;
	snprintf(ret->text, sizeof(ret->text),
		 "output %s: works again after %.1f s; alerts waiting: %" PRIu64
		 ", never written so far: %" PRIu64,
		 l->name, (double)(now_ns() - l->failing_since_ns) / NS_PER_S,
		 l->stats.queued + l->stats.spool.records, l->stats.lost);
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
			 l->current->len, why(l, error));
	l->refusing = true;
	l->stats.failing = false; /* it answers */
	l->retry_ns = 0;
	l->stats.lost += l->current->lines;
	finish(l);
}

static void on_failed(struct lane *l, int error, struct saying *ret)
{
	uint64_t now = now_ns();
	bool first = !l->stats.failing, final;

	l->stats.failures++;
	l->stats.failing = true;
	pthread_cond_broadcast(&l->work); /* the keeper waits no longer */
	if (first)
		l->failing_since_ns = now;
	final = (l->closing && !l->patient && !l->spool) ||
		(l->dest->is_final && l->dest->is_final(error)) ||
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

/* from_spool - the first that waits on disk becomes the one in hand. Damage is said. */
static void from_spool(struct lane *l)
{
	struct record *r;
	struct error err;
	int error;

	disk_take(l);
	error = spool_next(l->spool, &r, &err);
	if (error)
		log_problem("output %s: %s", l->name, err.text);
	disk_give(l);
	if (error == -ENOMEM)
		wait_until(l, &l->work, now_ns() + NS_PER_S);
	l->current = r;
	l->current_spooled = r;
}

/* take_next - one becomes the one in hand. The disk's come first, and while the keeper is at it
 * nobody knows what is there. Returns false if nothing waits. */
static bool take_next(struct lane *l)
{
	while (l->disk)
		wait_until(l, &l->news, 0);
	if (spool_has(l)) {
		from_spool(l);
		return true;
	}
	if (!l->head)
		return false;
	l->current = take_head(l);
	l->current_spooled = false;
	return true;
}

/* look_after - until there is work, the destination may look after what it sent. */
static void look_after(struct lane *l)
{
	unsigned int ms = 0;

	if (l->dest->idle) {
		pthread_mutex_unlock(&l->lock);
		ms = l->dest->idle(l->handle, l->stop_fd);
		pthread_mutex_lock(&l->lock);
	}
	if (!l->head && !spool_has(l) && !l->closing)
		wait_until(l, &l->work, ms ? now_ns() + ms * 1000000ull : 0);
}

/* next_record - waits for one. NULL: it is the end, or a receiver fails at the end, and what waits
 * is for the next run. */
static struct record *next_record(struct lane *l)
{
	if (l->stats.failing && !l->stats.dead)
		back_off(l);
	if (l->spool && l->stats.failing && l->tried_at_end)
		return NULL;
	while (!l->current && !l->abandon) {
		if (take_next(l))
			continue;
		if (l->closing)
			return NULL;
		look_after(l);
	}
	return l->abandon ? NULL : l->current;
}

static void lane_destroy(struct lane *l)
{
	lose_all(l);
	l->dest->close(l->handle);
	spool_close(l->spool);
	pthread_cond_destroy(&l->work);
	pthread_cond_destroy(&l->news);
	pthread_mutex_destroy(&l->lock);
	close(l->stop_fd);
	free(l);
}

/* thread_end - with the lock held, which it lets go. */
static void *thread_end(struct lane *l)
{
	bool last = !--l->threads && l->orphan;

	pthread_cond_broadcast(&l->news);
	pthread_cond_broadcast(&l->work);
	pthread_mutex_unlock(&l->lock);
	if (last)
		lane_destroy(l);
	return NULL;
}

static void *send_run(void *arg)
{
	struct lane *l = arg;
	struct record *r;

	pthread_mutex_lock(&l->lock);
	while ((r = next_record(l))) {
		bool reopen = l->reopen && l->dest->reopen;
		struct saying s = { .problem = false };
		int error;

		l->reopen = false;
		l->tried_at_end = l->closing;
		pthread_mutex_unlock(&l->lock);
		if (reopen) {
			l->dest->reopen(l->handle);
			r->done = 0;
		}
		error = -l->dest->send(l->handle, r, l->stop_fd); /* r stays in hand meanwhile */
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
	l->sent = true;
	return thread_end(l);
}

/* ---- the keeper ---- */

/* is_time_to_keep - is there something that should be on disk by now? If not, *ret_until is when to
 * look again; 0: when something happens. */
static bool is_time_to_keep(const struct lane *l, uint64_t *ret_until)
{
	const struct record *oldest = l->current && !l->current_spooled ? l->current : l->head;

	*ret_until = 0;
	if (!oldest)
		return false;
	if (l->sent || l->abandon)
		return true;
	*ret_until = l->disk_retry_ns;
	if (l->disk_retry_ns && now_ns() < l->disk_retry_ns)
		return false;
	if (l->stats.failing || spool_has(l))
		return true;
	*ret_until = oldest->since_ns + GRACE_NS;
	return now_ns() >= *ret_until;
}

/* copy_of - the record in hand stays the sender's. NULL for want of memory. */
static struct record *copy_of(const struct record *r)
{
	struct record *copy = malloc(sizeof(*copy) + r->len + 1);

	if (!copy)
		return NULL;
	copy->wall_ns = r->wall_ns;
	copy->run = r->run;
	copy->n = r->n;
	copy->len = r->len;
	copy->lines = r->lines;
	memcpy(copy->text, r->text, r->len + 1);
	return copy;
}

/* put_back - before all others in memory; the sender took none meanwhile. */
static void put_back(struct lane *l, struct record *list)
{
	struct record **end = &list;

	while (*end)
		end = &(*end)->next;
	*end = l->head;
	if (!l->head)
		l->tail = end == &list ? &l->head : end;
	l->head = list;
}

static void on_disk_failed(struct lane *l, int error)
{
	if (error == -EFBIG)
		log_problem("output %s: its spool is full; alerts wait in memory, as many as "
			    "queue= allows",
			    l->name);
	else
		log_problem("output %s: its spool takes nothing: %s; alerts wait in memory, as "
			    "many as queue= allows",
			    l->name, strerror(-error));
}

/* keep - moves what is in memory to disk, in order, as far as that takes it. The one in hand is
 * copied: it may be delivered at any moment. */
static void keep(struct lane *l)
{
	struct record *mine = l->current && !l->current_spooled ? copy_of(l->current) : NULL;
	struct record *list = l->head, *r;
	bool lacking = l->current && !l->current_spooled && !mine, first = !l->disk_failing;
	int error = lacking ? -ENOMEM : 0;

	l->head = NULL;
	l->tail = &l->head;
	disk_take(l);
	if (mine)
		error = spool_append(l->spool, mine);
	if (mine && !error) {
		pthread_mutex_lock(&l->lock);
		l->current_spooled = true; /* finish() waits for the disk, so it is still in hand */
		forget(l, mine);
		pthread_mutex_unlock(&l->lock);
	}
	free(mine);
	while (!error && (r = list)) {
		error = spool_append(l->spool, r);
		if (error)
			break;
		list = r->next;
		pthread_mutex_lock(&l->lock);
		forget(l, r);
		pthread_mutex_unlock(&l->lock);
		free(r);
	}
	spool_sync(l->spool);
	if (error && first)
		on_disk_failed(l, error);
	disk_give(l);
	put_back(l, list);
	l->disk_failing = error;
	l->disk_retry_ns = error ? now_ns() + DISK_RETRY_NS : 0;
	pthread_cond_broadcast(&l->work);
}

static void *keep_run(void *arg)
{
	struct lane *l = arg;
	uint64_t until;

	pthread_mutex_lock(&l->lock);
	for (;;) {
		bool last = l->sent || l->abandon;

		if (!l->disk && is_time_to_keep(l, &until))
			keep(l);
		else if (l->disk)
			wait_until(l, &l->news, 0);
		else if (!last)
			wait_until(l, &l->work, until);
		if (last && !l->disk)
			break;
	}
	return thread_end(l);
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
static int start_thread(struct lane *l, void *(*run)(void *), pthread_t *ret)
{
	sigset_t block, old;
	pthread_attr_t attr;
	int r;

	sigfillset(&block);
	sigdelset(&block, SIGPIPE);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	pthread_sigmask(SIG_SETMASK, &block, &old);
	r = -pthread_create(ret, &attr, run, l);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return r;
}

/* start_threads - none of them gets anywhere before the lock is let go. */
static int start_threads(struct lane *l)
{
	int r;

	pthread_mutex_lock(&l->lock);
	r = start_thread(l, send_run, &l->sender);
	l->threads = !r;
	if (!r && l->spool) {
		r = start_thread(l, keep_run, &l->keeper);
		l->threads += !r;
		l->closing = r; /* the sender ends at once */
	}
	pthread_mutex_unlock(&l->lock);
	if (r && l->threads)
		pthread_join(l->sender, NULL);
	return r;
}

static uint64_t random_number(void)
{
	uint64_t n;

	if (getrandom(&n, sizeof(n), GRND_NONBLOCK) != sizeof(n))
		n = now_ns() ^ (uint64_t)getpid() << 40;
	return n;
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
	l->spool = spec->spool;
	l->run = random_number();
	l->tail = &l->head;
	if (l->spool)
		spool_stats_get(l->spool, &l->stats.spool);
	l->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->stop_fd < 0) {
		r = -errno;
		free(l);
		return r;
	}
	locks_init(l);
	r = start_threads(l);
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
	return !l->stats.queued || l->stats.queued_bytes + len <= l->limit;
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
		r->run = l->run;
		r->n = ++l->pushed;
		r->since_ns = now_ns();
		*l->tail = r;
		l->tail = &r->next;
		l->stats.queued++;
		l->stats.queued_bytes += r->len;
		l->queued_lines += r->lines;
		pthread_cond_broadcast(&l->work);
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
	pthread_cond_broadcast(&l->work);
	pthread_mutex_unlock(&l->lock);
}

/* await_end - until both threads have ended, or a moment (0: for ever). */
static void await_end(struct lane *l, uint64_t until_ns)
{
	bool in_time = true;

	while (l->threads && in_time)
		in_time = wait_until(l, &l->news, until_ns);
}

void lane_end(struct lane *l, uint64_t until_ns)
{
	const uint64_t one = 1;

	pthread_mutex_lock(&l->lock);
	l->closing = true;
	pthread_cond_broadcast(&l->work);
	await_end(l, until_ns);
	if (l->threads && write(l->stop_fd, &one, sizeof(one)) == sizeof(one)) {
		l->abandon = true;
		pthread_cond_broadcast(&l->work);
		await_end(l, now_ns() + STOP_NS);
	}
	if (!l->threads && l->spool) {
		spool_check(l->spool);
		spool_stats_get(l->spool, &l->stats.spool);
	}
	if (!l->threads)
		lose_all(l);
	else /* what a thread does not let go of */
		l->stats.lost += l->queued_lines;
	if (l->threads && !l->spool)
		l->stats.dead = EIO;
	pthread_mutex_unlock(&l->lock);
}

void lane_stats_get(struct lane *l, struct lane_stats *ret)
{
	pthread_mutex_lock(&l->lock);
	*ret = l->stats;
	ret->lost += l->stats.spool.lost;
	pthread_mutex_unlock(&l->lock);
}

void lane_free(struct lane *l)
{
	bool ended;

	if (!l)
		return;
	pthread_mutex_lock(&l->lock);
	ended = !l->threads;
	l->orphan = !ended;
	if (!ended)
		pthread_detach(l->sender);
	if (!ended && l->spool)
		pthread_detach(l->keeper);
	pthread_mutex_unlock(&l->lock);
	if (!ended)
		return;
	pthread_join(l->sender, NULL);
	if (l->spool)
		pthread_join(l->keeper, NULL);
	lane_destroy(l);
}
