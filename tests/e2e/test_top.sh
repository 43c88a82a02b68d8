#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# reconmon top in a real terminal (tmux): over a daemon's socket, by itself, over a replay; its keys,
# other sizes, no colour, no UTF-8, and the terminal as it was afterwards.
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
need nmap tmux
unset NO_COLOR TMUX
export LC_ALL=C.UTF-8

# Every tmux of ours is on a server of its own, which goes with the test.
screens=0
mux() {
	tmux -S "$tmp/tmux$screens" -f /dev/null "$@" 2>/dev/null
}
trap 'mux kill-server; cleanup' EXIT

# screen_open COLUMNS LINES COMMAND... - in a shell, whose prompt is what is left when it ends.
screen_open() {
	local columns=$1 lines=$2

	shift 2
	mux kill-server
	screens=$((screens + 1))
	mux new-session -d -x "$columns" -y "$lines" "env PS1='prompt ' sh"
	mux set-option -g status off
	mux resize-window -x "$columns" -y "$lines" 2>/dev/null
	mux send-keys "$*" Enter
}

press() {
	mux send-keys "$@"
}

shown() {
	mux capture-pane -pJ | grep -Eq -- "$1"
}

# sees NAME REGEX - within ten seconds, one of the screen's lines does.
sees() {
	if wait_until 10 shown "$2"; then
		ok "$1"
	else
		bad "$1" "no '$2' in: $(mux capture-pane -p | tr '\n' '|')"
	fi
}

sees_not() {
	if shown "$2"; then
		bad "$1" "there is '$2': $(mux capture-pane -p | tr '\n' '|')"
	else
		ok "$1"
	fi
}

# fits NAME COLUMNS LINES - nothing was wrapped or scrolled away: the head is the first line, the
# keys are the last, and no line is wider.
fits() {
	local text

	text=$(mux capture-pane -p)
	verdict "$1: the head is on top" grep -Eq '^reconmon [0-9.]+ ' <(head -n 1 <<<"$text")
	verdict "$1: the keys are at the bottom" grep -Eq 'q quit|Esc back' <(sed -n "$3p" <<<"$text")
	verdict "$1: nothing is wider" test "$(wc -L <<<"$text")" -le "$2"
}

# shellcheck disable=SC2317 # called by name
head_on_top() {
	[ "$(mux display-message -p '#{window_width}x#{window_height}')" = "$size" ] &&
		mux capture-pane -p | head -n 1 | grep -q '^reconmon'
}

setup
addr_add "$S" s0 10.77.0.7/16 10.77.0.8/16 10.77.0.9/16
start listen "$T" python3 "$E2E/serve.py" listen 22 80
sock=$tmp/reconmon.sock
monitor daemon "$T" -i t0 --tick 200ms --settle 500ms --control "$sock"
scan=(nmap -n -Pn -T4 --disable-arp-ping)
in_T="ip netns exec $T"

# --- over the daemon's socket ------------------------------------------------------------------------
screen_open 80 24 "$in_T $RECONMON top --control $sock"
sees "nobody is there yet" 'nobody has looked around'
fits "80x24, empty" 80 24
run "$S" "${scan[@]}" -p 1-100 10.77.0.2 >/dev/null
sees "a scan is there, with its ports by answer" '^[4-9!] 10\.77\.0\.1 +100 .* 2 +98 +- +- +syn'
sees "and its alert is counted" 'alerts 1 open'
run "$S" "${scan[@]}" -S 10.77.0.7 -e s0 -p 1-40 10.77.0.2 >/dev/null
run "$S" "${scan[@]}" -S 10.77.0.8 -e s0 -sF -p 81-95 10.77.0.2 >/dev/null
sees "another originator" '10\.77\.0\.7 +40'
sees "and one with another technique" '10\.77\.0\.8 +15 .*fin'
fits "80x24" 80 24
press s
sees "sorted by ports" 'by ports'
sees "the most ports first" '^. 10\.77\.0\.1 +100'
press r
sees "reversed" 'by ports \(reversed\)'
press r / 0.8 Enter
sees "a filter" '1 of 3 originators.*with: 0\.8'
sees_not "and what does not fit is gone" '10\.77\.0\.7'
press Escape
sees "Esc ends the filter" '3 of 3 originators'
press f
sees "frozen" 'FROZEN'
run "$S" "${scan[@]}" -S 10.77.0.9 -e s0 -p 1-10 10.77.0.2 >/dev/null
sleep 1
sees_not "a frozen picture shows nobody new" '10\.77\.0\.9'
press f
sees "let go, it does" '10\.77\.0\.9 +10'

press Home Enter
sees "one originator: its alert" 'port-scan  severity [0-9]+  100 at threshold 3'
sees "the time line of its probes" 'Time line of [0-9]+ probes over'
sees "the map of its ports" 'All ports, [0-9]+ a character'
sees "what was found open, with names" 'open: 22/ssh 80/http'
fits "one originator" 80 24
press Down
sees "the next originator" '40 ports of 1 hosts'
press Escape Home a
sees "the allow-list's line" "^--allow 'originator=10\.77\.0\.1/32"
sees "the same for the file" "originator: \['10\.77\.0\.1/32'\]"
id=$(mux capture-pane -pJ | grep -Eo '^Alert [0-9a-f-]+' | cut -d' ' -f2)
verdict "explain says more of it, by the daemon" grep -Eq "^port-scan $id: 10\.77\.0\.1 -> 10\.77\.0\.2" \
	<("$RECONMON" explain --control "$sock" "$id")
line=$(mux capture-pane -pJ | grep -Eo "^--allow '[^']*'")
press Enter
sees "Enter goes back" 'originators, by ports'
run "$S" "${scan[@]}" -p 1-100 10.77.0.2 >/dev/null
allowed=()
eval "allowed=($line)" # as a shell takes what was pasted
monitor allowed "$T" -i t0 --tick 200ms --settle 500ms --control none "${allowed[@]}"
run "$S" "${scan[@]}" -p 1-100 10.77.0.2 >/dev/null
sleep 1.5
verdict "pasted, it silences the scan" test ! -s "$tmp/allowed.json"
stop_monitor allowed
press h
sees "help" 'severity of its worst open alert'
press x

# --- other sizes, while it runs -----------------------------------------------------------------------
for size in 140x40 60x12 30x6 80x24; do
	mux resize-window -x "${size%x*}" -y "${size#*x}"
	verdict "$size: the head is on top" wait_until 10 head_on_top
done
mux resize-window -x 140 -y 40
sees "140 columns have a column for owners" 'OWNER'
fits "140x40" 140 40
press Enter
sees "one originator, large" 'All ports'
press Escape

# --- the end, ours and the daemon's -------------------------------------------------------------------
press q
sees "q leaves the prompt as it was" '^prompt *$'
press "stty -a | grep -o ' echo ' ; echo status=\$?" Enter
sees "and the terminal echoes" 'status=0'
screen_open 80 24 "$in_T $RECONMON top --control $sock; echo code=\$?"
sees "again" 'originators, by'
stop_monitor daemon
sees "the daemon ends: said" '^The daemon is gone, and looked for once a second; q quits: no reconmon answers'
sees "in the first line, too" '^reconmon .* daemon GONE, 1 interfaces'
sees "what it said last is still there" '^. 10\.77\.0\.1 +100'
press s
sees "and can be looked at" 'originators, by ports'
press Home Enter
sees "as can one originator" 'Time line of [0-9]+ probes over'
sees_not "top has not ended" '^code='
monitor daemon "$T" -i t0 --tick 200ms --settle 500ms --control "$sock"
sees "the daemon is back: top goes on" '^reconmon .* daemon, 1 interfaces'
sees "with what this one has seen" 'nobody is there any more'
press Escape
run "$S" "${scan[@]}" -p 1-30 10.77.0.2 >/dev/null
sees "and sees" '^. 10\.77\.0\.1 +30'
kill -9 "${pid_of[daemon]}"
reap "${pid_of[daemon]}"
sees "the daemon is killed: said" 'The daemon is gone'
press q
sees "q leaves, exit 0" '^code=0'

# --- plain terminals ----------------------------------------------------------------------------------
monitor daemon "$T" -i t0 --tick 200ms --settle 500ms --control "$sock"
screen_open 80 24 "$in_T env LC_ALL=C NO_COLOR=1 TERM=vt100 $RECONMON top --control $sock"
sees "vt100, no UTF-8, no colour" 'originators, by'
run "$S" "${scan[@]}" -p 1-30 10.77.0.2 >/dev/null
sees "is fine without" '10\.77\.0\.1 +30 .*[.:=+*#@-] '
verdict "only ASCII is written" sh -c "! LC_ALL=C grep -q '[^ -~]'" < <(mux capture-pane -p)
press q
stop_monitor daemon
verdict "no terminal: exit 2, names another way" grep -q 'reconmon status' \
	<("$RECONMON" top --control "$sock" 2>&1 </dev/null | cat)

# --- by itself ----------------------------------------------------------------------------------------
screen_open 80 24 "$in_T $RECONMON top -i t0 --settle 500ms --control $tmp/nobody.sock; echo code=\$?"
sees "no daemon runs: it has one of its own" 'own daemon, 1 interfaces'
run "$S" "${scan[@]}" -p 1-25 10.77.0.2 >/dev/null
sees "which finds a scan" '10\.77\.0\.1 +25'
press q
sees "and ends with it" '^code=0'
verdict "nothing is left attached" sh -c "! ip netns exec '$T' bpftool net show dev t0 | grep -q tc_"
screen_open 80 24 "$in_T $RECONMON top -i nosuch0 --control $tmp/nobody.sock; echo code=\$?"
sees "one that cannot start says why" "nosuch0"
sees "and exits as it does" '^code=1'

# --- over a replay ------------------------------------------------------------------------------------
screen_open 80 24 "$RECONMON replay --top=4 tests/data/nmap-T1.pcap.gz; echo code=\$?"
sees "a replay, faster than it was" 'replay'
sees "shows the scan as it grows" '10\.77\.0\.1 +[1-9]'
press q
sees "and ends" '^code=0'
screen_open 80 24 "$RECONMON replay --top tests/data/nmap-sS.pcap.gz; echo code=\$?"
sees "a short one stays when it is over" '10\.77\.0\.1 +100'
press q
sees "until it is left" '^code=0'
finish
