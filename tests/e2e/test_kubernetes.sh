#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# On a node of Kubernetes: alerts name node, namespace, pod and container by what the kubelet leaves
# on the node, and a ConfigMap that changes is applied. The node's /var/log and the ConfigMap are
# made up here, the control group is a real one.
# shellcheck disable=SC2317 # some functions are called through wait_until only
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
need nmap mountpoint

v2=$tmp/cgroup2
id=5694f82f44168cc048e014ae14d1b0c8ef673bec49f329dc169911ea638f63c2
uid=eb052b63-ea96-4728-ab4a-64ab3babccd7
root=rmk$$
pod=$root/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${uid//-/_}.slice
group=$pod/cri-containerd-$id.scope

cleanup_all() {
	local d=$group

	trap - EXIT INT TERM
	[ ${#pids[@]} -eq 0 ] || kill -9 "${pids[@]}" 2>/dev/null
	while [ -d "$v2/$d" ] && [ "$d" != . ]; do
		xargs -r kill -9 <"$v2/$d/cgroup.procs" 2>/dev/null
		rmdir "$v2/$d" 2>/dev/null || { sleep 0.1; rmdir "$v2/$d"; }
		d=$(dirname "$d")
	done
	! mountpoint -q "$v2" || umount "$v2" || umount -l "$v2"
	cleanup
}
trap cleanup_all EXIT

# within COMMAND... - in the container's control group.
within() {
	# shellcheck disable=SC2016 # for the inner shell
	run "$S" bash -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$v2/$group" "$@" >/dev/null 2>&1
}

# configmap NAME TEXT - exchanges the ConfigMap's folder as the kubelet does: a new one, a link to
# it beside, renamed over the old link.
configmap() {
	local old

	old=$(readlink "$tmp/etc/..data")
	mkdir -p "$tmp/etc/$1"
	printf '%s\n' "$2" >"$tmp/etc/$1/reconmon.yaml"
	ln -s "$1" "$tmp/etc/..data_tmp"
	mv -T "$tmp/etc/..data_tmp" "$tmp/etc/..data"
	[ -z "$old" ] || rm -r "${tmp:?}/etc/$old"
}

says() {
	grep -q "$2" "$tmp/$1.err"
}

setup
for i in 20 21 22; do
	addr_add "$T" t0 "10.77.0.$i/16"
done
mkdir "$v2" "$tmp/etc"
mount -t cgroup2 cgroup2 "$v2" || give_up "no cgroup v2"
mkdir -p "$v2/$group" || give_up "cannot make a control group"
mkdir -p "$tmp/log/pods/shop_web-7d9f_$uid/nginx" "$tmp/log/containers"

configmap ..2026_11_27_01 "settle: 500ms
tick: 200ms
reload-on-change: true
internal: [10.0.0.0/8]"
ln -s ..data/reconmon.yaml "$tmp/etc/reconmon.yaml"

export NODE_NAME=node-7
monitor m "$S" -i s0 -c "$tmp/etc/reconmon.yaml" --pod-names "$tmp/log"
if says m 'will not be known'; then
	echo "skipped: owners are unknown here"
	finish
fi
fields=(--field orchestrator.type=kubernetes --field orchestrator.namespace=shop
	--field orchestrator.resource.type=pod --field orchestrator.resource.name=web-7d9f
	--field "orchestrator.resource.id=$uid" --field "container.id=$id"
	--field container.runtime=containerd --field host.name=node-7)

# --- whose it was --------------------------------------------------------------------------------
within nmap -n -Pn -T4 -sT -p 1-10 10.77.0.20
opened m --dest 10.77.0.20
verdict "a pod of which the node tells no container yet" alerts m --dest 10.77.0.20 \
	"${fields[@]}" --field container.name=
ln -s "/var/log/pods/shop_web-7d9f_$uid/nginx/0.log" \
	"$tmp/log/containers/web-7d9f_shop_nginx-$id.log"
sleep 1.1 # what was missing is looked for again after a second
within nmap -n -Pn -T4 -sT -p 1-10 10.77.0.21
opened m --dest 10.77.0.21
verdict "node, namespace, pod and container" alerts m --dest 10.77.0.21 "${fields[@]}" \
	--field container.name=nginx

# --- a ConfigMap that changes --------------------------------------------------------------------
configmap ..2026_11_27_02 "settle: 500ms
tick: 200ms
reload-on-change: true
internal: [10.0.0.0/8]
rules:
  port-scan: { threshold: nine }"
verdict "a bad ConfigMap changes nothing, and is said" wait_until 10 says m \
	"reload: $tmp/etc/reconmon.yaml:6:27: rules.port-scan.threshold.*nothing was changed"
configmap ..2026_11_27_03 "settle: 500ms
tick: 200ms
reload-on-change: true
internal: [10.0.0.0/8]
allow:
  - { pod: shop/*, comment: we know }"
verdict "a good one is applied" wait_until 10 says m 'reload: .* applied'
verdict "each was read once" test "$(grep -c 'reload: ' "$tmp/m.err")" -eq 2
within nmap -n -Pn -T4 -sT --disable-arp-ping --max-retries 0 -p 1-10 10.77.0.22
sleep 1
stop_monitor m
verdict "a pod is let be by namespace and name" alerts m --dest 10.77.0.22 --opens 0
verdict "and counted" grep -q 'allowed (line 6): 10 attempts.* pod=shop/\*' "$tmp/m.err"

# --- the other formats ---------------------------------------------------------------------------
for format in text cef leef ocsf zeek-json; do
	set -- "$@" --output "file:$tmp/$format,format=$format"
done
monitor n "$S" -i s0 --tick 200ms --settle 500ms --internal 10.0.0.0/8 --pod-names "$tmp/log" "$@"
within nmap -n -Pn -T4 -sT -p 1-10 10.77.0.20
wait_until 10 test -s "$tmp/zeek-json"
stop_monitor n
for word in 'text:containerd container nginx 5694f82f4416, pod shop/web-7d9f' \
	'cef:cs5=shop/web-7d9f' 'cef:dvchost=node-7' 'leef:podName=web-7d9f' \
	'leef:podNamespace=shop' 'ocsf:"namespace":"shop"' 'zeek-json:pod shop/web-7d9f'; do
	verdict "${word%%:*} says ${word#*:}" grep -q "${word#*:}" "$tmp/${word%%:*}"
done
finish
