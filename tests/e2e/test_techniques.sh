#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Every technique of the scanners that Debian has, by the scanner itself, over IPv4 and IPv6, judged
# on the target's host and on the scanner's: rule, technique, ports and answers of every alert, and
# no alert besides. What is run and wanted is techniques.tsv; what comes of it must be the table of
# docs/techniques.md, which `tests/e2e/test_techniques.sh --write` makes anew.
#
# One daemon a side for all rows at once. $Z, behind the target, is the third host that an idle scan
# and an FTP bounce need:
#
#	$T  tz0 10.78.0.1/24 === z0 10.78.0.2/24  $Z	(10.78.0.3: the zombie, nobody's for the kernel)
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
need nmap masscan zmap hping3
Z=rmZ$$
T0_MAC=02:00:00:00:00:02
Z0_MAC=02:00:00:00:00:03

techniques() {
	python3 "$E2E/techniques.py" "$@"
}

# configure NS SIDE - the addresses and routes of all rows.
configure() {
	techniques addresses "$2" >"$tmp/addresses-$2"
	ip -n "$1" -batch "$tmp/addresses-$2" || give_up "cannot configure $1"
}

network() {
	setup
	ns_add "$Z"
	ns_join "$T" tz0 "$Z" z0
	ip -n "$T" link set t0 address $T0_MAC
	ip -n "$Z" link set z0 address $Z0_MAC
	addr_add "$T" tz0 10.78.0.1/24
	addr_add "$Z" z0 10.78.0.2/24
	ip -n "$Z" route add default via 10.78.0.1
	ip -n "$T" neigh replace 10.78.0.3 lladdr $Z0_MAC dev tz0 nud permanent
	configure "$T" t
	configure "$S" s
	# Sources are spoofed, by an idle scan even the target's own, and every refusal has to be said.
	run "$T" sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 \
		net.ipv4.conf.t0.rp_filter=0 net.ipv4.conf.t0.accept_local=1 \
		net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0 \
		net.ipv4.icmp_msgs_per_sec=100000 net.ipv4.icmp_msgs_burst=100000
	start zombie "$Z" python3 "$E2E/zombie.py" z0 10.78.0.3
	start third "$Z" python3 "$E2E/serve.py" listen 80
	start tcp "$T" python3 "$E2E/serve.py" listen 22 80 443
	start ftp "$T" python3 "$E2E/serve.py" bounce 21
	# shellcheck disable=SC2046 # a list of addresses
	start others "$T" python3 tests/data/answer.py --udp 5000 --sctp 2905 --at $(techniques listen)
}

# The last scan, when all others are done, of what stays silent: once it has ripened on a side, all
# that came before has.
last_scan() {
	run "$S" nmap -n -Pn -T4 --max-retries 0 -sS -p 1-3 10.77.9.250 >"$tmp/last.out" 2>&1 ||
		bad "nmap" "$(tail -n 1 "$tmp/last.out")"
	for m in target scanner; do
		opened "$m" --source 10.77.2.250 || bad "the last scan ($m)" "is no alert"
		stop_monitor "$m"
	done
}

network
monitor target "$T" -i t0 -i tz0 --tick 200ms
monitor scanner "$S" -i s0 --tick 200ms
mkdir "$tmp/logs"
techniques commands "$tmp/logs" $T0_MAC >"$tmp/commands"
run "$S" xargs -P 12 -d '\n' -I '{}' sh -c '{}' <"$tmp/commands"
last_scan
techniques judge "$tmp/logs" docs/techniques.md "$tmp/target.json" "$tmp/scanner.json" "$@" \
	>"$tmp/verdict" 2>&1 || touch "$tmp/failed"
cat "$tmp/verdict"
finish
