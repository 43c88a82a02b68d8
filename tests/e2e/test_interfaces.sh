#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Which interfaces are watched: a glob waits for what matches it later; more interfaces than files
# that may be open are watched as far as they go, and the rest as soon as others are gone; one without
# Ethernet.
# shellcheck disable=SC2317 # some functions are called through wait_until only
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
need nmap setpriv prlimit

fast=(--tick 200ms --settle 500ms)

has_line() {
	grep -Eqi -- "$2" "$tmp/$1.err"
}

attached_count() {
	run "$T" python3 "$E2E/attached.py" "$@" | wc -l
}

setup

# --- a glob --------------------------------------------------------------------------------------
monitor later "$T" -i 'late*' -i 'later?' "${fast[@]}"
verdict "a glob that matches nothing yet: one line says what it waits for" \
	test "$(grep -c "^ready: watching no interface yet; waiting for one that matches 'late\*' or 'later?'$" "$tmp/later.err")" -eq 1
ns_join "$S" s1 "$T" late1
addr_add "$S" s1 10.78.0.1/16
addr_add "$T" late1 10.78.0.2/16
verdict "... and it is watched when it comes" wait_until 5 has_line later "watching interface 'late1' too"
run "$S" nmap -n -Pn -T4 -sS -p 22,445,3389 10.78.0.2 >/dev/null
verdict "... a scan through it is found" opened later --rule port-scan --iface late1
stop_monitor later
ip -n "$T" link del late1

# --- bare IP packets, whose programs are loaded when the first such interface comes ---------------
monitor bare "$T" -i 'bare*' "${fast[@]}"
start tunnel "$T" python3 "$E2E/tunnel.py" bare0 10.79.0.1 10.79.0.2 22 445 3389
verdict "an interface without Ethernet that comes later is watched" wait_until 10 has_line bare "watching interface 'bare0' too"
verdict "... a scan through it is found" opened bare --rule port-scan --iface bare0
verdict "... with the answers that leave by it" grep -q '"closed":"22,445,3389"' "$tmp/bare.json"
stop_monitor bare
stop tunnel

run "$T" timeout 60 "$RECONMON" -i nosuch0 -i 'late*' >"$tmp/plain.out" 2>"$tmp/plain.err" </dev/null
r=$?
verdict "a plain name that is not there is an error beside a glob" test $r -eq 1
verdict "... that names it" has_line plain "nosuch0"

# --- more interfaces than files ------------------------------------------------------------------
many=()
for i in $(seq 1 60); do
	ip -n "$T" link add "m$i" type veth peer name "n$i" || give_up "cannot make veth pairs"
	many+=("m$i")
done
for dev in "${many[@]}"; do
	ip -n "$T" link set "$dev" up
done
hard=$(ulimit -Hn)
ulimit -Sn 64
monitor raised "$T" -i 'm*' "${fast[@]}"
ulimit -Sn "$hard"
limit=$(awk '/Max open files/ { print $4 }' "/proc/${pid_of[raised]}/limits")
verdict "64 files: the limit is raised to the hard one or more ($limit)" test "$limit" -ge "$hard"
verdict "64 files: all 60 interfaces are watched" test "$(attached_count "${many[@]}")" -eq 60
stop_monitor raised

# Without CAP_SYS_RESOURCE the hard limit holds.
monitor_scarce() {
	rm -f "$tmp/scarce.err"
	ip netns exec "$T" prlimit --nofile=32:128 setpriv --bounding-set -sys_resource "$RECONMON" -i 'm*' \
		"${fast[@]}" >"$tmp/scarce.out" 2>"$tmp/scarce.err" </dev/null &
	pid_of[scarce]=$!
	pids+=($!)
	wait_until 20 is_ready scarce
}
monitor_scarce
verdict "too few files: it starts all the same" has_line scarce '^ready: watching m'
verdict "too few files: one line names the limit and the remedy" test \
	"$(grep -c 'cannot be watched: the 128 files .*LimitNOFILE=.*ulimit -n' "$tmp/scarce.err")" -eq 1
verdict "too few files: how many are left out" has_line scarce '^not watched yet: [0-9]+ interfaces'
had=$(attached_count "${many[@]}")
verdict "too few files: some are watched ($had of 60)" test "$had" -ge 10 -a "$had" -lt 60
left=$(grep -o '^not watched yet: [0-9]*' "$tmp/scarce.err" | grep -o '[0-9]*$')
verdict "too few files: the others are those left out" test $((had + left)) -eq 60
for i in $(seq 1 15); do
	ip -n "$T" link del "m$i"
done
more_watched() {
	[ "$(grep -c 'watching interface .m[0-9]*. too' "$tmp/scarce.err")" -ge 10 ]
}
verdict "others gone: those left out are watched" wait_until 20 more_watched
kill -USR1 "${pid_of[scarce]}"
verdict "others gone: it goes on" wait_until 5 has_line scarce '^summary'
stop scarce
r=$?
verdict "too few files: a good end" test $r -eq 0
finish
