/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The alerts that the tests of every format write: of each rule, in and out, IPv4 and IPv6, cut
 * lists, and names that mean harm. */
#ifndef RECONMON_TESTS_ALERTS_H
#define RECONMON_TESTS_ALERTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net.h"
#include "rules.h"
#include "sink.h"

/* --- the alerts ----------------------------------------------------------------------------- */

static const struct rule basic_scanning = {
	.name = "basic-scanning",
	.where = WHERE_CONTACT,
	.group = FIELD_ORIG,
	.distinct = FIELD_RESP_PORT,
	.window_ns = 1500000000,
	.threshold = 1000,
	.attack_internal = T1046,
	.attack_external = T1595,
};

static const struct rule own_pairs = {
	.name = "few-ports",
	.own = true,
	.where = WHERE_PROBE,
	.group = FIELD_ORIG | FIELD_PROTO,
	.distinct = FIELD_RESP | FIELD_RESP_PORT,
	.window_ns = 300 * NS_PER_S,
	.threshold = 4,
	.severity = 9,
	.attack_external = { "TA0043", "T1599", "" },
};

static const struct rule distributed = {
	.name = "distributed-scan",
	.description = "many originators at one host",
	.where = WHERE_PROBE,
	.group = FIELD_RESP | FIELD_PROTO,
	.distinct = FIELD_RESP_PORT,
	.originators = 2,
	.window_ns = 300 * NS_PER_S,
	.threshold = 3,
	.attack_internal = T1046,
	.attack_external = T1595,
};

static struct ip_addr addr(const char *text)
{
	struct ip_addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static void ports_add(struct alert *a, unsigned int first, unsigned int last, unsigned int step,
		      enum answer answer)
{
	if (!a->ports)
		a->ports = portset_new();
	for (unsigned int port = first; port <= last; port += step)
		assert_true(portset_add(a->ports, (uint16_t)port, answer) >= 0);
	a->count = portset_count(a->ports);
}

/* Each builder starts from this: 0.4 s, ten minutes after boot. */
static void start(struct alert *a, const struct rule *rule)
{
	*a = (struct alert){ .id = "0192-1",
			     .rule = rule,
			     .orig = addr("10.0.0.5"),
			     .attempts = 104,
			     .first_ns = 600 * NS_PER_S,
			     .last_ns = 600 * NS_PER_S + 400000000,
			     .ifname = "veth0" };
}

static void a_port_scan(struct alert *a)
{
	start(a, &port_scan);
	a->resp = addr("10.0.0.9");
	a->proto = PROTO_TCP;
	a->bits = CONTACT_OPEN | CONTACT_CLOSED | CONTACT_SYN | CONTACT_CONNECT;
	ports_add(a, 1, 100, 1, ANSWER_CLOSED);
	ports_add(a, 22, 22, 1, ANSWER_OPEN);
	ports_add(a, 80, 80, 1, ANSWER_OPEN);
}

static void a_port_scan_that_leaves(struct alert *a)
{
	start(a, &port_scan);
	a->orig = addr("2001:db8::5");
	a->resp = addr("2001:db8::9");
	a->proto = PROTO_UDP;
	a->bits = CONTACT_NONE | CONTACT_FILTERED | CONTACT_UDP;
	a->dir = DIR_EGRESS;
	a->orig_internal = true;
	a->incomplete = true;
	a->unfollowed = 812345;
	a->last_ns = a->first_ns + 3 * 60 * NS_PER_S + NS_PER_S;
	ports_add(a, 53, 53, 1, ANSWER_NONE);
	ports_add(a, 123, 123, 1, ANSWER_FILTERED);
}

/* Two ports of two hosts each. */
static void pairs_by_a_rule_of_ones_own(struct alert *a)
{
	start(a, &own_pairs);
	a->proto = PROTO_TCP;
	a->bits = CONTACT_OPEN | CONTACT_CLOSED | CONTACT_SYN;
	ports_add(a, 22, 22, 1, ANSWER_OPEN);
	ports_add(a, 445, 445, 1, ANSWER_CLOSED);
	a->hosts = calloc(2, sizeof(*a->hosts));
	a->n_hosts = 2;
	a->hosts[0] = (struct host_value){ .addr = addr("10.0.2.1"), .answer = ANSWER_OPEN };
	a->hosts[1] = (struct host_value){ .addr = addr("10.0.2.2"), .answer = ANSWER_CLOSED };
	a->count = 4;
}

/* A rule may refer to nothing. */
static void a_rule_without_attack(struct alert *a)
{
	static struct rule rule;

	pairs_by_a_rule_of_ones_own(a);
	rule = own_pairs;
	memset(&rule.attack_external, 0, sizeof(rule.attack_external));
	a->rule = &rule;
}

static void a_scan_taken_back(struct alert *a)
{
	start(a, &port_scan);
	a->resp = addr("10.0.0.9");
	a->proto = PROTO_TCP;
	a->bits = CONTACT_NONE;
	a->retracted = true;
	a->attempts = 1;
	a->last_ns = a->first_ns;
	a->ifname[0] = '\0';
	ports_add(a, 22, 22, 1, ANSWER_NONE);
}

static void a_scan_of_an_incident(struct alert *a)
{
	a_scan_taken_back(a);
	a->retracted = false;
	strcpy(a->incident, "0192-i7");
}

static void protocols_of_one_host(struct alert *a)
{
	a_scan_taken_back(a);
	a->proto = PROTO_ANY;
}

static void a_scan_of_every_other_port(struct alert *a)
{
	start(a, &port_scan);
	a->resp = addr("10.0.0.9");
	a->proto = PROTO_TCP;
	a->bits = CONTACT_CLOSED;
	ports_add(a, 1, 65535, 2, ANSWER_CLOSED);
}

static void basic_scanning_of_any_host(struct alert *a)
{
	start(a, &basic_scanning);
	a->bits = CONTACT_PAYLOAD | CONTACT_CLOSED;
	a->last_ns = a->first_ns + 3 * 3600 * NS_PER_S;
	ports_add(a, 1, 1000, 1, ANSWER_CLOSED);
}

static void a_sweep(struct alert *a)
{
	start(a, &sweep);
	a->resp_port = 445;
	a->proto = PROTO_TCP;
	a->bits = CONTACT_CLOSED;
	a->last_ns = a->first_ns + 2100000000;
	a->n_hosts = a->count = 40;
	a->hosts = calloc(a->n_hosts, sizeof(*a->hosts));
	for (uint32_t i = 0; i < a->n_hosts; i++)
		a->hosts[i] = (struct host_value){
			.addr.w[1] = IP_ADDR_V4_PREFIX | (uint64_t)htonl(0x0a000201 + i) << 32,
			.answer = i == 20 ? ANSWER_OPEN : ANSWER_CLOSED,
		};
}

static void a_distributed_scan(struct alert *a)
{
	a_sweep(a);
	a->rule = &distributed;
	a->orig = (struct ip_addr){ { 0 } };
	a->resp = addr("10.0.0.9");
	a->resp_port = 0;
	a->bits = CONTACT_CLOSED | CONTACT_NONE;
	ports_add(a, 1, 79, 2, ANSWER_CLOSED);
	ports_add(a, 80, 80, 1, ANSWER_NONE);
}

static void a_sweep_of_more_hosts_than_kept(struct alert *a)
{
	start(a, &sweep);
	a->resp_port = 445;
	a->proto = PROTO_TCP;
	a->bits = CONTACT_NONE;
	a->hosts_cut = true;
	a->count = 70000;
	a->n_hosts = ALERT_HOSTS_MAX;
	a->hosts = calloc(a->n_hosts, sizeof(*a->hosts));
	for (uint32_t i = 0; i < a->n_hosts; i++)
		a->hosts[i] = (struct host_value){
			.addr = { { 0xb80d0120, (uint64_t)htonl(i) << 32 } }, /* 2001:db8::i */
			.answer = ANSWER_NONE,
		};
}

static void an_alert_with_a_hostile_interface(struct alert *a)
{
	a_port_scan(a);
	memcpy(a->ifname, "e\033[2J\xff", sizeof("e\033[2J\xff"));
}

/* Every byte that means something to one format or another. */
#define HOSTILE "a=b|c\\d\te\nf\rg \"h] \xc3\xbc,\x7f"

static void an_alert_with_hostile_names(struct alert *a)
{
	static struct rule rule;

	a_port_scan_that_leaves(a);
	rule = *a->rule;
	strcpy(rule.description, HOSTILE);
	a->rule = &rule;
	strcpy(a->incident, "0192-i0");
	memcpy(a->ifname, "x=1|\\\t=\"]", sizeof("x=1|\\\t=\"]"));
}

/* Whose it was. */
#define CONTAINER "5694f82f44168cc048e014ae14d1b0c8ef673bec49f329dc169911ea638f63c2"

static const struct owner a_pod = {
	.source = OWNER_COOKIE,
	.pid = 4242,
	.uid = 1000,
	.start_ns = 599 * NS_PER_S,
	.name = "nmap",
	.executable = "/usr/bin/nmap",
	.args = "nmap\0-sS\00010.0.0.9",
	.args_len = 18,
	.cgroup = "/kubepods/burstable/podX/" CONTAINER,
	.where = { .runtime = "containerd",
		   .container = CONTAINER,
		   .pod = "eb052b63-ea96-4728-ab4a-64ab3babccd7",
		   .qos = "burstable" },
	.boot_id = "d2719ed7-c4cc-4c5c-9a9c-f2e5e6f0b0a1",
};

static const struct owner a_named_pod = {
	.source = OWNER_FORWARDED,
	.cgroup = "/kubepods/burstable/podX/" CONTAINER,
	.where = { .runtime = "containerd",
		   .container = CONTAINER,
		   .pod = "eb052b63-ea96-4728-ab4a-64ab3babccd7",
		   .qos = "burstable" },
	.kube = &(
		struct kube_names){ .namespace = "shop", .pod = "web-7d9f", .container = "nginx" },
};

static const struct owner a_guess = {
	.source = OWNER_GUESS,
	.pid = 7,
	.name = "\033[2J\xff",
	.args = "\xff x",
	.args_len = 3,
	.user = "root",
	.cgroup = "/system.slice/cron.service",
	.where = { .runtime = "", .unit = "cron.service", .qos = "" },
};

/* What a process may call itself, and be called with. */
static const struct owner hostile_owner = {
	.source = OWNER_COOKIE,
	.pid = 4243,
	.uid = 1000,
	.name = "a=b|c\\d\n\t\"]-",
	.executable = "/tmp/" HOSTILE,
	.args = HOSTILE "\0-x=|]",
	.args_len = sizeof(HOSTILE "\0-x=|]") - 1,
	.user = "us=er|\\",
	.cgroup = "/" HOSTILE,
	.where = { .runtime = "", .unit = "a=b|c\\.service", .qos = "" },
};

static const struct owner nobody_known = {
	.source = OWNER_NONE,
	.uid = 65534,
	.where = { .runtime = "", .qos = "" },
};

static const struct owner forwarded = {
	.source = OWNER_FORWARDED,
	.cgroup = "/docker/" CONTAINER,
	.where = { .runtime = "docker", .container = CONTAINER, .qos = "" },
};

static void a_scan_from_a_container(struct alert *a)
{
	a_port_scan(a);
	a->owner = &forwarded;
	a->owners = 1;
}

static void a_scan_by_a_named_pod(struct alert *a)
{
	a_port_scan(a);
	a->owner = &a_named_pod;
	a->owners = 1;
}

static void a_scan_by_a_pod(struct alert *a)
{
	a_port_scan_that_leaves(a);
	a->owner = &a_pod;
	a->owners = 1;
}

static void a_scan_by_a_guess(struct alert *a)
{
	a_port_scan_that_leaves(a);
	a->owner = &a_guess;
	a->owners = 3;
}

static void a_scan_by_a_hostile_process(struct alert *a)
{
	a_port_scan_that_leaves(a);
	a->owner = &hostile_owner;
	a->owners = 1;
}

static void a_scan_by_an_unknown_socket(struct alert *a)
{
	a_port_scan_that_leaves(a);
	a->owner = &nobody_known;
	a->owners = ALERT_OWNERS_MAX;
	a->owners_cut = true;
}

static void an_alert_done(struct alert *a)
{
	portset_free(a->ports);
	free(a->hosts);
}

/* 2026-11-25T02:50:00.123456 UTC is 1,000 s after boot. */
static const struct sink_context context = {
	.wall_offset_ns = 1795574000123456789ll,
	.now_ns = 1000 * NS_PER_S,
	.sequence = 17,
	.hostname = "node1",
	.host_id = "3d1219c7c4c5404aaa1f6d2a48adfda4",
};

/* Where an originator is, and what a database of bad will says of it. */
static const struct geo a_place __attribute__((unused)) = {
	.country_iso = "DE",
	.country = "Germany",
	.region_iso = "DE-BE",
	.region = "Land Berlin",
	.city = "Berlin",
	.continent = "EU",
	.timezone = "Europe/Berlin",
	.has_location = true,
	.lat = 52.52,
	.lon = -13.405,
	.asn = 64496,
	.org = "Example Net AG",
};

static const struct geo a_hostile_place __attribute__((unused)) = {
	.country_iso = "X|=",
	.city = "a=b|c\\d e \"] \xc3\xbc,",
	.asn = 4200000000u,
	.org = "-",
};

static const struct geo a_network_alone __attribute__((unused)) = { .asn = 64496 };

typedef int write_fn(FILE *, const struct alert *, enum alert_state, const struct sink_context *);

/* written - what a sink writes for an alert; the caller frees it. */
static char *written(write_fn *write, void (*build)(struct alert *), enum alert_state alert_state,
		     const struct sink_context *ctx)
{
	struct alert a;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	build(&a);
	assert_int_equal(write(out, &a, alert_state, ctx), 0);
	fclose(out);
	an_alert_done(&a);
	assert_true(len > 0 && text[len - 1] == '\n');
	assert_ptr_equal(strchr(text, '\n'), text + len - 1);
	return text;
}

static void (*const builders[])(struct alert *) = {
	a_port_scan,
	a_port_scan_that_leaves,
	a_scan_taken_back,
	a_scan_of_an_incident,
	a_scan_of_every_other_port,
	basic_scanning_of_any_host,
	a_sweep,
	a_distributed_scan,
	a_sweep_of_more_hosts_than_kept,
	an_alert_with_a_hostile_interface,
	an_alert_with_hostile_names,
	a_rule_without_attack,
	a_scan_by_a_pod,
	a_scan_by_a_named_pod,
	a_scan_by_a_guess,
	a_scan_by_a_hostile_process,
	protocols_of_one_host,
	a_scan_by_an_unknown_socket,
	a_scan_from_a_container,
};

#endif
