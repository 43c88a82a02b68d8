// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/capture.c over whatever is called a capture: pcap, pcapng, gzip or none of them. Input: the
 * file. Every packet that comes out goes through the parser, as replay would have it. */
#include "fuzz.h"

#include <capture.h>
#include <host_store.h>
#include <parse_both.h>
#include <zlib.h>

enum {
	PACKETS_MAX = 2000, /* a compressed file of 4 KiB may hold a million */
	ZIP_EVERY = 16,	    /* one input of so many is read compressed as well: deflate is slow */
	ZIP_MAX = 64 * 1024,
};

/* What was read, in a form that two readings can be compared by. */
struct reading {
	bool opened;
	uint64_t packets, bytes, last_ns;
	uint32_t digest; /* of all packets in their order */
	struct capture_stats stats;
	unsigned int complaints;
	bool cut_off; /* there was more than PACKETS_MAX */
};

static void on_complaint(void *ctx, const char *text)
{
	struct reading *r = ctx;

	CHECK(*text && strlen(text) < 1024, "an empty complaint, or one without end");
	r->complaints++;
}

static void digest_add(struct reading *r, const void *data, size_t n)
{
	r->digest = r->digest * 31 + bytes_hash(data, n);
}

static void parse_check(const struct capture_packet *p)
{
	uint8_t *frame = exact_copy(p->data, p->have);
	struct cursor cur = { frame, frame + p->have, p->wire_len };
	const char *why;
	struct packet pkt;
	int r;

	if (!p->ethertype || p->ethertype == ETH_TYPE_IPV4 || p->ethertype == ETH_TYPE_IPV6) {
		parse_both_family(&cur, !p->ethertype, &why);
		CHECK(!why, "%s", why);
		r = parse_packet(&cur, !p->ethertype, &pkt);
		CHECK(r <= 0 && r > -STAT_MAX, "the parser returned %d", r);
	}
	free(frame);
}

static void packet_take(struct reading *r, const struct capture_packet *p)
{
	CHECK(p->have <= p->wire_len, "%u bytes at hand of %u", p->have, p->wire_len);
	CHECK(p->t_ns >= r->last_ns, "packet %llu goes back in time",
	      (unsigned long long)r->packets + 1);
	CHECK(p->ethertype >= 0 && p->ethertype <= 0xffff, "EtherType %d", p->ethertype);
	parse_check(p);

	digest_add(r, &p->t_ns, sizeof(p->t_ns));
	digest_add(r, &p->wire_len, sizeof(p->wire_len));
	digest_add(r, &p->ethertype, sizeof(p->ethertype));
	digest_add(r, p->data, p->have);
	r->last_ns = p->t_ns;
	r->bytes += p->have;
	r->packets++;
}

static void stats_check(const struct reading *r, size_t files)
{
	const struct capture_stats *s = &r->stats;

	CHECK(s->packets == r->packets, "%llu packets counted, %llu came",
	      (unsigned long long)s->packets, (unsigned long long)r->packets);
	CHECK(s->files_damaged + s->files_refused <= files, "more damage than files");
	CHECK(!s->bytes_total || s->bytes_read <= s->bytes_total, "more read than there is");
	CHECK(r->complaints >= s->files_damaged + s->files_refused, "damage without a word");
	if (!r->cut_off)
		CHECK(s->cut <= r->packets + s->link_truncated, "more packets cut than read");
}

static void read_all(const char *const *path, size_t files, struct reading *r)
{
	struct capture_packet p;
	struct error err = { 0 };
	struct captures *c;
	int ret;

	memset(r, 0, sizeof(*r));
	ret = captures_open(path, files, on_complaint, r, &c, &err);
	if (ret < 0) {
		CHECK(*err.text && err.exit_code != EXIT_FINE, "an error without a word");
		CHECK(r->complaints, "a file refused without a word");
		return;
	}
	r->opened = true;
	while (captures_next(c, &p)) {
		packet_take(r, &p);
		if (r->packets == PACKETS_MAX * files) {
			r->cut_off = true;
			break;
		}
	}
	captures_stats_get(c, &r->stats);
	stats_check(r, files);
	captures_close(c);
}

/* The same file, twice: all its packets twice, still in order of time. */
static void check_merge(const char *path, const struct reading *one)
{
	const char *const paths[] = { path, path };
	struct reading two;

	read_all(paths, 2, &two);
	CHECK(two.opened == one->opened, "refused beside itself");
	CHECK(two.packets == 2 * one->packets && two.bytes == 2 * one->bytes,
	      "%llu packets alone, %llu merged with itself", (unsigned long long)one->packets,
	      (unsigned long long)two.packets);
}

/* gzip_make - the bytes as a gzip file; returns its length. */
static size_t gzip_make(const uint8_t *data, size_t size, uint8_t *out, size_t room)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)data,
		       .avail_in = (uInt)size,
		       .next_out = out,
		       .avail_out = (uInt)room };

	if (deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK ||
	    deflate(&z, Z_FINISH) != Z_STREAM_END)
		abort();
	deflateEnd(&z);
	return z.total_out;
}

/* Compressed, a file is what it was. */
static void check_gzip(const uint8_t *data, size_t size, const struct reading *plain)
{
	static uint8_t zipped[ZIP_MAX + 1024];
	struct memory_file f;
	struct reading r;

	memory_file_make(&f, zipped, gzip_make(data, size, zipped, sizeof(zipped)));
	read_all((const char *const[]){ f.path }, 1, &r);
	memory_file_done(&f);
	CHECK(r.opened == plain->opened, "compressed %d, plain %d", r.opened, plain->opened);
	CHECK(r.packets == plain->packets && r.digest == plain->digest,
	      "compressed, its packets are others");
	CHECK(r.stats.files_damaged == plain->stats.files_damaged, "damage differs");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memory_file f;
	struct reading r;

	memory_file_make(&f, data, size);
	read_all((const char *const[]){ f.path }, 1, &r);
	if (!r.cut_off)
		check_merge(f.path, &r);
	if (size <= ZIP_MAX && !is_gzip(data, size) && bytes_hash(data, size) % ZIP_EVERY == 0)
		check_gzip(data, size, &r);
	memory_file_done(&f);
	return 0;
}
