// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "janitor.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum {
	HOOKS_MAX = 8192
}; /* two an interface */

struct note {
	struct tc_hook hook;
	bool made;
};
_Static_assert(sizeof(struct note) <= 512, "a write of up to PIPE_BUF bytes is atomic");

/* Does anything filter at this parent? An error counts as yes: then the qdisc stays. */
static bool has_filters(uint32_t ifindex, uint32_t parent)
{
	char buf[8192] __attribute__((aligned(8)));
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct tcmsg *tcm;
	bool any = true;
	ssize_t n;

	if (!nl)
		return true;
	nlh->nlmsg_type = RTM_GETTFILTER;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	tcm = mnl_nlmsg_put_extra_header(nlh, sizeof(*tcm));
	tcm->tcm_ifindex = (int)ifindex;
	tcm->tcm_parent = parent;
	if (!mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) &&
	    mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) >= 0) {
		n = mnl_socket_recvfrom(nl, buf, sizeof(buf));
		nlh = (struct nlmsghdr *)buf;
		any = n < (ssize_t)sizeof(*nlh) || nlh->nlmsg_type != NLMSG_DONE;
	}
	mnl_socket_close(nl);
	return any;
}

void janitor_remove_qdisc(uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);

	if (!has_filters(ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)) &&
	    !has_filters(ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS)))
		bpf_tc_hook_destroy(&hook);
}

void janitor_remove(const struct tc_hook *h)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)h->ifindex,
		    .attach_point = h->egress ? BPF_TC_EGRESS : BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = h->handle, .priority = h->priority);

	if (bpf_tc_query(&hook, &opts) || opts.prog_id != h->prog_id)
		return; /* gone with its interface, or somebody else's by now */
	opts.prog_id = 0;
	opts.prog_fd = 0;
	opts.flags = 0;
	bpf_tc_detach(&hook, &opts);
	if (h->made_qdisc)
		janitor_remove_qdisc(h->ifindex);
}

static bool is_same(const struct tc_hook *a, const struct tc_hook *b)
{
	return a->ifindex == b->ifindex && a->egress == b->egress && a->handle == b->handle &&
	       a->priority == b->priority && a->prog_id == b->prog_id;
}

/* The child's whole life. */
static void watch_over(int pipe_fd)
{
	struct tc_hook *hooks = calloc(HOOKS_MAX, sizeof(*hooks));
	struct note note;
	size_t n = 0;

	while (hooks && read(pipe_fd, &note, sizeof(note)) == (ssize_t)sizeof(note)) {
		size_t i = 0;

		if (note.made && n < HOOKS_MAX)
			hooks[n++] = note.hook;
		if (note.made)
			continue;
		while (i < n && !is_same(&hooks[i], &note.hook))
			i++;
		if (i < n)
			hooks[i] = hooks[--n];
	}
	for (size_t i = 0; i < n; i++)
		janitor_remove(&hooks[i]);
	/* A qdisc that still held the other direction's filter above is empty by now. */
	for (size_t i = 0; i < n; i++)
		if (hooks[i].made_qdisc)
			janitor_remove_qdisc(hooks[i].ifindex);
	_exit(0);
}

/* Starts the child. It keeps no descriptor but the pipe (programs and links must die with the
 * daemon), leaves the terminal's process group so that Ctrl-C passes it by, and ends on the pipe's
 * end alone. */
static int start(void)
{
	int fd[2];
	pid_t pid;

	if (pipe2(fd, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid < 0) {
		int r = -errno;

		close(fd[0]);
		close(fd[1]);
		return r;
	}
	if (pid == 0) {
		sigset_t all;

		sigfillset(&all);
		sigprocmask(SIG_SETMASK, &all, NULL);
		setsid();
		prctl(PR_SET_NAME, "reconmon-tidy");
		if (dup2(fd[0], 0) < 0)
			_exit(1);
		close_range(1, ~0u, 0);
		watch_over(0);
	}
	close(fd[0]);
	return fd[1];
}

int janitor_note(const struct tc_hook *h, bool made)
{
	static int pipe_fd = -1; /* one child a process, for as long as it lives */
	const struct note note = { .hook = *h, .made = made };

	if (pipe_fd < 0)
		pipe_fd = start(); /* it outlives us, and nothing waits for it */
	if (pipe_fd < 0)
		return pipe_fd;
	return write(pipe_fd, &note, sizeof(note)) == (ssize_t)sizeof(note) ? 0 : -errno;
}
