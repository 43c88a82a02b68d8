/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Times, counts and words as people write them; one way to read them wherever they stand. */
#ifndef RECONMON_WORDS_H
#define RECONMON_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

/* duration_parse - reads a time like "300ms", "5s", "10m", "24h", "7d" (a unit is required;
 * decimals are allowed) that lies between min_ns and max_ns. Returns 0, or -EINVAL with err filled.
 * `what` names the option. */
int duration_parse(const char *what, const char *text, uint64_t min_ns, uint64_t max_ns,
		   uint64_t *ret_ns, struct error *err);

/* duration_format - the shortest form duration_parse() reads back: "5m", "1.5s", "100ms" (never a
 * leading "0." above a millisecond). buf: 32 bytes. */
const char *duration_format(uint64_t ns, char *buf);

/* count_parse - reads a whole decimal number from min to max. Returns 0, or -EINVAL with err
 * filled; `what` names the option. */
int count_parse(const char *what, const char *text, uint32_t min, uint32_t max, uint32_t *ret,
		struct error *err);

/* size_parse - reads bytes from min to max: a whole number, with K, M or G. Returns 0, or -EINVAL
 * with err filled. size_format - the shortest that it reads back, into buf of WORDS_SIZE_MAX bytes;
 * returns buf. */
enum {
	WORDS_SIZE_MAX = 16
};
int size_parse(const char *what, const char *text, uint32_t min, uint32_t max, uint32_t *ret,
	       struct error *err);
const char *size_format(uint32_t n, char *buf);

/* choice_parse - reads one of n words; *ret becomes its index. Returns 0, or -EINVAL with err
 * filled; `what` names the option. */
int choice_parse(const char *what, const char *text, const char *const *words, unsigned int n,
		 unsigned int *ret, struct error *err);

/* name_find - the index of the name that is word[0..len), or -EINVAL with err filled: the name that
 * was probably meant, and all there are. `kind` says what they are names of, in the singular. */
int name_find(const char *kind, const char *word, size_t len, const char *const *names,
	      unsigned int n, struct error *err);

/* text_is_plain - whether it is UTF-8 without control characters, which would reach terminals, logs
 * and files that hold nothing else. */
bool text_is_plain(const char *text);

#endif
