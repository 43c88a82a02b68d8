// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/output_lane.c: a queue whose receiver is slow, fails or dies; and one with a spool, of which
 * the next run delivers what this one could not. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "output_lane.h"

#define NS_PER_S 1000000000ull

/* A receiver whose behaviour the test chooses while it runs. */
struct receiver {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int error;   /* what send() returns, negative; 0: it takes */
	bool stalls; /* send() waits until it is stopped or this is false */
	bool deaf;   /* it does not even look at stop_fd */
	unsigned int sends, reopened;
	atomic_uint closed;
	char got[65536];
	uint64_t run, n; /* the id of the last */
};

static int fake_send(void *handle, struct record *r, int stop_fd)
{
	struct receiver *to = handle;
	struct pollfd p = { .fd = stop_fd, .events = POLLIN };
	int error;

	pthread_mutex_lock(&to->lock);
	to->sends++;
	pthread_cond_broadcast(&to->changed);
	while (to->stalls) {
		pthread_mutex_unlock(&to->lock);
		if (poll(&p, 1, 1) > 0 && !to->deaf)
			return -ECANCELED;
		pthread_mutex_lock(&to->lock);
	}
	error = to->error;
	if (!error)
		strcat(to->got, r->text);
	to->run = r->run;
	to->n = r->n;
	pthread_cond_broadcast(&to->changed);
	pthread_mutex_unlock(&to->lock);
	return error;
}

static void fake_reopen(void *handle)
{
	struct receiver *to = handle;

	to->reopened++;
}

static void fake_close(void *handle)
{
	struct receiver *to = handle;

	to->closed++;
}

static bool fake_is_final(int error)
{
	return error == EPIPE;
}

static const struct dest fake = {
	.send = fake_send,
	.reopen = fake_reopen,
	.close = fake_close,
	.is_final = fake_is_final,
};

static struct lane *lane_with(struct receiver *to, size_t limit, bool patient, struct spool *spool)
{
	const struct lane_spec spec = { .name = "fake",
					.dest = &fake,
					.handle = to,
					.limit = limit,
					.patient = patient,
					.spool = spool };
	struct lane *l;

	pthread_mutex_init(&to->lock, NULL);
	pthread_cond_init(&to->changed, NULL);
	assert_int_equal(lane_open(&spec, &l), 0);
	return l;
}

static struct lane *lane_to(struct receiver *to, size_t limit, bool patient)
{
	return lane_with(to, limit, patient, NULL);
}

static bool push(struct lane *l, const char *text)
{
	struct record *r = malloc(sizeof(*r) + strlen(text) + 1);

	assert_non_null(r);
	r->len = strlen(text);
	r->lines = 1;
	strcpy(r->text, text);
	return lane_push(l, r);
}

static void set(struct receiver *to, int error, bool stalls)
{
	pthread_mutex_lock(&to->lock);
	to->error = error;
	to->stalls = stalls;
	pthread_mutex_unlock(&to->lock);
}

/* Waits until the receiver was called n times. */
static void await_sends(struct receiver *to, unsigned int n)
{
	pthread_mutex_lock(&to->lock);
	while (to->sends < n)
		pthread_cond_wait(&to->changed, &to->lock);
	pthread_mutex_unlock(&to->lock);
}

static uint64_t in_ms(unsigned int ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec + ms * 1000000ull;
}

/* finish - ends a lane; what became of its records. */
static struct lane_stats finish(struct lane *l, uint64_t until_ns)
{
	struct lane_stats s;

	lane_end(l, until_ns);
	lane_stats_get(l, &s);
	lane_free(l);
	return s;
}

static struct lane_stats stats_of(struct lane *l)
{
	struct lane_stats s;

	lane_stats_get(l, &s);
	return s;
}

static void a_lane_keeps_order_and_ends_when_empty(void **state)
{
	struct receiver to = { .error = 0 };
	struct lane *l = lane_to(&to, 1000, false);
	struct lane_stats s;

	(void)state;
	for (int i = 0; i < 26; i++)
		assert_true(push(l, (char[]){ (char)('a' + i), '\0' }));
	s = finish(l, 0);
	assert_string_equal(to.got, "abcdefghijklmnopqrstuvwxyz");
	assert_int_equal(s.written, 26);
	assert_int_equal(s.lost + s.failures + s.queued + s.queued_bytes, 0);
	assert_int_equal(to.closed, 1);
}

static void a_slow_receiver_fills_the_queue_and_never_the_caller(void **state)
{
	struct receiver to = { .stalls = true };
	struct lane *l = lane_to(&to, 10, false);
	struct lane_stats s;

	(void)state;
	assert_true(push(l, "0123456789abcdef")); /* longer than the queue: it goes alone */
	assert_false(push(l, "x"));
	set(&to, 0, false);
	while (!lane_is_calm(l))
		usleep(1000);
	set(&to, 0, true);
	assert_true(push(l, "12345"));
	assert_true(lane_is_calm(l));
	assert_true(push(l, "6789"));
	assert_false(lane_is_calm(l));
	assert_true(push(l, "0"));
	assert_false(push(l, "1"));
	lane_stats_get(l, &s);
	assert_int_equal(s.queued, 3);
	assert_int_equal(s.queued_bytes, 10);
	assert_int_equal(s.lost, 0); /* the caller may say it again */
	lane_lost(l);
	s = finish(l, in_ms(1)); /* stalled: stop_fd ends the wait, and the three are lost */
	assert_string_equal(to.got, "0123456789abcdef");
	assert_int_equal(s.written, 1);
	assert_int_equal(s.lost, 4);
}

static void a_receiver_that_nothing_stops_is_left_alone(void **state)
{
	static struct receiver to = { .stalls = true, .deaf = true }; /* outlives the test */
	struct lane *l = lane_to(&to, 10, false);
	struct lane_stats s;

	(void)state;
	assert_true(push(l, "1"));
	await_sends(&to, 1);
	lane_end(l, in_ms(1));
	lane_stats_get(l, &s);
	assert_int_equal(s.lost, 1);
	lane_free(l); /* returns */
	assert_int_equal(to.closed, 0);
	set(&to, 0, false);
	while (!atomic_load(&to.closed)) /* the thread cleans up behind itself */
		usleep(1000);
}

static void what_failed_is_tried_again_and_nothing_is_lost(void **state)
{
	struct receiver to = { .error = -ENOSPC };
	struct lane *l = lane_to(&to, 1000, false);
	struct lane_stats s;

	(void)state;
	assert_true(push(l, "a"));
	assert_true(push(l, "b"));
	await_sends(&to, 2);
	lane_stats_get(l, &s);
	assert_true(s.failing);
	assert_int_equal(s.queued, 2);
	set(&to, 0, false);
	await_sends(&to, 4);
	s = finish(l, 0);
	assert_string_equal(to.got, "ab");
	assert_int_equal(s.lost, 0);
	assert_int_equal(s.written, 2);
	assert_true(s.failures >= 2);
	assert_false(s.failing);
}

static void what_still_fails_at_the_end_is_lost(void **state)
{
	struct receiver to = { .error = -ENOSPC };
	struct lane *l = lane_to(&to, 1000, false);
	struct lane_stats s;

	(void)state;
	assert_true(push(l, "a"));
	assert_true(push(l, "b"));
	await_sends(&to, 1);
	s = finish(l, 0); /* one last attempt, not for ever */
	assert_int_equal(s.lost, 2);
	assert_int_equal(s.dead, ENOSPC);
}

static void a_receiver_that_is_gone_takes_no_more(void **state)
{
	struct receiver to = { .error = -EPIPE };
	struct lane *l = lane_to(&to, 1000, false);
	struct lane_stats s = { 0 };

	(void)state;
	assert_true(push(l, "a"));
	while (!s.dead)
		lane_stats_get(l, &s);
	assert_int_equal(s.dead, EPIPE);
	assert_false(push(l, "b"));
	assert_false(lane_is_calm(l));
	s = finish(l, 0);
	assert_int_equal(s.lost, 1);
	assert_int_equal(to.sends, 1);
}

static void *release(void *arg)
{
	struct receiver *to = arg;

	await_sends(to, 1);
	usleep(20000);
	set(to, 0, false);
	return NULL;
}

static void a_patient_lane_waits_for_room(void **state)
{
	struct receiver to = { .stalls = true };
	struct lane *l = lane_to(&to, 4, true);
	struct lane_stats s;
	pthread_t t;

	(void)state;
	pthread_create(&t, NULL, release, &to);
	for (int i = 0; i < 26; i++)
		assert_true(push(l, (char[]){ (char)('a' + i), '\0' }));
	lane_end(l, 0);
	pthread_join(t, NULL);
	s = finish(l, 0);
	assert_string_equal(to.got, "abcdefghijklmnopqrstuvwxyz");
	assert_int_equal(s.lost, 0);
}

static void a_patient_lane_gives_up_on_a_receiver_that_fails(void **state)
{
	struct receiver to = { .error = -ENOSPC };
	struct lane *l = lane_to(&to, 4, true);
	struct lane_stats s;

	(void)state;
	for (int i = 0; i < 26; i++)
		push(l, "a"); /* returns, whatever becomes of it */
	s = finish(l, 0);
	assert_int_equal(s.written, 0);
	assert_int_equal(s.dead, ENOSPC);
	assert_true(s.lost >= 1);
}

static void a_record_that_is_too_long_is_lost_alone(void **state)
{
	struct receiver to = { .error = -EBADMSG };
	struct lane *l = lane_to(&to, 1000, false);
	struct lane_stats s = { 0 };

	(void)state;
	assert_true(push(l, "a"));
	while (!s.lost)
		lane_stats_get(l, &s);
	set(&to, 0, false);
	assert_true(push(l, "b"));
	s = finish(l, 0);
	assert_string_equal(to.got, "b");
	assert_int_equal(s.lost, 1);
	assert_int_equal(s.dead, 0);
}

static void reopening_comes_before_the_next_record(void **state)
{
	struct receiver to = { .error = 0 };
	struct lane *l = lane_to(&to, 1000, false);

	(void)state;
	assert_true(push(l, "a"));
	await_sends(&to, 1);
	lane_reopen(l);
	lane_reopen(l);
	assert_true(push(l, "b"));
	lane_end(l, 0);
	lane_free(l);
	assert_int_equal(to.reopened, 1);
	assert_string_equal(to.got, "ab");
}

/* --- with a spool ------------------------------------------------------------------------------
 */

static char folder[64];

static int folder_make(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/test_lane.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int folder_remove(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

static struct lane *lane_spooled(struct receiver *to, size_t limit)
{
	struct spool *spool;
	struct error note, err;

	if (spool_open(folder, SPOOL_MIN, &spool, &note, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(note.text, "");
	return lane_with(to, limit, false, spool);
}

static void a_receiver_that_is_well_needs_no_disk(void **state)
{
	struct receiver to = { .error = 0 };
	struct lane *l = lane_spooled(&to, 1000);
	struct lane_stats s;

	(void)state;
	for (int i = 0; i < 26; i++)
		assert_true(push(l, (char[]){ (char)('a' + i), '\0' }));
	s = finish(l, in_ms(60000));
	assert_string_equal(to.got, "abcdefghijklmnopqrstuvwxyz");
	assert_int_equal(s.written, 26);
	assert_int_equal(s.lost + s.spool.records, 0);
}

static void what_a_dead_receiver_did_not_take_the_next_run_delivers(void **state)
{
	struct receiver to = { .error = -ECONNREFUSED };
	struct lane *l = lane_spooled(&to, 1000);
	struct lane_stats s;
	uint64_t run, n;

	(void)state;
	push(l, "a");
	while (stats_of(l).spool.records < 1) /* and so it outlasts kill -9 from here on */
		usleep(1000);
	push(l, "b");
	while (stats_of(l).spool.records < 2)
		usleep(1000);
	run = to.run;
	n = to.n;
	s = finish(l, in_ms(5000));
	assert_int_equal(s.lost, 0);
	assert_int_equal(s.spool.records, 2);
	assert_int_equal(s.dead, 0);

	memset(&to, 0, sizeof(to));
	l = lane_spooled(&to, 1000);
	push(l, "c"); /* new ones come behind */
	s = finish(l, in_ms(60000));
	assert_string_equal(to.got, "abc");
	assert_int_equal(s.written, 3);
	assert_int_equal(s.spool.records, 0);
	assert_int_not_equal(to.run, run); /* "c" is of this run */
	assert_int_equal(n, 1);
}

static void an_id_stays_the_same_over_restarts(void **state)
{
	struct receiver to = { .error = -ECONNREFUSED };
	struct lane *l = lane_spooled(&to, 1000);
	uint64_t run, n;

	(void)state;
	push(l, "a");
	while (!stats_of(l).spool.records)
		usleep(1000);
	finish(l, in_ms(5000));
	run = to.run;
	n = to.n;
	memset(&to, 0, sizeof(to));
	finish(lane_spooled(&to, 1000), in_ms(60000));
	assert_string_equal(to.got, "a");
	assert_true(to.run == run && to.n == n);
}

static void more_than_memory_holds_goes_through_the_disk_in_order(void **state)
{
	struct receiver to = { .error = -ECONNREFUSED };
	struct lane *l = lane_spooled(&to, 64);
	struct lane_stats s;
	char want[65536] = "", text[16];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "%d", i);
		strcat(want, text);
		while (!push(l, text)) /* until the keeper made room */
			usleep(100);
	}
	set(&to, 0, false);
	s = finish(l, in_ms(60000));
	assert_string_equal(to.got, want);
	assert_int_equal(s.lost + s.spool.records, 0);
}

/* One that hangs is in hand while the keeper takes it to disk. If it is taken after all, it does
 * not come again; if the process ends before, it does. */
static void a_receiver_that_hangs_holds_nothing_up(void **state)
{
	struct receiver to = { .stalls = true };
	struct lane *l = lane_spooled(&to, 1000);

	(void)state;
	push(l, "a");
	push(l, "b");
	while (stats_of(l).spool.records < 2)
		usleep(1000);
	set(&to, 0, false);
	while (stats_of(l).written < 2)
		usleep(1000);
	assert_int_equal(stats_of(l).spool.records, 0);
	finish(l, in_ms(60000));
	assert_string_equal(to.got, "ab");
}

static void what_hangs_at_the_end_is_for_the_next_run(void **state)
{
	static struct receiver to = { .stalls = true }; /* outlives the test */
	struct receiver next = { .error = 0 };
	struct lane *l = lane_spooled(&to, 1000);
	struct lane_stats s;

	(void)state;
	push(l, "a");
	push(l, "b");
	s = finish(l, in_ms(1));
	assert_int_equal(s.lost, 0);
	assert_int_equal(s.spool.records, 2);
	set(&to, 0, false);
	for (struct error note, err;;) { /* the thread lets go of the spool when it ends */
		struct spool *p;

		if (!spool_open(folder, SPOOL_MIN, &p, &note, &err)) {
			spool_close(p);
			break;
		}
		usleep(1000);
	}
	s = finish(lane_spooled(&next, 1000), in_ms(60000));
	/* It may have taken the first after all, and that is noted; never less than all. */
	if (!strcmp(to.got, "a"))
		assert_string_equal(next.got, "b");
	else
		assert_string_equal(next.got, "ab");
}

static void a_refused_record_leaves_the_disk_too(void **state)
{
	struct receiver to = { .error = -ECONNREFUSED };
	struct lane *l = lane_spooled(&to, 1000);
	struct lane_stats s;

	(void)state;
	push(l, "a");
	while (!stats_of(l).spool.records)
		usleep(1000);
	set(&to, -EBADMSG, false);
	while (!stats_of(l).lost)
		usleep(1000);
	set(&to, 0, false);
	push(l, "b");
	s = finish(l, in_ms(60000));
	assert_string_equal(to.got, "b");
	assert_int_equal(s.lost, 1);
	assert_int_equal(s.spool.records, 0);
}

/* The disk is full: memory holds what it can, what it cannot is refused, and the end counts what no
 * disk took. */
static void a_full_disk_is_as_having_none(void **state)
{
	struct rlimit limit = { .rlim_cur = 0, .rlim_max = RLIM_INFINITY };
	struct receiver to = { .error = -ECONNREFUSED };
	struct lane_stats s;
	struct lane *l;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	l = lane_spooled(&to, 4);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_true(push(l, "ab"));
	assert_true(push(l, "cd"));
	assert_false(push(l, "ef"));
	s = finish(l, in_ms(5000));
	limit.rlim_cur = RLIM_INFINITY;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(s.lost, 2);
	assert_int_equal(s.spool.records, 0);
}

/* A child pushes and is killed with no chance to say goodbye. */
static void kill_9_loses_nothing_that_is_on_disk(void **state)
{
	struct receiver to = { .error = 0 };
	char want[65536] = "", text[16];
	int status, said[2];
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(said), 0);
	pid = fork();
	if (!pid) {
		struct lane *l;

		to.error = -ECONNREFUSED;
		l = lane_spooled(&to, 1 << 20);
		for (int i = 0; i < 500; i++) {
			snprintf(text, sizeof(text), "%d", i);
			push(l, text);
		}
		while (stats_of(l).spool.records < 500)
			usleep(1000);
		if (write(said[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(said[0], text, 1), 1);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	for (int i = 0; i < 500; i++) {
		snprintf(text, sizeof(text), "%d", i);
		strcat(want, text);
	}
	finish(lane_spooled(&to, 1000), in_ms(60000));
	assert_string_equal(to.got, want);
}

#define SPOOL_TEST(f) cmocka_unit_test_setup_teardown(f, folder_make, folder_remove)

int main(void)
{
	const struct CMUnitTest lanes[] = {
		cmocka_unit_test(a_lane_keeps_order_and_ends_when_empty),
		cmocka_unit_test(a_slow_receiver_fills_the_queue_and_never_the_caller),
		cmocka_unit_test(a_receiver_that_nothing_stops_is_left_alone),
		cmocka_unit_test(what_failed_is_tried_again_and_nothing_is_lost),
		cmocka_unit_test(what_still_fails_at_the_end_is_lost),
		cmocka_unit_test(a_receiver_that_is_gone_takes_no_more),
		cmocka_unit_test(a_patient_lane_waits_for_room),
		cmocka_unit_test(a_patient_lane_gives_up_on_a_receiver_that_fails),
		cmocka_unit_test(a_record_that_is_too_long_is_lost_alone),
		cmocka_unit_test(reopening_comes_before_the_next_record),
	};
	const struct CMUnitTest spooled[] = {
		SPOOL_TEST(a_receiver_that_is_well_needs_no_disk),
		SPOOL_TEST(what_a_dead_receiver_did_not_take_the_next_run_delivers),
		SPOOL_TEST(an_id_stays_the_same_over_restarts),
		SPOOL_TEST(more_than_memory_holds_goes_through_the_disk_in_order),
		SPOOL_TEST(a_receiver_that_hangs_holds_nothing_up),
		SPOOL_TEST(what_hangs_at_the_end_is_for_the_next_run),
		SPOOL_TEST(a_refused_record_leaves_the_disk_too),
		SPOOL_TEST(a_full_disk_is_as_having_none),
		SPOOL_TEST(kill_9_loses_nothing_that_is_on_disk),
	};
	int failed = 0;

	failed += cmocka_run_group_tests_name("lane", lanes, NULL, NULL);
	failed += cmocka_run_group_tests_name("lane with a spool", spooled, NULL, NULL);
	return failed != 0;
}
