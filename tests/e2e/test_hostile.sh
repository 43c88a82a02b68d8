#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# A program whose name and arguments are made of what formats separate and escape with scans: no
# line is broken, no field is added, and who reads gets the name back.
# shellcheck disable=SC2317 # some functions are called through wait_until only
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
need bash

setup
mkdir "$tmp/bin" "$tmp/out"
name=$'a=b|c\\d\n"]\t\x1b[2J'
cp /bin/bash "$tmp/bin/$name"
monitor hostile "$S" -i s0 --tick 200ms --settle 500ms --output "file:$tmp/out/ecs.json" \
	--output "file:$tmp/out/ocsf.json,format=ocsf" --output "file:$tmp/out/cef,format=cef" \
	--output "file:$tmp/out/leef,format=leef" --output "file:$tmp/out/notice.log,format=zeek-tsv" \
	--output "file:$tmp/out/notice.json,format=zeek-json" --output "file:$tmp/text,format=text"
# The shell would become its last command. shellcheck is right that this is for another one.
# shellcheck disable=SC2016
run "$S" "$tmp/bin/$name" -c 'for port in 22 80 443 8080; do : <"/dev/tcp/10.77.0.2/$port"; done; sleep 2; :' \
	$'msg=\nact=open|x\\' $'\xff\xfe' '{"event":{"id":"forged"}}' 2>"$tmp/refused"
opened_there() {
	grep -qs '"state":"open"' "$tmp/out/ecs.json"
}
verdict "the scan is found" wait_until 10 opened_there
stop_monitor hostile
verdict "all formats: strict readers take every line" python3 tests/conformance/formats.py all "$tmp/out"
verdict "the terminal is not written to" sh -c "! grep -q \"\$(printf '[\\001-\\010\\013-\\037\\177]')\" '$tmp/text'"

cat >"$tmp/judge.py" <<'END'
import json, re, sys
folder, name = sys.argv[1:]
sys.path.insert(0, "tests/conformance")
import formats
ecs = json.loads(open(folder + "/ecs.json").readline())["process"]
assert ecs["name"] == name[:15], ecs["name"]
assert ecs["executable"].endswith("/" + name), ecs["executable"]
assert "msg=\nact=open|x\\" in ecs["args"], ecs["args"]
evidence = json.loads(open(folder + "/ocsf.json").readline())["evidences"][0]["process"]
assert evidence["path"].endswith("/" + name), evidence
_, extension = formats.cef_split(open(folder + "/cef").readline().rstrip("\n"))
sproc = re.search(r"(?:^| )sproc=((?:[^=\\]|\\.)*?)(?= \w+=|$)", extension).group(1)
want = name.replace("\t", " ").replace("\x1b", " ") # what CEF has no escape for
assert formats.unescape(sproc, "=\\nr").endswith("/" + want), sproc
END
verdict "... and give the name back" python3 "$tmp/judge.py" "$tmp/out" "$name"
finish
