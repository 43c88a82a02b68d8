#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# --pin: a daemon that is killed, restarted or exchanged for another build in the middle of a scan
# leaves an alert with every port, under one id, and the same links; what does not fit is removed and
# said; a second daemon is refused; unpin leaves nothing.
# RECONMON_KILLS: how often it is killed during one scan (10).
# shellcheck disable=SC2317 # some functions are called through verdict and wait_until only
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
need nmap make python3

setup
bpf=$tmp/bpf
mkdir "$bpf"
mount -t bpf bpf "$bpf" || give_up "cannot mount a BPF file system"
unmount() {
	umount "$bpf"
	cleanup
}
trap unmount EXIT
pin=$bpf/pin
KILLS=${RECONMON_KILLS:-10}
fast=(-i t0 --tick 200ms --settle 500ms "--pin=$pin")
generation=0
files=()

# begin DAEMON [OPTION...] - the next daemon, as `now`.
begin() {
	local RECONMON=$1

	shift
	generation=$((generation + 1))
	now=g$generation
	monitor "$now" "$T" "${fast[@]}" "$@"
	files+=("$tmp/$now.json")
}

# slay - the daemon is killed, at once.
slay() {
	kill -9 "${pid_of[$now]}"
	wait "${pid_of[$now]}" 2>/dev/null
}

# scan FIRST LAST DELAY - in the background, one probe a port.
scan() {
	ip netns exec "$S" nmap -n -Pn -sS --disable-arp-ping --scan-delay "$3" -p "$1-$2" 10.77.0.2 \
		>/dev/null 2>&1 &
	scanner=$!
	pids+=($!)
}

# found PORTS - all generations together have one alert, with these ports.
found() {
	python3 "$E2E/same_alerts.py" "${files[@]}" >"$tmp/all.json" || return 1
	python3 "$E2E/alerts.py" "$tmp/all.json" --rule port-scan --ports "$1"
}

# last_word - an update comes when the count has doubled, the close lists all ports: a daemon to which the
# rule is another one closes what its predecessor had open. It tells of what that had not drained first.
last_word() {
	begin "$RECONMON"
	sleep 1
	stop_monitor "$now"
	begin "$RECONMON" --set port-scan.window=21s
}

opens() {
	python3 "$E2E/same_alerts.py" "${files[@]}" >"$tmp/all.json" &&
		python3 "$E2E/alerts.py" "$tmp/all.json" --rule port-scan --opens "$1"
}

ended() {
	! kill -0 "$scanner" 2>/dev/null
}

# --- kill -9, restart and upgrade in the middle of a slow scan -----------------------------------
older=$tmp/reconmon-older other=$tmp/reconmon-other
make -s "OTHER=$older" OTHER_FLAGS="-DRECONMON_VERSION='\"0.0.9\"'" other-build >"$tmp/make" 2>&1 ||
	give_up "cannot build an older daemon: $(tail -n 3 "$tmp/make")"
make -s "OTHER=$other" OTHER_FLAGS="-DPIN_LAYOUT=99" other-build >"$tmp/make" 2>&1 ||
	give_up "cannot build a daemon with another layout: $(tail -n 3 "$tmp/make")"

begin "$older"
verdict "the older build is one" grep -q 0.0.9 <("$older" --version)
hooks=$(run "$T" python3 "$E2E/attached.py" t0 | cut -d: -f1)
carrier=$(run "$T" cat /sys/class/net/t0/carrier_changes)
scan 1 10 1s
sleep 3.5
slay # in the middle
sleep 1.2 # a probe or two come while nobody is there
begin "$older"
sleep 1
stop_monitor "$now" # a restart
begin "$RECONMON" # an upgrade
verdict "an upgrade says from what" grep -q "taken over from reconmon 0.0.9" "$tmp/$now.err"
wait_until 40 ended
kill -USR1 "${pid_of[$now]}"
verdict "what is kept is counted" wait_until 5 grep -Eq '^ +kept_pieces +[1-9]' "$tmp/$now.err"
verdict "... and all of it was" grep -Eq '^ +kept_not +0 ' "$tmp/$now.err"
slay
last_word
verdict "kill -9, restart, upgrade in a scan of one probe a second: one alert, every port" found 1-10
verdict "the hooks are what they were" test "$hooks" = "$(run "$T" python3 "$E2E/attached.py" t0 | cut -d: -f1)"
verdict "the interface has not flapped" test "$carrier" = "$(run "$T" cat /sys/class/net/t0/carrier_changes)"

# --- a second daemon -----------------------------------------------------------------------------
run "$T" timeout 60 "$RECONMON" "${fast[@]}" >"$tmp/second.out" 2>"$tmp/second.err" </dev/null
r=$?
verdict "a second daemon is refused" test $r -eq 1
verdict "... and told why" grep -Eq "pin '$pin': another reconmon \(pid [0-9]+\) is at work with it" "$tmp/second.err"
run "$T" "$RECONMON" unpin "--pin=$pin" 2>"$tmp/unpin.err"
verdict "unpin is refused while it runs" grep -q 'is at work with it' "$tmp/unpin.err"
stop_monitor "$now"
run "$T" "$RECONMON" unpin "--pin=$pin" 2>"$tmp/unpin.err"
verdict "unpin: the folder is gone" test ! -e "$pin"
detached() {
	[ -z "$(run "$T" python3 "$E2E/attached.py" t0)" ]
}
verdict "unpin: the hooks are gone" wait_until 5 detached

# --- killed over and over, at any moment ---------------------------------------------------------
files=()
begin "$RECONMON"
scan 1001 2000 10ms
kills=0
until ended; do
	sleep "0.$((RANDOM % 9))$((RANDOM % 10))"
	[ $kills -lt "$KILLS" ] || { wait_until 60 ended; break; }
	slay
	kills=$((kills + 1))
	begin "$RECONMON" -q
done
slay
last_word
verdict "killed $kills times within a scan of 1000 ports: one alert, every port" found 1001-2000

# --- what does not fit ---------------------------------------------------------------------------
stop_monitor "$now"
begin "$other"
verdict "another layout: said" grep -Eq "pin '$pin': layout [0-9]+ of reconmon [0-9.]+, this one has 99; it is removed" "$tmp/$now.err"
verdict "another layout: it watches" grep -q '^ready: watching t0' "$tmp/$now.err"
verdict "another layout: one program a hook" test "$(run "$T" python3 "$E2E/attached.py" t0 | wc -l)" -eq "$(echo "$hooks" | wc -l)"
stop_monitor "$now"
begin "$RECONMON" --limit attempts=2048
stop_monitor "$now"
begin "$RECONMON" --limit attempts=4096
verdict "other sizes: said" grep -q "map 'nursery_tags' has 256 entries .*, wanted are 512 " "$tmp/$now.err"
slay
rm "$pin/keep_snapshot"
bpftool map create "$pin/keep_snapshot" type array key 4 value 4096 entries 1 name junk flags 0x400 ||
	give_up "bpftool cannot make a map"
begin "$RECONMON" --limit attempts=4096
verdict "a damaged snapshot: said" grep -q "windows and alerts of the daemon before cannot be read (damaged" "$tmp/$now.err"
files=("$tmp/$now.json")
scan 1 5 10ms
wait_until 20 ended
opened "$now" --rule port-scan
verdict "a damaged snapshot: all goes on" opens 1
slay
rm "$pin/layout"
begin "$RECONMON"
verdict "half of it: said" grep -q "pin '$pin': incomplete" "$tmp/$now.err"

# --- interfaces that vanish meanwhile ------------------------------------------------------------
stop_monitor "$now"
ns_join "$S" s9 "$T" t9
monitor both "$T" -i t0 -i t9 "--pin=$pin"
n=$(find "$pin" -name 'link_*_*' | wc -l)
kill -9 "${pid_of[both]}"
wait "${pid_of[both]}" 2>/dev/null
ip -n "$T" link del t9
begin "$RECONMON"
verdict "an interface that vanished while nobody was there leaves no pins" test \
	"$(find "$pin" -name 'link_*_*' | wc -l)" -eq $((n / 2))
verdict "... and that is said" grep -q 'hooks of interfaces that are gone' "$tmp/$now.err"
stop_monitor "$now"
verdict "unpin says what it removed" grep -q 'removed, with' <(run "$T" "$RECONMON" unpin "--pin=$pin" 2>&1)
verdict "nothing is left" nothing_pinned "$bpf"
run "$T" timeout 60 "$RECONMON" --pin=/tmp/nowhere 2>"$tmp/nofs.err" </dev/null
r=$?
verdict "a folder elsewhere is refused" test $r -eq 2
verdict "... with the remedy" grep -q 'mount -t bpf' "$tmp/nofs.err"
finish
