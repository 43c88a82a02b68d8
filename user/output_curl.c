// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "output_curl.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include "library.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static struct curl_functions functions;

static const struct library_symbol symbols[] = {
	{ "curl_global_init", (void **)&functions.global_init },
	{ "curl_easy_init", (void **)&functions.easy_init },
	{ "curl_easy_setopt", (void **)&functions.easy_setopt },
	{ "curl_easy_perform", (void **)&functions.easy_perform },
	{ "curl_easy_getinfo", (void **)&functions.easy_getinfo },
	{ "curl_easy_send", (void **)&functions.easy_send },
	{ "curl_easy_recv", (void **)&functions.easy_recv },
	{ "curl_easy_cleanup", (void **)&functions.easy_cleanup },
	{ "curl_easy_strerror", (void **)&functions.easy_strerror },
	{ "curl_slist_append", (void **)&functions.slist_append },
	{ "curl_slist_free_all", (void **)&functions.slist_free_all },
};

static struct library library = {
	.name = "libcurl",
	.file = { "libcurl.so.4" },
	.use = "for this output",
	.remedy = "apt-get install libcurl4",
	.symbol = symbols,
	.n_symbols = ARRAY_SIZE(symbols),
};

const struct curl_functions *curl_load(struct error *err)
{
	static bool started;

	if (started)
		return &functions;
	if (library_load(&library, err) < 0)
		return NULL;
	if (functions.global_init(CURL_GLOBAL_ALL) != CURLE_OK) {
		error_set(err, -EIO, EXIT_RUNTIME, "libcurl does not start");
		return NULL;
	}
	started = true;
	return &functions;
}
