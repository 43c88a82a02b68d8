#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The same scan through every hook: tc, XDP native and generic on veth, the loopback device, and
# frames with a VLAN tag.
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
need nmap ethtool

fast=(--tick 200ms --settle 500ms)
scan=(nmap -n -Pn -T4 --disable-arp-ping)
wanted=(--rule port-scan --ports 1-100 --open '22,25,80' --closed rest --none '' --final close)

# judge NAME SENTENCE OPTION... - ends the monitor and checks that it saw the scan and no other.
judge() {
	local name=$1 sentence=$2

	shift 2
	opened "$name" --rule port-scan
	stop_monitor "$name"
	verdict "$sentence" alerts "$name" "${wanted[@]}" "$@"
	verdict "$sentence: and nothing else" alerts "$name"
}

setup
start listen "$T" python3 "$E2E/serve.py" listen 22 25 80

for hook in tc xdp xdp-generic; do
	monitor "$hook" "$T" -i t0 --ingress "$hook" "${fast[@]}"
	verdict "--ingress $hook: the line 'ready' names it" \
		grep -Eq "^ready.*t0 \($hook(x| |\))" "$tmp/$hook.err"
	run "$S" "${scan[@]}" -sS -p 1-100 10.77.0.2 >/dev/null
	run "$S" "${scan[@]}" -6 -sT -p 1-100 fd77::2 >/dev/null
	opened "$hook" --rule port-scan --opens 2
	stop_monitor "$hook"
	verdict "--ingress $hook, v4" alerts "$hook" "${wanted[@]}" --source 10.77.0.1 --dest 10.77.0.2
	verdict "--ingress $hook, v6" alerts "$hook" "${wanted[@]}" --source fd77::1 --dest fd77::2
	verdict "--ingress $hook: and nothing else" alerts "$hook" --opens 2
done

# --- loopback: each packet leaves and arrives on the same device ---------------------------------
for type in sS sT; do
	monitor "lo$type" "$T" -i lo --internal 127.0.0.0/8 "${fast[@]}"
	run "$T" "${scan[@]}" "-$type" -p 1-100 127.0.0.1 >/dev/null
	judge "lo$type" "lo, nmap -$type 127.0.0.1" --source 127.0.0.1 --dest 127.0.0.1 --iface lo
done
monitor loXdp "$T" -i lo --internal 127.0.0.0/8 --ingress xdp-generic "${fast[@]}"
run "$T" "${scan[@]}" -sS -p 1-100 127.0.0.1 >/dev/null
judge loXdp "lo, --ingress xdp-generic" --source 127.0.0.1 --dest 127.0.0.1

# --- VLAN: by the kernel's 802.1q where it has it, else tagged by vlan.py over two TAP devices -----
VS=rmVS$$ VT=rmVT$$
ns_add "$VS"
ns_add "$VT"
ns_join "$VS" vs0 "$VT" vt0
if ip -n "$VS" link add link vs0 name vs0.7 type vlan id 7 2>/dev/null; then
	ip -n "$VT" link add link vt0 name vt0.7 type vlan id 7
	how="802.1q devices"
else
	start tagS "$VS" python3 "$E2E/vlan.py" vs0 vs0.7 7
	start tagT "$VT" python3 "$E2E/vlan.py" vt0 vt0.7 7
	how="tagged in user space, this kernel has no 802.1q"
fi
ip -n "$VS" link set vs0.7 up
ip -n "$VT" link set vt0.7 up
addr_add "$VS" vs0.7 10.78.0.1/24 fd78::1/64
addr_add "$VT" vt0.7 10.78.0.2/24 fd78::2/64
start vlisten "$VT" python3 "$E2E/serve.py" listen 22 25 80
for hook in tc xdp; do
	monitor "vt-$hook" "$VT" -i vt0 --ingress "$hook" "${fast[@]}"
	monitor "vs-$hook" "$VS" -i vs0 --ingress "$hook" "${fast[@]}"
	run "$VS" "${scan[@]}" -sS -p 1-100 10.78.0.2 >/dev/null
	run "$VS" "${scan[@]}" -6 -sT -p 1-100 fd78::2 >/dev/null
	for side in vt vs; do
		opened "$side-$hook" --rule port-scan --opens 2
		stop_monitor "$side-$hook"
		verdict "VLAN ($how), $hook, v4, on ${side}0" alerts "$side-$hook" "${wanted[@]}" \
			--source 10.78.0.1 --dest 10.78.0.2 --iface "${side}0"
		verdict "VLAN ($how), $hook, v6, on ${side}0" alerts "$side-$hook" "${wanted[@]}" \
			--source fd78::1 --dest fd78::2 --iface "${side}0"
		verdict "VLAN, $hook: and nothing else, on ${side}0" alerts "$side-$hook" --opens 2
	done
done

# --- a large MTU is no reason not to attach: the program takes packets in fragments ------------------
JS=rmJS$$ JT=rmJT$$
ns_add "$JS"
ns_add "$JT"
ns_join "$JS" js0 "$JT" jt0
ip -n "$JS" link set js0 mtu 9000
ip -n "$JT" link set jt0 mtu 9000
addr_add "$JS" js0 10.79.0.1/24
addr_add "$JT" jt0 10.79.0.2/24
monitor jumbo "$JT" -i jt0 --ingress xdp "${fast[@]}"
verdict "MTU 9000: native XDP" grep -q 'jt0 (xdp ' "$tmp/jumbo.err"
run "$JS" nmap -n -Pn -T4 -sS -p 1-20 10.79.0.2 >/dev/null
verdict "MTU 9000: and a scan is found" opened jumbo --rule port-scan --source 10.79.0.1
verdict "MTU 9000: and the MTU is as it was" sh -c "ip -n $JT -o link show jt0 | grep -q 'mtu 9000'"
stop_monitor jumbo
finish
