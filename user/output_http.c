// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* How does an alert reach a web service? By POST, one at a time over a connection that is kept:
 *
 *   webhook        the document (or line) as it is
 *   hec            in the envelope of Splunk's HTTP Event Collector
 *   elasticsearch  as `create` of the bulk API, with an id of its own, so that a request which is
 *                  repeated because its answer was lost makes no second document
 *
 * Refused for good (4xx) is lost; busy, broken or silent (429, 5xx, no answer) is tried again. */
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output_curl.h"
#include "output_dest.h"

enum {
	CONNECT_MS = 10000,
	ANSWER_MS = 30000,
	REPLY_MAX = 16384,
	TOKEN_MAX = 512,
	WHY_MAX = 256,
};

#define ELASTIC_INDEX "logs-reconmon.alert-default"

struct http {
	struct output_config oc;
	const struct curl_functions *curl;
	CURL *easy;
	struct curl_slist *headers;
	char *key; /* webhook: the header with a record's id, in `headers`, written anew each time
		    */
	char url[OUTPUT_TARGET_MAX + 64];
	char hostname[256];
	char reply[REPLY_MAX];
	size_t reply_len;
	int stop_fd;
	char why[WHY_MAX];
};

/* ---- opening ---- */

/* url_make - a service's own path, unless the user gave one. */
static void url_make(struct http *h)
{
	const char *path = h->oc.kind == OUTPUT_HEC		? "/services/collector/event"
			   : h->oc.kind == OUTPUT_ELASTICSEARCH ? "/_bulk"
								: "";
	const char *host = strstr(h->oc.target, "://") + 3;
	const char *slash = strchr(host, '/');
	bool bare = !slash || !slash[1];
	size_t len = bare && slash ? (size_t)(slash - h->oc.target) : strlen(h->oc.target);

	snprintf(h->url, sizeof(h->url), "%.*s%s", (int)len, h->oc.target, bare ? path : "");
}

static int token_read(const char *path, char *token, struct error *err)
{
	FILE *f = fopen(path, "re");
	int r = f ? 0 : -errno;

	if (r < 0)
		return error_set(err, r, EXIT_RUNTIME, "token-file '%s': %s", path, strerror(-r));
	if (!fgets(token, TOKEN_MAX, f))
		token[0] = '\0';
	fclose(f);
	token[strcspn(token, "\r\n")] = '\0';
	if (!*token)
		return error_set(err, -EINVAL, EXIT_RUNTIME,
				 "token-file '%s': its first line is empty", path);
	return 0;
}

static int header_add(struct http *h, const char *text)
{
	struct curl_slist *more = h->curl->slist_append(h->headers, text);

	if (!more)
		return -ENOMEM;
	h->headers = more;
	return 0;
}

static const char *media_type(const struct output_config *oc)
{
	if (oc->kind == OUTPUT_ELASTICSEARCH)
		return "Content-Type: application/x-ndjson";
	switch (oc->format) {
	case FORMAT_ECS:
	case FORMAT_OCSF:
	case FORMAT_ZEEK_JSON:
		return "Content-Type: application/json";
	default:
		return oc->kind == OUTPUT_HEC ? "Content-Type: application/json"
					      : "Content-Type: text/plain; charset=utf-8";
	}
}

#define KEY_FORMAT "Idempotency-Key: \"%016llx-%020llu\"" /* of the same length always */

static void key_write(const struct http *h, uint64_t run, uint64_t n)
{
	if (h->key)
		snprintf(h->key, strlen(h->key) + 1, KEY_FORMAT, (unsigned long long)run,
			 (unsigned long long)n);
}

/* key_make - the others name a record in the body; a webhook's body is the user's document. */
static int key_make(struct http *h)
{
	struct curl_slist *last;
	char text[80];
	int r;

	if (h->oc.kind != OUTPUT_WEBHOOK)
		return 0;
	snprintf(text, sizeof(text), KEY_FORMAT, 0ull, 0ull);
	r = header_add(h, text);
	for (last = h->headers; last && last->next; last = last->next)
		;
	if (!r)
		h->key = last->data;
	return r;
}

static int headers_make(struct http *h, struct error *err)
{
	const char *scheme = h->oc.kind == OUTPUT_HEC		  ? "Splunk"
			     : h->oc.kind == OUTPUT_ELASTICSEARCH ? "ApiKey"
								  : "Bearer";
	char token[TOKEN_MAX], line[TOKEN_MAX + 64];
	int r = header_add(h, media_type(&h->oc));

	if (!r)
		r = header_add(h, "Expect:"); /* no question first: the documents are small */
	if (!r && h->oc.token_file[0]) {
		r = token_read(h->oc.token_file, token, err);
		if (r < 0)
			return r;
		snprintf(line, sizeof(line), "Authorization: %s %s", scheme, token);
		r = header_add(h, line);
	}
	if (!r)
		r = key_make(h);
	return r < 0 ? error_set(err, r, EXIT_RUNTIME, "out of memory") : 0;
}

static size_t on_reply(char *data, size_t size, size_t n, void *ctx)
{
	struct http *h = ctx;
	size_t room = sizeof(h->reply) - 1 - h->reply_len;
	size_t take = size * n < room ? size * n : room;

	memcpy(h->reply + h->reply_len, data, take);
	h->reply_len += take;
	return size * n; /* what is longer does not matter */
}

/* libcurl calls this at least once a second. */
static int on_progress(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct http *h = ctx;
	struct pollfd p = { .fd = h->stop_fd, .events = POLLIN };

	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return poll(&p, 1, 0) > 0;
}

static int easy_make(struct http *h)
{
	const struct curl_functions *c = h->curl;
	CURL *e = c->easy_init();

	if (!e)
		return -ENOMEM;
	h->easy = e;
	c->easy_setopt(e, CURLOPT_URL, h->url);
	c->easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	c->easy_setopt(e, CURLOPT_HTTPHEADER, h->headers);
	c->easy_setopt(e, CURLOPT_USERAGENT, "reconmon/" RECONMON_VERSION);
	c->easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	c->easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	c->easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)ANSWER_MS);
	c->easy_setopt(e, CURLOPT_WRITEFUNCTION, on_reply);
	c->easy_setopt(e, CURLOPT_WRITEDATA, h);
	c->easy_setopt(e, CURLOPT_XFERINFOFUNCTION, on_progress);
	c->easy_setopt(e, CURLOPT_XFERINFODATA, h);
	c->easy_setopt(e, CURLOPT_NOPROGRESS, 0L);
	if (h->oc.ca[0])
		c->easy_setopt(e, CURLOPT_CAINFO, h->oc.ca);
	return 0;
}

static void http_close(void *handle)
{
	struct http *h = handle;

	if (h->easy)
		h->curl->easy_cleanup(h->easy);
	if (h->headers)
		h->curl->slist_free_all(h->headers);
	free(h);
}

static int http_open(const struct output_config *oc, void **ret, struct error *err)
{
	struct http *h;
	int r;

	if (oc->kind == OUTPUT_ELASTICSEARCH &&
	    strncmp(media_type(&(struct output_config){ .format = oc->format }),
		    "Content-Type: application/json", 30))
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "format '%s' is no JSON, which Elasticsearch takes: ecs, ocsf, "
				 "zeek-json",
				 output_format_name(oc->format));
	if (oc->ca[0] && access(oc->ca, R_OK) < 0)
		return error_set(err, -errno, EXIT_RUNTIME, "ca '%s': %s", oc->ca, strerror(errno));
	h = calloc(1, sizeof(*h));
	if (!h)
		return error_set(err, -ENOMEM, EXIT_RUNTIME, "out of memory");
	h->oc = *oc;
	url_make(h);
	if (gethostname(h->hostname, sizeof(h->hostname) - 1) < 0)
		h->hostname[0] = '\0';
	h->curl = curl_load(err);
	r = h->curl ? headers_make(h, err) : -ENOENT;
	if (!r && easy_make(h) < 0)
		r = error_set(err, -ENOMEM, EXIT_RUNTIME, "out of memory");
	if (r < 0) {
		if (h->curl)
			http_close(h);
		else
			free(h);
		return r;
	}
	*ret = h;
	return 0;
}

/* ---- bodies; each is malloc'ed, NULL for want of memory ---- */

static bool is_json(const struct http *h)
{
	return h->oc.format == FORMAT_ECS || h->oc.format == FORMAT_OCSF ||
	       h->oc.format == FORMAT_ZEEK_JSON;
}

/* printf_new - asprintf() that gives NULL where it fails. */
__attribute__((format(printf, 1, 2))) static char *printf_new(const char *fmt, ...)
{
	char *text;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	return n < 0 ? NULL : text;
}

/* The event goes into its envelope as it is: it was JSON when it was written. */
static char *hec_body(const struct http *h, const char *text, size_t len, uint64_t wall_ns)
{
	json_t *line = is_json(h) ? NULL : json_stringn(text, len);
	char *event = line ? json_dumps(line, JSON_ENCODE_ANY) : NULL, *body = NULL;
	json_t *host = json_string(h->hostname);
	char *name = host ? json_dumps(host, JSON_ENCODE_ANY) : NULL;

	if (is_json(h) || event)
		body = printf_new("{\"time\":%llu.%03llu%s%s,\"source\":\"reconmon\","
				  "\"sourcetype\":\"reconmon:alert\"%s%s%s,\"event\":%.*s}",
				  (unsigned long long)(wall_ns / 1000000000),
				  (unsigned long long)(wall_ns / 1000000 % 1000),
				  name ? ",\"host\":" : "", name ? name : "",
				  h->oc.index[0] ? ",\"index\":\"" : "", h->oc.index,
				  h->oc.index[0] ? "\"" : "", event ? (int)strlen(event) : (int)len,
				  event ? event : text);
	free(event);
	free(name);
	json_decref(line);
	json_decref(host);
	return body;
}

static char *elastic_body(const struct http *h, const struct record *r, size_t len)
{
	return printf_new("{\"create\":{\"_index\":\"%s\",\"_id\":\"%016llx-%llu\"}}\n%.*s\n",
			  h->oc.index[0] ? h->oc.index : ELASTIC_INDEX, (unsigned long long)r->run,
			  (unsigned long long)r->n, (int)len, r->text);
}

static char *body_make(const struct http *h, const struct record *r)
{
	size_t len = r->len - 1; /* without its line end */

	switch (h->oc.kind) {
	case OUTPUT_HEC:
		return hec_body(h, r->text, len, r->wall_ns);
	case OUTPUT_ELASTICSEARCH:
		return elastic_body(h, r, len);
	default:
		return strndup(r->text, len);
	}
}

/* ---- answers ---- */

/* refused - by status, in HTTP and in Elasticsearch's items alike. Returns 0 for success, -EAGAIN
 * for what may work later, -EBADMSG for what never will. */
static int judge_status(long status)
{
	if (status >= 200 && status < 300)
		return 0;
	return status == 408 || status == 425 || status == 429 || status >= 500 ? -EAGAIN
										: -EBADMSG;
}

/* A bulk request succeeds as a whole whatever became of its one document. */
static int judge_elastic(struct http *h)
{
	json_t *doc = json_loads(h->reply, 0, NULL);
	const json_t *item =
		json_object_get(json_array_get(json_object_get(doc, "items"), 0), "create");
	long status = (long)json_integer_value(json_object_get(item, "status"));
	const char *reason =
		json_string_value(json_object_get(json_object_get(item, "error"), "reason"));
	int r = status == 409 ? 0 : judge_status(status); /* 409: it has that id already */

	if (!item) {
		snprintf(h->why, sizeof(h->why), "its answer is none of the bulk API's: %.100s",
			 h->reply);
		r = -EAGAIN;
	} else if (r) {
		snprintf(h->why, sizeof(h->why), "document: status %ld: %.200s", status,
			 reason ? reason : "no reason given");
	}
	json_decref(doc);
	return r;
}

static int judge(struct http *h, long status)
{
	int r = judge_status(status);

	h->reply[h->reply_len] = '\0';
	if (!r && h->oc.kind == OUTPUT_ELASTICSEARCH)
		return judge_elastic(h);
	if (r) {
		h->reply[strcspn(h->reply, "\r\n")] = '\0';
		snprintf(h->why, sizeof(h->why), "HTTP status %ld%s%.150s", status,
			 h->reply[0] ? ": " : "", h->reply);
	}
	return r;
}

static int http_send(void *handle, struct record *r, int stop_fd)
{
	struct http *h = handle;
	char *body = body_make(h, r);
	long status = 0;
	CURLcode code;

	if (!body)
		return -ENOMEM;
	key_write(h, r->run, r->n);
	h->stop_fd = stop_fd;
	h->reply_len = 0;
	h->why[0] = '\0';
	h->curl->easy_setopt(h->easy, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
	h->curl->easy_setopt(h->easy, CURLOPT_POSTFIELDS, body);
	code = h->curl->easy_perform(h->easy);
	free(body);
	if (code == CURLE_ABORTED_BY_CALLBACK)
		return -ECANCELED;
	if (code != CURLE_OK) {
		snprintf(h->why, sizeof(h->why), "%s", h->curl->easy_strerror(code));
		return -EIO;
	}
	h->curl->easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
	return judge(h, status);
}

static const char *http_why(void *handle, int error)
{
	const struct http *h = handle;

	(void)error;
	return h->why[0] ? h->why : NULL;
}

const struct dest dest_http = {
	.open = http_open,
	.send = http_send,
	.why = http_why,
	.close = http_close,
	.patience_ns = 5000000000ull,
};
