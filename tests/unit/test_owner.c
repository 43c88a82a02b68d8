// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/owner.c: what a process is called, alive and gone, and how long that is remembered. The
 * kernel side is a fake; the processes are this one and its children. */
#include <errno.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "owner.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define UID	      "eb052b63-ea96-4728-ab4a-64ab3babccd7"
#define ID	      "5694f82f44168cc048e014ae14d1b0c8ef673bec49f329dc169911ea638f63c2"

/* --- the kernel side ------------------------------------------------------------------------- */

static const char kept_args[] = "scan\0-p\0001-100"; /* and the NUL that C adds */

/* A contact's port says which of these opened its attempts. */
struct fake {
	struct socket_owner owner[8];
	bool forgets; /* arguments and cgroups */
};

static bool fake_find(const void *ctx, const struct contact_key *key, struct socket_owner *ret)
{
	const struct fake *f = ctx;
	uint16_t port = ntohs(key->resp_port);

	if (port >= ARRAY_SIZE(f->owner)) { /* a process a port */
		*ret = (struct socket_owner){ .source = OWNER_COOKIE,
					      .pid = 4000000 + port,
					      .start_ns = 1 };
		return true;
	}
	*ret = f->owner[port];
	return port != 0;
}

static size_t fake_args(const void *ctx, uint32_t pid, uint64_t start_ns, char *buf)
{
	(void)pid;
	(void)start_ns;
	if (((const struct fake *)ctx)->forgets)
		return 0;
	memcpy(buf, kept_args, sizeof(kept_args));
	return sizeof(kept_args);
}

static bool fake_cgroup(const void *ctx, uint64_t id, char *buf, size_t len)
{
	if (((const struct fake *)ctx)->forgets || !id)
		return false;
	return snprintf(buf, len, "%s",
			id == 1	  ? "/system.slice/docker-" ID ".scope"
			: id == 9 ? "/kubepods/pod" UID "/" ID
				  : "/system.slice/cron.service") < (int)len;
}

/* At the other end of interface 3 is a container, of the others nobody. */
static bool fake_far_end(const void *ctx, uint32_t ifindex, char *buf, size_t len)
{
	return ifindex == 3 && fake_cgroup(ctx, 1, buf, len);
}

static struct owners *table(struct fake *f)
{
	const struct owner_kernel kernel = { f, fake_find, fake_args, fake_cgroup, fake_far_end };
	struct owners *o = owners_new(&kernel);

	assert_non_null(o);
	return o;
}

static const struct contact left = { .dir = DIR_EGRESS, .ifindex = 2 };

static const struct owner *find(struct owners *o, uint16_t port)
{
	const struct contact_key key = { .resp_port = htons(port), .proto = PROTO_TCP };

	return owners_find(o, &key, &left);
}

/* A contact of nobody's here that came in by an interface. */
static const struct owner *find_in(struct owners *o, uint32_t ifindex)
{
	const struct contact_key key = { .proto = PROTO_TCP };
	const struct contact c = { .dir = DIR_INGRESS, .ifindex = ifindex };

	return owners_find(o, &key, &c);
}

static void meet(struct owners *o, uint16_t port)
{
	const struct contact_key key = { .resp_port = htons(port), .proto = PROTO_TCP };

	owners_meet(o, &key, &left);
}

/* started_ns - when a process was started, as the kernel has it (to a tick). */
static uint64_t started_ns(pid_t pid)
{
	char path[64], text[1024], *field;
	uint64_t ticks = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "r");
	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	field = strrchr(text, ')');
	for (int i = 2; i < 22; i++)
		field = strchr(field + 1, ' ');
	ticks = strtoull(field, NULL, 10);
	return ticks * (1000000000 / (uint64_t)sysconf(_SC_CLK_TCK)) + 1234567;
}

static struct socket_owner this_process(void)
{
	return (struct socket_owner){
		.source = OWNER_COOKIE,
		.pid = (uint32_t)getpid(),
		.uid = getuid(),
		.start_ns = started_ns(getpid()),
		.comm = "test_owner",
	};
}

/* --- alive, gone ----------------------------------------------------------------------------- */

static void a_process_that_runs_is_known_whole(void **state)
{
	struct fake f = { .owner[1] = this_process() };
	const struct passwd *me = getpwuid(getuid());
	struct owners *o = table(&f);
	const struct owner *w = find(o, 1);
	char self[512] = "";

	(void)state;
	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	assert_non_null(w);
	assert_int_equal(w->pid, getpid());
	assert_int_equal(w->source, OWNER_COOKIE);
	assert_string_equal(w->name, "test_owner");
	assert_string_equal(w->executable, self);
	assert_string_equal(w->args, program_invocation_name);
	assert_non_null(w->cgroup);
	if (me && !w->where.container[0])
		assert_string_equal(w->user, me->pw_name);
	assert_int_equal(strlen(w->boot_id), 36);
	owners_free(o);
}

static void of_one_that_is_gone_is_known_what_was_kept(void **state)
{
	struct fake f = { .owner[1] = this_process() };
	struct owners *o = table(&f);
	const struct owner *w;
	char command[64];

	(void)state;
	f.owner[1].start_ns += 1000000000; /* the pid is another's by now */
	f.owner[1].cgroup_id = 2;
	w = find(o, 1);
	assert_null(w->executable);
	assert_int_equal(owner_command(w, command, sizeof(command)), 13);
	assert_string_equal(command, "scan -p 1-100");
	assert_string_equal(w->where.unit, "cron.service");
	owners_free(o);
}

static void of_one_that_nobody_kept_is_known_its_name(void **state)
{
	struct fake f = { .forgets = true };
	struct owners *o = table(&f);
	const struct owner *w;
	char command[8] = "x";

	(void)state;
	f.owner[1] = (struct socket_owner){
		.source = OWNER_GUESS, .pid = 4194304, .uid = 4294967294, .comm = "0123456789abcdef"
	};
	w = find(o, 1);
	assert_string_equal(w->name, "0123456789abcdef"); /* 16 bytes without a NUL */
	assert_int_equal(owner_command(w, command, sizeof(command)), 0);
	assert_string_equal(command, "");
	assert_null(w->executable);
	assert_null(w->user);
	assert_null(w->cgroup);
	assert_string_equal(w->where.container, "");
	owners_free(o);
}

static void a_container_has_users_of_its_own(void **state)
{
	struct fake f = { .owner[1] = { .source = OWNER_NONE, .cgroup_id = 1, .uid = 0 },
			  .owner[2] = { .source = OWNER_NONE, .cgroup_id = 2, .uid = 0 } };
	struct owners *o = table(&f);
	const struct owner *w = find(o, 1);

	(void)state;
	assert_string_equal(w->where.container, ID);
	assert_string_equal(w->where.runtime, "docker");
	assert_null(w->user);
	assert_string_equal(find(o, 2)->user, "root");
	owners_free(o);
}

static void a_name_with_parentheses_and_blanks_is_found_in_stat(void **state)
{
	struct fake f = { .forgets = true };
	struct owners *o = table(&f);
	int up[2];
	pid_t child;
	char c;

	(void)state;
	assert_int_equal(pipe(up), 0);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		prctl(PR_SET_NAME, ") 1 (2) 3 4");
		if (write(up[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(up[0], &c, 1), 1);
	f.owner[1] = (struct socket_owner){ .source = OWNER_COOKIE,
					    .pid = (uint32_t)child,
					    .start_ns = started_ns(child) };
	assert_non_null(find(o, 1)->executable);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	close(up[0]);
	close(up[1]);
	owners_free(o);
}

/* --- who is who ------------------------------------------------------------------------------ */

static void what_nobody_here_sent_has_no_owner(void **state)
{
	struct fake f = { .owner[1] = { .source = OWNER_FORWARDED, .ifindex = 4 },
			  .owner[2] = { .source = OWNER_FORWARDED } };
	struct owners *o = table(&f);

	(void)state;
	assert_null(find(o, 0));
	assert_null(find(o, 1));
	assert_null(find(o, 2));
	assert_null(find_in(o, 4));
	assert_null(find_in(o, 0));
	owners_free(o);
}

static void what_is_forwarded_is_the_container_s_behind_the_interface(void **state)
{
	struct fake f = { .owner[1] = { .source = OWNER_FORWARDED, .ifindex = 3 } };
	struct owners *o = table(&f);
	const struct owner *out = find(o, 1), *in = find_in(o, 3);

	(void)state;
	assert_non_null(out);
	assert_ptr_equal(in, out);
	assert_int_equal(in->source, OWNER_FORWARDED);
	assert_int_equal(in->pid, 0);
	assert_null(in->user);
	assert_string_equal(in->where.container, ID);
	owners_free(o);
}

static void who_is_behind_an_interface_is_asked_again_after_10_s(void **state)
{
	struct fake f = { .forgets = true };
	struct owners *o = table(&f);

	(void)state;
	owners_tick(o, 1);
	assert_null(find_in(o, 3));
	f.forgets = false;
	owners_tick(o, 10000000000);
	assert_null(find_in(o, 3));
	owners_tick(o, 10000000001);
	assert_non_null(find_in(o, 3));
	owners_free(o);
}

/* A pod whose container scans before the kubelet has written its name down. */
static void a_pod_is_named_as_soon_as_the_node_tells(void **state)
{
	struct fake f = { .owner[1] = { .source = OWNER_NONE, .cgroup_id = 9 } };
	char dir[] = "/tmp/reconmon-owner.XXXXXX", path[256], pod[OWNER_POD_MAX], clean[64];
	struct owners *o = table(&f);
	const struct owner *w;
	struct kube *k;

	(void)state;
	assert_non_null(mkdtemp(dir));
	k = kube_new(dir);
	owners_name(o, k);
	owners_tick(o, 1);
	w = find(o, 1);
	assert_null(w->kube);
	assert_string_equal(owner_pod(w, pod), UID);
	snprintf(path, sizeof(path), "%s/pods", dir);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/pods/shop_web_" UID, dir);
	mkdir(path, 0755);
	owners_tick(o, 1000000001);
	w = find(o, 1);
	assert_string_equal(owner_pod(w, pod), "shop/web");
	assert_string_equal(w->kube->container, "");
	snprintf(path, sizeof(path), "%s/containers", dir);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/containers/web_shop_nginx-" ID ".log", dir);
	assert_int_equal(symlink("/var/log/pods/shop_web_" UID "/nginx/0.log", path), 0);
	owners_tick(o, 2000000001);
	w = find(o, 1);
	assert_string_equal(w->kube->container, "nginx");
	owners_free(o);
	kube_free(k);
	snprintf(clean, sizeof(clean), "rm -r %s", dir);
	assert_int_equal(system(clean), 0);
}

static void ids_tell_processes_apart_and_guesses_by_one_bit(void **state)
{
	struct fake f = { .owner[1] = { .source = OWNER_COOKIE, .pid = 7, .start_ns = 5 },
			  .owner[2] = { .source = OWNER_GUESS, .pid = 7, .start_ns = 5 },
			  .owner[3] = { .source = OWNER_COOKIE, .pid = 7, .start_ns = 6 },
			  .owner[4] = { .source = OWNER_COOKIE, .pid = 8, .start_ns = 5 },
			  .owner[5] = { .source = OWNER_NONE, .uid = 7, .cgroup_id = 5 },
			  .owner[6] = {
				  .source = OWNER_COOKIE, .pid = 7, .start_ns = 5, .comm = "x" } };
	struct owners *o = table(&f);
	uint32_t id[7];

	(void)state;
	for (uint16_t i = 1; i < 7; i++)
		id[i] = find(o, i)->id;
	assert_int_equal(id[1] ^ id[2], 1);
	assert_int_equal(id[1], id[6]);
	for (int i = 1; i < 6; i++)
		for (int k = i + 1; k < 6; k++)
			assert_true(id[i] != id[k] && (id[i] ^ id[k] || i + k == 3));
	owners_free(o);
}

/* --- limits ---------------------------------------------------------------------------------- */

static void so_many_are_looked_at_as_they_are_met(void **state)
{
	struct fake f = { .forgets = true };
	struct owners *o = table(&f);
	struct owners_stats stats;

	(void)state;
	for (uint16_t port = 100; port < 200; port++)
		meet(o, port);
	owners_stats_get(o, &stats);
	assert_int_equal(stats.resolved, 64);
	owners_tick(o, 0);
	for (uint16_t port = 100; port < 200; port++)
		meet(o, port);
	owners_stats_get(o, &stats);
	assert_int_equal(stats.resolved, 100);
	assert_int_equal(stats.gone, 100);
	find(o, 150);
	owners_stats_get(o, &stats);
	assert_int_equal(stats.resolved, 100);
	owners_free(o);
}

static void the_last_2048_are_remembered_and_who_is_held(void **state)
{
	struct fake f = { .forgets = true };
	struct owners *o = table(&f);
	const struct owner *held = owner_ref(find(o, 100));
	struct owners_stats stats;

	(void)state;
	for (uint16_t port = 101; port < 20000; port++)
		meet(o, port);
	owners_stats_get(o, &stats);
	assert_in_range(stats.evicted, 20000 - 100 - 2048, 20000 - 100 - 1900);
	assert_int_equal(held->pid, 4000100);
	assert_ptr_not_equal(find(o, 100), held);
	owners_free(o);
	assert_int_equal(held->pid, 4000100);
	owner_unref(held);
}

static const struct command_case {
	const char *name, *args;
	size_t args_len, len;
	const char *want;
} command_cases[] = {
	{ "no arguments", NULL, 0, 16, "" },
	{ "one", "nmap", 5, 16, "nmap" },
	{ "one, its NUL was cut off", "nmap", 4, 16, "nmap" },
	{ "an empty one in the middle", "a\0\0b", 5, 16, "a  b" },
	{ "empty ones at the end", "a\0\0\0", 4, 16, "a" },
	{ "only empty ones", "\0\0", 2, 16, "" },
	{ "as long as the buffer", "abc", 4, 4, "abc" },
	{ "one more than the buffer", "abcd", 5, 4, "abc" },
	{ "a buffer of one byte", "abcd", 5, 1, "" },
};

static void test_command(void **state)
{
	const struct command_case *c = *state;
	const struct owner w = { .args = (char *)c->args, .args_len = c->args_len };
	char got[16] = "xxxxxxxxxxxxxxx";

	owner_command(&w, got, c->len);
	assert_string_equal(got, c->want);
}

static void freeing_nothing_is_fine(void **state)
{
	(void)state;
	owners_free(NULL);
	owner_unref(NULL);
	assert_null(owner_ref(NULL));
}

int main(void)
{
	static const struct CMUnitTest single[] = {
		cmocka_unit_test(a_process_that_runs_is_known_whole),
		cmocka_unit_test(of_one_that_is_gone_is_known_what_was_kept),
		cmocka_unit_test(of_one_that_nobody_kept_is_known_its_name),
		cmocka_unit_test(a_container_has_users_of_its_own),
		cmocka_unit_test(a_name_with_parentheses_and_blanks_is_found_in_stat),
		cmocka_unit_test(what_nobody_here_sent_has_no_owner),
		cmocka_unit_test(what_is_forwarded_is_the_container_s_behind_the_interface),
		cmocka_unit_test(who_is_behind_an_interface_is_asked_again_after_10_s),
		cmocka_unit_test(a_pod_is_named_as_soon_as_the_node_tells),
		cmocka_unit_test(ids_tell_processes_apart_and_guesses_by_one_bit),
		cmocka_unit_test(so_many_are_looked_at_as_they_are_met),
		cmocka_unit_test(the_last_2048_are_remembered_and_who_is_held),
		cmocka_unit_test(freeing_nothing_is_fine),
	};
	struct CMUnitTest tests[ARRAY_SIZE(command_cases) + ARRAY_SIZE(single)];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(command_cases); i++)
		tests[n++] = (struct CMUnitTest){ .name = command_cases[i].name,
						  .test_func = test_command,
						  .initial_state = (void *)&command_cases[i] };
	memcpy(&tests[n], single, sizeof(single));
	return cmocka_run_group_tests_name("owner", tests, NULL, NULL);
}
