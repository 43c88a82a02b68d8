#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Throughput and processor time of traffic that is watched, beside others who watch: bench_load.py
# says what is printed.
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
need iperf3 ethtool
A=rmA$$ B=rmB$$
ns_add "$A"
ns_add "$B"
ns_join "$A" a0 "$B" b0
addr_add "$A" a0 10.79.0.1/24
addr_add "$B" b0 10.79.0.2/24
shortconn=${BUILD:-build}/tests/bench/shortconn
ip netns exec "$B" iperf3 -s >/dev/null 2>&1 </dev/null &
pids+=($!)
start http "$B" "$shortconn" 10.79.0.2 8079 0
sleep 0.5
python3 tests/bench/bench_load.py "$RECONMON" "$shortconn" "$A" "$B" || bad "load" "see above"
finish
