// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* Connects to some ports of a host, waits for nothing, and is gone: once ADDRESS PORT... */
#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };

	if (argc < 3 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1)
		return 2;
	for (int i = 2; i < argc; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

		to.sin_port = htons((uint16_t)atoi(argv[i]));
		connect(fd, (struct sockaddr *)&to, sizeof(to));
	}
	return 0;
}
