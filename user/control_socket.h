/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A Unix socket that is ours alone: bound so that a live daemon's is never taken from it, and that
 * what a dead one left is no obstacle. */
#ifndef RECONMON_CONTROL_SOCKET_H
#define RECONMON_CONTROL_SOCKET_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "error.h"

struct control_socket {
	int fd;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	dev_t dev; /* of the file at path, */
	ino_t ino; /* to know it again */
	bool made_folder;
};

/* control_socket_open - listens at path, mode 0660; make_folder: its folder may be made. Returns 0
 * with *ret for control_socket_close(), or a negative errno with err filled: -EADDRINUSE means that
 * somebody answers there. */
int control_socket_open(const char *path, bool make_folder, struct control_socket *ret,
			struct error *err);

/* control_socket_close - removes the file, if it is still ours, and a
 * folder that was made for it. fd -1 is fine. */
void control_socket_close(struct control_socket *s);

/* control_socket_connect - a connection to whoever listens at path. Returns its descriptor, or a
 * negative errno with err filled. */
int control_socket_connect(const char *path, struct error *err);

#endif
