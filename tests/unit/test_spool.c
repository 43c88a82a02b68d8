// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/spool.c: what is written comes back in order, once it is delivered never again, whatever
 * ended the process and whatever became of the files; and a lane that has a spool: what it could
 * not deliver, the next one does. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "output_lane.h"
#include "output_spool.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

enum {
	HEAD = 48 /* bytes before each text: spool.c */
};

static char folder[64];

static int setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/test_spool.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

static struct record *record_of(const char *text)
{
	struct record *r = calloc(1, sizeof(*r) + strlen(text) + 1);

	assert_non_null(r);
	r->len = strlen(text);
	r->lines = 1;
	r->wall_ns = 1234567890123456789ull;
	r->run = 0xfeedfacecafebeef;
	r->n = 42;
	strcpy(r->text, text);
	return r;
}

static int append(struct spool *s, const char *text)
{
	struct record *r = record_of(text);
	int error = spool_append(s, r);

	free(r);
	return error;
}

static struct spool *open_noting(uint64_t limit, struct error *note)
{
	struct error err;
	struct spool *s;

	if (spool_open(folder, limit, &s, note, &err) < 0)
		fail_msg("%s", err.text);
	return s;
}

/* A spool that is sound. */
static struct spool *open_it(void)
{
	struct error note;
	struct spool *s = open_noting(SPOOL_MIN, &note);

	assert_string_equal(note.text, "");
	return s;
}

/* drain - the texts of all that wait, each followed by '/'; they are delivered now. */
static const char *drain(struct spool *s)
{
	static char got[65536];
	struct record *r;
	struct error err;

	got[0] = '\0';
	while (!spool_next(s, &r, &err) && r) {
		strcat(strcat(got, r->text), "/");
		free(r);
		assert_int_equal(spool_ack(s), 0);
	}
	return got;
}

static uint64_t waiting(const struct spool *s)
{
	struct spool_stats st;

	spool_stats_get(s, &st);
	return st.records;
}

/* the_file - the path of the nth segment there is. */
static const char *the_file(uint64_t number)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%016llx.spool", folder, (unsigned long long)number);
	return path;
}

static off_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -1 : st.st_size;
}

static void what_is_written_comes_back_in_order(void **state)
{
	struct spool *s = open_it();
	struct record *r;
	struct error err;

	(void)state;
	assert_int_equal(append(s, "a\n"), 0);
	assert_int_equal(append(s, ""), 0);
	assert_int_equal(append(s, "c\n"), 0);
	assert_int_equal(waiting(s), 3);
	assert_int_equal(spool_next(s, &r, &err), 0);
	assert_string_equal(r->text, "a\n");
	assert_int_equal(r->len, 2);
	assert_int_equal(r->lines, 1);
	assert_true(r->wall_ns == 1234567890123456789ull && r->run == 0xfeedfacecafebeef);
	assert_int_equal(r->n, 42);
	assert_int_equal(r->done, 0);
	free(r);
	assert_string_equal(drain(s), "a\n//c\n/"); /* the first was not acknowledged */
	assert_int_equal(waiting(s), 0);
	assert_int_equal(size_of(the_file(1)), -1); /* an empty spool has no files */
	spool_close(s);
}

static void what_was_not_delivered_is_there_again(void **state)
{
	struct spool *s = open_it();
	struct record *r;
	struct error err;
	struct stat st;

	(void)state;
	append(s, "a");
	append(s, "b");
	append(s, "c");
	assert_int_equal(spool_next(s, &r, &err), 0);
	free(r);
	assert_int_equal(spool_ack(s), 0);
	assert_int_equal(stat(the_file(1), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	spool_close(s);
	assert_int_equal(spool_waiting(folder), 2);
	s = open_it();
	assert_int_equal(waiting(s), 2);
	append(s, "d");
	assert_string_equal(drain(s), "b/c/d/");
	spool_close(s);
	assert_int_equal(spool_waiting(folder), 0);
}

/* Delivered from memory while it was copied to disk. */
static void an_acknowledgement_needs_no_reading(void **state)
{
	struct spool *s = open_it();

	(void)state;
	append(s, "a");
	append(s, "b");
	assert_int_equal(spool_ack(s), 0);
	assert_string_equal(drain(s), "b/");
	append(s, "c");
	assert_int_equal(spool_ack(s), 0);
	assert_int_equal(spool_ack(s), -ENOENT);
	append(s, "d");
	spool_close(s);
	s = open_it();
	assert_string_equal(drain(s), "d/");
	spool_close(s);
}

static void the_limit_holds_and_room_comes_back(void **state)
{
	static char text[10001];
	struct spool *s = open_it();
	struct spool_stats st;
	unsigned int n = 0;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	while (!append(s, text))
		n++;
	assert_in_range(n, 90, SPOOL_MIN / 10000);
	assert_int_equal(append(s, text), -EFBIG);
	spool_stats_get(s, &st);
	assert_true(st.bytes <= SPOOL_MIN);
	assert_int_equal(st.records, n);
	for (unsigned int i = 0; i < n / 2; i++)
		assert_int_equal(spool_ack(s), 0);
	for (unsigned int i = 0; i < n / 4; i++)
		assert_int_equal(append(s, text), 0);
	spool_close(s);
	s = open_it();
	assert_int_equal(waiting(s), n - n / 2 + n / 4);
	spool_close(s);
}

static void a_record_larger_than_a_segment_goes(void **state)
{
	static char text[SPOOL_MIN / 2];
	struct spool *s = open_it();
	struct record *r;
	struct error err;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	append(s, "a");
	assert_int_equal(append(s, text), 0);
	append(s, "b");
	assert_int_equal(spool_ack(s), 0);
	assert_int_equal(spool_next(s, &r, &err), 0);
	assert_string_equal(r->text, text);
	free(r);
	assert_int_equal(spool_ack(s), 0);
	assert_string_equal(drain(s), "b/");
	spool_close(s);
}

static void one_process_at_a_time(void **state)
{
	struct spool *s = open_it(), *other;
	struct error note, err;

	(void)state;
	assert_int_equal(spool_open(folder, SPOOL_MIN, &other, &note, &err), -EBUSY);
	assert_non_null(strstr(err.text, "in use by another process"));
	spool_close(s);
	spool_close(open_it());
}

static void a_folder_that_cannot_be_made_is_an_error(void **state)
{
	struct error note, err;
	struct spool *s;

	(void)state;
	assert_int_equal(spool_open("/tmp/not/there", SPOOL_MIN, &s, &note, &err), -ENOENT);
	assert_non_null(strstr(err.text, "mkdir -p"));
}

/* Cut at every byte, as a process that is killed and a disk that is full may leave it. */
static void whatever_part_of_the_last_record_is_missing(void **state)
{
	const off_t one = HEAD + 3;

	(void)state;
	for (off_t cut = 2 * one; cut >= one; cut--) {
		struct spool *s = open_it();
		struct error note;

		append(s, "one");
		append(s, "two");
		spool_close(s);
		assert_int_equal(size_of(the_file(1)), 2 * one);
		assert_int_equal(truncate(the_file(1), cut), 0);
		s = open_noting(SPOOL_MIN, &note);
		assert_int_equal(!note.text[0], cut == one || cut == 2 * one);
		if (note.text[0])
			assert_non_null(strstr(note.text, "only written in part"));
		append(s, "three");
		assert_string_equal(drain(s), cut == 2 * one ? "one/two/three/" : "one/three/");
		spool_close(s);
	}
}

/* After a power cut a file may end in zeros. */
static void an_end_of_zeros_is_cut_off(void **state)
{
	struct spool *s = open_it();
	struct error note;

	(void)state;
	append(s, "one");
	spool_close(s);
	assert_int_equal(truncate(the_file(1), 4096), 0);
	s = open_noting(SPOOL_MIN, &note);
	assert_non_null(strstr(note.text, "only written in part"));
	assert_string_equal(drain(s), "one/");
	spool_close(s);
}

static void flip(const char *path, off_t at)
{
	int fd = open(path, O_RDWR);
	char byte;

	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 0x20;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

/* Every byte of the second of three records, in turn. But for those that are written later and
 * those that are not used, the damage is found, the others survive, and the file is kept. */
static void any_byte_may_be_damaged(void **state)
{
	const off_t one = HEAD + 3;

	(void)state;
	for (off_t at = one; at < 2 * one; at++) {
		bool delivered = at - one >= 8 && at - one < 12;
		struct spool *s = open_it();
		struct spool_stats st;
		struct error note;
		char aside[160];

		append(s, "one");
		append(s, "two");
		append(s, "six");
		spool_close(s);
		flip(the_file(1), at);
		s = open_noting(SPOOL_MIN, &note);
		spool_stats_get(s, &st);
		assert_int_equal(st.damaged, !delivered);
		snprintf(aside, sizeof(aside), "%s.damaged", the_file(1));
		assert_int_equal(size_of(aside), delivered ? -1 : 3 * one);
		if (!delivered)
			assert_non_null(strstr(note.text, "set aside as .damaged; 2 alerts"));
		assert_string_equal(drain(s), "one/six/");
		spool_close(s);
		unlink(aside);
	}
}

static void a_file_of_something_else_is_set_aside(void **state)
{
	FILE *f = fopen(the_file(7), "w");
	struct error note;
	struct spool *s;

	(void)state;
	fputs("this is no spool\nRMs1 and has its magic number\n", f);
	fclose(f);
	s = open_noting(SPOOL_MIN, &note);
	assert_non_null(strstr(note.text, "is damaged in"));
	append(s, "a"); /* behind it, under a number of its own */
	assert_true(size_of(the_file(8)) > 0);
	assert_string_equal(drain(s), "a/");
	spool_close(s);
}

static void damage_while_it_runs_costs_that_file_alone(void **state)
{
	static char text[SPOOL_MIN / 16];
	struct spool *s = open_it();
	struct spool_stats st;
	struct record *r;
	struct error err;

	(void)state;
	memset(text, 'x', sizeof(text) - HEAD - 1);
	append(s, text); /* a segment each */
	append(s, "b");
	flip(the_file(1), HEAD + 100);
	assert_int_equal(spool_next(s, &r, &err), -EINVAL);
	assert_non_null(strstr(err.text, "1 alerts in it are lost"));
	assert_string_equal(drain(s), "b/");
	spool_stats_get(s, &st);
	assert_int_equal(st.lost, 1);
	spool_close(s);
}

/* The limit of a file's size stands for the disk. */
static void a_full_disk_leaves_no_half_of_a_record(void **state)
{
	struct rlimit limit = { .rlim_cur = 150, .rlim_max = RLIM_INFINITY };
	struct spool *s = open_it();

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(append(s, "one"), 0);
	assert_int_equal(append(s, "two"), 0);
	assert_true(append(s, "three") < 0);
	assert_int_equal(size_of(the_file(1)), 2 * (HEAD + 3));
	limit.rlim_cur = RLIM_INFINITY;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(append(s, "four"), 0);
	assert_string_equal(drain(s), "one/two/four/");
	spool_close(s);
}

/* --- whose it is -------------------------------------------------------------------------------
 */

static const struct folder_case {
	const char *name, *output, *all, *want; /* NULL: none; the last part is zlib's crc32 */
	enum command command;
} folder_cases[] = {
	{ "below the one of all", "hec:https://siem.example:8088/x", "/s",
	  "/s/hec-https-siem.example-8088-x-ecs-7322c820", COMMAND_WATCH },
	{ "its own", "syslog:tcp:h,spool=/own", "/s", "/own/syslog-tcp-h-text-ff8c1020",
	  COMMAND_WATCH },
	{ "none of its own", "syslog:tcp:h,spool=none", "/s", NULL, COMMAND_WATCH },
	{ "none at all", "syslog:tcp:h", "none", NULL, COMMAND_WATCH },
	{ "its own in spite of that", "syslog:tcp:h,spool=/own", "none",
	  "/own/syslog-tcp-h-text-ff8c1020", COMMAND_WATCH },
	{ "a file has none", "file:/x", "/s", NULL, COMMAND_WATCH },
	{ "unless it is said", "file:/x,spool=/own", "", "/own/file-x-ecs-6ff5c46b",
	  COMMAND_WATCH },
	{ "standard output has none", "stdout", "/s", NULL, COMMAND_WATCH },
	{ "replay waits for its receivers", "hec:https://h", "/s", NULL, COMMAND_REPLAY },
	{ "nobody made a place for it", "hec:https://h", "", NULL, COMMAND_WATCH },
};

static void test_folder(void **state)
{
	const struct folder_case *c = *state;
	static struct config cfg;
	char got[STATE_MAX + OUTPUT_SPOOL_MAX];
	struct error err;
	const char *path;

	config_defaults(&cfg);
	cfg.command = c->command;
	setenv("STATE_DIRECTORY", "/not/there", 1);
	strcpy(cfg.spool, c->all);
	assert_int_equal(output_config_parse(c->output, &cfg.output[0], &err), 0);
	cfg.output[0].format = output_format(&cfg.output[0]);
	path = output_spool_folder(&cfg, &cfg.output[0], got);
	if (!path != !c->want || (path && strcmp(path, c->want) != 0))
		fail_msg("%s instead of %s", path, c->want);
}

/* Somebody tidies up while it runs: no alert is said to wait where no file is. */
static void a_file_that_was_removed_keeps_nothing(void **state)
{
	struct spool *s = open_noting(SPOOL_MIN, &(struct error){ 0 });
	struct spool_stats st;
	char command[128];

	(void)state;
	assert_int_equal(append(s, "one"), 0);
	assert_int_equal(append(s, "two"), 0);
	snprintf(command, sizeof(command), "rm '%s'/*.spool", folder);
	assert_int_equal(system(command), 0);
	assert_int_equal(append(s, "three"), 0); /* in a file that has a name */
	assert_int_equal(spool_waiting(folder), 1);
	spool_check(s);
	spool_stats_get(s, &st);
	assert_int_equal(st.records, 1);
	assert_int_equal(st.lost, 2);
	snprintf(command, sizeof(command), "rm -r '%s'", folder);
	assert_int_equal(system(command), 0);
	assert_int_equal(append(s, "four"), -ENOENT); /* its writer is told */
	spool_check(s);
	spool_stats_get(s, &st);
	assert_int_equal(st.records, 0);
	assert_int_equal(st.bytes, 0);
	assert_int_equal(st.lost, 3);
	spool_close(s);
}

#define SPOOL_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest spools[] = {
		SPOOL_TEST(what_is_written_comes_back_in_order),
		SPOOL_TEST(what_was_not_delivered_is_there_again),
		SPOOL_TEST(an_acknowledgement_needs_no_reading),
		SPOOL_TEST(the_limit_holds_and_room_comes_back),
		SPOOL_TEST(a_record_larger_than_a_segment_goes),
		SPOOL_TEST(one_process_at_a_time),
		SPOOL_TEST(a_folder_that_cannot_be_made_is_an_error),
		SPOOL_TEST(whatever_part_of_the_last_record_is_missing),
		SPOOL_TEST(an_end_of_zeros_is_cut_off),
		SPOOL_TEST(any_byte_may_be_damaged),
		SPOOL_TEST(a_file_of_something_else_is_set_aside),
		SPOOL_TEST(damage_while_it_runs_costs_that_file_alone),
		SPOOL_TEST(a_full_disk_leaves_no_half_of_a_record),
		SPOOL_TEST(a_file_that_was_removed_keeps_nothing),
	};
	struct CMUnitTest folders[ARRAY_SIZE(folder_cases)];
	int failed = 0;

	for (size_t i = 0; i < ARRAY_SIZE(folder_cases); i++)
		folders[i] =
			(struct CMUnitTest){ .name = folder_cases[i].name,
					     .test_func = test_folder,
					     .initial_state = (void *)(uintptr_t)&folder_cases[i] };
	failed += cmocka_run_group_tests_name("spool", spools, NULL, NULL);
	failed += cmocka_run_group_tests_name("output_spool_folder", folders, NULL, NULL);
	return failed != 0;
}
