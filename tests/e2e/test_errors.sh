#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# What goes wrong is said in one clear sentence, with the right exit code; the rest goes on where it
# can; and whatever the end, nothing of ours stays attached.
# shellcheck disable=SC2317 # some functions are called through wait_until only
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
need nmap tc clang setpriv

fast=(--tick 200ms --settle 500ms)

# refused NAME CODE PATTERN COMMAND... - ends by itself with that exit code, says nothing on standard
# output, and a line of standard error matches the (extended) pattern.
refused() {
	local name=$1 code=$2 pattern=$3 r

	shift 3
	timeout 60 "$@" >"$tmp/refused.out" 2>"$tmp/refused.err" </dev/null
	r=$?
	if [ "$r" -ne "$code" ]; then
		bad "$name" "exit $r, wanted $code: $(tail -n 2 "$tmp/refused.err")"
	elif ! grep -Eqi -- "$pattern" "$tmp/refused.err"; then
		bad "$name" "no /$pattern/ in: $(head -n 3 "$tmp/refused.err")"
	elif [ -s "$tmp/refused.out" ]; then
		bad "$name" "prints to standard output: $(head -n 2 "$tmp/refused.out")"
	elif grep -Eq 'libbpf: |^ready' "$tmp/refused.err"; then
		bad "$name" "talks beside the point: $(head -n 3 "$tmp/refused.err")"
	else
		ok "$name"
	fi
}

is_clean() {
	[ -z "$(attached_to "$1" "$2")" ]
}

attached_to() {
	run "$1" python3 "$E2E/attached.py" "$2"
}

# clean NAME NS IF - nothing is attached (a moment after the end: the kernel frees links when the
# last descriptor goes).
clean() {
	if wait_until 5 is_clean "$2" "$3"; then
		ok "$1"
	else
		bad "$1" "$(attached_to "$2" "$3" | tr '\n' ';')"
	fi
}

scan3() {
	run "$S" nmap -n -Pn -T4 -sS -p 22,445,3389 "$1" >"$tmp/nmap.out" 2>&1
	grep -q '1 host up' "$tmp/nmap.out" || bad "nmap scans $1" "$(tail -n 3 "$tmp/nmap.out")"
}

has_line() {
	grep -Eqi -- "$2" "$tmp/$1.err"
}

setup
addr_add "$T" t0 10.77.0.3/16 10.77.0.4/16

# --- refusals ------------------------------------------------------------------------------------
cp "$RECONMON" "$tmp/reconmon" # where nobody may reach it
chmod 755 "$tmp/reconmon"
refused "not root: exit 3, names the capabilities" 3 'cap_(bpf|net_admin)' \
	ip netns exec "$T" setpriv --reuid 65534 --regid 65534 --clear-groups \
	--bounding-set -all --inh-caps -all "$tmp/reconmon" -i t0
refused "no such interface: exit 1, names it and the remedy" 1 'nosuch0.*ip link' \
	ip netns exec "$T" "$RECONMON" -i nosuch0
refused "no such interface beside one that exists: exit 1" 1 'nosuch0' \
	ip netns exec "$T" "$RECONMON" -i t0 -i nosuch0
refused "unknown option: exit 2" 2 'bogus' "$RECONMON" --bogus
refused "an argument too many: exit 2" 2 'extra' "$RECONMON" extra
refused "--tick without unit: exit 2, names the option" 2 'tick' "$RECONMON" --tick 5
refused "--settle out of range: exit 2" 2 'settle' "$RECONMON" --settle 5h
refused "--ingress with an unknown hook: exit 2, says which there are" 2 'xdp-generic' \
	"$RECONMON" --ingress kprobe
refused "--set of an unknown rule: exit 2" 2 'no-such-rule' "$RECONMON" --set no-such-rule.threshold=3
refused "--set of an unknown field: exit 2, says which there are" 2 'threshold' \
	"$RECONMON" --set port-scan.colour=red
refused "--internal with half a network: exit 2" 2 '10\.0\.0' "$RECONMON" --internal 10.0.0/8
refused "--profile unknown: exit 2" 2 'splunk' "$RECONMON" --profile elk
refused "lo has no native XDP: exit 4, names another hook" 4 'lo.*(xdp-generic|--ingress tc)' \
	ip netns exec "$T" "$RECONMON" -i lo --ingress xdp
library=$(ldconfig -p | awk '/libpcap.so.0.8/ { print $NF; exit }')
# shellcheck disable=SC2016 # for the inner shell
without_libpcap=(unshare --mount sh -c 'mount --bind /dev/null "$0" && exec "$@"' "$library")
refused "no libpcap: exit 1, names the package" 1 \
	'libpcap is needed for captures and cannot be loaded: .*apt-get install libpcap0.8' \
	"${without_libpcap[@]}" "$RECONMON" replay tests/data/nmap-sS.pcap.gz
clean "after the refusals: nothing on t0" "$T" t0
clean "after the refusals: nothing on lo" "$T" lo

# --- somebody else's programs --------------------------------------------------------------------
foreign_make
run "$T" ip link set dev t0 xdp obj "$tmp/foreign.o" sec xdp || give_up "cannot attach an XDP program"
before=$(attached_to "$T" t0)
[ -n "$before" ] || give_up "attached.py does not see the foreign XDP program"
for hook in xdp xdp-generic; do
	refused "XDP is taken, --ingress $hook: exit 1, says so" 1 't0.*(xdp|program).*tc' \
		ip netns exec "$T" "$RECONMON" -i t0 --ingress $hook
done
verdict "the foreign XDP program is as it was" test "$(attached_to "$T" t0)" = "$before"
monitor auto "$T" -i t0 "${fast[@]}"
scan3 10.77.0.2
verdict "XDP is taken, --ingress auto: found through tc" opened auto --rule port-scan
stop_monitor auto
verdict "the foreign XDP program is still as it was" test "$(attached_to "$T" t0)" = "$before"
run "$T" ip link set dev t0 xdp off

run "$T" tc qdisc add dev t0 clsact
for way in ingress egress; do
	run "$T" tc filter add dev t0 $way prio 1 handle 1 bpf da obj "$tmp/foreign.o" sec tc ||
		give_up "cannot attach a tc filter"
done
before=$(attached_to "$T" t0)
monitor beside "$T" -i t0 "${fast[@]}"
scan3 10.77.0.2
verdict "tc filters that end the chain: found before them" opened beside --rule port-scan
stop_monitor beside
verdict "tc filters of others are as they were" test "$(attached_to "$T" t0)" = "$before"
monitor beside "$T" -i t0 "${fast[@]}"
stop beside KILL
as_before() {
	[ "$(attached_to "$T" t0)" = "$before" ]
}
verdict "and after kill -9 too" wait_until 5 as_before
run "$T" tc qdisc del dev t0 clsact

# --- an interface that vanishes ------------------------------------------------------------------
ns_join "$S" s1 "$T" t1
monitor vanish "$T" -i 't*' "${fast[@]}"
verdict "a glob: 'ready' names both interfaces" has_line vanish '^ready.*t0.*t1|^ready.*t1.*t0'
ip -n "$T" link del t1
verdict "an interface that vanishes: one line names it" wait_until 5 has_line vanish '^[^r].*t1'
verdict "an interface that vanishes: not more than one line" \
	test "$(grep -v '^ready' "$tmp/vanish.err" | grep -c t1)" -eq 1
scan3 10.77.0.2
verdict "an interface that vanishes: the other goes on" opened vanish --rule port-scan
stop_monitor vanish

# --- ends ----------------------------------------------------------------------------------------
for hook in auto xdp xdp-generic; do
	monitor ended "$T" -i t0 --ingress $hook "${fast[@]}"
	[ -n "$(attached_to "$T" t0)" ] || bad "$hook: attached.py sees our programs" "it sees nothing"
	stop ended KILL
	clean "kill -9, --ingress $hook: nothing stays attached" "$T" t0
done
for sig in INT TERM; do
	monitor ended "$T" -i t0 -i lo "${fast[@]}"
	scan3 10.77.0.2
	opened ended --rule port-scan
	lines=$(wc -l <"$tmp/ended.err")
	stop ended $sig
	r=$?
	verdict "SIG$sig: exit 0" test $r -eq 0
	verdict "SIG$sig: the alert is closed" alerts ended --final close
	verdict "SIG$sig: a summary on standard error" test "$(wc -l <"$tmp/ended.err")" -gt "$lines"
	clean "SIG$sig: nothing stays attached" "$T" t0
	clean "SIG$sig: nothing stays attached to lo" "$T" lo
done

run "$T" timeout 60 "$RECONMON" -i t0 --duration 1s >"$tmp/dur.out" 2>"$tmp/dur.err"
r=$?
verdict "--duration 1s: ends by itself, exit 0" test $r -eq 0
clean "--duration: nothing stays attached" "$T" t0
verdict "no libpcap: interfaces are watched all the same" run "$T" timeout 60 "${without_libpcap[@]}" \
	"$RECONMON" -q -i t0 --duration 1s

run "$T" timeout 60 "$RECONMON" -q -i t0 --duration 1s >"$tmp/q.out" 2>"$tmp/q.err"
verdict "-q: quieter than without" test "$(wc -l <"$tmp/q.err")" -lt "$(wc -l <"$tmp/dur.err")"

# --- SIGUSR1, a reader that leaves ----------------------------------------------------------------
monitor usr1 "$T" -i t0 "${fast[@]}"
scan3 10.77.0.2
opened usr1 --rule port-scan
lines=$(wc -l <"$tmp/usr1.err")
more_lines() {
	[ "$(wc -l <"$tmp/usr1.err")" -gt "$lines" ]
}
kill -USR1 "${pid_of[usr1]}"
verdict "SIGUSR1: counters on standard error" wait_until 5 more_lines
verdict "SIGUSR1: with numbers" sh -c "tail -n +$((lines + 1)) '$tmp/usr1.err' | grep -q '[0-9]'"
verdict "SIGUSR1: it goes on" kill -0 "${pid_of[usr1]}"
stop_monitor usr1

mkfifo "$tmp/pipe"
ip netns exec "$T" "$RECONMON" -i t0 "${fast[@]}" >"$tmp/pipe" 2>"$tmp/pipe.err" </dev/null &
pid_of[pipe]=$!
pids+=($!)
head -n 1 "$tmp/pipe" >"$tmp/first" &
reader=$!
wait_until 20 is_ready pipe
grep -q '^ready' "$tmp/pipe.err" || give_up "not ready: $(tail -n 3 "$tmp/pipe.err")"
scan3 10.77.0.3
wait_until 10 gone $reader || kill -USR1 "${pid_of[pipe]}" # what it has seen, for the line that says FAILED
reap $reader
verdict "text to a pipe: the alert's line" sh -c "grep -q '10\.77\.0\.3' '$tmp/first' ||
	{ grep -E ' (probes|attempts|contacts|ingress|egress|lost) |^ready' '$tmp/pipe.err'; exit 1; }"
scan3 10.77.0.4 # nobody reads this one
wait_until 3 gone "${pid_of[pipe]}"
stop pipe
r=$?
verdict "the reader leaves: no crash (exit $r)" test $r -lt 128
verdict "the reader leaves: few words" test "$(wc -l <"$tmp/pipe.err")" -lt 40
clean "the reader leaves: nothing stays attached" "$T" t0

run "$T" timeout 60 "$RECONMON" -i t0 --duration 1s "${fast[@]}" >&- 2>"$tmp/closed.err" </dev/null
r=$?
verdict "standard output closed from the start: no crash (exit $r)" test $r -lt 124
finish
