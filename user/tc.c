// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tc.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "janitor.h"
#include "pin.h"

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

/* The name of a hook's pin. */
static const char *way(bool egress)
{
	return egress ? "out" : "in";
}

static int make_tcx(int prog_fd, uint32_t ifindex, bool egress, struct pin *pin)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = ATTACH_BEFORE);
	int type = egress ? ATTACH_TCX_EGRESS : ATTACH_TCX_INGRESS;
	int fd = bpf_link_create(prog_fd, (int)ifindex, (enum bpf_attach_type)type, &opts);
	int r = fd < 0 ? 0 : pin_link_keep(pin, ifindex, way(egress), fd);

	if (!r)
		return fd;
	close(fd);
	return r;
}

static int attach_tcx(int prog_fd, uint32_t ifindex, bool egress, struct pin *pin,
		      struct tc_hook *ret)
{
	int fd = pin_link_take(pin, ifindex, way(egress), prog_fd);

	if (fd < 0)
		fd = make_tcx(prog_fd, ifindex, egress, pin);
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
static int attach_clsact(int prog_fd, uint32_t ifindex, bool egress, struct pin *pin,
			 struct tc_hook *ret)
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
	r = pin ? pin_filter_keep(pin, ret) : janitor_note(ret, true);
	if (r < 0) {
		janitor_remove(ret);
		ret->kind = TC_NOT;
	}
	return r;
}

/* exchange_clsact - puts the program into the filter that is kept, at its place. Returns 0, or a
 * negative errno: there is none, or it is somebody else's by now; then it is forgotten. */
static int exchange_clsact(int prog_fd, uint32_t ifindex, bool egress, struct pin *pin,
			   struct tc_hook *ret)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex,
		    .attach_point = egress ? BPF_TC_EGRESS : BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = 0);
	struct tc_hook kept;
	int r;

	if (!pin_filter_take(pin, ifindex, egress, &kept))
		return -ENOENT;
	opts.handle = kept.handle;
	opts.priority = kept.priority;
	r = bpf_tc_query(&hook, &opts);
	if (!r && opts.prog_id != kept.prog_id)
		r = -ENOENT;
	if (!r) {
		opts.prog_id = 0;
		opts.prog_fd = prog_fd;
		opts.flags = BPF_TC_F_REPLACE;
		r = bpf_tc_attach(&hook, &opts);
	}
	if (r < 0) {
		pin_filter_drop(pin, ifindex, egress);
		return r;
	}
	kept.prog_id = prog_id_of(prog_fd);
	*ret = kept;
	return pin_filter_keep(pin, ret);
}

int tc_attach(int prog_fd, const char *ifname, uint32_t ifindex, bool egress, struct pin *pin,
	      struct tc_hook *ret, struct error *err)
{
	struct tc_hook hook = { 0 };
	int r = attach_tcx(prog_fd, ifindex, egress, pin, &hook);

	if ((r == -EINVAL || r == -EOPNOTSUPP) && /* no tcx in this kernel */
	    exchange_clsact(prog_fd, ifindex, egress, pin, &hook) < 0)
		r = attach_clsact(prog_fd, ifindex, egress, pin, &hook);
	else if (hook.kind == TC_CLSACT)
		r = 0;
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

bool tc_is_kept(struct pin *pin, uint32_t ifindex, bool egress)
{
	struct tc_hook kept;

	return pin_link_is_kept(pin, ifindex, way(egress)) ||
	       pin_filter_take(pin, ifindex, egress, &kept);
}

void tc_drop_kept(struct pin *pin, uint32_t ifindex, bool egress)
{
	struct tc_hook kept;

	pin_link_drop(pin, ifindex, way(egress));
	if (!pin_filter_take(pin, ifindex, egress, &kept))
		return;
	janitor_remove(&kept);
	pin_filter_drop(pin, ifindex, egress);
}

void tc_detach(struct tc_hook *h, struct pin *pin)
{
	if (h->kind == TC_TCX) {
		pin_link_drop(pin, h->ifindex, way(h->egress));
		close(h->link_fd);
	} else if (h->kind == TC_CLSACT) {
		janitor_remove(h);
		if (pin)
			pin_filter_drop(pin, h->ifindex, h->egress);
		else
			janitor_note(h, false);
	}
	h->kind = TC_NOT;
}

void tc_leave(struct tc_hook *h)
{
	if (h->kind == TC_TCX)
		close(h->link_fd);
	h->kind = TC_NOT;
}
