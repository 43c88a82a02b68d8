// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/sink_text.c and user/sink_json.c: the same alerts, as a line and as a document. */
#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alerts.h"

/* --- text ----------------------------------------------------------------------------------- */

#define AT "2026-11-25T02:50:00.123Z "

/* names - a table as a host may have it; for services_free(). */
static struct services *names(void)
{
	struct services *s = services_new();

	assert_non_null(s);
	services_add(s, "ssh", 22, "tcp");
	services_add(s, "microsoft-ds", 445, "tcp");
	services_add(s, "ntp", 123, "udp");
	services_add(s, "tcpmux", 1, "tcp");
	return s;
}

static void many_open_ports(struct alert *a)
{
	a_port_scan(a);
	ports_add(a, 1, 199, 2, ANSWER_OPEN);
}

static void a_sweep_by_ping(struct alert *a)
{
	a_sweep(a);
	a->proto = PROTO_ICMP;
	a->resp_port = 0;
	a->bits = CONTACT_OPEN;
	a->n_hosts = a->count = 1;
}

static void a_protocol_at_many_hosts(struct alert *a)
{
	a_sweep_by_ping(a);
	a->proto = PROTO_ANY;
	a->resp_port = 47;
}

static const struct named_case {
	const char *name;
	void (*build)(struct alert *);
	bool known; /* the host has a table */
	const char *want, *not ;
} named_cases[] = {
	{ "open ports have their names, closed ones have not", a_port_scan, true,
	  "; open 22/ssh,80; closed 1-21,23-79,81-100 (", NULL },
	{ "without a table they are numbers", a_port_scan, false, "; open 22,80; closed 1-21,",
	  "ssh" },
	{ "a name belongs to its protocol", a_port_scan_that_leaves, true,
	  "; filtered 123; none 53 (", "ntp" },
	{ "so many that they are no list for people: as numbers", many_open_ports, true,
	  "; open 1,3,5,7,9,", "tcpmux" },
	{ "the port of a sweep", a_sweep, true, " 40 hosts, port 445/tcp (microsoft-ds) in ",
	  NULL },
	{ "ICMP has no ports", a_sweep_by_ping, true, " -> 1 host icmp in 2.1s: 10.0.2.1 (",
	  "port" },
	{ "an IP protocol at many hosts", a_protocol_at_many_hosts, true,
	  " -> 1 host, IP protocol 47 in ", "port" },
	{ "IP protocols of one host", protocols_of_one_host, true,
	  " -> 10.0.0.9 ip-proto: 1 IP protocol in ", "port " },
};

static void test_named(void **state)
{
	const struct named_case *c = *state;
	struct services *s = names();
	struct sink_context ctx = context;
	char *got;

	ctx.services = c->known ? s : NULL;
	got = written(sink_text_write, c->build, ALERT_OPEN, &ctx);
	if (!strstr(got, c->want) || (c->not &&strstr(got, c->not )))
		fail_msg("%s", got);
	free(got);
	services_free(s);
}

static const struct text_case {
	const char *name;
	void (*build)(struct alert *);
	enum alert_state state;
	bool color;
	const char *want;
} text_cases[] = {
	{ "a port scan opens", a_port_scan, ALERT_OPEN, false,
	  AT "OPEN   port-scan 10.0.0.5 -> 10.0.0.9 tcp: 100 ports in 0.4s; open 22,80; closed "
	     "1-21,23-79,81-100 (syn, connect; in on veth0; id 0192-1)\n" },
	{ "a scan that leaves, over IPv6, not whole", a_port_scan_that_leaves, ALERT_UPDATE, false,
	  AT "UPDATE port-scan 2001:db8::5 -> 2001:db8::9 udp: 2 ports in 3m 1s; filtered 123; "
	     "none 53 (udp; out on veth0; some evidence was lost; amid a flood of which 812345 "
	     "attempts were not followed; id 0192-1)\n" },
	{ "a close has its length", a_port_scan_that_leaves, ALERT_CLOSE, false,
	  AT "CLOSE  port-scan 2001:db8::5 -> 2001:db8::9 udp: 2 ports in 3m 1s; filtered 123; "
	     "none 53 (udp; out on veth0; lasted 3m 1s, 104 attempts; some evidence was lost; amid "
	     "a flood of which 812345 attempts were not followed; id "
	     "0192-1)\n" },
	{ "payload came after all, and the interface is gone", a_scan_taken_back, ALERT_CLOSE,
	  false,
	  AT
	  "CLOSE  port-scan 10.0.0.5 -> 10.0.0.9 tcp: 1 port in 0ms; none 22 (syn; lasted 0ms, 1 "
	  "attempt; retracted: payload came after all; id 0192-1)\n" },
	{ "an incident", a_scan_of_an_incident, ALERT_OPEN, false,
	  AT "OPEN   port-scan 10.0.0.5 -> 10.0.0.9 tcp: 1 port in 0ms; none 22 (syn; incident "
	     "0192-i7; id 0192-1)\n" },
	{ "a rule that knows no responder and no protocol", basic_scanning_of_any_host, ALERT_OPEN,
	  false,
	  AT "OPEN   basic-scanning 10.0.0.5 -> any host: 1000 ports in 3h 0m; closed 1-1000 "
	     "(connect; in on veth0; id 0192-1)\n" },
	{ "a sweep names ten hosts and those that were open", a_sweep, ALERT_OPEN, false,
	  AT "OPEN   sweep 10.0.0.5 -> 40 hosts, port 445/tcp in 2.1s: 10.0.2.1, 10.0.2.2, "
	     "10.0.2.3, 10.0.2.4, 10.0.2.5, 10.0.2.6, 10.0.2.7, 10.0.2.8, 10.0.2.9, 10.0.2.10, "
	     "... (+30 more); open at 10.0.2.21 (syn; in on veth0; id 0192-1)\n" },
	{ "many originators of one host", a_distributed_scan, ALERT_OPEN, false,
	  AT
	  "OPEN   distributed-scan 40 originators -> 10.0.0.9 tcp: 41 ports in 2.1s: by 10.0.2.1, "
	  "10.0.2.2, 10.0.2.3, 10.0.2.4, 10.0.2.5, 10.0.2.6, 10.0.2.7, 10.0.2.8, 10.0.2.9, "
	  "10.0.2.10, ... (+30 more); closed "
	  "1,3,5,7,9,11,13,15,17,19,21,23,25,27,29,31,33,35,37,39,41,43,45,47,49,51,53,55,57,59,"
	  "61,63,65,67,69,71,73,75,77,79; none 80 (syn; in on veth0; id 0192-1)\n" },
	{ "pairs of host and port", pairs_by_a_rule_of_ones_own, ALERT_OPEN, false,
	  AT "OPEN   few-ports 10.0.0.5 -> 2 hosts tcp: 4 pairs of host and port in 0.4s: "
	     "10.0.2.1, 10.0.2.2; open at 10.0.2.1; open 22; closed 445 (syn; in on veth0; id "
	     "0192-1)\n" },
	{ "a list of ports ends after 200 bytes", a_scan_of_every_other_port, ALERT_OPEN, false,
	  AT "OPEN   port-scan 10.0.0.5 -> 10.0.0.9 tcp: 32768 ports in 0.4s; closed "
	     "1,3,5,7,9,11,13,15,17,19,21,23,25,27,29,31,33,35,37,39,41,43,45,47,49,51,53,55,57,59,"
	     "61,63,65,67,69,71,73,75,77,79,81,83,85,87,89,91,93,95,97,99,101,103,105,107,109,111,"
	     "113,115,117,119,121,123,125,127,... (syn; in on veth0; id 0192-1)\n" },
	{ "an interface's name cannot reach the terminal", an_alert_with_a_hostile_interface,
	  ALERT_OPEN, false,
	  AT "OPEN   port-scan 10.0.0.5 -> 10.0.0.9 tcp: 100 ports in 0.4s; open 22,80; closed "
	     "1-21,23-79,81-100 (syn, connect; in on e?[2J?; id 0192-1)\n" },
	{ "colour: open is red, open ports are bold", a_port_scan, ALERT_OPEN, true,
	  AT "\033[31mOPEN  \033[0m port-scan 10.0.0.5 -> 10.0.0.9 tcp: 100 ports in 0.4s; open "
	     "\033[1m22,80\033[0m; closed 1-21,23-79,81-100 (syn, connect; in on veth0; id "
	     "0192-1)\n" },
	{ "colour: update is yellow", a_port_scan_that_leaves, ALERT_UPDATE, true,
	  AT "\033[33mUPDATE\033[0m port-scan 2001:db8::5 -> 2001:db8::9 udp: 2 ports in 3m 1s; "
	     "filtered 123; none 53 (udp; out on veth0; some evidence was lost; amid a flood of "
	     "which 812345 attempts were not followed; id 0192-1)\n" },
	{ "colour: close is green", a_scan_taken_back, ALERT_CLOSE, true,
	  AT "\033[32mCLOSE \033[0m port-scan 10.0.0.5 -> 10.0.0.9 tcp: 1 port in 0ms; none 22 "
	     "(syn; lasted 0ms, 1 attempt; retracted: payload came after all; id 0192-1)\n" },
};

static void test_text(void **state)
{
	const struct text_case *c = *state;
	struct sink_context ctx = context;
	char *got;

	ctx.color = c->color;
	got = written(sink_text_write, c->build, c->state, &ctx);
	assert_string_equal(got, c->want);
	free(got);
}

/* --- JSON: fields ---------------------------------------------------------------------------- */

/* at - the value at a path like "event.id" in a document, or NULL. */
static const json_t *at(const json_t *doc, const char *path)
{
	char part[64];

	while (doc && *path) {
		size_t n = strcspn(path, ".");

		snprintf(part, sizeof(part), "%.*s", (int)n, path);
		doc = json_object_get(doc, part);
		path += path[n] ? n + 1 : n;
	}
	return doc;
}

static json_t *document(void (*build)(struct alert *), enum alert_state state,
			const struct sink_context *ctx)
{
	char *text = written(sink_json_write, build, state, ctx);
	json_error_t err;
	json_t *doc = json_loads(text, 0, &err);

	if (!doc)
		fail_msg("not JSON: %s: %s", err.text, text);
	free(text);
	return doc;
}

static const struct field_case {
	const char *name;
	void (*build)(struct alert *);
	enum alert_state state;
	const char *path;
	const char *want; /* as JSON; NULL: not there */
} field_cases[] = {
	/* who and when */
	{ "written now", a_port_scan, ALERT_OPEN, "@timestamp", "\"2026-11-25T02:50:00.123456Z\"" },
	{ "created now", a_port_scan, ALERT_OPEN, "event.created",
	  "\"2026-11-25T02:50:00.123456Z\"" },
	{ "start is the first probe", a_port_scan, ALERT_OPEN, "event.start",
	  "\"2026-11-25T02:43:20.123456Z\"" },
	{ "end is the last probe", a_port_scan, ALERT_OPEN, "event.end",
	  "\"2026-11-25T02:43:20.523456Z\"" },
	{ "duration is in nanoseconds", a_port_scan, ALERT_OPEN, "event.duration", "400000000" },
	{ "schema", a_port_scan, ALERT_OPEN, "ecs", "{\"version\":\"9.4.0\"}" },
	{ "tags", a_port_scan, ALERT_OPEN, "tags", "[\"reconmon\"]" },
	{ "host", a_port_scan, ALERT_OPEN, "host",
	  "{\"name\":\"node1\",\"hostname\":\"node1\","
	  "\"id\":\"3d1219c7c4c5404aaa1f6d2a48adfda4\"}" },
	{ "observer of what came in", a_port_scan, ALERT_OPEN, "observer",
	  "{\"vendor\":\"reconmon\",\"product\":\"reconmon\",\"version\":\"" RECONMON_VERSION
	  "\",\"type\":\"ids\",\"hostname\":\"node1\",\"ingress\":{\"interface\":{\"name\":"
	  "\"veth0\"}}}" },
	{ "observer of what went out", a_port_scan_that_leaves, ALERT_OPEN, "observer.egress",
	  "{\"interface\":{\"name\":\"veth0\"}}" },
	{ "an interface that is gone", a_scan_taken_back, ALERT_OPEN, "observer.ingress", NULL },
	{ "an interface's name that is not UTF-8", an_alert_with_a_hostile_interface, ALERT_OPEN,
	  "observer.ingress", NULL },
	/* what kind of event */
	{ "kind", a_port_scan, ALERT_OPEN, "event.kind", "\"alert\"" },
	{ "category", a_port_scan, ALERT_OPEN, "event.category",
	  "[\"network\",\"intrusion_detection\"]" },
	{ "type", a_port_scan, ALERT_OPEN, "event.type", "[\"info\"]" },
	{ "action is the rule", a_port_scan, ALERT_OPEN, "event.action", "\"port-scan\"" },
	{ "outcome", a_port_scan, ALERT_OPEN, "event.outcome", "\"unknown\"" },
	{ "id", a_port_scan, ALERT_OPEN, "event.id", "\"0192-1\"" },
	{ "sequence", a_port_scan, ALERT_OPEN, "event.sequence", "17" },
	{ "dataset", a_port_scan, ALERT_OPEN, "event.dataset", "\"reconmon.alert\"" },
	{ "severity", a_port_scan, ALERT_OPEN, "event.severity", "6" },
	{ "risk score", a_port_scan, ALERT_OPEN, "event.risk_score", "60.0" },
	{ "reason", a_port_scan, ALERT_OPEN, "event.reason",
	  "\"100 distinct silent ports, threshold 3 in 300 s\"" },
	{ "reason of a rule that counts all contacts", basic_scanning_of_any_host, ALERT_OPEN,
	  "event.reason", "\"1000 distinct ports, threshold 1000 in 1.5 s\"" },
	{ "reason of a close that takes back", a_scan_taken_back, ALERT_CLOSE, "event.reason",
	  "\"1 distinct silent port, threshold 3 in 300 s; retracted: payload came after all\"" },
	{ "message of a port scan", a_port_scan, ALERT_OPEN, "message",
	  "\"port-scan: 10.0.0.5 probed 100 ports of 10.0.0.9 over tcp: 1-100\"" },
	{ "message of a sweep", a_sweep, ALERT_OPEN, "message",
	  "\"sweep: 10.0.0.5 probed 40 hosts at port 445 over tcp\"" },
	{ "message of a sweep by ping", a_sweep_by_ping, ALERT_OPEN, "message",
	  "\"sweep: 10.0.0.5 probed 1 host over icmp\"" },
	{ "a ping has no port", a_sweep_by_ping, ALERT_OPEN, "destination", NULL },
	{ "message of IP protocols", protocols_of_one_host, ALERT_OPEN, "message",
	  "\"port-scan: 10.0.0.5 probed 1 IP protocol of 10.0.0.9 over ip-proto: 22\"" },
	{ "message of many originators", a_distributed_scan, ALERT_OPEN, "event.reason",
	  "\"41 distinct silent ports, threshold 3 in 300 s\"" },
	{ "many originators have no source", a_distributed_scan, ALERT_OPEN, "source", NULL },
	{ "... but a list", a_distributed_scan, ALERT_OPEN, "reconmon.alert.originator_count",
	  "40" },
	{ "... and no responders", a_distributed_scan, ALERT_OPEN, "reconmon.alert.responders",
	  NULL },
	{ "... and a destination", a_distributed_scan, ALERT_OPEN, "destination",
	  "{\"address\":\"10.0.0.9\",\"ip\":\"10.0.0.9\"}" },
	{ "... and a network", a_distributed_scan, ALERT_OPEN, "network.type", "\"ipv4\"" },
	{ "message without responder or protocol", basic_scanning_of_any_host, ALERT_OPEN,
	  "message", "\"basic-scanning: 10.0.0.5 contacted 1000 ports: 1-1000\"" },
	{ "rule", a_port_scan, ALERT_OPEN, "rule",
	  "{\"id\":\"port-scan\",\"name\":\"port-scan\",\"category\":\"reconnaissance\","
	  "\"ruleset\":\"reconmon builtin\",\"version\":\"" RECONMON_VERSION
	  "\",\"description\":\"several ports of one host\"}" },
	{ "a rule without description", basic_scanning_of_any_host, ALERT_OPEN, "rule.description",
	  NULL },
	{ "ATT&CK from inside, no sub-technique", a_port_scan_that_leaves, ALERT_OPEN, "threat",
	  "{\"framework\":\"MITRE ATT&CK\",\"tactic\":{\"id\":[\"TA0007\"],\"name\":[\"Discovery\"]"
	  "},\"technique\":{\"id\":[\"T1046\"],\"name\":[\"Network Service Discovery\"]}}" },
	{ "ATT&CK from outside", a_port_scan, ALERT_OPEN, "threat.technique",
	  "{\"id\":[\"T1595\"],\"name\":[\"Active Scanning\"],\"subtechnique\":{\"id\":["
	  "\"T1595.001\"],\"name\":[\"Scanning IP Blocks\"]}}" },
	{ "a rule of one's own has no version of ours", pairs_by_a_rule_of_ones_own, ALERT_OPEN,
	  "rule",
	  "{\"id\":\"few-ports\",\"name\":\"few-ports\",\"category\":\"reconnaissance\","
	  "\"ruleset\":\"reconmon.yaml\"}" },
	{ "a rule's own severity", pairs_by_a_rule_of_ones_own, ALERT_OPEN, "event.severity", "9" },
	{ "a technique whose name is unknown", pairs_by_a_rule_of_ones_own, ALERT_OPEN,
	  "threat.technique", "{\"id\":[\"T1599\"]}" },
	{ "no technique at all", a_rule_without_attack, ALERT_OPEN, "threat", NULL },
	{ "hosts of pairs", pairs_by_a_rule_of_ones_own, ALERT_OPEN,
	  "reconmon.alert.responder_count", "2" },
	{ "ports of pairs", pairs_by_a_rule_of_ones_own, ALERT_OPEN, "reconmon.alert.ports",
	  "\"22,445\"" },
	/* between whom */
	{ "source", a_port_scan, ALERT_OPEN, "source",
	  "{\"address\":\"10.0.0.5\",\"ip\":\"10.0.0.5\"}" },
	{ "destination of a port scan", a_port_scan, ALERT_OPEN, "destination",
	  "{\"address\":\"10.0.0.9\",\"ip\":\"10.0.0.9\"}" },
	{ "destination of a sweep is a port", a_sweep, ALERT_OPEN, "destination",
	  "{\"port\":445}" },
	{ "no destination", basic_scanning_of_any_host, ALERT_OPEN, "destination", NULL },
	{ "network of IPv4", a_port_scan, ALERT_OPEN, "network",
	  "{\"type\":\"ipv4\",\"transport\":\"tcp\",\"iana_number\":\"6\",\"direction\":"
	  "\"ingress\"}" },
	{ "network of IPv6", a_port_scan_that_leaves, ALERT_OPEN, "network",
	  "{\"type\":\"ipv6\",\"transport\":\"udp\",\"iana_number\":\"17\",\"direction\":"
	  "\"egress\"}" },
	{ "network of any protocol", basic_scanning_of_any_host, ALERT_OPEN, "network",
	  "{\"type\":\"ipv4\",\"direction\":\"ingress\"}" },
	{ "related addresses of a port scan", a_port_scan, ALERT_OPEN, "related.ip",
	  "[\"10.0.0.5\",\"10.0.0.9\"]" },
	{ "related addresses without responder", basic_scanning_of_any_host, ALERT_OPEN,
	  "related.ip", "[\"10.0.0.5\"]" },
	/* reconmon.alert */
	{ "incident", a_scan_of_an_incident, ALERT_OPEN, "reconmon.incident.id", "\"0192-i7\"" },
	{ "no incident", a_port_scan, ALERT_OPEN, "reconmon.incident", NULL },
	{ "state open", a_port_scan, ALERT_OPEN, "reconmon.alert.state", "\"open\"" },
	{ "state update", a_port_scan, ALERT_UPDATE, "reconmon.alert.state", "\"update\"" },
	{ "state close", a_port_scan, ALERT_CLOSE, "reconmon.alert.state", "\"close\"" },
	{ "ports", a_port_scan, ALERT_OPEN, "reconmon.alert.ports", "\"1-100\"" },
	{ "what the rule counted", a_port_scan, ALERT_OPEN, "reconmon.alert.count", "100" },
	{ "number of ports", a_port_scan, ALERT_OPEN, "reconmon.alert.port_count", "100" },
	{ "ports by answer", a_port_scan, ALERT_OPEN, "reconmon.alert.answers",
	  "{\"open\":\"22,80\",\"closed\":\"1-21,23-79,81-100\",\"filtered\":\"\",\"none\":\"\"}" },
	{ "ports are whole", a_port_scan, ALERT_OPEN, "reconmon.alert.ports_truncated", "false" },
	{ "ports are cut", a_scan_of_every_other_port, ALERT_OPEN, "reconmon.alert.ports_truncated",
	  "true" },
	{ "the number of ports is not cut", a_scan_of_every_other_port, ALERT_OPEN,
	  "reconmon.alert.port_count", "32768" },
	{ "techniques", a_port_scan, ALERT_OPEN, "reconmon.alert.technique",
	  "[\"syn\",\"connect\"]" },
	{ "one technique is a list", a_sweep, ALERT_OPEN, "reconmon.alert.technique", "[\"syn\"]" },
	{ "a window of whole seconds", a_port_scan, ALERT_OPEN, "reconmon.alert.window_s", "300" },
	{ "a window of half seconds", basic_scanning_of_any_host, ALERT_OPEN,
	  "reconmon.alert.window_s", "1.5" },
	{ "threshold", a_port_scan, ALERT_OPEN, "reconmon.alert.threshold", "3" },
	{ "rate", a_port_scan, ALERT_OPEN, "reconmon.alert.rate_pps", "260.0" },
	{ "rate of an instant", a_scan_taken_back, ALERT_OPEN, "reconmon.alert.rate_pps", "0.0" },
	{ "taken back", a_scan_taken_back, ALERT_CLOSE, "reconmon.alert.retracted", "true" },
	{ "not taken back", a_port_scan, ALERT_CLOSE, "reconmon.alert.retracted", "false" },
	{ "not whole", a_port_scan_that_leaves, ALERT_OPEN, "reconmon.alert.incomplete", "true" },
	{ "whole", a_port_scan, ALERT_OPEN, "reconmon.alert.incomplete", "false" },
	{ "amid a flood", a_port_scan_that_leaves, ALERT_OPEN, "reconmon.alert.unfollowed",
	  "812345" },
	{ "amid none", a_port_scan, ALERT_OPEN, "reconmon.alert.unfollowed", "0" },
	{ "responders only of a sweep", a_port_scan, ALERT_OPEN, "reconmon.alert.responders",
	  NULL },
	{ "responders are counted", a_sweep, ALERT_OPEN, "reconmon.alert.responder_count", "40" },
	{ "responders are counted beyond what is kept", a_sweep_of_more_hosts_than_kept, ALERT_OPEN,
	  "reconmon.alert.responder_count", "70000" },
	{ "the port of a sweep", a_sweep, ALERT_OPEN, "reconmon.alert.ports", "\"445\"" },
	{ "the port of a sweep is one", a_sweep, ALERT_OPEN, "reconmon.alert.port_count", "1" },
	{ "the port of a sweep answered its best", a_sweep, ALERT_OPEN, "reconmon.alert.answers",
	  "{\"open\":\"445\",\"closed\":\"\",\"filtered\":\"\",\"none\":\"\"}" },
};

static void test_field(void **state)
{
	const struct field_case *c = *state;
	json_t *doc = document(c->build, c->state, &context);
	const json_t *value = at(doc, c->path);
	char *got = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

	if (!c->want != !got || (got && strcmp(got, c->want)))
		fail_msg("%s: %s instead of %s", c->path, got, c->want);
	free(got);
	json_decref(doc);
}

static void where_an_originator_is(void **state)
{
	static const char *const paths[] = { "source.geo", "source.as" };
	static const char *const want[] = {
		"{\"country_iso_code\":\"DE\",\"country_name\":\"Germany\",\"continent_code\":"
		"\"EU\",\"region_iso_code\":\"DE-BE\",\"region_name\":\"Land Berlin\","
		"\"city_name\":\"Berlin\",\"timezone\":\"Europe/Berlin\",\"location\":{\"lat\":"
		"52.52,\"lon\":-13.405}}",
		"{\"number\":64496,\"organization\":{\"name\":\"Example Net AG\"}}"
	};
	struct sink_context ctx = context;
	json_t *doc;
	char *got;

	(void)state;
	ctx.geo = &a_place;
	doc = document(a_port_scan, ALERT_OPEN, &ctx);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		got = json_dumps(at(doc, paths[i]), JSON_COMPACT | JSON_REAL_PRECISION(12));
		assert_string_equal(got, want[i]);
		free(got);
	}
	json_decref(doc);
	got = written(sink_text_write, a_scan_taken_back, ALERT_CLOSE, &ctx);
	assert_non_null(
		strstr(got, " 10.0.0.5 (DE, AS64496 Example Net AG) -> 10.0.0.9 tcp: 1 port in"));
	free(got);
	ctx.geo = &a_network_alone;
	got = written(sink_text_write, a_scan_taken_back, ALERT_CLOSE, &ctx);
	assert_non_null(strstr(got, " 10.0.0.5 (AS64496) -> "));
	free(got);
}

static void services_are(void (*build)(struct alert *), const struct services *s, const char *want)
{
	struct sink_context ctx = context;
	json_t *doc, *services;
	char *got;

	ctx.services = s;
	doc = document(build, ALERT_OPEN, &ctx);
	services = json_object_get(json_object_get(json_object_get(doc, "reconmon"), "alert"),
				   "services");
	got = services ? json_dumps(services, JSON_COMPACT) : strdup("");
	assert_string_equal(got, want);
	free(got);
	json_decref(doc);
}

static void of_captures_nobody_knows_the_direction(void **state)
{
	struct sink_context ctx = context;
	json_t *doc;

	(void)state;
	ctx.offline = true;
	doc = document(a_port_scan, ALERT_OPEN, &ctx);
	assert_non_null(json_object_get(doc, "network"));
	assert_null(at(doc, "network.direction"));
	json_decref(doc);
}

static void open_ports_have_names(void **state)
{
	struct services *s = names();

	(void)state;
	services_are(a_port_scan, s, "[\"22/ssh\"]");
	services_are(a_port_scan, NULL, "");
	services_are(a_sweep, s, "[\"445/microsoft-ds\"]");
	services_are(a_port_scan_that_leaves, s, ""); /* nothing open */
	services_are(a_sweep_by_ping, s, "");
	services_free(s);
}

static void lists_of_addresses_end_at_256(void **state)
{
	json_t *doc = document(a_sweep_of_more_hosts_than_kept, ALERT_OPEN, &context);
	const json_t *ip = at(doc, "related.ip"), *hosts = at(doc, "reconmon.alert.responders");

	(void)state;
	assert_int_equal(json_array_size(ip), 256);
	assert_int_equal(json_array_size(hosts), 256);
	assert_string_equal(json_string_value(json_array_get(ip, 0)), "10.0.0.5");
	assert_string_equal(json_string_value(json_array_get(ip, 1)), "2001:db8::");
	assert_string_equal(json_string_value(json_array_get(hosts, 255)), "2001:db8::ff");
	json_decref(doc);
}

static void lists_of_ports_end_at_16_kib(void **state)
{
	json_t *doc = document(a_scan_of_every_other_port, ALERT_OPEN, &context);
	const char *ports = json_string_value(at(doc, "reconmon.alert.ports"));
	size_t n = strlen(ports);

	(void)state;
	assert_true(n <= 16384 && n > 16384 - 6);
	assert_string_equal(json_string_value(at(doc, "reconmon.alert.answers.closed")), ports);
	assert_int_equal(json_string_length(at(doc, "reconmon.alert.answers.open")), 0);
	json_decref(doc);
}

static void broken_utf8_costs_its_field_only(void **state)
{
	struct sink_context ctx = context;
	json_t *doc;

	(void)state;
	ctx.hostname = "node\xff";
	doc = document(a_port_scan, ALERT_OPEN, &ctx);
	assert_null(at(doc, "host.name"));
	assert_null(at(doc, "observer.hostname"));
	assert_non_null(at(doc, "host.id"));
	assert_non_null(at(doc, "event.id"));
	json_decref(doc);
}

static void what_is_allowed_is_told(void **state)
{
	const struct contact contact = { .silent = 3, .carried = 1 };
	struct contact_key key = { .orig = addr("10.0.0.5"), .resp = addr("10.0.0.9") };
	struct sink_context ctx = context;
	struct allow *allow = NULL;
	json_t *doc;

	(void)state;
	doc = document(a_port_scan, ALERT_OPEN, &ctx);
	assert_null(at(doc, "reconmon.allowed"));
	json_decref(doc);
	assert_int_equal(allow_parse("originator=10.0.0.5,comment=x", &allow, NULL), 0);
	assert_int_equal(allow_parse("originator=10.0.0.6,comment=y", &allow, NULL), 0);
	assert_true(allow_match(allow, &key, &contact, NULL, 0));
	ctx.allow = allow;
	doc = document(a_port_scan, ALERT_OPEN, &ctx);
	assert_int_equal(json_integer_value(at(doc, "reconmon.allowed.entries")), 2);
	assert_int_equal(json_integer_value(at(doc, "reconmon.allowed.attempts")), 4);
	assert_int_equal(json_integer_value(at(doc, "reconmon.allowed.silent")), 3);
	json_decref(doc);
	allow_free(allow);
}

static void an_unknown_host_is_left_out(void **state)
{
	struct sink_context ctx = context;
	json_t *doc;

	(void)state;
	ctx.hostname = "";
	ctx.host_id = "";
	doc = document(a_port_scan, ALERT_OPEN, &ctx);
	assert_null(at(doc, "host"));
	assert_null(at(doc, "observer.hostname"));
	json_decref(doc);
}

/* --- whose it was ----------------------------------------------------------------------------- */

static const struct owner_case {
	const char *name;
	void (*build)(struct alert *);
	const char *text;  /* in the line */
	const char *of[8]; /* in the document: field, its JSON text; "" for none */
} owner_cases[] = {
	{ "a pod, in words",
	  a_scan_by_a_pod,
	  "(by nmap[4242], uid 1000, containerd container 5694f82f4416, pod "
	  "eb052b63-ea96-4728-ab4a-64ab3babccd7; udp;",
	  { "process.command_line", "\"nmap -sS 10.0.0.9\"", "process.args",
	    "[\"nmap\", \"-sS\", \"10.0.0.9\"]", "process.user.id", "\"1000\"", "process.user.name",
	    "" } },
	{ "a pod, its places",
	  a_scan_by_a_pod,
	  "",
	  { "container.id", "\"" CONTAINER "\"", "container.runtime", "\"containerd\"",
	    "orchestrator.resource.id", "\"eb052b63-ea96-4728-ab4a-64ab3babccd7\"",
	    "reconmon.alert.owner.source", "\"cookie\"" } },
	{ "a pod whose name the node tells",
	  a_scan_by_a_named_pod,
	  "(by containerd container nginx 5694f82f4416, pod shop/web-7d9f; ",
	  { "container.name", "\"nginx\"", "orchestrator.namespace", "\"shop\"",
	    "orchestrator.resource.name", "\"web-7d9f\"", "orchestrator.resource.id",
	    "\"eb052b63-ea96-4728-ab4a-64ab3babccd7\"" } },
	{ "a process's identity outlives its pid",
	  a_scan_by_a_pod,
	  "",
	  { "process.entity_id", "\"d2719ed7-c4cc-4c5c-9a9c-f2e5e6f0b0a1-4242-599000000000\"",
	    "process.pid", "4242", "process.start", "\"2026-11-25T02:43:19.123456Z\"",
	    "process.executable", "\"/usr/bin/nmap\"" } },
	{ "a guess is called one, and odd bytes stay out",
	  a_scan_by_a_guess,
	  "(by probably ?[2J?[7], user root, unit cron.service, and 2 others; udp;",
	  { "process.name", "\"\\u001B[2J?\"", "process.command_line", "\"? x\"",
	    "reconmon.alert.owner.source", "\"guess\"", "related.user", "[\"root\"]" } },
	{ "a socket alone has a user",
	  a_scan_by_an_unknown_socket,
	  "(by uid 65534, and 31 or more others; udp;",
	  { "process.user.id", "\"65534\"", "process.pid", "", "container", "",
	    "reconmon.alert.owner.count_truncated", "true" } },
	{ "a container whose traffic is forwarded has no process",
	  a_scan_from_a_container,
	  "(by docker container 5694f82f4416; syn,",
	  { "process", "", "container.id", "\"" CONTAINER "\"", "related.user", "",
	    "reconmon.alert.owner.source", "\"interface\"" } },
	{ "no owner, no fields",
	  a_port_scan_that_leaves,
	  "(udp;",
	  { "process", "", "container", "", "orchestrator", "", "reconmon.alert.owner", "" } },
};

static void test_owner(void **state)
{
	const struct owner_case *c = *state;
	json_t *doc = document(c->build, ALERT_OPEN, &context);
	char *line = written(sink_text_write, c->build, ALERT_OPEN, &context);

	if (!strstr(line, c->text))
		fail_msg("no \"%s\" in %s", c->text, line);
	for (int i = 0; i < 8 && c->of[i]; i += 2) {
		const json_t *value = at(doc, c->of[i]);
		char *text = value ? json_dumps(value, JSON_ENCODE_ANY) : NULL;

		assert_string_equal(text ? text : "", c->of[i + 1]);
		free(text);
	}
	free(line);
	json_decref(doc);
}

/* --- JSON: against the schema ---------------------------------------------------------------- */

/* schema_load - name to "type array-ness", or NULL if the file is not there. It is no part of the
 * sources: RECONMON_SHARED says where it is. */
static json_t *schema_load(void)
{
	const char *shared = getenv("RECONMON_SHARED");
	char path[512], line[512], name[128], type[32], level[16], norm[16];
	json_t *schema;
	FILE *in;

	snprintf(path, sizeof(path), "%s/schemas/ecs-fields.tsv", shared ? shared : "../shared");
	in = fopen(path, "r");
	if (!in) {
		print_message("%s is not there (RECONMON_SHARED says where): fields are not "
			      "checked against the schema\n",
			      path);
		return NULL;
	}
	schema = json_object();
	while (fgets(line, sizeof(line), in))
		if (line[0] != '#' && sscanf(line, "%127[^\t]\t%31[^\t]\t%15[^\t]\t%15s", name,
					     type, level, norm) == 4)
			json_object_set_new(schema, name,
					    json_pack("{s:s, s:b}", "type", type, "array",
						      !strcmp(norm, "array")));
	fclose(in);
	return schema;
}

static bool is_date(const char *text)
{
	int y, mo, d, h, mi, s, us, end = 0;

	return sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%6dZ%n", &y, &mo, &d, &h, &mi, &s, &us,
		      &end) == 7 &&
	       end == 27 && !text[end];
}

/* One of the forms that Elasticsearch takes: {"lat": ..., "lon": ...}. */
static bool is_geo_point(const json_t *value)
{
	double lat = json_number_value(json_object_get(value, "lat"));
	double lon = json_number_value(json_object_get(value, "lon"));

	return json_object_size(value) == 2 && json_is_number(json_object_get(value, "lat")) &&
	       json_is_number(json_object_get(value, "lon")) && lat >= -90 && lat <= 90 &&
	       lon >= -180 && lon <= 180;
}

static bool type_fits(const char *type, const json_t *value)
{
	const char *text = json_string_value(value);
	struct ip_addr a;

	if (!strcmp(type, "geo_point"))
		return is_geo_point(value);

	if (!strcmp(type, "long"))
		return json_is_integer(value);
	if (!strcmp(type, "float"))
		return json_is_real(value);
	if (!text || !*text)
		return false;
	if (!strcmp(type, "date"))
		return is_date(text);
	if (!strcmp(type, "ip"))
		return !addr_parse(text, &a);
	return !strcmp(type, "keyword") || !strcmp(type, "wildcard") ||
	       !strcmp(type, "match_only_text");
}

/* check_value - a field that is no object: known, as a list where it has to be, of its type. */
static void check_value(const json_t *schema, const char *name, const json_t *value)
{
	const json_t *field = json_object_get(schema, name);
	const char *type = json_string_value(json_object_get(field, "type"));
	bool array = json_is_true(json_object_get(field, "array"));

	if (!field)
		fail_msg("%s is no field of ECS", name);
	if (array != json_is_array(value))
		fail_msg("%s: a list where none belongs, or none where one does", name);
	if (array && !json_array_size(value))
		fail_msg("%s: an empty list", name);
	for (size_t i = 0; i < (array ? json_array_size(value) : 1); i++)
		if (!type_fits(type, array ? json_array_get(value, i) : value))
			fail_msg("%s: not a value of type %s", name, type);
}

/* mapped - the type that deploy/elasticsearch gives a field of ours, or NULL. */
static const char *mapped(const json_t *template, const char *name)
{
	const json_t *at = json_object_get(json_object_get(template, "template"), "mappings");
	char part[64];

	while (at && *name) {
		size_t n = strcspn(name, ".");

		snprintf(part, sizeof(part), "%.*s", (int)n, name);
		at = json_object_get(json_object_get(at, "properties"), part);
		name += name[n] ? n + 1 : n;
	}
	return json_string_value(json_object_get(at, "type"));
}

static bool is_mapped_as(const char *type, const json_t *value)
{
	if (!strcmp(type, "boolean"))
		return json_is_boolean(value);
	if (!strcmp(type, "float"))
		return json_is_number(value);
	return !strcmp(type, "keyword") ? json_is_string(value) : type_fits(type, value);
}

/* check_own - each field below reconmon has a mapping that fits it. */
static void check_own(const json_t *template, const char *prefix, const json_t *object)
{
	char name[256];
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)object, key, value) {
		const char *type;

		snprintf(name, sizeof(name), "%s.%s", prefix, key);
		if (json_is_object(value)) {
			check_own(template, name, value);
			continue;
		}
		type = mapped(template, name);
		if (!type)
			fail_msg("%s has no mapping in deploy/elasticsearch/"
				 "component-template.json",
				 name);
		for (size_t i = 0; i < (json_is_array(value) ? json_array_size(value) : 1); i++)
			if (!is_mapped_as(type,
					  json_is_array(value) ? json_array_get(value, i) : value))
				fail_msg("%s: not a value of type %s, as which it is mapped", name,
					 type);
	}
}

static void each_field_of_ours_has_a_mapping(void **state)
{
	json_t *template = json_load_file("deploy/elasticsearch/component-template.json", 0, NULL);
	struct sink_context ctx = context;
	struct allow *allow = NULL;

	(void)state;
	assert_non_null(template);
	assert_int_equal(allow_parse("originator=192.0.2.1,comment=c", &allow, NULL), 0);
	ctx.allow = allow;
	ctx.services = names();
	for (size_t i = 0; i < ARRAY_SIZE(builders); i++) {
		json_t *doc = document(builders[i], ALERT_OPEN, &ctx);

		check_own(template, "reconmon", json_object_get(doc, "reconmon"));
		json_decref(doc);
	}
	services_free((struct services *)(uintptr_t)ctx.services);
	allow_free(allow);
	json_decref(template);
}

static void check_object(const json_t *schema, const char *prefix, json_t *object)
{
	char name[256];
	const char *key;
	json_t *value;

	assert_true(json_object_size(object) > 0);
	json_object_foreach (object, key, value) {
		snprintf(name, sizeof(name), "%s%s%s", prefix, *prefix ? "." : "", key);
		if (!strcmp(name, "reconmon"))
			continue;
		if (json_is_object(value) && strcmp(name, "source.geo.location") != 0)
			check_object(schema, name, value);
		else
			check_value(schema, name, value);
	}
}

static void each_field_is_as_ecs_has_it(void **state)
{
	static const struct geo *const places[] = { NULL, &a_place, &a_hostile_place,
						    &a_network_alone };
	json_t *schema = schema_load();

	(void)state;
	if (!schema)
		skip();
	assert_true(json_object_size(schema) > 2000);
	for (size_t i = 0; i < ARRAY_SIZE(builders); i++)
		for (int s = ALERT_OPEN; s <= ALERT_CLOSE; s++)
			for (size_t p = 0; p < ARRAY_SIZE(places); p++) {
				struct sink_context ctx = context;
				json_t *doc;

				ctx.geo = places[p];
				doc = document(builders[i], s, &ctx);
				check_object(schema, "", doc);
				json_decref(doc);
			}
	json_decref(schema);
}

/* --- what goes wrong ------------------------------------------------------------------------- */

static void a_full_disk_is_an_error(void **state)
{
	static write_fn *const sinks[] = { sink_text_write, sink_json_write };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sinks); i++)
		for (size_t k = 0; k < ARRAY_SIZE(builders); k++) {
			FILE *out = fopen("/dev/full", "w");
			struct alert a;

			assert_non_null(out);
			builders[k](&a);
			assert_int_equal(sinks[i](out, &a, ALERT_OPEN, &context), -EIO);
			an_alert_done(&a);
			fclose(out);
		}
}

static unsigned int allocations_left;

static void *scarce_malloc(size_t size)
{
	return allocations_left && allocations_left-- ? malloc(size) : NULL;
}

/* Each allocation fails once, and all that follow it. Nothing is written then, and the sanitizer
 * sees that nothing leaks. */
static void want_of_memory_writes_nothing(void **state)
{
	int r = -ENOMEM;

	(void)state;
	json_set_alloc_funcs(scarce_malloc, free);
	for (unsigned int n = 0; r == -ENOMEM && n < 10000; n++) {
		struct alert a;
		char *text = NULL;
		size_t len = 0;
		FILE *out = open_memstream(&text, &len);

		a_sweep(&a);
		allocations_left = n;
		r = sink_json_write(out, &a, ALERT_OPEN, &context);
		fclose(out);
		assert_int_equal(r == -ENOMEM, len == 0);
		an_alert_done(&a);
		free(text);
	}
	json_set_alloc_funcs(malloc, free);
	assert_int_equal(r, 0);
}

static const struct time_case {
	const char *name;
	int64_t offset_ns;
	uint64_t t_ns;
	int decimals;
	const char *want;
} time_cases[] = {
	{ "the epoch", 0, 0, 6, "1970-01-01T00:00:00.000000Z" },
	{ "no decimals", 0, NS_PER_S, 0, "1970-01-01T00:00:01Z" },
	{ "decimals are cut, not rounded", 0, 1999999999, 3, "1970-01-01T00:00:01.999Z" },
	{ "nine decimals", 0, 1, 9, "1970-01-01T00:00:00.000000001Z" },
	{ "a capture's clock", 0, 1795575000123456789, 6, "2026-11-25T02:50:00.123456Z" },
	{ "a wall clock before 1970", -1500000000, 0, 3, "1969-12-31T23:59:58.500Z" },
};

static void test_time(void **state)
{
	const struct time_case *c = *state;
	struct sink_context ctx = { .wall_offset_ns = c->offset_ns };
	char got[SINK_TIME_MAX];

	assert_string_equal(sink_time(&ctx, c->t_ns, c->decimals, got), c->want);
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
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_captures_nobody_knows_the_direction),
		cmocka_unit_test(open_ports_have_names),
		cmocka_unit_test(where_an_originator_is),
		cmocka_unit_test(lists_of_addresses_end_at_256),
		cmocka_unit_test(lists_of_ports_end_at_16_kib),
		cmocka_unit_test(broken_utf8_costs_its_field_only),
		cmocka_unit_test(what_is_allowed_is_told),
		cmocka_unit_test(an_unknown_host_is_left_out),
		cmocka_unit_test(each_field_is_as_ecs_has_it),
		cmocka_unit_test(each_field_of_ours_has_a_mapping),
		cmocka_unit_test(a_full_disk_is_an_error),
		cmocka_unit_test(want_of_memory_writes_nothing),
	};
	int failed = 0;

	ROW_TESTS(text, text_cases, test_text);
	ROW_TESTS(named, named_cases, test_named);
	ROW_TESTS(field, field_cases, test_field);
	ROW_TESTS(time, time_cases, test_time);
	ROW_TESTS(owner, owner_cases, test_owner);
	failed += cmocka_run_group_tests_name("sink_text_write", text, NULL, NULL);
	failed += cmocka_run_group_tests_name("sink_text_write: names", named, NULL, NULL);
	failed += cmocka_run_group_tests_name("sink_json_write: fields", field, NULL, NULL);
	failed += cmocka_run_group_tests_name("sink_time", time, NULL, NULL);
	failed += cmocka_run_group_tests_name("owner", owner, NULL, NULL);
	failed += cmocka_run_group_tests_name("sink", tests, NULL, NULL);
	return failed != 0;
}
