/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Where to listen, as people write it: 127.0.0.1:9765, [::1]:9765. */
#ifndef RECONMON_LISTEN_ADDRESS_H
#define RECONMON_LISTEN_ADDRESS_H

#include <sys/socket.h>

#include "error.h"

struct listen_address {
	struct sockaddr_storage any;
	socklen_t len;
};

/* listen_address_parse - reads ADDRESS:PORT; an IPv6 address stands in brackets, port is 1 to
 * 65535. Names are none: where one listens must not depend on who answers for it. Returns 0, or
 * -EINVAL with err filled; `what` names the option. */
int listen_address_parse(const char *what, const char *text, struct listen_address *ret,
			 struct error *err);

#endif
