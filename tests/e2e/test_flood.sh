#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Floods with forged addresses and a scan in the middle of each; scans of all ports at full speed,
# by the daemon, by the reference build and by replay alike. Nothing is said about times: how fast a
# flood gets here depends on the machine, and tests/bpf/test_flood.c sends five million SYNs.
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
need hping3 nmap masscan tcpdump
RECONMON_LRU=${RECONMON_LRU:-build/reconmon-lru}

# flood SECONDS HPING-OPTION... - in the background; $flooding is its process.
flood() {
	local s=$1

	shift
	ip netns exec "$S" timeout "$s" hping3 --flood --rand-source "$@" >/dev/null 2>&1 &
	flooding=$!
	pids+=("$flooding")
}

stop_flood() {
	kill "$flooding" # timeout passes it on
	reap "$flooding"
}

# counter NAME COUNTER - what a monitor said of it last, after SIGUSR1.
counter() {
	awk -v name="$2" '$1 == name { n = $2 } END { print n + 0 }' "$tmp/$1.err"
}

counters() {
	kill -USR1 "${pid_of[$1]}"
	wait_until 10 grep -q ' lost  *[0-9]' "$tmp/$1.err"
}

resident() {
	awk '/^VmRSS/ { print $2 }' "/proc/${pid_of[$1]}/status"
}

# guards PYTHON - an expression over what `status` says of the guard of the monitor that runs: `g`.
# shellcheck disable=SC2317 # called through wait_until
guards() {
	"$RECONMON" status --json >"$tmp/status.json" && python3 - "$tmp/status.json" "$1" <<-'EOF'
		import json, sys
		s = json.load(open(sys.argv[1]))
		g = s["guard"]
		sys.exit(not eval("(" + sys.argv[2] + ")"))
	EOF
}

# last_field NAME FIELD - of the last document about who scans.
last_field() {
	grep '"ip":"10.77.0.1"' "$tmp/$1.json" | tail -n 1 | python3 -c 'import json, sys
d = json.load(sys.stdin)
for k in sys.argv[1].split("."):
    d = d[k]
print(d)' "$2"
}

# dump NAME FILTER - what comes to the target, into $tmp/NAME.pcap, until stop_dump.
dump() {
	ip netns exec "$T" tcpdump --immediate-mode -U -i t0 -B 65536 -s 96 -w "$tmp/$1.pcap" "$2" 2>"$tmp/tcpdump.err" &
	dumping=$!
	pids+=("$dumping")
	wait_until 10 grep -q 'listening on' "$tmp/tcpdump.err" || give_up "tcpdump does not start"
}

stop_dump() {
	kill -INT "$dumping"
	reap "$dumping"
}

setup
for a in 21 22 23 24; do
	addr_add "$T" t0 "10.77.0.$a/16"
done
ip -n "$T" route add default dev t0 # forged addresses are answered into the void
ip -n "$T" neigh add 10.77.0.1 lladdr "$(mac_of "$S" s0)" dev t0 nud permanent

# --- at one port: ten ports, one by one; the flooded one is the sixth ----------------------------
monitor one "$T" -i t0 --tick 200ms --guard-rate 1000
flood 60 -S -p 80 10.77.0.21
verdict "the guard engages and names the service" wait_until 15 \
	grep -q "guard engages: more than 1000 attempts a second at 10.77.0.21 tcp port 80 (in on t0)" "$tmp/one.err"
verdict "status: engaged, for which service, since when, how many" wait_until 10 guards 'g["rate"] == 1000 and
	g["engaged"] and [(f["responder"], f["port"], f["protocol"], f["direction"], f["interface"])
	for f in g["services"]] == [("10.77.0.21", 80, "tcp", "ingress", "t0")] and
	s["started"] < g["services"][0]["since"] < g["services"][0]["last"] <= s["time"] and
	0 < g["services"][0]["unfollowed"] <= g["unfollowed"]'
verdict "status: likewise in words" grep -Ex \
	'  10\.77\.0\.21 tcp port 80 \(in on t0\): since 2[^ ]+Z, [1-9][0-9]* attempts not followed, last 2[^ ]+Z' \
	<("$RECONMON" status)
before=$(resident one)
for port in 70 72 74 76 78 80 82 84 86 88; do
	run "$S" nmap -n -Pn -sS --disable-arp-ping -p $port 10.77.0.21 >/dev/null 2>&1 # some may be lost
done
verdict "ten ports amid a flood at one of them: found" opened one --rule port-scan \
	--source 10.77.0.1 --dest 10.77.0.21
after=$(resident one)
verdict "memory is flat" test $((after - before)) -lt 16384
stop_flood
verdict "the guard lets go by itself" wait_until 25 \
	grep -q "guard lets go of 10.77.0.21 tcp port 80" "$tmp/one.err"
verdict "status: not engaged, the sum stays" guards 'not g["engaged"] and not g["services"] and
	g["unfollowed"] == {c["name"]: c["value"] for c in s["counters"]}["attempts_unfollowed"] > 0'
run "$S" nmap -n -Pn -sS --disable-arp-ping --max-retries 0 -p 80 10.77.0.22 >/dev/null 2>&1
counters one
verdict "what was left out is counted at its service" test \
	"$(sed -n 's/.*guard lets go of .*: \([0-9]*\) attempts.*/\1/p' "$tmp/one.err")" -eq \
	"$(counter one attempts_unfollowed)"
verdict "no evidence was lost" test "$(counter one lost)" -eq 0
stop_monitor one
verdict "all ten, in one alert" alerts one --rule port-scan --opens 1 --source 10.77.0.1 \
	--dest 10.77.0.21 --ports 70,72,74,76,78,80,82,84,86,88
verdict "the alert says what may be missing" test \
	"$(last_field one reconmon.alert.unfollowed)" -gt 0
verdict "nobody else is accused" alerts one --opens 1

# --- at any port --------------------------------------------------------------------------------
monitor any "$T" -i t0 --tick 200ms
flood 60 -S -p ++1 10.77.0.23
dump scan 'src host 10.77.0.1' # a flood may fill queues before us: what arrives is what counts
sleep 1
run "$S" nmap -n -Pn -sS -T4 --disable-arp-ping --min-rate 100 --max-rate 200 --max-retries 0 \
	-p 20001-20100 10.77.0.23 >/dev/null 2>&1
verdict "a hundred ports within a second, amid a flood over all ports: found" opened any \
	--rule port-scan --source 10.77.0.1 --dest 10.77.0.23
stop_dump
stop_flood
sleep 3
stop_monitor any
came=$(tcpdump -n -r "$tmp/scan.pcap" 2>/dev/null | awk '$7 == "[S]," { print $5 }' | sort -u | wc -l)
n=$(last_field any reconmon.alert.port_count)
verdict "... nine of ten that came, at least" test "$n" -ge $((came * 9 / 10)) -a "$came" -gt 10

# --- every port of a host, at full speed: live, by the reference build, by replay ----------------
# ports NAME DEST - what the last document about a scan of DEST lists.
ports() {
	grep -E "\"destination\":\{[^}]*\"$2\"" "$tmp/$1.json" | tail -n 1 |
		grep -o '"ports":"[^"]*"'
}

# alike SENTENCE DEST - the three agree.
alike() {
	verdict "$1: one alert" alerts live --rule port-scan --opens 1 --dest "$2"
	verdict "$1: its ports" test -n "$(ports live "$2")"
	verdict "$1: as by the reference build" test "$(ports live "$2")" = "$(ports lru "$2")"
	verdict "$1: as by replay" test "$(ports live "$2")" = "$(ports replay "$2")"
}

[ -x "$RECONMON_LRU" ] || give_up "no $RECONMON_LRU; make lru"
monitor live "$T" -i t0 --tick 200ms
RECONMON=$RECONMON_LRU monitor lru "$T" -i t0 --tick 200ms
dump all tcp
run "$S" nmap -n -Pn -sS -T5 --disable-arp-ping -p- 10.77.0.22 >/dev/null 2>&1
mac=$(mac_of "$T" t0)
run "$S" masscan 10.77.0.24 -p 1-65535 --rate 10000000 --wait 1 -e s0 --router-mac "${mac//:/-}" \
	--adapter-ip 10.77.0.1 >/dev/null 2>&1
sleep 1
stop_monitor live
stop_monitor lru
stop_dump
"$RECONMON" replay --json "$tmp/all.pcap" >"$tmp/replay.json" 2>"$tmp/replay.err"
verdict "nothing was dropped by the capture" grep -q '^0 packets dropped by kernel' "$tmp/tcpdump.err"
verdict "nmap -T5 -p-: every port" alerts live --rule port-scan --opens 1 --dest 10.77.0.22 \
	--ports 1-65535
alike "nmap -T5 -p-" 10.77.0.22
alike "masscan of all ports at full speed" 10.77.0.24 # as many as got through the queues
finish
