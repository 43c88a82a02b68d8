#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# reconmon doctor: what it says of hosts that lack something, of interfaces that somebody else holds,
# and that asking attaches nothing.
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
need tc clang setpriv bpftool

# doctor NAME STATUS COMMAND... - asks for JSON into $tmp/NAME.json; a case: the exit code.
doctor() {
	local name=$1 status=$2

	shift 2
	"$@" --json >"$tmp/$name.json" 2>"$tmp/$name.err"
	verdict "$name: exit $status" test $? -eq "$status"
}

# says NAME TOPIC LEVEL [REGEX] [FACT=VALUE]...
says() {
	verdict "$1: $2 is '$3'${4:+, $4}" python3 "$E2E/doctor.py" "$tmp/$1.json" "${@:2}"
}

attached() {
	ip netns exec "$T" bpftool -j net show
	ip -n "$T" -d link show
}

setup
foreign_make
ask=(ip netns exec "$T" "$RECONMON" doctor)

before=$(attached)
doctor plain 0 "${ask[@]}"
verdict "plain: nothing is attached by asking" test "$before" = "$(attached)"
says plain kernel ok 'Linux [0-9]+\.[0-9]+'
says plain capabilities ok
says plain programs ok 'maps hold [0-9.]+ MiB'
says plain owners ok
if run "$T" readlink /proc/1/ns/net >/dev/null; then
	says plain namespaces note 'network namespace'
else # process 1 has capabilities that this machine's root lacks
	says plain namespaces absent
fi
says plain bpffs note 'mount -t bpf' # `ip netns exec` has a /sys of its own
says plain t0 ok 'incoming by tc' driver=veth physical=False ingress=tc others=
says plain lo ok 'incoming by tc'
verdict "plain: the text says the same" grep -Eq '^ok +t0 +veth.*incoming by tc' \
	<("${ask[@]}")
verdict "plain: a note has its remedy below it" grep -Eq '^ +-> mount -t bpf' <("${ask[@]}")

# --- who else is there ------------------------------------------------------------------------------
run "$T" ip link set dev t0 xdpgeneric obj "$tmp/foreign.o" sec xdp ||
	give_up "cannot attach an XDP program"
run "$T" tc qdisc add dev t0 clsact
run "$T" tc filter add dev t0 ingress prio 1 handle 1 bpf da obj "$tmp/foreign.o" sec tc ||
	give_up "cannot attach a tc filter"
run "$T" tc filter add dev t0 egress protocol ip prio 7 matchall action ok 2>/dev/null
doctor others 0 "${ask[@]}"
says others t0 ok "left alone: .*generic XDP 'foreign_xdp' \(id [0-9]+\)"
says others t0 ok 'clsact ingress bpf .foreign'
doctor taken 1 "${ask[@]}" -i t0 --ingress xdp
says taken t0 problem 'another XDP program is attached.*--ingress auto'
# ours, beside them
run "$T" ip link set dev t0 xdpgeneric off
monitor live "$T" -i t0
doctor beside 0 "${ask[@]}"
says beside t0 ok "tcx ingress 'tc_ingress'|clsact ingress bpf 'tc_ingress|clsact ingress bpf .reconmon"
stop_monitor live
run "$T" tc qdisc del dev t0 clsact

# --- what is missing --------------------------------------------------------------------------------
doctor nobody 3 ip netns exec "$T" setpriv --reuid 65534 --regid 65534 --clear-groups \
	--inh-caps=-all --bounding-set=-all "$RECONMON" doctor
says nobody capabilities problem 'CAP_BPF is missing.*sudo reconmon'
says nobody programs problem 'not permitted'
doctor perfmon 3 ip netns exec "$T" setpriv --bounding-set=-all,+bpf,+net_admin "$RECONMON" doctor
says perfmon capabilities problem 'CAP_PERFMON is missing'
says perfmon capabilities problem 'AmbientCapabilities'
run "$T" ip link set t0 down
doctor down 0 "${ask[@]}"
says down t0 ok 'not watched: it is down'
doctor left-out 1 "${ask[@]}" -i '!*'
says left-out interfaces problem 'none of [0-9]+ would be watched'
doctor named 0 "${ask[@]}" -i t0
says named t0 ok 'incoming by tc'
says named lo ok 'the configuration leaves it out'

verdict "doctor takes no file: exit 2, says how interfaces are given" grep -q 'given as -i NAME' \
	<("${ask[@]}" extra 2>&1)
verdict "a full device is an error" test "$("${ask[@]}" >/dev/full 2>/dev/null; echo $?)" -eq 1
finish
