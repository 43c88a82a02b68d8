// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "attach.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pin.h"
#include "store_maps.h"

static int explain_xdp(int r, const char *ifname, bool native, struct error *err)
{
	const char *mode = native ? "native XDP" : "generic XDP";

	switch (r) {
	case -EBUSY:
	case -EEXIST:
		return error_set(
			err, r, EXIT_RUNTIME,
			"interface '%s': another XDP program is attached (`ip link show %s` "
			"names it); use --ingress tc",
			ifname, ifname);
	case -EPERM:
		return error_set(
			err, r, EXIT_NOT_PERMITTED,
			"interface '%s': not permitted to attach XDP; CAP_NET_ADMIN is needed "
			"(sudo reconmon)",
			ifname);
	case -ENODEV:
		return error_set(err, r, EXIT_RUNTIME, "interface '%s' is gone", ifname);
	default:
		return error_set(
			err, r, EXIT_KERNEL,
			"interface '%s': its driver refuses %s: %s (no support, MTU, queues or "
			"LRO); use --ingress tc%s",
			ifname, mode, strerror(-r), native ? " or xdp-generic" : "");
	}
}

/* The name of its pin. */
static const char *xdp_hook(bool native)
{
	return native ? "xdp" : "xdpg";
}

static int attach_xdp(struct bpf_side *b, const struct iface *iface, bool native, struct error *err)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts,
		    .flags = native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE);
	int prog = bpf_side_program(b, PROGRAM_XDP, err), fd, r;

	if (prog < 0)
		return prog;
	fd = pin_link_take(b->pin, iface->index, xdp_hook(native), prog);
	if (fd >= 0)
		return fd;
	/* One that is kept and not of this kind is in the way of this one. */
	pin_link_drop(b->pin, iface->index, xdp_hook(!native));
	fd = bpf_link_create(prog, (int)iface->index, BPF_XDP, &opts);
	if (fd < 0)
		return explain_xdp(fd, iface->name, native, err);
	r = pin_link_keep(b->pin, iface->index, xdp_hook(native), fd);
	if (!r)
		return fd;
	close(fd);
	return error_set(err, r, EXIT_RUNTIME, "interface '%s': cannot pin its XDP link: %s",
			 iface->name, strerror(-r));
}

static int attach_ingress_tc(struct bpf_side *b, const struct iface *iface, struct attachment *a,
			     struct error *err)
{
	int prog = bpf_side_program(
		b, iface->frames == FRAMES_ETHERNET ? PROGRAM_TC_INGRESS : PROGRAM_TC_INGRESS_L3,
		err);

	if (prog < 0)
		return prog;
	a->mode = MODE_TC;
	return tc_attach(prog, iface->name, iface->index, false, b->pin, &a->ingress, err);
}

/* A NIC whose program somebody else put there is left alone: attaching and being refused could
 * already reset it. */
static int attach_ingress_auto(struct bpf_side *b, const struct iface *iface, struct attachment *a,
			       struct error *note, struct error *err)
{
	struct error why;

	bool kept = pin_link_is_kept(b->pin, iface->index, xdp_hook(true));

	/* What was found before stays: trying XDP once more may reset the link. */
	if (!iface->physical || (!kept && tc_is_kept(b->pin, iface->index, false)))
		return attach_ingress_tc(b, iface, a, err);
	if (iface->has_xdp && !kept) {
		error_set(
			note, 0, EXIT_FINE,
			"interface '%s': another XDP program is attached and stays; watching by tc",
			iface->name);
		return attach_ingress_tc(b, iface, a, err);
	}
	a->xdp_fd = attach_xdp(b, iface, true, &why);
	if (a->xdp_fd >= 0) {
		a->mode = MODE_XDP_NATIVE;
		return 0;
	}
	error_set(note, 0, EXIT_FINE, "%.400s; watching by tc", why.text);
	return attach_ingress_tc(b, iface, a, err);
}

static int attach_ingress(struct bpf_side *b, enum ingress_hook want, const struct iface *iface,
			  struct attachment *a, struct error *note, struct error *err)
{
	bool native = want == INGRESS_XDP;

	if (want == INGRESS_AUTO)
		return attach_ingress_auto(b, iface, a, note, err);
	if (want == INGRESS_TC)
		return attach_ingress_tc(b, iface, a, err);
	if (iface->frames != FRAMES_ETHERNET)
		return error_set(err, -EOPNOTSUPP, EXIT_KERNEL,
				 "interface '%s' has no Ethernet header; use --ingress tc",
				 iface->name);
	a->xdp_fd = attach_xdp(b, iface, native, err);
	a->mode = native ? MODE_XDP_NATIVE : MODE_XDP_GENERIC;
	return a->xdp_fd < 0 ? a->xdp_fd : 0;
}

/* drop_others - hooks that are kept and that this interface, with another --ingress, has no more.
 */
static void drop_others(const struct bpf_side *b, const struct attachment *a)
{
	if (a->mode != MODE_XDP_NATIVE)
		pin_link_drop(b->pin, a->ifindex, xdp_hook(true));
	if (a->mode != MODE_XDP_GENERIC)
		pin_link_drop(b->pin, a->ifindex, xdp_hook(false));
	if (a->mode != MODE_TC)
		tc_drop_kept(b->pin, a->ifindex, false);
}

int attach_iface(struct bpf_side *b, enum ingress_hook want, const struct iface *iface,
		 struct attachment *ret, struct error *note, struct error *err)
{
	struct attachment a = { .ifindex = iface->index, .xdp_fd = -1 };
	int egress, r;

	note->text[0] = '\0';
	memcpy(a.name, iface->name, sizeof(a.name));
	if (iface->frames == FRAMES_OTHER)
		return error_set(err, -EOPNOTSUPP, EXIT_RUNTIME,
				 "interface '%s' carries neither Ethernet nor bare IP packets",
				 iface->name);
	egress = bpf_side_program(
		b, iface->frames == FRAMES_ETHERNET ? PROGRAM_TC_EGRESS : PROGRAM_TC_EGRESS_L3,
		err);
	if (egress < 0)
		return egress;
	r = attach_ingress(b, want, iface, &a, note, err);
	if (!r)
		r = tc_attach(egress, iface->name, iface->index, true, b->pin, &a.egress, err);
	if (r < 0) {
		attach_release(b, &a);
		return r;
	}
	drop_others(b, &a);
	*ret = a;
	return 0;
}

void attach_release(const struct bpf_side *b, struct attachment *a)
{
	tc_detach(&a->egress, b->pin);
	/* Last, as it was first: it may have made the qdisc of both. */
	tc_detach(&a->ingress, b->pin);
	if (a->xdp_fd >= 0) {
		pin_link_drop(b->pin, a->ifindex, xdp_hook(a->mode == MODE_XDP_NATIVE));
		close(a->xdp_fd);
	}
	a->xdp_fd = -1;
}

void attach_leave(struct attachment *a)
{
	tc_leave(&a->egress);
	tc_leave(&a->ingress);
	if (a->xdp_fd >= 0)
		close(a->xdp_fd);
	a->xdp_fd = -1;
}

const char *attach_mode_text(const struct attachment *a, char *buf)
{
	const char *tc = tc_kind_name(a->egress.kind);

	if (a->mode == MODE_TC)
		snprintf(buf, 32, "%s", tc);
	else
		snprintf(buf, 32, "%s + %s", a->mode == MODE_XDP_NATIVE ? "xdp" : "xdp-generic",
			 tc);
	return buf;
}
