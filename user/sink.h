/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* How alerts are written. A sink turns one alert in one state into one line; sink_text.c writes for
 * people, sink_json.c one Elastic Common Schema document. */
#ifndef RECONMON_SINK_H
#define RECONMON_SINK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "alert.h"
#include "config.h"
#include "geoip.h"
#include "services.h"

/* What a sink needs to know beside the alert. */
struct sink_context {
	int64_t wall_offset_ns; /* CLOCK_REALTIME - CLOCK_BOOTTIME; 0 where times are wall clock */
	uint64_t now_ns;	/* CLOCK_BOOTTIME: when the alert is written */
	uint64_t sequence; /* event.sequence: 1, 2, 3 ... of this output; a gap is what was lost */
	const char *hostname;		 /* "" if unknown */
	const char *host_id;		 /* /etc/machine-id, "" if unknown */
	bool color;			 /* sink_text only */
	const struct allow *allow;	 /* the allow-list; NULL: there is none */
	bool offline;			 /* replay: the files may have been taken anywhere */
	const struct services *services; /* names of ports; NULL: numbers alone */
	const struct geo *geo;		 /* where an external originator is; NULL: unknown */
};

enum {
	SINK_TIME_MAX = 40,
	SINK_SENTENCE_MAX = 512,
	SINK_UNFOLLOWED_MAX = 80,
};

/* sink_time - writes t_ns (the clock of the alert) as UTC, "2026-11-25T02:50:00.123456Z", with 0 to
 * 9 decimals into buf of SINK_TIME_MAX bytes; returns buf. */
const char *sink_time(const struct sink_context *ctx, uint64_t t_ns, int decimals, char *buf);

/* sink_message - the alert in one sentence, into buf of SINK_SENTENCE_MAX bytes: "port-scan:
 * 10.0.0.5 probed 4 ports of 10.0.0.9 over tcp: 22,80,443,8080". sink_reason - why it was raised:
 * "4 distinct silent ports, threshold 3 in 300 s". Both return buf. */
const char *sink_message(const struct alert *a, char *buf);
const char *sink_reason(const struct alert *a, char *buf);

/* sink_unfollowed - "; amid a flood of which 12 attempts were not followed", or "", into buf of
 * SINK_UNFOLLOWED_MAX bytes. */
const char *sink_unfollowed(const struct alert *a, char *buf);

/* sink_ports - the ports with that answer (ANSWER_MAX: all) as ranges, into text of size bytes. A
 * sweep has no set of ports but one in its group, known by its best answer at any host, as in a
 * set. Returns whether the text was cut. */
bool sink_ports(const struct alert *a, enum answer answer, char *text, size_t size);

/* sink_has_orig - whether the alert has one originator; else a->hosts are they. sink_parties - how
 * many originators or responders a->hosts stands for, which goes on where that list ends; 0: there
 * is no list. */
bool sink_has_orig(const struct alert *a);
uint32_t sink_parties(const struct alert *a);

/* sink_direction - "ingress" or "egress", or NULL: over captures nobody knows where the host is. */
const char *sink_direction(const struct alert *a, const struct sink_context *ctx);

/* sink_has_port - whether the group has one port. ICMP has none: what its contacts are filed under
 * is 0. sink_counted - what the rule counts, as a noun: "port", "host", "IP protocol", "pair of
 * host and port"; of none or several with its plural. */
bool sink_has_port(const struct alert *a);
const char *sink_counted(const struct alert *a, uint32_t n);

/* sink_service - what the port of an alert's protocol is called, or NULL if it has no name. */
const char *sink_service(const struct alert *a, const struct sink_context *ctx, uint16_t port);

/* sink_known - text, or NULL if there is none or it is not UTF-8: a host's or interface's odd name
 * must not cost the alert. */
const char *sink_known(const char *text);

/* sink_clean - text of anybody's making as UTF-8, into buf of size bytes: if it is none, its odd
 * bytes become '?'. NULL gives "". Returns buf. */
const char *sink_clean(const char *text, char *buf, size_t size);

/* sink_wall_ms - a moment of the alert's clock in milliseconds since the epoch. */
int64_t sink_wall_ms(const struct sink_context *ctx, uint64_t t_ns);

/* A format: how an alert is written. */
struct sink {
	/* write - one alert in one state, one line. Returns 0, or -ENOMEM, or -EIO with the
	 * stream's errno. */
	int (*write)(FILE *out, const struct alert *a, enum alert_state state,
		     const struct sink_context *ctx);
	/* begin, end - what a file of this format begins and ends with; NULL: nothing. wall_ns is
	 * CLOCK_REALTIME. Return 0 or -EIO. */
	int (*begin)(FILE *out, uint64_t wall_ns);
	int (*end)(FILE *out, uint64_t wall_ns);
};

/* sink_of - the writer of a format (not FORMAT_DEFAULT). */
const struct sink *sink_of(enum output_format format);

/* sink_text_write - one line for a person. Returns 0, or -EIO (errno of the stream). Flushes. */
int sink_text_write(FILE *out, const struct alert *a, enum alert_state state,
		    const struct sink_context *ctx);

/* sink_json_write - one ECS 9.4.0 document on one line. Returns 0, -EIO or -ENOMEM. Flushes. */
int sink_json_write(FILE *out, const struct alert *a, enum alert_state state,
		    const struct sink_context *ctx);

/* sink_frame_syslog - what stands before the line: RFC 5424 with the parties as structured data;
 * for a local socket what syslog(3) writes; for LEEF the short header that its readers expect.
 * Returns 0 or -EIO. */
int sink_frame_syslog(FILE *out, const struct alert *a, enum alert_state state,
		      const struct sink_context *ctx, const struct output_config *oc);

/* sink_journal_write - the datagram of a journal entry (systemd.io, JOURNAL_NATIVE_PROTOCOL).
 * sink_syslog_severity - 2 (critical) to 5 (notice), from the alert's severity. */
int sink_journal_write(FILE *out, const struct alert *a, enum alert_state state,
		       const struct sink_context *ctx);
int sink_syslog_severity(const struct alert *a);

/* The same of an OCSF 1.8.0 Detection Finding, a CEF event, a LEEF 2.0 event, and a row of Zeek's
 * notice.log as TSV and as JSON. */
int sink_ocsf_write(FILE *out, const struct alert *a, enum alert_state state,
		    const struct sink_context *ctx);
int sink_cef_write(FILE *out, const struct alert *a, enum alert_state state,
		   const struct sink_context *ctx);
int sink_leef_write(FILE *out, const struct alert *a, enum alert_state state,
		    const struct sink_context *ctx);
int sink_zeek_tsv_write(FILE *out, const struct alert *a, enum alert_state state,
			const struct sink_context *ctx);
int sink_zeek_json_write(FILE *out, const struct alert *a, enum alert_state state,
			 const struct sink_context *ctx);
int sink_zeek_tsv_begin(FILE *out, uint64_t wall_ns);
int sink_zeek_tsv_end(FILE *out, uint64_t wall_ns);

#endif
