/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* include/reconmon/track.h on the host, over the conversations of tests/packets.h.
 * tests/bpf/test_track_bpf.c runs the same in the kernel. */
#include <host_store.h>
#include <packets.h>
#include <stdio.h>

struct run {
	const struct scene *scene;
	const struct variant *variant;
	char name[160];
};

struct rig {
	struct store st;
	struct outcome got;
	const struct scene *scene;
	int judged;
};

static void want_judged(struct rig *rig, const struct attempt *a, __u32 bits)
{
	struct ends ends = scene_ends(rig->scene);

	assert_true(rig->judged < (int)ARRAY_SIZE(rig->scene->judged));
	assert_int_equal(bits, rig->scene->judged[rig->judged]);
	rig->judged++;
	assert_int_equal(ntohs(a->orig_port), ends.port[0]);
	assert_int_equal(ntohs(a->resp_port), ends.port[1]);
	assert_int_equal(a->first_ns, 5000000000ull);
	assert_int_equal(a->ifindex, 7);
	assert_int_equal(a->dir, DIR_EGRESS);
}

static void on_judged(void *ctx, const struct attempt *a, __u32 bits)
{
	struct rig *rig = ctx;

	want_judged(rig, a, bits);
	rig->got.bits |= bits;
	rig->got.silent += !!(bits & CONTACT_SILENT);
	rig->got.carried += !!(bits & CONTACT_CARRIED);
}

static void send_host(void *ctx, const struct frame *f, enum side from)
{
	struct rig *rig = ctx;

	rig->st.dir = from == ORIG ? DIR_EGRESS : DIR_INGRESS;
	host_store_frame(&rig->st, f->b, f->len, f->len, 1);
}

static void rig_sweep(struct rig *rig)
{
	for (__u64 b = 0; b <= rig->st.bucket_mask; b++) {
		for (int i = 0; i < NURSERY_WAYS; i++) {
			const struct attempt *a = &rig->st.vals[b].v[i];
			__u32 bits = outcome_sweep(&rig->got, rig->st.tags[b].t[i], a);

			if (bits)
				want_judged(rig, a, bits);
		}
	}
}

static void test_scene(void **state)
{
	const struct run *run = *state;
	struct rig rig = { .scene = run->scene };
	struct outcome want = scene_outcome(run->scene);

	assert_int_equal(host_store_init(&rig.st, 16, on_judged, &rig), 0);
	rig.st.now_ns = 5000000000ull;
	rig.st.ifindex = 7;
	rig.st.exempt_transfers = !run->scene->literal;
	scene_play(run->scene, run->variant, send_host, &rig);

	memcpy(rig.got.stats, rig.st.stats.n, sizeof(rig.got.stats));
	rig_sweep(&rig);
	host_store_done(&rig.st);
	outcome_check(&want, &rig.got);
}

static struct run runs[ARRAY_SIZE(scenes) * ARRAY_SIZE(variants)];

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(runs)];

	for (size_t i = 0; i < ARRAY_SIZE(runs); i++) {
		struct run *r = &runs[i];

		r->scene = &scenes[i / ARRAY_SIZE(variants)];
		r->variant = &variants[i % ARRAY_SIZE(variants)];
		snprintf(r->name, sizeof(r->name), "%s (%s)", r->scene->name, r->variant->name);
		tests[i] = (struct CMUnitTest){ .name = r->name,
						.test_func = test_scene,
						.initial_state = r };
	}
	return cmocka_run_group_tests_name("track", tests, NULL, NULL);
}
