/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which interfaces are there, and which come and go? One netlink socket (rtnetlink, RTNLGRP_LINK)
 * of the network namespace that we were started in. */
#ifndef RECONMON_IFACE_H
#define RECONMON_IFACE_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "config.h"

enum iface_frames {
	FRAMES_ETHERNET, /* lo too: its packets begin with an empty Ethernet header */
	FRAMES_IP,	 /* tun, WireGuard, ipip, ...: packets begin with the IP header */
	FRAMES_OTHER,	 /* nothing we can read (CAN, raw 802.11, ...) */
};

struct iface {
	uint32_t index;
	char name[IFNAMSIZ];
	enum iface_frames frames;
	bool up;
	bool physical; /* Ethernet with hardware below: no virtual kind, not the loopback */
	bool has_xdp;  /* somebody's XDP program is attached */
	/* By the kernel's count, so far: in and out; 0 of one that is gone. */
	uint64_t rx_packets, tx_packets;
};

struct iface_monitor;

/* iface_event_fn - an interface is there (listed, new or changed), or gone (only index and name are
 * set then). */
typedef void iface_event_fn(void *ctx, const struct iface *iface, bool gone);

/* iface_monitor_open - returns 0 with *ret for iface_monitor_close(), or a negative errno with err
 * filled. Its fd becomes readable when something changed. */
int iface_monitor_open(struct iface_monitor **ret, struct error *err);
void iface_monitor_close(struct iface_monitor *m); /* NULL is fine */
int iface_monitor_fd(const struct iface_monitor *m);

/* iface_monitor_list - tells fn of every interface. Returns 0 or a negative errno. */
int iface_monitor_list(struct iface_monitor *m, iface_event_fn *fn, void *ctx);

/* iface_monitor_read - tells fn what has changed. Returns 0; -ENOBUFS if changes were lost (list
 * again); or another negative errno. */
int iface_monitor_read(struct iface_monitor *m, iface_event_fn *fn, void *ctx);

/* iface_is_wanted - by name, glob, or (no pattern given but those with "!") because it is up; and
 * not left out by a pattern with "!". */
bool iface_is_wanted(const struct config *cfg, const struct iface *iface);

#endif
