// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* How does a framed line reach a syslog daemon? One datagram over UDP or to the local socket, or a
 * counted message over TCP (RFC 6587: octet counting, or lines) or TLS (RFC 5425), which libcurl
 * does: it checks certificates as it does those of web servers. A connection is made when it is
 * needed; the look-up of a name may block, which is what threads are for. */
#include <errno.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "output_curl.h"
#include "output_dest.h"
#include "unacked.h"

enum {
	CONNECT_MS = 10000,
	IDLE_MS = 500,
	USER_TIMEOUT_MS =
		120000, /* TCP: nothing acknowledged for longer, and the receiver is gone */
};

struct syslog {
	struct output_config oc;
	int fd;	      /* -1: to be connected */
	size_t sent;  /* TCP: bytes of the record at hand, its count included */
	uint64_t out; /* TCP: all that was written to this connection */
	struct unacked unacked;
	const struct curl_functions *curl; /* TLS; else NULL */
	CURL *easy;			   /* its connection, which owns fd; NULL: none */
	int stop_fd;
	const char *why;
};

static int syslog_open(const struct output_config *oc, void **ret, struct error *err)
{
	struct syslog *s = calloc(1, sizeof(*s));

	if (oc->transport == SYSLOG_UNIX &&
	    strlen(oc->host) >= sizeof(((struct sockaddr_un *)0)->sun_path)) {
		free(s);
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "the path of a socket has at most %zu characters",
				 sizeof(((struct sockaddr_un *)0)->sun_path) - 1);
	}
	if (!s)
		return error_set(err, -ENOMEM, EXIT_RUNTIME, "out of memory");
	s->oc = *oc;
	s->fd = -1;
	unacked_init(&s->unacked);
	if (oc->transport == SYSLOG_TLS)
		s->curl = curl_load(err);
	if (oc->transport == SYSLOG_TLS && !s->curl) {
		free(s);
		return -ENOENT;
	}
	*ret = s;
	return 0;
}

static void disconnect(struct syslog *s)
{
	if (s->easy)
		s->curl->easy_cleanup(s->easy); /* says goodbye, and closes fd */
	else if (s->fd >= 0)
		close(s->fd);
	s->easy = NULL;
	s->fd = -1;
	s->sent = 0;
	s->out = 0;
}

static int connect_within(int fd, const struct sockaddr *addr, socklen_t len, int stop_fd)
{
	int error = 0, r;
	socklen_t size = sizeof(error);

	if (!connect(fd, addr, len))
		return 0;
	if (errno != EINPROGRESS)
		return -errno;
	r = dest_wait(fd, POLLOUT, CONNECT_MS, stop_fd);
	if (r < 0)
		return r;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	return -error;
}

/* connect_to - a socket connected to one address, or a negative errno. */
static int connect_to(const struct sockaddr *addr, socklen_t len, int type, int stop_fd)
{
	const int timeout = USER_TIMEOUT_MS;
	int fd = socket(addr->sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		return -errno;
	if (type == SOCK_STREAM && addr->sa_family != AF_UNIX)
		setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
	r = connect_within(fd, addr, len, stop_fd);
	if (!r)
		return fd;
	close(fd);
	return r;
}

static int connect_unix(struct syslog *s, int stop_fd)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	strcpy(addr.sun_path, s->oc.host); /* fits: syslog_open() */
	s->fd = connect_to((struct sockaddr *)&addr, sizeof(addr), SOCK_DGRAM, stop_fd);
	return s->fd < 0 ? s->fd : 0;
}

/* What getaddrinfo() says as an errno, for strerror(). */
static int lookup_error(int error)
{
	switch (error) {
	case EAI_SYSTEM:
		return -errno;
	case EAI_AGAIN:
		return -EAGAIN;
	case EAI_MEMORY:
		return -ENOMEM;
	default:
		return -EHOSTUNREACH;
	}
}

/* connect_inet - to the first address of the name that answers. */
static int connect_inet(struct syslog *s, int stop_fd)
{
	const int type = s->oc.transport == SYSLOG_UDP ? SOCK_DGRAM : SOCK_STREAM;
	const struct addrinfo hints = { .ai_socktype = type, .ai_flags = AI_NUMERICSERV };
	struct addrinfo *list, *a;
	char port[8];
	int r;

	snprintf(port, sizeof(port), "%u", s->oc.port);
	r = getaddrinfo(s->oc.host, port, &hints, &list);
	if (r)
		return lookup_error(r);
	r = -EHOSTUNREACH;
	for (a = list; a && s->fd < 0 && r != -ECANCELED; a = a->ai_next) {
		r = connect_to(a->ai_addr, a->ai_addrlen, type, stop_fd);
		s->fd = r < 0 ? -1 : r;
	}
	freeaddrinfo(list);
	return s->fd < 0 ? r : 0;
}

/* libcurl calls this at least once a second. */
static int on_progress(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct syslog *s = ctx;

	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return dest_wait(s->stop_fd, POLLIN, 0, -1) == 0;
}

static void tls_prepare(struct syslog *s, const char *url)
{
	const struct curl_functions *c = s->curl;

	c->easy_setopt(s->easy, CURLOPT_URL, url);
	c->easy_setopt(s->easy, CURLOPT_CONNECT_ONLY, 1L);
	c->easy_setopt(s->easy, CURLOPT_SSL_ENABLE_ALPN, 0L); /* it is no HTTP */
	c->easy_setopt(s->easy, CURLOPT_PROXY, "");
	c->easy_setopt(s->easy, CURLOPT_NOSIGNAL, 1L);
	c->easy_setopt(s->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	c->easy_setopt(s->easy, CURLOPT_XFERINFOFUNCTION, on_progress);
	c->easy_setopt(s->easy, CURLOPT_XFERINFODATA, s);
	c->easy_setopt(s->easy, CURLOPT_NOPROGRESS, 0L);
	if (s->oc.ca[0])
		c->easy_setopt(s->easy, CURLOPT_CAINFO, s->oc.ca);
}

static int connect_tls(struct syslog *s, int stop_fd)
{
	bool v6 = strchr(s->oc.host, ':');
	char url[OUTPUT_TARGET_MAX + 32];
	curl_socket_t fd = CURL_SOCKET_BAD;
	CURLcode code;

	s->easy = s->curl->easy_init();
	if (!s->easy)
		return -ENOMEM;
	s->stop_fd = stop_fd;
	snprintf(url, sizeof(url), "https://%s%s%s:%u", v6 ? "[" : "", s->oc.host, v6 ? "]" : "",
		 s->oc.port);
	tls_prepare(s, url);
	code = s->curl->easy_perform(s->easy);
	if (code == CURLE_OK)
		s->curl->easy_getinfo(s->easy, CURLINFO_ACTIVESOCKET, &fd);
	if (fd == CURL_SOCKET_BAD)
		s->why = s->curl->easy_strerror(code);
	s->fd = (int)fd;
	if (s->fd >= 0)
		return 0;
	return code == CURLE_ABORTED_BY_CALLBACK ? -ECANCELED : -ECONNABORTED;
}

static int connect_by(struct syslog *s, int stop_fd)
{
	switch (s->oc.transport) {
	case SYSLOG_UNIX:
		return connect_unix(s, stop_fd);
	case SYSLOG_TLS:
		return connect_tls(s, stop_fd);
	default:
		return connect_inet(s, stop_fd);
	}
}

/* is_gone - has the receiver closed the connection? Syslog never answers, so what there is to read
 * is its end; without this look the next message would be written into the void. */
static bool is_gone(const struct syslog *s)
{
	char byte;
	size_t got = 0;
	ssize_t n;

	if (s->easy) /* AGAIN is what silence looks like */
		return s->curl->easy_recv(s->easy, &byte, 1, &got) != CURLE_AGAIN && !got;
	n = recv(s->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	return !n || (n < 0 && errno != EAGAIN && errno != EINTR);
}

/* settle - what has arrived by now need not be kept. Of TLS the queue holds more bytes than we
 * wrote: then less is known to have arrived than has. */
static void settle(struct syslog *s)
{
	int queued;

	if (s->fd >= 0 && s->unacked.head && !ioctl(s->fd, SIOCOUTQ, &queued))
		unacked_settle(&s->unacked,
			       (uint64_t)queued < s->out ? s->out - (uint64_t)queued : 0);
}

static int send_datagram(struct syslog *s, const struct record *r, int stop_fd)
{
	size_t len = r->len - 1; /* without its line end */

	for (;;) {
		int w;

		if (send(s->fd, r->text, len, MSG_NOSIGNAL) >= 0)
			return 0;
		if (errno == EMSGSIZE)
			return -EBADMSG;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		w = dest_wait(s->fd, POLLOUT, -1, stop_fd);
		if (w < 0)
			return w;
	}
}

/* put - writes what it can, as send(2) does. */
static ssize_t put(struct syslog *s, const char *text, size_t len, bool more)
{
	size_t n = 0;
	CURLcode code;

	if (!s->easy)
		return send(s->fd, text, len, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
	code = s->curl->easy_send(s->easy, text, len, &n);
	if (code == CURLE_OK)
		return (ssize_t)n;
	errno = code == CURLE_AGAIN ? EAGAIN : ECONNRESET;
	return -1;
}

/* send_counted - "LEN MESSAGE", or the message as a line. */
static int send_counted(struct syslog *s, const struct record *r, int stop_fd)
{
	size_t len = s->oc.lf_framing ? r->len : r->len - 1;
	char count[24] = "";
	size_t head = s->oc.lf_framing ? 0 : (size_t)sprintf(count, "%zu ", len);

	while (s->sent < head + len) {
		bool in_head = s->sent < head;
		const char *text = in_head ? count + s->sent : r->text + (s->sent - head);
		size_t rest = in_head ? head - s->sent : head + len - s->sent;
		ssize_t n = put(s, text, rest, in_head);
		int w = 0;

		if (n > 0) {
			s->sent += (size_t)n;
			s->out += (size_t)n;
		} else if (errno == EAGAIN)
			w = dest_wait(s->fd, POLLOUT, -1, stop_fd);
		else if (errno != EINTR)
			return -errno;
		if (w < 0)
			return w;
	}
	s->sent = 0;
	return 0;
}

/* send_again - what may not have arrived over the last connection, the oldest first. */
static int send_again(struct syslog *s, int stop_fd)
{
	struct unacked old = s->unacked;
	struct record *r;
	int error = 0;

	if (!old.head)
		return 0;
	unacked_init(&s->unacked);
	while (!error && (r = unacked_pop(&old))) {
		error = send_counted(s, r, stop_fd);
		if (error) {
			unacked_unpop(&old, r);
			break;
		}
		unacked_add(&s->unacked, r, s->out);
		free(r);
	}
	*s->unacked.tail = old.head; /* after an error: all of them once more */
	if (old.head)
		s->unacked.tail = old.tail;
	s->unacked.bytes += old.bytes;
	return error;
}

/* ready - connected, and with what the last connection owed on its way. */
static int ready(struct syslog *s, bool tcp, int stop_fd)
{
	int error = 0;

	if (tcp)
		settle(s);
	if (s->fd >= 0 && tcp && is_gone(s))
		disconnect(s);
	if (s->fd >= 0)
		return 0;
	error = connect_by(s, stop_fd);
	return !error && tcp ? send_again(s, stop_fd) : error;
}

static bool is_stream(const struct syslog *s)
{
	return s->oc.transport == SYSLOG_TCP || s->oc.transport == SYSLOG_TLS;
}

/* A message that broke off begins anew on the next connection: the receiver drops half of one. */
static int syslog_send(void *handle, struct record *r, int stop_fd)
{
	struct syslog *s = handle;
	bool tcp = is_stream(s);
	int error;

	s->why = NULL;
	error = ready(s, tcp, stop_fd);
	if (!error)
		error = tcp ? send_counted(s, r, stop_fd) : send_datagram(s, r, stop_fd);
	if (!error && tcp)
		unacked_add(&s->unacked, r, s->out);
	if (error && error != -EBADMSG)
		disconnect(s);
	return error;
}

/* syslog_idle - a connection may die after the last message was written to it. */
static unsigned int syslog_idle(void *handle, int stop_fd)
{
	struct syslog *s = handle;

	if (!is_stream(s) || !s->unacked.head)
		return 0;
	if (ready(s, true, stop_fd) < 0)
		disconnect(s);
	return s->unacked.head ? IDLE_MS : 0;
}

/* Names may mean other addresses by now. */
static void syslog_reopen(void *handle)
{
	disconnect(handle);
}

static void syslog_close(void *handle)
{
	struct syslog *s = handle;

	disconnect(s);
	unacked_done(&s->unacked);
	free(s);
}

static const char *syslog_why(void *handle, int error)
{
	const struct syslog *s = handle;

	return error == EBADMSG ? "longer than a datagram" : s->why;
}

const struct dest dest_syslog = {
	.open = syslog_open,
	.send = syslog_send,
	.idle = syslog_idle,
	.why = syslog_why,
	.reopen = syslog_reopen,
	.close = syslog_close,
	.patience_ns = 5000000000ull,
};
