// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/zeeklog.c over whatever is called a conn.log: TSV, JSON, both mixed, gzip or none of them.
 * Input: the file. */
#include "fuzz.h"

#include <zeeklog.h>

enum {
	ROWS_MAX = 2000 /* a compressed file may hold any number */
};

/* What was read, in a form that two readings can be compared by. */
struct reading {
	int opened; /* 0, or the negative errno */
	uint64_t rows, skipped;
	uint32_t digest; /* of all contacts in their order */
	unsigned int complaints;
	bool cut_off; /* there was more than ROWS_MAX */
};

static void on_complaint(void *ctx, const char *text)
{
	struct reading *r = ctx;

	CHECK(strstr(text, "line "), "a complaint that names no line: %s", text);
	for (const char *p = text; *p; p++)
		CHECK(*p >= ' ' && *p <= '~', "a complaint that a terminal obeys: %s", text);
	r->complaints++;
}

static void check_contact(const struct contact_key *key, const struct contact *c, bool exempt)
{
	static const uint8_t zero[sizeof(key->pad)];
	__u32 bits = CONTACT_BITS(c->word);
	bool silent = bits & CONTACT_SILENT;

	CHECK(__builtin_popcount(bits & (CONTACT_SILENT | CONTACT_CARRIED)) == 1,
	      "not one answer or one reason: %#x", bits);
	CHECK(key->proto == PROTO_TCP || key->proto == PROTO_UDP, "protocol %u", key->proto);
	CHECK(!(bits & CONTACT_UDP) == (key->proto != PROTO_UDP), "%#x of protocol %u", bits,
	      key->proto);
	CHECK(!(bits & CONTACT_TRANSFER) || exempt, "a transfer where none is exempt");
	CHECK(!memcmp(key->pad, zero, sizeof(zero)), "padding is not zero");
	CHECK(c->word >> CONTACT_HASH_SHIFT == contact_hash(key), "another key's hash");
	CHECK(c->silent == silent && c->carried == !silent, "not one attempt");
	CHECK(c->silent_first_ns == c->silent_last_ns && c->carried_first_ns == c->carried_last_ns,
	      "one attempt at two times");
	CHECK((silent ? c->silent_first_ns : c->carried_first_ns) &&
		      !(silent ? c->carried_first_ns : c->silent_first_ns),
	      "no time, or two");
}

static void take_rows(struct zeeklog *z, bool exempt, struct reading *r)
{
	struct contact_key key;
	struct zeeklog_stats s;
	struct contact c;

	while (zeeklog_next(z, &key, &c)) {
		check_contact(&key, &c, exempt);
		r->digest = (r->digest * 31 + bytes_hash((uint8_t *)&key, sizeof(key))) * 31 +
			    bytes_hash((uint8_t *)&c, sizeof(c));
		if (++r->rows == ROWS_MAX) {
			r->cut_off = true;
			break;
		}
	}
	zeeklog_stats_get(z, &s);
	CHECK(s.rows == r->rows, "%llu rows counted, %llu came", (unsigned long long)s.rows,
	      (unsigned long long)r->rows);
	CHECK(!s.bytes_total || s.bytes_read <= s.bytes_total, "more read than there is");
	CHECK(!s.damaged || r->complaints, "damage without a word");
	for (enum zeeklog_skip i = 0; i < ZEEKLOG_SKIP_MAX; i++)
		r->skipped += s.skipped[i];
	zeeklog_close(z);
}

static void check_refusal(const struct error *err)
{
	CHECK(*err->text && err->exit_code != EXIT_FINE, "refused without a word");
}

static void read_memory(const uint8_t *data, size_t size, bool exempt, struct reading *r)
{
	struct error err = { 0 };
	struct zeeklog *z;

	memset(r, 0, sizeof(*r));
	r->opened = zeeklog_open_memory(data, size, exempt, on_complaint, r, &z, &err);
	if (r->opened < 0)
		check_refusal(&err);
	else
		take_rows(z, exempt, r);
}

static void read_file(const uint8_t *data, size_t size, bool exempt, struct reading *r)
{
	struct error err = { 0 };
	struct memory_file f;
	struct zeeklog *z;

	memset(r, 0, sizeof(*r));
	memory_file_make(&f, data, size);
	r->opened = zeeklog_open(f.path, exempt, on_complaint, r, &z, &err);
	if (r->opened < 0)
		check_refusal(&err);
	else
		take_rows(z, exempt, r);
	memory_file_done(&f);
}

static void check_same(const struct reading *a, const struct reading *b)
{
	CHECK(a->opened == b->opened, "opened %d and %d", a->opened, b->opened);
	CHECK(a->rows == b->rows && a->skipped == b->skipped,
	      "%llu rows and %llu skipped, then %llu and %llu", (unsigned long long)a->rows,
	      (unsigned long long)a->skipped, (unsigned long long)b->rows,
	      (unsigned long long)b->skipped);
	CHECK(a->digest == b->digest, "its contacts are others");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = exact_copy(data, size);
	struct reading memory, file, literal;

	(void)zeeklog_is(copy, size < 512 ? size : 512);
	read_file(copy, size, true, &file);
	if (!is_gzip(copy, size)) {
		read_memory(copy, size, true, &memory);
		check_same(&memory, &file);
		read_memory(copy, size, false, &literal); /* judges otherwise, and reads the same */
		CHECK(literal.rows == memory.rows && literal.skipped == memory.skipped,
		      "--profile splunk reads other rows");
	}
	free(copy);
	return 0;
}
