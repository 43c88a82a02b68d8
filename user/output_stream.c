// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* Where do lines go that nobody frames? To standard output, or to the end of a file. A line of
 * which only a part fitted (a full disk) is finished as soon as there is room; one that a process
 * before us left without its end is ended first. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output_dest.h"
#include "sink.h"

struct stream {
	const struct sink *sink;
	int fd;		  /* -1: to be opened */
	const char *path; /* NULL: standard output */
	bool fresh;	  /* nothing is there yet: what the format begins with comes first */
	bool torn;	  /* what is there already ends in the middle of a line */
	bool regular;	  /* writes of any length; pipes get pieces that do not block */
	char name[OUTPUT_TARGET_MAX];
};

/* ends_torn - is the last byte of the file not a newline? Standard output may be open for writing
 * only, hence the second door. */
static bool ends_torn(int fd, off_t size)
{
	char door[32], last = '\n';
	int in;

	if (!size)
		return false;
	snprintf(door, sizeof(door), "/proc/self/fd/%d", fd);
	in = open(door, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		return false;
	if (pread(in, &last, 1, size - 1) < 0)
		last = '\n';
	close(in);
	return last != '\n';
}

static void look_at(struct stream *s)
{
	struct stat st;

	s->regular = !fstat(s->fd, &st) && S_ISREG(st.st_mode);
	s->torn = s->regular && ends_torn(s->fd, st.st_size);
	s->fresh = s->sink->begin && !(s->regular && st.st_size);
}

/* file_open - O_NONBLOCK for what is no regular file: a FIFO that nobody reads must not hold us up.
 */
static int file_open(struct stream *s)
{
	s->fd = open(s->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0640);
	if (s->fd < 0)
		return -errno;
	look_at(s);
	return 0;
}

/* standard_open - standard output or error. */
static int standard_open(int fd, const struct output_config *oc, void **ret, struct error *err)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (fcntl(fd, F_GETFL) < 0) { /* its number would go to some other file */
		free(s);
		return error_set(err, -EBADF, EXIT_RUNTIME,
				 "it is closed; give alerts another --output");
	}
	if (!s)
		return error_set(err, -ENOMEM, EXIT_RUNTIME, "no memory for a standard stream");
	s->sink = sink_of(output_format(oc));
	s->fd = fd;
	look_at(s);
	*ret = s;
	return 0;
}

static int stdout_open(const struct output_config *oc, void **ret, struct error *err)
{
	return standard_open(STDOUT_FILENO, oc, ret, err);
}

static int stderr_open(const struct output_config *oc, void **ret, struct error *err)
{
	return standard_open(STDERR_FILENO, oc, ret, err);
}

static int named_open(const struct output_config *oc, void **ret, struct error *err)
{
	struct stream *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return error_set(err, -ENOMEM, EXIT_RUNTIME, "no memory for file '%s'", oc->target);
	snprintf(s->name, sizeof(s->name), "%s", oc->target);
	s->path = s->name;
	s->sink = sink_of(output_format(oc));
	r = file_open(s);
	if (r < 0 && r != -ENXIO && r != -ENOSPC) { /* a FIFO that nobody reads yet; a full disk */
		free(s);
		return error_set(err, r, EXIT_RUNTIME, "cannot be opened to append: %s%s",
				 strerror(-r),
				 r == -ENOENT ? " (its directory must exist: mkdir -p)" : "");
	}
	*ret = s;
	return 0;
}

int dest_wait(int fd, short events, int timeout_ms, int stop_fd)
{
	struct pollfd p[] = { { .fd = fd, .events = events }, { .fd = stop_fd, .events = POLLIN } };
	int n;

	while ((n = poll(p, 2, timeout_ms)) < 0)
		if (errno != EINTR)
			return -errno;
	if (!n)
		return -ETIMEDOUT;
	return p[0].revents ? 0 : -ECANCELED;
}

/* put - writes what it can of len bytes. Returns how many, or a negative errno. A pipe that poll()
 * calls writable has room for PIPE_BUF bytes (pipe(7)). */
static ssize_t put(struct stream *s, const char *text, size_t len, int stop_fd)
{
	int r = s->regular ? 0 : dest_wait(s->fd, POLLOUT, -1, stop_fd);
	ssize_t n;

	if (r < 0)
		return r;
	n = write(s->fd, text, s->regular || len < PIPE_BUF ? len : PIPE_BUF);
	if (n >= 0)
		return n;
	return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

/* put_all - all of a text from *done on. Returns 0, or as put(). */
static ssize_t put_all(struct stream *s, const char *text, size_t len, size_t *done, int stop_fd)
{
	ssize_t n = 0;

	while (n >= 0 && *done < len) {
		n = put(s, text + *done, len - *done, stop_fd);
		if (n > 0)
			*done += (size_t)n;
	}
	return n < 0 ? n : 0;
}

/* begin - writes what the format begins with. If that breaks off, look_at() finds a torn end, and
 * what is missing is missing: a header is no alert. */
static ssize_t begin(struct stream *s, uint64_t wall_ns, int stop_fd)
{
	char *text = NULL;
	size_t len = 0, done = 0;
	FILE *f = open_memstream(&text, &len);
	ssize_t n = -ENOMEM;

	if (!f)
		return n;
	s->sink->begin(f, wall_ns);
	if (!fclose(f))
		n = put_all(s, text, len, &done, stop_fd);
	free(text);
	if (done)
		s->fresh = false;
	if (n < 0 && done)
		s->torn = true;
	return n;
}

static int stream_send(void *handle, struct record *r, int stop_fd)
{
	struct stream *s = handle;
	ssize_t n = s->fd < 0 ? file_open(s) : 0;

	while (n >= 0 && s->torn) {
		n = put(s, "\n", 1, stop_fd);
		s->torn = n <= 0;
	}
	if (n >= 0 && s->fresh)
		n = begin(s, r->wall_ns, stop_fd);
	if (n >= 0)
		n = put_all(s, r->text, r->len, &r->done, stop_fd);
	if (n == -EPIPE && s->path) { /* a FIFO whose reader left: the next may read whole lines */
		close(s->fd);
		s->fd = -1;
		r->done = 0;
	}
	return n < 0 ? (int)n : 0;
}

/* The record at the head starts anew: what was written of it is in the other file. Here, if it is
 * the same one after all, look_at() sees its torn end. */
static void file_reopen(void *handle)
{
	struct stream *s = handle;

	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

static void stream_close(void *handle)
{
	struct stream *s = handle;

	if (s->path && s->fd >= 0)
		close(s->fd);
	free(s);
}

static bool stdout_is_final(int error)
{
	return error == EPIPE || error == EBADF || error == EIO; /* EIO: the terminal hung up */
}

const struct dest dest_stdout = {
	.open = stdout_open,
	.send = stream_send,
	.close = stream_close,
	.is_final = stdout_is_final,
};

const struct dest dest_stderr = {
	.open = stderr_open,
	.send = stream_send,
	.close = stream_close,
	.is_final = stdout_is_final,
};

const struct dest dest_file = {
	.open = named_open,
	.send = stream_send,
	.reopen = file_reopen,
	.close = stream_close,
};
