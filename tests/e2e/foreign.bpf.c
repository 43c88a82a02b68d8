// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* Somebody else's programs, which reconmon must find, respect and leave in place. */
#include <linux/bpf.h>

__attribute__((section("xdp"), used)) int foreign_xdp(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

__attribute__((section("tc"), used)) int foreign_tc(struct __sk_buff *skb)
{
	(void)skb;
	return 0; /* TC_ACT_OK: later filters do not run */
}

char LICENSE[] __attribute__((section("license"), used)) = "Dual BSD/GPL";
