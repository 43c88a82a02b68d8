// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* The interfaces, one by one: what is there, who else is attached, and which hooks we would take.
 * The same order of thought as attach.c, without attaching. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "doctor.h"
#include "iface.h"
#include "netdev.h"

enum {
	OTHERS_MAX = 512,   /* bytes of the list of other people's programs */
	PROGS_MAX = 64,	    /* on one hook, as many as tcx takes */
	XDP_MTU_MAX = 3498, /* of drivers that hand over one page: 4096 less headroom and tail */
	/* linux/bpf.h of Linux 6.6 */
	ATTACH_TCX_INGRESS = 46,
	ATTACH_TCX_EGRESS = 47,
};

struct look {
	struct doctor *d;
	struct netdev *netdev; /* NULL: what drivers can do is not told */
	int ioctl_fd;
	size_t wanted, seen;
};

/* What can be known of one interface without touching it. */
struct facts {
	char driver[32];
	int mtu;
	enum netdev_xdp xdp;
	char others[OTHERS_MAX]; /* programs that are not ours: "tcx ingress: cil_from_netdev" */
};

static void list_add(char *list, const char *hook, const char *name, uint32_t id)
{
	size_t len = strlen(list);

	snprintf(list + len, OTHERS_MAX - len, "%s%s '%s' (id %u)", len ? ", " : "", hook, name,
		 id);
}

static bool prog_name(uint32_t id, char *buf, size_t size)
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id);
	int r;

	if (fd < 0)
		return false;
	r = bpf_obj_get_info_by_fd(fd, &info, &len);
	close(fd);
	snprintf(buf, size, "%s", r ? "?" : info.name);
	return true;
}

static void add_program(char *list, const char *hook, uint32_t id)
{
	char name[BPF_OBJ_NAME_LEN] = "?";

	prog_name(id, name, sizeof(name));
	list_add(list, hook, name, id);
}

static void others_tcx(uint32_t ifindex, int type, const char *hook, char *list)
{
	uint32_t ids[PROGS_MAX], n = PROGS_MAX;

	if (bpf_prog_query((int)ifindex, (enum bpf_attach_type)type, 0, NULL, ids, &n) < 0)
		return; /* no tcx in this kernel, or not permitted */
	for (uint32_t i = 0; i < n; i++)
		add_program(list, hook, ids[i]);
}

static void others_xdp(uint32_t ifindex, char *list)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, opts);

	if (bpf_xdp_query((int)ifindex, 0, &opts) < 0)
		return;
	if (opts.drv_prog_id)
		add_program(list, "native XDP", opts.drv_prog_id);
	if (opts.skb_prog_id)
		add_program(list, "generic XDP", opts.skb_prog_id);
	if (opts.hw_prog_id)
		add_program(list, "offloaded XDP", opts.hw_prog_id);
}

static void on_filter(void *ctx, const char *kind, const char *name, uint32_t id, bool egress)
{
	char hook[48];

	snprintf(hook, sizeof(hook), "clsact %s %s", egress ? "egress" : "ingress", kind);
	list_add(ctx, hook, name, id);
}

static void look_at(struct look *l, const struct iface *iface, struct facts *f)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq req = { 0 };

	memset(f, 0, sizeof(*f));
	memcpy(req.ifr_name, iface->name, sizeof(req.ifr_name));
	req.ifr_data = (void *)&info;
	if (!ioctl(l->ioctl_fd, SIOCETHTOOL, &req))
		snprintf(f->driver, sizeof(f->driver), "%.31s", info.driver);
	if (!ioctl(l->ioctl_fd, SIOCGIFMTU, &req))
		f->mtu = req.ifr_mtu;
	f->xdp = netdev_xdp(l->netdev, iface->index);
	others_xdp(iface->index, f->others);
	others_tcx(iface->index, ATTACH_TCX_INGRESS, "tcx ingress", f->others);
	others_tcx(iface->index, ATTACH_TCX_EGRESS, "tcx egress", f->others);
	netdev_filters(iface->index, on_filter, f->others);
}

static const char *xdp_text(enum netdev_xdp x)
{
	static const char *const text[] = { "native XDP unknown before Linux 6.3", "no native XDP",
					    "native XDP", "native XDP with fragments" };

	return text[x];
}

/* plan - what we would do: the hook that reads incoming packets. "" if we could not; then *why says
 * why. Where something is missed by it, *why says so, too. */
static const char *plan(const struct look *l, const struct iface *iface, const struct facts *f,
			const char **why)
{
	enum ingress_hook want = l->d->cfg->ingress;
	bool native = f->xdp == NETDEV_XDP_FULL || f->xdp == NETDEV_XDP_PLAIN;

	*why = NULL;
	if (iface->frames == FRAMES_OTHER) {
		*why = "it carries neither Ethernet nor bare IP packets";
		return "";
	}
	if (want == INGRESS_TC)
		return "tc";
	if (want != INGRESS_AUTO) {
		*why = iface->frames != FRAMES_ETHERNET ? "XDP needs an Ethernet header"
		       : iface->has_xdp			? "another XDP program is attached"
		       : want == INGRESS_XDP && f->xdp == NETDEV_XDP_NONE
			       ? "its driver has no native XDP"
			       : NULL;
		return *why ? "" : want == INGRESS_XDP ? "xdp" : "xdp-generic";
	}
	if (!iface->physical)
		return "tc";
	if (iface->has_xdp)
		*why = "another XDP program is attached and stays";
	else if (f->xdp == NETDEV_XDP_NONE)
		*why = "its driver has no native XDP";
	else if (f->xdp == NETDEV_XDP_PLAIN && f->mtu > XDP_MTU_MAX)
		*why = "its MTU is too large for the driver's XDP";
	else
		return native ? "xdp" : "xdp, if its driver has it, else tc";
	return "tc";
}

static void describe(const struct look *l, const struct iface *iface, const struct facts *f)
{
	const char *why, *hook = plan(l, iface, f, &why);
	json_t *facts;

	if (!*hook)
		facts = doctor_find(l->d, FINDING_PROBLEM, EXIT_RUNTIME, iface->name,
				    "Use --ingress auto, or leave it out with -i '!NAME'.",
				    "cannot be watched: %s", why);
	else
		facts = doctor_find(l->d, FINDING_OK, EXIT_FINE, iface->name, NULL,
				    "%s, %s, MTU %d: incoming by %s%s%s%s, outgoing by tc%s%s",
				    *f->driver ? f->driver : "no driver", xdp_text(f->xdp), f->mtu,
				    hook, why ? " (" : "", why ? why : "", why ? ")" : "",
				    *f->others ? "; left alone: " : "", f->others);
	json_object_set_new(facts, "driver", json_string(f->driver));
	json_object_set_new(facts, "mtu", json_integer(f->mtu));
	json_object_set_new(facts, "physical", json_boolean(iface->physical));
	json_object_set_new(facts, "native_xdp", json_string(xdp_text(f->xdp)));
	json_object_set_new(facts, "ingress", json_string(hook));
	json_object_set_new(facts, "others", json_string(f->others));
}

static void on_iface(void *ctx, const struct iface *iface, bool gone)
{
	struct look *l = ctx;
	struct facts f;

	if (gone)
		return;
	l->seen++;
	if (!iface_is_wanted(l->d->cfg, iface)) {
		doctor_find(l->d, FINDING_OK, EXIT_FINE, iface->name, NULL, "not watched: %s",
			    l->d->cfg->ifaces ? "the configuration leaves it out" : "it is down");
		return;
	}
	l->wanted++;
	look_at(l, iface, &f);
	describe(l, iface, &f);
}

void doctor_ifaces(struct doctor *d)
{
	struct look l = { .d = d, .ioctl_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) };
	struct iface_monitor *m = NULL;
	struct error err = { 0 };
	int r = iface_monitor_open(&m, &err);

	netdev_open(&l.netdev);
	if (!r)
		r = iface_monitor_list(m, on_iface, &l);
	if (r < 0)
		doctor_find(d, FINDING_PROBLEM, EXIT_RUNTIME, "interfaces", NULL,
			    "the kernel does not list them: %s", strerror(-r));
	else if (!l.wanted)
		doctor_find(d, FINDING_PROBLEM, EXIT_RUNTIME, "interfaces",
			    "Name one that is there (`ip link`), or bring one up.",
			    "none of %zu would be watched", l.seen);
	netdev_close(l.netdev);
	iface_monitor_close(m);
	if (l.ioctl_fd >= 0)
		close(l.ioctl_fd);
}
