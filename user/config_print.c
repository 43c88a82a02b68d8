// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* What holds in the end? Writes a configuration as YAML with everything said, defaults too, so that
 * it can be read, compared, kept, and fed back. libyaml's emitter decides what needs quotes. */
#include <errno.h>
#include <string.h>
#include <yaml.h>

#include "config.h"

struct writer {
	yaml_emitter_t emitter;
	bool failed; /* an event was refused: no memory, or the stream */
};

/* put - takes the event over. */
static void put(struct writer *w, yaml_event_t *event, int made)
{
	if (!made || (!w->failed && !yaml_emitter_emit(&w->emitter, event)))
		w->failed = true;
}

static void put_text(struct writer *w, const char *text)
{
	/* What others read as null keeps its quotes. */
	bool null = !*text || !strcmp(text, "~") || !strcmp(text, "null");
	yaml_event_t e;
	int made = yaml_scalar_event_initialize(
		&e, NULL, NULL, (const yaml_char_t *)text, (int)strlen(text), 1, 1,
		null ? YAML_SINGLE_QUOTED_SCALAR_STYLE : YAML_ANY_SCALAR_STYLE);

	put(w, &e, made);
}

static void put_pair(struct writer *w, const char *key, const char *text)
{
	put_text(w, key);
	put_text(w, text);
}

static void map_begin(struct writer *w)
{
	yaml_event_t e;

	put(w, &e,
	    yaml_mapping_start_event_initialize(&e, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE));
}

static void map_end(struct writer *w)
{
	yaml_event_t e;

	put(w, &e, yaml_mapping_end_event_initialize(&e));
}

/* Lists are short: on one line. */
static void list_begin(struct writer *w)
{
	yaml_event_t e;

	put(w, &e,
	    yaml_sequence_start_event_initialize(&e, NULL, NULL, 1, YAML_FLOW_SEQUENCE_STYLE));
}

static void list_end(struct writer *w)
{
	yaml_event_t e;

	put(w, &e, yaml_sequence_end_event_initialize(&e));
}

static void put_settings(struct writer *w, const struct config *cfg)
{
	char word[CONFIG_WORD_MAX];
	unsigned int n;
	const struct config_setting *s = config_settings(&n);

	for (unsigned int i = 0; i < n; i++)
		put_pair(w, s[i].name, s[i].get(cfg, word));
}

static void put_ifaces(struct writer *w, const struct config *cfg)
{
	put_text(w, "interfaces");
	list_begin(w);
	for (uint32_t i = 0; i < cfg->ifaces; i++)
		put_text(w, cfg->iface[i]);
	list_end(w);
}

static void put_geoips(struct writer *w, const struct config *cfg)
{
	put_text(w, "geoip");
	list_begin(w);
	for (uint32_t i = 0; i < cfg->geoips; i++)
		put_text(w, cfg->geoip[i]);
	list_end(w);
}

static void put_internal(struct writer *w, const struct config *cfg)
{
	char text[NET_TEXT_MAX + 4];

	put_text(w, "internal");
	list_begin(w);
	for (size_t i = 0; i < cfg->internal.n; i++)
		put_text(w, net_format(&cfg->internal.net[i], text));
	list_end(w);
}

static void put_field(struct writer *w, const struct rule *rule, const struct rule_field *field)
{
	char word[RULE_WORD_MAX];

	put_text(w, field->name);
	if (field->list)
		list_begin(w);
	for (unsigned int i = 0; field->word(rule, i, word); i++)
		put_text(w, word);
	if (field->list)
		list_end(w);
}

static void put_rules(struct writer *w, const struct rule_set *rules)
{
	unsigned int n;
	const struct rule_field *fields = rule_fields(&n);

	put_text(w, "rules");
	map_begin(w);
	for (uint32_t i = 0; i < rules->n; i++) {
		put_text(w, rules->rule[i].name);
		map_begin(w);
		for (unsigned int f = 0; f < n; f++)
			put_field(w, &rules->rule[i], &fields[f]);
		map_end(w);
	}
	map_end(w);
}

static void put_entry(struct writer *w, const struct allow_entry *entry)
{
	unsigned int n;
	const struct allow_field *fields = allow_fields(&n);
	char word[ALLOW_WORD_MAX];

	map_begin(w);
	for (unsigned int f = 0; f < n; f++) {
		if (!fields[f].word(entry, 0, word))
			continue;
		put_text(w, fields[f].name);
		if (fields[f].list)
			list_begin(w);
		for (unsigned int i = 0; fields[f].word(entry, i, word); i++)
			put_text(w, word);
		if (fields[f].list)
			list_end(w);
	}
	map_end(w);
}

static void put_allow(struct writer *w, const struct allow *allow)
{
	yaml_event_t e;

	put_text(w, "allow");
	put(w, &e,
	    yaml_sequence_start_event_initialize(&e, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE));
	for (uint32_t i = 0; i < allow_count(allow); i++)
		put_entry(w, allow_entry(allow, i));
	list_end(w);
}

/* put_output - what was written, line by line. */
static void put_output(struct writer *w, const char *said)
{
	char text[OUTPUT_SAID_MAX], *line = text, *next, *equals;

	snprintf(text, sizeof(text), "%s", said);
	next = strsep(&line, "\n");
	map_begin(w);
	put_pair(w, "to", next);
	while ((next = strsep(&line, "\n"))) {
		equals = strchr(next, '=');
		*equals = '\0';
		put_pair(w, next, equals + 1);
	}
	map_end(w);
}

static void put_outputs(struct writer *w, const struct config *cfg)
{
	yaml_event_t e;

	put_text(w, "outputs");
	put(w, &e,
	    yaml_sequence_start_event_initialize(&e, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE));
	for (uint32_t i = 0; i < cfg->outputs; i++)
		put_output(w, cfg->output_said[i]);
	list_end(w);
}

static void put_limits(struct writer *w, const struct config *cfg)
{
	unsigned int n;
	const struct config_limit *limits = config_limits(&n);
	char text[16];

	put_text(w, "limits");
	map_begin(w);
	for (unsigned int i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "%u", config_limit_get(cfg, &limits[i]));
		put_pair(w, limits[i].name, text);
	}
	map_end(w);
}

static void put_document(struct writer *w, const struct config *cfg)
{
	yaml_event_t e;

	put(w, &e, yaml_stream_start_event_initialize(&e, YAML_UTF8_ENCODING));
	put(w, &e, yaml_document_start_event_initialize(&e, NULL, NULL, NULL, 1));
	map_begin(w);
	put_settings(w, cfg);
	put_ifaces(w, cfg);
	put_internal(w, cfg);
	put_geoips(w, cfg);
	put_rules(w, &cfg->rules);
	put_allow(w, cfg->allow);
	put_outputs(w, cfg);
	put_limits(w, cfg);
	map_end(w);
	put(w, &e, yaml_document_end_event_initialize(&e, 1));
	put(w, &e, yaml_stream_end_event_initialize(&e));
}

int config_print(const struct config *cfg, FILE *out)
{
	struct writer w = { .failed = false };

	if (!yaml_emitter_initialize(&w.emitter))
		return -ENOMEM;
	yaml_emitter_set_output_file(&w.emitter, out);
	yaml_emitter_set_unicode(&w.emitter, 1);
	yaml_emitter_set_width(&w.emitter, -1); /* a value stays on its line */
	put_document(&w, cfg);
	yaml_emitter_delete(&w.emitter);
	if (w.failed || fflush(out) || ferror(out))
		return ferror(out) ? -EIO : -ENOMEM;
	return 0;
}
