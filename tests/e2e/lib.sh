# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# What every test here shares: two network namespaces joined by a veth pair, the daemon in either of
# them, and one line a case. Nothing leaves the namespaces; cleanup() runs on any exit.
#
#	$S (originators' side)  s0 10.77.0.1/16 fd77::1/64 === t0 10.77.0.2/16 fd77::2/64  $T (target)
#
# Sourced from the repository root. The caller ends with `finish`.
set -u

RECONMON=${RECONMON:-build/reconmon}
export RECONMON_CONFIG=/dev/null # none of this machine's
E2E=tests/e2e
S=rmS$$
T=rmT$$
tmp=$(mktemp -d "${TMPDIR:-/tmp}/reconmon-e2e.XXXXXX")
chmod 755 "$tmp"
export RUNTIME_DIRECTORY=$tmp # where the control sockets of these daemons are, and no other's
declare -A pid_of=()	# name -> process that start() or monitor() began
pids=()
namespaces=()

cleanup() {
	local ns left

	trap - EXIT INT TERM
	[ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null
	for ns in "${namespaces[@]}"; do
		left=$(ip netns pids "$ns" 2>/dev/null)
		# shellcheck disable=SC2086 # a list of numbers, all inside our own namespace
		[ -z "$left" ] || kill -9 $left 2>/dev/null
		ip netns del "$ns" 2>/dev/null
	done
	[ ${#pids[@]} -eq 0 ] || kill -9 "${pids[@]}" 2>/dev/null
	wait 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# ok NAME, bad NAME WHY... - the one line of a case.
ok() {
	printf 'ok      %s\n' "$1"
}

bad() {
	local name=$1

	shift
	printf 'FAILED  %s: %s\n' "$name" "$*"
	echo "$name" >>"$tmp/failed"
}

# verdict NAME COMMAND... - ok if the command succeeds, else FAILED with what it printed.
verdict() {
	local name=$1 why

	shift
	if why=$("$@" 2>&1); then
		ok "$name"
	else
		bad "$name" "$(printf '%s' "$why" | tr '\n' ' ')"
	fi
}

# give_up WHY... - without this nothing else can be tested.
give_up() {
	bad "preparation" "$*"
	exit 1
}

finish() {
	[ ! -e "$tmp/failed" ]
	exit
}

# need COMMAND... - the tools of a test; `make deps` installs them.
need() {
	local c

	[ "$(id -u)" -eq 0 ] || give_up "needs root for network namespaces"
	[ -x "$RECONMON" ] || give_up "no daemon at $RECONMON; run make first"
	for c in ip python3 "$@"; do
		command -v "$c" >/dev/null || give_up "$c is missing; run make deps"
	done
}

# wait_until SECONDS COMMAND... - polls until the command succeeds; 1 if it never does. SECONDS are those
# of an idle machine: one that does other work beside takes several times as long for the same.
wait_until() {
	local end=$((SECONDS + 4 * $1))

	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.05
	done
}

ns_add() {
	ip netns add "$1" || give_up "cannot make namespace $1"
	namespaces+=("$1")
	ip -n "$1" link set lo up
}

# ns_join NS IF NS IF - a veth pair, both ends up.
ns_join() {
	ip link add "$2" netns "$1" type veth peer name "$4" netns "$3" ||
		give_up "cannot make a veth pair"
	ip -n "$1" link set "$2" up
	ip -n "$3" link set "$4" up
}

# addr_add NS IF ADDRESS/LEN... - without duplicate address detection, which would take seconds.
addr_add() {
	local ns=$1 dev=$2 a

	shift 2
	for a in "$@"; do
		case $a in
		*:*) ip -n "$ns" addr add "$a" dev "$dev" nodad ;;
		*) ip -n "$ns" addr add "$a" dev "$dev" ;;
		esac || give_up "cannot add $a to $dev"
	done
}

# setup - $S and $T as drawn above.
setup() {
	ns_add "$S"
	ns_add "$T"
	ns_join "$S" s0 "$T" t0
	addr_add "$S" s0 10.77.0.1/16 fd77::1/64
	addr_add "$T" t0 10.77.0.2/16 fd77::2/64
}

mac_of() {
	ip -n "$1" -br link show "$2" | awk '{ print $3 }'
}

# run NS COMMAND... - in the foreground.
run() {
	local ns=$1

	shift
	ip netns exec "$ns" "$@"
}

# start NAME NS COMMAND... - in the background, until stop or cleanup; output to $tmp/NAME.log.
# Helpers of ours print "up" once they listen; start waits for that.
start() {
	local name=$1 ns=$2

	shift 2
	ip netns exec "$ns" "$@" >"$tmp/$name.log" 2>&1 </dev/null &
	pid_of[$name]=$!
	pids+=($!)
	wait_until 10 grep -qs '^up' "$tmp/$name.log" ||
		give_up "$name did not come up: $(tail -n 3 "$tmp/$name.log")"
}

is_ready() {
	grep -qs '^ready' "$tmp/$1.err" || ! kill -0 "${pid_of[$1]}" 2>/dev/null
}

# monitor NAME NS OPTION... - the daemon in a namespace, JSON to $tmp/NAME.json, the rest to
# $tmp/NAME.err; returns once every hook is attached.
monitor() {
	local name=$1 ns=$2

	shift 2
	rm -f "$tmp/$name.json" "$tmp/$name.err" # of an earlier one: the child makes them in its time
	ip netns exec "$ns" "$RECONMON" --json "$@" >"$tmp/$name.json" 2>"$tmp/$name.err" </dev/null &
	pid_of[$name]=$!
	pids+=($!)
	wait_until 20 is_ready "$name"
	grep -qs '^ready' "$tmp/$name.err" ||
		give_up "reconmon $* is not ready: $(tail -n 3 "$tmp/$name.err")"
}

gone() {
	! kill -0 "$1" 2>/dev/null
}

# reap PID - waits for a child, not for ever, and returns its exit status (137: it had to be killed).
reap() {
	wait_until 20 gone "$1" || kill -9 "$1"
	wait "$1"
} 2>/dev/null # the shell would report children that were killed

# stop NAME [SIGNAL] - ends what start or monitor began and returns its exit status.
stop() {
	kill "-${2:-INT}" "${pid_of[$1]}" 2>/dev/null
	reap "${pid_of[$1]}"
}

# stop_monitor NAME - SIGINT, and a case fails unless it exits 0.
stop_monitor() {
	local r

	stop "$1"
	r=$?
	[ "$r" -eq 0 ] || bad "reconmon ($1) ends well" "exit $r: $(tail -n 2 "$tmp/$1.err")"
}

# alerts NAME OPTION... - judges what a monitor wrote so far (alerts.py). How many ports an open alert has
# told of is by chance if there are more than its threshold: it opens with as many as have come by then,
# and speaks again when they have doubled. What it had in the end is in its close: stop_monitor first.
alerts() {
	local name=$1

	shift
	python3 "$E2E/alerts.py" "$tmp/$name.json" "$@"
}

# opened NAME OPTION... - waits until such an alert is open.
opened() {
	wait_until 10 alerts "$@" >/dev/null 2>&1
}

# nothing_pinned DIR - a BPF file system has nothing but what every new one has, and what the ip and tc of a
# test beside may have made: they keep their state in whatever BPF file system they find.
nothing_pinned() {
	local left

	left=$(find "$1" -mindepth 1 -maxdepth 1 ! -name '*.debug' ! -name tc ! -name ip ! -name xdp -ls)
	[ -z "$left" ] || { echo "$left"; return 1; }
}

# foreign_make - $tmp/foreign.o, somebody else's programs: sections xdp and tc.
foreign_make() {
	clang -O2 -g -target bpf -I"/usr/include/$(uname -m)-linux-gnu" -c "$E2E/foreign.bpf.c" \
		-o "$tmp/foreign.o" || give_up "cannot compile $E2E/foreign.bpf.c"
}
