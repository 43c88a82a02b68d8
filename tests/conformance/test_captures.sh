#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Real captures made by others, through `reconmon replay`: the scans are found with their number of
# ports, nothing benign is accused. The captures' licences are not all stated, so they are read from
# RECONMON_SHARED (or the folder `shared` beside the checkout) and skipped aloud where that is missing.
set -u
RECONMON=${RECONMON:-build/reconmon}
data=${RECONMON_SHARED:-../shared}/conformance
if [ ! -d "$data" ]; then
	echo "no captures at $data (set RECONMON_SHARED): skipped"
	exit 77
fi
failed=0

# last FILE RULE [OPTION...] - "source>destination count" of the rule's alerts as they closed.
last() {
	local file=$1 rule=$2

	shift 2
	timeout 500 "$RECONMON" replay -q --json "$@" "$file" 2>/dev/null | python3 -c '
import json, sys
for line in sys.stdin:
    d = json.loads(line)
    a = d["reconmon"]["alert"]
    if a["state"] == "close" and d["rule"]["id"] == sys.argv[1]:
        print(d["source"]["ip"] + ">" + d.get("destination", {}).get("ip", "*"), a["port_count"])
' "$rule" | sort
}

expect() {
	local what=$1 want=$2 got=$3

	if [ "$want" = "$got" ]; then
		printf 'ok      %s\n' "$what"
	else
		printf 'FAILED  %s: expected "%s", got "%s"\n' "$what" "$want" "$got"
		failed=1
	fi
}

s=$data/scans
expect 'nmap -sS: 1,000 ports' '192.168.1.10>192.168.1.25 1000' "$(last "$s/nmap-sS-syn.pcap" port-scan)"
expect 'nmap -sT: 1,000 ports' '192.168.1.10>192.168.1.25 1000' \
	"$(last "$s/nmap-sT-connect.pcap" port-scan)"
expect 'nmap -sU: 1,000 ports' '192.168.1.10>192.168.1.25 1000' "$(last "$s/nmap-sU-udp.pcap" port-scan)"
expect 'nmap -sS of a filtered public host is no port-scan' '' \
	"$(last "$s/nmap-sS-filtered.pcapng" port-scan)"
expect '... but is with that network internal' '172.16.0.8>64.13.134.52 1000' \
	"$(last "$s/nmap-sS-filtered.pcapng" port-scan --internal 64.13.134.0/24)"
expect 'masscan of 1,001 UDP ports is basic-scanning' '172.31.15.102>* 1001' \
	"$(last "$s/masscan-udp-0-1000.pcap" basic-scanning)"
expect 'nmap -A of one port is none' '' "$(last "$s/nmap-A-port80.pcap" port-scan)"
expect 'nmap -O, two ports, is none' '' "$(last "$s/nmap-O-osdetect.pcapng" port-scan)"
expect 'zmap over the internet is no port-scan' '' "$(last "$s/zmap-sweep.pcap" port-scan)"
expect 'masscan over the internet is no port-scan' '' "$(last "$s/masscan-sweep-5ports.pcapng" port-scan)"
expect 'splunk: nmap -sS, the 998 ports with orig_bytes 0 and 2 unset' '192.168.1.10>192.168.1.25 1000' \
	"$(last "$s/nmap-sS-syn.pcap" port-scan --profile splunk)"
expect 'splunk: nmap -sU leaves orig_bytes unset' '' \
	"$(last "$s/nmap-sU-udp.pcap" port-scan --profile splunk)"

for f in "$data"/benign/*.pcap "$data"/benign/*.pcapng "$data"/zeek/*.pcap "$data"/zeek/*.pcapng; do
	got=$(timeout 500 "$RECONMON" replay -q "$f" 2>/dev/null)
	[ -z "$got" ] || expect "nothing in $(basename "$f")" '' "$got"
done
expect 'nothing in any benign capture' 0 "$failed"
exit "$failed"
