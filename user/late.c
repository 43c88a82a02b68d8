// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "late.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* share_maps - makes obj's maps those of `first`. In their order: what is pinned goes by another
 * name there. */
static int share_maps(struct bpf_object *obj, const struct bpf_object *first)
{
	struct bpf_map *map, *its = NULL;
	int r;

	bpf_object__for_each_map(map, obj)
	{
		its = bpf_object__next_map(first, its);
		r = its ? bpf_map__reuse_fd(map, bpf_map__fd(its)) : -ENOENT;
		if (r < 0)
			return r;
	}
	return 0;
}

/* libbpf loads an object once, so the program comes out of another one. */
int late_load(const void *elf, size_t size, const struct bpf_object *first, const char *name)
{
	struct bpf_object *obj = bpf_object__open_mem(elf, size, NULL);
	struct bpf_program *prog;
	int r;

	if (!obj)
		return -errno;
	bpf_object__for_each_program(prog, obj)
	{
		bpf_program__set_autoload(prog, !strcmp(bpf_program__name(prog), name));
	}
	r = share_maps(obj, first);
	if (!r)
		r = bpf_object__load(obj);
	if (!r) {
		prog = bpf_object__find_program_by_name(obj, name);
		r = fcntl(bpf_program__fd(prog), F_DUPFD_CLOEXEC, 3);
		r = r < 0 ? -errno : r;
	}
	bpf_object__close(obj);
	return r;
}
