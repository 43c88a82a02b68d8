// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* How do habits outlive the daemon? As one JSON document: readable, because people will want to
 * know what is excused on their host, and in wall clock, because the evidence's begins with each
 * boot. */
#include "habit.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net.h"

#define NS_PER_MS 1000000

enum {
	FILE_VERSION = 1,
	FILE_BYTES_MAX = 256 << 20, /* more than the highest --limit habits= makes */
};

/* --- writing --- */

struct writer {
	json_t *list;
	int64_t offset_ns;
	bool failed;
};

static json_int_t ms_of(const struct writer *w, int64_t t_ns)
{
	return (json_int_t)((t_ns + w->offset_ns) / NS_PER_MS);
}

/* whose_json - of whom the habit is; NULL if a program's name is no UTF-8: such a habit is learnt
 * anew. */
static json_t *whose_json(const struct habit_id *id)
{
	char orig[NET_TEXT_MAX], resp[NET_TEXT_MAX];

	if (id->kind == HABIT_PROGRAM)
		return json_pack("{s:s, s:s, s:I}", "kind", habit_kind_name(id->kind), "program",
				 id->program, "uid", (json_int_t)id->uid);
	return json_pack("{s:s, s:s, s:s*}", "kind", habit_kind_name(id->kind), "originator",
			 addr_format(&id->orig, orig), "responder",
			 id->kind == HABIT_CONTACT ? addr_format(&id->resp, resp) : NULL);
}

static void write_one(void *ctx, const struct habit_id *id, const struct habit *b)
{
	struct writer *w = ctx;
	json_t *o = whose_json(id), *rest;

	if (!o)
		return;
	rest = json_pack("{s:i, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "port", id->port,
			 "protocol", id->proto, "since_ms", ms_of(w, b->since_ns), "ready_ms",
			 ms_of(w, b->ready_ns), "last_ms", ms_of(w, b->last_ns), "pause_ms",
			 (json_int_t)(b->pause_ns / NS_PER_MS), "seen", (json_int_t)b->seen,
			 "excused", (json_int_t)b->excused, "said", b->said);
	if (!rest || json_object_update(o, rest) || json_array_append(w->list, o))
		w->failed = true;
	json_decref(rest);
	json_decref(o);
}

/* A file that is there is never half of one, whenever the power goes. */
static int replace(const char *path, json_t *doc, struct error *err)
{
	char temp[PATH_MAX];
	int fd, r;

	if (snprintf(temp, sizeof(temp), "%s.new", path) >= (int)sizeof(temp))
		return error_set(err, -ENAMETOOLONG, EXIT_RUNTIME, "state '%.80s...': %s", path,
				 strerror(ENAMETOOLONG));
	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return error_set(err, -errno, EXIT_RUNTIME, "state '%s': %s", temp,
				 strerror(errno));
	errno = 0;
	r = json_dumpfd(doc, fd, JSON_INDENT(1)) || fdatasync(fd) ? -(errno ? errno : EIO) : 0;
	if (close(fd) && !r)
		r = -errno;
	if (!r && rename(temp, path))
		r = -errno;
	if (!r)
		return 0;
	unlink(temp);
	return error_set(err, r, EXIT_RUNTIME, "state '%s': %s", path, strerror(-r));
}

int habits_save(const struct habits *h, const char *path, int64_t wall_offset_ns, struct error *err)
{
	struct writer w = { .list = json_array(), .offset_ns = wall_offset_ns };
	json_t *doc;
	int r;

	w.failed = !w.list;
	if (w.list)
		habits_each(h, write_one, &w);
	doc = json_pack("{s:i, s:o}", "version", FILE_VERSION, "habits", w.list);
	if (!doc || w.failed)
		r = error_set(err, -ENOMEM, EXIT_RUNTIME, "state '%s': no memory to write it",
			      path);
	else
		r = replace(path, doc, err);
	json_decref(doc);
	return r;
}

/* --- reading --- */

struct reader {
	struct habits *h;
	int64_t offset_ns, now_ns;
	uint32_t n;
};

static int64_t ns_of(const struct reader *r, json_int_t ms)
{
	int64_t t = (int64_t)ms * NS_PER_MS - r->offset_ns;

	return t < r->now_ns ? t : r->now_ns; /* the clock was put back meanwhile */
}

/* read_whose - of whom it is. Returns 0 or -EINVAL. */
static int read_whose(json_t *o, struct habit_id *id)
{
	const char *kind = "", *orig = NULL, *resp = NULL, *program = NULL;
	json_int_t uid = 0;

	if (json_unpack(o, "{s:s, s?s, s?s, s?s, s?I}", "kind", &kind, "originator", &orig,
			"responder", &resp, "program", &program, "uid", &uid))
		return -EINVAL;
	for (id->kind = HABIT_CONTACT; strcmp(kind, habit_kind_name(id->kind)) != 0;)
		if (++id->kind == HABIT_KIND_MAX)
			return -EINVAL;
	if (id->kind != HABIT_PROGRAM) {
		if (!orig || addr_parse(orig, &id->orig))
			return -EINVAL;
		return id->kind == HABIT_SERVICE ? 0 : resp ? addr_parse(resp, &id->resp) : -EINVAL;
	}
	if (!program || !*program || strlen(program) > OWNER_COMM_LEN || uid < 0 ||
	    uid > UINT32_MAX)
		return -EINVAL;
	strcpy(id->program, program);
	id->uid = (uint32_t)uid;
	return 0;
}

/* Ten thousand years on either side of now: what is beyond would overflow. */
static bool is_time(json_int_t ms)
{
	return ms >= 0 && ms < INT64_MAX / NS_PER_MS;
}

static int read_one(struct reader *r, json_t *o)
{
	json_int_t port, proto, since, ready, last, pause, seen, excused;
	struct habit_id id = { .port = 0 };
	struct habit b;
	int said;

	if (read_whose(o, &id) ||
	    json_unpack(o, "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "port", &port,
			"protocol", &proto, "since_ms", &since, "ready_ms", &ready, "last_ms",
			&last, "pause_ms", &pause, "seen", &seen, "excused", &excused, "said",
			&said))
		return -EINVAL;
	if (port < 0 || port > UINT16_MAX || proto < 0 || proto > UINT8_MAX || seen < 0 ||
	    seen > UINT32_MAX || excused < 0 || excused > UINT32_MAX || !is_time(since) ||
	    !is_time(ready) || !is_time(last) || !is_time(pause))
		return -EINVAL;
	id.port = (uint16_t)port;
	id.proto = (uint8_t)proto;
	b = (struct habit){ .since_ns = ns_of(r, since),
			    .last_ns = ns_of(r, last),
			    .pause_ns = pause * NS_PER_MS,
			    .ready_ns = ns_of(r, ready),
			    .seen = (uint32_t)seen,
			    .excused = (uint32_t)excused,
			    .said = said };
	return habits_put(r->h, &id, &b);
}

static int read_all(struct reader *r, json_t *doc)
{
	json_t *list, *o;
	int version, e = 0;
	size_t i;

	if (json_unpack(doc, "{s:i, s:o}", "version", &version, "habits", &list) ||
	    version != FILE_VERSION || !json_is_array(list))
		return -EINVAL;
	json_array_foreach (list, i, o) {
		e = read_one(r, o);
		if (e)
			break;
		r->n++;
	}
	return e == -ENOSPC ? 0 : e; /* a smaller limit than when it was written: the rest stays */
}

/* set_aside - keeps what cannot be read for somebody to look at, and out of the way. */
static int set_aside(const char *path, const char *why, struct error *err)
{
	char aside[PATH_MAX];

	if (snprintf(aside, sizeof(aside), "%s.damaged", path) < (int)sizeof(aside) &&
	    !rename(path, aside))
		return error_set(
			err, -EINVAL, EXIT_RUNTIME,
			"state '%s' is damaged (%s): moved to '%s'; habits are learnt anew", path,
			why, aside);
	return error_set(err, -EINVAL, EXIT_RUNTIME,
			 "state '%s' is damaged (%s): habits are learnt anew", path, why);
}

/* load_doc - the document in the file; NULL in *ret if there is no file. */
static int load_doc(const char *path, json_t **ret, struct error *err)
{
	json_error_t why;
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	*ret = NULL;
	if (fd < 0)
		return errno == ENOENT ? 0
				       : error_set(err, -errno, EXIT_RUNTIME, "state '%s': %s",
						   path, strerror(errno));
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return error_set(err, -EISDIR, EXIT_RUNTIME, "state '%s' is not a file", path);
	}
	if (st.st_size > FILE_BYTES_MAX) {
		close(fd);
		return set_aside(path, "too large", err);
	}
	*ret = json_loadfd(fd, JSON_REJECT_DUPLICATES, &why);
	close(fd);
	return *ret ? 0 : set_aside(path, why.text, err);
}

int habits_load(struct habits *h, const char *path, uint64_t now_ns, int64_t wall_offset_ns,
		uint32_t *ret_n, struct error *err)
{
	struct reader r = { .h = h, .offset_ns = wall_offset_ns, .now_ns = (int64_t)now_ns };
	json_t *doc;
	int e = load_doc(path, &doc, err);

	*ret_n = 0;
	if (e < 0 || !doc)
		return e;
	e = read_all(&r, doc);
	json_decref(doc);
	if (e == -EINVAL) {
		habits_clear(h);
		return set_aside(path, "not what reconmon writes", err);
	}
	if (e < 0)
		return error_set(err, e, EXIT_RUNTIME, "state '%s': no memory to read it", path);
	*ret_n = r.n;
	return 0;
}
