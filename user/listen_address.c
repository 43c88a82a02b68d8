// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "listen_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

#include "words.h"

static int wrong(const char *what, const char *text, struct error *err)
{
	return error_set(err, -EINVAL, EXIT_USAGE,
			 "%s '%.80s': an address and a port are accepted, as in 127.0.0.1:9765 or "
			 "[::1]:9765",
			 what, text);
}

int listen_address_parse(const char *what, const char *text, struct listen_address *ret,
			 struct error *err)
{
	struct listen_address a = { .len = 0 };
	const char *colon = strrchr(text, ':'), *begin = text;
	char host[INET6_ADDRSTRLEN];
	size_t len = colon ? (size_t)(colon - text) : 0;
	bool v6 = *text == '[';
	uint32_t port;

	if (v6 && (len < 2 || text[len - 1] != ']'))
		return wrong(what, text, err);
	if (v6) {
		begin++;
		len -= 2;
	}
	if (!len || len >= sizeof(host) || count_parse(what, colon + 1, 1, 65535, &port, NULL) < 0)
		return wrong(what, text, err);
	memcpy(host, begin, len);
	host[len] = '\0';
	if (v6) {
		struct sockaddr_in6 *in = (struct sockaddr_in6 *)&a.any;

		in->sin6_port = htons((uint16_t)port);
		a.len = sizeof(*in);
		a.any.ss_family = AF_INET6;
		if (inet_pton(AF_INET6, host, &in->sin6_addr) != 1)
			return wrong(what, text, err);
	} else {
		struct sockaddr_in *in = (struct sockaddr_in *)&a.any;

		in->sin_port = htons((uint16_t)port);
		a.len = sizeof(*in);
		a.any.ss_family = AF_INET;
		if (inet_pton(AF_INET, host, &in->sin_addr) != 1)
			return wrong(what, text, err);
	}
	*ret = a;
	return 0;
}
