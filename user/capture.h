/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Packets from capture files: pcap and pcapng (libpcap), whose interfaces may differ, plain or
 * gzip-compressed, several files merged in order of time into one stream. What is damaged is said
 * once, counted, and everything readable before it is used. */
#ifndef RECONMON_CAPTURE_H
#define RECONMON_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct capture_packet {
	uint64_t t_ns; /* since the epoch */
	const void *
		data; /* from the link-layer header on (ethertype 0), or from the internet header */
	uint32_t have;	   /* bytes at data; at most wire_len */
	uint32_t wire_len; /* bytes from there on that the packet had on the wire */
	int ethertype;	   /* 0: data begins with an Ethernet header; else data begins with the
			    * internet header of this EtherType (0x0800, 0x86dd, or another: not IP) */
	bool outgoing;	   /* Linux SLL: sent by the capturing host */
};

struct capture_stats {
	uint64_t packets;	 /* handed out */
	uint64_t link_truncated; /* packets cut within the link-layer header: not handed out
				  * (Ethernet is: parse.h counts it) */
	uint64_t link_unread; /* packets of a pcapng file's interfaces whose link type is not read:
			       * likewise */
	uint64_t cut;	      /* packets of which the snap length kept only a part */
	uint64_t backwards; /* packets whose time lies before that of one before them in their file
			     */
	uint64_t files_damaged; /* files that ended in the middle of a packet, or with an error */
	uint64_t files_refused; /* not a capture, unknown link type, empty */
	uint64_t bytes_read, bytes_total; /* of the files on disk, for progress; total 0: unknown */
};

struct captures;

/* capture_complaint_fn - a sentence about a file (its name, and the packet's number in it, from 1).
 */
typedef void capture_complaint_fn(void *ctx, const char *text);

/* captures_open - opens n files ("-" is standard input, at most once). A file that cannot be used
 * is complained about and left out. Returns 0 with *ret for captures_close(), or a negative errno
 * with err filled if none can be used, or libpcap (-ENOENT). */
int captures_open(const char *const *file, size_t n, capture_complaint_fn *complain, void *ctx,
		  struct captures **ret, struct error *err);
void captures_close(struct captures *c); /* NULL is fine */

/* capture_fn - takes a packet; its data is good for the call. */
typedef void capture_fn(void *ctx, const struct capture_packet *packet);

/* captures_each - hands every packet to fn in order of time. Faster than captures_next() where
 * there is a single file. */
void captures_each(struct captures *c, capture_fn *fn, void *ctx);

/* captures_next - the next packet in order of time; its data is good until the next call. Returns
 * 1, or 0 at the end. */
int captures_next(struct captures *c, struct capture_packet *ret);

void captures_stats_get(const struct captures *c, struct capture_stats *ret);

#endif
