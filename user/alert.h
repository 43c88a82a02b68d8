/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One alert: what a rule found about one group, from the threshold to the end of a window without
 * news. One scan is one alert; a second scan after the close is another. */
#ifndef RECONMON_ALERT_H
#define RECONMON_ALERT_H

#include <reconmon/attempt.h>
#include <stdbool.h>
#include <stdint.h>

#include "hostset.h"
#include "incident.h"
#include "owner.h"
#include "portset.h"
#include "rule.h"

enum alert_state {
	ALERT_OPEN,
	ALERT_UPDATE, /* its count has doubled, or a kind of answer is new */
	ALERT_CLOSE,
};

/* alert_state_name - "open", "update", "close". */
const char *alert_state_name(enum alert_state s);

enum {
	ALERT_ID_LEN = 24,
	/* Distinct responders, or pairs of responder and port, that are told apart; beyond:
	 * hosts_cut. */
	ALERT_HOSTS_MAX = HOSTSET_MAX,
	ALERT_OWNERS_MAX = 32,	   /* distinct owners told apart; beyond: owners_cut */
	ALERT_HOSTS_MANY = 5,	   /* responders of an incident: no mistake of one program's */
	ALERT_TECHNIQUES_MAX = 16, /* names that alert_techniques() may give */
};

struct alert {
	char id[ALERT_ID_LEN];	 /* event.id, the same from open to close */
	const struct rule *rule; /* outlives the alert */
	/* What it belongs to (incident.h): its originator's alerts share it; "": nothing. */
	char incident[INCIDENT_ID_LEN];
	uint32_t incident_hosts; /* responders with alerts of their own in it, so far */

	/* The group. Fields that rule->group leaves out are zero; proto 0 means any. */
	struct ip_addr orig, resp;
	uint16_t resp_port; /* host byte order */
	uint8_t proto;

	struct portset *ports; /* where ports are counted; else NULL */
	/* Where responders are counted (sweep), those; of a rule about many originators, they; else
	 * NULL. Where pairs are listed, ports and hosts tell what the pairs are made of. */
	struct host_value *hosts;
	uint32_t n_hosts;
	bool hosts_cut; /* more responders or pairs than ALERT_HOSTS_MAX */

	/* Who did it, where the attempts left from this host: the first whose process is known,
	 * else the first of all (owner_ref()); when; and how many there were. */
	const struct owner *owner; /* NULL: unknown */
	uint64_t owner_ns;
	uint32_t owner_id[ALERT_OWNERS_MAX];
	uint32_t owners;
	bool owners_cut;

	uint32_t count;		    /* distinct ports, responders or pairs since it opened */
	uint64_t attempts;	    /* attempts counted in, repeats included */
	uint32_t bits;		    /* CONTACT_* of all of them */
	uint64_t first_ns, last_ns; /* CLOCK_BOOTTIME (live) of the first and the last probe */
	uint32_t ifindex;	    /* of the first */
	char ifname[16];	    /* its name then; "" if it is gone or unknown */
	uint8_t dir;		    /* enum attempt_dir of the first */
	bool orig_internal;	    /* originator in the internal networks */
	bool retracted;		    /* closed because payload came after all */
	bool incomplete; /* evidence was lost while it lived (evictions, full maps, no memory) */
	uint64_t unfollowed; /* attempts, anybody's, that the flood guard left out meanwhile */
	uint32_t unopened;   /* output.c's: set of outputs that were to be told of `open` and were
			      * not yet */
};

/* alert_span_ns - from the first to the last probe. */
uint64_t alert_span_ns(const struct alert *a);

/* alert_rate - attempts a second over its life so far; 0 while that is no time at all. */
double alert_rate(const struct alert *a);

/* alert_answer - what these CONTACT_* bits say of the port. */
enum answer alert_answer(uint32_t bits);

/* alert_techniques - names of the techniques seen ("syn", "connect", "udp", "null", ...), as nmap
 * names them; "flags" is a combination that has no name, "ack" also nmap's window scan, which sends
 * the same packets. A TCP scan that found only closed or silent ports cannot be told apart and is
 * called "syn".
 * Fills ret (ALERT_TECHNIQUES_MAX entries) and returns how many. */
unsigned int alert_techniques(const struct alert *a, const char **ret);

/* alert_attack - the line of ATT&CK that fits where the originator is. */
const struct attack_ref *alert_attack(const struct alert *a);

/* alert_severity - 0 to 10; the rule's, if it has one, else from facts: 4; +1 if ports were found
 * open; +2 if the originator is internal (somebody is in already); +1 from 100 distinct values on;
 * +1 if it sent what no ordinary program sends (CONTACT_ODD); +1 if its incident has
 * ALERT_HOSTS_MANY responders. Whose it was says who, and not how bad it is. */
int alert_severity(const struct alert *a);

#endif
