/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What has ripened among the undecided attempts? The kernel judges what ends; what just stays silent
 * is judged here, by looking at the nursery through its mapping, without a system call. */
#ifndef RECONMON_SWEEP_H
#define RECONMON_SWEEP_H

#include <reconmon/attempt.h>
#include <stdint.h>

#include "load.h"

struct sweep;

/* What a sweep saw. */
struct sweep_stats {
	uint64_t ripened; /* attempts reported as provisional probes, since the start */
	uint64_t retired; /* taken out: reported and over, or idle UDP flows, since the start */
	uint64_t live;	  /* attempts in the nursery at the last sweep */
	uint64_t undecided; /* ... of them not yet reported */
};

/* sweep_fn - takes a provisional probe; `bits` are CONTACT_*, a is the caller's for the call. */
typedef void sweep_fn(void *ctx, const struct attempt *a, uint32_t bits);

/* sweep_open - maps the nursery. Returns 0 with *ret for sweep_close(), or a negative errno with err
 * filled. `b` must outlive it. */
int sweep_open(const struct bpf_side *b, const struct config *cfg, struct sweep **ret,
	       struct error *err);
void sweep_close(struct sweep *s); /* NULL is fine */

/* sweep_run - one pass at now_ns (CLOCK_BOOTTIME): sets the clock of ages, reports what has ripened
 * to fn, retires what is over. Less than 1 ms for 65,536 slots. */
void sweep_run(struct sweep *s, uint64_t now_ns, sweep_fn *fn, void *ctx);

void sweep_stats_get(const struct sweep *s, struct sweep_stats *ret);

/* When an attempt is due: shared by both builds. */
struct ripeness {
	uint64_t settle_ns, settle_open_ns;
};
uint64_t ripe_after_ns(const struct ripeness *r, const struct attempt *a, uint8_t state);

/* Reported attempts are kept for so long, so that payload can still retract them; UDP flows since
 * their last packet. A SYN is retransmitted for 127 s at the most (tcp_syn_retries 6). */
#define SWEEP_KEEP_UNANSWERED_NS (130ull * 1000000000)
#define SWEEP_KEEP_OPEN_NS	 (24ull * 3600 * 1000000000)
#define SWEEP_KEEP_UDP_NS	 (60ull * 1000000000)

#endif
