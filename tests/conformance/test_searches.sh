#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The log of attempts under the two Splunk searches, and the rules themselves, against others' ground
# truth of real scans (searches.py). The captures' licences are not all stated, so they are read from
# RECONMON_SHARED (or the folder `shared` beside the checkout) and skipped aloud where that is missing.
set -u
scans=${RECONMON_SHARED:-../shared}/conformance/scans
if [ ! -d "$scans" ]; then
	echo "no captures at $scans (set RECONMON_SHARED): skipped"
	exit 77
fi
exec python3 tests/conformance/searches.py "${RECONMON:-build/reconmon}" "$scans"
