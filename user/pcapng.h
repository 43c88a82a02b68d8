/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A pcapng file of interfaces that differ, for a reader that takes them to be alike.
 *
 * libpcap reads one link type and one snap length a file and refuses the rest at the first
 * interface that has others (`dumpcap -i any -i eth0` writes such files). This stands between the
 * bytes and libpcap: it says of every interface that it has the link type PCAPNG_LINK and a snap
 * length that suits all, and puts in front of each packet what its interface really has. Everything
 * else, clocks and options and byte order and damage, it passes on as it is, for libpcap to judge.
 * Streams that are no pcapng pass through untouched.
 *
 * Blocks are those of draft-ietf-opsawg-pcapng, section 4. Nothing is held but a buffer and six
 * bytes an interface, PCAPNG_INTERFACES a section at the most. */
#ifndef RECONMON_PCAPNG_H
#define RECONMON_PCAPNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	PCAPNG_LINK =
		147, /* LINKTYPE_USER0: reserved for private use, hence in no file of others */
	PCAPNG_PREFIX = 4, /* bytes in front of a packet: pcapng_link_of() reads them */
	PCAPNG_INTERFACES = 65536,
};

struct pcapng;

/* pcapng_read_fn - as read(2): bytes, 0 at the end, -1 for an error. */
typedef ssize_t pcapng_read_fn(void *ctx, void *buf, size_t size);

/* pcapng_new - over what fn reads. NULL for want of memory; free with pcapng_free(). */
struct pcapng *pcapng_new(pcapng_read_fn *fn, void *ctx);
void pcapng_free(struct pcapng *p); /* NULL is fine */

/* pcapng_read - as fn, rewritten. EOVERFLOW: more interfaces than PCAPNG_INTERFACES. */
ssize_t pcapng_read(struct pcapng *p, void *buf, size_t size);

/* pcapng_is - is the stream a pcapng file? Known once the first bytes were read. */
bool pcapng_is(const struct pcapng *p);

/* pcapng_link_of - of a packet that was read through this: the link type (LINKTYPE_*) and the
 * number of its interface in the section, modulo 65,536. */
void pcapng_link_of(const void *prefix, uint16_t *ret_link, uint16_t *ret_interface);

#endif
