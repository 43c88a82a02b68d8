#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The chart renders and its objects are sound; the plain manifest says the same as the chart with its
# defaults; what they give to the daemon is what the daemon takes.
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
need go yamllint

chart=deploy/helm/reconmon
manifest=deploy/kubernetes/reconmon.yaml
mkdir -p build/gocache
verdict "the renderer builds" env GO111MODULE=off GOPATH=/usr/share/gocode GOFLAGS= \
	GOCACHE="$PWD/build/gocache" go build -o "$tmp/chart" "$E2E/chart.go"
cat >"$tmp/over.yaml" <<-EOF
	image: { digest: "sha256:$(printf '%064d' 7)" }
	imagePullSecrets: [{ name: registry }]
	fullnameOverride: watcher
	podMonitor: { enabled: true, interval: 15s, labels: { release: prometheus } }
	capabilities: [BPF, NET_ADMIN, PERFMON]
	seccompProfile: { type: Localhost, localhostProfile: profiles/reconmon.json }
	appArmorProfile: ""
	seLinuxOptions: { type: spc_t }
	stateDir: ""
	metrics: { address: "[\$(HOST_IP)]" }
	unpin: true
	priorityClassName: ""
	tolerations: [{ key: a, operator: Equal, value: b, effect: NoSchedule }]
	affinity: { nodeAffinity: {} }
	podLabels: { team: net }
	podAnnotations: { example.com/a: "1" }
	extraArgs: ["--interface=eth*"]
	config: { rules: { port-scan: { threshold: 9 } }, settle: 3s }
EOF
"$tmp/chart" "$chart" >"$tmp/default.yaml" 2>"$tmp/err" || bad "the chart renders" "$(cat "$tmp/err")"
"$tmp/chart" "$chart" "$tmp/over.yaml" >"$tmp/other.yaml" 2>"$tmp/err" ||
	bad "the chart renders with other values" "$(cat "$tmp/err")"

m() {
	python3 "$E2E/manifest.py" "$@"
}
relaxed='{extends: relaxed, rules: {line-length: disable}}'
for f in "$tmp/default.yaml" "$tmp/other.yaml" "$manifest"; do
	verdict "$(basename "$f"): its objects are sound" m check "$f"
	verdict "$(basename "$f"): yamllint" yamllint -d "$relaxed" "$f"
	m config "$f" >"$tmp/config.yaml"
	# shellcheck disable=SC2016 # for the pod
	m args "$f" | sed 's/\[\$(HOST_IP)/[2001:db8::7/; s/\$(HOST_IP)/192.0.2.7/' >"$tmp/args"
	mapfile -t args <"$tmp/args"
	verdict "$(basename "$f"): the daemon takes its configuration and options" \
		"$RECONMON" check -c "$tmp/config.yaml" "${args[@]}"
done
"$RECONMON" check -c "$tmp/config.yaml" >"$tmp/effective" 2>/dev/null
verdict "the manifest's configuration is reread when it changes" grep -q 'reload-on-change: true' "$tmp/effective"
verdict "the plain manifest is the chart with its defaults" m same "$tmp/default.yaml" "$manifest"
verdict "other values show" sh -c "grep -q 'name: watcher' '$tmp/other.yaml' &&
	grep -q 'image: .reconmon@sha256:0*7.\$' '$tmp/other.yaml' && grep -q 'kind: PodMonitor' '$tmp/other.yaml' &&
	grep -q 'interface=eth' '$tmp/other.yaml' && grep -q 'args: .unpin.' '$tmp/other.yaml' && ! grep -q 'SYS_PTRACE\|hostPath: { path: /var/lib' '$tmp/other.yaml'"
verdict "no PodMonitor unless it is wanted" sh -c "! grep -q PodMonitor '$tmp/default.yaml'"

# --- values, and what the checks refuse ----------------------------------------------------------
verdict "the chart's values fit their schema" m values "$chart/values.schema.json" "$chart/values.yaml"
refused() {
	local name=$1

	shift
	if m "$@" >"$tmp/why" 2>&1; then
		bad "$name" "was taken"
	else
		ok "$name: $(head -n 1 "$tmp/why" | cut -c 1-100)"
	fi
}
for wrong in 'capabilities: [BPF, SYS_ADMIN]' 'capabilities: [NET_ADMIN]' 'metrics: { port: http }' \
	'imgae: {}' 'image: { repository: a, digest: "7" }' 'stateDir: var/lib'; do
	echo "$wrong" >"$tmp/wrong.yaml"
	refused "values '$wrong' are refused" values "$chart/values.schema.json" "$tmp/wrong.yaml"
done
for edit in 's/privileged: false/privileged: true/' 's/readOnlyRootFilesystem/readOnlyRootFileSystem/' \
	's/port: metrics/port: metricz/' 's/name: pods, mountPath/name: logs, mountPath/' \
	's/kind: ServiceAccount/kind: ClusterRole/' 's/memory: 64Mi/memory: 64MB/'; do
	sed "$edit" "$manifest" >"$tmp/wrong.yaml"
	refused "a manifest with '$edit' is refused" check "$tmp/wrong.yaml"
done
finish
