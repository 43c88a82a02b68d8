// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "owner.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	WAYS = 4,
	SETS = 512,	/* 2,048 owners, about 1 MB when full */
	AT_ONCE = 64,	/* processes looked at as they are met, a drain: about 50 us each */
	TEXT_MAX = 8192 /* of a file in /proc */
};

#define NS_PER_S 1000000000ull

/* Who is at the other end of an interface is asked again after this time: a pod's first packets may
 * come before its processes are where they belong. */
#define FAR_END_NS (10 * NS_PER_S)

struct owners {
	struct owner_kernel kernel;
	struct kube *kube;	       /* NULL: pods have no names */
	struct owner *way[SETS][WAYS]; /* last used first */
	int left;		       /* of AT_ONCE in this drain, which began at */
	uint64_t now_ns;
	char boot_id[40];
	struct owners_stats stats;
};

/* ---- one owner ---- */

const struct owner *owner_ref(const struct owner *w)
{
	if (w)
		((struct owner *)w)->refs++;
	return w;
}

void owner_unref(const struct owner *w)
{
	struct owner *mine = (struct owner *)w;

	if (!w || --mine->refs)
		return;
	free(mine->executable);
	free(mine->args);
	free(mine->user);
	free(mine->cgroup);
	free(mine->kube);
	free(mine);
}

void owner_save(const struct owner *w, struct blob *b)
{
	blob_put_u32(b, w != NULL);
	if (!w)
		return;
	blob_put(b, w, sizeof(*w));
	blob_put(b, w->args, w->args ? w->args_len : 0);
	blob_put_text(b, w->executable);
	blob_put_text(b, w->user);
	blob_put_text(b, w->cgroup);
	if (w->kube)
		blob_put(b, w->kube, sizeof(*w->kube));
}

/* load_kube - the names of its pod, if it had any. */
static void load_kube(struct owner *w, bool named, struct blob *b)
{
	w->kube = named && !b->failed ? malloc(sizeof(*w->kube)) : NULL;
	if (!w->kube) {
		b->failed |= named;
		return;
	}
	blob_get(b, w->kube, sizeof(*w->kube));
	w->kube->namespace[sizeof(w->kube->namespace) - 1] = '\0';
	w->kube->pod[sizeof(w->kube->pod) - 1] = '\0';
	w->kube->container[sizeof(w->kube->container) - 1] = '\0';
}

const struct owner *owner_load(struct blob *b)
{
	struct owner *w;
	bool named;

	if (!blob_get_u32(b))
		return NULL;
	w = calloc(1, sizeof(*w));
	if (!w) {
		b->failed = true;
		return NULL;
	}
	blob_get(b, w, sizeof(*w));
	w->refs = 1;
	named = w->kube != NULL;
	w->kube = NULL;
	w->executable = w->user = w->cgroup = w->args = NULL; /* they were pointers of another */
	w->name[sizeof(w->name) - 1] = w->boot_id[sizeof(w->boot_id) - 1] = '\0';
	memset(&w->where, 0, sizeof(w->where));
	w->where.runtime = w->where.qos = "";
	if (w->args_len > blob_left(b))
		b->failed = true;
	w->args = !b->failed && w->args_len ? malloc(w->args_len) : NULL;
	if (w->args)
		blob_get(b, w->args, w->args_len);
	else
		b->failed |= w->args_len != 0;
	w->executable = blob_get_text(b);
	w->user = blob_get_text(b);
	w->cgroup = blob_get_text(b);
	if (w->cgroup)
		cgroup_parse(w->cgroup, &w->where);
	load_kube(w, named, b);
	if (!b->failed)
		return w;
	owner_unref(w);
	return NULL;
}

const char *owner_source_name(enum owner_source s)
{
	switch (s) {
	case OWNER_COOKIE:
		return "cookie";
	case OWNER_GUESS:
		return "guess";
	case OWNER_FORWARDED:
		return "interface";
	default:
		return "none";
	}
}

bool owner_has_user(const struct owner *w)
{
	return w->source != OWNER_FORWARDED;
}

const char *owner_pod(const struct owner *w, char *buf)
{
	if (w->kube)
		snprintf(buf, OWNER_POD_MAX, "%s/%s", w->kube->namespace, w->kube->pod);
	else
		snprintf(buf, OWNER_POD_MAX, "%s", w->where.pod);
	return buf;
}

size_t owner_command(const struct owner *w, char *buf, size_t len)
{
	size_t n = w->args_len;

	while (n && !w->args[n - 1])
		n--;
	for (size_t i = 0; i < n && i + 1 < len; i++)
		buf[i] = w->args[i] ? w->args[i] : ' ';
	if (len)
		buf[n < len ? n : len - 1] = '\0';
	return n;
}

/* ---- what a process is called ---- */

/* read_proc - /proc/PID/NAME, terminated. Returns its length, or 0. */
static size_t read_proc(uint32_t pid, const char *name, char *buf, size_t len)
{
	char path[64];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/%s", pid, name);
	f = fopen(path, "re");
	if (!f)
		return 0;
	n = fread(buf, 1, len - 1, f);
	fclose(f);
	buf[n] = '\0';
	return n;
}

/* is_alive - does /proc/PID still show this process? Its 22nd field is the time it was started, in
 * clock ticks; the 2nd, its name in parentheses, may hold spaces and parentheses of its own. */
static bool is_alive(const struct owner *w)
{
	uint64_t tick_ns = NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK);
	char text[TEXT_MAX], *field;
	uint64_t start;

	if (!w->pid || !read_proc(w->pid, "stat", text, sizeof(text)))
		return false;
	field = strrchr(text, ')');
	for (int i = 2; i < 22 && field; i++)
		field = strchr(field + 1, ' ');
	return field && sscanf(field, "%" SCNu64, &start) == 1 && start == w->start_ns / tick_ns;
}

static void read_executable(struct owner *w)
{
	char path[64], target[OWNER_PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/exe", w->pid);
	n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0 || n == sizeof(target) - 1)
		return;
	target[n] = '\0';
	w->executable = strdup(target);
}

static void set_args(struct owner *w, const char *args, size_t len)
{
	if (len > OWNER_COMMAND_MAX)
		len = OWNER_COMMAND_MAX;
	if (!len || w->args)
		return;
	w->args = malloc(len);
	if (!w->args)
		return;
	memcpy(w->args, args, len);
	w->args_len = len;
}

static void read_live(struct owner *w)
{
	char text[TEXT_MAX], path[OWNER_PATH_MAX];

	set_args(w, text, read_proc(w->pid, "cmdline", text, sizeof(text)));
	if (read_proc(w->pid, "cgroup", text, sizeof(text)) &&
	    cgroup_path_of(text, path, sizeof(path)))
		w->cgroup = strdup(path);
	read_executable(w);
}

/* What the kernel side kept. */
static void read_kept(const struct owners *o, struct owner *w)
{
	char args[OWNER_ARGS_LEN], path[OWNER_PATH_MAX];

	const struct owner_kernel *k = &o->kernel;

	if (w->pid && !w->args)
		set_args(w, args, k->args(k->ctx, w->pid, w->start_ns, args));
	if (!w->cgroup && k->cgroup(k->ctx, w->cgroup_id, path, sizeof(path)))
		w->cgroup = strdup(path);
}

/* By /etc/passwd and nothing else: a directory service might answer late, and all of the daemon
 * would wait for it. */
static void read_user(struct owner *w)
{
	FILE *f = fopen("/etc/passwd", "re");
	const struct passwd *p;

	while (f && (p = fgetpwent(f)))
		if (p->pw_uid == w->uid) {
			w->user = strdup(p->pw_name);
			break;
		}
	if (f)
		fclose(f);
}

/* read_names - of the pod. The kubelet writes a container's down once it runs, and some scan before
 * that: what is missing is asked for again whenever the owner is. */
static void read_names(const struct owners *o, struct owner *w)
{
	const struct cgroup_info *c = &w->where;
	struct kube_names names;

	if (!o->kube || !c->pod[0] || (w->kube && (w->kube->container[0] || !c->container[0])) ||
	    !kube_find(o->kube, c->pod, c->container, o->now_ns, &names))
		return;
	if (!w->kube)
		w->kube = malloc(sizeof(*w->kube));
	if (w->kube)
		*w->kube = names;
}

static void resolve_far_end(const struct owners *o, struct owner *w)
{
	char path[OWNER_PATH_MAX];

	if (!o->kernel.far_end(o->kernel.ctx, w->ifindex, path, sizeof(path)))
		return;
	w->cgroup = strdup(path);
	cgroup_parse(path, &w->where);
}

static void look_at(struct owners *o, struct owner *w)
{
	w->resolved = true;
	w->seen_ns = o->now_ns;
	o->stats.resolved++;
	if (w->source == OWNER_FORWARDED) {
		resolve_far_end(o, w);
		return;
	}
	if (is_alive(w)) {
		read_live(w);
		if (!is_alive(w)) { /* it ended meanwhile: another's may have been read */
			free(w->executable);
			free(w->args);
			free(w->cgroup);
			w->executable = w->args = w->cgroup = NULL;
			w->args_len = 0;
		}
	}
	if (w->pid && !w->executable)
		o->stats.gone++;
	read_kept(o, w);
	if (w->cgroup)
		cgroup_parse(w->cgroup, &w->where);
	if (!w->where.container[0] && !w->where.pod[0])
		read_user(w);
}

static void resolve(struct owners *o, struct owner *w)
{
	if (!w->resolved)
		look_at(o, w);
	read_names(o, w);
}

/* ---- the table ---- */

static void read_boot_id(char *buf, size_t len)
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (!f)
		return;
	if (fgets(buf, (int)len, f))
		buf[strcspn(buf, "\n")] = '\0';
	fclose(f);
}

struct owners *owners_new(const struct owner_kernel *kernel)
{
	struct owners *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->kernel = *kernel;
	read_boot_id(o->boot_id, sizeof(o->boot_id));
	o->left = AT_ONCE;
	return o;
}

void owners_name(struct owners *o, struct kube *k)
{
	o->kube = k;
}

void owners_free(struct owners *o)
{
	if (!o)
		return;
	for (int set = 0; set < SETS; set++)
		for (int i = 0; i < WAYS; i++)
			owner_unref(o->way[set][i]);
	free(o);
}

void owners_tick(struct owners *o, uint64_t now_ns)
{
	o->now_ns = now_ns;
	o->left = AT_ONCE;
}

/* Two processes that share an id are taken for one: 2^-31 a pair. */
static uint32_t id_of(const struct socket_owner *raw)
{
	uint64_t x = raw->pid ? raw->start_ns : ~raw->cgroup_id ^ (uint64_t)raw->ifindex << 32;

	x = (x ^ x >> 31) * 0x9E3779B97F4A7C15ull;
	x = (x ^ x >> 32 ^ (raw->pid ? raw->pid : raw->uid)) * 0xBF58476D1CE4E5B9ull;
	x = (x ^ x >> 29) * 0x94D049BB133111EBull;
	return (uint32_t)(x ^ x >> 32) << 1 | (raw->source == OWNER_GUESS);
}

static struct owner **set_of(struct owners *o, uint32_t id)
{
	return o->way[(id >> 1) % SETS];
}

/* find - the owner of that id, which becomes the last used of its set; or NULL. */
static struct owner *find(struct owners *o, uint32_t id)
{
	struct owner **way = set_of(o, id);

	for (int i = 0; i < WAYS; i++) {
		struct owner *w = way[i];

		if (!w || w->id != id)
			continue;
		memmove(way + 1, way, (size_t)i * sizeof(struct owner *));
		way[0] = w;
		return w;
	}
	return NULL;
}

static struct owner *insert(struct owners *o, uint32_t id, const struct socket_owner *raw)
{
	struct owner **way = set_of(o, id);
	struct owner *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	o->stats.evicted += way[WAYS - 1] != NULL;
	owner_unref(way[WAYS - 1]);
	memmove(way + 1, way, (WAYS - 1) * sizeof(struct owner *));
	way[0] = w;
	w->id = id;
	w->refs = 1;
	w->source = raw->source;
	w->pid = raw->pid;
	w->uid = raw->uid;
	w->start_ns = raw->start_ns;
	w->cgroup_id = raw->cgroup_id;
	w->ifindex = raw->ifindex;
	w->where.runtime = w->where.qos = "";
	memcpy(w->boot_id, o->boot_id, sizeof(w->boot_id));
	memcpy(w->name, raw->comm, strnlen(raw->comm, OWNER_COMM_LEN));
	return w;
}

/* raw_of - what the kernel side knows of a contact: whose socket it was, or by which interface its
 * packets came. Returns false if it is neither. */
static bool raw_of(const struct owners *o, const struct contact_key *key, const struct contact *c,
		   struct socket_owner *ret)
{
	if (o->kernel.find(o->kernel.ctx, key, ret))
		return ret->source != OWNER_FORWARDED || ret->ifindex;
	if (c->dir != DIR_INGRESS || !c->ifindex)
		return false;
	*ret = (struct socket_owner){ .source = OWNER_FORWARDED, .ifindex = c->ifindex };
	return true;
}

/* forget - makes room for the same owner, looked at anew. */
static void forget(struct owners *o, uint32_t id)
{
	struct owner **way = set_of(o, id); /* find() has put it first */

	owner_unref(way[0]);
	memmove(way, way + 1, (WAYS - 1) * sizeof(struct owner *));
	way[WAYS - 1] = NULL;
}

/* get - who opened the attempts at a contact, looked at or not; NULL: unknown. */
static struct owner *get(struct owners *o, const struct contact_key *key, const struct contact *c)
{
	struct socket_owner raw;
	struct owner *w;
	uint32_t id;

	if (!raw_of(o, key, c, &raw))
		return NULL;
	id = id_of(&raw);
	w = find(o, id);
	if (w && w->source == OWNER_FORWARDED && w->resolved &&
	    o->now_ns - w->seen_ns >= FAR_END_NS) {
		forget(o, id);
		w = NULL;
	}
	return w ? w : insert(o, id, &raw);
}

void owners_meet(struct owners *o, const struct contact_key *key, const struct contact *c)
{
	struct owner *w = get(o, key, c);

	if (!w || w->resolved || o->left <= 0)
		return;
	o->left--;
	resolve(o, w);
}

const struct owner *owners_find(struct owners *o, const struct contact_key *key,
				const struct contact *c)
{
	struct owner *w = get(o, key, c);

	if (w)
		resolve(o, w);
	return w && w->source == OWNER_FORWARDED && !w->cgroup ? NULL : w;
}

void owners_stats_get(const struct owners *o, struct owners_stats *ret)
{
	*ret = o->stats;
	if (o->kube)
		kube_stats_get(o->kube, &ret->kube);
}
