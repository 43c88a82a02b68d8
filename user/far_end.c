// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "far_end.h"

#include <dirent.h>
#include <libmnl/libmnl.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"

enum {
	NAMESPACES_MAX =
		1024,	     /* of others, remembered during one walk; more cost a question each */
	NS_LINK_MAX = 32,    /* "net:[4026531840]" */
	PATH_MAX_KEPT = 512, /* of a cgroup */
};

#define NO_NSID (-1)

/* A walk over /proc in search of who is in one namespace. */
struct walk {
	struct mnl_socket *nl;
	int32_t nsid; /* as this namespace calls it */
	char hit[NS_LINK_MAX];
	char other[NAMESPACES_MAX][NS_LINK_MAX]; /* which it is not */
	unsigned int others;
	bool found;
	char path[PATH_MAX_KEPT]; /* of those seen so far */
	struct cgroup_info info;
};

/* ---- questions to the kernel ---- */

static int on_nsid(const struct nlmsghdr *nlh, void *data)
{
	bool is_link = nlh->nlmsg_type == RTM_NEWLINK;
	size_t head = is_link ? sizeof(struct ifinfomsg) : sizeof(struct rtgenmsg);
	const struct nlattr *a;

	mnl_attr_for_each(a, nlh,
			  (unsigned int)head) if (mnl_attr_get_type(a) ==
						  (is_link ? IFLA_LINK_NETNSID : NETNSA_NSID)) *
		(int32_t *)data = (int32_t)mnl_attr_get_u32(a);
	return MNL_CB_OK;
}

/* ask - sends a request and reads the namespace id that the answer has; NO_NSID: none. */
static int32_t ask(struct mnl_socket *nl, struct nlmsghdr *nlh)
{
	char buf[16384]; /* a link with many queues says a lot */
	int32_t nsid = NO_NSID;
	ssize_t n;

	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		return NO_NSID;
	do {
		n = mnl_socket_recvfrom(nl, buf, sizeof(buf));
	} while (n > 0 && mnl_cb_run(buf, (size_t)n, 0, mnl_socket_get_portid(nl), on_nsid, &nsid) >
				  MNL_CB_STOP);
	return nsid;
}

static int32_t nsid_of_link(struct mnl_socket *nl, uint32_t ifindex)
{
	char buf[MNL_NLMSG_HDRLEN + sizeof(struct ifinfomsg)] __attribute__((aligned(4)));
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));

	nlh->nlmsg_type = RTM_GETLINK;
	ifi->ifi_index = (int)ifindex;
	return ask(nl, nlh);
}

static int32_t nsid_of_process(struct mnl_socket *nl, uint32_t pid)
{
	char buf[64] __attribute__((aligned(4)));
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = RTM_GETNSID;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct rtgenmsg));
	mnl_attr_put_u32(nlh, NETNSA_PID, pid);
	return ask(nl, nlh);
}

/* ---- who is there ---- */

static bool is_there(struct walk *w, uint32_t pid)
{
	char path[32], ns[NS_LINK_MAX] = "";
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%u/ns/net", pid);
	n = readlink(path, ns, sizeof(ns) - 1);
	if (n <= 0)
		return false; /* it ended, or may not be looked at */
	if (w->hit[0])
		return !strcmp(ns, w->hit);
	for (unsigned int i = 0; i < w->others; i++)
		if (!strcmp(ns, w->other[i]))
			return false;
	if (nsid_of_process(w->nl, pid) == w->nsid) {
		memcpy(w->hit, ns, sizeof(ns));
		return true;
	}
	if (w->others < NAMESPACES_MAX)
		memcpy(w->other[w->others++], ns, sizeof(ns));
	return false;
}

static bool cgroup_of(uint32_t pid, char *path, size_t len)
{
	char name[32], text[8192];
	size_t n;
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%u/cgroup", pid);
	f = fopen(name, "re");
	if (!f)
		return false;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	return cgroup_path_of(text, path, len);
}

/* pod_path - cuts a path behind the part that names the pod. */
static void pod_path(char *path)
{
	struct cgroup_info info;
	char *slash;

	while ((slash = strrchr(path, '/'))) {
		cgroup_parse(path, &info);
		if (!info.container[0])
			return;
		*slash = '\0';
	}
}

/* join - takes in one more process; returns false once nothing is common to all. Who is in no
 * container is not asked: somebody looks on from outside. */
static bool join(struct walk *w, uint32_t pid)
{
	char path[PATH_MAX_KEPT];
	struct cgroup_info info;

	if (!cgroup_of(pid, path, sizeof(path)))
		return true;
	cgroup_parse(path, &info);
	if (!info.container[0] && !info.pod[0])
		return true;
	if (!w->found) {
		w->found = true;
		w->info = info;
		memcpy(w->path, path, sizeof(path));
		return true;
	}
	if (!strcmp(info.container, w->info.container) && !strcmp(info.pod, w->info.pod))
		return true;
	w->info.container[0] = '\0';
	pod_path(w->path);
	w->found = info.pod[0] && !strcmp(info.pod, w->info.pod);
	return w->found;
}

static void walk_proc(struct walk *w)
{
	DIR *d = opendir("/proc");
	const struct dirent *e;

	while (d && (e = readdir(d))) {
		char *end;
		unsigned long pid = strtoul(e->d_name, &end, 10);

		if (*end || !pid)
			continue;
		if (is_there(w, (uint32_t)pid) && !join(w, (uint32_t)pid))
			break;
	}
	if (d)
		closedir(d);
}

bool far_end_cgroup(uint32_t ifindex, char *buf, size_t len)
{
	struct walk *w = calloc(1, sizeof(*w));
	bool found = false;

	if (!w)
		return false;
	w->nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (w->nl && !mnl_socket_bind(w->nl, 0, MNL_SOCKET_AUTOPID)) {
		w->nsid = nsid_of_link(w->nl, ifindex);
		if (w->nsid != NO_NSID)
			walk_proc(w);
		found = w->found && strlen(w->path) < len;
		if (found)
			memcpy(buf, w->path, strlen(w->path) + 1);
	}
	if (w->nl)
		mnl_socket_close(w->nl);
	free(w);
	return found;
}
