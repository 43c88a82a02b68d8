/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What are a pod and its container called? Read from what the kubelet keeps on the node itself, so
 * that nobody has to be asked and no rights in the cluster are needed:
 *
 *	DIR/pods/NAMESPACE_POD_UID/CONTAINER/RESTART.log
 *	DIR/containers/POD_NAMESPACE_CONTAINER-ID.log -> the file above
 *
 * (Kubernetes, pkg/kubelet/kuberuntime: BuildPodLogsDirectory, logSymlink; DIR is /var/log.) Names
 * are DNS labels and never change for a uid, so what was found is kept, up to KUBE_KEPT of them. */
#ifndef RECONMON_KUBE_H
#define RECONMON_KUBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KUBE_DIR_DEFAULT "/var/log"

enum {
	KUBE_LABEL_MAX = 63, /* RFC 1123; of a pod's name, a subdomain, NAME_MAX is the limit */
	KUBE_POD_MAX = 253,
	KUBE_KEPT = 512, /* pods and containers; about 250 KB when full */
};

/* Letters, digits, '-' and '.' only: safe to print. "" is unknown. */
struct kube_names {
	char namespace[KUBE_LABEL_MAX + 1];
	char pod[KUBE_POD_MAX + 1];
	char container[KUBE_LABEL_MAX + 1];
};

struct kube_stats {
	uint64_t found;	  /* names read from the node */
	uint64_t missing; /* looked for, and not there (yet) */
};

struct kube;

/* kube_new - names below `dir`, which need not be there. Returns NULL for want of memory. */
struct kube *kube_new(const char *dir);
void kube_free(struct kube *k); /* NULL is fine */

/* kube_find - the names of the pod with that uid (as cgroup_parse() writes it; not ""), and of the
 * container with that id, "" where it is unknown. At now_ns, a clock that does not go back: what
 * was not there is looked for again after a second. Returns whether the pod is known; then *ret is
 * filled, its container perhaps not. */
bool kube_find(struct kube *k, const char *pod_uid, const char *container_id, uint64_t now_ns,
	       struct kube_names *ret);

void kube_stats_get(const struct kube *k, struct kube_stats *ret);

#endif
