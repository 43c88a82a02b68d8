#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Where external originators are: in text, ECS and OCSF, over IPv4 and IPv6; a database that is
# replaced while the daemon runs; and what is said where there is no library, or no file.
# shellcheck disable=SC2317 # some functions are called through wait_until only
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
need nmap unshare

setup
addr_add "$S" s0 203.0.113.77/24 203.0.113.78/24 2001:db8:5::7/64
addr_add "$T" t0 203.0.113.2/24 2001:db8:5::2/64
python3 tests/data/geo/make.py "$tmp"
# shellcheck disable=SC2054 # the commas are our own
geo=(--geoip "$tmp/city.mmdb" --geoip "$tmp/asn.mmdb" --internal 10.0.0.0/8,203.0.113.2,2001:db8:5::2)

scan() { # SOURCE TARGET OPTION...
	local src=$1 dst=$2

	shift 2
	run "$S" nmap -n -Pn -T4 --disable-arp-ping -sS "$@" -S "$src" -e s0 -p 22,80,443 "$dst" >/dev/null
}
# has FILE PATTERN
has() {
	grep -Eqs -- "$2" "$1"
}

monitor geo "$T" -i t0 --tick 200ms --settle 500ms "${geo[@]}" --output stdout,format=ecs \
	--output "file:$tmp/text,format=text" --output "file:$tmp/ocsf,format=ocsf" \
	--output "file:$tmp/cef,format=cef"
scan 203.0.113.77 203.0.113.2
scan 2001:db8:5::7 2001:db8:5::2 -6
scan 10.77.0.1 10.77.0.2
verdict "text" wait_until 20 has "$tmp/text" 'port-scan 203\.0\.113\.77 \(DE, AS64496 Example Net AG\) -> 203\.0\.113\.2'
verdict "text, IPv6" wait_until 20 has "$tmp/text" "port-scan 2001:db8:5::7 \(FR, AS64511 R.+seau d'exemple\) -> "
verdict "text: an internal originator is nowhere" wait_until 20 has "$tmp/text" 'port-scan 10\.77\.0\.1 -> '
verdict "ECS" has "$tmp/geo.json" '"source":\{"address":"203\.0\.113\.77","ip":"203\.0\.113\.77","geo":\{"country_iso_code":"DE".*"as":\{"number":64496,"organization":\{"name":"Example Net AG"\}'
verdict "OCSF" has "$tmp/ocsf" '"src_endpoint":\{"ip":"203\.0\.113\.77","location":\{"country":"DE","region":"DE-BE","city":"Berlin"'
verdict "CEF" has "$tmp/cef" ' flexString2=DE, AS64496 Example Net AG flexString2Label=Origin '

# Replaced as geoipupdate does it, by another of the same name.
mkdir "$tmp/new"
python3 tests/data/geo/make.py "$tmp/new" asn-64499
mv "$tmp/new/asn.mmdb" "$tmp/asn.mmdb"
scan 203.0.113.78 203.0.113.2
verdict "a database that was replaced is used" wait_until 20 has "$tmp/text" '203\.0\.113\.78 \(DE, AS64499 Example Net AG\)'
verdict "... and that is said" has "$tmp/geo.err" "asn.mmdb' has changed and was opened again"
stop_monitor geo

"$RECONMON" replay -q --geoip "$tmp/none.mmdb" tests/data/nmap-sS.pcap.gz >"$tmp/out" 2>"$tmp/none.err"
r=$?
verdict "no such file: exit 1" test $r -eq 1
verdict "no such file: said" has "$tmp/none.err" "geoip '.*/none.mmdb': No such file or directory"
library=$(ldconfig -p | awk '/libmaxminddb.so.0/ { print $NF; exit }')
unshare -m sh -c "mount --bind /dev/null '$library' && exec '$RECONMON' replay -q --geoip '$tmp/city.mmdb' tests/data/nmap-sS.pcap.gz" \
	>"$tmp/out" 2>"$tmp/lib.err"
r=$?
verdict "no library: exit 1" test $r -eq 1
verdict "no library: said, with the remedy" has "$tmp/lib.err" 'libmaxminddb is needed for geoip and cannot be loaded: .*apt-get install libmaxminddb0'
finish
