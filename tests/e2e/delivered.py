#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Did a receiver get everything? delivered.py SAID GOT...

SAID: ECS documents, a line each, of an output beside it that lost nothing. GOT: what the receiver
wrote down, documents too; what stands before the first brace of a line (a syslog header) is left
out. At least once each, the states of an alert in their order once what came again is left out by
its id. Exit 0, or 1 and a line that says what is missing."""
import json
import re
import sys


def read(path):
    for line in open(path, encoding="utf-8", errors="strict"):
        start = line.find("{")
        if start >= 0:
            yield json.loads(line[start:])


def record(doc):
    """What makes it the same alert's same word, whatever output it came over: each output reads the
    wall clock anew, so times differ by microseconds."""
    alert = doc["reconmon"]["alert"]
    return doc["event"]["id"], alert["state"], alert["port_count"]


said = [record(d) for d in read(sys.argv[1])]
got, order, seen = set(), {}, set()
for path in sys.argv[2:]:
    for d in read(path):
        ident = (d["event"]["id"], d["event"]["sequence"])
        got.add(record(d))
        if ident not in seen:
            order.setdefault(d["event"]["id"], []).append(d["reconmon"]["alert"]["state"])
        seen.add(ident)
missing = [r for r in said if r not in got]
if not said:
    sys.exit("nothing was said")
if missing:
    sys.exit(f"{len(missing)} of {len(said)} are missing, the first: {missing[0]}")
for ident, states in order.items():
    if not re.fullmatch(r"open( update)*( close)?", " ".join(states)):
        sys.exit(f"alert {ident}: {' '.join(states)}")
