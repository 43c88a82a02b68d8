#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Alerts reach those who are known to read them: rsyslog over UDP, TCP and its local socket, an
# instance of its own on a loopback of its own; systemd-journald, below a /run of its own.
# shellcheck disable=SC2317 # some functions are called through wait_until only
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
need rsyslogd journalctl unshare openssl

capture=$PWD/tests/data/nmap-sS.pcap.gz
daemon=$(realpath "$RECONMON")

# replay NAME DEST - what reconmon says of the capture goes there; exit 0 is a case.
replay() {
	local name=$1 r

	shift
	run "$T" "$RECONMON" replay -q --output "$1" "$capture" >"$tmp/replay.out" 2>"$tmp/replay.err" </dev/null
	r=$?
	verdict "$name: exit 0" test $r -eq 0
	verdict "$name: not a word beside" test ! -s "$tmp/replay.out" -a ! -s "$tmp/replay.err"
}

setup

# --- rsyslog -------------------------------------------------------------------------------------
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=collector -addext "subjectAltName=IP:127.0.0.1" \
	-keyout "$tmp/key.pem" -out "$tmp/ca.pem" 2>"$tmp/openssl.err" || give_up "$(tail -n 1 "$tmp/openssl.err")"
cat >"$tmp/rsyslog.conf" <<EOF
global(defaultNetstreamDriverCAFile="$tmp/ca.pem" defaultNetstreamDriverCertFile="$tmp/ca.pem"
	defaultNetstreamDriverKeyFile="$tmp/key.pem" workDirectory="$tmp" maxMessageSize="64k" parser.escapeControlCharactersOnReceive="on")
module(load="imudp")
module(load="imtcp")
module(load="imuxsock" SysSock.Use="off")
template(name="props" type="list" option.json="on") {
	constant(value="{\"pri\":\"") property(name="pri")
	constant(value="\",\"time\":\"") property(name="timestamp" dateFormat="rfc3339")
	constant(value="\",\"host\":\"") property(name="hostname")
	constant(value="\",\"app\":\"") property(name="app-name")
	constant(value="\",\"procid\":\"") property(name="procid")
	constant(value="\",\"msgid\":\"") property(name="msgid")
	constant(value="\",\"sd\":\"") property(name="structured-data")
	constant(value="\",\"msg\":\"") property(name="msg")
	constant(value="\"}\n")
}
template(name="raw" type="string" string="%rawmsg%\n")
ruleset(name="udp") { action(type="omfile" file="$tmp/udp.log" template="props") }
ruleset(name="tcp") { action(type="omfile" file="$tmp/tcp.log" template="props") }
ruleset(name="lf") { action(type="omfile" file="$tmp/lf.log" template="props") }
ruleset(name="leef") { action(type="omfile" file="$tmp/leef.log" template="raw") }
ruleset(name="tls") { action(type="omfile" file="$tmp/tls.log" template="props") }
ruleset(name="unix") { action(type="omfile" file="$tmp/unix.log" template="props") }
input(type="imudp" address="127.0.0.1" port="5514" ruleset="udp")
input(type="imudp" address="127.0.0.1" port="5516" ruleset="leef")
input(type="imtcp" address="127.0.0.1" port="5514" ruleset="tcp" supportOctetCountedFraming="on")
input(type="imtcp" address="::1" port="5515" ruleset="lf" supportOctetCountedFraming="off")
input(type="imtcp" address="127.0.0.1" port="6514" ruleset="tls" streamDriver.Name="gtls" streamDriver.Mode="1"
	streamDriver.AuthMode="anon")
input(type="imuxsock" socket="$tmp/log.sock" ruleset="unix")
EOF
rsyslog() {
	ip netns exec "$T" rsyslogd -n -f "$tmp/rsyslog.conf" -i "$tmp/rsyslog.pid" >>"$tmp/rsyslog.out" 2>&1 </dev/null &
	pid_of[rsyslog]=$!
	pids+=($!)
	wait_until 10 test -S "$tmp/log.sock" || give_up "rsyslogd did not come up: $(tail -n 3 "$tmp/rsyslog.out")"
}
closed() { # NAME - the last word has come
	grep -Eqs '(state=\\*"|state=)close|CLOSE' "$tmp/$1.log"
}
judge() {
	python3 "$E2E/receivers.py" "$@"
}

run "$T" ip link set lo up
rsyslog
replay "UDP" "syslog:udp:127.0.0.1:5514"
wait_until 5 closed udp
verdict "UDP: RFC 5424, read by rsyslog" judge syslog "$tmp/udp.log" 131 32473
replay "TCP" "syslog:tcp:localhost:5514,format=ecs,facility=daemon,enterprise=64999"
wait_until 5 closed tcp
verdict "TCP: counted, read by rsyslog" judge syslog "$tmp/tcp.log" 27 64999
replay "TCP in lines, IPv6" "syslog:tcp:[::1]:5515,format=cef,framing=lf"
wait_until 5 closed lf
verdict "TCP: lines, read by rsyslog" judge syslog "$tmp/lf.log" 131 32473
replay "TLS" "syslog:tls:127.0.0.1,ca=$tmp/ca.pem,format=ocsf"
wait_until 5 closed tls
verdict "TLS: RFC 5425, read by rsyslog" judge syslog "$tmp/tls.log" 131 32473
rm -f "$tmp/tls.log"
run "$T" "$RECONMON" replay -q --output "syslog:tls:localhost,ca=$tmp/ca.pem" "$capture" 2>"$tmp/other.err"
r=$?
verdict "TLS: a certificate of another name: exit 1" test $r -eq 1
verdict "TLS: a certificate of another name: said" grep -qi 'certificate' "$tmp/other.err"
verdict "TLS: a certificate of another name: gets nothing" test ! -s "$tmp/tls.log"
replay "LEEF" "syslog:udp:127.0.0.1:5516,format=leef"
leef_header='^<131>1 [0-9-]{10}T[0-9:]{8}\.[0-9]{3}Z [!-~]+ LEEF:2\.0\|reconmon\|reconmon\|'
leef_all() {
	[ -s "$tmp/leef.log" ] && ! grep -qEv "$leef_header" "$tmp/leef.log"
}
verdict "LEEF: its short header" wait_until 5 leef_all
replay "a local socket" "syslog:unix:$tmp/log.sock"
wait_until 5 closed unix
verdict "a local socket: application and process, as from syslog(3)" \
	grep -Eq '"pri":"131".*"app":"reconmon","procid":"[0-9]+".*OPEN   port-scan' "$tmp/unix.log"

# A receiver that goes and comes back: what waited is told, in order.
stop rsyslog TERM
rm -f "$tmp/tcp.log" "$tmp/log.sock"
monitor back "$T" -i t0 --tick 200ms --settle 500ms --output syslog:tcp:127.0.0.1:5514
run "$S" nmap -n -Pn -T4 -sS -p 22,445,3389 10.77.0.2 >/dev/null
says() {
	grep -q -- "$1" "$tmp/back.err"
}
verdict "the receiver is away: said" wait_until 10 says 'syslog:tcp:127.0.0.1:5514: Connection refused'
rsyslog
verdict "it is back: said" wait_until 20 says 'works again after'
verdict "it is back: the alert is there" wait_until 5 grep -q 'state=.*open' "$tmp/tcp.log"
stop rsyslog TERM
sleep 0.2
rm -f "$tmp/log.sock"
rsyslog # the old connection is dead
stop_monitor back
wait_until 5 closed tcp
verdict "a connection that died meanwhile: not a message lost" judge syslog "$tmp/tcp.log" 132 32473
stop rsyslog TERM

# --- systemd-journald ------------------------------------------------------------------------------
cat >"$tmp/journal.sh" <<'EOF'
mount -t tmpfs none /run && mount -t tmpfs none /var/log && mkdir -p /run/systemd/journal /run/log/journal || exit 1
env -u RUNTIME_DIRECTORY /lib/systemd/systemd-journald >/dev/null 2>&1 & # that one is of the control socket
journald=$!
for _ in $(seq 600); do
	[ -S /run/systemd/journal/socket ] && break
	sleep 0.05
done
"$1" replay -q --output journald "$2"
echo "exit $?"
for _ in $(seq 600); do
	journalctl -D /run/log/journal/* -o json --all SYSLOG_IDENTIFIER=reconmon >"$3/journal.json" 2>/dev/null
	grep -q '"RECONMON_STATE":"close"' "$3/journal.json" && break
	sleep 0.05
done
kill $journald
wait $journald
EOF
verdict "journald: replay ends well" sh -c \
	"unshare -m bash '$tmp/journal.sh' '$daemon' '$capture' '$tmp' 2>&1 | grep -v '^exit 0' | grep . && exit 1 || exit 0"
verdict "journald: fields and document" judge journal "$tmp/journal.json"
finish
