#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# What does the daemon cost while nothing happens? Start-up time, processor, wake-ups, memory: its own,
# resident with libraries and the kernel's maps it sees, and the kernel's.
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
need python3
setup
python3 tests/bench/bench_idle.py "$RECONMON" "$T" || bad "idle" "see above"
finish
