// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "output_curl.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static struct curl_functions functions;

static const struct {
	const char *name;
	void **to;
} symbols[] = {
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

const struct curl_functions *curl_load(struct error *err)
{
	static bool loaded; /* and never unloaded: it may have threads of its own */
	void *library;

	if (loaded)
		return &functions;
	library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		error_set(err, -ENOENT, EXIT_RUNTIME,
			  "libcurl is needed for this output and cannot be loaded: %.200s "
			  "(apt-get install libcurl4)",
			  dlerror());
		return NULL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
		*symbols[i].to = dlsym(library, symbols[i].name);
		if (!*symbols[i].to) {
			error_set(err, -ENOENT, EXIT_RUNTIME, "libcurl lacks %s", symbols[i].name);
			return NULL;
		}
	}
	if (functions.global_init(CURL_GLOBAL_ALL) != CURLE_OK) {
		error_set(err, -EIO, EXIT_RUNTIME, "libcurl does not start");
		return NULL;
	}
	loaded = true;
	return &functions;
}
