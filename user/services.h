/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What is a port called? Names as ss and nmap print them, from the host's database (/etc/services,
 * or whatever nsswitch.conf names). A name says which service a port number is meant for, and not
 * what answered there. */
#ifndef RECONMON_SERVICES_H
#define RECONMON_SERVICES_H

#include <stdint.h>

struct services;

enum {
	SERVICE_NAME_MAX = 24, /* bytes of a name, NUL included; RFC 6335, 5.1 allows 15 */
};

/* services_new - an empty table, in which every port is unknown, for services_free(); NULL for want
 * of memory. */
struct services *services_new(void);
void services_free(struct services *s); /* NULL is fine */

/* services_load - adds the host's database. A database that is missing or empty adds nothing.
 * Returns how many names are known, or -ENOMEM with those that had room. Asks getservent(3), so not
 * by two threads at once. */
int services_load(struct services *s);

/* services_add - a port (host byte order) and protocol ("tcp", "udp", "sctp", "dccp" ...), as a
 * line of the database has them. The first name of a port is its name. Names that are longer, or
 * would not stay one word in a list ("a,b", "a/b", control characters), and other protocols are
 * passed over. Returns 0 or -ENOMEM. */
int services_add(struct services *s, const char *name, uint16_t port, const char *proto);

/* services_name - the name of a port, or NULL: unknown, or s is NULL. It lives as long as s, until
 * the next is added. proto is PROTO_TCP, PROTO_UDP or PROTO_SCTP; others know no names. */
const char *services_name(const struct services *s, uint8_t proto, uint16_t port);

#endif
