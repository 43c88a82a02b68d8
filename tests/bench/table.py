#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""table.py JSON-FILE <OUTPUT: what the benchmarks printed, through to the reader as it comes; their
lines of JSON (name, value, unit, target, met; target and met are null where nothing was set) are
kept, shown as one table at the end and written to JSON-FILE."""
import json
import sys


def shown(v):
    return f"{v:,.0f}" if abs(v) >= 1000 else f"{v:.4g}"


def main():
    rows = []
    for line in sys.stdin:
        if not line.startswith('{"name"'):
            print(line, end="", flush=True)
            continue
        rows.append(json.loads(line))
    with open(sys.argv[1], "w") as f:
        json.dump(rows, f, indent=1)
        f.write("\n")
    print(f"\n{'figure':58} {'value':>12} {'unit':22} {'target':10} met")
    for r in rows:
        met = {True: "yes", False: "NO", None: ""}[r["met"]]
        print(f"{r['name']:58} {shown(r['value']):>12} {r['unit']:22} {r['target'] or '':10} {met}")
    asked = [r for r in rows if r["met"] is not None]
    print(f"\n{sum(r['met'] for r in asked)} of {len(asked)} targets met; {sys.argv[1]}")


main()
