#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Judges what a receiver wrote down of the alerts of one capture (nmap-sS.pcap.gz), by kind:

  syslog FILE PRI ENTERPRISE   rsyslog's properties, one line a message (see test_receivers.sh)
  journal FILE                 `journalctl -o json --all`

Exit 0 if all is as the standards and README have it, else 1 and a line that says what is not."""
import json
import re
import sys

STATES = ("open", "update", "close")


def fail(why):
    print(why)
    sys.exit(1)


def check(truth, why):
    if not truth:
        fail(why)


def lives(alerts):
    """Each alert's states in order: open, any number of updates, close."""
    check(alerts, "no alert at all")
    for ident, states in alerts.items():
        text = " ".join(states)
        check(re.fullmatch(r"open( update)* close", text), f"alert {ident}: {text}")


def structured(text):
    """The parameters of [ID NAME="VALUE"...] (RFC 5424, 6.3)."""
    m = re.fullmatch(r'\[([!-~]{1,32})((?: [!-~]{1,32}="(?:[^"\\\]]|\\["\\\]])*")*)\]', text)
    check(m, f"not structured data: {text}")
    return m.group(1), dict(re.findall(r' ([^=]+)="((?:[^"\\\]]|\\.)*)"', m.group(2)))


def syslog(path, pri, enterprise):
    alerts = {}
    for line in open(path, encoding="utf-8"):
        got = json.loads(line)
        sid, params = structured(got["sd"])
        check(sid == f"reconmon@{enterprise}", f"id {sid}")
        check(got["pri"] == pri, f"priority {got['pri']}, wanted {pri}")
        check(got["app"] == "reconmon", f"application {got['app']}")
        check(got["procid"].isdigit(), f"process {got['procid']}")
        check(got["msgid"] == params["rule"], f"message id {got['msgid']} of rule {params['rule']}")
        check(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|\+00:00)", got["time"]),
              f"time {got['time']}")
        check(params["state"] in STATES, f"state {params['state']}")
        check(params["id"] in got["msg"], f"the id {params['id']} is not in: {got['msg'][:200]}")
        if got["msg"].startswith("{"):
            json.loads(got["msg"])
        check(not got["msg"].endswith(" "), "a blank at the end")
        alerts.setdefault(params["id"], []).append(params["state"])
    lives(alerts)


def journal(path):
    alerts, ids = {}, {}
    for line in open(path, encoding="utf-8"):
        got = json.loads(line)
        doc = json.loads(got["RECONMON_JSON"])
        state = got["RECONMON_STATE"]
        check(got["MESSAGE"].startswith(f"{state}: {got['RECONMON_RULE']}: "),
              f"message {got['MESSAGE'][:80]}")
        check(got["RECONMON_SRC"] == doc["source"]["ip"], "source and document differ")
        check(got["RECONMON_PORTS"] == doc["reconmon"]["alert"]["ports"], "ports differ")
        check(got["RECONMON_ALERT_ID"] == doc["event"]["id"], "ids differ")
        check(got["PRIORITY"] in "2345", f"priority {got['PRIORITY']}")
        check(re.fullmatch(r"[0-9a-f]{32}", got["MESSAGE_ID"]), f"MESSAGE_ID {got['MESSAGE_ID']}")
        check(ids.setdefault(state, got["MESSAGE_ID"]) == got["MESSAGE_ID"],
              f"two MESSAGE_IDs of {state}")
        alerts.setdefault(got["RECONMON_ALERT_ID"], []).append(state)
    lives(alerts)
    check(len(set(ids.values())) == len(ids), "two states share a MESSAGE_ID")


globals()[sys.argv[1]](*sys.argv[2:])
