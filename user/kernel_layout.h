/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Where does the running kernel keep what bpf/owner.h reads of a process? Its BTF says so. */
#ifndef RECONMON_KERNEL_LAYOUT_H
#define RECONMON_KERNEL_LAYOUT_H

#include <reconmon/owner.h>

#include "error.h"

/* kernel_layout_read - fills *ret from /sys/kernel/btf/vmlinux. Returns 0, or a negative errno with
 * err saying what is missing; then *ret is undefined. */
int kernel_layout_read(struct kernel_layout *ret, struct error *err);

#endif
