#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# What `reconmon explain` says of every alert of the captures in tests/data, applied; and the ways to
# name what is to be explained.
set -u
RECONMON=${RECONMON:-build/reconmon}
export RECONMON_CONFIG=/dev/null
tmp=$(mktemp -d "${TMPDIR:-/tmp}/reconmon-explain.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
bad=0

# says NAME REGEX COMMAND... - what it prints matches.
says() {
	local name=$1 regex=$2 out

	shift 2
	out=$("$@" 2>&1)
	if grep -Eq -- "$regex" <<<"$out"; then
		echo "ok      $name"
	else
		echo "FAILED  $name: no '$regex' in: $(head -c 400 <<<"$out")"
		bad=1
	fi
}

# code NAME STATUS COMMAND...
code() {
	local name=$1 status=$2 r

	shift 2
	"$@" >/dev/null 2>&1
	r=$?
	[ "$r" -eq "$status" ] && echo "ok      $name: exit $status" && return
	echo "FAILED  $name: exit $r, not $status"
	bad=1
}

python3 tests/conformance/explain.py "$RECONMON" "$(command -v tshark || echo -)" "$tmp" \
	tests/data/*.pcap.gz || bad=1

scan=tests/data/nmap-sS-three-ports.pcap.gz
"$RECONMON" replay -q --json "$scan" tests/data/nmap-sweep-22.pcap.gz >"$tmp/alerts.json"
id=$(grep '"rule":{"id":"sweep"' "$tmp/alerts.json" | grep -Eo '"id":"[0-9a-f]{8}-[0-9a-f]+-[0-9]+"' |
	head -n 1 | cut -d'"' -f4)
says "an alert log: every alert" '^port-scan .*10.77.0.2' "$RECONMON" explain "$tmp/alerts.json"
says "one id of it" "^sweep $id" "$RECONMON" explain "$id" "$tmp/alerts.json"
[ "$("$RECONMON" explain --json "$id" "$tmp/alerts.json" | wc -l)" -eq 1 ] ||
	{ echo "FAILED  more than the id that was asked for"; bad=1; }
says "from standard input" "^sweep $id" \
	sh -c "'$RECONMON' explain '$id' - <'$tmp/alerts.json'"
gzip -k "$tmp/alerts.json" # as logrotate leaves it
says "one that was compressed" "^sweep $id" "$RECONMON" explain "$id" "$tmp/alerts.json.gz"
says "compressed, from standard input" "^sweep $id" \
	sh -c "'$RECONMON' explain '$id' - <'$tmp/alerts.json.gz'"
{ head -c 300 "$tmp/alerts.json" && echo && cat "$tmp/alerts.json"; } >"$tmp/torn.json"
says "one whose first line was written in part" "^sweep $id" "$RECONMON" explain "$id" "$tmp/torn.json"
: >"$tmp/quiet.json"
says "one without alerts" 'nothing to explain' "$RECONMON" explain "$tmp/quiet.json"
code "one without alerts" 0 "$RECONMON" explain "$tmp/quiet.json"
says "each port has its service and answer" '^ +22 +ssh +open +it answered' \
	"$RECONMON" explain "$scan"
says "without names" '^ +22 +open' "$RECONMON" explain -n "$scan"
says "an id that is not there" "no alert $id in what was read" "$RECONMON" explain "$id" "$scan"
code "an id that is not there" 1 "$RECONMON" explain "$id" "$scan"
says "nothing to explain is no error" 'nothing to explain' \
	"$RECONMON" explain tests/data/nmap-sS-two-ports.pcap.gz
code "nothing to explain is no error" 0 "$RECONMON" explain tests/data/nmap-sS-two-ports.pcap.gz
says "an id alone asks the daemon, which is not there" 'asks the daemon.*nobody.sock' \
	"$RECONMON" explain --control "$tmp/nobody.sock" "$id"
code "--output means nothing to it" 2 "$RECONMON" explain --output stdout "$scan"
code "no argument" 2 "$RECONMON" explain
code "no such file" 1 "$RECONMON" explain "$tmp/none"
{
	cat "$tmp/alerts.json"
	echo 'half a line {"event":'
	echo '{"event":{"dataset":"reconmon.alert","id":"00-00"},"rule":{"id":"\u001b[31mred"}}'
} >"$tmp/torn.json"
says "lines that are no alerts are counted" '1 lines of [0-9]+ are no alerts' \
	"$RECONMON" explain "$tmp/torn.json"
says "an alert without sense is named" 'alert 00-00: its document makes no sense' \
	"$RECONMON" explain "$tmp/torn.json"
exit "$bad"
