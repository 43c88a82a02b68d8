# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Compares the attempts that reconmon logs of a capture with the connections that Zeek expects.

conns.py RECONMON FOLDER EXCLUSIONS: FOLDER has captures, INDEX.tsv and NAME.conn.tsv (see its
README). Per connection: originator, responder, ports and protocol must be there; where Zeek has
orig_bytes 0 ours must be 0, where it has more ours must not be a probe, and of the silent ones the
conn_state must be Zeek's. Prints a table and every difference; exits 1 if a connection that is not
excluded is missing or judged otherwise, or if more than 2 % of the states differ."""
import csv
import fnmatch
import ipaddress
import json
import os
import subprocess
import sys
from collections import Counter

KEY = ("orig_h", "orig_p", "resp_h", "resp_p", "proto")
ANY = "?"  # the baseline makes no statement


def table(path):
    with open(path, newline="") as f:
        lines = (line for line in f if not line.startswith("# "))
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def address(text):
    return text if text in (ANY, "-") else str(ipaddress.ip_address(text))


def ours(reconmon, capture):
    """Rows of the log of attempts; None if the capture cannot be read."""
    run = subprocess.run([reconmon, "replay", "-q", "--attempts=all", "--json", capture],
                         capture_output=True, text=True, timeout=500)
    if run.returncode:
        return None, run.stderr.strip()
    rows = []
    for line in run.stdout.splitlines():
        r = json.loads(line)
        row = {k: str(r["id." + k]) for k in KEY[:4]}
        row.update(proto=r["proto"], orig_bytes=str(r.get("orig_bytes", "-")),
                   conn_state=r.get("conn_state", "-"), orig_h=address(row["orig_h"]),
                   resp_h=address(row["resp_h"]))
        rows.append(row)
    return rows, run.stderr.strip()


def same_key(want, got):
    return all(want[k] in (ANY, got[k]) for k in KEY)


def excluded(exclusions, capture, row):
    """The exclusion that covers a baseline row, if any; its first field is a glob over captures, the
    others are globs over columns of the baseline."""
    for e in exclusions:
        if not fnmatch.fnmatchcase(capture, e["capture"]):
            continue
        tests = dict(t.split("=", 1) for t in e["rows"].split() if t != "*")
        if all(fnmatch.fnmatchcase(row[k], v) for k, v in tests.items()):
            e["used"] = e.get("used", 0) + 1
            return e
    return None


def judge(want, got):
    """What is wrong with a pair, and whether its state was compared and is the same."""
    silent = got["orig_bytes"] == "0"
    wrong = None
    if want["orig_bytes"] == "0" and not silent:
        wrong = "Zeek: silent, ours: not"
    elif want["orig_bytes"] not in ("0", "-", ANY) and silent:
        wrong = f"Zeek: {want['orig_bytes']} bytes, ours: silent"
    state = None
    if silent and got["conn_state"] != "-" and want["conn_state"] != ANY and want["orig_bytes"] != ANY:
        state = want["conn_state"] == got["conn_state"]
    return wrong, state


def text(row):
    return "{orig_h}:{orig_p} > {resp_h}:{resp_p} {proto} {conn_state} {orig_bytes}".format(**row)


def compare(capture, rows, baseline, exclusions, count):
    """Pairs baseline rows with ours, the ones of equal state first, and judges the pairs."""
    left = list(rows)
    for want in sorted(baseline, key=lambda w: w["conn_state"] == ANY):
        e = excluded(exclusions, capture, want)
        if e:
            count["excluded"] += 1
            continue
        fits = [r for r in left if same_key(want, r)]
        if not fits:
            count["missing"] += 1
            print(f"  {capture}: missing: {text(want)} {want['history']}")
            continue
        got = min(fits, key=lambda r: (judge(want, r)[0] is not None, judge(want, r)[1] is False))
        left.remove(got)
        wrong, state = judge(want, got)
        count["different" if wrong else "equal"] += 1
        if wrong:
            print(f"  {capture}: {text(want)} {want['history']}: {wrong} ({text(got)})")
        if state is not None:
            count["states_equal" if state else "states_different"] += 1
            if not state:
                print(f"  {capture}: {text(want)} {want['history']}: our state is {got['conn_state']}")
    extra = [r for r in left if r["orig_bytes"] == "0" and r["conn_state"] != "-" and
             r["proto"] in ("tcp", "udp")]
    for r in extra:
        print(f"  {capture}: a probe that Zeek has no row for: {text(r)}")
    count["extra"] += len(extra)


def main():
    reconmon, folder, exclusions_file = sys.argv[1:]
    exclusions = table(exclusions_file)
    total = Counter()
    for entry in table(os.path.join(folder, "INDEX.tsv")):
        capture = entry["pcap"]
        baseline = table(os.path.join(folder, entry["expected"]))
        for row in baseline:
            row["orig_h"], row["resp_h"] = address(row["orig_h"]), address(row["resp_h"])
        rows, words = ours(reconmon, os.path.join(folder, capture))
        count = Counter()
        if rows is None:
            for row in baseline:
                e = excluded(exclusions, capture, row)
                count["excluded" if e else "missing"] += 1
            if count["missing"]:
                print(f"  {capture}: not read: {words}")
        else:
            compare(capture, rows, baseline, exclusions, count)
        total += count
    for e in exclusions:
        if not e.get("used"):
            print(f"  an exclusion that excludes nothing: {e['capture']} {e['rows']}")
            total["idle"] += 1
    return report(total, exclusions)


def report(n, exclusions):
    print("excluded, by reason:")
    reasons = Counter()
    for e in exclusions:
        reasons[e["reason"]] += e.get("used", 0)
    for reason, rows in reasons.most_common():
        print(f"  {rows:6} {reason}")
    judged = n["equal"] + n["different"] + n["missing"]
    states = n["states_equal"] + n["states_different"]
    print(f"connections: {n['equal']} equal, {n['different']} different, {n['missing']} missing, "
          f"{n['excluded']} excluded")
    print(f"silent or not: {n['equal']} of {judged}; conn_state of silent ones: {n['states_equal']} of "
          f"{states}; probes without a row of Zeek's: {n['extra']}")
    return n["different"] or n["missing"] or n["idle"] or n["extra"] or n["states_equal"] < 0.98 * states


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
