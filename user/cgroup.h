/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What does the path of a cgroup say of the process in it: which container, of which runtime, in
 * which pod, or which unit of systemd? By the shapes that runtimes give their paths, without asking
 * any of them. Both hierarchies, v1 and v2, have the same shapes. */
#ifndef RECONMON_CGROUP_H
#define RECONMON_CGROUP_H

#include <stdbool.h>
#include <stddef.h>

enum {
	CGROUP_ID_LEN = 64,   /* a container's id: 64 hexadecimal digits */
	CGROUP_POD_MAX = 36,  /* a pod's uid: 36 characters, 32 of a static pod */
	CGROUP_UNIT_MAX = 80, /* of a unit's name; what is longer is cut */
};

/* "" where the path does not say. The names are string constants. */
struct cgroup_info {
	const char *runtime; /* "docker", "containerd", "cri-o", "podman" */
	char container[CGROUP_ID_LEN + 1];
	char pod[CGROUP_POD_MAX + 1]; /* as Kubernetes writes it, with hyphens */
	const char *qos;	      /* of the pod: "guaranteed", "burstable", "besteffort" */
	char unit[CGROUP_UNIT_MAX];   /* innermost service or scope of systemd; no container's */
};

/* cgroup_parse - reads the path of a cgroup ("/system.slice/ssh.service"). Any text is fine. Where
 * containers run in containers, the innermost counts. */
void cgroup_parse(const char *path, struct cgroup_info *ret);

/* cgroup_path_of - picks from the text of /proc/PID/cgroup the path that says the most: one that
 * names a container, else a pod, else that of v2, else that of v1's systemd, else any but "/".
 * Writes it into buf and returns true, or returns false where there is none or it does not fit. */
bool cgroup_path_of(const char *text, char *buf, size_t len);

#endif
