// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "kube.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"

#define AGAIN_NS 1000000000ull /* between two looks for what was not there */

/* A pod, or (id not "") one of its containers. */
struct entry {
	char uid[CGROUP_POD_MAX + 1];
	char id[CGROUP_ID_LEN + 1];
	bool complete;	   /* nothing is left to be found */
	uint64_t asked_ns; /* when it was last looked for */
	struct kube_names names;
};

struct kube {
	char pods[PATH_MAX], containers[PATH_MAX];
	struct entry *entry[KUBE_KEPT]; /* last used first */
	size_t n;
	struct kube_stats stats;
};

/* ---- names ---- */

/* name_copy - a DNS label or subdomain of at most max characters. Returns false if it is none:
 * then it is not the kubelet's. */
static bool name_copy(const char *text, size_t len, size_t max, char *ret)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";

	if (!len || len > max || strspn(text, allowed) < len)
		return false;
	memcpy(ret, text, len);
	ret[len] = '\0';
	return true;
}

/* pod_read - "NAMESPACE_POD_UID", of which the uid is known. No name has an underscore. */
static bool pod_read(const char *text, const char *uid, struct kube_names *ret)
{
	const char *pod = strchr(text, '_'), *end = pod ? strchr(pod + 1, '_') : NULL;
	struct kube_names names = { .container = "" };

	if (!end || strcmp(end + 1, uid) ||
	    !name_copy(text, (size_t)(pod - text), KUBE_LABEL_MAX, names.namespace) ||
	    !name_copy(pod + 1, (size_t)(end - pod - 1), KUBE_POD_MAX, names.pod))
		return false;
	*ret = names;
	return true;
}

/* container_read - the container's name from where its link points, ".../CONTAINER/0.log". The
 * link's own name has it too, but cut where all of it is too long for a file's name. */
static bool container_read(const char *target, char *ret)
{
	const char *end = strrchr(target, '/'), *name = end;

	while (name > target && name[-1] != '/')
		name--;
	return end && name_copy(name, (size_t)(end - name), KUBE_LABEL_MAX, ret);
}

/* ---- folders ---- */

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len > n && !strcmp(text + len - n, end);
}

static bool pod_look(const char *dir, const char *uid, struct kube_names *ret)
{
	DIR *d = opendir(dir);
	const struct dirent *e;
	bool found = false;

	while (d && !found && (e = readdir(d)))
		found = ends_with(e->d_name, uid) && pod_read(e->d_name, uid, ret);
	if (d)
		closedir(d);
	return found;
}

static bool container_look(const char *dir, const char *id, char *ret)
{
	char end[CGROUP_ID_LEN + sizeof("-.log")], target[PATH_MAX];
	DIR *d = opendir(dir);
	const struct dirent *e;
	bool found = false;

	snprintf(end, sizeof(end), "-%s.log", id);
	while (d && !found && (e = readdir(d))) {
		ssize_t n;

		if (!ends_with(e->d_name, end))
			continue;
		n = readlinkat(dirfd(d), e->d_name, target, sizeof(target) - 1);
		if (n < 0)
			continue;
		target[n] = '\0';
		found = container_read(target, ret);
	}
	if (d)
		closedir(d);
	return found;
}

/* ---- what was found ---- */

static struct entry *find(struct kube *k, const char *uid, const char *id)
{
	for (size_t i = 0; i < k->n; i++) {
		struct entry *e = k->entry[i];

		if (strcmp(e->uid, uid) || strcmp(e->id, id))
			continue;
		memmove(k->entry + 1, k->entry, i * sizeof(struct entry *));
		return k->entry[0] = e;
	}
	return NULL;
}

/* insert - in front of the others; the one that was not asked for the longest leaves, and is read
 * again should it be. */
static struct entry *insert(struct kube *k, const char *uid, const char *id)
{
	struct entry *e = k->n == KUBE_KEPT ? k->entry[--k->n] : malloc(sizeof(*e));

	if (!e)
		return NULL;
	memset(e, 0, sizeof(*e));
	snprintf(e->uid, sizeof(e->uid), "%s", uid);
	snprintf(e->id, sizeof(e->id), "%s", id);
	memmove(k->entry + 1, k->entry, k->n * sizeof(struct entry *));
	k->n++;
	return k->entry[0] = e;
}

static void look(struct kube *k, struct entry *e)
{
	struct kube_names *names = &e->names;

	if (!names->pod[0] && !pod_look(k->pods, e->uid, names)) {
		k->stats.missing++;
		return;
	}
	e->complete = !e->id[0] || container_look(k->containers, e->id, names->container);
	if (e->complete)
		k->stats.found++;
	else
		k->stats.missing++;
}

struct kube *kube_new(const char *dir)
{
	struct kube *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	snprintf(k->pods, sizeof(k->pods), "%s/pods", dir);
	snprintf(k->containers, sizeof(k->containers), "%s/containers", dir);
	return k;
}

void kube_free(struct kube *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < k->n; i++)
		free(k->entry[i]);
	free(k);
}

bool kube_find(struct kube *k, const char *pod_uid, const char *container_id, uint64_t now_ns,
	       struct kube_names *ret)
{
	struct entry *e = find(k, pod_uid, container_id);
	bool asked = e;

	if (!e)
		e = insert(k, pod_uid, container_id);
	if (!e)
		return false;
	if (!e->complete && (!asked || now_ns - e->asked_ns >= AGAIN_NS)) {
		e->asked_ns = now_ns;
		look(k, e);
	}
	if (!e->names.pod[0])
		return false;
	*ret = e->names;
	return true;
}

void kube_stats_get(const struct kube *k, struct kube_stats *ret)
{
	*ret = k->stats;
}
