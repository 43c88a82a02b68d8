// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* What does `reconmon` mean when nothing else is said? */
#include "config.h"

#include <stdlib.h>

#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Private addresses (RFC 1918) and unique local ones (RFC 4193), in network byte order. */
static const struct {
	uint8_t addr[16];
	uint8_t bits;
} internal_default[] = {
	{ { [10] = 0xff, 0xff, 10 }, 96 + 8 },
	{ { [10] = 0xff, 0xff, 172, 16 }, 96 + 12 },
	{ { [10] = 0xff, 0xff, 192, 168 }, 96 + 16 },
	{ { 0xfc }, 7 },
};

_Static_assert(sizeof(internal_default[0].addr) == sizeof(struct ip_addr), "one address each");

static void internal_defaults(struct net_list *list)
{
	for (size_t i = 0; i < ARRAY_SIZE(internal_default); i++) {
		struct net *net = &list->net[list->n++];

		memcpy(&net->addr, internal_default[i].addr, sizeof(net->addr));
		net->bits = internal_default[i].bits;
	}
}

void config_defaults(struct config *cfg)
{
	memset(cfg, 0, sizeof(*cfg));
	cfg->ingress = INGRESS_AUTO;
	cfg->tick_ns = 1000000000ull;
	cfg->settle_ns = 2000000000ull;	      /* a lost SYN is repeated after 1 s (RFC 6298, 2.1) */
	cfg->settle_open_ns = 30000000000ull; /* greetings are slow, browsers connect ahead */
	cfg->nursery_slots = 65536;	      /* 4.7 MB: more costs a cache miss a packet */
	cfg->contacts_max = 65536;
	cfg->groups_max = 262144;
	cfg->profile = PROFILE_DEFAULT;
	rules_builtin(cfg->profile, &cfg->rules);
	internal_defaults(&cfg->internal);
}

void config_done(struct config *cfg)
{
	free(cfg->file);
	cfg->file = NULL;
	cfg->files = 0;
}
