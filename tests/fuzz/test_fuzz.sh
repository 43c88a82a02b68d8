#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The fuzzers' short form, the same on every run: all inputs that ever showed a fault and all seeds,
# then some thousand mutations. `make fuzz` looks for longer.
set -u
bin=${FUZZ_BIN:-build/fuzz/tests/fuzz}
tmp=$(mktemp -d "${TMPDIR:-/tmp}/reconmon-fuzz.XXXXXX")
trap 'rm -rf "$tmp"' EXIT

tests/fuzz/run.sh "$bin" "$tmp" -runs=4000 -seed=1 -max_total_time=60
