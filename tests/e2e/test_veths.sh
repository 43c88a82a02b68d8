#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Interfaces come and go, 50 at a time, during a scan: descriptors, memory, links and pins are what they
# were before, and the scan is found.
# RECONMON_CHURN: how many veth pairs in all (200; the promise is made for 2000).
# shellcheck disable=SC2317 # some functions are called through verdict and wait_until only
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
need nmap

AT_ONCE=50
PAIRS=${RECONMON_CHURN:-200}
setup
bpf=$tmp/bpf
mkdir "$bpf"
mount -t bpf bpf "$bpf" || give_up "cannot mount a BPF file system"
unmount() {
	umount "$bpf"
	cleanup
}
trap unmount EXIT

for i in $(seq 1 $AT_ONCE); do
	echo "link add veth$i up group 7 type veth peer name peer$i"
	echo "link set peer$i up"
done >"$tmp/come"

monitor veths "$T" -i t0 -i 'veth*' -i 'peer*' --tick 200ms --settle 500ms -q "--pin=$bpf/pin"
pid=${pid_of[veths]}
descriptors() {
	find "/proc/$pid/fd" -mindepth 1 | wc -l
}
held() { # links that the daemon has open, those of its pins
	grep -l '^link_type' "/proc/$pid/fdinfo/"* 2>/dev/null | wc -l
	find "$bpf/pin" -name 'link_*_*' | wc -l
}
resident() {
	awk '/^RssAnon/ { print $2 }' "/proc/$pid/status"
}
all_hooked() {
	[ "$(find "$bpf/pin" -name 'link_*_*' | wc -l)" -ge $((2 + 4 * AT_ONCE)) ]
}
was_descriptors=$(descriptors)
was_held=$(held)
as_before() {
	[ "$(descriptors) $(held)" = "$was_descriptors $was_held" ] ||
		{ echo "descriptors $(descriptors), were $was_descriptors; links and pins $(held), were $was_held"; return 1; }
}

ip netns exec "$S" nmap -n -Pn -sS --scan-delay 300ms --max-retries 0 -p 1-20 10.77.0.2 >/dev/null 2>&1 &
pids+=($!)
rounds=$(((PAIRS + AT_ONCE - 1) / AT_ONCE))
hooked=0
for round in $(seq 1 "$rounds"); do
	ip -n "$T" -batch "$tmp/come" || give_up "cannot make $AT_ONCE veth pairs"
	if [ $((round % 8)) -eq 1 ]; then # else some go before they were seen
		wait_until 20 all_hooked && hooked=$((hooked + 1))
	fi
	ip -n "$T" link del group 7 || give_up "cannot remove veth pairs"
	if [ "$round" -eq 2 ]; then # it has what it needs for so many
		wait_until 20 as_before >/dev/null
		was_resident=$(resident)
	fi
done
verdict "all $((2 * AT_ONCE)) interfaces of a round were hooked, $hooked times" test "$hooked" -eq $(((rounds + 7) / 8))
wait_until 20 as_before >/dev/null
verdict "$((rounds * AT_ONCE)) pairs later: descriptors, links and pins as before" as_before
now_resident=$(resident)
verdict "memory as after the first ($was_resident kB, $now_resident kB)" test "$now_resident" -le $((was_resident + 512))
opened veths --rule port-scan --iface t0
verdict "the scan meanwhile is found" alerts veths --rule port-scan --source 10.77.0.1 --iface t0
kill -USR1 "$pid"
verdict "nothing was lost" wait_until 5 grep -Eq '^ +lost +0 ' "$tmp/veths.err"
stop_monitor veths
run "$T" "$RECONMON" unpin -q "--pin=$bpf/pin"
verdict "nothing is left" nothing_pinned "$bpf"
finish
