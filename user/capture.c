// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* Where do the packets of a replay come from?
 *
 * Three layers. A source turns a file on disk into a stdio stream: of the file itself, or of what
 * it inflates to when it begins with gzip's magic; pcapng.c is between if that is a pcapng file.
 * libpcap turns the stream into records.
 * linktype.c turns a record into what parse.h reads: the Ethernet frame, or the internet header and
 * its EtherType. Above them, a heap of the files' next packets gives one stream in order of time; a
 * single file goes around it, straight from libpcap's loop to the one who takes the packets, and
 * its plain records go around libpcap too. */
#include "capture.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "library.h"
#include "linktype.h"
#include "pcapng.h"

#define NS_PER_S UINT64_C(1000000000)

enum {
	/* Bytes of a file held at once. libpcap copies each packet out of it, so it should stay in
	 * the cache: 2 million packets of 290 bytes take 0.16 s from 48 to 128 KiB, 0.22 s from
	 * 16 KiB, 0.31 s from 256 KiB and more. 1,000 files take 64 MB. */
	BUFFER_SIZE = 64 * 1024,

	UNREAD_SAID = 8, /* link types that are not read, of one pcapng file */

	HEAD_LEN = 4, /* enough to tell captures and compressions apart */

	RECORD_HEAD = 16,	      /* of a pcap file, before each packet */
	RECORD_MAX = 2 * BUFFER_SIZE, /* of a plain record; the longest IP packet fits */
};

/* --- source: a file on disk to a stream ----------------------------------------------------- */

struct source {
	int fd;	      /* -1: closed, or the stream's own */
	FILE *direct; /* a stream over the file itself, which has been sought back to its begin, */
	off_t begin;  /* which is there */
	uint64_t on_disk;   /* bytes taken from fd */
	uint64_t delivered; /* bytes handed on, inflated; not kept for `direct` */
	const char *error;  /* why read failed, where errno cannot say */
	unsigned char head[HEAD_LEN];
	unsigned int head_len, head_used;

	unsigned char *in; /* gzip only: compressed bytes */
	z_stream z;
	bool between_members; /* gzip files may be concatenated (RFC 1952, 2.2) */

	struct pcapng *pcapng; /* what is not plain pcap goes through it; NULL: none does */
};

static ssize_t source_fill(struct source *s, void *buf, size_t size)
{
	ssize_t n;

	do
		n = read(s->fd, buf, size);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		s->on_disk += (uint64_t)n;
	return n;
}

static ssize_t source_read_plain(struct source *s, char *buf, size_t size)
{
	size_t n = s->head_len - s->head_used;

	if (!n)
		return source_fill(s, buf, size);
	if (n > size)
		n = size;
	memcpy(buf, s->head + s->head_used, n);
	s->head_used += n;
	return (ssize_t)n;
}

/* source_member_begin - is what follows a finished member another one? Anything else is padding,
 * ignored as gzip(1) ignores it. */
static bool source_member_begin(struct source *s)
{
	s->between_members = false;
	return s->z.next_in[0] == 0x1f && inflateReset(&s->z) == Z_OK;
}

/* source_read_gzip - inflates until there is something to hand on. zlib's gzread() would do, but it
 * fills its whole buffer first, so that a live pipe arrives late, and it does not tell a file that
 * ends early from one that is corrupt. */
static ssize_t source_read_gzip(struct source *s, char *buf, size_t size)
{
	int r;

	s->z.next_out = (Bytef *)buf;
	s->z.avail_out = (uInt)size;
	while (s->z.avail_out == size) {
		if (!s->z.avail_in) {
			ssize_t n = source_fill(s, s->in, BUFFER_SIZE);

			if (!n && !s->between_members)
				s->error = "the compressed data ends early";
			if (n <= 0)
				return s->error ? -1 : n;
			s->z.next_in = s->in;
			s->z.avail_in = (uInt)n;
		}
		if (s->between_members && !source_member_begin(s)) {
			s->z.avail_in = 0;
			s->between_members = true;
			return 0;
		}
		r = inflate(&s->z, Z_NO_FLUSH);
		if (r == Z_STREAM_END) {
			s->between_members = true;
		} else if (r != Z_OK && r != Z_BUF_ERROR) {
			s->error = "the compressed data is corrupt";
			/* what came out before the error is good: hand it on, fail next time */
			if (s->z.avail_out == size)
				return -1;
		}
	}
	return (ssize_t)(size - s->z.avail_out);
}

/* source_pull - what the file says, inflated. */
static ssize_t source_pull(void *ctx, void *buf, size_t size)
{
	struct source *s = ctx;
	ssize_t n;

	if (s->error) {
		errno = EIO;
		return -1;
	}
	n = s->in ? source_read_gzip(s, buf, size) : source_read_plain(s, buf, size);
	if (n > 0)
		s->delivered += (uint64_t)n;
	else if (s->error)
		errno = EIO;
	return n;
}

/* source_read - the stream's read function (fopencookie(3)). */
static ssize_t source_read(void *cookie, char *buf, size_t size)
{
	struct source *s = cookie;

	return s->pcapng ? pcapng_read(s->pcapng, buf, size) : source_pull(s, buf, size);
}

static int source_gunzip(struct source *s)
{
	s->in = malloc(BUFFER_SIZE);
	if (!s->in || inflateInit2(&s->z, 15 + 16) != Z_OK) { /* largest window; gzip framing */
		free(s->in);
		s->in = NULL;
		return -ENOMEM;
	}
	memcpy(s->in, s->head, s->head_len);
	s->z.next_in = s->in;
	s->z.avail_in = s->head_len;
	return 0;
}

/* source_open - opens path ("-": standard input) and looks at its first bytes. Returns 0, or a
 * negative errno; source_close() is due either way. */
static int source_open(struct source *s, const char *path)
{
	bool is_stdin = !strcmp(path, "-");

	s->fd = is_stdin ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) /* ours to close */
			 : open(path, O_RDONLY | O_CLOEXEC);
	if (s->fd < 0)
		return -errno;
	while (s->head_len < HEAD_LEN) { /* a pipe may give a byte at a time */
		ssize_t n = source_fill(s, s->head + s->head_len, HEAD_LEN - s->head_len);

		if (n < 0)
			return -errno;
		if (!n)
			break;
		s->head_len += (unsigned int)n;
	}
	if (s->head_len >= 2 && s->head[0] == 0x1f && s->head[1] == 0x8b)
		return source_gunzip(s);
	return 0;
}

static void source_close(struct source *s)
{
	if (s->in)
		inflateEnd(&s->z);
	free(s->in);
	s->in = NULL;
	pcapng_free(s->pcapng);
	s->pcapng = NULL;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	s->direct = NULL;
}

static bool source_is_pcapng(const struct source *s)
{
	return s->head_len == HEAD_LEN && !memcmp(s->head, "\x0a\x0d\x0d\x0a", HEAD_LEN);
}

/* source_stream - a stdio stream over s for libpcap, which closes it. What can be sought is read by
 * stdio itself: its own read function is faster than any behind fopencookie(), by half the cost of
 * reading small packets. Unless it is a pcapng file whose interfaces differ, as others may turn out
 * to be. NULL: no memory. */
static FILE *source_stream(struct source *s, char *buffer, bool differ)
{
	FILE *stream;

	if (!s->in && !differ && (s->begin = lseek(s->fd, -(off_t)s->head_len, SEEK_CUR)) >= 0) {
		stream = fdopen(s->fd, "r");
		s->direct = stream;
		s->fd = stream ? -1 : s->fd;
	} else {
		if (s->in || source_is_pcapng(s)) {
			s->pcapng = pcapng_new(source_pull, s);
			if (!s->pcapng)
				return NULL;
		}
		stream = fopencookie(s, "r", (cookie_io_functions_t){ .read = source_read });
	}
	if (!stream)
		return NULL;
	setvbuf(stream, buffer, _IOFBF, BUFFER_SIZE);
	__fsetlocking(stream, FSETLOCKING_BYCALLER); /* one thread: spare two locks a packet */
	return stream;
}

/* source_again - back at the begin of what can be sought; its stream is good until it is closed.
 * Returns 0, or a negative errno with nothing changed. */
static int source_again(struct source *s)
{
	int fd = fcntl(fileno(s->direct), F_DUPFD_CLOEXEC, 3);

	if (fd < 0)
		return -errno;
	if (lseek(fd, s->begin, SEEK_SET) < 0) {
		close(fd);
		return -EIO;
	}
	s->fd = fd;
	s->direct = NULL;
	s->head_used = s->head_len; /* comes from the file again */
	s->on_disk = 0;
	return 0;
}

static int source_fd(const struct source *s)
{
	return s->direct ? fileno(s->direct) : s->fd;
}

/* source_done - bytes of the file on disk that have been read. */
static uint64_t source_done(const struct source *s)
{
	off_t at = s->direct ? lseek(source_fd(s), 0, SEEK_CUR) : -1;

	return at >= 0 ? (uint64_t)at : s->on_disk;
}

/* --- libpcap -------------------------------------------------------------------------------- */

/* The functions in use, by their names without pcap_. A daemon that watches interfaces never calls
 * them, and libpcap is linked with D-Bus, systemd and what these need. */
static struct {
	typeof(&pcap_fopen_offline_with_tstamp_precision) fopen_offline;
	typeof(&pcap_close) close;
	typeof(&pcap_datalink) datalink;
	typeof(&pcap_datalink_val_to_name) datalink_val_to_name;
	typeof(&pcap_geterr) geterr;
	typeof(&pcap_loop) loop;
	typeof(&pcap_major_version) major_version;
	typeof(&pcap_minor_version) minor_version;
	typeof(&pcap_next_ex) next_ex;
	typeof(&pcap_snapshot) snapshot;
} pcap;

static const struct library_symbol symbols[] = {
	{ "pcap_fopen_offline_with_tstamp_precision", (void **)&pcap.fopen_offline },
	{ "pcap_close", (void **)&pcap.close },
	{ "pcap_datalink", (void **)&pcap.datalink },
	{ "pcap_datalink_val_to_name", (void **)&pcap.datalink_val_to_name },
	{ "pcap_geterr", (void **)&pcap.geterr },
	{ "pcap_loop", (void **)&pcap.loop },
	{ "pcap_major_version", (void **)&pcap.major_version },
	{ "pcap_minor_version", (void **)&pcap.minor_version },
	{ "pcap_next_ex", (void **)&pcap.next_ex },
	{ "pcap_snapshot", (void **)&pcap.snapshot },
};

/* Debian's libpcap has kept the name of 0.8, with the same interface as everybody else's. */
static struct library library = {
	.name = "libpcap",
	.file = { "libpcap.so.0.8", "libpcap.so.1" },
	.use = "for captures",
	.remedy = "apt-get install libpcap0.8",
	.symbol = symbols,
	.n_symbols = sizeof(symbols) / sizeof(symbols[0]),
};

/* --- file: a capture and its next packet ---------------------------------------------------- */

struct file {
	char *name;		      /* as complaints say it */
	bool used;		      /* false: refused */
	pcap_t *pcap;		      /* NULL: at its end, or refused */
	char *buffer;		      /* of the stream that pcap owns */
	link_fn *link;		      /* NULL: Ethernet */
	bool is_pcapng;		      /* each packet says what its link type is: */
	uint16_t link_type;	      /* that of the last one, whose link_fn `link` is */
	bool link_read;		      /* ... if there is one */
	uint16_t unread[UNREAD_SAID]; /* link types that a complaint was about */
	unsigned int n_unread;
	uint64_t number;	    /* packets read: the number of the last one, from 1 */
	uint64_t backwards;	    /* of these, how many were before their time */
	struct capture_packet next; /* good while the file is in the heap */
	struct source source;
};

struct captures {
	struct file *file;
	size_t n;
	struct file **heap; /* heap_n files that have a packet, the earliest first */
	size_t heap_n;
	bool begun;
	capture_complaint_fn *complain;
	void *ctx;
	struct capture_stats stats;
};

static void complain(const struct captures *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void complain(const struct captures *c, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	if (!c->complain)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->complain(c->ctx, text);
}

static void file_close(struct file *f)
{
	f->source.on_disk = source_done(&f->source); /* counts on in the statistics */
	if (f->pcap)
		pcap.close(f->pcap); /* closes the stream */
	f->pcap = NULL;
	free(f->buffer);
	f->buffer = NULL;
	source_close(&f->source);
}

/* file_fail - says why reading stopped, from what the source or libpcap knows. */
static void file_fail(struct captures *c, const struct file *f)
{
	const char *why = f->source.error ? f->source.error : pcap.geterr(f->pcap);
	uint64_t at = f->number + 1;

	c->stats.files_damaged++;
	if (!strncmp(why, "truncated", strlen("truncated")))
		complain(c,
			 "%s: packet %" PRIu64 ": the file ends within it; the %" PRIu64
			 " packets before it are used",
			 f->name, at, f->number);
	else
		complain(c,
			 "%s: packet %" PRIu64 ": cannot be read: %s; the %" PRIu64
			 " packets before it are used",
			 f->name, at, why, f->number);
}

static void file_backwards(struct captures *c, struct file *f, uint64_t t_ns)
{
	uint64_t by = f->next.t_ns - t_ns;

	c->stats.backwards++;
	if (f->backwards++)
		return;
	complain(c,
		 "%s: packet %" PRIu64 ": its time is %" PRIu64 ".%06" PRIu64
		 " s before that of an earlier packet, which is taken instead (said once a file)",
		 f->name, f->number, by / NS_PER_S, by % NS_PER_S / 1000);
}

/* A record of a file. By value and inlined: through memory it costs 6 ns a packet, the wait for
 * stores that are read back in other sizes. */
struct record {
	uint64_t t_ns;
	uint32_t have, len; /* captured; on the wire */
	const unsigned char *data;
};

/* time_ns - Fractions of a second or more are damage and count as the last nanosecond. */
static inline uint64_t time_ns(uint64_t s, uint64_t ns)
{
	if (s > UINT64_MAX / NS_PER_S - 1)
		s = UINT64_MAX / NS_PER_S - 1;
	return s * NS_PER_S + (ns < NS_PER_S ? ns : NS_PER_S - 1);
}

/* record_of - what libpcap says. It reads pcap's unsigned 32-bit seconds as signed (2038 becomes
 * 1901); pcapng's are 64 bits. The fraction is in nanoseconds, as asked for at opening. */
static inline struct record record_of(const struct pcap_pkthdr *hdr, const unsigned char *data)
{
	time_t s = hdr->ts.tv_sec;

	return (struct record){
		.t_ns = time_ns(s < 0 ? (uint32_t)s : (uint64_t)s, (uint64_t)hdr->ts.tv_usec),
		.have = hdr->caplen,
		.len = hdr->len,
		.data = data,
	};
}

/* file_unread - a packet whose interface has a link type that is not read. */
static void file_unread(struct captures *c, struct file *f, uint16_t interface)
{
	const char *name = pcap.datalink_val_to_name(linktype_dlt(f->link_type));

	c->stats.link_unread++;
	for (unsigned int i = 0; i < f->n_unread; i++)
		if (f->unread[i] == f->link_type)
			return;
	if (f->n_unread == UNREAD_SAID)
		return;
	f->unread[f->n_unread++] = f->link_type;
	complain(c,
		 "%s: packet %" PRIu64
		 ": link type %s (%u) of interface %u is not read; its packets "
		 "are left out; these are read: %s",
		 f->name, f->number, name ? name : "unknown", f->link_type, interface,
		 linktype_names());
}

/* file_link - finds the link type of a packet of a pcapng file by what pcapng.c has put in front of
 * it. Returns false if that is not read. */
static bool file_link(struct captures *c, struct file *f, const unsigned char *prefix)
{
	uint16_t type, interface;
	const struct linktype *l;

	pcapng_link_of(prefix, &type, &interface);
	if (type != f->link_type || !f->link_read) {
		l = linktype_find(linktype_dlt(type));
		f->link_type = type;
		f->link_read = l != NULL;
		f->link = l ? l->fn : NULL;
	}
	if (!f->link_read)
		file_unread(c, f, interface);
	return f->link_read;
}

/* file_link_prefixed - likewise, and takes it off. */
static inline bool file_link_prefixed(struct captures *c, struct file *f, struct record *rec)
{
	const unsigned char *prefix = rec->data;

	if (rec->have < PCAPNG_PREFIX) /* cannot be */
		return false;
	rec->data += PCAPNG_PREFIX;
	rec->have -= PCAPNG_PREFIX;
	rec->len -= PCAPNG_PREFIX;
	return file_link(c, f, prefix);
}

/* file_take - makes f->next of a record. Returns false if there is nothing to hand out. */
static __always_inline bool file_take(struct captures *c, struct file *f, struct record rec)
{
	struct link_info info = { 0, false };
	uint32_t wire_len;
	int skip = 0;

	f->number++;
	if (f->is_pcapng && !file_link_prefixed(c, f, &rec))
		return false;
	wire_len = rec.len > rec.have ? rec.len : rec.have; /* seen in the wild */
	if (rec.t_ns >= f->next.t_ns)
		f->next.t_ns = rec.t_ns;
	else
		file_backwards(c, f, rec.t_ns);
	c->stats.cut += rec.have < rec.len;
	if (f->link) {
		skip = f->link(rec.data, rec.have, &info);
		if (skip < 0) {
			c->stats.link_truncated++;
			return false;
		}
	}
	f->next.data = rec.data + skip;
	f->next.have = rec.have - (uint32_t)skip;
	f->next.wire_len = wire_len - (uint32_t)skip;
	f->next.ethertype = info.ethertype;
	f->next.outgoing = info.outgoing;
	return true;
}

static bool file_goes_on(struct captures *c, struct file *f);

/* file_next - reads f's next packet into f->next. Returns 1, or 0 at the end. */
static int file_next(struct captures *c, struct file *f)
{
	for (;;) {
		struct pcap_pkthdr *hdr;
		const unsigned char *data;
		int r = pcap.next_ex(f->pcap, &hdr, &data);

		if (r == PCAP_ERROR && file_goes_on(c, f))
			continue;
		if (r != 1) {
			if (r == PCAP_ERROR)
				file_fail(c, f);
			return 0;
		}
		if (file_take(c, f, record_of(hdr, data)))
			return 1;
	}
}

/* file_format_hint - what the file is instead of a capture, if its first bytes tell. */
static const char *file_format_hint(const struct source *s)
{
	static const struct {
		const char *magic, *hint;
	} known[] = {
		{ "\xfd\x37\x7a\x58", ", but xz-compressed: unpack it first" },
		{ "\x28\xb5\x2f\xfd", ", but zstd-compressed: unpack it first" },
		{ "\x04\x22\x4d\x18", ", but lz4-compressed: unpack it first" },
		{ "BZh9", ", but bzip2-compressed: unpack it first" },
		{ "PK\x03\x04", ", but a zip archive: unpack it first" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (s->head_len == HEAD_LEN && !memcmp(s->head, known[i].magic, HEAD_LEN))
			return known[i].hint;
	return "";
}

/* file_refuse - says why f is no capture; why is libpcap's text. */
static void file_refuse(const struct captures *c, const struct file *f, const char *why)
{
	const struct source *s = &f->source;

	if (s->error)
		complain(c, "%s: %s before the first packet", f->name, s->error);
	else if (!s->head_len)
		complain(c, "%s: empty", f->name);
	else if ((s->in ? s->delivered : s->head_len) < HEAD_LEN ||
		 strstr(why, "unknown file format"))
		complain(c, "%s: not a pcap or pcapng file%s", f->name, file_format_hint(s));
	else if (!strncmp(why, "truncated", strlen("truncated")))
		complain(c, "%s: ends within its file header, before the first packet", f->name);
	else
		complain(c, "%s: its file header is corrupt: %s", f->name, why);
}

static void complain_link(const struct captures *c, const struct file *f, int dlt)
{
	const char *name = pcap.datalink_val_to_name(dlt);

	complain(c, "%s: link type %s (%d) is not read; these are: %s", f->name,
		 name ? name : "unknown", dlt, linktype_names());
}

static int file_again(struct captures *c, struct file *f);

/* file_pcap - hands the opened source to libpcap and checks the link type; differ: it is a pcapng
 * file whose interfaces are known to differ. Returns 0, -ENOMEM, or -EINVAL if the file is refused,
 * which is complained about. */
static int file_pcap(struct captures *c, struct file *f, bool differ)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	const struct linktype *l;
	FILE *stream;
	int dlt;

	if (!f->buffer)
		f->buffer = malloc(BUFFER_SIZE);
	stream = f->buffer ? source_stream(&f->source, f->buffer, differ) : NULL;
	if (!stream)
		return -ENOMEM;
	f->pcap = pcap.fopen_offline(stream, PCAP_TSTAMP_PRECISION_NANO, why);
	if (!f->pcap) {
		fclose(stream);
		f->source.direct = NULL;
		file_refuse(c, f, why);
		return -EINVAL;
	}
	dlt = pcap.datalink(f->pcap);
	f->is_pcapng = f->source.pcapng && pcapng_is(f->source.pcapng);
	f->used = true;
	if (f->is_pcapng)
		return 0;
	l = linktype_find(dlt);
	if (l) {
		f->link = l->fn;
		return 0;
	}
	if (f->source.direct && source_is_pcapng(&f->source))
		return file_again(c, f); /* other interfaces may have others */
	complain_link(c, f, dlt);
	f->used = false;
	return -EINVAL;
}

/* file_again - a file whose interfaces differ, from where it is, read so that they may. Returns 0
 * or a negative errno, as file_pcap(). */
static int file_again(struct captures *c, struct file *f)
{
	pcap_t *before = f->pcap;
	int r = source_again(&f->source);

	if (r < 0)
		return r;
	f->pcap = NULL;
	pcap.close(before); /* with the stream */
	r = file_pcap(c, f, true);
	for (uint64_t i = 0; !r && i < f->number; i++) {
		struct pcap_pkthdr *hdr;
		const unsigned char *data;

		if (pcap.next_ex(f->pcap, &hdr, &data) != 1)
			return -EIO; /* it has changed meanwhile */
	}
	return r;
}

/* file_goes_on - after an error of libpcap's: was it that interfaces differ, and is that solved? */
static bool file_goes_on(struct captures *c, struct file *f)
{
	const char *why = pcap.geterr(f->pcap);

	/* Both are libpcap's: a packet may also be longer than what an interface says, or the first
	 * one, which stands for all. */
	if (!f->source.direct || !source_is_pcapng(&f->source) ||
	    (!strstr(why, "of the first interface") && !strstr(why, "bigger than snaplen")))
		return false;
	if (!file_again(c, f))
		return true;
	f->source.error = "its interfaces differ, and it cannot be read from its begin again";
	return false;
}

/* file_open - Returns 0, or a negative errno after a complaint; then f is closed. */
static int file_open(struct captures *c, struct file *f, const char *path)
{
	int r;

	f->name = strdup(strcmp(path, "-") ? path : "standard input");
	if (!f->name)
		return -ENOMEM;
	r = source_open(&f->source, path);
	if (r == -EMFILE || r == -ENFILE)
		complain(c,
			 "%s: cannot be opened: too many files are open; raise the limit "
			 "(ulimit -n) or merge files first",
			 f->name);
	else if (r < 0)
		complain(c, "%s: cannot be read: %s", f->name, strerror(-r));
	else
		r = file_pcap(c, f, false);
	if (r < 0)
		file_close(f);
	return r;
}

/* --- captures: the files as one stream ------------------------------------------------------ */

static bool file_before(const struct file *a, const struct file *b)
{
	if (a->next.t_ns != b->next.t_ns)
		return a->next.t_ns < b->next.t_ns;
	return a < b; /* one array, in the order of the command line */
}

/* heap_sink - moves the file at i down to where it is not after its children. */
static void heap_sink(struct captures *c, size_t i)
{
	for (;;) {
		size_t child = 2 * i + 1;
		struct file *f = c->heap[i];

		if (child >= c->heap_n)
			return;
		if (child + 1 < c->heap_n && file_before(c->heap[child + 1], c->heap[child]))
			child++;
		if (!file_before(c->heap[child], f))
			return;
		c->heap[i] = c->heap[child];
		c->heap[child] = f;
		i = child;
	}
}

/* captures_begin - reads the first packet of each file and orders the files by it. */
static void captures_begin(struct captures *c)
{
	c->begun = true;
	for (size_t i = 0; i < c->n; i++) {
		struct file *f = &c->file[i];

		if (!f->pcap)
			continue;
		if (file_next(c, f))
			c->heap[c->heap_n++] = f;
		else
			file_close(f);
	}
	for (size_t i = c->heap_n / 2; i-- > 0;)
		heap_sink(c, i);
}

/* captures_advance - replaces the packet that was handed out last by the next one of its file. */
static void captures_advance(struct captures *c)
{
	if (!file_next(c, c->heap[0])) {
		file_close(c->heap[0]);
		c->heap[0] = c->heap[--c->heap_n];
	}
	heap_sink(c, 0);
}

/* What a file's record needs on its way from libpcap's loop to the one who takes the packets. */
struct passage {
	struct captures *c;
	struct file *f;
	capture_fn *fn;
	void *ctx;
};

static __always_inline void pass_on(struct passage *p, struct record rec)
{
	if (!file_take(p->c, p->f, rec))
		return;
	p->c->stats.packets++;
	p->fn(p->ctx, &p->f->next);
}

static void on_record(u_char *user, const struct pcap_pkthdr *hdr, const u_char *data)
{
	pass_on((struct passage *)user, record_of(hdr, data));
}

/* --- plain records -------------------------------------------------------------------------- */

/* A record of a pcap file in this machine's byte order is four words (draft-ietf-opsawg-pcap,
 * section 5) and the packet. libpcap copies each out of its stream by two calls of fread(), which
 * took a fifth of replay's time over small packets; such records are handed on from where read(2)
 * put them. Whatever is not plain is libpcap's to judge, as ever: a record that is cut short,
 * longer than the snap length or than the buffer, an error of the disk, the end of the file. */
struct plain {
	struct passage *to;
	char *buffer; /* RECORD_MAX */
	size_t have;  /* bytes in it, a record begins with the first */
	off_t at;     /* where in the file they begin */
	uint32_t unit_ns, longest;
	bool odd; /* the record at `at` is not plain */
};

/* plain_unit_ns - how long the unit of a file's fractions of a second is; 0: its records are not of
 * the plain kind, or cannot be sought. The magic says version 2.4 alone: older ones have the
 * lengths in another order. */
static uint32_t plain_unit_ns(const struct file *f)
{
	const uint32_t in_us = 0xa1b2c3d4, in_ns = 0xa1b23c4d;
	uint32_t magic;

	if (!f->source.direct || pcap.major_version(f->pcap) != 2 ||
	    pcap.minor_version(f->pcap) != 4)
		return 0;
	memcpy(&magic, f->source.head, sizeof(magic));
	return magic == in_us ? 1000 : magic == in_ns ? 1 : 0;
}

/* plain_hand_on - the records that are whole; what is left of the buffer moves to its begin. */
static void plain_hand_on(struct plain *p)
{
	size_t used = 0;

	while (p->have - used >= RECORD_HEAD) {
		uint32_t head[RECORD_HEAD / sizeof(uint32_t)];
		struct record rec;

		memcpy(head, p->buffer + used, sizeof(head));
		p->odd = head[2] > p->longest;
		if (p->odd || p->have - used - RECORD_HEAD < head[2])
			break;
		rec = (struct record){
			.t_ns = time_ns(head[0], (uint64_t)head[1] * p->unit_ns),
			.have = head[2],
			.len = head[3],
			.data = (unsigned char *)p->buffer + used + RECORD_HEAD,
		};
		pass_on(p->to, rec);
		used += RECORD_HEAD + head[2];
	}
	p->at += (off_t)used;
	p->have -= used;
	memmove(p->buffer, p->buffer + used, p->have);
}

static void plain_read(struct plain *p, int fd)
{
	while (!p->odd) {
		size_t room = RECORD_MAX - p->have;
		ssize_t n = read(fd, p->buffer + p->have, room < BUFFER_SIZE ? room : BUFFER_SIZE);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		p->have += (size_t)n;
		plain_hand_on(p);
	}
}

/* file_plain - hands on plain records from the file's begin, and leaves the stream before the first
 * that is not. Returns false if that failed. */
static bool file_plain(struct passage *to)
{
	struct file *f = to->f;
	struct plain p = { .to = to, .unit_ns = plain_unit_ns(f) };
	uint32_t snap = (uint32_t)pcap.snapshot(f->pcap);
	FILE *stream = f->source.direct;
	off_t before;
	int fd;

	if (!p.unit_ns)
		return true;
	p.longest = snap < RECORD_MAX - RECORD_HEAD ? snap : RECORD_MAX - RECORD_HEAD;
	fd = fileno(stream);
	before = lseek(fd, 0, SEEK_CUR);
	p.at = ftello(stream);
	p.buffer = malloc(RECORD_MAX);
	if (!p.buffer || before < 0 || p.at < 0 || lseek(fd, p.at, SEEK_SET) < 0) {
		free(p.buffer);
		return true; /* nothing was moved: libpcap reads it all */
	}
	plain_read(&p, fd);
	free(p.buffer);
	/* The stream trusts that the file is where it left it. */
	return lseek(fd, before, SEEK_SET) >= 0 && !fseeko(stream, p.at, SEEK_SET);
}

/* captures_alone - the file that is left, if it is the only one. */
static struct file *captures_alone(const struct captures *c)
{
	struct file *alone = NULL;

	for (size_t i = 0; i < c->n; i++) {
		if (!c->file[i].pcap)
			continue;
		if (alone)
			return NULL;
		alone = &c->file[i];
	}
	return alone;
}

void captures_each(struct captures *c, capture_fn *fn, void *ctx)
{
	struct passage p = {
		.c = c, .f = c->begun ? NULL : captures_alone(c), .fn = fn, .ctx = ctx
	};
	struct capture_packet packet;

	while (!p.f && captures_next(c, &packet))
		fn(ctx, &packet);
	if (!p.f)
		return;
	c->begun = true;
	if (!file_plain(&p)) {
		p.f->source.error = "the file cannot be sought";
		file_fail(c, p.f);
		file_close(p.f);
		return;
	}
	while (pcap.loop(p.f->pcap, -1, on_record, (u_char *)&p) == PCAP_ERROR)
		if (!file_goes_on(c, p.f)) {
			file_fail(c, p.f);
			break;
		}
	file_close(p.f);
}

int captures_next(struct captures *c, struct capture_packet *ret)
{
	if (!c->begun)
		captures_begin(c);
	else if (c->heap_n)
		captures_advance(c);
	if (!c->heap_n)
		return 0;
	*ret = c->heap[0]->next;
	c->stats.packets++;
	return 1;
}

void captures_stats_get(const struct captures *c, struct capture_stats *ret)
{
	*ret = c->stats;
	ret->bytes_read = 0;
	for (size_t i = 0; i < c->n; i++)
		if (c->file[i].used)
			ret->bytes_read += source_done(&c->file[i].source);
}

/* captures_size - the size of the files in use, or 0 if one is a pipe. */
static uint64_t captures_size(const struct captures *c)
{
	uint64_t total = 0;
	struct stat st;

	for (size_t i = 0; i < c->n; i++) {
		if (!c->file[i].pcap)
			continue;
		if (fstat(source_fd(&c->file[i].source), &st) || !S_ISREG(st.st_mode))
			return 0;
		total += (uint64_t)st.st_size;
	}
	return total;
}

static int captures_check(const char *const *file, size_t n, struct error *err)
{
	size_t stdins = 0;

	for (size_t i = 0; i < n; i++)
		stdins += !strcmp(file[i], "-");
	if (!n)
		return error_set(err, -EINVAL, EXIT_USAGE, "no capture file named");
	if (stdins > 1)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "'-' (standard input) can be named once only");
	return 0;
}

static struct captures *captures_new(size_t n, capture_complaint_fn *fn, void *ctx)
{
	struct captures *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->complain = fn;
	c->ctx = ctx;
	c->file = calloc(n, sizeof(*c->file));
	c->heap = calloc(n, sizeof(struct file *));
	if (!c->file || !c->heap) {
		captures_close(c);
		return NULL;
	}
	c->n = n;
	for (size_t i = 0; i < n; i++)
		c->file[i].source.fd = -1;
	return c;
}

int captures_open(const char *const *file, size_t n, capture_complaint_fn *fn, void *ctx,
		  struct captures **ret, struct error *err)
{
	int r = captures_check(file, n, err);
	struct captures *c;

	if (!r)
		r = library_load(&library, err);
	if (r < 0)
		return r;
	c = captures_new(n, fn, ctx);
	if (!c)
		return error_set(err, -ENOMEM, EXIT_RUNTIME, "no memory for %zu captures", n);
	for (size_t i = 0; i < n; i++) {
		r = file_open(c, &c->file[i], file[i]);
		if (r == -ENOMEM) {
			captures_close(c);
			return error_set(err, r, EXIT_RUNTIME, "%s: no memory to read it", file[i]);
		}
		c->stats.files_refused += r < 0;
	}
	if (c->stats.files_refused == n) {
		captures_close(c);
		return error_set(err, -ENODATA, EXIT_RUNTIME,
				 n == 1 ? "the file cannot be used as a capture"
					: "none of the %zu files can be used as a capture",
				 n);
	}
	c->stats.bytes_total = captures_size(c);
	*ret = c;
	return 0;
}

void captures_close(struct captures *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n; i++) {
		file_close(&c->file[i]);
		free(c->file[i].name);
	}
	free(c->file);
	free(c->heap);
	free(c);
}
