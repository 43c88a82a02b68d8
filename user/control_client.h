/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Asking a running daemon: the other end of control.h, for subcommands. */
#ifndef RECONMON_CONTROL_CLIENT_H
#define RECONMON_CONTROL_CLIENT_H

#include <jansson.h>

#include "config.h"
#include "error.h"

struct control_client;

/* control_client_open - connects to the daemon that listens where cfg says. Returns 0 with *ret for
 * control_client_close(), or a negative errno with err filled: nobody answers (EXIT_RUNTIME), not
 * permitted (EXIT_NOT_PERMITTED). */
int control_client_open(const struct config *cfg, struct control_client **ret, struct error *err);
void control_client_close(struct control_client *c); /* NULL is fine */

/* control_client_fd - becomes readable when an answer comes. */
int control_client_fd(const struct control_client *c);

/* control_client_ask - sends a request, a line of JSON without its end. Returns 0, or a negative
 * errno with err filled. */
int control_client_ask(struct control_client *c, const char *request, struct error *err);

/* control_client_read - the next line of answers, waited for at most timeout_ms milliseconds (0:
 * not at all). Returns 1 with *ret, an object, the caller's; 0 if there is none yet; or a negative
 * errno with err filled: the daemon has gone, or refuses (its `error`, -EPROTO). */
int control_client_read(struct control_client *c, int timeout_ms, json_t **ret, struct error *err);

#endif
