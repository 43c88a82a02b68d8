# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Do the two searches that a SOC runs over Zeek's conn.log find in our log of attempts what our own
rules find, and what others say is there?

searches.py RECONMON SCANS: SCANS has captures with NAME.pairs.tsv, the ground truth by others. The
searches are Splunk's, done here over the same fields: the file goes through the add-on's aliases
(id.resp_p becomes dest_port, ...), `bin _time span=5m`, `stats dc(dest_port) by _time src dest`."""
import csv
import ipaddress
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict

RFC1918 = [ipaddress.ip_network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]
ALIASES = {"id.orig_h": "src_ip", "id.orig_p": "src_port", "id.resp_h": "dest_ip",
           "id.resp_p": "dest_port", "uid": "flow_id"}

# Pairs that the ground truth has and we do not, each with its reason.
UNANSWERED = "an ACK or FIN-ACK that nothing answers is an orphan, and orphans are no evidence"
NOT_OURS = {
    ("nmap-all-techniques.pcapng", "192.168.181.146", "192.168.181.1"): UNANSWERED,
    ("nmap-all-techniques.pcapng", "192.168.181.147", "192.168.181.1"): UNANSWERED,
    ("nmap-all-techniques.pcapng", "192.168.181.148", "192.168.181.1"): UNANSWERED,
    ("hping3-slow.pcapng", "192.168.181.165", "192.168.181.1"): UNANSWERED,
}
# Pairs that we have and conn.log cannot know.
NOT_ZEEKS = {
    ("nmap-sO-ipproto.pcap", "192.168.1.10", "192.168.1.25"): "IP protocols, not ports",
    ("nmap-sY-sctp.pcap", "10.0.2.15", "192.168.0.101"): "SCTP ports, which conn.log lacks",
}


def replay(reconmon, capture, *options):
    run = subprocess.run([reconmon, "replay", "-q", "--json", *options, capture], capture_output=True,
                         text=True, timeout=500)
    if run.returncode:
        sys.exit(f"{capture}: exit {run.returncode}: {run.stderr}")
    return run.stdout.splitlines()


def alerts(lines, rule):
    """Pairs of originator and responder of a rule's alerts."""
    docs = map(json.loads, lines)
    return {(d["source"]["ip"], d.get("destination", {}).get("ip", "*")) for d in docs
            if d["rule"]["id"] == rule and not d["reconmon"]["alert"]["retracted"]}


def tsv(path):
    """Events of a conn.log in TSV, as the add-on extracts them: by #fields, without unset values."""
    names = []
    with open(path, newline="") as f:
        for line in f:
            line = line.rstrip("\n")
            if line.startswith("#fields\t"):
                names = line.split("\t")[1:]
            elif not line.startswith("#"):
                yield {k: v for k, v in zip(names, line.split("\t")) if v != "-"}


def aliased(event):
    return {ALIASES.get(k, k): str(v) for k, v in event.items()} | {"_time": float(event["ts"])}


def search_silent(events):
    """orig_bytes=0 dest in RFC 1918 | bin _time span=5m | stats dc(dest_port) by _time src dest |
    where dc >= 3"""
    ports = defaultdict(set)
    for e in map(aliased, events):
        dest = ipaddress.ip_address(e["dest_ip"])
        if e.get("orig_bytes") == "0" and dest.version == 4 and any(dest in n for n in RFC1918):
            ports[int(e["_time"] // 300), e["src_ip"], e["dest_ip"]].add(e["dest_port"])
    return {(src, dest) for (_, src, dest), p in ports.items() if len(p) >= 3}


def search_many(events):
    """bin _time span=5m | stats dc(dest_port) by _time src | where dc >= 1000"""
    ports = defaultdict(set)
    for e in map(aliased, events):
        ports[int(e["_time"] // 300), e["src_ip"]].add(e["dest_port"])
    return {src for (_, src), p in ports.items() if len(p) >= 1000}


def truth(scans, capture, column):
    """Pairs with three or more such ports in a window, by others."""
    with open(os.path.join(scans, capture + ".pairs.tsv"), newline="") as f:
        return {(r["src"], r["dst"]) for r in csv.DictReader(f, delimiter="\t")
                if r["dst_rfc1918"] == "yes" and r["proto"] != "icmp" and int(r[column]) >= 3}


def same(what, want, got):
    if want == got:
        return True
    print(f"  {what}: {sorted(got - want)} too many, {sorted(want - got)} missing")
    return False


def check(reconmon, scans, capture, work):
    path = os.path.join(scans, capture)
    but = {(s, d) for c, s, d in NOT_OURS if c == capture}
    more = {(s, d) for c, s, d in NOT_ZEEKS if c == capture}
    good = True
    for profile, column in (("default", "max5m_nopayload"), ("splunk", "max5m_orig0")):
        log = os.path.join(work, f"{capture}.{profile}.conn.log")
        option = ("--profile", profile)
        subprocess.run([reconmon, "replay", "-q", "--attempts=all", "--attempts-file", log, *option,
                        path], check=True, timeout=500, stdout=subprocess.DEVNULL)
        as_json = [json.loads(l) for l in
                   subprocess.run([reconmon, "replay", "-q", "--json", "--attempts=all", *option, path],
                                  capture_output=True, text=True, check=True, timeout=500)
                   .stdout.splitlines()]
        found, ours = search_silent(tsv(log)), alerts(replay(reconmon, path, *option), "port-scan")
        want = truth(scans, capture, column)
        more = more if profile == "default" else set()
        good &= same(f"{capture} ({profile}), the rule", (want - but) | more, ours)
        good &= same(f"{capture} ({profile}), the search over TSV", want - but, found - more)
        good &= same(f"{capture} ({profile}), the search over JSON", found, search_silent(as_json))
        many = {s for s, _ in alerts(replay(reconmon, path, *option), "basic-scanning")}
        if profile == "splunk": # its windows are the search's
            good &= same(f"{capture}, the second search", many, search_many(tsv(log)))
    print("ok     " if good else "FAILED ", capture)
    return good


def main():
    reconmon, scans = sys.argv[1:]
    captures = sorted(n[:-len(".pairs.tsv")] for n in os.listdir(scans) if n.endswith(".pairs.tsv"))
    with tempfile.TemporaryDirectory() as work:
        results = [check(reconmon, scans, c, work) for c in captures]
    return not (results and all(results))


if __name__ == "__main__":
    sys.exit(main())
