#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The unit of systemd is hardened as far as it says, and what it promises holds: the daemon works as a
# user with three capabilities, tells its manager how it is, reloads, and is taken over after kill -9.
# shellcheck disable=SC2317 # some functions are called through verdict and wait_until only
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
need nmap setpriv systemd-analyze

unit=deploy/systemd/reconmon.service
mkdir "$tmp/unit"
sed "s|/usr/sbin/reconmon|$(readlink -f "$RECONMON")|; /^Documentation=/d" "$unit" >"$tmp/unit/reconmon.service"
verdict "the unit has no mistakes" test -z "$(systemd-analyze verify --man=no "$tmp/unit/reconmon.service" 2>&1)"
exposed() {
	systemd-analyze security --no-pager --offline=true "$unit" |
		sed -n 's/.*exposure level for reconmon.service: \([0-9.]*\).*/\1/p'
}
score=$(exposed)
verdict "its exposure is 2.0 at most ($score)" awk -v s="$score" 'BEGIN { exit !(s != "" && s <= 2.0) }'

setup
bpf=$tmp/bpf
mkdir "$bpf"
mount -t bpf bpf "$bpf" || give_up "cannot mount a BPF file system"
# As on a host: below `ip netns exec` /sys is another, and this user may not mount one for itself.
mkdir "$tmp/cgroup"
mount -t cgroup2 cgroup2 "$tmp/cgroup" || give_up "cannot mount the cgroup hierarchy"
unmount() {
	umount "$bpf" "$tmp/cgroup"
	cleanup
}
trap unmount EXIT
chmod 755 "$bpf"
uid=$(id -u nobody)
install -d -o nobody -m 0700 "$bpf/pin" || give_up "cannot make the folder for pins"
install -d -o nobody -m 0700 "$tmp/state"
start ear "$T" python3 "$E2E/notified.py" "$tmp/notify" "$tmp/notified"

# What the unit gives it: the user, three capabilities, no way to others.
caps=$(sed -n 's/^AmbientCapabilities=//p' "$unit" | tr 'A-Z ' 'a-z,' | sed 's/cap_/+/g')
verdict "the unit gives CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON" test "$caps" = +bpf,+net_admin,+perfmon
install -m 0755 "$RECONMON" "$tmp/reconmon" # where that user may go
cat >"$tmp/as-service" <<END
#!/bin/sh
exec env NOTIFY_SOCKET="$tmp/notify" WATCHDOG_USEC=900000 STATE_DIRECTORY="$tmp/state" \\
	setpriv --reuid=$uid --regid=$(id -g nobody) --clear-groups --no-new-privs \\
	--inh-caps=-all,$caps --ambient-caps=-all,$caps --bounding-set=-all,$caps "$tmp/reconmon" "\$@"
END
chmod 755 "$tmp/as-service"
DAEMON=$RECONMON
RECONMON=$tmp/as-service
fast=(-i t0 --tick 200ms --settle 500ms "--pin=$bpf/pin")
told() {
	grep -Eq -- "$1" "$tmp/notified"
}
echo 'verbosity: normal' >"$tmp/c.yaml"
chmod 644 "$tmp/c.yaml"

monitor svc "$T" "${fast[@]}" -c "$tmp/c.yaml"
pid=${pid_of[svc]}
caps_of() {
	awk '/^CapEff/ { print $2 }' "/proc/$1/status"
}
verdict "it runs as that user with nothing more" test "$(caps_of "$pid") $(stat -c %u "/proc/$pid")" = "000000c000001000 $uid"
verdict "READY" wait_until 5 told '^READY=1$'
verdict "STATUS" wait_until 5 told '^STATUS=watching 1 interface; 0 alerts open; 0 lost$'
verdict "its watchdog hears of it" wait_until 5 told '^WATCHDOG=1$'
kill -HUP "$pid"
verdict "a reload is said, and its time" wait_until 5 told '^RELOADING=1 MONOTONIC_USEC=[0-9]+$'
ready_twice() {
	[ "$(grep -c '^READY=1$' "$tmp/notified")" -eq 2 ]
}
verdict "... and its end" wait_until 5 ready_twice
verdict "owners are known" test -z "$(grep 'will not be known' "$tmp/svc.err")"

run "$S" nmap -n -Pn -T4 -sS -p 22,80,443 10.77.0.2 >/dev/null
opened svc --rule port-scan --source 10.77.0.1
verdict "a scan of this host is found" alerts svc --rule port-scan --source 10.77.0.1 --ports 22,80,443
run "$T" nmap -n -Pn -T4 -sT -p 22,80,443 10.77.0.1 >/dev/null
opened svc --rule port-scan --source 10.77.0.2
verdict "of a scan from here the process and its arguments, root's too" alerts svc --rule port-scan \
	--source 10.77.0.2 --field process.name=nmap --field 'process.command_line=nmap .*10\.77\.0\.1'
verdict "... but not its executable, which is for root" alerts svc --rule port-scan \
	--source 10.77.0.2 --field process.executable=
verdict "STATUS counts alerts" wait_until 5 told '^STATUS=watching 1 interface; 2 alerts open; 0 lost$'

kill -9 "$pid"
wait "$pid" 2>/dev/null
run "$S" nmap -n -Pn -T4 -sS -p 5000-5009 10.77.0.2 >/dev/null # nobody is there
monitor again "$T" "${fast[@]}"
verdict "killed: taken over by that user" grep -q "taken over from" "$tmp/again.err"
more() {
	python3 "$E2E/same_alerts.py" "$tmp/svc.json" "$tmp/again.json" >"$tmp/all.json" &&
		python3 "$E2E/alerts.py" "$tmp/all.json" --rule port-scan --source 10.77.0.1 \
			--ports 22,80,443,5000-5009
}
wait_until 5 more >/dev/null 2>&1
verdict "... with what came meanwhile, in the same alert" more
kill -HUP "${pid_of[again]}"
sleep 0.5
verdict "a hangup does not end a service that has no configuration file" kill -0 "${pid_of[again]}"
stop_monitor again
verdict "STOPPING" told '^STOPPING=1$'
RECONMON=$DAEMON
verdict "unpin by root" run "$T" "$RECONMON" unpin "--pin=$bpf/pin"
verdict "nothing is left" nothing_pinned "$bpf"
RECONMON=$tmp/as-service
timeout 60 ip netns exec "$T" "$RECONMON" "${fast[@]}" >/dev/null 2>"$tmp/nodir.err" </dev/null
r=$?
verdict "without a folder of its own: said, with the remedy" grep -q 'install -d -o USER' "$tmp/nodir.err"
verdict "... exit 3" test $r -eq 3
finish
