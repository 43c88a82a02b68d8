/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Rows as Zeek writes them: TSV under its header lines, or JSON with the columns that have no value
 * left out. notice.log (sink_zeek.c) and conn.log (conn_row.c) are tables of this kind. */
#ifndef RECONMON_ZEEK_TABLE_H
#define RECONMON_ZEEK_TABLE_H

#include <stdint.h>
#include <stdio.h>

#include "alert.h"

enum {
	ZEEK_COLUMNS_MAX = 64,
};

struct zeek_column {
	const char *name, *type; /* "id.orig_h", "addr" */
};

struct zeek_table {
	const char *path; /* "conn": the log's name */
	const struct zeek_column *column;
	unsigned int columns; /* at most ZEEK_COLUMNS_MAX */
};

/* ZEEK_TABLE - from a list of columns, COLUMNS(X) with X(ID, "name", "type") for each: their
 * numbers COL_ID, COL_MAX, and the table. */
#define ZEEK_COLUMN_NUMBER(id, name, type) COL_##id,
#define ZEEK_COLUMN(id, name, type)	   [COL_##id] = { name, type },
#define ZEEK_TABLE(table, path, COLUMNS)                                                           \
	enum column {                                                                              \
		COLUMNS(ZEEK_COLUMN_NUMBER) COL_MAX,                                               \
	};                                                                                         \
	_Static_assert((int)COL_MAX <= (int)ZEEK_COLUMNS_MAX, "room for a row");                   \
	static const struct zeek_column table##_columns[COL_MAX] = { COLUMNS(ZEEK_COLUMN) };       \
	static const struct zeek_table table = { path, table##_columns, COL_MAX }

enum zeek_cell_kind {
	CELL_UNSET,
	CELL_TEXT,
	CELL_COUNT, /* ports too */
	CELL_TIME,  /* millionths: of seconds (intervals too), of degrees */
	CELL_SET,   /* elements joined by NUL, an empty one ends it */
	CELL_BOOL,
};

struct zeek_cell {
	enum zeek_cell_kind kind;
	const char *text; /* the caller's, until the row is written */
	int64_t number;
};

/* zeek_set_text - UTF-8; NULL, "" and what is none leave the cell unset. zeek_set_number likewise
 * for the other kinds. */
void zeek_set_text(struct zeek_cell *c, const char *text);
void zeek_set_number(struct zeek_cell *c, enum zeek_cell_kind kind, int64_t n);

/* zeek_set_techniques - those of an alert as a set, in text of ZEEK_TECHNIQUES_MAX bytes; none
 * leave the cell unset. */
enum {
	ZEEK_TECHNIQUES_MAX = 256
};
void zeek_set_techniques(struct zeek_cell *c, const struct alert *a, char *text);

/* zeek_proto - what Zeek calls a protocol: one of its transport_proto (init-bare.zeek). */
const char *zeek_proto(uint8_t proto);

/* zeek_tsv_row - one row of t->columns cells. zeek_json_row likewise, as one object. Return 0, or
 * -ENOMEM, or -EIO with the stream's errno. */
int zeek_tsv_row(FILE *out, const struct zeek_table *t, const struct zeek_cell *cells);
int zeek_json_row(FILE *out, const struct zeek_table *t, const struct zeek_cell *cells);

/* zeek_tsv_begin, zeek_tsv_end - the lines around a file of rows; wall_ns is CLOCK_REALTIME. */
int zeek_tsv_begin(FILE *out, const struct zeek_table *t, uint64_t wall_ns);
int zeek_tsv_end(FILE *out, uint64_t wall_ns);

#endif
