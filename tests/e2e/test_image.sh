#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The image's file tree, made by the script that the Dockerfile runs, and run as the DaemonSet has it
# run: the manifest's capabilities and no others, a read-only root, no new privileges, a control group
# namespace of its own, the node's folders mounted where the manifest mounts them. What this leaves
# out is the runtime itself.
# shellcheck disable=SC2317 # some functions are called through wait_until only
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
need nmap curl mountpoint strings unshare

manifest=deploy/kubernetes/reconmon.yaml
tree=$tmp/image
node=$tmp/node # what the node has
v2=$tmp/cgroup2
bpf=$tmp/bpf
id=5694f82f44168cc048e014ae14d1b0c8ef673bec49f329dc169911ea638f63c2
uid=eb052b63-ea96-4728-ab4a-64ab3babccd7
group=rmi$$/kubepods.slice/kubepods-pod${uid//-/_}.slice/cri-containerd-$id.scope
ours=rmi$$/kubepods.slice/kubepods-pod${uid//[e-]/_}.slice # reconmon's own

cleanup_all() {
	local d

	trap - EXIT INT TERM
	[ ${#pids[@]} -eq 0 ] || kill -9 "${pids[@]}" 2>/dev/null
	for d in "$group" "$(dirname "$group")" "$ours" "rmi$$/kubepods.slice" "rmi$$"; do
		[ -d "$v2/$d" ] || continue
		xargs -r kill -9 <"$v2/$d/cgroup.procs" 2>/dev/null
		for _ in 1 2 3 4 5; do
			rmdir "$v2/$d" 2>/dev/null && break
			sleep 0.1
		done
	done
	! mountpoint -q "$bpf" || umount "$bpf"
	! mountpoint -q "$v2" || umount "$v2" || umount -l "$v2"
	cleanup
}
trap cleanup_all EXIT

# contained NAME - the daemon in $S, as a container; what it prints goes to $tmp/NAME.json and
# $tmp/NAME.err.
contained() {
	# shellcheck disable=SC2016 # for the inner shell
	NODE_NAME=node-7 RECONMON_CONFIG='' RUNTIME_DIRECTORY=/run/reconmon ip netns exec "$S" unshare --mount bash -c '
		set -e
		tree=$1 node=$2 v2=$3 ours=$4 caps=$5 bpf=$6
		shift 6
		echo $$ >"$v2/$ours/cgroup.procs"
		mount --bind "$tree" "$tree"
		mount -o remount,bind,ro "$tree"
		mount -t proc proc "$tree/proc"
		mount --rbind /sys "$tree/sys"
		mount --bind "$v2" "$tree/sys/fs/cgroup"
		mount --bind "$bpf" "$tree/sys/fs/bpf"
		for d in etc/reconmon run/reconmon var/lib/reconmon var/log; do
			mount --bind "$node/$d" "$tree/$d"
		done
		mount --bind /etc/passwd "$tree/etc/passwd"
		exec unshare --cgroup python3 tests/e2e/contained.py "$tree" "$caps" /usr/sbin/reconmon "$@"
	' _ "$tree" "$node" "$v2" "$ours" "$caps" "$bpf" "${args[@]}" >"$tmp/$1.json" 2>"$tmp/$1.err" </dev/null &
	pid_of[$1]=$!
	pids+=($!)
	wait_until 20 is_ready "$1"
	grep -qs '^ready' "$tmp/$1.err" || give_up "not ready: $(tail -n 3 "$tmp/$1.err")"
}

setup
for i in 20 21 22; do
	addr_add "$T" t0 "10.77.0.$i/16"
done
verdict "the tree is made" deploy/docker/tree.sh "$RECONMON" "$tree"
verdict "it has the binary and libraries, and nothing else that runs" test "$(find "$tree" -type f \
	-perm /111 ! -name '*.so*' | sed "s|^$tree||")" = /usr/sbin/reconmon
verdict "nothing in it is set-user-id" test -z "$(find "$tree" -perm /6000)"
verdict "it runs" test "$(chroot "$tree" /usr/sbin/reconmon --version)" = "$("$RECONMON" --version)"
verdict "it replays" sh -c "chroot '$tree' /usr/sbin/reconmon replay --fail-on-alert - \
	<tests/data/nmap-sS.pcap.gz >'$tmp/replay' 2>/dev/null; [ \$? -eq 10 ]"

# --- as the DaemonSet runs it --------------------------------------------------------------------
caps=$(python3 "$E2E/manifest.py" caps "$manifest")
mapfile -t args < <(python3 "$E2E/manifest.py" args "$manifest" | sed "s/\$(HOST_IP)/10.77.0.1/")
mkdir -p "$v2" "$bpf" "$node/etc/reconmon" "$node/run/reconmon" "$node/var/lib/reconmon" \
	"$node/var/log/pods/shop_web-7d9f_$uid/nginx" "$node/var/log/containers"
ln -s "/var/log/pods/shop_web-7d9f_$uid/nginx/0.log" \
	"$node/var/log/containers/web-7d9f_shop_nginx-$id.log"
mount -t cgroup2 cgroup2 "$v2" || give_up "no cgroup v2"
mount -t bpf bpf "$bpf" || give_up "no BPF file system"
mkdir -p "$v2/$group" "$v2/$ours" || give_up "cannot make control groups"
start hook "$S" python3 "$E2E/collector.py" webhook 18090 "$tmp/hook.json"
{
	python3 "$E2E/manifest.py" config "$manifest" | sed '/^outputs:/,/^[^ -]/{/^outputs:/d;/^[ -]/d}'
	printf 'interfaces: [s0]\ntick: 200ms\nsettle: 500ms\n'
	printf 'outputs:\n- { to: stdout, format: ecs }\n- "webhook:http://127.0.0.1:18090/hook,token-file=/etc/reconmon/token"\n'
} >"$node/etc/reconmon/reconmon.yaml"
echo s3cret >"$node/etc/reconmon/token"
contained c
verdict "it knows owners from within" sh -c "! grep -q 'will not be known' '$tmp/c.err'"
# shellcheck disable=SC2016 # for the inner shell
run "$S" bash -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$v2/$group" \
	nmap -n -Pn -T4 -sT --scan-delay 200ms -p 1-10 10.77.0.20 >/dev/null 2>&1 # outlives a tick
opened c --dest 10.77.0.20
verdict "a pod's scan: process, container, pod, node" alerts c --dest 10.77.0.20 \
	--field process.name=nmap --field 'process.executable=.*/nmap' --field container.name=nginx \
	--field orchestrator.namespace=shop --field orchestrator.resource.name=web-7d9f \
	--field host.name=node-7 --field reconmon.alert.owner.source=cookie
run "$S" nmap -n -Pn -T4 -sT -p 1-10 10.77.0.21 >/dev/null 2>&1
opened c --dest 10.77.0.21
verdict "a scan by the node: its user, by the node's own names" alerts c --dest 10.77.0.21 \
	--field process.name=nmap --field process.user.name=root --field orchestrator=
verdict "alerts leave over HTTP, by a library that is loaded" wait_until 10 grep -q '10.77.0.21' \
	"$tmp/hook.json"

# --- probed and scraped, and another pod in its place --------------------------------------------
probe() {
	run "$S" curl -sf -m 5 "http://10.77.0.1:9765/$1"
}
for path in livez readyz; do
	verdict "the kubelet's probe: /$path" probe $path
done
verdict "Prometheus: /metrics" sh -c "ip netns exec '$S' curl -sf http://10.77.0.1:9765/metrics |
	grep -q '^reconmon_build_info'"
run "$S" nmap -n -Pn -T4 -sT -p 1-10 10.77.0.22 >/dev/null 2>&1
opened c --dest 10.77.0.22
stop c KILL
contained d
run "$S" nmap -n -Pn -T4 -sT -p 11-90 10.77.0.22 >/dev/null 2>&1
# both_say - what both of them said, as of one: the alert of ports from before and after.
both_say() {
	python3 "$E2E/same_alerts.py" "$tmp/c.json" "$tmp/d.json" >"$tmp/all.json"
	alerts all --dest 10.77.0.22 --opens 1 --field 'reconmon.alert.ports=1-(1[1-9]|[2-9].|10,).*'
}
wait_until 10 both_say >/dev/null
verdict "a new pod goes on with the alert of the one that was killed" both_say
stop_monitor d
finish
