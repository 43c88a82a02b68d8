/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The hierarchy of cgroup v2: its root, and the path of a cgroup of which only the id is known. */
#ifndef RECONMON_CGROUP_TREE_H
#define RECONMON_CGROUP_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* cgroup_tree_open - a descriptor of the root, for close(); where the hierarchy is not mounted, of
 * a mount that no namespace has. Returns -1 with errno. */
int cgroup_tree_open(void);

/* cgroup_tree_path - the path ("/a/b") of the cgroup with that id, as long as it exists. Returns
 * false if it does not, or the path does not fit. */
bool cgroup_tree_path(int root_fd, uint64_t id, char *buf, size_t len);

#endif
