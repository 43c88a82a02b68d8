#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# An hour of innocent traffic (traffic.py) through `reconmon replay`: no alerts but those that the cases
# of the field allow, before habits are learnt; then the same hour with scans of every pace hidden in it:
# each is found, and nobody innocent named. A capture of decoys is one incident.
set -u
RECONMON=${RECONMON:-build/reconmon}
export RECONMON_CONFIG=/dev/null # none of this machine's
tmp=$(mktemp -d "${TMPDIR:-/tmp}/reconmon-hour.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
python3 - "$RECONMON" "$tmp" <<'P'
import json
import subprocess
import sys

reconmon, tmp = sys.argv[1:]
HOST = "10.0.0."

# Who may be named, at which responder, by which rule, until which minute of the hour: once each.
ALLOWED = {
    # FP-01: one alert for the kubelet until its probes are a habit; pods that come later are none
    ("port-scan", "10.244.1.1", "10.244.1.20"): 1,
    # FP-02: one a checker (the third, which says a PROXY line, is none)
    ("port-scan", "10.0.0.5", "10.0.9.10"): 1,
    ("port-scan", "10.0.1.5", "10.0.9.10"): 1,
    # FP-03: one a host that is checked
    ("port-scan", HOST + "30", HOST + "40"): 2,
    ("port-scan", HOST + "30", HOST + "41"): 2,
    # FP-10: one sweep; the backends that are exchanged later are none
    ("sweep", HOST + "6", None): 1,
    # FP-11: one a container, when all three start
    ("port-scan", "10.0.5.2", HOST + "120"): 11,
    ("port-scan", "10.0.5.3", HOST + "120"): 11,
    ("port-scan", "10.0.5.4", HOST + "120"): 11,
}

# The scans: technique, distinct ports (or hosts) at least, and answers that were found open.
SCANS = {
    ("port-scan", "10.0.66.1", HOST + "40"): (100, "21"),
    ("port-scan", "10.0.66.2", "10.0.9.10"): (60, ""),
    ("port-scan", "10.0.66.3", HOST + "111"): (20, ""),
    ("slow-scan", "10.0.66.4", HOST + "60"): (12, ""),
    ("sweep", "10.0.66.5", None): (60, "443"),
    ("distributed-scan", None, HOST + "40"): (1000, ""),
    ("distributed-scan", None, HOST + "101"): (40, ""),
}


def run(*scenes):
    """The alerts by (rule, originator, responder): the documents of each, and the minute it opened."""
    capture = f"{tmp}/hour.pcap"
    subprocess.run([sys.executable, "tests/conformance/traffic.py", capture, *scenes], check=True)
    done = subprocess.run([reconmon, "replay", "--json", capture], capture_output=True, text=True, timeout=500)
    if done.returncode or " 0 lost" not in done.stderr:
        sys.exit(f"replay: exit {done.returncode}: {done.stderr}")
    alerts = {}
    for doc in map(json.loads, done.stdout.splitlines()):
        key = (doc["rule"]["id"], doc.get("source", {}).get("ip"), doc.get("destination", {}).get("ip"))
        alerts.setdefault(key, {}).setdefault(doc["event"]["id"], []).append(doc)
    return alerts


failed = []


def check(name, problems):
    print("ok     " if not problems else "FAILED ", name, *(f": {p}" for p in problems))
    failed.extend(problems)


def innocents(alerts):
    for key, ids in alerts.items():
        minute = int(next(iter(ids.values()))[0]["@timestamp"][14:16])
        if key not in ALLOWED:
            yield f"{key} is accused"
        elif len(ids) > 1:
            yield f"{key} is accused {len(ids)} times"
        elif minute >= ALLOWED[key]:
            yield f"{key} is accused in minute {minute}"


def found(alerts):
    for key, (least, opened) in SCANS.items():
        ids = alerts.get(key, {})
        if len(ids) != 1:
            yield f"{key} has {len(ids)} alerts"
            continue
        alert = next(iter(ids.values()))[-1]["reconmon"]["alert"]
        count = alert["responder_count"] if key[0] == "sweep" else alert["port_count"]
        if count < least:
            yield f"{key} has {count} of {least}"
        if alert["answers"]["open"] != opened:
            yield f"{key}: open {alert['answers']['open']!r}, wanted {opened!r}"


benign = run("benign")
check("an hour of innocent traffic: nobody but who the cases allow", list(innocents(benign)))
check("... and these as they are allowed", [f"{k} is not there" for k in ALLOWED.keys() - benign.keys()])
mixed = run("benign", "scans")
check("scans hidden in it: fast, T2, T1, T0, across hosts, split among many", list(found(mixed)))
check("... and still nobody innocent",
      list(innocents({k: v for k, v in mixed.items() if k not in SCANS})))
limits = run("limits")
check("what is innocent and accused all the same is what is documented",
      [f"{k}" for k in limits.keys() ^ {("port-scan", HOST + "34", HOST + "72"), ("sweep", HOST + "35", None),
                                        ("port-scan", HOST + "36", HOST + "73")}])
botnet = next(iter(mixed.get(("distributed-scan", None, HOST + "40"), {"": [{}]}).values()))[-1]
many = botnet.get("reconmon", {}).get("alert", {})
check("a split scan names its originators", [] if many.get("originator_count") == 400 and
      len(many.get("originators", [])) == 256 else [str(many.get("originator_count"))])

done = subprocess.run([reconmon, "replay", "-q", "--json", "tests/data/nmap-sS-decoys.pcap.gz"],
                      capture_output=True, text=True, timeout=500)
docs = [json.loads(line) for line in done.stdout.splitlines()]
who = {d["source"]["ip"] for d in docs}
incidents = {d["reconmon"]["incident"]["id"] for d in docs}
check("nmap -D: four originators, one incident",
      [] if len(who) == 4 and len(incidents) == 1 else [f"{who} {incidents}"])
sys.exit(bool(failed))
P
