// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* The host as a whole: kernel, rights, memory, and what the kernel says of our programs. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cgroup.h"
#include "doctor.h"
#include "owner_maps.h"
#include "store_maps.h"

enum {
	MIB = 1 << 20
};

/* Inode of the first pid namespace: PROC_PID_INIT_INO of the kernel's include/linux/proc_ns.h. */
#define FIRST_PID_NAMESPACE 0xEFFFFFFCul

#define BPFFS "/sys/fs/bpf"

/* file_text - the beginning of a small file, without the newline at its end; false: unreadable. */
static bool file_text(const char *path, char *buf, size_t size)
{
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		return false;
	n = fread(buf, 1, size - 1, f);
	fclose(f);
	buf[n] = '\0';
	if (n && buf[n - 1] == '\n')
		buf[n - 1] = '\0';
	return true;
}

/* status_field - a field of /proc/self/status ("CapEff"), as a number of that base; 0 without. */
static uint64_t status_field(const char *name, int base)
{
	char buf[8192], *at;
	char key[32];

	snprintf(key, sizeof(key), "\n%s:", name);
	if (!file_text("/proc/self/status", buf, sizeof(buf)))
		return 0;
	at = strstr(buf, key);
	return at ? strtoull(at + strlen(key), NULL, base) : 0;
}

static void kernel(struct doctor *d)
{
	bool tcx = doctor_kernel_has(6, 6);
	struct utsname u;
	json_t *facts;

	if (uname(&u) < 0)
		return;
	if (!doctor_kernel_has(6, 1))
		facts = doctor_find(d, FINDING_PROBLEM, EXIT_KERNEL, "kernel",
				    "Boot Linux 6.1 or later (Debian 12 has it).",
				    "Linux %s %s: reconmon needs 6.1 or later", u.release,
				    u.machine);
	else
		facts = doctor_find(
			d, FINDING_OK, EXIT_FINE, "kernel", NULL, "Linux %s %s: tc hooks are %s",
			u.release, u.machine,
			tcx ? "tcx links, which vanish with the daemon"
			    : "clsact filters (tcx needs 6.6), which a child process removes "
			      "should the daemon be killed");
	json_object_set_new(facts, "release", json_string(u.release));
	json_object_set_new(facts, "machine", json_string(u.machine));
	json_object_set_new(facts, "tc", json_string(tcx ? "tcx" : "clsact"));
}

static void jit(struct doctor *d)
{
	char on[16];

	if (!file_text("/proc/sys/net/core/bpf_jit_enable", on, sizeof(on)))
		doctor_find(d, FINDING_NOTE, EXIT_FINE, "jit",
			    "Ask again as root, in the host's network namespace.",
			    "whether BPF programs are compiled cannot be read: %s",
			    strerror(errno));
	else if (*on == '0')
		doctor_find(
			d, FINDING_NOTE, EXIT_FINE, "jit",
			"sysctl -w net.core.bpf_jit_enable=1, and the same in "
			"/etc/sysctl.d for the next boot.",
			"BPF programs are interpreted, not compiled: each packet costs a multiple");
	else
		doctor_find(d, FINDING_OK, EXIT_FINE, "jit", NULL, "BPF programs are compiled");
}

/* lockdown - the word in brackets: "[none] integrity confidentiality". */
static void lockdown(struct doctor *d)
{
	char text[80];

	if (!file_text("/sys/kernel/security/lockdown", text, sizeof(text)))
		doctor_find(d, FINDING_OK, EXIT_FINE, "lockdown", NULL,
			    "the kernel has no lockdown, or securityfs is not mounted");
	else if (strstr(text, "[confidentiality]"))
		doctor_find(d, FINDING_NOTE, EXIT_FINE, "lockdown",
			    "Boot with lockdown=integrity if owners matter.",
			    "lockdown is `confidentiality`: programs may not read processes, so "
			    "owners of scans stay unknown");
	else
		doctor_find(d, FINDING_OK, EXIT_FINE, "lockdown", NULL,
			    "lockdown forbids nothing that is needed: %s", text);
}

static const struct {
	const char *name;
	unsigned int bit;
	bool admin_will_do; /* CAP_SYS_ADMIN has it, too */
	const char *why;
} needed[] = {
	{ "CAP_BPF", CAP_BPF, true, "to load programs and maps" },
	{ "CAP_NET_ADMIN", CAP_NET_ADMIN, false, "to attach to interfaces" },
	{ "CAP_PERFMON", CAP_PERFMON, true,
	  "for the pointer arithmetic of a packet parser, and to read owners" },
};

static void capabilities(struct doctor *d)
{
	uint64_t have = status_field("CapEff", 16);
	bool admin = have & 1ull << CAP_SYS_ADMIN;
	bool all = true;

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (have & 1ull << needed[i].bit || (admin && needed[i].admin_will_do))
			continue;
		all = false;
		doctor_find(d, FINDING_PROBLEM, EXIT_NOT_PERMITTED, "capabilities",
			    "Run as root (sudo reconmon), or add it: AmbientCapabilities= of a "
			    "unit, securityContext.capabilities.add of a pod.",
			    "%s is missing: %s", needed[i].name, needed[i].why);
	}
	if (all)
		doctor_find(d, FINDING_OK, EXIT_FINE, "capabilities", NULL,
			    "CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON are there%s",
			    have & 1ull << CAP_SYS_PTRACE
				    ? ""
				    : "; CAP_SYS_PTRACE is not, so executables of other users stay "
				      "unnamed");
}

static void seccomp(struct doctor *d)
{
	if (status_field("Seccomp", 10) == 2)
		doctor_find(d, FINDING_NOTE, EXIT_FINE, "seccomp",
			    "If the programs below are refused, allow bpf() in the profile "
			    "(Docker's and containerd's do with CAP_BPF).",
			    "a seccomp filter is in force, as in a container or unit");
}

/* namespace_of - the inode behind /proc/PID/ns/KIND, a link to "net:[4026531833]"; 0: unknown. */
static uint64_t namespace_of(const char *link)
{
	char text[64] = "";
	const char *at;

	if (readlink(link, text, sizeof(text) - 1) < 0)
		return 0;
	at = strchr(text, '[');
	return at ? strtoull(at + 1, NULL, 10) : 0;
}

/* namespaces - reconmon watches the interfaces of its own network namespace, and names processes by
 * its own pids. */
static void namespaces(struct doctor *d)
{
	uint64_t own = namespace_of("/proc/self/ns/net"), first = namespace_of("/proc/1/ns/net");
	uint64_t pids = namespace_of("/proc/self/ns/pid");

	if (own && first && own != first)
		doctor_find(d, FINDING_NOTE, EXIT_FINE, "namespaces",
			    "On a host as a whole, run it there; in Kubernetes hostNetwork: true.",
			    "this is not the network namespace of process 1: only the interfaces "
			    "in here are watched");
	if (pids && pids != FIRST_PID_NAMESPACE)
		doctor_find(d, FINDING_NOTE, EXIT_FINE, "namespaces",
			    "In Kubernetes hostPID: true; with docker --pid=host.",
			    "this is a pid namespace of its own: processes outside it cannot be "
			    "looked up, so owners lack executable and arguments");
}

static void cgroups(struct doctor *d)
{
	struct statfs fs;

	if (!statfs("/sys/fs/cgroup", &fs) && fs.f_type == CGROUP2_SUPER_MAGIC)
		doctor_find(d, FINDING_OK, EXIT_FINE, "cgroups", NULL,
			    "version 2: containers, pods and units are known by it");
	else
		doctor_find(d, FINDING_NOTE, EXIT_FINE, "cgroups",
			    "Boot with systemd.unified_cgroup_hierarchy=1 for version 2 alone.",
			    "/sys/fs/cgroup is not version 2: of a process that is gone, container "
			    "and pod are known only as far as /proc was read in time");
}

static void bpffs(struct doctor *d)
{
	struct statfs fs;

	if (!statfs(BPFFS, &fs) && (uint32_t)fs.f_type == BPF_FS_MAGIC)
		doctor_find(d, FINDING_OK, EXIT_FINE, "bpffs", NULL,
			    BPFFS " is mounted: a restart can keep its maps there");
	else
		doctor_find(d, FINDING_NOTE, EXIT_FINE, "bpffs",
			    "mount -t bpf bpf " BPFFS " (a volume of type hostPath in Kubernetes).",
			    BPFFS " is not a BPF file system: nothing can be kept over a restart");
}

/* memory_limit - the tightest memory.max of our cgroup of version 2 and those above it; 0: none. */
static uint64_t memory_limit(void)
{
	char text[4096], path[4096], file[4400], value[32];
	uint64_t least = 0;
	char *slash;

	if (!file_text("/proc/self/cgroup", text, sizeof(text)) ||
	    !cgroup_path_of(text, path, sizeof(path)))
		return 0;
	for (; *path; *slash = '\0') {
		snprintf(file, sizeof(file), "/sys/fs/cgroup%s/memory.max", path);
		if (file_text(file, value, sizeof(value)) && *value != 'm') {
			uint64_t limit = strtoull(value, NULL, 10);

			if (!least || limit < least)
				least = limit;
		}
		slash = strrchr(path, '/');
		if (!slash)
			break;
	}
	return least;
}

static void memory(struct doctor *d)
{
	uint64_t limit = memory_limit();
	struct rlimit files = { 0 };

	if (limit && limit < 128ull * MIB)
		doctor_find(d, FINDING_NOTE, EXIT_FINE, "memory",
			    "Raise MemoryMax= or resources.limits.memory, or lower --limit groups= "
			    "and contacts=.",
			    "this cgroup may use %llu MiB; maps take about 32 MiB, and a flood "
			    "fills the windows beyond that",
			    (unsigned long long)limit / MIB);
	else if (limit)
		doctor_find(d, FINDING_OK, EXIT_FINE, "memory", NULL,
			    "this cgroup may use %llu MiB", (unsigned long long)limit / MIB);
	getrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_max < 1024)
		doctor_find(d, FINDING_NOTE, EXIT_FINE, "files",
			    "Raise LimitNOFILE= of the unit, or `ulimit -Hn`.",
			    "at most %llu open files: about %llu interfaces can be watched",
			    (unsigned long long)files.rlim_max,
			    (unsigned long long)files.rlim_max / 2);
}

/* maps_bytes - what the kernel holds for the maps, by /proc/self/fdinfo (memlock; Linux 6.4 counts
 * what a map really takes, before it what was asked for). */
static uint64_t maps_bytes(const struct bpf_side *b)
{
	const struct bpf_map *map;
	uint64_t sum = 0;
	char path[64], text[1024];

	bpf_object__for_each_map(map, b->skel->obj)
	{
		const char *at;

		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", bpf_map__fd(map));
		if (!file_text(path, text, sizeof(text)))
			continue;
		at = strstr(text, "memlock:");
		sum += at ? strtoull(at + strlen("memlock:"), NULL, 10) : 0;
	}
	return sum;
}

static void owners(struct doctor *d, const struct bpf_side *b)
{
	struct owner_maps *maps = NULL;
	struct error err = b->no_owners;

	if (!*err.text && !owner_maps_open(b, &maps, &err)) {
		owner_maps_close(maps);
		doctor_find(d, FINDING_OK, EXIT_FINE, "owners", NULL,
			    "the process behind a scan from this host will be named");
		return;
	}
	doctor_find(d, FINDING_NOTE, EXIT_FINE, "owners",
		    "A kernel with CONFIG_DEBUG_INFO_BTF=y (Debian's has it) and cgroup v2; scans "
		    "are found without.",
		    "scans from this host will be reported without a process: %s", err.text);
}

/* programs - the verifier's word, not a guess. */
static void programs(struct doctor *d)
{
	struct bpf_side b = { 0 };
	struct error err = { 0 };
	json_t *facts;
	uint64_t bytes;
	int r;

	r = bpf_side_load(d->cfg, 0, NULL, &b, &err);
	for (int i = 0; i < PACKET_PROGRAMS && r >= 0; i++)
		r = bpf_side_program(&b, i, &err);
	if (r < 0) {
		bpf_side_unload(&b);
		doctor_find(d, FINDING_PROBLEM, (enum exit_code)err.exit_code, "programs",
			    "See the findings above; `reconmon -v` shows the kernel's own words.",
			    "%s", err.text);
		return;
	}
	bytes = maps_bytes(&b);
	facts = doctor_find(d, FINDING_OK, EXIT_FINE, "programs", NULL,
			    "the kernel takes them; maps hold %.1f MiB", (double)bytes / MIB);
	json_object_set_new(facts, "map_bytes", json_integer((json_int_t)bytes));
	owners(d, &b);
	bpf_side_unload(&b);
}

void doctor_host(struct doctor *d)
{
	kernel(d);
	jit(d);
	lockdown(d);
	capabilities(d);
	seccomp(d);
	namespaces(d);
	cgroups(d);
	bpffs(d);
	memory(d);
	programs(d);
}
