// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/zeeklog.c: rows of Zeek's conn.log to contacts, and what becomes of the others. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "net.h"
#include "zeeklog.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define MARKS                                                                                      \
	"#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n"            \
	"#path\tconn\n#open\t2026-11-25-02-50-00\n"
#define FIELDS                                                                                     \
	"#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tconn_state\t"        \
	"orig_bytes\tresp_bytes\thistory\torig_pkts\torig_ip_bytes\n"                              \
	"#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tcount\tcount\tstring\tcount"  \
	"\tcount\n"
#define HEADER MARKS FIELDS
#define FROM   "1764039000.123456\tC1\t10.0.0.5\t40000\t10.0.0.9\t22\t"
#define ROW    FROM "tcp\tREJ\t0\t0\tSr\t1\t60\n"
#define T_NS   1764039000123456000ull

static unsigned int n_complaints;
static char last_complaint[512];

static void on_complaint(void *ctx, const char *text)
{
	(void)ctx;
	n_complaints++;
	(void)snprintf(last_complaint, sizeof(last_complaint), "%s", text);
}

static struct zeeklog *log_of(const void *data, size_t n, bool exempt_transfers)
{
	struct zeeklog *z = NULL;
	struct error err = { 0 };

	n_complaints = 0;
	last_complaint[0] = '\0';
	if (zeeklog_open_memory(data, n, exempt_transfers, on_complaint, NULL, &z, &err) < 0)
		fail_msg("%s", err.text);
	return z;
}

/* rows_left - reads to the end; what remains, in order. */
static uint64_t rows_left(struct zeeklog *z)
{
	struct contact_key key;
	struct contact c;
	uint64_t n = 0;

	while (zeeklog_next(z, &key, &c))
		n++;
	return n;
}

/* --- what a row says -------------------------------------------------------------------------- */

enum {
	PLAIN = CONTACT_SPAN,
	UDP = CONTACT_UDP,
};

static const struct row_case {
	const char *name;
	const char *row; /* from proto on */
	uint32_t want;	 /* CONTACT_*; 0: no contact */
} row_cases[] = {
	{ "TCP with payload", "tcp\tSF\t120\t4000\tShADadFf\t8\t600", CONTACT_PAYLOAD },
	{ "one byte is payload", "tcp\tS1\t1\t0\tShAD\t3\t160", CONTACT_PAYLOAD },
	{ "a refused SYN", "tcp\tREJ\t0\t0\tSr\t1\t60", CONTACT_CLOSED | PLAIN },
	{ "a lone SYN has no span", "tcp\tS0\t-\t-\tS\t1\t60", CONTACT_NONE },
	{ "a repeated SYN has one", "tcp\tS0\t0\t0\tS\t3\t180", CONTACT_NONE | PLAIN },
	{ "SYN and RST", "tcp\tRSTOS0\t0\t0\tSR\t2\t100", CONTACT_NONE | PLAIN },
	{ "SYN and FIN", "tcp\tSH\t0\t0\tSF\t2\t100", CONTACT_NONE | PLAIN },
	{ "traffic without a SYN", "tcp\tOTH\t0\t0\tA\t2\t80", CONTACT_NONE | PLAIN },
	{ "a probe without SYN refused", "tcp\tRSTRH\t0\t0\t^r\t1\t40", CONTACT_CLOSED | PLAIN },
	{ "half-open scan of an open port", "tcp\tRSTO\t0\t0\tShR\t2\t100",
	  CONTACT_OPEN | CONTACT_SYN | PLAIN },
	{ "connect scan ended by RST", "tcp\tRSTO\t0\t0\tShAR\t3\t160",
	  CONTACT_OPEN | CONTACT_CONNECT | PLAIN },
	{ "connect scan ended by FIN", "tcp\tSF\t0\t0\tShAFaf\t4\t200",
	  CONTACT_OPEN | CONTACT_CONNECT | PLAIN },
	{ "established and left", "tcp\tS1\t0\t0\tShA\t2\t100",
	  CONTACT_OPEN | CONTACT_CONNECT | PLAIN },
	{ "S1 of a handshake left half open", "tcp\tS1\t0\t0\tSh\t1\t60",
	  CONTACT_OPEN | CONTACT_SYN | PLAIN },
	{ "S1 without a history", "tcp\tS1\t0\t0\t-\t2\t100",
	  CONTACT_OPEN | CONTACT_CONNECT | PLAIN },
	{ "RSTO without a history tells no technique", "tcp\tRSTO\t0\t0\t-\t2\t100",
	  CONTACT_OPEN | PLAIN },
	{ "S2", "tcp\tS2\t0\t0\tShAF\t3\t160", CONTACT_OPEN | CONTACT_CONNECT | PLAIN },
	{ "S3", "tcp\tS3\t0\t9\tShAadf\t3\t160", CONTACT_OPEN | CONTACT_CONNECT | PLAIN },
	{ "SHR", "tcp\tSHR\t0\t0\thf\t0\t0", CONTACT_OPEN | PLAIN },
	{ "reset by an open responder", "tcp\tRSTR\t0\t0\tShAr\t2\t100",
	  CONTACT_OPEN | CONTACT_CONNECT | PLAIN },
	{ "reset without an answer before", "tcp\tRSTR\t0\t0\tFr\t1\t40", CONTACT_CLOSED | PLAIN },
	{ "RSTR without a history", "tcp\tRSTR\t0\t0\t-\t1\t40", CONTACT_CLOSED | PLAIN },
	{ "no state, but a history of an answer", "tcp\t-\t0\t0\tShR\t2\t100",
	  CONTACT_OPEN | CONTACT_SYN | PLAIN },
	{ "no state, but a history of a refusal", "tcp\t-\t0\t0\tSr\t1\t60",
	  CONTACT_CLOSED | PLAIN },
	{ "neither state nor history", "tcp\t-\t0\t0\t-\t1\t60", CONTACT_NONE | PLAIN },
	{ "an empty history", "tcp\tS0\t0\t0\t(empty)\t1\t60", CONTACT_NONE | PLAIN },
	{ "unset, but the history knows of data", "tcp\tOTH\t-\t-\tD\t1\t140", CONTACT_PAYLOAD },
	{ "64 KiB less one byte to a silent originator", "tcp\tSF\t0\t65535\tShAadfF\t9\t500",
	  CONTACT_OPEN | CONTACT_CONNECT | PLAIN },
	{ "64 KiB are a transfer", "tcp\tSF\t0\t65536\tShAadfF\t9\t500", CONTACT_TRANSFER },
	{ "64 KiB after payload are none", "tcp\tSF\t1\t65536\tShADadfF\t9\t500", CONTACT_PAYLOAD },

	{ "UDP with payload and answer", "udp\tSF\t40\t120\tDd\t1\t68", CONTACT_PAYLOAD | UDP },
	{ "empty datagrams", "udp\tS0\t0\t0\tD\t2\t56", CONTACT_NONE | PLAIN | UDP },
	{ "an empty datagram answered", "udp\tSF\t0\t9\tDd\t1\t28", CONTACT_OPEN | PLAIN | UDP },
	{ "much for an empty datagram is no TCP transfer", "udp\tSF\t0\t90000\tDd\t1\t28",
	  CONTACT_OPEN | PLAIN | UDP },
	{ "UDP unset: headers alone", "udp\tS0\t-\t-\tD\t1\t28", CONTACT_NONE | UDP },
	{ "UDP unset: one byte more", "udp\tS0\t-\t-\tD\t1\t29", CONTACT_PAYLOAD | UDP },
	{ "UDP unset: two datagrams' headers", "udp\tS0\t-\t-\tD\t2\t56", CONTACT_NONE | UDP },
	{ "UDP unset: no packet counts", "udp\tS0\t-\t-\tD\t-\t-", 0 },
	{ "UDP unset: packets without bytes", "udp\tS0\t-\t-\tD\t1\t-", 0 },
	{ "UDP unset: the originator was not seen", "udp\tSHR\t-\t-\t^d\t0\t0", 0 },
	{ "UDP unset: packets beyond any", "udp\tS0\t-\t-\tD\t18446744073709551615\t9", 0 },
	{ "UDP answered, by history alone", "udp\t-\t0\t9\tDd\t1\t28", CONTACT_OPEN | PLAIN | UDP },

	{ "ICMP", "icmp\tOTH\t0\t0\t-\t1\t60", 0 },
	{ "another transport", "unknown_transport\tOTH\t0\t0\t-\t1\t60", 0 },
	{ "no protocol", "-\tOTH\t0\t0\t-\t1\t60", 0 },
	{ "bytes that are no number", "tcp\tS0\tmany\t0\tS\t1\t60", 0 },
	{ "negative bytes", "tcp\tS0\t-1\t0\tS\t1\t60", 0 },
	{ "more bytes than 64 bits hold", "tcp\tSF\t18446744073709551616\t0\tS\t1\t60", 0 },
	{ "escaped text is read", "\\x74cp\tREJ\t0\t0\tS\\x72\t1\t60", CONTACT_CLOSED | PLAIN },
};

static void test_row(void **state)
{
	const struct row_case *c = *state;
	struct contact_key key;
	struct contact got;
	char text[2048];
	bool carried = c->want & CONTACT_CARRIED;
	struct zeeklog *z;

	(void)snprintf(text, sizeof(text), "%s%s%s\n", HEADER, FROM, c->row);
	z = log_of(text, strlen(text), true);
	assert_int_equal(zeeklog_next(z, &key, &got), c->want != 0);
	if (c->want) {
		assert_int_equal(CONTACT_BITS(got.word), c->want);
		assert_int_equal(got.word >> CONTACT_HASH_SHIFT, contact_hash(&key));
		assert_int_equal(ntohs(key.resp_port), 22);
		assert_int_equal(key.proto, c->want & CONTACT_UDP ? PROTO_UDP : PROTO_TCP);
		assert_int_equal(got.silent, !carried);
		assert_int_equal(got.carried, carried);
		assert_true(got.silent_first_ns == (carried ? 0 : T_NS));
		assert_true(got.silent_last_ns == got.silent_first_ns);
		assert_true(got.carried_first_ns == (carried ? T_NS : 0));
		assert_true(got.carried_last_ns == got.carried_first_ns);
		assert_int_equal(got.ifindex, 0);
		assert_int_equal(zeeklog_next(z, &key, &got), 0);
	}
	zeeklog_close(z);
}

static void by_the_letter_a_transfer_is_silent(void **state)
{
	static const char text[] = HEADER FROM "tcp\tSF\t0\t999999\tShAadfF\t9\t500\n";
	struct zeeklog *z = log_of(text, strlen(text), false);
	struct contact_key key;
	struct contact c;

	(void)state;
	assert_int_equal(zeeklog_next(z, &key, &c), 1);
	assert_int_equal(CONTACT_BITS(c.word), CONTACT_OPEN | CONTACT_CONNECT | CONTACT_SPAN);
	zeeklog_close(z);
}

static void ipv6_has_longer_headers(void **state)
{
	static const char text[] =
		HEADER "1.0\tC\t2001:db8::5\t4\t2001:db8::9\t53\tudp\tS0\t-\t-\tD\t1\t48\n"
		       "1.0\tC\t2001:db8::5\t4\t2001:db8::9\t53\tudp\tS0\t-\t-\tD\t1\t49\n";
	struct zeeklog *z = log_of(text, strlen(text), true);
	struct contact_key key;
	struct contact c;
	char addr[NET_TEXT_MAX];

	(void)state;
	assert_int_equal(zeeklog_next(z, &key, &c), 1);
	assert_int_equal(CONTACT_BITS(c.word), CONTACT_NONE | CONTACT_UDP);
	assert_string_equal(addr_format(&key.orig, addr), "2001:db8::5");
	assert_string_equal(addr_format(&key.resp, addr), "2001:db8::9");
	assert_int_equal(zeeklog_next(z, &key, &c), 1);
	assert_int_equal(CONTACT_BITS(c.word), CONTACT_PAYLOAD | CONTACT_UDP);
	zeeklog_close(z);
}

/* --- times ------------------------------------------------------------------------------------ */

static const struct time_case {
	const char *name;
	const char *ts;
	uint64_t want; /* ns; 0: refused */
	bool json;     /* ts is a JSON value */
} time_cases[] = {
	{ "microseconds", "1764039000.123456", T_NS, false },
	{ "a ninth digit is kept, without a double in between", "1764039000.123456789",
	  1764039000123456789ull, false },
	{ "a tenth is dropped", "1764039000.1234567899", 1764039000123456789ull, false },
	{ "one digit", "1764039000.1", 1764039000100000000ull, false },
	{ "no fraction", "1764039000", 1764039000000000000ull, false },
	{ "a point alone behind", "1764039000.", 1764039000000000000ull, false },
	{ "the first nanosecond", "0.000000001", 1, false },
	{ "the last nanosecond", "9223372036.854775807", INT64_MAX, false },
	{ "one more", "9223372036.854775808", 0, false },
	{ "seconds that wrap 64 bits of ns", "18446744074.0", 0, false },
	{ "seconds that wrap 64 bits", "18446744073709551617.0", 0, false },
	{ "zero", "0.000000", 0, false },
	{ "negative", "-1.0", 0, false },
	{ "no digits before the point", ".5", 0, false },
	{ "letters behind", "1764039000.1x", 0, false },
	{ "an exponent", "1.7e9", 0, false },
	{ "a space before", " 1764039000", 0, false },
	{ "nothing", "", 0, false },
	{ "unset", "-", 0, false },
	{ "ISO 8601", "2025-11-25T02:50:00.123456Z", T_NS, false },
	{ "ISO 8601 without zone is UTC", "2025-11-25T02:50:00.123456", T_NS, false },
	{ "ISO 8601 east", "2025-11-25T04:50:00.123456+02:00", T_NS, false },
	{ "ISO 8601 west, without colon", "2025-11-24T21:20:00.123456-0530", T_NS, false },
	{ "a leap day", "2024-02-29T00:00:00Z", 1709164800000000000ull, false },
	{ "the day behind it", "2024-03-01T00:00:00Z", 1709251200000000000ull, false },
	{ "a leap day of a century", "2000-02-29T00:00:01Z", 951782401000000000ull, false },
	{ "the end of a year without one", "2100-03-01T00:00:00Z", 4107542400000000000ull, false },
	{ "before the epoch", "1969-12-31T23:59:59Z", 0, false },
	{ "a month too many", "2025-13-01T00:00:00Z", 0, false },
	{ "month 0", "2025-00-01T00:00:00Z", 0, false },
	{ "an hour too many", "2025-11-25T24:00:00Z", 0, false },
	{ "a broken zone", "2025-11-25T02:50:00+0", 0, false },
	{ "text behind the zone", "2025-11-25T02:50:00Zz", 0, false },
	{ "a date alone", "2025-11-25", 0, false },
	{ "JSON: number", "1764039000.123456", T_NS, true },
	{ "JSON: whole seconds", "1764039000", 1764039000000000000ull, true },
	{ "JSON: milliseconds", "1764039000123", 1764039000123000000ull, true },
	{ "JSON: milliseconds with a fraction", "1764039000123.456", T_NS, true },
	{ "JSON: text", "\"2025-11-25T02:50:00.123456Z\"", T_NS, true },
	{ "JSON: negative", "-1764039000.1", 0, true },
	{ "JSON: zero", "0", 0, true },
	{ "JSON: beyond the years", "1e300", 0, true },
	{ "JSON: seconds beyond 2262, too few for milliseconds", "10000000000", 0, true },
	{ "JSON: an array", "[1]", 0, true },
	{ "JSON: null", "null", 0, true },
};

static void test_time(void **state)
{
	const struct time_case *c = *state;
	struct contact_key key;
	struct contact got;
	struct zeeklog_stats stats;
	char text[2048];
	struct zeeklog *z;

	if (c->json)
		(void)snprintf(text, sizeof(text),
			       "{\"ts\":%s,\"id.orig_h\":\"10.0.0.5\",\"id.resp_h\":\"10.0.0.9\","
			       "\"id.resp_p\":22,\"proto\":\"tcp\",\"conn_state\":\"S0\"}\n",
			       c->ts);
	else
		(void)snprintf(text, sizeof(text),
			       "%s%s\tC\t10.0.0.5\t4\t10.0.0.9\t22\ttcp\tS0\t-\t-\tS\t1\t60\n",
			       HEADER, c->ts);
	z = log_of(text, strlen(text), true);
	assert_int_equal(zeeklog_next(z, &key, &got), c->want != 0);
	zeeklog_stats_get(z, &stats);
	assert_int_equal(stats.skipped[ZEEKLOG_BAD_TIME], !c->want);
	if (c->want)
		assert_true(got.silent_first_ns == c->want);
	zeeklog_close(z);
}

/* --- damaged logs ----------------------------------------------------------------------------- */

#define BAD(why) (1u << ZEEKLOG_##why)

static const struct damage_case {
	const char *name;
	const char *text;
	size_t n;	  /* of text; 0: strlen */
	uint64_t rows;	  /* that are used */
	uint32_t skipped; /* the kinds of which one row is left out: BAD() */
	unsigned int complaints;
	const char *says; /* within the last complaint */
} damage_cases[] = {
	{ "an empty log", "", 0, 0, 0, 0, NULL },
	{ "a header without rows", HEADER "#close\t2026-11-25-03-00-00\n", 0, 0, 0, 0, NULL },
	{ "a row", HEADER ROW, 0, 1, 0, 0, NULL },
	{ "the last line without its LF", HEADER FROM "tcp\tREJ\t0\t0\tSr\t1\t60", 0, 1, 0, 0,
	  NULL },
	{ "the last row cut", HEADER ROW FROM "tcp\tRE", 0, 1, BAD(BAD_COLUMNS), 1,
	  "line 10: fewer" },
	{ "empty lines", HEADER "\n\n" ROW "\n\r\n" ROW "\n", 0, 2, 0, 0, NULL },
	{ "CR LF",
	  "#separator \\x09\r\n#fields\tproto\tts\tid.orig_h\tid.resp_h\tid.resp_p\torig_bytes\r\n"
	  "tcp\t1.5\t10.0.0.5\t10.0.0.9\t22\t0\r\n",
	  0, 1, 0, 0, NULL },
	{ "only the columns that are needed, in another order",
	  "#fields\torig_bytes\tid.resp_p\tproto\tts\tid.orig_h\tid.resp_h\n"
	  "0\t22\ttcp\t1.5\t10.0.0.5\t10.0.0.9\n",
	  0, 1, 0, 0, NULL },
	{ "another separator, with other marks",
	  "#separator \\x7c\n#unset_field|NIL\n#empty_field|NONE\n"
	  "#fields|ts|id.orig_h|id.resp_h|id.resp_p|proto|orig_bytes|history\n"
	  "1.5|10.0.0.5|10.0.0.9|22|tcp|NIL|NONE\n",
	  0, 1, 0, 0, NULL },
	{ "a separator within an escaped value",
	  "#separator ,\n#fields,uid,ts,id.orig_h,id.resp_h,id.resp_p,proto,orig_bytes\n"
	  "C\\x2c1,1.5,10.0.0.5,10.0.0.9,22,tcp,0\n",
	  0, 1, 0, 0, NULL },
	{ "more columns than the header", HEADER FROM "tcp\tREJ\t0\t0\tSr\t1\t60\textra\n", 0, 1, 0,
	  0, NULL },
	{ "a column named twice: the first counts",
	  "#fields\tts\tid.orig_h\tid.resp_h\tid.resp_p\tproto\torig_bytes\tts\n"
	  "1.5\t10.0.0.5\t10.0.0.9\t22\ttcp\t0\tnever\n",
	  0, 1, 0, 0, NULL },
	{ "two logs behind one another, with different columns",
	  HEADER ROW "#close\t2026-11-25-03-00-00\n" MARKS
		     "#fields\tid.resp_h\tts\tid.orig_h\tid.resp_p\tproto\torig_bytes\n"
		     "10.0.0.9\t1.5\t10.0.0.5\t22\ttcp\t0\n",
	  0, 2, 0, 0, NULL },
	{ "a second log that lacks a column, and a third that does not",
	  HEADER ROW MARKS "#fields\tts\tid.orig_h\n" ROW HEADER ROW, 0, 2, BAD(NO_HEADER), 2,
	  "line 17: a row without" },
	{ "a separator of two characters in the second log",
	  HEADER ROW "#separator \\x09\\x09\n" ROW HEADER ROW, 0, 2, BAD(NO_HEADER), 2, NULL },
	{ "no address", HEADER "1.5\tC\t10.0.0.256\t4\t10.0.0.9\t22\ttcp\tS0\t-\t-\tS\t1\t60\n" ROW,
	  0, 1, BAD(BAD_ADDR), 1, "line 9: id.orig_h '10.0.0.256' is not an address" },
	{ "port 65536",
	  HEADER "1.5\tC\t10.0.0.5\t4\t10.0.0.9\t65536\ttcp\tS0\t-\t-\tS\t1\t60\n" ROW, 0, 1,
	  BAD(BAD_PORT), 1, "line 9: id.resp_p '65536' is not a port" },
	{ "port 65535", HEADER "1.5\tC\t10.0.0.5\t4\t10.0.0.9\t65535\ttcp\tS0\t-\t-\tS\t1\t60\n", 0,
	  1, 0, 0, NULL },
	{ "ICMP is nothing to complain about",
	  HEADER "1.5\tC\t10.0.0.5\t8\t10.0.0.9\t0\ticmp\tOTH\t-\t-\t-\t1\t60\n" ROW, 0, 1,
	  BAD(OTHER_PROTO), 0, NULL },
	{ "what a terminal must not see is not repeated",
	  HEADER "1.5\tC\t\x1b[2J\t4\t10.0.0.9\t22\ttcp\tS0\t-\t-\tS\t1\t60\n", 0, 0, BAD(BAD_ADDR),
	  1, "'?[2J'" },
	{ "an escape cut short is no escape",
	  HEADER "1.5\tC\t10.0.0.5\\x\t4\t10.0.0.9\t22\ttcp\tS0\t-\t-\tS\t1\t60\n", 0, 0,
	  BAD(BAD_ADDR), 1, "'10.0.0.5\\x'" },
	{ "a NUL in an address",
	  HEADER "1.5\tC\t10.0.0.5\0\t4\t10.0.0.9\t22\ttcp\tS0\t-\t-\tS\t1\t60\n",
	  sizeof(HEADER "1.5\tC\t10.0.0.5\0\t4\t10.0.0.9\t22\ttcp\tS0\t-\t-\tS\t1\t60\n") - 1, 0,
	  BAD(BAD_ADDR), 1, "id.orig_h is not an address" },
	{ "an escaped NUL likewise",
	  HEADER "1.5\tC\t10.0.0.5\\x00\t4\t10.0.0.9\t22\ttcp\tS0\t-\t-\tS\t1\t60\n", 0, 0,
	  BAD(BAD_ADDR), 1, NULL },
	{ "a NUL in a column that we do not read",
	  HEADER "1.5\tC\0C\t10.0.0.5\t4\t10.0.0.9\t22\ttcp\tS0\t-\t-\tS\t1\t60\n",
	  sizeof(HEADER "1.5\tC\0C\t10.0.0.5\t4\t10.0.0.9\t22\ttcp\tS0\t-\t-\tS\t1\t60\n") - 1, 1,
	  0, 0, NULL },
	{ "a NUL as line", HEADER "\0\n" ROW, sizeof(HEADER "\0\n" ROW) - 1, 1, BAD(BAD_COLUMNS), 1,
	  NULL },
	{ "JSON behind TSV",
	  HEADER ROW "{\"ts\":1.5,\"id.orig_h\":\"10.0.0.5\",\"id.resp_h\":\"::1\",\"id.resp_p\":1,"
		     "\"proto\":\"udp\",\"orig_bytes\":7}\n",
	  0, 2, 0, 0, NULL },
	{ "broken JSON", "{\"ts\":1.5\n" HEADER ROW, 0, 1, BAD(BAD_JSON), 1, "line 1: not a JSON" },
	{ "JSON with a byte that is not UTF-8", "{\"ts\":\"\xff\"}\n", 0, 0, BAD(BAD_JSON), 1,
	  NULL },
	{ "JSON without an address",
	  "{\"ts\":1.5,\"id.resp_h\":\"10.0.0.9\",\"id.resp_p\":22,\"proto\":\"tcp\",\"orig_"
	  "bytes\":0}\n",
	  0, 0, BAD(BAD_ADDR), 1, "id.orig_h is not an address" },
	{ "JSON without a protocol",
	  "{\"ts\":1.5,\"id.orig_h\":\"10.0.0.5\",\"id.resp_h\":\"10.0.0.9\",\"id.resp_p\":22,"
	  "\"orig_bytes\":0}\n",
	  0, 0, BAD(BAD_TEXT), 1, "proto is not text" },
	{ "JSON with a negative port",
	  "{\"ts\":1.5,\"id.orig_h\":\"10.0.0.5\",\"id.resp_h\":\"10.0.0.9\",\"id.resp_p\":-1,"
	  "\"proto\":\"tcp\",\"orig_bytes\":0}\n",
	  0, 0, BAD(BAD_PORT), 1, NULL },
	{ "JSON of dns.log in the same stream is no silence",
	  "{\"ts\":1.5,\"id.orig_h\":\"10.0.0.5\",\"id.resp_h\":\"10.0.0.9\",\"id.resp_p\":53,"
	  "\"proto\":\"tcp\",\"query\":\"example.org\"}\n",
	  0, 0, BAD(OTHER_LOG), 1, "another log" },
};

static void test_damage(void **state)
{
	const struct damage_case *c = *state;
	struct zeeklog *z = log_of(c->text, c->n ? c->n : strlen(c->text), true);
	struct zeeklog_stats stats;

	assert_int_equal(rows_left(z), c->rows);
	assert_int_equal(rows_left(z), 0);
	zeeklog_stats_get(z, &stats);
	assert_int_equal(stats.rows, c->rows);
	assert_int_equal(stats.bytes_read, stats.bytes_total);
	for (size_t i = 0; i < ZEEKLOG_SKIP_MAX; i++)
		if (stats.skipped[i] != (c->skipped >> i & 1))
			fail_msg("%s: %llu", zeeklog_skip_name((enum zeeklog_skip)i),
				 (unsigned long long)stats.skipped[i]);
	assert_int_equal(n_complaints, c->complaints);
	if (c->says && !strstr(last_complaint, c->says))
		fail_msg("'%s' is not in '%s'", c->says, last_complaint);
	zeeklog_close(z);
}

static const struct refusal_case {
	const char *name, *text;
	const char *says;
} refusal_cases[] = {
	{ "no ts", "#fields\tid.orig_h\tid.resp_h\tid.resp_p\tproto\torig_bytes\n", "'ts'" },
	{ "no originator", "#fields\tts\tid.resp_h\tid.resp_p\tproto\torig_bytes\n",
	  "line 1: #fields has no column 'id.orig_h'" },
	{ "no responder", "#fields\tts\tid.orig_h\tid.resp_p\tproto\torig_bytes\n", "'id.resp_h'" },
	{ "no port", "#fields\tts\tid.orig_h\tid.resp_h\tproto\torig_bytes\n", "'id.resp_p'" },
	{ "no protocol", "#fields\tts\tid.orig_h\tid.resp_h\tid.resp_p\torig_bytes\n", "'proto'" },
	{ "dns.log has no orig_bytes",
	  "#path\tdns\n#fields\tts\tid.orig_h\tid.resp_h\tid.resp_p\tproto\n",
	  "line 2: #fields has no column 'orig_bytes'" },
	{ "a header without columns", "#fields\n", "not a conn.log" },
	{ "columns behind another separator", "#separator ,\n#fields\tts\n", "'ts'" },
	{ "a separator of no character", "#separator \n", "not one character" },
	{ "a row before any header", ROW, "line 1: a row without a #fields line" },
	{ "prose", "Dear reader,\n", "not a conn.log" },
};

static void test_refusal(void **state)
{
	const struct refusal_case *c = *state;
	struct zeeklog *z = NULL;
	struct error err = { 0 };
	char text[1024];

	(void)snprintf(text, sizeof(text), "%s%s", c->text,
		       strcmp(c->text, "#fields\n") != 0 ? "" : "1.5\n");
	assert_int_equal(zeeklog_open_memory(text, strlen(text), true, NULL, NULL, &z, &err),
			 -EINVAL);
	assert_null(z);
	assert_int_equal(err.exit_code, EXIT_RUNTIME);
	if (!strstr(err.text, c->says))
		fail_msg("'%s' is not in '%s'", c->says, err.text);
}

static void one_complaint_a_kind(void **state)
{
	static const char bad[] = "1.5\tC\tx\t4\t10.0.0.9\t22\ttcp\tS0\t-\t-\tS\t1\t60\n";
	char text[4096] = HEADER;
	struct zeeklog_stats stats;
	struct zeeklog *z;

	(void)state;
	for (int i = 0; i < 9; i++)
		strcat(text, bad);
	strcat(text, ROW);
	z = log_of(text, strlen(text), true);
	assert_int_equal(rows_left(z), 1);
	zeeklog_stats_get(z, &stats);
	assert_int_equal(stats.skipped[ZEEKLOG_BAD_ADDR], 9);
	assert_int_equal(n_complaints, 1);
	zeeklog_close(z);
}

/* Every prefix of a log, from memory of exactly that size, for the sanitizers. */
static void a_log_cut_anywhere(void **state)
{
	static const char text[] = HEADER ROW
		"{\"ts\":1.5,\"id.orig_h\":\"10.0.0.5\",\"id.resp_h\":\"::1\",\"id.resp_p\":1,"
		"\"proto\":\"udp\",\"orig_bytes\":7}\n#close\n" ROW;

	(void)state;
	for (size_t n = 0; n <= strlen(text); n++) {
		char *copy = malloc(n + !n);
		struct zeeklog *z = NULL;

		assert_non_null(copy);
		memcpy(copy, text, n);
		if (!zeeklog_open_memory(copy, n, true, NULL, NULL, &z, NULL)) {
			assert_true(rows_left(z) <= 3);
			zeeklog_close(z);
		}
		(void)zeeklog_is(copy, n);
		free(copy);
	}
}

static void long_lines_are_read_and_endless_ones_left_out(void **state)
{
	static const size_t longest = 16 << 20;
	static const char tail[] = "\t10.0.0.5\t4\t10.0.0.9\t22\ttcp\tS0\t-\t-\tS\t1\t60\n";
	size_t head = strlen(HEADER), size = head + longest + 1 + strlen(tail) + strlen(ROW);
	char *text = malloc(size + 1);
	struct zeeklog_stats stats;

	(void)state;
	assert_non_null(text);
	for (size_t over = 0; over <= 1; over++) {
		size_t uid = longest + over - strlen("1.5\t") - (strlen(tail) - 1);
		char *p = stpcpy(stpcpy(text, HEADER), "1.5\t");
		struct zeeklog *z;

		memset(p, 'C', uid);
		p = stpcpy(stpcpy(p + uid, tail), ROW);
		z = log_of(text, (size_t)(p - text), true);
		assert_int_equal(rows_left(z), 2 - over);
		zeeklog_stats_get(z, &stats);
		assert_int_equal(stats.skipped[ZEEKLOG_BAD_LINE], over);
		assert_int_equal(n_complaints, over);
		zeeklog_close(z);
	}
	free(text);
}

/* --- files ------------------------------------------------------------------------------------ */

static char path[] = "/tmp/test_zeeklog.XXXXXX";

static int make_path(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
	(void)state;
	return unlink(path);
}

/* write_log - a log of n rows; mode as gzopen() takes it, "wbT" writes plain text. */
static void write_log(const char *mode, int n)
{
	gzFile gz = gzopen(path, mode);

	assert_non_null(gz);
	assert_true(gzputs(gz, HEADER) > 0);
	for (int i = 0; i < n; i++)
		assert_true(gzprintf(gz,
				     "%d.%06d\tC%d\t10.0.0.5\t4\t10.0.%d.%d\t22\ttcp\tS0\t-\t-"
				     "\tS\t1\t60\n",
				     1764039000 + i, i * 7919 % 1000000, i, i >> 8 & 255,
				     i & 255) > 0);
	assert_int_equal(gzclose(gz), Z_OK);
}

static struct zeeklog *log_of_file(const char *file)
{
	struct zeeklog *z = NULL;
	struct error err = { 0 };

	n_complaints = 0;
	if (zeeklog_open(file, true, on_complaint, NULL, &z, &err) < 0)
		fail_msg("%s", err.text);
	return z;
}

static void plain_and_compressed_files_read_alike(void **state)
{
	static const char *const modes[] = { "wbT", "wb" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		struct zeeklog_stats stats;
		struct zeeklog *z;

		write_log(modes[i], 5000);
		z = log_of_file(path);
		assert_int_equal(rows_left(z), 5000);
		zeeklog_stats_get(z, &stats);
		assert_true(stats.bytes_total > 0);
		assert_int_equal(stats.bytes_read, stats.bytes_total);
		assert_int_equal(stats.damaged, 0);
		zeeklog_close(z);
	}
}

static void gzip_cut_short_is_said_once_and_its_rows_used(void **state)
{
	struct zeeklog_stats stats;
	struct zeeklog *z;

	(void)state;
	write_log("wb", 5000);
	z = log_of_file(path);
	zeeklog_stats_get(z, &stats);
	zeeklog_close(z);
	assert_int_equal(truncate(path, (off_t)stats.bytes_total / 2), 0);

	z = log_of_file(path);
	assert_in_range(rows_left(z), 1000, 4999);
	assert_int_equal(rows_left(z), 0);
	zeeklog_stats_get(z, &stats);
	assert_int_equal(stats.damaged, 1);
	assert_non_null(strstr(last_complaint, "cut short"));
	zeeklog_close(z);
}

static void standard_input_is_a_dash(void **state)
{
	int saved = dup(STDIN_FILENO), fd;
	struct zeeklog *z;

	(void)state;
	write_log("wb", 3);
	fd = open(path, O_RDONLY);
	assert_true(saved >= 0 && fd >= 0 && dup2(fd, STDIN_FILENO) == STDIN_FILENO);
	z = log_of_file("-");
	assert_int_equal(rows_left(z), 3);
	zeeklog_close(z);
	assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
	close(saved);
	close(fd);
}

static void a_file_that_cannot_be_read_is_refused(void **state)
{
	struct zeeklog *z = NULL;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(zeeklog_open("/nonexistent/conn.log", true, NULL, NULL, &z, &err),
			 -ENOENT);
	assert_string_equal(err.text, "/nonexistent/conn.log: No such file or directory");
	assert_int_equal(zeeklog_open("/tmp", true, NULL, NULL, &z, &err), -EIO);
	assert_string_equal(err.text, "/tmp: Is a directory");
	assert_null(z);
	zeeklog_close(NULL);
}

/* --- what is a log ---------------------------------------------------------------------------- */

static const struct is_case {
	const char *name, *bytes;
	size_t n; /* 0: strlen */
	bool want;
} is_cases[] = {
	{ "a header", HEADER, 0, true },
	{ "columns at once", "#fields\tts", 0, true },
	{ "the end of a log, then a header", "#close\t2026\n#separator \\x09\n", 0, true },
	{ "an object", "{\"ts\":1", 0, true },
	{ "an object behind empty lines", "\n \r\n{", 0, true },
	{ "nothing", "", 0, false },
	{ "a header cut in its first word", "#separ", 0, false },
	{ "a comment alone", "# hello\nworld\n#fields\n", 0, false },
	{ "a row", ROW, 0, false },
	{ "an array", "[{}]", 0, false },
	{ "pcap", "\xd4\xc3\xb2\xa1\x02\x00\x04\x00", 8, false },
	{ "pcapng", "\x0a\x0d\x0d\x0a\x1c\x00\x00\x00", 8, false },
	{ "a gzip header alone", "\x1f\x8b\x08\x00", 4, false },
};

static void test_is(void **state)
{
	const struct is_case *c = *state;

	assert_int_equal(zeeklog_is(c->bytes, c->n ? c->n : strlen(c->bytes)), c->want);
}

static void a_compressed_log_is_known_by_its_first_bytes(void **state)
{
	char bytes[512];
	FILE *f;
	size_t n;

	(void)state;
	write_log("wb", 5000);
	f = fopen(path, "rb");
	assert_non_null(f);
	n = fread(bytes, 1, sizeof(bytes), f);
	(void)fclose(f);
	assert_int_equal(n, sizeof(bytes));
	assert_true(zeeklog_is(bytes, n));
	assert_true(zeeklog_is(bytes, n / 2));
	memset(bytes + 10, 0xff, n - 10);
	assert_false(zeeklog_is(bytes, n));
}

static void each_reason_has_a_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < ZEEKLOG_SKIP_MAX; i++)
		assert_non_null(zeeklog_skip_name((enum zeeklog_skip)i));
}

#define TABLE(group, cases, test)                                                                  \
	do {                                                                                       \
		struct CMUnitTest tests[ARRAY_SIZE(cases)];                                        \
		for (size_t i = 0; i < ARRAY_SIZE(cases); i++)                                     \
			tests[i] = (struct CMUnitTest){ .name = (cases)[i].name,                   \
							.test_func = test,                         \
							.initial_state = (void *)&(cases)[i] };    \
		failed += cmocka_run_group_tests_name(group, tests, NULL, NULL);                   \
	} while (0)

static int run_tables(void)
{
	int failed = 0;

	TABLE("zeeklog_next: rows", row_cases, test_row);
	TABLE("zeeklog_next: times", time_cases, test_time);
	TABLE("zeeklog_next: damage", damage_cases, test_damage);
	TABLE("zeeklog_open: refused", refusal_cases, test_refusal);
	TABLE("zeeklog_is", is_cases, test_is);
	return failed;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_the_letter_a_transfer_is_silent),
		cmocka_unit_test(ipv6_has_longer_headers),
		cmocka_unit_test(one_complaint_a_kind),
		cmocka_unit_test(a_log_cut_anywhere),
		cmocka_unit_test(long_lines_are_read_and_endless_ones_left_out),
		cmocka_unit_test(plain_and_compressed_files_read_alike),
		cmocka_unit_test(gzip_cut_short_is_said_once_and_its_rows_used),
		cmocka_unit_test(standard_input_is_a_dash),
		cmocka_unit_test(a_file_that_cannot_be_read_is_refused),
		cmocka_unit_test(a_compressed_log_is_known_by_its_first_bytes),
		cmocka_unit_test(each_reason_has_a_name),
	};

	return run_tables() +
		       cmocka_run_group_tests_name("zeeklog", tests, make_path, remove_path) !=
	       0;
}
