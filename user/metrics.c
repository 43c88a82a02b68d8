// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "metrics.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "library.h"
#include "listen_address.h"
#include "metrics_text.h"

#define NS_PER_S 1000000000ull
#define FRESH_NS (NS_PER_S / 2) /* a page is given to all who ask within this time */

enum {
	BACKLOG = 64,
	CLIENT_PATIENCE_S = 10, /* of one that says or takes nothing */
	CLIENT_MEMORY = 16 * 1024,
	PAGE_MAX = 4 << 20,
	PAGE_WAIT_S = 2, /* for a page; then the last one has to do */
	LATE_S = 10,	 /* a loop that has not come round for so long, and three ticks, hangs */
};

/* The functions in use, by their names without MHD_. */
static struct {
	struct MHD_Daemon *(*start_daemon)(unsigned int flags, uint16_t port,
					   MHD_AcceptPolicyCallback policy, void *policy_ctx,
					   MHD_AccessHandlerCallback handler, void *handler_ctx,
					   ...);
	void (*stop_daemon)(struct MHD_Daemon *d);
	struct MHD_Response *(*create_response)(size_t size, void *buffer,
						enum MHD_ResponseMemoryMode mode);
	enum MHD_Result (*add_header)(struct MHD_Response *r, const char *name, const char *value);
	enum MHD_Result (*queue_response)(struct MHD_Connection *c, unsigned int status,
					  struct MHD_Response *r);
	void (*destroy_response)(struct MHD_Response *r);
	enum MHD_Result (*get_values)(struct MHD_Connection *c, enum MHD_ValueKind kind,
				      MHD_KeyValueIterator fn, void *ctx);
} mhd;

static const struct library_symbol symbols[] = {
	{ "MHD_start_daemon", (void **)&mhd.start_daemon },
	{ "MHD_stop_daemon", (void **)&mhd.stop_daemon },
	{ "MHD_create_response_from_buffer", (void **)&mhd.create_response },
	{ "MHD_add_response_header", (void **)&mhd.add_header },
	{ "MHD_queue_response", (void **)&mhd.queue_response },
	{ "MHD_destroy_response", (void **)&mhd.destroy_response },
	{ "MHD_get_connection_values", (void **)&mhd.get_values },
};

static struct library library = {
	.name = "libmicrohttpd",
	.file = { "libmicrohttpd.so.12" },
	.use = "for metrics",
	.remedy = "apt-get install libmicrohttpd12, or --metrics off",
	.symbol = symbols,
	.n_symbols = sizeof(symbols) / sizeof(symbols[0]),
};

struct metrics {
	struct MHD_Daemon *daemon;
	char where[CONFIG_METRICS_MAX];
	int wanted_fd;	      /* eventfd: somebody waits for a page */
	uint64_t patience_ns; /* between two turns of the loop */
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t news;  /* a page, or the end */
	char *page;	      /* NULL: none yet */
	size_t page_len;
	uint64_t page_ns; /* when it was made; CLOCK_MONOTONIC, as */
	uint64_t turn_ns; /* the loop's last turn; 0: none yet */
	bool ready, closing;
	size_t interfaces;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

/* ---- checks ---- */

/* What /livez and /readyz look at; why is "" where all is well. */
struct checks {
	char loop[80], interfaces[80], drained[80];
};

static void look(struct metrics *m, struct checks *ret)
{
	uint64_t age;
	bool ready;
	size_t interfaces;

	pthread_mutex_lock(&m->lock);
	age = m->turn_ns ? now_ns() - m->turn_ns : 0;
	ready = m->turn_ns && m->ready;
	interfaces = m->interfaces;
	pthread_mutex_unlock(&m->lock);
	*ret = (struct checks){ "", "", "" };
	if (age > m->patience_ns)
		snprintf(ret->loop, sizeof(ret->loop), "the last turn was %llu s ago",
			 (unsigned long long)(age / NS_PER_S));
	if (!interfaces)
		snprintf(ret->interfaces, sizeof(ret->interfaces), "none is watched");
	if (!ready)
		snprintf(ret->drained, sizeof(ret->drained),
			 "nothing was read from the kernel yet");
}

/* ---- answers ---- */

/* reply - with a body that the library copies; text is a literal or the caller's. */
static enum MHD_Result reply(struct MHD_Connection *c, unsigned int status, const char *type,
			     const char *text, size_t len)
{
	struct MHD_Response *r =
		mhd.create_response(len, (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result;

	if (!r)
		return MHD_NO;
	mhd.add_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		mhd.add_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	result = mhd.queue_response(c, status, r);
	mhd.destroy_response(r);
	return result;
}

static enum MHD_Result reply_text(struct MHD_Connection *c, unsigned int status, const char *text)
{
	return reply(c, status, "text/plain; charset=utf-8", text, strlen(text));
}

static enum MHD_Result on_value(void *ctx, enum MHD_ValueKind kind, const char *key,
				const char *value)
{
	(void)kind;
	(void)value;
	if (!strcmp(key, "verbose"))
		*(bool *)ctx = true;
	return MHD_YES;
}

static void check_put(FILE *out, const char *name, const char *why)
{
	fprintf(out, *why ? "[-]%s failed: %s\n" : "[+]%s ok\n", name, why);
}

/* health - "ok", or what fails; with ?verbose every check. */
static enum MHD_Result health(struct metrics *m, struct MHD_Connection *c, bool readiness)
{
	struct checks k;
	bool verbose = false, bad;
	char text[512] = "";
	FILE *out;

	look(m, &k);
	bad = *k.loop || (readiness && (*k.interfaces || *k.drained));
	mhd.get_values(c, MHD_GET_ARGUMENT_KIND, on_value, &verbose);
	if (!verbose && !bad)
		return reply_text(c, MHD_HTTP_OK, "ok\n");
	out = fmemopen(text, sizeof(text), "w");
	if (!out)
		return MHD_NO;
	check_put(out, "loop", k.loop);
	if (readiness) {
		check_put(out, "interfaces", k.interfaces);
		check_put(out, "drained", k.drained);
	}
	fputs(bad ? "failed\n" : "ok\n", out);
	fclose(out);
	return reply_text(c, bad ? MHD_HTTP_SERVICE_UNAVAILABLE : MHD_HTTP_OK, text);
}

/* await - asks the loop for a page, unless there is one that is fresh enough, and waits for it. The
 * lock is held, but for the wait. */
static void await(struct metrics *m)
{
	const uint64_t one = 1, asked = now_ns();
	struct timespec until = { (time_t)(asked / NS_PER_S) + PAGE_WAIT_S,
				  (long)(asked % NS_PER_S) };

	if (m->page && asked - m->page_ns < FRESH_NS)
		return;
	if (write(m->wanted_fd, &one, sizeof(one)) != sizeof(one))
		return;
	while (!m->closing && (!m->page || m->page_ns < asked))
		if (pthread_cond_timedwait(&m->news, &m->lock, &until))
			return;
}

/* page_of - a copy of the page, with what is known of the process; NULL if there is none. */
static char *page_of(struct metrics *m, size_t *ret_len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_len);
	bool there;

	if (!out)
		return NULL;
	pthread_mutex_lock(&m->lock);
	await(m);
	there = m->page;
	if (there)
		fwrite(m->page, 1, m->page_len, out);
	pthread_mutex_unlock(&m->lock);
	if (there)
		metrics_write_process(out);
	if (!fclose(out) && there)
		return text;
	free(text);
	return NULL;
}

static enum MHD_Result metrics_reply(struct metrics *m, struct MHD_Connection *c)
{
	enum MHD_Result result;
	size_t len = 0;
	char *text = page_of(m, &len);

	if (!text)
		return reply_text(c, MHD_HTTP_SERVICE_UNAVAILABLE, "nothing was counted yet\n");
	result = reply(c, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", text, len);
	free(text);
	return result;
}

static enum MHD_Result landing(struct MHD_Connection *c)
{
	static const char text[] =
		"<!DOCTYPE html>\n<html lang=\"en\"><head><title>reconmon</title></head><body>\n"
		"<h1>reconmon " RECONMON_VERSION "</h1>\n"
		"<p><a href=\"/metrics\">metrics</a>, <a href=\"/livez?verbose\">livez</a>, "
		"<a href=\"/readyz?verbose\">readyz</a></p>\n</body></html>\n";

	return reply(c, MHD_HTTP_OK, "text/html; charset=utf-8", text, sizeof(text) - 1);
}

/* on_request - called when the head is there, and again for what a client sends behind it. */
static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *size, void **seen)
{
	struct metrics *m = ctx;

	(void)version;
	(void)data;
	if (!*seen) {
		*seen = m;
		return MHD_YES;
	}
	if (*size) { /* a body: read over */
		*size = 0;
		return MHD_YES;
	}
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return reply_text(c, MHD_HTTP_METHOD_NOT_ALLOWED, "GET and HEAD are answered\n");
	if (!strcmp(url, "/metrics"))
		return metrics_reply(m, c);
	if (!strcmp(url, "/livez") || !strcmp(url, "/healthz"))
		return health(m, c, false);
	if (!strcmp(url, "/readyz"))
		return health(m, c, true);
	if (!strcmp(url, "/"))
		return landing(c);
	return reply_text(c, MHD_HTTP_NOT_FOUND, "there are /metrics, /livez and /readyz\n");
}

/* ---- pages ---- */

int metrics_fd(const struct metrics *m)
{
	return m->wanted_fd;
}

void metrics_turn(struct metrics *m, bool ready, size_t interfaces)
{
	if (!m)
		return;
	pthread_mutex_lock(&m->lock);
	m->turn_ns = now_ns();
	m->ready = ready;
	m->interfaces = interfaces;
	pthread_mutex_unlock(&m->lock);
}

void metrics_publish(struct metrics *m, json_t *figures)
{
	char *text = NULL, *old = NULL;
	size_t len = 0;
	FILE *out = figures ? open_memstream(&text, &len) : NULL;
	uint64_t n;

	if (read(m->wanted_fd, &n, sizeof(n)) < 0)
		errno = 0; /* nobody asked: no harm */
	if (out) {
		metrics_write(out, figures);
		if (fclose(out) || len > PAGE_MAX) {
			free(text);
			text = NULL;
		}
	}
	pthread_mutex_lock(&m->lock);
	if (text) { /* else no memory: an old page is better than none */
		old = m->page;
		m->page = text;
		m->page_len = len;
	}
	m->page_ns = now_ns();
	pthread_cond_broadcast(&m->news);
	pthread_mutex_unlock(&m->lock);
	free(old);
	json_decref(figures);
}

const char *metrics_where(const struct metrics *m)
{
	return m->where;
}

/* ---- opening ---- */

static int listen_at(const struct listen_address *at, const char *where, struct error *err)
{
	int fd = socket(at->any.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int one = 1, r;

	if (fd >= 0) {
		/* Or a restart would wait for connections of the last run to be forgotten. */
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		if (at->any.ss_family == AF_INET6) /* [::] is not 0.0.0.0 as well */
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
		if (!bind(fd, (const struct sockaddr *)&at->any, at->len) && !listen(fd, BACKLOG))
			return fd;
	}
	r = -errno;
	if (fd >= 0)
		close(fd);
	return error_set(err, r, r == -EACCES ? EXIT_NOT_PERMITTED : EXIT_RUNTIME,
			 "metrics at %s: %s%s", where, strerror(-r),
			 r == -EADDRINUSE
				 ? " (another reconmon?); --metrics takes another address, "
				   "or off"
				 : "");
}

/* start - the thread takes no signals: they are the loop's. */
static int start(struct metrics *m, int fd)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	m->daemon = mhd.start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, on_request, m,
				     MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
				     (unsigned int)METRICS_CLIENTS_MAX,
				     MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)CLIENT_PATIENCE_S,
				     MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CLIENT_MEMORY,
				     MHD_OPTION_END);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return m->daemon ? 0 : -EIO;
}

static void metrics_free(struct metrics *m)
{
	if (!m)
		return;
	if (m->wanted_fd >= 0)
		close(m->wanted_fd);
	pthread_cond_destroy(&m->news);
	pthread_mutex_destroy(&m->lock);
	free(m->page);
	free(m);
}

static struct metrics *metrics_new(const struct config *cfg, const char *where)
{
	struct metrics *m = calloc(1, sizeof(*m));
	pthread_condattr_t by_monotonic;

	if (!m)
		return NULL;
	snprintf(m->where, sizeof(m->where), "%s", where);
	m->patience_ns = LATE_S * NS_PER_S + 3 * cfg->tick_ns;
	pthread_mutex_init(&m->lock, NULL);
	pthread_condattr_init(&by_monotonic);
	pthread_condattr_setclock(&by_monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&m->news, &by_monotonic);
	pthread_condattr_destroy(&by_monotonic);
	m->wanted_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (m->wanted_fd >= 0)
		return m;
	metrics_free(m);
	return NULL;
}

static int open_there(const struct config *cfg, const char *where, struct metrics **ret,
		      struct error *err)
{
	struct listen_address at;
	struct metrics *m;
	int fd, r = library_load(&library, err);

	if (r < 0)
		return r;
	r = listen_address_parse("metrics", where, &at, err); /* was checked before */
	if (r < 0)
		return r;
	fd = listen_at(&at, where, err);
	if (fd < 0)
		return fd;
	m = metrics_new(cfg, where);
	if (!m || start(m, fd) < 0) {
		close(fd);
		metrics_free(m);
		return error_set(err, -EIO, EXIT_RUNTIME, "metrics at %s: cannot start", where);
	}
	*ret = m;
	return 0;
}

int metrics_open(const struct config *cfg, struct metrics **ret, struct error *note,
		 struct error *err)
{
	char loopback[CONFIG_METRICS_MAX];
	int r;

	*ret = NULL;
	note->text[0] = '\0';
	if (!strcmp(cfg->metrics, "off") || (!cfg->metrics[0] && !cfg->config_file))
		return 0;
	if (cfg->metrics[0])
		return open_there(cfg, cfg->metrics, ret, err);
	snprintf(loopback, sizeof(loopback), "127.0.0.1:%d", METRICS_PORT);
	r = open_there(cfg, loopback, ret, note);
	if (!r)
		note->text[0] = '\0';
	return 0;
}

void metrics_close(struct metrics *m)
{
	if (!m)
		return;
	pthread_mutex_lock(&m->lock);
	m->closing = true;
	pthread_cond_broadcast(&m->news);
	pthread_mutex_unlock(&m->lock);
	mhd.stop_daemon(m->daemon); /* closes the socket */
	metrics_free(m);
}
