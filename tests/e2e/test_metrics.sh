#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# /metrics, /livez and /readyz: promtool's lint, a real Prometheus that scrapes, clients that hammer and
# clients that dawdle during a scan, two daemons at one address; the alerting rules and the dashboard
# name nothing that is not there.
# shellcheck disable=SC2317,SC2016 # functions called through wait_until; what eval gets
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
need nmap curl prometheus promtool

at=127.0.0.1:9765
fast=(--tick 200ms --settle 500ms)

# get PATH OPTION... - the body to standard output, the status code to $tmp/code.
get() {
	local path=$1

	shift
	run "$T" curl -s --max-time 30 -w '%{stderr}%{http_code}' "$@" "http://$at$path" 2>"$tmp/code"
}

# answers CODE PATH PATTERN - status code and a line of the body.
answers() {
	get "$2" >"$tmp/body"
	[ "$(cat "$tmp/code")" = "$1" ] && grep -Eq -- "$3" "$tmp/body"
}

# metric PATTERN - a line of /metrics.
metric() {
	answers 200 /metrics "^$1\$"
}

prometheus_says() { # QUERY VALUE
	run "$T" curl -s --max-time 10 http://127.0.0.1:9766/api/v1/query --data-urlencode "query=$1" |
		python3 -c 'import json, sys; r = json.load(sys.stdin)["data"]["result"]
sys.exit(not (r and r[0]["value"][1] == sys.argv[1]))' "$2" 2>/dev/null
}

setup
addr_add "$T" t0 10.77.0.{3..9}/16
printf 'interfaces: [t0]\ntick: 200ms\nsettle: 500ms\noutputs: [stdout, "syslog:udp:10.77.0.1:514"]\n' \
	>"$tmp/reconmon.yaml"

# --- off, and on -----------------------------------------------------------------------------------
monitor adhoc "$T" -i t0 "${fast[@]}"
run "$T" curl -s --max-time 5 "http://$at/" >/dev/null
verdict "ad hoc: nothing listens" test $? -eq 7
stop_monitor adhoc

monitor m "$T" -c "$tmp/reconmon.yaml"
verdict "with a configuration: /metrics on the loopback" metric 'reconmon_ready 1'
verdict "promtool finds nothing to mend" eval 'get /metrics | promtool check metrics'
verdict "/livez" answers 200 /livez '^ok$'
verdict "/readyz" answers 200 /readyz '^ok$'
verdict "/readyz?verbose" answers 200 '/readyz?verbose' '^\[\+\]interfaces ok$'
verdict "/healthz" answers 200 /healthz '^ok$'
verdict "/" answers 200 / 'href="/metrics"'
verdict "another path: 404" answers 404 /metrics/x metrics
get /metrics -X POST -d x >/dev/null
verdict "another method: 405" test "$(cat "$tmp/code")" = 405
verdict "HEAD" eval "get /metrics -I | grep -q '^Content-Type: text/plain; version=0.0.4'"
verdict "not from elsewhere" eval '! run "$S" curl -s --max-time 2 http://10.77.0.2:9765/'

# --- a real Prometheus -------------------------------------------------------------------------------
cat >"$tmp/prometheus.yml" <<-EOF
	global: { scrape_interval: 1s, evaluation_interval: 1s }
	rule_files: [ $PWD/deploy/prometheus/reconmon.rules.yaml ]
	scrape_configs:
	  - job_name: reconmon
	    static_configs: [ { targets: [ "$at" ] } ]
EOF
verdict "the alerting rules are sound" promtool check rules deploy/prometheus/reconmon.rules.yaml
cp deploy/prometheus/reconmon.rules.yaml tests/e2e/reconmon.rules.test.yaml "$tmp/"
verdict "and fire, and are quiet, as they should" promtool test rules "$tmp/reconmon.rules.test.yaml"
ip netns exec "$T" prometheus --config.file="$tmp/prometheus.yml" --storage.tsdb.path="$tmp/tsdb" \
	--web.listen-address=127.0.0.1:9766 >"$tmp/prometheus.log" 2>&1 &
pid_of[prometheus]=$!
pids+=($!)
verdict "Prometheus scrapes it" wait_until 30 prometheus_says 'up{job="reconmon"}' 1
run "$S" nmap -n -Pn -T4 --disable-arp-ping -sS -p 1-60 10.77.0.2 >/dev/null
verdict "the scan's alert is counted" wait_until 20 prometheus_says \
	'sum(reconmon_alerts_total{rule="port-scan",state="open"})' 1
verdict "and its probes" wait_until 20 prometheus_says \
	'reconmon_probes_total{protocol="tcp",technique="syn",answer="closed"} >= bool 60' 1
verdict "the rule about port scans fires there" wait_until 30 prometheus_says \
	'ALERTS{alertname="ReconmonPortScan",alertstate="firing",rule="port-scan"}' 1

# --- no address is a label ------------------------------------------------------------------------
get /metrics >"$tmp/metrics"
verdict "no address, no port is a label" eval \
	"! grep -E '10\\.77|fd77|port=|127\\.0' '$tmp/metrics'"
verdict "a sink is its place and kind" grep -q '^reconmon_sink_events_total{sink="2-syslog"}' "$tmp/metrics"
verdict "rules and dashboard name what is there" python3 "$E2E/metric_names.py" "$tmp/metrics" \
	deploy/prometheus/reconmon.rules.yaml deploy/grafana/reconmon.json

# --- many clients, and slow ones ---------------------------------------------------------------------
ip netns exec "$T" python3 "$E2E/hammer.py" 9765 >"$tmp/hammer.log" 2>&1 &
hammer=$!
pids+=($!)
for i in 3 4 5; do
	run "$S" nmap -n -Pn -T4 --disable-arp-ping -sS -p 1-50 "10.77.0.$i" >/dev/null
	verdict "hammered: the scan of .$i is told" opened m --rule port-scan --dest "10.77.0.$i"
done
wait "$hammer"
verdict "hammered: every answer is whole" test $? -eq 0 -a "$(grep -c 'answers whole' "$tmp/hammer.log")" -eq 1
verdict "and then all is as before" metric 'reconmon_ready 1'

# --- one address, two daemons ----------------------------------------------------------------------
run "$T" "$RECONMON" -i t0 --metrics "$at" >/dev/null 2>"$tmp/err"
verdict "a second daemon at the same address: exit 1" test $? -eq 1
verdict "and said" grep -q "metrics at $at: Address already in use (another reconmon?)" "$tmp/err"
monitor second "$T" -c "$tmp/reconmon.yaml" --control none
verdict "a second one that did not ask for it goes without" grep -q \
	"metrics at $at: Address already in use" "$tmp/second.err"
stop_monitor second
stop prometheus
stop m # its receiver of syslog was never there: 1
monitor again "$T" -i t0 "${fast[@]}" --metrics '[::1]:9765'
verdict "IPv6" eval 'run "$T" curl -s -g "http://[::1]:9765/livez" | grep -q ok'
stop_monitor again

# --- readiness -------------------------------------------------------------------------------------
monitor later "$T" -i 'z*' "${fast[@]}" --metrics "$at"
verdict "nothing to watch yet: not ready" answers 503 /readyz '^\[-\]interfaces failed: none is watched$'
verdict "but alive" answers 200 /livez '^ok$'
verdict "and the metric says so" metric 'reconmon_ready 0'
ns_join "$S" z1 "$T" z0
verdict "an interface has come: ready" wait_until 10 answers 200 /readyz '^ok$'
ip -n "$T" link del z0
verdict "and is gone: not ready" wait_until 10 answers 503 /readyz 'none is watched'
stop_monitor later
finish
