// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "control_request.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "words.h"

static const char *const names[CONTROL_GET_MAX] = { "status", "live", "alerts" };

static int take_get(const json_t *value, struct control_request *q, struct error *err)
{
	const char *word = json_string_value(value);
	unsigned int i;
	int r;

	if (!word)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "get: a text is expected: status, live or alerts");
	r = choice_parse("get", word, names, CONTROL_GET_MAX, &i, err);
	if (!r)
		q->get = (enum control_get)i;
	return r;
}

static int take_every(const json_t *value, struct control_request *q, struct error *err)
{
	json_int_t ms = json_integer_value(value);

	if (!json_is_integer(value) || ms < CONTROL_EVERY_MIN_MS || ms > CONTROL_EVERY_MAX_MS)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "every_ms: a whole number of milliseconds from %d to %d is "
				 "expected",
				 CONTROL_EVERY_MIN_MS, CONTROL_EVERY_MAX_MS);
	q->every_ms = (uint32_t)ms;
	return 0;
}

static int take_id(const json_t *value, struct control_request *q, struct error *err)
{
	const char *id = json_string_value(value);

	if (!id || !*id || strlen(id) >= sizeof(q->id))
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "id: the id of an alert is expected, at most %zu characters",
				 sizeof(q->id) - 1);
	strcpy(q->id, id);
	return 0;
}

static int take_key(const char *key, const json_t *value, struct control_request *q,
		    struct error *err)
{
	if (!strcmp(key, "get"))
		return take_get(value, q, err);
	if (!strcmp(key, "every_ms"))
		return take_every(value, q, err);
	if (!strcmp(key, "id"))
		return take_id(value, q, err);
	return error_set(err, -EINVAL, EXIT_USAGE, "no key '%.40s'; there are get, every_ms and id",
			 key);
}

static int take_request(json_t *root, struct control_request *ret, struct error *err)
{
	struct control_request q = { .get = CONTROL_STATUS };
	const char *key;
	json_t *value;
	int r = 0;

	json_object_foreach (root, key, value) {
		r = take_key(key, value, &q, err);
		if (r < 0)
			return r;
	}
	if (!json_object_get(root, "get"))
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "`get` is missing: status, live or alerts");
	if (q.every_ms && q.get == CONTROL_ALERTS)
		return error_set(err, -EINVAL, EXIT_USAGE, "every_ms goes with status and live");
	if (q.id[0] && q.get != CONTROL_ALERTS)
		return error_set(err, -EINVAL, EXIT_USAGE, "id goes with alerts");
	*ret = q;
	return 0;
}

int control_request_parse(const char *line, size_t len, struct control_request *ret,
			  struct error *err)
{
	json_error_t why;
	json_t *root;
	int r;

	if (len > CONTROL_LINE_MAX)
		return error_set(err, -EINVAL, EXIT_USAGE, "a request has at most %d bytes",
				 CONTROL_LINE_MAX);
	root = json_loadb(line, len, JSON_REJECT_DUPLICATES, &why);
	if (!json_is_object(root)) {
		json_decref(root);
		return error_set(
			err, -EINVAL, EXIT_USAGE,
			"not a JSON object; a request is a line like {\"get\":\"status\"}");
	}
	r = take_request(root, ret, err);
	json_decref(root);
	return r;
}
