// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* How are times, counts and words read, on the command line and in the configuration file alike?
 * Always the whole string or nothing; what is refused is told with what is accepted. */
#include "words.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define NS_PER_MS 1000000ull
#define NS_PER_S  1000000000ull
#define NS_PER_M  (60 * NS_PER_S)
#define NS_PER_H  (60 * NS_PER_M)
#define NS_PER_D  (24 * NS_PER_H)

/* --- words and numbers --- */

int count_parse(const char *what, const char *text, uint32_t min, uint32_t max, uint32_t *ret,
		struct error *err)
{
	const char *p = text;
	uint64_t n = 0;

	for (; *p >= '0' && *p <= '9' && n <= max; p++)
		n = n * 10 + (uint64_t)(*p - '0'); /* below 2^36: max has 32 bits */
	if (p == text || *p || n < min || n > max)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "%s '%.80s': a whole number from %u to %u is accepted", what, text,
				 min, max);
	*ret = (uint32_t)n;
	return 0;
}

static const char size_units[] = { 'G', 'M', 'K' }; /* of 30, 20 and 10 bits */

const char *size_format(uint32_t n, char *buf)
{
	for (unsigned int i = 0; n && i < sizeof(size_units); i++) {
		unsigned int bits = 30 - 10 * i;

		if (n & ((1u << bits) - 1))
			continue;
		snprintf(buf, WORDS_SIZE_MAX, "%u%c", n >> bits, size_units[i]);
		return buf;
	}
	snprintf(buf, WORDS_SIZE_MAX, "%u", n);
	return buf;
}

int size_parse(const char *what, const char *text, uint32_t min, uint32_t max, uint32_t *ret,
	       struct error *err)
{
	char from[WORDS_SIZE_MAX], to[WORDS_SIZE_MAX];
	const char *p = text, *unit;
	uint64_t n = 0;

	for (; *p >= '0' && *p <= '9' && n <= max; p++)
		n = n * 10 + (uint64_t)(*p - '0');
	unit = p > text && *p ? memchr(size_units, *p, sizeof(size_units)) : NULL;
	if (unit && n <= max) {
		n <<= 30 - 10 * (unit - size_units);
		p++;
	}
	if (p == text || *p || n < min || n > max)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "%s '%.40s': bytes from %s to %s, as in 4M", what, text,
				 size_format(min, from), size_format(max, to));
	*ret = (uint32_t)n;
	return 0;
}

/* names_join - "a, b, c" into buf, cut at its end. */
static const char *names_join(const char *const *names, unsigned int n, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (unsigned int i = 0; i < n && len < size; i++)
		len += (size_t)snprintf(buf + len, size - len, "%s%s", i ? ", " : "", names[i]);
	return buf;
}

int choice_parse(const char *what, const char *text, const char *const *words, unsigned int n,
		 unsigned int *ret, struct error *err)
{
	char list[256];

	for (unsigned int i = 0; i < n; i++) {
		if (strcmp(text, words[i]))
			continue;
		*ret = i;
		return 0;
	}
	return error_set(err, -EINVAL, EXIT_USAGE, "%s '%.80s': accepted are %s", what, text,
			 names_join(words, n, list, sizeof(list)));
}

/* --- times --- */

static const struct unit {
	const char *suffix;
	uint64_t ns;
} units[] = {
	{ "d", NS_PER_D }, { "h", NS_PER_H },	{ "m", NS_PER_M },
	{ "s", NS_PER_S }, { "ms", NS_PER_MS },
};

/* At nine decimals a day still divides into whole nanoseconds, and so does every smaller unit that
 * has that many. */
enum {
	DECIMALS_MAX = 9
};

static const struct unit *unit_find(const char *suffix)
{
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (!strcmp(suffix, units[i].suffix))
			return &units[i];
	return NULL;
}

/* digits_read - reads decimal digits at *p and moves *p behind them. Returns the number, or
 * UINT64_MAX if it does not fit: times a unit, that fits nowhere either. */
static uint64_t digits_read(const char **p)
{
	uint64_t n = 0;
	bool over = false;

	for (; **p >= '0' && **p <= '9'; (*p)++) {
		over |= __builtin_mul_overflow(n, 10, &n);
		over |= __builtin_add_overflow(n, (uint64_t)(**p - '0'), &n);
	}
	return over ? UINT64_MAX : n;
}

/* fraction_ns - what the n digits behind the point are worth. Digits below a nanosecond count as
 * nothing. */
static uint64_t fraction_ns(const char *digits, size_t n, uint64_t unit_ns)
{
	uint64_t ns = 0;

	for (size_t i = 0; i < n && unit_ns % 10 == 0; i++) {
		unit_ns /= 10;
		ns += (uint64_t)(digits[i] - '0') * unit_ns;
	}
	return ns;
}

/* duration_read - the syntax alone. Returns 0, -EINVAL if text is no time, -ERANGE if it is one
 * that no uint64_t holds. */
static int duration_read(const char *text, uint64_t *ret)
{
	const char *p = text, *fraction = NULL;
	size_t fraction_len = 0;
	const struct unit *unit;
	uint64_t whole, ns;

	whole = digits_read(&p);
	if (p == text)
		return -EINVAL;
	if (*p == '.') {
		fraction = ++p;
		digits_read(&p);
		fraction_len = (size_t)(p - fraction);
		if (!fraction_len)
			return -EINVAL;
	}
	unit = unit_find(p);
	if (!unit)
		return -EINVAL;
	if (__builtin_mul_overflow(whole, unit->ns, &ns) ||
	    __builtin_add_overflow(ns, fraction_ns(fraction, fraction_len, unit->ns), &ns))
		return -ERANGE;
	*ret = ns;
	return 0;
}

int duration_parse(const char *what, const char *text, uint64_t min_ns, uint64_t max_ns,
		   uint64_t *ret_ns, struct error *err)
{
	char min[32], max[32];
	uint64_t ns = 0;
	int r = duration_read(text, &ns);

	duration_format(min_ns, min);
	duration_format(max_ns, max);
	if (r == -EINVAL)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "%s '%.80s': a time needs a number and a unit (ms, s, m, h, d), "
				 "%s to %s",
				 what, text, min, max);
	if (r < 0 || ns < min_ns || ns > max_ns)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "%s '%.80s': a time from %s to %s is accepted", what, text, min,
				 max);
	*ret_ns = ns;
	return 0;
}

/* duration_write - ns in a unit, if DECIMALS_MAX decimals tell it exactly. Returns the length, or
 * 0 if they do not. */
static size_t duration_write(uint64_t ns, const struct unit *unit, char *buf)
{
	uint64_t rest = ns % unit->ns;
	size_t len = (size_t)sprintf(buf, "%llu", (unsigned long long)(ns / unit->ns));

	if (rest)
		buf[len++] = '.';
	for (int i = 0; rest && i < DECIMALS_MAX; i++) {
		rest *= 10; /* below 10^15 */
		buf[len++] = (char)('0' + rest / unit->ns);
		rest %= unit->ns;
	}
	if (rest)
		return 0;
	return len + (size_t)sprintf(buf + len, "%s", unit->suffix);
}

const char *duration_format(uint64_t ns, char *buf)
{
	size_t best = SIZE_MAX;
	char text[32]; /* 2^64 ns: 14 digits of ms, point, 6 decimals, unit */

	if (!ns)
		return strcpy(buf, "0s");
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		size_t len;

		if (ns < units[i].ns && units[i].ns > NS_PER_MS)
			continue; /* "100ms" reads better than "0.1s" */
		len = duration_write(ns, &units[i], text);
		if (len && len < best) {
			best = len;
			strcpy(buf, text);
		}
	}
	return buf;
}

/* --- names --- */

enum {
	NAME_MAX_LEN = 32
}; /* of rules and fields; longer words resemble nothing */

/* edit_distance - how many characters to insert, delete or replace until a is b (Levenshtein, one
 * row at a time). Both below NAME_MAX_LEN. */
static unsigned int edit_distance(const char *a, size_t a_len, const char *b)
{
	unsigned int row[NAME_MAX_LEN + 1];
	size_t b_len = strlen(b);

	for (size_t j = 0; j <= b_len; j++)
		row[j] = (unsigned int)j;
	for (size_t i = 1; i <= a_len; i++) {
		unsigned int diagonal = row[0];

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= b_len; j++) {
			unsigned int best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[b_len];
}

/* name_closest - the name that word was probably meant to be: at most a third of it is wrong. NULL
 * if none is. */
static const char *name_closest(const char *word, size_t len, const char *const *names,
				unsigned int n)
{
	unsigned int best = (unsigned int)len / 3 + 1;
	const char *closest = NULL;

	if (len > NAME_MAX_LEN)
		return NULL;
	for (unsigned int i = 0; i < n; i++) {
		unsigned int distance = edit_distance(word, len, names[i]);

		if (distance < best) {
			best = distance;
			closest = names[i];
		}
	}
	return closest;
}

int name_find(const char *kind, const char *word, size_t len, const char *const *names,
	      unsigned int n, struct error *err)
{
	const char *closest;
	char list[256];

	for (unsigned int i = 0; i < n; i++)
		if (strlen(names[i]) == len && !memcmp(names[i], word, len))
			return (int)i;
	closest = name_closest(word, len, names, n);
	return error_set(err, -EINVAL, EXIT_USAGE, "no %s '%.*s'%s%s%s: %ss are %s", kind,
			 (int)(len < 80 ? len : 80), word, closest ? " (did you mean '" : "",
			 closest ? closest : "", closest ? "'?)" : "", kind,
			 names_join(names, n, list, sizeof(list)));
}

bool text_is_plain(const char *text)
{
	json_t *utf8 = json_string(text); /* NULL if it is not */

	json_decref(utf8);
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == '\x7f')
			return false;
	return utf8;
}
