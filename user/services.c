// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "services.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <reconmon/packet.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Read once: getservbyport() would open the file for every port of every alert, and may ask a
 * directory over the network. */
struct entry {
	uint32_t key; /* protocol and port */
	char name[SERVICE_NAME_MAX];
};

struct services {
	struct entry *entry; /* ascending by key */
	size_t n, room;
};

struct services *services_new(void)
{
	return calloc(1, sizeof(struct services));
}

void services_free(struct services *s)
{
	if (!s)
		return;
	free(s->entry);
	free(s);
}

static uint32_t key_of(uint8_t proto, uint16_t port)
{
	return (uint32_t)proto << 16 | port;
}

/* place_of - where the entry of a key is or would be. */
static size_t place_of(const struct services *s, uint32_t key)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->entry[mid].key < key)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static uint8_t proto_of(const char *name)
{
	if (!strcmp(name, "tcp"))
		return PROTO_TCP;
	if (!strcmp(name, "udp"))
		return PROTO_UDP;
	return !strcmp(name, "sctp") ? PROTO_SCTP : 0;
}

/* name_fits - what others write into that file reaches terminals and lists of ports. */
static bool name_fits(const char *name)
{
	size_t len = strlen(name);

	if (!len || len >= SERVICE_NAME_MAX)
		return false;
	for (const char *p = name; *p; p++)
		if (*p <= ' ' || *p > '~' || strchr(",;/()", *p))
			return false;
	return true;
}

static int room_make(struct services *s)
{
	size_t room = s->room ? 2 * s->room : 512; /* Debian 12 has 300 */
	struct entry *entry;

	if (s->n < s->room)
		return 0;
	entry = realloc(s->entry, room * sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	s->entry = entry;
	s->room = room;
	return 0;
}

int services_add(struct services *s, const char *name, uint16_t port, const char *proto)
{
	uint8_t number = proto_of(proto);
	uint32_t key = key_of(number, port);
	size_t at = place_of(s, key);

	if (!number || !name_fits(name) || (at < s->n && s->entry[at].key == key))
		return 0;
	if (room_make(s) < 0)
		return -ENOMEM;
	memmove(s->entry + at + 1, s->entry + at, (s->n - at) * sizeof(*s->entry));
	s->entry[at].key = key;
	strcpy(s->entry[at].name, name);
	s->n++;
	return 0;
}

int services_load(struct services *s)
{
	struct servent *e;
	int r = 0;

	setservent(1);
	while (!r && (e = getservent()))
		r = services_add(s, e->s_name, ntohs((uint16_t)e->s_port), e->s_proto);
	endservent();
	return r < 0 ? r : (int)s->n;
}

const char *services_name(const struct services *s, uint8_t proto, uint16_t port)
{
	uint32_t key = key_of(proto, port);
	size_t at = s ? place_of(s, key) : 0;

	return s && at < s->n && s->entry[at].key == key ? s->entry[at].name : NULL;
}
