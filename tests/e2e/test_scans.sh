#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Real scans by nmap: one alert each, with everything right in its last document, on the target and
# on the scanner's side, over both families, answered and not.
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
need nmap

# scan NAME NMAP-OPTION... - in $S; nmap's own report of what it did goes to $tmp/NAME.xml.
scan() {
	local name=$1

	shift
	run "$S" nmap -n -Pn -T4 --disable-arp-ping -oX "$tmp/$name.xml" "$@" >"$tmp/$name.out" 2>&1 ||
		bad "nmap ($name)" "$(tail -n 1 "$tmp/$name.out")"
}

# both SENTENCE OPTION... - the same alert on either side.
both() {
	local sentence=$1

	shift
	verdict "$sentence: the target's side" alerts target "$@" --iface t0
	verdict "$sentence: the scanner's side" alerts scanner "$@" --iface s0
}

setup
# A target address a scan, so that one scan is one pair of hosts, and all can run at once.
for i in 11 12 13 14 15 16; do
	addr_add "$T" t0 "10.77.0.$i/16" "fd77::$i/64"
done
# .3 scans what drops: .17 has no way to answer it; .18 belongs to nobody, but has a hardware address.
addr_add "$S" s0 10.77.0.3/16
addr_add "$T" t0 10.77.0.17/16
ip -n "$T" route add blackhole 10.77.0.3/32
ip -n "$S" route add 10.77.0.17/32 dev s0 src 10.77.0.3
for a in 10.77.0.17 10.77.0.18 fd77::18; do
	ip -n "$S" neigh replace "$a" lladdr "$(mac_of "$T" t0)" dev s0 nud permanent
done
start listen "$T" python3 "$E2E/serve.py" listen 22 25 80

# --- with the defaults: no option but --json -----------------------------------------------------
monitor plain "$T"
scan plain -sS -p 22,445,3389 10.77.0.2
verdict "defaults: an alert while the daemon runs" opened plain --rule port-scan --source 10.77.0.1
stop_monitor plain
verdict "defaults: nmap -sS -p 22,445,3389" alerts plain --rule port-scan --source 10.77.0.1 \
	--dest 10.77.0.2 --ports 22,445,3389 --open 22 --closed 445,3389 --none '' --filtered '' \
	--transport tcp --final close
verdict "defaults: and nothing else" alerts plain

# --- every scan, on both sides at once -----------------------------------------------------------
fast=(--tick 200ms --settle 500ms)
monitor target "$T" -i t0 "${fast[@]}"
monitor scanner "$S" -i s0 "${fast[@]}"
jobs=()
in_background() {
	"$@" &
	jobs+=($!)
}
in_background scan connect100 -sT -p 1-100 10.77.0.11
in_background scan syn100 -sS -p 1-100 10.77.0.12
in_background scan connectF -sT -F 10.77.0.13
in_background scan synF -sS -F 10.77.0.14
in_background scan connect3 -sT -p 22,445,3389 10.77.0.15
in_background scan syn3 -sS -p 22,445,3389 10.77.0.16
in_background scan v6connect100 -6 -sT -p 1-100 fd77::11
in_background scan v6syn100 -6 -sS -p 1-100 fd77::12
in_background scan v6connectF -6 -sT -F fd77::13
in_background scan v6synF -6 -sS -F fd77::14
in_background scan v6connect3 -6 -sT -p 22,445,3389 fd77::15
in_background scan v6syn3 -6 -sS -p 22,445,3389 fd77::16
in_background scan mute -sS --max-retries 0 -p 1-100 10.77.0.17
in_background scan nobody -sT --max-retries 0 -p 1-100 10.77.0.18
in_background scan v6nobody -6 -sS --max-retries 0 -p 1-100 fd77::18
wait "${jobs[@]}"
for m in target scanner; do
	opened "$m" --rule port-scan --opens 15
	verdict "all scans are open alerts before the end ($m)" alerts "$m" --rule port-scan --opens 15
	stop_monitor "$m"
done

answered=(--rule port-scan --none '' --filtered '' --transport tcp --final close)
hundred=("${answered[@]}" --ports 1-100 --open '22,25,80' --closed rest)
three=("${answered[@]}" --ports '22,445,3389' --open 22 --closed rest)
for family in v4 v6; do
	if [ $family = v4 ]; then
		net=10.77.0. from=10.77.0.1 x=''
	else
		net=fd77:: from=fd77::1 x=v6
	fi
	both "nmap -sT of 100 ports, $family" --source $from --dest ${net}11 "${hundred[@]}" \
		--technique connect
	both "nmap -sS of 100 ports, $family" --source $from --dest ${net}12 "${hundred[@]}" \
		--technique syn
	both "nmap -sT -F, $family" --source $from --dest ${net}13 "${answered[@]}" \
		--ports "@$tmp/${x}connectF.xml" --open '22,25,80' --closed rest
	both "nmap -sS -F, $family" --source $from --dest ${net}14 "${answered[@]}" \
		--ports "@$tmp/${x}synF.xml" --open '22,25,80' --closed rest
	both "nmap -sT -p 22,445,3389, $family" --source $from --dest ${net}15 "${three[@]}"
	both "nmap -sS -p 22,445,3389, $family" --source $from --dest ${net}16 "${three[@]}"
done
silent=(--rule port-scan --ports 1-100 --none 1-100 --open '' --closed '' --filtered '' --final close)
both "nmap -sS, the target drops" --source 10.77.0.3 --dest 10.77.0.17 "${silent[@]}"
both "nmap -sT, nobody is there" --source 10.77.0.1 --dest 10.77.0.18 "${silent[@]}"
both "nmap -6 -sS, nobody is there" --source fd77::1 --dest fd77::18 "${silent[@]}"
for m in target scanner; do
	verdict "no other alert ($m)" alerts "$m" --opens 15
done
finish
