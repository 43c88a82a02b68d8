/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Everything that is counted where packets are handled: one list, from which come the enum, the
 * per-CPU array of the BPF side, and the names in summaries, metrics and JSON.
 *
 * A counter named parse_* is a packet that carried nothing we could follow, by reason; the packet
 * itself always goes on untouched. Counters with the word "lost" in their sentence are evidence
 * that left unseen; README and `--help` call their sum "lost". */
#ifndef RECONMON_STATS_H
#define RECONMON_STATS_H

#include "flood.h"

/* X(enum suffix, name, what one count means) */
#define RECONMON_STATS(X)                                                                          \
	X(INGRESS, "packets_ingress", "packets seen on the way in")                                \
	X(EGRESS, "packets_egress", "packets seen on the way out")                                 \
	X(PARSE_ETH_TRUNCATED, "parse_eth_truncated", "frame shorter than an Ethernet header")     \
	X(PARSE_VLAN_TRUNCATED, "parse_vlan_truncated", "frame ends within a VLAN tag")            \
	X(PARSE_VLAN_DEPTH, "parse_vlan_depth", "more than two VLAN tags in the frame")            \
	X(PARSE_NOT_IP, "parse_not_ip", "neither IPv4 nor IPv6 (ARP, LLDP, ...)")                  \
	X(PARSE_IPV4_TRUNCATED, "parse_ipv4_truncated", "packet ends within the IPv4 header")      \
	X(PARSE_IPV4_VERSION, "parse_ipv4_version", "IPv4 EtherType, other version")               \
	X(PARSE_IPV4_IHL, "parse_ipv4_ihl", "IPv4 header length below 20 bytes")                   \
	X(PARSE_IPV4_LENGTH, "parse_ipv4_length", "IPv4 total length impossible")                  \
	X(PARSE_IPV6_TRUNCATED, "parse_ipv6_truncated", "packet ends within the IPv6 header")      \
	X(PARSE_IPV6_VERSION, "parse_ipv6_version", "IPv6 EtherType, other version")               \
	X(PARSE_IPV6_LENGTH, "parse_ipv6_length", "IPv6 payload length impossible")                \
	X(PARSE_IPV6_EXT_TRUNCATED, "parse_ipv6_ext_truncated", "ends within extension headers")   \
	X(PARSE_IPV6_EXT_DEPTH, "parse_ipv6_ext_depth", "more than six IPv6 extension headers")    \
	X(PARSE_FRAGMENT_LATER, "parse_fragment_later",                                            \
	  "fragment that is not the first: no ports")                                              \
	X(PARSE_FRAGMENT_SHORT, "parse_fragment_short", "first fragment without both ports")       \
	X(PARSE_TCP_TRUNCATED, "parse_tcp_truncated", "packet ends within the TCP header")         \
	X(PARSE_TCP_DOFF, "parse_tcp_doff", "TCP data offset impossible")                          \
	X(PARSE_UDP_TRUNCATED, "parse_udp_truncated", "packet ends within the UDP header")         \
	X(PARSE_UDP_LENGTH, "parse_udp_length", "UDP length impossible")                           \
	X(PARSE_SCTP_TRUNCATED, "parse_sctp_truncated", "packet ends within the SCTP header")      \
	X(PARSE_ICMP_TRUNCATED, "parse_icmp_truncated", "packet ends within the ICMP header")      \
	X(PARSE_ICMP_OTHER, "parse_icmp_other",                                                    \
	  "ICMP that asks nothing (or asks with data) and reports nothing unreachable")            \
	X(PARSE_ICMP_QUOTE, "parse_icmp_quote", "ICMP error whose quoted packet has no ports")     \
	X(PARSE_PROTO_OTHER, "parse_proto_other", "IP protocol without ports we follow")           \
	X(ATTEMPTS, "attempts", "connection attempts opened")                                      \
	X(GUARD, "attempts_unfollowed",                                                            \
	  "attempts beyond --guard-rate at their service: counted, not followed")                  \
	X(GUARD_UNNAMED, "attempts_unnamed",                                                       \
	  "... of services beyond those that can be named at once")                                \
	X(GUARD_ENGAGED, "guards", "times that the guard engaged for a service")                   \
	X(GUARD_REPLY, "guard_replies", "datagrams of a service under guard, taken for replies")   \
	X(SOURCE_FAST, "attempts_fast",                                                            \
	  "attempts beyond 1,024 a second of one originator: first to give way")                   \
	X(ATTEMPT_RENEWED, "attempts_renewed", "new initial sequence number on the same ports")    \
	X(PAYLOAD, "attempts_payload", "attempts whose originator sent payload")                   \
	X(TRANSFER, "attempts_transfer", "silent attempts in which the responder streamed bulk")   \
	X(SILENT, "attempts_silent", "attempts that ended without payload")                        \
	X(ORPHAN, "orphans", "SYN-ACK, FIN, RST, ICMP error or late reply of no attempt")          \
	X(ORPHAN_PROBE, "orphans_refused", "probes without a SYN, told by the RST that answered")  \
	X(ORPHAN_LATE, "orphans_late",                                                             \
	  "RST that may be a late packet's: by its ports, payload, or what was not seen")          \
	X(BAD_ANSWER, "answers_invalid",                                                           \
	  "answer that does not fit the attempt's sequence numbers")                               \
	X(NURSERY_EXISTS, "nursery_exists", "another CPU opened the same attempt first")           \
	X(NURSERY_TWIN, "nursery_twin", "attempt claimed on two CPUs at once, resolved")           \
	X(NURSERY_UNSURE, "nursery_unsure", "claimed on two CPUs at once, both may stand")         \
	X(NURSERY_EVICTED_UNSEEN, "nursery_evicted_unseen", "lost: evicted before it was judged")  \
	X(NURSERY_EVICTED_SEEN, "nursery_evicted_seen",                                            \
	  "evicted after it was reported or decided")                                              \
	X(NURSERY_GAVE_UP, "nursery_gave_up", "lost: attempt not stored, other CPUs kept winning") \
	X(NURSERY_NO_ROOM, "nursery_no_room",                                                      \
	  "lost: attempt not stored, its bucket is full of better known ones")                     \
	X(NURSERY_COLLISION, "nursery_collision", "lost: attempt refused, fingerprint is taken")   \
	X(NURSERY_BUSY, "nursery_busy", "packet of an attempt that another CPU is just storing")   \
	X(NURSERY_RETRY, "nursery_retry", "slot changed hands while it was read")                  \
	X(CONTACT_NEW, "contacts_inserted", "entries made in the maps of contacts")                \
	X(CONTACT_AGAIN, "contacts_again",                                                         \
	  "attempt told again: its entry was drained while it was told, perhaps with it")          \
	X(CONTACT_FAILED, "contacts_failed", "lost: entry that `contacts` refused")                \
	X(SOURCE_FAILED, "sources_failed",                                                         \
	  "entry that `sources` refused: alert waits for the tick")                                \
	X(OWNER_COOKIE, "owners_known", "attempts of this host whose process is known")            \
	X(OWNER_GUESS, "owners_guessed", "... is guessed: it ran as the packet left")              \
	X(OWNER_NONE, "owners_unknown", "... is unknown: only user and cgroup of its socket")      \
	X(OWNER_FORWARDED, "owners_forwarded", "attempts that went out without a socket here")     \
	X(OWNER_BUSY, "owners_busy", "owner not written: another CPU was writing at its place")    \
	X(ENDED, "attempts_ended", "attempts handed to the log of attempts")                       \
	X(ENDED_FAILED, "attempts_unlogged",                                                       \
	  "line of the log of attempts lost: the ring to the daemon was full")                     \
	X(WAKE, "wakes", "early wake-ups of the daemon")                                           \
	X(WAKE_FAILED, "wakes_failed", "wake-ups that found the ring full: one is pending already")

enum stat {
#define X(id, name, text) STAT_##id,
	RECONMON_STATS(X)
#undef X
	STAT_MAX
};

/* The value of the per-CPU array `stats`: one entry, all counters; and beside them what was not
 * followed at each service under guard (flood.h), where no two CPUs write one word. */
struct stats {
	unsigned long long n[STAT_MAX];
	unsigned long long unfollowed[GUARD_FLOODS];
};

#endif
