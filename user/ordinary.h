/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which silence is part of ordinary work? What packets of one contact tell; whether it really is
 * ordinary, the engine knows from what else these two hosts did. */
#ifndef RECONMON_ORDINARY_H
#define RECONMON_ORDINARY_H

#include <arpa/inet.h>
#include <reconmon/attempt.h>
#include <stdbool.h>

enum {
	/* traceroute counts ports up from here, one a probe, three a hop and 30 hops at the most
	 * (its manual; IANA has 33434 for it). The host at the end answers the last ones by ICMP
	 * port unreachable: 16 at once from a neighbour on Linux. */
	TRACEROUTE_PORT = 33434,
	TRACEROUTE_PROBES = 90,

	PRIVILEGED_PORTS = 1024,
};

/* ordinary_is_traceroute - is the contact one that traceroute makes? Nothing else is known to use
 * these ports; a scan of them alone is not told from it. */
static inline bool ordinary_is_traceroute(const struct contact_key *key)
{
	uint16_t port = ntohs(key->resp_port);

	return key->proto == PROTO_UDP && port >= TRACEROUTE_PORT &&
	       port < TRACEROUTE_PORT + TRACEROUTE_PROBES;
}

/* ordinary_may_be_ftp_data - may it be a data connection of passive FTP, in which the server alone
 * speaks? Every attempt was accepted, the handshake was completed, and the port is one that a
 * server may negotiate. A listing is as short as a banner, so its length tells nothing. */
static inline bool ordinary_may_be_ftp_data(const struct contact_key *key, uint32_t bits)
{
	const uint32_t other = CONTACT_CLOSED | CONTACT_FILTERED | CONTACT_NONE | CONTACT_SYN |
			       CONTACT_ODD | CONTACT_FRAGMENT;

	return key->proto == PROTO_TCP && ntohs(key->resp_port) >= PRIVILEGED_PORTS &&
	       bits & CONTACT_CONNECT && !(bits & other);
}

/* Where FTP is controlled: port 21, and 990 over TLS (RFC 4217). */
static const uint16_t ordinary_ftp_ports[] = { 21, 990 };

#endif
