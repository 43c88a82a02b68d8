// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "pcapng.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	BUFFER_SIZE = 64 * 1024,

	BLOCK_SECTION = 0x0a0d0d0a, /* reads the same in both byte orders */
	BLOCK_INTERFACE = 1,
	BLOCK_PACKET = 2, /* obsolete; as the enhanced one up to the packet's bytes */
	BLOCK_SIMPLE = 3,
	BLOCK_ENHANCED = 6,
	MAGIC = 0x1a2b3c4d,

	BLOCK_MAX = 16 * 1024 * 1024, /* as in libpcap */

	/* Bytes from a block's begin: its head (type and length), and what is fixed behind it. */
	HEAD_LEN = 8,
	SECTION_LEN = 12,
	INTERFACE_LEN = 16,
	SIMPLE_LEN = 12,
	ENHANCED_LEN = 28,
	TAIL_LEN = 4, /* the length again */

	SNAP_ALL = 262144, /* libpcap's MAXIMUM_SNAPLEN */
};

struct interface {
	uint32_t snap;
	uint16_t link;
};

struct pcapng {
	pcapng_read_fn *fn;
	void *ctx;
	unsigned char *in; /* BUFFER_SIZE: have bytes, read up to at */
	size_t at, have;
	bool ended;	     /* nothing follows what is in `in` */
	bool begun, is, raw; /* raw: from here on all is passed on as it is */
	bool swapped;	     /* this section is in the other byte order */
	struct interface *interface;
	uint32_t interfaces, room;
	/* The block that is being passed on: what is made anew, so many bytes as they are, its end.
	 */
	unsigned char out[ENHANCED_LEN + PCAPNG_PREFIX];
	size_t out_at, out_n;
	uint64_t copy;
	bool tail;	    /* its end is due: */
	uint32_t was, will; /* its length as it was, and as it is now */
};

struct pcapng *pcapng_new(pcapng_read_fn *fn, void *ctx)
{
	struct pcapng *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->fn = fn;
	p->ctx = ctx;
	p->in = malloc(BUFFER_SIZE);
	if (p->in)
		return p;
	free(p);
	return NULL;
}

void pcapng_free(struct pcapng *p)
{
	if (!p)
		return;
	free(p->in);
	free(p->interface);
	free(p);
}

bool pcapng_is(const struct pcapng *p)
{
	return p->is;
}

void pcapng_link_of(const void *prefix, uint16_t *ret_link, uint16_t *ret_interface)
{
	memcpy(ret_link, prefix, sizeof(*ret_link));
	memcpy(ret_interface, (const char *)prefix + sizeof(*ret_link), sizeof(*ret_interface));
}

static uint32_t get32(const struct pcapng *p, size_t offset)
{
	uint32_t v;

	memcpy(&v, p->in + p->at + offset, sizeof(v));
	return p->swapped ? __builtin_bswap32(v) : v;
}

static uint16_t get16(const struct pcapng *p, size_t offset)
{
	uint16_t v;

	memcpy(&v, p->in + p->at + offset, sizeof(v));
	return p->swapped ? __builtin_bswap16(v) : v;
}

static void put32(struct pcapng *p, size_t offset, uint32_t v)
{
	if (p->swapped)
		v = __builtin_bswap32(v);
	memcpy(p->out + offset, &v, sizeof(v));
}

static void put16(struct pcapng *p, size_t offset, uint16_t v)
{
	if (p->swapped)
		v = __builtin_bswap16(v);
	memcpy(p->out + offset, &v, sizeof(v));
}

/* need - n bytes in a row at p->at, BUFFER_SIZE at the most. Returns 1, 0 if the stream ends
 * before, or -1 for an error. */
static int need(struct pcapng *p, size_t n)
{
	if (p->have - p->at >= n)
		return 1;
	memmove(p->in, p->in + p->at, p->have - p->at);
	p->have -= p->at;
	p->at = 0;
	while (p->have < n && !p->ended) {
		ssize_t got = p->fn(p->ctx, p->in + p->have, BUFFER_SIZE - p->have);

		if (got < 0)
			return -1;
		p->ended = !got;
		p->have += (size_t)got;
	}
	return p->have >= n;
}

/* begin_block - `used` bytes of the input are replaced by the first out_n of p->out. */
static void begin_block(struct pcapng *p, size_t used, size_t out_n)
{
	p->at += used;
	p->copy = p->was - used - TAIL_LEN;
	p->out_at = 0;
	p->out_n = out_n;
	p->tail = true;
}

/* pass_block - as it is. */
static void pass_block(struct pcapng *p)
{
	p->copy = p->was;
	p->tail = false;
}

/* on_section - other interfaces, and perhaps another byte order, in which its own length is. */
static void on_section(struct pcapng *p)
{
	uint32_t magic;

	memcpy(&magic, p->in + p->at + HEAD_LEN, sizeof(magic));
	p->swapped = magic == __builtin_bswap32(MAGIC);
	p->raw |= magic != MAGIC && !p->swapped;
	p->interfaces = 0;
}

/* interface_add - returns 0, or -1 with errno. */
static int interface_add(struct pcapng *p, uint16_t link, uint32_t snap)
{
	if (p->interfaces == PCAPNG_INTERFACES) {
		errno = EOVERFLOW;
		return -1;
	}
	if (p->interfaces == p->room) {
		uint32_t room = p->room ? 2 * p->room : 4;
		struct interface *more = realloc(p->interface, room * sizeof(*more));

		if (!more)
			return -1;
		p->interface = more;
		p->room = room;
	}
	p->interface[p->interfaces++] = (struct interface){ .snap = snap, .link = link };
	return 0;
}

/* rewrite_interface - every one has the same link type and snap length. Returns 0, or -1 with
 * errno.
 */
static int rewrite_interface(struct pcapng *p)
{
	if (interface_add(p, get16(p, HEAD_LEN), get32(p, HEAD_LEN + 4)) < 0)
		return -1;
	memcpy(p->out, p->in + p->at, INTERFACE_LEN);
	put16(p, HEAD_LEN, PCAPNG_LINK);
	put32(p, HEAD_LEN + 4, SNAP_ALL);
	p->will = p->was;
	begin_block(p, INTERFACE_LEN, INTERFACE_LEN);
	return 0;
}

static uint32_t plus_prefix(uint32_t len)
{
	return len <= UINT32_MAX - PCAPNG_PREFIX ? len + PCAPNG_PREFIX : UINT32_MAX;
}

/* rewrite_packet - a packet block whose first ENHANCED_LEN bytes are in p->out, but for the
 * lengths, in place of `used` bytes of the input. */
static void rewrite_packet(struct pcapng *p, size_t used, uint32_t number, uint32_t caplen,
			   uint32_t len)
{
	uint16_t low = (uint16_t)number;

	p->will = p->was + (ENHANCED_LEN - (uint32_t)used) + PCAPNG_PREFIX;
	put32(p, 4, p->will);
	put32(p, 20, plus_prefix(caplen));
	put32(p, 24, plus_prefix(len));
	memcpy(p->out + ENHANCED_LEN, &p->interface[number].link, sizeof(uint16_t));
	memcpy(p->out + ENHANCED_LEN + 2, &low, sizeof(low));
	begin_block(p, used, ENHANCED_LEN + PCAPNG_PREFIX);
}

/* rewrite_simple - a packet of the first interface without a time becomes an enhanced one, which
 * says how much was captured: of a simple one the snap length says so. */
static void rewrite_simple(struct pcapng *p)
{
	uint32_t len = get32(p, HEAD_LEN), snap = p->interface[0].snap;

	memset(p->out, 0, ENHANCED_LEN);
	put32(p, 0, BLOCK_ENHANCED);
	rewrite_packet(p, SIMPLE_LEN, 0, snap && snap < len ? snap : len, len);
}

static void rewrite_enhanced(struct pcapng *p, uint32_t number)
{
	uint32_t caplen = get32(p, 20);

	/* What is damaged stays so. */
	if (number >= p->interfaces || caplen > p->was - ENHANCED_LEN - TAIL_LEN) {
		pass_block(p);
		return;
	}
	memcpy(p->out, p->in + p->at, ENHANCED_LEN);
	rewrite_packet(p, ENHANCED_LEN, number, caplen, get32(p, 24));
}

static size_t fixed_len(uint32_t type)
{
	switch (type) {
	case BLOCK_SECTION:
		return SECTION_LEN;
	case BLOCK_INTERFACE:
		return INTERFACE_LEN;
	case BLOCK_SIMPLE:
		return SIMPLE_LEN;
	case BLOCK_PACKET:
	case BLOCK_ENHANCED:
		return ENHANCED_LEN;
	default:
		return HEAD_LEN;
	}
}

/* next_block - prepares the block that begins at p->at. Returns 0, or -1 for an error. */
static int next_block(struct pcapng *p)
{
	int r = need(p, HEAD_LEN);
	uint32_t type = r > 0 ? get32(p, 0) : 0;
	size_t fixed = fixed_len(type);

	if (r > 0)
		r = need(p, fixed);
	if (r < 0)
		return -1;
	p->raw |= !r; /* it ends early */
	if (!p->raw && type == BLOCK_SECTION)
		on_section(p);
	p->was = p->raw ? 0 : get32(p, 4);
	p->raw |= p->was < fixed + TAIL_LEN || p->was % 4 || p->was > BLOCK_MAX;
	if (p->raw)
		return 0;
	if (type == BLOCK_INTERFACE)
		return rewrite_interface(p);
	if (type == BLOCK_SIMPLE && p->interfaces)
		rewrite_simple(p);
	else if (type == BLOCK_ENHANCED)
		rewrite_enhanced(p, get32(p, HEAD_LEN));
	else if (type == BLOCK_PACKET)
		rewrite_enhanced(p, get16(p, HEAD_LEN));
	else
		pass_block(p);
	return 0;
}

/* end_block - its length, once more; if it was not the same before, it is not now. */
static int end_block(struct pcapng *p)
{
	int r = need(p, TAIL_LEN);

	if (r < 0)
		return -1;
	p->tail = false;
	p->raw |= !r;
	if (!r)
		return 0;
	put32(p, 0, get32(p, 0) == p->was ? p->will : get32(p, 0));
	p->at += TAIL_LEN;
	p->out_at = 0;
	p->out_n = TAIL_LEN;
	return 0;
}

/* begin - is it a pcapng at all? */
static int begin(struct pcapng *p)
{
	int r = need(p, 4);

	if (r < 0)
		return -1;
	p->begun = true;
	p->is = r > 0 && get32(p, 0) == BLOCK_SECTION;
	p->raw = !p->is;
	return 0;
}

/* pass - from the input to buf, `most` bytes at the most. Returns as pcapng_read(). */
static ssize_t pass(struct pcapng *p, void *buf, size_t most)
{
	size_t n = p->have - p->at;

	if (!n)
		return p->ended ? 0 : p->fn(p->ctx, buf, most);
	n = n < most ? n : most;
	memcpy(buf, p->in + p->at, n);
	p->at += n;
	return (ssize_t)n;
}

/* some - the next bytes, in one piece. Returns 0 also where a block has only been prepared. */
static ssize_t some(struct pcapng *p, unsigned char *buf, size_t size)
{
	size_t n = p->out_n - p->out_at;
	ssize_t got;

	if (n) {
		n = n < size ? n : size;
		memcpy(buf, p->out + p->out_at, n);
		p->out_at += n;
		return (ssize_t)n;
	}
	if (p->copy) {
		if (need(p, 1) < 0)
			return -1;
		got = pass(p, buf, p->copy < size ? (size_t)p->copy : size);
		p->raw |= !got; /* it ends early: nothing follows */
		p->copy -= got > 0 ? (uint64_t)got : 0;
		return got;
	}
	return p->tail ? end_block(p) : next_block(p);
}

/* As much as there is without waiting for more, or what a live pipe sends would arrive late. */
ssize_t pcapng_read(struct pcapng *p, void *buf, size_t size)
{
	size_t n = 0;

	if (!p->begun && begin(p) < 0)
		return -1;
	while (n < size) {
		size_t ahead = p->copy ? 1 : ENHANCED_LEN;
		ssize_t got;

		if (n && p->out_n == p->out_at && p->have - p->at < ahead)
			break;
		if (p->raw && p->out_n == p->out_at)
			return n ? (ssize_t)n : pass(p, buf, size);
		got = some(p, (unsigned char *)buf + n, size - n);
		if (got < 0)
			return n ? (ssize_t)n : -1;
		n += (size_t)got;
	}
	return (ssize_t)n;
}
