// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* How long may an attempt be silent before that means something? */
#include "sweep.h"

/* Reported attempts are kept for so long, so that payload can still retract them; UDP flows since
 * their last packet. A SYN is retransmitted for 127 s at the most (tcp_syn_retries 6), and a
 * SYN-ACK for less: a handshake that is half open after that stays so, and a flood of them must not
 * fill the nursery for a day. */
#define KEEP_UNANSWERED_NS (130ull * 1000000000)
#define KEEP_OPEN_NS	   (24ull * 3600 * 1000000000)
#define KEEP_UDP_NS	   (60ull * 1000000000)
#define KEEP_CLOSING_NS	   (5ull * 1000000000) /* silent to the FIN: as Zeek's tcp_close_delay */

/* ripe_after_ns - an established connection may wait for a slow greeting, or be a browser's
 * preconnect; everything else would have gone on within a round trip. */
uint64_t ripe_after_ns(const struct ripeness *r, const struct attempt *a, uint8_t state)
{
	if (a->proto != PROTO_UDP && state & STATE_ESTAB)
		return r->settle_open_ns;
	return r->settle_ns;
}

bool sweep_is_over(const struct attempt *a, uint8_t state, uint64_t silent_ns)
{
	/* However old: after a pause in a capture, or of the daemon, the first look that it gets
	 * must report it. */
	if (!(state & (STATE_REPORTED | STATE_DECIDED)))
		return false;
	if (a->proto == PROTO_UDP)
		return silent_ns > KEEP_UDP_NS;
	if (state & STATE_DECIDED)
		return silent_ns > KEEP_CLOSING_NS;
	return silent_ns > (state & STATE_ESTAB ? KEEP_OPEN_NS : KEEP_UNANSWERED_NS);
}
