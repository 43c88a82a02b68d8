#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Every benchmark in turn, or those whose names are given (bench.sh path load): the programs bench_*
# of this folder, then its scripts bench_*. Nothing is asserted; the figures are read side by side, as
# they were measured in this run, and kept in bench.json.
set -u
here=$(dirname "$0")
build=${BUILD:-build}

run_all() {
	local b name

	for b in "$build"/tests/bench/bench_* "$here"/bench_*.sh; do
		name=$(basename "$b" .sh)
		if [ ! -f "$b" ] || [ ! -x "$b" ]; then
			continue
		fi
		if [ $# -gt 0 ] && [[ " $* " != *" ${name#bench_} "* ]]; then
			continue
		fi
		printf '\n== %s\n' "$name"
		"$b" 2>&1 || [ $? -eq 77 ] || echo "FAILED $name"
	done
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
run_all "$@" | tee "$log" | python3 "$here/table.py" "$build/bench.json"
! grep -q '^FAILED' "$log"
