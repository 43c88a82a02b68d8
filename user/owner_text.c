// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "owner_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	CONTAINER_SHOWN = 12 /* digits of a container's id, as docker ps shows them */
};

/* ---- for people ---- */

/* text_add - appends to buf of OWNER_TEXT_MAX bytes, behind a comma if there is something; what
 * does not fit is left out. */
__attribute__((format(printf, 2, 3))) static void text_add(char *buf, const char *fmt, ...)
{
	size_t len = strlen(buf);
	va_list ap;

	if (len && len < OWNER_TEXT_MAX - 3) {
		memcpy(buf + len, ", ", 3);
		len += 2;
	}
	va_start(ap, fmt);
	vsnprintf(buf + len, OWNER_TEXT_MAX - len, fmt, ap);
	va_end(ap);
}

/* A process calls itself what it likes, with escape sequences too, and so may a cgroup be called.
 */
static void make_plain(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

static void place_add(char *buf, const struct owner *w)
{
	const struct cgroup_info *c = &w->where;

	const struct kube_names *k = w->kube;
	bool named = k && k->container[0];

	if (c->container[0])
		text_add(buf, "%s%scontainer %s%s%.*s", c->runtime, c->runtime[0] ? " " : "",
			 named ? k->container : "", named ? " " : "", CONTAINER_SHOWN,
			 c->container);
	if (k)
		text_add(buf, "pod %s/%s", k->namespace, k->pod);
	else if (c->pod[0])
		text_add(buf, "pod %s", c->pod);
	if (c->unit[0])
		text_add(buf, "unit %s", c->unit);
}

const char *owner_text(const struct alert *a, char *buf)
{
	const struct owner *w = a->owner;

	buf[0] = '\0';
	if (!w)
		return buf;
	if (w->pid)
		text_add(buf, "%s%s[%" PRIu32 "]", w->source == OWNER_GUESS ? "probably " : "",
			 w->name[0] ? w->name : "process", w->pid);
	if (w->user)
		text_add(buf, "user %s", w->user);
	else if (owner_has_user(w))
		text_add(buf, "uid %" PRIu32, w->uid);
	place_add(buf, w);
	if (a->owners > 1)
		text_add(buf, "and %" PRIu32 "%s other%s", a->owners - 1,
			 a->owners_cut ? " or more" : "", a->owners > 2 ? "s" : "");
	make_plain(buf);
	return buf;
}

/* ---- Elastic Common Schema ---- */

/* bytes_json - text of anybody's making: what is no UTF-8, which jansson refuses, is shown with its
 * odd bytes as '?'. */
static json_t *bytes_json(const char *text, size_t len)
{
	json_t *s = json_stringn(text, len);
	char *plain;

	if (s)
		return s;
	plain = malloc(len + 1);
	if (!plain)
		return NULL;
	for (size_t i = 0; i < len; i++)
		plain[i] = (unsigned char)text[i] < 0x80 ? text[i] : '?';
	s = json_stringn(plain, len);
	free(plain);
	return s;
}

static json_t *text_json(const char *text)
{
	return bytes_json(text, strlen(text));
}

static int set_text(json_t *o, const char *key, const char *text)
{
	return text && *text ? json_object_set_new(o, key, text_json(text)) : 0;
}

/* part - the object `key` of doc, made if it is not there. The document's. NULL for want of memory.
 */
static json_t *part(json_t *doc, const char *key)
{
	json_t *o = json_object_get(doc, key);

	if (o)
		return o;
	json_object_set_new(doc, key, json_object());
	return json_object_get(doc, key);
}

static json_t *args_json(const struct owner *w)
{
	json_t *list = json_array();
	size_t at = 0;

	while (list && at < w->args_len) {
		size_t n = strnlen(w->args + at, w->args_len - at);

		if (json_array_append_new(list, bytes_json(w->args + at, n)) < 0) {
			json_decref(list);
			return NULL;
		}
		at += n + 1;
	}
	return list;
}

static int command_set(json_t *process, const struct owner *w)
{
	char line[OWNER_COMMAND_MAX + 1];
	int r;

	if (!w->args_len)
		return 0;
	owner_command(w, line, sizeof(line));
	r = set_text(process, "command_line", line);
	return r | json_object_set_new(process, "args", args_json(w));
}

/* process_set - the fields of `process`. Its entity_id outlives the pid: boot, pid and start. */
static int process_set(json_t *doc, const struct owner *w, const struct sink_context *ctx)
{
	char start[SINK_TIME_MAX], uid[16];
	json_t *p;
	int r = 0;

	if (!owner_has_user(w))
		return 0;
	p = part(doc, "process");
	snprintf(uid, sizeof(uid), "%" PRIu32, w->uid);
	r |= json_object_set_new(p, "user", json_pack("{s:s, s:s*}", "id", uid, "name", w->user));
	if (!w->pid)
		return r;
	r |= json_object_set_new(p, "pid", json_integer(w->pid));
	r |= set_text(p, "name", w->name);
	r |= set_text(p, "executable", w->executable);
	r |= command_set(p, w);
	r |= json_object_set_new(p, "start", json_string(sink_time(ctx, w->start_ns, 6, start)));
	return r | json_object_set_new(p, "entity_id",
				       json_sprintf("%s-%" PRIu32 "-%" PRIu64, w->boot_id, w->pid,
						    w->start_ns));
}

/* pod_json - the orchestrator's fields; without names, what the control group says. */
static json_t *pod_json(const char *uid, const struct kube_names *k)
{
	return json_pack("{s:s, s:s*, s:{s:s, s:s*, s:s}}", "type", "kubernetes", "namespace",
			 k ? k->namespace : NULL, "resource", "type", "pod", "name",
			 k ? k->pod : NULL, "id", uid);
}

static int place_set(json_t *doc, const struct owner *w)
{
	const struct cgroup_info *c = &w->where;
	int r = 0;

	if (c->container[0]) {
		json_t *o = part(doc, "container");

		r |= set_text(o, "id", c->container);
		r |= set_text(o, "runtime", c->runtime);
		r |= set_text(o, "name", w->kube ? w->kube->container : NULL);
	}
	if (c->pod[0])
		r |= json_object_set_new(doc, "orchestrator", pod_json(c->pod, w->kube));
	return r;
}

/* own_set - what ECS has no name for. */
static int own_set(json_t *doc, const struct alert *a)
{
	const struct owner *w = a->owner;
	json_t *o = part(part(part(doc, "reconmon"), "alert"), "owner");
	int r = 0;

	r |= set_text(o, "source", owner_source_name(w->source));
	r |= json_object_set_new(o, "count", json_integer(a->owners));
	r |= json_object_set_new(o, "count_truncated", json_boolean(a->owners_cut));
	r |= set_text(o, "cgroup", w->cgroup);
	r |= set_text(o, "unit", w->where.unit);
	return r | set_text(o, "qos", w->where.qos);
}

int owner_json_set(json_t *doc, const struct alert *a, const struct sink_context *ctx)
{
	const struct owner *w = a->owner;
	int r = 0;

	if (!w)
		return 0;
	r |= process_set(doc, w, ctx);
	r |= place_set(doc, w);
	r |= own_set(doc, a);
	if (w->user)
		r |= json_object_set_new(part(doc, "related"), "user",
					 json_pack("[o]", text_json(w->user)));
	return r;
}
