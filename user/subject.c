// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "net.h"
#include "words.h"

/* at - what stands at a path of names joined by dots; NULL: nothing. */
static json_t *at(const json_t *doc, const char *path)
{
	char name[32];
	json_t *v = (json_t *)(uintptr_t)doc;

	while (v && *path) {
		size_t len = strcspn(path, ".");

		snprintf(name, sizeof(name), "%.*s", (int)len, path);
		v = json_object_get(v, name);
		path += len + (path[len] == '.');
	}
	return v;
}

/* text - a string at that path, "" without. Whatever it holds will reach a terminal: what is not
 * plain text is as good as not there. */
static const char *text(const json_t *doc, const char *path)
{
	const char *s = json_string_value(at(doc, path));

	return s && text_is_plain(s) ? s : "";
}

static int64_t whole(const json_t *doc, const char *path)
{
	return json_integer_value(at(doc, path));
}

static bool truth(const json_t *doc, const char *path)
{
	return json_is_true(at(doc, path));
}

/* seconds - "2026-11-25T07:29:25.305578Z" since the epoch; 0: it is none. */
static double seconds(const char *t)
{
	struct tm day = { 0 };
	const char *rest = strptime(t, "%Y-%m-%dT%H:%M:%S", &day);

	if (!rest)
		return 0;
	return (double)timegm(&day) + (*rest == '.' ? strtod(rest, NULL) : 0);
}

/* take_ports - "22,80,8000-8010" into the set. Returns false if it is no such list. */
static bool take_ports(struct subject *s, const char *list, uint8_t answer)
{
	while (*list) {
		char *end;
		unsigned long first = strtoul(list, &end, 10), last = first;

		if (end == list)
			return false;
		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		if (last >= SUBJECT_PORTS || first > last || (*end && *end != ','))
			return false;
		for (; first <= last; first++) {
			s->ports += !s->answer[first];
			s->answer[first] = answer + 1;
		}
		list = end + (*end == ',');
	}
	return true;
}

static bool read_ports(const json_t *doc, struct subject *s)
{
	static const char *const paths[ANSWER_MAX] = {
		[ANSWER_NONE] = "reconmon.alert.answers.none",
		[ANSWER_OPEN] = "reconmon.alert.answers.open",
		[ANSWER_CLOSED] = "reconmon.alert.answers.closed",
		[ANSWER_FILTERED] = "reconmon.alert.answers.filtered",
	};
	bool fine = take_ports(s, text(doc, "reconmon.alert.ports"), ANSWER_NONE);

	for (uint8_t i = 0; fine && i < ANSWER_MAX; i++)
		fine = take_ports(s, text(doc, paths[i]), i);
	return fine;
}

bool subject_is_alert(const json_t *doc)
{
	return !strcmp(text(doc, "event.dataset"), "reconmon.alert");
}

static bool has_technique(const struct subject *s, const char *name)
{
	size_t i;
	json_t *t;

	json_array_foreach (s->techniques, i, t) {
		const char *word = json_string_value(t);

		if (word && !strcmp(word, name))
			return true;
	}
	return false;
}

static void read_owner(const json_t *doc, struct subject *s)
{
	s->process = text(doc, "process.name");
	s->pid = whole(doc, "process.pid");
	s->container = text(doc, "container.id");
	s->pod = text(doc, "orchestrator.resource.id");
	s->owner_source = text(doc, "reconmon.alert.owner.source");
}

bool subject_read(const json_t *doc, struct subject *ret)
{
	struct ip_addr addr;

	memset(ret, 0, sizeof(*ret));
	ret->id = text(doc, "event.id");
	ret->state = text(doc, "reconmon.alert.state");
	ret->rule = text(doc, "rule.id");
	ret->description = text(doc, "rule.description");
	ret->incident = text(doc, "reconmon.incident.id");
	ret->originator = text(doc, "source.ip");
	ret->responder = text(doc, "destination.ip");
	ret->transport = text(doc, "network.transport");
	ret->start = text(doc, "event.start");
	ret->end = text(doc, "event.end");
	ret->start_s = seconds(ret->start);
	ret->end_s = seconds(ret->end);
	ret->severity = whole(doc, "event.severity");
	ret->threshold = whole(doc, "reconmon.alert.threshold");
	ret->count = whole(doc, "reconmon.alert.count");
	ret->window_s = json_number_value(at(doc, "reconmon.alert.window_s"));
	ret->responder_count = whole(doc, "reconmon.alert.responder_count");
	ret->originator_count = whole(doc, "reconmon.alert.originator_count");
	ret->techniques = at(doc, "reconmon.alert.technique");
	ret->responders = at(doc, "reconmon.alert.responders");
	ret->port = at(doc, "destination.port") ? (int)whole(doc, "destination.port") : -1;
	ret->v6 = !strcmp(text(doc, "network.type"), "ipv6");
	ret->retracted = truth(doc, "reconmon.alert.retracted");
	ret->incomplete = truth(doc, "reconmon.alert.incomplete");
	ret->ports_cut = truth(doc, "reconmon.alert.ports_truncated");
	ret->protocols = !*ret->transport && has_technique(ret, "ip-proto");
	read_owner(doc, ret);
	if (!subject_is_alert(doc) || !*ret->id || !*ret->rule || !read_ports(doc, ret))
		return false;
	if (addr_parse(ret->originator, &addr) < 0 && *ret->originator)
		return false;
	if (*ret->responder && addr_parse(ret->responder, &addr) < 0)
		return false;
	return ret->port < SUBJECT_PORTS && ret->threshold > 0 && ret->window_s > 0;
}

uint32_t subject_ranges(const struct subject *s, enum answer answer, uint16_t *first,
			uint16_t *last, uint32_t max)
{
	uint32_t n = 0;
	bool in = false;

	for (uint32_t p = 0; p < SUBJECT_PORTS; p++) {
		bool is = s->answer[p] && (answer == ANSWER_MAX || s->answer[p] == answer + 1u);

		if (is && !in && n++ < max)
			first[n - 1] = (uint16_t)p;
		if (is && n <= max)
			last[n - 1] = (uint16_t)p;
		in = is;
	}
	return n;
}

uint8_t subject_proto(const struct subject *s)
{
	static const uint8_t protos[] = { PROTO_TCP, PROTO_UDP, PROTO_SCTP, PROTO_ICMP,
					  PROTO_ICMPV6 };

	for (size_t i = 0; i < sizeof(protos); i++)
		if (!strcmp(s->transport, proto_name(protos[i])))
			return protos[i];
	return 0;
}
