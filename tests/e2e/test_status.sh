#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The control socket and `reconmon status`: what a daemon says of itself, who may ask, a socket that
# a killed daemon left, a second daemon, and clients that are slow or mean harm.
# shellcheck disable=SC2317,SC2016 # functions called through wait_until; backquotes that are text
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
need nmap

sock=$tmp/reconmon.sock
fast=(--tick 200ms --settle 500ms)

# status - text to $tmp/status, JSON to $tmp/status.json.
status() {
	"$RECONMON" status >"$tmp/status" 2>"$tmp/status.err" &&
		"$RECONMON" status --json >"$tmp/status.json"
}

# has PYTHON - an expression over the status `s` holds.
has() {
	python3 - "$tmp/status.json" "$1" <<-'EOF'
		import json, sys
		s = json.load(open(sys.argv[1]))
		counter = {c["name"]: c["value"] for c in s["counters"]}
		table = {t["name"]: t for t in s["tables"]}
		sys.exit(not eval("(" + sys.argv[2] + ")"))
	EOF
}

says() {
	status && has "$1"
}

control() {
	python3 "$E2E/control.py" "$sock" "$@"
}

setup
ns_join "$S" s1 "$T" t1
ns_join "$S" u1 "$T" u0
cat >"$tmp/reconmon.yaml" <<-EOF
	interfaces: [t0, 'u*']
	tick: 200ms
	settle: 500ms
	allow:
	  - { originator: 10.77.0.9, comment: our own scanner }
EOF

# --- no daemon -----------------------------------------------------------------------------------
"$RECONMON" status >"$tmp/out" 2>"$tmp/err"
verdict "no daemon: exit 1" test $? -eq 1
verdict "no daemon: said" grep -q "no reconmon answers at '$sock': is it running?" "$tmp/err"
verdict "no daemon: nothing on standard output" test ! -s "$tmp/out"

# --- what it says ----------------------------------------------------------------------------------
monitor m "$T" -c "$tmp/reconmon.yaml"
verdict "the socket: mode 0660" test "$(stat -c '%a %F' "$sock")" = "660 socket"
verdict "status: exit 0" status
verdict "version and interfaces" has 's["ready"] and s["version"] and [(i["name"], i["mode"] != "")
	for i in s["interfaces"]] == [("t0", True), ("u0", True)]'
verdict "what is not watched, and why" has '{m["interface"]: m["why"] for m in s["not_watched"]} == {
	"lo": "not among `interfaces`", "t1": "not among `interfaces`"}'
verdict "the configuration in effect" has 's["config"]["file"] == "'"$tmp/reconmon.yaml"'" and
	s["config"]["last_reload_ok"] and s["config"]["read"] > "2020"'
verdict "the flood guard: not engaged" has 's["guard"] == {"rate": 5000, "engaged": False,
	"unfollowed": 0, "services": []}'
verdict "the text says the same" grep -q "^watching 2 interfaces: t0 (.*), u0 (.*)" "$tmp/status"
counter='^  [a-z0-9_]+ +[0-9]+  '
"$RECONMON" status --all >"$tmp/all"
verdict "the text with --all has every counter" test "$(grep -cE "$counter" "$tmp/all")" -eq \
	"$(python3 -c 'import json, sys; print(len(json.load(open(sys.argv[1]))["counters"]))' "$tmp/status.json")"
verdict "they are many" test "$(grep -cE "$counter" "$tmp/all")" -ge 60
essential='packets_ingress|packets_egress|attempts|probes|alerts_opened'
verdict "without it, those that are not 0 and a few" eval \
	'! grep -E "^  [a-z0-9_]+ +0  " "$tmp/status" | grep -Ev "^  ($essential) "'
verdict "which are there always" test "$(grep -cE "^  ($essential) +[0-9]+  " "$tmp/status")" -eq 5
verdict "and how many are left out" grep -Eq '^  \.\.\. and [1-9][0-9]* that are 0 \(--all\)$' "$tmp/status"

run "$S" nmap -n -Pn -T4 --disable-arp-ping --max-retries 0 -sS -p 1-60 10.77.0.2 >/dev/null
verdict "an alert is opened" opened m --rule port-scan --source 10.77.0.1
addr_add "$S" s0 10.77.0.9/16
run "$S" nmap -n -Pn -T4 --disable-arp-ping --max-retries 0 -sS -S 10.77.0.9 -e s0 -p 1-7 10.77.0.2 >/dev/null
verdict "what the allow-list let be" wait_until 5 says 's["allow_list"][0]["silent"] == 7'
verdict "the alert is there" wait_until 5 says '[(a["rule"], a["originator"], a["responder"], a["count"])
	for a in s["alerts"]] == [("port-scan", "10.77.0.1", "10.77.0.2", 60)]'
verdict "and its incident" has '[i["id"] for i in s["incidents"]] == [s["alerts"][0]["incident"]]'
verdict "counters, outputs, tables" has 'counter["probes"] == 60 and counter["alerts_opened"] == 1 and
	s["outputs"][0]["written"] >= 1 and table["attempts"]["size"] == 65536 and
	table["alerts"]["used"] == 1 and s["lost"] == 0'
verdict "probes by kind" has 's["probes"] == [{"protocol": "tcp", "technique": "syn",
	"answer": "closed", "count": 60}]'
verdict "the text names the alert" grep -q "port-scan 10.77.0.1 -> 10.77.0.2 tcp: 60 in" "$tmp/status"

verdict "live: originator, ports, answers, last probes" control live 10.77.0.1 1-60
verdict "live: again and again" control subscribe
verdict "alerts: document and probes" control alerts open 60

# --- a configuration that is not taken -------------------------------------------------------------
cp "$tmp/reconmon.yaml" "$tmp/good.yaml"
echo "nonsense: 1" >>"$tmp/reconmon.yaml"
kill -HUP "${pid_of[m]}"
verdict "a bad reload shows" wait_until 5 says 'not s["config"]["last_reload_ok"] and
	"nonsense" in s["config"]["problem"]'
cp "$tmp/good.yaml" "$tmp/reconmon.yaml"
kill -HUP "${pid_of[m]}"
verdict "and is over with the next" wait_until 5 says 's["config"]["last_reload_ok"]'

# --- who may ask -----------------------------------------------------------------------------------
chmod 711 "$tmp"
setpriv --reuid 65534 --regid 65534 --clear-groups "$RECONMON" status -c /dev/null >/dev/null 2>"$tmp/err"
verdict "a stranger: exit 3" test $? -eq 3
verdict "a stranger: said" grep -q "permission denied; ask as root or as a member" "$tmp/err"
chmod 755 "$tmp"

# --- clients that mean harm ------------------------------------------------------------------------
verdict "nonsense is answered by an error" control nonsense
verdict "too many clients are turned away" control crowd
control stall &
stalled=$!
run "$S" nmap -n -Pn -T4 --disable-arp-ping -sU -p 1-9 10.77.0.2 >/dev/null
verdict "clients that do not read delay no alert" wait_until 10 grep -q '"transport":"udp"' "$tmp/m.json"
"$RECONMON" status --control "$tmp/reconmon.yaml" >/dev/null 2>"$tmp/err"
verdict "a path that is no socket: exit 1" test $? -eq 1

# --- a second daemon, and one that is killed -------------------------------------------------------
monitor second "$T" "${fast[@]}" -i t1 -v
verdict "a second daemon goes without" grep -q "another reconmon answers there" "$tmp/second.err"
verdict "the first one keeps its socket" says 'len(s["interfaces"]) == 2'
stop_monitor second
verdict "and stays when the second ends" status
wait "$stalled"
verdict "... and are let go" test $? -eq 0
verdict "each has its counter" says 'counter["control_invalid"] >= 5 and
	counter["control_refused"] >= 1 and counter["control_dropped"] >= 1'
kill -9 "${pid_of[m]}"
reap "${pid_of[m]}"
verdict "kill -9 leaves the socket" test -S "$sock"
"$RECONMON" status >/dev/null 2>"$tmp/err"
verdict "nobody answers there" test $? -eq 1
monitor again "$T" "${fast[@]}" -i t0
verdict "a dead one's socket is replaced" status
stop_monitor again
verdict "a good end leaves none" test ! -e "$sock"
# --- traffic that the kernel counts and we do not see ---------------------------------------------
monitor unseen "$T" -i t0 --tick 50ms
start bypass "$T" python3 "$E2E/bypass.py" t0 20
verdict "packets around tc: said" wait_until 15 grep -q \
	"interface 't0': the kernel counts packets that go out .* and none was seen" "$tmp/unseen.err"
verdict "packets around tc: status" says 's["unseen"] == 1 and any(
	m["interface"] == "t0" and "none was seen" in m["why"] for m in s["not_watched"])'
run "$T" ping -c 3 -i 0.2 10.77.0.1 >/dev/null
verdict "seen again: said" wait_until 15 grep -q "interface 't0': its packets are seen again" "$tmp/unseen.err"
verdict "seen again: status" says 's["unseen"] == 0'
stop bypass TERM # what is begun in the background hears no SIGINT
stop_monitor unseen

monitor closed "$T" "${fast[@]}" -i t0 --control none
verdict "--control none: no socket" test ! -e "$sock"
stop_monitor closed
run "$T" "$RECONMON" -i t0 --control "$tmp/reconmon.yaml" >/dev/null 2>"$tmp/err"
verdict "a file that is no socket is left alone" test $? -eq 1 -a -s "$tmp/reconmon.yaml"
verdict "and said" grep -q "something that is no socket has that name" "$tmp/err"
finish
