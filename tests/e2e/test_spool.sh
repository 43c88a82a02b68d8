#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Receivers that are killed amid a scan lose nothing, nor does it cost an alert if reconmon is killed
# (-9) while they are away: what was said beside, to a file, is what they have in the end.
# AWAY=60 keeps them away for a minute.
# shellcheck disable=SC2317 # some functions are called through wait_until only
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
need nmap openssl

AWAY=${AWAY:-1}
echo s3cret >"$tmp/token"
mkdir "$tmp/state"
export STATE_DIRECTORY=$tmp/state
kinds=(hook hec es line tls)
# shellcheck disable=SC2054 # the commas are our own
outputs=(--output "file:$tmp/said.json"
	--output "webhook:http://127.0.0.1:18181/hook,token-file=$tmp/token"
	--output "hec:http://127.0.0.1:18182,token-file=$tmp/token,index=sec"
	--output "elasticsearch:http://127.0.0.1:18183,token-file=$tmp/token"
	--output "syslog:tcp:127.0.0.1:18184,format=ecs"
	--output "syslog:tls:127.0.0.1:18185,format=ecs,ca=$tmp/ca.pem")

receivers_start() {
	start hook "$T" python3 "$E2E/collector.py" webhook 18181 "$tmp/hook.json"
	start hec "$T" python3 "$E2E/collector.py" hec 18182 "$tmp/hec.json"
	start es "$T" python3 "$E2E/collector.py" elasticsearch 18183 "$tmp/es.json"
	start line "$T" python3 "$E2E/lines.py" 18184 "$tmp/line.json"
	start tls "$T" python3 "$E2E/lines.py" 18185 "$tmp/tls.json" "$tmp/cert.pem"
}

receivers_kill() {
	for k in "${kinds[@]}"; do
		stop "$k" KILL
		rm -f "$tmp/$k.log" # its "up"
	done 2>/dev/null
}

scan() { # SOURCE PORTS
	ip -n "$S" addr add "$1/16" dev s0 2>/dev/null
	run "$S" nmap -n -Pn -T4 --disable-arp-ping -sS -S "$1" -e s0 -p "$2" 10.77.0.2 >/dev/null
}

said() { # SOURCE - an alert about it was written to the file
	grep -qs "\"source\":{\"address\":\"$1\"" "$tmp/said.json"
}

kept() { # SOURCE - and is in every spool, or with a receiver
	local d n=0

	for d in "$tmp"/state/spool/*/; do
		grep -qsaF "\"source\":{\"address\":\"$1\"" "$d"*.spool && n=$((n + 1))
	done
	[ "$n" -eq ${#kinds[@]} ]
}

delivered() { # KIND
	python3 "$E2E/delivered.py" "$tmp/said.json" "$tmp/$1.json"
}

is_delivered() { # KIND
	delivered "$1" >/dev/null 2>&1
}

all_delivered() {
	for k in "${kinds[@]}"; do
		is_delivered "$k" || return 1
	done
}

empty_spools() {
	[ -z "$(find "$tmp/state/spool" -name '*.spool')" ]
}

setup
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=collector -addext "subjectAltName=IP:127.0.0.1" \
	-keyout "$tmp/key.pem" -out "$tmp/ca.pem" 2>"$tmp/openssl.err" || give_up "$(tail -n 1 "$tmp/openssl.err")"
cat "$tmp/ca.pem" "$tmp/key.pem" >"$tmp/cert.pem"
receivers_start
monitor one "$T" -i t0 --tick 200ms --settle 500ms "${outputs[@]}"
scan 10.77.1.1 1-50
wait_until 20 said 10.77.1.1
verdict "receivers that are well: all is delivered" wait_until 20 all_delivered
verdict "receivers that are well: nothing stays on disk" wait_until 5 empty_spools

# They die amid a scan, and come back.
run "$S" nmap -n -Pn --disable-arp-ping -sS --scan-delay 20ms --max-retries 0 -p 1-100 10.77.0.2 >/dev/null &
scanner=$!
sleep 0.7
receivers_kill
wait "$scanner"
scan 10.77.1.2 1-50
verdict "they are killed: said" wait_until 20 grep -q 'alerts wait until it works again' "$tmp/one.err"
verdict "they are killed: what waits is on disk" wait_until 20 kept 10.77.1.2
in_spools() { # every spool has something, by `reconmon status`
	run "$T" "$RECONMON" status --json | python3 -c 'import json, sys
outputs = [o["spool"] for o in json.load(sys.stdin)["outputs"] if o["spool"]]
sys.exit(len(outputs) != 5 or not all(o["records"] > 0 and o["bytes"] > 0 for o in outputs))'
}
verdict "they are killed: reconmon status has what waits" in_spools
sleep "$AWAY"
receivers_start
verdict "they are back: all is delivered" wait_until 30 all_delivered
verdict "they are back: nothing stays on disk" wait_until 5 empty_spools
for k in "${kinds[@]}"; do
	verdict "they are back: $k has it in order" delivered "$k"
done

# They die, and so does reconmon.
receivers_kill
scan 10.77.1.3 1-50
wait_until 20 said 10.77.1.3
verdict "before kill -9: what waits is on disk" wait_until 20 kept 10.77.1.3
stop one KILL
verdict "modes: nobody else may read" sh -c \
	"! find '$tmp/state/spool' -type f ! -perm 600 | grep . && ! find '$tmp/state/spool' -type d ! -perm 700 | grep ."
last=$(find "$tmp/state/spool" -path '*hec*' -name '*.spool' | tail -n 1)
truncate -s -7 "$last" # as if it had been killed amid a write
monitor two "$T" -i t0 --tick 200ms --settle 500ms "${outputs[@]}"
verdict "a torn end is said" grep -q 'only written in part' "$tmp/two.err"
scan 10.77.1.4 1-50
wait_until 20 said 10.77.1.4
wait_until 20 kept 10.77.1.4
stop two TERM
r=$?
verdict "SIGTERM while they are away: nothing is lost, hence exit 0 (it was $r)" test $r -eq 0
verdict "... and what waits is said" grep -q 'alerts wait in .* for the next start' "$tmp/two.err"
receivers_start
monitor three "$T" -i t0 --tick 200ms --settle 500ms "${outputs[@]}"
for k in hook es line tls; do
	wait_until 20 is_delivered "$k"
	verdict "after kill -9 and a restart: $k has it all, in order" delivered "$k"
done
# Its torn record is the one that it lacks.
all_but_torn() {
	delivered hec 2>&1 | grep '^1 of ' >"$tmp/torn"
}
verdict "after kill -9 and a restart: hec has all but what was torn" wait_until 20 all_but_torn
stop_monitor three
verdict "ids: no document is there twice" sh -c \
	"! python3 -c 'import json,sys; [print(d[\"event\"][\"id\"], d[\"event\"][\"sequence\"]) for d in map(json.loads, open(sys.argv[1]))]' '$tmp/es.json' | sort | uniq -d | grep ."

# What waits for an output that is gone is said.
receivers_kill
monitor four "$T" -i t0 --tick 200ms --settle 500ms "${outputs[@]}"
scan 10.77.1.5 1-50
wait_until 20 kept 10.77.1.5
stop four TERM
monitor five "$T" -i t0
verdict "an output that is not configured any more: said" grep -q 'wait for an output that is not configured' "$tmp/five.err"
stop_monitor five

# The spool's disk is full: alerts wait in memory, and go to disk once there is room.
mkdir "$tmp/disk"
mount -t tmpfs -o size=64k none "$tmp/disk" || give_up "cannot mount a tmpfs"
unmount() {
	umount -l "$tmp/disk" 2>/dev/null
	cleanup
}
trap unmount EXIT
rm -f "$tmp/said.json" "$tmp/hook.json"
monitor six "$T" -i t0 --tick 200ms --settle 500ms --spool none --output "file:$tmp/said.json" \
	--output "webhook:http://127.0.0.1:18181/hook,token-file=$tmp/token,spool=$tmp/disk/spool"
dd if=/dev/zero of="$tmp/disk/ballast" bs=1k count=100 2>/dev/null
scan 10.77.1.6 1-50
verdict "the spool's disk is full: said" wait_until 20 grep -qi 'its spool takes nothing: no space left' "$tmp/six.err"
verdict "the spool's disk is full: said once" test "$(grep -c 'its spool takes nothing' "$tmp/six.err")" -eq 1
rm "$tmp/disk/ballast"
on_disk() {
	cat "$tmp"/disk/spool/*/*.spool 2>/dev/null | grep -qaF '"10.77.1.6"'
}
verdict "there is room again: what waited is on disk" wait_until 20 on_disk
stop six KILL
start hook "$T" python3 "$E2E/collector.py" webhook 18181 "$tmp/hook.json"
monitor seven "$T" -i t0 --spool none \
	--output "webhook:http://127.0.0.1:18181/hook,token-file=$tmp/token,spool=$tmp/disk/spool"
wait_until 20 is_delivered hook
verdict "... and is delivered after kill -9" delivered hook
stop_monitor seven
umount "$tmp/disk"
trap cleanup EXIT

# A spool of its own, asked for, that cannot be had.
run "$T" "$RECONMON" -i t0 --output "syslog:tcp:127.0.0.1:1,spool=/proc/none" 2>"$tmp/bad.err" >/dev/null
r=$?
verdict "a spool that cannot be made: exit 1" test $r -eq 1
verdict "a spool that cannot be made: said" grep -q "spool '/proc/none" "$tmp/bad.err"
finish
