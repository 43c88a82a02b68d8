// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "cgroup.h"

#include <stdio.h>
#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* A part of the path, between slashes: not terminated. systemd driver paths that were handed to a
 * runtime without systemd ("POD.slice:cri-containerd:ID") have colons too. */
struct part {
	const char *text;
	size_t len;
};

static bool is_hex(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!strchr("0123456789abcdef", s[i]) || !s[i])
			return false;
	return true;
}

static bool part_is(struct part p, const char *text)
{
	return p.len == strlen(text) && !memcmp(p.text, text, p.len);
}

static bool part_has(struct part p, const char *word)
{
	return memmem(p.text, p.len, word, strlen(word)) != NULL;
}

static bool part_ends(struct part p, const char *end)
{
	size_t len = strlen(end);

	return p.len > len && !memcmp(p.text + p.len - len, end, len);
}

static struct part without_end(struct part p, const char *end)
{
	if (part_ends(p, end))
		p.len -= strlen(end);
	return p;
}

/* What stands before a container's id. */
static const struct {
	const char *prefix, *runtime;
} runtimes[] = {
	{ "docker-", "docker" },      { "cri-containerd-", "containerd" },
	{ "nerdctl-", "containerd" }, { "crio-", "cri-o" },
	{ "libpod-", "podman" },      { "libpod-payload-", "podman" },
};

static const char *runtime_of(const char *prefix, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(runtimes); i++)
		if (len == strlen(runtimes[i].prefix) && !memcmp(prefix, runtimes[i].prefix, len))
			return runtimes[i].runtime;
	return "";
}

/* What stands as a part of its own before a part that is an id alone. */
static const char *runtime_before(struct part p)
{
	if (part_is(p, "docker"))
		return "docker";
	return part_is(p, "cri-containerd") ? "containerd" : "";
}

/* conmon watches a container of podman's or cri-o's from outside of it, in a cgroup with its id. */
static bool is_conmon(struct part p)
{
	return part_has(p, "conmon-");
}

/* read_container - "docker-ID.scope", "cri-containerd-ID.scope", "ID". Returns whether it is one.
 */
static bool read_container(struct part p, struct part before, struct cgroup_info *ret)
{
	const char *id;
	size_t prefix;

	p = without_end(p, ".scope");
	if (p.len < CGROUP_ID_LEN)
		return false;
	prefix = p.len - CGROUP_ID_LEN;
	id = p.text + prefix;
	if (!is_hex(id, CGROUP_ID_LEN) || (prefix && id[-1] != '-'))
		return false;
	ret->unit[0] = '\0';
	if (is_conmon(p)) {
		ret->container[0] = '\0';
		ret->runtime = "";
		return true;
	}
	memcpy(ret->container, id, CGROUP_ID_LEN);
	ret->container[CGROUP_ID_LEN] = '\0';
	ret->runtime = prefix ? runtime_of(p.text, prefix) : runtime_before(before);
	return true;
}

/* uid_copy - a pod's uid, in which slices have underscores for hyphens. Returns false if it is
 * none. */
static bool uid_copy(const char *text, size_t len, char *ret)
{
	static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	if (len == 32 && is_hex(text, len)) { /* a static pod's, which is a digest */
		memcpy(ret, text, len);
		ret[len] = '\0';
		return true;
	}
	if (len != sizeof(shape) - 1)
		return false;
	for (size_t i = 0; i < len; i++) {
		bool hyphen = text[i] == '-' || text[i] == '_';

		if (shape[i] == '-' ? !hyphen : !is_hex(text + i, 1))
			return false;
	}
	for (size_t i = 0; i < len; i++)
		ret[i] = text[i] == '_' ? '-' : text[i];
	ret[len] = '\0';
	return true;
}

/* read_pod - "kubepods-besteffort-podUID.slice", "podUID". Returns whether it is one. */
static bool read_pod(struct part p, struct part before, struct cgroup_info *ret)
{
	const char *pod = NULL, *end;

	p = without_end(p, ".slice");
	end = p.text + p.len;
	for (const char *s = p.text; (s = memmem(s, (size_t)(end - s), "pod", 3)); s += 3)
		if (s == p.text || s[-1] == '-')
			pod = s + 3; /* the last: "kubepods-" has a pod too, and so may a prefix */
	if (!pod || !uid_copy(pod, (size_t)(end - pod), ret->pod))
		return false;
	ret->container[0] = '\0'; /* one that this pod is inside of */
	ret->runtime = "";
	ret->unit[0] = '\0';
	ret->qos = "guaranteed"; /* which has no part of its own */
	if (part_has(p, "besteffort") || part_is(before, "besteffort"))
		ret->qos = "besteffort";
	if (part_has(p, "burstable") || part_is(before, "burstable"))
		ret->qos = "burstable";
	return true;
}

static void read_unit(struct part p, struct cgroup_info *ret)
{
	size_t len = p.len < CGROUP_UNIT_MAX ? p.len : CGROUP_UNIT_MAX - 1;

	if (ret->container[0] || ret->pod[0] ||
	    !(part_ends(p, ".service") || part_ends(p, ".scope")))
		return;
	memcpy(ret->unit, p.text, len);
	ret->unit[len] = '\0';
}

void cgroup_parse(const char *path, struct cgroup_info *ret)
{
	struct part before = { "", 0 };

	*ret = (struct cgroup_info){ .runtime = "", .qos = "" };
	while (*path) {
		struct part p = { path, strcspn(path, "/:") };

		path += p.len;
		path += *path != '\0';
		if (!p.len)
			continue;
		if (!read_container(p, before, ret) && !read_pod(p, before, ret))
			read_unit(p, ret);
		before = p;
	}
}

/* How much a line of /proc/PID/cgroup says; 0: nothing. */
static int line_rank(const char *line, const char *path)
{
	struct cgroup_info info;

	cgroup_parse(path, &info);
	if (info.container[0])
		return 5;
	if (info.pod[0])
		return 4;
	if (!strcmp(path, "/"))
		return 0;
	if (!strncmp(line, "0::", 3))
		return 3;
	return strstr(line, ":name=systemd:") ? 2 : 1;
}

bool cgroup_path_of(const char *text, char *buf, size_t len)
{
	int best = -1;

	while (*text) {
		size_t n = strcspn(text, "\n");
		char line[4096];
		char *path;
		int rank;

		snprintf(line, sizeof(line), "%.*s", (int)(n < sizeof(line) ? n : 0), text);
		text += n;
		text += *text == '\n';
		path = strchr(line, ':');
		path = path ? strchr(path + 1, ':') : NULL;
		if (!path)
			continue;
		rank = line_rank(line, ++path);
		if (rank > best && strlen(path) < len) {
			memcpy(buf, path, strlen(path) + 1);
			best = rank;
		}
	}
	return best >= 0;
}
