#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Every benchmark in turn: the programs bench_* of this folder, then its scripts bench_*. Nothing is
# asserted; the figures are read side by side, as they were measured in this run.
set -u
here=$(dirname "$0")
failed=0
for b in "${BUILD:-build}"/tests/bench/bench_* "$here"/bench_*.sh; do
	if [ ! -f "$b" ] || [ ! -x "$b" ]; then
		continue
	fi
	printf '\n== %s\n' "$(basename "$b" .sh)"
	"$b"
	r=$?
	[ $r -eq 0 ] || [ $r -eq 77 ] || failed=1
done
exit $failed
