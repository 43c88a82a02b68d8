// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/output.c and what leads out of it (output_stream.c, output_journald.c, output_command.c):
 * what each output is told, and when. */
#include <ctype.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "output.h"
#include "rules.h"

/* --- alerts to files and FIFOs -----------------------------------------------------------------
 */

static struct alert an_alert(const char *id, const struct rule *rule)
{
	struct alert a = { .rule = rule, .count = 3, .attempts = 3, .first_ns = 1, .last_ns = 2 };

	strcpy(a.id, id);
	addr_parse("10.0.0.5", &a.orig);
	addr_parse("10.0.0.9", &a.resp);
	return a;
}

struct scene {
	struct config cfg;
	struct output *out;
	char dir[64], path[2][128];
};

/* Opens the outputs "file:DIR/0,SETTINGS" and "file:DIR/1,..."; NULL: no second one. */
static void scene_open(struct scene *s, const char *first, const char *second)
{
	const char *settings[] = { first, second };
	struct error err = { 0 };

	memset(s, 0, sizeof(*s));
	config_defaults(&s->cfg);
	strcpy(s->dir, "/tmp/test_output.XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	for (int i = 0; i < 2 && settings[i]; i++) {
		char text[256];

		snprintf(s->path[i], sizeof(s->path[i]), "%s/%d", s->dir, i);
		snprintf(text, sizeof(text), "file:%s%s", s->path[i], settings[i]);
		if (output_config_parse(text, &s->cfg.output[s->cfg.outputs++], &err) < 0)
			fail_msg("%s: %s", text, err.text);
	}
}

static void scene_start(struct scene *s)
{
	struct error err = { 0 };

	if (output_open(&s->cfg, &s->out, &err) < 0)
		fail_msg("%s", err.text);
}

static void scene_done(struct scene *s)
{
	output_free(s->out);
	unlink(s->path[0]);
	unlink(s->path[1]);
	rmdir(s->dir);
}

/* said - of every line of a file: the state and the id, as in "open:1 close:1 ". */
static const char *said_in(FILE *in)
{
	static char got[4096];
	char line[8192], state[16], id[32];

	got[0] = '\0';
	while (fgets(line, sizeof(line), in)) {
		const char *at = strstr(line, "; id ");

		if (line[strlen(line) - 1] != '\n')
			fail_msg("a line without end: %s", line);
		if (!at || sscanf(line, "%*s %15s", state) != 1 ||
		    sscanf(at, "; id %31[^)]", id) != 1)
			fail_msg("not one alert's line: %s", line);
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s:%s ", state, id);
	}
	return got;
}

static const char *said(const char *path)
{
	FILE *in = fopen(path, "r");
	const char *got;

	assert_non_null(in);
	got = said_in(in);
	fclose(in);
	return got;
}

/* AWAIT - until a figure of the first output is not 0; its figures. */
#define AWAIT(s, figure)                                                                           \
	({                                                                                         \
		struct output_stats await_stats;                                                   \
		do                                                                                 \
			output_stats_get((s)->out, 0, &await_stats);                               \
		while (!await_stats.lane.figure);                                                  \
		await_stats;                                                                       \
	})

static void each_output_has_its_own_filter(void **state)
{
	struct alert a = an_alert("1", &port_scan), b = an_alert("2", &sweep);
	struct output_stats stats;
	struct scene s;

	(void)state;
	scene_open(&s, ",format=text,states=open+close,rules=port-scan", ",format=text,severity=5");
	scene_start(&s);
	output_emit(s.out, &a, ALERT_OPEN);
	output_emit(s.out, &b, ALERT_OPEN);
	output_emit(s.out, &a, ALERT_UPDATE);
	b.bits = CONTACT_OPEN; /* severity 5 from now on: the second output hears of it first */
	output_emit(s.out, &b, ALERT_UPDATE);
	output_emit(s.out, &b, ALERT_UPDATE);
	output_emit(s.out, &a, ALERT_CLOSE);
	output_emit(s.out, &b, ALERT_CLOSE);
	output_end(s.out);
	assert_string_equal(said(s.path[0]), "OPEN:1 CLOSE:1 ");
	assert_string_equal(said(s.path[1]), "OPEN:2 UPDATE:2 CLOSE:2 ");
	assert_int_equal(output_lost(s.out), 0);
	assert_int_equal(output_count(s.out), 2);
	output_stats_get(s.out, 1, &stats);
	assert_int_equal(stats.lane.written, 3);
	assert_non_null(strstr(stats.name, "/1"));
	scene_done(&s);
}

static void an_unknown_rule_is_an_error(void **state)
{
	struct error err = { 0 };
	struct output *out;
	struct scene s;

	(void)state;
	scene_open(&s, ",rules=port-scan+spoon", NULL);
	assert_int_equal(output_open(&s.cfg, &out, &err), -EINVAL);
	assert_int_equal(err.exit_code, EXIT_USAGE);
	assert_non_null(strstr(err.text, "rules 'spoon': accepted are port-scan"));
	scene_done(&s);
}

static void a_directory_that_is_not_there_is_an_error(void **state)
{
	struct error err = { 0 };
	struct output *out;
	struct scene s;

	(void)state;
	scene_open(&s, "/no", NULL);
	assert_int_equal(output_open(&s.cfg, &out, &err), -ENOENT);
	assert_non_null(strstr(err.text, "mkdir"));
	scene_done(&s);
}

/* A FIFO with room for one page: what a receiver that stalls looks like. */
static int fifo_make(const char *path)
{
	int fd;

	assert_int_equal(mkfifo(path, 0600), 0);
	fd = open(path, O_RDONLY | O_NONBLOCK);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_SETPIPE_SZ, 4096) >= 4096);
	return fd;
}

static unsigned int fill(struct scene *s, struct alert *a, unsigned int n)
{
	unsigned int missed = 0;

	for (unsigned int i = 0; i < n; i++) {
		char id[16];

		snprintf(id, sizeof(id), "%u", i);
		a[i] = an_alert(id, &port_scan);
		output_emit(s->out, &a[i], ALERT_OPEN);
		missed += a[i].unopened != 0;
	}
	return missed;
}

/* The receiver stalls until the queue is full, and then reads all. */
static void an_open_that_found_no_room_is_said_later(void **state)
{
	enum {
		N = 2000
	};
	static struct alert a[N];
	static unsigned int opened[N];
	unsigned int missed, owed = 1;
	char line[8192];
	struct scene s;
	FILE *in;
	int fd;

	(void)state;
	scene_open(&s, ",format=text,queue=64K", NULL);
	fd = fifo_make(s.path[0]);
	scene_start(&s);
	missed = fill(&s, a, N);
	assert_true(missed > N / 4 && missed < N);
	assert_int_equal(output_lost(s.out), 0);
	assert_int_equal(a[N - 1].unopened, 1);

	fcntl(fd, F_SETFL, 0);
	in = fdopen(fd, "r");
	memset(opened, 0, sizeof(opened));
	for (unsigned int n = 0; n < N && fgets(line, sizeof(line), in); n++) {
		assert_non_null(strstr(line, " OPEN "));
		opened[strtoul(strstr(line, "; id ") + 5, NULL, 10)]++;
		while (n + 1 >= N - missed && owed) { /* what a flush of the book does */
			owed = 0;
			for (unsigned int i = 0; i < N; i++) {
				if (a[i].unopened)
					output_emit(s.out, &a[i], ALERT_OPEN);
				owed += a[i].unopened != 0;
			}
			if (owed)
				break;
		}
	}
	for (unsigned int i = 0; i < N; i++)
		if (opened[i] != 1)
			fail_msg("alert %u was opened %u times", i, opened[i]);
	output_end(s.out);
	assert_int_equal(output_lost(s.out), 0);
	fclose(in);
	scene_done(&s);
}

static void a_receiver_that_stalls_does_not_hold_the_end_up(void **state)
{
	enum {
		N = 2000
	};
	static struct alert a[N];
	struct error err = { 0 };
	struct scene s;
	int fd;

	(void)state;
	scene_open(&s, ",format=text,queue=64K", NULL);
	fd = fifo_make(s.path[0]);
	scene_start(&s);
	fill(&s, a, N);
	for (unsigned int i = 0; i < N; i++)
		output_emit(s.out, &a[i], ALERT_CLOSE);
	output_end(s.out);
	assert_true(output_lost(s.out) > N); /* most of the 4,000 lines */
	assert_int_equal(output_verdict(s.out, &err), EXIT_RUNTIME);
	close(fd);
	scene_done(&s);
}

static void a_fifo_that_nobody_reads_yet_waits_for_its_reader(void **state)
{
	struct alert a = an_alert("1", &port_scan);
	struct scene s;
	FILE *in;

	(void)state;
	scene_open(&s, ",format=text,states=open", NULL);
	assert_int_equal(mkfifo(s.path[0], 0600), 0);
	scene_start(&s);
	output_emit(s.out, &a, ALERT_OPEN);
	in = fopen(s.path[0], "r"); /* blocks until there is a writer */
	assert_non_null(in);
	output_end(s.out);
	output_free(s.out);
	s.out = NULL;
	assert_string_equal(said_in(in), "OPEN:1 ");
	fclose(in);
	scene_done(&s);
}

static void size_limit(rlim_t size)
{
	const struct rlimit limit = { .rlim_cur = size, .rlim_max = RLIM_INFINITY };

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The limit of a file's size stands for the disk: a write comes back short, the next one fails. */
static void half_a_line_is_finished_when_there_is_room(void **state)
{
	struct alert a = an_alert("1", &port_scan), b = an_alert("2", &port_scan);
	struct stat st;
	struct scene s;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	scene_open(&s, ",format=text,states=open", NULL);
	scene_start(&s);
	size_limit(10);
	output_emit(s.out, &a, ALERT_OPEN);
	output_emit(s.out, &b, ALERT_OPEN);
	AWAIT(&s, failing);
	assert_int_equal(stat(s.path[0], &st), 0);
	size_limit(RLIM_INFINITY);
	assert_int_equal(st.st_size, 10);
	output_end(s.out);
	assert_string_equal(said(s.path[0]), "OPEN:1 OPEN:2 ");
	assert_int_equal(output_lost(s.out), 0);
	scene_done(&s);
}

static void half_a_line_of_somebody_else_is_ended_first(void **state)
{
	struct alert a = an_alert("1", &port_scan);
	char line[64];
	struct scene s;
	FILE *f;

	(void)state;
	scene_open(&s, ",format=text", NULL);
	f = fopen(s.path[0], "w");
	fputs("whole\nhal", f);
	fclose(f);
	scene_start(&s);
	output_emit(s.out, &a, ALERT_OPEN);
	output_end(s.out);
	f = fopen(s.path[0], "r");
	assert_string_equal(fgets(line, sizeof(line), f), "whole\n");
	assert_string_equal(fgets(line, sizeof(line), f), "hal\n");
	assert_string_equal(said_in(f), "OPEN:1 ");
	fclose(f);
	scene_done(&s);
}

static void after_rotation_the_new_file_is_written(void **state)
{
	struct alert a = an_alert("1", &port_scan);
	char old[160];
	struct scene s;

	(void)state;
	scene_open(&s, ",format=text", NULL);
	scene_start(&s);
	output_emit(s.out, &a, ALERT_OPEN);
	AWAIT(&s, written);
	snprintf(old, sizeof(old), "%s.1", s.path[0]);
	assert_int_equal(rename(s.path[0], old), 0);
	assert_int_equal(output_reopen(s.out), 1);
	output_emit(s.out, &a, ALERT_CLOSE);
	output_end(s.out);
	assert_string_equal(said(old), "OPEN:1 ");
	assert_string_equal(said(s.path[0]), "CLOSE:1 ");
	unlink(old);
	scene_done(&s);
}

/* --- the journal ------------------------------------------------------------------------------ */

/* journal_socket - where a journal would listen. */
static int journal_socket(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	strcpy(addr.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

/* journal_receive - an entry, from the datagram or from the file that came with it. Returns its
 * length; *ret_file: it was a file. */
static size_t journal_receive(int fd, char *buf, size_t size, bool *ret_file)
{
	struct iovec iov = { buf, size };
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(fd, &msg, 0);
	int file;

	assert_true(n >= 0);
	*ret_file = msg.msg_controllen >= sizeof(struct cmsghdr);
	if (!*ret_file)
		return (size_t)n;
	assert_int_equal(n, 0);
	memcpy(&file, CMSG_DATA(&control.head), sizeof(file));
	assert_int_equal(fcntl(file, F_GET_SEALS),
			 F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
	n = pread(file, buf, size, 0);
	close(file);
	return (size_t)n;
}

/* journal_field - the value of a key, by the letter of the protocol; the whole entry is read. */
static const char *journal_field(const char *entry, size_t len, const char *key)
{
	static char value[70000];
	const char *at = entry, *end = entry + len;
	bool found = false;

	while (at < end) {
		size_t name = strcspn(at, "=\n"), n;
		bool binary = at[name] == '\n';
		const char *from = at + name + 1;

		assert_true(name > 0 && (isupper(at[0]) || isdigit(at[0])));
		if (binary) {
			uint64_t length;

			memcpy(&length, from, sizeof(length));
			from += sizeof(length);
			n = (size_t)le64toh(length);
		} else {
			n = (size_t)((char *)memchr(from, '\n', (size_t)(end - from)) - from);
		}
		assert_int_equal(from[n], '\n');
		if (strlen(key) == name && !strncmp(at, key, name)) {
			assert_false(found);
			found = true;
			assert_true(n < sizeof(value));
			memcpy(value, from, n);
			value[n] = '\0';
		}
		at = from + n + 1;
	}
	assert_ptr_equal(at, end);
	return found ? value : NULL;
}

static void the_journal_gets_fields(void **state)
{
	struct alert a = an_alert("1", &port_scan);
	static char entry[70000];
	struct scene s;
	bool file;
	size_t n;
	int fd;

	(void)state;
	scene_open(&s, "", NULL);
	s.cfg.outputs = 0;
	assert_int_equal(output_config_parse("journald:/tmp/x", &s.cfg.output[0], NULL), 0);
	strcpy(s.cfg.output[0].host, s.path[0]);
	s.cfg.outputs = 1;
	fd = journal_socket(s.path[0]);
	scene_start(&s);
	strcpy(a.ifname, "ve\nth");
	output_emit(s.out, &a, ALERT_OPEN);
	n = journal_receive(fd, entry, sizeof(entry), &file);
	assert_false(file);
	assert_string_equal(journal_field(entry, n, "MESSAGE"),
			    "open: port-scan: 10.0.0.5 probed 3 ports of 10.0.0.9");
	assert_string_equal(journal_field(entry, n, "PRIORITY"), "4");
	assert_string_equal(journal_field(entry, n, "SYSLOG_IDENTIFIER"), "reconmon");
	assert_string_equal(journal_field(entry, n, "RECONMON_INTERFACE"), "ve\nth");
	assert_string_equal(journal_field(entry, n, "RECONMON_ALERT_ID"), "1");
	assert_null(journal_field(entry, n, "RECONMON_OWNER"));
	assert_non_null(strstr(journal_field(entry, n, "RECONMON_JSON"), "\"state\":\"open\""));
	output_end(s.out);
	assert_int_equal(output_lost(s.out), 0);
	close(fd);
	scene_done(&s);
}

static void what_no_datagram_holds_goes_to_the_journal_as_a_file(void **state)
{
	const size_t len = 1 << 20;
	struct record *r = malloc(sizeof(*r) + len + 1);
	struct output_config oc;
	char path[] = "/tmp/test_output.XXXXXX", *entry = malloc(len + 1);
	struct error err;
	void *handle;
	bool file;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(path));
	assert_int_equal(output_config_dest("journald", &oc, &err), 0);
	snprintf(oc.host, sizeof(oc.host), "%s/s", path);
	fd = journal_socket(oc.host);
	assert_int_equal(dest_journald.open(&oc, &handle, &err), 0);
	memset(r->text, 'x', len);
	r->len = len;
	r->lines = 1;
	assert_int_equal(dest_journald.send(handle, r, -1), 0);
	assert_int_equal(journal_receive(fd, entry, len + 1, &file), len);
	assert_true(file);
	assert_memory_equal(entry, r->text, len);
	dest_journald.close(handle);
	close(fd);
	unlink(oc.host);
	rmdir(path);
	free(entry);
	free(r);
}

/* --- a command ---------------------------------------------------------------------------------
 */

/* script_make - an executable that the shell runs; its path is s->path[1]. */
static void script_make(struct scene *s, const char *body)
{
	FILE *f = fopen(s->path[1], "w");

	assert_non_null(f);
	fprintf(f, "#!/bin/sh\n%s\n", body);
	fclose(f);
	assert_int_equal(chmod(s->path[1], 0700), 0);
}

/* The first output is a command whose script writes to path[0]; scene_start() comes after. */
static void scene_command(struct scene *s, const char *body)
{
	char text[256], script[512];
	struct error err = { 0 };

	scene_open(s, "", "");
	s->cfg.outputs = 1;
	snprintf(script, sizeof(script), body, s->path[0]);
	script_make(s, script);
	snprintf(text, sizeof(text), "command:%s,format=text", s->path[1]);
	assert_int_equal(output_config_parse(text, &s->cfg.output[0], &err), 0);
}

static void a_command_reads_each_alert(void **state)
{
	struct alert a = an_alert("1", &port_scan);
	struct scene s;

	(void)state;
	scene_command(&s, "cat >>%s; echo noise");
	scene_start(&s);
	output_emit(s.out, &a, ALERT_OPEN);
	output_emit(s.out, &a, ALERT_UPDATE);
	output_emit(s.out, &a, ALERT_CLOSE);
	output_end(s.out);
	assert_string_equal(said(s.path[0]), "OPEN:1 UPDATE:1 CLOSE:1 ");
	assert_int_equal(output_lost(s.out), 0);
	scene_done(&s);
}

static void a_command_may_ask_for_it_again(void **state)
{
	struct alert a = an_alert("1", &port_scan);
	struct output_stats stats;
	struct scene s;

	(void)state;
	scene_command(&s, "[ -e %1$s ] || { : >%1$s; exit 75; }; cat >>%1$s");
	scene_start(&s);
	output_emit(s.out, &a, ALERT_OPEN);
	stats = AWAIT(&s, written);
	assert_int_equal(stats.lane.failures, 1);
	assert_string_equal(said(s.path[0]), "OPEN:1 ");
	scene_done(&s);
}

static void what_a_command_refuses_is_lost(void **state)
{
	struct alert a = an_alert("1", &port_scan);
	struct output_stats stats;
	struct scene s;

	(void)state;
	scene_command(&s, ": %s; exec <&-; exit 3"); /* and does not read it either */
	scene_start(&s);
	output_emit(s.out, &a, ALERT_OPEN);
	stats = AWAIT(&s, lost);
	assert_int_equal(stats.lane.written, 0);
	output_end(s.out);
	scene_done(&s);
}

static void a_command_that_hangs_does_not_hold_the_end_up(void **state)
{
	struct alert a = an_alert("1", &port_scan);
	struct scene s;
	char pid[32];
	FILE *f;

	(void)state;
	scene_command(&s, "echo $$ >%s; exec sleep 1000");
	scene_start(&s);
	output_emit(s.out, &a, ALERT_OPEN);
	output_end(s.out);
	assert_int_equal(output_lost(s.out), 1);
	f = fopen(s.path[0], "r");
	assert_non_null(f);
	assert_non_null(fgets(pid, sizeof(pid), f));
	fclose(f);
	assert_int_equal(kill(atoi(pid), 0), -1); /* it was killed, and is no zombie */
	scene_done(&s);
}

static void a_command_that_is_not_there_is_an_error(void **state)
{
	struct error err = { 0 };
	struct output *out;
	struct scene s;

	(void)state;
	scene_command(&s, ": %s");
	unlink(s.path[1]);
	assert_int_equal(output_open(&s.cfg, &out, &err), -ENOENT);
	assert_non_null(strstr(err.text, "cannot be run"));
	scene_done(&s);
}

/* lines_of - the beginnings of the lines of a file: '#' of a header, or up to the first tab. */
static const char *lines_of(const char *path)
{
	static char got[256];
	char line[8192];
	FILE *in = fopen(path, "r");

	assert_non_null(in);
	got[0] = '\0';
	while (fgets(line, sizeof(line), in)) {
		if (line[0] == '#')
			snprintf(got + strlen(got), sizeof(got) - strlen(got), "%.5s ", line);
		else
			strcat(got, "row ");
	}
	fclose(in);
	return got;
}

#define HEAD "#sepa #set_ #empt #unse #path #open #fiel #type "

static void a_format_with_a_header_has_it_once_a_file(void **state)
{
	struct alert a = an_alert("1", &port_scan);
	char old[160];
	struct scene s;

	(void)state;
	scene_open(&s, ",format=zeek-tsv", NULL);
	scene_start(&s);
	output_emit(s.out, &a, ALERT_OPEN);
	output_end(s.out);
	output_free(s.out);
	assert_string_equal(lines_of(s.path[0]), HEAD "row #clos ");

	scene_start(&s); /* again, to the same file */
	output_emit(s.out, &a, ALERT_UPDATE);
	AWAIT(&s, written);
	assert_string_equal(lines_of(s.path[0]), HEAD "row #clos row ");
	snprintf(old, sizeof(old), "%s.1", s.path[0]);
	assert_int_equal(rename(s.path[0], old), 0);
	output_reopen(s.out);
	output_emit(s.out, &a, ALERT_CLOSE);
	output_end(s.out);
	assert_string_equal(lines_of(s.path[0]), HEAD "row #clos ");
	unlink(old);
	scene_done(&s);
}

int main(void)
{
	const struct CMUnitTest wholes[] = {
		cmocka_unit_test(each_output_has_its_own_filter),
		cmocka_unit_test(an_unknown_rule_is_an_error),
		cmocka_unit_test(a_directory_that_is_not_there_is_an_error),
		cmocka_unit_test(an_open_that_found_no_room_is_said_later),
		cmocka_unit_test(a_receiver_that_stalls_does_not_hold_the_end_up),
		cmocka_unit_test(a_fifo_that_nobody_reads_yet_waits_for_its_reader),
		cmocka_unit_test(half_a_line_is_finished_when_there_is_room),
		cmocka_unit_test(half_a_line_of_somebody_else_is_ended_first),
		cmocka_unit_test(the_journal_gets_fields),
		cmocka_unit_test(what_no_datagram_holds_goes_to_the_journal_as_a_file),
		cmocka_unit_test(a_command_reads_each_alert),
		cmocka_unit_test(a_command_may_ask_for_it_again),
		cmocka_unit_test(what_a_command_refuses_is_lost),
		cmocka_unit_test(a_command_that_hangs_does_not_hold_the_end_up),
		cmocka_unit_test(a_command_that_is_not_there_is_an_error),
		cmocka_unit_test(a_format_with_a_header_has_it_once_a_file),
		cmocka_unit_test(after_rotation_the_new_file_is_written),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("output", wholes, NULL, NULL) != 0;
}
