// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/engine.c with the windows and alerts below it: from evidence to what is said. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define S	      1000000000ull

/* Times of the cases count from here: a multiple of 300 s, so that bins of five minutes start at 0
 * while the wall clock's offset is 0. */
#define BASE (900000 * S)

/* --- a script of evidence, and what it makes the engine say ---------------------------------- */

enum step_kind {
	STEP_END,
	STEP_CONTACT,
	STEP_FLUSH,
	STEP_LOST,	 /* a flush that knows of losses */
	STEP_UNFOLLOWED, /* before a drain: the guard left out so many */
	STEP_CLOSE,
};

struct step {
	enum step_kind kind;
	uint64_t t; /* ns; `until`: the last attempt, where it is not the first too */
	uint64_t until;
	uint16_t port, to; /* ports from port to `to` (0: one) */
	uint32_t bits;
	uint8_t proto;	  /* 0: TCP */
	uint8_t host;	  /* last byte of the responder's address, 0: 20 */
	bool swap;	  /* sent by another originator */
	bool back;	  /* from the responder to the originator */
	bool external;	  /* the responder is outside */
	uint8_t attempts; /* 0: 1 */
};

#define SAY(k, ...)                                                                                \
	{                                                                                          \
		.kind = (k), __VA_ARGS__                                                           \
	}
#define NONE(s, ...)	 SAY(STEP_CONTACT, .t = (s)*S, .bits = CONTACT_NONE, __VA_ARGS__)
#define NONE_NS(ns, ...) SAY(STEP_CONTACT, .t = (ns), .bits = CONTACT_NONE, __VA_ARGS__)
#define OPEN(s, ...)                                                                               \
	SAY(STEP_CONTACT, .t = (s)*S, .bits = CONTACT_OPEN | CONTACT_SPAN | CONTACT_CONNECT,       \
	    __VA_ARGS__)
#define CLOSED(s, ...)                                                                             \
	SAY(STEP_CONTACT, .t = (s)*S, .bits = CONTACT_CLOSED | CONTACT_SPAN, __VA_ARGS__)
#define FILTERED(s, ...) SAY(STEP_CONTACT, .t = (s)*S, .bits = CONTACT_FILTERED, __VA_ARGS__)
#define PAYLOAD(s, ...)	 SAY(STEP_CONTACT, .t = (s)*S, .bits = CONTACT_PAYLOAD, __VA_ARGS__)
#define TRANSFER(s, ...) SAY(STEP_CONTACT, .t = (s)*S, .bits = CONTACT_TRANSFER, __VA_ARGS__)
/* The responder asks the originator something over UDP; a datagram from a port below 1024 that is
 * refused. */
#define ASKED(s, ...)                                                                              \
	SAY(STEP_CONTACT, .t = (s)*S, .bits = CONTACT_PAYLOAD | CONTACT_UDP, .back = true,         \
	    .proto = PROTO_UDP, __VA_ARGS__)
#define LATE(s, ...)                                                                               \
	SAY(STEP_CONTACT, .t = (s)*S, .bits = CONTACT_CLOSED | CONTACT_UDP | CONTACT_LATE,         \
	    .proto = PROTO_UDP, __VA_ARGS__)
#define FLUSH(s)      SAY(STEP_FLUSH, .t = (s)*S)
#define UNFOLLOWED(n) SAY(STEP_UNFOLLOWED, .port = (n))
#define LOST(s)	      SAY(STEP_LOST, .t = (s)*S)
#define CLOSE	      SAY(STEP_CLOSE, .t = 0)

struct world {
	struct config cfg;
	struct engine *engine;
	char said[1024];
	char id[16][ALERT_ID_LEN];
	unsigned int ids;
};

/* The alert's number by order of first words, so that a text can be compared. */
static unsigned int number_of(struct world *w, const char *id)
{
	for (unsigned int i = 0; i < w->ids; i++)
		if (!strcmp(w->id[i], id))
			return i + 1;
	assert_true(w->ids < ARRAY_SIZE(w->id));
	strcpy(w->id[w->ids++], id);
	return w->ids;
}

/* record - "open 1 port-scan 3[22,80,443]; ...": state, alert, rule, count, ports; "retracted" and
 * "incomplete" where it is. */
static void record(void *ctx, struct alert *a, enum alert_state state)
{
	struct world *w = ctx;
	size_t len = strlen(w->said);
	char ports[64] = "";

	if (a->ports)
		portset_format(a->ports, ANSWER_MAX, ports, sizeof(ports));
	if (a->rule->distinct == FIELD_RESP_PORT)
		assert_int_equal(portset_count(a->ports), a->count);
	else if (a->rule->distinct == FIELD_RESP)
		assert_int_equal(a->n_hosts, a->count);
	else /* pairs */
		assert_in_range(a->count, a->n_hosts, a->n_hosts * portset_count(a->ports));
	assert_true(a->first_ns <= a->last_ns);
	snprintf(w->said + len, sizeof(w->said) - len, "%s%s %u %s %u[%s]%s%s", len ? "; " : "",
		 alert_state_name(state), number_of(w, a->id), a->rule->name, a->count, ports,
		 a->retracted ? " retracted" : "", a->incomplete ? " incomplete" : "");
	len = strlen(w->said);
	if (a->unfollowed)
		snprintf(w->said + len, sizeof(w->said) - len, " unfollowed %llu",
			 (unsigned long long)a->unfollowed);
}

static struct ip_addr addr_v4(const char *text)
{
	struct ip_addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct contact_key key_of(const struct step *s, uint16_t port)
{
	struct contact_key key = {
		.orig = addr_v4(s->swap ? "10.0.1.11" : "10.0.1.10"),
		.resp_port = htons(port),
		.proto = s->proto ? s->proto : PROTO_TCP,
	};
	char resp[32];

	snprintf(resp, sizeof(resp), s->external ? "192.0.2.%u" : "10.0.1.%u",
		 s->host ? s->host : 20u);
	key.resp = addr_v4(resp);
	if (s->back) {
		struct ip_addr orig = key.orig;

		key.orig = key.resp;
		key.resp = orig;
	}
	return key;
}

static bool feed(struct world *w, const struct step *s, uint16_t port)
{
	struct contact_key key = key_of(s, port);
	struct contact c = { .word = s->bits, .ifindex = 0 };
	uint64_t first = BASE + s->t, last = s->until ? BASE + s->until : first;

	if (s->bits & CONTACT_SILENT) {
		c.silent_first_ns = first;
		c.silent_last_ns = last;
		c.silent = s->attempts ? s->attempts : 1;
	}
	if (s->bits & CONTACT_CARRIED) {
		c.carried_first_ns = first;
		c.carried_last_ns = last;
		c.carried = s->attempts ? s->attempts : 1;
	}
	return engine_contact(w->engine, &key, &c);
}

static void run_step(struct world *w, const struct step *s)
{
	switch (s->kind) {
	case STEP_CONTACT:
		for (uint32_t p = s->port; p <= (s->to ? s->to : s->port); p++)
			feed(w, s, (uint16_t)p);
		break;
	case STEP_UNFOLLOWED:
		engine_unfollowed(w->engine, s->port);
		break;
	case STEP_FLUSH:
	case STEP_LOST:
		engine_flush(w->engine, BASE + s->t, s->kind == STEP_LOST);
		break;
	default:
		engine_close(w->engine);
	}
}

static struct world *world_new(enum rule_profile profile, const char *set)
{
	struct world *w = calloc(1, sizeof(*w));
	struct error err;
	char one[64];

	assert_non_null(w);
	config_defaults(&w->cfg);
	w->cfg.profile = profile;
	rules_builtin(profile, &w->cfg.rules);
	while (set && *set) { /* assignments, separated by blanks */
		size_t len = strcspn(set, " ");

		snprintf(one, sizeof(one), "%.*s", (int)len, set);
		assert_int_equal(rules_set(&w->cfg.rules, one, &err), 0);
		set += len + strspn(set + len, " ");
	}
	w->engine = engine_new(&w->cfg, record, w);
	assert_non_null(w->engine);
	return w;
}

/* reborn - another engine takes the place of this one, and goes on with what that has written down.
 */
static void reborn(struct world *w, alertbook_emit_fn *emit, struct owners *owners)
{
	struct blob b = { 0 }, copy;

	engine_save(w->engine, &b);
	assert_false(b.failed);
	copy = (struct blob){ .data = b.data, .len = b.len };
	engine_free(w->engine);
	w->engine = engine_new(&w->cfg, emit, w);
	assert_non_null(w->engine);
	engine_owners(w->engine, owners);
	assert_int_equal(engine_load(w->engine, &copy), 0);
	assert_int_equal(blob_left(&copy), 0);
	blob_done(&b);
}

static void world_free(struct world *w)
{
	engine_free(w->engine);
	free(w);
}

/* --- the cases ------------------------------------------------------------------------------- */

#define PAIRS                                                                                      \
	"port-scan.enabled=false slow-scan.enabled=false sweep.by=originator,protocol "            \
	"sweep.distinct=responder,port "                                                           \
	"sweep.threshold=6"

/* The flush at 5 s and later comes after settle; an alert ends at the first flush later than its
 * last probe + 300 s + 33 s (settle, settle_open, tick: how late evidence may be). */
static const struct engine_case {
	const char *name;
	enum rule_profile profile;
	const char *set; /* rules_set() */
	uint64_t wall_s; /* wall clock's offset */
	struct step steps[24];
	const char *want;
} cases[] = {
	{ "no evidence says nothing", 0, NULL, 0, { FLUSH(1), CLOSE }, "" },
	{ "one contact to port 65535 is one port",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 65535), FLUSH(5), CLOSE },
	  "" },
	{ "two ports are no scan",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 22, .to = 23), FLUSH(5), CLOSE },
	  "" },
	{ "three ports are one",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 22, .to = 24), FLUSH(5) },
	  "open 1 port-scan 3[22-24]" },
	{ "nothing is said before the flush", 0, NULL, 0, { NONE(0, .port = 1, .to = 9) }, "" },
	{ "the same port over and over is no scan",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 22), NONE(1, .port = 22), NONE(2, .port = 22, .attempts = 200),
	    FLUSH(5) },
	  "" },
	{ "one high port number is no scan: ports are counted, not compared",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 65535), FLUSH(5) },
	  "" },
	{ "an alert lists every port, also those before the threshold",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 22), FLUSH(1), NONE(100, .port = 80), FLUSH(101),
	    NONE(200, .port = 443), FLUSH(201) },
	  "open 1 port-scan 3[22,80,443]" },
	{ "a scan with more ports than the window keeps lists them all",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 1, .to = 500), FLUSH(5) },
	  "open 1 port-scan 500[1-500]" },
	{ "ports of two hosts do not add up",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 22, .to = 23), NONE(0, .port = 24, .host = 21), FLUSH(5) },
	  "" },
	{ "ports by two originators do not add up",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 22, .to = 23), NONE(0, .port = 24, .swap = true), FLUSH(5) },
	  "" },
	{ "an external responder is not port-scan's business",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 1, .to = 99, .external = true), FLUSH(5) },
	  "" },
	{ "basic-scanning does not ask where the responder is, nor for silence",
	  0,
	  NULL,
	  0,
	  { PAYLOAD(0, .port = 1, .to = 999, .external = true), FLUSH(5),
	    NONE(1, .port = 1000, .external = true), FLUSH(6) },
	  "open 1 basic-scanning 1000[1-1000]" },
	{ "999 ports with payload are no basic-scanning",
	  0,
	  NULL,
	  0,
	  { PAYLOAD(0, .port = 1, .to = 999), FLUSH(5) },
	  "" },
	{ "TCP and UDP ports do not add up",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 22, .to = 23), NONE(0, .port = 53, .proto = PROTO_UDP), FLUSH(5) },
	  "" },
	{ "... but do by the letter of the searches",
	  PROFILE_SPLUNK,
	  NULL,
	  0,
	  { CLOSED(0, .port = 22, .to = 23), CLOSED(0, .port = 53, .proto = PROTO_UDP), FLUSH(5) },
	  "open 1 port-scan 3[22,23,53]" },

	/* update and close */
	{ "an alert speaks again when its count has doubled",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 1, .to = 3), FLUSH(5), NONE(6, .port = 4, .to = 5), FLUSH(7),
	    NONE(8, .port = 6), FLUSH(9), NONE(9, .port = 7, .to = 11), FLUSH(10),
	    NONE(10, .port = 12), FLUSH(11) },
	  "open 1 port-scan 3[1-3]; update 1 port-scan 6[1-6]; update 1 port-scan 12[1-12]" },
	{ "an alert speaks again when a kind of answer is new",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 1, .to = 3), FLUSH(5), CLOSED(6, .port = 4), FLUSH(7),
	    CLOSED(8, .port = 5), FLUSH(9) },
	  "open 1 port-scan 3[1-3]; update 1 port-scan 4[1-4]" },
	{ "an alert does not end while evidence of its window may come",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 1, .to = 3), FLUSH(5), FLUSH(333) },
	  "open 1 port-scan 3[1-3]" },
	{ "an alert ends after a window without news",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 1, .to = 3), FLUSH(5), FLUSH(334), FLUSH(400), CLOSE },
	  "open 1 port-scan 3[1-3]; close 1 port-scan 3[1-3]" },
	{ "evidence that ripened late finds its alert still open",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 1, .to = 3), FLUSH(5), FLUSH(304), OPEN(299, .port = 4), FLUSH(330) },
	  "open 1 port-scan 3[1-3]; update 1 port-scan 4[1-4]" },
	{ "news keep an alert open",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 1, .to = 3), FLUSH(5), NONE(290, .port = 1), FLUSH(334), FLUSH(620) },
	  "open 1 port-scan 3[1-3]" },
	{ "MS-05: a second scan after the close is another alert",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 1, .to = 3), FLUSH(5), FLUSH(400), NONE(720, .port = 1, .to = 3),
	    FLUSH(725) },
	  "open 1 port-scan 3[1-3]; close 1 port-scan 3[1-3]; open 2 port-scan 3[1-3]" },
	{ "MS-05: ... also when no flush came between",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 1, .to = 3), FLUSH(5), NONE(301, .port = 1, .to = 3), FLUSH(305) },
	  "open 1 port-scan 3[1-3]; close 1 port-scan 3[1-3]; open 2 port-scan 3[1-3]" },
	{ "MS-05: another host is another alert at once",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 1, .to = 3), FLUSH(5), NONE(6, .port = 1, .to = 3, .host = 21),
	    FLUSH(10) },
	  "open 1 port-scan 3[1-3]; open 2 port-scan 3[1-3]" },
	{ "the end of the program says what was not said yet",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 1, .to = 3), CLOSE, CLOSE },
	  "open 1 port-scan 3[1-3]; close 1 port-scan 3[1-3]" },
	{ "an alert behind a newer one ends in its own time",
	  0,
	  NULL,
	  0,
	  { NONE(30, .port = 1, .to = 3), FLUSH(31), NONE(0, .port = 1, .to = 3, .host = 21),
	    FLUSH(32), FLUSH(334) },
	  "open 1 port-scan 3[1-3]; open 2 port-scan 3[1-3]; close 2 port-scan 3[1-3]" },
	{ "losses mark what is open",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 1, .to = 3), FLUSH(5), LOST(6), NONE(7, .port = 4, .to = 6), FLUSH(8) },
	  "open 1 port-scan 3[1-3]; update 1 port-scan 6[1-6] incomplete" },

	{ "what the guard left out before an alert opened and while it was open is said",
	  0,
	  NULL,
	  0,
	  { UNFOLLOWED(100), NONE(0, .port = 1, .to = 3), FLUSH(5), UNFOLLOWED(20), FLUSH(6),
	    UNFOLLOWED(0), NONE(7, .port = 4, .to = 6), FLUSH(8) },
	  "open 1 port-scan 3[1-3] unfollowed 100; update 1 port-scan 6[1-6] unfollowed 120" },
	{ "... and long before is not",
	  0,
	  NULL,
	  0,
	  { UNFOLLOWED(100), FLUSH(1), UNFOLLOWED(0), NONE(2, .port = 1, .to = 3), FLUSH(5) },
	  "open 1 port-scan 3[1-3]" },

	/* payload and silence */
	{ "payload before the silence outweighs it",
	  0,
	  NULL,
	  0,
	  { PAYLOAD(0, .port = 3), NONE(300, .port = 1, .to = 3), FLUSH(301) },
	  "" },
	{ "... within a window's length and no longer",
	  0,
	  NULL,
	  0,
	  { PAYLOAD(0, .port = 3), NONE_NS(300 * S + 1, .port = 1, .to = 3), FLUSH(301) },
	  "open 1 port-scan 3[1-3]" },
	{ "payload in the same drain outweighs, and nothing was said",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 1, .to = 3), PAYLOAD(1, .port = 2), FLUSH(5), CLOSE },
	  "" },
	{ "payload after the alert takes it back",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 1, .to = 3), FLUSH(5), PAYLOAD(6, .port = 2), FLUSH(7), CLOSE },
	  "open 1 port-scan 3[1-3]; close 1 port-scan 3[1-3] retracted" },
	{ "payload takes probes back that were counted a day after the start",
	  0,
	  NULL,
	  0,
	  { FLUSH(0), NONE(86400, .port = 1, .to = 3), FLUSH(86402), FLUSH(86540),
	    PAYLOAD(86541, .port = 1), FLUSH(86542), CLOSE },
	  "open 1 port-scan 3[1-3]; close 1 port-scan 3[1-3] retracted" },
	{ "payload takes back at the end of the program too",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 1, .to = 3), FLUSH(5), PAYLOAD(6, .port = 2), CLOSE },
	  "open 1 port-scan 3[1-3]; close 1 port-scan 3[1-3] retracted" },
	{ "taken back whole: the last word still says what was said",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 1, .to = 5), FLUSH(5), PAYLOAD(6, .port = 1, .to = 5), FLUSH(7) },
	  "open 1 port-scan 5[1-5]; close 1 port-scan 5[1-5] retracted" },
	{ "what was taken back and came again is named once",
	  0,
	  NULL,
	  0,
	  { CLOSED(0, .port = 1), NONE(0, .port = 2, .to = 4), FLUSH(5), PAYLOAD(6, .port = 3),
	    CLOSED(7, .port = 3), PAYLOAD(8, .port = 2), PAYLOAD(8, .port = 4), FLUSH(9) },
	  "open 1 port-scan 4[1-4]; close 1 port-scan 4[1-4] retracted" },
	{ "an alert taken back before its first word says none at the end of the program",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 1, .to = 3), PAYLOAD(1, .port = 2), CLOSE },
	  "" },
	{ "one port taken back of four leaves the alert",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 1, .to = 4), FLUSH(5), PAYLOAD(6, .port = 2), FLUSH(7), CLOSE },
	  "open 1 port-scan 4[1-4]; close 1 port-scan 3[1,3,4]" },
	{ "a port taken back and another found in one drain leave the alert",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 1, .to = 3), FLUSH(5), PAYLOAD(6, .port = 2), NONE(7, .port = 4),
	    FLUSH(8), CLOSE },
	  "open 1 port-scan 3[1-3]; close 1 port-scan 3[1,3,4]" },
	{ "payload does not outweigh a refusal",
	  0,
	  NULL,
	  0,
	  { PAYLOAD(0, .port = 3), CLOSED(1, .port = 1, .to = 3), FLUSH(5) },
	  "open 1 port-scan 3[1-3]" },
	{ "payload does not take a refusal back",
	  0,
	  NULL,
	  0,
	  { CLOSED(0, .port = 1, .to = 3), FLUSH(1), PAYLOAD(2, .port = 1, .to = 3), FLUSH(5) },
	  "open 1 port-scan 3[1-3]" },
	{ "a port that was refused and opened later is not taken back",
	  0,
	  NULL,
	  0,
	  { CLOSED(0, .port = 1, .to = 3), OPEN(1, .port = 2), FLUSH(2), PAYLOAD(3, .port = 2),
	    FLUSH(5), CLOSE },
	  "open 1 port-scan 3[1-3]; close 1 port-scan 3[1-3]" },
	{ "payload by another originator outweighs nothing",
	  0,
	  NULL,
	  0,
	  { PAYLOAD(0, .port = 3, .swap = true), NONE(1, .port = 1, .to = 3), FLUSH(5) },
	  "open 1 port-scan 3[1-3]" },
	{ "payload over UDP outweighs no silence over TCP",
	  0,
	  NULL,
	  0,
	  { PAYLOAD(0, .port = 3, .proto = PROTO_UDP), NONE(1, .port = 1, .to = 3), FLUSH(5) },
	  "open 1 port-scan 3[1-3]" },
	{ "payload long after the silence does not take it back",
	  0,
	  NULL,
	  0,
	  { OPEN(0, .port = 1, .to = 3), FLUSH(5), NONE(200, .port = 4), NONE(290, .port = 5),
	    PAYLOAD(301, .port = 1, .to = 2), FLUSH(302), CLOSE },
	  "open 1 port-scan 3[1-3]; update 1 port-scan 5[1-5]; close 1 port-scan 5[1-5]" },
	{ "FP-04: five transfers are no scan",
	  0,
	  NULL,
	  0,
	  { PAYLOAD(0, .port = 21), TRANSFER(1, .port = 50001, .to = 50005), FLUSH(5), CLOSE },
	  "" },
	{ "FP-04: ... but are one by the letter of the search",
	  PROFILE_SPLUNK,
	  NULL,
	  0,
	  { PAYLOAD(0, .port = 21), TRANSFER(1, .port = 50001, .to = 50005), FLUSH(5) },
	  "open 1 port-scan 5[50001-50005]" },
	{ "FP-04: listings of a few bytes, where FTP is spoken",
	  0,
	  NULL,
	  0,
	  { PAYLOAD(0, .port = 21), OPEN(600, .port = 50001, .to = 50005), FLUSH(605), CLOSE },
	  "" },
	{ "FP-04: ... over TLS",
	  0,
	  NULL,
	  0,
	  { PAYLOAD(0, .port = 990), OPEN(600, .port = 50001, .to = 50005), FLUSH(605), CLOSE },
	  "" },
	{ "... a day later, and nobody spoke it since",
	  0,
	  NULL,
	  0,
	  { PAYLOAD(0, .port = 21), OPEN(86401, .port = 50001, .to = 50005), FLUSH(86405) },
	  "open 1 port-scan 5[50001-50005]" },
	{ "... as the search has it",
	  PROFILE_SPLUNK,
	  NULL,
	  0,
	  { PAYLOAD(0, .port = 21), OPEN(60, .port = 50001, .to = 50005), FLUSH(65) },
	  "open 1 port-scan 5[50001-50005]" },
	{ "speaking FTP hides no closed ports",
	  0,
	  NULL,
	  0,
	  { PAYLOAD(0, .port = 21), CLOSED(60, .port = 50001, .to = 50005), FLUSH(65) },
	  "open 1 port-scan 5[50001-50005]" },
	{ "... no half-open looks",
	  0,
	  NULL,
	  0,
	  { PAYLOAD(0, .port = 21),
	    SAY(STEP_CONTACT, .t = 60 * S, .bits = CONTACT_OPEN | CONTACT_SPAN | CONTACT_SYN,
		.port = 50001, .to = 50005),
	    FLUSH(65) },
	  "open 1 port-scan 5[50001-50005]" },
	{ "... and no ports below 1024",
	  0,
	  NULL,
	  0,
	  { PAYLOAD(0, .port = 21), OPEN(60, .port = 1021, .to = 1024), FLUSH(65) },
	  "open 1 port-scan 3[1021-1023]" },
	{ "speaking FTP to one host hides nothing at another",
	  0,
	  NULL,
	  0,
	  { PAYLOAD(0, .port = 21, .host = 21), OPEN(60, .port = 50001, .to = 50005), FLUSH(65) },
	  "open 1 port-scan 5[50001-50005]" },
	{ "traceroute ends here: 16 ports at once",
	  0,
	  NULL,
	  0,
	  { CLOSED(0, .port = 33434, .to = 33449, .proto = PROTO_UDP), FLUSH(5), CLOSE },
	  "" },
	{ "traceroute, whatever is a habit",
	  0,
	  NULL,
	  0,
	  { CLOSED(0, .port = 33434, .to = 33523, .proto = PROTO_UDP), FLUSH(5), CLOSE },
	  "" },
	{ "one port more is no traceroute, and what looks like one is part of it",
	  0,
	  NULL,
	  0,
	  { CLOSED(0, .port = 33434, .to = 33436, .proto = PROTO_UDP),
	    CLOSED(1, .port = 53, .proto = PROTO_UDP), FLUSH(5) },
	  "open 1 port-scan 4[53,33434-33436]" },
	{ "... nor are its ports, of a scan that is open already",
	  0,
	  NULL,
	  0,
	  { CLOSED(0, .port = 53, .to = 55, .proto = PROTO_UDP), FLUSH(1),
	    CLOSED(2, .port = 33434, .to = 33436, .proto = PROTO_UDP), FLUSH(5) },
	  "open 1 port-scan 3[53-55]; update 1 port-scan 6[53-55,33434-33436]" },
	{ "these ports over TCP are no traceroute",
	  0,
	  NULL,
	  0,
	  { CLOSED(0, .port = 33434, .to = 33449), FLUSH(5) },
	  "open 1 port-scan 16[33434-33449]" },
	{ "traceroute by the letter of the search",
	  PROFILE_SPLUNK,
	  NULL,
	  0,
	  { CLOSED(0, .port = 33434, .to = 33449, .proto = PROTO_UDP), FLUSH(5) },
	  "open 1 port-scan 16[33434-33449]" },
	{ "late answers of a name server that was asked",
	  0,
	  NULL,
	  0,
	  { ASKED(0, .port = 53), LATE(3600, .port = 2000, .to = 2010), FLUSH(3605), CLOSE },
	  "" },
	{ "... that was asked more than a day ago",
	  0,
	  NULL,
	  0,
	  { ASKED(0, .port = 53), LATE(86401, .port = 2000, .to = 2010), FLUSH(86405) },
	  "open 1 port-scan 11[2000-2010]" },
	{ "... that was asked nothing of a service",
	  0,
	  NULL,
	  0,
	  { ASKED(0, .port = 5353), LATE(60, .port = 2000, .to = 2010), FLUSH(65) },
	  "open 1 port-scan 11[2000-2010]" },
	{ "nobody asked: nmap -sU -g 53",
	  0,
	  NULL,
	  0,
	  { LATE(0, .port = 2000, .to = 2010), FLUSH(5) },
	  "open 1 port-scan 11[2000-2010]" },
	{ "a name server that was asked, and scans from another port",
	  0,
	  NULL,
	  0,
	  { ASKED(0, .port = 53),
	    SAY(STEP_CONTACT, .t = 60 * S, .bits = CONTACT_CLOSED | CONTACT_UDP, .port = 2000,
		.to = 2010, .proto = PROTO_UDP),
	    FLUSH(65) },
	  "open 1 port-scan 11[2000-2010]" },
	{ "FP-08: preconnects of which one a port is used",
	  0,
	  NULL,
	  0,
	  { PAYLOAD(0, .port = 3000), PAYLOAD(0, .port = 9090), PAYLOAD(0, .port = 9093), FLUSH(7),
	    OPEN(0, .port = 3000), OPEN(0, .port = 9090), OPEN(0, .port = 9093), FLUSH(31), CLOSE },
	  "" },
	{ "FP-09: a client that gives up before the greeting was silent at open ports",
	  0,
	  NULL,
	  0,
	  { OPEN(0, .port = 25), OPEN(0, .port = 143), OPEN(0, .port = 587), OPEN(0, .port = 4190),
	    FLUSH(6) },
	  "open 1 port-scan 4[25,143,587,4190]" },
	{ "FP-09: greetings that come after the silence was counted take it back",
	  0,
	  NULL,
	  0,
	  { OPEN(0, .port = 25), OPEN(0, .port = 143), FLUSH(3), PAYLOAD(0, .port = 25),
	    OPEN(0, .port = 587), FLUSH(9), PAYLOAD(0, .port = 143), OPEN(0, .port = 4190),
	    FLUSH(21), PAYLOAD(0, .port = 587), PAYLOAD(0, .port = 4190), FLUSH(30), CLOSE },
	  "" },

	/* sweep */
	{ "a host less than the threshold is no sweep",
	  0,
	  "sweep.threshold=3",
	  0,
	  { NONE(0, .port = 22, .host = 1), NONE(0, .port = 22, .host = 2), FLUSH(5) },
	  "" },
	{ "a host more is one",
	  0,
	  "sweep.threshold=3",
	  0,
	  { NONE(0, .port = 22, .host = 1), NONE(0, .port = 22, .host = 2),
	    NONE(0, .port = 22, .host = 3), FLUSH(5), NONE(6, .port = 22, .host = 3), FLUSH(7) },
	  "open 1 sweep 3[]" },
	{ "a sweep looks at one port",
	  0,
	  "sweep.threshold=3",
	  0,
	  { NONE(0, .port = 22, .host = 1), NONE(0, .port = 22, .host = 2),
	    NONE(0, .port = 23, .host = 3), FLUSH(5) },
	  "" },
	{ "a sweep is taken back host by host",
	  0,
	  "sweep.threshold=3",
	  0,
	  { NONE(0, .port = 22, .host = 1), NONE(0, .port = 22, .host = 2),
	    NONE(0, .port = 22, .host = 3), FLUSH(5), PAYLOAD(6, .port = 22, .host = 2), FLUSH(7) },
	  "open 1 sweep 3[]; close 1 sweep 3[] retracted" },
	{ "a sweep: a host that came again is named once",
	  0,
	  "sweep.threshold=3",
	  0,
	  { NONE(0, .port = 22, .host = 1), NONE(0, .port = 22, .host = 2),
	    NONE(0, .port = 22, .host = 3), NONE(0, .port = 22, .host = 4), FLUSH(5),
	    PAYLOAD(6, .port = 22, .host = 1), CLOSED(7, .port = 22, .host = 1),
	    NONE(7, .port = 22, .host = 5), PAYLOAD(8, .port = 22, .host = 2),
	    PAYLOAD(8, .port = 22, .host = 3), PAYLOAD(8, .port = 22, .host = 4), FLUSH(9) },
	  "open 1 sweep 4[]; close 1 sweep 5[] retracted" },

	/* paces: nmap -T5 to -T2 are less than a second a probe, -T1 is 15 s, -T0 five minutes */
	{ "nmap -T2: a port each 0.4 s",
	  0,
	  NULL,
	  0,
	  { NONE_NS(0, .port = 1), NONE_NS(400000000, .port = 2), FLUSH(3),
	    NONE_NS(800000000, .port = 3), FLUSH(4) },
	  "open 1 port-scan 3[1-3]" },
	{ "nmap -T1: a port each 15 s",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 1), FLUSH(2), NONE(15, .port = 2), FLUSH(17), NONE(30, .port = 3),
	    FLUSH(32), NONE(45, .port = 4), FLUSH(47), NONE(60, .port = 5), FLUSH(62),
	    NONE(75, .port = 6), FLUSH(77), FLUSH(420) },
	  "open 1 port-scan 3[1-3]; update 1 port-scan 6[1-6]; close 1 port-scan 6[1-6]" },

	/* windows */
	{ "MS-01: a port every five minutes is in one window with its neighbours alone",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 1), FLUSH(1), NONE(300, .port = 2), FLUSH(301), NONE(600, .port = 3),
	    FLUSH(601), NONE(900, .port = 4), FLUSH(901), CLOSE },
	  "" },
	{ "MS-01: ... and five of them are a slow scan",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 1), NONE(300, .port = 2), NONE(600, .port = 3), NONE(900, .port = 4),
	    FLUSH(901), NONE(1200, .port = 5), FLUSH(1201) },
	  "open 1 slow-scan 5[1-5]" },
	{ "slow-scan: a fast scan is said once",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 1, .to = 99), FLUSH(5), NONE(200, .port = 100, .to = 110), FLUSH(205),
	    FLUSH(600), CLOSE },
	  "open 1 port-scan 99[1-99]; close 1 port-scan 110[1-110]" },
	{ "slow-scan: three fast scans are three alerts and no fourth",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 1, .to = 4), FLUSH(5), FLUSH(400), NONE(3600, .port = 11, .to = 14),
	    FLUSH(3605), FLUSH(4000), NONE(7200, .port = 21, .to = 24), FLUSH(7205), CLOSE },
	  "open 1 port-scan 4[1-4]; close 1 port-scan 4[1-4]; open 2 port-scan 4[11-14]; "
	  "close 2 port-scan 4[11-14]; open 3 port-scan 4[21-24]; close 3 port-scan 4[21-24]" },
	{ "slow-scan: ports that are looked at after a fast scan, slowly, are another",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 1, .to = 4), FLUSH(5), FLUSH(400), NONE(3600, .port = 11),
	    NONE(7200, .port = 12), NONE(10800, .port = 13), NONE(14400, .port = 14), FLUSH(14401),
	    NONE(18000, .port = 15), FLUSH(18001) },
	  "open 1 port-scan 4[1-4]; close 1 port-scan 4[1-4]; open 2 slow-scan 5[11-15]" },
	{ "slow-scan: a fast scan beside a slow one is said by port-scan, from its threshold on",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 1), NONE(400, .port = 2), NONE(800, .port = 3), NONE(1200, .port = 4),
	    NONE(1600, .port = 5), FLUSH(1601), NONE(2000, .port = 11, .to = 40), FLUSH(2001),
	    CLOSE },
	  "open 1 slow-scan 5[1-5]; open 2 port-scan 30[11-40]; close 2 port-scan 30[11-40]; "
	  "close 1 slow-scan 7[1-5,11,12]" },
	{ "slow-scan: who yields to nobody says a fast scan too",
	  0,
	  "slow-scan.yields-to=none",
	  0,
	  { NONE(0, .port = 1, .to = 9), FLUSH(5) },
	  "open 1 port-scan 9[1-9]; open 2 slow-scan 9[1-9]" },
	{ "slow-scan: a rule that is off is nothing to yield to",
	  0,
	  "port-scan.enabled=false",
	  0,
	  { NONE(0, .port = 1, .to = 9), FLUSH(5) },
	  "open 1 slow-scan 9[1-9]" },
	{ "slow-scan: five ports within a day to the nanosecond",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 1), NONE(20000, .port = 2), NONE(40000, .port = 3),
	    NONE(60000, .port = 4), NONE(86400, .port = 5), FLUSH(86401) },
	  "open 1 slow-scan 5[1-5]" },
	{ "slow-scan: ... and no longer",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 1), NONE(20000, .port = 2), NONE(40000, .port = 3),
	    NONE(60000, .port = 4), NONE_NS(86400 * S + 1, .port = 5), FLUSH(86401), CLOSE },
	  "" },
	{ "slow-scan: payload within the day outweighs the silence",
	  0,
	  NULL,
	  0,
	  { PAYLOAD(0, .port = 5), NONE(400, .port = 1), NONE(800, .port = 2),
	    NONE(1200, .port = 3), NONE(1600, .port = 4), NONE(40000, .port = 5), FLUSH(40001),
	    CLOSE },
	  "" },
	{ "MS-02: 299 s, 299 s, 301 s slide",
	  0,
	  NULL,
	  0,
	  { CLOSED(299, .port = 1, .to = 2), FLUSH(300), CLOSED(301, .port = 3), FLUSH(302) },
	  "open 1 port-scan 3[1-3]" },
	{ "MS-02: ... and fall into two bins",
	  PROFILE_SPLUNK,
	  NULL,
	  0,
	  { CLOSED(299, .port = 1, .to = 2), FLUSH(300), CLOSED(301, .port = 3), FLUSH(302) },
	  "" },
	{ "MS-02: a third port exactly a window later is in",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 1, .to = 2), NONE(300, .port = 3), FLUSH(301) },
	  "open 1 port-scan 3[1-3]" },
	{ "MS-02: a nanosecond later it is not",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 1, .to = 2), NONE_NS(300 * S + 1, .port = 3), FLUSH(301) },
	  "" },
	{ "MS-02: a drain that is 20 s late changes nothing",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 1, .to = 2), FLUSH(1), NONE(310, .port = 4), NONE(300, .port = 3),
	    FLUSH(320), CLOSE },
	  "open 1 port-scan 4[1-4]; close 1 port-scan 4[1-4]" },
	{ "MS-02: late evidence does not join what its own time keeps apart",
	  0,
	  NULL,
	  0,
	  { NONE(0, .port = 1, .to = 2), FLUSH(1), NONE_NS(300 * S + 1, .port = 3), FLUSH(320),
	    CLOSE },
	  "" },
	{ "a scan that is found through late evidence lists what was shown again since",
	  0,
	  "port-scan.window=20s",
	  0,
	  { CLOSED(0, .port = 1), CLOSED(2, .port = 2), CLOSED(25, .port = 1), FLUSH(26),
	    OPEN(19, .port = 3), FLUSH(27) },
	  "open 1 port-scan 3[1-3]" },
	{ "a short window keeps what late evidence may need",
	  0,
	  "port-scan.window=1s slow-scan.enabled=false",
	  0,
	  { CLOSED(0, .port = 1), CLOSED(0, .port = 2), CLOSED(3, .port = 4), CLOSED(5, .port = 5),
	    CLOSED(7, .port = 6), CLOSED(9, .port = 7), CLOSED(11, .port = 8), FLUSH(12),
	    OPEN(1, .port = 3), FLUSH(13) },
	  "open 1 port-scan 3[1-3]; close 1 port-scan 3[1-3]" },
	{ "a short window closes its alert after two windows, not after settle-open",
	  0,
	  "port-scan.window=5s",
	  0,
	  { CLOSED(0, .port = 1), CLOSED(0, .port = 2), CLOSED(0, .port = 3), FLUSH(1), FLUSH(10),
	    FLUSH(11) },
	  "open 1 port-scan 3[1-3]; close 1 port-scan 3[1-3]" },

	/* by the letter of the searches */
	{ "splunk: an attempt without a span leaves orig_bytes unset",
	  PROFILE_SPLUNK,
	  NULL,
	  0,
	  { NONE(0, .port = 1, .to = 9), FLUSH(5) },
	  "" },
	{ "splunk: one with a span counts",
	  PROFILE_SPLUNK,
	  NULL,
	  0,
	  { OPEN(0, .port = 1, .to = 3), FLUSH(5) },
	  "open 1 port-scan 3[1-3]" },
	{ "splunk: payload before outweighs nothing",
	  PROFILE_SPLUNK,
	  NULL,
	  0,
	  { PAYLOAD(0, .port = 3), OPEN(1, .port = 1, .to = 3), FLUSH(5) },
	  "open 1 port-scan 3[1-3]" },
	{ "splunk: payload of another attempt takes nothing back",
	  PROFILE_SPLUNK,
	  NULL,
	  0,
	  { OPEN(0, .port = 1, .to = 3), PAYLOAD(1, .port = 3), FLUSH(5) },
	  "open 1 port-scan 3[1-3]" },
	{ "splunk: the attempt that was counted too early takes itself back",
	  PROFILE_SPLUNK,
	  NULL,
	  0,
	  { OPEN(0, .port = 1, .to = 3), PAYLOAD(0, .port = 3), FLUSH(5) },
	  "" },
	{ "splunk: a bin holds its first moment and not the next bin's",
	  PROFILE_SPLUNK,
	  NULL,
	  0,
	  { CLOSED(300, .port = 1, .to = 2), CLOSED(599, .port = 3), FLUSH(600),
	    CLOSED(600, .port = 4), FLUSH(601) },
	  "open 1 port-scan 3[1-3]" },
	{ "splunk: bins are those of the wall clock",
	  PROFILE_SPLUNK,
	  NULL,
	  100,
	  { CLOSED(199, .port = 1, .to = 2), CLOSED(200, .port = 3), FLUSH(201),
	    CLOSED(499, .port = 4, .to = 5), FLUSH(502) },
	  "open 1 port-scan 3[3-5]" },
	{ "splunk: an alert a bin",
	  PROFILE_SPLUNK,
	  NULL,
	  0,
	  { CLOSED(298, .port = 1, .to = 3), FLUSH(299), CLOSED(301, .port = 1, .to = 3),
	    FLUSH(302), FLUSH(333), FLUSH(334) },
	  "open 1 port-scan 3[1-3]; open 2 port-scan 3[1-3]; close 1 port-scan 3[1-3]" },
	{ "splunk: evidence that ripened after the bin's end joins its alert",
	  PROFILE_SPLUNK,
	  NULL,
	  0,
	  { CLOSED(290, .port = 1, .to = 3), FLUSH(291), FLUSH(310), OPEN(299, .port = 4),
	    FLUSH(330), FLUSH(334) },
	  "open 1 port-scan 3[1-3]; update 1 port-scan 4[1-4]; close 1 port-scan 4[1-4]" },
	{ "splunk: a bin that is over ends though a later one was touched before it",
	  PROFILE_SPLUNK,
	  NULL,
	  0,
	  { CLOSED(301, .port = 1, .to = 3), FLUSH(302), OPEN(295, .port = 1, .to = 3, .host = 21),
	    FLUSH(325), FLUSH(334) },
	  "open 1 port-scan 3[1-3]; open 2 port-scan 3[1-3]; close 2 port-scan 3[1-3]" },
	{ "few ports on many hosts: pairs of host and port are counted",
	  0,
	  PAIRS,
	  0,
	  { NONE(0, .port = 22, .to = 23, .host = 1), NONE(1, .port = 22, .to = 23, .host = 2),
	    NONE(2, .port = 23, .host = 2), NONE(3, .port = 22, .host = 3), FLUSH(5),
	    NONE(6, .port = 23, .host = 3), FLUSH(7) },
	  "open 1 sweep 6[22,23]" },
	{ "pairs: the same pair over and over is one",
	  0,
	  PAIRS,
	  0,
	  { NONE(0, .port = 22, .to = 26, .host = 1), NONE(1, .port = 22, .to = 26, .host = 1),
	    FLUSH(5) },
	  "" },
	{ "pairs: one that carries payload is taken back, with its port if no other has it",
	  0,
	  PAIRS,
	  0,
	  { NONE(0, .port = 22, .to = 24, .host = 1), NONE(1, .port = 22, .to = 23, .host = 2),
	    NONE(2, .port = 22, .to = 23, .host = 3), FLUSH(5), PAYLOAD(6, .port = 24, .host = 1),
	    FLUSH(7), NONE(8, .port = 40, .to = 47, .host = 1), FLUSH(9) },
	  "open 1 sweep 7[22-24]; update 1 sweep 14[22,23,40-47]" },
	{ "pairs: below the threshold the alert is retracted",
	  0,
	  PAIRS,
	  0,
	  { NONE(0, .port = 22, .to = 23, .host = 1), NONE(1, .port = 22, .to = 23, .host = 2),
	    NONE(2, .port = 22, .to = 23, .host = 3), FLUSH(5), PAYLOAD(6, .port = 23, .host = 1),
	    FLUSH(7) },
	  "open 1 sweep 6[22,23]; close 1 sweep 6[22,23] retracted" },
	{ "pairs: what was refused stays",
	  0,
	  PAIRS,
	  0,
	  { CLOSED(0, .port = 22, .to = 24, .host = 1), CLOSED(1, .port = 22, .to = 24, .host = 2),
	    FLUSH(5), PAYLOAD(6, .port = 24, .host = 1), FLUSH(7), CLOSE },
	  "open 1 sweep 6[22-24]; close 1 sweep 6[22-24]" },
	{ "a rule may look at some ports alone",
	  0,
	  "port-scan.ports=20-23,80 slow-scan.enabled=false",
	  0,
	  { NONE(0, .port = 22, .to = 60), FLUSH(5), NONE(6, .port = 80), FLUSH(7) },
	  "open 1 port-scan 3[22,23,80]" },
	{ "so may one on contacts",
	  0,
	  "basic-scanning.ports=1-3 basic-scanning.threshold=3",
	  0,
	  { PAYLOAD(0, .port = 2, .to = 60), FLUSH(5), PAYLOAD(6, .port = 1), FLUSH(7) },
	  "open 1 basic-scanning 3[1-3]" },
	{ "a rule may look at external responders alone",
	  0,
	  "port-scan.responder=external",
	  0,
	  { NONE(0, .port = 1, .to = 3), NONE(0, .port = 4, .to = 6, .external = true), FLUSH(5) },
	  "open 1 port-scan 3[4-6]" },
	{ "a rule may look at any responder",
	  0,
	  "port-scan.responder=any",
	  0,
	  { NONE(0, .port = 1, .to = 3), NONE(0, .port = 4, .to = 6, .external = true), FLUSH(5),
	    CLOSE },
	  "open 1 port-scan 3[4-6]; open 2 port-scan 3[1-3]; close 2 port-scan 3[1-3]; "
	  "close 1 port-scan 3[4-6]" },
	{ "a rule may look at external originators alone",
	  0,
	  "port-scan.originator=external",
	  0,
	  { NONE(0, .port = 1, .to = 3), FLUSH(5) },
	  "" },
	{ "tumbling with judgement: payload in the next bin takes the silence back",
	  0,
	  "port-scan.mode=tumbling",
	  0,
	  { OPEN(299, .port = 1, .to = 3), FLUSH(299), PAYLOAD(301, .port = 2), FLUSH(302) },
	  "open 1 port-scan 3[1-3]; close 1 port-scan 3[1-3] retracted" },
};

static void test_case(void **state)
{
	const struct engine_case *c = *state;

	for (int restarts = 0; restarts < 2; restarts++) { /* after every flush, or never */
		struct world *w = world_new(c->profile, c->set);

		for (const struct step *s = c->steps; s->kind != STEP_END; s++) {
			engine_clock(w->engine, (int64_t)(c->wall_s * S));
			run_step(w, s);
			if (restarts && (s->kind == STEP_FLUSH || s->kind == STEP_LOST))
				reborn(w, record, NULL);
		}
		assert_string_equal(w->said, c->want);
		world_free(w);
	}
}

/* What is cut off anywhere is refused, and what was read of it by then is let go. */
static void half_of_what_was_written_down_is_refused(void **state)
{
	static const struct step steps[] = {
		OPEN(0, .port = 1, .to = 40),
		NONE(1, .port = 443, .host = 21),
		PAYLOAD(2, .port = 5),
		FLUSH(5),
		NONE(6, .port = 1, .to = 3, .host = 22),
		{ .kind = STEP_END },
	};
	struct world *w = world_new(PROFILE_DEFAULT, "sweep.threshold=2");
	struct blob b = { 0 };

	(void)state;
	for (const struct step *s = steps; s->kind != STEP_END; s++)
		run_step(w, s);
	engine_save(w->engine, &b);
	assert_false(b.failed);
	for (size_t len = 0; len < b.len; len += len % 8191 ? 1 + len / 16 : 1) {
		struct blob half = { .data = b.data, .len = len };
		struct engine *e = engine_new(&w->cfg, record, w);

		assert_non_null(e);
		assert_int_equal(engine_load(e, &half), -EINVAL);
		engine_free(e);
	}
	blob_done(&b);
	world_free(w);
}

/* A rule that is no more when the next daemon starts says its last word; a new one begins empty. */
static void what_is_taken_over_keeps_to_the_rules_of_now(void **state)
{
	static const struct step scan = CLOSED(0, .port = 1, .to = 3), flush = FLUSH(5),
				 more = CLOSED(6, .port = 4, .to = 6), end = FLUSH(11);
	struct world *w = world_new(PROFILE_DEFAULT, "slow-scan.enabled=false");

	(void)state;
	run_step(w, &scan);
	run_step(w, &flush);
	assert_int_equal(rules_set(&w->cfg.rules, "port-scan.window=10m", NULL), 0);
	reborn(w, record, NULL);
	run_step(w, &more);
	run_step(w, &end);
	assert_string_equal(w->said, "open 1 port-scan 3[1-3]; close 1 port-scan 3[1-3]; "
				     "open 2 port-scan 3[4-6]");
	world_free(w);
}

/* --- what a text does not show --------------------------------------------------------------- */

static void what_is_allowed_reaches_no_rule(void **state)
{
	struct world *w = world_new(PROFILE_DEFAULT, NULL);
	struct step s = OPEN(0, .port = 1, .to = 9);
	struct engine_stats stats;

	(void)state;
	assert_int_equal(
		allow_parse("originator=10.0.1.10,ports=1-7,comment=x", &w->cfg.allow, NULL), 0);
	run_step(w, &s); /* 8 and 9 are two ports, and no scan */
	s = (struct step)FLUSH(5);
	run_step(w, &s);
	assert_string_equal(w->said, "");
	s = (struct step)OPEN(6, .port = 10);
	run_step(w, &s);
	s = (struct step)FLUSH(7);
	run_step(w, &s);
	assert_string_equal(w->said, "open 1 port-scan 3[8-10]");
	engine_stats_get(w->engine, &stats);
	assert_int_equal(stats.allowed, 7);
	assert_int_equal(stats.probes, 3);
	assert_int_equal(allow_entry(w->cfg.allow, 0)->silent, 7);
	config_done(&w->cfg);
	world_free(w);
}

/* The same scan, let be by port-scan and what yields to it: basic-scanning still speaks. */
static void what_is_allowed_for_some_rules_reaches_others(void **state)
{
	struct world *w = world_new(PROFILE_DEFAULT, NULL);
	struct step s = OPEN(0, .port = 1, .to = 1000);
	struct error err = { 0 };

	(void)state;
	assert_int_equal(allow_parse("originator=10.0.1.10,rules=port-scan+slow-scan,comment=x",
				     &w->cfg.allow, NULL),
			 0);
	assert_int_equal(allow_resolve(w->cfg.allow, &w->cfg.rules, &err), 0);
	run_step(w, &s);
	s = (struct step)FLUSH(5);
	run_step(w, &s);
	assert_string_equal(w->said, "open 1 basic-scanning 1000[1-1000]");
	config_done(&w->cfg);
	world_free(w);
}

static void an_entry_ends_by_the_time_of_the_evidence(void **state)
{
	struct world *w = world_new(PROFILE_DEFAULT, NULL);
	struct step s = OPEN(86399, .port = 1, .to = 3), flush = FLUSH(86405);
	const uint64_t day_s = 20000ull * 86400;

	(void)state;
	/* BASE on the clock of the evidence is the beginning of 2024-10-04. */
	engine_clock(w->engine, (int64_t)(day_s * S - BASE));
	assert_int_equal(allow_parse("ports=1-9,expires=2024-10-04,comment=x", &w->cfg.allow, NULL),
			 0);
	run_step(w, &s);
	s = (struct step)OPEN(86400, .port = 4, .to = 6);
	run_step(w, &s);
	run_step(w, &flush);
	assert_string_equal(w->said, "open 1 port-scan 3[4-6]");
	config_done(&w->cfg);
	world_free(w);
}

/* --- rules that change while it runs ---------------------------------------------------------- */

static const struct change_case {
	const char *name;
	const char *set;       /* from the start */
	struct step before[8]; /* evidence before the change */
	const char *change;    /* rules_set(), separated by blanks */
	struct step after[8];
	const char *want;
} change_cases[] = {
	{ "a rule that did not change goes on with its window",
	  NULL,
	  { NONE(0, .port = 1, .to = 2), FLUSH(5) },
	  "sweep.threshold=3 basic-scanning.enabled=false",
	  { NONE(6, .port = 3), FLUSH(11) },
	  "open 1 port-scan 3[1-3]" },
	{ "and with its alert",
	  NULL,
	  { NONE(0, .port = 1, .to = 3), FLUSH(5) },
	  "sweep.enabled=false",
	  { NONE(6, .port = 4, .to = 6), FLUSH(11), CLOSE },
	  "open 1 port-scan 3[1-3]; update 1 port-scan 6[1-6]; close 1 port-scan 6[1-6]" },
	{ "a higher threshold counts what was seen before",
	  NULL,
	  { NONE(0, .port = 1, .to = 2), FLUSH(5) },
	  "port-scan.threshold=300",
	  { NONE(6, .port = 3, .to = 299), FLUSH(11), NONE(12, .port = 300), FLUSH(17) },
	  "open 1 port-scan 300[1-300]" },
	{ "so does a lower one, at the next evidence",
	  "port-scan.threshold=5",
	  { NONE(0, .port = 1, .to = 4), FLUSH(5) },
	  "port-scan.threshold=3",
	  { FLUSH(6), NONE(7, .port = 4), FLUSH(12) },
	  "open 1 port-scan 4[1-4]" },
	{ "an alert lives on under a higher threshold",
	  NULL,
	  { NONE(0, .port = 1, .to = 3), FLUSH(5) },
	  "port-scan.threshold=10",
	  { NONE(6, .port = 4, .to = 6), FLUSH(11), FLUSH(400) },
	  "open 1 port-scan 3[1-3]; update 1 port-scan 6[1-6]; close 1 port-scan 6[1-6]" },
	{ "another window begins empty, and alerts say their last word",
	  NULL,
	  { NONE(0, .port = 1, .to = 3), NONE(1, .port = 1, .to = 2, .host = 21), FLUSH(5) },
	  "port-scan.window=10m",
	  { NONE(6, .port = 3, .host = 21), FLUSH(11) },
	  "open 1 port-scan 3[1-3]; close 1 port-scan 3[1-3]" },
	{ "so does a rule that looks at other ports",
	  NULL,
	  { NONE(0, .port = 1, .to = 2), FLUSH(5) },
	  "port-scan.ports=1-9",
	  { NONE(6, .port = 3), FLUSH(11), NONE(12, .port = 4, .to = 5), FLUSH(17) },
	  "open 1 port-scan 3[3-5]" },
	{ "a rule that is switched off says its last word",
	  NULL,
	  { NONE(0, .port = 1, .to = 3), FLUSH(5) },
	  "port-scan.enabled=false",
	  { NONE(6, .port = 4, .to = 9), FLUSH(11) },
	  "open 1 port-scan 3[1-3]; close 1 port-scan 3[1-3]" },
	{ "a rule that is switched on begins now",
	  "port-scan.enabled=false",
	  { NONE(0, .port = 1, .to = 3), FLUSH(5) },
	  "port-scan.enabled=true",
	  { NONE(6, .port = 3, .to = 5), FLUSH(11) },
	  "open 1 port-scan 3[3-5]" },
	{ "severity and description change in open alerts too",
	  NULL,
	  { NONE(0, .port = 1, .to = 3), FLUSH(5) },
	  "port-scan.severity=9",
	  { NONE(6, .port = 4, .to = 6), FLUSH(11) },
	  "open 1 port-scan 3[1-3]; update 1 port-scan 6[1-6]" },
};

static void rules_change(struct rule_set *rules, const char *set)
{
	char one[64];

	while (set && *set) {
		size_t len = strcspn(set, " ");

		snprintf(one, sizeof(one), "%.*s", (int)len, set);
		assert_int_equal(rules_set(rules, one, NULL), 0);
		set += len + strspn(set + len, " ");
	}
}

static void test_change(void **state)
{
	const struct change_case *c = *state;
	struct engine_stats stats;
	struct rule_set rules;
	struct world *w;
	char set[128];

	snprintf(set, sizeof(set), "slow-scan.enabled=false %s", c->set ? c->set : "");
	w = world_new(PROFILE_DEFAULT, set);
	rules = w->cfg.rules;

	for (const struct step *s = c->before; s->kind != STEP_END; s++)
		run_step(w, s);
	rules_change(&rules, c->change);
	assert_int_equal(engine_rules(w->engine, &rules), 0);
	memset(&rules, 0xff, sizeof(rules)); /* it has copied what it needs */
	for (const struct step *s = c->after; s->kind != STEP_END; s++)
		run_step(w, s);
	assert_string_equal(w->said, c->want);
	engine_stats_get(w->engine, &stats); /* none is forgotten with its rule */
	assert_int_equal(stats.alerts_opened, 1 * (strstr(c->want, "open") != NULL));
	world_free(w);
}

static void a_rule_may_come(void **state)
{
	struct world *w = world_new(PROFILE_DEFAULT, NULL);
	struct step s = NONE(0, .port = 1, .to = 2), flush = FLUSH(5);
	struct rule_set rules = w->cfg.rules;
	struct rule *rule;

	(void)state;
	assert_int_equal(rules_add(&rules, "FILE", "own", &rule, NULL), 0);
	rules_change(&rules, "own.where=probe own.by=originator own.distinct=port,responder "
			     "own.window=5m own.threshold=2");
	assert_int_equal(engine_rules(w->engine, &rules), 0);
	run_step(w, &s);
	run_step(w, &flush);
	assert_string_equal(w->said, "open 1 own 2[1,2]");
	world_free(w);
}

static void a_sweep_needs_25_hosts(void **state)
{
	struct world *w = world_new(PROFILE_DEFAULT, NULL);
	struct step s = OPEN(0, .port = 22);

	(void)state;
	for (s.host = 1; s.host <= 24; s.host++)
		run_step(w, &s);
	engine_flush(w->engine, BASE + S, false);
	assert_string_equal(w->said, "");
	run_step(w, &s);
	engine_flush(w->engine, BASE + S, false);
	assert_string_equal(w->said, "open 1 sweep 25[]");
	world_free(w);
}

/* The last alert as it was said. */
struct seen {
	uint32_t n[ANSWER_MAX], said;
	uint64_t first_ns, last_ns, attempts;
	bool orig_internal;
};

static void look(void *ctx, struct alert *a, enum alert_state state)
{
	struct seen *s = ctx;

	(void)state;
	s->said++;
	for (enum answer i = 0; a->ports && i < ANSWER_MAX; i++)
		s->n[i] = portset_count_answer(a->ports, i);
	s->first_ns = a->first_ns;
	s->last_ns = a->last_ns;
	s->attempts = a->attempts;
	s->orig_internal = a->orig_internal;
}

/* Another engine in the same world: one that looks instead of recording. */
static void look_instead(struct world *w, struct seen *ret)
{
	engine_free(w->engine);
	w->engine = engine_new(&w->cfg, look, ret);
	assert_non_null(w->engine);
}

static void an_attempt_that_closes_after_it_was_reported_counts_once(void **state)
{
	static const struct step steps[] = {
		OPEN(0, .port = 1, .to = 3), /* established and silent: reported after 30 s */
		FLUSH(31),
		OPEN(5, .port = 4), /* likewise */
		FLUSH(36),
		OPEN(5, .port = 4),  /* ... and closed: the same attempt */
		OPEN(40, .port = 4), /* another one */
		FLUSH(41),
	};
	struct world *w = world_new(PROFILE_DEFAULT, NULL);
	struct seen seen = { .said = 0 };

	(void)state;
	look_instead(w, &seen);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		run_step(w, &steps[i]);
	engine_close(w->engine);
	assert_int_equal(seen.attempts, 5);
	world_free(w);
}

static void a_port_has_the_best_answer_it_ever_gave(void **state)
{
	static const struct step steps[] = {
		NONE(1, .port = 1),   FILTERED(2, .port = 2), CLOSED(3, .port = 3),
		OPEN(4, .port = 4),   CLOSED(5, .port = 1),   NONE(6, .port = 2),
		CLOSED(7, .port = 4), OPEN(8, .port = 3),
	};
	struct world *w = world_new(PROFILE_DEFAULT, NULL);
	struct seen seen = { .said = 0 };

	(void)state;
	look_instead(w, &seen);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		run_step(w, &steps[i]);
	engine_flush(w->engine, BASE + 9 * S, false);
	assert_int_equal(seen.n[ANSWER_OPEN], 2);
	assert_int_equal(seen.n[ANSWER_CLOSED], 1);
	assert_int_equal(seen.n[ANSWER_FILTERED], 1);
	assert_int_equal(seen.n[ANSWER_NONE], 0);
	assert_int_equal(seen.first_ns, BASE + 1 * S);
	assert_int_equal(seen.last_ns, BASE + 8 * S);
	assert_int_equal(seen.attempts, 8);
	assert_true(seen.orig_internal);
	world_free(w);
}

static void a_pair_has_the_ports_of_the_window_that_ends_now(void **state)
{
	struct world *w = world_new(PROFILE_DEFAULT, NULL);
	const struct step scan = NONE(0, .port = 1, .to = 2);
	const struct step udp = NONE(0, .port = 1, .proto = PROTO_UDP);
	struct contact_key pair = key_of(&scan, 0), udp_pair = key_of(&udp, 0);

	(void)state;
	assert_int_equal(engine_wake_ports(w->engine), 3);
	assert_int_equal(engine_pair_ports(w->engine, &pair, BASE), 0);
	run_step(w, &scan);
	assert_int_equal(engine_pair_ports(w->engine, &pair, BASE), 2);
	assert_int_equal(engine_pair_ports(w->engine, &udp_pair, BASE), 0);
	assert_int_equal(engine_pair_ports(w->engine, &pair, BASE + 300 * S), 2);
	assert_int_equal(engine_pair_ports(w->engine, &pair, BASE + 300 * S + 1), 0);
	world_free(w);
}

static void the_wake_up_follows_the_lowest_rule_on_ports_between_two_hosts(void **state)
{
	struct world *w = world_new(
		PROFILE_DEFAULT, "port-scan.threshold=7 slow-scan.threshold=9 sweep.threshold=2");

	(void)state;
	assert_int_equal(engine_wake_ports(w->engine), 7);
	world_free(w);
	w = world_new(PROFILE_DEFAULT, "port-scan.enabled=false");
	assert_int_equal(engine_wake_ports(w->engine), 5);
	world_free(w);
	w = world_new(PROFILE_DEFAULT, "port-scan.enabled=false slow-scan.enabled=false");
	assert_int_equal(engine_wake_ports(w->engine), 0);
	world_free(w);
}

static void evidence_counts_once_however_many_rules_look_at_it(void **state)
{
	static const struct step steps[] = {
		NONE(0, .port = 1, .attempts = 5),
		PAYLOAD(1, .port = 1),
		NONE(2, .port = 1, .attempts = 4),
		NONE(3, .port = 1, .attempts = 9, .external = true),
	};
	struct world *w = world_new(PROFILE_DEFAULT, NULL); /* port-scan and sweep count silence */
	struct engine_stats s;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		run_step(w, &steps[i]);
	engine_stats_get(w->engine, &s);
	assert_int_equal(s.contacts, 4);
	assert_int_equal(s.probes, 5);
	assert_int_equal(s.outweighed, 4);
	assert_int_equal(s.retracted, 1);
	world_free(w);
}

static void a_contact_says_whether_it_is_a_probe(void **state)
{
	const struct step probe = NONE(0, .port = 1), payload = PAYLOAD(1, .port = 2);
	const struct step outweighed = NONE(2, .port = 2), far = NONE(2, .external = true);
	struct world *w = world_new(PROFILE_DEFAULT, NULL);

	(void)state;
	assert_true(feed(w, &probe, 1));
	assert_false(feed(w, &payload, 2));
	assert_false(feed(w, &outweighed, 2));
	assert_false(feed(w, &far, 1));
	world_free(w);
}

/* A scan within one drain: nothing of it lies between the first and the last attempt's times. */
static void first_and_last_attempt_of_a_drain_both_count(void **state)
{
	static const struct step steps[] = {
		NONE(0, .port = 1, .to = 2),
		SAY(STEP_CONTACT, .t = 299 * S, .until = 319 * S, .port = 3, .bits = CONTACT_NONE,
		    .attempts = 3),
		FLUSH(320),
	};
	struct world *w = world_new(PROFILE_DEFAULT, NULL);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		run_step(w, &steps[i]);
	assert_string_equal(w->said, "open 1 port-scan 3[1-3]");
	world_free(w);
}

static void groups_past_the_limit_are_counted(void **state)
{
	struct world *w =
		world_new(PROFILE_DEFAULT, "sweep.enabled=false basic-scanning.enabled=false "
					   "slow-scan.enabled=false "
					   "distributed-scan.enabled=false");
	struct step s = NONE(0, .port = 22);
	struct engine_stats stats;

	(void)state;
	engine_free(w->engine);
	w->cfg.groups_max = 10;
	w->engine = engine_new(&w->cfg, record, w);
	for (s.host = 1; s.host <= 15; s.host++)
		run_step(w, &s);
	engine_stats_get(w->engine, &stats);
	assert_int_equal(stats.groups, 10);
	assert_int_equal(stats.groups_evicted, 5);
	engine_flush(w->engine, BASE + 334 * S, false);
	engine_stats_get(w->engine, &stats);
	assert_int_equal(stats.groups, 0);
	world_free(w);
}

/* 4,096 alerts fit; the quietest of them was taken back before it ever spoke. */
static void a_full_book_says_nothing_of_an_alert_that_was_taken_back(void **state)
{
	struct world *w = world_new(PROFILE_DEFAULT, "port-scan.threshold=1 sweep.enabled=false");
	struct contact silent = { .word = CONTACT_NONE, .silent = 1 };
	struct contact payload = { .word = CONTACT_PAYLOAD, .carried = 1 };
	struct seen seen = { .said = 0 };
	struct contact_key first = { .proto = PROTO_TCP, .resp_port = htons(22) };
	struct engine_stats stats;

	(void)state;
	look_instead(w, &seen);
	silent.silent_first_ns = silent.silent_last_ns = BASE;
	payload.carried_first_ns = payload.carried_last_ns = BASE;
	first.resp = addr_v4("10.0.0.1");
	for (uint32_t i = 0; i <= 4096; i++) {
		struct contact_key key = first;

		key.orig.w[0] = i;
		if (i == 1)
			engine_contact(w->engine, &first, &payload);
		engine_contact(w->engine, &key, &silent);
	}
	engine_stats_get(w->engine, &stats);
	assert_int_equal(stats.alerts_forced, 1);
	assert_int_equal(stats.alerts_retracted, 1);
	assert_int_equal(stats.alerts_open, 4096);
	assert_int_equal(seen.said, 0);
	engine_flush(w->engine, BASE + S, false);
	assert_int_equal(seen.said, 4096);
	engine_close(w->engine);
	assert_int_equal(seen.said, 2 * 4096);
	world_free(w);
}

/* Past the responders an alert remembers its count is a floor. */
static void a_sweep_too_large_to_list_is_not_taken_back_by_one_host(void **state)
{
	struct world *w =
		world_new(PROFILE_DEFAULT, "sweep.threshold=5000 port-scan.enabled=false");
	struct contact c = { .word = CONTACT_NONE, .silent = 1 };
	struct contact payload = { .word = CONTACT_PAYLOAD, .carried = 1 };
	struct contact_key key = { .proto = PROTO_TCP, .resp_port = htons(22) };
	struct engine_stats stats;

	(void)state;
	c.silent_first_ns = c.silent_last_ns = BASE;
	payload.carried_first_ns = payload.carried_last_ns = BASE;
	key.resp = addr_v4("10.0.0.0");
	for (uint32_t i = 0; i < 5000; i++) {
		((uint8_t *)&key.resp)[14] = (uint8_t)(i >> 8);
		((uint8_t *)&key.resp)[15] = (uint8_t)i;
		engine_contact(w->engine, &key, &c);
	}
	engine_flush(w->engine, BASE + S, false);
	engine_stats_get(w->engine, &stats);
	assert_int_equal(stats.alerts_opened, 1);
	key.resp = addr_v4("10.0.0.0");
	engine_contact(w->engine, &key, &payload);
	engine_flush(w->engine, BASE + S, false);
	engine_stats_get(w->engine, &stats);
	assert_int_equal(stats.alerts_open, 1);
	world_free(w);
}

/* --- who did it ------------------------------------------------------------------------------ */

/* The process of a contact: port 22 is one's, 23 a guess, 80 nobody's known, 25 another's; the rest
 * is a process a port. Port 443 has none. */
static bool who_opened(const void *ctx, const struct contact_key *key, struct socket_owner *ret)
{
	uint16_t port = ntohs(key->resp_port);

	(void)ctx;
	*ret = (struct socket_owner){ .source = OWNER_COOKIE, .pid = port, .start_ns = 1 };
	if (port == 23)
		*ret = (struct socket_owner){ .source = OWNER_GUESS, .pid = 22, .start_ns = 1 };
	if (port == 80)
		*ret = (struct socket_owner){ .source = OWNER_NONE, .uid = 1 };
	return port != 443;
}

static size_t no_args(const void *ctx, uint32_t pid, uint64_t start_ns, char *buf)
{
	(void)ctx;
	(void)pid;
	(void)start_ns;
	(void)buf;
	return 0;
}

static bool no_cgroup(const void *ctx, uint64_t id, char *buf, size_t len)
{
	(void)ctx;
	(void)id;
	(void)buf;
	(void)len;
	return false;
}

static bool no_far_end(const void *ctx, uint32_t ifindex, char *buf, size_t len)
{
	return no_cgroup(ctx, ifindex, buf, len);
}

static const struct owner_case {
	const char *name, *set;
	struct step steps[12];
	const char *want; /* pid, source and number of owners, as each state is said */
} owner_cases[] = {
	{ "the first of two, whatever the order of ports",
	  NULL,
	  { CLOSED(0, .port = 25), CLOSED(1, .port = 22), CLOSED(2, .port = 443), FLUSH(2) },
	  "25 cookie 2" },
	{ "what is shown before the threshold counts",
	  NULL,
	  { CLOSED(0, .port = 101), CLOSED(1, .port = 102), CLOSED(2, .port = 103), FLUSH(2) },
	  "101 cookie 3" },
	{ "what comes after the alert counts",
	  NULL,
	  { CLOSED(0, .port = 101, .to = 103), FLUSH(2), CLOSED(3, .port = 104, .to = 106),
	    FLUSH(3) },
	  "101 cookie 3; 101 cookie 6" },
	{ "late evidence of another, earlier one",
	  NULL,
	  { CLOSED(3, .port = 101, .to = 103), FLUSH(3), CLOSED(1, .port = 104, .to = 106),
	    FLUSH(4) },
	  "101 cookie 3; 104 cookie 6" },
	{ "one process, once guessed and once known, is one",
	  NULL,
	  { CLOSED(0, .port = 22), CLOSED(1, .port = 23), CLOSED(2, .port = 443), FLUSH(2) },
	  "22 cookie 1" },
	{ "a process that is known goes before a socket that is nobody's",
	  NULL,
	  { CLOSED(0, .port = 80), CLOSED(1, .port = 25), CLOSED(2, .port = 443), FLUSH(2) },
	  "25 cookie 2" },
	{ "a socket that is nobody's is better than nothing",
	  "port-scan.threshold=2",
	  { CLOSED(0, .port = 443), CLOSED(1, .port = 80), FLUSH(2) },
	  "0 none 1" },
	{ "nobody", "port-scan.threshold=1", { CLOSED(0, .port = 443), FLUSH(1) }, "none" },
	{ "more than are told apart",
	  "port-scan.threshold=40 slow-scan.enabled=false",
	  { CLOSED(0, .port = 1001, .to = 1040), FLUSH(1) },
	  "1001 cookie 32+" },
	{ "exactly as many as are told apart",
	  "port-scan.threshold=32 slow-scan.enabled=false",
	  { CLOSED(0, .port = 1001, .to = 1032), FLUSH(1) },
	  "1001 cookie 32" },
	{ "a rule that does not tell hosts apart has the one at its threshold",
	  "port-scan.enabled=false basic-scanning.threshold=3",
	  { CLOSED(0, .port = 101), CLOSED(1, .port = 102), CLOSED(2, .port = 103), FLUSH(2) },
	  "103 cookie 1" },
	{ "a sweep",
	  "port-scan.enabled=false sweep.threshold=2",
	  { CLOSED(0, .port = 25), CLOSED(1, .port = 25, .host = 21), FLUSH(2) },
	  "25 cookie 1" },
};

static void record_owner(void *ctx, struct alert *a, enum alert_state state)
{
	struct world *w = ctx;
	size_t len = strlen(w->said);

	if (state == ALERT_CLOSE)
		return;
	len += (size_t)snprintf(w->said + len, sizeof(w->said) - len, "%s", len ? "; " : "");
	if (a->owner)
		snprintf(w->said + len, sizeof(w->said) - len, "%u %s %u%s", a->owner->pid,
			 owner_source_name(a->owner->source), a->owners, a->owners_cut ? "+" : "");
	else
		snprintf(w->said + len, sizeof(w->said) - len, "none");
}

static void test_owner(void **state)
{
	const struct owner_kernel kernel = { NULL, who_opened, no_args, no_cgroup, no_far_end };
	const struct owner_case *c = *state;

	for (int restarts = 0; restarts < 2; restarts++) {
		struct world *w = world_new(PROFILE_DEFAULT, c->set);
		struct owners *owners = owners_new(&kernel);

		assert_non_null(owners);
		engine_free(w->engine);
		w->engine = engine_new(&w->cfg, record_owner, w);
		assert_non_null(w->engine);
		engine_owners(w->engine, owners);
		for (const struct step *s = c->steps; s->kind != STEP_END; s++) {
			run_step(w, s);
			if (restarts && s->kind == STEP_FLUSH)
				reborn(w, record_owner, owners);
		}
		engine_close(w->engine);
		assert_string_equal(w->said, c->want);
		world_free(w);
		owners_free(owners);
	}
}

static void freeing_nothing_is_fine(void **state)
{
	(void)state;
	engine_free(NULL);
}

int main(void)
{
	static const struct CMUnitTest single[] = {
		cmocka_unit_test(a_rule_may_come),
		cmocka_unit_test(a_sweep_needs_25_hosts),
		cmocka_unit_test(what_is_allowed_reaches_no_rule),
		cmocka_unit_test(what_is_allowed_for_some_rules_reaches_others),
		cmocka_unit_test(an_entry_ends_by_the_time_of_the_evidence),
		cmocka_unit_test(an_attempt_that_closes_after_it_was_reported_counts_once),
		cmocka_unit_test(a_port_has_the_best_answer_it_ever_gave),
		cmocka_unit_test(a_pair_has_the_ports_of_the_window_that_ends_now),
		cmocka_unit_test(the_wake_up_follows_the_lowest_rule_on_ports_between_two_hosts),
		cmocka_unit_test(evidence_counts_once_however_many_rules_look_at_it),
		cmocka_unit_test(a_contact_says_whether_it_is_a_probe),
		cmocka_unit_test(first_and_last_attempt_of_a_drain_both_count),
		cmocka_unit_test(groups_past_the_limit_are_counted),
		cmocka_unit_test(a_full_book_says_nothing_of_an_alert_that_was_taken_back),
		cmocka_unit_test(a_sweep_too_large_to_list_is_not_taken_back_by_one_host),
		cmocka_unit_test(half_of_what_was_written_down_is_refused),
		cmocka_unit_test(what_is_taken_over_keeps_to_the_rules_of_now),
		cmocka_unit_test(freeing_nothing_is_fine),
	};
	struct CMUnitTest tests[ARRAY_SIZE(cases) + ARRAY_SIZE(owner_cases) +
				ARRAY_SIZE(change_cases) + ARRAY_SIZE(single)];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		tests[n++] = (struct CMUnitTest){ .name = cases[i].name,
						  .test_func = test_case,
						  .initial_state = (void *)&cases[i] };
	for (size_t i = 0; i < ARRAY_SIZE(owner_cases); i++)
		tests[n++] = (struct CMUnitTest){ .name = owner_cases[i].name,
						  .test_func = test_owner,
						  .initial_state = (void *)&owner_cases[i] };
	for (size_t i = 0; i < ARRAY_SIZE(change_cases); i++)
		tests[n++] = (struct CMUnitTest){ .name = change_cases[i].name,
						  .test_func = test_change,
						  .initial_state = (void *)&change_cases[i] };
	memcpy(&tests[n], single, sizeof(single));
	return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
