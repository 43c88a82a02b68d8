/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Where is an address, and whose network is it in? By databases in MaxMind's format (GeoLite2,
 * GeoIP2, DB-IP and others make them), read with libmaxminddb, which is loaded only then. What a
 * database is about is told by what is found in it: countries and cities, autonomous systems, or
 * both.
 *
 * A file that was replaced or written anew is opened again at the next question, so that neither a
 * restart nor a signal is needed. One that cannot be read then is said once; until it can be,
 * nothing is known from it. */
#ifndef RECONMON_GEOIP_H
#define RECONMON_GEOIP_H

#include <reconmon/packet.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"

enum {
	GEOIP_FILES_MAX = 4,
	GEOIP_PATH_MAX = 256,
};

/* What is known of an address; "" and 0 are unknown. Texts are UTF-8 without control characters,
 * cut to fit. */
struct geo {
	char country_iso[4], country[64]; /* "DE", "Germany" */
	char region_iso[16], region[64];  /* "DE-BE" (ISO 3166-2), "Land Berlin" */
	char city[64];
	char continent[4]; /* "EU" */
	char timezone[40]; /* "Europe/Berlin" */
	bool has_location;
	double lat, lon; /* degrees */
	uint32_t asn;
	char org[128];
};

struct geoip;

/* geoip_open - opens n databases (at most GEOIP_FILES_MAX). Returns 0 with *ret for geoip_close(),
 * or a negative errno with err filled: no library, no file, no database. */
int geoip_open(const char (*path)[GEOIP_PATH_MAX], unsigned int n, struct geoip **ret,
	       struct error *err);
void geoip_close(struct geoip *g); /* NULL is fine */

/* geoip_find - fills *ret. Returns whether anything is known; g may be NULL. Not thread-safe. */
bool geoip_find(struct geoip *g, const struct ip_addr *addr, struct geo *ret);

enum {
	GEO_TEXT_MAX = 160
};

/* geo_text - "DE, AS3320 Deutsche Telekom AG", as far as it is known, into buf of GEO_TEXT_MAX
 * bytes; returns buf. */
const char *geo_text(const struct geo *geo, char *buf);

#endif
