// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "geoip.h"

#include <errno.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "library.h"
#include "net.h"
#include "sink.h" /* sink_known() */

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* The functions in use, by their names without MMDB_. */
static struct {
	int (*open)(const char *path, uint32_t flags, MMDB_s *ret);
	void (*close)(MMDB_s *db);
	MMDB_lookup_result_s (*lookup)(const MMDB_s *db, const struct sockaddr *addr,
				       int *ret_error);
	int (*get)(MMDB_entry_s *start, MMDB_entry_data_s *ret, const char *const *path);
	const char *(*strerror)(int error);
} mmdb;

static const struct library_symbol symbols[] = {
	{ "MMDB_open", (void **)&mmdb.open },
	{ "MMDB_close", (void **)&mmdb.close },
	{ "MMDB_lookup_sockaddr", (void **)&mmdb.lookup },
	{ "MMDB_aget_value", (void **)&mmdb.get },
	{ "MMDB_strerror", (void **)&mmdb.strerror },
};

static struct library library = {
	.name = "libmaxminddb",
	.file = { "libmaxminddb.so.0" },
	.use = "for geoip",
	.remedy = "apt-get install libmaxminddb0",
	.symbol = symbols,
	.n_symbols = ARRAY_SIZE(symbols),
};

struct base {
	char path[GEOIP_PATH_MAX];
	MMDB_s db;
	bool open, complained;
	struct stat st; /* of the file that was looked at last */
};

struct geoip {
	struct base base[GEOIP_FILES_MAX];
	unsigned int n;
};

/* ---- opening ---- */

/* base_open - the library maps the file, so that a file which is cut short while it is mapped would
 * be the end of us: is_changed() comes before each look. */
static int base_open(struct base *b, struct error *err)
{
	int r;

	memset(&b->st, 0, sizeof(b->st));
	if (stat(b->path, &b->st))
		return error_set(err, -errno, EXIT_RUNTIME, "geoip '%s': %s", b->path,
				 strerror(errno));
	r = mmdb.open(b->path, MMDB_MODE_MMAP, &b->db);
	if (r != MMDB_SUCCESS)
		return error_set(err, -EINVAL, EXIT_RUNTIME, "geoip '%s': %s", b->path,
				 mmdb.strerror(r));
	b->open = true;
	return 0;
}

static void base_close(struct base *b)
{
	if (b->open)
		mmdb.close(&b->db);
	b->open = false;
}

static bool is_changed(const struct base *b)
{
	struct stat st;

	memset(&st, 0, sizeof(st));
	if (stat(b->path, &st))
		return false; /* taken away: what is mapped stays good */
	return st.st_ino != b->st.st_ino || st.st_dev != b->st.st_dev ||
	       st.st_size != b->st.st_size || st.st_mtim.tv_sec != b->st.st_mtim.tv_sec ||
	       st.st_mtim.tv_nsec != b->st.st_mtim.tv_nsec;
}

/* base_refresh - opens again what has changed. Returns whether it can be asked. */
static bool base_refresh(struct base *b)
{
	struct error err;

	if (!is_changed(b))
		return b->open;
	base_close(b);
	if (!base_open(b, &err)) {
		log_notice("geoip '%s' has changed and was opened again", b->path);
		b->complained = false;
	} else if (!b->complained) {
		log_problem("%s; where originators are is not known from it until it is whole",
			    err.text);
		b->complained = true;
	}
	return b->open;
}

int geoip_open(const char (*path)[GEOIP_PATH_MAX], unsigned int n, struct geoip **ret,
	       struct error *err)
{
	struct geoip *g = calloc(1, sizeof(*g));
	int r;

	if (!g)
		return error_set(err, -ENOMEM, EXIT_RUNTIME, "no memory for geoip");
	r = library_load(&library, err);
	while (!r && g->n < n) {
		struct base *b = &g->base[g->n];

		snprintf(b->path, sizeof(b->path), "%s", path[g->n]);
		r = base_open(b, err);
		g->n += !r;
	}
	if (r < 0) {
		geoip_close(g);
		return r;
	}
	*ret = g;
	return 0;
}

void geoip_close(struct geoip *g)
{
	if (!g)
		return;
	for (unsigned int i = 0; i < g->n; i++)
		base_close(&g->base[i]);
	free(g);
}

/* ---- asking ---- */

/* text_get - a text at a path of keys, into to; as it was if there is none. Whoever made the
 * database is not trusted with our terminal. */
static void text_get(MMDB_entry_s *entry, const char *const *path, char *to, size_t size)
{
	MMDB_entry_data_s d;
	size_t n;

	if (mmdb.get(entry, &d, path) != MMDB_SUCCESS || !d.has_data ||
	    d.type != MMDB_DATA_TYPE_UTF8_STRING)
		return;
	n = d.data_size < size ? d.data_size : size - 1;
	while (n && n < d.data_size && (d.utf8_string[n] & 0xc0) == 0x80)
		n--; /* not in the middle of a character */
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)d.utf8_string[i];

		to[i] = (char)(c < ' ' || c == 0x7f ? ' ' : c);
	}
	to[n] = '\0';
	if (!sink_known(to))
		to[0] = '\0';
}

static bool double_get(MMDB_entry_s *entry, const char *const *path, double *to)
{
	MMDB_entry_data_s d;

	if (mmdb.get(entry, &d, path) != MMDB_SUCCESS || !d.has_data ||
	    d.type != MMDB_DATA_TYPE_DOUBLE)
		return false;
	*to = d.double_value;
	return true;
}

static void number_get(MMDB_entry_s *entry, const char *const *path, uint32_t *to)
{
	MMDB_entry_data_s d;

	if (mmdb.get(entry, &d, path) == MMDB_SUCCESS && d.has_data &&
	    d.type == MMDB_DATA_TYPE_UINT32)
		*to = d.uint32;
}

#define PATH(...)                                                                                  \
	(const char *const[])                                                                      \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}
#define TEXT(field, ...) text_get(entry, PATH(__VA_ARGS__), geo->field, sizeof(geo->field))

/* take - what an entry tells, by the names that MaxMind's databases have for it. */
static void take(MMDB_entry_s *entry, struct geo *geo)
{
	char sub[8] = "";
	double lat, lon;

	TEXT(country_iso, "country", "iso_code");
	TEXT(country, "country", "names", "en");
	TEXT(region, "subdivisions", "0", "names", "en");
	TEXT(city, "city", "names", "en");
	TEXT(continent, "continent", "code");
	TEXT(timezone, "location", "time_zone");
	TEXT(org, "autonomous_system_organization");
	number_get(entry, PATH("autonomous_system_number"), &geo->asn);
	text_get(entry, PATH("subdivisions", "0", "iso_code"), sub, sizeof(sub));
	if (sub[0] && geo->country_iso[0])
		snprintf(geo->region_iso, sizeof(geo->region_iso), "%s-%s", geo->country_iso, sub);
	if (double_get(entry, PATH("location", "latitude"), &lat) &&
	    double_get(entry, PATH("location", "longitude"), &lon)) {
		geo->has_location = true;
		geo->lat = lat;
		geo->lon = lon;
	}
}

static bool base_find(struct base *b, const struct sockaddr *sa, struct geo *geo)
{
	MMDB_lookup_result_s found;
	int error;

	if (!base_refresh(b))
		return false;
	found = mmdb.lookup(&b->db, sa, &error);
	if (error != MMDB_SUCCESS || !found.found_entry) /* IPv6 in a database of IPv4 too */
		return false;
	take(&found.entry, geo);
	return true;
}

bool geoip_find(struct geoip *g, const struct ip_addr *addr, struct geo *ret)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} sa = { .v6 = { .sin6_family = AF_INET6 } };
	bool known = false;

	memset(ret, 0, sizeof(*ret));
	memcpy(&sa.v6.sin6_addr, addr, sizeof(sa.v6.sin6_addr));
	if (addr_is_v4(addr)) {
		sa.v4.sin_family = AF_INET;
		memcpy(&sa.v4.sin_addr, (const char *)addr + 12, sizeof(sa.v4.sin_addr));
	}
	for (unsigned int i = 0; g && i < g->n; i++)
		known |= base_find(&g->base[i], &sa.any, ret);
	return known;
}

const char *geo_text(const struct geo *geo, char *buf)
{
	char as[GEO_TEXT_MAX - 8] = "";

	if (geo->asn)
		snprintf(as, sizeof(as), "AS%u%s%s", geo->asn, geo->org[0] ? " " : "", geo->org);
	else
		snprintf(as, sizeof(as), "%s", geo->org);
	snprintf(buf, GEO_TEXT_MAX, "%s%s%s", geo->country_iso,
		 geo->country_iso[0] && as[0] ? ", " : "", as);
	return buf;
}
