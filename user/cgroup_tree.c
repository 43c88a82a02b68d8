// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "cgroup_tree.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#define FILEID_KERNFS 0xfe /* include/linux/exportfs.h: the handle is the id */

/* levels_up - how far above the root of our cgroup namespace a mount begins; -1: somewhere else. In
 * a container that root is the container's own cgroup, and the host's hierarchy, mounted beside,
 * shows as "/../..". */
static int levels_up(const char *root)
{
	int n = 0;

	if (!strcmp(root, "/"))
		return 0;
	for (; !strncmp(root, "/..", 3); root += 3)
		n++;
	return *root ? -1 : n;
}

/* mounted_at - where /proc/self/mountinfo says that the most of it is mounted. A line: id, parent,
 * device, root, mount point, options, any number of fields, "-", type. */
static bool mounted_at(char *path, size_t len)
{
	char line[4096], root[1024], point[1024];
	FILE *f = fopen("/proc/self/mountinfo", "re");
	int best = -1;

	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, " - cgroup2 ") &&
		    sscanf(line, "%*s %*s %*s %1023s %1023s", root, point) == 2 &&
		    levels_up(root) > best && snprintf(path, len, "%s", point) < (int)len)
			best = levels_up(root);
	if (f)
		fclose(f);
	return best >= 0;
}

/* A mount that no namespace has and nobody else sees, for where none is in sight: below
 * `ip netns exec`, or on a host that uses v1 alone. */
static int mount_detached(void)
{
	int fs = fsopen("cgroup2", FSOPEN_CLOEXEC), fd = -1;

	if (fs < 0)
		return -1;
	if (!fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		fd = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	close(fs);
	return fd;
}

int cgroup_tree_open(void)
{
	char path[1024];
	int fd = -1;

	if (mounted_at(path, sizeof(path)))
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fd : mount_detached();
}

static bool path_of_fd(int fd, char *buf, size_t len)
{
	char link[32];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, buf, len - 1);
	if (n <= 0 || (size_t)n == len - 1)
		return false;
	buf[n] = '\0';
	return true;
}

bool cgroup_tree_path(int root_fd, uint64_t id, char *buf, size_t len)
{
	struct {
		struct file_handle h;
		uint64_t id;
	} handle = { .h = { .handle_bytes = sizeof(id), .handle_type = FILEID_KERNFS } };
	char root[1024], path[4096];
	size_t skip;
	bool found;
	int fd;

	memcpy(handle.h.f_handle, &id, sizeof(id));
	fd = open_by_handle_at(root_fd, &handle.h, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return false;
	found = path_of_fd(fd, path, sizeof(path)) && path_of_fd(root_fd, root, sizeof(root));
	close(fd);
	if (!found)
		return false;
	skip = strcmp(root, "/") ? strlen(root) : 0; /* a detached mount is its own root */
	if (strncmp(path, root, skip))
		return false;
	return snprintf(buf, len, "%s", path[skip] ? path + skip : "/") < (int)len;
}
