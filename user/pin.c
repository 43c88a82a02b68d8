// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "pin.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "janitor.h"

#define LAYOUT_MAGIC 0x6e6f6d6e6f636572ull /* "reconmon" */

enum {
	NAME_MAX_KEPT = 64,
	FILTERS_MAX = 65536, /* of the map `filters`: two an interface */
	MAPS_MAX = 32,
	PAGE = 4096, /* of kept memory: the unit in which it is asked for */
};

/* The value of the map `layout`. */
struct layout {
	uint64_t magic;
	uint32_t version; /* PIN_LAYOUT */
	uint32_t pid;	  /* of the daemon that holds it, or held it last */
	uint64_t netns;	  /* its links are in this one (inode) */
	uint64_t seed[PIN_SEEDS];
	char made_by[32]; /* reconmon's version */
};

struct filter_key {
	uint32_t ifindex, egress;
};

struct pin {
	char dir[PIN_PATH_MAX];
	int dir_fd; /* locked */
	bool fits;  /* what is there can be taken over; else `why`, "" if nothing is there */
	char why[256];
	struct layout layout;
	int layout_fd, filters_fd; /* -1: none */
	char reused[MAPS_MAX][NAME_MAX_KEPT];
	unsigned int n_reused;
};

/* Maps without which what is in the others means nothing. The others count, wake or cache: where
 * one does not fit it begins empty. */
static const char *const essential[] = { "contacts", "contacts_known", "nursery_tags",
					 "nursery_vals", "attempts" };

/* ---- names ---- */

static const char *path_of(const struct pin *p, const char *name, char *buf)
{
	snprintf(buf, PIN_PATH_MAX + NAME_MAX_KEPT, "%s/%s", p->dir, name);
	return buf;
}

/* The file system has no dots in names. */
static const char *map_pin_name(const char *map, char *buf)
{
	snprintf(buf, NAME_MAX_KEPT, "map_%s", map);
	for (char *c = buf; *c; c++)
		if (*c == '.')
			*c = '_';
	return buf;
}

static const char *link_name(uint32_t ifindex, const char *hook, char *buf)
{
	if (ifindex)
		snprintf(buf, NAME_MAX_KEPT, "link_%u_%s", ifindex, hook);
	else
		snprintf(buf, NAME_MAX_KEPT, "link_%s", hook);
	return buf;
}

static int get(const struct pin *p, const char *name)
{
	char path[PIN_PATH_MAX + NAME_MAX_KEPT];
	int fd = bpf_obj_get(path_of(p, name, path));

	return fd < 0 ? -errno : fd;
}

static void drop(const struct pin *p, const char *name)
{
	unlinkat(p->dir_fd, name, 0);
}

/* put - keeps fd under a name, in the place of what is there. */
static int put(const struct pin *p, const char *name, int fd)
{
	char path[PIN_PATH_MAX + NAME_MAX_KEPT];

	drop(p, "next");
	if (bpf_obj_pin(fd, path_of(p, "next", path)))
		return -errno;
	if (!renameat(p->dir_fd, "next", p->dir_fd, name))
		return 0;
	return -errno;
}

/* ---- the folder ---- */

static uint64_t this_netns(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) ? 0 : st.st_ino;
}

static int check_file_system(const char *dir, struct error *err)
{
	char parent[PIN_PATH_MAX], *slash;
	struct statfs fs;

	snprintf(parent, sizeof(parent), "%s", dir);
	slash = strrchr(parent, '/');
	if (slash > parent)
		*slash = '\0';
	if (statfs(dir, &fs) && statfs(parent, &fs))
		return error_set(err, -errno, EXIT_RUNTIME, "pin '%s': %s: %s", dir, parent,
				 strerror(errno));
	if (fs.f_type != BPF_FS_MAGIC)
		return error_set(
			err, -EINVAL, EXIT_USAGE,
			"pin '%s': not in a BPF file system (mount -t bpf bpf /sys/fs/bpf; "
			"ip netns exec hides it)",
			dir);
	return 0;
}

static int explain_dir(const char *dir, int r, struct error *err)
{
	if (r == -EACCES || r == -EPERM)
		return error_set(err, r, EXIT_NOT_PERMITTED,
				 "pin '%s': %s: who is not root needs the folder made for them "
				 "(install -d -o USER -m 0700 %s)",
				 dir, strerror(-r), dir);
	return error_set(err, r, EXIT_RUNTIME, "pin '%s': %s", dir, strerror(-r));
}

/* read_layout - into *ret. Returns 0, -ENOENT or another negative errno. */
static int read_layout(struct pin *p, struct layout *ret)
{
	struct bpf_map_info info = { 0 };
	uint32_t zero = 0, len = sizeof(info);
	int fd = get(p, "layout");

	if (fd < 0)
		return fd;
	p->layout_fd = fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &len) || info.value_size != sizeof(*ret) ||
	    bpf_map_lookup_elem(fd, &zero, ret))
		return -EINVAL;
	ret->made_by[sizeof(ret->made_by) - 1] = '\0';
	return ret->magic == LAYOUT_MAGIC ? 0 : -EINVAL;
}

/* lock_dir - opens and locks DIR. Returns 0 or a negative errno with err filled. */
static int lock_dir(struct pin *p, struct error *err)
{
	struct layout held;

	p->dir_fd = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (p->dir_fd < 0)
		return explain_dir(p->dir, -errno, err);
	if (!flock(p->dir_fd, LOCK_EX | LOCK_NB))
		return 0;
	if (errno != EWOULDBLOCK)
		return explain_dir(p->dir, -errno, err);
	if (read_layout(p, &held) || !held.pid)
		return error_set(err, -EBUSY, EXIT_RUNTIME,
				 "pin '%s': another reconmon is at work with it; give this one a "
				 "folder of its own, or none",
				 p->dir);
	return error_set(err, -EBUSY, EXIT_RUNTIME,
			 "pin '%s': another reconmon (pid %u) is at work with it; give this one a "
			 "folder of its own, or none",
			 p->dir, held.pid);
}

static bool is_empty(const struct pin *p)
{
	DIR *d = fdopendir(openat(p->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	const struct dirent *e;
	bool empty = true;

	while (d && empty && (e = readdir(d)))
		empty = e->d_name[0] == '.';
	if (d)
		closedir(d);
	return empty;
}

/* judge_layout - can what is there be taken over? */
static void judge_layout(struct pin *p)
{
	int r = read_layout(p, &p->layout);

	if (r == -ENOENT && is_empty(p))
		return;
	if (r == -ENOENT)
		snprintf(p->why, sizeof(p->why),
			 "incomplete, as a start that was broken off "
			 "leaves it");
	else if (r == -EINVAL)
		snprintf(p->why, sizeof(p->why), "not what reconmon makes, or of another build");
	else if (r < 0)
		snprintf(p->why, sizeof(p->why), "%s", strerror(-r));
	else if (p->layout.version != PIN_LAYOUT)
		snprintf(p->why, sizeof(p->why), "layout %u of reconmon %s, this one has %u",
			 p->layout.version, p->layout.made_by, PIN_LAYOUT);
	else if (p->layout.netns != this_netns())
		snprintf(p->why, sizeof(p->why), "of another network namespace");
	else
		p->fits = true;
}

int pin_open(const char *dir, struct pin **ret, struct error *err)
{
	struct pin *p;
	int r = check_file_system(dir, err);

	if (r < 0)
		return r;
	if (mkdir(dir, 0700) && errno != EEXIST)
		return explain_dir(dir, -errno, err);
	p = calloc(1, sizeof(*p));
	if (!p)
		return error_set(err, -ENOMEM, EXIT_RUNTIME, "no memory");
	p->dir_fd = p->layout_fd = p->filters_fd = -1;
	snprintf(p->dir, sizeof(p->dir), "%s", dir);
	r = lock_dir(p, err);
	if (r < 0) {
		pin_close(p);
		return r;
	}
	judge_layout(p);
	*ret = p;
	return 0;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void pin_close(struct pin *p)
{
	if (!p)
		return;
	close_fd(p->layout_fd);
	close_fd(p->filters_fd);
	close_fd(p->dir_fd);
	free(p);
}

/* ---- filters ---- */

/* each_filter - calls fn for every filter that is kept. Returns how many there were. */
static unsigned int each_filter(int fd, void (*fn)(const struct tc_hook *h))
{
	struct filter_key key, next;
	struct tc_hook h;
	unsigned int n = 0;
	bool more = fd >= 0 && !bpf_map_get_next_key(fd, NULL, &next);

	while (more) {
		key = next;
		more = !bpf_map_get_next_key(fd, &key, &next);
		if (bpf_map_lookup_elem(fd, &key, &h))
			continue;
		fn(&h);
		n++;
	}
	return n;
}

static void remove_qdisc(const struct tc_hook *h)
{
	if (h->made_qdisc)
		janitor_remove_qdisc(h->ifindex);
}

/* drop_filters - removes the filters themselves. Returns how many there were. A qdisc that still
 * held the other direction's filter is empty by the second walk. */
static unsigned int drop_filters(const struct pin *p)
{
	int fd = get(p, "filters");
	unsigned int n = each_filter(fd, janitor_remove);

	each_filter(fd, remove_qdisc);
	close_fd(fd);
	return n;
}

bool pin_filter_take(const struct pin *p, uint32_t ifindex, bool egress, struct tc_hook *ret)
{
	const struct filter_key key = { ifindex, egress };

	return p && p->filters_fd >= 0 && !bpf_map_lookup_elem(p->filters_fd, &key, ret);
}

int pin_filter_keep(struct pin *p, const struct tc_hook *h)
{
	const struct filter_key key = { h->ifindex, h->egress };

	if (!p)
		return 0;
	return bpf_map_update_elem(p->filters_fd, &key, h, BPF_ANY) ? -errno : 0;
}

void pin_filter_drop(struct pin *p, uint32_t ifindex, bool egress)
{
	const struct filter_key key = { ifindex, egress };

	if (p && p->filters_fd >= 0)
		bpf_map_delete_elem(p->filters_fd, &key);
}

/* ---- everything ---- */

/* clear - removes all that is in the folder. Returns how many things. */
static unsigned int clear(struct pin *p)
{
	unsigned int n = drop_filters(p);
	DIR *d = fdopendir(openat(p->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	const struct dirent *e;

	close_fd(p->layout_fd);
	p->layout_fd = -1;
	drop(p, "layout"); /* first: what is left of a clearing that is broken off is no state */
	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			n += !unlinkat(p->dir_fd, e->d_name, 0);
	if (d)
		closedir(d);
	return n;
}

int pin_remove(const char *dir, unsigned int *ret_n, struct error *err)
{
	struct pin *p = NULL;
	struct stat st;
	int r;

	*ret_n = 0;
	if (stat(dir, &st) && errno == ENOENT)
		return 0;
	r = pin_open(dir, &p, err);
	if (r < 0 || !p)
		return r;
	*ret_n = p->layout_fd >= 0;
	*ret_n += clear(p);
	if (rmdir(dir) && errno != EACCES && errno != EPERM) /* whose parent is root's */
		r = explain_dir(dir, -errno, err);
	pin_close(p);
	return r;
}

/* ---- maps ---- */

static bool is_kept(const struct bpf_map *map)
{
	const char *name = bpf_map__name(map);

	return !strstr(name, ".rodata");
}

static bool is_essential(const struct bpf_map *map)
{
	for (size_t i = 0; i < sizeof(essential) / sizeof(essential[0]); i++)
		if (!strcmp(bpf_map__name(map), essential[i]))
			return true;
	return false;
}

/* map_fits - is the kept map fd what this build would make? Else *why says what differs. */
static bool map_fits(const struct bpf_map *map, int fd, char *why, size_t len)
{
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size)) {
		snprintf(why, len, "map '%s' is not there", bpf_map__name(map));
		return false;
	}
	if (info.type == bpf_map__type(map) && info.key_size == bpf_map__key_size(map) &&
	    info.value_size == bpf_map__value_size(map) &&
	    info.max_entries == bpf_map__max_entries(map))
		return true;
	snprintf(why, len, "map '%s' has %u entries of %u + %u bytes, wanted are %u of %u + %u",
		 bpf_map__name(map), info.max_entries, info.key_size, info.value_size,
		 bpf_map__max_entries(map), bpf_map__key_size(map), bpf_map__value_size(map));
	return false;
}

/* check_essential - p->fits says whether all maps that matter can be taken over. */
static void check_essential(struct pin *p, const struct bpf_object *obj)
{
	const struct bpf_map *map;
	char name[NAME_MAX_KEPT];

	bpf_object__for_each_map(map, obj)
	{
		int fd;

		if (!is_essential(map))
			continue;
		fd = get(p, map_pin_name(bpf_map__name(map), name));
		p->fits &= map_fits(map, fd, p->why, sizeof(p->why));
		close_fd(fd);
		if (!p->fits)
			return;
	}
}

int pin_maps_reuse(struct pin *p, struct bpf_object *obj, volatile uint64_t *seed)
{
	struct bpf_map *map;
	char name[NAME_MAX_KEPT], why[256];

	if (!p)
		return 0;
	p->n_reused = 0;
	if (p->fits)
		check_essential(p, obj);
	if (!p->fits)
		return 0;
	for (int i = 0; i < PIN_SEEDS; i++)
		seed[i] = p->layout.seed[i];
	bpf_object__for_each_map(map, obj)
	{
		int fd, r;

		if (!is_kept(map) || p->n_reused == MAPS_MAX)
			continue;
		fd = get(p, map_pin_name(bpf_map__name(map), name));
		if (!map_fits(map, fd, why, sizeof(why))) {
			log_debug("pin '%s': %s; it begins empty", p->dir, why);
			close_fd(fd);
			continue;
		}
		snprintf(p->reused[p->n_reused++], NAME_MAX_KEPT, "%s", bpf_map__name(map));
		r = bpf_map__reuse_fd(map, fd);
		close_fd(fd);
		if (r < 0)
			return r;
	}
	return 0;
}

static int create(enum bpf_map_type type, const char *name, uint32_t key, uint32_t value,
		  uint32_t entries, uint32_t flags)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = flags);
	int fd = bpf_map_create(type, name, key, value, entries, &opts);

	return fd < 0 ? -errno : fd;
}

static int keep_layout(struct pin *p, const volatile uint64_t *seed)
{
	struct layout l = { .magic = LAYOUT_MAGIC,
			    .version = PIN_LAYOUT,
			    .pid = (uint32_t)getpid(),
			    .netns = this_netns() };
	uint32_t zero = 0;
	int r;

	snprintf(l.made_by, sizeof(l.made_by), "%s", RECONMON_VERSION);
	for (int i = 0; i < PIN_SEEDS; i++)
		l.seed[i] = seed[i];
	p->layout = l;
	if (p->layout_fd < 0)
		p->layout_fd = create(BPF_MAP_TYPE_ARRAY, "reconmon_layout", 4, sizeof(l), 1, 0);
	if (p->layout_fd < 0)
		return p->layout_fd;
	r = bpf_map_update_elem(p->layout_fd, &zero, &l, BPF_ANY) ? -errno : 0;
	return r ? r : put(p, "layout", p->layout_fd);
}

static int keep_filters(struct pin *p)
{
	p->filters_fd = p->fits ? get(p, "filters") : -1;
	if (p->filters_fd >= 0)
		return 0;
	p->filters_fd = create(BPF_MAP_TYPE_HASH, "reconmon_filter", sizeof(struct filter_key),
			       sizeof(struct tc_hook), FILTERS_MAX, BPF_F_NO_PREALLOC);
	return p->filters_fd < 0 ? p->filters_fd : put(p, "filters", p->filters_fd);
}

static int keep_maps(struct pin *p, const struct bpf_object *obj)
{
	const struct bpf_map *map;
	char name[NAME_MAX_KEPT];
	int r = 0;

	bpf_object__for_each_map(map, obj)
	{
		if (!is_kept(map) || pin_map_taken_over(p, bpf_map__name(map)))
			continue;
		r = put(p, map_pin_name(bpf_map__name(map), name), bpf_map__fd(map));
		if (r < 0)
			break;
	}
	return r;
}

int pin_maps_keep(struct pin *p, struct bpf_object *obj, const volatile uint64_t *seed,
		  struct error *err)
{
	int r;

	if (!p)
		return 0;
	if (!p->fits && p->why[0]) {
		log_problem("pin '%s': %s; it is removed, and all windows begin empty", p->dir,
			    p->why);
		clear(p);
	}
	if (p->fits)
		log_notice("pin '%s': taken over from reconmon %s", p->dir, p->layout.made_by);
	r = keep_maps(p, obj);
	if (!r)
		r = keep_filters(p);
	if (!r)
		r = keep_layout(p, seed);
	return r < 0 ? explain_dir(p->dir, r, err) : 0;
}

bool pin_taken_over(const struct pin *p)
{
	return p && p->fits;
}

bool pin_map_taken_over(const struct pin *p, const char *name)
{
	for (unsigned int i = 0; p && p->fits && i < p->n_reused; i++)
		if (!strcmp(p->reused[i], name))
			return true;
	return false;
}

/* ---- links ---- */

/* link_ifindex - where a link is attached; 0: nowhere any more, or no interface's. */
static uint32_t link_ifindex(int fd)
{
	/* Beyond what the headers of Linux 6.1 have: a tcx link's first word is its ifindex, as an
	 * XDP link's is (Linux 6.6, commit e420bed02507). */
	struct bpf_link_info info = { 0 };
	uint32_t len = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.xdp.ifindex;
}

int pin_link_take(struct pin *p, uint32_t ifindex, const char *hook, int prog_fd)
{
	char name[NAME_MAX_KEPT];
	int fd, r;

	if (!pin_taken_over(p))
		return -ENOENT;
	fd = get(p, link_name(ifindex, hook, name));
	if (fd < 0)
		return -ENOENT;
	r = link_ifindex(fd) == ifindex ? 0 : -ENODEV;
	if (!r && bpf_link_update(fd, prog_fd, NULL))
		r = -errno;
	if (!r)
		return fd;
	log_debug("pin '%s': %s is of no use: %s", p->dir, name, strerror(-r));
	close(fd);
	drop(p, name);
	return -ENOENT;
}

bool pin_link_is_kept(struct pin *p, uint32_t ifindex, const char *hook)
{
	char name[NAME_MAX_KEPT];

	return pin_taken_over(p) && !faccessat(p->dir_fd, link_name(ifindex, hook, name), F_OK, 0);
}

int pin_link_keep(struct pin *p, uint32_t ifindex, const char *hook, int link_fd)
{
	char name[NAME_MAX_KEPT];

	return p ? put(p, link_name(ifindex, hook, name), link_fd) : 0;
}

void pin_link_drop(struct pin *p, uint32_t ifindex, const char *hook)
{
	char name[NAME_MAX_KEPT];

	if (p)
		drop(p, link_name(ifindex, hook, name));
}

/* drop_filters_of - of one interface; ingress last, as it was first: it may have made the qdisc of
 * both. Returns how many. */
static unsigned int drop_filters_of(struct pin *p, uint32_t ifindex)
{
	struct tc_hook h;
	unsigned int n = 0;

	for (int egress = 1; egress >= 0; egress--) {
		if (!pin_filter_take(p, ifindex, egress, &h))
			continue;
		janitor_remove(&h);
		pin_filter_drop(p, ifindex, egress);
		n++;
	}
	return n;
}

unsigned int pin_sweep(struct pin *p, bool (*wanted)(void *ctx, uint32_t ifindex), void *ctx)
{
	struct filter_key key, next;
	const struct dirent *e;
	unsigned int n = 0;
	uint32_t ifindex;
	bool more;
	DIR *d;

	if (!p)
		return 0;
	d = fdopendir(openat(p->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	while (d && (e = readdir(d)))
		if (sscanf(e->d_name, "link_%u_", &ifindex) == 1 && !wanted(ctx, ifindex))
			n += !unlinkat(p->dir_fd, e->d_name, 0);
	if (d)
		closedir(d);
	more = !bpf_map_get_next_key(p->filters_fd, NULL, &next);
	while (more) {
		key = next;
		more = !bpf_map_get_next_key(p->filters_fd, &key, &next);
		if (!wanted(ctx, key.ifindex))
			n += drop_filters_of(p, key.ifindex);
	}
	return n;
}

/* ---- memory ---- */

static void *map_memory(int fd, size_t len)
{
	void *m = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return m == MAP_FAILED ? NULL : m;
}

/* An array that can be mapped is memory with a name: it lives as long as its pin, a process that is
 * killed has written what it has written, and the pages are there, so that no write ever fails. */
void *pin_memory(struct pin *p, const char *name, size_t len, size_t *ret_len)
{
	uint32_t pages = (uint32_t)((len + PAGE - 1) / PAGE);
	int fd = create(BPF_MAP_TYPE_ARRAY, "reconmon_keep", 4, PAGE, pages ? pages : 1,
			BPF_F_MMAPABLE);
	void *m;
	int r;

	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	*ret_len = (size_t)(pages ? pages : 1) * PAGE;
	m = map_memory(fd, *ret_len);
	r = m ? put(p, name, fd) : -errno;
	close(fd);
	if (!r)
		return m;
	pin_memory_close(m, *ret_len);
	errno = -r;
	return NULL;
}

void *pin_memory_open(struct pin *p, const char *name, size_t *ret_len)
{
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);
	int fd = get(p, name), saved;
	void *m = NULL;

	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	if (bpf_obj_get_info_by_fd(fd, &info, &size) || info.type != BPF_MAP_TYPE_ARRAY ||
	    info.value_size != PAGE || !(info.map_flags & BPF_F_MMAPABLE)) {
		errno = EINVAL;
	} else {
		*ret_len = (size_t)info.max_entries * PAGE;
		m = map_memory(fd, *ret_len);
	}
	saved = errno;
	close(fd);
	errno = saved;
	return m;
}

void pin_memory_close(void *memory, size_t len)
{
	if (memory)
		munmap(memory, len);
}

void pin_memory_drop(struct pin *p, const char *name)
{
	drop(p, name);
}

int pin_memory_rename(struct pin *p, const char *from, const char *to)
{
	return renameat(p->dir_fd, from, p->dir_fd, to) ? -errno : 0;
}
