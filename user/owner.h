/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Who did it? For attempts that left from this host: the process, its user, its container, pod or
 * unit. The kernel side says which process a socket belongs to (owner_maps.h); what that process is
 * called is read here from /proc while it lives, and from what the kernel side kept of it once it
 * is gone. */
#ifndef RECONMON_OWNER_USER_H
#define RECONMON_OWNER_USER_H

#include <reconmon/owner.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "blob.h"
#include "cgroup.h"
#include "kube.h"

enum {
	OWNER_PATH_MAX = 512,	  /* of a path that is kept, else it is unknown */
	OWNER_COMMAND_MAX = 4096, /* of a command line; what is longer is cut */
	OWNER_POD_MAX = KUBE_LABEL_MAX + 1 + KUBE_POD_MAX + 1,
};

/* What is forwarded for a container on this host has that container for an owner, and no process:
 * source OWNER_FORWARDED. What is unknown is NULL, "" or 0. Nothing of it is safe to print as it
 * is: names and arguments hold whatever bytes their owner liked. */
struct owner {
	uint32_t id; /* the same for the same process; bit 0: OWNER_GUESS */
	uint32_t refs;
	enum owner_source source;
	uint32_t pid, uid;
	uint32_t ifindex;	       /* OWNER_FORWARDED: where it comes from */
	uint64_t start_ns, cgroup_id;  /* CLOCK_BOOTTIME; v2's */
	char name[OWNER_COMM_LEN + 1]; /* "nmap" */
	char *executable;	       /* "/usr/bin/nmap" */
	char *args;		       /* args_len bytes; each argument ends with a NUL */
	size_t args_len;
	char *user;   /* by /etc/passwd; only outside of containers, which have their own */
	char *cgroup; /* path */
	struct cgroup_info where;
	struct kube_names *kube; /* what the pod of `where` is called */
	char boot_id[40];	 /* of this boot, in which pids and start times mean something */
	bool resolved;		 /* looked at, */
	uint64_t seen_ns;	 /* at that time */
};

/* owner_ref - keeps an owner for longer than the next call. owner_unref - gives it back; NULL is
 * fine. */
const struct owner *owner_ref(const struct owner *w);
void owner_unref(const struct owner *w);

/* owner_save - writes an owner, or that there is none (NULL), down. owner_load - reads it: a new
 * one for owner_unref(), or NULL if there was none or it cannot be had (then b->failed). */
void owner_save(const struct owner *w, struct blob *b);
const struct owner *owner_load(struct blob *b);

/* owner_source_name - "cookie", "guess", "none", "interface". */
const char *owner_source_name(enum owner_source s);

/* owner_has_user - is its uid one? What is forwarded has none. */
bool owner_has_user(const struct owner *w);

/* owner_pod - what the pod is called, "NAMESPACE/NAME", else its uid, else "", into buf of
 * OWNER_POD_MAX bytes; returns buf. */
const char *owner_pod(const struct owner *w, char *buf);

/* owner_command - the arguments in one line, as one would type them but for quotes. Writes at most
 * len bytes, NUL included; returns the length it would need, as snprintf(). */
size_t owner_command(const struct owner *w, char *buf, size_t len);

struct owners;

/* What the kernel side knows: owner_maps.h, or a test's own. */
struct owner_kernel {
	const void *ctx;
	/* Who opened the last attempt at a contact; false: unknown. */
	bool (*find)(const void *ctx, const struct contact_key *key, struct socket_owner *ret);
	/* The arguments of a process, which may be gone: at most OWNER_ARGS_LEN bytes into buf,
	 * each argument with its NUL. Returns how many; 0: unknown. */
	size_t (*args)(const void *ctx, uint32_t pid, uint64_t start_ns, char *buf);
	/* The path of a cgroup of v2, which may be gone; false: unknown, or longer than len. */
	bool (*cgroup)(const void *ctx, uint64_t id, char *buf, size_t len);
	/* The cgroup of the container at the other end of an interface; false: there is none. */
	bool (*far_end)(const void *ctx, uint32_t ifindex, char *buf, size_t len);
};

struct owners_stats {
	uint64_t resolved; /* owners looked up in /proc */
	uint64_t gone;	   /* ... processes that had ended by then */
	uint64_t evicted;  /* owners forgotten for want of room */
	struct kube_stats kube;
};

/* owners_new - a table of the last few thousand owners, filled from `kernel`, which is copied.
 * Returns NULL for want of memory. */
struct owners *owners_new(const struct owner_kernel *kernel);

/* owners_name - from now on pods have names too, by k, which stays the caller's; NULL: none. */
void owners_name(struct owners *o, struct kube *k);

void owners_free(struct owners *o); /* NULL is fine */

/* owners_tick - a drain begins, at now_ns (CLOCK_BOOTTIME): only so many are looked at in it as
 * they are met, and the others when they are asked for. */
void owners_tick(struct owners *o, uint64_t now_ns);

/* owners_meet - somebody was silent at a contact: whoever it was is looked at now, before he is
 * gone. */
void owners_meet(struct owners *o, const struct contact_key *key, const struct contact *c);

/* owners_find - who opened the attempts at a contact, complete; NULL: unknown, or not on this host.
 * Of c, where it was seen. Valid until the next call, longer with owner_ref(). */
const struct owner *owners_find(struct owners *o, const struct contact_key *key,
				const struct contact *c);

void owners_stats_get(const struct owners *o, struct owners_stats *ret);

#endif
