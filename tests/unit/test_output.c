// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/output*.c: how outputs are written down; a queue whose receiver is slow, fails or dies; what
 * each output is told, and when. */
#include <ctype.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
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
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "output.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define NS_PER_S      1000000000ull

/* --- how an output is written ---------------------------------------------------------------- */

static const struct parse_case {
	const char *name, *text;
	const char *
		want; /* "kind target format states severity rules queue", or a part of the error */
	bool bad;
} parse_cases[] = {
	{ "standard output", "stdout", "0  text 7 0  4194304", false },
	{ "a file", "file:/a/b.json", "1 /a/b.json ecs 7 0  4194304", false },
	{ "a path with a colon", "file:/a:b", "1 /a:b ecs 7 0  4194304", false },
	{ "all settings",
	  "file:x,format=text,severity=7,states=open+close,rules=sweep+port-scan,queue=64K",
	  "1 x text 5 7 sweep+port-scan 65536", false },
	{ "json is ecs", "stdout,format=json", "0  ecs 7 0  4194304", false },
	{ "the last of two counts", "stdout,severity=3,severity=10", "0  text 7 10  4194304",
	  false },
	{ "a queue in bytes", "stdout,queue=65536", "0  text 7 0  65536", false },
	{ "the largest queue", "stdout,queue=1G", "0  text 7 0  1073741824", false },
	{ "a state twice", "stdout,states=close+close", "0  text 4 0  4194304", false },

	/* syslog: "transport host port facility lf enterprise format" */
	{ "syslog over UDP", "syslog:udp:192.0.2.1", "1 192.0.2.1 514 16 0 32473 text", false },
	{ "syslog over TCP with a port", "syslog:tcp:logs.example:1514",
	  "2 logs.example 1514 16 0 32473 text", false },
	{ "syslog at home", "syslog:tcp", "2 localhost 514 16 0 32473 text", false },
	{ "syslog to IPv6", "syslog:udp:2001:db8::1", "1 2001:db8::1 514 16 0 32473 text", false },
	{ "syslog to IPv6 with a port", "syslog:udp:[2001:db8::1]:5514",
	  "1 2001:db8::1 5514 16 0 32473 text", false },
	{ "syslog to the local socket", "syslog:unix", "0 /dev/log 0 16 0 32473 text", false },
	{ "syslog to another socket", "syslog:unix:/run/x:y", "0 /run/x:y 0 16 0 32473 text",
	  false },
	{ "all settings of syslog",
	  "syslog:tcp:h,facility=daemon,framing=lf,enterprise=64999,format=cef",
	  "2 h 514 3 1 64999 cef", false },
	{ "syslog over TLS", "syslog:tls:h,ca=/c", "3 h 6514 16 0 32473 text", false },
	{ "the journal", "journald", "3  journal 7 0  4194304", false },
	{ "another journal", "journald:/run/j,severity=5", "3 /run/j journal 7 5  4194304", false },

	{ "a webhook", "webhook:https://h/x?y=1", "4 https://h/x?y=1 ecs 7 0  4194304", false },
	{ "Splunk", "hec:http://h:8088,token-file=/t,index=a_b-c,ca=/c",
	  "5 http://h:8088 ecs 7 0  4194304", false },
	{ "Elasticsearch", "elasticsearch:https://h,format=ocsf", "6 https://h ocsf 7 0  4194304",
	  false },

	{ "a command", "command:/bin/x", "7 /bin/x ecs 7 0  4194304", false },
	{ "a command to be searched for", "command:mail", "its whole path", true },
	{ "a webhook by ftp", "webhook:ftp://h/", "'ftp://h/' is no URL", true },
	{ "a URL without host", "hec:https:///x", "is no URL", true },
	{ "a URL with a blank", "hec:https://h/a b", "is no URL", true },
	{ "an index of capitals", "hec:https://h,index=Main", "index 'Main': a-z", true },
	{ "an index of a webhook", "webhook:https://h,index=main", "setting of webhook 'index'",
	  true },
	{ "a token of a file", "file:x,token-file=/t", "setting of file 'token-file'", true },
	{ "an empty path", "hec:https://h,token-file=", "token-file '': the path of a file", true },

	{ "syslog without transport", "syslog", "write it as syslog:unix|udp|tcp|tls", true },
	{ "syslog by pigeon", "syslog:pigeon:h", "syslog transport 'pigeon': accepted are", true },
	{ "a port of 0", "syslog:udp:h:0", "port '0'", true },
	{ "a port too high", "syslog:udp:h:65536", "port '65536'", true },
	{ "a bracket that does not close", "syslog:udp:[::1", "is no HOST[:PORT]", true },
	{ "no host before the port", "syslog:udp::514", "is no HOST[:PORT]", true },
	{ "an unknown facility", "syslog:udp:h,facility=local8", "facility 'local8': accepted",
	  true },
	{ "a facility of a file", "file:x,facility=local0",
	  "setting of file 'facility': accepted are format, severity, states, rules, queue", true },
	{ "a format of the journal", "journald,format=ecs", "setting of journald 'format'", true },
	{ "the journal's format elsewhere", "file:x,format=journal", "format 'journal'", true },

	{ "nothing", "", "'' is no destination; there are stdout, file:PATH, syslog:", true },
	{ "an unknown destination", "pigeon:home", "'pigeon:home' is no destination", true },
	{ "half a word", "std", "'std' is no destination", true },
	{ "something after stdout", "stdout:x", "nothing follows stdout", true },
	{ "a file without path", "file", "write it as file:PATH", true },
	{ "a file with an empty path", "file:", "write it as file:PATH", true },
	{ "an unknown key", "stdout,colour=red", "setting of stdout 'colour': accepted are format,",
	  true },
	{ "a key without value", "stdout,format", "'format': after a comma comes KEY=VALUE", true },
	{ "a comma at the end", "stdout,", "'': after a comma comes KEY=VALUE", true },
	{ "an unknown format", "stdout,format=xml", "format 'xml': accepted are text", true },
	{ "the word for no format", "stdout,format=default", "format 'default'", true },
	{ "severity out of range", "stdout,severity=11", "severity", true },
	{ "severity that is no number", "stdout,severity=high", "severity", true },
	{ "an unknown state", "stdout,states=open+shut", "states 'shut': accepted are open", true },
	{ "no state", "stdout,states=", "some of open, update, close", true },
	{ "no rule", "stdout,rules=", "names of rules", true },
	{ "a queue too small", "stdout,queue=63K", "bytes from 64K to 1G", true },
	{ "a queue too large", "stdout,queue=2G", "bytes from 64K to 1G", true },
	{ "a queue of an odd unit", "stdout,queue=100000X", "bytes from 64K to 1G", true },
	{ "a queue with two units", "stdout,queue=4MB", "bytes from 64K to 1G", true },
	{ "a queue with a sign", "stdout,queue=-65536", "bytes from 64K to 1G", true },
	{ "a queue beyond 64 bits", "stdout,queue=99999999999999999999", "bytes from 64K", true },
};

static void test_parse(void **state)
{
	const struct parse_case *c = *state;
	struct output_config oc;
	struct error err = { 0 };
	char got[1024];
	int r = output_config_parse(c->text, &oc, &err);

	assert_int_equal(r, c->bad ? -EINVAL : 0);
	if (c->bad) {
		assert_int_equal(err.exit_code, EXIT_USAGE);
		if (!strstr(err.text, c->want))
			fail_msg("'%s' instead of '%s'", err.text, c->want);
		return;
	}
	snprintf(got, sizeof(got), "%d %s %s %u %u %s %u", oc.kind, oc.target,
		 output_format_name(output_format(&oc)), oc.states, oc.severity, oc.rules,
		 oc.queue_bytes);
	if (oc.kind == OUTPUT_SYSLOG)
		snprintf(got, sizeof(got), "%d %s %u %u %d %u %s", oc.transport, oc.host, oc.port,
			 oc.facility, oc.lf_framing, oc.enterprise,
			 output_format_name(output_format(&oc)));
	assert_string_equal(got, c->want);
}

static void a_target_ends_at_its_room(void **state)
{
	char text[OUTPUT_TARGET_MAX + 16] = "file:";
	struct output_config oc;
	struct error err;

	(void)state;
	memset(text + 5, 'x', OUTPUT_TARGET_MAX - 1);
	assert_int_equal(output_config_dest(text, &oc, &err), 0);
	assert_int_equal(strlen(oc.target), OUTPUT_TARGET_MAX - 1);
	text[5 + OUTPUT_TARGET_MAX - 1] = 'x';
	assert_int_equal(output_config_dest(text, &oc, &err), -EINVAL);
	assert_non_null(strstr(err.text, "longer than 511"));
}

/* --- a lane ------------------------------------------------------------------------------------
 */

/* A receiver whose behaviour the test chooses while it runs. */
struct receiver {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int error;   /* what send() returns, negative; 0: it takes */
	bool stalls; /* send() waits until it is stopped or this is false */
	bool deaf;   /* it does not even look at stop_fd */
	unsigned int sends, reopened;
	atomic_uint closed;
	char got[4096];
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

static struct lane *lane_to(struct receiver *to, size_t limit, bool patient)
{
	const struct lane_spec spec = {
		.name = "fake", .dest = &fake, .handle = to, .limit = limit, .patient = patient
	};
	struct lane *l;

	pthread_mutex_init(&to->lock, NULL);
	pthread_cond_init(&to->changed, NULL);
	assert_int_equal(lane_open(&spec, &l), 0);
	return l;
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

static void a_lane_keeps_order_and_ends_when_empty(void **state)
{
	struct receiver to = { .error = 0 };
	struct lane *l = lane_to(&to, 1000, false);
	struct lane_stats s;

	(void)state;
	for (int i = 0; i < 26; i++)
		assert_true(push(l, (char[]){ (char)('a' + i), '\0' }));
	lane_end(l, 0);
	lane_stats_get(l, &s);
	lane_free(l);
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
	lane_end(l, in_ms(1)); /* stalled: stop_fd ends the wait, and the three are lost */
	lane_stats_get(l, &s);
	lane_free(l);
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
	lane_end(l, 0);
	lane_stats_get(l, &s);
	lane_free(l);
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
	lane_end(l, 0); /* one last attempt, not for ever */
	lane_stats_get(l, &s);
	lane_free(l);
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
	lane_end(l, 0);
	lane_stats_get(l, &s);
	lane_free(l);
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
	lane_stats_get(l, &s);
	lane_free(l);
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
	lane_end(l, 0);
	lane_stats_get(l, &s);
	lane_free(l);
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
	lane_end(l, 0);
	lane_stats_get(l, &s);
	lane_free(l);
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

/* --- the whole: alerts to files and FIFOs ------------------------------------------------------
 */

static const struct rule port_scan = { .name = "port-scan",
				       .where = WHERE_PROBE,
				       .group = FIELD_ORIG | FIELD_RESP,
				       .distinct = FIELD_RESP_PORT,
				       .window_ns = 300 * NS_PER_S,
				       .threshold = 3 };
static const struct rule sweep = { .name = "sweep",
				   .where = WHERE_PROBE,
				   .group = FIELD_ORIG | FIELD_RESP_PORT,
				   .distinct = FIELD_RESP,
				   .window_ns = 300 * NS_PER_S,
				   .threshold = 25 };

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
	struct output_stats stats = { .lane.failing = false };
	struct stat st;
	struct scene s;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	scene_open(&s, ",format=text,states=open", NULL);
	scene_start(&s);
	size_limit(10);
	output_emit(s.out, &a, ALERT_OPEN);
	output_emit(s.out, &b, ALERT_OPEN);
	while (!stats.lane.failing)
		output_stats_get(s.out, 0, &stats);
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
	struct output_stats stats = { .lane.written = 0 };
	char old[160];
	struct scene s;

	(void)state;
	scene_open(&s, ",format=text", NULL);
	scene_start(&s);
	output_emit(s.out, &a, ALERT_OPEN);
	while (!stats.lane.written)
		output_stats_get(s.out, 0, &stats);
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
	struct output_stats stats = { .lane.written = 0 };
	struct scene s;

	(void)state;
	scene_command(&s, "[ -e %1$s ] || { : >%1$s; exit 75; }; cat >>%1$s");
	scene_start(&s);
	output_emit(s.out, &a, ALERT_OPEN);
	while (!stats.lane.written)
		output_stats_get(s.out, 0, &stats);
	assert_int_equal(stats.lane.failures, 1);
	assert_string_equal(said(s.path[0]), "OPEN:1 ");
	scene_done(&s);
}

static void what_a_command_refuses_is_lost(void **state)
{
	struct alert a = an_alert("1", &port_scan);
	struct output_stats stats = { .lane.lost = 0 };
	struct scene s;

	(void)state;
	scene_command(&s, ": %s; exec <&-; exit 3"); /* and does not read it either */
	scene_start(&s);
	output_emit(s.out, &a, ALERT_OPEN);
	while (!stats.lane.lost)
		output_stats_get(s.out, 0, &stats);
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
	struct output_stats stats = { .lane.written = 0 };
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
	while (!stats.lane.written)
		output_stats_get(s.out, 0, &stats);
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

#define ROW_TESTS(tests, cases, func)                                                              \
	struct CMUnitTest tests[ARRAY_SIZE(cases)];                                                \
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)                                             \
		tests[i] = (struct CMUnitTest)                                                     \
		{                                                                                  \
			.name = (cases)[i].name, .test_func = (func),                              \
			.initial_state = (void *)&(cases)[i]                                       \
		}

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
	const struct CMUnitTest wholes[] = {
		cmocka_unit_test(a_target_ends_at_its_room),
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
	int failed = 0;

	signal(SIGPIPE, SIG_IGN);
	ROW_TESTS(parse, parse_cases, test_parse);
	failed += cmocka_run_group_tests_name("output_config_parse", parse, NULL, NULL);
	failed += cmocka_run_group_tests_name("lane", lanes, NULL, NULL);
	failed += cmocka_run_group_tests_name("output", wholes, NULL, NULL);
	return failed != 0;
}
