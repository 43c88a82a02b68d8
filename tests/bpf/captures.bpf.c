// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* The programs as they ship, but for one thing: their clock is the capture's, which the test writes
 * before each packet. The helper's own name is taken, so that what ships needs no seam for it. */
#include <reconmon/platform.h>

__u64 capture_ns;

#define bpf_ktime_get_boot_ns() capture_ns
#define bpf_jiffies64()		(capture_ns >> 20) /* as user/host_store.h */

#include "../../bpf/reconmon.bpf.c"
