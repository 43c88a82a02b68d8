// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "control_client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "control.h"
#include "control_socket.h"

enum {
	ANSWER_BYTES_MAX = 64 << 20, /* of a line; the largest that a daemon writes is a few MB */
	READ_BYTES = 64 * 1024,
};

struct control_client {
	int fd;
	char path[CONTROL_PATH_MAX];
	char *buf;
	size_t len, room;
	size_t looked; /* so many bytes of buf hold no end of a line */
};

int control_client_open(const struct config *cfg, struct control_client **ret, struct error *err)
{
	struct control_client *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return error_set(err, -ENOMEM, EXIT_RUNTIME, "no memory to ask the daemon");
	c->fd = -1;
	if (!control_address(cfg, c->path))
		r = error_set(err, -ENOENT, EXIT_RUNTIME,
			      "the control socket is off here (`control: none`); --control names "
			      "one");
	else
		r = c->fd = control_socket_connect(c->path, err);
	if (r < 0) {
		control_client_close(c);
		return r;
	}
	*ret = c;
	return 0;
}

void control_client_close(struct control_client *c)
{
	if (!c)
		return;
	if (c->fd >= 0)
		close(c->fd);
	free(c->buf);
	free(c);
}

int control_client_fd(const struct control_client *c)
{
	return c->fd;
}

static int gone(const struct control_client *c, int r, struct error *err)
{
	return error_set(err, r, EXIT_RUNTIME, "control socket '%s': the daemon has gone (%s)",
			 c->path, r == -EPIPE ? "no more answers" : strerror(-r));
}

int control_client_ask(struct control_client *c, const char *request, struct error *err)
{
	char line[CONTROL_LINE_MAX + 2];
	int n = snprintf(line, sizeof(line), "%s\n", request);

	if (n >= (int)sizeof(line))
		return error_set(err, -EINVAL, EXIT_RUNTIME, "a request has at most %d bytes",
				 CONTROL_LINE_MAX);
	if (send(c->fd, line, (size_t)n, MSG_NOSIGNAL) != n)
		return gone(c, -errno, err);
	return 0;
}

/* take_line - the first line of the buffer as an object. 1, or 0: there is no whole line. */
static int take_line(struct control_client *c, json_t **ret, struct error *err)
{
	char *end =
		c->len > c->looked ? memchr(c->buf + c->looked, '\n', c->len - c->looked) : NULL;
	const char *said;
	json_t *o;

	c->looked = c->len;
	if (!end)
		return 0;
	o = json_loadb(c->buf, (size_t)(end - c->buf), 0, NULL);
	c->len -= (size_t)(end + 1 - c->buf);
	memmove(c->buf, end + 1, c->len);
	c->looked = 0;
	if (!json_is_object(o)) {
		json_decref(o);
		return error_set(err, -EPROTO, EXIT_RUNTIME,
				 "control socket '%s': what answers there is no reconmon", c->path);
	}
	said = json_string_value(json_object_get(o, "error"));
	if (said) {
		error_set(err, -EPROTO, EXIT_RUNTIME, "the daemon says: %.300s", said);
		json_decref(o);
		return -EPROTO;
	}
	*ret = o;
	return 1;
}

static int take_more(struct control_client *c, struct error *err)
{
	ssize_t n;

	if (c->room - c->len < READ_BYTES) {
		size_t room = c->room ? c->room * 2 : 2 * READ_BYTES;
		char *more = room <= ANSWER_BYTES_MAX ? realloc(c->buf, room) : NULL;

		if (!more)
			return error_set(err, -ENOMEM, EXIT_RUNTIME,
					 "control socket '%s': an answer is too long", c->path);
		c->buf = more;
		c->room = room;
	}
	n = recv(c->fd, c->buf + c->len, c->room - c->len, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return gone(c, n ? -errno : -EPIPE, err);
	c->len += (size_t)n;
	return 1;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int control_client_read(struct control_client *c, int timeout_ms, json_t **ret, struct error *err)
{
	int64_t until = now_ms() + timeout_ms, left;
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	int r;

	for (;;) {
		r = take_line(c, ret, err);
		if (r)
			return r;
		r = take_more(c, err);
		if (r < 0)
			return r;
		if (r)
			continue;
		left = until - now_ms();
		if (left <= 0)
			return 0;
		if (poll(&p, 1, (int)left) < 0 && errno != EINTR)
			return gone(c, -errno, err);
	}
}
