/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What does this host allow, and what would reconmon therefore do? Asks, loads the programs once to
 * see what the kernel says of them, and attaches nothing to any interface: some drivers reset the
 * link when XDP is attached, which a question must not do. */
#ifndef RECONMON_DOCTOR_H
#define RECONMON_DOCTOR_H

#include <jansson.h>

#include "config.h"
#include "error.h"

enum finding_level {
	FINDING_OK,
	FINDING_NOTE,	 /* reconmon works, with less of something */
	FINDING_PROBLEM, /* it does not */
};

/* What is being found. doctor_find() is the one door to it, so that text and JSON say the same. */
struct doctor {
	const struct config *cfg;
	json_t *findings;
	int code;     /* enum exit_code of the first problem; 0: none */
	bool no_json; /* memory ran out: the findings are not complete */
};

/* doctor_find - one finding about `topic` (a word of the host: "kernel"; or an interface's name).
 * `remedy`, NULL if there is nothing to do, is a whole sentence. code: enum exit_code of the daemon
 * where the level is FINDING_PROBLEM. Returns the finding's "facts", an object to put numbers and
 * names into, borrowed; NULL if memory ran out, which jansson's setters take. */
json_t *doctor_find(struct doctor *d, enum finding_level level, enum exit_code code,
		    const char *topic, const char *remedy, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));

/* doctor_host - kernel, rights, memory, programs. doctor_ifaces - the interfaces, one by one. */
void doctor_host(struct doctor *d);
void doctor_ifaces(struct doctor *d);

/* doctor_kernel_has - is the running kernel at least this one? By uname(2). */
bool doctor_kernel_has(unsigned int major, unsigned int minor);

/* doctor_run - `reconmon doctor`: findings to standard output, as text or (cfg->json) one JSON
 * document. Returns the exit code that the daemon would end with: EXIT_FINE, EXIT_NOT_PERMITTED,
 * EXIT_KERNEL or EXIT_RUNTIME, with err filled unless fine. */
int doctor_run(const struct config *cfg, struct error *err);

#endif
