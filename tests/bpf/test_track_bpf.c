/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The BPF programs under test runs, over the same frames and conversations that the unit tests give
 * the host's build: the two must agree row by row. Built twice, over the nursery and over the LRU
 * hash (-DSTORE_LRU); both must agree as well. Needs the rights to load programs. */
#include <linux/bpf.h>
#include <packets.h>

#include "bpf_store.h"

#define TC_NEXT (-1)

/* By which programs a packet enters: the originator's packets, and the responder's. */
struct hook {
	const char *name;
	const char *orig, *resp;
	__u8 dir; /* of the originator's packets */
};

static const struct hook hooks[] = {
	{ "tc in", "tc_ingress", "tc_ingress", DIR_INGRESS },
	{ "tc out", "tc_egress", "tc_egress", DIR_EGRESS },
	{ "XDP", "xdp_ingress", "xdp_ingress", DIR_INGRESS },
	{ "to us", "xdp_ingress", "tc_egress", DIR_INGRESS },
	{ "from us", "tc_egress", "tc_ingress", DIR_EGRESS },
};

struct run {
	const struct scene *scene;
	const struct variant *variant;
	const struct hook *hook;
	char name[160];
};

/* Loaded once: as by default, and with exempt_transfers off (struct scene: literal). */
static struct bpf_store stores[2];

#define AGE_CLOCK 0x1abu /* its low byte is the age of whatever is opened or marked */

/* pass_frame - one frame through one program, which must let it pass as it is. */
static void pass_frame(struct bpf_store *s, const char *program, const __u8 *bytes, __u32 len)
{
	static __u8 out[FRAME_MAX];
	int is_xdp = !strncmp(program, "xdp", 3);
	struct bpf_program *prog = bpf_object__find_program_by_name(s->skel->obj, program);
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = bytes, .data_size_in = len, .data_out = out,
		    .data_size_out = sizeof(out));

	assert_non_null(prog);
	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(prog), &opts), 0);
	assert_int_equal((int)opts.retval, is_xdp ? XDP_PASS : TC_NEXT);
	assert_int_equal(opts.data_size_out, len);
	assert_memory_equal(out, bytes, len);
}

struct kernel_run {
	struct bpf_store *store;
	const struct hook *hook;
};

static void send_kernel(void *ctx, const struct frame *f, enum side from)
{
	struct kernel_run *k = ctx;

	pass_frame(k->store, from == ORIG ? k->hook->orig : k->hook->resp, f->b, f->len);
}

static struct ip_addr v4_mapped(const __u8 *v4)
{
	__be32 addr;

	memcpy(&addr, v4, sizeof(addr));
	return ip_addr_from_v4(addr);
}

/* Which way did the scene's probes go? What only the answer gives away went the other way. */
static __u8 probe_dir(const struct run *run)
{
	if (!run->scene->refused)
		return run->hook->dir;
	return strstr(run->hook->resp, "ingress") ? DIR_EGRESS : DIR_INGRESS;
}

/* contact_take - adds what the maps of contacts hold of the scene's two hosts, and empties them. */
static void contact_take(struct bpf_store *s, const struct run *run, struct outcome *ret)
{
	const int fds[] = { bpf_map__fd(s->skel->maps.contacts),
			    bpf_map__fd(s->skel->maps.contacts_known) };
	struct ends ends = scene_ends(run->scene);
	struct contact_key key = { .resp_port = htons(ends.port[1]) }, other;
	struct contact c;

	if (run->variant->is_v6) {
		memcpy(&key.orig, ends.v6[0], 16);
		memcpy(&key.resp, ends.v6[1], 16);
	} else {
		key.orig = v4_mapped(ends.v4[0]);
		key.resp = v4_mapped(ends.v4[1]);
	}
	key.proto = scene_proto(run->scene, run->variant);
	for (int i = 0; i < 2; i++) {
		if (!bpf_map_lookup_elem(fds[i], &key, &c)) {
			ret->bits |= CONTACT_BITS(c.word);
			ret->silent += c.silent;
			ret->carried += c.carried;
			assert_int_equal(c.word >> CONTACT_HASH_SHIFT, contact_hash(&key));
			assert_int_equal(c.dir, probe_dir(run));
			assert_int_equal(c.ifindex, 1);
			assert_int_equal(!!c.silent, c.silent_first_ns && c.silent_last_ns);
			assert_int_equal(!!c.carried, c.carried_first_ns && c.carried_last_ns);
			assert_int_equal(bpf_map_delete_elem(fds[i], &key), 0);
		}
		/* no other contact */
		assert_int_not_equal(bpf_map_get_next_key(fds[i], NULL, &other), 0);
	}
}

struct kernel_look {
	struct outcome got;
	const struct hook *hook;
};

static void on_live(void *ctx, __u64 tag, const struct attempt *a)
{
	struct kernel_look *look = ctx;

	outcome_sweep(&look->got, tag, a);
	assert_int_equal(TAG_AGE(tag), (__u8)AGE_CLOCK);
	assert_int_equal(a->dir, look->hook->dir);
	assert_int_equal(a->ifindex, 1); /* test runs happen on lo */
}

static void test_scene(void **state)
{
	const struct run *run = *state;
	struct kernel_run k = { &stores[run->scene->literal], run->hook };
	struct outcome want = scene_outcome(run->scene);
	struct kernel_look look = { .hook = run->hook };
	__u64 before[STAT_MAX];

	bpf_store_stats(k.store, before);
	scene_play(run->scene, run->variant, send_kernel, &k);
	bpf_store_stats(k.store, look.got.stats);
	for (int i = 0; i < STAT_MAX; i++)
		look.got.stats[i] -= before[i];
	bpf_store_clear(k.store, on_live, &look);
	contact_take(k.store, run, &look.got);
	outcome_check(&want, &look.got);
}

/* --- frames ------------------------------------------------------------------------------------
 */

/* parsed_as - the counter that the host's parser ends in; 0 if it reads the frame. */
static int parsed_as(const struct frame_case *c, const __u8 *bytes, __u32 len)
{
	struct cursor cur = { bytes, bytes + len, len };
	struct packet pkt;

	return -parse_packet(&cur, !c->l3, &pkt);
}

/* want_counted - of all parse_* counters, the kernel's program moves just the host's. */
static void want_counted(struct bpf_store *s, const struct frame_case *c, const char *program,
			 const __u8 *bytes, __u32 len)
{
	__u64 before[STAT_MAX], after[STAT_MAX];
	int want = parsed_as(c, bytes, len);

	bpf_store_stats(s, before);
	pass_frame(s, program, bytes, len);
	bpf_store_stats(s, after);
	for (int i = STAT_PARSE_ETH_TRUNCATED; i <= STAT_PARSE_PROTO_OTHER; i++)
		if (after[i] - before[i] != (i == want))
			fail_msg("%s, %u bytes: %s moved by %llu, should by %d", program, len,
				 stat_names[i], (unsigned long long)(after[i] - before[i]),
				 i == want);
}

/* tc_least - test runs at tc take no frame that ends before its EtherType's header does
 * (Linux 6.18; earlier ones take them). XDP takes whatever has an Ethernet header. */
static __u32 tc_least(const struct frame *f)
{
	int type = f->b[12] << 8 | f->b[13];

	if (type == ETH_TYPE_IPV4)
		return sizeof(struct wire_eth) + sizeof(struct wire_ipv4);
	if (type == ETH_TYPE_IPV6)
		return sizeof(struct wire_eth) + sizeof(struct wire_ipv6);
	return sizeof(struct wire_eth) + 1;
}

/* Cut at every byte. */
static void test_frame(void **state)
{
	const struct frame_case *c = *state;
	struct frame f;

	frame_build(&f, c->layers, &test_ends);
	if (!c->wire_len)
		assert_int_equal(parsed_as(c, f.b, f.len), c->want);
	for (__u32 n = sizeof(struct wire_eth); n <= f.len; n++) {
		if (n >= tc_least(&f))
			want_counted(&stores[0], c, c->l3 ? "tc_ingress_l3" : "tc_ingress", f.b, n);
		if (!c->l3)
			want_counted(&stores[0], c, "xdp_ingress", f.b, n);
	}
	bpf_store_clear(&stores[0], NULL, NULL);
	bpf_store_clear_contacts(&stores[0]);
}

static int stores_open(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		int r = bpf_store_open(&stores[i], 16, !i);

		if (r < 0)
			return r;
		stores[i].skel->bss->age_clock = AGE_CLOCK;
	}
	return 0;
}

static int stores_close(void **state)
{
	(void)state;
	bpf_store_close(&stores[0]);
	bpf_store_close(&stores[1]);
	return 0;
}

static struct run runs[ARRAY_SIZE(scenes) * ARRAY_SIZE(variants) * ARRAY_SIZE(hooks)];

int main(void)
{
	static struct CMUnitTest tests[ARRAY_SIZE(runs) + ARRAY_SIZE(frame_cases)];
	size_t n = 0;

	if (bpf_store_skip())
		return 77;
	for (; n < ARRAY_SIZE(runs); n++) {
		struct run *r = &runs[n];

		r->hook = &hooks[n % ARRAY_SIZE(hooks)];
		r->variant = &variants[n / ARRAY_SIZE(hooks) % ARRAY_SIZE(variants)];
		r->scene = &scenes[n / ARRAY_SIZE(hooks) / ARRAY_SIZE(variants)];
		snprintf(r->name, sizeof(r->name), "%s (%s, %s)", r->scene->name, r->variant->name,
			 r->hook->name);
		tests[n] = (struct CMUnitTest){ .name = r->name,
						.test_func = test_scene,
						.initial_state = r };
	}
	for (size_t i = 0; i < ARRAY_SIZE(frame_cases); i++)
		tests[n++] = (struct CMUnitTest){ .name = frame_cases[i].name,
						  .test_func = test_frame,
						  .initial_state = (void *)&frame_cases[i] };
	return cmocka_run_group_tests_name("track in the kernel", tests, stores_open, stores_close);
}
