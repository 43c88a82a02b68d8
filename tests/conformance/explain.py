# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""explain.py RECONMON TSHARK|- DIRECTORY CAPTURE...: what `reconmon explain` gives to paste, pasted.

Of every alert of every capture: with the line for the command line, with the same for the file, and
(as the rule for everybody) with the --set line, `reconmon replay` no longer raises it; with the first
two every other alert is there as before, same ports and count. The display filter shows a packet to
each of its ports (by tshark, where it is given)."""
import json
import os
import shlex
import subprocess
import sys

reconmon, tshark, tmp, *captures = sys.argv[1:]
env = dict(os.environ, RECONMON_CONFIG="/dev/null")
failures = 0
seen = {"alerts": 0, "rules": set(), "techniques": set(), "ports": 0}


def fail(capture, alert, what):
    global failures
    failures += 1
    print(f"FAILED  {os.path.basename(capture)}: {alert}: {what}")


def run(*argv):
    r = subprocess.run(argv, capture_output=True, text=True, env=env)
    if r.returncode:
        sys.exit(f"{shlex.join(argv)}: exit {r.returncode}: {r.stderr}")
    return r.stdout


def alerts(capture, *options):
    """Who, whom, what, when -> what a reader would notice of it at the end (ids are new with every
    run, severity and incident depend on others)."""
    last = {}
    for line in run(reconmon, "replay", "-q", "--json", *options, capture).splitlines():
        d = json.loads(line)
        last[d["event"]["id"]] = d
    out = {}
    for d in last.values():
        a, dest = d["reconmon"]["alert"], d.get("destination", {})
        key = (d["rule"]["id"], d["source"]["ip"], dest.get("ip"), dest.get("port"),
               d["network"].get("transport"), d["event"]["start"])
        out[key] = (a["ports"], a["answers"], a.get("responder_count"), a["state"], a["technique"])
    return out


def dst_ports(capture, filter_):
    fields = ["tcp.dstport", "udp.dstport", "sctp.dstport", "ip.proto", "ipv6.nxt"]
    argv = [tshark, "-r", capture, "-Y", filter_, "-T", "fields"]
    ports, packets = set(), 0
    for f in fields:
        argv += ["-e", f]
    for line in run(*argv).splitlines():
        packets += 1
        ports.update(int(v) for cell in line.split("\t") for v in cell.split(",") if v)
    return ports, packets


def expand(ranges):
    for r in filter(None, ranges.split(",")):
        first, _, last = r.partition("-")
        yield from range(int(first), int(last or first) + 1)


def judge(capture, base, before, x):
    """base: a configuration file's beginning, under which `before` was raised."""
    key = (x["rule"], x["originator"], x.get("responder"), x.get("port"), x.get("transport"), x["start"])
    silence = x["silence"]
    conf, both = os.path.join(tmp, "base.yaml"), os.path.join(tmp, "both.yaml")
    for path, text in ((conf, base), (both, base + silence["yaml"])):
        with open(path, "w") as f:
            f.write(text)
    others = {k: v for k, v in before.items() if k != key}
    after = alerts(capture, "-c", conf, *shlex.split(silence["option"]))
    if after != others:
        fail(capture, key, f"{silence['option']}: {set(after) ^ set(others) or 'changes others'}")
    if alerts(capture, "-c", both) != after:
        fail(capture, key, f"the file says something else than the option: {silence['yaml']}")
    left = alerts(capture, "-c", conf, *shlex.split(silence["set"]))
    if key in left or any(k not in before and k[1:5] == key[1:5] for k in left):
        fail(capture, key, f"still there, or another rule speaks instead, with {silence['set']}")
    listed = {p for row in x["ports"] for p in expand(row["ports"])}
    if listed != set(expand(before[key][0])):
        fail(capture, key, f"lists {sorted(listed)} instead of {before[key][0]}")
    if not (x["why"] and x["probes"] and x["otherwise"]):
        fail(capture, key, "says nothing of why, of the probes or of what would be otherwise")
    if tshark != "-":
        found, packets = dst_ports(capture, x["wireshark"])
        if not packets or (len(listed) < 1000 and not listed <= found):
            fail(capture, key, f"{x['wireshark']} shows {packets} packets, not to "
                               f"{sorted(listed - found)[:9]}")
    seen["alerts"] += 1
    seen["rules"].add(x["rule"])
    seen["techniques"].update(before[key][4])
    seen["ports"] += len(listed)


def each(capture, base=""):
    conf = os.path.join(tmp, "base.yaml")
    with open(conf, "w") as f:
        f.write(base)
    before = alerts(capture, "-c", conf)
    said = [json.loads(line) for line in
            run(reconmon, "explain", "-q", "--json", "-c", conf, capture).splitlines()]
    if len(said) != len(before):
        fail(capture, "all", f"explains {len(said)} alerts, raised were {len(before)}")
        return
    for x in said:
        judge(capture, base, before, x)


OWN = """rules:
  basic-scanning: { threshold: 40 }
  pairs:
    where: probe
    by: [originator, protocol]
    distinct: [responder, port]
    window: 10m
    threshold: 5
"""
for c in captures:
    each(c)
for c in captures:
    if os.path.basename(c) in ("nmap-sS.pcap.gz", "masscan-ports.pcap.gz", "nmap-sU.pcap.gz",
                               "nmap6-sT.pcap.gz", "nmap-sweep-22.pcap.gz"):
        each(c, OWN)

print(f"{seen['alerts']} alerts of {len(captures)} captures, rules {', '.join(sorted(seen['rules']))}, "
      f"techniques {', '.join(sorted(seen['techniques']))}, {seen['ports']} ports")
missing = {"port-scan", "sweep", "slow-scan", "basic-scanning", "pairs"} - seen["rules"]
if missing:
    print(f"FAILED  no alert of {missing}")
sys.exit(1 if failures or missing else 0)
