#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# From the packet of the third probe to the alert's line: bench_alert.sh [SCANS] (200). Default
# settings, so a tick of 1 s: the line must not wait for it. Prints one row of a table.
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
need mkfifo
scans=${1:-200}

setup
# An originator a scan, so that each raises an alert of its own.
for ((i = 0; i < scans; i++)); do
	echo "addr add 10.77.$((10 + i / 200)).$((1 + i % 200))/16 dev s0"
done | ip -n "$S" -batch - || give_up "cannot add $scans addresses"

mkfifo "$tmp/alerts"
ip netns exec "$T" "$RECONMON" --json -i t0 >"$tmp/alerts" 2>"$tmp/bench.err" </dev/null &
pid_of[bench]=$!
pids+=($!)
exec 9<"$tmp/alerts" # opened here, so that the daemon's side of the pipe opens too
wait_until 20 is_ready bench
if ! run "$S" python3 tests/bench/bench_alert.py 10.77.0.2 "$scans" <&9; then
	bad "time to the alert" "$(tail -n 3 "$tmp/bench.err")"
fi
cat <&9 >/dev/null & # the closing alerts are more than a pipe holds
pids+=($!)
exec 9<&-
stop_monitor bench
finish
