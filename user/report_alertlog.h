/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Alerts from a log of them: the ECS documents, one a line, that `--json` and files write. Plain or
 * gzip-compressed. A line that is none is counted and said once a file. */
#ifndef RECONMON_REPORT_ALERTLOG_H
#define RECONMON_REPORT_ALERTLOG_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>
#include <zlib.h>

#include "report_model.h"

/* report_alertlog_is - does the file begin as such a log, or is it empty? Standard input is taken
 * for none, and so is a file that cannot be read. */
bool report_alertlog_is(const char *file);

/* report_alertlog_next - the next line, without its end, NUL-terminated in *line, which is of *room
 * bytes and grows; both begin as NULL and 0, and *line is the caller's to free. Returns its length;
 * -1: there is none; -2: it is too long or there is no memory for it, and was passed over. */
ssize_t report_alertlog_next(gzFile gz, char **line, size_t *room);

/* report_alertlog_read - puts all alerts of the file into m. Returns 0, or a negative errno with
 * err filled: it cannot be opened. */
int report_alertlog_read(const char *file, struct report *m, struct error *err);

/* report_alertlog_line - one document of len bytes. Returns 0, or -EINVAL: it is no alert. */
int report_alertlog_line(const char *text, size_t len, struct report *m);

/* report_alertlog_document - the same of a document that is read; *ret is for report_alert_put().
 */
int report_alertlog_document(const json_t *doc, struct report_alert *ret);

/* report_time_read - "2026-11-25T02:50:00.123456Z" in nanoseconds since the epoch. False: it is
 * none, before 1970 or after 2261; *ret may be changed then. */
bool report_time_read(const char *text, uint64_t *ret);

#endif
