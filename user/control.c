// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "control.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "control_socket.h"

#define NS_PER_MS 1000000ull
#define NS_PER_S  1000000000ull

#define FRESH_NS (50 * NS_PER_MS) /* an answer is given to all who ask within this time */
#define STALL_NS (5 * NS_PER_S)	  /* a client that takes nothing for so long is let go */
#define IDLE_NS	 (60 * NS_PER_S)  /* ... or that asks nothing */
#define SHUT_NS	 NS_PER_S	  /* where nobody can be let in, nobody is for so long */

enum {
	HEARTBEAT_MS = 100, /* subscriptions and patience are looked at so often */
};

/* What is behind an event; less is a client. */
enum {
	ID_DOOR = CONTROL_CLIENTS_MAX,
	ID_BEAT
};

/* An answer, shared by all who are getting it. */
struct reply {
	uint32_t refs;
	size_t len;
	char text[];
};

struct client {
	int fd; /* -1: free */
	char line[CONTROL_LINE_MAX + 1];
	size_t len; /* of what has come of a line */
	struct reply *out;
	size_t sent;
	void *walk;	      /* of alerts; NULL: none */
	bool bye;	      /* after what is on its way, it is over */
	enum control_get get; /* of the subscription, if */
	uint64_t every_ns;    /* is not 0, */
	uint64_t due_ns;      /* which is due then */
	uint64_t moved_ns;    /* when it last took or asked something */
};

struct control {
	struct control_source source;
	struct control_socket socket;
	int epoll_fd, timer_fd;
	bool beating;	   /* the timer runs */
	uint64_t opens_ns; /* when the door is looked at again; 0: it is */
	bool said_shut;	   /* that it ever was not */
	struct client client[CONTROL_CLIENTS_MAX];
	struct reply *fresh[CONTROL_GET_MAX];
	uint64_t made_ns[CONTROL_GET_MAX];
	struct control_stats stats;
};

/* ---- answers ---- */

/* reply_new - takes text over. NULL for want of memory, or of text. */
static struct reply *reply_new(char *text)
{
	size_t len = text ? strlen(text) : 0;
	struct reply *a = text ? malloc(sizeof(*a) + len + 1) : NULL;

	if (a) {
		a->refs = 1;
		a->len = len + 1;
		memcpy(a->text, text, len + 1);
		a->text[len] = '\n'; /* in its end's place: a line, as it is sent */
	}
	free(text);
	return a;
}

static void reply_unref(struct reply *a)
{
	if (a && !--a->refs)
		free(a);
}

/* reply_of - the answer to a request, not older than FRESH_NS. The caller's. */
static struct reply *reply_of(struct control *c, enum control_get get, uint64_t now_ns)
{
	if (!c->fresh[get] || now_ns - c->made_ns[get] > FRESH_NS) {
		reply_unref(c->fresh[get]);
		c->fresh[get] = reply_new(c->source.one(c->source.ctx, get));
		c->made_ns[get] = now_ns;
	}
	if (c->fresh[get])
		c->fresh[get]->refs++;
	return c->fresh[get];
}

/* ---- clients ---- */

static void client_end(struct control *c, struct client *k)
{
	if (k->walk)
		c->source.walk_end(c->source.ctx, k->walk);
	reply_unref(k->out);
	close(k->fd);
	*k = (struct client){ .fd = -1 };
	c->stats.clients--;
}

/* client_listen - a client that has an answer to take is not asked for more. */
static void client_listen(struct control *c, struct client *k)
{
	struct epoll_event ev = {
		.events = k->out ? EPOLLOUT : EPOLLIN,
		.data.u32 = (uint32_t)(k - c->client),
	};

	epoll_ctl(c->epoll_fd, EPOLL_CTL_MOD, k->fd, &ev);
}

static void client_give(struct client *k, struct reply *a)
{
	k->out = a;
	k->sent = 0;
	if (!a) /* no memory */
		k->bye = true;
}

/* client_refuse - says in a line what is wrong. */
static void client_refuse(struct client *k, const char *why)
{
	char *text = NULL;
	json_t *o = json_pack("{s:s, s:s}", "type", "error", "error", why);

	text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	client_give(k, reply_new(text));
}

static void client_ask(struct control *c, struct client *k, uint64_t now_ns)
{
	struct control_request q;
	struct error err;

	if (control_request_parse(k->line, k->len, &q, &err) < 0) {
		c->stats.invalid++;
		client_refuse(k, err.text);
		return;
	}
	c->stats.requests++;
	k->get = q.get;
	k->every_ns = q.every_ms * NS_PER_MS;
	k->due_ns = now_ns + k->every_ns;
	if (q.get != CONTROL_ALERTS) {
		client_give(k, reply_of(c, q.get, now_ns));
		return;
	}
	k->walk = c->source.walk_begin(c->source.ctx, q.id);
	client_give(k, k->walk ? reply_new(c->source.walk_next(c->source.ctx, k->walk)) : NULL);
}

/* client_line - takes what has come up to the end of a line; true if there is a whole one. What
 * comes after it waits in the socket. */
static bool client_line(char *got, ssize_t *n)
{
	char *end = memchr(got, '\n', (size_t)*n);

	if (end)
		*n = end - got + 1;
	return end;
}

/* client_read - at most one request a turn: peeks, to leave the next one where it is. */
static void client_read(struct control *c, struct client *k, uint64_t now_ns)
{
	char *to = k->line + k->len;
	size_t room = sizeof(k->line) - k->len;
	ssize_t n = recv(k->fd, to, room, MSG_PEEK);
	bool whole;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		client_end(c, k);
		return;
	}
	whole = client_line(to, &n);
	if (recv(k->fd, to, (size_t)n, 0) != n) {
		client_end(c, k);
		return;
	}
	k->moved_ns = now_ns;
	k->len += (size_t)n;
	if (!whole && k->len <= CONTROL_LINE_MAX)
		return;
	if (whole)
		k->len--; /* the end of the line */
	else
		k->bye = true; /* where the next one begins is unknown */
	client_ask(c, k, now_ns);
	k->len = 0;
}

/* client_next - what follows an answer that was taken: the next alert, or nothing yet. */
static void client_next(struct control *c, struct client *k)
{
	char *text;

	reply_unref(k->out);
	k->out = NULL;
	if (!k->walk)
		return;
	text = c->source.walk_next(c->source.ctx, k->walk);
	if (text) {
		client_give(k, reply_new(text));
		return;
	}
	c->source.walk_end(c->source.ctx, k->walk);
	k->walk = NULL;
}

static void client_write(struct control *c, struct client *k, uint64_t now_ns)
{
	size_t left = k->out->len - k->sent;
	ssize_t n = send(k->fd, k->out->text + k->sent,
			 left < CONTROL_TURN_BYTES ? left : CONTROL_TURN_BYTES,
			 MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		client_end(c, k);
		return;
	}
	k->moved_ns = now_ns;
	k->sent += (size_t)n;
	if (k->sent < k->out->len)
		return;
	client_next(c, k);
	if (!k->out && k->bye)
		client_end(c, k);
}

/* client_turn - one step. Whoever has something to take is offered it at once, so that a short
 * answer needs no second turn. */
static void client_turn(struct control *c, struct client *k, uint64_t now_ns)
{
	if (!k->out)
		client_read(c, k, now_ns);
	if (k->fd >= 0 && k->out)
		client_write(c, k, now_ns);
	if (k->fd >= 0 && k->bye && !k->out)
		client_end(c, k);
	if (k->fd >= 0)
		client_listen(c, k);
}

/* ---- the beat: subscriptions and patience ---- */

static void beat(struct control *c, bool on)
{
	const struct timespec t = { 0, HEARTBEAT_MS * NS_PER_MS };
	const struct itimerspec every = { t, t }, never = { { 0, 0 }, { 0, 0 } };

	if (c->beating != on)
		timerfd_settime(c->timer_fd, 0, on ? &every : &never, NULL);
	c->beating = on;
}

static void client_beat(struct control *c, struct client *k, uint64_t now_ns)
{
	if (now_ns - k->moved_ns > (k->out ? STALL_NS : IDLE_NS)) {
		if (k->out || !k->every_ns) {
			c->stats.dropped += k->out != NULL;
			client_end(c, k);
			return;
		}
	}
	if (!k->every_ns || now_ns + HEARTBEAT_MS * NS_PER_MS / 2 < k->due_ns)
		return;
	while (k->due_ns <= now_ns + HEARTBEAT_MS * NS_PER_MS / 2)
		k->due_ns += k->every_ns;
	if (k->out) {
		c->stats.skipped++;
		return;
	}
	client_give(k, reply_of(c, k->get, now_ns));
	client_turn(c, k, now_ns);
}

static void door_open(struct control *c, bool open)
{
	/* Changed and never taken out: to put it back could fail for want of memory. */
	struct epoll_event ev = { .events = open ? EPOLLIN : 0, .data.u32 = ID_DOOR };

	epoll_ctl(c->epoll_fd, EPOLL_CTL_MOD, c->socket.fd, &ev);
}

static void on_beat(struct control *c, uint64_t now_ns)
{
	uint64_t n;

	if (read(c->timer_fd, &n, sizeof(n)) != sizeof(n))
		return;
	for (int i = 0; i < CONTROL_CLIENTS_MAX; i++)
		if (c->client[i].fd >= 0)
			client_beat(c, &c->client[i], now_ns);
	if (c->opens_ns && now_ns >= c->opens_ns) {
		c->opens_ns = 0;
		door_open(c, true);
	}
	if (c->stats.clients || c->opens_ns)
		return;
	beat(c, false);
	for (int i = 0; i < CONTROL_GET_MAX; i++) { /* up to a megabyte each, for nobody */
		reply_unref(c->fresh[i]);
		c->fresh[i] = NULL;
	}
}

/* ---- the door ---- */

static struct client *client_room(struct control *c)
{
	for (int i = 0; i < CONTROL_CLIENTS_MAX; i++)
		if (c->client[i].fd < 0)
			return &c->client[i];
	return NULL;
}

static void turn_away(struct control *c, int fd)
{
	static const char text[] =
		"{\"type\":\"error\",\"error\":\"too many clients at once; try again\"}\n";

	c->stats.refused++;
	if (send(fd, text, sizeof(text) - 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		errno = 0; /* gone already: nothing to say to */
	close(fd);
}

/* door_shut - a client was not let in, for want of a descriptor or of memory. It waits at the door
 * still, which so would call again at once, and the loop spin. */
static void door_shut(struct control *c, int error, uint64_t now_ns)
{
	c->stats.unaccepted++;
	c->opens_ns = now_ns + SHUT_NS;
	door_open(c, false);
	beat(c, true);
	if (c->said_shut)
		return;
	c->said_shut = true;
	log_problem("control socket '%s': a client cannot be let in: %s; from now on that is "
		    "tried once a second and counted (control_unaccepted)",
		    c->socket.path, strerror(error));
}

static void on_door(struct control *c, uint64_t now_ns)
{
	int fd = accept4(c->socket.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *k = client_room(c);
	struct epoll_event ev = { .events = EPOLLIN };

	if (fd < 0) {
		/* Else the client has gone, or another look is enough. */
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			door_shut(c, errno, now_ns);
		return;
	}
	if (!k) {
		turn_away(c, fd);
		return;
	}
	ev.data.u32 = (uint32_t)(k - c->client);
	if (epoll_ctl(c->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0) {
		door_shut(c, errno, now_ns);
		close(fd);
		return;
	}
	k->fd = fd;
	k->moved_ns = now_ns;
	c->stats.clients++;
	beat(c, true);
}

void control_run(struct control *c, uint64_t now_ns)
{
	struct epoll_event ev[CONTROL_CLIENTS_MAX + 2];
	int n = epoll_wait(c->epoll_fd, ev, CONTROL_CLIENTS_MAX + 2, 0);

	for (int i = 0; i < n; i++) {
		uint32_t id = ev[i].data.u32;

		if (id == ID_DOOR)
			on_door(c, now_ns);
		else if (id == ID_BEAT)
			on_beat(c, now_ns);
		else if (c->client[id].fd >= 0)
			client_turn(c, &c->client[id], now_ns);
	}
}

int control_fd(const struct control *c)
{
	return c->epoll_fd;
}

/* ---- opening ---- */

const char *control_address(const struct config *cfg, char *buf)
{
	const char *folder = getenv("RUNTIME_DIRECTORY");

	if (!strcmp(cfg->control, "none"))
		return NULL;
	if (cfg->control[0])
		return strcpy(buf, cfg->control);
	if (!folder || *folder != '/')
		folder = "/run/reconmon";
	/* Several are separated by colons. */
	if (snprintf(buf, CONTROL_PATH_MAX, "%.*s/reconmon.sock", (int)strcspn(folder, ":"),
		     folder) >= CONTROL_PATH_MAX)
		return NULL;
	return buf;
}

static int add_fd(const struct control *c, int fd, uint32_t id)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u32 = id };

	return epoll_ctl(c->epoll_fd, EPOLL_CTL_ADD, fd, &ev);
}

static int loop_open(struct control *c)
{
	c->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	c->timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (c->epoll_fd < 0 || c->timer_fd < 0 || add_fd(c, c->socket.fd, ID_DOOR) < 0 ||
	    add_fd(c, c->timer_fd, ID_BEAT) < 0)
		return -errno;
	return 0;
}

int control_open(const struct config *cfg, const struct control_source *source,
		 struct control **ret, struct error *note, struct error *err)
{
	struct control *c;
	char path[CONTROL_PATH_MAX];
	int r;

	*ret = NULL;
	note->text[0] = '\0';
	if (!control_address(cfg, path))
		return 0;
	c = calloc(1, sizeof(*c));
	if (!c)
		return error_set(err, -ENOMEM, EXIT_RUNTIME, "no memory for the control socket");
	c->source = *source;
	c->epoll_fd = c->timer_fd = c->socket.fd = -1;
	for (int i = 0; i < CONTROL_CLIENTS_MAX; i++)
		c->client[i].fd = -1;
	r = control_socket_open(path, !cfg->control[0], &c->socket, err);
	if (!r)
		r = loop_open(c) < 0 ? error_set(err, -errno, EXIT_RUNTIME,
						 "control socket '%s': %s", path, strerror(errno))
				     : 0;
	if (!r) {
		*ret = c;
		return 0;
	}
	control_close(c);
	/* Another daemon's is no failure of ours, nor is that nobody asked for one. */
	if (r != -EADDRINUSE && cfg->control[0])
		return r;
	*note = *err;
	err->text[0] = '\0';
	return 0;
}

void control_close(struct control *c)
{
	if (!c)
		return;
	for (int i = 0; i < CONTROL_CLIENTS_MAX; i++)
		if (c->client[i].fd >= 0)
			client_end(c, &c->client[i]);
	for (int i = 0; i < CONTROL_GET_MAX; i++)
		reply_unref(c->fresh[i]);
	control_socket_close(&c->socket);
	if (c->timer_fd >= 0)
		close(c->timer_fd);
	if (c->epoll_fd >= 0)
		close(c->epoll_fd);
	free(c);
}

void control_stats_get(const struct control *c, struct control_stats *ret)
{
	*ret = c->stats;
}
