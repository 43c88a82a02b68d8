// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "ticks.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

enum {
	/* Gathered, waiting and judged at once. Each keeps room for its largest tick; two would do
	 * if all ticks took the same time. */
	TICKS_AHEAD = 3,
};

struct ticks {
	struct tick tick[TICKS_AHEAD]; /* tick[n % TICKS_AHEAD] is the n-th */
	tick_fn *fn;
	void *ctx;
	bool threaded;
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t news;  /* either has gone on, or the end */
	uint64_t handed_over, judged;
	bool ended;
};

static void judge(struct ticks *q, struct tick *t)
{
	q->fn(q->ctx, t);
	pieces_clear(&t->pieces);
}

static void *judge_all(void *ctx)
{
	struct ticks *q = ctx;

	pthread_mutex_lock(&q->lock);
	for (;;) {
		while (q->judged == q->handed_over && !q->ended)
			pthread_cond_wait(&q->news, &q->lock);
		if (q->judged == q->handed_over)
			break;
		pthread_mutex_unlock(&q->lock);
		judge(q, &q->tick[q->judged % TICKS_AHEAD]); /* `judged` is written here alone */
		pthread_mutex_lock(&q->lock);
		q->judged++;
		pthread_cond_signal(&q->news);
	}
	pthread_mutex_unlock(&q->lock);
	return NULL;
}

/* begin_thread - without signals, which are the caller's. */
static bool begin_thread(struct ticks *q)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&q->thread, NULL, judge_all, q);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return !r;
}

struct ticks *ticks_new(bool threaded, tick_fn *fn, void *ctx)
{
	struct ticks *q = calloc(1, sizeof(*q));

	if (!q)
		return NULL;
	q->fn = fn;
	q->ctx = ctx;
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->news, NULL);
	q->threaded = threaded && begin_thread(q);
	return q;
}

/* wait_for - until no more than `most` ticks wait or are judged. */
static void wait_for(struct ticks *q, uint64_t most)
{
	pthread_mutex_lock(&q->lock);
	while (q->handed_over - q->judged > most)
		pthread_cond_wait(&q->news, &q->lock);
	pthread_mutex_unlock(&q->lock);
}

struct tick *ticks_next(struct ticks *q)
{
	return &q->tick[q->handed_over % TICKS_AHEAD]; /* is written by the caller alone */
}

void ticks_hand_over(struct ticks *q)
{
	if (!q->threaded) {
		judge(q, ticks_next(q));
		return;
	}
	pthread_mutex_lock(&q->lock);
	q->handed_over++;
	pthread_cond_signal(&q->news);
	pthread_mutex_unlock(&q->lock);
	wait_for(q, TICKS_AHEAD - 1);
}

void ticks_wait(struct ticks *q)
{
	if (q->threaded)
		wait_for(q, 0);
}

void ticks_free(struct ticks *q)
{
	if (!q)
		return;
	if (q->threaded) {
		pthread_mutex_lock(&q->lock);
		q->ended = true;
		pthread_cond_signal(&q->news);
		pthread_mutex_unlock(&q->lock);
		pthread_join(q->thread, NULL);
	}
	for (int i = 0; i < TICKS_AHEAD; i++)
		pieces_done(&q->tick[i].pieces);
	pthread_cond_destroy(&q->news);
	pthread_mutex_destroy(&q->lock);
	free(q);
}
