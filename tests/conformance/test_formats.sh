#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# What `reconmon replay` says of every capture here, in all formats at once, read by strict readers
# (formats.py): names and types of ECS, OCSF and Zeek's notice.log, escaping of CEF and LEEF, a
# mapping in deploy/elasticsearch for every field; and the same alerts in all of them.
set -u
RECONMON=${RECONMON:-build/reconmon}
export RECONMON_CONFIG=/dev/null
tmp=$(mktemp -d "${TMPDIR:-/tmp}/reconmon-formats.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
failed=0 captures=0

for capture in tests/data/*.pcap.gz tests/data/zeek/*.pcap*; do
	out=$tmp/$(basename "$capture") && mkdir "$out"
	# Not all of them are of private addresses, and some are of those that the database knows.
	"$RECONMON" replay -q --internal 0.0.0.0/1,128.0.0.0/2,::/0 --geoip "$PWD/tests/data/geo/city.mmdb" \
		--geoip "$PWD/tests/data/geo/asn.mmdb" --output "file:$out/ecs.json" \
		--output "file:$out/ocsf.json,format=ocsf" --output "file:$out/cef,format=cef" \
		--output "file:$out/leef,format=leef" --output "file:$out/notice.log,format=zeek-tsv" \
		--output "file:$out/notice.json,format=zeek-json" "$capture" >"$tmp/err" 2>&1 </dev/null
	r=$?
	captures=$((captures + 1))
	[ $r -eq 0 ] || {
		printf 'FAILED  %s (exit %d): %s\n' "$capture" $r "$(cat "$tmp/err")"
		failed=1
	}
done
alerts=$(python3 tests/conformance/formats.py all "$tmp"/*/) || failed=1
printf '%s lines about alerts of %d captures, each in six formats\n' "$alerts" "$captures"
[ "${alerts:-0}" -gt 100 ] || failed=1 # or this tests nothing
exit $failed
