/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Libraries that only some runs need, loaded by those: with what they bring along, libcurl alone
 * would double an idle daemon's memory. Types and constants are their headers'. */
#ifndef RECONMON_LIBRARY_H
#define RECONMON_LIBRARY_H

#include <stddef.h>

#include "error.h"

enum {
	LIBRARY_FILES_MAX = 2,
};

/* A function by its name, and the pointer that is to point to it. */
struct library_symbol {
	const char *name;
	void **to;
};

struct library {
	const char *name;		     /* as errors say it */
	const char *file[LIBRARY_FILES_MAX]; /* for ld.so(8); the first that is there is taken */
	const char *use;		     /* "for captures": what wants it */
	const char *remedy;		     /* where it is missing */
	const struct library_symbol *symbol;
	size_t n_symbols;
	void *handle; /* NULL: not loaded */
};

/* library_load - unless it is loaded: loads l and finds its functions. It stays until the end, as
 * it may have threads of its own. Returns 0, or -ENOENT with err filled; then none of the functions
 * may be called. Not for two threads at once. */
int library_load(struct library *l, struct error *err);

#endif
