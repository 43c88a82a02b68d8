/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* shortconn ADDRESS PORT SECONDS: short HTTP connections, one after the other by four processes on
 * either side: connect, a request, an answer of 1 KB, close. The server is forked here, so both
 * ends live where the client was started unless -s or -c chooses one. Prints connections a second.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROCESSES 4

static const char request[] = "GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n";

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int listening(const struct sockaddr_in *a)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)a, sizeof(*a)) || listen(fd, 1024))
		die("listen");
	return fd;
}

static void serve(int door)
{
	static char answer[1024] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", buf[2048];

	while (1) {
		int fd = accept(door, NULL, NULL);

		if (fd < 0)
			continue;
		if (read(fd, buf, sizeof(buf)) > 0 && write(fd, answer, sizeof(answer)) < 0 &&
		    errno != EPIPE && errno != ECONNRESET)
			die("write");
		close(fd);
	}
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Ends by RST, so that a port is free again at once. */
static void ask(const struct sockaddr_in *a, double until, unsigned long *done)
{
	const struct linger hard = { .l_onoff = 1 };
	char buf[2048];

	while (now() < until) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
		if (connect(fd, (const struct sockaddr *)a, sizeof(*a)))
			die("connect");
		if (write(fd, request, sizeof(request) - 1) < 0)
			die("write");
		while (read(fd, buf, sizeof(buf)) > 0)
			;
		close(fd);
		++*done;
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	unsigned long *done =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned long sum = 0;
	double seconds, begun;

	signal(SIGPIPE, SIG_IGN);
	if (argc != 4 || done == MAP_FAILED || inet_pton(AF_INET, argv[1], &a.sin_addr) != 1) {
		fprintf(stderr, "usage: shortconn ADDRESS PORT SECONDS; 0 s: serve\n");
		return 2;
	}
	a.sin_port = htons((unsigned short)atoi(argv[2]));
	seconds = atof(argv[3]);
	if (seconds <= 0) {
		int door = listening(&a);

		printf("up\n");
		fflush(stdout);
		for (int i = 1; i < PROCESSES; i++)
			if (!fork())
				break;
		serve(door);
	}
	begun = now();
	for (int i = 0; i < PROCESSES; i++)
		if (!fork()) {
			ask(&a, begun + seconds, &done[i]);
			_exit(0);
		}
	for (int i = 0, status; i < PROCESSES; i++)
		if (wait(&status) < 0 || status)
			return 1;
	for (int i = 0; i < PROCESSES; i++)
		sum += done[i];
	printf("%.1f\n", (double)sum / (now() - begun));
	return 0;
}
