#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# A scan that is split among many addresses, by nmap from each of them, over IPv4 and IPv6: one alert
# that names them, on the target and on the scanner's side. Many clients of services that are down: none.
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
need nmap

ports=(1 7 9 13 19 23 25 37 53 79 80 88 106 110 111 113 119 135 139 143 179 199 389 427 443 444 445 465 513
	514 515 543 544 548 554 587 631 646 873 990)

# split FAMILY TARGET PREFIX - two ports of TARGET from each of PREFIX1 to PREFIX20.
split() {
	local jobs=() n

	for n in {1..20}; do
		ip netns exec "$S" nmap "$1" -n -Pn -T4 --disable-arp-ping -sS -e s0 -S "$3$n" \
			-p "${ports[2 * n - 2]},${ports[2 * n - 1]}" "$2" >"$tmp/split$n.log" 2>&1 &
		jobs+=($!)
	done
	wait "${jobs[@]}" || bad "nmap $1 -S" "$(cat "$tmp"/split*.log | tail -n 3)"
}

setup
addr_add "$S" s0 10.77.3.{1..20}/16 10.77.4.{1..60}/16
addr_add "$S" s0 fd77::3:{1..20}/64
monitor target "$T"
monitor scanner "$S"

# Innocents first: 60 clients of two services that are down.
# shellcheck disable=SC2016 # python's
run "$S" python3 -c '
import socket
for n in range(1, 61):
	for port in (90, 442):
		s = socket.socket()
		s.bind((f"10.77.4.{n}", 0))
		assert s.connect_ex(("10.77.0.2", port))'
sleep 2
for m in target scanner; do
	verdict "60 clients of two dead services ($m)" alerts $m --opens 0
done

all=$(
	IFS=,
	echo "${ports[*]}"
)
split -4 10.77.0.2 10.77.3.
split -6 fd77::2 fd77::3:
for m in target scanner; do
	opened $m --rule distributed-scan --opens 2
	verdict "two alerts while the daemon runs ($m)" alerts $m --rule distributed-scan --opens 2
	stop_monitor $m
	for dest in 10.77.0.2 fd77::2; do
		verdict "40 ports split among 20 addresses: $dest ($m)" alerts $m --rule distributed-scan \
			--dest $dest --opens 1 --technique syn --transport tcp --closed rest \
			--ports "$all" --field 'reconmon.alert.originator_count=20' \
			--field 'reconmon.incident.id=.+-i.+'
	done
	verdict "nobody by himself ($m)" alerts $m --rule port-scan --opens 0
done
finish
