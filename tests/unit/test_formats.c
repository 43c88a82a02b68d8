// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/sink_ocsf.c, sink_cef.c, sink_leef.c, sink_zeek.c: what a strict reader of each format makes
 * of every alert. The readers here are written from the formats' descriptions, not from the
 * writers. */
#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <time.h>
#include <unistd.h>

#include "alerts.h"

static const enum alert_state states[] = { ALERT_OPEN, ALERT_UPDATE, ALERT_CLOSE };

static struct sink_context context_hostile(void)
{
	struct sink_context ctx = context;

	ctx.hostname = "no=de|1\\";
	return ctx;
}

/* read_one - gives a reader one alert, without its line end. */
static void read_one(write_fn *write, void (*build)(struct alert *), enum alert_state state,
		     const struct sink_context *ctx, void (*reader)(char *line))
{
	char *line = written(write, build, state, ctx);

	line[strlen(line) - 1] = '\0';
	reader(line);
	free(line);
}

/* for_each - gives a reader every alert in every state, as a friendly and as a hostile host writes
 * it. */
static void for_each(write_fn *write, void (*reader)(char *line))
{
	struct sink_context ctx[] = { context, context_hostile(), context, context };

	ctx[1].geo = &a_hostile_place;
	ctx[2].geo = &a_place;
	ctx[3].geo = &a_network_alone;
	for (size_t i = 0; i < ARRAY_SIZE(builders); i++)
		for (size_t s = 0; s < ARRAY_SIZE(states); s++)
			for (size_t c = 0; c < ARRAY_SIZE(ctx); c++)
				read_one(write, builders[i], states[s], &ctx[c], reader);
}

/* --- OCSF --------------------------------------------------------------------------------------
 */

static json_t *ocsf; /* the schema, or NULL */
static const json_t *ocsf_profiles;

static const char *str(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static bool has_profile(const char *profile)
{
	for (size_t i = 0; i < json_array_size(ocsf_profiles); i++)
		if (!strcmp(json_string_value(json_array_get(ocsf_profiles, i)), profile))
			return true;
	return false;
}

static void ocsf_scalar(const char *path, const char *type, const json_t *value)
{
	const char *base = str(json_object_get(json_object_get(ocsf, "types"), type), "base");
	json_int_t n = json_integer_value(value);
	struct ip_addr addr;
	bool fits = false;

	if (!strcmp(base, "string_t"))
		fits = json_string_length(value) > 0;
	else if (!strcmp(base, "integer_t") || !strcmp(base, "long_t"))
		fits = json_is_integer(value);
	else if (!strcmp(base, "float_t"))
		fits = json_is_number(value);
	else if (!strcmp(base, "boolean_t"))
		fits = json_is_boolean(value);
	else if (!strcmp(base, "json_t"))
		fits = true;
	if (!strcmp(base, "integer_t"))
		fits &= n >= INT32_MIN && n <= INT32_MAX;
	if (!strcmp(type, "ip_t"))
		fits &= !addr_parse(json_string_value(value), &addr);
	if (!strcmp(type, "port_t"))
		fits &= n >= 0 && n <= 65535;
	if (!strcmp(type, "timestamp_t")) /* milliseconds: neither seconds nor microseconds */
		fits &= n > 1600000000000 && n < 2000000000000;
	if (!fits)
		fail_msg("%s is no %s", path, type);
}

/* An id has to be one of its enumeration, and the caption beside it that of the id. */
static void ocsf_enum(const char *path, const json_t *attr, const json_t *object, const char *key,
		      const json_t *value)
{
	const json_t *captions = json_object_get(attr, "e");
	const char *caption, *want;
	char id[24], sibling[64];

	snprintf(id, sizeof(id), "%lld", (long long)json_integer_value(value));
	/* The reduced schema has only the base class's values of these. */
	if (!strcmp(key, "category_uid") || !strcmp(key, "class_uid") ||
	    (strstr(path, "observables") && !strcmp(key, "type_id")))
		return;
	want = str(captions, id);
	if (!want)
		fail_msg("%s: %s is no value of it", path, id);
	snprintf(sibling, sizeof(sibling), "%.*s", (int)(strlen(key) - 3), key);
	if (!strcmp(key, "activity_id"))
		strcpy(sibling, "activity_name");
	caption = str(object, sibling);
	if (caption && strcmp(caption, want))
		fail_msg("%s is %s, '%s' beside it is not its caption", path, want, caption);
}

static void ocsf_object(const char *path, const json_t *class, const json_t *object);

static void ocsf_value(const char *path, const json_t *attr, const json_t *value)
{
	const char *type = str(attr, "t");
	const json_t *class = json_object_get(json_object_get(ocsf, "objects"), type);

	if (!strcmp(type, "object")) /* anything goes */
		assert_true(json_is_object(value));
	else if (json_object_get(json_object_get(ocsf, "types"), type))
		ocsf_scalar(path, type, value);
	else if (!class)
		fail_msg("%s: the schema at hand does not have %s", path, type);
	else
		ocsf_object(path, class, value);
}

static void ocsf_attribute(const char *path, const json_t *attr, const json_t *object,
			   const char *key, const json_t *value)
{
	const char *profile = str(attr, "p");

	if (!attr)
		fail_msg("%s is no attribute", path);
	if (json_object_get(attr, "dep"))
		fail_msg("%s is deprecated", path);
	if (profile && !has_profile(profile))
		fail_msg("%s belongs to profile %s", path, profile);
	if (!json_object_get(attr, "a") != !json_is_array(value))
		fail_msg("%s: a list where none belongs, or none where one does", path);
	if (json_is_array(value))
		for (size_t i = 0; i < json_array_size(value); i++)
			ocsf_value(path, attr, json_array_get(value, i));
	else
		ocsf_value(path, attr, value);
	if (json_object_get(attr, "e"))
		ocsf_enum(path, attr, object, key, value);
}

static void ocsf_object(const char *path, const json_t *class, const json_t *object)
{
	json_t *attrs = json_object_get(class, "attributes");
	const json_t *any = json_object_get(json_object_get(class, "constraints"), "at_least_one");
	bool one = !any;
	char below[256];
	const char *key;
	json_t *value;

	if (!json_is_object(object))
		fail_msg("%s is no object", path);
	json_object_foreach (attrs, key, value) {
		if (!strcmp(str(value, "r"), "req") && !json_object_get(object, key) &&
		    (!str(value, "p") || has_profile(str(value, "p"))))
			fail_msg("%s.%s is required", path, key);
	}
	json_object_foreach ((json_t *)(uintptr_t)object, key, value) {
		snprintf(below, sizeof(below), "%s.%s", path, key);
		ocsf_attribute(below, json_object_get(attrs, key), object, key, value);
		for (size_t i = 0; i < json_array_size(any); i++)
			one |= !strcmp(key, json_string_value(json_array_get(any, i)));
	}
	if (!one)
		fail_msg("%s has none of those of which it needs one", path);
}

static void ocsf_read(char *line)
{
	json_error_t err;
	json_t *doc = json_loads(line, JSON_REJECT_DUPLICATES, &err);

	if (!doc)
		fail_msg("%s: %s", err.text, line);
	ocsf_profiles = json_object_get(json_object_get(doc, "metadata"), "profiles");
	ocsf_object("", json_object_get(json_object_get(ocsf, "classes"), "detection_finding"),
		    doc);
	assert_int_equal(json_integer_value(json_object_get(doc, "class_uid")), 2004);
	assert_int_equal(json_integer_value(json_object_get(doc, "category_uid")), 2);
	assert_int_equal(json_integer_value(json_object_get(doc, "type_uid")),
			 200400 + json_integer_value(json_object_get(doc, "activity_id")));
	assert_string_equal(str(json_object_get(doc, "metadata"), "version"), "1.8.0");
	json_decref(doc);
}

/* What the reduced schema has no room for: location.json and autonomous_system.json of OCSF 1.8.0.
 */
static void ocsf_places(json_t *objects)
{
	static const char *const texts[] = { "city", "continent", "country", "region" };
	json_t *location = json_pack("{s:{s:[s,s,s,s]}, s:{}}", "constraints", "at_least_one",
				     "city", "country", "postal_code", "region", "attributes");
	json_t *attributes = json_object_get(location, "attributes");

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		json_object_set_new(attributes, texts[i],
				    json_pack("{s:s, s:s}", "t", "string_t", "r", "rec"));
	json_object_set_new(attributes, "lat", json_pack("{s:s, s:s}", "t", "float_t", "r", "opt"));
	json_object_set_new(attributes, "long",
			    json_pack("{s:s, s:s}", "t", "float_t", "r", "opt"));
	json_object_set_new(objects, "location", location);
	json_object_set_new(objects, "autonomous_system",
			    json_pack("{s:{s:[s,s]}, s:{s:{s:s, s:s}, s:{s:s, s:s}}}",
				      "constraints", "at_least_one", "name", "number", "attributes",
				      "name", "t", "string_t", "r", "rec", "number", "t",
				      "integer_t", "r", "rec"));
}

static void each_document_is_a_detection_finding(void **state)
{
	const char *shared = getenv("RECONMON_SHARED");
	char path[512];

	(void)state;
	snprintf(path, sizeof(path), "%s/schemas/ocsf-classes.json", shared ? shared : "../shared");
	ocsf = json_load_file(path, 0, NULL);
	if (!ocsf) {
		print_message("%s is not there (RECONMON_SHARED says where): documents are not "
			      "checked against the schema\n",
			      path);
		skip();
	}
	ocsf_places(json_object_get(ocsf, "objects"));
	for_each(sink_ocsf_write, ocsf_read);
	json_decref(ocsf);
}

static const struct field_case {
	const char *name;
	void (*build)(struct alert *);
	enum alert_state state;
	const char *path, *want; /* as JSON; NULL: not there */
} ocsf_cases[] = {
	{ "open creates", a_port_scan, ALERT_OPEN, "type_uid", "200401" },
	{ "update updates", a_port_scan, ALERT_UPDATE, "activity_name", "\"Update\"" },
	{ "close closes", a_port_scan, ALERT_CLOSE, "type_uid", "200403" },
	{ "close resolves", a_port_scan, ALERT_CLOSE, "status", "\"Resolved\"" },
	{ "the finding has the alert's id", a_port_scan, ALERT_UPDATE, "finding_info.uid",
	  "\"0192-1\"" },
	{ "the incident's is what findings have in common", a_scan_of_an_incident, ALERT_OPEN,
	  "metadata.correlation_uid", "\"0192-i7\"" },
	{ "written now, in milliseconds", a_port_scan, ALERT_OPEN, "time", "1795575000123" },
	{ "begun with the first probe", a_port_scan, ALERT_OPEN, "start_time", "1795574600123" },
	{ "severity 6 is high", a_port_scan, ALERT_OPEN, "severity", "\"High\"" },
	{ "severity 4 is medium", a_scan_taken_back, ALERT_OPEN, "severity", "\"Medium\"" },
	{ "what was taken back is not sure", a_scan_taken_back, ALERT_CLOSE, "confidence_id", "1" },
	{ "nor is what is not whole", a_port_scan_that_leaves, ALERT_OPEN, "confidence_id", "2" },
	{ "which way it went", a_port_scan_that_leaves, ALERT_OPEN,
	  "evidences.0.connection_info.direction", "\"Outbound\"" },
	{ "a sweep names no responder as endpoint", a_sweep, ALERT_OPEN, "evidences.0.dst_endpoint",
	  NULL },
	{ "many originators are no endpoint", a_distributed_scan, ALERT_OPEN,
	  "evidences.0.src_endpoint", NULL },
	{ "but all of them are seen", a_distributed_scan, ALERT_OPEN, "observables.40.value",
	  "\"10.0.2.40\"" },
	{ "... as what they are", a_distributed_scan, ALERT_OPEN, "observables.40.name",
	  "\"unmapped.originators[]\"" },
	{ "but all it found", a_sweep, ALERT_OPEN, "observables.40.value", "\"10.0.2.40\"" },
	{ "ATT&CK with sub-technique", a_port_scan, ALERT_OPEN,
	  "finding_info.attacks.0.sub_technique",
	  "{\"uid\":\"T1595.001\",\"name\":\"Scanning IP Blocks\"}" },
	{ "whose it was", a_scan_by_a_pod, ALERT_OPEN, "evidences.0.process.cmd_line",
	  "\"nmap -sS 10.0.0.9\"" },
	{ "its container", a_scan_by_a_pod, ALERT_OPEN, "evidences.0.container.pod_uuid",
	  "\"eb052b63-ea96-4728-ab4a-64ab3babccd7\"" },
	{ "its container's name", a_scan_by_a_named_pod, ALERT_OPEN, "evidences.0.container.name",
	  "\"nginx\"" },
	{ "its pod by name", a_scan_by_a_named_pod, ALERT_OPEN, "evidences.0.resources",
	  "[{\"type\":\"Pod\",\"uid\":\"eb052b63-ea96-4728-ab4a-64ab3babccd7\","
	  "\"name\":\"web-7d9f\",\"namespace\":\"shop\"}]" },
	{ "odd bytes of a command", a_scan_by_a_guess, ALERT_OPEN, "evidences.0.process.cmd_line",
	  "\"? x\"" },
	{ "a user alone", a_scan_by_an_unknown_socket, ALERT_OPEN, "evidences.0.user.uid",
	  "\"65534\"" },
	{ "what is forwarded is a container's", a_scan_from_a_container, ALERT_OPEN,
	  "evidences.0.container.uid", "\"" CONTAINER "\"" },
	{ "... and no user's", a_scan_from_a_container, ALERT_OPEN, "evidences.0.user", NULL },
	{ "ports are outside the schema", a_port_scan, ALERT_OPEN, "unmapped.answers.open",
	  "\"22,80\"" },
	{ "an interface's name that is not UTF-8", an_alert_with_a_hostile_interface, ALERT_OPEN,
	  "device.interface_name", NULL },
};

static const json_t *at(const json_t *doc, const char *path)
{
	char part[64];

	while (doc && *path) {
		size_t n = strcspn(path, ".");

		snprintf(part, sizeof(part), "%.*s", (int)n, path);
		doc = json_is_array(doc) ? json_array_get(doc, strtoul(part, NULL, 10))
					 : json_object_get(doc, part);
		path += path[n] ? n + 1 : n;
	}
	return doc;
}

static void test_ocsf(void **state)
{
	const struct field_case *c = *state;
	char *line = written(sink_ocsf_write, c->build, c->state, &context);
	json_t *doc = json_loads(line, 0, NULL);
	const json_t *value = at(doc, c->path);
	char *got = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

	if (!c->want != !got || (got && strcmp(got, c->want)))
		fail_msg("%s: %s instead of %s", c->path, got, c->want);
	free(got);
	free(line);
	json_decref(doc);
}

/* --- CEF ---------------------------------------------------------------------------------------
 */

/* Keys and values of an event, as its reader takes them apart. */
struct pairs {
	const char *key[64], *value[64];
	unsigned int n;
};

static const char *value_of(const struct pairs *p, const char *key)
{
	for (unsigned int i = 0; i < p->n; i++)
		if (!strcmp(p->key[i], key))
			return p->value[i];
	return NULL;
}

static void pair_add(struct pairs *p, const char *key, const char *value)
{
	assert_true(p->n < ARRAY_SIZE(p->key));
	if (!*key ||
	    strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") !=
		    strlen(key))
		fail_msg("'%s' is no key", key);
	if (value_of(p, key))
		fail_msg("%s stands there twice", key);
	if (!*value)
		fail_msg("%s is empty", key);
	p->key[p->n] = key;
	p->value[p->n++] = value;
}

static void no_controls(const char *text, const char *allowed)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' && !strchr(allowed, *text))
			fail_msg("byte %#x in: %s", *text, text);
}

/* unescape - in place; `special`: what may follow a backslash beside another one. */
static void unescape(char *text, const char *special)
{
	char *to = text;

	for (; *text; text++) {
		if (*text != '\\') {
			*to++ = *text;
			continue;
		}
		text++;
		if (*text != '\\' && (!*text || !strchr(special, *text)))
			fail_msg("'\\%c' is no escape", *text);
		*to++ = *text == 'n' && strchr(special, 'n')   ? '\n'
			: *text == 'r' && strchr(special, 'r') ? '\r'
							       : *text;
	}
	*to = '\0';
}

/* next_bare - the next c that no backslash stands before, or NULL. */
static char *next_bare(char *text, char c)
{
	for (; *text; text++) {
		if (*text == '\\' && text[1])
			text++;
		else if (*text == c)
			return text;
	}
	return NULL;
}

/* header_split - cuts n fields that end in a bare '|' off the line. Returns what follows. */
static char *header_split(char *line, char **field, unsigned int n, bool escapes)
{
	for (unsigned int i = 0; i < n; i++) {
		char *end = escapes ? next_bare(line, '|') : strchr(line, '|');

		if (!end)
			fail_msg("field %u of the header does not end: %s", i, line);
		field[i] = line;
		*end = '\0';
		line = end + 1;
		if (escapes)
			unescape(field[i], "|");
	}
	return line;
}

static void cef_extension(char *text, struct pairs *ret)
{
	char *key = text, *equals, *next;

	for (; *key; key = next) {
		equals = next_bare(key, '=');
		if (!equals)
			fail_msg("no key in: %s", key);
		*equals = '\0';
		next = next_bare(equals + 1, '=');
		if (next) { /* the word before it is the next key */
			while (*next != ' ' && next > equals + 1)
				next--;
			*next++ = '\0';
		} else {
			next = equals + 1 + strlen(equals + 1);
		}
		unescape(equals + 1, "=nr");
		pair_add(ret, key, equals + 1);
	}
}

static const char *const cef_keys[] = {
	"rt",
	"start",
	"end",
	"externalId",
	"cat",
	"act",
	"src",
	"dst",
	"dpt",
	"proto",
	"deviceDirection",
	"deviceInboundInterface",
	"cnt",
	"dvchost",
	"reason",
	"msg",
	"deviceOutboundInterface",
	"c6a2",
	"c6a3",
	"cs1",
	"cs2",
	"cs3",
	"cs6",
	"cn1",
	"cn2",
	"cn3",
	"spid",
	"sproc",
	"suid",
	"suser",
	"cs4",
	"cs5",
	"flexString1",
	"flexString2",
};

static void cef_check_keys(const struct pairs *p)
{
	for (unsigned int i = 0; i < p->n; i++) {
		char bare[64], label[80];
		bool known = false, is_label;
		size_t len = strlen(p->key[i]);

		snprintf(bare, sizeof(bare), "%s", p->key[i]);
		is_label = len > 5 && !strcmp(bare + len - 5, "Label");
		if (is_label)
			bare[len - 5] = '\0';
		for (size_t k = 0; k < ARRAY_SIZE(cef_keys); k++)
			known |= !strcmp(bare, cef_keys[k]);
		if (!known)
			fail_msg("%s is not in the dictionary", p->key[i]);
		snprintf(label, sizeof(label), "%sLabel", bare);
		if ((bare[0] == 'c' || bare[0] == 'f') && bare[strlen(bare) - 1] <= '9' &&
		    (!value_of(p, label) || !value_of(p, bare)))
			fail_msg("%s and %s do not stand together", bare, label);
	}
}

static void addr_check(const char *text, bool v4)
{
	struct ip_addr a;

	if (text && (addr_parse(text, &a) || addr_is_v4(&a) != v4))
		fail_msg("%s is no address of IPv%d", text, v4 ? 4 : 6);
}

static struct pairs last; /* what a reader saw last */
static char *last_name;

static void cef_read(char *line)
{
	static char copy[8192];
	char *field[7], *extension;

	assert_true(strlen(line) < 4096);
	no_controls(line, "");
	strcpy(copy, line);
	memset(&last, 0, sizeof(last));
	extension = header_split(copy, field, 7, true);
	assert_string_equal(field[0], "CEF:0");
	assert_string_equal(field[1], "reconmon");
	assert_string_equal(field[2], "reconmon");
	assert_string_equal(field[3], RECONMON_VERSION);
	assert_true(strtoul(field[6], NULL, 10) <= 10);
	last_name = field[5];
	cef_extension(extension, &last);
	cef_check_keys(&last);
	addr_check(value_of(&last, "src"), true);
	addr_check(value_of(&last, "dst"), true);
	addr_check(value_of(&last, "c6a2"), false);
	addr_check(value_of(&last, "c6a3"), false);
	assert_true(value_of(&last, "src") || value_of(&last, "c6a2") ||
		    !strcmp(field[4], distributed.name));
	assert_int_equal(strlen(value_of(&last, "rt")), 13);
}

static void each_line_is_a_cef_event(void **state)
{
	(void)state;
	for_each(sink_cef_write, cef_read);
}

static void cef_carries_hostile_names_whole(void **state)
{
	struct sink_context ctx = context_hostile();
	(void)state;
	read_one(sink_cef_write, an_alert_with_hostile_names, ALERT_OPEN, &ctx, cef_read);
	/* Line ends and tabs have no escape in a header. */
	assert_string_equal(last_name, "a=b|c\\d e f g \"h] \xc3\xbc,\x7f");
	assert_string_equal(value_of(&last, "deviceOutboundInterface"), "x=1|\\ =\"]");
	assert_string_equal(value_of(&last, "dvchost"), "no=de|1\\");
	assert_string_equal(value_of(&last, "c6a2"), "2001:db8::5");
	assert_string_equal(value_of(&last, "c6a2Label"), "Source IPv6 Address");
	assert_string_equal(value_of(&last, "act"), "open");
	assert_string_equal(value_of(&last, "cs1"), "53,123");
	assert_string_equal(value_of(&last, "cn1"), "2");
	assert_string_equal(value_of(&last, "flexString1"), "0192-i0");
	assert_string_equal(value_of(&last, "flexString1Label"), "Incident");
}

static void cef_carries_a_hostile_process_whole(void **state)
{
	(void)state;
	read_one(sink_cef_write, a_scan_by_a_hostile_process, ALERT_OPEN, &context, cef_read);
	/* Line ends have an escape in values, a tab has none. */
	assert_string_equal(value_of(&last, "sproc"), "/tmp/a=b|c\\d e\nf\rg \"h] \xc3\xbc,\x7f");
	assert_string_equal(value_of(&last, "suser"), "us=er|\\");
	assert_string_equal(value_of(&last, "spid"), "4243");
}

static void cef_says_that_a_list_is_cut(void **state)
{
	const char *ports;

	(void)state;
	read_one(sink_cef_write, a_scan_of_every_other_port, ALERT_OPEN, &context, cef_read);
	ports = value_of(&last, "cs1");
	assert_true(strlen(ports) > 1000);
	assert_string_equal(ports + strlen(ports) - 4, ",...");
	assert_string_equal(value_of(&last, "cn1"), "32768");
}

/* --- LEEF --------------------------------------------------------------------------------------
 */

/* Predefined ones (IBM, LEEF 2.0) and those we define. */
static const char *const leef_keys[] = {
	"devTime",
	"cat",
	"sev",
	"src",
	"dst",
	"dstPort",
	"proto",
	"policy",
	"identHostName",
	"direction",
	"interface",
	"state",
	"alertId",
	"incidentId",
	"srcCountry",
	"srcCity",
	"srcAsn",
	"srcOrganization",
	"ports",
	"count",
	"answersOpen",
	"technique",
	"answersClosed",
	"answersNone",
	"attempts",
	"threshold",
	"window",
	"firstTime",
	"lastTime",
	"attack",
	"retracted",
	"incomplete",
	"msg",
	"portsTruncated",
	"answersFiltered",
	"usrName",
	"uid",
	"pid",
	"process",
	"containerId",
	"podNamespace",
	"podName",
	"containerName",
	"pod",
	"unit",
};

static void leef_read(char *line)
{
	static char copy[8192];
	char *field[6], *at, *end;

	assert_true(strlen(line) < 4096);
	no_controls(line, "\t");
	strcpy(copy, line);
	memset(&last, 0, sizeof(last));
	at = header_split(copy, field, 6, false);
	assert_string_equal(field[0], "LEEF:2.0");
	assert_string_equal(field[1], "reconmon");
	assert_string_equal(field[2], "reconmon");
	assert_string_equal(field[3], RECONMON_VERSION);
	assert_string_equal(field[5], "x09");
	for (; at; at = end) {
		char *equals = strchr(at, '=');
		bool known = false;

		end = strchr(at, '\t');
		if (end)
			*end++ = '\0';
		assert_non_null(equals);
		*equals = '\0';
		pair_add(&last, at, equals + 1);
		for (size_t k = 0; k < ARRAY_SIZE(leef_keys); k++)
			known |= !strcmp(at, leef_keys[k]);
		if (!known)
			fail_msg("%s is no key of ours", at);
	}
	assert_in_range(strtoul(value_of(&last, "sev"), NULL, 10), 1, 10);
	assert_int_equal(strlen(value_of(&last, "devTime")), 13);
	assert_string_equal(value_of(&last, "cat"), "reconnaissance");
	assert_string_equal(value_of(&last, "policy"), field[4]);
}

static void each_line_is_a_leef_event(void **state)
{
	(void)state;
	for_each(sink_leef_write, leef_read);
}

static void leef_carries_hostile_names(void **state)
{
	struct sink_context ctx = context_hostile();
	(void)state;
	read_one(sink_leef_write, an_alert_with_hostile_names, ALERT_CLOSE, &ctx, leef_read);
	assert_string_equal(value_of(&last, "interface"), "x=1|\\ =\"]"); /* the tab is a blank */
	assert_string_equal(value_of(&last, "identHostName"), "no=de|1\\");
	assert_string_equal(value_of(&last, "src"), "2001:db8::5");
	assert_string_equal(value_of(&last, "state"), "close");
	assert_string_equal(value_of(&last, "incomplete"), "true");
	assert_string_equal(value_of(&last, "incidentId"), "0192-i0");
}

static void leef_carries_a_hostile_process(void **state)
{
	(void)state;
	read_one(sink_leef_write, a_scan_by_a_hostile_process, ALERT_OPEN, &context, leef_read);
	assert_string_equal(value_of(&last, "process"), "/tmp/a=b|c\\d e f g \"h] \xc3\xbc,\x7f");
	assert_string_equal(value_of(&last, "usrName"), "us=er|\\");
	assert_string_equal(value_of(&last, "unit"), "a=b|c\\.service");
}

static void leef_says_that_a_list_is_cut(void **state)
{
	(void)state;
	read_one(sink_leef_write, a_scan_of_every_other_port, ALERT_OPEN, &context, leef_read);
	assert_string_equal(value_of(&last, "portsTruncated"), "true");
	assert_string_equal(value_of(&last, "count"), "32768");
}

/* --- where an originator is, in all of them -----------------------------------------------------
 */

static void whose_network_it_is(void **state)
{
	struct sink_context ctx = context;

	(void)state;
	ctx.geo = &a_place;
	read_one(sink_cef_write, a_port_scan, ALERT_OPEN, &ctx, cef_read);
	assert_string_equal(value_of(&last, "flexString2"), "DE, AS64496 Example Net AG");
	assert_string_equal(value_of(&last, "flexString2Label"), "Origin");

	read_one(sink_leef_write, a_port_scan, ALERT_OPEN, &ctx, leef_read);
	assert_string_equal(value_of(&last, "srcCountry"), "DE");
	assert_string_equal(value_of(&last, "srcCity"), "Berlin");
	assert_string_equal(value_of(&last, "srcAsn"), "64496");
	assert_string_equal(value_of(&last, "srcOrganization"), "Example Net AG");
}

/* --- Zeek's notice.log --------------------------------------------------------------------------
 */

enum {
	COLUMNS_MAX = 64
};

static char zeek_header[4096];
static char *zeek_fields[COLUMNS_MAX], *zeek_types[COLUMNS_MAX];
static unsigned int zeek_columns;

static unsigned int split(char *line, char **ret)
{
	unsigned int n = 0;

	for (char *next; line; line = next) {
		next = strchr(line, '\t');
		if (next)
			*next++ = '\0';
		assert_true(n < COLUMNS_MAX);
		ret[n++] = line;
	}
	return n;
}

/* Reads what a file begins with, as strictly as the manual of Zeek's ASCII writer has it. */
static void zeek_begin(void)
{
	static const char *const lines[] = {
		"#separator \\x09", "#set_separator\t,", "#empty_field\t(empty)",
		"#unset_field\t-",  "#path\tnotice",	 "#open\t2026-11-25-02-50-00"
	};
	FILE *out = fmemopen(zeek_header, sizeof(zeek_header), "w");
	char *at = zeek_header;

	assert_int_equal(sink_zeek_tsv_begin(out, 1795575000123456789ull), 0);
	fclose(out);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		assert_int_equal(strncmp(at, lines[i], strlen(lines[i])), 0);
		at += strlen(lines[i]);
		assert_int_equal(*at++, '\n');
	}
	assert_int_equal(strncmp(at, "#fields\t", 8), 0);
	zeek_columns = split(strtok(at + 8, "\n"), zeek_fields);
	at = strtok(NULL, "\n");
	assert_int_equal(strncmp(at, "#types\t", 7), 0);
	assert_int_equal(split(at + 7, zeek_types), zeek_columns);
	assert_null(strtok(NULL, "\n"));
}

static bool all_digits(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

static bool is_seconds(const char *text)
{
	const char *dot = strchr(text, '.');

	return dot && dot > text && strspn(text, "0123456789") == (size_t)(dot - text) &&
	       all_digits(dot + 1) && strlen(dot + 1) == 6;
}

/* hex_unescape - in place; "\\" and "\xNN" only. */
static void hex_unescape(char *text)
{
	char *to = text;

	for (; *text; text++) {
		unsigned int c;

		if (*text != '\\') {
			*to++ = *text;
			continue;
		}
		if (*++text == '\\') {
			*to++ = '\\';
			continue;
		}
		if (*text != 'x' || sscanf(text + 1, "%2x", &c) != 1)
			fail_msg("'\\%s' is no escape", text);
		*to++ = (char)c;
		text += 2;
	}
	*to = '\0';
}

static void zeek_value(const char *name, const char *type, char *value)
{
	struct ip_addr addr;
	bool fits = true;

	if (!strcmp(value, "-"))
		return;
	if (!strcmp(type, "time") || !strcmp(type, "interval"))
		fits = is_seconds(value);
	else if (!strcmp(type, "addr"))
		fits = !addr_parse(value, &addr);
	else if (!strcmp(type, "port"))
		fits = all_digits(value) && strtoul(value, NULL, 10) <= 65535;
	else if (!strcmp(type, "count"))
		fits = all_digits(value);
	else if (!strcmp(type, "bool"))
		fits = !strcmp(value, "T") || !strcmp(value, "F");
	else if (!strcmp(type, "enum"))
		fits = strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_:") ==
		       strlen(value);
	else if (!strcmp(type, "string"))
		hex_unescape(value);
	else if (!strcmp(type, "double"))
		fits = is_seconds(value + (*value == '-'));
	else if (strncmp(type, "set[", 4))
		fail_msg("%s: type %s has never a value here", name, type);
	if (!fits || !*value)
		fail_msg("%s: '%s' is no %s", name, value, type);
}

static char *zeek_row[COLUMNS_MAX];

static const char *zeek_at(const char *name)
{
	for (unsigned int i = 0; i < zeek_columns; i++)
		if (!strcmp(zeek_fields[i], name))
			return zeek_row[i];
	fail_msg("no column %s", name);
	return NULL;
}

static void zeek_read(char *line)
{
	static char copy[65536];

	assert_true(strlen(line) < sizeof(copy));
	no_controls(line, "\t");
	strcpy(copy, line);
	assert_int_equal(split(copy, zeek_row), zeek_columns);
	for (unsigned int i = 0; i < zeek_columns; i++)
		zeek_value(zeek_fields[i], zeek_types[i], zeek_row[i]);
	assert_string_equal(zeek_at("ts"), "1795575000.123456");
	assert_string_equal(zeek_at("actions"), "Notice::ACTION_LOG");
	assert_int_equal(strncmp(zeek_at("note"), "Reconmon::", 10), 0);
}

static void each_row_is_one_of_notice_log(void **state)
{
	(void)state;
	zeek_begin();
	for_each(sink_zeek_tsv_write, zeek_read);
}

static void zeek_carries_hostile_names_whole(void **state)
{
	struct sink_context ctx = context;

	(void)state;
	ctx.hostname = "-";
	zeek_begin();
	read_one(sink_zeek_tsv_write, an_alert_with_hostile_names, ALERT_OPEN, &ctx, zeek_read);
	assert_string_equal(zeek_at("reconmon_interface"), "x=1|\\\t=\"]");
	assert_string_equal(zeek_at("peer_descr"), "-"); /* was \x2d: a name, not unset */
	assert_string_equal(zeek_at("note"), "Reconmon::Port_Scan");
	assert_string_equal(zeek_at("src"), "2001:db8::5");
	assert_string_equal(zeek_at("sub"), "local");
	assert_string_equal(zeek_at("email_dest"), "(empty)");
	assert_string_equal(zeek_at("reconmon_incomplete"), "T");
	assert_string_equal(zeek_at("reconmon_incident"), "0192-i0");
}

static void zeek_has_columns_for_places(void **state)
{
	struct sink_context ctx = context;

	(void)state;
	ctx.geo = &a_place;
	zeek_begin();
	read_one(sink_zeek_tsv_write, a_port_scan, ALERT_OPEN, &ctx, zeek_read);
	assert_string_equal(zeek_at("remote_location.country_code"), "DE");
	assert_string_equal(zeek_at("remote_location.region"), "Land Berlin");
	assert_string_equal(zeek_at("remote_location.latitude"), "52.520000");
	assert_string_equal(zeek_at("remote_location.longitude"), "-13.405000");
	assert_string_equal(zeek_at("reconmon_asn"), "64496");
	assert_string_equal(zeek_at("reconmon_organization"), "Example Net AG");
}

static void zeek_ends_with_its_close(void **state)
{
	char text[64] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	(void)state;
	assert_int_equal(sink_zeek_tsv_end(out, 1795575000123456789ull), 0);
	fclose(out);
	assert_string_equal(text, "#close\t2026-11-25-02-50-00\n");
}

static void zeek_json_read(char *line)
{
	json_error_t err;
	json_t *doc = json_loads(line, JSON_REJECT_DUPLICATES, &err), *value;
	const char *key;

	if (!doc)
		fail_msg("%s: %s", err.text, line);
	assert_non_null(strstr(line, "\"ts\":1795575000.123456,"));
	json_object_foreach (doc, key, value) {
		const char *type = NULL;
		bool fits;

		for (unsigned int i = 0; i < zeek_columns; i++)
			if (!strcmp(zeek_fields[i], key))
				type = zeek_types[i];
		if (!type)
			fail_msg("%s is no column", key);
		if (!strcmp(type, "time") || !strcmp(type, "interval") || !strcmp(type, "double"))
			fits = json_is_real(value);
		else if (!strcmp(type, "count") || !strcmp(type, "port"))
			fits = json_is_integer(value);
		else if (!strcmp(type, "bool"))
			fits = json_is_boolean(value);
		else if (!strncmp(type, "set[", 4))
			fits = json_is_array(value);
		else
			fits = json_string_length(value) > 0;
		if (!fits)
			fail_msg("%s is no %s", key, type);
	}
	assert_non_null(json_object_get(doc, "note"));
	assert_true(json_object_get(doc, "src") ||
		    !strcmp(str(doc, "note"), "Reconmon::Distributed_Scan"));
	json_decref(doc);
}

static void each_document_is_one_of_notice_log(void **state)
{
	(void)state;
	zeek_begin();
	for_each(sink_zeek_json_write, zeek_json_read);
}

/* --- syslog's header
 * ------------------------------------------------------------------------------ */

static char *framed(void (*build)(struct alert *), const struct output_config *oc,
		    const struct sink_context *ctx)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	struct alert a;

	build(&a);
	assert_int_equal(sink_frame_syslog(out, &a, ALERT_UPDATE, ctx, oc), 0);
	an_alert_done(&a);
	fclose(out);
	return text;
}

static void structured_data_carries_hostile_names_whole(void **state)
{
	const struct output_config oc = { .transport = SYSLOG_UDP,
					  .facility = 16,
					  .enterprise = 32473 };
	struct sink_context ctx = context;
	char *got, want[512];

	(void)state;
	ctx.hostname = "no de"; /* a blank would end the field */
	got = framed(an_alert_with_hostile_names, &oc, &ctx);
	snprintf(want, sizeof(want),
		 "<132>1 2026-11-25T02:50:00.123456Z - reconmon %d port-scan [reconmon@32473 "
		 "rule=\"port-scan\" state=\"update\" id=\"0192-1\" seq=\"17\" "
		 "incident=\"0192-i0\" severity=\"6\" "
		 "src=\"2001:db8::5\" dst=\"2001:db8::9\" proto=\"udp\" "
		 "interface=\"x=1|\\\\\t=\\\"\\]\"] ",
		 (int)getpid());
	assert_string_equal(got, want);
	free(got);
}

static void leef_has_the_short_header(void **state)
{
	const struct output_config oc = { .transport = SYSLOG_TCP,
					  .facility = 3,
					  .format = FORMAT_LEEF };
	char *got = framed(a_port_scan, &oc, &context);

	(void)state;
	assert_string_equal(got, "<28>1 2026-11-25T02:50:00.123Z node1 ");
	free(got);
}

static void a_local_socket_gets_what_syslog_3_writes(void **state)
{
	const struct output_config oc = { .transport = SYSLOG_UNIX, .facility = 23 };
	char *got, want[128];

	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	got = framed(a_port_scan, &oc, &context);
	snprintf(want, sizeof(want), "<188>Nov 25 02:50:00 reconmon[%d]: ", (int)getpid());
	assert_string_equal(got, want);
	free(got);
}

/* --- what goes wrong -----------------------------------------------------------------------------
 */

static void a_full_disk_is_an_error(void **state)
{
	static write_fn *const sinks[] = { sink_ocsf_write, sink_cef_write, sink_leef_write,
					   sink_zeek_tsv_write, sink_zeek_json_write };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sinks); i++) {
		FILE *out = fopen("/dev/full", "w");
		struct alert a;

		assert_non_null(out);
		a_port_scan(&a);
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

/* Each allocation fails once, and all that follow it: nothing is written then, nothing leaks. */
static void want_of_memory_writes_nothing(void **state)
{
	static write_fn *const sinks[] = { sink_ocsf_write, sink_zeek_json_write };

	(void)state;
	json_set_alloc_funcs(scarce_malloc, free);
	for (size_t i = 0; i < ARRAY_SIZE(sinks); i++) {
		int r = -ENOMEM;

		/* Where memory comes back in between, a field may be missing: sink_known(). */
		for (unsigned int n = 0; r == -ENOMEM && n < 10000; n++) {
			struct alert a;
			char *text = NULL;
			size_t len = 0;
			FILE *out = open_memstream(&text, &len);

			a_sweep(&a);
			allocations_left = n;
			r = sinks[i](out, &a, ALERT_OPEN, &context);
			fclose(out);
			assert_int_equal(r == -ENOMEM, len == 0);
			an_alert_done(&a);
			free(text);
		}
		assert_int_equal(r, 0);
	}
	json_set_alloc_funcs(malloc, free);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_document_is_a_detection_finding),
		cmocka_unit_test(each_line_is_a_cef_event),
		cmocka_unit_test(cef_carries_hostile_names_whole),
		cmocka_unit_test(cef_carries_a_hostile_process_whole),
		cmocka_unit_test(cef_says_that_a_list_is_cut),
		cmocka_unit_test(each_line_is_a_leef_event),
		cmocka_unit_test(leef_carries_hostile_names),
		cmocka_unit_test(leef_carries_a_hostile_process),
		cmocka_unit_test(leef_says_that_a_list_is_cut),
		cmocka_unit_test(each_row_is_one_of_notice_log),
		cmocka_unit_test(zeek_carries_hostile_names_whole),
		cmocka_unit_test(whose_network_it_is),
		cmocka_unit_test(zeek_has_columns_for_places),
		cmocka_unit_test(zeek_ends_with_its_close),
		cmocka_unit_test(each_document_is_one_of_notice_log),
		cmocka_unit_test(structured_data_carries_hostile_names_whole),
		cmocka_unit_test(leef_has_the_short_header),
		cmocka_unit_test(a_local_socket_gets_what_syslog_3_writes),
		cmocka_unit_test(a_full_disk_is_an_error),
		cmocka_unit_test(want_of_memory_writes_nothing),
	};
	struct CMUnitTest fields[ARRAY_SIZE(ocsf_cases)];
	int failed = 0;

	for (size_t i = 0; i < ARRAY_SIZE(ocsf_cases); i++)
		fields[i] = (struct CMUnitTest){ .name = ocsf_cases[i].name,
						 .test_func = test_ocsf,
						 .initial_state = (void *)&ocsf_cases[i] };
	failed += cmocka_run_group_tests_name("sink_ocsf_write: fields", fields, NULL, NULL);
	failed += cmocka_run_group_tests_name("formats", tests, NULL, NULL);
	return failed != 0;
}
