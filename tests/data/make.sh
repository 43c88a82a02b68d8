#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# tests/data/make.sh [CAPTURE...]: records the captures of INDEX.tsv anew (all, or those named), each
# by running its command against a target in network namespaces. From the repository root, as root;
# needs nmap, hping3, masscan, zmap and tcpdump. Two recordings are never the same bytes; what
# tests/conformance/test_own.sh expects of them is.
#
#	scanner  s0 02:00:00:00:00:01 10.77.0.1 fd77::1 === t0 02:00:00:00:00:02 10.77.0.2 fd77::2  target
#
#	10.77.1.0/24, fd77:1::/64	all answered by the target
#	10.77.2.0/24			behind the target, which says "administratively prohibited"
#	10.77.0.9, fd77::9		nobody, with a hardware address
#	10.77.0.11 to .15		nobody's either: decoys, and masscan's own source
#
# The target listens at TCP 22, 80 and 443, answers at UDP 5000, and at SCTP 2905.
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
for c in nmap hping3 masscan zmap tcpdump; do
	command -v "$c" >/dev/null || give_up "$c is missing"
done
out=tests/data

network() {
	local a i

	setup
	ip -n "$S" link set s0 address 02:00:00:00:00:01
	ip -n "$T" link set t0 address 02:00:00:00:00:02
	ip netns exec "$S" ethtool -K s0 tx off >/dev/null 2>&1 # whole checksums on the wire
	ip netns exec "$T" ethtool -K t0 tx off >/dev/null 2>&1
	ip -n "$T" route add local 10.77.1.0/24 dev lo
	ip -n "$T" -6 route add local fd77:1::/64 dev lo
	ip -n "$T" route add prohibit 10.77.2.0/24
	ip -n "$T" route add blackhole 10.77.0.9/32
	ip -n "$S" -6 route add fd77:1::/64 via fd77::2
	ip netns exec "$T" sysctl -qw net.ipv4.ip_forward=1 net.ipv4.icmp_ratelimit=0 \
		net.ipv6.icmp.ratelimit=0 net.ipv4.icmp_msgs_per_sec=100000 net.ipv4.icmp_msgs_burst=100000
	for a in 10.77.0.2 10.77.0.9 fd77::2 fd77::9; do
		ip -n "$S" neigh replace "$a" lladdr 02:00:00:00:00:02 dev s0 nud permanent
	done
	for i in 1 11 12 13 14 15; do
		ip -n "$T" neigh replace "10.77.0.$i" lladdr 02:00:00:00:00:01 dev t0 nud permanent
	done
	ip -n "$T" neigh replace fd77::1 lladdr 02:00:00:00:00:01 dev t0 nud permanent
	for i in $(seq 0 255); do
		ip -n "$S" neigh replace "10.77.1.$i" lladdr 02:00:00:00:00:02 dev s0 nud permanent
		ip -n "$S" neigh replace "10.77.2.$i" lladdr 02:00:00:00:00:02 dev s0 nud permanent
	done
	start tcp "$T" python3 "$E2E/serve.py" listen 22 80 443
	start others "$T" python3 "$out/answer.py" --udp 5000 --sctp 2905
}

# record CAPTURE COMMAND TCPDUMP-OPTIONS EDIT-OPTIONS
record() {
	local capture=$1 command=$2 options=$3 edit=$4 dump

	[ "$edit" != - ] || edit=
	# shellcheck disable=SC2086 # options
	ip netns exec "$T" tcpdump -U -n $options -w "$tmp/raw.pcap" 2>"$tmp/tcpdump.log" &
	dump=$!
	pids+=("$dump")
	wait_until 10 grep -qs 'listening on' "$tmp/tcpdump.log" ||
		give_up "tcpdump: $(tail -n 1 "$tmp/tcpdump.log")"
	run "$S" bash -c "$command" >"$tmp/command.log" 2>&1
	sleep 1 # late answers
	kill -INT "$dump"
	reap "$dump"
	# shellcheck disable=SC2086 # options
	"$out/edit.py" $edit "$tmp/raw.pcap" "$out/$capture"
	printf '%-28s %6d packets, %6d bytes: %s\n' "$capture" \
		"$(gzip -dc "$out/$capture" | tcpdump -nr - 2>/dev/null | wc -l)" "$(stat -c %s "$out/$capture")" \
		"$(grep -v '^$' "$tmp/command.log" | tail -n 1 | cut -c 1-60)"
}

network
while IFS=$'\t' read -r capture command options edit _; do
	case $capture in '#'*|capture|'') continue ;; esac
	[ $# -eq 0 ] || [[ " $* " == *" $capture "* ]] || continue
	record "$capture" "$command" "$options" "$edit"
done <"$out/INDEX.tsv"
finish
