// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/unacked.c, and user/output_syslog.c over TCP with a receiver that dies without having read:
 * what had not got to its host comes again over the next connection. */
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "unacked.h"

enum {
	MESSAGES = 300,
	LEN = 1000,
};

static struct record *record_of(unsigned int n, size_t len)
{
	struct record *r = calloc(1, sizeof(*r) + len + 1);

	assert_non_null(r);
	memset(r->text, 'x', len);
	r->text[sprintf(r->text, "<134>%u", n)] = ' ';
	r->text[len - 1] = '\n';
	r->len = len;
	r->lines = 1;
	return r;
}

static void add(struct unacked *u, unsigned int n, size_t len, uint64_t end)
{
	struct record *r = record_of(n, len);

	assert_int_equal(unacked_add(u, r, end), 0);
	free(r);
}

static unsigned int first_of(struct unacked *u)
{
	return u->head ? (unsigned int)strtoul(u->head->text + 5, NULL, 10) : 0;
}

static void what_arrived_is_forgotten(void **state)
{
	struct unacked u;
	struct record *r;

	(void)state;
	unacked_init(&u);
	assert_null(unacked_pop(&u));
	for (unsigned int n = 1; n <= 5; n++)
		add(&u, n, 20, n * 20);
	unacked_settle(&u, 0);
	assert_int_equal(first_of(&u), 1);
	unacked_settle(&u, 39); /* the second not whole */
	assert_int_equal(first_of(&u), 2);
	unacked_settle(&u, 40);
	assert_int_equal(first_of(&u), 3);
	r = unacked_pop(&u);
	unacked_unpop(&u, r);
	assert_int_equal(first_of(&u), 3);
	assert_int_equal(u.bytes, 60);
	unacked_settle(&u, 100);
	assert_null(u.head);
	assert_int_equal(u.bytes, 0);
	add(&u, 9, 20, 120);
	assert_int_equal(first_of(&u), 9);
	unacked_done(&u);
}

static void memory_is_bounded(void **state)
{
	struct unacked u;

	(void)state;
	unacked_init(&u);
	for (unsigned int n = 1; n <= 30; n++)
		add(&u, n, UNACKED_MAX / 10, n);
	assert_true(u.bytes <= UNACKED_MAX);
	assert_in_range(first_of(&u), 20, 22);
	unacked_done(&u);
}

/* --- a receiver ------------------------------------------------------------------------------- */

/* A receiver whose kernel takes little; *ret: its port. */
static int listen_at(uint16_t *ret)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM, 0), small = 4096;

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, len), 0);
	assert_int_equal(listen(fd, 5), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	*ret = ntohs(addr.sin_port);
	return fd;
}

static void *syslog_to(uint16_t port)
{
	char text[64];
	struct output_config oc;
	struct error err;
	void *handle;

	snprintf(text, sizeof(text), "syslog:tcp:127.0.0.1:%u,framing=lf", port);
	assert_int_equal(output_config_parse(text, &oc, &err), 0);
	assert_int_equal(dest_syslog.open(&oc, &handle, &err), 0);
	return handle;
}

static void send_all(void *handle, unsigned int first, unsigned int n, int stop_fd)
{
	for (unsigned int i = first; i < first + n; i++) {
		struct record *r = record_of(i, LEN);

		assert_int_equal(dest_syslog.send(handle, r, stop_fd), 0);
		free(r);
	}
}

/* read_until - lines, until the one of that number. Returns the number of the first; each has to be
 * the one after the last. */
static unsigned int read_until(int fd, unsigned int last)
{
	FILE *in = fdopen(dup(fd), "r");
	unsigned int first = UINT32_MAX, n = 0;
	char line[2 * LEN];

	while (fgets(line, sizeof(line), in)) {
		unsigned int got = (unsigned int)strtoul(line + 5, NULL, 10);

		assert_int_equal(strlen(line), LEN);
		if (first == UINT32_MAX)
			first = got;
		else
			assert_int_equal(got, n + 1);
		n = got;
		if (n == last)
			break;
	}
	assert_int_equal(n, last);
	fclose(in);
	return first;
}

/* It dies with most of it in our queue still; nothing new comes that would tell. */
static void what_had_not_arrived_comes_again(void **state)
{
	uint16_t port;
	int server = listen_at(&port), conn, stop_fd = eventfd(0, 0);
	void *handle = syslog_to(port);
	unsigned int first;

	(void)state;
	send_all(handle, 0, MESSAGES, stop_fd);
	conn = accept(server, NULL, NULL);
	assert_true(dest_syslog.idle(handle, stop_fd) > 0);
	close(conn); /* unread, hence a reset */
	assert_true(dest_syslog.idle(handle, stop_fd) > 0);
	conn = accept(server, NULL, NULL);
	first = read_until(conn, MESSAGES - 1);
	assert_true(first > 0);	 /* what its kernel acknowledged does not come again */
	assert_true(first < 64); /* which is a small part */
	while (dest_syslog.idle(handle, stop_fd))
		usleep(1000); /* all has arrived now, and it knows */
	send_all(handle, MESSAGES, 1, stop_fd);
	assert_int_equal(read_until(conn, MESSAGES), MESSAGES);
	dest_syslog.close(handle);
	close(conn);
	close(server);
	close(stop_fd);
}

/* The same, found out by the next message, which comes behind them. */
static void the_next_message_comes_behind(void **state)
{
	uint16_t port;
	int server = listen_at(&port), conn, stop_fd = eventfd(0, 0);
	void *handle = syslog_to(port);
	struct pollfd p;

	(void)state;
	send_all(handle, 0, MESSAGES, stop_fd);
	conn = accept(server, NULL, NULL);
	close(conn);
	send_all(handle, MESSAGES, 1, stop_fd);
	conn = accept(server, NULL, NULL);
	read_until(conn, MESSAGES);
	p = (struct pollfd){ .fd = conn, .events = POLLIN };
	assert_int_equal(poll(&p, 1, 0), 0); /* and nothing comes twice */
	dest_syslog.close(handle);
	close(conn);
	close(server);
	close(stop_fd);
}

/* Twice in a row: what was sent again had not arrived either. */
static void it_may_die_again(void **state)
{
	uint16_t port;
	int server = listen_at(&port), conn, stop_fd = eventfd(0, 0);
	void *handle = syslog_to(port);

	(void)state;
	send_all(handle, 0, MESSAGES, stop_fd);
	for (int i = 0; i < 2; i++) {
		conn = accept(server, NULL, NULL);
		close(conn);
		dest_syslog.idle(handle, stop_fd);
	}
	conn = accept(server, NULL, NULL);
	assert_true(read_until(conn, MESSAGES - 1) < 128);
	dest_syslog.close(handle);
	close(conn);
	close(server);
	close(stop_fd);
}

/* One that is away for good: what is owed waits, and the next message says that it fails. */
static void while_it_is_away_nothing_is_forgotten(void **state)
{
	uint16_t port;
	int server = listen_at(&port), conn, stop_fd = eventfd(0, 0);
	void *handle = syslog_to(port);
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int yes = 1;
	struct record *r = record_of(MESSAGES, LEN);

	(void)state;
	send_all(handle, 0, MESSAGES, stop_fd);
	conn = accept(server, NULL, NULL);
	close(server);
	close(conn);
	assert_true(dest_syslog.idle(handle, stop_fd) > 0);
	assert_true(dest_syslog.send(handle, r, stop_fd) < 0);
	server = socket(AF_INET, SOCK_STREAM, 0);
	addr.sin_port = htons(port);
	setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	assert_int_equal(bind(server, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(server, 5), 0);
	assert_int_equal(dest_syslog.send(handle, r, stop_fd), 0);
	conn = accept(server, NULL, NULL);
	assert_true(read_until(conn, MESSAGES) < 64);
	dest_syslog.close(handle);
	free(r);
	close(conn);
	close(server);
	close(stop_fd);
}

int main(void)
{
	const struct CMUnitTest lists[] = {
		cmocka_unit_test(what_arrived_is_forgotten),
		cmocka_unit_test(memory_is_bounded),
	};
	const struct CMUnitTest receivers[] = {
		cmocka_unit_test(what_had_not_arrived_comes_again),
		cmocka_unit_test(the_next_message_comes_behind),
		cmocka_unit_test(it_may_die_again),
		cmocka_unit_test(while_it_is_away_nothing_is_forgotten),
	};
	int failed = 0;

	signal(SIGPIPE, SIG_IGN);
	failed += cmocka_run_group_tests_name("unacked", lists, NULL, NULL);
	failed += cmocka_run_group_tests_name("syslog over TCP", receivers, NULL, NULL);
	return failed != 0;
}
