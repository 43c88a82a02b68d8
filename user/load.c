// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "load.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <reconmon/tag.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "store_maps.h"

/* libbpf's own words, kept for -v: its last warnings explain what errno cannot. */
static int print_libbpf(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	char line[512];

	if (level == LIBBPF_DEBUG)
		return 0;
	vsnprintf(line, sizeof(line), fmt, ap);
	line[strcspn(line, "\n")] = '\0';
	log_debug("%s", line);
	return 0;
}

static void set_constants(const struct config *cfg, uint32_t wake_ports, struct reconmon_bpf *skel)
{
	uint64_t seed[4];

	/* Blocks only early at boot; a guessable seed would let a stranger aim at a bucket. */
	if (getrandom(seed, sizeof(seed), 0) == sizeof(seed))
		memcpy((void *)skel->rodata->hash_seed, seed, sizeof(seed));
	skel->rodata->wake_ports = wake_ports ? wake_ports : UINT64_MAX;
	skel->rodata->exempt_transfers = cfg->profile != PROFILE_SPLUNK;
	skel->rodata->nursery_bucket_mask = cfg->nursery_slots / NURSERY_WAYS - 1;
}

static int explain_load(int r, struct error *err)
{
	if (r == -EPERM || r == -EACCES)
		return error_set(
			err, r, EXIT_NOT_PERMITTED,
			"not permitted to load BPF programs: run as root (sudo reconmon), or "
			"with CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON; in a container a seccomp "
			"profile "
			"may forbid bpf() all the same");
	if (r == -ENOMEM)
		return error_set(err, r, EXIT_RUNTIME,
				 "no memory for the BPF maps: the memory limit of this cgroup, or "
				 "`ulimit -l` before Linux 5.11; try smaller --limit attempts= and "
				 "contacts=");
	return error_set(err, r, EXIT_KERNEL,
			 "the kernel refuses the BPF programs: %s; Linux 6.1 or later with "
			 "CONFIG_BPF_SYSCALL is needed, -v shows the kernel's own words",
			 strerror(-r));
}

int bpf_side_load(const struct config *cfg, uint32_t wake_ports, struct bpf_side *ret,
		  struct error *err)
{
	struct reconmon_bpf *skel;
	int r;

	libbpf_set_print(print_libbpf);
	skel = reconmon_bpf__open();
	if (!skel)
		return explain_load(-errno, err);
	set_constants(cfg, wake_ports, skel);
	r = bpf_map__set_max_entries(skel->maps.contacts, cfg->contacts_max);
	if (!r)
		r = store_maps_size(skel, cfg->nursery_slots);
	if (!r)
		r = reconmon_bpf__load(skel);
	if (r < 0) {
		reconmon_bpf__destroy(skel);
		return explain_load(r, err);
	}
	*ret = (struct bpf_side){ .skel = skel, .cpus = libbpf_num_possible_cpus() };
	return 0;
}

void bpf_side_unload(struct bpf_side *b)
{
	reconmon_bpf__destroy(b->skel);
	b->skel = NULL;
}

int bpf_side_stats(const struct bpf_side *b, struct stats *ret)
{
	struct stats *per_cpu;
	uint32_t zero = 0;
	int r;

	if (b->cpus < 0)
		return b->cpus;
	per_cpu = calloc((size_t)b->cpus, sizeof(*per_cpu));
	if (!per_cpu)
		return -ENOMEM;
	r = bpf_map_lookup_elem(bpf_map__fd(b->skel->maps.stats), &zero, per_cpu);
	if (!r) {
		memset(ret, 0, sizeof(*ret));
		for (int cpu = 0; cpu < b->cpus; cpu++)
			for (int i = 0; i < STAT_MAX; i++)
				ret->n[i] += per_cpu[cpu].n[i];
	}
	free(per_cpu);
	return r;
}
