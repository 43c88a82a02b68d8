// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* The reference build: the same programs over a plain LRU hash. */
#define STORE_LRU 1
#include "reconmon.bpf.c"
