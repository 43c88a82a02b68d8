// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/metrics_text.c: the text that figures become. That promtool takes it is tested over a
 * running daemon (tests/e2e/test_metrics.sh). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "metrics_text.h"

static const char figures[] =
	"{\"version\":\"1.2\\\"3\\\\\",\"ready\":true,\"started\":\"2026-11-25T00:00:10.500Z\","
	"\"config\":{\"last_reload_ok\":false,\"read\":\"2026-11-25T00:00:00.000Z\"},"
	"\"interfaces\":[{\"ingress\":\"xdp\",\"egress\":\"tcx\"},{\"ingress\":\"tcx\",\"egress\":"
	"\"tcx\"}],\"refused\":3,\"unseen\":1,"
	"\"rules\":[{\"name\":\"fixed\",\"severity\":9,\"groups\":5,\"alerts_open\":2,\"said\":[{"
	"\"severity\":9,\"state\":\"open\",\"count\":7}]},"
	"{\"name\":\"odd\",\"severity\":0,\"said\":[{\"severity\":2,\"state\":\"close\",\"count\":"
	"1}"
	"]}],"
	"\"counters\":[{\"name\":\"packets_ingress\",\"value\":8,\"kind\":\"counter\",\"text\":"
	"\"x\"}"
	",{\"name\":\"parse_tcp_doff\",\"value\":4,\"kind\":\"counter\",\"text\":\"TCP\"},"
	"{\"name\":\"groups_evicted\",\"value\":6,\"kind\":\"counter\",\"text\":\"lost: groups\"},"
	"{\"name\":\"habits_live\",\"value\":11,\"kind\":\"gauge\",\"text\":\"... a\\nb\\\\c\"},"
	"{\"name\":\"wakes\",\"value\":9007199254740991,\"kind\":\"counter\",\"text\":\"early\"}],"
	"\"outputs\":[{\"name\":\"syslog:udp:10.1.2.3:514\",\"written\":12,\"failing\":false,"
	"\"given_up\":\"why\",\"spool\":{\"records\":4,\"bytes\":4096,\"damaged\":1}},"
	"{\"name\":\"stdout\",\"spool\":null,\"failing\":false,\"given_up\":null}],"
	"\"drain_duration\":{\"bounds_s\":[0.001,5],\"counts\":[3,2,1],\"sum_s\":7.5}}";

static const char *const wanted[] = {
	"reconmon_build_info{version=\"1.2\\\"3\\\\\",libbpf=",
	"reconmon_ready 1",
	"reconmon_config_last_reload_successful 0",
	"reconmon_config_last_reload_success_timestamp_seconds 1795564800",
	"process_start_time_seconds 1795564810",
	"reconmon_alerts_total{rule=\"fixed\",severity=\"9\",state=\"open\"} 7",
	"reconmon_alerts_total{rule=\"fixed\",severity=\"9\",state=\"close\"} 0",
	"reconmon_alerts_total{rule=\"odd\",severity=\"4\",state=\"open\"} 0",
	"reconmon_alerts_total{rule=\"odd\",severity=\"2\",state=\"close\"} 1",
	"reconmon_alerts_open{rule=\"fixed\"} 2",
	"reconmon_groups{rule=\"fixed\"} 5",
	"reconmon_packets_total{direction=\"ingress\"} 8",
	"reconmon_parse_errors_total{reason=\"tcp_doff\"} 4",
	"reconmon_lost_total{reason=\"groups_evicted\"} 6",
	"# HELP reconmon_habits habits_live: a\\nb\\\\c.",
	"# TYPE reconmon_habits gauge",
	"reconmon_habits 11",
	"reconmon_wakes_total 9.00719925474099e+15",
	"reconmon_sink_events_total{sink=\"1-syslog\"} 12",
	"reconmon_sink_failing{sink=\"1-syslog\"} 1",
	"reconmon_sink_failing{sink=\"2-stdout\"} 0",
	"reconmon_sink_spool_records{sink=\"1-syslog\"} 4",
	"reconmon_sink_spool_records{sink=\"2-stdout\"} 0",
	"reconmon_sink_spool_bytes{sink=\"1-syslog\"} 4096",
	"reconmon_sink_spool_damaged_total{sink=\"1-syslog\"} 1",
	"reconmon_attached{hook=\"ingress\",mode=\"xdp\"} 1",
	"reconmon_attached{hook=\"egress\",mode=\"tcx\"} 2",
	"reconmon_interfaces_refused 3",
	"reconmon_interfaces_unseen 1",
	"reconmon_drain_duration_seconds_bucket{le=\"0.001\"} 3",
	"reconmon_drain_duration_seconds_bucket{le=\"5\"} 5",
	"reconmon_drain_duration_seconds_bucket{le=\"+Inf\"} 6",
	"reconmon_drain_duration_seconds_sum 7.5",
	"reconmon_drain_duration_seconds_count 6",
};

static const char *const unwanted[] = {
	"10.1.2.3",
	"severity=\"8\",state=\"open\"} 1",
	"rule=\"fixed\",severity=\"4\"",
	"reconmon_packets_ingress",
	"reconmon_groups_evicted",
};

static char *text_of(const char *json)
{
	json_t *o = json_loads(json, 0, NULL);
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(o);
	metrics_write(out, o);
	fclose(out);
	json_decref(o);
	return text;
}

static void figures_become_metrics(void **state)
{
	char *text = text_of(figures);

	(void)state;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (!strstr(text, wanted[i]))
			fail_msg("missing: %s\nin:\n%s", wanted[i], text);
	}
	for (size_t i = 0; i < sizeof(unwanted) / sizeof(unwanted[0]); i++)
		if (strstr(text, unwanted[i]))
			fail_msg("unwanted: %s", unwanted[i]);
	free(text);
}

/* Each family has its lines in one place, and each line is of a family. */
static void a_line_is_of_the_family_above_it(void **state)
{
	char *text = text_of(figures), *save = NULL, family[100] = "";

	(void)state;
	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		if (!strncmp(l, "# HELP ", 7)) {
			assert_int_equal(sscanf(l, "# HELP %99s", family), 1);
			continue;
		}
		assert_non_null(strstr(l, family));
	}
	free(text);
}

static void what_is_missing_harms_nobody(void **state)
{
	char *text = text_of("{}");

	(void)state;
	assert_non_null(strstr(text, "reconmon_ready 0\n"));
	free(text);
}

static void a_process_has_its_metrics(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	double fds;

	(void)state;
	metrics_write_process(out);
	fclose(out);
	assert_non_null(strstr(text, "\nprocess_resident_memory_bytes "));
	assert_int_equal(
		sscanf(strstr(text, "\nprocess_open_fds "), "\nprocess_open_fds %lf", &fds), 1);
	assert_true(fds >= 3);
	free(text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(figures_become_metrics),
		cmocka_unit_test(a_line_is_of_the_family_above_it),
		cmocka_unit_test(what_is_missing_harms_nobody),
		cmocka_unit_test(a_process_has_its_metrics),
	};

	return cmocka_run_group_tests_name("metrics_text", tests, NULL, NULL);
}
