#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# `reconmon replay` over Zeek's conn.log, TSV and JSON, plain and gzip: a scan among ordinary rows that
# are written in the order in which connections ended.
set -u
RECONMON=${RECONMON:-build/reconmon}
tmp=$(mktemp -d "${TMPDIR:-/tmp}/reconmon-log.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
failed=0

python3 - "$tmp" <<'P'
import json, sys
names = "ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto service duration orig_bytes resp_bytes conn_state local_orig local_resp missed_bytes history orig_pkts orig_ip_bytes resp_pkts resp_ip_bytes tunnel_parents".split()
types = "time string addr port addr port enum string interval count count string bool bool count string count count count count set[string]".split()
rows = []
def row(ts, orig, resp, port, state, history, orig_bytes, duration):
    rows.append([f"{ts:.6f}", "C1", orig, 40000 + len(rows), resp, port, "tcp", "-", duration, orig_bytes,
                 "-" if orig_bytes == "-" else 0, state, "-", "-", 0, history, 1, 60, 1, 40, "-"])
for p in (22, 80, 443, 3306):                     # refused: orig_bytes 0
    row(1000 + p / 1e4, "10.0.0.5", "10.0.0.9", p, "REJ", "Sr", 0, 0.000100)
for p in (1, 2, 3, 4, 5):                         # lone SYNs: orig_bytes unset
    row(1100 + p, "10.0.0.6", "10.0.0.9", p, "S0", "S", "-", "-")
for p in (80, 443, 8080):                         # long connections with payload, which end late
    row(900 + p / 1e3, "10.0.0.7", "10.0.0.9", p, "SF", "ShADadFf", 512, 300.0)
with open(sys.argv[1] + "/conn.log", "w") as f:
    f.write("#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n")
    f.write("#fields\t" + "\t".join(names) + "\n#types\t" + "\t".join(types) + "\n")
    for r in rows:
        f.write("\t".join(str(x) for x in r) + "\n")
    f.write("#close\t2026-01-01-00-00-00\n")
with open(sys.argv[1] + "/conn.json", "w") as f:
    for r in rows:
        d = {n: v for n, v in zip(names, r) if v != "-"}
        d["ts"] = float(d["ts"])
        f.write(json.dumps(d) + "\n")
P
gzip -k "$tmp/conn.log"

closed() {
	"$RECONMON" replay -q --json "$@" 2>/dev/null | python3 -c '
import json, sys
for line in sys.stdin:
    d = json.loads(line)
    a = d["reconmon"]["alert"]
    if a["state"] == "close":
        print(d["rule"]["id"], d["source"]["ip"], a["ports"], sep=":")
' | sort | tr '\n' ' '
}

expect() {
	if [ "$2" = "$3" ]; then
		printf 'ok      %s\n' "$1"
	else
		printf 'FAILED  %s: expected "%s", got "%s"\n' "$1" "$2" "$3"
		failed=1
	fi
}

both='port-scan:10.0.0.5:22,80,443,3306 port-scan:10.0.0.6:1-5 '
expect 'TSV' "$both" "$(closed "$tmp/conn.log")"
expect 'TSV, gzip' "$both" "$(closed "$tmp/conn.log.gz")"
expect 'JSON' "$both" "$(closed "$tmp/conn.json")"
expect 'splunk: only where orig_bytes is 0' 'port-scan:10.0.0.5:22,80,443,3306 ' \
	"$(closed --profile splunk "$tmp/conn.log")"
expect 'threshold 5' 'port-scan:10.0.0.6:1-5 ' "$(closed --set port-scan.threshold=5 "$tmp/conn.log")"
"$RECONMON" replay -q --fail-on-alert "$tmp/conn.log" >/dev/null 2>&1
expect '--fail-on-alert exits 10' 10 $?
"$RECONMON" replay -q "$tmp/conn.log" "$RECONMON" >/dev/null 2>"$tmp/err"
expect 'a log beside something else is refused' 2 $?
exit "$failed"
