// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* How does an alert reach a program of the user's? It is run for each, one at a time, and reads the
 * alert from its standard input; what it says goes to our standard error. No shell is between. It
 * sees no other descriptor of ours, and is killed, with all it started, if it takes too long. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "output_dest.h"

enum {
	RUN_MS = 30000,
	WHY_MAX = 64,
};

struct program {
	char path[OUTPUT_TARGET_MAX];
	char why[WHY_MAX];
};

static int command_open(const struct output_config *oc, void **ret, struct error *err)
{
	struct program *c;
	int r;

	if (access(oc->target, X_OK) < 0) {
		r = -errno;
		return error_set(err, r, EXIT_RUNTIME, "cannot be run: %s", strerror(-r));
	}
	c = calloc(1, sizeof(*c));
	if (!c)
		return error_set(err, -ENOMEM, EXIT_RUNTIME, "out of memory");
	strcpy(c->path, oc->target);
	signal(SIGCHLD,
	       SIG_DFL); /* who started us may have had it ignored, which costs the status */
	*ret = c;
	return 0;
}

/* start - runs it in a process group of its own, with the signals of a new program (our threads
 * block them). Returns 0 with its pid, or a negative errno. */
static int start(const struct program *c, int in, pid_t *ret)
{
	char *argv[] = { (char *)(uintptr_t)c->path, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int r;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
						POSIX_SPAWN_SETPGROUP);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
	posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
	r = -posix_spawn(ret, c->path, &files, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	return r;
}

static int ms_left(const struct timespec *since)
{
	struct timespec now;
	long long took;

	clock_gettime(CLOCK_MONOTONIC, &now);
	took = (now.tv_sec - since->tv_sec) * 1000ll + (now.tv_nsec - since->tv_nsec) / 1000000;
	return took < RUN_MS ? (int)(RUN_MS - took) : 0;
}

/* feed - writes the record. A program that does not read it all has its reasons: no error. */
static int feed(int out, const struct record *r, const struct timespec *since, int stop_fd)
{
	size_t done = 0;
	sigset_t pipe_signal;

	sigemptyset(&pipe_signal); /* of this thread: a program that does not read kills nobody */
	sigaddset(&pipe_signal, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe_signal, NULL);
	while (done < r->len) {
		ssize_t n = write(out, r->text + done, r->len - done);
		int w;

		if (n > 0)
			done += (size_t)n;
		else if (errno == EPIPE)
			return 0;
		else if (errno != EAGAIN && errno != EINTR)
			return -errno;
		w = n > 0 ? 0 : dest_wait(out, POLLOUT, ms_left(since), stop_fd);
		if (w < 0)
			return w;
	}
	return 0;
}

/* await - until it has ended, for so long. */
static int await(pid_t pid, const struct timespec *since, int stop_fd)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	int r = fd < 0 ? -errno : dest_wait(fd, POLLIN, ms_left(since), stop_fd);

	if (fd >= 0)
		close(fd);
	return r;
}

/* verdict - what its end says. */
static int verdict(struct program *c, pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) < 0 || (WIFEXITED(status) && !WEXITSTATUS(status)))
		return 0;
	if (WIFEXITED(status))
		snprintf(c->why, sizeof(c->why), "exit %d", WEXITSTATUS(status));
	else
		snprintf(c->why, sizeof(c->why), "killed by signal %d", WTERMSIG(status));
	return WIFEXITED(status) && WEXITSTATUS(status) == EX_TEMPFAIL ? -EAGAIN : -EBADMSG;
}

static int command_send(void *handle, struct record *r, int stop_fd)
{
	struct program *c = handle;
	struct timespec since;
	int pipe_fd[2], error;
	pid_t pid;

	c->why[0] = '\0';
	if (pipe2(pipe_fd, O_CLOEXEC) < 0)
		return -errno;
	clock_gettime(CLOCK_MONOTONIC, &since);
	error = start(c, pipe_fd[0], &pid);
	close(pipe_fd[0]);
	if (error < 0) {
		close(pipe_fd[1]);
		return error;
	}
	fcntl(pipe_fd[1], F_SETFL, O_NONBLOCK);
	error = feed(pipe_fd[1], r, &since, stop_fd);
	close(pipe_fd[1]);
	if (!error)
		error = await(pid, &since, stop_fd);
	if (!error)
		return verdict(c, pid);
	kill(-pid, SIGKILL);
	waitpid(pid, NULL, 0);
	if (error != -ETIMEDOUT)
		return error;
	snprintf(c->why, sizeof(c->why), "killed after %d s", RUN_MS / 1000);
	return -EBADMSG;
}

static const char *command_why(void *handle, int error)
{
	const struct program *c = handle;

	(void)error;
	return c->why[0] ? c->why : NULL;
}

static void command_close(void *handle)
{
	free(handle);
}

const struct dest dest_command = {
	.open = command_open,
	.send = command_send,
	.why = command_why,
	.close = command_close,
	.patience_ns = 5000000000ull,
};
