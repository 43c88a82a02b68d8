/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* libcurl, loaded when the first output needs it: with its TLS it and 30 other libraries are half
 * of the memory that a daemon which only prints should take (measured: 6 MB of 12). */
#ifndef RECONMON_OUTPUT_CURL_H
#define RECONMON_OUTPUT_CURL_H

#include <curl/curl.h>

#include "error.h"

/* The functions in use, by their names without curl_. */
struct curl_functions {
	CURLcode (*global_init)(long flags);
	CURL *(*easy_init)(void);
	CURLcode (*easy_setopt)(CURL *easy, CURLoption option, ...);
	CURLcode (*easy_perform)(CURL *easy);
	CURLcode (*easy_getinfo)(CURL *easy, CURLINFO info, ...);
	CURLcode (*easy_send)(CURL *easy, const void *data, size_t len, size_t *ret);
	CURLcode (*easy_recv)(CURL *easy, void *data, size_t len, size_t *ret);
	void (*easy_cleanup)(CURL *easy);
	const char *(*easy_strerror)(CURLcode code);
	struct curl_slist *(*slist_append)(struct curl_slist *list, const char *text);
	void (*slist_free_all)(struct curl_slist *list);
};

/* curl_load - the functions, or NULL with err filled: libcurl is not installed. Call it before
 * there are threads that use it. */
const struct curl_functions *curl_load(struct error *err);

#endif
