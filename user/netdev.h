/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Two questions to the kernel about a network device, by netlink: what its driver's XDP can do, and
 * which clsact filters are attached to it. Nothing is changed by them. */
#ifndef RECONMON_NETDEV_H
#define RECONMON_NETDEV_H

#include <stdbool.h>
#include <stdint.h>

struct netdev;

enum netdev_xdp {
	NETDEV_XDP_UNKNOWN, /* the kernel does not tell (before Linux 6.3) */
	NETDEV_XDP_NONE,
	NETDEV_XDP_PLAIN, /* packets of one buffer: the MTU is bounded */
	NETDEV_XDP_FULL,  /* packets of several buffers as well */
};

/* netdev_open - *ret becomes NULL where the kernel has no such family; every call takes that. */
void netdev_open(struct netdev **ret);
void netdev_close(struct netdev *n);

/* netdev_xdp - native XDP as the driver says it has it (xdp-features of the family "netdev",
 * Documentation/netlink/specs/netdev.yaml). */
enum netdev_xdp netdev_xdp(const struct netdev *n, uint32_t ifindex);

/* netdev_filter_fn - one filter of tc: its kind ("bpf", "flower"), and of a BPF program its name
 * and id, else "" and 0. */
typedef void netdev_filter_fn(void *ctx, const char *kind, const char *name, uint32_t id,
			      bool egress);

/* netdev_filters - tells fn of the filters on both clsact hooks. Returns how many, or a negative
 * errno. */
int netdev_filters(uint32_t ifindex, netdev_filter_fn *fn, void *ctx);

#endif
