// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "control_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	SOCKET_MODE = 0660, /* writing is what connect(2) needs */
	BACKLOG = 16,
	LOCK_TRIES = 50, /* of 20 ms each */
};

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	return a;
}

/* probe - does somebody listen there? 0: yes; else the errno of trying to connect. Does not wait:
 * a listener with a full backlog (EAGAIN) is one. */
static int probe(const char *path)
{
	struct sockaddr_un a = address_of(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r = 0;

	if (fd < 0)
		return errno;
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0 && errno != EAGAIN)
		r = errno;
	close(fd);
	return r;
}

/* folder_of - where path is, into buf of sun_path's size; returns buf. */
static const char *folder_of(const char *path, char *buf)
{
	char *slash;

	snprintf(buf, sizeof(((struct sockaddr_un *)0)->sun_path), "%s", path);
	slash = strrchr(buf, '/');
	slash[slash == buf] = '\0';
	return buf;
}

/* lock_folder - two daemons that start at once look for a dead one's socket one after the other.
 * The lock goes with the descriptor. Who keeps it for longer than a second is not waited for. */
static int lock_folder(const char *path)
{
	char folder[sizeof(((struct sockaddr_un *)0)->sun_path)];
	const struct timespec pause = { 0, 20000000 };
	int fd = open(folder_of(path, folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int i = 0; fd >= 0 && i < LOCK_TRIES && flock(fd, LOCK_EX | LOCK_NB) < 0; i++)
		nanosleep(&pause, NULL);
	return fd;
}

/* clear - makes the name free, if what has it is a socket at which nobody listens. */
static int clear(const char *path, struct error *err)
{
	struct stat st;
	int r;

	if (lstat(path, &st) < 0)
		return 0; /* free, or bind(2) says what is wrong */
	if (!S_ISSOCK(st.st_mode))
		return error_set(err, -EEXIST, EXIT_RUNTIME,
				 "control socket '%s': something that is no socket has that name",
				 path);
	r = probe(path);
	if (!r)
		return error_set(err, -EADDRINUSE, EXIT_RUNTIME,
				 "control socket '%s': another reconmon answers there, so this one "
				 "goes without; --control gives it another",
				 path);
	if (r != ECONNREFUSED)
		return error_set(err, -r, EXIT_RUNTIME, "control socket '%s': %s", path,
				 strerror(r));
	unlink(path);
	return 0;
}

static int bind_there(struct control_socket *s)
{
	struct sockaddr_un a = address_of(s->path);
	struct stat st;

	/* Nobody can connect before listen(2), so the mode is right from the first moment. */
	if (bind(s->fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return -errno;
	if (chmod(s->path, SOCKET_MODE) < 0 || lstat(s->path, &st) < 0 ||
	    listen(s->fd, BACKLOG) < 0) {
		int r = -errno;

		unlink(s->path);
		return r;
	}
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	return 0;
}

int control_socket_open(const char *path, bool make_folder, struct control_socket *ret,
			struct error *err)
{
	char folder[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct control_socket s = { .fd = -1 };
	int lock, r;

	/* What is wrong with it shows when the socket is bound. */
	s.made_folder = make_folder && !mkdir(folder_of(path, folder), 0755);
	snprintf(s.path, sizeof(s.path), "%s", path);
	lock = lock_folder(path);
	r = clear(path, err);
	if (!r) {
		s.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		r = s.fd < 0 ? -errno : bind_there(&s);
		if (r < 0)
			error_set(err, r,
				  r == -EACCES || r == -EPERM ? EXIT_NOT_PERMITTED : EXIT_RUNTIME,
				  "control socket '%s': %s; --control names another, or none", path,
				  strerror(-r));
	}
	if (lock >= 0)
		close(lock);
	if (!r) {
		*ret = s;
		return 0;
	}
	if (s.fd >= 0)
		close(s.fd);
	return r;
}

void control_socket_close(struct control_socket *s)
{
	char folder[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct stat st;

	if (s->fd < 0)
		return;
	if (!lstat(s->path, &st) && st.st_dev == s->dev && st.st_ino == s->ino)
		unlink(s->path);
	if (s->made_folder)
		rmdir(folder_of(s->path, folder)); /* stays if others use it */
	close(s->fd);
	s->fd = -1;
}

int control_socket_connect(const char *path, struct error *err)
{
	struct sockaddr_un a = address_of(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), r;

	if (fd < 0)
		return error_set(err, -errno, EXIT_RUNTIME, "socket: %s", strerror(errno));
	if (!connect(fd, (struct sockaddr *)&a, sizeof(a)))
		return fd;
	r = -errno;
	close(fd);
	if (r == -EACCES || r == -EPERM)
		return error_set(err, r, EXIT_NOT_PERMITTED,
				 "control socket '%s': permission denied; ask as root or as a "
				 "member of the socket's group",
				 path);
	if (r == -ENOENT || r == -ECONNREFUSED)
		return error_set(err, r, EXIT_RUNTIME,
				 "no reconmon answers at '%s': is it running? --control names "
				 "another socket",
				 path);
	return error_set(err, r, EXIT_RUNTIME, "control socket '%s': %s", path, strerror(-r));
}
