// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/output_config.c: how outputs are written down. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "output_config.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

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

int main(void)
{
	const struct CMUnitTest others[] = { cmocka_unit_test(a_target_ends_at_its_room) };
	struct CMUnitTest parse[ARRAY_SIZE(parse_cases)];
	int failed = 0;

	for (size_t i = 0; i < ARRAY_SIZE(parse_cases); i++)
		parse[i] =
			(struct CMUnitTest){ .name = parse_cases[i].name,
					     .test_func = test_parse,
					     .initial_state = (void *)(uintptr_t)&parse_cases[i] };
	failed += cmocka_run_group_tests_name("output_config_parse", parse, NULL, NULL);
	failed += cmocka_run_group_tests_name("output_config_dest", others, NULL, NULL);
	return failed != 0;
}
