#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Who did it: the alert of a scan that leaves this host names the process, also when that is gone by
# then, when its packets are sent late and by others, and whatever kind of socket it has; and the
# container, by the path of each runtime.
# shellcheck disable=SC2317 # some functions are called through wait_until only
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
need nmap masscan zmap cc taskset mountpoint

v2=$tmp/cgroup2 # the hierarchies, mounted for the test
v1=$tmp/cgroup1
made=() # cgroups, to be removed from the inner end

remove_cgroups() {
	local i d

	for ((i = ${#made[@]} - 1; i >= 0; i--)); do
		d=${made[i]}
		[ ! -d "$d" ] || xargs -r kill -9 <"$d/cgroup.procs" 2>/dev/null
		for _ in 1 2 3 4 5 6 7 8 9 10; do # its last process may be ending
			[ ! -d "$d" ] || rmdir "$d" 2>/dev/null || { sleep 0.1; continue; }
			break
		done
	done
	made=()
}

cleanup_all() {
	trap - EXIT INT TERM
	[ ${#pids[@]} -eq 0 ] || kill -9 "${pids[@]}" 2>/dev/null
	remove_cgroups
	for d in "$v1" "$v2"; do
		! mountpoint -q "$d" || umount "$d" || umount -l "$d"
	done
	cleanup
}
trap cleanup_all EXIT

# cgroup_add ROOT PATH - makes a cgroup and all above it.
cgroup_add() {
	local d=$1 part

	for part in ${2//\// }; do
		d=$d/$part
		[ -d "$d" ] || { mkdir "$d" && made+=("$d"); } || give_up "cannot make cgroup $d"
	done
}

# within CGROUP COMMAND... - in a cgroup; its process id goes to $tmp/pid.
within() {
	local dir=$1

	shift
	# shellcheck disable=SC2016 # for the inner shell
	run "$S" bash -c 'echo $$ >"$0"; [ -z "$1" ] || echo $$ >"$1/cgroup.procs"; shift; exec "$@"' \
		"$tmp/pid" "$dir" "$@"
}

# who NAME COMMAND... - a tool in $S; its process id goes to $tmp/NAME.pid.
who() {
	local name=$1

	shift
	within '' "$@" >"$tmp/$name.out" 2>&1
	mv "$tmp/pid" "$tmp/$name.pid"
}

# by SENTENCE MONITOR NAME OPTION... - the alert names that tool's process, known by its socket.
by() {
	local sentence=$1 m=$2 name=$3

	shift 3
	opened "$m" "$@"
	verdict "$sentence" alerts "$m" "$@" --field "process.pid=$(cat "$tmp/$name.pid")" \
		--field reconmon.alert.owner.source=cookie --field reconmon.alert.owner.count=1
}

syns() {
	run "$S" nmap -n -Pn -T4 "$@"
}

setup
for i in $(seq 20 39) 60 61 $(seq 100 129); do
	addr_add "$T" t0 "10.77.0.$i/16"
done
addr_add "$S" s0 10.77.0.3/16 10.77.0.4/16
mac=$(mac_of "$T" t0)
for a in 50 51; do # they do not answer
	ip -n "$S" neigh replace "10.77.0.$a" lladdr "$mac" dev s0 nud permanent
done
cc -static -O2 -o "$tmp/once" "$E2E/once.c" || give_up "cannot compile $E2E/once.c"
mkdir "$v1" "$v2"
mount -t cgroup2 cgroup2 "$v2" || give_up "no cgroup v2"
mount -t cgroup -o "none,name=reconmon$$" cgroup "$v1" || give_up "no cgroup v1"

fast=(--tick 200ms --settle 500ms)
monitor m "$S" -i s0 "${fast[@]}"
verdict "it knows owners here" sh -c "! grep -q 'will not be known' '$tmp/m.err'"

# --- tools ---------------------------------------------------------------------------------------
# What only /proc has (executable, user, all of a long command line) takes a process that outlives
# the tick.
who connect nmap -n -Pn -T4 -sT --scan-delay 40ms -p 1-50 10.77.0.20
by "nmap -sT" m connect --dest 10.77.0.20 --field process.name=nmap \
	--field 'process.executable=.*/nmap' --field 'process.user.name=root' \
	--field 'process.command_line=nmap -n -Pn -T4 -sT --scan-delay 40ms -p 1-50 10\.77\.0\.20' \
	--field 'process.args=\["nmap", "-n".*"10\.77\.0\.20"\]' --field 'related.user=\["root"\]'
who syn nmap -n -Pn -T4 -sS -p 1-50 10.77.0.21
by "nmap -sS" m syn --dest 10.77.0.21
who raw nmap -n -Pn -T4 -sS --send-ip -p 1-50 10.77.0.22
by "nmap -sS --send-ip, a raw socket" m raw --dest 10.77.0.22
who udp nmap -n -Pn -T4 -sU --max-retries 0 -p 1001-1010 10.77.0.23
by "nmap -sU" m udp --dest 10.77.0.23

# A packet socket: no hook sees it made, so who sends is a guess, and called one.
guessed() {
	local sentence=$1 name=$2

	shift 2
	opened m "$@"
	verdict "$sentence" alerts m "$@" --field "process.pid=$(cat "$tmp/$name.pid")" \
		--field reconmon.alert.owner.source=guess
}
who masscan masscan 10.77.0.24 -p 1-50 --rate 2000 --wait 1 -e s0 --router-mac "${mac//:/-}" \
	--source-ip 10.77.0.1
guessed "masscan, a packet socket: a guess" masscan --dest 10.77.0.24 --field process.name=masscan
who zmap zmap -q -p 81 -i s0 -G "$mac" -S 10.77.0.3 -b /dev/null -c 1 -o "$tmp/zmap.csv" 10.77.4.0/26
guessed "zmap, a packet socket: a guess" zmap --rule sweep --source 10.77.0.3 --field process.name=zmap

# shellcheck disable=SC2016 # for the inner shell
who loop bash -c 'for p in 101 102 103 104 105; do : </dev/tcp/10.77.0.25/$p; done'
by "a loop over /dev/tcp" m loop --dest 10.77.0.25 --field process.name=bash

# --- gone before anybody looks -------------------------------------------------------------------
id=5694f82f44168cc048e014ae14d1b0c8ef673bec49f329dc169911ea638f63c2
cgroup_add "$v2" "rm$$/docker-$id.scope"
kill -STOP "${pid_of[m]}"
within "$v2/rm$$/docker-$id.scope" "$tmp/once" 10.77.0.26 101 102 103 104
mv "$tmp/pid" "$tmp/once.pid"
remove_cgroups
verdict "(its cgroup is gone)" test ! -d "$v2/rm$$"
kill -CONT "${pid_of[m]}"
by "a static binary that exits at once, in a container that is gone too" m once --dest 10.77.0.26 \
	--field process.name=once --field process.executable= --field "container.id=$id" \
	--field container.runtime=docker --field "process.command_line=.*/once 10\.77\.0\.26 101 102 103 104"

# A process for each port: the first, and how many. Judged by the close: the alert may open with any number
# of them. Several hosts by turns, so that others' owners are written before an alert opens that lists them.
single_hosts=(10.77.0.27 10.77.0.37 10.77.0.38)
for p in 101 102 103 104 105 106; do
	for h in "${single_hosts[@]}"; do
		run "$S" "$tmp/once" "$h" $p
	done
	if [ $p = 103 ]; then
		opened m --dest "${single_hosts[0]}"
	fi
done

# --- sent late, by others ------------------------------------------------------------------------
# Processor 0 sends, 1 receives the ARP answers and so sends what waited for them, while a bystander
# runs there.
if [ "$(nproc)" -gt 1 ]; then
	echo 2 | run "$S" tee /sys/class/net/s0/queues/rx-0/rps_cpus >/dev/null
	echo 2 | run "$T" tee /sys/class/net/t0/queues/rx-0/rps_cpus >/dev/null
	taskset -c 1 sh -c 'while :; do :; done' &
	pids+=($!)
	ip -n "$S" neigh flush dev s0
	who cold taskset -c 0 nmap -n -Pn -T4 -sT --disable-arp-ping --max-retries 0 --min-parallelism 30 -p 82 10.77.0.100-129
	by "a sweep with cold ARP answered on the other processor: connect" m cold --rule sweep \
		--source 10.77.0.1 --field process.name=nmap
	ip -n "$S" neigh flush dev s0
	who coldraw taskset -c 0 nmap -n -Pn -T4 -sS --send-ip --disable-arp-ping --max-retries 0 --min-parallelism 30 \
		-p 83 -S 10.77.0.4 -e s0 10.77.0.100-129
	by "a sweep with cold ARP answered on the other processor: raw" m coldraw --rule sweep \
		--source 10.77.0.4 --field process.name=nmap
	kill "${pids[-1]}"
	unset 'pids[-1]'
else
	echo "skipped: one processor"
fi

# The first SYNs leave by an interface that nobody watches; the route changes, and the kernel's timer
# sends them again by one that is watched.
ns_join "$S" s1 "$T" t1
ip -n "$S" neigh replace 10.77.0.50 lladdr "$(mac_of "$T" t1)" dev s1 nud permanent
ip -n "$S" route add 10.77.0.50/32 dev s1 src 10.77.0.1 || give_up "no route by s1"
start again "$S" python3 "$E2E/retransmit.py" 10.77.0.50 101 102 103
echo "${pid_of[again]}" >"$tmp/again.pid"
ip -n "$S" route replace 10.77.0.50/32 dev s0 src 10.77.0.1 || give_up "no route by s0"
by "attempts that open with a retransmission" m again --dest 10.77.0.50 --field process.name=python3
stop again TERM # what is begun in the background hears no SIGINT

# --- several -------------------------------------------------------------------------------------
within '' nmap -n -Pn -T4 -sT -p 1-50 10.77.0.60 >/dev/null 2>&1 &
one=$!
syns -sS -p 101-150 10.77.0.60 >/dev/null
reap $one

# --- containers ----------------------------------------------------------------------------------
uid=eb052b63-ea96-4728-ab4a-64ab3babccd7
slice=kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${uid//-/_}.slice
host=28
# placed SENTENCE ROOT CGROUP FIELD... - a scan from within that cgroup has those fields.
placed() {
	local sentence=$1 root=$2 path=$3 f fields=()

	shift 3
	for f in "$@"; do
		fields+=(--field "$f")
	done
	host=$((host + 1))
	cgroup_add "$root" "$path"
	within "$root/$path" nmap -n -Pn -T4 -sT --scan-delay 150ms -p 1-10 "10.77.0.$host" >/dev/null 2>&1
	opened m --dest "10.77.0.$host"
	verdict "$sentence" alerts m --dest "10.77.0.$host" --field process.name=nmap "${fields[@]}"
}
container="container.id=$id"
pod=(orchestrator.type=kubernetes orchestrator.resource.type=pod "orchestrator.resource.id=$uid")
placed "docker" "$v2" "rm$$/docker-$id.scope" "$container" container.runtime=docker \
	orchestrator.type= process.user.name=
placed "containerd in a pod" "$v2" "rm$$/$slice/cri-containerd-$id.scope" "$container" \
	container.runtime=containerd "${pod[@]}" reconmon.alert.owner.qos=burstable
placed "cri-o in a pod" "$v2" "rm$$/$slice/crio-$id.scope" "$container" container.runtime=cri-o \
	"${pod[@]}"
placed "podman" "$v2" "rm$$/machine.slice/libpod-$id.scope/container" "$container" \
	container.runtime=podman
placed "a unit of systemd" "$v2" "rm$$/system.slice/scan.service" container.id= \
	reconmon.alert.owner.unit=scan.service process.user.name=root
placed "docker, cgroup v1" "$v1" "docker/$id" "$container" container.runtime=docker
placed "a pod, cgroup v1" "$v1" "kubepods/burstable/pod$uid/$id" "$container" "${pod[@]}"
placed "podman, cgroup v1" "$v1" "libpod_parent/libpod-$id" "$container" container.runtime=podman

stop_monitor m
for h in "${single_hosts[@]}"; do
	verdict "a process a port, $h: six owners" alerts m --dest "$h" --count 6 --field process.name=once \
		--field reconmon.alert.owner.count=6 --field 'process.command_line=.* 101'
done
verdict "two processes at once: both are counted" alerts m --dest 10.77.0.60 --count 100 \
	--field process.name=nmap --field reconmon.alert.owner.count=2
verdict "no owner is anybody else's" sh -c "! grep -q '\"name\":\"\\(sh\\|reconmon\\|ksoftirqd[^\"]*\\)\"' '$tmp/m.json'"

# --- forwarded -----------------------------------------------------------------------------------
# Here $S is a container's namespace, $T the host with the other end of its veth pair. The host sees
# the packets come in there; and, as a router, leave by t2 for $U.
U=rmU$$
ns_add "$U"
ns_join "$T" t2 "$U" u0
addr_add "$T" t2 10.78.0.1/24
addr_add "$U" u0 10.78.0.2/24 10.78.0.3/24 10.78.0.4/24
ip -n "$U" route add 10.77.0.0/16 via 10.78.0.1
ip -n "$S" route add 10.78.0.0/24 via 10.77.0.2
run "$T" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
monitor host "$T" -i t0 "${fast[@]}"
monitor router "$T" -i t2 "${fast[@]}"
forwarded=(--field reconmon.alert.owner.source=interface --field process=)

cgroup_add "$v2" "rm$$/docker-$id.scope"
within "$v2/rm$$/docker-$id.scope" sh -c 'nmap -n -Pn -T4 -sS -p 1-10 10.78.0.2; sleep 2' >/dev/null 2>&1
for m in host router; do
	opened $m --dest 10.78.0.2
	verdict "forwarded for a container ($m): its id" alerts $m --dest 10.78.0.2 \
		--field "$container" --field container.runtime=docker "${forwarded[@]}"
done
other=${id//5/6}
cgroup_add "$v2" "rm$$/$slice/cri-containerd-$id.scope"
cgroup_add "$v2" "rm$$/$slice/cri-containerd-$other.scope"
within "$v2/rm$$/$slice/cri-containerd-$other.scope" sleep 60 &
beside=$!
sleep 10.1 # who is behind an interface is asked again after 10 s
within "$v2/rm$$/$slice/cri-containerd-$id.scope" \
	sh -c 'nmap -n -Pn -T4 -sS -p 1-10 10.78.0.3; sleep 2' >/dev/null 2>&1
for m in host router; do
	opened $m --dest 10.78.0.3
	verdict "forwarded for a pod of two containers ($m): the pod" alerts $m --dest 10.78.0.3 \
		--field container.id= "${pod[@]/#/--field=}" "${forwarded[@]}"
done
kill "$(cat "$tmp/pid")" 2>/dev/null
stop_monitor host
stop_monitor router
kill $beside 2>/dev/null
reap $beside
run "$T" sh -c 'echo 0 >/proc/sys/net/ipv4/ip_forward' # else it says that nobody is at .51

# --- without -------------------------------------------------------------------------------------
# Sockets that are older than the daemon, sending again from a timer: nobody is named.
ip -n "$S" route add 10.77.0.51/32 dev s0 src 10.77.0.1
start old "$S" python3 "$E2E/retransmit.py" 10.77.0.51 101 102 103
monitor late "$S" -i s0 "${fast[@]}"
wait_until 30 alerts late --dest 10.77.0.51 >/dev/null 2>&1 # a SYN is sent again after 1, 3, 7 and 15 s
verdict "sockets older than the daemon, sent again by a timer: nobody is named" alerts late \
	--dest 10.77.0.51 --field process.pid= --field process.user.id=0 \
	--field reconmon.alert.owner.source=none
stop old TERM
stop_monitor late

# No BTF: everything but the owner, and one line says so.
mkdir "$tmp/empty"
ip netns exec "$S" sh -c "mount --bind '$tmp/empty' /sys/kernel/btf && exec '$RECONMON' --json -i s0 ${fast[*]}" \
	>"$tmp/bare.json" 2>"$tmp/bare.err" </dev/null &
pid_of[bare]=$!
pids+=($!)
wait_until 20 is_ready bare
syns -sT -p 1-10 10.77.0.61 >/dev/null
opened bare --dest 10.77.0.61
verdict "no BTF: the alert comes without an owner" alerts bare --dest 10.77.0.61 --field process= \
	--field reconmon.alert.owner=
stop_monitor bare
verdict "no BTF: one line says so" test "$(grep -c 'will not be known.*BTF' "$tmp/bare.err")" -eq 1
finish
