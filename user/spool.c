// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <zlib.h>

enum {
	SEGMENTS = 16, /* about so many make up the limit: the grain in which room comes free */
	TEXT_MAX = 16 << 20, /* of one record: more than any is, hence damage */
	MAGIC = 0x31734d52,  /* "RMs1" */
	FOLDER_MAX = 1024,
	PATH_SIZE = FOLDER_MAX + 48,
};

/* What stands before each text, by the host's byte order. */
struct head {
	uint32_t magic;
	uint32_t crc;	    /* of all that follows `delivered`, the text included */
	uint32_t delivered; /* written later, in place */
	uint32_t len;	    /* of the text */
	uint64_t wall_ns, run, n;
	uint32_t lines, zero;
};
_Static_assert(sizeof(struct head) == 48, "the layout on disk");
#define CRC_FROM offsetof(struct head, len)

struct segment {
	struct segment *next;
	uint64_t number;
	uint64_t size;
	uint32_t live; /* records that wait */
	uint64_t live_lines;
};

struct spool {
	char folder[FOLDER_MAX];
	uint64_t limit, number; /* of the last segment there ever was */
	int lock_fd;
	struct segment *first, *last;
	int read_fd;	   /* of the first segment, -1: not open */
	uint64_t read_at;  /* where in it the next record is looked for */
	uint64_t at, step; /* the record in hand: its place and length, head included; 0: none */
	uint32_t at_lines;
	int write_fd; /* of the last segment; -1: the next record begins a new one */
	bool fresh;   /* its name is not safe from a power cut yet */
	struct spool_stats stats;
};

static const char *path_of(const char *folder, uint64_t number, const char *suffix, char *ret)
{
	snprintf(ret, PATH_SIZE, "%.*s/%016" PRIx64 ".spool%s", FOLDER_MAX - 1, folder, number,
		 suffix);
	return ret;
}

/* ---- records in memory, as they are on disk ---- */

static uint32_t crc_of(const struct head *h, const char *text)
{
	uLong crc = crc32(0, (const Bytef *)h + CRC_FROM, sizeof(*h) - CRC_FROM);

	return (uint32_t)crc32(crc, (const Bytef *)text, h->len);
}

/* record_at - is there a whole, sound record at the beginning of so many bytes? *ret_cut: it may
 * have been one of which the end is missing. */
static bool record_at(const char *data, size_t left, struct head *ret, bool *ret_cut)
{
	const uint32_t magic = MAGIC;

	*ret_cut = left < sizeof(*ret);
	if (memcmp(data, &magic, left < sizeof(magic) ? left : sizeof(magic)) != 0)
		left = *ret_cut = 0;
	if (left < sizeof(*ret))
		return false;
	memcpy(ret, data, sizeof(*ret));
	if (ret->len > TEXT_MAX)
		return false;
	*ret_cut = left < sizeof(*ret) + ret->len;
	return !*ret_cut && crc_of(ret, data + sizeof(*ret)) == ret->crc;
}

/* next_sound - the place of the next sound record from `at` on, or the end. */
static size_t next_sound(const char *data, size_t len, size_t at)
{
	const uint32_t magic = MAGIC;
	struct head h;
	bool cut;

	for (const char *p = data + at;
	     (p = memmem(p, len - (size_t)(p - data), &magic, sizeof(magic))); p++)
		if (record_at(p, len - (size_t)(p - data), &h, &cut))
			return (size_t)(p - data);
	return len;
}

/* Is there nothing but zeros? So does the end of a file look that a power cut left without its
 * data. */
static bool all_zero(const char *data, size_t len)
{
	while (len && !*data) {
		data++;
		len--;
	}
	return !len;
}

/* What a segment holds. */
struct census {
	uint32_t live;
	uint64_t live_lines;
	size_t sound;	      /* bytes until the first that is not sound */
	unsigned int damaged; /* places, a cut end included */
	bool cut;	      /* the only one is a cut end */
};

static void take_census(const char *data, size_t len, struct census *ret)
{
	struct head h;
	bool cut;

	*ret = (struct census){ .sound = len };
	for (size_t at = 0, next; at < len; at = next) {
		if (record_at(data + at, len - at, &h, &cut)) {
			ret->live += !h.delivered;
			ret->live_lines += h.delivered ? 0 : h.lines;
			next = at + sizeof(h) + h.len;
			continue;
		}
		next = next_sound(data, len, at + 1);
		if (!ret->damaged++)
			ret->sound = at;
		ret->cut =
			ret->damaged == 1 && next == len && (cut || all_zero(data + at, len - at));
	}
}

/* ---- files ---- */

/* read_file - all of a file, for the caller to free. */
static int read_file(const char *path, char **ret, size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), r = fd < 0 ? -errno : 0;
	struct stat st = { .st_size = 0 };
	char *data = NULL;
	ssize_t n = 0;
	size_t len = 0;

	if (!r && fstat(fd, &st))
		r = -errno;
	if (!r && !S_ISREG(st.st_mode))
		r = -EINVAL;
	if (!r && !(data = malloc((size_t)st.st_size + 1)))
		r = -ENOMEM;
	while (!r && (n = pread(fd, data + len, (size_t)st.st_size - len, (off_t)len)) > 0)
		len += (size_t)n;
	if (n < 0)
		r = -errno;
	if (fd >= 0)
		close(fd);
	if (r < 0) {
		free(data);
		return r;
	}
	*ret = data;
	*ret_len = len;
	return 0;
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		data += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* write_sound - a new file of the sound records that wait among `data`. */
static int write_sound(const char *path, const char *data, size_t len, uint64_t *ret_size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r = fd < 0 ? -errno : 0;
	struct head h;
	bool cut;

	*ret_size = 0;
	for (size_t at = 0; !r && at < len;) {
		if (!record_at(data + at, len - at, &h, &cut)) {
			at = next_sound(data, len, at + 1);
			continue;
		}
		if (!h.delivered) {
			r = write_all(fd, data + at, sizeof(h) + h.len);
			*ret_size += sizeof(h) + h.len;
		}
		at += sizeof(h) + h.len;
	}
	if (!r && fdatasync(fd))
		r = -errno;
	if (fd >= 0)
		close(fd);
	return r;
}

/* salvage - the sound records of a damaged segment take its place; it is set aside. */
static int salvage(const struct spool *s, uint64_t number, const char *data, size_t len,
		   uint64_t *ret_size)
{
	char path[PATH_SIZE], aside[PATH_SIZE], fresh[PATH_SIZE];
	int r;

	path_of(s->folder, number, ".damaged", aside);
	path_of(s->folder, number, "", path);
	path_of(s->folder, number, ".new", fresh);
	r = write_sound(fresh, data, len, ret_size);
	if (!r && (rename(path, aside) || rename(fresh, path)))
		r = -errno;
	if (r < 0)
		unlink(fresh);
	return r;
}

/* ---- opening ---- */

static int segment_add(struct spool *s, uint64_t number, uint64_t size, const struct census *c)
{
	struct segment *seg = calloc(1, sizeof(*seg));

	if (!seg)
		return -ENOMEM;
	seg->number = number;
	seg->size = size;
	seg->live = c->live;
	seg->live_lines = c->live_lines;
	if (s->last)
		s->last->next = seg;
	else
		s->first = seg;
	s->last = seg;
	s->number = number;
	s->stats.records += c->live;
	s->stats.bytes += size;
	return 0;
}

static void damage_note(const char *path, const struct census *c, struct error *note)
{
	if (c->cut)
		error_set(note, 0, EXIT_FINE,
			  "spool '%.300s': its last alert was only written in part and is cut off",
			  path);
	else
		error_set(
			note, 0, EXIT_FINE,
			"spool '%.300s' is damaged in %u places: set aside as .damaged; %u alerts "
			"that can be read go on waiting",
			path, c->damaged, c->live);
}

/* segment_load - takes a file that is there into the spool, mended if it has to be. */
static int segment_load(struct spool *s, uint64_t number, struct error *note)
{
	char path[PATH_SIZE], *data = NULL;
	struct census c;
	uint64_t size;
	size_t len;
	int r = read_file(path_of(s->folder, number, "", path), &data, &len);

	if (r < 0)
		return r;
	take_census(data, len, &c);
	size = len;
	if (c.damaged && c.cut) {
		size = c.sound;
		r = truncate(path, (off_t)size) ? -errno : 0;
	} else if (c.damaged) {
		r = salvage(s, number, data, len, &size);
	}
	free(data);
	if (!r && c.damaged) {
		s->stats.damaged += c.damaged;
		damage_note(path, &c, note);
	}
	if (!r && !c.live)
		return unlink(path) ? -errno : 0;
	return r ? r : segment_add(s, number, size, &c);
}

/* number_of - of a segment's file name; 0: it is none. */
static uint64_t number_of(const char *name)
{
	char *end;
	uint64_t n;

	if (strspn(name, "0123456789abcdef") != 16)
		return 0;
	n = strtoull(name, &end, 16);
	return strcmp(end, ".spool") ? 0 : n;
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* list - the numbers of all segments in a folder, in order, for the caller to free. */
static int list(const char *folder, uint64_t **ret, size_t *ret_n)
{
	DIR *dir = opendir(folder);
	uint64_t *all = NULL, *more;
	const struct dirent *e;
	size_t n = 0;

	if (!dir)
		return -errno;
	while ((e = readdir(dir))) {
		uint64_t number = number_of(e->d_name);

		if (!number)
			continue;
		more = realloc(all, (n + 1) * sizeof(*all));
		if (!more)
			break;
		all = more;
		all[n++] = number;
	}
	closedir(dir);
	if (e) {
		free(all);
		return -ENOMEM;
	}
	if (n)
		qsort(all, n, sizeof(*all), by_number);
	*ret = all;
	*ret_n = n;
	return 0;
}

static int load_all(struct spool *s, struct error *note, struct error *err)
{
	uint64_t *number = NULL;
	size_t n = 0;
	int r = list(s->folder, &number, &n);

	for (size_t i = 0; !r && i < n; i++) {
		r = segment_load(s, number[i], note);
		s->number = number[i];
	}
	free(number);
	if (r < 0)
		return error_set(err, r, EXIT_RUNTIME, "spool '%.300s': cannot be read: %s",
				 s->folder, strerror(-r));
	return 0;
}

/* lock_take - the lock is the process's, and gone with it. */
static int lock_take(struct spool *s, struct error *err)
{
	char path[PATH_SIZE];
	int r;

	snprintf(path, sizeof(path), "%s/lock", s->folder);
	s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	r = s->lock_fd < 0 ? -errno : 0;
	if (r < 0)
		return error_set(err, r, EXIT_RUNTIME, "spool '%.300s': %s", path, strerror(-r));
	if (!flock(s->lock_fd, LOCK_EX | LOCK_NB))
		return 0;
	return error_set(err, -EBUSY, EXIT_RUNTIME,
			 "spool '%.300s' is in use by another process; give one of them another "
			 "with spool=DIR",
			 s->folder);
}

int spool_open(const char *folder, uint64_t limit, struct spool **ret, struct error *note,
	       struct error *err)
{
	struct spool *s = calloc(1, sizeof(*s));
	int r = 0;

	note->text[0] = '\0';
	if (!s)
		return error_set(err, -ENOMEM, EXIT_RUNTIME, "no memory for a spool");
	s->limit = limit;
	s->lock_fd = s->read_fd = s->write_fd = -1;
	if (snprintf(s->folder, sizeof(s->folder), "%s", folder) >= (int)sizeof(s->folder))
		r = error_set(err, -ENAMETOOLONG, EXIT_RUNTIME, "spool '%.80s...': too long",
			      folder);
	if (!r && mkdir(folder, 0700) && errno != EEXIST) {
		r = -errno;
		r = error_set(err, r, EXIT_RUNTIME, "spool '%.300s' cannot be made: %s%s", folder,
			      strerror(-r), r == -ENOENT ? " (mkdir -p the one above)" : "");
	}
	if (!r)
		r = lock_take(s, err);
	if (!r)
		r = load_all(s, note, err);
	if (r < 0) {
		spool_close(s);
		return r;
	}
	*ret = s;
	return 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* first_drop - the first segment leaves the list; its file is the caller's. */
static void first_drop(struct spool *s)
{
	struct segment *seg = s->first;

	s->stats.bytes -= seg->size;
	s->first = seg->next;
	if (!s->first) {
		s->last = NULL;
		close_fd(&s->write_fd);
	}
	close_fd(&s->read_fd);
	s->read_at = s->step = 0;
	free(seg);
}

void spool_close(struct spool *s)
{
	if (!s)
		return;
	while (s->first)
		first_drop(s);
	close_fd(&s->lock_fd);
	free(s);
}

/* ---- writing ---- */

static int segment_begin(struct spool *s)
{
	const struct census none = { .live = 0 };
	char path[PATH_SIZE];
	int fd, r;

	if (s->write_fd >= 0)
		fdatasync(s->write_fd); /* spool_sync() reaches the last one alone */
	close_fd(&s->write_fd);
	fd = open(path_of(s->folder, s->number + 1, "", path),
		  O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = segment_add(s, s->number + 1, 0, &none);
	if (r < 0) {
		close(fd);
		unlink(path);
		return r;
	}
	s->write_fd = fd;
	s->fresh = true;
	return 0;
}

static struct head head_of(const struct record *r)
{
	struct head h = {
		.magic = MAGIC,
		.len = (uint32_t)r->len,
		.wall_ns = r->wall_ns,
		.run = r->run,
		.n = r->n,
		.lines = r->lines,
	};

	h.crc = crc_of(&h, r->text);
	return h;
}

/* put - one record at the end of the last segment. Half of one is taken back. */
static int put(struct spool *s, const struct record *r)
{
	struct head h = head_of(r);
	struct iovec part[] = { { &h, sizeof(h) }, { (void *)(uintptr_t)r->text, r->len } };
	ssize_t n = pwritev(s->write_fd, part, 2, (off_t)s->last->size);
	int error = n < 0 ? -errno : -ENOSPC;

	if (n == (ssize_t)(sizeof(h) + r->len))
		return 0;
	if (ftruncate(s->write_fd, (off_t)s->last->size))
		close_fd(&s->write_fd); /* its end is damaged: nothing may come behind it */
	return error;
}

/* check_linked - is the file that is written to still there? Somebody may have emptied the folder:
 * what goes into a file without a name is gone with the process. */
static void check_linked(struct spool *s)
{
	struct stat st;

	if (s->write_fd >= 0 && !fstat(s->write_fd, &st) && !st.st_nlink)
		close_fd(&s->write_fd);
}

int spool_append(struct spool *s, const struct record *r)
{
	uint64_t len = sizeof(struct head) + r->len;
	int error = 0;

	if (r->len > TEXT_MAX || s->stats.bytes + len > s->limit)
		return -EFBIG;
	check_linked(s);
	if (s->write_fd < 0 || (s->last->size && s->last->size + len > s->limit / SEGMENTS))
		error = segment_begin(s);
	if (!error)
		error = put(s, r);
	if (error)
		return error;
	s->last->size += len;
	s->last->live++;
	s->last->live_lines += r->lines;
	s->stats.bytes += len;
	s->stats.records++;
	return 0;
}

/* folder_sync - a new file needs its entry in the folder, too (fsync(2)). */
static int folder_sync(const struct spool *s)
{
	int fd = open(s->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 || fsync(fd) ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return r;
}

int spool_sync(struct spool *s)
{
	int r = s->write_fd >= 0 && fdatasync(s->write_fd) ? -errno : 0;

	if (!r && s->fresh)
		r = folder_sync(s);
	s->fresh = s->fresh && r;
	return r;
}

/* ---- reading ---- */

/* first_aside - the first segment cannot be read any more. */
static int first_aside(struct spool *s, int error, struct error *err)
{
	char path[PATH_SIZE], aside[PATH_SIZE];
	uint64_t lines = s->first->live_lines;

	path_of(s->folder, s->first->number, "", path);
	path_of(s->folder, s->first->number, ".damaged", aside);
	s->stats.damaged++;
	s->stats.lost += lines;
	s->stats.records -= s->first->live;
	error_set(err, error, EXIT_RUNTIME,
		  "spool '%.300s': %s; set aside as .damaged, %" PRIu64 " alerts in it are lost",
		  path, error == -EINVAL ? "damaged" : strerror(-error), lines);
	if (rename(path, aside))
		unlink(path);
	first_drop(s);
	return error;
}

static void first_remove(struct spool *s)
{
	char path[PATH_SIZE];

	unlink(path_of(s->folder, s->first->number, "", path));
	first_drop(s);
}

static int read_open(struct spool *s)
{
	char path[PATH_SIZE];

	if (s->read_fd >= 0)
		return 0;
	s->read_fd = open(path_of(s->folder, s->first->number, "", path),
			  O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	s->read_at = 0;
	return s->read_fd < 0 ? -errno : 0;
}

/* head_read - the head at read_at. */
static int head_read(struct spool *s, struct head *ret)
{
	ssize_t n = pread(s->read_fd, ret, sizeof(*ret), (off_t)s->read_at);
	if (n < 0)
		return -errno;
	return n == sizeof(*ret) && ret->magic == MAGIC && ret->len <= TEXT_MAX ? 0 : -EINVAL;
}

static int text_read(struct spool *s, const struct head *h, struct record **ret)
{
	struct record *r = malloc(sizeof(*r) + h->len + 1);
	off_t at = (off_t)(s->read_at + sizeof(*h));

	if (!r)
		return -ENOMEM;
	if (pread(s->read_fd, r->text, h->len, at) != (ssize_t)h->len ||
	    crc_of(h, r->text) != h->crc) {
		free(r);
		return -EINVAL;
	}
	r->text[h->len] = '\0';
	r->next = NULL;
	r->wall_ns = h->wall_ns;
	r->run = h->run;
	r->n = h->n;
	r->len = h->len;
	r->done = 0;
	r->lines = h->lines;
	*ret = r;
	return 0;
}

/* find - the next head that waits, from read_at on in the first segments. Returns 0 with read_at at
 * it; 1 if there is none; or a negative errno about the first segment. */
static int find(struct spool *s, struct head *ret)
{
	int r;

	*ret = (struct head){ .magic = 0 };
	while (s->stats.records) {
		if (!s->first->live) { /* delivered, and written to until a moment ago */
			first_remove(s);
			continue;
		}
		r = read_open(s);
		if (!r)
			r = head_read(s, ret);
		if (r < 0 || !ret->delivered)
			return r;
		s->read_at += sizeof(*ret) + ret->len;
	}
	return 1;
}

int spool_next(struct spool *s, struct record **ret, struct error *err)
{
	struct head h;
	int r = find(s, &h);

	*ret = NULL;
	s->step = 0;
	if (r > 0)
		return 0;
	if (!r)
		r = text_read(s, &h, ret);
	if (r == -ENOMEM)
		return error_set(err, r, EXIT_RUNTIME, "spool '%.300s': out of memory", s->folder);
	if (r < 0)
		return first_aside(s, r, err);
	s->at = s->read_at;
	s->step = sizeof(h) + h.len;
	s->at_lines = h.lines;
	return 0;
}

int spool_ack(struct spool *s)
{
	const uint32_t yes = 1;
	struct head h;
	int r = 0;

	if (!s->step) { /* appended and delivered without being read back */
		if (find(s, &h))
			return -ENOENT;
		s->at = s->read_at;
		s->step = sizeof(h) + h.len;
		s->at_lines = h.lines;
	}
	if (pwrite(s->read_fd, &yes, sizeof(yes),
		   (off_t)(s->at + offsetof(struct head, delivered))) != sizeof(yes))
		r = -errno;
	s->read_at = s->at + s->step;
	s->step = 0;
	s->first->live--;
	s->first->live_lines -= s->at_lines;
	s->stats.records--;
	if (!s->first->live) /* also the one that is written to: the next record begins another */
		first_remove(s);
	return r;
}

void spool_check(struct spool *s)
{
	char path[PATH_SIZE];

	for (struct segment *seg = s->first; seg; seg = seg->next) {
		if (!seg->live || !access(path_of(s->folder, seg->number, "", path), F_OK) ||
		    (errno != ENOENT && errno != ENOTDIR))
			continue;
		s->stats.lost += seg->live_lines;
		s->stats.records -= seg->live;
		s->stats.bytes -= seg->size;
		seg->size = 0;
		seg->live = 0;
		seg->live_lines = 0;
	}
	s->step = 0;
}

void spool_stats_get(const struct spool *s, struct spool_stats *ret)
{
	*ret = s->stats;
}

uint64_t spool_waiting(const char *folder)
{
	char path[PATH_SIZE], *data;
	uint64_t *number = NULL, records = 0;
	size_t n = 0, len;
	struct census c;

	if (list(folder, &number, &n) < 0)
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (read_file(path_of(folder, number[i], "", path), &data, &len) < 0)
			continue;
		take_census(data, len, &c);
		records += c.live;
		free(data);
	}
	free(number);
	return records;
}
