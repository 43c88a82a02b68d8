// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/capture.c: captures to one stream of packets. The captures are made here, byte by byte, so
 * that each row shows what is special about it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "capture.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define NS_PER_S      1000000000ull

enum {
	MAGIC_MICRO = 0xa1b2c3d4,
	MAGIC_NANO = 0xa1b23c4d,
	ETHERNET = 1,
	FDDI = 10,
	WLAN = 105,
	SLL = 113,
	RADIOTAP = 127,
	USB = 189,
	MAX_FILES = 100,
	MAX_PACKETS = 512,
};

/* --- bytes ---------------------------------------------------------------------------------- */

struct bytes {
	unsigned char at[8192];
	size_t len;
	bool big; /* byte order of what follows */
};

static void put(struct bytes *b, const void *p, size_t len)
{
	assert_true(b->len + len <= sizeof(b->at));
	memcpy(b->at + b->len, p, len);
	b->len += len;
}

static void put_int(struct bytes *b, uint64_t v, int size)
{
	unsigned char p[8];

	for (int i = 0; i < size; i++)
		p[b->big ? size - 1 - i : i] = (unsigned char)(v >> (8 * i));
	put(b, p, (size_t)size);
}

static void put_header(struct bytes *b, uint32_t magic, uint32_t link)
{
	put_int(b, magic, 4);
	put_int(b, 2, 2);
	put_int(b, 4, 2);
	put_int(b, 0, 8); /* zone, accuracy */
	put_int(b, 65535, 4);
	put_int(b, link, 4);
}

/* put_packet - a record; fraction is in the unit of the file. */
static void put_packet(struct bytes *b, uint32_t s, uint32_t fraction, const void *p, size_t have,
		       size_t wire)
{
	put_int(b, s, 4);
	put_int(b, fraction, 4);
	put_int(b, have, 4);
	put_int(b, wire, 4);
	put(b, p, have);
}

/* put_block - a pcapng block around a body whose length is a multiple of 4. */
static void put_block(struct bytes *b, uint32_t type, const struct bytes *body)
{
	put_int(b, type, 4);
	put_int(b, body->len + 12, 4);
	put(b, body->at, body->len);
	put_int(b, body->len + 12, 4);
}

static void put_section(struct bytes *b)
{
	struct bytes body = { .big = b->big };

	put_int(&body, 0x1a2b3c4d, 4);
	put_int(&body, 1, 2);
	put_int(&body, 0, 2);
	put_int(&body, UINT64_MAX, 8); /* length unknown */
	put_block(b, 0x0a0d0d0a, &body);
}

/* put_interface - digits: of a second's fraction; 6 is the default and left out. */
static void put_interface(struct bytes *b, uint16_t link, uint32_t snap, uint8_t digits)
{
	struct bytes body = { .big = b->big };

	put_int(&body, link, 2);
	put_int(&body, 0, 2);
	put_int(&body, snap, 4);
	if (digits != 6) {
		put_int(&body, 9, 2); /* if_tsresol */
		put_int(&body, 1, 2);
		put(&body, (unsigned char[]){ digits, 0, 0, 0 }, 4);
		put_int(&body, 0, 4); /* opt_endofopt */
	}
	put_block(b, 1, &body);
}

static void put_enhanced(struct bytes *b, uint32_t interface, uint64_t t, const void *p, size_t len)
{
	struct bytes body = { .big = b->big };

	put_int(&body, interface, 4);
	put_int(&body, t >> 32, 4);
	put_int(&body, t & UINT32_MAX, 4);
	put_int(&body, len, 4);
	put_int(&body, len, 4);
	put(&body, p, len);
	put(&body, "\0\0\0", -len & 3);
	put_block(b, 6, &body);
}

static void put_gzip(struct bytes *b, const struct bytes *plain)
{
	z_stream z = { .next_in = (Bytef *)plain->at, .avail_in = (uInt)plain->len };

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_out = b->at + b->len;
	z.avail_out = (uInt)(sizeof(b->at) - b->len);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	b->len += z.total_out;
	deflateEnd(&z);
}

static const unsigned char frame[60] = {
	0x02, 0, 0, 0, 0, 1, 0x02, 0, 0, 0, 0, 2, 0x08, 0x00, 0x45
};

/* put_three - an Ethernet capture of three packets at 10, 11 and 12 s. */
static void put_three(struct bytes *b)
{
	put_header(b, MAGIC_MICRO, ETHERNET);
	for (uint32_t i = 0; i < 3; i++)
		put_packet(b, 10 + i, i, frame, sizeof(frame), sizeof(frame));
}

/* --- a run over files ----------------------------------------------------------------------- */

struct run {
	char name[MAX_FILES][64];
	size_t n_files;
	int opened; /* what captures_open() returned */
	struct error err;
	struct capture_packet packet[MAX_PACKETS];
	unsigned char first[MAX_PACKETS]; /* the first byte of its data */
	struct capture_stats stats;
	char said[4096]; /* all complaints, a line each */
	unsigned int n_said;
};

static void on_complaint(void *ctx, const char *text)
{
	struct run *r = ctx;
	size_t len = strlen(r->said);

	snprintf(r->said + len, sizeof(r->said) - len, "%s\n", text);
	r->n_said++;
}

static void run_add(struct run *r, const void *p, size_t len)
{
	const char *dir = getenv("TMPDIR");
	char *name = r->name[r->n_files++];
	int fd;

	snprintf(name, sizeof(r->name[0]), "%s/reconmon-capture-XXXXXX", dir ? dir : "/tmp");
	fd = mkstemp(name);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, len), (ssize_t)len);
	close(fd);
}

static void run_collect(struct run *r, const char *const *file, size_t n)
{
	struct captures *c = NULL;
	size_t i = 0;

	r->opened = captures_open(file, n, on_complaint, r, &c, &r->err);
	if (r->opened < 0) {
		assert_null(c);
		return;
	}
	for (struct capture_packet p; captures_next(c, &p); i++) {
		assert_true(i < MAX_PACKETS);
		assert_true(p.have <= p.wire_len);
		r->packet[i] = p;
		for (uint32_t k = 0; k < p.have; k++) /* under ASan: all of it can be read */
			r->first[i] = ((const unsigned char *)p.data)[p.have - 1 - k];
		if (i)
			assert_true(p.t_ns >= r->packet[i - 1].t_ns);
	}
	assert_int_equal(captures_next(c, &r->packet[i]), 0); /* the end stays the end */
	captures_stats_get(c, &r->stats);
	assert_int_equal(r->stats.packets, i);
	captures_close(c);
}

/* What captures_each() hands out, against what captures_next() did. */
struct again {
	const struct run *r;
	size_t i;
};

static void on_again(void *ctx, const struct capture_packet *p)
{
	struct again *a = ctx;
	const struct capture_packet *was = &a->r->packet[a->i];

	assert_true(a->i < a->r->stats.packets);
	assert_int_equal(p->t_ns, was->t_ns);
	assert_int_equal(p->have, was->have);
	assert_int_equal(p->wire_len, was->wire_len);
	assert_int_equal(p->ethertype, was->ethertype);
	assert_int_equal(p->outgoing, was->outgoing);
	if (p->have)
		assert_int_equal(*(const unsigned char *)p->data, a->r->first[a->i]);
	a->i++;
}

static void run_again(const struct run *r, const char *const *file, size_t n)
{
	struct again a = { .r = r };
	struct capture_stats stats;
	struct captures *c = NULL;
	struct error err;

	assert_int_equal(captures_open(file, n, NULL, NULL, &c, &err), r->opened);
	if (r->opened < 0)
		return;
	captures_each(c, on_again, &a);
	assert_int_equal(a.i, r->stats.packets);
	captures_stats_get(c, &stats);
	assert_memory_equal(&stats, &r->stats, sizeof(stats));
	captures_each(c, on_again, &a); /* the end stays the end */
	assert_int_equal(a.i, r->stats.packets);
	captures_close(c);
}

/* run_go - reads the files that were added, in both ways, and removes them. */
static void run_go(struct run *r)
{
	const char *file[MAX_FILES];

	for (size_t i = 0; i < r->n_files; i++)
		file[i] = r->name[i];
	run_collect(r, file, r->n_files);
	run_again(r, file, r->n_files);
	for (size_t i = 0; i < r->n_files; i++)
		unlink(r->name[i]);
}

static struct run *run_one(const void *p, size_t len)
{
	static struct run r;

	memset(&r, 0, sizeof(r));
	run_add(&r, p, len);
	run_go(&r);
	return &r;
}

static void assert_said(const struct run *r, const char *want)
{
	if (!strstr(r->said, want))
		fail_msg("wanted \"%s\", was told \"%s\"", want, r->said);
}

/* --- formats -------------------------------------------------------------------------------- */

static const struct format_case {
	const char *name;
	uint32_t magic; /* 0: pcapng */
	bool big, gzip;
	uint32_t fraction;
	uint64_t want_ns; /* behind 10 s */
} format_cases[] = {
	{ "pcap, microseconds, little-endian", MAGIC_MICRO, false, false, 123456, 123456000 },
	{ "pcap, microseconds, big-endian", MAGIC_MICRO, true, false, 123456, 123456000 },
	{ "pcap, nanoseconds, little-endian", MAGIC_NANO, false, false, 123456789, 123456789 },
	{ "pcap, nanoseconds, big-endian", MAGIC_NANO, true, false, 123456789, 123456789 },
	{ "pcap, a fraction of more than a second", MAGIC_NANO, false, false, 4000000000,
	  999999999 },
	{ "pcapng, microseconds, little-endian", 0, false, false, 123456, 123456000 },
	{ "pcapng, microseconds, big-endian", 0, true, false, 123456, 123456000 },
	{ "gzip around pcap", MAGIC_MICRO, false, true, 123456, 123456000 },
	{ "gzip around pcap, nanoseconds, big-endian", MAGIC_NANO, true, true, 5, 5 },
	{ "gzip around pcapng", 0, false, true, 123456, 123456000 },
};

static void test_format(void **state)
{
	const struct format_case *c = *state;
	struct bytes b = { .big = c->big }, z = { .len = 0 };
	struct run *r;

	if (c->magic) {
		put_header(&b, c->magic, ETHERNET);
		put_packet(&b, 10, c->fraction, frame, 60, 60);
	} else {
		put_section(&b);
		put_interface(&b, ETHERNET, 65535, 6);
		put_enhanced(&b, 0, 10 * 1000000ull + c->fraction, frame, 60);
	}
	if (c->gzip)
		put_gzip(&z, &b);
	r = c->gzip ? run_one(z.at, z.len) : run_one(b.at, b.len);

	assert_string_equal(r->said, "");
	assert_int_equal(r->stats.packets, 1);
	assert_int_equal(r->packet[0].t_ns, 10 * NS_PER_S + c->want_ns);
	assert_int_equal(r->packet[0].ethertype, 0);
	assert_int_equal(r->packet[0].have, 60);
	assert_int_equal(r->packet[0].wire_len, 60);
	assert_int_equal(r->first[0], frame[0]);
	assert_int_equal(r->stats.bytes_total, c->gzip ? z.len : b.len);
	assert_int_equal(r->stats.bytes_read, r->stats.bytes_total);
}

static void test_pcapng_nanoseconds(void **state)
{
	struct bytes b = { .len = 0 };
	struct run *r;

	(void)state;
	put_section(&b);
	put_interface(&b, ETHERNET, 65535, 9);
	put_interface(&b, ETHERNET, 65535, 6);
	put_enhanced(&b, 0, 10 * NS_PER_S + 123456789, frame, 59);
	put_enhanced(&b, 1, 11 * 1000000ull + 5, frame, 60);
	r = run_one(b.at, b.len);
	assert_string_equal(r->said, "");
	assert_int_equal(r->stats.packets, 2);
	assert_int_equal(r->packet[0].t_ns, 10 * NS_PER_S + 123456789);
	assert_int_equal(r->packet[1].t_ns, 11 * NS_PER_S + 5000);
}

static void test_after_2038(void **state)
{
	struct bytes b = { .len = 0 };
	struct run *r;

	(void)state;
	put_header(&b, MAGIC_MICRO, ETHERNET);
	put_packet(&b, 2147483647, 0, frame, 60, 60);
	put_packet(&b, 2147483648u, 0, frame, 60, 60);
	r = run_one(b.at, b.len);
	assert_string_equal(r->said, "");
	assert_int_equal(r->packet[1].t_ns, 2147483648 * NS_PER_S);
}

static void test_gzip_members(void **state)
{
	struct bytes b = { .len = 0 }, half = { .len = 0 }, z = { .len = 0 };
	struct run *r;

	(void)state;
	put_three(&b);
	put(&half, b.at, 77);
	put_gzip(&z, &half);
	half.len = 0;
	put(&half, b.at + 77, b.len - 77);
	put_gzip(&z, &half);
	put(&z, "\0\0\0\0\0", 5); /* tapes and block devices pad */
	r = run_one(z.at, z.len);
	assert_string_equal(r->said, "");
	assert_int_equal(r->stats.packets, 3);
}

/* --- link types ----------------------------------------------------------------------------- */

enum {
	V4 = 0x0800,
	V6 = 0x86dd,
	NOT_IP = 0xffff,
};

#define ADDR	  "\2\0\0\0\0\1"
#define SNAP_IPV4 "\xaa\xaa\3\0\0\0\x08\0"

/* The header is followed by 20 bytes of which the first is 0x45. */
static const struct link_case {
	const char *name;
	uint32_t link;
	const char *header;
	uint32_t header_len;
	int want; /* ethertype */
	bool outgoing;
} link_cases[] = {
	{ "raw IP: version 4", 101, "", 0, V4, false },
	{ "raw IP, by its number of old", 12, "", 0, V4, false },
	{ "IPv4 only", 228, "", 0, V4, false },
	{ "IPv6 only: no look at the version", 229, "", 0, V6, false },
	{ "SLL: received", SLL, "\0\0\0\1\0\6abcdef\0\0\x08\0", 16, V4, false },
	{ "SLL: sent", SLL, "\0\4\0\1\0\6abcdef\0\0\x86\xdd", 16, V6, true },
	{ "SLL: one VLAN tag", SLL, "\0\4\0\1\0\6abcdef\0\0\x81\0\0\5\x08\0", 20, V4, true },
	{ "SLL: two VLAN tags", SLL, "\0\0\0\1\0\6abcdef\0\0\x88\xa8\0\5\x81\0\0\6\x86\xdd", 24, V6,
	  false },
	{ "SLL: three VLAN tags are one too many", SLL,
	  "\0\0\0\1\0\6abcdef\0\0\x88\xa8\0\5\x81\0\0\6\x81\0", 24, 0x8100, false },
	{ "SLL: ARP", SLL, "\0\0\0\1\0\6abcdef\0\0\x08\6", 16, 0x0806, false },
	{ "SLL: protocol 0 is not Ethernet", SLL, "\0\0\0\1\0\6abcdef\0\0\0\0", 16, NOT_IP, false },
	{ "SLL: netlink, whose protocol is no EtherType", SLL,
	  "\0\0\x03\x38\0\0\0\0\0\0\0\0\0\0\x08\0", 16, NOT_IP, false },
	{ "SLL2: received", 276, "\x08\0\0\0\0\0\0\1\0\1\0\6abcdef\0\0", 20, V4, false },
	{ "SLL2: sent", 276, "\x86\xdd\0\0\0\0\0\1\0\1\4\6abcdef\0\0", 20, V6, true },
	{ "SLL2: a VLAN tag", 276, "\x81\0\0\0\0\0\0\1\0\1\4\6abcdef\0\0\0\5\x08\0", 24, V4, true },
	{ "null: IPv4, little-endian", 0, "\2\0\0\0", 4, V4, false },
	{ "null: IPv4, big-endian", 0, "\0\0\0\2", 4, V4, false },
	{ "null: IPv6 as Linux numbers it", 0, "\12\0\0\0", 4, V6, false },
	{ "null: IPv6 as NetBSD numbers it", 0, "\30\0\0\0", 4, V6, false },
	{ "null: IPv6 as FreeBSD numbers it", 0, "\0\0\0\34", 4, V6, false },
	{ "null: IPv6 as macOS numbers it", 0, "\36\0\0\0", 4, V6, false },
	{ "null: another family", 0, "\7\0\0\0", 4, NOT_IP, false },
	{ "loop: IPv4", 108, "\0\0\0\2", 4, V4, false },
	{ "loop: IPv6", 108, "\0\0\0\30", 4, V6, false },
	{ "PPP: address, control, protocol", 9, "\xff\3\0\x21", 4, V4, false },
	{ "PPP: address, control, short protocol", 9, "\xff\3\x57", 3, V6, false },
	{ "PPP: protocol alone", 9, "\0\x57", 2, V6, false },
	{ "PPP: short protocol alone", 9, "\x21", 1, V4, false },
	{ "PPP: link control", 9, "\xff\3\xc0\x21", 4, NOT_IP, false },
	{ "PPP, serial", 50, "\xff\3\0\x21", 4, V4, false },
	{ "PPP, serial: Cisco HDLC", 50, "\x0f\0\x86\xdd", 4, V6, false },
	{ "PPP, serial: Cisco HDLC, multicast", 50, "\x8f\0\x08\0", 4, V4, false },
	{ "FDDI: SNAP, IPv4", FDDI, "\x50" ADDR ADDR SNAP_IPV4, 21, V4, false },
	{ "FDDI, synchronous: SNAP, IPv6", FDDI, "\xd1" ADDR ADDR "\xaa\xaa\3\0\0\0\x86\xdd", 21,
	  V6, false },
	{ "FDDI: IP right above LLC", FDDI, "\x50" ADDR ADDR "\6\6\3", 16, V4, false },
	{ "FDDI: another service above LLC", FDDI, "\x50" ADDR ADDR "\x42\x42\3", 16, NOT_IP,
	  false },
	{ "FDDI: SNAP of another organisation", FDDI, "\x50" ADDR ADDR "\xaa\xaa\3\0\0\xc\x08\0",
	  21, NOT_IP, false },
	{ "FDDI: station management", FDDI, "\x41" ADDR ADDR, 13, NOT_IP, false },
	{ "802.11: to the access point", WLAN, "\x08\1\0\0" ADDR ADDR ADDR "\0\0" SNAP_IPV4, 32, V4,
	  false },
	{ "802.11: QoS", WLAN, "\x88\2\0\0" ADDR ADDR ADDR "\0\0\0\0" SNAP_IPV4, 34, V4, false },
	{ "802.11: four addresses, QoS, HT control", WLAN,
	  "\x88\x83\0\0" ADDR ADDR ADDR "\0\0" ADDR "\0\0\0\0\0\0" SNAP_IPV4, 44, V4, false },
	{ "802.11: the first frame of an aggregate", WLAN,
	  "\x88\2\0\0" ADDR ADDR ADDR "\0\0\x80\0" ADDR ADDR "\0\x1c" SNAP_IPV4, 48, V4, false },
	{ "802.11: an aggregate behind HT control", WLAN,
	  "\x88\x82\0\0" ADDR ADDR ADDR "\0\0\x80\0\0\0\0\0" ADDR ADDR "\0\x1c" SNAP_IPV4, 52, V4,
	  false },
	{ "802.11: no body", WLAN, "\x48\1", 2, NOT_IP, false },
	{ "802.11: encrypted", WLAN, "\x08\x41", 2, NOT_IP, false },
	{ "802.11: a beacon", WLAN, "\x80\0", 2, NOT_IP, false },
	{ "802.11: a version to come", WLAN, "\x09\1", 2, NOT_IP, false },
	{ "radiotap: no fields", RADIOTAP,
	  "\0\0\x08\0\0\0\0\0\x08\1\0\0" ADDR ADDR ADDR "\0\0" SNAP_IPV4, 40, V4, false },
	{ "radiotap: flags that say padding, behind a time", RADIOTAP,
	  "\0\0\x11\0\3\0\0\0timetime\x20\x88\1\0\0" ADDR ADDR ADDR "\0\0\0\0pp" SNAP_IPV4, 53, V4,
	  false },
	{ "radiotap: flags behind two words of presence", RADIOTAP,
	  "\0\0\x0d\0\2\0\0\x80\0\0\0\0\x20\x88\1\0\0" ADDR ADDR ADDR "\0\0\0\0pp" SNAP_IPV4, 49,
	  V4, false },
	{ "radiotap: presence that never ends", RADIOTAP,
	  "\0\0\x0c\0\2\0\0\x80\0\0\0\x80\x08\1\0\0" ADDR ADDR ADDR "\0\0" SNAP_IPV4, 44, V4,
	  false },
	{ "radiotap: a flags field behind its end", RADIOTAP,
	  "\0\0\x08\0\2\0\0\0\x08\1\0\0" ADDR ADDR ADDR "\0\0" SNAP_IPV4, 40, V4, false },
	{ "radiotap: a version to come", RADIOTAP, "\1\0\x09\0\0\0\0\0", 8, NOT_IP, false },
	{ "radiotap: shorter than its own header", RADIOTAP, "\0\0\7\0\0\0\0\0", 8, NOT_IP, false },
};

static void test_link(void **state)
{
	const struct link_case *c = *state;
	struct bytes b = { .len = 0 }, p = { .len = 0 };
	struct run *r;

	put(&p, c->header, c->header_len);
	put(&p, "\x45ghijklmnopqrstuvwxy", 20);
	put_header(&b, MAGIC_MICRO, c->link);
	put_packet(&b, 1, 0, p.at, p.len, p.len + 100);
	r = run_one(b.at, b.len);
	assert_string_equal(r->said, "");
	assert_int_equal(r->stats.packets, 1);
	assert_int_equal(r->packet[0].ethertype, c->want);
	assert_int_equal(r->packet[0].outgoing, c->outgoing);
	assert_int_equal(r->packet[0].have, 20);
	assert_int_equal(r->packet[0].wire_len, 120);
	assert_int_equal(r->first[0], 0x45);
	assert_int_equal(r->stats.cut, 1);
}

/* test_link_cut - the same packets, cut at each byte of the header. PPP is left out: a header of it
 * is a shorter one of another form. */
static void test_link_cut(void **state)
{
	const struct link_case *c = *state;

	for (uint32_t len = 0; len < c->header_len && c->link != 9 && c->link != 50; len++) {
		struct bytes b = { .len = 0 };
		struct run *r;

		put_header(&b, MAGIC_MICRO, c->link);
		put_packet(&b, 1, 0, c->header, len, 100);
		put_packet(&b, 2, 0, c->header, c->header_len, c->header_len);
		r = run_one(b.at, b.len);
		assert_string_equal(r->said, "");
		assert_int_equal(r->stats.link_truncated, 1);
		assert_int_equal(r->stats.packets, 1);
	}
}

static void test_link_empty(void **state)
{
	static const uint32_t link[] = { 101, SLL, 276, 0, 108, 9, 50, FDDI, WLAN, RADIOTAP };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(link); i++) {
		struct bytes b = { .len = 0 };

		put_header(&b, MAGIC_MICRO, link[i]);
		put_packet(&b, 1, 0, "", 0, 100);
		assert_int_equal(run_one(b.at, b.len)->stats.link_truncated, 1);
	}
}

static void test_raw_versions(void **state)
{
	struct bytes b = { .len = 0 };
	struct run *r;

	(void)state;
	put_header(&b, MAGIC_MICRO, 101);
	put_packet(&b, 1, 0, "\x60", 1, 40);
	put_packet(&b, 2, 0, "\x50", 1, 40);
	r = run_one(b.at, b.len);
	assert_int_equal(r->packet[0].ethertype, V6);
	assert_int_equal(r->packet[1].ethertype, NOT_IP);
}

/* --- refused -------------------------------------------------------------------------------- */

#define TEXT(s) (s), sizeof(s) - 1

static const struct refused_case {
	const char *name;
	const char *bytes;
	size_t len;
	const char *want;
} refused_cases[] = {
	{ "an empty file", TEXT(""), ": empty" },
	{ "one byte", TEXT("x"), ": not a pcap or pcapng file" },
	{ "three bytes of a magic", TEXT("\xd4\xc3\xb2"), ": not a pcap or pcapng file" },
	{ "text", TEXT("#separator \\x09\n#fields ts\n"), ": not a pcap or pcapng file" },
	{ "zeroes", TEXT("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
	  ": not a pcap or pcapng file" },
	{ "a magic and no more", TEXT("\xd4\xc3\xb2\xa1"), ": ends within its file header" },
	{ "an unknown version",
	  TEXT("\xd4\xc3\xb2\xa1\2\0\x63\0\0\0\0\0\0\0\0\0\xff\xff\0\0\1\0\0\0"),
	  ": its file header is corrupt: unsupported pcap savefile version 2.99" },
	{ "xz", TEXT("\xfd\x37zXZ\0\0\0\0"), "xz-compressed: unpack it first" },
	{ "zstd", TEXT("\x28\xb5\x2f\xfd\0\0\0\0"), "zstd-compressed: unpack it first" },
	{ "gzip's magic alone", TEXT("\x1f\x8b"), ": the compressed data ends early" },
	{ "gzip's magic, then nonsense", TEXT("\x1f\x8b nonsense"),
	  ": the compressed data is corrupt" },
};

static void test_refused(void **state)
{
	const struct refused_case *c = *state;
	struct run *r = run_one(c->bytes, c->len);

	assert_int_equal(r->opened, -ENODATA);
	assert_int_equal(r->err.exit_code, EXIT_RUNTIME);
	assert_int_equal(r->n_said, 1);
	assert_said(r, r->name[0]);
	assert_said(r, c->want);
}

static void test_refused_link(void **state)
{
	static struct run r;
	struct bytes b = { .len = 0 };

	(void)state;
	put_header(&b, MAGIC_MICRO, USB);
	put_packet(&b, 1, 0, frame, 60, 60);
	run_add(&r, b.at, b.len);
	b.len = 0;
	put_three(&b);
	run_add(&r, b.at, b.len);
	run_go(&r);
	assert_said(&r, "link type USB_LINUX (189) is not read");
	assert_int_equal(r.stats.files_refused, 1);
	assert_int_equal(r.stats.packets, 3); /* of the other file */
	assert_int_equal(r.stats.bytes_total, b.len);
	assert_int_equal(r.stats.bytes_read, b.len);
}

static void test_not_there(void **state)
{
	static struct run r;
	const char *file[] = { "/nonexistent/a.pcap", "/tmp" };

	(void)state;
	run_collect(&r, file, 2);
	assert_int_equal(r.opened, -ENODATA);
	assert_said(&r, "/nonexistent/a.pcap: cannot be read: No such file");
	assert_said(&r, "/tmp: cannot be read: Is a directory");
	assert_string_equal(r.err.text, "none of the 2 files can be used as a capture");
}

static void test_usage(void **state)
{
	const char *twice[] = { "-", "-" };
	struct captures *c = NULL;
	struct error err;

	(void)state;
	assert_int_equal(captures_open(twice, 2, NULL, NULL, &c, &err), -EINVAL);
	assert_int_equal(err.exit_code, EXIT_USAGE);
	assert_int_equal(captures_open(NULL, 0, NULL, NULL, &c, &err), -EINVAL);
	assert_int_equal(err.exit_code, EXIT_USAGE);
	captures_close(NULL);
}

static void test_too_many_open(void **state)
{
	static struct run r;
	struct rlimit was, few;
	struct bytes b = { .len = 0 };
	int probe;

	(void)state;
	put_three(&b);
	run_add(&r, b.at, b.len);
	run_add(&r, b.at, b.len);
	probe = dup(STDERR_FILENO); /* the next free number: room for one file */
	close(probe);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	few = was;
	few.rlim_cur = (rlim_t)probe + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	run_go(&r);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_said(&r, r.name[1]);
	assert_said(&r, "too many files are open; raise the limit (ulimit -n)");
	assert_int_equal(r.stats.packets, 3);
	assert_int_equal(r.stats.files_refused, 1);
}

/* --- damage --------------------------------------------------------------------------------- */

/* make_damage_sample - a capture, and where it may end without anything missing. */
static void make_damage_sample(int kind, struct bytes *b, size_t boundary[8])
{
	struct bytes plain = { .len = 0 };

	memset(boundary, 0, 8 * sizeof(boundary[0]));
	if (kind == 1) {
		put_section(b);
		put_interface(b, ETHERNET, 65535, 6);
		boundary[0] = b->len;
		for (unsigned int i = 0; i < 3; i++) {
			put_enhanced(b, 0, i, frame, 57 + i);
			boundary[i + 1] = b->len;
		}
		return;
	}
	put_three(&plain);
	for (size_t i = 0; i < 4 && kind == 0; i++)
		boundary[i] = 24 + i * (16 + sizeof(frame));
	if (kind == 2)
		put_gzip(b, &plain);
	else
		put(b, plain.at, plain.len);
}

static bool is_boundary(const size_t boundary[8], size_t len)
{
	for (int i = 0; i < 8; i++)
		if (boundary[i] && boundary[i] == len)
			return true;
	return false;
}

static const struct damage_case {
	const char *name;
	int kind;
} damage_cases[] = {
	{ "pcap", 0 },
	{ "pcapng", 1 },
	{ "gzip", 2 },
};

static void test_truncated(void **state)
{
	const struct damage_case *c = *state;
	struct bytes b = { .len = 0 };
	size_t boundary[8];
	uint64_t before = 0;

	make_damage_sample(c->kind, &b, boundary);
	for (size_t len = 0; len < b.len; len++) {
		struct run *r = run_one(b.at, len);

		if (is_boundary(boundary, len)) {
			assert_string_equal(r->said, "");
		} else {
			assert_int_equal(r->n_said, 1);
			assert_said(r, r->name[0]);
		}
		if (r->opened < 0)
			continue;
		assert_int_equal(r->stats.files_damaged, r->n_said);
		assert_true(r->stats.packets >= before); /* a longer rest never gives less */
		before = r->stats.packets;
		if (r->n_said) {
			char want[32];

			snprintf(want, sizeof(want), ": packet %u: ", (unsigned int)before + 1);
			assert_said(r, want);
		}
	}
	assert_true(before >= 2);
}

/* test_flipped - each byte inverted: any outcome but a crash or a read outside (ASan). */
static void test_flipped(void **state)
{
	const struct damage_case *c = *state;
	struct bytes b = { .len = 0 };
	size_t boundary[8];

	make_damage_sample(c->kind, &b, boundary);
	for (size_t i = 0; i < b.len; i++) {
		b.at[i] ^= 0xff;
		run_one(b.at, b.len);
		b.at[i] ^= 0xff;
	}
}

static void test_corrupt_record(void **state)
{
	struct bytes b = { .len = 0 };
	struct run *r;

	(void)state;
	put_three(&b);
	put_int(&b, 13, 4);
	put_int(&b, 0, 4);
	put_int(&b, 0x7fffffff, 4); /* captured length */
	put_int(&b, 0x7fffffff, 4);
	r = run_one(b.at, b.len);
	assert_said(r, ": packet 4: cannot be read: invalid packet capture length 2147483647");
	assert_said(r, "the 3 packets before it are used");
	assert_int_equal(r->stats.packets, 3);
	assert_int_equal(r->stats.files_damaged, 1);
}

static void test_gzip_checksum(void **state)
{
	struct bytes b = { .len = 0 }, z = { .len = 0 };
	struct run *r;

	(void)state;
	put_three(&b);
	put_gzip(&z, &b);
	z.at[z.len - 8] ^= 1; /* CRC-32 */
	r = run_one(z.at, z.len);
	assert_said(r, ": packet 4: cannot be read: the compressed data is corrupt");
	assert_int_equal(r->stats.packets, 3);
}

/* put_simple - a packet of the first interface, without a time; `len` is its length on the wire. */
static void put_simple(struct bytes *b, const void *p, size_t have, uint32_t len)
{
	struct bytes body = { .big = b->big };

	put_int(&body, len, 4);
	put(&body, p, have);
	put(&body, "\0\0\0", -have & 3);
	put_block(b, 3, &body);
}

/* An IPv4 packet behind the cooked header of one that left. */
static const unsigned char cooked[40] = { 0, 4, 0, 1, 0, 6, [14] = 8, 0, 0x45 };
static const unsigned char raw[20] = { 0x60 };

/* put_mixed - a section of three interfaces with clocks of their own, and another section. */
static void put_mixed(struct bytes *b)
{
	put_section(b);
	put_interface(b, ETHERNET, 65535, 6);
	put_enhanced(b, 0, 10000001, frame, 60);
	put_interface(b, SLL, 96, 9);
	put_enhanced(b, 1, 10000002000, cooked, 40);
	put_interface(b, 101, 0, 6); /* raw IP; no limit */
	put_enhanced(b, 2, 10000003, raw, 20);
	put_enhanced(b, 0, 10000004, frame, 59); /* padded */
	put_section(b);
	put_interface(b, 101, 65535, 6);
	put_enhanced(b, 0, 10000005, raw, 20);
}

static void check_mixed(const struct run *r)
{
	static const int ethertype[] = { 0, 0x0800, 0x86dd, 0, 0x86dd };
	static const uint32_t have[] = { 60, 24, 20, 59, 20 };
	static const uint8_t first[] = { 0x02, 0x45, 0x60, 0x02, 0x60 };

	assert_string_equal(r->said, "");
	assert_int_equal(r->stats.packets, 5);
	assert_int_equal(r->stats.cut, 0);
	for (uint32_t i = 0; i < 5; i++) {
		assert_int_equal(r->packet[i].t_ns, 10 * NS_PER_S + (i + 1) * 1000);
		assert_int_equal(r->packet[i].ethertype, ethertype[i]);
		assert_int_equal(r->packet[i].have, have[i]);
		assert_int_equal(r->packet[i].wire_len, have[i]);
		assert_int_equal(r->packet[i].outgoing, i == 1);
		assert_int_equal(r->first[i], first[i]);
	}
}

static void test_mixed_links(void **state)
{
	struct bytes z = { .len = 0 };

	(void)state;
	for (int big = 0; big < 2; big++) {
		struct bytes b = { .big = big };

		put_mixed(&b);
		check_mixed(run_one(b.at, b.len));
		z.len = 0;
		put_gzip(&z, &b);
		check_mixed(run_one(z.at, z.len));
	}
}

/* Whatever is cut off: what was whole before it is read, and the rest is one complaint. */
static void test_mixed_truncated(void **state)
{
	struct bytes b = { .len = 0 };

	(void)state;
	put_mixed(&b);
	for (size_t len = 0; len < b.len; len += len < 200 ? 1 : 7) {
		const struct run *r = run_one(b.at, len);

		assert_in_range(r->stats.packets, 0, 4);
		if (r->opened < 0)
			assert_int_equal(r->n_said, 1);
		else
			assert_int_equal(r->n_said, r->stats.files_damaged);
		for (uint32_t i = 0; i < r->stats.packets; i++)
			assert_int_equal(r->packet[i].t_ns, 10 * NS_PER_S + (i + 1) * 1000);
	}
}

static void test_simple_packets(void **state)
{
	struct bytes b = { .len = 0 };
	const struct run *r;

	(void)state;
	put_section(&b);
	put_interface(&b, ETHERNET, 40, 6);
	put_interface(&b, SLL, 65535, 6);
	put_simple(&b, frame, 40, 60); /* as much as the first interface's snap length is */
	put_simple(&b, frame, 33, 33);
	put_enhanced(&b, 1, 7, cooked, 40);
	r = run_one(b.at, b.len);
	assert_string_equal(r->said, "");
	assert_int_equal(r->stats.packets, 3);
	assert_int_equal(r->stats.cut, 1);
	assert_int_equal(r->packet[0].have, 40);
	assert_int_equal(r->packet[0].wire_len, 60);
	assert_int_equal(r->packet[1].have, 33);
	assert_int_equal(r->packet[1].wire_len, 33);
	assert_int_equal(r->packet[2].ethertype, 0x0800);
}

static void test_unread_interfaces(void **state)
{
	struct bytes b = { .len = 0 };
	const struct run *r;

	(void)state;
	put_section(&b);
	put_interface(&b, USB, 65535, 6);
	put_interface(&b, ETHERNET, 65535, 6);
	put_enhanced(&b, 0, 1, frame, 60);
	put_enhanced(&b, 1, 2, frame, 60);
	put_enhanced(&b, 0, 3, frame, 60);
	r = run_one(b.at, b.len);
	assert_int_equal(r->n_said, 1);
	assert_said(r, ": packet 1: link type USB_LINUX (189) of interface 0 is not read");
	assert_int_equal(r->stats.packets, 1);
	assert_int_equal(r->stats.link_unread, 2);
	assert_int_equal(r->packet[0].t_ns, 2000);
}

/* A packet of an interface that was never described, and one longer than its block. */
static void test_impossible_blocks(void **state)
{
	struct bytes b = { .len = 0 };
	const struct run *r;

	(void)state;
	put_section(&b);
	put_interface(&b, ETHERNET, 65535, 6);
	put_enhanced(&b, 0, 1, frame, 60);
	put_enhanced(&b, 1, 2, frame, 60);
	r = run_one(b.at, b.len);
	assert_said(r, ": packet 2: cannot be read: ");
	assert_int_equal(r->stats.packets, 1);
	assert_int_equal(r->stats.files_damaged, 1);

	b.len = 0;
	put_section(&b);
	put_interface(&b, ETHERNET, 65535, 6);
	put_enhanced(&b, 0, 1, frame, 60);
	b.at[b.len - 4 - 60 - 8] = 61; /* captured length */
	r = run_one(b.at, b.len);
	assert_int_equal(r->stats.packets, 0);
	assert_int_equal(r->stats.files_damaged, 1);
}

static void test_too_many_interfaces(void **state)
{
	const size_t more = 65537, block = 20;
	unsigned char *all = malloc(200 + more * block);
	struct bytes b = { .len = 0 };
	const struct run *r;
	size_t section;

	(void)state;
	put_section(&b);
	section = b.len;
	put_interface(&b, ETHERNET, 65535, 6);
	assert_int_equal(b.len, section + block);
	memcpy(all, b.at, b.len);
	for (size_t i = 1; i < more; i++)
		memcpy(all + section + i * block, b.at + section, block);
	all[section + block + 8] = SLL; /* one differs */
	b.len = 0;
	put_enhanced(&b, 65535, 1, frame, 60);
	memcpy(all + section + (more - 1) * block, b.at, b.len); /* without the last one */
	r = run_one(all, section + (more - 1) * block + b.len);
	assert_string_equal(r->said, "");
	assert_int_equal(r->stats.packets, 1);
	memcpy(all + section + (more - 1) * block, all + section, block);
	r = run_one(all, section + more * block);
	assert_said(r, ": packet 1: cannot be read: ");
	assert_int_equal(r->stats.files_damaged, 1);
	free(all);
}

static void test_backwards(void **state)
{
	static const uint32_t s[] = { 10, 8, 9, 10, 11 };
	static const uint32_t want_s[] = { 10, 10, 10, 10, 11 };
	struct bytes b = { .len = 0 };
	struct run *r;

	(void)state;
	put_header(&b, MAGIC_MICRO, ETHERNET);
	for (size_t i = 0; i < ARRAY_SIZE(s); i++)
		put_packet(&b, s[i], 0, frame, 60, 60);
	r = run_one(b.at, b.len);
	for (size_t i = 0; i < ARRAY_SIZE(s); i++)
		assert_int_equal(r->packet[i].t_ns, want_s[i] * NS_PER_S);
	assert_int_equal(r->n_said, 1);
	assert_said(r, ": packet 2: its time is 2.000000 s before");
	assert_int_equal(r->stats.backwards, 2);
	assert_int_equal(r->stats.files_damaged, 0);
}

static void test_snap_length(void **state)
{
	struct bytes b = { .len = 0 };
	struct run *r;

	(void)state;
	put_header(&b, MAGIC_MICRO, ETHERNET);
	put_packet(&b, 1, 0, frame, 40, 1514);
	put_packet(&b, 2, 0, frame, 60, 60);
	put_packet(&b, 3, 0, frame, 60, 50); /* more than there was: believe the bytes */
	put_packet(&b, 4, 0, frame, 3, 60);  /* Ethernet is parse.h's to judge */
	r = run_one(b.at, b.len);
	assert_string_equal(r->said, "");
	assert_int_equal(r->stats.cut, 2);
	assert_int_equal(r->packet[0].have, 40);
	assert_int_equal(r->packet[0].wire_len, 1514);
	assert_int_equal(r->packet[2].wire_len, 60);
	assert_int_equal(r->packet[3].have, 3);
}

/* add_native - a record in this machine's byte order, as captures are mostly read where they were
 * made; its bytes are its second. Returns what follows. */
static unsigned char *add_native(unsigned char *at, uint32_t s, uint32_t len)
{
	const uint32_t head[] = { s, 0, len, len };

	memcpy(at, head, sizeof(head));
	memset(at + sizeof(head), (int)s, len);
	return at + sizeof(head) + len;
}

/* run_long - records across the ends of buffers, and longer than they are: snap says where libpcap
 * cuts. */
static void run_long(uint32_t snap)
{
	static const uint32_t longer[] = { 65535, 131056, 131057, 262144, 10, 131056, 0 };
	const struct {
		uint32_t magic;
		uint16_t version[2];
		uint32_t zone, accuracy, snap, link;
	} head = { MAGIC_MICRO, { 2, 4 }, 0, 0, snap, ETHERNET };
	enum {
		SHORT = 450
	};
	unsigned char *file = malloc(2 << 20), *at = file + sizeof(head);
	struct run *r;
	uint32_t s = 0;

	assert_non_null(file);
	memcpy(file, &head, sizeof(head));
	while (s < SHORT)
		at = add_native(at, s, s * 7919 % 1600), s++;
	for (size_t i = 0; i < ARRAY_SIZE(longer); i++)
		at = add_native(at, s++, longer[i]);
	r = run_one(file, (size_t)(at - file));
	assert_string_equal(r->said, "");
	assert_int_equal(r->stats.packets, s);
	for (uint32_t i = 0; i < s; i++) {
		uint32_t len = i < SHORT ? i * 7919 % 1600 : longer[i - SHORT];

		assert_int_equal(r->packet[i].have, len < snap ? len : snap);
		if (len)
			assert_int_equal(r->first[i], i & 0xff);
	}
	/* And where it ends within a record: the longest, and its head. */
	r = run_one(file, (size_t)(at - file) - 20);
	assert_int_equal(r->stats.packets, s - 2);
	assert_int_equal(r->stats.files_damaged, 1);
	r = run_one(file, (size_t)(at - file) - 5);
	assert_int_equal(r->stats.packets, s - 1);
	assert_int_equal(r->stats.files_damaged, 1);
	free(file);
}

static void test_long(void **state)
{
	(void)state;
	run_long(262144);
	run_long(65535);
	run_long(1000);
}

/* --- merging -------------------------------------------------------------------------------- */

/* add_marked - a file whose packets, at the given seconds, begin with the byte `mark`. */
static void add_marked(struct run *r, unsigned char mark, const uint32_t *s, size_t n)
{
	struct bytes b = { .len = 0 };
	unsigned char p[60] = { mark };

	put_header(&b, MAGIC_MICRO, ETHERNET);
	for (size_t i = 0; i < n; i++)
		put_packet(&b, s[i], 0, p, sizeof(p), sizeof(p));
	run_add(r, b.at, b.len);
}

static void test_merge_three(void **state)
{
	static struct run r;

	(void)state;
	add_marked(&r, 'c', (const uint32_t[]){ 3, 5, 5, 9 }, 4);
	add_marked(&r, 'a', (const uint32_t[]){ 1, 5, 6 }, 3);
	add_marked(&r, 'b', (const uint32_t[]){ 2, 5, 4 }, 3); /* 4 counts as 5 */
	run_go(&r);
	assert_int_equal(r.stats.packets, 10);
	assert_memory_equal(r.first, "abcccabbac", 10); /* ties: in the order of the files */
	assert_int_equal(r.stats.backwards, 1);
	assert_int_equal(r.stats.bytes_read, r.stats.bytes_total);
}

static void test_merge_no_packets(void **state)
{
	static struct run r;

	(void)state;
	add_marked(&r, 'a', NULL, 0); /* a header without packets is a fine capture */
	add_marked(&r, 'b', (const uint32_t[]){ 2 }, 1);
	run_go(&r);
	assert_string_equal(r.said, "");
	assert_int_equal(r.stats.packets, 1);
	assert_int_equal(r.stats.bytes_read, r.stats.bytes_total);
}

/* test_merge_many - 100 files of 4 packets at scattered times; run_collect() checks the order. */
static void test_merge_many(void **state)
{
	static struct run r;

	(void)state;
	for (uint32_t i = 0; i < MAX_FILES; i++) {
		uint32_t s = 1 + i * 37 % 101;

		add_marked(&r, (unsigned char)i,
			   (const uint32_t[]){ s, s + i % 7, s + 50, s + 50 + i }, 4);
	}
	run_go(&r);
	assert_string_equal(r.said, "");
	assert_int_equal(r.stats.packets, 4 * MAX_FILES);
}

/* --- standard input ------------------------------------------------------------------------- */

static void run_stdin(struct run *r, const struct bytes *b)
{
	const char *file[] = { "-" };
	int was = dup(STDIN_FILENO), end[2];

	assert_int_equal(pipe(end), 0);
	assert_int_equal(write(end[1], b->at, b->len), (ssize_t)b->len); /* below a pipe's 64 KiB */
	close(end[1]);
	assert_int_equal(dup2(end[0], STDIN_FILENO), STDIN_FILENO);
	close(end[0]);
	run_collect(r, file, 1);
	if (was >= 0) {
		dup2(was, STDIN_FILENO);
		close(was);
	}
}

static void test_mixed_from_stdin(void **state)
{
	static struct run r;
	struct bytes b = { .len = 0 };

	(void)state;
	put_mixed(&b);
	run_stdin(&r, &b);
	check_mixed(&r);
}

static void test_stdin(void **state)
{
	static struct run r;
	struct bytes b = { .len = 0 };

	(void)state;
	put_three(&b);
	run_stdin(&r, &b);
	assert_string_equal(r.said, "");
	assert_int_equal(r.stats.packets, 3);
	assert_int_equal(r.stats.bytes_read, b.len);
	assert_int_equal(r.stats.bytes_total, 0);
}

static void test_stdin_gzip(void **state)
{
	static struct run r;
	struct bytes b = { .len = 0 }, z = { .len = 0 };

	(void)state;
	put_three(&b);
	put_gzip(&z, &b);
	z.len -= 9; /* and cut */
	run_stdin(&r, &z);
	assert_said(&r, "standard input: packet ");
	assert_said(&r, "the compressed data ends early");
	assert_int_equal(r.stats.bytes_read, z.len);
}

/* test_stdin_live - a packet comes out of a pipe as soon as it is in, although the writer goes on.
 */
static void test_stdin_live(void **state)
{
	int was = dup(STDIN_FILENO), end[2];
	const char *file[] = { "-" };
	struct capture_packet p;
	struct captures *c = NULL;
	struct bytes b = { .len = 0 };

	(void)state;
	put_three(&b);
	assert_int_equal(pipe(end), 0);
	assert_int_equal(write(end[1], b.at, b.len), (ssize_t)b.len);
	dup2(end[0], STDIN_FILENO);
	close(end[0]);
	assert_int_equal(captures_open(file, 1, NULL, NULL, &c, NULL), 0);
	alarm(300); /* instead of hanging */
	for (int i = 0; i < 3; i++)
		assert_int_equal(captures_next(c, &p), 1);
	close(end[1]);
	assert_int_equal(captures_next(c, &p), 0);
	alarm(0);
	captures_close(c);
	if (was >= 0) {
		dup2(was, STDIN_FILENO);
		close(was);
	}
}

/* --- all ------------------------------------------------------------------------------------ */

#define RUN_TABLE(group, table, function)                                                          \
	do {                                                                                       \
		struct CMUnitTest tests[ARRAY_SIZE(table)];                                        \
                                                                                                   \
		for (size_t i = 0; i < ARRAY_SIZE(table); i++)                                     \
			tests[i] = (struct CMUnitTest){ .name = (table)[i].name,                   \
							.test_func = (function),                   \
							.initial_state = (void *)&(table)[i] };    \
		failed += cmocka_run_group_tests_name(group, tests, NULL, NULL);                   \
	} while (0)

int main(void)
{
	const struct CMUnitTest others[] = {
		{ "pcapng: nanoseconds on one interface, microseconds on another",
		  test_pcapng_nanoseconds, NULL, NULL, NULL },
		{ "pcap: seconds after January 2038", test_after_2038, NULL, NULL, NULL },
		{ "gzip: two members and padding", test_gzip_members, NULL, NULL, NULL },
		{ "links: packets without a byte", test_link_empty, NULL, NULL, NULL },
		{ "raw IP: version 6 and version 5", test_raw_versions, NULL, NULL, NULL },
		{ "a link type that is not read does not stop the others", test_refused_link, NULL,
		  NULL, NULL },
		{ "a file that is not there, and a directory", test_not_there, NULL, NULL, NULL },
		{ "no file, or standard input twice", test_usage, NULL, NULL, NULL },
		{ "more files than may be open", test_too_many_open, NULL, NULL, NULL },
		{ "a record longer than any packet", test_corrupt_record, NULL, NULL, NULL },
		{ "gzip: a wrong checksum behind good packets", test_gzip_checksum, NULL, NULL,
		  NULL },
		{ "pcapng: link types, snap lengths and clocks that differ, two sections",
		  test_mixed_links, NULL, NULL, NULL },
		{ "pcapng: the same from a pipe", test_mixed_from_stdin, NULL, NULL, NULL },
		{ "pcapng of several link types, cut at any byte", test_mixed_truncated, NULL, NULL,
		  NULL },
		{ "pcapng: simple packets beside others", test_simple_packets, NULL, NULL, NULL },
		{ "pcapng: an interface whose link type is not read", test_unread_interfaces, NULL,
		  NULL, NULL },
		{ "pcapng: packets that cannot be", test_impossible_blocks, NULL, NULL, NULL },
		{ "pcapng: 65,536 interfaces, and one more", test_too_many_interfaces, NULL, NULL,
		  NULL },
		{ "time that runs backwards stands still", test_backwards, NULL, NULL, NULL },
		{ "packets cut by the snap length", test_snap_length, NULL, NULL, NULL },
		{ "packets across and beyond buffers", test_long, NULL, NULL, NULL },
		{ "three files become one stream", test_merge_three, NULL, NULL, NULL },
		{ "a file without packets beside one with", test_merge_no_packets, NULL, NULL,
		  NULL },
		{ "a hundred files", test_merge_many, NULL, NULL, NULL },
		{ "standard input", test_stdin, NULL, NULL, NULL },
		{ "standard input, gzip, cut", test_stdin_gzip, NULL, NULL, NULL },
		{ "standard input: a pipe that stays open", test_stdin_live, NULL, NULL, NULL },
	};
	int failed = 0;

	RUN_TABLE("format", format_cases, test_format);
	RUN_TABLE("link", link_cases, test_link);
	RUN_TABLE("link, cut within the header", link_cases, test_link_cut);
	RUN_TABLE("refused", refused_cases, test_refused);
	RUN_TABLE("truncated at every byte", damage_cases, test_truncated);
	RUN_TABLE("each byte inverted", damage_cases, test_flipped);
	failed += cmocka_run_group_tests_name("capture", others, NULL, NULL);
	return failed != 0;
}
