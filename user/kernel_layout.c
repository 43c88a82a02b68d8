// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "kernel_layout.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* A member that is looked for; `other` is what it is called in some kernels. */
static const struct wanted {
	const char *type, *member, *other;
	size_t at; /* in struct kernel_layout */
} wanted[] = {
#define AT(field) offsetof(struct kernel_layout, field)
	{ "task_struct", "tgid", NULL, AT(task_tgid) },
	{ "task_struct", "group_leader", NULL, AT(task_group_leader) },
	{ "task_struct", "start_boottime", NULL, AT(task_start_boottime) },
	{ "task_struct", "comm", NULL, AT(task_comm) },
	{ "task_struct", "cred", NULL, AT(task_cred) },
	{ "task_struct", "mm", NULL, AT(task_mm) },
	{ "task_struct", "cgroups", NULL, AT(task_cgroups) },
	{ "cred", "uid", NULL, AT(cred_uid) },
	{ "mm_struct", "arg_start", NULL, AT(mm_arg_start) },
	{ "mm_struct", "arg_end", NULL, AT(mm_arg_end) },
	{ "css_set", "dfl_cgrp", NULL, AT(css_set_dfl_cgrp) },
	{ "cgroup", "kn", NULL, AT(cgroup_kn) },
	{ "kernfs_node", "id", NULL, AT(kernfs_id) },
	{ "kernfs_node", "name", NULL, AT(kernfs_name) },
	/* Linux 6.15, commit 633488947ef6 (kernfs: Use RCU to access kernfs_node::parent) */
	{ "kernfs_node", "parent", "__parent", AT(kernfs_parent) },
#undef AT
};

/* member_bits - where a member is in a struct or union, in bits, those of unnamed members
 * included; -1: nowhere. */
static int64_t member_bits(const struct btf *btf, uint32_t type, const char *name)
{
	const struct btf_type *t = btf__type_by_id(btf, type);
	const struct btf_member *m = btf_members(t);

	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		const char *text = btf__name_by_offset(btf, m[i].name_off);
		uint32_t inner = (uint32_t)btf__resolve_type(btf, m[i].type);
		int64_t at;

		if (text && !strcmp(text, name))
			return btf_member_bit_offset(t, i);
		if ((text && *text) || !btf_is_composite(btf__type_by_id(btf, inner)))
			continue;
		at = member_bits(btf, inner, name);
		if (at >= 0)
			return at + btf_member_bit_offset(t, i);
	}
	return -1;
}

static int64_t find_bits(const struct btf *btf, const struct wanted *w)
{
	int type = btf__find_by_name_kind(btf, w->type, BTF_KIND_STRUCT);
	int64_t at = -1;

	if (type < 0)
		return -1;
	at = member_bits(btf, (uint32_t)type, w->member);
	return at < 0 && w->other ? member_bits(btf, (uint32_t)type, w->other) : at;
}

int kernel_layout_read(struct kernel_layout *ret, struct error *err)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int r = 0;

	if (!btf)
		return error_set(err, -ENOENT, EXIT_KERNEL,
				 "this kernel has no BTF (CONFIG_DEBUG_INFO_BTF, "
				 "/sys/kernel/btf/vmlinux)");
	for (size_t i = 0; i < ARRAY_SIZE(wanted) && !r; i++) {
		int64_t bits = find_bits(btf, &wanted[i]);
		uint32_t offset = (uint32_t)(bits / 8);

		if (bits < 0)
			r = error_set(err, -ENOENT, EXIT_KERNEL, "this kernel has no %s.%s",
				      wanted[i].type, wanted[i].member);
		else
			memcpy((char *)ret + wanted[i].at, &offset, sizeof(offset));
	}
	btf__free(btf);
	return r;
}
