#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# What reconmon calls silent against what Zeek calls silent: the log of attempts of each capture in
# tests/data/zeek, connection by connection, against Zeek's own baseline (conns.py).
set -u
exec python3 tests/conformance/conns.py "${RECONMON:-build/reconmon}" tests/data/zeek \
	tests/conformance/zeek-exclusions.tsv
