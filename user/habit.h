/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which silent contacts recur steadily? A health check opens a connection, says nothing, and does
 * so again and again; a scan does not. Packets do not tell them apart, recurrence does.
 *
 * Input: silent contacts in roughly the order of their time. What recurs is learnt three times
 * over: per contact; per originator and responder port, whoever the responder is, so that checks of
 * pods which live ten minutes are one habit; and per program (name and user) and responder port,
 * where the owner is known, so that a checker which comes back with another address is known again.
 *
 * A habit is what has recurred for six times its longest pause and a minute at least; where that
 * pause is three minutes or longer, three times are enough. Pauses longer than 75 minutes begin
 * anew. So a check every ten seconds is a habit after a minute, every minute after six, every five
 * minutes after a quarter of an hour, every quarter of an hour after three of them, and hourly
 * after three hours. Rarer ones are none: they need an entry in the allow-list.
 *
 * Memory is bounded: `max` habits, as many candidates, and eight bytes for what was seen once; past
 * that the one not seen for longest leaves, and is counted. Reads no clock; one thread owns it. */
#ifndef RECONMON_HABIT_H
#define RECONMON_HABIT_H

#include <reconmon/attempt.h>
#include <stdbool.h>
#include <stdint.h>

#include "blob.h"
#include "error.h"
#include "owner.h"

enum habit_kind {
	HABIT_CONTACT = 1, /* originator, responder, port, protocol */
	HABIT_SERVICE,	   /* originator, port, protocol */
	HABIT_PROGRAM,	   /* program and its user, port, protocol */
	HABIT_KIND_MAX,
};

/* habit_kind_name - "contact", "service", "program". */
const char *habit_kind_name(enum habit_kind kind);

/* Times are nanoseconds of the evidence's clock, or below 0: before this boot. */
struct habit {
	int64_t since_ns, last_ns; /* first and last sighting of the run */
	int64_t pause_ns;	   /* the longest pause in it */
	int64_t ready_ns;	   /* when it became a habit */
	uint32_t seen;		   /* sightings, 5 s apart at least */
	uint32_t excused;	   /* probes it has excused; stays at the highest number */
	bool ready;
	bool said; /* an alert has named it in this run */
};

/* What a habit is of; fields that its kind does not have are zero or "". */
struct habit_id {
	enum habit_kind kind;
	struct ip_addr orig, resp;
	char program[OWNER_COMM_LEN + 1];
	uint32_t uid;
	uint16_t port; /* host byte order */
	uint8_t proto;
};

struct habits_stats {
	uint64_t live, candidates; /* now */
	uint64_t learnt;	   /* became habits, those read from a file not among them */
	uint64_t evicted;	   /* habits that left for want of room */
	uint64_t overlooked;	   /* candidates that did */
	uint64_t bytes;
};

struct habits;

/* habits_new - none yet, at most max (1 or more) of them and as many candidates. NULL for want of
 * memory. */
struct habits *habits_new(uint32_t max);
void habits_free(struct habits *h); /* NULL is fine */

/* habits_see - somebody was silent at a contact, at first_ns and at last_ns. who: whose socket it
 * was; NULL: unknown. */
void habits_see(struct habits *h, const struct contact_key *key, const struct owner *who,
		uint64_t first_ns, uint64_t last_ns);

/* habits_expect - asks for the memory that habits_see() will touch, some contacts ahead. */
void habits_expect(const struct habits *h, const struct contact_key *key);

/* habits_excuse - is a silent attempt at that moment a habit to a rule whose window is span_ns? One
 * that is younger than the window and that no alert has named still counts: or a patient scanner
 * would train itself invisible. contact_only: only the contact itself will do, where responders are
 * counted. */
bool habits_excuse(const struct habits *h, const struct contact_key *key, const struct owner *who,
		   uint64_t t_ns, uint64_t span_ns, bool contact_only);

/* habits_note_excused - a probe was let be. habits_say - an alert names the contact. */
void habits_note_excused(struct habits *h, const struct contact_key *key, const struct owner *who);
void habits_say(struct habits *h, const struct contact_key *key, const struct owner *who);

/* habits_expire - lets go of habits that were not seen for a week. */
void habits_expire(struct habits *h, uint64_t now_ns);

/* habits_each - calls fn for every habit, the one not seen for longest first. */
void habits_each(const struct habits *h,
		 void (*fn)(void *ctx, const struct habit_id *id, const struct habit *b),
		 void *ctx);

/* habits_put - takes in a habit as it was written down. Returns 0; -EINVAL if it is none; -ENOMEM
 * or -ENOSPC if there is no room. */
int habits_put(struct habits *h, const struct habit_id *id, const struct habit *b);

/* habits_clear - forgets all habits. */
void habits_clear(struct habits *h);

/* habits_changed - how often something changed that is worth writing down. */
uint64_t habits_changed(const struct habits *h);

/* habits_pack - writes everything down, candidates too, for the next process of this boot.
 * habits_unpack - goes on with it, in the place of what is there. Returns 0, -EINVAL if b does not
 * hold what habits_pack() wrote, or -ENOMEM. */
void habits_pack(const struct habits *h, struct blob *b);
int habits_unpack(struct habits *h, struct blob *b);

void habits_stats_get(const struct habits *h, struct habits_stats *ret);

/* habits_save - writes all habits to the file: whole, or not at all. wall_offset_ns makes wall
 * clock of the evidence's. Returns 0, or a negative errno with err filled. */
int habits_save(const struct habits *h, const char *path, int64_t wall_offset_ns,
		struct error *err);

/* habits_load - reads what habits_save() wrote; *ret_n habits. No file is fine (0 habits). Returns
 * 0, or a negative errno with err filled; what is not what habits_save() writes (-EINVAL) is
 * renamed to PATH.damaged first, and nothing of it is used. */
int habits_load(struct habits *h, const char *path, uint64_t now_ns, int64_t wall_offset_ns,
		uint32_t *ret_n, struct error *err);

#endif
