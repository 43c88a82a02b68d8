// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/cgroup.c: paths of cgroups, and which of a process's paths says the most. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cgroup.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define ID	 "5694f82f44168cc048e014ae14d1b0c8ef673bec49f329dc169911ea638f63c2"
#define OTHER_ID "1b3319ed9c1d4cca681f9c102da9b015555785b6240c4e4619f11b535cabdc07"

/* --- the table: path, runtime, pod, container, QoS ------------------------------------------- */

enum {
	TABLE_ROWS = 23,
	ROW_MAX = 1024
};

/* column - the next field of a row of the table; "-" is none. */
static const char *column(char **row)
{
	char *field = strsep(row, "\t\n");

	assert_non_null(field);
	return strcmp(field, "-") ? field : "";
}

static void test_table(void **state)
{
	FILE *f = fopen("tests/data/cgroup-cases.tsv", "r");
	char line[ROW_MAX];
	int rows = 0;

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		struct cgroup_info got;
		char *row = line;

		if (*line == '#')
			continue;
		print_message("%.150s\n", line);
		cgroup_parse(column(&row), &got);
		assert_string_equal(got.runtime, column(&row));
		assert_string_equal(got.pod, column(&row));
		assert_string_equal(got.container, column(&row));
		assert_string_equal(got.qos, column(&row));
		rows++;
	}
	fclose(f);
	assert_int_equal(rows, TABLE_ROWS);
}

/* --- beside the table ------------------------------------------------------------------------ */

static const struct path_case {
	const char *name, *path, *runtime, *container, *pod, *unit;
} path_cases[] = {
	{ "no path", "", "", "", "", "" },
	{ "a service", "/system.slice/ssh.service", "", "", "", "ssh.service" },
	{ "a login", "/user.slice/user-1000.slice/session-3.scope", "", "", "", "session-3.scope" },
	{ "a user's own service: the inner one",
	  "/user.slice/user-1000.slice/user@1000.service/app.slice/scan.service", "", "", "",
	  "scan.service" },
	{ "a cgroup that a service made for itself", "/system.slice/web.service/worker", "", "", "",
	  "web.service" },
	{ "a container has no unit", "/system.slice/docker-" ID ".scope", "docker", ID, "", "" },
	{ "the init of a container is no unit of the host",
	  "/system.slice/docker-" ID ".scope/init.scope", "docker", ID, "", "" },
	{ "nerdctl is containerd", "/system.slice/nerdctl-" ID ".scope", "containerd", ID, "", "" },
	{ "podman with a payload of its own", "/machine.slice/libpod-payload-" ID ".scope",
	  "podman", ID, "", "" },
	{ "podman's pod around a container",
	  "/machine.slice/machine-libpod_pod_" OTHER_ID ".slice/libpod-" ID ".scope", "podman", ID,
	  "", "" },
	{ "podman's conmon watches from outside", "/machine.slice/libpod-conmon-" ID ".scope", "",
	  "", "", "" },
	{ "a runtime of another name", "/system.slice/foo-" ID ".scope", "", ID, "", "" },
	{ "a container below the root of a namespace", "/../../docker/" ID, "docker", ID, "", "" },
	{ "one digit short",
	  "/docker/694f82f44168cc048e014ae14d1b0c8ef673bec49f329dc169911ea638f63c2", "", "", "",
	  "" },
	{ "one digit more", "/docker/a" ID, "", "", "", "" },
	{ "digits in upper case are none",
	  "/docker/5694F82F44168cc048e014ae14d1b0c8ef673bec49f329dc169911ea638f63c2", "", "", "",
	  "" },
	{ "a uid that is none", "/kubepods/podeb052b63-ea96-4728-ab4a-64ab3babccdz", "", "", "",
	  "" },
	{ "a uid one short", "/kubepods/podeb052b63-ea96-4728-ab4a-64ab3babccd", "", "", "", "" },
	{ "a pod between containers: what is around it does not count",
	  "/docker/" OTHER_ID "/kubepods/podeb052b63-ea96-4728-ab4a-64ab3babccd7", "", "",
	  "eb052b63-ea96-4728-ab4a-64ab3babccd7", "" },
	{ "a service that is called pod", "/system.slice/pod.service", "", "", "", "pod.service" },
	{ "slashes and colons only", "//::/:/", "", "", "", "" },
	{ "endings only", "/.scope/.service/.slice", "", "", "", "" },
};

static void test_path(void **state)
{
	const struct path_case *c = *state;
	struct cgroup_info got;

	cgroup_parse(c->path, &got);
	assert_string_equal(got.runtime, c->runtime);
	assert_string_equal(got.container, c->container);
	assert_string_equal(got.pod, c->pod);
	assert_string_equal(got.unit, c->unit);
}

static void test_long_unit(void **state)
{
	char path[4 + 300 + 8 + 1] = "/", *end = path + 1;
	struct cgroup_info got;

	(void)state;
	for (int i = 0; i < 300; i++)
		*end++ = 'u';
	strcpy(end, ".service");
	cgroup_parse(path, &got);
	assert_int_equal(strlen(got.unit), CGROUP_UNIT_MAX - 1);
}

/* --- /proc/PID/cgroup ------------------------------------------------------------------------ */

static const struct text_case {
	const char *name, *text, *want; /* want NULL: none */
} text_cases[] = {
	{ "no text", "", NULL },
	{ "v2 alone", "0::/system.slice/ssh.service\n", "/system.slice/ssh.service" },
	{ "v2, last line without an end", "0::/system.slice/ssh.service",
	  "/system.slice/ssh.service" },
	{ "v2, the root", "0::/\n", "/" },
	{ "v1: the line that names the container",
	  "12:cpuset:/\n11:memory:/docker/" ID "\n1:name=systemd:/system.slice/docker.service\n",
	  "/docker/" ID },
	{ "v1: a container before a pod",
	  "3:cpu:/kubepods/podeb052b63-ea96-4728-ab4a-64ab3babccd7\n"
	  "2:pids:/kubepods/podeb052b63-ea96-4728-ab4a-64ab3babccd7/" ID "\n",
	  "/kubepods/podeb052b63-ea96-4728-ab4a-64ab3babccd7/" ID },
	{ "v1 and v2: what v2 says of a service",
	  "2:cpu:/batch\n1:name=systemd:/a.slice\n0::/system.slice/cron.service\n",
	  "/system.slice/cron.service" },
	{ "v1 and v2, v2 is not used: systemd's line",
	  "4:memory:/jobs\n1:name=systemd:/a.slice\n0::/\n", "/a.slice" },
	{ "v1, only one controller has a path", "4:memory:/jobs\n3:cpu:/\n0::/\n", "/jobs" },
	{ "a path with colons in it", "0::/a.slice:cri-containerd:" ID "\n",
	  "/a.slice:cri-containerd:" ID },
	{ "lines that are none", "nonsense\n\n0:\n0::/x\n", "/x" },
	{ "a path that does not fit is none",
	  "0::/12345678901234567890123456789012345678901234567890123456789012345678901234567890"
	  "1234567890123456789012345678901234567890123456789012345678901234567890\n",
	  NULL },
};

static void test_text(void **state)
{
	const struct text_case *c = *state;
	char got[128] = "";

	assert_int_equal(cgroup_path_of(c->text, got, sizeof(got)), c->want != NULL);
	assert_string_equal(got, c->want ? c->want : "");
}

/* Every row of one table as a test of its own name. */
#define ADD_ROWS(list, n, table, fn)                                                               \
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)                                             \
		(list)[(n)++] = (struct CMUnitTest)                                                \
		{                                                                                  \
			.name = (table)[i].name, .test_func = (fn),                                \
			.initial_state = (void *)&(table)[i]                                       \
		}

int main(void)
{
	struct CMUnitTest tests[2 + ARRAY_SIZE(path_cases) + ARRAY_SIZE(text_cases)] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_long_unit),
	};
	size_t n = 2;

	ADD_ROWS(tests, n, path_cases, test_path);
	ADD_ROWS(tests, n, text_cases, test_text);
	return cmocka_run_group_tests_name("cgroup", tests, NULL, NULL);
}
