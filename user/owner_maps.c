// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "owner_maps.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "array_view.h"
#include "cgroup_tree.h"
#include "far_end.h"
#include "pin.h"
#include "store_maps.h"

struct owner_maps {
	const struct bpf_side *bpf;
	struct bpf_link *connect, *socket;
	struct array_view *sets; /* OWNER_SETS of struct owner_set */
	__u64 seed[4];
	int cgroup_fd; /* root of the hierarchy of v2 */
};

/* ---- open, close ---- */

static int attach(struct owner_maps *m, struct error *err)
{
	m->cgroup_fd = cgroup_tree_open();
	if (m->cgroup_fd < 0)
		return error_set(err, -errno, EXIT_KERNEL,
				 "no cgroup v2 hierarchy (CONFIG_CGROUPS; mount -t cgroup2): %s",
				 strerror(errno));
	m->connect = bpf_program__attach(m->bpf->skel->progs.on_connect);
	if (!m->connect)
		return error_set(err, -errno, EXIT_KERNEL,
				 "cannot attach to the tracepoint inet_sock_set_state: %s",
				 strerror(errno));
	m->socket = bpf_program__attach_cgroup(m->bpf->skel->progs.on_socket, m->cgroup_fd);
	if (!m->socket)
		return error_set(err, -errno, EXIT_KERNEL,
				 "cannot attach to the root cgroup: %s (a program that allows no "
				 "other is there? `bpftool cgroup tree`)",
				 strerror(errno));
	/* Those that were kept go once these are there: for a moment both write the same. */
	if (pin_link_keep(m->bpf->pin, 0, "connect", bpf_link__fd(m->connect)) ||
	    pin_link_keep(m->bpf->pin, 0, "socket", bpf_link__fd(m->socket)))
		return error_set(err, -errno, EXIT_RUNTIME, "cannot pin the links: %s",
				 strerror(errno));
	return 0;
}

int owner_maps_open(const struct bpf_side *b, struct owner_maps **ret, struct error *err)
{
	struct owner_maps *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return error_set(err, -ENOMEM, EXIT_RUNTIME, "no memory");
	m->bpf = b;
	m->cgroup_fd = -1;
	memcpy(m->seed, (const void *)b->skel->rodata->hash_seed, sizeof(m->seed));
	m->sets = array_view_open(bpf_map__fd(b->skel->maps.owners),
				  OWNER_SETS * sizeof(struct owner_set), false);
	if (m->sets)
		r = attach(m, err);
	else
		r = error_set(err, -errno, EXIT_RUNTIME, "cannot map the owners: %s",
			      strerror(errno));
	if (r < 0) {
		owner_maps_close(m);
		return r;
	}
	*ret = m;
	return 0;
}

void owner_maps_close(struct owner_maps *m)
{
	if (!m)
		return;
	bpf_link__destroy(m->socket);
	bpf_link__destroy(m->connect);
	array_view_close(m->sets);
	if (m->cgroup_fd >= 0)
		close(m->cgroup_fd);
	free(m);
}

void owner_maps_turn(struct owner_maps *m)
{
	array_view_turn(m->sets);
}

/* ---- reading ---- */

/* Others may have taken its place by now; then it is unknown, as it is if the kernel does not map
 * it. */
static bool maps_find(const void *ctx, const struct contact_key *key, struct socket_owner *ret)
{
	const struct owner_maps *m = ctx;
	uint64_t hash = owner_hash(key, m->seed);
	const struct owner_set *set =
		array_view_ask(m->sets, (hash & (OWNER_SETS - 1)) * sizeof(*set), sizeof(*set));

	return set && owner_get(set, hash, ret);
}

static size_t maps_args(const void *ctx, uint32_t pid, uint64_t start_ns, char *buf)
{
	const struct owner_maps *m = ctx;
	struct process_key key = { .start_ns = start_ns, .pid = pid };
	struct process_args args;

	if (bpf_map_lookup_elem(bpf_map__fd(m->bpf->skel->maps.processes), &key, &args) ||
	    args.len > OWNER_ARGS_LEN)
		return 0;
	memcpy(buf, args.args, args.len);
	return args.len;
}

/* The path by the names that were written down: from the inner end to the root, which has none. */
static bool path_by_names(const struct owner_maps *m, uint64_t id, char *buf, size_t len)
{
	char path[OWNER_DEPTH * (OWNER_NAME_LEN + 1) + sizeof("/...")];
	int fd = bpf_map__fd(m->bpf->skel->maps.cgroups);
	size_t at = sizeof(path) - 1;
	struct cgroup_node node;
	int depth = 0;

	path[at] = '\0';
	for (; depth < OWNER_DEPTH && !bpf_map_lookup_elem(fd, &id, &node); depth++) {
		size_t n = strnlen(node.name, sizeof(node.name));

		at -= n;
		memcpy(path + at, node.name, n);
		path[--at] = '/';
		id = node.parent;
	}
	if (depth == OWNER_DEPTH)
		memcpy(path + (at -= 4), "/...", 4);
	return depth && snprintf(buf, len, "%s", path + at) < (int)len;
}

static bool maps_cgroup(const void *ctx, uint64_t id, char *buf, size_t len)
{
	const struct owner_maps *m = ctx;

	return path_by_names(m, id, buf, len) || cgroup_tree_path(m->cgroup_fd, id, buf, len);
}

static bool maps_far_end(const void *ctx, uint32_t ifindex, char *buf, size_t len)
{
	(void)ctx;
	return far_end_cgroup(ifindex, buf, len);
}

void owner_maps_kernel(const struct owner_maps *m, struct owner_kernel *ret)
{
	*ret = (struct owner_kernel){
		.ctx = m,
		.find = maps_find,
		.args = maps_args,
		.cgroup = maps_cgroup,
		.far_end = maps_far_end,
	};
}
