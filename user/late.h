/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One more program over maps that are loaded. */
#ifndef RECONMON_LATE_H
#define RECONMON_LATE_H

#include <stddef.h>

struct bpf_object;

/* late_load - loads program `name` of an object file over the maps, and with the constants, of
 * `first`, which was loaded from the same file. Returns its descriptor, the caller's to close, or a
 * negative errno. */
int late_load(const void *elf, size_t size, const struct bpf_object *first, const char *name);

#endif
