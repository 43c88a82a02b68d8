#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Interfaces that come and go, as a node's veths do: 200 pairs within seconds, some gone before anybody
# looked, some renamed, names used again. Afterwards the daemon holds what it held before, has said no
# error, and still sees.
# shellcheck disable=SC2317 # some functions are called through wait_until only
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
need nmap bpftool

setup
ns_add "$S-2"

# held - files that the daemon has open, and its programs at interfaces.
held() {
	echo "$(find "/proc/${pid_of[churn]}/fd" | wc -l) $(ip netns exec "$T" bpftool -j net show |
		python3 -c 'import json, sys; print(sum(len(v) for d in json.load(sys.stdin) for v in d.values()))')"
}

settled() {
	[ "$(held)" = "$before" ]
}

monitor churn "$T" -i t0 -i 'v*' --tick 100ms
wait_until 10 test -n "$(held)"
before=$(held)
for round in {1..4}; do
	{
		for n in {1..50}; do
			echo "link add v$n up group $((n > 10 ? 20 : 10)) type veth peer name w$n"
		done
		echo "link del group 10" # gone at once
	} | ip -n "$T" -batch - || give_up "cannot make interfaces"
	sleep 0.3
	{
		for n in {11..15}; do # moved away
			echo "link set v$n netns $S-2 group 0"
		done
		for n in {16..20}; do # renamed
			echo "link set v$n down"
			echo "link set v$n name u$n"
			echo "link del u$n"
		done
		echo "link del group 20"
	} | ip -n "$T" -batch - || give_up "cannot remove interfaces (round $round)"
	for n in {11..15}; do
		ip -n "$S-2" link del "v$n"
	done
done
wait_until 20 settled
verdict "200 interfaces came and went: files and programs are as before" test "$(held)" = "$before"
verdict "... it runs" kill -0 "${pid_of[churn]}"
verdict "... and has said no error" sh -c "! grep -Eiv '^ready|^watching|came|gone|went' '$tmp/churn.err' | grep -i 'error\|cannot'"
run "$S" nmap -n -Pn -T4 -sS -p 20-29 10.77.0.2 >/dev/null
verdict "... and sees" opened churn --rule port-scan --source 10.77.0.1
stop_monitor churn
finish
