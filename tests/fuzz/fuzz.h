/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the fuzzers share. Each defines LLVMFuzzerTestOneInput(), which libFuzzer calls with one
 * input after another: whatever the input is, nothing may crash (ASan, UBSan), and every CHECK()
 * must hold. An input under which one does not is written to a file; see tests/fuzz/run.sh. */
#ifndef RECONMON_TESTS_FUZZ_H
#define RECONMON_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifndef ARRAY_SIZE /* tests/frame.h has it too */
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#endif

/* CHECK - what must hold, as a sentence (printf) that says what did not. */
#define CHECK(holds, ...)                                                                          \
	do {                                                                                       \
		if (!(holds)) {                                                                    \
			fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #holds);                \
			fprintf(stderr, __VA_ARGS__);                                              \
			fputc('\n', stderr);                                                       \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* exact_copy - n bytes on the heap, so that ASan sees a read of the byte behind them. */
static inline uint8_t *exact_copy(const void *data, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);

	if (!copy)
		abort();
	if (n)
		memcpy(copy, data, n);
	return copy;
}

/* A file in memory, for what opens files by name. */
struct memory_file {
	int fd;
	char path[32];
};

static inline void memory_file_make(struct memory_file *f, const void *data, size_t n)
{
	f->fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (f->fd < 0 || write(f->fd, data, n) != (ssize_t)n)
		abort();
	snprintf(f->path, sizeof(f->path), "/proc/self/fd/%d", f->fd);
}

static inline void memory_file_done(struct memory_file *f)
{
	close(f->fd);
}

/* is_gzip - do the bytes begin with gzip's magic? */
static inline bool is_gzip(const uint8_t *data, size_t size)
{
	return size >= 2 && data[0] == 0x1f && data[1] == 0x8b;
}

/* bytes_hash - FNV-1a: dice that fall the same way whenever the input is the same. */
static inline uint32_t bytes_hash(const uint8_t *data, size_t size)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < size; i++)
		h = (h ^ data[i]) * 16777619u;
	return h;
}

#endif
