// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "allow.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "words.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

enum {
	DAY_S = 24 * 3600
};

struct allow {
	struct allow_entry *entry;
	uint32_t n, room;
	bool wants_owner;
};

/* --- fields --- */

static bool one_word(const char *text, unsigned int i, char *buf)
{
	if (i || !*text)
		return false;
	snprintf(buf, ALLOW_WORD_MAX, "%s", text);
	return true;
}

static int set_net(struct net_list *list, const char *what, const char *word, struct error *err)
{
	int r = net_list_add(word, list, err);

	return r < 0 ? error_prefix(err, r, "%s", what) : 0;
}

static bool word_net(const struct net_list *list, unsigned int i, char *buf)
{
	if (i >= list->n)
		return false;
	net_format(&list->net[i], buf);
	return true;
}

static int set_originator(struct allow_entry *entry, const char *what, const char *word,
			  struct error *err)
{
	return set_net(&entry->originator, what, word, err);
}

static bool word_originator(const struct allow_entry *entry, unsigned int i, char *buf)
{
	return word_net(&entry->originator, i, buf);
}

static int set_responder(struct allow_entry *entry, const char *what, const char *word,
			 struct error *err)
{
	return set_net(&entry->responder, what, word, err);
}

static bool word_responder(const struct allow_entry *entry, unsigned int i, char *buf)
{
	return word_net(&entry->responder, i, buf);
}

static int set_ports(struct allow_entry *entry, const char *what, const char *word,
		     struct error *err)
{
	return port_ranges_add(what, word, &entry->ports, err);
}

static bool word_ports(const struct allow_entry *entry, unsigned int i, char *buf)
{
	if (i >= entry->ports.n)
		return false;
	port_ranges_format(&entry->ports, i, buf);
	return true;
}

static const uint8_t protos[] = { PROTO_TCP, PROTO_UDP, PROTO_SCTP, PROTO_ICMP, PROTO_ICMPV6 };

static int set_protocol(struct allow_entry *entry, const char *what, const char *word,
			struct error *err)
{
	const char *names[ARRAY_SIZE(protos)];
	unsigned int i = 0; /* set on success; clang-tidy cannot tell */
	int r;

	for (size_t p = 0; p < ARRAY_SIZE(protos); p++)
		names[p] = proto_name(protos[p]);
	r = choice_parse(what, word, names, ARRAY_SIZE(names), &i, err);
	if (!r)
		entry->proto = protos[i];
	return r;
}

static bool word_protocol(const struct allow_entry *entry, unsigned int i, char *buf)
{
	return entry->proto && one_word(proto_name(entry->proto), i, buf);
}

/* set_text - copies a word of at most max bytes into a field that is larger. */
static int set_text(char *field, size_t max, const char *what, const char *word, struct error *err)
{
	size_t len = strlen(word);

	if (!len || len > max)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "%s '%.40s': 1 to %zu bytes are accepted", what, word, max);
	if (!text_is_plain(word))
		return error_set(err, -EINVAL, EXIT_USAGE, "%s: control characters, or not UTF-8",
				 what);
	memcpy(field, word, len + 1);
	return 0;
}

#define TEXT_FIELD(field, max)                                                                     \
	static int set_##field(struct allow_entry *entry, const char *what, const char *word,      \
			       struct error *err)                                                  \
	{                                                                                          \
		return set_text(entry->field, max, what, word, err);                               \
	}                                                                                          \
	static bool word_##field(const struct allow_entry *entry, unsigned int i, char *buf)       \
	{                                                                                          \
		return one_word(entry->field, i, buf);                                             \
	}

TEXT_FIELD(process, ALLOW_WORD_MAX - 1)
TEXT_FIELD(executable, ALLOW_WORD_MAX - 1)
TEXT_FIELD(container, ALLOW_WORD_MAX - 1)
TEXT_FIELD(pod, ALLOW_WORD_MAX - 1)
TEXT_FIELD(runtime, ALLOW_WORD_MAX - 1)
TEXT_FIELD(comment, ALLOW_COMMENT_MAX)

static int set_rules(struct allow_entry *entry, const char *what, const char *word,
		     struct error *err)
{
	if (entry->n_rules == ALLOW_RULES_MAX)
		return error_set(err, -EINVAL, EXIT_USAGE, "%s '%.40s': at most %d are accepted",
				 what, word, ALLOW_RULES_MAX);
	if (set_text(entry->rule[entry->n_rules], RULE_NAME_MAX, what, word, err) < 0)
		return -EINVAL;
	entry->n_rules++;
	return 0;
}

static bool word_rules(const struct allow_entry *entry, unsigned int i, char *buf)
{
	return i < entry->n_rules && one_word(entry->rule[i], 0, buf);
}

/* set_expires - the last day on which the entry holds, in UTC. */
static int set_expires(struct allow_entry *entry, const char *what, const char *word,
		       struct error *err)
{
	struct tm day = { 0 }, back;
	char *end = strptime(word, "%Y-%m-%d", &day);
	char text[16] = "";
	time_t start = 0;

	if (end && !*end) {
		start = timegm(&day);
		gmtime_r(&start, &back);
		strftime(text, sizeof(text), "%Y-%m-%d", &back);
	}
	if (strcmp(text, word) != 0 || start <= 0) /* the 31st of June is another day */
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "%s '%.40s': a day is accepted, the last on which it holds, as "
				 "in 2027-01-31",
				 what, word);
	entry->expires_s = start + DAY_S;
	return 0;
}

const char *allow_date(const struct allow_entry *entry, char *buf)
{
	time_t last = entry->expires_s - DAY_S;
	struct tm day;

	gmtime_r(&last, &day);
	strftime(buf, 16, "%Y-%m-%d", &day);
	return buf;
}

static bool word_expires(const struct allow_entry *entry, unsigned int i, char *buf)
{
	char text[16];

	return entry->expires_s && one_word(allow_date(entry, text), i, buf);
}

static const struct allow_field fields[] = {
	{ "originator", true, set_originator, word_originator },
	{ "responder", true, set_responder, word_responder },
	{ "ports", true, set_ports, word_ports },
	{ "protocol", false, set_protocol, word_protocol },
	{ "process", false, set_process, word_process },
	{ "executable", false, set_executable, word_executable },
	{ "container", false, set_container, word_container },
	{ "pod", false, set_pod, word_pod },
	{ "runtime", false, set_runtime, word_runtime },
	{ "rules", true, set_rules, word_rules },
	{ "expires", false, set_expires, word_expires },
	{ "comment", false, set_comment, word_comment },
};

const struct allow_field *allow_fields(unsigned int *ret_n)
{
	*ret_n = ARRAY_SIZE(fields);
	return fields;
}

const struct allow_field *allow_field_find(const char *word, size_t len, struct error *err)
{
	const char *names[ARRAY_SIZE(fields)];
	int i;

	if (len == strlen("port") && !memcmp(word, "port", len))
		len = strlen(word = "ports");
	for (size_t n = 0; n < ARRAY_SIZE(fields); n++)
		names[n] = fields[n].name;
	i = name_find("field", word, len, names, ARRAY_SIZE(fields), err);
	return i < 0 ? NULL : &fields[i];
}

/* --- the list --- */

int allow_resolve(struct allow *a, const struct rule_set *rules, struct error *err)
{
	const char *names[RULES_MAX];

	for (uint32_t i = 0; i < rules->n; i++)
		names[i] = rules->rule[i].name;
	for (uint32_t i = 0; i < allow_count(a); i++) {
		struct allow_entry *entry = &a->entry[i];

		entry->rule_bits = 0;
		for (uint32_t n = 0; n < entry->n_rules; n++) {
			const char *word = entry->rule[n];
			int at = name_find("rule", word, strlen(word), names, rules->n, err);

			if (at < 0)
				return error_prefix(err, at, "allow-list, %s", entry->from);
			entry->rule_bits |= 1u << at;
		}
	}
	return 0;
}

static bool asks_owner(const struct allow_entry *entry)
{
	return *entry->process || *entry->executable || *entry->container || *entry->pod ||
	       *entry->runtime;
}

static int entry_check(const struct allow_entry *entry, struct error *err)
{
	if (!entry->originator.n && !entry->responder.n && !entry->ports.n && !asks_owner(entry))
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "it would let everything be: originator, responder, ports or who "
				 "it is, one of them is needed");
	if (!*entry->comment)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "`comment` is missing: say why, for who reads its counter");
	return 0;
}

static int list_grow(struct allow *a)
{
	uint32_t room = a->room ? a->room * 2 : 4;
	struct allow_entry *more = realloc(a->entry, room * sizeof(*more));

	if (!more)
		return -ENOMEM;
	a->entry = more;
	a->room = room;
	return 0;
}

int allow_add(struct allow **list, const struct allow_entry *entry, struct error *err)
{
	int r = entry_check(entry, err);

	if (r < 0)
		return r;
	if (!*list)
		*list = calloc(1, sizeof(**list));
	if (*list && (*list)->n == ALLOW_MAX)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "more than %d entries; one may have many networks and ports",
				 ALLOW_MAX);
	if (!*list || ((*list)->n == (*list)->room && list_grow(*list) < 0))
		return error_set(err, -ENOMEM, EXIT_RUNTIME, "no memory for the allow-list");
	(*list)->entry[(*list)->n++] = *entry;
	(*list)->wants_owner |= asks_owner(entry);
	return 0;
}

/* set_words - the words of a list, between '+'. */
static int set_words(const struct allow_field *field, struct allow_entry *entry, char *value,
		     struct error *err)
{
	int r = 0;

	while (!r) {
		char *plus = field->list ? strchr(value, '+') : NULL;

		if (plus)
			*plus = '\0';
		r = field->set(entry, field->name, value, err);
		if (!plus)
			break;
		value = plus + 1;
	}
	return r;
}

int allow_parse(const char *text, struct allow **list, struct error *err)
{
	struct allow_entry entry = { .from = "--allow" };
	char part[512];
	int r = 0;

	for (bool more = true; !r && more;) {
		bool rest = !strncmp(text, "comment=", strlen("comment="));
		size_t len = rest ? strlen(text) : strcspn(text, ",");
		const struct allow_field *field;
		char *equals;

		snprintf(part, sizeof(part), "%.*s", (int)(len < sizeof(part) ? len : 80), text);
		equals = strchr(part, '=');
		if (!equals || len >= sizeof(part))
			return error_set(err, -EINVAL, EXIT_USAGE,
					 "'%.80s': KEY=VALUE[,KEY=VALUE]... is accepted, as in "
					 "originator=10.0.0.5,ports=9100,comment=node exporter",
					 part);
		field = allow_field_find(part, (size_t)(equals - part), err);
		r = field ? set_words(field, &entry, equals + 1, err) : -EINVAL;
		more = text[len];
		text += len + more;
	}
	return r < 0 ? r : allow_add(list, &entry, err);
}

void allow_free(struct allow *a)
{
	if (!a)
		return;
	free(a->entry);
	free(a);
}

uint32_t allow_count(const struct allow *a)
{
	return a ? a->n : 0;
}

const struct allow_entry *allow_entry(const struct allow *a, uint32_t i)
{
	return &a->entry[i];
}

void allow_totals_get(const struct allow *a, struct allow_totals *ret)
{
	*ret = (struct allow_totals){ 0 };
	for (uint32_t i = 0; i < allow_count(a); i++) {
		ret->contacts += a->entry[i].contacts;
		ret->attempts += a->entry[i].attempts;
		ret->silent += a->entry[i].silent;
	}
}

bool allow_wants_owner(const struct allow *a)
{
	return a && a->wants_owner;
}

/* --- matching --- */

static bool glob_fits(const char *glob, const char *text)
{
	return !*glob || (text && *text && !fnmatch(glob, text, 0));
}

/* container_fits - its id, whole or as the first 12 digits that tools show, or a glob. */
static bool container_fits(const char *want, const char *id)
{
	return glob_fits(want, id) || (id && strlen(want) == 12 && !strncmp(want, id, 12));
}

static bool owner_fits(const struct allow_entry *entry, const struct allow_owner *owner)
{
	if (!asks_owner(entry))
		return true;
	return owner && glob_fits(entry->process, owner->process) &&
	       glob_fits(entry->executable, owner->executable) &&
	       container_fits(entry->container, owner->container) &&
	       (glob_fits(entry->pod, owner->pod) || glob_fits(entry->pod, owner->pod_name)) &&
	       glob_fits(entry->runtime, owner->runtime);
}

static bool entry_fits(const struct allow_entry *entry, const struct contact_key *key,
		       const struct allow_owner *owner, int64_t wall_s)
{
	if (entry->expires_s && wall_s >= entry->expires_s)
		return false;
	return (!entry->proto || entry->proto == key->proto) &&
	       (!entry->ports.n || port_ranges_has(&entry->ports, ntohs(key->resp_port))) &&
	       (!entry->originator.n || net_list_has(&entry->originator, &key->orig)) &&
	       (!entry->responder.n || net_list_has(&entry->responder, &key->resp)) &&
	       owner_fits(entry, owner);
}

static void entry_count(struct allow_entry *entry, const struct contact *c)
{
	entry->contacts++;
	entry->attempts += (uint64_t)c->silent + c->carried;
	entry->silent += c->silent;
}

uint32_t allow_match(struct allow *a, const struct contact_key *key, const struct contact *c,
		     const struct allow_owner *owner, int64_t wall_s)
{
	uint32_t bits = 0;

	for (uint32_t i = 0; i < allow_count(a); i++) {
		struct allow_entry *entry = &a->entry[i];

		if (entry->n_rules || !entry_fits(entry, key, owner, wall_s))
			continue;
		entry_count(entry, c);
		return UINT32_MAX;
	}
	for (uint32_t i = 0; i < allow_count(a); i++) {
		struct allow_entry *entry = &a->entry[i];

		if (!entry->n_rules || !entry_fits(entry, key, owner, wall_s))
			continue;
		entry_count(entry, c);
		bits |= entry->rule_bits;
	}
	return bits;
}

void allow_expired(struct allow *a, int64_t wall_s,
		   void (*fn)(void *ctx, const struct allow_entry *entry), void *ctx)
{
	for (uint32_t i = 0; i < allow_count(a); i++) {
		struct allow_entry *entry = &a->entry[i];

		if (!entry->expires_s || wall_s < entry->expires_s || entry->expiry_said)
			continue;
		entry->expiry_said = true;
		fn(ctx, entry);
	}
}

/* --- text --- */

/* says_what - whether a field is part of what an entry matches. */
static bool says_what(const struct allow_field *field)
{
	return field->set != set_comment && field->set != set_expires;
}

const char *allow_text(const struct allow_entry *entry, char *buf, size_t len)
{
	char word[ALLOW_WORD_MAX];
	size_t at = 0;

	buf[0] = '\0';
	for (size_t f = 0; f < ARRAY_SIZE(fields); f++)
		for (unsigned int i = 0;
		     at < len && says_what(&fields[f]) && fields[f].word(entry, i, word); i++) {
			if (i)
				at += (size_t)snprintf(buf + at, len - at, "+%s", word);
			else
				at += (size_t)snprintf(buf + at, len - at, "%s%s=%s", at ? " " : "",
						       fields[f].name, word);
		}
	return buf;
}

/* matches_same - field by field and word by word; comments and ends may differ. */
static bool matches_same(const struct allow_entry *a, const struct allow_entry *b)
{
	char x[ALLOW_WORD_MAX], y[ALLOW_WORD_MAX];

	for (size_t f = 0; f < ARRAY_SIZE(fields); f++)
		for (unsigned int i = 0; says_what(&fields[f]); i++) {
			bool in_a = fields[f].word(a, i, x), in_b = fields[f].word(b, i, y);

			if (in_a != in_b || (in_a && strcmp(x, y) != 0))
				return false;
			if (!in_a)
				break;
		}
	return true;
}

void allow_carry(struct allow *a, const struct allow *old)
{
	for (uint32_t i = 0; i < allow_count(a); i++) {
		struct allow_entry *entry = &a->entry[i];

		for (uint32_t o = 0; o < allow_count(old); o++) {
			const struct allow_entry *was = &old->entry[o];

			if (!matches_same(entry, was))
				continue;
			entry->contacts = was->contacts;
			entry->attempts = was->attempts;
			entry->silent = was->silent;
			entry->expiry_said = was->expiry_said && was->expires_s == entry->expires_s;
		}
	}
}
