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
#include <time.h>
#include <unistd.h>

#include "drain.h"
#include "kernel_layout.h"
#include "late.h"
#include "pin.h"
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

/* The kernel's CONFIG_HZ: its coarse clocks move once a jiffy, and say so. */
static uint32_t jiffies_a_second(void)
{
	struct timespec t;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &t) < 0 || t.tv_nsec <= 0)
		return 1000; /* the most: a second is then too short rather than too long */
	return (uint32_t)(1000000000 / t.tv_nsec);
}

/* fill_mask - the daemon is woken by a sixteenth of the contacts at the latest, if all CPUs make
 * them alike. */
static uint32_t fill_mask(uint32_t contacts)
{
	int cpus = libbpf_num_possible_cpus();
	uint32_t share = contacts / 16 / (cpus > 0 ? (uint32_t)cpus : 1), n = 64;

	while (n * 2 <= share)
		n *= 2;
	return n - 1;
}

static void set_constants(const struct config *cfg, uint32_t wake_ports, struct reconmon_bpf *skel)
{
	uint64_t seed[4];

	/* Blocks only early at boot; a guessable seed would let a stranger aim at a bucket. */
	if (getrandom(seed, sizeof(seed), 0) == sizeof(seed))
		for (size_t i = 0; i < sizeof(seed) / sizeof(seed[0]); i++)
			((uint64_t *)skel->rodata->hash_seed)[i] = seed[i] | 1;
	skel->rodata->wake_ports = wake_ports ? wake_ports : UINT64_MAX;
	skel->rodata->log_ended = (__u8)cfg->log_attempts;
	skel->rodata->fill_mask = fill_mask(cfg->contacts_max);
	skel->rodata->guard_rate = cfg->guard_rate;
	skel->rodata->guard_second = jiffies_a_second();
	skel->rodata->exempt_transfers = cfg->profile != PROFILE_SPLUNK;
	skel->bss->age_clock = (uint32_t)(clock_boot_ns() >> NURSERY_AGE_SHIFT);
	skel->rodata->nursery_bucket_mask = cfg->nursery_slots / NURSERY_WAYS - 1;
}

static const char *const program_names[PACKET_PROGRAMS] = {
	[PROGRAM_TC_INGRESS] = "tc_ingress",
	[PROGRAM_TC_EGRESS] = "tc_egress",
	[PROGRAM_TC_INGRESS_L3] = "tc_ingress_l3",
	[PROGRAM_TC_EGRESS_L3] = "tc_egress_l3",
	[PROGRAM_XDP] = "xdp_ingress",
};

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

/* set_owners - loads what finds the owners of attempts, or leaves all of it out (layout NULL): its
 * programs, its maps, and, by a constant, the code in the others' way. */
static int set_owners(const struct kernel_layout *layout, struct reconmon_bpf *skel)
{
	int r = 0;

	skel->rodata->owners_on = layout != NULL;
	if (layout)
		memcpy((void *)&skel->rodata->layout, layout, sizeof(*layout));
	bpf_program__set_autoload(skel->progs.on_connect, layout != NULL);
	bpf_program__set_autoload(skel->progs.on_socket, layout != NULL);
	if (layout)
		return 0;
	r |= bpf_map__set_max_entries(skel->maps.sockets, 1);
	r |= bpf_map__set_max_entries(skel->maps.processes, 1);
	r |= bpf_map__set_max_entries(skel->maps.cgroups, 1);
	r |= bpf_map__set_max_entries(skel->maps.owners, 1);
	return r;
}

static int try_load(const struct config *cfg, uint32_t wake_ports, struct pin *pin,
		    const struct kernel_layout *layout, struct reconmon_bpf **ret)
{
	struct reconmon_bpf *skel = reconmon_bpf__open();
	int r;

	if (!skel)
		return -errno;
	set_constants(cfg, wake_ports, skel);
	for (int i = PROGRAM_TC_INGRESS_L3; i < PACKET_PROGRAMS; i++)
		bpf_program__set_autoload(
			bpf_object__find_program_by_name(skel->obj, program_names[i]), false);
	r = bpf_map__set_max_entries(skel->maps.contacts, cfg->contacts_max);
	if (!r)
		r = bpf_map__set_max_entries(skel->maps.contacts_known, cfg->contacts_max / 4);
	if (!r && cfg->log_attempts == LOG_NONE) /* a page: nothing is written to it */
		r = bpf_map__set_max_entries(skel->maps.ended, (uint32_t)sysconf(_SC_PAGESIZE));
	if (!r)
		r = store_maps_size(skel, cfg->nursery_slots);
	if (!r)
		r = set_owners(layout, skel);
	if (!r)
		r = pin_maps_reuse(pin, skel->obj, (uint64_t *)skel->rodata->hash_seed);
	if (!r)
		r = reconmon_bpf__load(skel);
	if (r < 0) {
		reconmon_bpf__destroy(skel);
		return r;
	}
	*ret = skel;
	return 0;
}

int bpf_side_load(const struct config *cfg, uint32_t wake_ports, struct pin *pin,
		  struct bpf_side *ret, struct error *err)
{
	struct bpf_side b = { .pin = pin, .cpus = libbpf_num_possible_cpus() };
	struct kernel_layout layout;
	int r = kernel_layout_read(&layout, &b.no_owners);

	libbpf_set_print(print_libbpf);
	if (!r) {
		b.no_owners.text[0] = '\0';
		r = try_load(cfg, wake_ports, pin, &layout, &b.skel);
		if (r < 0)
			error_set(&b.no_owners, r, EXIT_KERNEL,
				  "the kernel refuses the programs that read processes: %s (kernel "
				  "lockdown `confidentiality`?), -v shows its own words",
				  strerror(-r));
	}
	if (r < 0) /* all the same, without owners */
		r = try_load(cfg, wake_ports, pin, NULL, &b.skel);
	if (r < 0)
		return explain_load(r, err);
	r = pin_maps_keep(pin, b.skel->obj, (const uint64_t *)b.skel->rodata->hash_seed, err);
	if (r < 0) {
		bpf_side_unload(&b);
		return r;
	}
	*ret = b;
	return 0;
}

int bpf_side_program(struct bpf_side *b, enum packet_program which, struct error *err)
{
	const char *name = program_names[which];
	int fd = bpf_program__fd(bpf_object__find_program_by_name(b->skel->obj, name));
	const void *elf;
	size_t size;

	if (fd >= 0)
		return fd;
	if (!b->late[which]) {
		elf = reconmon_bpf__elf_bytes(&size);
		fd = late_load(elf, size, b->skel->obj, name);
		if (fd < 0)
			return explain_load(fd, err);
		b->late[which] = fd;
	}
	return b->late[which];
}

void bpf_side_unload(struct bpf_side *b)
{
	for (int i = 0; i < PACKET_PROGRAMS; i++) {
		if (b->late[i])
			close(b->late[i]);
		b->late[i] = 0;
	}
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
		for (int cpu = 0; cpu < b->cpus; cpu++)
			for (int i = 0; i < GUARD_FLOODS; i++)
				ret->unfollowed[i] += per_cpu[cpu].unfollowed[i];
	}
	free(per_cpu);
	return r;
}
