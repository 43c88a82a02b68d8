// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tc.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "janitor.h"

/* Numbers that the headers of Linux 6.1 do not have yet: Linux 6.6, commit e420bed02507 (tcx) and
 * 053c8e1f235d (multi-program attachment). */
enum {
	ATTACH_TCX_INGRESS = 46,
	ATTACH_TCX_EGRESS = 47,
	ATTACH_BEFORE = 1 << 3, /* BPF_F_BEFORE: without a relative program, before all */
};

const char *tc_kind_name(enum tc_kind kind)
{
	return kind == TC_TCX ? "tcx" : kind == TC_CLSACT ? "clsact" : "none";
}

static int attach_tcx(int prog_fd, uint32_t ifindex, bool egress, struct tc_hook *ret)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = ATTACH_BEFORE);
	int type = egress ? ATTACH_TCX_EGRESS : ATTACH_TCX_INGRESS;
	int fd = bpf_link_create(prog_fd, (int)ifindex, (enum bpf_attach_type)type, &opts);

	if (fd < 0)
		return fd;
	*ret = (struct tc_hook){
		.kind = TC_TCX, .ifindex = ifindex, .egress = egress, .link_fd = fd
	};
	return 0;
}

static uint32_t prog_id_of(int prog_fd)
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);

	return bpf_obj_get_info_by_fd(prog_fd, &info, &len) ? 0 : info.id;
}

/* Priority 1 is the head; a handle of our own there, beside whatever else has that priority. If a
 * filter of another kind holds priority 1, the kernel chooses. */
static int attach_clsact(int prog_fd, uint32_t ifindex, bool egress, struct tc_hook *ret)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex,
		    .attach_point = egress ? BPF_TC_EGRESS : BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = prog_fd, .priority = 1);
	int r = bpf_tc_hook_create(&hook);
	bool made = !r;

	if (r < 0 && r != -EEXIST)
		return r;
	r = bpf_tc_attach(&hook, &opts);
	if (r == -EINVAL || r == -EEXIST) {
		opts.priority = 0;
		opts.handle = 0;
		opts.flags = 0;
		r = bpf_tc_attach(&hook, &opts);
	}
	*ret = (struct tc_hook){
		.kind = TC_CLSACT,
		.ifindex = ifindex,
		.egress = egress,
		.link_fd = -1,
		.handle = opts.handle,
		.priority = opts.priority,
		.prog_id = prog_id_of(prog_fd),
		.made_qdisc = made,
	};
	if (r < 0) {
		ret->kind = TC_NOT;
		if (made)
			janitor_remove_qdisc(ifindex);
		return r;
	}
	r = janitor_note(ret, true);
	if (r < 0) {
		janitor_remove(ret);
		ret->kind = TC_NOT;
	}
	return r;
}

int tc_attach(int prog_fd, const char *ifname, uint32_t ifindex, bool egress, struct tc_hook *ret,
	      struct error *err)
{
	struct tc_hook hook = { 0 };
	int r = attach_tcx(prog_fd, ifindex, egress, &hook);

	if (r == -EINVAL || r == -EOPNOTSUPP) /* no tcx in this kernel */
		r = attach_clsact(prog_fd, ifindex, egress, &hook);
	if (r == -EPERM)
		return error_set(
			err, r, EXIT_NOT_PERMITTED,
			"interface '%s': not permitted to attach to tc %s; CAP_NET_ADMIN is "
			"needed (sudo reconmon)",
			ifname, egress ? "egress" : "ingress");
	if (r < 0)
		return error_set(err, r, EXIT_RUNTIME, "interface '%s': tc %s: %s", ifname,
				 egress ? "egress" : "ingress", strerror(-r));
	*ret = hook;
	return 0;
}

void tc_detach(struct tc_hook *h)
{
	if (h->kind == TC_TCX) {
		close(h->link_fd);
	} else if (h->kind == TC_CLSACT) {
		janitor_remove(h);
		janitor_note(h, false);
	}
	h->kind = TC_NOT;
}
