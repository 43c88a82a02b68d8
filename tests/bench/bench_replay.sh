#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# How fast is replay, beside what only reads the same file? bench_replay.sh [PACKETS] (5,000,000).
# Makes its captures below build/ and removes them; see bench_replay.py for what is printed.
set -u
packets=${1:-5000000}
build=${BUILD:-build}
dir=$(mktemp -d "$build/bench-replay-XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
"$(dirname "$0")/bench_replay.py" "${RECONMON:-build/reconmon}" "$build/tests/bench/make_capture" \
	"$dir" "$packets"
