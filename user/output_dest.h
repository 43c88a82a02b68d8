/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What every kind of destination can do, and what it is given. One file a kind: output_*.c. */
#ifndef RECONMON_OUTPUT_DEST_H
#define RECONMON_OUTPUT_DEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "output_config.h"

/* One alert in one state, ready to go. */
struct record {
	struct record *next;
	uint64_t wall_ns;  /* CLOCK_REALTIME of the alert's writing */
	uint64_t run, n;   /* its id, the lane's: a random number of this run, and the record's; the
			    * same however often it is sent */
	uint64_t since_ns; /* CLOCK_MONOTONIC of its coming into the lane */
	size_t len, done;  /* bytes of text, and how many of them are out */
	uint32_t lines;	   /* what is lost if it is: an alert is one, rows may be many */
	char text[];	   /* with its newline, and a NUL behind */
};

struct dest {
	/* open - makes it ready. What cannot work (a directory that does not exist) is an error
	 * here; what may work later (a receiver that is not up) is not. Returns 0, or a negative
	 * errno with err filled. */
	int (*open)(const struct output_config *oc, void **ret, struct error *err);

	/* send - the thread's: gets a record out, from r->done on, however long that takes. Returns
	 * 0; -ECANCELED if stop_fd became readable meanwhile; -EBADMSG if the receiver will never
	 * take this one, though it may take others; or the negative errno of a receiver that
	 * failed. What is out already is remembered in r->done where the receiver goes on from
	 * there. */
	int (*send)(void *handle, struct record *r, int stop_fd);

	/* idle - the thread's, while there is nothing to send: a look at what was sent and may not
	 * have arrived. Returns after how many milliseconds it wants another; 0: not before the
	 * next send(). NULL: never. */
	unsigned int (*idle)(void *handle, int stop_fd);

	/* why - the thread's, after a send() that failed: what was wrong, where that is more than
	 * its errno; NULL if it is not. */
	const char *(*why)(void *handle, int error);

	/* reopen - the thread's, before the next send(), whose record begins anew (r->done is 0).
	 * NULL if there is nothing to do. */
	void (*reopen)(void *handle);
	void (*close)(void *handle);

	/* is_final - will the receiver never come back after this errno? NULL: it always may. */
	bool (*is_final)(int error);
	uint64_t patience_ns; /* of a lane that is patient */
};

extern const struct dest dest_stdout, dest_stderr, dest_file, dest_syslog, dest_journald, dest_http,
	dest_command;

/* dest_wait - waits until fd is ready for `events` (poll(2)), at most timeout_ms (-1: for ever).
 * Returns 0, -ETIMEDOUT, -ECANCELED if stop_fd is readable, or another negative errno. */
int dest_wait(int fd, short events, int timeout_ms, int stop_fd);

#endif
