// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "iface.h"

#include <errno.h>
#include <fnmatch.h>
#include <libmnl/libmnl.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	LIST_TRIES = 10
};

struct iface_monitor {
	struct mnl_socket *events; /* subscribed; non-blocking */
	struct mnl_socket *query;  /* dumps; NULL: to be opened */
	iface_event_fn *fn;	   /* of the call that is running */
	void *ctx;
};

static struct mnl_socket *open_socket(unsigned int groups)
{
	struct mnl_socket *nl =
		mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | (groups ? SOCK_NONBLOCK : 0));

	if (nl && mnl_socket_bind(nl, groups, MNL_SOCKET_AUTOPID) < 0) {
		int saved = errno;

		mnl_socket_close(nl);
		errno = saved;
		return NULL;
	}
	return nl;
}

int iface_monitor_open(struct iface_monitor **ret, struct error *err)
{
	struct iface_monitor *m = calloc(1, sizeof(*m));
	int r = -ENOMEM;

	if (!m)
		goto fail;
	m->events = open_socket(RTMGRP_LINK);
	m->query = m->events ? open_socket(0) : NULL;
	if (!m->query) {
		r = -errno;
		goto fail;
	}
	*ret = m;
	return 0;

fail:
	iface_monitor_close(m);
	return error_set(err, r, EXIT_RUNTIME,
			 "cannot ask the kernel for its interfaces (netlink): %s", strerror(-r));
}

void iface_monitor_close(struct iface_monitor *m)
{
	if (!m)
		return;
	if (m->events)
		mnl_socket_close(m->events);
	if (m->query)
		mnl_socket_close(m->query);
	free(m);
}

int iface_monitor_fd(const struct iface_monitor *m)
{
	return mnl_socket_get_fd(m->events);
}

static enum iface_frames frames_of(unsigned short type)
{
	switch (type) {
	case ARPHRD_ETHER:
	case ARPHRD_LOOPBACK:
		return FRAMES_ETHERNET;
	case ARPHRD_NONE: /* tun, WireGuard */
	case ARPHRD_TUNNEL:
	case ARPHRD_TUNNEL6:
	case ARPHRD_SIT:
	case ARPHRD_IPGRE:
	case ARPHRD_IP6GRE:
	case ARPHRD_PPP:
	case ARPHRD_RAWIP:
		return FRAMES_IP;
	default:
		return FRAMES_OTHER;
	}
}

/* Nested attributes: does `parent` hold an attribute of this type? */
static const struct nlattr *nested(const struct nlattr *parent, uint16_t type)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, parent) if (mnl_attr_get_type(a) == type) return a;
	return NULL;
}

/* read_packets - the attribute is aligned to 4 bytes only. */
static void read_packets(const struct nlattr *a, struct iface *iface)
{
	struct rtnl_link_stats64 s = { 0 };
	size_t len = mnl_attr_get_payload_len(a);

	memcpy(&s, mnl_attr_get_payload(a), len < sizeof(s) ? len : sizeof(s));
	iface->rx_packets = s.rx_packets;
	iface->tx_packets = s.tx_packets;
}

static int on_message(const struct nlmsghdr *nlh, void *data)
{
	struct iface_monitor *m = data;
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	struct iface iface = { .index = (uint32_t)ifi->ifi_index };
	bool is_virtual = false;
	const struct nlattr *a;

	if (nlh->nlmsg_type != RTM_NEWLINK && nlh->nlmsg_type != RTM_DELLINK)
		return MNL_CB_OK;
	if (ifi->ifi_family != AF_UNSPEC) /* a bridge speaks of its ports in messages of its own */
		return MNL_CB_OK;
	mnl_attr_for_each(a, nlh, sizeof(*ifi))
	{
		if (mnl_attr_get_type(a) == IFLA_IFNAME)
			strncpy(iface.name, mnl_attr_get_str(a), sizeof(iface.name) - 1);
		else if (mnl_attr_get_type(a) == IFLA_LINKINFO)
			is_virtual = nested(a, IFLA_INFO_KIND);
		else if (mnl_attr_get_type(a) == IFLA_XDP) {
			const struct nlattr *on = nested(a, IFLA_XDP_ATTACHED);

			iface.has_xdp = on && mnl_attr_get_u8(on) != 0;
		} else if (mnl_attr_get_type(a) == IFLA_STATS64) {
			read_packets(a, &iface);
		}
	}
	iface.frames = frames_of(ifi->ifi_type);
	iface.up = ifi->ifi_flags & IFF_UP;
	iface.physical = ifi->ifi_type == ARPHRD_ETHER && !is_virtual;
	m->fn(m->ctx, &iface, nlh->nlmsg_type == RTM_DELLINK);
	return MNL_CB_OK;
}

static int list_once(struct iface_monitor *m)
{
	char buf[32768] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *ifi;
	unsigned int seq = (unsigned int)time(NULL);
	ssize_t n;
	int r = 1;

	nlh->nlmsg_type = RTM_GETLINK;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nlh->nlmsg_seq = seq;
	ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	ifi->ifi_family = AF_UNSPEC;
	if (mnl_socket_sendto(m->query, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	while (r > 0) {
		n = mnl_socket_recvfrom(m->query, buf, sizeof(buf));
		if (n < 0)
			return -errno;
		r = mnl_cb_run(buf, (size_t)n, seq, mnl_socket_get_portid(m->query), on_message, m);
	}
	return r < 0 ? -errno : 0;
}

/* Interfaces that come and go while they are listed break the list off (NLM_F_DUMP_INTR, -EINTR).
 * What is left of a broken answer must not be taken for the next one's: hence a new socket. */
int iface_monitor_list(struct iface_monitor *m, iface_event_fn *fn, void *ctx)
{
	int r = -EINTR;

	m->fn = fn;
	m->ctx = ctx;
	for (int i = 0; r == -EINTR && i < LIST_TRIES; i++) {
		if (!m->query)
			m->query = open_socket(0);
		if (!m->query)
			return -errno;
		r = list_once(m);
		if (r < 0) {
			mnl_socket_close(m->query);
			m->query = NULL;
		}
	}
	return r;
}

int iface_monitor_read(struct iface_monitor *m, iface_event_fn *fn, void *ctx)
{
	char buf[32768] __attribute__((aligned(8)));
	int r = 0;
	ssize_t n;

	m->fn = fn;
	m->ctx = ctx;
	for (;;) {
		n = mnl_socket_recvfrom(m->events, buf, sizeof(buf));
		if (n > 0) {
			if (mnl_cb_run(buf, (size_t)n, 0, 0, on_message, m) < 0)
				return -errno;
		} else if (n < 0 && errno == ENOBUFS) {
			/* Said once, until all that waits is read (Linux, netlink_overrun()): what
			 * is lost before that is lost unsaid. */
			r = -ENOBUFS;
		} else {
			return n < 0 && errno != EAGAIN && errno != EINTR ? -errno : r;
		}
	}
}

bool iface_is_wanted(const struct config *cfg, const struct iface *iface)
{
	bool named = false, wanted = false;

	for (uint32_t i = 0; i < cfg->ifaces; i++) {
		const char *pattern = cfg->iface[i];
		bool without = *pattern == '!';

		named |= !without;
		if (fnmatch(pattern + without, iface->name, 0))
			continue;
		if (without)
			return false;
		wanted = true;
	}
	return named ? wanted : iface->up;
}
