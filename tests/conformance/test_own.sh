#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The captures of tests/data (tests/data/INDEX.tsv says how each was made) through `reconmon replay`:
# of every capture exactly the alerts of its row, with ports, answers and techniques. Read again, a
# capture says the same to the letter, ids included, and no two alerts have one id. A row that awaits
# something is tried and its outcome said, but it does not fail the test.
set -u
RECONMON=${RECONMON:-build/reconmon}
exec python3 - "$RECONMON" tests/data <<'P'
import csv
import json
import os
import subprocess
import sys

reconmon, folder = sys.argv[1:]
ANSWERS = ("open", "closed", "filtered", "none")


def expand(spec):
    """The ports of "22,80,8000-8010"; "" is none."""
    ports = set()
    for part in filter(None, spec.split(",")):
        first, _, last = part.partition("-")
        ports.update(range(int(first), int(last or first) + 1))
    return ports


def replay(*args):
    return subprocess.run([reconmon, "replay", "-q", "--json", *args], capture_output=True, text=True,
                          timeout=500)


def seen(doc):
    """What the last document of an alert says, in the words of parse()."""
    a = doc["reconmon"]["alert"]
    dest, port = doc.get("destination", {}), a["ports"]
    alert = {"rule": doc["rule"]["id"], "orig": doc["source"]["ip"], "resp": dest.get("ip", "*"),
             "transport": doc["network"].get("transport"), "retracted": a["retracted"]}
    if a["retracted"]:
        return alert
    alert["technique"] = ",".join(a["technique"])
    if "responder_count" in a:
        alert["resp"] = "*:" + (port or "0")
        alert["hosts"] = a["responder_count"]
    else:
        alert["ports"] = expand(port)
        alert.update({k: expand(a["answers"][k]) for k in ANSWERS})
    return alert


def parse(text):
    """RULE[,RULE] ORIG>RESP TRANSPORT, then `retracted`, or TECHNIQUES and either PORTS
    ANSWER:PORTS... or N hosts. The answer `rest` has the ports that no other has."""
    words = text.split()
    orig, resp = words[1].split(">")
    alert = {"orig": orig, "resp": resp, "transport": None if words[2] == "-" else words[2],
             "retracted": words[3] == "retracted"}
    if not alert["retracted"]:
        alert["technique"] = words[3]
    if words[-1] == "hosts":
        alert["hosts"] = int(words[4])
    elif not alert["retracted"]:
        alert["ports"] = rest = expand(words[4])
        answers = dict(w.split(":") for w in words[5:])
        for k in ANSWERS:
            if answers.get(k) != "rest":
                alert[k] = expand(answers.get(k, ""))
                rest = rest - alert[k]
        alert.update({k: rest for k, v in answers.items() if v == "rest"})
    return [{"rule": rule, **alert} for rule in words[0].split(",")]


def key(alert):
    return alert["rule"], alert["orig"], alert["resp"], alert["transport"] or ""


def differences(want, got):
    want, got = sorted(want, key=key), sorted(got, key=key)
    if list(map(key, want)) != list(map(key, got)):
        yield f"alerts {list(map(key, got))}, wanted {list(map(key, want))}"
        return
    for w, g in zip(want, got):
        for k in w.keys() | g.keys():
            if w.get(k) != g.get(k):
                show = [sorted(x.get(k)) if isinstance(x.get(k), set) else x.get(k) for x in (g, w)]
                yield "{} {}>{}: ".format(*key(w)) + f"{k} is {show[0]}, wanted {show[1]}"


def judge(row):
    want = []
    for text in row["alerts"].split("; "):
        want += parse(text) if text != "-" else []
    run = replay(os.path.join(folder, row["capture"]))
    if run.returncode or run.stderr:
        return [f"exit {run.returncode}: {run.stderr}"]
    if replay(os.path.join(folder, row["capture"])).stdout != run.stdout:
        return ["says something else when it is read again"]
    docs = list(map(json.loads, run.stdout.splitlines()))
    closed = [d for d in docs if d["reconmon"]["alert"]["state"] == "close"]
    ids = {d["event"]["id"] for d in closed}
    if len(ids) != len(closed) or ids & all_ids:
        return [f"an id is another alert's: {sorted(ids)}"]
    all_ids.update(ids)
    return list(differences(want, map(seen, closed)))


with open(os.path.join(folder, "INDEX.tsv"), newline="") as f:
    rows = list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))
failed = len(rows) < 50
all_ids = set()  # of all captures
on_disk = {n for n in os.listdir(folder) if ".pcap" in n}
if on_disk != {row["capture"] for row in rows}:
    print("FAILED  index and captures differ:", *sorted(on_disk ^ {row["capture"] for row in rows}))
    failed = True
for row in rows:
    wrong = judge(row)
    state = "ok     " if not wrong else "FAILED "
    if row["awaits"] != "-":
        state = f"awaits {row['awaits']}" + ("" if wrong else " (and has it: switch it on)")
    elif wrong:
        failed = True
    print(state, row["capture"], *wrong, sep="  ")
sys.exit(failed)
P
