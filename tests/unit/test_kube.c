// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/kube.c: names of pods and containers, from a made-up node's /var/log. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "kube.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define ID	      "5694f82f44168cc048e014ae14d1b0c8ef673bec49f329dc169911ea638f63c2"
#define ID2	      "6694f82f44168cc048e014ae14d1b0c8ef673bec49f329dc169911ea638f63c2"
#define UID	      "eb052b63-ea96-4728-ab4a-64ab3babccd7"
#define STATIC_UID    "0123456789abcdef0123456789abcdef"
#define NS	      1000000000ull

static char dir[] = "/tmp/reconmon-kube.XXXXXX";

/* path - DIR/..., in a buffer of its own until the next but one call. */
__attribute__((format(printf, 1, 2))) static const char *path(const char *fmt, ...)
{
	static char buf[2][PATH_MAX];
	static int i;
	va_list ap;
	int n;

	i = !i;
	n = snprintf(buf[i], sizeof(buf[i]), "%s/", dir);
	va_start(ap, fmt);
	vsnprintf(buf[i] + n, sizeof(buf[i]) - (size_t)n, fmt, ap);
	va_end(ap);
	return buf[i];
}

static void pod_add(const char *folder, const char *container)
{
	mkdir(path("pods/%s", folder), 0755);
	assert_true(!mkdir(path("pods/%s/%s", folder, container), 0755) || errno == EEXIST);
}

static void link_add(const char *name, const char *target)
{
	assert_return_code(symlink(target, path("containers/%s.log", name)), errno);
}

static int setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	mkdir(path("pods"), 0755);
	mkdir(path("containers"), 0755);
	return 0;
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	return system(command);
}

static const struct case_ {
	const char *name, *pod, *link, *target; /* what the node has */
	const char *uid, *id;			/* what is asked */
	const char *want;			/* "NAMESPACE POD CONTAINER", "" if unknown */
} cases[] = {
	{ "a pod and its container", "shop_web-7d9f_" UID, "web-7d9f_shop_nginx-" ID,
	  "/var/log/pods/shop_web-7d9f_" UID "/nginx/0.log", UID, ID, "shop web-7d9f nginx" },
	{ "a container with hyphens", "shop_web_" UID, "web_shop_log-shipper-2-" ID,
	  "/var/log/pods/shop_web_" UID "/log-shipper-2/7.log", UID, ID, "shop web log-shipper-2" },
	{ "a static pod, whose uid is a digest", "kube-system_etcd-a_" STATIC_UID,
	  "etcd-a_kube-system_etcd-" ID, "/var/log/pods/x/etcd/0.log", STATIC_UID, ID,
	  "kube-system etcd-a etcd" },
	{ "a pod alone", "shop_web_" UID, NULL, NULL, UID, "", "shop web " },
	{ "a container that is not there yet", "shop_web_" UID, NULL, NULL, UID, ID, "shop web " },
	{ "another's container", "shop_web_" UID, "web_shop_nginx-" ID2,
	  "/var/log/pods/x/nginx/0.log", UID, ID, "shop web " },
	{ "another pod", "shop_web_" STATIC_UID, NULL, NULL, UID, ID, "" },
	{ "a pod's name has dots", "shop_web.0.example_" UID, NULL, NULL, UID, "",
	  "shop web.0.example " },
	{ "a link to nowhere is no name", "shop_web_" UID, "web_shop_nginx-" ID, "0.log", UID, ID,
	  "shop web " },
	{ "names that the kubelet does not give are none", "shop_we\033[2Jb_" UID, NULL, NULL, UID,
	  ID, "" },
	{ "nor are names of containers", "shop_web_" UID, "web_shop_x-" ID,
	  "/var/log/pods/x/N\"ginx/0.log", UID, ID, "shop web " },
	{ "a part is missing", "shop_" UID, NULL, NULL, UID, ID, "" },
	{ "a part is empty", "_web_" UID, NULL, NULL, UID, ID, "" },
	{ "a part too many", "shop_web_x_" UID, NULL, NULL, UID, ID, "" },
	{ "a namespace longer than a label",
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_web_" UID, NULL, NULL,
	  UID, ID, "" },
};

static void test_names(void **state)
{
	const struct case_ *c = *state;
	struct kube_names names;
	char got[512] = "";
	struct kube *k;

	pod_add(c->pod, "c");
	if (c->link)
		link_add(c->link, c->target);
	k = kube_new(dir);
	assert_non_null(k);
	if (kube_find(k, c->uid, c->id, NS, &names))
		snprintf(got, sizeof(got), "%s %s %s", names.namespace, names.pod, names.container);
	kube_free(k);
	assert_string_equal(got, c->want);
}

static void what_is_missing_is_asked_for_again(void **state)
{
	struct kube *k = kube_new(dir);
	struct kube_names names;
	struct kube_stats stats;

	(void)state;
	assert_false(kube_find(k, UID, ID, NS, &names));
	pod_add("shop_web_" UID, "nginx");
	assert_false(kube_find(k, UID, ID, NS + NS / 2, &names)); /* within the second */
	assert_true(kube_find(k, UID, ID, NS + NS, &names));
	assert_string_equal(names.container, "");
	link_add("web_shop_nginx-" ID, "/var/log/pods/shop_web_" UID "/nginx/0.log");
	assert_true(kube_find(k, UID, ID, 3 * NS, &names));
	assert_string_equal(names.container, "nginx");
	kube_stats_get(k, &stats);
	assert_int_equal(stats.found, 1);
	assert_int_equal(stats.missing, 2);
	kube_free(k);
}

static void what_was_found_outlives_the_pod(void **state)
{
	struct kube *k = kube_new(dir);
	struct kube_names names;

	(void)state;
	pod_add("shop_web_" UID, "nginx");
	assert_true(kube_find(k, UID, "", NS, &names));
	rmdir(path("pods/shop_web_" UID "/nginx"));
	rmdir(path("pods/shop_web_" UID));
	assert_true(kube_find(k, UID, "", 60 * NS, &names));
	assert_string_equal(names.pod, "web");
	kube_free(k);
}

/* More pods than are kept: the oldest is read again, which is why it must still be there. */
static void no_more_are_kept_than_fit(void **state)
{
	struct kube *k = kube_new(dir);
	struct kube_names names;
	struct kube_stats stats;
	char uid[64], folder[128], want[32];

	(void)state;
	for (int turn = 0; turn < 2; turn++)
		for (int i = 0; i < KUBE_KEPT + 1; i++) {
			snprintf(uid, sizeof(uid), "%032x", i);
			snprintf(folder, sizeof(folder), "shop_web-%d_%s", i, uid);
			snprintf(want, sizeof(want), "web-%d", i);
			pod_add(folder, "c");
			assert_true(kube_find(k, uid, "", NS, &names));
			assert_string_equal(names.pod, want);
		}
	kube_stats_get(k, &stats);
	assert_int_equal(stats.found, 2 * (KUBE_KEPT + 1));
	assert_true(kube_find(k, uid, "", NS, &names));
	kube_stats_get(k, &stats);
	assert_int_equal(stats.found, 2 * (KUBE_KEPT + 1)); /* that one was kept */
	kube_free(k);
}

static void no_kubelet_no_names(void **state)
{
	struct kube *k = kube_new("/nonexistent");
	struct kube_names names;

	(void)state;
	assert_false(kube_find(k, UID, ID, NS, &names));
	kube_free(k);
	kube_free(NULL);
}

int main(void)
{
	const struct CMUnitTest others[] = {
		cmocka_unit_test_setup_teardown(what_is_missing_is_asked_for_again, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_was_found_outlives_the_pod, setup, teardown),
		cmocka_unit_test_setup_teardown(no_more_are_kept_than_fit, setup, teardown),
		cmocka_unit_test(no_kubelet_no_names),
	};
	struct CMUnitTest tests[ARRAY_SIZE(cases)];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		tests[i] = (struct CMUnitTest){ .name = cases[i].name,
						.test_func = test_names,
						.setup_func = setup,
						.teardown_func = teardown,
						.initial_state = (void *)&cases[i] };
	return cmocka_run_group_tests_name("names", tests, NULL, NULL) +
	       cmocka_run_group_tests_name("kube", others, NULL, NULL);
}
