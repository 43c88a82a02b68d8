#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""bench_load.py RECONMON SHORTCONN NS_A NS_B: what a watched interface costs those who use it.

Between two network namespaces joined by a veth pair (a0 10.79.0.1, b0 10.79.0.2): TCP with and
without segmentation offload, UDP of 64 bytes, short HTTP connections; with nothing, with reconmon,
nf_conntrack, tcpdump to nowhere, and where installed Suricata without rules, each on b0. Programs
take turns in every round; a figure is the median over rounds of the ratio to "nothing" of the same
round: of throughput, and of processor time by unit of work (all of the machine's, softirqs too)."""
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time

reconmon, shortconn, ns_a, ns_b = sys.argv[1:]
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SECONDS = 1.5
RULES = """table inet bench {
	chain c {
		type filter hook prerouting priority 0;
		ct state new counter
	}
}
"""


def within(ns, *argv, **kw):
    return subprocess.run(["ip", "netns", "exec", ns, *argv], capture_output=True, text=True, **kw)


def busy():
    """Processor seconds of the whole machine so far."""
    with open("/proc/stat") as f:
        v = [int(x) for x in f.readline().split()[1:9]]
    return (sum(v) - v[3] - v[4]) / os.sysconf("SC_CLK_TCK")


class Program:
    """Something beside the traffic; start() and stop() around each measurement."""

    def __init__(self, name, argv=(), ready=None):
        self.name, self.argv, self.ready, self.p = name, argv, ready, None

    def start(self):
        if not self.argv:
            return
        self.p = subprocess.Popen(["ip", "netns", "exec", ns_b, *self.argv], stderr=subprocess.PIPE,
                                  stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, text=True)
        for line in self.p.stderr:
            if self.ready in line:
                break
        else:
            sys.exit(f"{self.name} did not start")

    def stop(self):
        if self.p:
            self.p.send_signal(signal.SIGINT)
            self.p.communicate()


class Conntrack(Program):
    def start(self):
        within(ns_b, "nft", "-f", "-", input=RULES, check=True)

    def stop(self):
        within(ns_b, "nft", "delete", "table", "inet", "bench", check=True)

    @staticmethod
    def possible():
        ok = shutil.which("nft") and within(ns_b, "nft", "-f", "-", input=RULES).returncode == 0
        if ok:
            within(ns_b, "nft", "delete", "table", "inet", "bench")
        return ok


def iperf(*options):
    r = within(ns_a, "iperf3", "-c", "10.79.0.2", "-t", str(SECONDS), "-J", *options)
    end = json.loads(r.stdout)["end"]
    if "-u" in options:
        s = end["sum"]
        return (s["packets"] - s["lost_packets"]) / s["seconds"]
    return end["sum_received"]["bits_per_second"] / 8


def http():
    return float(within(ns_a, shortconn, "10.79.0.2", "8079", str(SECONDS), check=True).stdout)


def offload(on):
    for ns, dev in ((ns_a, "a0"), (ns_b, "b0")):
        word = "on" if on else "off"
        within(ns, "ethtool", "-K", dev, "tso", word, "gso", word, "gro", word)


LOADS = [
    ("tcp_gso", "TCP, segmentation offload", lambda: iperf(), True, "B/s"),
    ("tcp", "TCP, no offload", lambda: iperf(), False, "B/s"),
    ("udp64", "UDP, 64 B", lambda: iperf("-u", "-b", "0", "-l", "64"), True, "packets/s"),
    ("http", "short HTTP connections", http, True, "connections/s"),
]


def programs():
    yield Program("nothing")
    yield Program("reconmon", [reconmon, "-c", "/dev/null", "--control", "none", "-i", "b0"], "ready")
    if Conntrack.possible():
        yield Conntrack("nf_conntrack")
    else:
        print("nf_conntrack: nft or the kernel's part is missing, left out")
    if shutil.which("tcpdump"):
        yield Program("tcpdump", ["tcpdump", "-n", "-i", "b0", "-s", "96", "-w", "/dev/null"],
                      "listening")
    if shutil.which("suricata"):
        yield Program("suricata", ["suricata", "--af-packet=b0", "-S", "/dev/null", "-l", "/tmp"],
                      "engine started")
    else:
        print("suricata: not installed, left out")


def measure(p, load):
    p.start()
    before, begun = busy(), time.monotonic()
    rate = load()
    spent, took = busy() - before, time.monotonic() - begun
    p.stop()
    return rate, spent / (rate * took)


def report(key, label, unit, runs):
    base = runs["nothing"]
    print(f"{label:28} {'nothing':14} {statistics.median(r for r, _ in base):14,.0f} {unit}")
    for name, mine in runs.items():
        if name == "nothing":
            continue
        rate = statistics.median(m[0] / b[0] for m, b in zip(mine, base))
        cpu = statistics.median(m[1] / b[1] for m, b in zip(mine, base))
        print(f"{label:28} {name:14} throughput {rate:6.3f}  processor by unit {cpu:6.3f}")
        ours = name == "reconmon" and key != "http"
        for what, v, target, met in ((f"load_{key}_{name}_throughput", rate, ">= 0.98", rate >= 0.98),
                                     (f"load_{key}_{name}_processor", cpu, None, None)):
            asked = ours and target
            print(json.dumps({"name": what, "value": round(v, 4), "unit": "of nothing's",
                              "target": target if asked else None, "met": met if asked else None}))


def main():
    beside = list(programs())
    print(f"{ROUNDS} rounds of {SECONDS} s each")
    for key, label, load, gso, unit in LOADS:
        offload(gso)
        runs = {p.name: [] for p in beside}
        for i in range(ROUNDS + 1):  # the first warms up, and does not count
            for p in beside[i % len(beside):] + beside[:i % len(beside)]:
                got = measure(p, load)
                if i:
                    runs[p.name].append(got)
        report(key, label, unit, runs)


main()
