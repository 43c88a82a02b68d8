// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* What did the user ask for? One table of options, read by argp, which also makes --help of it.
 *
 * argp is told to print nothing and never to exit: what is wrong goes into struct error as one
 * sentence. It then does not say either which option it stumbled over; option_error() finds out. */
#include "cli.h"

#include "output_config.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config_file.h"
#include "kube.h"
#include "pin.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define NS_PER_MS 1000000ull
#define NS_PER_S  1000000000ull
#define NS_PER_D  (24 * 3600 * NS_PER_S)

/* Options without a short form; above every character. */
enum {
	OPT_INGRESS = 0x100,
	OPT_TICK,
	OPT_GUARD_RATE,
	OPT_SETTLE,
	OPT_SETTLE_OPEN,
	OPT_SET,
	OPT_PROFILE,
	OPT_INTERNAL,
	OPT_DURATION,
	OPT_LIMIT,
	OPT_FAIL_ON_ALERT,
	OPT_ALL,
	OPT_FORMAT,
	OPT_TOP,
	OPT_OUTPUT,
	OPT_ALLOW,
	OPT_NO_HABITS,
	OPT_STATE,
	OPT_PIN,
	OPT_SPOOL,
	OPT_GEOIP,
	OPT_SPOOL_SIZE,
	OPT_ATTEMPTS,
	OPT_ATTEMPTS_FILE,
	OPT_POD_NAMES,
	OPT_RELOAD_ON_CHANGE,
	OPT_CONTROL,
	OPT_METRICS,
};

/* What says which file is read, where -c does not. */
#define CONFIG_FILE_ENV "RECONMON_CONFIG"

static const struct argp_option options[] = {
	{ "config", 'c', "FILE", 0,
	  "Read this configuration, reconmon.yaml(5), over which options go (default: "
	  "$RECONMON_CONFIG, else " CONFIG_FILE_DEFAULT " if it is there; /dev/null is none)",
	  0 },
	{ "reload-on-change", OPT_RELOAD_ON_CHANGE, NULL, 0,
	  "Read it again when it has changed, as upon SIGHUP; also a ConfigMap's", 0 },

	{ NULL, 0, NULL, 0, "Where to look:", 1 },
	{ "interface", 'i', "NAME|GLOB", 0,
	  "Watch this interface, or all that match now or later, as in 'veth*'; not those after a "
	  "'!', as in '!veth*'; repeatable, at most 64 (default: every interface that is up)",
	  1 },
	{ "ingress", OPT_INGRESS, "HOOK", 0,
	  "Where incoming packets are read: auto, tc, xdp or xdp-generic (default: auto, which is "
	  "native XDP on network cards that have it free, and tc elsewhere)",
	  1 },
	{ "duration", OPT_DURATION, "TIME", 0,
	  "Stop after this time, 100ms to 365d (default: run until SIGINT or SIGTERM)", 1 },

	{ NULL, 0, NULL, 0, "What counts:", 2 },
	{ "set", OPT_SET, "RULE.FIELD=VALUE", 0,
	  "Change a rule; repeatable. Fields: enabled (true or false), threshold (1 to 65536), "
	  "window (1s to 7d), mode (sliding or tumbling), severity (1 to 10, or auto), yields-to "
	  "(a rule whose open alerts say enough, or none), where "
	  "(probe or contact), originator and responder (any, internal or external), ports (as in "
	  "22,8000-8010), by, distinct, attack-internal, attack-external, description. The rules "
	  "are listed below",
	  2 },
	{ "profile", OPT_PROFILE, "NAME", 0,
	  "Rules to start from: default, or splunk, which counts as the two Splunk searches over "
	  "Zeek's conn.log do: port-scan and basic-scanning only, tumbling windows, all protocols "
	  "together. --set applies after it, in any order (default: default)",
	  2 },
	{ "internal", OPT_INTERNAL, "CIDR[,CIDR]...", 0,
	  "Networks that are internal, instead of the default list (default: "
	  "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7)",
	  2 },
	{ "allow", OPT_ALLOW, "KEY=VALUE[,KEY=VALUE]...", 0,
	  "Let a contact be that matches all of it, and count it; repeatable. Keys: originator, "
	  "responder (networks), ports, protocol; process, executable, container, pod, runtime "
	  "(globs; of attempts that leave this host); rules (only for these); expires "
	  "(YYYY-MM-DD), comment (why; needed, and the last). Several values are joined by '+'",
	  2 },
	{ "no-habits", OPT_NO_HABITS, NULL, 0,
	  "Count silent contacts that recur steadily, health checks mostly, as any other; "
	  "--profile splunk does",
	  2 },
	{ "state", OPT_STATE, "FILE", 0,
	  "Where habits are kept over restarts: a full path, auto or none (default: auto, which is "
	  "habits.json in $STATE_DIRECTORY, else in /var/lib/reconmon if that is there)",
	  2 },
	{ "pod-names", OPT_POD_NAMES, "DIR", 0,
	  "Where the kubelet of this node leaves the folders `pods` and `containers`, which tell "
	  "the names of pods and containers; none: nowhere (default: " KUBE_DIR_DEFAULT ")",
	  2 },
	{ "pin", OPT_PIN, "DIR|auto|on|off", OPTION_ARG_OPTIONAL,
	  "Keep maps, programs and windows in this folder of a BPF file system, so that a restart, "
	  "an upgrade or a kill -9 loses no probe; `reconmon unpin` removes them. "
	  "on: " PIN_DIR_DEFAULT
	  "; auto: the same for a service of systemd, if that folder is there "
	  "(default: auto; without a value: on)",
	  2 },
	{ "settle", OPT_SETTLE, "TIME", 0,
	  "An attempt without answer is a probe once it was silent for this long, 100ms to 1m "
	  "(default: 2s)",
	  2 },
	{ "settle-open", OPT_SETTLE_OPEN, "TIME", 0,
	  "The same for a connection that is established and stays silent, 100ms to 10m (default: "
	  "30s)",
	  2 },

	{ "guard-rate", OPT_GUARD_RATE, "N", 0,
	  "Follow at most so many new attempts a second at one service (responder, port, "
	  "protocol); those beyond, but of originators seen before, are counted only: a flood. "
	  "100 to 500000, or off (default: 5000)",
	  2 },

	{ NULL, 0, NULL, 0, "What comes out:", 3 },
	{ "json", 'j', NULL, 0,
	  "To standard output, one JSON document (Elastic Common Schema) an alert and line, "
	  "instead "
	  "of text",
	  3 },
	{ "numeric", 'n', NULL, 0,
	  "Ports are numbers, without the names that /etc/services has for them", 3 },
	{ "output", OPT_OUTPUT, "DEST[,KEY=VALUE]...", 0,
	  "Where alerts go, instead of standard output; repeatable. Destinations and keys are "
	  "listed below",
	  3 },
	{ "geoip", OPT_GEOIP, "PATH", 0,
	  "Say of external originators where they are, by a database in MaxMind's format (cities, "
	  "countries, autonomous systems); repeatable, up to 4",
	  3 },
	{ "spool", OPT_SPOOL, "DIR", 0,
	  "Where alerts wait on disk for a receiver that is away, also from one run to the next: a "
	  "full path, auto or none (default: auto, which is spool in $STATE_DIRECTORY, else in "
	  "/var/lib/reconmon if that is there)",
	  3 },
	{ "spool-size", OPT_SPOOL_SIZE, "SIZE", 0,
	  "Disk that each output may take there, 1M to 2G (default: 64M); what finds no room is "
	  "counted",
	  3 },
	{ "attempts", OPT_ATTEMPTS, "probes|all", OPTION_ARG_OPTIONAL,
	  "Keep a log of attempts in the shape of Zeek's conn.log: of those in which the "
	  "originator "
	  "sent no payload (probes, the default), or of all; with --json as JSON. On standard "
	  "output, unless there is an --attempts-file; alerts then go to standard error",
	  3 },
	{ "attempts-file", OPT_ATTEMPTS_FILE, "NAME", 0,
	  "Append the log of attempts to this file; opened anew on SIGHUP", 3 },
	{ "quiet", 'q', NULL, 0, "Alerts and problems only", 3 },
	{ "verbose", 'v', NULL, 0, "Say more on standard error; of -q and -v the last counts", 3 },

	{ "fail-on-alert", OPT_FAIL_ON_ALERT, NULL, 0,
	  "With replay: exit 10 when an alert was raised", 3 },
	{ "all", OPT_ALL, NULL, 0, "With status: every counter, also those that are 0", 3 },
	{ "report-file", 'o', "FILE", 0,
	  "With report: write it here; FILE.svg, .json and .md tell the format too (default: "
	  "standard output)",
	  3 },
	{ "format", OPT_FORMAT, "html|svg|json|md", 0,
	  "With report: how it is written (default: html)", 3 },

	{ "top", OPT_TOP, "SPEED", OPTION_ARG_OPTIONAL,
	  "With replay: on a screen, as `top` is, SPEED times as fast as it was, 0.01 to 1000000 "
	  "(default: 1)",
	  3 },

	{ NULL, 0, NULL, 0, "How much and how often:", 4 },
	{ "tick", OPT_TICK, "TIME", 0,
	  "How often the kernel's tables are read, 50ms to 1m (default: 1s)", 4 },
	{ "limit", OPT_LIMIT, "NAME=N", 0,
	  "Size of a table; repeatable. attempts: connections not decided yet, 1024 to 1048576, "
	  "rounded up to a power of two (default: 65536); contacts: judged and not yet read, 1024 "
	  "to 4194304 (default: 65536); groups: live groups of each rule, 1024 to 16777216 "
	  "(default: 262144); habits: those, and as many candidates, 1024 to 1048576 (default: "
	  "32768)",
	  4 },

	{ NULL, 0, NULL, 0, "How it is asked while it runs:", 5 },
	{ "control", OPT_CONTROL, "PATH", 0,
	  "Unix socket at which `status` and others ask the daemon: a full path, auto or none "
	  "(default: auto, which is reconmon.sock in $RUNTIME_DIRECTORY, else in /run/reconmon)",
	  5 },
	{ "metrics", OPT_METRICS, "ADDRESS:PORT", 0,
	  "Answer over HTTP: /metrics for Prometheus, /livez, /readyz; or auto, off (default: "
	  "auto, "
	  "which is 127.0.0.1:9765 where there is a configuration file, else off)",
	  5 },

	/* argp puts options of these two names into group -1 whatever is said here. */
	{ NULL, 0, NULL, 0, "About:", -1 },
	{ "help", 'h', NULL, 0, "Show this help", -1 },
	{ "version", 'V', NULL, 0, "Show the version", -1 },
	{ 0 },
};

/* The rules go between the options and this; see help_filter(). argp keeps lines and indents. */
static const char doc[] =
	"Detects port scans: follows every connection attempt at the network interfaces with eBPF "
	"and reports originators whose attempts carried no payload. Packets always pass untouched. "
	"Needs root, or CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON."
	"\v"
	"`check` reads the configuration and the options and prints what holds in the\n"
	"end, as a file that says the same; or where a mistake is.\n"
	"\n"
	"`top` is a screen of who looks around now, by the daemon that runs; without\n"
	"one it watches by itself. When the daemon is restarted it waits for it.\n"
	"`replay --top[=SPEED]` is the same over files.\n"
	"\n"
	"`explain` says why alerts fired, of alert logs (ECS documents; `-` is\n"
	"standard input), captures or Zeek logs, all or those whose ids are given, or\n"
	"without files of the daemon that runs: the rule in words, what each port\n"
	"answered, what would have kept it quiet, the lines that silence it and\n"
	"nothing else, and a filter for Wireshark.\n"
	"\n"
	"`doctor` says what this host allows (kernel, rights, memory, interfaces and\n"
	"who else is attached there), what reconmon would do here, and remedies; it\n"
	"attaches nothing.\n"
	"\n"
	"`unpin` removes what a daemon with --pin has left attached and kept: stop\n"
	"that first.\n"
	"\n"
	"`status` asks the running daemon what it watches and what not, which alerts\n"
	"are open, where the flood guard is engaged, how full its tables are, and\n"
	"the counters that are not 0 (--all: every one); --json for machines, which\n"
	"has all of them always.\n"
	"\n"
	"`replay` runs the same rules over files instead of interfaces, by the clock\n"
	"of the packets: captures (pcap, pcapng; `-` is standard input) or Zeek's\n"
	"conn.log (TSV, JSON), gzip or not, several merged in order of time.\n"
	"\n"
	"`report` makes a page to look at, complete in itself, of the same files, and\n"
	"of logs of alerts as --json and file outputs write them; without any, of\n"
	"what a running daemon knows.\n"
	"\n"
	"TIME is a number with its unit: 300ms, 1.5s, 10m, 24h, 7d.\n"
	"\n"
	"Outputs, each with a filter, a format and a queue of its own:\n"
	"  stdout            standard output\n"
	"  file:PATH         appended; opened anew upon SIGHUP, for logrotate\n"
	"  syslog:TRANSPORT[:HOST[:PORT]]\n"
	"                    RFC 5424 over udp, tcp (localhost:514) or tls (:6514);\n"
	"                    IPv6 with a port is [ADDRESS]:PORT\n"
	"  syslog:unix[:SOCKET]\n"
	"                    the local daemon, /dev/log by default\n"
	"  journald[:SOCKET] systemd's journal, with fields RECONMON_*\n"
	"  webhook:URL       a POST each, with the document as it is\n"
	"  hec:URL           Splunk's HTTP Event Collector\n"
	"  elasticsearch:URL its bulk API\n"
	"  command:PATH      run for each alert, which it reads from standard input;\n"
	"                    exit 75 asks for it again, other failures lose it\n"
	"Their keys:\n"
	"  format=F          text (default), ecs (default of files, HTTP, commands),\n"
	"                    ocsf, cef, leef, zeek-tsv, zeek-json (both notice.log);\n"
	"                    not of journald\n"
	"  severity=N        only alerts of at least this severity, 0 to 10\n"
	"  states=S[+S]...   some of open, update, close\n"
	"  rules=R[+R]...    only these rules\n"
	"  queue=SIZE        what may wait for a slow receiver, 64K to 1G (default:\n"
	"                    4M); what finds no room is counted\n"
	"  spool=DIR|none, spool-size=SIZE\n"
	"                    instead of --spool; a file has one only if this is said\n"
	"  facility=F        of syslog (default: local0)\n"
	"  framing=WORD      of syslog over tcp, tls: octet (counted; default) or lf\n"
	"  enterprise=N      of syslog: number in the id of the structured data\n"
	"  token-file=PATH   over HTTP: file whose first line is the token\n"
	"  ca=PATH           over HTTP and TLS: certificates to trust, not the system's\n"
	"  index=NAME        of hec and elasticsearch (default: the token's;\n"
	"                    logs-reconmon.alert-default)\n"
	"\n"
	"Examples:\n"
	"  reconmon -i eth0 -i 'veth*'\n"
	"        watch eth0 and all containers behind veth interfaces\n"
	"  reconmon --json --set port-scan.threshold=10 --set sweep.enabled=false\n"
	"        JSON; a port scan begins at ten ports; no sweeps\n"
	"  reconmon replay --fail-on-alert monday.pcap tuesday.pcap.gz\n"
	"        what reconmon would have said\n"
	"  reconmon report -o monday.html monday.pcap\n"
	"        the same to look at: pictures of scans, what they learnt, what was let be\n"
	"  reconmon --output stdout --output file:/var/log/reconmon.json,severity=5\n"
	"        text to look at, ECS to keep\n"
	"  reconmon --output syslog:tcp:siem.example:1514,format=cef --output journald\n"
	"        CEF to a SIEM, and all to the journal\n"
	"\n"
	"An alert has a life, and each state is one line:\n"
	"  open    the rule's threshold was reached\n"
	"  update  the count has doubled, or a kind of answer is new\n"
	"  close   a whole window went by without news, or payload came after all\n"
	"\n"
	"Of a scan that leaves this host, or comes from a container on it, the alert\n"
	"says whose it was: process, user, container, pod or unit. That needs a kernel\n"
	"with BTF.\n"
	"\n"
	"Signals: SIGINT or SIGTERM end it (a second one at once). SIGHUP reads the\n"
	"configuration again and opens output files anew; a bad one changes nothing and\n"
	"says so (without a file to read or to open, it ends too).\n"
	"\n"
	"Counters: `kill -USR1 PID` writes them to standard error. `lost` is the sum of\n"
	"those that tell of evidence which left unseen; while it is 0, every count is\n"
	"complete. If it grows, raise the --limit that belongs to it.\n"
	"\n"
	"Exit codes:\n"
	"  0  fine\n"
	"  1  something failed while it ran\n"
	"  2  the command line or the configuration file makes no sense\n"
	"  3  not permitted: root or capabilities are missing\n"
	"  4  the kernel lacks something\n"
	"  10 replay --fail-on-alert: an alert was raised\n";

/* What is known while argp walks over the command line. */
struct cli {
	struct config *cfg;
	struct error *err;
	const char **settings; /* --set, in their order: they wait for --profile */
	size_t n_settings;
	const char *config_file; /* -c */
	bool profile_given, ifaces_given, outputs_given, geoips_given, format_given;
	int next;    /* state->next after the last option that was understood */
	bool done;   /* --help or --version */
	bool failed; /* err is filled */
};

/* --- values --- */

/* limit_set - NAME=N. */
static int limit_set(struct config *cfg, const char *text, struct error *err)
{
	unsigned int n, i;
	const struct config_limit *limits = config_limits(&n);
	const char *equals = strchr(text, '='), *words[8];
	char name[32], what[64];
	int r;

	if (!equals)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "--limit '%.80s': NAME=N is accepted, as in attempts=131072",
				 text);
	for (i = 0; i < n && i < ARRAY_SIZE(words); i++)
		words[i] = limits[i].name;
	snprintf(name, sizeof(name), "%.*s", (int)(equals - text), text);
	r = choice_parse("--limit", name, words, n, &i, err);
	if (r < 0)
		return r;
	snprintf(what, sizeof(what), "--limit %s", words[i]);
	return config_limit_set(cfg, &limits[i], what, equals + 1, err);
}

static int internal_set(struct config *cfg, const char *text, struct error *err)
{
	int r = net_list_parse(text, &cfg->internal, err);

	return r < 0 ? error_prefix(err, r, "--internal") : 0;
}

/* iface_add - the first takes the place of what the file says. */
static int iface_add(struct cli *cli, const char *pattern)
{
	if (!cli->ifaces_given)
		cli->cfg->ifaces = 0;
	cli->ifaces_given = true;
	return config_iface_add(cli->cfg, "--interface", pattern, cli->err);
}

/* geoip_add - as iface_add(). */
static int geoip_add(struct cli *cli, const char *path)
{
	if (!cli->geoips_given)
		cli->cfg->geoips = 0;
	cli->geoips_given = true;
	return config_geoip_add(cli->cfg, "--geoip", path, cli->err);
}

/* output_add - as iface_add(). */
static int output_add(struct cli *cli, const char *text)
{
	if (!cli->outputs_given)
		cli->cfg->outputs = 0;
	cli->outputs_given = true;
	return config_output_add(cli->cfg, "--output", text, cli->err);
}

static int profile_set(struct cli *cli, const char *text)
{
	cli->profile_given = true;
	return config_set(cli->cfg, "profile", "--profile", text, cli->err);
}

/* --- what was wrong with an option --- */

/* long_find - the options that begin with name[0..len), as "--a, --b" in list. Returns how many,
 * and in *ret the last of them; a whole name stands for itself, whatever else begins with it. */
static unsigned int long_find(const char *name, size_t len, char *list, size_t size,
			      const struct argp_option **ret)
{
	unsigned int n = 0;
	size_t end = 0;

	list[0] = '\0';
	for (const struct argp_option *o = options; o->name || o->doc; o++) {
		if (!len || !o->name || strncmp(o->name, name, len))
			continue;
		*ret = o;
		if (!o->name[len])
			return 1;
		if (end < size)
			end += (size_t)snprintf(list + end, size - end, "%s--%s", n ? ", " : "",
						o->name);
		n++;
	}
	return n;
}

/* long_error - why getopt refused "--NAME[=VALUE]". */
static int long_error(const char *arg, struct error *err)
{
	const struct argp_option *o = NULL;
	char list[256];
	unsigned int n = long_find(arg + 2, strcspn(arg + 2, "="), list, sizeof(list), &o);

	if (!n)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "unknown option '%.80s'; `reconmon --help` lists them", arg);
	if (n > 1)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "option '%.80s' is ambiguous; it may be one of %s", arg, list);
	if (o->arg)
		return error_set(err, -EINVAL, EXIT_USAGE, "option '--%s' needs a value: --%s=%s",
				 o->name, o->name, o->arg);
	return error_set(err, -EINVAL, EXIT_USAGE, "option '--%s' takes no value, '%.80s' has one",
			 o->name, arg);
}

static const struct argp_option *option_find(char key)
{
	for (const struct argp_option *o = options; o->name || o->doc; o++)
		if (o->key == key)
			return o;
	return NULL;
}

/* short_error - why getopt refused "-abc": one of the letters is unknown, or the last lacks its
 * value. */
static int short_error(const char *arg, struct error *err)
{
	const struct argp_option *o = NULL;
	const char *letter = arg + 1;

	while (*letter && (o = option_find(*letter)) && !o->arg)
		letter++;
	if (o && o->arg)
		return error_set(err, -EINVAL, EXIT_USAGE, "option '-%c' needs a value: -%c %s",
				 o->key, o->key, o->arg);
	if (letter == arg + 1 || *letter <= ' ' || *letter > '~') /* no half of a UTF-8 sequence */
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "unknown option '%.80s'; `reconmon --help` lists them", arg);
	return error_set(err, -EINVAL, EXIT_USAGE,
			 "unknown option '-%c' in '%.80s'; `reconmon --help` lists them", *letter,
			 arg);
}

/* option_error - names the option that getopt refused, which argp does not hand on. getopt has
 * stepped over it if it was a long one or the last letter of its word; in the middle of a word
 * like -abc it still points there. */
static int option_error(const struct cli *cli, const struct argp_state *state)
{
	int at = state->next > cli->next ? state->next - 1 : state->next;
	const char *arg = at < state->argc ? state->argv[at] : "";

	return strncmp(arg, "--", 2) ? short_error(arg, cli->err) : long_error(arg, cli->err);
}

/* --- the walk --- */

/* The word that may stand in front of the options; the first, which has none, watches. */
static const struct subcommand {
	const char *name;
	enum command command;
	bool files;	  /* its arguments are kept in cfg->file */
	bool asks;	  /* a running daemon, and watches nothing itself */
	const char *hint; /* to those it does not take, or to none */
} subcommands[] = {
	{ "", COMMAND_WATCH, false, false,
	  "interfaces are given as -i NAME, files as `reconmon replay FILE...`" },
	{ "replay", COMMAND_REPLAY, true, false,
	  "replay needs at least one file; `-` is standard input" },
	{ "report", COMMAND_REPORT, true, false,
	  "report takes files, `-` is standard input, or none, and asks a running daemon" },
	{ "check", COMMAND_CHECK, false, false, "the file to check is given as -c FILE" },
	{ "top", COMMAND_TOP, false, false,
	  "interfaces are given as -i NAME, files as `reconmon replay --top FILE...`" },
	{ "explain", COMMAND_EXPLAIN, true, false,
	  "explain needs an alert's id, or files: alert logs (ECS documents, `-` is standard "
	  "input), captures, Zeek logs" },
	{ "doctor", COMMAND_DOCTOR, false, false, "interfaces are given as -i NAME" },
	{ "unpin", COMMAND_UNPIN, false, false, "the folder is given as --pin=DIR" },
	{ "status", COMMAND_STATUS, false, true, "the daemon to ask is given as --control PATH" },
};

static const struct subcommand *subcommand_of(enum command command)
{
	for (size_t i = 0; i < ARRAY_SIZE(subcommands); i++)
		if (subcommands[i].command == command)
			return &subcommands[i];
	return &subcommands[0];
}

/* only_live - an option that has no meaning over files. */
static int only_live(const struct cli *cli, const char *option)
{
	const struct subcommand *sub = subcommand_of(cli->cfg->command);

	if (!sub->files)
		return 0;
	return error_set(cli->err, -EINVAL, EXIT_USAGE, "%s goes with interfaces, not with `%s`",
			 option, sub->name);
}

/* not_report - an option about alerts as they come, which a report and an explanation have all of.
 */
static int not_report(const struct cli *cli, const char *option)
{
	if (cli->cfg->command == COMMAND_EXPLAIN)
		return error_set(cli->err, -EINVAL, EXIT_USAGE,
				 "%s goes not with `explain`, which prints; --json is a document "
				 "an alert",
				 option);
	if (cli->cfg->command != COMMAND_REPORT)
		return 0;
	return error_set(cli->err, -EINVAL, EXIT_USAGE,
			 "%s goes not with `report`, which is told by -o FILE and --format",
			 option);
}

/* only_report - an option of the report's own. */
static int only_report(const struct cli *cli, const char *option)
{
	if (cli->cfg->command == COMMAND_REPORT)
		return 0;
	return error_set(cli->err, -EINVAL, EXIT_USAGE, "%s goes with `reconmon report INPUT...`",
			 option);
}

static const char *const report_formats[] = { "html", "svg", "json", "md" };

static int report_format_set(struct cli *cli, const char *text)
{
	unsigned int i;
	int r = choice_parse("--format", text, report_formats, ARRAY_SIZE(report_formats), &i,
			     cli->err);

	if (r < 0)
		return r;
	cli->cfg->report_format = i;
	cli->format_given = true;
	return 0;
}

/* report_file_set - the name tells the format, unless --format does. */
static int report_file_set(struct cli *cli, const char *file)
{
	const char *dot = strrchr(file, '.');

	cli->cfg->report_file = file;
	for (unsigned int i = 0; dot && !cli->format_given && i < ARRAY_SIZE(report_formats); i++)
		if (!strcmp(dot + 1, report_formats[i]))
			cli->cfg->report_format = i;
	return 0;
}

/* only_daemon - of those that ask a daemon, an option that is the daemon's own business. */
static int only_daemon(const struct cli *cli, int key)
{
	const struct subcommand *sub = subcommand_of(cli->cfg->command);
	static const int keys[] = { 'c', 'j', 'q', 'v', OPT_ALL, OPT_CONTROL, ARGP_KEY_ARG };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!sub->asks || key == keys[i])
			return 0;
	for (const struct argp_option *o = options; o->name || o->doc; o++)
		if (o->key == key && o->name)
			return error_set(cli->err, -EINVAL, EXIT_USAGE,
					 "--%s is for the daemon, not for `%s`, which asks one",
					 o->name, sub->name);
	return 0;
}

static int argument_take(struct cli *cli, const char *arg)
{
	const struct subcommand *sub = subcommand_of(cli->cfg->command);

	if (sub->files) {
		cli->cfg->file[cli->cfg->files++] = arg;
		return 0;
	}
	return error_set(cli->err, -EINVAL, EXIT_USAGE, "unexpected argument '%.80s'; %s", arg,
			 sub->hint);
}

/* top_speed_set - a number that is not a count. */
static int top_speed_set(struct config *cfg, const char *text, struct error *err)
{
	char *end;
	double speed = strtod(text, &end);

	if (cfg->command != COMMAND_REPLAY)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "--top goes with `reconmon replay FILE...`; live it is `reconmon "
				 "top`");
	if (end == text || *end || !(speed >= 0.01 && speed <= 1e6))
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "--top '%.40s': a number from 0.01 to 1000000 is accepted, as in "
				 "--top=10",
				 text);
	cfg->top_speed = speed;
	return 0;
}

/* Options that are one word of the configuration each (config_setting), under the same name. */
static const struct plain_option {
	const char *name;
	const char *without; /* what it means without a value */
	int key;
	enum {
		EVERYWHERE,
		NOT_OVER_FILES,
		WHERE_A_DAEMON_IS, /* is watched for, or asked */
	} where;
} plain_options[] = {
	{ "ingress", NULL, OPT_INGRESS, NOT_OVER_FILES },
	{ "state", NULL, OPT_STATE, NOT_OVER_FILES },
	{ "pod-names", NULL, OPT_POD_NAMES, NOT_OVER_FILES },
	{ "spool", NULL, OPT_SPOOL, NOT_OVER_FILES },
	{ "spool-size", NULL, OPT_SPOOL_SIZE, EVERYWHERE },
	{ "pin", "on", OPT_PIN, NOT_OVER_FILES },
	{ "metrics", NULL, OPT_METRICS, NOT_OVER_FILES },
	{ "control", NULL, OPT_CONTROL, WHERE_A_DAEMON_IS },
	{ "settle", NULL, OPT_SETTLE, EVERYWHERE },
	{ "settle-open", NULL, OPT_SETTLE_OPEN, EVERYWHERE },
	{ "guard-rate", NULL, OPT_GUARD_RATE, EVERYWHERE },
	{ "tick", NULL, OPT_TICK, EVERYWHERE },
};

static const struct plain_option *plain_option_of(int key)
{
	for (size_t i = 0; i < ARRAY_SIZE(plain_options); i++)
		if (plain_options[i].key == key)
			return &plain_options[i];
	return NULL;
}

static int plain_option_take(const struct cli *cli, const struct plain_option *s, const char *arg)
{
	enum command command = cli->cfg->command;
	bool asks = command == COMMAND_EXPLAIN || command == COMMAND_REPORT;
	char what[32];

	snprintf(what, sizeof(what), "--%s", s->name);
	if (s->where != EVERYWHERE && !(s->where == WHERE_A_DAEMON_IS && asks) &&
	    only_live(cli, what) < 0)
		return -EINVAL;
	return config_set(cli->cfg, s->name, what, arg ? arg : s->without, cli->err);
}

static int option_take(struct cli *cli, int key, const char *arg)
{
	struct config *cfg = cli->cfg;
	const struct plain_option *plain = plain_option_of(key);
	struct error *err = cli->err;
	int r;

	if (only_daemon(cli, key) < 0)
		return -EINVAL;
	if (plain)
		return plain_option_take(cli, plain, arg);
	switch (key) {
	case 'c':
		cli->config_file = arg;
		return 0;
	case 'i':
		return only_live(cli, "--interface") < 0 ? -EINVAL : iface_add(cli, arg);
	case OPT_DURATION:
		if (only_live(cli, "--duration") < 0)
			return -EINVAL;
		return duration_parse("--duration", arg, 100 * NS_PER_MS, 365 * NS_PER_D,
				      &cfg->duration_ns, err);
	case OPT_SET:
		cli->settings[cli->n_settings++] = arg;
		return 0;
	case OPT_PROFILE:
		return profile_set(cli, arg);
	case OPT_INTERNAL:
		return internal_set(cfg, arg, err);
	case OPT_ALLOW:
		r = allow_parse(arg, &cfg->allow, err);
		return r < 0 ? error_prefix(err, r, "--allow") : 0;
	case OPT_NO_HABITS:
		cfg->habits = false;
		return 0;
	case OPT_RELOAD_ON_CHANGE:
		cfg->reload_on_change = true;
		return only_live(cli, "--reload-on-change");
	case OPT_GEOIP:
		return geoip_add(cli, arg);
	case OPT_LIMIT:
		return limit_set(cfg, arg, err);
	case 'o':
		return only_report(cli, "-o") < 0 ? -EINVAL : report_file_set(cli, arg);
	case OPT_FORMAT:
		return only_report(cli, "--format") < 0 ? -EINVAL : report_format_set(cli, arg);
	case OPT_OUTPUT:
		return not_report(cli, "--output") < 0 ? -EINVAL : output_add(cli, arg);
	case OPT_ATTEMPTS:
		if (not_report(cli, "--attempts") < 0)
			return -EINVAL;
		return config_set(cfg, "attempts", "--attempts", arg ? arg : "probes", err);
	case OPT_ATTEMPTS_FILE:
		if (not_report(cli, "--attempts-file") < 0)
			return -EINVAL;
		if (cfg->log_attempts == LOG_NONE)
			cfg->log_attempts = LOG_PROBES;
		return config_set(cfg, "attempts-file", "--attempts-file", arg, err);
	case 'j':
		cfg->json = true;
		return cfg->command == COMMAND_EXPLAIN ? 0 : not_report(cli, "--json");
	case 'n':
		cfg->numeric = true;
		return 0;
	case 'q':
		cfg->verbosity = -1;
		return 0;
	case 'v':
		cfg->verbosity = 1;
		return 0;
	case OPT_FAIL_ON_ALERT:
		if (cfg->command != COMMAND_REPLAY)
			return error_set(err, -EINVAL, EXIT_USAGE,
					 "--fail-on-alert goes with `reconmon replay FILE...`");
		cfg->fail_on_alert = true;
		return 0;
	case OPT_ALL:
		if (cfg->command != COMMAND_STATUS)
			return error_set(err, -EINVAL, EXIT_USAGE,
					 "--all goes with `reconmon status`");
		cfg->all = true;
		return 0;
	case OPT_TOP:
		return top_speed_set(cfg, arg ? arg : "1", err);
	default:
		return argument_take(cli, arg);
	}
}

/* help_show - the help is what was asked for, hence standard output. argp prints it with a state
 * only (without, it forgets help_filter()), and only if it may print errors. */
static void help_show(struct argp_state *state)
{
	char name[] = "reconmon"; /* not argv[0]: the help is the same wherever it was installed */

	state->name = name;
	state->flags &= ~(unsigned int)ARGP_NO_ERRS;
	argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
	state->flags |= ARGP_NO_ERRS;
	state->name = NULL;
}

/* on_key - argp's callback. Of our errors argp only learns that there was one: some errno values
 * mean something else to it (E2BIG is ARGP_ERR_UNKNOWN). */
static error_t on_key(int key, char *arg, struct argp_state *state)
{
	struct cli *cli = state->input;

	switch (key) {
	case 'h':
	case 'V':
		if (key == 'h')
			help_show(state);
		else
			printf("reconmon %s\n", RECONMON_VERSION);
		cli->done = true;
		return ECANCELED; /* what follows does not matter any more */
	case ARGP_KEY_ERROR:
		if (!cli->done && !cli->failed)
			cli->failed = option_error(cli, state) < 0;
		return 0;
	case ARGP_KEY_INIT:
	case ARGP_KEY_FINI:
	case ARGP_KEY_END:
	case ARGP_KEY_NO_ARGS:
	case ARGP_KEY_SUCCESS:
		return 0;
	case ARGP_KEY_ARGS: /* never all at once: ARGP_KEY_ARG, which is 0, takes each */
		return ARGP_ERR_UNKNOWN;
	default:
		cli->failed = option_take(cli, key, arg) < 0;
		cli->next = state->next;
		return cli->failed ? EINVAL : 0;
	}
}

static void rules_describe(FILE *out)
{
	struct rule_set rules;
	char window[32];

	rules_builtin(PROFILE_DEFAULT, &rules);
	fputs("Rules and their defaults:\n", out);
	for (uint32_t i = 0; i < rules.n; i++) {
		const struct rule *r = &rules.rule[i];

		fprintf(out, "  %s\n      %s\n      threshold=%u window=%s mode=%s enabled=%s\n",
			r->name, r->description, r->threshold,
			duration_format(r->window_ns, window),
			r->mode == WINDOW_TUMBLING ? "tumbling" : "sliding",
			r->enabled ? "true" : "false");
	}
	fputc('\n', out);
}

/* help_filter - argp's hook for its texts: puts the rules as they are in front of the last one.
 * argp frees what is not the text it gave. */
static char *help_filter(int key, const char *text, void *input)
{
	char *buf = NULL;
	size_t size;
	FILE *out;

	(void)input;
	if (key == ARGP_KEY_HELP_DUP_ARGS_NOTE)
		return NULL; /* "mandatory arguments to long options are ...": all are */
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)(uintptr_t)text;
	out = open_memstream(&buf, &size);
	if (!out)
		return (char *)(uintptr_t)text;
	rules_describe(out);
	fputs(text, out);
	if (fclose(out)) {
		free(buf);
		return (char *)(uintptr_t)text;
	}
	return buf;
}

static const struct argp argp = {
	.options = options,
	.parser = on_key,
	.args_doc = "\nreplay FILE...\nreport [INPUT...]\ntop\nexplain "
		    "ID|FILE...\ncheck\ndoctor\nunpin\nstatus",
	.doc = doc,
	.help_filter = help_filter,
};

/* --- the whole --- */

/* settings_apply - --set, over what the profile and the file say. */
static int settings_apply(const struct cli *cli)
{
	struct rule_set *rules = &cli->cfg->rules;
	const char *field;
	int r;

	for (size_t i = 0; i < cli->n_settings; i++) {
		r = rules_set(rules, cli->settings[i], cli->err);
		if (r < 0)
			return error_prefix(cli->err, r, "--set");
	}
	for (uint32_t i = 0; i < rules->n; i++) {
		r = rule_check(&rules->rule[i], &field, cli->err);
		if (!r)
			r = rule_check_yields(rules, &rules->rule[i], cli->err);
		if (r < 0)
			return error_prefix(cli->err, r, "--set");
	}
	return allow_resolve(cli->cfg->allow, rules, cli->err);
}

static bool color_wanted(const struct config *cfg)
{
	const char *no_color = getenv("NO_COLOR"); /* https://no-color.org: set and not empty */

	return !cfg->json && isatty(STDOUT_FILENO) && !(no_color && *no_color);
}

static enum cli_result output_check(struct error *err)
{
	if (!fflush(stdout) && !ferror(stdout))
		return CLI_DONE;
	error_set(err, -errno, EXIT_RUNTIME, "standard output: %m");
	return CLI_BAD;
}

/* ARGP_IN_ORDER keeps getopt from permuting argv, on which option_error() relies. */
static enum cli_result cli_walk(struct cli *cli, int argc, char **argv)
{
	const unsigned int flags = ARGP_NO_EXIT | ARGP_NO_ERRS | ARGP_NO_HELP | ARGP_IN_ORDER;
	error_t r;

	cli->next = 1;
	cli->n_settings = 0;
	cli->ifaces_given = false;
	cli->outputs_given = false;
	cli->geoips_given = false;
	cli->format_given = false;
	cli->profile_given = false;
	cli->cfg->files = 0;
	r = argp_parse(&argp, argc, argv, flags, NULL, cli);
	if (cli->done)
		return output_check(cli->err);
	if (cli->failed)
		return CLI_BAD;
	if (r) {
		error_set(cli->err, -r, EXIT_RUNTIME, "reading the command line: %s", strerror(r));
		return CLI_BAD;
	}
	return CLI_RUN;
}

/* file_read - the file that -c or the environment names, or the usual one if it is there. */
static int file_read(struct cli *cli)
{
	enum rule_profile profile = cli->cfg->profile;
	const char *env = getenv(CONFIG_FILE_ENV);
	const char *path = cli->config_file ? cli->config_file : env;
	int r;

	if (!path || (path == env && !*env)) {
		path = CONFIG_FILE_DEFAULT;
		if (access(path, F_OK) < 0 && errno == ENOENT)
			path = NULL;
	}
	if (path && !strcmp(path, "/dev/null"))
		path = NULL;
	cli->cfg->config_file = path;
	rules_builtin(profile, &cli->cfg->rules);
	if (!path)
		return 0;
	r = config_file_read(path, cli->profile_given ? &profile : NULL, cli->cfg, cli->err);
	if (subcommand_of(cli->cfg->command)->asks) {
		cli->cfg->json = false; /* which is how alerts are written */
		if (!cli->config_file)	/* not ours to read, or broken: we can ask all the same */
			r = 0;
	}
	if (subcommand_of(cli->cfg->command)->files) { /* what is found there is no news to those */
		cli->cfg->outputs = 0;
		cli->cfg->log_attempts = LOG_NONE;
		cli->cfg->attempts_file[0] = '\0';
	}
	return r;
}

/* start_over - forgets what the first walk has set, but for what it was about. */
static void start_over(struct cli *cli)
{
	struct config *cfg = cli->cfg, first = *cfg;

	allow_free(first.allow);
	config_defaults(cfg);
	cfg->command = first.command;
	cfg->file = first.file;
	cfg->argc = first.argc;
	cfg->argv = first.argv;
	if (cli->profile_given)
		cfg->profile = first.profile;
}

/* cli_read - walks over the command line twice: for its own mistakes and for -c, then over what the
 * file says. */
static enum cli_result cli_read(struct cli *cli, int argc, char **argv)
{
	enum cli_result result = cli_walk(cli, argc, argv);

	if (result != CLI_RUN)
		return result;
	if (subcommand_of(cli->cfg->command)->files && !cli->cfg->files &&
	    cli->cfg->command != COMMAND_REPORT) {
		error_set(cli->err, -EINVAL, EXIT_USAGE, "%s",
			  subcommand_of(cli->cfg->command)->hint);
		return CLI_BAD;
	}
	start_over(cli);
	if (file_read(cli) < 0)
		return CLI_BAD;
	result = cli_walk(cli, argc, argv);
	if (result != CLI_RUN)
		return result;
	return settings_apply(cli) < 0 ? CLI_BAD : CLI_RUN;
}

/* on_first_argument - argp's callback that only looks for the first word that is no option, nor the
 * value of one. Where it stands comes back in *input. */
static error_t on_first_argument(int key, char *arg, struct argp_state *state)
{
	int *at = state->input;

	(void)arg;
	if (key != ARGP_KEY_ARG)
		return 0;
	*at = state->next - 1;
	return ECANCELED;
}

/* subcommand_take - the subcommand, in front of the options or behind some: *at is where it stands
 * in argv, 0 if there is none. Mistakes are left to the walks that follow. */
static const struct subcommand *subcommand_take(int argc, char **argv, int *at)
{
	static const struct argp first = { .options = options, .parser = on_first_argument };

	*at = 0;
	argp_parse(&first, argc, argv, ARGP_SILENT | ARGP_IN_ORDER, NULL, at);
	for (size_t i = 1; *at > 0 && i < ARRAY_SIZE(subcommands); i++)
		if (!strcmp(argv[*at], subcommands[i].name))
			return &subcommands[i];
	*at = 0;
	return &subcommands[0];
}

enum cli_result cli_parse(int argc, char **argv, struct config *cfg, struct error *err)
{
	int at;
	const struct subcommand *sub = subcommand_take(argc, argv, &at);
	char **words = calloc((size_t)argc + 1, sizeof(*words)); /* without the subcommand */
	struct cli cli = { .cfg = cfg, .err = err };
	enum cli_result result = CLI_BAD;

	config_defaults(cfg);
	cfg->command = sub->command;
	cfg->argc = argc;
	cfg->argv = argv;
	cli.settings = calloc((size_t)argc + 1, sizeof(*cli.settings)); /* each has its argument */
	if (sub->files)
		cfg->file = calloc((size_t)argc + 1, sizeof(*cfg->file));
	for (int from = 0, to = 0; words && from < argc; from++)
		if (from == 0 || from != at)
			words[to++] = argv[from];
	if (!words || !cli.settings || (sub->files && !cfg->file))
		error_set(err, -ENOMEM, EXIT_RUNTIME, "reading the command line: out of memory");
	else
		result = cli_read(&cli, at ? argc - 1 : argc, words);
	if (result != CLI_RUN)
		config_done(cfg);
	cfg->color = color_wanted(cfg);
	free(cli.settings);
	free(words);
	return result;
}
