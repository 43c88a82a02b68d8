#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Habits, as README.md promises them: learnt over captures, kept over restarts, listed, turned off.
# shellcheck disable=SC2317 # some functions are called through verdict and wait_until only
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
need nmap

# --- over captures: how often a health check raises an alert ---

# rounds_said EVERY_S ROUNDS OPTION... - alerts that `replay` opens.
rounds_said() {
	local every=$1 n=$2

	shift 2
	python3 "$E2E/checks.py" "$every" "$n" 22 80 443 |
		"$RECONMON" replay --json "$@" - 2>"$tmp/replay.err" | grep -c '"state":"open"'
}

# between LEAST MOST COUNT
between() {
	echo "$3 alerts, wanted $1 to $2"
	[ "$3" -ge "$1" ] && [ "$3" -le "$2" ]
}

verdict "every 15 minutes: a habit after three quarters of an hour" between 1 4 "$(rounds_said 900 40)"
verdict "the summary says how many habits there are" grep -Eq \
	'^  habits: 6 \(6 learnt\), [1-9][0-9]* probes excused$' "$tmp/replay.err"
verdict "... and without habits every one is an alert" between 40 40 "$(rounds_said 900 40 --no-habits)"
verdict "... as by the letter of the searches" between 40 40 "$(rounds_said 900 40 --profile splunk)"
verdict "every 10 seconds: one alert" between 1 1 "$(rounds_said 10 200)"
verdict "twice a day: an alert each" between 10 10 "$(rounds_said 43200 10)"

# --- live: habits that were learnt before a restart ---

state=$tmp/habits.json
now_ms=$(($(date +%s) * 1000))

habit() {
	printf '{"kind":"service","originator":"10.77.0.1","port":%d,"protocol":6,"since_ms":%d,' \
		"$1" $((now_ms - 7200000))
	printf '"ready_ms":%d,"last_ms":%d,"pause_ms":60000,"seen":120,"excused":0,"said":true}' \
		$((now_ms - 7000000)) $((now_ms - 60000))
}

excused_in() {
	python3 -c 'import json, sys
for h in json.load(open(sys.argv[1]))["habits"]:
    print(h["port"], h["excused"] > 0, h["last_ms"] > int(sys.argv[2]))' "$state" $((now_ms - 1000))
}

all_excused() {
	[ "$(excused_in | sort -n)" = "$(printf '%s True True\n' 22 25 80)" ] || { excused_in; return 1; }
}

lists_habits() {
	grep -Eq 'habit: 10\.77\.0\.1 -> any host tcp port 22: seen 12[0-9] times, pauses up to 60 s, [1-9]' \
		"$tmp/$1.err"
}

setup
start listen "$T" python3 "$E2E/serve.py" listen 22 25 80
printf '{"version":1,"habits":[%s,%s,%s]}' "$(habit 22)" "$(habit 25)" "$(habit 80)" >"$state"
fast=(-i t0 --tick 200ms --settle 500ms)
check=(nmap -n -Pn -T4 --disable-arp-ping -sT)

monitor known "$T" "${fast[@]}" --state "$state"
monitor off "$T" "${fast[@]}" --state "$state" --no-habits
verdict "habits are read at the start" grep -q "^habits: 3 read from '$state'" "$tmp/known.err"
run "$S" "${check[@]}" -p 22,25,80 10.77.0.2 >/dev/null
opened off --rule port-scan
verdict "without habits a check of three ports is a scan" alerts off --rule port-scan --opens 1
sleep 1
verdict "a check of three habitual ports says nothing" alerts known --opens 0
kill -USR1 "${pid_of[known]}"
verdict "habits are listed" wait_until 10 lists_habits known
run "$S" "${check[@]}" -p 22,25,80,81 10.77.0.2 >/dev/null
opened known --rule port-scan
verdict "one new port counts, and the habits with it" alerts known --rule port-scan --opens 1 \
	--source 10.77.0.1 --ports 22,25,80,81
stop_monitor known
stop_monitor off
verdict "what was excused is written at the end" all_excused

head -c 100 "$state" >"$state.half" && mv "$state.half" "$state"
monitor damaged "$T" "${fast[@]}" --state "$state"
verdict "a damaged file is said" grep -q "state '$state' is damaged (.*): moved to '$state.damaged'" \
	"$tmp/damaged.err"
verdict "... and set aside" test -s "$state.damaged" -a ! -e "$state"
run "$S" "${check[@]}" -p 22,25,80 10.77.0.2 >/dev/null
opened damaged --rule port-scan
verdict "... and all is counted anew" alerts damaged --rule port-scan --opens 1
stop_monitor damaged
finish
