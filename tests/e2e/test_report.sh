#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# `reconmon report`, opened in Chromium in a namespace without a network: nothing on the console, no
# request, a mark for each probe of a known scan, text of others stays text, complete without scripts,
# fit to read in light and dark on wide and narrow screens; a million probes in less than 5 MB.
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
need chromium gzip

data=tests/data
setup

# report NAME INPUT... - the page $tmp/NAME.html.
report() {
	local name=$1

	shift
	"$RECONMON" report -q -o "$tmp/$name.html" "$@" 2>"$tmp/$name.err" ||
		bad "report $*" "exit $?: $(cat "$tmp/$name.err")"
}

# open NAME OPTION... - $tmp/NAME.html in the browser; what came of it is in $tmp/open.json.
open() {
	local name=$1

	shift
	run "$S" python3 "$E2E/page.py" "$tmp/$name.html" "$@" >"$tmp/open.json" 2>"$tmp/open.err" ||
		bad "chromium opens $name" "$(tail -n 1 "$tmp/open.err")"
}

# holds WHAT VALUE... - the browser was quiet, and each --do gave its value.
holds() {
	local what=$1

	shift
	verdict "$what" python3 "$E2E/report.py" holds "$tmp/open.json" "$@"
}

# The page as its reader sees it, in JavaScript.
marks='[...document.querySelectorAll("svg.scan path.m")].map((p) => p.classList[1] + " " +
	p.getAttribute("d").match(/M/g).length).sort().join()'
fits='document.documentElement.scrollWidth <= innerWidth'
tables='[...document.querySelectorAll("figure")].every((f) => f.parentElement.querySelector("table"))'
named='[...document.querySelectorAll("svg[role=img]")].every((s) => s.getAttribute("aria-labelledby").split(" ")
	.every((id) => document.getElementById(id).textContent))'
pale=$(python3 "$E2E/report.py" contrast)

# --- a known scan: 100 ports, 22 and 80 open ---------------------------------------------------
report scan "$data/nmap-sS.pcap.gz"
open scan --do "$marks" --do 'document.querySelector("h1").textContent' \
	--do 'document.querySelector(".learnt tbody").innerText.replace(/\s+/g, " ").trim()' --do "$tables" --do "$named"
holds "a scan of 100 ports has 100 marks, two of them open" "closed 98,open 2" \
	"10.77.0.1 probed 100 ports of 10.77.0.2 over tcp and found 2 ports open." \
	"open 2 22 ssh, 80 http closed 98 1-21, 23-79, 81-100" true true

# What its script adds: a mark's meaning under the pointer and by keys, answers out of sight.
# shellcheck disable=SC2016 # JavaScript's
open scan --do '(() => { const s = document.querySelector("svg.scan"), b = s.getBoundingClientRect(),
	m = s.querySelector("path.open").getAttribute("d").match(/M([\d.]+) ([\d.]+)/), k = b.width / s.viewBox.baseVal.width;
	s.dispatchEvent(new PointerEvent("pointermove", { clientX: b.left + m[1] * k, clientY: b.top + m[2] * k, bubbles: true }));
	return document.querySelector(".tip").textContent.replace(/, about.*/, ""); })()' \
	--do '(() => { const s = document.querySelector("svg.scan").parentElement; s.focus();
	s.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight" }));
	return document.activeElement === s && !document.querySelector(".tip").hidden; })()' \
	--do '(() => { const b = document.querySelector("[data-kind=closed] button"); b.click();
	return b.getAttribute("aria-pressed") + " " + getComputedStyle(document.querySelector("svg.scan path.closed")).display; })()'
holds "a mark says what it is, by pointer and keys; an answer goes out of sight" "22 ssh, open" true "false none"

open scan --no-scripts
verdict "without scripts it is as quiet" python3 "$E2E/report.py" holds "$tmp/open.json"
verdict "... and all is in the file" grep -q 'class="m open"' "$tmp/scan.html"

# --- many scans ----------------------------------------------------------------------------------
many=()
for c in nmap-sS nmap-sU nmap-sweep-22 masscan-ports masscan-sweep nmap-T1 nmap-sS-prohibited nmap6-sS nmap-sn nmap-sO; do
	many+=("$data/$c.pcap.gz")
done
report many "${many[@]}"
open many --do 'document.querySelectorAll("article.incident").length' --do "$tables" --do "$named" \
	--do '(() => { const i = document.querySelector("[type=search]"); i.value = "fd77::2"; i.dispatchEvent(new Event("input"));
	return [...document.querySelectorAll("article.incident")].filter((a) => !a.hidden).length; })()'
holds "incidents, of which a filter leaves one" 3 true true 1
for look in "--width 1280" "--width 1280 --dark" "--width 420" "--width 420 --dark" "--width 1000 --print"; do
	# shellcheck disable=SC2086 # two words
	open many $look --do "$fits" --do "$pale"
	holds "$look: fits, and every text and mark stands out enough" true "[]"
done

# --- text of others ------------------------------------------------------------------------------
"$RECONMON" replay -q --json "$data/nmap-sS.pcap.gz" >"$tmp/alerts.json"
python3 "$E2E/report.py" hostile "$tmp/alerts.json" >"$tmp/hostile.json"
named_badly="$tmp/<img src=x onerror=alert(1)>.pcap.gz"
cp "$data/nmap-sweep-22.pcap.gz" "$named_badly"
report hostile "$tmp/hostile.json" "$named_badly"
# shellcheck disable=SC2016 # JavaScript's
open hostile --do 'document.querySelectorAll("script, img, iframe, object, embed").length' \
	--do '[...document.querySelectorAll("*")].some((e) => [...e.attributes].some((a) => a.name.startsWith("on")))' \
	--do 'document.body.textContent.includes("by <script>alert(1)</script>")' \
	--do 'document.body.textContent.includes("<img src=x onerror=alert(1)>.pcap.gz")'
holds "a <script> in a process's, rule's and file's name stays text" 1 false true true
verdict "... and the page's policy would not let it run" \
	grep -q "Content-Security-Policy\" content=\"default-src 'none'; style-src 'nonce-[0-9a-f]\{32\}'" "$tmp/hostile.html"
report hostile2 "$tmp/hostile.json"
verdict "... nor could it know what would" test "$(grep -o 'nonce-[0-9a-f]*' "$tmp/hostile.html" | head -n 1)" != \
	"$(grep -o 'nonce-[0-9a-f]*' "$tmp/hostile2.html" | head -n 1)"

# --- a log of alerts -----------------------------------------------------------------------------
gzip -c "$tmp/alerts.json" >"$tmp/alerts.json.1.gz"
report log "$tmp/alerts.json.1.gz" "$tmp/alerts.json"
open log --do "$marks" --do 'document.querySelectorAll("article.incident").length'
holds "a log of alerts, read twice, has each port once" "closed 98,open 2" 1
: >"$tmp/none.json"
report none "$tmp/none.json"
open none --do 'document.querySelector("h1").textContent' --do "$fits"
holds "a log without alerts" "Nobody scanned." true

# --- a running daemon ----------------------------------------------------------------------------
start listen "$T" python3 "$E2E/serve.py" listen 22 80
monitor target "$T" -i t0
run "$S" nmap -n -Pn -T4 --disable-arp-ping -sS -p 1-100 10.77.0.2 >"$tmp/nmap.out" 2>&1
# shellcheck disable=SC2317 # called by name
sees_all() {
	"$RECONMON" report -q --format md 2>&1 | grep -q "probed 100 ports"
}
verdict "a daemon sees a scan" wait_until 10 sees_all
report live
open live --do "$marks" --do 'document.querySelector("h1").textContent' --do "$tables" \
	--do '[...document.querySelectorAll("section[aria-labelledby=rules-h] tbody tr")].find((r) =>
	r.innerText.startsWith("port-scan")).innerText.replace(/\s+/g, " ").trim()'
holds "... and a report asks it" "closed 98,open 2" \
	"10.77.0.1 probed 100 ports of 10.77.0.2 over tcp and found 2 ports open." true \
	"port-scan as the daemon has it 3 5m 1"
stop_monitor target

# --- size ----------------------------------------------------------------------------------------
python3 "$E2E/report.py" probes 1000000 >"$tmp/million.conn.log"
report million "$tmp/million.conn.log"
verdict "a million probes: less than 5 MB" test "$(stat -c %s "$tmp/million.html")" -lt 5000000
open million --do 'document.querySelectorAll("svg.scan").length > 7' \
	--do 'document.body.textContent.includes("drawn once")' --do "$fits"
holds "... which open, and say that marks were thinned" true true true

# --- other formats, mistakes ---------------------------------------------------------------------
for f in svg json md; do
	"$RECONMON" report -q -o "$tmp/many.$f" "${many[@]}" 2>/dev/null || bad "report -o many.$f" "exit $?"
done
verdict "the SVG is XML with its marks" python3 - "$tmp/many.svg" <<'P'
import sys
import xml.etree.ElementTree as tree

marks = [p.get("d").count("M") for p in tree.parse(sys.argv[1]).iter("{http://www.w3.org/2000/svg}path")
         if p.get("class", "").startswith("m ")]
sys.exit(sum(marks) < 500)
P
verdict "the JSON has all" python3 - "$tmp/many.json" <<'P'
import json
import sys

with open(sys.argv[1], encoding="utf-8") as f:
    r = json.load(f)
scans = [s for i in r["incidents"] for s in i["scans"]]
assert len(r["incidents"]) == 3 and r["probes"] > 500 and r["missing"]["lost"] == 0
assert sum(len(s["marks"]) for s in scans) >= 500
assert {"rule": "sweep", "enabled": True}.items() <= r["rules"][2].items()
P
verdict "the Markdown has a table of incidents" grep -q '^| 8 | fd77::1 probed 100 ports of fd77::2' "$tmp/many.md"
verdict "-o is whole or not at all" test ! -e "$tmp/many.json.new"

# fails EXIT WORDS OPTION...
fails() {
	local want=$1 words=$2 r

	shift 2
	"$RECONMON" report "$@" >"$tmp/out" 2>"$tmp/err"
	r=$?
	if [ "$r" -ne "$want" ] || ! grep -q -- "$words" "$tmp/err"; then
		bad "report $*" "exit $r: $(cat "$tmp/err")"
	fi
}
fails 1 "no reconmon answers" -o "$tmp/x.html"
fails 1 "no reconmon answers at '$tmp/other.sock'" --control "$tmp/other.sock" -o "$tmp/x.html"
fails 2 "html, svg, json, md" --format pdf "$data/nmap-sS.pcap.gz"
fails 2 "goes not with" --json "$data/nmap-sS.pcap.gz"
fails 1 "$tmp/no/x.html" -q -o "$tmp/no/x.html" "$data/nmap-sS.pcap.gz"
fails 1 "no-such-file" no-such-file
cp "$data/nmap-sS.pcap.gz" "$tmp/evidence.gz"
ln "$tmp/evidence.gz" "$tmp/same.gz"
fails 2 "would be lost" -q -o "$tmp/same.gz" "$tmp/evidence.gz"
verdict "evidence is not written over" cmp "$data/nmap-sS.pcap.gz" "$tmp/evidence.gz"
ok "mistakes are told"
finish
