// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "output_config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert.h"

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
	[FORMAT_DEFAULT] = "default",	[FORMAT_TEXT] = "text",
	[FORMAT_ECS] = "ecs",		[FORMAT_OCSF] = "ocsf",
	[FORMAT_CEF] = "cef",		[FORMAT_LEEF] = "leef",
	[FORMAT_ZEEK_TSV] = "zeek-tsv", [FORMAT_ZEEK_JSON] = "zeek-json",
};

/* What a kind of output is called, whether something follows its name, and what it writes. */
static const struct kind {
	const char *word;
	const char *target; /* what follows "word:", for messages; NULL: nothing may */
	enum output_format format;
} kinds[OUTPUT_KIND_MAX] = {
	[OUTPUT_STDOUT] = { "stdout", NULL, FORMAT_TEXT },
	[OUTPUT_FILE] = { "file", "PATH", FORMAT_ECS },
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
	if (k->target && !*target)
		return error_set(err, -EINVAL, EXIT_USAGE, "'%s': write it as %s:%s", k->word,
				 k->word, k->target);
	if (strlen(target) >= sizeof(oc->target))
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "'%s:%.40s...' is longer than %zu characters", k->word, target,
				 sizeof(oc->target) - 1);
	strcpy(oc->target, target);
	return 0;
}

static void words_list(char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(kinds) && len < size; i++)
		len += (size_t)snprintf(buf + len, size - len, "%s%s%s%s", i ? ", " : "",
					kinds[i].word, kinds[i].target ? ":" : "",
					kinds[i].target ? kinds[i].target : "");
}

int output_config_dest(const char *dest, struct output_config *ret, struct error *err)
{
	struct output_config oc = { .states = STATES_ALL, .queue_bytes = QUEUE_DEFAULT };
	size_t len = strcspn(dest, ":");
	char list[256];
	int r;

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
	r = choice_parse("format", value, format_names + 1, FORMAT_MAX - 1, &i, err);
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
	char *end;
	unsigned long long n;

	errno = 0;
	n = *value >= '0' && *value <= '9' ? strtoull(value, &end, 10) : 0;
	if (n && !errno && n <= QUEUE_MAX && *end && !end[1])
		n <<= *end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : 63;
	else if (n && *end)
		n = 0;
	if (n < QUEUE_MIN || n > QUEUE_MAX)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "queue '%.40s': bytes from 64K to 1G, as in 4M", value);
	oc->queue_bytes = (uint32_t)n;
	return 0;
}

static const struct setting {
	const char *key;
	int (*set)(struct output_config *oc, const char *value, struct error *err);
} settings[] = {
	{ "format", format_set },    { "severity", severity_set }, { "states", states_set },
	{ "rules", rules_list_set }, { "queue", queue_set },
};

int output_config_set(struct output_config *oc, const char *key, const char *value,
		      struct error *err)
{
	const char *words[ARRAY_SIZE(settings)];
	unsigned int i;
	int r;

	for (i = 0; i < ARRAY_SIZE(settings); i++)
		words[i] = settings[i].key;
	r = choice_parse("setting", key, words, ARRAY_SIZE(words), &i, err);
	return r < 0 ? r : settings[i].set(oc, value, err);
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
