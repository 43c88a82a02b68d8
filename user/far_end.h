/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Whose interface is at the other end of a veth pair? What a container or pod sends comes out of
 * the end that stays with the host; the kernel says which network namespace has the other one, and
 * /proc says who is in that. */
#ifndef RECONMON_FAR_END_H
#define RECONMON_FAR_END_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* far_end_cgroup - the cgroup of the container at the other end of an interface; of a pod with
 * several containers, which share their interface, the pod's. Writes its path into buf. Returns
 * false if the interface has no other end in a namespace with a container, or two that have nothing
 * in common are there. Walks /proc: some milliseconds on a host with many processes. */
bool far_end_cgroup(uint32_t ifindex, char *buf, size_t len);

#endif
