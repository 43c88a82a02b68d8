// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/geoip.c over the small databases of tests/data/geo, which make.py there writes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "geoip.h"
#include "net.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define FOLDER	      "tests/data/geo/"

static const char both[2][GEOIP_PATH_MAX] = { FOLDER "city.mmdb", FOLDER "asn.mmdb" };

static struct geoip *open_them(const char (*path)[GEOIP_PATH_MAX], unsigned int n)
{
	struct error err;
	struct geoip *g;

	if (geoip_open(path, n, &g, &err) < 0)
		fail_msg("%s", err.text);
	return g;
}

/* described - all that is known of an address. */
static const char *described(struct geoip *g, const char *text)
{
	static char got[512];
	struct ip_addr addr;
	struct geo geo;

	assert_int_equal(addr_parse(text, &addr), 0);
	if (!geoip_find(g, &addr, &geo))
		return "unknown";
	snprintf(got, sizeof(got), "%s|%s|%s|%s|%s|%s|%s|%d %.4f %.4f|%u %s", geo.country_iso,
		 geo.country, geo.region_iso, geo.region, geo.city, geo.continent, geo.timezone,
		 geo.has_location, geo.lat, geo.lon, geo.asn, geo.org);
	return got;
}

static const struct find_case {
	const char *name, *addr, *want;
} find_cases[] = {
	{ "IPv4, in both", "203.0.113.77",
	  "DE|Germany|DE-BE|Land Berlin|Berlin|EU|Europe/Berlin|1 52.5200 13.4050|64496 Example "
	  "Net "
	  "AG" },
	{ "the first address of a network", "203.0.113.0",
	  "DE|Germany|DE-BE|Land Berlin|Berlin|EU|Europe/Berlin|1 52.5200 13.4050|64496 Example "
	  "Net "
	  "AG" },
	{ "the one before it", "203.0.112.255", "unknown" },
	{ "the one behind it", "203.0.114.0", "unknown" },
	{ "IPv4 mapped into IPv6", "::ffff:203.0.113.77",
	  "DE|Germany|DE-BE|Land Berlin|Berlin|EU|Europe/Berlin|1 52.5200 13.4050|64496 Example "
	  "Net "
	  "AG" },
	{ "IPv6", "2001:db8:5::1",
	  "FR|France|FR-IDF|Île-de-France|Paris|EU|Europe/Paris|1 48.8566 2.3522|64511 Réseau "
	  "d'exemple" },
	{ "IPv6 that nobody knows", "2001:db8:6::1", "unknown" },
	{ "a country alone", "198.51.100.1", "CH|Switzerland||||EU||0 0.0000 0.0000|0 " },
	{ "a network alone, of 32 bits", "198.51.100.200",
	  "||||||"
	  "|0 0.0000 0.0000|4200000000 Private" },
	{ "south and west", "192.0.2.1",
	  "AR|Argentina|AR-C|Buenos Aires F.D.|Buenos "
	  "Aires|EU|America/Argentina/Buenos_Aires|1 -34.6037 -58.3816|0 " },
	{ "the address of nobody", "0.0.0.0", "unknown" },
};

static void test_find(void **state)
{
	const struct find_case *c = *state;
	struct geoip *g = open_them(both, 2);

	assert_string_equal(described(g, c->addr), c->want);
	geoip_close(g);
}

static void no_database_knows_nothing(void **state)
{
	(void)state;
	assert_string_equal(described(NULL, "203.0.113.77"), "unknown");
}

static void a_database_of_ipv4_is_not_asked_for_ipv6(void **state)
{
	static const char v4[1][GEOIP_PATH_MAX] = { FOLDER "v4.mmdb" };
	struct geoip *g = open_them(v4, 1);

	(void)state;
	assert_string_equal(described(g, "2001:db8:5::1"), "unknown");
	assert_string_equal(described(g, "203.0.113.1"), "||||||"
							 "|0 0.0000 0.0000|64500 Only IPv4");
	geoip_close(g);
}

static void what_means_harm_is_cut_and_cleaned(void **state)
{
	static const char hostile[1][GEOIP_PATH_MAX] = { FOLDER "hostile.mmdb" };
	struct geoip *g = open_them(hostile, 1);
	struct ip_addr addr;
	struct geo geo;
	char text[GEO_TEXT_MAX];

	(void)state;
	addr_parse("203.0.113.1", &addr);
	assert_true(geoip_find(g, &addr, &geo));
	assert_string_equal(geo.country_iso, "X|Y");
	assert_string_equal(geo.country, ""); /* not UTF-8 */
	assert_int_equal(strncmp(geo.city, " [2J a=b|c\\d e \"] \xc3\xbc", 19), 0);
	assert_int_equal(strlen(geo.city), 63 - 63 % 2); /* the last character is whole */
	assert_false(geo.has_location);			 /* a word is no latitude */
	assert_int_equal(geo.asn, 0);
	assert_int_equal(strlen(geo.org), sizeof(geo.org) - 1);
	for (const char *p = geo_text(&geo, text); *p; p++)
		assert_true((unsigned char)*p >= ' ' && *p != 0x7f);
	geoip_close(g);
}

static const struct bad_case {
	const char *name, *path, *want;
	int r;
} bad_cases[] = {
	{ "a file that is not there", FOLDER "none.mmdb", "none.mmdb': No such file", -ENOENT },
	{ "a file of something else", FOLDER "make.py", "make.py': ", -EINVAL },
	{ "a folder", FOLDER, "tests/data/geo/': ", -EINVAL },
};

static void test_bad(void **state)
{
	const struct bad_case *c = *state;
	char path[2][GEOIP_PATH_MAX];
	struct error err;
	struct geoip *g;

	strcpy(path[0], both[0]);
	strcpy(path[1], c->path);
	assert_int_equal(geoip_open((const char(*)[GEOIP_PATH_MAX])path, 2, &g, &err), c->r);
	if (!strstr(err.text, c->want))
		fail_msg("'%s' instead of '%s'", err.text, c->want);
}

/* --- a file that changes -----------------------------------------------------------------------
 */

static void shell(const char *fmt, const char *a, const char *b)
{
	char command[512];

	snprintf(command, sizeof(command), fmt, a, b);
	assert_int_equal(system(command), 0);
}

/* By another put in its place, by one that is written over it, by half of one, and by none. */
static void a_file_that_changes_is_opened_again(void **state)
{
	char folder[] = "/tmp/test_geoip.XXXXXX", path[1][GEOIP_PATH_MAX];
	struct geoip *g;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path[0], sizeof(path[0]), "%s/asn.mmdb", folder);
	shell("python3 " FOLDER "make.py %s%s", folder, "");
	g = open_them((const char(*)[GEOIP_PATH_MAX])path, 1);
	assert_non_null(strstr(described(g, "203.0.113.1"), "64496 Example"));

	shell("mkdir %s/new && python3 " FOLDER "make.py %s/new asn-64499", folder, folder);
	shell("mv %s/new/asn.mmdb %s/asn.mmdb", folder, folder);
	assert_non_null(strstr(described(g, "203.0.113.1"), "64499 Example"));

	shell("python3 " FOLDER "make.py %s %s", folder, "asn-64501");
	assert_non_null(strstr(described(g, "203.0.113.1"), "64501 Example"));

	assert_int_equal(truncate(path[0], 200), 0);
	assert_string_equal(described(g, "203.0.113.1"), "unknown");
	assert_string_equal(described(g, "203.0.113.1"), "unknown");

	shell("python3 " FOLDER "make.py %s %s", folder, "asn-64502");
	assert_non_null(strstr(described(g, "203.0.113.1"), "64502 Example"));
	unlink(path[0]);
	assert_non_null(strstr(described(g, "203.0.113.1"), "64502 Example"));
	geoip_close(g);
	shell("rm -rf %s%s", folder, "");
}

int main(void)
{
	struct CMUnitTest finds[ARRAY_SIZE(find_cases)], bads[ARRAY_SIZE(bad_cases)];
	const struct CMUnitTest others[] = {
		cmocka_unit_test(no_database_knows_nothing),
		cmocka_unit_test(a_database_of_ipv4_is_not_asked_for_ipv6),
		cmocka_unit_test(what_means_harm_is_cut_and_cleaned),
		cmocka_unit_test(a_file_that_changes_is_opened_again),
	};
	int failed = 0;

	for (size_t i = 0; i < ARRAY_SIZE(find_cases); i++)
		finds[i] =
			(struct CMUnitTest){ .name = find_cases[i].name,
					     .test_func = test_find,
					     .initial_state = (void *)(uintptr_t)&find_cases[i] };
	for (size_t i = 0; i < ARRAY_SIZE(bad_cases); i++)
		bads[i] = (struct CMUnitTest){ .name = bad_cases[i].name,
					       .test_func = test_bad,
					       .initial_state = (void *)(uintptr_t)&bad_cases[i] };
	failed += cmocka_run_group_tests_name("geoip_find", finds, NULL, NULL);
	failed += cmocka_run_group_tests_name("geoip_open", bads, NULL, NULL);
	failed += cmocka_run_group_tests_name("geoip", others, NULL, NULL);
	return failed != 0;
}
