#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The two built-in searches over ports. --profile splunk gives their counts to the letter: bins of
# five minutes, and orig_bytes is 0 only where the connection lasted longer than no time.
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
need nmap

setup
# An originator a case: basic-scanning groups by originator alone.
for i in 3 4 5 6; do
	addr_add "$S" s0 "10.77.0.$i/16"
	addr_add "$T" t0 "10.77.1.$i/16"
	ip -n "$S" route add "10.77.1.$i/32" dev s0 src "10.77.0.$i"
done
# .5's packets get no answer.
ip -n "$T" route add blackhole 10.77.0.5/32
ip -n "$S" neigh replace 10.77.1.5 lladdr "$(mac_of "$T" t0)" dev s0 nud permanent
start listen "$T" python3 "$E2E/serve.py" listen 22 25 80

monitor splunk "$T" -i t0 --tick 200ms --settle 500ms --profile splunk
monitor default "$T" -i t0 --tick 200ms --settle 500ms
# The bins begin at multiples of 300 s since the epoch: a scan must not lie across two.
left=$((300 - $(date +%s) % 300))
[ "$left" -ge 60 ] || sleep "$((left + 1))"
scan=(nmap -n -Pn -T4 --disable-arp-ping)
run "$S" "${scan[@]}" -sS -p 1-100 10.77.0.2 >/dev/null
run "$S" "${scan[@]}" -sS -p 1-1200 10.77.1.3 >/dev/null
run "$S" "${scan[@]}" -sS -p 1-999 10.77.1.4 >/dev/null
run "$S" "${scan[@]}" -sS --max-retries 0 -p 1-60 10.77.1.5 >/dev/null
run "$S" "${scan[@]}" -sT -p 22,80 10.77.1.6 >/dev/null
opened default --rule port-scan --opens 4
opened splunk --rule basic-scanning
sleep 1
stop_monitor splunk
stop_monitor default

answered=(--none '' --filtered '' --open '22,25,80' --closed rest)
for m in splunk default; do
	verdict "$m: port-scan counts 100 answered ports" alerts $m --rule port-scan \
		--source 10.77.0.1 --dest 10.77.0.2 --ports 1-100 "${answered[@]}"
	verdict "$m: port-scan counts 1,200 answered ports" alerts $m --rule port-scan \
		--source 10.77.0.3 --dest 10.77.1.3 --ports 1-1200 "${answered[@]}"
	verdict "$m: port-scan counts 999 answered ports" alerts $m --rule port-scan \
		--source 10.77.0.4 --dest 10.77.1.4 --ports 1-999 "${answered[@]}"
	verdict "$m: two ports are below port-scan's threshold" alerts $m --rule port-scan \
		--source 10.77.0.6 --opens 0
	verdict "$m: basic-scanning counts 1,200 ports" alerts $m --rule basic-scanning \
		--source 10.77.0.3 --ports 1-1200
	verdict "$m: 999 ports are below basic-scanning's threshold" alerts $m \
		--rule basic-scanning --source 10.77.0.4 --opens 0
done
verdict "splunk: lone unanswered SYNs are no evidence" alerts splunk --source 10.77.0.5 --opens 0
verdict "default: lone unanswered SYNs are" alerts default --rule port-scan --source 10.77.0.5 \
	--dest 10.77.1.5 --ports 1-60 --none 1-60
verdict "splunk: and nothing else" alerts splunk --opens 4
verdict "default: and nothing else" alerts default --opens 5
finish
