// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* A set of ports with what each answered. A chunk covers 1,024 ports with one bitmap an answer, so
 * that each question ("which are open?", "which at all?") is a walk over 64-bit words. The chunks
 * in use lie in one array, in the order of their ports; `used` says which they are, and its bits
 * below a chunk count its place. Adding a chunk moves those above it: at most 63 times 512 bytes,
 * and at most 64 times in the life of a set. */
#include "portset.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	PORTS = 65536,
	WORD_BITS = 64,
	CHUNK_PORTS = 1024,
	CHUNK_WORDS = CHUNK_PORTS / WORD_BITS,
	ELEMENT_MAX = 16, /* ",65533-65535" and its end */
};

struct chunk {
	uint64_t has[ANSWER_MAX][CHUNK_WORDS]; /* a port is in one of them at most */
};

struct portset {
	struct chunk *chunks;
	uint64_t used; /* bit i: the chunk of ports i * 1024 to i * 1024 + 1023 is there */
	uint32_t n[ANSWER_MAX];
};

const char *answer_name(enum answer a)
{
	static const char *const names[ANSWER_MAX] = {
		[ANSWER_OPEN] = "open",
		[ANSWER_CLOSED] = "closed",
		[ANSWER_FILTERED] = "filtered",
		[ANSWER_NONE] = "none",
	};

	return a < ANSWER_MAX ? names[a] : "unknown";
}

struct portset *portset_new(void)
{
	return calloc(1, sizeof(struct portset));
}

void portset_free(struct portset *p)
{
	if (!p)
		return;
	free(p->chunks);
	free(p);
}

/* chunk_place - where in the array the chunk of number `i` is, or would have to be. */
static unsigned int chunk_place(const struct portset *p, unsigned int i)
{
	return (unsigned int)__builtin_popcountll(p->used & ((1ull << i) - 1));
}

/* chunk_find - the chunk that a port belongs to, or NULL if none of its ports was ever added. */
static struct chunk *chunk_find(const struct portset *p, uint32_t port)
{
	unsigned int i = port / CHUNK_PORTS;

	return p->used >> i & 1 ? &p->chunks[chunk_place(p, i)] : NULL;
}

/* chunk_get - like chunk_find, but makes the chunk. NULL for want of memory. */
static struct chunk *chunk_get(struct portset *p, uint32_t port)
{
	unsigned int i = port / CHUNK_PORTS, place = chunk_place(p, i);
	unsigned int n = (unsigned int)__builtin_popcountll(p->used);
	struct chunk *chunks;

	if (p->used >> i & 1)
		return &p->chunks[place];

	chunks = realloc(p->chunks, (n + 1) * sizeof(*chunks));
	if (!chunks)
		return NULL;
	memmove(chunks + place + 1, chunks + place, (n - place) * sizeof(*chunks));
	memset(chunks + place, 0, sizeof(*chunks));
	p->chunks = chunks;
	p->used |= 1ull << i;
	return &chunks[place];
}

static unsigned int word_of(uint32_t port)
{
	return port % CHUNK_PORTS / WORD_BITS;
}

static uint64_t bit_of(uint32_t port)
{
	return 1ull << port % WORD_BITS;
}

/* answer_of - what a port of this chunk answered; ANSWER_MAX if it is not in the set. */
static enum answer answer_of(const struct chunk *c, uint16_t port)
{
	for (unsigned int a = 0; a < ANSWER_MAX; a++)
		if (c->has[a][word_of(port)] & bit_of(port))
			return a;
	return ANSWER_MAX;
}

int portset_add(struct portset *p, uint16_t port, enum answer a)
{
	struct chunk *c = chunk_get(p, port);
	enum answer was;

	if (!c)
		return -ENOMEM;
	was = answer_of(c, port);
	if (was <= a)
		return 0;

	if (was != ANSWER_MAX) {
		c->has[was][word_of(port)] &= ~bit_of(port);
		p->n[was]--;
	}
	c->has[a][word_of(port)] |= bit_of(port);
	p->n[a]++;
	return was == ANSWER_MAX;
}

bool portset_remove(struct portset *p, uint16_t port)
{
	enum answer was;
	struct chunk *c;

	if (!portset_get(p, port, &was))
		return false;
	c = chunk_find(p, port);
	c->has[was][word_of(port)] &= ~bit_of(port);
	p->n[was]--;
	return true;
}

bool portset_get(const struct portset *p, uint16_t port, enum answer *ret)
{
	const struct chunk *c = chunk_find(p, port);
	enum answer was = c ? answer_of(c, port) : ANSWER_MAX;

	if (was == ANSWER_MAX)
		return false;
	*ret = was;
	return true;
}

uint32_t portset_count(const struct portset *p)
{
	uint32_t n = 0;

	for (unsigned int a = 0; a < ANSWER_MAX; a++)
		n += p->n[a];
	return n;
}

uint32_t portset_count_answer(const struct portset *p, enum answer a)
{
	return p->n[a];
}

size_t portset_bytes(const struct portset *p)
{
	return sizeof(*p) + (size_t)__builtin_popcountll(p->used) * sizeof(*p->chunks);
}

/* word_at - the 64 ports around `port` that answered a (ANSWER_MAX: that are in the set). */
static uint64_t word_at(const struct portset *p, enum answer a, uint32_t port)
{
	const struct chunk *c = chunk_find(p, port);
	uint64_t word = 0;

	if (!c)
		return 0;
	if (a < ANSWER_MAX)
		return c->has[a][word_of(port)];
	for (unsigned int i = 0; i < ANSWER_MAX; i++)
		word |= c->has[i][word_of(port)];
	return word;
}

uint32_t portset_shared(const struct portset *p, const struct portset *q)
{
	uint32_t n = 0;

	for (uint32_t port = 0; port < PORTS; port += WORD_BITS) {
		if (!((p->used & q->used) >> port / CHUNK_PORTS)) /* none from here on */
			break;
		n += (uint32_t)__builtin_popcountll(word_at(p, ANSWER_MAX, port) &
						    word_at(q, ANSWER_MAX, port));
	}
	return n;
}

/* port_next - the first port from `port` on that is in the set (in) or is not (!in); PORTS if there
 * is none. */
static uint32_t port_next(const struct portset *p, enum answer a, bool in, uint32_t port)
{
	while (port < PORTS) {
		uint64_t word;

		if (in && !(p->used >> port / CHUNK_PORTS & 1)) { /* 1,024 ports at once */
			port = (port / CHUNK_PORTS + 1) * CHUNK_PORTS;
			continue;
		}
		word = word_at(p, a, port);
		word = (in ? word : ~word) >> port % WORD_BITS;
		if (word)
			return port + (uint32_t)__builtin_ctzll(word);
		port += WORD_BITS - port % WORD_BITS;
	}
	return PORTS;
}

int portset_next(const struct portset *p, enum answer a, uint32_t port)
{
	port = port_next(p, a, true, port);
	return port < PORTS ? (int)port : -1;
}

/* The text as it grows. `total` is what all of it takes; past the first element that does not fit
 * it only counts. */
struct text {
	char *buf;
	size_t len, total;
	bool cut;
};

static void text_add(struct text *t, uint32_t first, uint32_t last)
{
	const char *comma = t->total ? "," : "";
	char element[ELEMENT_MAX];
	int n;

	if (first == last)
		n = snprintf(element, sizeof(element), "%s%u", comma, first);
	else
		n = snprintf(element, sizeof(element), "%s%u-%u", comma, first, last);

	if (t->total + (size_t)n >= t->len)
		t->cut = true;
	if (!t->cut)
		memcpy(t->buf + t->total, element, (size_t)n + 1);
	t->total += (size_t)n;
}

size_t portset_format(const struct portset *p, enum answer a, char *buf, size_t len)
{
	struct text t = { .buf = buf, .len = len };
	uint32_t first, end;

	if (len)
		buf[0] = '\0';
	for (first = port_next(p, a, true, 0); first < PORTS; first = port_next(p, a, true, end)) {
		end = port_next(p, a, false, first);
		if (end - first == 2) {
			text_add(&t, first, first);
			text_add(&t, first + 1, first + 1);
		} else {
			text_add(&t, first, end - 1);
		}
	}
	return t.total;
}

void portset_save(const struct portset *p, struct blob *b)
{
	blob_put(b, &p->used, sizeof(p->used));
	blob_put(b, p->n, sizeof(p->n));
	blob_put(b, p->chunks, (size_t)__builtin_popcountll(p->used) * sizeof(*p->chunks));
}

struct portset *portset_load(struct blob *b)
{
	struct portset *p = portset_new();
	size_t chunks;

	if (!p)
		return NULL;
	blob_get(b, &p->used, sizeof(p->used));
	blob_get(b, p->n, sizeof(p->n));
	chunks = (size_t)__builtin_popcountll(p->used);
	if (!b->failed && chunks) {
		p->chunks = calloc(chunks, sizeof(*p->chunks));
		if (p->chunks)
			blob_get(b, p->chunks, chunks * sizeof(*p->chunks));
	}
	if (b->failed || (chunks && !p->chunks)) {
		portset_free(p);
		return NULL;
	}
	return p;
}
