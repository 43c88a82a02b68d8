#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Innocent work raises nothing, on either side, with default settings; all of it at once, since the
# slowest greeting takes 20 s. Each case has a pair of addresses of its own, so that an alert names
# its case. At the end a real scan shows that the daemons were awake.
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
need nmap curl iperf3

names=()
jobs=()
address() {
	echo "10.77.2.$((100 + $1))"
}

# pair N NAME - case N: 10.77.1.(100+N) talks to 10.77.2.(100+N).
pair() {
	addr_add "$S" s0 "10.77.1.$((100 + $1))/16"
	addr_add "$T" t0 "$(address "$1")/16"
	ip -n "$S" route add "$(address "$1")/32" dev s0 src "10.77.1.$((100 + $1))"
	names[$1]=$2
}

# work N COMMAND... - runs as case N's originator, in the background.
work() {
	local n=$1

	shift
	ip netns exec "$S" "$@" >"$tmp/work$n.log" 2>&1 </dev/null &
	jobs[n]=$!
}

setup
pair 0 "HTTP keep-alive: 300 requests over one connection, on each of 3 ports"
pair 1 "1,000 short HTTP requests, a connection each, over 4 ports"
pair 2 "the server speaks first, after 0.1, 3, 8 and 20 s, on 4 ports at once"
pair 3 "connections to 3 ports opened early: one used 10 s later, one never"
pair 4 "iperf3: bulk both ways, 4 streams"
pair 5 "DNS over UDP: 600 queries to 3 ports"
pair 6 "50 silent connections to one port at once"
pair 7 "passive FTP: five downloads of 200 KB and an upload, a data port each"
pair 8 "started amid 60 live connections that the server then closes"
pair 9 "started amid 60 live connections that the server then resets"

pair 10 "passive FTP: five listings of 1,800 bytes, a data port each"
pair 11 "the datagrams of traceroute, which end here"

server() {
	start "$1" "$T" python3 "$E2E/serve.py" "${@:2}"
}
server http http 8080 8081 8082 8083 3000 9090 9093
server greet greet 25:0.1 143:3 587:8 4190:20
server dns dns "53@$(address 5)" "5353@$(address 5)" "8853@$(address 5)"
server listen listen 22 7000
server ftp ftp 21
server fin hold 9000 fin "$tmp/end-fin"
server rst hold 9001 rst "$tmp/end-rst"
ip netns exec "$T" iperf3 -s -B "$(address 4)" >"$tmp/iperf3.log" 2>&1 </dev/null &
pids+=($!)
head -c 200000 /dev/zero >"$tmp/upload"

# These connections are older than the daemons.
start hold-fin "$S" python3 "$E2E/client.py" hold "$(address 8)" 9000 60
start hold-rst "$S" python3 "$E2E/client.py" hold "$(address 9)" 9001 60
monitor target "$T"
monitor scanner "$S"
touch "$tmp/end-fin" "$tmp/end-rst"

work 0 bash -c "set -e
	for port in 8080 8081 8082; do
		python3 $E2E/client.py keepalive $(address 0) \$port 300
	done"
work 1 python3 "$E2E/client.py" requests "$(address 1)" 1000 8080 8081 8082 8083
work 2 python3 "$E2E/client.py" greeted "$(address 2)" 25 143 587 4190
work 3 python3 "$E2E/client.py" early "$(address 3)" 10 3000 9090 9093
work 4 bash -c "set -e
	once() { # its server is busy for a moment after each
		for try in {1..50}; do
			iperf3 -c $(address 4) -t 3 \"\$@\" && return
			sleep 0.2
		done
		false
	}
	once
	once -R
	once -P 4"
work 5 python3 "$E2E/client.py" dns "$(address 5)" 600 53 5353 8853
work 6 python3 "$E2E/client.py" parallel "$(address 6)" 7000 50 5
mkdir "$tmp/down"
work 7 bash -c "set -e
	curl -sS --fail --output-dir $tmp/down --remote-name-all ftp://$(address 7)/{1,2,3,4,5}
	curl -sS --fail -T $tmp/upload ftp://$(address 7)/upload
	[ \$(cat $tmp/down/* | wc -c) -eq 1000000 ]"
work 10 bash -c "set -e
	for n in 1 2 3 4 5; do
		[ \$(curl -sS --fail -l ftp://$(address 10)/ | wc -l) -eq 300 ]
	done"
work 11 bash -c "
	for port in {33434..33449}; do
		echo hop >/dev/udp/$(address 11)/\$port
		sleep 0.2 # or the target keeps most of its answers for itself
	done"
for n in "${!jobs[@]}"; do
	wait "${jobs[n]}" || bad "${names[n]}" "the work itself failed: $(tail -n 2 "$tmp/work$n.log")"
done
for h in hold-fin hold-rst; do
	wait "${pid_of[$h]}" || bad "$h" "the work itself failed: $(tail -n 2 "$tmp/$h.log")"
done
sleep 4 # a tick and a settle, and some

for n in "${!names[@]}"; do
	a=$((100 + n))
	for m in target scanner; do
		verdict "${names[n]}: nothing ($m)" sh -c "
			python3 $E2E/alerts.py $tmp/$m.json --source 10.77.1.$a --opens 0 &&
			python3 $E2E/alerts.py $tmp/$m.json --source 10.77.2.$a --opens 0"
	done
done
for m in target scanner; do
	verdict "no alert at all so far ($m)" alerts $m --opens 0
done

run "$S" nmap -n -Pn -T4 -sS -p 20-30 10.77.0.2 >/dev/null
for m in target scanner; do
	opened $m --rule port-scan
	verdict "and a scan is still caught ($m)" alerts $m --rule port-scan --source 10.77.0.1 \
		--dest 10.77.0.2
	stop_monitor $m
	verdict "nothing more at the end ($m)" alerts $m --final close
done
finish
