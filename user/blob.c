// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "blob.h"

#include <stdlib.h>
#include <string.h>

enum {
	ROOM_MIN = 65536,
};

void blob_put(struct blob *b, const void *p, size_t len)
{
	if (b->failed || !len)
		return;
	if (b->room - b->len < len) {
		size_t room = b->room ? b->room : ROOM_MIN;
		unsigned char *more;

		while (room - b->len < len)
			room *= 2;
		more = realloc(b->data, room);
		if (!more) {
			b->failed = true;
			return;
		}
		b->data = more;
		b->room = room;
	}
	memcpy(b->data + b->len, p, len);
	b->len += len;
}

void blob_put_u32(struct blob *b, uint32_t n)
{
	blob_put(b, &n, sizeof(n));
}

void blob_put_text(struct blob *b, const char *text)
{
	uint32_t len = text ? (uint32_t)strlen(text) : UINT32_MAX;

	blob_put_u32(b, len);
	if (text)
		blob_put(b, text, len);
}

size_t blob_left(const struct blob *b)
{
	return b->failed ? 0 : b->len - b->at;
}

bool blob_get(struct blob *b, void *ret, size_t len)
{
	if (blob_left(b) < len)
		b->failed = true;
	if (b->failed) {
		memset(ret, 0, len);
		return false;
	}
	memcpy(ret, b->data + b->at, len);
	b->at += len;
	return true;
}

uint32_t blob_get_u32(struct blob *b)
{
	uint32_t n;

	blob_get(b, &n, sizeof(n));
	return n;
}

char *blob_get_text(struct blob *b)
{
	uint32_t len = blob_get_u32(b);
	char *text;

	if (b->failed || len == UINT32_MAX)
		return NULL;
	text = blob_left(b) >= len ? malloc(len + 1ul) : NULL;
	if (!text) {
		b->failed = true;
		return NULL;
	}
	blob_get(b, text, len);
	text[len] = '\0';
	return text;
}

size_t blob_part_begin(struct blob *b)
{
	uint64_t len = 0;
	size_t begin = b->len;

	blob_put(b, &len, sizeof(len));
	return begin;
}

void blob_part_end(struct blob *b, size_t begin)
{
	uint64_t len = b->len - begin - sizeof(len);

	if (!b->failed)
		memcpy(b->data + begin, &len, sizeof(len));
}

struct blob blob_part(struct blob *b)
{
	struct blob part = { .failed = true };
	uint64_t len;

	if (!blob_get(b, &len, sizeof(len)) || len > blob_left(b)) {
		b->failed = true;
		return part;
	}
	part = (struct blob){ .data = b->data + b->at, .len = len };
	b->at += len;
	return part;
}

void blob_done(struct blob *b)
{
	free(b->data);
	*b = (struct blob){ 0 };
}
