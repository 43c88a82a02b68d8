/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What stands before the internet header in a capture? One function a link type: the bytes of a
 * record in, the length of its link-layer header and the EtherType behind it out. Ethernet is not
 * taken apart here: parse.h does that, for the kernel's packets as well. */
#ifndef RECONMON_LINKTYPE_H
#define RECONMON_LINKTYPE_H

#include <stdbool.h>
#include <stdint.h>

/* What a link-layer header says. */
struct link_info {
	int ethertype; /* LINK_NOT_IP where there is none; never 0 */
	bool outgoing; /* Linux SLL: sent by the capturing host */
};

enum {
	/* In the place of an EtherType: reserved by RFC 1701, nothing parses it. */
	LINK_NOT_IP = 0xffff,
};

/* link_fn - reads the link-layer header in the have bytes at p. Returns its length with *ret set
 * (all of it, and zeroed before), or -1 if it is cut. */
typedef int link_fn(const unsigned char *p, uint32_t have, struct link_info *ret);

struct linktype {
	int dlt;     /* libpcap's DLT_* */
	link_fn *fn; /* NULL: Ethernet, handed out as it is */
};

/* linktype_find - NULL: not read. */
const struct linktype *linktype_find(int dlt);

/* linktype_dlt - libpcap's DLT_* of a LINKTYPE_* as a file has it, where that is one of ours. */
int linktype_dlt(uint16_t link);

/* linktype_names - those that are read, for messages. */
const char *linktype_names(void);

#endif
