/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* user/conn_row.c: which conn_state and history does a silent attempt have, and what is in a row.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <host_store.h>
#include <packets.h>

#include "conn_row.h"

/* --- conversations to states ------------------------------------------------------------------ */

/* A conversation of packets.h, by the steps that only this table needs to name. */
struct state_case {
	const char *name;
	struct step steps[SCENE_STEPS];
	const char *state, *history; /* state NULL: unset */
};

static const struct state_case state_cases[] = {
	{ "no answer", { OPENED }, "S0", "S" },
	{ "repeated, no answer", { OPENED, OPENED }, "S0", "S" },
	{ "refused", { OPENED, R(RA, 0, 1, 0) }, "REJ", "Sr" },
	{ "half open", { OPENED, ACCEPTED }, "S1", "Sh" },
	{ "half open, reset", { OPENED, ACCEPTED, O(TCP_RST, 1, 0, 0) }, "RSTO", "ShR" },
	{ "SYN, RST", { OPENED, O(TCP_RST, 1, 0, 0) }, "RSTOS0", "SR" },
	{ "established", { OPENED, ACCEPTED, CONFIRMED }, "S1", "ShA" },
	{ "connect and RST", { OPENED, ACCEPTED, CONFIRMED, O(RA, 1, 1, 0) }, "RSTO", "ShAR" },
	{ "reset by the responder",
	  { OPENED, ACCEPTED, CONFIRMED, R(RA, 1, 1, 0) },
	  "RSTR",
	  "ShAr" },
	{ "closed by the originator",
	  { OPENED, ACCEPTED, CONFIRMED, O(FA, 1, 1, 0) },
	  "S2",
	  "ShAF" },
	{ "closed by the responder",
	  { OPENED, ACCEPTED, CONFIRMED, R(FA, 1, 1, 0) },
	  "S3",
	  "ShAf" },
	{ "closed by both",
	  { OPENED, ACCEPTED, CONFIRMED, O(FA, 1, 1, 0), R(FA, 1, 2, 0) },
	  "SF",
	  "ShAfF" },
	{ "closed by both, the responder first",
	  { OPENED, ACCEPTED, CONFIRMED, R(FA, 1, 1, 0), O(FA, 1, 2, 0) },
	  "SF",
	  "ShAfF" },
	{ "FIN, then reset by the responder",
	  { OPENED, ACCEPTED, CONFIRMED, O(FA, 1, 1, 0), R(TCP_RST, 1, 0, 0) },
	  "RSTR",
	  "ShAFr" },
	{ "SYN and FIN", { OPENED, O(TCP_FIN, 1, 0, 0) }, "SH", "SF" },
	{ "port unreachable is no row of TCP's", { OPENED, PORT_UNREACH(0) }, "S0", "S" },
	{ "FIN scan, unanswered", { O(TCP_FIN, 1, 0, 0) }, "SH", "F" },
	{ "FIN scan, refused", { O(TCP_FIN, 1, 0, 0), R(RA, 0, 2, 0) }, "RSTR", "Fr" },
	{ "NULL scan, refused", { O(0, 1, 0, 0), R(RA, 0, 1, 0) }, "RSTRH", "r" },
	{ "NULL scan, unanswered", { O(0, 1, 0, 0) }, "OTH", "" },
	{ "Xmas scan, refused", { O(XMAS, 1, 0, 0), R(RA, 0, 2, 0) }, "RSTR", "Fr" },
	{ "ACK scan, refused", { O(TCP_ACK, 1, 1, 0), R(TCP_RST, 1, 0, 0) }, "RSTRH", "Ar" },
	{ "Maimon scan, refused", { O(FA, 1, 1, 0), R(TCP_RST, 1, 0, 0) }, "RSTR", "Fr" },
	{ "payload", { OPENED, ACCEPTED, CONFIRMED, O(PA, 1, 1, 10) }, NULL, "ShAD" },
	{ "a transfer",
	  { OPENED, ACCEPTED, CONFIRMED, R(PA, 1, 1, 1000), R(PA, 64537, 1, 1000) },
	  NULL,
	  "ShA" },
	{ "an empty datagram", { UO(0) }, "S0", "D" },
	{ "an empty datagram, answered", { UO(0), UR(9) }, "SF", "Dd" },
	{ "a datagram with payload", { UO(9) }, NULL, "D" },
	{ "an empty echo, answered", { EO, ER }, "OTH", "" },
	{ "an empty packet of some protocol", { AO }, "OTH", "" },
};

struct rig {
	struct store st;
	struct ended first, last;
	int ended;
};

static void on_judged(void *ctx, const struct attempt *a, __u32 bits)
{
	(void)ctx;
	(void)a;
	(void)bits;
}

static void on_ended(void *ctx, const struct ended *e)
{
	struct rig *rig = ctx;

	rig->last = *e;
	if (!rig->ended++)
		rig->first = *e;
}

static void send_host(void *ctx, const struct frame *f, enum side from)
{
	struct rig *rig = ctx;

	(void)from;
	rig->st.now_ns += 1000;
	host_store_frame(&rig->st, f->b, f->len, f->len, 1);
}

/* Plays a conversation; what is left in the table at the end counts as ended there. *ret_first is
 * the first attempt that ended; the last is returned. */
static struct ended play_all(const struct step *steps, struct ended *ret_first, int *ret_n)
{
	struct scene scene = { .name = "" };
	struct rig rig = { .ended = 0 };

	memcpy(scene.steps, steps, sizeof(scene.steps));
	scene.udp = steps[0].kind == STEP_UDP;
	assert_int_equal(host_store_init(&rig.st, 16, on_judged, &rig), 0);
	rig.st.ended = on_ended;
	rig.st.now_ns = 5000000000ull;
	scene_play(&scene, &variants[0], send_host, &rig);
	for (__u64 i = 0; i < (rig.st.bucket_mask + 1) * NURSERY_WAYS; i++) {
		__u8 state = TAG_STATE(rig.st.tags[i / NURSERY_WAYS].t[i % NURSERY_WAYS]);
		const struct attempt *a = &rig.st.vals[i / NURSERY_WAYS].v[i % NURSERY_WAYS];

		if (state & STATE_LIVE)
			on_ended(&rig, &(struct ended){ .a = *a,
							.bits = ended_bits(a, state),
							.state = state });
	}
	host_store_done(&rig.st);
	*ret_first = rig.first;
	*ret_n = rig.ended;
	return rig.last;
}

static struct ended play(const struct step *steps)
{
	struct ended first, last;
	int n;

	last = play_all(steps, &first, &n);
	assert_int_equal(n, 1);
	return last;
}

static void test_state(void **state)
{
	const struct state_case *c = *state;
	struct ended e = play(c->steps);
	char history[CONN_HISTORY_MAX];

	if (c->state)
		assert_string_equal(conn_state(&e), c->state);
	else
		assert_null(conn_state(&e));
	assert_string_equal(conn_history(&e, history), c->history);
}

/* --- rows ---------------------------------------------------------------------------------------
 */

static void write_row(const struct ended *e, const struct owner *owner,
		      const struct conn_context *ctx, char *buf, size_t size)
{
	FILE *f = fmemopen(buf, size, "w");

	assert_non_null(f);
	assert_int_equal(conn_row_write(f, e, owner, ctx), 0);
	fclose(f);
}

/* The n-th field of a row, from 1. */
static const char *field(const char *row, int n, char *buf)
{
	const char *end;

	while (--n)
		row = strchr(row, '\t') + 1;
	end = strpbrk(row, "\t\n");
	memcpy(buf, row, (size_t)(end - row));
	buf[end - row] = '\0';
	return buf;
}

static const struct step refused[SCENE_STEPS] = { OPENED, R(RA, 0, 1, 0) };
static const struct step unanswered[SCENE_STEPS] = { OPENED };
static const struct step datagram[SCENE_STEPS] = { UO(9), PORT_UNREACH(0) };

static struct net_list internal;

static void test_tsv(void **state)
{
	struct conn_context ctx = { .wall_offset_ns = 7000000, .internal = &internal };
	struct owner owner = { .pid = 4242, .name = "nmap\tx" };
	struct ended e = play(refused);
	char row[2048], got[256];

	(void)state;
	strcpy(owner.where.container, "0123abcd");
	write_row(&e, &owner, &ctx, row, sizeof(row));
	assert_string_equal(field(row, 1, got), "5.007001");
	assert_int_equal(field(row, 2, got)[0], 'C');
	assert_int_equal(strlen(got), 18);
	assert_string_equal(field(row, 3, got), "192.0.2.1");
	assert_string_equal(field(row, 4, got), "40000");
	assert_string_equal(field(row, 5, got), "198.51.100.2");
	assert_string_equal(field(row, 6, got), "443");
	assert_string_equal(field(row, 7, got), "tcp");
	assert_string_equal(field(row, 9, got), "0.000001");
	assert_string_equal(field(row, 10, got), "0");
	assert_string_equal(field(row, 12, got), "REJ");
	assert_string_equal(field(row, 13, got), "F");
	assert_string_equal(field(row, 16, got), "Sr");
	assert_string_equal(field(row, 22, got), "6");
	assert_string_equal(field(row, 23, got), "closed");
	assert_string_equal(field(row, 24, got), "syn");
	assert_string_equal(field(row, 25, got), "4242");
	assert_string_equal(field(row, 26, got), "nmap\\x09x");
	assert_string_equal(field(row, 27, got), "0123abcd");
}

/* orig_bytes: 0 for a probe; by the letter only if the connection had a span; never of payload. */
static void test_orig_bytes(void **state)
{
	struct conn_context plain = { .internal = &internal };
	struct conn_context literal = { .internal = &internal, .literal = true };
	struct ended lone = play(unanswered), rej = play(refused);
	char row[2048], got[256];

	(void)state;
	write_row(&lone, NULL, &plain, row, sizeof(row));
	assert_string_equal(field(row, 10, got), "0");
	write_row(&lone, NULL, &literal, row, sizeof(row));
	assert_string_equal(field(row, 10, got), "-");
	write_row(&rej, NULL, &literal, row, sizeof(row));
	assert_string_equal(field(row, 10, got), "0");
}

/* An attempt that another on the same ports ends was over at some time before. */
static void test_renewed(void **state)
{
	static const struct step again[SCENE_STEPS] = { OPENED, O(TCP_SYN, 7, 0, 0),
							R(RA, 0, 8, 0) };
	struct conn_context ctx = { .internal = &internal };
	char row[2048], got[256];
	struct ended first, last;
	int n;

	(void)state;
	last = play_all(again, &first, &n);
	assert_int_equal(n, 2);
	write_row(&first, NULL, &ctx, row, sizeof(row));
	assert_string_equal(field(row, 9, got), "-");
	assert_string_equal(field(row, 12, got), "S0");
	write_row(&last, NULL, &ctx, row, sizeof(row));
	assert_string_equal(field(row, 9, got), "0.000001");
	assert_string_equal(field(row, 12, got), "REJ");
}

/* A refused datagram was a look, and yet it carried something. */
static void test_refused_datagram(void **state)
{
	struct conn_context ctx = { .internal = &internal, .json = true };
	struct ended e = play(datagram);
	char row[2048];

	(void)state;
	assert_int_equal(e.bits, CONTACT_CLOSED | CONTACT_UDP);
	write_row(&e, NULL, &ctx, row, sizeof(row));
	assert_non_null(strstr(row, "\"reconmon_answer\":\"closed\""));
	assert_null(strstr(row, "orig_bytes"));
	assert_null(strstr(row, "reconmon_pid"));
	assert_non_null(strstr(row, "\"local_orig\":false"));
}

static void test_header(void **state)
{
	char text[2048];
	FILE *f = fmemopen(text, sizeof(text), "w");

	(void)state;
	assert_int_equal(conn_tsv_begin(f, 1000000000ull * 86400), 0);
	assert_int_equal(conn_tsv_end(f, 1000000000ull * 86401), 0);
	fclose(f);
	assert_ptr_equal(strstr(text, "#separator \\x09\n#set_separator\t,\n"), text);
	assert_non_null(
		strstr(text, "\n#path\tconn\n#open\t1970-01-02-00-00-00\n#fields\tts\tuid\t"));
	assert_non_null(strstr(text, "\tip_proto\treconmon_answer\treconmon_technique\t"));
	assert_non_null(strstr(text, "\n#types\ttime\tstring\taddr\tport\taddr\tport\tenum\t"));
	assert_non_null(strstr(text, "\n#close\t1970-01-02-00-00-01\n"));
}

int main(void)
{
	static struct CMUnitTest states[ARRAY_SIZE(state_cases)];
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(test_tsv),	cmocka_unit_test(test_orig_bytes),
		cmocka_unit_test(test_renewed), cmocka_unit_test(test_refused_datagram),
		cmocka_unit_test(test_header),
	};
	int failed;

	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		states[i] = (struct CMUnitTest){ .name = state_cases[i].name,
						 .test_func = test_state,
						 .initial_state = (void *)&state_cases[i] };
	failed = cmocka_run_group_tests_name("conn_state", states, NULL, NULL);
	return failed + cmocka_run_group_tests_name("rows", rows, NULL, NULL);
}
