// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "output_config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert.h"
#include "spool.h"
#include "words.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

enum {
	QUEUE_DEFAULT = 4 << 20, /* about 2,000 ECS documents */
	QUEUE_MIN = 64 << 10,
	QUEUE_MAX = 1 << 30,
	SEVERITY_MAX = 10, /* alert_severity() */
	STATES_ALL = 1 << ALERT_OPEN | 1 << ALERT_UPDATE | 1 << ALERT_CLOSE,
	WORD_MAX = 64,
};

static const char *const format_names[FORMAT_MAX] = {
	[FORMAT_DEFAULT] = "default",
	[FORMAT_TEXT] = "text",
	[FORMAT_ECS] = "ecs",
	[FORMAT_OCSF] = "ocsf",
	[FORMAT_CEF] = "cef",
	[FORMAT_LEEF] = "leef",
	[FORMAT_ZEEK_TSV] = "zeek-tsv",
	[FORMAT_ZEEK_JSON] = "zeek-json",
	[FORMAT_JOURNAL] = "journal",
	[FORMAT_CONN_TSV] = "conn-tsv",
	[FORMAT_CONN_JSON] = "conn-json",
};

static int syslog_target(struct output_config *oc, struct error *err);
static int journald_target(struct output_config *oc, struct error *err);
static int url_target(struct output_config *oc, struct error *err);
static int command_target(struct output_config *oc, struct error *err);

/* What a kind of output is called, what may follow its name, and what it writes. */
static const struct kind {
	const char *word;
	const char *target; /* what follows "word:", for messages; NULL: nothing may */
	/* check - reads oc->target further. Returns 0, or -EINVAL with err filled; NULL: any will
	 * do. */
	int (*check)(struct output_config *oc, struct error *err);
	enum output_format format;
	bool optional; /* the target may be left out */
} kinds[OUTPUT_KIND_MAX] = {
	[OUTPUT_STDOUT] = { "stdout", NULL, NULL, FORMAT_TEXT, true },
	[OUTPUT_STDERR] = { "stderr", NULL, NULL, FORMAT_TEXT, true },
	[OUTPUT_FILE] = { "file", "PATH", NULL, FORMAT_ECS, false },
	[OUTPUT_SYSLOG] = { "syslog", "unix|udp|tcp|tls[:HOST[:PORT]]", syslog_target, FORMAT_TEXT,
			    false },
	[OUTPUT_JOURNALD] = { "journald", "SOCKET", journald_target, FORMAT_JOURNAL, true },
	[OUTPUT_WEBHOOK] = { "webhook", "URL", url_target, FORMAT_ECS, false },
	[OUTPUT_HEC] = { "hec", "URL", url_target, FORMAT_ECS, false },
	[OUTPUT_ELASTICSEARCH] = { "elasticsearch", "URL", url_target, FORMAT_ECS, false },
	[OUTPUT_COMMAND] = { "command", "PATH", command_target, FORMAT_ECS, false },
};

const char *output_format_name(enum output_format f)
{
	return f < FORMAT_MAX ? format_names[f] : "unknown";
}

enum output_format output_format(const struct output_config *oc)
{
	return oc->format == FORMAT_DEFAULT ? kinds[oc->kind].format : oc->format;
}

const char *output_config_name(const struct output_config *oc, char *buf)
{
	snprintf(buf, OUTPUT_NAME_MAX, "%s%s%s", kinds[oc->kind].word, *oc->target ? ":" : "",
		 oc->target);
	return buf;
}

/* ---- destinations ---- */

static int target_set(struct output_config *oc, const char *target, struct error *err)
{
	const struct kind *k = &kinds[oc->kind];

	if (!k->target && *target)
		return error_set(err, -EINVAL, EXIT_USAGE, "'%s:%.80s': nothing follows %s",
				 k->word, target, k->word);
	if (!k->optional && !*target)
		return error_set(err, -EINVAL, EXIT_USAGE, "'%s': write it as %s:%s", k->word,
				 k->word, k->target);
	if (strlen(target) >= sizeof(oc->target))
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "'%s:%.40s...' is longer than %zu characters", k->word, target,
				 sizeof(oc->target) - 1);
	strcpy(oc->target, target);
	return k->check ? k->check(oc, err) : 0;
}

/* host_set - "HOST[:PORT]" into oc; an IPv6 address with a port stands in brackets. */
static int host_set(struct output_config *oc, const char *text, uint16_t port, struct error *err)
{
	bool bracket = *text == '[';
	size_t len = bracket ? strcspn(++text, "]") : strcspn(text, ":");
	const char *rest = text + len;
	uint32_t n = port;

	if (!bracket && strchr(rest + !!*rest, ':')) { /* two colons and no bracket: all address */
		len = strlen(text);
		rest = text + len;
	}
	if (bracket && *rest == ']') {
		rest++;
		bracket = false;
	}
	if (!len || bracket || (*rest && *rest != ':'))
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "'%.80s' is no HOST[:PORT]; IPv6 with a port is [ADDRESS]:PORT",
				 oc->target);
	if (*rest && count_parse("port", rest + 1, 1, 65535, &n, err) < 0)
		return -EINVAL;
	snprintf(oc->host, sizeof(oc->host), "%.*s", (int)len, text);
	oc->port = (uint16_t)n;
	return 0;
}

static int syslog_target(struct output_config *oc, struct error *err)
{
	static const char *const words[] = { [SYSLOG_UNIX] = "unix",
					     [SYSLOG_UDP] = "udp",
					     [SYSLOG_TCP] = "tcp",
					     [SYSLOG_TLS] = "tls" };
	size_t len = strcspn(oc->target, ":");
	const char *rest = oc->target + len + (oc->target[len] == ':');
	char word[WORD_MAX];
	unsigned int i;
	int r;

	snprintf(word, sizeof(word), "%.*s", (int)len, oc->target);
	r = choice_parse("syslog transport", word, words, ARRAY_SIZE(words), &i, err);
	if (r < 0)
		return r;
	oc->transport = (enum syslog_transport)i;
	oc->facility = 16;	/* local0 */
	oc->enterprise = 32473; /* the one for examples (RFC 5612): reconmon has none of its own */
	if (oc->transport != SYSLOG_UNIX)
		return host_set(oc, *rest ? rest : "localhost",
				oc->transport == SYSLOG_TLS ? 6514 : 514, err);
	strcpy(oc->host, *rest ? rest : "/dev/log");
	return 0;
}

static int url_target(struct output_config *oc, struct error *err)
{
	const char *url = oc->target;
	size_t scheme = !strncmp(url, "https://", 8) ? 8 : !strncmp(url, "http://", 7) ? 7 : 0;

	if (!scheme || !url[scheme] || url[scheme] == '/' || strpbrk(url, " \t\r\n"))
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "'%.80s' is no URL; it begins with https:// or http:// and a host",
				 url);
	return 0;
}

/* No shell and no search: what runs with our privileges is named in full. */
static int command_target(struct output_config *oc, struct error *err)
{
	if (oc->target[0] == '/')
		return 0;
	return error_set(
		err, -EINVAL, EXIT_USAGE,
		"command '%.80s': its whole path, from '/' on; arguments belong into a script",
		oc->target);
}

static int journald_target(struct output_config *oc, struct error *err)
{
	(void)err;
	strcpy(oc->host, *oc->target ? oc->target : "/run/systemd/journal/socket");
	return 0;
}

static void words_list(char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(kinds) && len < size; i++)
		len += (size_t)snprintf(buf + len, size - len, "%s%s%s%s", i ? ", " : "",
					kinds[i].word, kinds[i].optional ? "" : ":",
					kinds[i].optional ? "" : kinds[i].target);
}

int output_config_dest(const char *dest, struct output_config *ret, struct error *err)
{
	struct output_config oc;
	size_t len = strcspn(dest, ":");
	char list[256];
	int r;

	memset(&oc, 0, sizeof(oc)); /* padding too: a reload compares by memory */
	oc.states = STATES_ALL;
	oc.queue_bytes = QUEUE_DEFAULT;
	for (oc.kind = 0; oc.kind < OUTPUT_KIND_MAX; oc.kind++)
		if (strlen(kinds[oc.kind].word) == len && !strncmp(dest, kinds[oc.kind].word, len))
			break;
	if (oc.kind == OUTPUT_KIND_MAX) {
		words_list(list, sizeof(list));
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "'%.80s' is no destination; there are %s", dest, list);
	}
	r = target_set(&oc, dest + len + (dest[len] == ':'), err);
	if (!r)
		*ret = oc;
	return r;
}

/* ---- settings ---- */

/* word_next - the next of the words joined by '+' in *list, into word of WORD_MAX bytes. Returns
 * false at the end; a word that is too long comes out cut, and matches nothing. */
static bool word_next(const char **list, char *word)
{
	size_t len = strcspn(*list, "+");

	if (!**list)
		return false;
	snprintf(word, WORD_MAX, "%.*s", (int)(len < WORD_MAX ? len : WORD_MAX - 1), *list);
	*list += len;
	if (**list == '+')
		(*list)++;
	return true;
}

bool output_list_has(const char *list, const char *name)
{
	char word[WORD_MAX];

	if (!*list)
		return true;
	while (word_next(&list, word))
		if (!strcmp(word, name))
			return true;
	return false;
}

static int format_set(struct output_config *oc, const char *value, struct error *err)
{
	unsigned int i;
	int r;

	if (!strcmp(value, "json"))
		value = "ecs"; /* what --json writes */
	r = choice_parse("format", value, format_names + 1, FORMAT_JOURNAL - 1, &i, err);
	if (!r)
		oc->format = (enum output_format)(i + 1);
	return r;
}

static int severity_set(struct output_config *oc, const char *value, struct error *err)
{
	uint32_t n;
	int r = count_parse("severity", value, 0, SEVERITY_MAX, &n, err);

	if (!r)
		oc->severity = (uint8_t)n;
	return r;
}

static int states_set(struct output_config *oc, const char *value, struct error *err)
{
	static const char *const words[] = { "open", "update", "close" }; /* enum alert_state */
	const char *list = value;
	char word[WORD_MAX];
	uint8_t states = 0;
	unsigned int i;

	while (word_next(&list, word)) {
		int r = choice_parse("states", word, words, ARRAY_SIZE(words), &i, err);

		if (r < 0)
			return r;
		states |= (uint8_t)(1u << i);
	}
	if (!states)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "states '': some of open, update, close, as in open+close");
	oc->states = states;
	return 0;
}

static int rules_list_set(struct output_config *oc, const char *value, struct error *err)
{
	if (!*value || strlen(value) >= sizeof(oc->rules))
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "rules '%.40s': names of rules, as in port-scan+sweep, together 1 "
				 "to %zu characters",
				 value, sizeof(oc->rules) - 1);
	strcpy(oc->rules, value);
	return 0;
}

static int queue_set(struct output_config *oc, const char *value, struct error *err)
{
	return size_parse("queue", value, QUEUE_MIN, QUEUE_MAX, &oc->queue_bytes, err);
}

static int spool_set(struct output_config *oc, const char *value, struct error *err)
{
	if ((*value != '/' && strcmp(value, "none") != 0) || strlen(value) >= sizeof(oc->spool))
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "spool '%.80s': the full path of a folder, or none", value);
	strcpy(oc->spool, value);
	return 0;
}

static int spool_size_set(struct output_config *oc, const char *value, struct error *err)
{
	return size_parse("spool-size", value, SPOOL_MIN, SPOOL_MAX, &oc->spool_bytes, err);
}

/* The facilities of RFC 5424, 6.2.1, by the names of syslog(3). */
static const char *const facilities[] = {
	"kern",	  "user",   "mail",	"daemon", "auth",   "syslog", "lpr",	"news",
	"uucp",	  "cron",   "authpriv", "ftp",	  "ntp",    "audit",  "alert",	"clock",
	"local0", "local1", "local2",	"local3", "local4", "local5", "local6", "local7",
};

static int facility_set(struct output_config *oc, const char *value, struct error *err)
{
	unsigned int i;
	int r = choice_parse("facility", value, facilities, ARRAY_SIZE(facilities), &i, err);

	if (!r)
		oc->facility = (uint8_t)i;
	return r;
}

static int framing_set(struct output_config *oc, const char *value, struct error *err)
{
	static const char *const words[] = { "octet", "lf" };
	unsigned int i;
	int r = choice_parse("framing", value, words, ARRAY_SIZE(words), &i, err);

	if (!r)
		oc->lf_framing = i;
	return r;
}

static int enterprise_set(struct output_config *oc, const char *value, struct error *err)
{
	return count_parse("enterprise", value, 1, 4294967295u, &oc->enterprise, err);
}

static int path_set(char *to, const char *key, const char *value, struct error *err)
{
	if (!*value || strlen(value) >= OUTPUT_PATH_MAX)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "%s '%.40s': the path of a file, 1 to %d characters", key, value,
				 OUTPUT_PATH_MAX - 1);
	strcpy(to, value);
	return 0;
}

static int token_set(struct output_config *oc, const char *value, struct error *err)
{
	return path_set(oc->token_file, "token-file", value, err);
}

static int ca_set(struct output_config *oc, const char *value, struct error *err)
{
	return path_set(oc->ca, "ca", value, err);
}

/* Names of indexes and data streams: what Splunk and Elasticsearch both take. */
static int index_set(struct output_config *oc, const char *value, struct error *err)
{
	size_t len = strlen(value);

	if (!len || len >= sizeof(oc->index) ||
	    strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789._-") != len)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "index '%.80s': a-z, 0-9, '.', '_' and '-', 1 to %zu characters",
				 value, sizeof(oc->index) - 1);
	strcpy(oc->index, value);
	return 0;
}

#define KIND(kind) (1u << OUTPUT_##kind)
#define ALL	   ((1u << OUTPUT_KIND_MAX) - 1)
#define AWAY	   (ALL & ~(KIND(STDOUT) | KIND(STDERR)))
#define HTTP	   (KIND(WEBHOOK) | KIND(HEC) | KIND(ELASTICSEARCH))

static const struct setting {
	const char *key;
	unsigned int kinds; /* of output that have it */
	int (*set)(struct output_config *oc, const char *value, struct error *err);
} settings[] = {
	{ "format", ALL & ~KIND(JOURNALD), format_set },
	{ "severity", ALL, severity_set },
	{ "states", ALL, states_set },
	{ "rules", ALL, rules_list_set },
	{ "queue", ALL, queue_set },
	{ "spool", AWAY, spool_set },
	{ "spool-size", AWAY, spool_size_set },
	{ "facility", KIND(SYSLOG), facility_set },
	{ "framing", KIND(SYSLOG), framing_set },
	{ "enterprise", KIND(SYSLOG), enterprise_set },
	{ "token-file", HTTP, token_set },
	{ "ca", HTTP | KIND(SYSLOG), ca_set },
	{ "index", KIND(HEC) | KIND(ELASTICSEARCH), index_set },
};

int output_config_set(struct output_config *oc, const char *key, const char *value,
		      struct error *err)
{
	const char *words[ARRAY_SIZE(settings)];
	unsigned int i, n = 0;
	const struct setting *of[ARRAY_SIZE(settings)];
	char what[64];
	int r;

	for (i = 0; i < ARRAY_SIZE(settings); i++)
		if (settings[i].kinds & 1u << oc->kind) {
			of[n] = &settings[i];
			words[n++] = settings[i].key;
		}
	snprintf(what, sizeof(what), "setting of %s", kinds[oc->kind].word);
	r = choice_parse(what, key, words, n, &i, err);
	return r < 0 ? r : of[i]->set(oc, value, err);
}

int output_config_parse(const char *text, struct output_config *ret, struct error *err)
{
	size_t len = strcspn(text, ",");
	struct output_config oc;
	char part[OUTPUT_RULES_MAX + WORD_MAX];
	int r;

	if (len >= sizeof(part))
		return error_set(err, -EINVAL, EXIT_USAGE, "'%.40s...': too long", text);
	snprintf(part, sizeof(part), "%.*s", (int)len, text);
	r = output_config_dest(part, &oc, err);
	for (text += len; !r && *text; text += len) {
		char *equals;

		text++; /* the comma */
		len = strcspn(text, ",");
		snprintf(part, sizeof(part), "%.*s", (int)len, text);
		equals = strchr(part, '=');
		if (!equals || len >= sizeof(part))
			return error_set(err, -EINVAL, EXIT_USAGE,
					 "'%.80s': after a comma comes KEY=VALUE, as in format=ecs",
					 part);
		*equals = '\0';
		r = output_config_set(&oc, part, equals + 1, err);
	}
	if (!r)
		*ret = oc;
	return r;
}

int output_config_rules(const struct output_config *oc, const struct rule_set *rules,
			struct error *err)
{
	const char *list = oc->rules;
	char word[WORD_MAX];

	while (word_next(&list, word)) {
		const char *words[RULES_MAX];
		unsigned int i;
		int r;

		for (i = 0; i < rules->n; i++)
			words[i] = rules->rule[i].name;
		r = choice_parse("rules", word, words, rules->n, &i, err);
		if (r < 0)
			return r;
	}
	return 0;
}
