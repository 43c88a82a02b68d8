/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What does a report know? Probes and alerts as they come in, from files (replay.h) or from a log
 * of alerts, and, once all is in, what they make together: incidents in order of severity, what
 * each originator learnt, and what may be missing.
 *
 * Memory is bounded: marks (a probe's place in a picture) are thinned where they are dense, alerts
 * beyond REPORT_ALERTS_MAX leave by severity, least first, and both are counted. Counts of ports
 * and hosts come from the alerts, which the engine keeps exactly, and not from the marks. All times
 * are nanoseconds since the epoch. */
#ifndef RECONMON_REPORT_MODEL_H
#define RECONMON_REPORT_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alert.h"
#include "config.h"
#include "pieces.h"

struct counters;

enum {
	REPORT_MARKS_MAX = 1 << 19, /* 48 bytes each */
	REPORT_ALERTS_MAX = 4096,   /* kept; twice as many while they come in */
	REPORT_DENSE = 8192,	    /* marks of one scan beyond which they are thinned, at first */
	REPORT_BINS = 240,	    /* of the probes' histogram */
	REPORT_NOTES_MAX = 64,	    /* sentences about what was read */
	REPORT_NOTE_LEN = 256,	    /* bytes of one */
	REPORT_TEXT_LEN = 256,	    /* of words about an alert */
	REPORT_TARGETS_MAX = 16384, /* responders about which is told what was learnt */
	REPORT_LET_BE_MAX = 200,    /* habits that are listed */
};

/* How a probe is drawn: by its answer, or by what else is known of it. */
enum mark_kind {
	MARK_OPEN = ANSWER_OPEN,
	MARK_CLOSED = ANSWER_CLOSED,
	MARK_FILTERED = ANSWER_FILTERED,
	MARK_NONE = ANSWER_NONE,
	MARK_SPOKE = ANSWER_MAX, /* no probe: the originator sent payload (rules on contacts) */
	MARK_UNTOLD,		 /* a log of alerts does not say what this host answered */
	MARK_MAX,
};

/* mark_name - "open", ..., "spoke", "untold". */
const char *mark_name(enum mark_kind kind);

struct report_mark {
	struct ip_addr orig, resp;
	uint64_t t_ns;
	uint16_t port; /* host byte order */
	uint8_t proto;
	uint8_t kind; /* enum mark_kind */
	uint32_t of;  /* 0: a probe; else the hash of the id of the logged alert that named it */
};

/* What a rule counts, as far as a report tells it. */
enum report_shape {
	SHAPE_PORTS, /* ports: of one host, or of any */
	SHAPE_HOSTS, /* hosts: one port of many */
	SHAPE_PAIRS, /* both */
};

struct report_host {
	struct ip_addr addr;
	uint8_t kind; /* enum mark_kind: the best answer */
	uint8_t pad[7];
};

/* An alert, from the engine or from a log. */
struct report_alert {
	char id[64], incident[64]; /* "": unknown */
	char rule[RULE_NAME_MAX + 1];
	char techniques[REPORT_TEXT_LEN]; /* "syn, fragment" */
	char owner[REPORT_TEXT_LEN];	  /* "nmap[4242], uid 1000"; "": unknown */
	char where[64];			  /* "in on eth0"; "": unknown */
	char attack[32];		  /* "T1046"; "": none */
	enum report_shape shape;
	struct ip_addr orig, resp;
	bool has_resp, has_port;
	bool joint; /* of many originators together: `hosts` are they, and orig is zero */
	uint16_t port;
	uint8_t proto; /* 0: any */
	uint8_t severity;
	bool closed, retracted, incomplete;
	bool cut;      /* lists of ports or hosts were cut where it was written down */
	bool from_log; /* its marks are those that bear the hash of its id */
	bool timed;    /* ... at the time of their probes; else of the line that first named them */
	bool contacts; /* its rule counts attempts whatever their payload */
	uint32_t count;	   /* distinct ports, hosts or pairs */
	uint64_t attempts; /* 0: unknown */
	uint32_t threshold;
	uint64_t window_ns;
	double rate;
	uint64_t first_ns, last_ns;
	struct portset *ports;	   /* NULL: none are counted */
	struct report_host *hosts; /* where responders are counted; n_hosts of them */
	uint32_t n_hosts;
};

/* report_alert_done - frees what an alert holds. */
void report_alert_done(struct report_alert *a);

/* report_alert_opens - ports, or hosts, that were found open. */
uint32_t report_alert_opens(const struct report_alert *a);

/* What one originator learnt of one responder. */
struct report_target {
	struct ip_addr orig; /* zero: many together */
	struct ip_addr resp;
	bool any; /* of no responder in particular: rules that count over all of them */
	uint8_t proto;
	struct portset *ports;	/* of an alert, or the target's own (own_ports); NULL: none */
	struct portset *untold; /* whose answers are not known (a sweep in a log); NULL: none */
	bool own_ports;
};

/* Alerts that belong together. */
struct report_incident {
	uint32_t
		originators; /* that have alerts in it, or were at it together; decoys among them */
	const char *id;	     /* "" if its alerts have none */
	struct report_alert **alert; /* by rank, the worst first */
	size_t alerts;
	struct report_target *target; /* those with open ports first, then by address */
	size_t targets, targets_left_out;
	uint32_t opens; /* open ports of hosts, whoever found them */
	uint8_t severity;
	uint64_t first_ns, last_ns;
};

/* A habit or an entry of the allow-list that let something be. */
struct report_let_be {
	char what[REPORT_TEXT_LEN], why[REPORT_TEXT_LEN];
	uint64_t attempts;
};

/* A rule that was in effect. */
struct report_rule {
	char name[RULE_NAME_MAX + 1];
	char words[REPORT_TEXT_LEN];
	char window[48]; /* "5m, sliding" */
	uint32_t threshold;
	uint64_t alerts;
	bool off;
};

struct report_counter {
	char name[32], text[120];
	uint64_t n;
	bool lost; /* evidence that left unseen */
};

struct report {
	const struct config *cfg;

	/* While it comes in. */
	struct report_mark *mark; /* in order of arrival; by originator and time once finished */
	size_t marks, marks_room;
	struct report_alert *alert;
	size_t alerts, alerts_room;
	uint32_t *by_id; /* log of alerts: hash of ids to index + 1; by_id_size is a power of two */
	size_t by_id_size;
	uint32_t *size; /* marks that each scan of ports and of hosts had, by a hash */
	uint32_t most;	/* of a scan about so many are kept; 0: nothing is thinned yet */
	uint64_t suspects[1 << 10]; /* a bit for the hash of each originator that has an alert */
	uint64_t window_ns;	    /* the longest of a rule on probes */
	bool keeps_spoken;	    /* a rule counts contacts whatever their payload */

	/* Probes over time, all that rules counted: REPORT_BINS bins of bin_ns from bin_base_ns. */
	uint64_t bin[REPORT_BINS][MARK_SPOKE];
	uint64_t bin_base_ns, bin_ns;
	uint64_t probes; /* all of them */

	/* What it was made of. */
	uint64_t first_ns, last_ns; /* of everything that was looked at; 0: nothing */
	uint64_t read, skipped;	    /* packets or rows; which of them could not be used */
	uint64_t log_lines, log_skipped;
	uint64_t marks_thinned;	 /* probes without a mark */
	uint64_t alerts_dropped; /* beyond REPORT_ALERTS_MAX */
	uint64_t alerts_seen;
	uint64_t no_memory;
	char note[REPORT_NOTES_MAX][REPORT_NOTE_LEN];
	size_t notes;
	uint64_t notes_more;				/* that found no room */
	char source[REPORT_NOTES_MAX][REPORT_NOTE_LEN]; /* what was read */
	size_t sources, sources_more;

	struct report_counter *counter;
	size_t counters;
	uint64_t lost;
	bool engine; /* counters, habits and the allow-list are known */
	bool live;   /* ... of a daemon that runs */
	struct report_rule *rule;
	size_t rules;
	uint64_t marks_untold; /* probes of its alerts that the daemon keeps no time of */
	struct report_let_be *let_be;
	size_t let_bes;
	uint64_t habits, habits_excused, allowed, outweighed, retracted;
	uint64_t rule_alerts[RULES_MAX]; /* raised so far, by the order of cfg->rules */

	/* Once finished. */
	struct report_incident *incident;
	size_t incidents;
	uint64_t opens;			  /* open ports of hosts over all incidents */
	struct report_alert **taken_back; /* retracted: no scans after all */
	size_t taken_backs;
};

/* report_new - an empty report over the rules of cfg, which must outlive it. NULL for want of
 * memory; free with report_free(). */
struct report *report_new(const struct config *cfg);
void report_free(struct report *m); /* NULL is fine */

/* report_told, report_emit, report_complained, report_ended - what struct replay_tap calls; ctx is
 * the report. */
void report_told(void *ctx, const struct piece *piece, bool counted);
void report_emit(void *ctx, struct alert *a, enum alert_state state);
void report_complained(void *ctx, const char *text);
void report_ended(void *ctx, const struct counters *c, uint64_t read, uint64_t skipped);

/* report_mark_add - a probe, or what stands for one. */
void report_mark_add(struct report *m, const struct report_mark *mark);

/* report_alert_put - an alert from a log: a new one, or news of one that is there by its id. Takes
 * over what *a holds. Each port and host that the log had not named before gets a mark at
 * named_ns. */
void report_alert_put(struct report *m, struct report_alert *a, uint64_t named_ns);

/* report_alert_has - is there an alert of that id from a log? */
bool report_alert_has(const struct report *m, const char *id);

/* report_counter_add - a counter and what it counts; "lost: " in front of that: evidence that left
 * unseen. report_rule_add - a rule that was in effect, in the words of whoever had it.
 * report_let_be_add - what a habit or an entry of the allow-list let be, and why (printf). */
void report_counter_add(struct report *m, const char *name, uint64_t n, const char *text);
struct report_rule *report_rule_add(struct report *m, const char *name, const char *words,
				    uint32_t threshold, uint64_t window_ns, uint64_t alerts);
void report_let_be_add(struct report *m, uint64_t attempts, const char *what, const char *why, ...)
	__attribute__((format(printf, 4, 5)));

/* report_source_add - names something that was read (printf). report_note_add - a sentence about
 * it. Both are cut at REPORT_NOTE_LEN. */
void report_source_add(struct report *m, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void report_note_add(struct report *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* report_thin_evenly - what came early is thinned as what came late. */
void report_thin_evenly(struct report *m);

/* report_id_hash - of an alert's id; never 0. report_keep_worst - sorts alerts by rank, the worst
 * first, and lets go of what is beyond REPORT_ALERTS_MAX. */
uint32_t report_id_hash(const char *id);
void report_keep_worst(struct report *m);

/* report_finish - all is in: sorts marks and alerts, makes incidents. Returns 0 or -ENOMEM. */
int report_finish(struct report *m);

/* report_marks_of - calls fn for each mark of an alert, in order of time (of many originators: one
 * after the other). After report_finish(). */
typedef void report_mark_fn(void *ctx, const struct report_mark *mark);
void report_marks_of(const struct report *m, const struct report_alert *a, report_mark_fn *fn,
		     void *ctx);

#endif
