#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Where alerts go: a full disk and a reader that stalls cost no alert that could be told later and
# never hold up the daemon; several outputs at once, each with its filter; logrotate.
# shellcheck disable=SC2317 # some functions are called through wait_until only
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
need nmap logrotate

fast=(--tick 200ms --settle 500ms)

# daemon NAME STDOUT OPTION... - like monitor, with standard output where the caller wants it.
daemon() {
	local name=$1 out=$2

	shift 2
	rm -f "$tmp/$name.err"
	ip netns exec "$T" "$RECONMON" -i t0 "${fast[@]}" "$@" >"$out" 2>"$tmp/$name.err" </dev/null &
	pid_of[$name]=$!
	pids+=($!)
	wait_until 20 is_ready "$name"
	grep -qs '^ready' "$tmp/$name.err" ||
		give_up "reconmon $* is not ready: $(tail -n 3 "$tmp/$name.err")"
}

scan3() {
	run "$S" nmap -n -Pn -T4 -sS -p 22,445,3389 "$1" >/dev/null
}

has_line() {
	grep -Eqi -- "$2" "$tmp/$1.err"
}

# lines_are FILE N PATTERN - at least N lines, and each matches.
lines_are() {
	[ "$(grep -Ec -- "$3" "$1")" -ge "$2" ] || {
		echo "$1: $(head -c 300 "$1")"
		return 1
	}
	! grep -Ev -- "$3" "$1"
}

setup
addr_add "$T" t0 10.77.0.{3..9}/16

# --- a full disk ---------------------------------------------------------------------------------
daemon full /dev/full --json
scan3 10.77.0.2
verdict "/dev/full: said at once" wait_until 10 has_line full 'stdout: no space left'
scan3 10.77.0.3
scan3 10.77.0.4
verdict "/dev/full: said once" test "$(grep -ci 'no space left' "$tmp/full.err")" -eq 1
stop full
r=$?
verdict "/dev/full: exit 1" test $r -eq 1
verdict "/dev/full: the counter is shown without -v" has_line full 'alerts_not_written +[1-9]'

mkdir "$tmp/disk"
mount -t tmpfs -o size=64k none "$tmp/disk" || give_up "cannot mount a tmpfs"
unmount() {
	umount -l "$tmp/disk" 2>/dev/null
	cleanup
}
trap unmount EXIT
daemon disk "$tmp/disk/alerts" --json
head -c $((64 * 1024 - 4096)) /dev/zero >"$tmp/disk/ballast" # one page is left for the alerts
for i in 2 3 4 5 6; do
	scan3 10.77.0.$i
done
verdict "a full tmpfs: said" wait_until 10 has_line disk 'no space left'
half_a_line() {
	[ "$(tail -c 1 "$tmp/disk/alerts" | tr -d '\n' | wc -c)" -eq 1 ]
}
verdict "a full tmpfs: a line is cut (or this tests nothing)" half_a_line
rm "$tmp/disk/ballast"
verdict "room again: said" wait_until 15 has_line disk 'works again after'
all_opened() {
	cp "$tmp/disk/alerts" "$tmp/disk.json"
	alerts disk --opens 5 --count 3
}
wait_until 10 all_opened >/dev/null
verdict "room again: every alert was opened, every line is whole" all_opened
stop disk
r=$?
verdict "room again: exit 0" test $r -eq 0
cp "$tmp/disk/alerts" "$tmp/disk.json"
verdict "room again: and closed" alerts disk --opens 5 --final close
umount "$tmp/disk"
trap cleanup EXIT

# --- a reader that stalls ------------------------------------------------------------------------
mkfifo "$tmp/pipe"
sleep 300 3<"$tmp/pipe" &
reader=$!
pids+=("$reader")
daemon stall "$tmp/pipe" --output stdout,format=ecs,queue=64K --output "file:$tmp/beside.json"
run "$S" nmap -n -Pn -T4 -sS -p 1-3000 10.77.0.2-9 >/dev/null
wait_until 10 grep -q . "$tmp/beside.json"
for i in $(seq 1 6); do # each a new source of 8 alerts with long lists of ports
	ip -n "$S" addr add "10.77.1.$i/16" dev s0
	run "$S" nmap -n -Pn -T4 -sS -S "10.77.1.$i" -e s0 -p 1-4000 10.77.0.2-9 >/dev/null
done
verdict "a stalled reader: said" wait_until 10 has_line stall 'stdout: the receiver does not keep up'
run "$S" nmap -n -Pn -T4 -sU -p 53,67,69 10.77.0.2 >/dev/null
verdict "a stalled reader: another output goes on" \
	wait_until 10 grep -q '"transport":"udp"' "$tmp/beside.json"
kill -USR1 "${pid_of[stall]}"
verdict "a stalled reader: signals are heard" wait_until 5 has_line stall 'output stdout .*waiting [1-9]'
began=$SECONDS
stop stall TERM
r=$?
verdict "a stalled reader: SIGTERM ends it (exit $r)" test $r -eq 1
verdict "a stalled reader: ... within bounded time" test $((SECONDS - began)) -lt 15
verdict "a stalled reader: the counter is shown" has_line stall 'alerts_not_written +[1-9]'
kill "$reader"

# Standard error on the same stalled pipe.
sleep 300 3<"$tmp/pipe" &
reader=$!
pids+=("$reader")
dd if=/dev/zero of="$tmp/pipe" bs=4096 count=100 oflag=nonblock 2>/dev/null
ip netns exec "$T" "$RECONMON" -v -i t0 "${fast[@]}" >"$tmp/pipe" 2>&1 </dev/null &
pid_of[both]=$!
pids+=($!)
hears_signals() { # by signalfd: SIGTERM is blocked, as it is for a moment in what the shell has just forked
	[ "$(readlink "/proc/${pid_of[both]}/exe")" = "$(readlink -f "$RECONMON")" ] &&
		((0x$(awk '/^SigBlk/ { print $2 }' "/proc/${pid_of[both]}/status") & 0x4000))
}
wait_until 20 hears_signals
scan3 10.77.0.2
stop both TERM
r=$?
verdict "standard error stalls too: SIGTERM ends it (exit $r)" test $r -le 1
kill "$reader"

# --- several outputs, filters, logrotate ------------------------------------------------------------
cat >"$tmp/rotate.conf" <<EOF
$tmp/rotated.json {
	rotate 2
	postrotate
		kill -HUP \$(cat $tmp/pid)
	endscript
}
EOF
chmod 644 "$tmp/rotate.conf"
monitor many "$T" -i t0 "${fast[@]}" --output stdout,format=ecs --output "file:$tmp/rotated.json" \
	--output "file:$tmp/closes.txt,format=text,states=close,rules=port-scan" \
	--output "file:$tmp/severe.txt,format=text,severity=9"
echo "${pid_of[many]}" >"$tmp/pid"
scan3 10.77.0.2
verdict "several outputs: standard output has the alert" opened many --rule port-scan
verdict "several outputs: the file too" wait_until 5 grep -q '"state":"open"' "$tmp/rotated.json"
verdict "logrotate runs" logrotate -f -s "$tmp/rotate.state" "$tmp/rotate.conf"
scan3 10.77.0.3
reopened() {
	grep -qs '10\.77\.0\.3' "$tmp/rotated.json"
}
verdict "logrotate: the new file is written" wait_until 10 reopened
verdict "logrotate: the old one stays as it was" \
	sh -c "grep -q '10[.]77[.]0[.]2' '$tmp/rotated.json.1' && ! grep -q '10[.]77[.]0[.]3' '$tmp/rotated.json.1'"
stop_monitor many
verdict "a filter on states: nothing but closes" lines_are "$tmp/closes.txt" 2 ' CLOSE  port-scan '
verdict "a filter on severity: nothing that is below" test ! -s "$tmp/severe.txt"
verdict "several outputs: each alert opened and closed once" alerts many --opens 2 --final close

daemon hup "$tmp/hup.out"
stop hup HUP
r=$?
verdict "SIGHUP without files: a good end" test $r -eq 0
finish
