// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* Command lines and what becomes of them: a configuration, a text, or one sentence of complaint. */
#include "cli.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define MS 1000000ull
#define S  1000000000ull

enum {
	WORDS_MAX = 2 * IFACE_PATTERNS_MAX + 8
};

/* parse - cli_parse() over "reconmon" and the given words; NULL ends them. */
static enum cli_result parse(const char *const *words, struct config *cfg, struct error *err)
{
	char *argv[WORDS_MAX + 2] = { (char *)(uintptr_t) "reconmon" };
	int argc = 1;

	for (; words[argc - 1]; argc++) {
		assert(argc <= WORDS_MAX);
		argv[argc] = (char *)(uintptr_t)words[argc - 1];
	}
	return cli_parse(argc, argv, cfg, err);
}

/* --- what is accepted --- */

static void check_defaults(const struct config *cfg)
{
	static const char *const internal[] = { "10.0.0.0",	  "10.255.255.255", "172.16.0.0",
						"172.31.255.255", "192.168.0.0",    "192.168.255.1",
						"fc00::",	  "fdff::1" };
	static const char *const external[] = { "9.255.255.255", "11.0.0.0",	"172.15.255.255",
						"172.32.0.0",	 "192.167.0.1", "192.169.0.0",
						"fbff::1",	 "fe00::" };
	struct ip_addr in, out;

	assert_int_equal(cfg->ifaces, 0);
	assert_int_equal(cfg->ingress, INGRESS_AUTO);
	assert_int_equal(cfg->tick_ns, S);
	assert_int_equal(cfg->settle_ns, 2 * S);
	assert_int_equal(cfg->settle_open_ns, 30 * S);
	assert_int_equal(cfg->guard_rate, 5000);
	assert_int_equal(cfg->duration_ns, 0);
	assert_int_equal(cfg->profile, PROFILE_DEFAULT);
	assert_int_equal(cfg->rules.n, 5);
	assert_int_equal(cfg->rules.rule[0].mode, WINDOW_SLIDING);
	assert_false(cfg->json);
	assert_false(cfg->all);
	assert_int_equal(cfg->verbosity, 0);
	assert_int_equal(cfg->nursery_slots, 65536);
	assert_int_equal(cfg->contacts_max, 65536);
	assert_int_equal(cfg->groups_max, 262144);

	assert_int_equal(cfg->internal.n, 4);
	for (size_t i = 0; i < ARRAY_SIZE(internal); i++) {
		assert_int_equal(addr_parse(internal[i], &in), 0);
		assert_true(net_list_has(&cfg->internal, &in));
		assert_int_equal(addr_parse(external[i], &out), 0);
		assert_false(net_list_has(&cfg->internal, &out));
	}
}

static void check_status_all(const struct config *cfg)
{
	assert_int_equal(cfg->command, COMMAND_STATUS);
	assert_true(cfg->all);
	assert_string_equal(cfg->control, "/x/sock");
}

static void check_ifaces(const struct config *cfg)
{
	assert_int_equal(cfg->ifaces, 3);
	assert_string_equal(cfg->iface[0], "eth0");
	assert_string_equal(cfg->iface[1], "veth*");
	assert_string_equal(cfg->iface[2], "wlan0");
}

static void check_iface_15(const struct config *cfg)
{
	assert_string_equal(cfg->iface[0], "abcdefghijklmno");
}

static void check_glob_63(const struct config *cfg)
{
	assert_int_equal(strlen(cfg->iface[0]), 63);
}

static void check_json(const struct config *cfg)
{
	assert_true(cfg->json);
}

static void check_tc(const struct config *cfg)
{
	assert_int_equal(cfg->ingress, INGRESS_TC);
}

static void check_xdp(const struct config *cfg)
{
	assert_int_equal(cfg->ingress, INGRESS_XDP);
}

static void check_xdp_generic(const struct config *cfg)
{
	assert_int_equal(cfg->ingress, INGRESS_XDP_GENERIC);
}

static void check_auto(const struct config *cfg)
{
	assert_int_equal(cfg->ingress, INGRESS_AUTO);
}

static void check_times_low(const struct config *cfg)
{
	assert_int_equal(cfg->tick_ns, 50 * MS);
	assert_int_equal(cfg->settle_ns, 100 * MS);
	assert_int_equal(cfg->settle_open_ns, 100 * MS);
	assert_int_equal(cfg->duration_ns, 100 * MS);
}

static void check_times_high(const struct config *cfg)
{
	assert_int_equal(cfg->tick_ns, 60 * S);
	assert_int_equal(cfg->settle_ns, 60 * S);
	assert_int_equal(cfg->settle_open_ns, 600 * S);
	assert_int_equal(cfg->duration_ns, 365 * 86400 * S);
}

static void check_splunk_10(const struct config *cfg)
{
	const struct rule *rule = &cfg->rules.rule[0];

	assert_int_equal(cfg->profile, PROFILE_SPLUNK);
	assert_int_equal(rule->mode, WINDOW_TUMBLING);
	assert_int_equal(rule->group, FIELD_ORIG | FIELD_RESP);
	assert_int_equal(rule->threshold, 10);
	assert_false(cfg->rules.rule[2].enabled);
}

static void check_splunk_sweep(const struct config *cfg)
{
	assert_true(cfg->rules.rule[2].enabled);
}

static void check_numeric(const struct config *cfg)
{
	struct config usual;

	config_defaults(&usual);
	assert_false(usual.numeric);
	assert_true(cfg->numeric);
}

static void check_habits(const struct config *cfg)
{
	char path[STATE_MAX];
	struct config on = *cfg;

	assert_false(cfg->habits);
	assert_int_equal(cfg->habits_max, 2048);
	assert_null(config_state_file(cfg, path));
	on.habits = true;
	assert_string_equal(config_state_file(&on, path), "/x/h.json");
	on.profile = PROFILE_SPLUNK;
	assert_null(config_state_file(&on, path));
	on.profile = PROFILE_DEFAULT;
	strcpy(on.state, "none");
	assert_null(config_state_file(&on, path));
	on.state[0] = '\0';
	setenv("STATE_DIRECTORY", "/tmp:/var", 1);
	assert_string_equal(config_state_file(&on, path), "/tmp/habits.json");
	setenv("STATE_DIRECTORY", "/nowhere/at/all", 1);
	assert_null(config_state_file(&on, path));
	unsetenv("STATE_DIRECTORY");
}

static void check_last_setting(const struct config *cfg)
{
	assert_int_equal(cfg->rules.rule[0].threshold, 7);
	assert_int_equal(cfg->rules.rule[1].window_ns, 60 * S);
}

static void check_internal(const struct config *cfg)
{
	struct ip_addr in, out;

	assert_int_equal(cfg->internal.n, 2);
	assert_int_equal(addr_parse("203.0.113.9", &in), 0);
	assert_int_equal(addr_parse("10.0.0.1", &out), 0);
	assert_true(net_list_has(&cfg->internal, &in));
	assert_false(net_list_has(&cfg->internal, &out));
}

static void check_quiet(const struct config *cfg)
{
	assert_int_equal(cfg->verbosity, -1);
}

static void check_verbose(const struct config *cfg)
{
	assert_int_equal(cfg->verbosity, 1);
}

static void check_limits_low(const struct config *cfg)
{
	assert_int_equal(cfg->nursery_slots, 1024);
	assert_int_equal(cfg->contacts_max, 1024);
	assert_int_equal(cfg->groups_max, 1024);
}

static void check_limits_high(const struct config *cfg)
{
	assert_int_equal(cfg->nursery_slots, 1048576);
	assert_int_equal(cfg->contacts_max, 4194304);
	assert_int_equal(cfg->groups_max, 16777216);
}

static void check_limits_rounded(const struct config *cfg)
{
	assert_int_equal(cfg->nursery_slots, 2048);
	assert_int_equal(cfg->contacts_max, 1025);
}

static void check_limits_below_max(const struct config *cfg)
{
	assert_int_equal(cfg->nursery_slots, 1048576);
}

#define GLOB_63 "veth*aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void check_replay(const struct config *cfg)
{
	assert_int_equal(cfg->command, COMMAND_REPLAY);
	assert_int_equal(cfg->files, 2);
	assert_string_equal(cfg->file[0], "a.pcap");
	assert_string_equal(cfg->file[1], "-");
	assert_true(cfg->fail_on_alert);
	assert_true(cfg->json);
}

static const struct good_case {
	const char *name;
	const char *words[12];
	void (*check)(const struct config *cfg);
} good_cases[] = {
	{ "nothing: the defaults", { NULL }, check_defaults },
	{ "'--' alone: the defaults", { "--" }, check_defaults },
	{ "replay: files and options in any order",
	  { "replay", "a.pcap", "--json", "-", "--fail-on-alert" },
	  check_replay },
	{ "replay behind options with values and without",
	  { "--json", "--tick", "2s", "replay", "a.pcap", "--fail-on-alert", "-" },
	  check_replay },
	{ "values that are called like subcommands",
	  { "--json", "--fail-on-alert", "--attempts-file", "check", "replay", "a.pcap", "-" },
	  check_replay },
	{ "interfaces in all forms, in their order",
	  { "-i", "eth0", "--interface", "veth*", "--interface=wlan0" },
	  check_ifaces },
	{ "the value may touch the letter", { "-ieth0", "-iveth*", "-iwlan0" }, check_ifaces },
	{ "letters may share a dash", { "-jqi", "abcdefghijklmno" }, check_iface_15 },
	{ "a name of 15 characters, the longest", { "-i", "abcdefghijklmno" }, check_iface_15 },
	{ "a glob of 63 characters, the longest", { "-i", GLOB_63 }, check_glob_63 },
	{ "--json", { "--json" }, check_json },
	{ "-j", { "-j" }, check_json },
	{ "a unique beginning of a long option", { "--js" }, check_json },
	{ "--ingress tc", { "--ingress", "tc" }, check_tc },
	{ "--ingress xdp", { "--ingress=xdp" }, check_xdp },
	{ "--ingress xdp-generic", { "--ingress", "xdp-generic" }, check_xdp_generic },
	{ "--ingress auto after another", { "--ingress=tc", "--ingress=auto" }, check_auto },
	{ "the shortest times",
	  { "--tick", "50ms", "--settle", "100ms", "--settle-open", "100ms", "--duration",
	    "100ms" },
	  check_times_low },
	{ "the longest times",
	  { "--tick", "60s", "--settle", "1m", "--settle-open", "10m", "--duration", "365d" },
	  check_times_high },
	{ "--profile, then --set",
	  { "--profile", "splunk", "--set", "port-scan.threshold=10" },
	  check_splunk_10 },
	{ "--set, then --profile: the same",
	  { "--set", "port-scan.threshold=10", "--profile", "splunk" },
	  check_splunk_10 },
	{ "a rule that the profile leaves out may be switched on",
	  { "--set", "sweep.enabled=true", "--profile=splunk" },
	  check_splunk_sweep },
	{ "--profile default after another",
	  { "--profile=splunk", "--profile=default" },
	  check_defaults },
	{ "ports as numbers", { "-n" }, check_numeric },
	{ "habits off, and kept elsewhere",
	  { "--no-habits", "--state=/x/h.json", "--limit=habits=2048" },
	  check_habits },
	{ "of two settings of a field the last counts",
	  { "--set=port-scan.threshold=5", "--set=port-scan.threshold=7",
	    "--set=basic-scanning.window=1m" },
	  check_last_setting },
	{ "--internal replaces the default list",
	  { "--internal", "203.0.113.0/24,2001:db8::/32" },
	  check_internal },
	{ "of two --internal the last counts",
	  { "--internal=10.0.0.0/8", "--internal=203.0.113.0/24,2001:db8::/32" },
	  check_internal },
	{ "status of everything", { "status", "--all", "--control=/x/sock" }, check_status_all },
	{ "likewise, the other way round",
	  { "--all", "status", "--control=/x/sock" },
	  check_status_all },
	{ "-q", { "-q" }, check_quiet },
	{ "-v", { "-v" }, check_verbose },
	{ "-q and -v: the last counts", { "-q", "-v" }, check_verbose },
	{ "-v and -q: the last counts", { "--verbose", "--quiet" }, check_quiet },
	{ "the smallest limits",
	  { "--limit", "attempts=1024", "--limit", "contacts=1024", "--limit", "groups=1024" },
	  check_limits_low },
	{ "the largest limits",
	  { "--limit=attempts=1048576", "--limit=contacts=4194304", "--limit=groups=16777216" },
	  check_limits_high },
	{ "attempts become a power of two, contacts stay",
	  { "--limit=attempts=1025", "--limit=contacts=1025" },
	  check_limits_rounded },
	{ "rounding stays within the range",
	  { "--limit=attempts=1048575" },
	  check_limits_below_max },
};

static void test_good(void **state)
{
	const struct good_case *c = *state;
	struct error err = { 0 };
	struct config cfg;

	memset(&cfg, 0xa5, sizeof(cfg)); /* nothing may be left of what was there */
	assert_int_equal(parse(c->words, &cfg, &err), CLI_RUN);
	assert_string_equal(err.text, "");
	assert_false(cfg.color && cfg.json);
	c->check(&cfg);
	config_done(&cfg);
}

/* --- what is refused, and how it says so --- */

#define UNKNOWN(what) "unknown option " what "; `reconmon --help` lists them"
#define STRAY(what)                                                                                \
	"unexpected argument " what "; interfaces are given as -i NAME, files as `reconmon "       \
	"replay FILE...`"

static const struct bad_case {
	const char *name;
	const char *words[8];
	const char *want;
} bad_cases[] = {
	{ "replay of nothing",
	  { "replay" },
	  "replay needs at least one file; `-` is standard input" },
	{ "replay of an interface",
	  { "replay", "-i", "eth0", "a.pcap" },
	  "--interface goes with interfaces, not with `replay`" },
	{ "an option of the daemon's with status",
	  { "status", "-i", "eth0" },
	  "--interface is for the daemon, not for `status`, which asks one" },
	{ "an argument of status",
	  { "status", "eth0" },
	  "unexpected argument 'eth0'; the daemon to ask is given as --control PATH" },
	{ "a socket without its folder",
	  { "status", "--control", "reconmon.sock" },
	  "--control 'reconmon.sock': the full path of a socket, at most 107 bytes, auto or none "
	  "is "
	  "accepted" },
	{ "a control socket over captures",
	  { "replay", "--control", "none", "a.pcap" },
	  "--control goes with interfaces, not with `replay`" },
	{ "replay for a time",
	  { "replay", "a.pcap", "--duration", "5s" },
	  "--duration goes with interfaces, not with `replay`" },
	{ "--fail-on-alert of a live run",
	  { "--fail-on-alert" },
	  "--fail-on-alert goes with `reconmon replay FILE...`" },
	{ "--all of a live run", { "--all" }, "--all goes with `reconmon status`" },
	{ "--all of a replay",
	  { "replay", "--all", "a.pcap" },
	  "--all goes with `reconmon status`" },
	{ "an unknown long option", { "--bogus" }, UNKNOWN("'--bogus'") },
	{ "an unknown long option with a value", { "--bogus=3" }, UNKNOWN("'--bogus=3'") },
	{ "a long option without name", { "--=3" }, UNKNOWN("'--=3'") },
	{ "three dashes", { "---" }, UNKNOWN("'---'") },
	{ "--usage, which argp would have", { "--usage" }, UNKNOWN("'--usage'") },
	{ "an unknown letter", { "-Z" }, UNKNOWN("'-Z'") },
	{ "-?, which argp would have", { "-?" }, UNKNOWN("'-?'") },
	{ "an unknown letter, last of a word", { "-jZ" }, UNKNOWN("'-Z' in '-jZ'") },
	{ "an unknown letter within a word", { "-jZq" }, UNKNOWN("'-Z' in '-jZq'") },
	{ "an unknown letter, first of a word", { "-Zq" }, UNKNOWN("'-Zq'") },
	{ "an unknown letter after other options",
	  { "-i", "eth0", "--json", "-qZv", "--tick" },
	  UNKNOWN("'-Z' in '-qZv'") },
	{ "an unknown long option after other options",
	  { "-i", "eth0", "-jq", "--bogus", "-v" },
	  UNKNOWN("'--bogus'") },
	{ "an unknown long option after a value that looks like one",
	  { "--set", "--json", "--bogus" },
	  UNKNOWN("'--bogus'") },
	{ "a long option with one dash", { "-json" }, UNKNOWN("'-s' in '-json'") },
	{ "a letter of two bytes stays whole", { "-\xc3\xa9" }, UNKNOWN("'-\xc3\xa9'") },
	{ "so it does within a word", { "-j\xc3\xa9" }, UNKNOWN("'-j\xc3\xa9'") },
	{ "a beginning of three options",
	  { "--se=3" },
	  "option '--se=3' is ambiguous; it may be one of --set, --settle, --settle-open" },
	{ "a beginning of two options",
	  { "--settl", "1s" },
	  "option '--settl' is ambiguous; it may be one of --settle, --settle-open" },
	{ "-i without a value", { "-i" }, "option '-i' needs a value: -i NAME|GLOB" },
	{ "-i at the end of a word", { "-ji" }, "option '-i' needs a value: -i NAME|GLOB" },
	{ "-i without a value after one with",
	  { "-i", "eth0", "-i" },
	  "option '-i' needs a value: -i NAME|GLOB" },
	{ "--tick without a value", { "--tick" }, "option '--tick' needs a value: --tick=TIME" },
	{ "a beginning without a value",
	  { "-q", "--tic" },
	  "option '--tick' needs a value: --tick=TIME" },
	{ "--settle without a value is not ambiguous",
	  { "--settle" },
	  "option '--settle' needs a value: --settle=TIME" },
	{ "a value too many",
	  { "--json=yes" },
	  "option '--json' takes no value, '--json=yes' has one" },
	{ "a stray argument", { "eth0" }, STRAY("'eth0'") },
	{ "a stray argument between options", { "-j", "eth0", "-q" }, STRAY("'eth0'") },
	{ "a stray argument before an unknown option", { "eth0", "--bogus" }, STRAY("'eth0'") },
	{ "a stray argument behind --", { "--", "--json" }, STRAY("'--json'") },
	{ "a dash alone", { "-" }, STRAY("'-'") },
	{ "an empty argument", { "" }, STRAY("''") },
	{ "an interface that is not UTF-8",
	  { "-i", "eth\xff" },
	  "--interface 'eth\xff': control characters, or not UTF-8; write ? for each such byte" },
	{ "an interface with a control character",
	  { "-i", "eth\t" },
	  "--interface 'eth\t': control characters, or not UTF-8; write ? for each such byte" },
	{ "an empty interface",
	  { "-i", "" },
	  "--interface '': a name or a glob is needed (`ip link` lists names)" },
	{ "a name of 16 characters",
	  { "-i", "abcdefghijklmnop" },
	  "--interface 'abcdefghijklmnop': the name of an interface has at most 15 characters" },
	{ "a glob of 64 characters",
	  { "-i", GLOB_63 "b" },
	  "--interface '" GLOB_63 "b': a glob has at most 63 characters" },
	{ "an unknown hook",
	  { "--ingress", "XDP" },
	  "--ingress 'XDP': accepted are auto, tc, xdp, xdp-generic" },
	{ "an unknown profile",
	  { "--profile=zeek" },
	  "--profile 'zeek': accepted are default, splunk" },
	{ "a time without unit",
	  { "--tick", "5" },
	  "--tick '5': a time needs a number and a unit (ms, s, m, h, d), 50ms to 1m" },
	{ "a tick too short",
	  { "--tick", "49ms" },
	  "--tick '49ms': a time from 50ms to 1m is accepted" },
	{ "a tick too long", { "--tick=61s" }, "--tick '61s': a time from 50ms to 1m is accepted" },
	{ "a settle too short",
	  { "--settle=99ms" },
	  "--settle '99ms': a time from 100ms to 1m is accepted" },
	{ "a settle-open too long",
	  { "--settle-open=601s" },
	  "--settle-open '601s': a time from 100ms to 10m is accepted" },
	{ "a guard rate too low",
	  { "--guard-rate=99" },
	  "--guard-rate '99': a whole number from 100 to 500000 is accepted, or off" },
	{ "a guard rate too high",
	  { "--guard-rate=500001" },
	  "--guard-rate '500001': a whole number from 100 to 500000 is accepted, or off" },
	{ "a state file without a full path",
	  { "--state", "habits.json" },
	  "--state 'habits.json': the full path of a file, auto or none is accepted" },
	{ "a state file over captures",
	  { "replay", "--state=none", "x.pcap" },
	  "--state goes with interfaces, not with `replay`" },
	{ "a duration of nothing",
	  { "--duration", "0s" },
	  "--duration '0s': a time from 100ms to 365d is accepted" },
	{ "an empty value",
	  { "--duration=" },
	  "--duration '': a time needs a number and a unit (ms, s, m, h, d), 100ms to 365d" },
	{ "a network that is none",
	  { "--internal", "10.0.0.0/33" },
	  "--internal: network '10.0.0.0/33': the prefix length of an IPv4 network is 0 to 32" },
	{ "an unknown rule",
	  { "--set", "port-scn.threshold=3", "--profile", "splunk" },
	  "--set: no rule 'port-scn' (did you mean 'port-scan'?): rules are port-scan, "
	  "basic-scanning, sweep, slow-scan, distributed-scan" },
	{ "a bad value of a field",
	  { "--set=sweep.threshold=0" },
	  "--set: sweep.threshold '0': a whole number from 1 to 65536 is accepted" },
	{ "fields that do not go together",
	  { "--set=sweep.distinct=port" },
	  "--set: sweep.distinct: 'port' is in `by` as well, so there would only ever be one" },
	{ "a rule that yields to none that is there",
	  { "--set=sweep.yields-to=swep" },
	  "--set: sweep.yields-to 'swep': there is no such rule" },
	{ "a rule that yields to itself",
	  { "--set=sweep.yields-to=sweep" },
	  "--set: sweep.yields-to 'sweep': a rule cannot yield to itself" },
	{ "an exemption from everything",
	  { "--allow", "comment=x" },
	  "--allow: it would let everything be: originator, responder, ports or who it is, one of "
	  "them is needed" },
	{ "a limit without a number",
	  { "--limit", "attempts" },
	  "--limit 'attempts': NAME=N is accepted, as in attempts=131072" },
	{ "an unknown limit",
	  { "--limit", "memory=5" },
	  "--limit 'memory': accepted are attempts, contacts, groups, habits" },
	{ "a limit too small",
	  { "--limit", "attempts=1023" },
	  "--limit attempts '1023': a whole number from 1024 to 1048576 is accepted" },
	{ "a limit too large",
	  { "--limit", "contacts=4194305" },
	  "--limit contacts '4194305': a whole number from 1024 to 4194304 is accepted" },
	{ "another limit too large",
	  { "--limit", "groups=16777217" },
	  "--limit groups '16777217': a whole number from 1024 to 16777216 is accepted" },
	{ "of two mistakes the first is told",
	  { "--tick=1", "--bogus" },
	  "--tick '1': a time needs a number and a unit (ms, s, m, h, d), 50ms to 1m" },
	{ "a mistake before --help", { "--bogus", "--help" }, UNKNOWN("'--bogus'") },
};

static void test_bad(void **state)
{
	const struct bad_case *c = *state;
	struct error err = { 0 };
	struct config cfg;

	assert_int_equal(parse(c->words, &cfg, &err), CLI_BAD);
	assert_string_equal(err.text, c->want);
	assert_int_equal(err.exit_code, EXIT_USAGE);
	assert_int_equal(parse(c->words, &cfg, NULL), CLI_BAD);
}

static void test_many_ifaces(void **state)
{
	const char *words[WORDS_MAX + 1] = { NULL };
	struct error err = { 0 };
	struct config cfg;

	(void)state;
	for (int i = 0; i < IFACE_PATTERNS_MAX; i++) {
		words[2 * i] = "-i";
		words[2 * i + 1] = "eth0";
	}
	assert_int_equal(parse(words, &cfg, &err), CLI_RUN);
	assert_int_equal(cfg.ifaces, IFACE_PATTERNS_MAX);

	words[2 * IFACE_PATTERNS_MAX] = "-i";
	words[2 * IFACE_PATTERNS_MAX + 1] = "eth64";
	assert_int_equal(parse(words, &cfg, &err), CLI_BAD);
	assert_string_equal(err.text,
			    "--interface 'eth64': more than 64 of them; use globs, as in 'veth*'");
}

static void test_no_argv(void **state)
{
	char *argv[] = { NULL };
	struct error err = { 0 };
	struct config cfg;

	(void)state;
	assert_int_equal(cli_parse(0, argv, &cfg, &err), CLI_RUN);
	check_defaults(&cfg);
}

static void test_argv_unchanged(void **state)
{
	char *argv[] = { (char *)"reconmon", (char *)"eth0", (char *)"-j", (char *)"--bogus",
			 NULL };
	char *before[ARRAY_SIZE(argv)];
	struct config cfg;

	(void)state;
	memcpy(before, argv, sizeof(argv));
	assert_int_equal(cli_parse(4, argv, &cfg, NULL), CLI_BAD);
	assert_memory_equal(argv, before, sizeof(argv));
}

/* --- standard output --- */

/* parse_onto - parse() with standard output replaced by fd for the time being. */
static enum cli_result parse_onto(int fd, const char *const *words, struct config *cfg,
				  struct error *err)
{
	enum cli_result result;
	int saved;

	fflush(stdout);
	saved = dup(STDOUT_FILENO);
	assert_true(saved >= 0);
	assert_true(dup2(fd, STDOUT_FILENO) >= 0);
	result = parse(words, cfg, err);
	fflush(stdout);
	clearerr(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	return result;
}

/* parse_printed - parse(), and what it printed into buf. */
static enum cli_result parse_printed(const char *const *words, char *buf, size_t size)
{
	FILE *tmp = tmpfile();
	struct error err = { 0 };
	enum cli_result result;
	struct config cfg;
	ssize_t n;

	assert_non_null(tmp);
	result = parse_onto(fileno(tmp), words, &cfg, &err);
	n = pread(fileno(tmp), buf, size - 1, 0);
	assert_true(n >= 0);
	buf[n] = '\0';
	fclose(tmp);
	assert_string_equal(err.text, "");
	return result;
}

static const struct print_case {
	const char *name;
	const char *words[4];
	enum cli_result result;
	const char *want; /* the output, or its beginning if it ends with a space */
} print_cases[] = {
	{ "-V", { "-V" }, CLI_DONE, "reconmon " RECONMON_VERSION "\n" },
	{ "--version", { "--version" }, CLI_DONE, "reconmon " RECONMON_VERSION "\n" },
	{ "--help", { "--help" }, CLI_DONE, "Usage: reconmon " },
	{ "-h", { "-h" }, CLI_DONE, "Usage: reconmon " },
	{ "--help after options", { "-j", "--tick=2s", "--help" }, CLI_DONE, "Usage: reconmon " },
	{ "what follows --help does not matter",
	  { "-h", "--bogus" },
	  CLI_DONE,
	  "Usage: reconmon " },
	{ "of --version and --help the first",
	  { "-Vh" },
	  CLI_DONE,
	  "reconmon " RECONMON_VERSION "\n" },
	{ "otherwise nothing is printed", { "--json" }, CLI_RUN, "" },
};

static void test_print(void **state)
{
	const struct print_case *c = *state;
	size_t len = strlen(c->want);
	char buf[16384];

	assert_int_equal(parse_printed(c->words, buf, sizeof(buf)), c->result);
	if (len && c->want[len - 1] == ' ')
		buf[len] = '\0';
	assert_string_equal(buf, c->want);
}

/* Whatever a user has to know without a manual; defaults come from the code, so that the help
 * cannot say something else. */
static void test_help_teaches(void **state)
{
	static const char *const wanted[] = {
		"-i, --interface=NAME|GLOB",
		"--ingress=HOOK",
		"auto, tc, xdp",
		"--tick=TIME",
		"--settle=TIME",
		"--settle-open=TIME",
		"--guard-rate=N",
		"--set=RULE.FIELD=VALUE",
		"--profile=NAME",
		"--internal=CIDR[,CIDR]...",
		"--duration=TIME",
		"--limit=NAME=N",
		"-j, --json",
		"-q, --quiet",
		"-v, --verbose",
		"-c, --config=FILE",
		"RECONMON_CONFIG",
		"/etc/reconmon/reconmon.yaml",
		"check",
		"--allow=KEY=VALUE[,KEY=VALUE]...",
		"-h, --help",
		"-V, --version",
		"10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7",
		"threshold=3 window=5m",
		"threshold=1000 window=5m",
		"threshold=25 window=5m",
		"Examples:\n  reconmon ",
		"\n  open ",
		"\n  update ",
		"\n  close ",
		"kill -USR1 PID",
		"`lost`",
		"\n  0  ",
		"\n  1  ",
		"\n  2  ",
		"\n  3  ",
		"\n  4  ",
	};
	const char *words[] = { "--help", NULL };
	char buf[16384], duration[48], time[32];
	struct config cfg;

	(void)state;
	assert_int_equal(parse_printed(words, buf, sizeof(buf)), CLI_DONE);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		if (!strstr(buf, wanted[i]))
			fail_msg("the help lacks '%s'", wanted[i]);
	config_defaults(&cfg);
	const uint64_t times[] = { cfg.tick_ns, cfg.settle_ns, cfg.settle_open_ns };
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		snprintf(duration, sizeof(duration), "%s)", duration_format(times[i], time));
		assert_non_null(strstr(buf, duration));
	}
	for (char *line = strtok(buf, "\n"); line; line = strtok(NULL, "\n"))
		assert_true(strlen(line) < 80);
}

static void test_full_disk(void **state)
{
	const char *words[] = { "--help", NULL };
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct error err = { 0 };
	struct config cfg;

	(void)state;
	if (fd < 0)
		skip();
	assert_int_equal(parse_onto(fd, words, &cfg, &err), CLI_BAD);
	assert_int_equal(err.exit_code, EXIT_RUNTIME);
	assert_string_equal(err.text, "standard output: No space left on device");
	close(fd);
}

/* --- colour --- */

static const struct color_case {
	const char *name;
	bool terminal;
	const char *no_color; /* NULL: unset */
	const char *words[4];
	bool want;
} color_cases[] = {
	{ "a terminal is coloured", true, NULL, { NULL }, true },
	{ "a file is not", false, NULL, { NULL }, false },
	{ "NO_COLOR=1", true, "1", { NULL }, false },
	{ "any value of NO_COLOR", true, "0", { NULL }, false },
	{ "an empty NO_COLOR is none", true, "", { NULL }, true },
	{ "JSON is never coloured", true, NULL, { "--json" }, false },
};

static void test_color(void **state)
{
	const struct color_case *c = *state;
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), fd;
	struct config cfg;

	if (master < 0 || grantpt(master) || unlockpt(master))
		skip(); /* no pseudo-terminals here */
	fd = open(c->terminal ? ptsname(master) : "/dev/null", O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(fd >= 0);
	if (c->no_color)
		setenv("NO_COLOR", c->no_color, 1);
	else
		unsetenv("NO_COLOR");
	assert_int_equal(parse_onto(fd, c->words, &cfg, NULL), CLI_RUN);
	assert_int_equal(cfg.color, c->want);
	close(fd);
	close(master);
}

/* --- the file below the command line --- */

static const char file_text[] =
	"profile: splunk\n"
	"interfaces: [eth7, 'wlan*']\n"
	"settle: 5s\n"
	"tick: 3s\n"
	"internal: 192.0.2.0/24\n"
	"json: true\n"
	"outputs: ['stdout,format=text', 'file:/f']\n"
	"limits: {groups: 4096}\n"
	"rules:\n"
	"  port-scan: {threshold: 7, window: 1h}\n"
	"  own: {where: contact, by: originator, distinct: responder, window: "
	"1m, threshold: 9}\n";

static void file_holds(const struct config *cfg)
{
	assert_int_equal(cfg->profile, PROFILE_SPLUNK);
	assert_int_equal(cfg->ifaces, 2);
	assert_string_equal(cfg->iface[0], "eth7");
	assert_int_equal(cfg->settle_ns, 5 * S);
	assert_int_equal(cfg->tick_ns, 3 * S);
	assert_int_equal(cfg->internal.n, 1);
	assert_true(cfg->json);
	assert_int_equal(cfg->outputs, 2);
	assert_string_equal(cfg->output[1].target, "/f");
	assert_int_equal(cfg->groups_max, 4096);
	assert_int_equal(cfg->nursery_slots, 65536);
	assert_int_equal(cfg->rules.n, 6);
	assert_int_equal(cfg->rules.rule[0].threshold, 7);
	assert_int_equal(cfg->rules.rule[0].window_ns, 3600 * S);
	assert_int_equal(cfg->rules.rule[0].mode, WINDOW_TUMBLING);
	assert_int_equal(cfg->rules.rule[5].threshold, 9);
}

static void options_go_over(const struct config *cfg)
{
	assert_int_equal(cfg->profile, PROFILE_DEFAULT);
	assert_int_equal(cfg->ifaces, 2);
	assert_string_equal(cfg->iface[0], "eth0");
	assert_string_equal(cfg->iface[1], "!veth*");
	assert_int_equal(cfg->settle_ns, 1 * S);
	assert_int_equal(cfg->tick_ns, 3 * S);
	assert_int_equal(cfg->internal.n, 2);
	assert_int_equal(cfg->outputs, 1);
	assert_string_equal(cfg->output[0].target, "/g");
	assert_int_equal(cfg->groups_max, 8192);
	assert_int_equal(cfg->rules.rule[0].threshold, 8);
	assert_int_equal(cfg->rules.rule[0].window_ns, 3600 * S);
	assert_int_equal(cfg->rules.rule[0].mode, WINDOW_SLIDING);
	assert_int_equal(cfg->rules.rule[5].threshold, 2);
}

static void no_file(const struct config *cfg)
{
	assert_int_equal(cfg->rules.n, 5);
	assert_int_equal(cfg->tick_ns, S);
}

static void replays_with_the_file(const struct config *cfg)
{
	assert_int_equal(cfg->command, COMMAND_REPLAY);
	assert_int_equal(cfg->files, 2);
	assert_string_equal(cfg->file[0], "a.pcap");
	assert_string_equal(cfg->file[1], "b.pcap");
	assert_int_equal(cfg->outputs, 0); /* nobody is told of old captures by accident */
	assert_int_equal(cfg->rules.rule[0].threshold, 7);
}

static void checks(const struct config *cfg)
{
	assert_int_equal(cfg->command, COMMAND_CHECK);
	file_holds(cfg);
}

static const struct file_case {
	const char *name;
	bool by_env;	       /* named by the environment, not by -c */
	const char *words[24]; /* FILE stands for it */
	void (*check)(const struct config *cfg);
	const char *want; /* the error; FILE stands for it at its beginning */
} file_cases[] = {
	{ "-c alone", false, { "-c", "FILE" }, file_holds, NULL },
	{ "the environment alone", true, { NULL }, file_holds, NULL },
	{ "-c goes over the environment", true, { "-c", "/dev/null" }, no_file, NULL },
	{ "options go over the file, wherever they stand",
	  false,
	  { "--set",	  "port-scan.threshold=8",
	    "-i",	  "eth0",
	    "-i",	  "!veth*",
	    "--profile",  "default",
	    "--settle",	  "1s",
	    "--internal", "10.0.0.0/8,fd00::/8",
	    "-c",	  "FILE",
	    "--limit",	  "groups=8192",
	    "--set",	  "own.threshold=2",
	    "--output",	  "file:/g" },
	  options_go_over,
	  NULL },
	{ "replay takes its rules from the file",
	  false,
	  { "replay", "a.pcap", "-c", "FILE", "b.pcap" },
	  replays_with_the_file,
	  NULL },
	{ "check", false, { "check", "-c", "FILE" }, checks, NULL },
	{ "check of the environment's", true, { "check" }, checks, NULL },
	{ "a mistake of the command line comes first",
	  false,
	  { "-c", "/nowhere", "--tick", "1" },
	  NULL,
	  "--tick '1': a time needs a number and a unit (ms, s, m, h, d), 50ms to 1m" },
	{ "a file that is not there",
	  false,
	  { "-c", "/nowhere/at-all.yaml" },
	  NULL,
	  "/nowhere/at-all.yaml: No such file or directory" },
	{ "--set of a rule that the file does not know",
	  true,
	  { "--set", "owm.threshold=2" },
	  NULL,
	  "--set: no rule 'owm' (did you mean 'own'?): rules are port-scan, basic-scanning, sweep, "
	  "slow-scan, distributed-scan, "
	  "own" },
	{ "check takes no file as argument",
	  false,
	  { "check", "reconmon.yaml" },
	  NULL,
	  "unexpected argument 'reconmon.yaml'; the file to check is given as -c FILE" },
};

static void test_file(void **state)
{
	const struct file_case *c = *state;
	char path[] = "/tmp/reconmon-cli.XXXXXX";
	const char *words[ARRAY_SIZE(c->words) + 1] = { NULL };
	struct error err = { 0 };
	enum cli_result result;
	struct config cfg;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, file_text, strlen(file_text)), strlen(file_text));
	close(fd);
	for (size_t i = 0; i < ARRAY_SIZE(c->words) && c->words[i]; i++)
		words[i] = strcmp(c->words[i], "FILE") ? c->words[i] : path;
	setenv("RECONMON_CONFIG", c->by_env ? path : "/dev/null", 1);
	result = parse(words, &cfg, &err);
	setenv("RECONMON_CONFIG", "/dev/null", 1);
	unlink(path);
	assert_string_equal(err.text, c->want ? c->want : "");
	assert_int_equal(result, c->want ? CLI_BAD : CLI_RUN);
	if (c->check) {
		c->check(&cfg);
		config_done(&cfg);
	}
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
	setenv("RECONMON_CONFIG", "/dev/null", 1); /* none of this machine's */
	ADD_TABLE(good_cases, test_good);
	ADD_TABLE(bad_cases, test_bad);
	add_test("64 interfaces are accepted, 65 are not", test_many_ifaces, NULL);
	add_test("not even a program name: the defaults", test_no_argv, NULL);
	add_test("argv stays as it was", test_argv_unchanged, NULL);
	ADD_TABLE(print_cases, test_print);
	add_test("the help tells defaults, examples, states, counters, exit codes",
		 test_help_teaches, NULL);
	add_test("help that cannot be written is a failure", test_full_disk, NULL);
	ADD_TABLE(color_cases, test_color);
	ADD_TABLE(file_cases, test_file);
	return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
