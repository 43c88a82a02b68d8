#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The configuration file as the daemon meets it: read at the start, read again upon SIGHUP without
# losing what was seen, refused without changing anything. Rules of one's own, the allow-list with
# its counters, interfaces that come and go with the file.
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
need nmap mandoc

config=$tmp/reconmon.yaml

# reloads NAME - how many it has told of.
reloads() {
	grep -cE 'reload: .*(applied|nothing was changed)' "$tmp/$1.err"
}

# shellcheck disable=SC2317 # called by wait_until
has_reloaded() {
	[ "$(reloads "$1")" -gt "$2" ]
}

# hup NAME PATTERN - sends SIGHUP and waits until it has told what became of it; succeeds if a line
# is like the pattern.
hup() {
	local before

	before=$(reloads "$1")
	kill -HUP "${pid_of[$1]}"
	wait_until 10 has_reloaded "$1" "$before" && grep -q "$2" "$tmp/$1.err"
}

scan() { # each port once: attempts are counted
	run "$S" nmap -n -Pn -T4 --disable-arp-ping --max-retries 0 -sS "$@" >/dev/null 2>&1
}

setup
for i in 3 4 5 6; do
	addr_add "$S" s0 "10.77.0.$i/16"
	addr_add "$T" t0 "10.77.1.$i/16" # with the originator of the same number
	ip -n "$S" route add "10.77.1.$i/32" dev s0 src "10.77.0.$i"
done
ns_join "$S" s1 "$T" t1

cat >"$config" <<-EOF
	interfaces: [t0]
	settle: 500ms
	tick: 200ms
	rules:
	  port-scan: { threshold: 6 }
	  sweep: { enabled: false }
	  few-ports-many-hosts:
	    where: probe
	    by: [originator, protocol]
	    distinct: [responder, port]
	    window: 5m
	    threshold: 8
	    severity: 9
EOF

# --- read at the start, and again in the middle of a scan ----------------------------------------
monitor m "$T" -c "$config"
verdict "the file is named" grep -q "^configuration: $config" "$tmp/m.err"
scan -p 1-4 10.77.1.3
sleep 0.5
sed -i 's/threshold: 6/threshold: 7/' "$config"
verdict "SIGHUP: applied" hup m "reload: $config applied; watching 1 interface"
scan -p 5-7 10.77.1.3
opened m --rule port-scan --source 10.77.0.3
sed -i 's/severity: 9/severity: 8/' "$config"
verdict "SIGHUP while an alert is open: applied" hup m applied
scan -p 8-20 10.77.1.3

# --- a bad file changes nothing ------------------------------------------------------------------
cp "$config" "$tmp/good.yaml"
printf 'settle: 500ms\ntick: 200ms\nrules:\n  port-scan: { threshold: 1000 }\n  smb: {}\n' >"$config"
verdict "a bad file: file, line and column" hup m \
	"reload: $config:5:3: rules.smb: .where. is missing.*; nothing was changed"
scan -p 1-7 10.77.1.4
verdict "a bad file changes nothing" opened m --rule port-scan --source 10.77.0.4
sed -e 's/\[t0\]/[t0, nowhere9]/' "$tmp/good.yaml" >"$config"
verdict "an interface that is not there changes nothing" hup m \
	"reload: no interface 'nowhere9'.*; nothing was changed"
rm "$config"
verdict "a file that is gone changes nothing" hup m \
	"reload: $config: No such file or directory; nothing was changed"
mkfifo "$config" # nobody writes into it
verdict "a pipe changes nothing, and is not waited for" hup m \
	"reload: $config: a pipe or device.*; nothing was changed"
rm "$config"
sed -e 's/tick: 200ms/tick: 300ms/' "$tmp/good.yaml" >"$config"
verdict "what needs a restart is said" hup m "reload: tick stays 200ms; 300ms needs a restart"

# --- interfaces ----------------------------------------------------------------------------------
sed -e "s/\[t0\]/['t*', '!t0']/" "$tmp/good.yaml" >"$config"
hup m "interface 't0' is not watched any more"
verdict "interfaces: one goes" grep -q "interface 't0' is not watched any more" "$tmp/m.err"
verdict "interfaces: another comes" grep -q "watching interface 't1' too" "$tmp/m.err"
cp "$tmp/good.yaml" "$config"
verdict "interfaces: and back" hup m "watching interface 't0' too"

# --- the allow-list, and a rule of one's own -----------------------------------------------------
cat >>"$config" <<-EOF
	allow:
	  - originator: 10.77.0.5
	    comment: our own scanner
	  - originator: 10.77.0.6
	    expires: 2020-12-31
	    comment: the scanner before it
EOF
hup m applied
verdict "an entry that has ended is said" wait_until 10 grep -q \
	"'the scanner before it' ended with 2020-12-31" "$tmp/m.err"
scan -p 1-50 10.77.1.5
scan -p 1-8 10.77.1.6
verdict "a rule of one's own counts pairs" opened m --rule few-ports-many-hosts \
	--source 10.77.0.6 --field event.severity=8
hup m applied
stop_monitor m
# (By its close: an update comes with every doubling only.)
verdict "a reload in the middle of a scan loses no port" alerts m --rule port-scan \
	--source 10.77.0.3 --dest 10.77.1.3 --ports 1-20 --opens 1
verdict "what is allowed raises no alert" alerts m --source 10.77.0.5 --opens 0
verdict "what is allowed is counted" grep -Eq \
	'allowed \(line [0-9]+\): 50 attempts, 50 of them silent: originator=10.77.0.5/32: our own scanner' \
	"$tmp/m.err"
verdict "an end is said once" test "$(grep -c 'ended with 2020-12-31' "$tmp/m.err")" -eq 1

# --- who it was, on the originator's side --------------------------------------------------------
printf 'allow:\n  - { process: nmap, comment: by name }\n' >"$config"
monitor who "$S" -i s0 -c "$config" --tick 200ms --settle 500ms --internal 10.0.0.0/8
run "$S" nmap -n -Pn -T4 -sT -p 1-30 10.77.0.2 >/dev/null 2>&1
sleep 1
stop_monitor who
if grep -q 'owners' "$tmp/who.err"; then # this kernel tells nobody's
	echo "skipped: owners are unknown here: $(grep -m 1 owners "$tmp/who.err")"
else
	verdict "a process is allowed by its name" alerts who --opens 0
	verdict "and counted" grep -q 'allowed (line 2): .* process=nmap: by name' "$tmp/who.err"
fi

# --- check ---------------------------------------------------------------------------------------
"$RECONMON" check -c "$tmp/good.yaml" --set port-scan.threshold=9 >"$tmp/effective.yaml" 2>/dev/null
verdict "check: what it prints is a configuration that says the same" \
	diff <("$RECONMON" check -c "$tmp/effective.yaml" 2>/dev/null) "$tmp/effective.yaml"
verdict "check: options go over the file" grep -q '    threshold: 9' "$tmp/effective.yaml"
printf 'rules:\n  port-scan:\n    treshold: 5\n' >"$config"
"$RECONMON" check -c "$config" >"$tmp/out" 2>"$tmp/err"
verdict "check of a bad file: exit 2" test $? -eq 2
verdict "check of a bad file: the place" grep -q \
	"^reconmon: $config:3:5: rules.port-scan: no field 'treshold' (did you mean 'threshold'?)" \
	"$tmp/err"
verdict "check of a bad file: nothing on standard output" test ! -s "$tmp/out"

# --- the example and the manual ------------------------------------------------------------------
"$RECONMON" check -c deploy/reconmon.yaml >"$tmp/example.yaml" 2>"$tmp/err"
verdict "the commented example is accepted" test $? -eq 0
verdict "as it stands it changes nothing" \
	diff <("$RECONMON" check -c /dev/null 2>/dev/null) "$tmp/example.yaml"
# What is commented out, without the mark: lines that begin with it below a key.
sed -E 's/^(  +)# /\1/; s/^  (A built-in|Rules of one).*\.$//' deploy/reconmon.yaml >"$tmp/full.yaml"
"$RECONMON" check -c "$tmp/full.yaml" >"$tmp/full.out" 2>"$tmp/err"
verdict "so is what it has commented out" test $? -eq 0
verdict "and that does change something" grep -q '  few-ports-many-hosts:' "$tmp/full.out"
verdict "the manual is well-formed" test -z "$(mandoc -Tlint -W warning docs/reconmon.yaml.5 2>&1)"
mandoc -Tascii docs/reconmon.yaml.5 2>/dev/null | sed $'s/.\b//g' >"$tmp/manual"
missing=$(grep -oE '^[ -]*[a-z-]+:' "$tmp/full.out" "$tmp/example.yaml" -h | tr -d ' :' |
	sed 's/^-//' | sort -u | while read -r key; do
	grep -qw -- "$key" "$tmp/manual" || echo "$key"
done)
verdict "the manual knows every key that check prints" test -z "$missing"
finish
