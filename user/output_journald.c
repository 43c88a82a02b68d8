// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* How does an entry reach systemd-journald? As one datagram to its native socket; an entry that is
 * too large for one goes as a sealed file in memory, whose descriptor travels with an empty
 * datagram (systemd.io, JOURNAL_NATIVE_PROTOCOL). */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "output_dest.h"

struct journald {
	int fd;
	struct sockaddr_un addr;
};

static int journald_open(const struct output_config *oc, void **ret, struct error *err)
{
	struct journald *j = calloc(1, sizeof(*j));
	int r;

	if (!j)
		return error_set(err, -ENOMEM, EXIT_RUNTIME, "out of memory");
	j->addr.sun_family = AF_UNIX;
	if (strlen(oc->host) >= sizeof(j->addr.sun_path)) {
		free(j);
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "the path of a socket has at most %zu characters",
				 sizeof(((struct sockaddr_un *)0)->sun_path) - 1);
	}
	strcpy(j->addr.sun_path, oc->host);
	j->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (j->fd < 0) {
		r = -errno;
		free(j);
		return error_set(err, r, EXIT_RUNTIME, "no socket: %s", strerror(-r));
	}
	*ret = j;
	return 0;
}

/* send_once - a datagram with the text, or with the descriptor of a file that holds it. */
static int send_once(struct journald *j, const struct record *r, int file)
{
	struct iovec text = { (void *)(uintptr_t)r->text, r->len };
	struct msghdr msg = {
		.msg_name = &j->addr,
		.msg_namelen = sizeof(j->addr),
		.msg_iov = &text,
		.msg_iovlen = file < 0,
	};
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .room = { 0 } };

	if (file >= 0) {
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.head), &file, sizeof(file));
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
	}
	return sendmsg(j->fd, &msg, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int send_when_ready(struct journald *j, const struct record *r, int file, int stop_fd)
{
	int error = send_once(j, r, file);

	/* A datagram socket without peer is always writable: look again every so often. */
	while (error == -EAGAIN) {
		int w = dest_wait(-1, 0, 50, stop_fd);

		if (w != -ETIMEDOUT)
			return w;
		error = send_once(j, r, file);
	}
	return error;
}

static int send_as_file(struct journald *j, const struct record *r, int stop_fd)
{
	int file = memfd_create("reconmon-journal", MFD_CLOEXEC | MFD_ALLOW_SEALING), error;

	if (file < 0)
		return -errno;
	if (write(file, r->text, r->len) != (ssize_t)r->len)
		error = -ENOSPC;
	else if (fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL))
		error = -errno;
	else
		error = send_when_ready(j, r, file, stop_fd);
	close(file);
	return error;
}

static int journald_send(void *handle, struct record *r, int stop_fd)
{
	struct journald *j = handle;
	int error = send_when_ready(j, r, -1, stop_fd);

	if (error == -EMSGSIZE || error == -ENOBUFS)
		error = send_as_file(j, r, stop_fd);
	return error;
}

static void journald_close(void *handle)
{
	struct journald *j = handle;

	close(j->fd);
	free(j);
}

const struct dest dest_journald = {
	.open = journald_open,
	.send = journald_send,
	.close = journald_close,
	.patience_ns = 5000000000ull,
};
