#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The app for Splunk, as far as that can be seen without one: splunk.py.
set -u
export RECONMON_CONFIG=/dev/null
exec python3 tests/conformance/splunk.py "${RECONMON:-build/reconmon}"
