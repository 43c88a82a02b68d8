// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "attack.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* All tactics, and the techniques that a scan may be a sign of. Names change with versions of
 * ATT&CK, ids do not. */
static const struct {
	const char *id, *name;
} names[] = {
	{ "TA0043", "Reconnaissance" },
	{ "TA0042", "Resource Development" },
	{ "TA0001", "Initial Access" },
	{ "TA0002", "Execution" },
	{ "TA0003", "Persistence" },
	{ "TA0004", "Privilege Escalation" },
	{ "TA0005", "Defense Evasion" },
	{ "TA0006", "Credential Access" },
	{ "TA0007", "Discovery" },
	{ "TA0008", "Lateral Movement" },
	{ "TA0009", "Collection" },
	{ "TA0011", "Command and Control" },
	{ "TA0010", "Exfiltration" },
	{ "TA0040", "Impact" },
	{ "T1016", "System Network Configuration Discovery" },
	{ "T1018", "Remote System Discovery" },
	{ "T1021", "Remote Services" },
	{ "T1046", "Network Service Discovery" },
	{ "T1110", "Brute Force" },
	{ "T1135", "Network Share Discovery" },
	{ "T1190", "Exploit Public-Facing Application" },
	{ "T1210", "Exploitation of Remote Services" },
	{ "T1590", "Gather Victim Network Information" },
	{ "T1590.004", "Network Topology" },
	{ "T1590.005", "IP Addresses" },
	{ "T1592", "Gather Victim Host Information" },
	{ "T1592.002", "Software" },
	{ "T1595", "Active Scanning" },
	{ "T1595.001", "Scanning IP Blocks" },
	{ "T1595.002", "Vulnerability Scanning" },
	{ "T1595.003", "Wordlist Scanning" },
};

const char *attack_name(const char *id)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(names[i].id, id))
			return names[i].name;
	return NULL;
}

/* matches - text has the form of a pattern in which 0 stands for a digit; returns what follows in
 * text, or NULL. */
static const char *matches(const char *text, const char *pattern)
{
	for (; *pattern; pattern++, text++)
		if (*pattern == '0' ? !isdigit((unsigned char)*text) : *text != *pattern)
			return NULL;
	return text;
}

int attack_parse(const char *what, const char *text, struct attack_ref *ret, struct error *err)
{
	const char *tactic_end = matches(text, "TA0000/");
	const char *technique_end = tactic_end ? matches(tactic_end, "T0000") : NULL;
	const char *sub_end = technique_end ? matches(technique_end, ".000") : NULL;
	const char *end = sub_end ? sub_end : technique_end;

	if (!strcmp(text, "none")) {
		memset(ret, 0, sizeof(*ret));
		return 0;
	}
	if (!end || *end)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "%s '%.80s': TACTIC/TECHNIQUE of MITRE ATT&CK is accepted, as in "
				 "TA0007/T1046 or TA0043/T1595.002, or none",
				 what, text);
	memset(ret, 0, sizeof(*ret));
	memcpy(ret->tactic_id, text, 6);
	memcpy(ret->technique_id, tactic_end, 5);
	if (sub_end)
		memcpy(ret->sub_id, tactic_end, 9);
	return 0;
}

const char *attack_format(const struct attack_ref *ref, char *buf)
{
	if (!ref->tactic_id[0])
		return strcpy(buf, "none");
	snprintf(buf, ATTACK_TEXT, "%s/%s", ref->tactic_id,
		 ref->sub_id[0] ? ref->sub_id : ref->technique_id);
	return buf;
}
