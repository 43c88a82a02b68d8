// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "netdev.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

/* linux/netdev.h of Linux 6.3, which Debian 12 does not have. */
enum {
	DEV_GET = 1,	      /* NETDEV_CMD_DEV_GET */
	DEV_IFINDEX = 1,      /* NETDEV_A_DEV_IFINDEX, u32 */
	DEV_XDP_FEATURES = 3, /* NETDEV_A_DEV_XDP_FEATURES, u64 */
	XDP_BASIC = 1 << 0,   /* NETDEV_XDP_ACT_BASIC */
	XDP_SEVERAL = 1 << 5, /* NETDEV_XDP_ACT_RX_SG */
	BUF_SIZE = 32768,
};

struct netdev {
	struct mnl_socket *nl;
	uint16_t family;
};

/* ask - sends a request and hands each message of the answer to fn. Returns 0 or a negative errno.
 */
static int ask(struct mnl_socket *nl, struct nlmsghdr *nlh, mnl_cb_t fn, void *ctx)
{
	char buf[BUF_SIZE] __attribute__((aligned(8)));
	unsigned int seq = nlh->nlmsg_seq;
	ssize_t n;
	int r = 1;

	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	while (r > 0) {
		n = mnl_socket_recvfrom(nl, buf, sizeof(buf));
		if (n < 0)
			return -errno;
		r = mnl_cb_run(buf, (size_t)n, seq, mnl_socket_get_portid(nl), fn, ctx);
	}
	return r < 0 ? -errno : 0;
}

static struct mnl_socket *open_bound(int bus)
{
	struct mnl_socket *nl = mnl_socket_open2(bus, SOCK_CLOEXEC);

	if (nl && mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0) {
		mnl_socket_close(nl);
		nl = NULL;
	}
	return nl;
}

static struct nlmsghdr *generic_request(char *buf, uint16_t family, uint8_t cmd, uint8_t version)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *g;

	nlh->nlmsg_type = family;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK; /* the ACK ends the answer */
	nlh->nlmsg_seq = 1;
	g = mnl_nlmsg_put_extra_header(nlh, sizeof(*g));
	g->cmd = cmd;
	g->version = version;
	return nlh;
}

static int on_family(const struct nlmsghdr *nlh, void *data)
{
	uint16_t *family = data;
	const struct nlattr *a;

	mnl_attr_for_each(a, nlh, sizeof(struct genlmsghdr)) if (mnl_attr_get_type(a) ==
								 CTRL_ATTR_FAMILY_ID) *family =
		mnl_attr_get_u16(a);
	return MNL_CB_OK;
}

void netdev_open(struct netdev **ret)
{
	char buf[512] __attribute__((aligned(8)));
	struct netdev *n = calloc(1, sizeof(*n));
	struct nlmsghdr *nlh;

	*ret = n;
	if (!n)
		return;
	n->nl = open_bound(NETLINK_GENERIC);
	if (n->nl) {
		nlh = generic_request(buf, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1);
		mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, "netdev");
		ask(n->nl, nlh, on_family, &n->family);
	}
	if (n->family)
		return;
	netdev_close(n);
	*ret = NULL;
}

void netdev_close(struct netdev *n)
{
	if (n && n->nl)
		mnl_socket_close(n->nl);
	free(n);
}

static int on_device(const struct nlmsghdr *nlh, void *data)
{
	enum netdev_xdp *xdp = data;
	const struct nlattr *a;

	mnl_attr_for_each(a, nlh, sizeof(struct genlmsghdr))
	{
		uint64_t features;

		if (mnl_attr_get_type(a) != DEV_XDP_FEATURES ||
		    mnl_attr_get_payload_len(a) < sizeof(features))
			continue;
		features = mnl_attr_get_u64(a);
		*xdp = !(features & XDP_BASIC)	? NETDEV_XDP_NONE
		       : features & XDP_SEVERAL ? NETDEV_XDP_FULL
						: NETDEV_XDP_PLAIN;
	}
	return MNL_CB_OK;
}

enum netdev_xdp netdev_xdp(const struct netdev *n, uint32_t ifindex)
{
	char buf[512] __attribute__((aligned(8)));
	enum netdev_xdp xdp = NETDEV_XDP_UNKNOWN;
	struct nlmsghdr *nlh;

	if (!n)
		return xdp;
	nlh = generic_request(buf, n->family, DEV_GET, 1);
	mnl_attr_put_u32(nlh, DEV_IFINDEX, ifindex);
	ask(n->nl, nlh, on_device, &xdp);
	return xdp;
}

/* ---- filters ---- */

struct filters {
	netdev_filter_fn *fn;
	void *ctx;
	bool egress;
	int n;
};

static int on_filter(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *a, *option, *options = NULL;
	const char *kind = "", *name = "";
	struct filters *f = data;
	uint32_t id = 0;

	mnl_attr_for_each(a, nlh, sizeof(struct tcmsg))
	{
		if (mnl_attr_get_type(a) == TCA_KIND)
			kind = mnl_attr_get_str(a);
		else if (mnl_attr_get_type(a) == TCA_OPTIONS)
			options = a;
	}
	if (!options) /* the head of a priority, not a filter */
		return MNL_CB_OK;
	mnl_attr_for_each_nested(option, options)
	{
		if (strcmp(kind, "bpf"))
			break; /* other kinds number their options otherwise */
		if (mnl_attr_get_type(option) == TCA_BPF_NAME)
			name = mnl_attr_get_str(option);
		else if (mnl_attr_get_type(option) == TCA_BPF_ID)
			id = mnl_attr_get_u32(option);
	}
	f->fn(f->ctx, kind, name, id, f->egress);
	f->n++;
	return MNL_CB_OK;
}

static int list_filters(struct mnl_socket *nl, uint32_t ifindex, struct filters *f)
{
	char buf[512] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct tcmsg *tcm;

	nlh->nlmsg_type = RTM_GETTFILTER;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nlh->nlmsg_seq = f->egress ? 2 : 1;
	tcm = mnl_nlmsg_put_extra_header(nlh, sizeof(*tcm));
	tcm->tcm_family = AF_UNSPEC;
	tcm->tcm_ifindex = (int)ifindex;
	tcm->tcm_parent = TC_H_MAKE(TC_H_CLSACT, f->egress ? TC_H_MIN_EGRESS : TC_H_MIN_INGRESS);
	return ask(nl, nlh, on_filter, f);
}

int netdev_filters(uint32_t ifindex, netdev_filter_fn *fn, void *ctx)
{
	struct mnl_socket *nl = open_bound(NETLINK_ROUTE);
	struct filters f = { .fn = fn, .ctx = ctx };
	int r;

	if (!nl)
		return -errno;
	r = list_filters(nl, ifindex, &f);
	if (!r) {
		f.egress = true;
		r = list_filters(nl, ifindex, &f);
	}
	mnl_socket_close(nl);
	return r < 0 ? r : f.n;
}
