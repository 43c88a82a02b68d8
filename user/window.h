/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which distinct values has each group shown within the window?
 *
 * Input: evidence in roughly the order of its own time, at most `slack` late. Output: counts, exact
 * up to what a rule asks: of a group `keep` values are held, the newest (and for a while an eighth
 * more, from 64 on: room is made for many at once). A threshold n needs n of them for each span
 * that fits into span + slack, begun ones too.
 *
 * A value that is shown again and again keeps three times, not a list: its run since the last pause
 * longer than the span, and where the run before ended. A window that meets a run holds one of its
 * shows, because no gap in it is wider than the window; and evidence that is late by less than a
 * span looks back over one such pause at most. With slack > span a value shown before two pauses
 * may be missed by evidence that late.
 *
 * Groups are bounded too: past max_groups the one without news for longest leaves and `evicted`
 * grows; of several such, one that has shown a single value. What is over makes room unasked and
 * uncounted. Who had news last is known to a 32nd of the span: to put a group in its place for
 * every show would cost as much as all else about one that is in no cache.
 *
 * No call takes long, however many groups there are: those that are over leave a few at a time.
 *
 * A sliding window of span s that ends at t holds [t - s, t], both ends included, to the
 * nanosecond. A tumbling bin b holds [b * s, (b + 1) * s). Reads no clock; one thread owns it. */
#ifndef RECONMON_WINDOW_H
#define RECONMON_WINDOW_H

#include "blob.h"
#include "rule.h"
#include "table.h"

/* One distinct value: a port, a host, or both; the part that is not counted is zero. A window keeps
 * 16 bytes of it, 16 for an address, and 16 for its runs. */
struct window_value {
	struct ip_addr addr;
	uint64_t t_ns; /* when it was last shown */
	uint32_t bits; /* CONTACT_* of all attempts that showed it */
	uint16_t port; /* host byte order */
	uint16_t pad;
	/* The window's own, whatever a caller writes: since when it has been shown without a pause
	 * longer than the span, and the end of the run before that pause (run_ns: none). */
	uint64_t run_ns, before_ns;
};

enum {
	WINDOW_KEEP_MAX = 131072 /* twice the highest threshold */
};

struct window_spec {
	uint64_t span_ns;
	uint64_t slack_ns; /* how late evidence may come */
	enum window_mode mode;
	uint32_t keep;	     /* values a group holds at the most; 1 to WINDOW_KEEP_MAX */
	uint32_t enough;     /* counts below this need not be exact, see window_add() */
	uint32_t max_groups; /* 1 or more */
	bool hosts;	     /* values have addresses; else all `addr` are zero, and not kept */
	bool last_only; /* of a value's shows the last is all that is kept, as if it were all */
	/* A group that is full takes no more until room comes by time, instead of the newest in the
	 * place of the oldest. */
	bool stops;
};

struct window_stats {
	uint64_t evicted;   /* groups that left for want of room: their evidence is lost */
	uint64_t no_memory; /* values not stored */
	uint64_t groups;    /* alive now */
	uint64_t bytes;
};

struct window;

/* window_new - an empty window. Returns NULL for want of memory; free with window_free(). */
struct window *window_new(const struct window_spec *spec);
void window_free(struct window *w); /* NULL is fine */

/* window_adjust - from now on keeps at least `keep` values a group (never fewer than so far) and is
 * exact from `enough` on. Returns 0 or -ENOMEM; nothing is changed then. */
int window_adjust(struct window *w, uint32_t keep, uint32_t enough);

/* window_add - shows a value (v->t_ns is when) in a group. Returns how many distinct values the
 * best window that contains that moment holds (1 or more), or 0 if it was not stored: no memory
 * (counted), or a group full of newer values. A group that holds fewer than `enough` in all is not
 * looked at more closely: then that number is returned. */
uint32_t window_add(struct window *w, const struct group_key *group, const struct window_value *v);

/* window_show - window_add() for who needs no count. Returns how many values the group holds, those
 * outside of any window included; 0 if it was not stored. */
uint32_t window_show(struct window *w, const struct group_key *group, const struct window_value *v);

/* window_last - when a group last showed a value; 0: it does not hold it. */
uint64_t window_last(const struct window *w, const struct group_key *group,
		     const struct window_value *v);

/* window_add_by, window_show_by - the same with a window_look() that is prepared.
 * window_look_within - for a group that most likely has many values: it is also known then where
 * this one is looked for. */
struct table_look window_look(const struct window *w, const struct group_key *group);
void window_look_within(struct table_look *look, const struct window_value *v);
uint32_t window_add_by(struct window *w, const struct table_look *look,
		       const struct group_key *group, const struct window_value *v);
uint32_t window_show_by(struct window *w, const struct table_look *look,
			const struct group_key *group, const struct window_value *v);

/* window_expect - table_expect() for a group that is about to be shown a value. */
void window_expect(const struct window *w, struct table_look *look, enum table_step step);

/* window_retract - forgets a value that was last shown at most within_ns before or after v->t_ns,
 * unless an attempt at it was refused. Returns 1 if it is gone, 0 if it stays, -ENOENT if the group
 * does not hold it. */
int window_retract(struct window *w, const struct group_key *group, const struct window_value *v,
		   uint64_t within_ns);

/* window_forget - forgets a value; nothing happens if the group does not hold it. */
void window_forget(struct window *w, const struct group_key *group, const struct window_value *v);

/* The values that a group holds, until the window changes. */
struct window_values {
	const struct window *of;
	const void *at;
	uint32_t n;
};

/* window_values - those of a group; none (n is 0) if there is no such group. window_value - the
 * i-th of them. window_port - the port of that one, which is all that a look over many wants. */
struct window_values window_values(const struct window *w, const struct group_key *group);
struct window_value window_value(const struct window_values *v, uint32_t i);
uint16_t window_port(const struct window_values *v, uint32_t i);

/* window_count - distinct values of a group in [end - span, end] (sliding), or in all (tumbling).
 */
uint32_t window_count(const struct window *w, const struct group_key *group, uint64_t end_ns);

/* window_expire - lets go of groups whose last news is older than span and slack, WINDOW_EXPIRE at
 * the most. Those that are left for later count for nothing meanwhile, but among `groups`. */
enum {
	WINDOW_EXPIRE = 2048 /* about half a millisecond; each rule has a window */
};
void window_expire(struct window *w, uint64_t now_ns);

void window_stats_get(const struct window *w, struct window_stats *ret);

/* window_save - writes down all that a window holds. window_load - takes it in again, into an empty
 * window of the same span and mode; what its limits are too small for leaves as it would have.
 * Returns 0, -EINVAL if b does not hold what window_save() wrote, or -ENOMEM. */
void window_save(const struct window *w, struct blob *b);
int window_load(struct window *w, struct blob *b);

#endif
