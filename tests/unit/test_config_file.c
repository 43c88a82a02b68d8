// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* Configuration files and what becomes of them: one sentence with its place, or a configuration
 * that is written as a file which says the same. */
#include "config_file.h"

#include <assert.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static char path[64];

static void write_file(const char *text, size_t len)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

/* read_text - the file `text` over the defaults. */
static int read_text(const char *text, const enum rule_profile *profile, struct config *cfg,
		     struct error *err)
{
	write_file(text, strlen(text));
	config_defaults(cfg);
	return config_file_read(path, profile, cfg, err);
}

/* printed - what config_print() makes of cfg; for free(). */
static char *printed(const struct config *cfg)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_int_equal(config_print(cfg, out), 0);
	fclose(out);
	return text;
}

/* --- what is refused, and how it says so --- */

#define KEYS                                                                                       \
	"keys are profile, interfaces, ingress, internal, settle, settle-open, habits, state, "    \
	"pin, pod-names, reload-on-change, spool, spool-size, guard-rate, tick, json, verbosity, " \
	"rules, "                                                                                  \
	"attempts, "                                                                               \
	"attempts-file, "                                                                          \
	"allow, outputs, limits, numeric, geoip, control, metrics"
#define FIELDS                                                                                     \
	"fields are enabled, where, originator, responder, ports, protocol, originators, by, "     \
	"distinct, window, mode, threshold, yields-to, severity, attack-internal, "                \
	"attack-external, description"
#define TIME_OF(min, max) "a time needs a number and a unit (ms, s, m, h, d), " min " to " max
#define OWN_NEEDS                                                                                  \
	"is missing, and a rule of your own needs where, by, distinct, window and threshold; no "  \
	"built-in rule "

static const struct bad_case {
	const char *name, *text;
	const char *want; /* behind the path of the file */
} bad_cases[] = {
	/* keys */
	{ "an unknown key", "tick: 1s\nrulez: {}\n",
	  ":2:1: no key 'rulez' (did you mean 'rules'?): " KEYS },
	{ "a key that resembles none", "tick: 1s\n\n\nfoo: bar\n", ":4:1: no key 'foo': " KEYS },
	{ "a key spelt with an underscore", "settle_open: 30s\n",
	  ":1:1: no key 'settle_open' (did you mean 'settle-open'?): " KEYS },
	{ "a key twice", "tick: 1s\nsettle: 2s\ntick: 2s\n",
	  ":3:1: 'tick' is there already, in line 1" },
	{ "a rule twice", "rules:\n  sweep: {threshold: 3}\n  port-scan: {}\n  sweep: {}\n",
	  ":4:3: rules: 'sweep' is there already, in line 2" },
	{ "an unknown field of a rule", "rules:\n  port-scan:\n    treshold: 5\n",
	  ":3:5: rules.port-scan: no field 'treshold' (did you mean 'threshold'?): " FIELDS },
	{ "a field twice", "rules:\n  port-scan:\n    window: 5m\n    window: 6m\n",
	  ":4:5: rules.port-scan: 'window' is there already, in line 3" },
	{ "an unknown limit", "limits:\n  memory: 5\n",
	  ":2:3: limits: no limit 'memory': limits are attempts, contacts, groups, habits" },
	{ "a merge key, which libyaml does not know", "rules:\n  sweep:\n    <<: {}\n",
	  ":3:5: rules.sweep: no field '<<': " FIELDS },
	{ "a key that is a list", "[a]: 1\n", ":1:1: a single value is expected, here is a list" },
	{ "a key that is nothing", "tick: 1s\n: 5\n",
	  ":2:1: while parsing a block mapping that begins in line 1: did not find expected key" },
	{ "a key with a point", "rules.port-scan: 5\n", ":1:1: no key 'rules.port-scan': " KEYS },
	/* types */
	{ "a list instead of a mapping", "- tick: 1s\n",
	  ":1:1: a mapping (KEY: VALUE) is expected, here is a list" },
	{ "a word instead of a mapping", "tick\n",
	  ":1:1: a mapping (KEY: VALUE) is expected, here is a single value" },
	{ "rules as a list", "rules:\n  - port-scan\n",
	  ":2:3: rules: a mapping (KEY: VALUE) is expected, here is a list" },
	{ "a rule as a word", "rules:\n  port-scan: off\n",
	  ":2:14: rules.port-scan: a mapping (KEY: VALUE) is expected, here is a single value" },
	{ "a list instead of a word", "tick: [1s]\n",
	  ":1:7: tick: a single value is expected, here is a list" },
	{ "a mapping instead of a word", "tick:\n  s: 1\n",
	  ":2:3: tick: a single value is expected, here is a mapping (KEY: VALUE)" },
	{ "a mapping instead of a list", "interfaces:\n  eth0: true\n",
	  ":2:3: interfaces: a list is expected, as in [A, B], here is a mapping (KEY: VALUE)" },
	{ "a list within a list", "internal:\n  - 10.0.0.0/8\n  - [172.16.0.0/12]\n",
	  ":3:5: internal: a single value is expected, here is a list" },
	{ "no value", "tick:\nsettle: 2s\n", ":1:6: tick: a value is missing" },
	{ "null for a value", "tick: null\n", ":1:7: tick: a value is missing" },
	{ "an item that is nothing", "internal:\n  - 10.0.0.0/8\n  -\n",
	  ":3:4: internal: a value is missing" },
	{ "an exclusion without quotes in brackets", "interfaces: [eth0, !lo]\n",
	  ":1:23: while scanning a tag: did not find expected whitespace or line break (a word "
	  "that begins with ! needs quotes)" },
	{ "an exclusion without quotes", "interfaces:\n  - eth0\n  - !lo\n",
	  ":3:5: interfaces: '!lo' is a tag to YAML; a word that begins with ! needs quotes: "
	  "'!lo'" },
	{ "a control character", "rules: {sweep: {description: \"a\\eb\"}}\n",
	  ":1:30: rules.sweep.description: a control character (0x1b) is in the value" },
	{ "a NUL", "rules: {sweep: {description: \"a\\0b\"}}\n",
	  ":1:30: rules.sweep.description: a control character (0x00) is in the value" },
	/* values */
	{ "a time without unit", "settle: 2s\ntick:   5\n",
	  ":2:9: tick '5': " TIME_OF("50ms", "1m") },
	{ "a time out of range", "settle-open: 1h\n",
	  ":1:14: settle-open '1h': a time from 100ms to 10m is accepted" },
	{ "a socket without its folder", "control: reconmon.sock\n",
	  ":1:10: control 'reconmon.sock': the full path of a socket, at most 107 bytes, auto or "
	  "none is accepted" },
	{ "metrics at a name", "metrics: localhost:9765\n",
	  ":1:10: metrics 'localhost:9765': an address and a port (127.0.0.1:9765, [::1]:9765), "
	  "auto or off is accepted" },
	{ "an unknown word", "ingress: native\n",
	  ":1:10: ingress 'native': accepted are auto, tc, xdp, xdp-generic" },
	{ "an unknown profile, told first wherever it stands", "tick: 5\nprofile: zeek\n",
	  ":2:10: profile 'zeek': accepted are default, splunk" },
	{ "neither true nor false", "json: yes\n", ":1:7: json 'yes': accepted are false, true" },
	{ "a number that is none", "limits:\n  groups: many\n",
	  ":2:11: limits.groups 'many': a whole number from 1024 to 16777216 is accepted" },
	{ "a number out of range", "limits: {attempts: 1}\n",
	  ":1:20: limits.attempts '1': a whole number from 1024 to 1048576 is accepted" },
	{ "a network that is none", "internal:\n  - 10.0.0.0/8\n  - 10.0.0.0/33\n",
	  ":3:5: internal: network '10.0.0.0/33': the prefix length of an IPv4 network is 0 to "
	  "32" },
	{ "a name instead of a network", "internal: localhost\n",
	  ":1:11: internal: 'localhost' is not a network; write ADDRESS/LENGTH or an address, "
	  "like 10.0.0.0/8, fd00::/8 or 192.0.2.1" },
	{ "nothing internal", "internal: []\n",
	  ":1:11: internal: an empty list leaves nothing internal; without this key the private "
	  "networks are" },
	{ "an empty interface", "interfaces: [eth0, '']\n",
	  ":1:20: interfaces '': a name or a glob is needed (`ip link` lists names)" },
	{ "an interface that no kernel takes", "interfaces:\n- abcdefghijklmnop\n",
	  ":2:3: interfaces 'abcdefghijklmnop': the name of an interface has at most 15 "
	  "characters" },
	{ "an interface that is watched and left out", "interfaces: ['veth*', eth0, '!veth*']\n",
	  ":1:29: interfaces '!veth*': cannot be watched and left out, as 'veth*'" },
	{ "an item of a rule's list",
	  "rules:\n  sweep:\n    ports:\n      - 22\n      - 80-90\n      - 85\n",
	  ":6:9: rules.sweep.ports '85': listed already, with 80-90" },
	{ "an unknown part", "rules:\n  sweep:\n    by: [originator, host]\n",
	  ":3:22: rules.sweep.by 'host': accepted are originator, responder, port, protocol" },
	{ "a window too long", "rules:\n  port-scan:\n    window: 8d\n",
	  ":3:13: rules.port-scan.window '8d': a time from 1s to 7d is accepted" },
	{ "a technique that is none", "rules:\n  sweep: {attack-internal: T1046}\n",
	  ":2:28: rules.sweep.attack-internal 'T1046': TACTIC/TECHNIQUE of MITRE ATT&CK is "
	  "accepted, as in TA0007/T1046 or TA0043/T1595.002, or none" },
	{ "a description too long",
	  "rules:\n  sweep:\n    description: a description that goes on and on, although nobody "
	  "will "
	  "ever read more than the first hundred and twenty bytes of it in an alert\n",
	  ":3:18: rules.sweep.description 'a description that goes on and on, altho...': at most "
	  "120 bytes are accepted, these are 128" },
	/* what does not go together */
	{ "counting what it groups by", "rules:\n  sweep:\n    threshold: 9\n    distinct: port\n",
	  ":4:15: rules: sweep.distinct: 'port' is in `by` as well, so there would only ever be "
	  "one" },
	{ "a threshold that is never reached",
	  "rules:\n  port-scan:\n    threshold: 3\n    ports: [22, 23]\n",
	  ":3:16: rules: port-scan.threshold: 3 is never reached, `ports` lists only 2" },
	{ "a threshold that is never reached and not said here",
	  "rules:\n  port-scan:\n    ports: [22, 23]\n",
	  ":2:3: rules: port-scan.threshold: 3 is never reached, `ports` lists only 2" },
	{ "yielding to a rule that is not there",
	  "rules:\n  slow-scan: {yields-to: own}\n  sweep: {yields-to: owm}\n  own: {where: probe, "
	  "by: originator, distinct: port, window: 1m, threshold: 3}\n",
	  ":3:22: rules: sweep.yields-to 'owm': there is no such rule" },
	/* rules of one's own */
	{ "a rule of one's own without its parts",
	  "rules:\n  smb:\n    where: probe\n    by: "
	  "originator\n",
	  ":2:3: rules.smb: `distinct` " OWN_NEEDS
	  "'smb': built-in rules are port-scan, basic-scanning, sweep, slow-scan, "
	  "distributed-scan" },
	{ "a built-in rule that is misspelt", "rules:\n  port-scn:\n    threshold: 5\n",
	  ":2:3: rules.port-scn: `where` " OWN_NEEDS
	  "'port-scn' (did you mean 'port-scan'?): built-in rules are port-scan, "
	  "basic-scanning, sweep, slow-scan, distributed-scan" },
	{ "a rule's name with capitals", "rules:\n  SMB: {}\n",
	  ":2:3: rules 'SMB': the name of a rule has 1 to 32 of the characters a-z, 0-9 and -" },
	/* the allow-list */
	{ "an unknown field of an entry", "allow:\n  - originator: 10.0.0.5\n    reason: x\n",
	  ":3:5: allow[0]: no field 'reason': fields are originator, responder, ports, protocol, "
	  "process, executable, container, pod, runtime, rules, expires, comment" },
	{ "an entry's item", "allow:\n  - {ports: 22, comment: x}\n  - ports:\n    - 22\n    - x\n",
	  ":5:7: allow[1].ports 'x': a port from 0 to 65535 or a range like 8000-8010 is "
	  "accepted" },
	{ "an entry without reason", "allow:\n  - originator: [10.0.0.5]\n",
	  ":2:5: allow[0]: `comment` is missing: say why, for who reads its counter" },
	{ "an entry for everything", "allow: [{comment: x}]\n",
	  ":1:9: allow[0]: it would let everything be: originator, responder, ports or who it is, "
	  "one of them is needed" },
	{ "a list of addresses", "allow: [10.0.0.5]\n",
	  ":1:9: allow[0]: a mapping (KEY: VALUE) is expected, here is a single value" },
	{ "a day that is none", "allow:\n- {ports: 22, comment: x, expires: 2027-13-01}\n",
	  ":2:36: allow[0].expires '2027-13-01': a day is accepted, the last on which it holds, as "
	  "in 2027-01-31" },
	/* outputs */
	{ "a destination that is none", "outputs:\n  - stdout\n  - to: stdin\n",
	  ":3:9: outputs[1].to: 'stdin' is no destination; there are " },
	{ "an unknown setting of an output", "outputs:\n  - to: stdout\n    formt: ecs\n",
	  ":3:5: outputs[0]: setting of stdout 'formt': accepted are " },
	{ "an output without destination", "outputs: [{format: ecs}]\n",
	  ":1:11: outputs[0]: `to`, the destination, is missing, as in stdout or "
	  "file:/var/log/alerts.json" },
	{ "an output's state that is none", "outputs:\n  - to: stdout\n    states: [open, shut]\n",
	  ":3:13: outputs[0]: states 'shut': accepted are open, update, close" },
	{ "the same as a text", "outputs:\n  - stdout\n  - stdout,states=open+shut\n",
	  ":3:5: outputs[1]: states 'shut': accepted are open, update, close" },
	{ "an output's rule that is none",
	  "outputs: [{to: stdout, rules: [port-scan, smb]}]\nrules: {}\n",
	  ":1:11: outputs[0]: rules 'smb': accepted are port-scan, basic-scanning, sweep, "
	  "slow-scan, distributed-scan" },
	/* no YAML */
	{ "an indentation that fits nowhere", "rules:\n  sweep: {}\n port-scan: {}\n",
	  ":3:2: while parsing a block mapping that begins in line 1: did not find expected key" },
	{ "a list that does not end", "interfaces: [eth0\ntick: 1s\n",
	  ":2:5: while parsing a flow sequence that begins in line 1: did not find expected ',' or "
	  "']'" },
	{ "a tab", "rules:\n\tsweep: {}\n",
	  ":2:1: while scanning for the next token: found character that cannot start any token "
	  "(a tab; YAML indents by spaces)" },
	{ "a tab behind letters of two bytes", "# \xc3\xa4\xc3\xa4\xc3\xa4\nrules:\n\tsweep: {}\n",
	  ":3:1: while scanning for the next token: found character that cannot start any token "
	  "(a tab; YAML indents by spaces)" },
	{ "quotes that do not end", "json: 'true\n",
	  ":2:1: while scanning a quoted scalar that begins in line 1: found unexpected end of "
	  "stream" },
	{ "an alias of nothing", "tick: *t\n", ":1:7: found undefined alias" },
	{ "a second document", "tick: 1s\n---\ntick: 2s\n",
	  ":2:1: a second document begins; one is read, remove the line '---'" },
	{ "a mistake behind the end", "tick: 1s\n...\n]\n",
	  ":3:1: did not find expected <document start>" },
	{ "a byte that is no UTF-8", "tick: 1s # \xff\n",
	  ": byte 11: invalid leading UTF-8 octet" },
};

static void test_bad(void **state)
{
	const struct bad_case *c = *state;
	struct error err = { 0 };
	struct config cfg;

	assert_int_equal(read_text(c->text, NULL, &cfg, &err), -EINVAL);
	assert_memory_equal(err.text, path, strlen(path));
	if (c->want[strlen(c->want) - 1] == ' ') /* others have their own tests for the rest */
		err.text[strlen(path) + strlen(c->want)] = '\0';
	assert_string_equal(err.text + strlen(path), c->want);
	assert_int_equal(err.exit_code, EXIT_USAGE);
	config_done(&cfg);
	assert_int_equal(read_text(c->text, NULL, &cfg, NULL), -EINVAL);
	config_done(&cfg);
}

/* --- what is accepted: each line of `want` is in what holds in the end --- */

static const struct good_case {
	const char *name, *text;
	const char *want[7];
} good_cases[] = {
	{ "nothing at all", "", { "profile: default\n" } },
	{ "comments alone", "# tick: 5s\n", { "tick: 1s\n" } },
	{ "a document that is empty", "---\n...\n", { "tick: 1s\n" } },
	{ "keys whose lines are commented out",
	  "interfaces:\n  # - eth0\nrules:\n  sweep:\n    # threshold: 3\nlimits:\ninternal:\n",
	  { "interfaces: []\n", "    threshold: 25\n", "internal: [10.0.0.0/8," } },
	{ "settings",
	  "ingress: tc\nsettle: 500ms\nsettle-open: 60s\ntick: 200ms\njson: true\nverbosity: "
	  "quiet\nguard-rate: 1000\n",
	  { "ingress: tc\n", "settle: 500ms\n", "settle-open: 1m\n", "tick: 200ms\n",
	    "json: true\n", "verbosity: quiet\n", "guard-rate: 1000\n" } },
	{ "no guard", "guard-rate: off\n", { "guard-rate: off\n" } },
	{ "the control socket", "control: /run/r/c.sock\n", { "control: /run/r/c.sock\n" } },
	{ "metrics", "metrics: '[::1]:9765'\n", { "metrics: '[::1]:9765'\n" } },
	{ "the control socket where it always is", "control: auto\n", { "control: auto\n" } },
	{ "interfaces as lines and as a list in brackets",
	  "interfaces:\n  - eth0\n  - 'veth*'\n  - \"!veth-*\"\n",
	  { "interfaces: [eth0, veth*, '!veth-*']\n" } },
	{ "a list of one without brackets", "interfaces: eth0\n", { "interfaces: [eth0]\n" } },
	{ "networks, of both families, and an address",
	  "internal: [192.0.2.0/24, 'fd00::/8', 198.51.100.7]\n",
	  { "internal: [192.0.2.0/24, 'fd00::/8', 198.51.100.7/32]\n" } },
	{ "a built-in rule changed",
	  "rules:\n  port-scan:\n    threshold: 10\n    window: 10m\n    mode: tumbling\n    "
	  "enabled: "
	  "false\n    severity: 7\n",
	  { "    threshold: 10\n", "    window: 10m\n", "    mode: tumbling\n",
	    "    enabled: false\n", "    severity: 7\n" } },
	{ "a rule of one's own: few ports on many hosts",
	  "rules:\n  few-ports:\n    where: probe\n    responder: internal\n    by: [originator]\n"
	  "    distinct: [responder, port]\n    window: 10m\n    threshold: 40\n",
	  { "  few-ports:\n    enabled: true\n    where: probe\n",
	    "    by: [originator]\n    distinct: [responder, port]\n    window: 10m\n    mode: "
	    "sliding\n    threshold: 40\n    yields-to: none\n    severity: auto\n",
	    "    attack-internal: TA0007/T1046\n    attack-external: TA0043/T1595\n" } },
	{ "ports and ranges, numbers or texts",
	  "rules: {sweep: {ports: [445, '139', 8000-8010]}}\n",
	  { "    ports: [445, 139, 8000-8010]\n" } },
	{ "a list in the file replaces, it does not add",
	  "rules: {sweep: {by: [originator]}}\n",
	  { "    by: [originator]\n    distinct: [responder]\n" } },
	{ "ports as numbers", "numeric: true\n", { "numeric: true\n" } },
	{ "habits, and where they are kept",
	  "habits: false\nstate: /var/lib/x/h.json\nlimits: {habits: 2048}\n",
	  { "habits: false\n", "state: /var/lib/x/h.json\n", "  habits: 2048\n" } },
	{ "the profile comes first, wherever it stands",
	  "rules: {port-scan: {mode: sliding}}\nprofile: splunk\n",
	  { "profile: splunk\n",
	    "    by: [originator, responder]\n    distinct: [port]\n    window: 5m\n    mode: "
	    "sliding\n",
	    "    by: [originator]\n    distinct: [port]\n    window: 5m\n    mode: tumbling\n" } },
	{ "limits; attempts go up to a power of two",
	  "limits: {attempts: 100000, contacts: 2000, groups: 3000}\n",
	  { "  attempts: 131072\n  contacts: 2000\n  groups: 3000\n" } },
	{ "an alias is what it stands for",
	  "rules:\n  port-scan: {window: &w 7m}\n  sweep: {window: *w}\n",
	  { "    window: 7m\n    mode: sliding\n    threshold: 3\n",
	    "    window: 7m\n    mode: sliding\n    threshold: 25\n" } },
	{ "entries of the allow-list",
	  "allow:\n  - originator: 10.0.0.5\n    ports: [9100, 9200-9210]\n    comment: node "
	  "exporter\n  - responder: [10.0.0.0/8]\n    protocol: udp\n    comment: 'a: b'\n    "
	  "expires: 2027-01-31\n",
	  { "allow:\n- originator: [10.0.0.5/32]\n  ports: [9100, 9200-9210]\n  comment: node "
	    "exporter\n- responder: [10.0.0.0/8]\n  protocol: udp\n  expires: 2027-01-31\n  "
	    "comment: 'a: b'\n" } },
	{ "outputs as texts and as mappings",
	  "outputs:\n  - stdout,format=ecs\n  - severity: 4\n    to: 'file:/a,b.json'\n    states: "
	  "[open, close]\n    rules: own\nrules:\n  own: {where: probe, by: originator, distinct: "
	  "port, window: 1m, threshold: 3}\n",
	  { "outputs:\n- to: stdout\n  format: ecs\n- to: file:/a,b.json\n  severity: 4\n  states: "
	    "open+close\n  rules: own\n" } },
	{ "a description that needs quotes",
	  "rules: {sweep: {description: \"it's: \\\"a\\\" # \xc3\xa4\"}}\n",
	  { "    description: 'it''s: \"a\" # \xc3\xa4'\n" } },
};

static void test_good(void **state)
{
	const struct good_case *c = *state;
	struct error err = { 0 };
	struct config cfg;
	char *text, *again;

	if (read_text(c->text, NULL, &cfg, &err) < 0)
		fail_msg("%s", err.text);
	text = printed(&cfg);
	for (size_t i = 0; i < ARRAY_SIZE(c->want) && c->want[i]; i++)
		if (!strstr(text, c->want[i]))
			fail_msg("no '%s' in:\n%s", c->want[i], text);
	config_done(&cfg);
	/* and back */
	if (read_text(text, NULL, &cfg, &err) < 0)
		fail_msg("%s", err.text);
	again = printed(&cfg);
	assert_string_equal(again, text);
	config_done(&cfg);
	free(again);
	free(text);
}

static void test_profile_of_the_command_line(void **state)
{
	const enum rule_profile splunk = PROFILE_SPLUNK;
	struct config cfg;

	(void)state;
	assert_int_equal(read_text("profile: default\n", &splunk, &cfg, NULL), 0);
	assert_int_equal(cfg.profile, PROFILE_SPLUNK);
	assert_int_equal(cfg.rules.rule[0].mode, WINDOW_TUMBLING);
	/* A profile that makes no sense is told all the same. */
	assert_int_equal(read_text("profile: zeek\n", &splunk, &cfg, NULL), -EINVAL);
}

static void test_interfaces_many(void **state)
{
	char text[2048] = "interfaces:\n";
	struct error err = { 0 };
	struct config cfg;

	(void)state;
	for (int i = 0; i <= IFACE_PATTERNS_MAX; i++)
		sprintf(text + strlen(text), "- eth%d\n", i);
	assert_int_equal(read_text(text, NULL, &cfg, &err), -EINVAL);
	assert_string_equal(err.text + strlen(path), ":66:3: interfaces 'eth64': more than 64 of "
						     "them; use globs, as in 'veth*'");
}

static void test_no_file(void **state)
{
	struct error err = { 0 };
	struct config cfg;

	(void)state;
	config_defaults(&cfg);
	assert_int_equal(config_file_read("/nowhere/at-all.yaml", NULL, &cfg, &err), -ENOENT);
	assert_string_equal(err.text, "/nowhere/at-all.yaml: No such file or directory");
	assert_int_equal(err.exit_code, EXIT_USAGE);
	assert_int_equal(config_file_read("/", NULL, &cfg, &err), -EISDIR);
	assert_string_equal(err.text, "/: a directory; a file is read");
}

static void test_large_file(void **state)
{
	size_t size = (1 << 20) + 1;
	char *text = malloc(size);
	struct error err = { 0 };
	struct config cfg;

	(void)state;
	assert_non_null(text);
	memset(text, '#', size);
	write_file(text, size - 1);
	config_defaults(&cfg);
	assert_int_equal(config_file_read(path, NULL, &cfg, &err), 0);
	write_file(text, size);
	assert_int_equal(config_file_read(path, NULL, &cfg, &err), -EFBIG);
	assert_string_equal(err.text + strlen(path), ": larger than a configuration can be, 1 MiB");
	free(text);
}

static void test_full_disk(void **state)
{
	FILE *out = fopen("/dev/full", "we");
	struct config cfg;

	(void)state;
	if (!out)
		skip();
	config_defaults(&cfg);
	assert_int_equal(config_print(&cfg, out), -EIO);
	fclose(out);
}

static struct CMUnitTest tests[256];
static size_t n_tests;

static void add_test(const char *name, CMUnitTestFunction test, const void *row)
{
	assert(n_tests < ARRAY_SIZE(tests));
	tests[n_tests++] = (struct CMUnitTest){ .name = name,
						.test_func = test,
						.initial_state = (void *)(uintptr_t)row };
}

#define ADD_TABLE(cases, test)                                                                     \
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)                                             \
	add_test((cases)[i].name, (test), &(cases)[i])

int main(void)
{
	char dir[] = "/tmp/reconmon-config.XXXXXX";
	int failed;

	if (!mkdtemp(dir))
		return 1;
	snprintf(path, sizeof(path), "%s/reconmon.yaml", dir);
	ADD_TABLE(bad_cases, test_bad);
	ADD_TABLE(good_cases, test_good);
	add_test("the command line's profile wins", test_profile_of_the_command_line, NULL);
	add_test("64 interfaces are accepted, 65 are not", test_interfaces_many, NULL);
	add_test("a file that cannot be read", test_no_file, NULL);
	add_test("a file of 1 MiB is accepted, a byte more is not", test_large_file, NULL);
	add_test("a configuration that cannot be written is a failure", test_full_disk, NULL);
	failed = cmocka_run_group_tests_name("config_file", tests, NULL, NULL);
	unlink(path);
	rmdir(dir);
	return failed;
}
