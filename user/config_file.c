// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* What does the configuration file say, and where exactly is it wrong?
 *
 * libyaml reads it into a document whose nodes know their line and column; below, each key has a
 * function that takes its node, and the words in it are read by the functions that read the
 * command line. So a mistake is told the same way in both places, here with the place in front.
 *
 * Not libcyaml (1.3.1), which would load structs from a schema: it names the place of an unknown
 * key wrongly (that of the value before it), says what is wrong in its log only, and keeps no
 * places after loading, so that nothing could be said of a value that has the right type and makes
 * no sense. */
#include "config_file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <yaml.h>

#include "output_config.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

enum {
	FILE_MAX = 1 << 20, /* bytes; a thousand entries of an allow-list take a tenth */
	WHERE_MAX = 160,    /* of a path like "rules.port-scan.window" */
	PATH_SHOWN = 200,   /* characters of the file's name in an error */
};

struct reader {
	const char *path;
	const enum rule_profile *profile; /* the command line's; NULL: none */
	struct config *cfg;
	struct error *err;
	yaml_document_t doc;
	char where[WHERE_MAX]; /* path of the node in hand; "" is the whole file */
	size_t key_at;	       /* where in it the last key entered begins */
	const yaml_node_t *output_at[OUTPUTS_MAX];
	const yaml_node_t *yields_at[RULES_MAX]; /* by index of rules: `yields-to`, if set here */
};

/* --- errors --- */

/* placed - puts file, line and column in front of the sentence in r->err. Marks count from 0. */
static int placed(const struct reader *r, const yaml_mark_t *mark, int code)
{
	return error_prefix(r->err, code, "%.*s:%zu:%zu", PATH_SHOWN, r->path, mark->line + 1,
			    mark->column + 1);
}

/* wrong - an error about a node: "FILE:LINE:COLUMN: PATH: sentence". */
__attribute__((format(printf, 3, 4))) static int
wrong(const struct reader *r, const yaml_node_t *node, const char *fmt, ...)
{
	char text[sizeof(r->err->text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	error_set(r->err, -EINVAL, EXIT_USAGE, "%s%s%s", r->where, *r->where ? ": " : "", text);
	return placed(r, &node->start_mark, -EINVAL);
}

/* checked - passes on the result of a function that read a word; what it said gets its place. */
static int checked(const struct reader *r, const yaml_node_t *node, int code)
{
	return code < 0 ? placed(r, &node->start_mark, code) : code;
}

/* --- nodes --- */

static const char *text_of(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

static const char *kind_of(const yaml_node_t *node)
{
	switch (node->type) {
	case YAML_SEQUENCE_NODE:
		return "a list";
	case YAML_MAPPING_NODE:
		return "a mapping (KEY: VALUE)";
	default:
		return "a single value";
	}
}

/* is_null - nothing behind the colon, or a word that YAML takes for that. */
static bool is_null(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE &&
	       node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       (!*text_of(node) || !strcmp(text_of(node), "~") || !strcmp(text_of(node), "null"));
}

/* check_tag - libyaml gives every node without a tag one of its own, below this name. */
static int check_tag(const struct reader *r, const yaml_node_t *node)
{
	static const char standard[] = "tag:yaml.org,2002:";
	const char *tag = (const char *)node->tag;

	if (!tag || !strncmp(tag, standard, strlen(standard)))
		return 0;
	return wrong(r, node,
		     "'%.80s' is a tag to YAML; a word that begins with ! needs quotes: '%s'", tag,
		     tag);
}

/* get_text - the word that a node is. Control characters have no place in any of them: they would
 * reach terminals and logs. */
static int get_text(const struct reader *r, const yaml_node_t *node, const char **ret)
{
	int e = check_tag(r, node);
	const char *text;

	if (e < 0)
		return e;
	if (node->type != YAML_SCALAR_NODE)
		return wrong(r, node, "a single value is expected, here is %s", kind_of(node));
	if (is_null(node))
		return wrong(r, node, "a value is missing");
	text = text_of(node);
	for (size_t i = 0; i < node->data.scalar.length; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return wrong(r, node, "a control character (0x%02x) is in the value",
				     (unsigned char)text[i]);
	*ret = text;
	return 0;
}

/* enter - goes into a key: appends it to r->where. leave - back, with what enter returned. */
static size_t enter(struct reader *r, const char *key)
{
	size_t len = strlen(r->where);

	r->key_at = len;
	snprintf(r->where + len, sizeof(r->where) - len, "%s%.64s", len ? "." : "", key);
	return len;
}

static void leave(struct reader *r, size_t len)
{
	r->where[len] = '\0';
}

/* item_fn - takes one item of a list. */
typedef int item_fn(struct reader *r, const yaml_node_t *node, void *ctx);

/* each_item - a list, item by item. A single value is a list of one; nothing is an empty one. */
static int each_item(struct reader *r, const yaml_node_t *node, item_fn *fn, void *ctx)
{
	int e = check_tag(r, node);

	if (e < 0 || is_null(node))
		return e;
	if (node->type == YAML_SCALAR_NODE)
		return fn(r, node, ctx);
	if (node->type != YAML_SEQUENCE_NODE)
		return wrong(r, node, "a list is expected, as in [A, B], here is %s",
			     kind_of(node));
	for (const yaml_node_item_t *i = node->data.sequence.items.start;
	     !e && i < node->data.sequence.items.top; i++)
		e = fn(r, yaml_document_get_node(&r->doc, *i), ctx);
	return e;
}

/* pair_fn - takes one key of a mapping; r->where has the key already. */
typedef int pair_fn(struct reader *r, const char *key, const yaml_node_t *key_node,
		    const yaml_node_t *value, void *ctx);

/* key_before - the same key earlier in the mapping, or NULL. */
static const yaml_node_t *key_before(struct reader *r, const yaml_node_t *map,
				     const yaml_node_pair_t *pair)
{
	const char *key = text_of(yaml_document_get_node(&r->doc, pair->key));

	for (const yaml_node_pair_t *p = map->data.mapping.pairs.start; p < pair; p++) {
		const yaml_node_t *other = yaml_document_get_node(&r->doc, p->key);

		if (!strcmp(text_of(other), key))
			return other;
	}
	return NULL;
}

static int take_pair(struct reader *r, const yaml_node_t *map, const yaml_node_pair_t *pair,
		     pair_fn *fn, void *ctx)
{
	const yaml_node_t *key = yaml_document_get_node(&r->doc, pair->key), *before;
	const char *text;
	size_t back;
	int e = get_text(r, key, &text);

	if (e < 0)
		return e;
	before = key_before(r, map, pair);
	if (before)
		return wrong(r, key, "'%.80s' is there already, in line %zu", text,
			     before->start_mark.line + 1);
	back = enter(r, text);
	e = fn(r, text, key, yaml_document_get_node(&r->doc, pair->value), ctx);
	leave(r, back);
	return e;
}

/* each_pair - a mapping, key by key; nothing is an empty one. */
static int each_pair(struct reader *r, const yaml_node_t *node, pair_fn *fn, void *ctx)
{
	int e = check_tag(r, node);

	if (e < 0 || is_null(node))
		return e;
	if (node->type != YAML_MAPPING_NODE)
		return wrong(r, node, "a mapping (KEY: VALUE) is expected, here is %s",
			     kind_of(node));
	for (const yaml_node_pair_t *p = node->data.mapping.pairs.start;
	     !e && p < node->data.mapping.pairs.top; p++)
		e = take_pair(r, node, p, fn, ctx);
	return e;
}

/* --- keys --- */

/* A key of the file and who takes its value. */
struct key {
	const char *name;
	int (*take)(struct reader *r, const yaml_node_t *value);
};

/* outside - an error that names its key itself: told from the mapping that the key stands in. */
static int outside(struct reader *r, const yaml_node_t *node, int code)
{
	r->where[r->key_at] = '\0';
	if (*r->where)
		error_prefix(r->err, code, "%s", r->where);
	return placed(r, &node->start_mark, code);
}

static int take_iface(struct reader *r, const yaml_node_t *node, void *ctx)
{
	const char *text = ""; /* set on success; clang-tidy cannot tell */
	int e = get_text(r, node, &text);

	(void)ctx;
	return e < 0 ? e : checked(r, node, config_iface_add(r->cfg, r->where, text, r->err));
}

static int take_ifaces(struct reader *r, const yaml_node_t *value)
{
	r->cfg->ifaces = 0;
	return each_item(r, value, take_iface, NULL);
}

static int take_net(struct reader *r, const yaml_node_t *node, void *ctx)
{
	const char *text = ""; /* set on success; clang-tidy cannot tell */
	int e = get_text(r, node, &text);

	if (e < 0)
		return e;
	e = net_list_add(text, ctx, r->err);
	if (e < 0)
		error_prefix(r->err, e, "%s", r->where);
	return checked(r, node, e);
}

static int take_internal(struct reader *r, const yaml_node_t *value)
{
	struct net_list list = { .n = 0 };
	int e = each_item(r, value, take_net, &list);

	if (e < 0)
		return e;
	if (!list.n && !is_null(value))
		return wrong(r, value,
			     "an empty list leaves nothing internal; without this key the private "
			     "networks are");
	if (list.n)
		r->cfg->internal = list;
	return 0;
}

static int take_geoip(struct reader *r, const yaml_node_t *node, void *ctx)
{
	const char *text = ""; /* set on success; clang-tidy cannot tell */
	int e = get_text(r, node, &text);

	(void)ctx;
	return e < 0 ? e : checked(r, node, config_geoip_add(r->cfg, r->where, text, r->err));
}

static int take_geoips(struct reader *r, const yaml_node_t *value)
{
	r->cfg->geoips = 0;
	return each_item(r, value, take_geoip, NULL);
}

/* take_setting - a setting of one word; its name is the path. */
static int take_setting(struct reader *r, const yaml_node_t *value)
{
	const char *text = ""; /* set on success; clang-tidy cannot tell */
	int e = get_text(r, value, &text);

	return e < 0 ? e : checked(r, value, config_set(r->cfg, r->where, r->where, text, r->err));
}

static int take_limit(struct reader *r, const char *key, const yaml_node_t *key_node,
		      const yaml_node_t *value, void *ctx)
{
	unsigned int n;
	const struct config_limit *limits = config_limits(&n);
	const char *names[8], *text;
	int i, e;

	(void)ctx;
	for (unsigned int l = 0; l < n && l < ARRAY_SIZE(names); l++)
		names[l] = limits[l].name;
	i = name_find("limit", key, strlen(key), names, n, r->err);
	if (i < 0)
		return outside(r, key_node, i);
	e = get_text(r, value, &text);
	if (e < 0)
		return e;
	return checked(r, value, config_limit_set(r->cfg, &limits[i], r->where, text, r->err));
}

static int take_limits(struct reader *r, const yaml_node_t *value)
{
	return each_pair(r, value, take_limit, NULL);
}

/* --- rules --- */

/* A rule in hand. */
struct rule_in_hand {
	struct rule *rule;
	const struct rule_field *field;
	const yaml_node_t *seen[32]; /* by index of rule_fields(): where it was set */
};

static int take_word(struct reader *r, const yaml_node_t *node, void *ctx)
{
	struct rule_in_hand *h = ctx;
	const char *text = ""; /* set on success; clang-tidy cannot tell */
	int e = get_text(r, node, &text);

	return e < 0 ? e : checked(r, node, h->field->set(h->rule, r->where, text, r->err));
}

static int take_field(struct reader *r, const char *key, const yaml_node_t *key_node,
		      const yaml_node_t *value, void *ctx)
{
	struct rule_in_hand *h = ctx;
	unsigned int n;

	h->field = rule_field_find(key, strlen(key), r->err);
	if (!h->field)
		return outside(r, key_node, -EINVAL);
	h->seen[h->field - rule_fields(&n)] = value;
	if (!h->field->list)
		return take_word(r, value, h);
	h->field->clear(h->rule);
	return each_item(r, value, take_word, h);
}

static const yaml_node_t *seen_at(const struct rule_in_hand *h, const char *field)
{
	unsigned int n;

	return h->seen[rule_field_find(field, strlen(field), NULL) - rule_fields(&n)];
}

/* check_complete - a rule of one's own needs all that a built-in one has. */
static int check_complete(struct reader *r, const struct rule_in_hand *h, const yaml_node_t *name)
{
	static const char *const needed[] = { "where", "by", "distinct", "window", "threshold" };
	struct rule_set builtin;
	const char *missing = NULL, *names[RULES_MAX];
	struct error known = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(needed) && !missing; i++)
		if (!seen_at(h, needed[i]))
			missing = needed[i];
	if (!missing)
		return 0;
	rules_builtin(r->cfg->profile, &builtin);
	for (uint32_t i = 0; i < builtin.n; i++)
		names[i] = builtin.rule[i].name;
	name_find("built-in rule", h->rule->name, strlen(h->rule->name), names, builtin.n, &known);
	return wrong(r, name,
		     "`%s` is missing, and a rule of your own needs where, by, distinct, window "
		     "and threshold; %s",
		     missing, known.text);
}

static int take_rule(struct reader *r, const char *key, const yaml_node_t *key_node,
		     const yaml_node_t *value, void *ctx)
{
	struct rule_in_hand h = { .rule = rules_find(&r->cfg->rules, key) };
	const yaml_node_t *blame;
	const char *field;
	int e;

	(void)ctx;
	if (!h.rule) {
		e = rules_add(&r->cfg->rules, "rules", key, &h.rule, r->err);
		if (e < 0)
			return checked(r, key_node, e);
	}
	e = each_pair(r, value, take_field, &h);
	if (!e && h.rule->own)
		e = check_complete(r, &h, key_node);
	if (e < 0)
		return e;
	r->yields_at[h.rule - r->cfg->rules.rule] = seen_at(&h, "yields-to");
	e = rule_check(h.rule, &field, r->err);
	if (!e)
		return 0;
	blame = seen_at(&h, field);
	error_prefix(r->err, e, "rules");
	return checked(r, blame ? blame : key_node, e);
}

/* take_rules - which rule another yields to may be written below it. */
static int take_rules(struct reader *r, const yaml_node_t *value)
{
	struct rule_set *rules = &r->cfg->rules;
	int e = each_pair(r, value, take_rule, NULL);

	for (uint32_t i = 0; !e && i < rules->n; i++) {
		if (!r->yields_at[i])
			continue;
		e = rule_check_yields(rules, &rules->rule[i], r->err);
		if (e < 0)
			error_prefix(r->err, e, "rules");
		e = checked(r, r->yields_at[i], e);
	}
	return e;
}

/* --- the allow-list --- */

/* An entry in hand. */
struct entry_in_hand {
	struct allow_entry entry;
	const struct allow_field *field;
};

static int take_allow_word(struct reader *r, const yaml_node_t *node, void *ctx)
{
	struct entry_in_hand *h = ctx;
	const char *text = "";
	int e = get_text(r, node, &text);

	return e < 0 ? e : checked(r, node, h->field->set(&h->entry, r->where, text, r->err));
}

static int take_allow_field(struct reader *r, const char *key, const yaml_node_t *key_node,
			    const yaml_node_t *value, void *ctx)
{
	struct entry_in_hand *h = ctx;

	h->field = allow_field_find(key, strlen(key), r->err);
	if (!h->field)
		return outside(r, key_node, -EINVAL);
	if (h->field->list)
		return each_item(r, value, take_allow_word, h);
	return take_allow_word(r, value, h);
}

/* take_allow_entry - its place in the list becomes part of the path, as in allow[2].ports. */
static int take_allow_entry(struct reader *r, const yaml_node_t *node, void *ctx)
{
	struct entry_in_hand h = { .field = NULL };
	size_t back = strlen(r->where);
	uint32_t *n = ctx;
	int e;

	snprintf(r->where + back, sizeof(r->where) - back, "[%u]", (*n)++);
	e = each_pair(r, node, take_allow_field, &h);
	if (!e) {
		snprintf(h.entry.from, sizeof(h.entry.from), "line %zu", node->start_mark.line + 1);
		e = allow_add(&r->cfg->allow, &h.entry, r->err);
		if (e < 0)
			error_prefix(r->err, e, "%s", r->where);
		e = checked(r, node, e);
	}
	leave(r, back);
	return e;
}

static int take_allow(struct reader *r, const yaml_node_t *value)
{
	uint32_t n = 0;

	return each_item(r, value, take_allow_entry, &n);
}

/* --- outputs --- */

/* An output in hand. */
struct output_in_hand {
	struct output_config oc;
	char said[OUTPUT_SAID_MAX + 1];
	char words[OUTPUT_RULES_MAX + 1]; /* of a list, joined by '+' */
	bool has_dest;
};

/* take_dest - `to` comes first, wherever it stands: it sets the defaults of its kind. */
static int take_dest(struct reader *r, const char *key, const yaml_node_t *key_node,
		     const yaml_node_t *value, void *ctx)
{
	struct output_in_hand *h = ctx;
	const char *text = "";
	int e;

	(void)key_node;
	if (strcmp(key, "to") != 0)
		return 0;
	e = get_text(r, value, &text);
	if (e < 0)
		return e;
	e = output_config_dest(text, &h->oc, r->err);
	if (e < 0)
		error_prefix(r->err, e, "%s", r->where);
	snprintf(h->said, sizeof(h->said), "%s", text);
	h->has_dest = true;
	return checked(r, value, e);
}

static int take_output_word(struct reader *r, const yaml_node_t *node, void *ctx)
{
	struct output_in_hand *h = ctx;
	size_t len = strlen(h->words);
	const char *text = "";
	int e = get_text(r, node, &text);

	if (!e)
		snprintf(h->words + len, sizeof(h->words) - len, "%s%s", len ? "+" : "", text);
	return e;
}

static int take_output_key(struct reader *r, const char *key, const yaml_node_t *key_node,
			   const yaml_node_t *value, void *ctx)
{
	struct output_in_hand *h = ctx;
	size_t len = strlen(h->said);
	int e;

	if (!strcmp(key, "to"))
		return 0;
	h->words[0] = '\0';
	e = each_item(r, value, take_output_word, h);
	if (e < 0)
		return e;
	if (strlen(h->words) >= OUTPUT_RULES_MAX)
		return wrong(r, value, "longer than %d bytes", OUTPUT_RULES_MAX - 1);
	e = output_config_set(&h->oc, key, h->words, r->err);
	if (e < 0) /* its sentence begins with the key, or with "setting" if there is no such key */
		return strncmp(r->err->text, "setting ", 8) != 0 ? outside(r, value, e)
								 : outside(r, key_node, e);
	snprintf(h->said + len, sizeof(h->said) - len, "\n%s=%s", key, h->words);
	return 0;
}

static int take_output_map(struct reader *r, const yaml_node_t *node)
{
	struct output_in_hand h = { .has_dest = false };
	int e = each_pair(r, node, take_dest, &h);

	if (!e && !h.has_dest)
		return wrong(r, node,
			     "`to`, the destination, is missing, as in stdout or "
			     "file:/var/log/alerts.json");
	if (!e)
		e = each_pair(r, node, take_output_key, &h);
	if (e < 0)
		return e;
	return checked(r, node, config_output_put(r->cfg, &h.oc, h.said, r->where, r->err));
}

static int take_output(struct reader *r, const yaml_node_t *node, void *ctx)
{
	size_t back = strlen(r->where);
	uint32_t n = r->cfg->outputs;
	const char *text = "";
	int e;

	(void)ctx;
	snprintf(r->where + back, sizeof(r->where) - back, "[%u]", n);
	if (node->type == YAML_MAPPING_NODE) {
		e = take_output_map(r, node);
	} else {
		e = get_text(r, node, &text);
		if (!e)
			e = checked(r, node, config_output_add(r->cfg, r->where, text, r->err));
	}
	if (!e)
		r->output_at[n] = node;
	leave(r, back);
	return e;
}

/* take_outputs - a list, of texts or mappings. */
static int take_outputs(struct reader *r, const yaml_node_t *value)
{
	return each_item(r, value, take_output, NULL);
}

/* check_outputs - the rules they name, once all rules are known. */
static int check_outputs(const struct reader *r)
{
	for (uint32_t i = 0; i < r->cfg->outputs; i++) {
		int e = output_config_rules(&r->cfg->output[i], &r->cfg->rules, r->err);

		if (e < 0) {
			error_prefix(r->err, e, "outputs[%u]", i);
			return checked(r, r->output_at[i], e);
		}
	}
	return 0;
}

/* --- the whole --- */

static const struct key keys[] = {
	{ "profile", take_setting },
	{ "interfaces", take_ifaces },
	{ "ingress", take_setting },
	{ "internal", take_internal },
	{ "settle", take_setting },
	{ "settle-open", take_setting },
	{ "habits", take_setting },
	{ "state", take_setting },
	{ "pin", take_setting },
	{ "pod-names", take_setting },
	{ "reload-on-change", take_setting },
	{ "spool", take_setting },
	{ "spool-size", take_setting },
	{ "guard-rate", take_setting },
	{ "tick", take_setting },
	{ "json", take_setting },
	{ "verbosity", take_setting },
	{ "rules", take_rules },
	{ "attempts", take_setting },
	{ "attempts-file", take_setting },
	{ "allow", take_allow },
	{ "outputs", take_outputs },
	{ "limits", take_limits },
	{ "numeric", take_setting },
	{ "geoip", take_geoips },
	{ "control", take_setting },
	{ "metrics", take_setting },
};

static int take_key(struct reader *r, const char *key, const yaml_node_t *key_node,
		    const yaml_node_t *value, void *ctx)
{
	const char *names[ARRAY_SIZE(keys)];
	int i;

	(void)ctx;
	for (size_t n = 0; n < ARRAY_SIZE(keys); n++)
		names[n] = keys[n].name;
	i = name_find("key", key, strlen(key), names, ARRAY_SIZE(keys), r->err);
	return i < 0 ? outside(r, key_node, i) : keys[i].take(r, value);
}

static int take_profile(struct reader *r, const char *key, const yaml_node_t *key_node,
			const yaml_node_t *value, void *ctx)
{
	(void)key_node;
	(void)ctx;
	return strcmp(key, "profile") ? 0 : take_setting(r, value);
}

/* take_document - the profile comes first, wherever it stands: the other keys change its rules. */
static int take_document(struct reader *r)
{
	const yaml_node_t *root = yaml_document_get_root_node(&r->doc);
	int e = root ? each_pair(r, root, take_profile, NULL) : 0;

	if (e < 0)
		return e;
	if (r->profile)
		r->cfg->profile = *r->profile;
	rules_builtin(r->cfg->profile, &r->cfg->rules);
	e = root ? each_pair(r, root, take_key, NULL) : 0;
	if (!e)
		e = check_outputs(r);
	if (!e && r->profile) /* which the file's has replaced again */
		r->cfg->profile = *r->profile;
	return e;
}

/* is_tab_at - whether a tab stands at a mark, which counts characters and not bytes. */
static bool is_tab_at(const char *text, const yaml_mark_t *mark)
{
	for (size_t n = mark->index; *text; text++)
		if (((unsigned char)*text & 0xc0) != 0x80 && !n--)
			return *text == '\t';
	return false;
}

/* hint_of - what helps where libyaml says something that only its authors understand. */
static const char *hint_of(const yaml_parser_t *parser, const char *text)
{
	if (is_tab_at(text, &parser->problem_mark))
		return " (a tab; YAML indents by spaces)";
	if (parser->context && strstr(parser->context, "scanning a tag"))
		return " (a word that begins with ! needs quotes)";
	return "";
}

/* not_yaml - what libyaml stumbled over, and where that began. */
static int not_yaml(const struct reader *r, const yaml_parser_t *parser, const char *text)
{
	const yaml_mark_t *mark = &parser->problem_mark;
	char context[128] = "";

	if (parser->error == YAML_READER_ERROR)
		return error_set(r->err, -EINVAL, EXIT_USAGE, "%.*s: byte %zu: %s", PATH_SHOWN,
				 r->path, parser->problem_offset, parser->problem);
	if (parser->error == YAML_MEMORY_ERROR)
		return error_set(r->err, -ENOMEM, EXIT_RUNTIME, "%.*s: out of memory", PATH_SHOWN,
				 r->path);
	if (parser->context && parser->context_mark.line != mark->line)
		snprintf(context, sizeof(context), "%s that begins in line %zu: ", parser->context,
			 parser->context_mark.line + 1);
	else if (parser->context)
		snprintf(context, sizeof(context), "%s: ", parser->context);
	error_set(r->err, -EINVAL, EXIT_USAGE, "%s%s%s", context, parser->problem,
		  hint_of(parser, text));
	return placed(r, mark, -EINVAL);
}

/* check_end - whether the file ends behind the document. */
static int check_end(const struct reader *r, yaml_parser_t *parser, const char *text)
{
	yaml_document_t next;
	yaml_node_t *root;
	int e = 0;

	if (!yaml_parser_load(parser, &next))
		return not_yaml(r, parser, text);
	root = yaml_document_get_root_node(&next);
	if (root) {
		error_set(r->err, -EINVAL, EXIT_USAGE,
			  "a second document begins; one is read, remove the line '---'");
		e = placed(r, &next.start_mark, -EINVAL);
	}
	yaml_document_delete(&next);
	return e;
}

static int parse(struct reader *r, const char *text, size_t len)
{
	yaml_parser_t parser;
	int e;

	if (!yaml_parser_initialize(&parser))
		return error_set(r->err, -ENOMEM, EXIT_RUNTIME, "%.*s: out of memory", PATH_SHOWN,
				 r->path);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	if (!yaml_parser_load(&parser, &r->doc)) {
		e = not_yaml(r, &parser, text);
	} else {
		e = take_document(r);
		if (!e && yaml_document_get_root_node(&r->doc))
			e = check_end(r, &parser, text);
		yaml_document_delete(&r->doc);
	}
	yaml_parser_delete(&parser);
	return e;
}

/* slurp - reads the whole stream into text of FILE_MAX + 2 bytes and puts a NUL behind it. */
static int slurp(FILE *f, const char *path, char *text, size_t *ret_len, struct error *err)
{
	struct stat st;

	if (!fstat(fileno(f), &st) && S_ISDIR(st.st_mode))
		return error_set(err, -EISDIR, EXIT_USAGE, "%.*s: a directory; a file is read",
				 PATH_SHOWN, path);
	*ret_len = fread(text, 1, FILE_MAX + 1, f);
	text[*ret_len] = '\0';
	if (ferror(f))
		return error_set(err, -EIO, EXIT_USAGE, "%.*s: %s", PATH_SHOWN, path,
				 strerror(errno));
	if (*ret_len > FILE_MAX)
		return error_set(err, -EFBIG, EXIT_USAGE,
				 "%.*s: larger than a configuration can be, 1 MiB", PATH_SHOWN,
				 path);
	return 0;
}

int config_file_read(const char *path, const enum rule_profile *profile, struct config *cfg,
		     struct error *err)
{
	struct error scratch;
	struct reader r = {
		.path = path, .profile = profile, .cfg = cfg, .err = err ? err : &scratch
	};
	FILE *f = fopen(path, "re");
	size_t len = 0;
	char *text;
	int e;

	if (!f)
		return error_set(err, -errno, EXIT_USAGE, "%.*s: %s", PATH_SHOWN, path,
				 strerror(errno));
	text = malloc(FILE_MAX + 2);
	if (!text) {
		fclose(f);
		return error_set(err, -ENOMEM, EXIT_RUNTIME, "%.*s: out of memory", PATH_SHOWN,
				 path);
	}
	e = slurp(f, path, text, &len, r.err);
	if (!e)
		e = parse(&r, text, len);
	free(text);
	fclose(f);
	return e;
}
