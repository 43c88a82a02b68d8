/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* user/control.c: what its loop does where it cannot do what it should. (What it answers, and to
 * how many: tests/e2e/test_status.sh.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <control.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SECOND 1000000000ull

enum {
	FILES_MAX = 64, /* that the test may have open */
	LOOKS = 200,
};

struct rig {
	char folder[64], said[96];
	struct config cfg;
	struct control *control;
	struct rlimit limit;
	int held[FILES_MAX];
	int n;
	int said_fd, stderr_was; /* what the loop says goes to the first */
};

static char *one(void *ctx, enum control_get get)
{
	(void)ctx;
	(void)get;
	return strdup("{\"type\":\"status\"}");
}

static int rig_open(void **state)
{
	const struct control_source source = { .one = one };
	struct rig *r = calloc(1, sizeof(*r));
	struct error note, err;

	assert_non_null(r);
	snprintf(r->folder, sizeof(r->folder), "/tmp/reconmon-control.XXXXXX");
	assert_non_null(mkdtemp(r->folder));
	snprintf(r->said, sizeof(r->said), "%s/said", r->folder);
	snprintf(r->cfg.control, sizeof(r->cfg.control), "%s/sock", r->folder);
	r->stderr_was = dup(STDERR_FILENO);
	r->said_fd = open(r->said, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(r->said_fd >= 0);
	assert_int_equal(control_open(&r->cfg, &source, &r->control, &note, &err), 0);
	getrlimit(RLIMIT_NOFILE, &r->limit);
	*state = r;
	return 0;
}

/* take_all - from now on there is no descriptor left. */
static void take_all(struct rig *r)
{
	const struct rlimit few = { FILES_MAX, r->limit.rlim_max };

	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	while ((r->held[r->n] = dup(STDIN_FILENO)) >= 0)
		assert_true(++r->n < FILES_MAX);
}

static void give_all(struct rig *r)
{
	while (r->n)
		close(r->held[--r->n]);
	setrlimit(RLIMIT_NOFILE, &r->limit);
}

static int rig_close(void **state)
{
	struct rig *r = *state;

	give_all(r);
	control_close(r->control);
	close(r->stderr_was);
	close(r->said_fd);
	unlink(r->said);
	rmdir(r->folder);
	free(r);
	return 0;
}

/* knock - a client that asks, and waits. */
static int knock(const struct rig *r)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", r->cfg.control);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(send(fd, "{\"get\":\"status\"}\n", 17, 0), 17);
	return fd;
}

/* turn - one of the daemon's loop: waits at most `ms`; false if there was nothing to do. */
static bool turn(const struct rig *r, int ms, uint64_t now_ns)
{
	struct pollfd p = { .fd = control_fd(r->control), .events = POLLIN };

	if (poll(&p, 1, ms) != 1)
		return false;
	dup2(r->said_fd, STDERR_FILENO);
	control_run(r->control, now_ns);
	dup2(r->stderr_was, STDERR_FILENO);
	return true;
}

static bool is_answered(int fd)
{
	char got[64];

	return recv(fd, got, sizeof(got), MSG_DONTWAIT) > 0;
}

static struct control_stats stats_of(const struct rig *r)
{
	struct control_stats s;

	control_stats_get(r->control, &s);
	return s;
}

/* lines_said - to standard error. */
static int lines_said(const struct rig *r)
{
	FILE *f = fopen(r->said, "re");
	int n = 0, c;

	assert_non_null(f);
	while ((c = getc(f)) != EOF)
		n += c == '\n';
	fclose(f);
	return n;
}

/* The loop has work for the first look, and then with every beat of a tenth of a second: a fraction
 * of looks that do not wait. A loop that spins has some at each. */
static void test_no_descriptor(void **state)
{
	struct rig *r = *state;
	int client = knock(r), turns = 0;

	take_all(r);
	for (int i = 0; i < LOOKS; i++)
		turns += turn(r, 0, SECOND);
	assert_in_range(turns, 1, LOOKS / 4);
	assert_int_equal(stats_of(r).unaccepted, 1);

	/* A second later by the loop's clock it is tried again. */
	for (int i = 0; i < 10 && stats_of(r).unaccepted < 2; i++)
		assert_true(turn(r, 10000, 2 * SECOND));
	assert_int_equal(stats_of(r).unaccepted, 2);
	assert_false(is_answered(client));

	/* Who knocked is answered when there is one. */
	give_all(r);
	assert_int_equal(lines_said(r), 1);
	for (int i = 0; i < 10 && !is_answered(client); i++)
		assert_true(turn(r, 10000, 3 * SECOND));
	assert_int_equal(stats_of(r).requests, 1);
	assert_int_equal(stats_of(r).unaccepted, 2);
	close(client);
}

/* The door's beat ends with what it was for. */
static void test_quiet_afterwards(void **state)
{
	struct rig *r = *state;
	int client = knock(r);

	take_all(r);
	assert_true(turn(r, 0, SECOND));
	give_all(r);
	for (int i = 0; i < 10 && !stats_of(r).requests; i++)
		assert_true(turn(r, 10000, 2 * SECOND));
	assert_int_equal(stats_of(r).requests, 1);
	close(client);
	for (int i = 0; i < 10 && turn(r, 1000, 3 * SECOND); i++)
		assert_true(i < 9);
	assert_int_equal(stats_of(r).clients, 0);
}

#define CONTROL_TEST(sentence, fn)                                                                 \
	{                                                                                          \
		sentence, fn, rig_open, rig_close, NULL                                            \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONTROL_TEST("no descriptor for a client: the loop does not spin, once said",
			     test_no_descriptor),
		CONTROL_TEST("and is quiet when there is one again", test_quiet_afterwards),
	};

	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
