/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* MITRE ATT&CK, Enterprise, version 16.1 (https://attack.mitre.org): the ids a rule carries and the
 * names that belong to them. */
#ifndef RECONMON_ATTACK_H
#define RECONMON_ATTACK_H

#include "error.h"

enum {
	ATTACK_TEXT = 24 /* "TA0043/T1595.002" */
};

/* One line of ATT&CK. All empty: none. */
struct attack_ref {
	char tactic_id[8];    /* TA0043 */
	char technique_id[8]; /* T1595 */
	char sub_id[12];      /* T1595.002; "": no sub-technique */
};

/* attack_parse - reads "TACTIC/TECHNIQUE", as in TA0007/T1046 or TA0043/T1595.002, or "none".
 * Returns 0, or -EINVAL with err filled: *ret is unchanged then. `what` names the option. */
int attack_parse(const char *what, const char *text, struct attack_ref *ret, struct error *err);

/* attack_format - the text that attack_parse() reads back, into buf of ATTACK_TEXT bytes. */
const char *attack_format(const struct attack_ref *ref, char *buf);

/* attack_name - what ATT&CK calls a tactic, technique or sub-technique; NULL if it is none of those
 * that have to do with scans (a user may refer to any). */
const char *attack_name(const char *id);

#endif
