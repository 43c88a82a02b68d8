#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The log of attempts, live: a row for each port of a scan, as Zeek's conn.log has them, with the
# process that did it; one for payload only if all are asked for; a new file after SIGHUP.
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
need nmap curl

# shellcheck disable=SC2317 # called by name
# has FILE N COLUMN=VALUE... - exactly N such rows (attempts.py).
has() {
	python3 "$E2E/attempts.py" "$@"
}

# awaits FILE N COLUMN=VALUE... - until there are.
awaits() {
	wait_until 15 has "$@" >/dev/null
}

setup
start listen "$T" python3 "$E2E/serve.py" listen 22 80
fast=(--tick 200ms --settle 500ms --settle-open 1s)
log=$tmp/probes.conn.log
all=$tmp/all.conn.log
monitor target "$T" -i t0 "${fast[@]}" --attempts-file "$log"
monitor scanner "$S" -i s0 "${fast[@]}" --attempts=all --attempts-file "$all"

run "$S" nmap -n -Pn -T4 --disable-arp-ping --max-retries 0 -sS -p 20-29 10.77.0.2 >"$tmp/nmap.out" 2>&1 ||
	bad "nmap" "$(tail -n 1 "$tmp/nmap.out")"
run "$S" python3 - <<'P' # a connection that carries payload
import socket

s = socket.create_connection(("10.77.0.2", 80))
s.sendall(b"hello")
s.close()
P
awaits "$log" 10 id.orig_h=10.77.0.1
verdict "a row for each port that was looked at" has "$log" 10 id.orig_h=10.77.0.1 orig_bytes=0
verdict "... nine of them refused" has "$log" 9 conn_state=REJ history=Sr reconmon_answer=closed
verdict "... one half open" has "$log" 1 conn_state=RSTO id.resp_p=22 history=ShR \
	reconmon_answer=open
verdict "... and none for payload" has "$log" 0 id.resp_p=80
awaits "$all" 11 id.orig_h=10.77.0.1
verdict "--attempts=all: payload has a row, without orig_bytes" has "$all" 1 id.resp_p=80 \
	orig_bytes=- conn_state=-
verdict "the scanner's side knows the process" has "$all" 10 reconmon_process=nmap orig_bytes=0

mv "$log" "$log.1"
kill -HUP "${pid_of[target]}"
run "$S" nmap -n -Pn -T4 --disable-arp-ping --max-retries 0 -sS -p 40-44 10.77.0.2 >"$tmp/nmap.out" 2>&1
awaits "$log" 5 conn_state=REJ
verdict "after SIGHUP rows go to a new file" has "$log" 5 conn_state=REJ
verdict "... and no more to the old" has "$log.1" 10 id.orig_h=10.77.0.1
stop_monitor target
stop_monitor scanner

# --- TSV on standard output, the alerts on standard error ---------------------------------------
ip netns exec "$T" "$RECONMON" -i t0 "${fast[@]}" --attempts >"$tmp/tsv" 2>"$tmp/tsv.err" </dev/null &
pid_of[tsv]=$!
pids+=($!)
wait_until 20 grep -qs '^ready' "$tmp/tsv.err"
run "$S" nmap -n -Pn -T4 --disable-arp-ping --max-retries 0 -sS -p 50-54 10.77.0.2 >"$tmp/nmap.out" 2>&1
awaits "$tmp/tsv" 5 conn_state=REJ
stop tsv
verdict "rows on standard output, as TSV" has "$tmp/tsv" 5 conn_state=REJ orig_bytes=0 proto=tcp
verdict "... which is closed" grep -q '^#close' "$tmp/tsv"
verdict "... and the alert on standard error" grep -q 'OPEN *port-scan 10.77.0.1' "$tmp/tsv.err"
finish
