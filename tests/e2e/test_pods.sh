#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Pods of one node look at each other: behind a bridge and behind routed veths, whose traffic never
# reaches the node's network card. With the default interfaces, the node sees every such scan once.
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
need nmap

N=rmN$$ A=rmA$$ B=rmB$$ C=rmC$$ # node; A and B behind its bridge, C behind a route

# pod NS IF ADDRESS - a namespace whose default route is the node.
pod() {
	ns_add "$1"
	ns_join "$1" eth0 "$N" "$2"
	addr_add "$1" eth0 "$3"
}

ns_add "$N"
run "$N" sysctl -qw net.ipv4.ip_forward=1
pod "$A" vethA 10.77.1.10/24
pod "$B" vethB 10.77.1.11/24
pod "$C" vethC 10.77.2.10/24
ip -n "$N" link add br0 type bridge
for v in vethA vethB; do
	ip -n "$N" link set "$v" master br0
done
ip -n "$N" link set br0 up
addr_add "$N" br0 10.77.1.1/24
addr_add "$N" vethC 10.77.2.1/24
for p in "$A" "$B"; do
	ip -n "$p" route add default via 10.77.1.1
done
ip -n "$C" route add default via 10.77.2.1
wait_until 10 run "$A" ping -q -c 1 -W 1 10.77.2.10 >/dev/null || give_up "the pods do not reach each other"

monitor node "$N"
run "$A" nmap -n -Pn -T4 --max-retries 1 -sS -p 20-29 10.77.1.11 10.77.2.10 >/dev/null
run "$C" nmap -n -Pn -T4 --max-retries 1 -sS -p 40-49 10.77.1.10 >/dev/null
opened node --rule port-scan --opens 3
stop_monitor node
while read -r sentence orig dest ports; do
	verdict "a pod scans another $sentence" alerts node --rule port-scan --source "$orig" --dest "$dest" \
		--opens 1 --ports "$ports" --closed rest
done <<'ROWS'
behind-the-same-bridge 10.77.1.10 10.77.1.11 20-29
behind-a-route 10.77.1.10 10.77.2.10 20-29
behind-a-bridge,-from-behind-a-route 10.77.2.10 10.77.1.10 40-49
ROWS
verdict "each is said once, though up to four interfaces saw it" alerts node --opens 3
finish
