#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Alerts over HTTP, to services that are as strict as Splunk's collector, Elasticsearch and a webhook
# with a token are: what a busy or broken one did not take comes again, what it refuses does not, and
# a certificate that nobody vouches for gets nothing.
# shellcheck disable=SC2317 # some functions are called through wait_until only
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
need openssl nmap

capture=tests/data/nmap-sS.pcap.gz
echo s3cret >"$tmp/token"
port=18080

# collector NAME KIND OPTION... - listens on a new port, which $port is then.
collector() {
	local name=$1 kind=$2

	shift 2
	port=$((port + 1))
	start "$name" "$T" python3 "$E2E/collector.py" "$kind" "$port" "$tmp/$name.json" "$@"
}

# replay NAME WANTED_EXIT DEST
replay() {
	local name=$1 want=$2 r

	shift 2
	run "$T" "$RECONMON" replay -q --output "$1" "$capture" >"$tmp/out" 2>"$tmp/$name.err" </dev/null
	r=$?
	verdict "$name: exit $want" test $r -eq "$want"
}

# taken NAME - every alert was told from its open to its close, each once.
taken() {
	alerts "$1" --rule port-scan --ports 1-100 --final close &&
		[ "$(wc -l <"$tmp/$1.json")" -eq "$(wc -l <"$tmp/direct.json")" ]
}

setup
"$RECONMON" replay -q --json "$capture" >"$tmp/direct.json"

collector hook webhook
replay hook 0 "webhook:http://127.0.0.1:$port/hook,token-file=$tmp/token"
verdict "a webhook takes every alert" taken hook

collector text webhook
replay text 0 "webhook:http://127.0.0.1:$port/hook,token-file=$tmp/token,format=text,states=open"
verdict "a webhook takes text" grep -q 'OPEN   port-scan' "$tmp/text.json"

collector hec hec --answers 503,200,429,200
replay hec 0 "hec:http://127.0.0.1:$port,token-file=$tmp/token,index=sec"
verdict "Splunk's collector, busy at times, takes every alert" taken hec
verdict "... and both are said" grep -q 'HTTP status 503.*alerts wait' "$tmp/hec.err"

collector es elasticsearch --answers cut,bulk429
replay es 0 "elasticsearch:http://127.0.0.1:$port/,token-file=$tmp/token"
verdict "Elasticsearch takes every alert once, though an answer was lost and one put off" taken es

collector refused webhook
echo wrong >"$tmp/wrong"
replay refused 1 "webhook:http://127.0.0.1:$port/hook,token-file=$tmp/wrong"
verdict "a wrong token: said once" test "$(grep -c 'it refuses an alert' "$tmp/refused.err")" -eq 1
verdict "a wrong token: with the answer" grep -q 'HTTP status 400: .*authorization' "$tmp/refused.err"
verdict "a wrong token: not sent again and again" test "$(grep -c violation "$tmp/refused.log")" -eq \
	"$(wc -l <"$tmp/direct.json")"

# --- TLS -----------------------------------------------------------------------------------------
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=collector -addext "subjectAltName=IP:127.0.0.1" \
	-keyout "$tmp/key.pem" -out "$tmp/ca.pem" 2>"$tmp/openssl.err" || give_up "$(tail -n 1 "$tmp/openssl.err")"
cat "$tmp/ca.pem" "$tmp/key.pem" >"$tmp/cert.pem"
collector tls webhook --cert "$tmp/cert.pem"
replay tls 0 "webhook:https://127.0.0.1:$port/hook,token-file=$tmp/token,ca=$tmp/ca.pem"
verdict "TLS with our own authority" taken tls
: >"$tmp/tls.json"
replay untrusted 1 "webhook:https://127.0.0.1:$port/hook,token-file=$tmp/token"
verdict "a certificate that nobody vouches for: said" grep -qi 'certificate' "$tmp/untrusted.err"
verdict "a certificate that nobody vouches for: gets nothing" test ! -s "$tmp/tls.json"
replay other 1 "webhook:https://localhost:$port/hook,token-file=$tmp/token,ca=$tmp/ca.pem"
verdict "a certificate of another name: gets nothing" test ! -s "$tmp/tls.json"

# --- what is wrong from the start --------------------------------------------------------------------
for bad in "no-token:hec:http://h,token-file=$tmp/none:token-file '$tmp/none'" \
	"no-ca:webhook:https://h,ca=$tmp/none:ca '$tmp/none'" \
	"no-json:elasticsearch:http://h,format=text:no JSON"; do
	name=${bad%%:*}
	rest=${bad#*:}
	run "$T" "$RECONMON" replay -q --output "${rest%:*}" "$capture" >"$tmp/out" 2>"$tmp/bad.err"
	r=$?
	verdict "$name: an error at the start" test $r -ne 0
	verdict "$name: that says what" grep -q "${rest##*:}" "$tmp/bad.err"
done

# A service that takes the connection and never answers must not hold up the end.
start silent "$T" python3 -c 'import socket, time
s = socket.create_server(("127.0.0.1", 18099)); print("up", flush=True); time.sleep(300)'
monitor silence "$T" -i t0 --tick 200ms --settle 500ms --output "webhook:http://127.0.0.1:18099/hook"
run "$S" nmap -n -Pn -T4 -sS -p 22,80,443 10.77.0.2 >/dev/null
sleep 1
began=$SECONDS
stop silence TERM
r=$?
verdict "a service that never answers: SIGTERM ends it (exit $r)" test $r -eq 1
verdict "a service that never answers: ... within bounded time" test $((SECONDS - began)) -lt 15
finish
