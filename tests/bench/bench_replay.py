#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""bench_replay.py RECONMON MAKE_CAPTURE DIR PACKETS: replay beside tcpdump (a filter that matches
nothing: the limit of reading), Suricata without rules or outputs, and tshark, over the same file in
the same run. Two files of the same traffic: cut by a snap length of 96, as headers are kept for
months, and in full. What is slow runs in fewer rounds, tshark over the first packets alone; what is
not installed is left out, and said.

A figure "a core" is packets by processor time (user and system) of all threads, which a busy
machine changes less than the time on the wall. How long one waits is the time on the wall: replay
has two threads, tcpdump one. Rounds take turns; median and best are of rounds.
Lines of JSON are for programs: name, value, unit, target, met."""
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

ROUNDS = 5
ROUNDS_SURICATA = 2
TSHARK_PACKETS = 500000
# Times the packets, to see whether memory grows: windows of five minutes and the history of contacts
# with payload (262,144, HISTORY_MAX of user/engine.c) are full by the second, so that the third must
# not need more.
LONGER = (1, 4, 8)
SNAPLEN = 96
NOTHING = "host 203.0.113.1"  # RFC 5737: in no capture of ours

LOOK_S = 0.01  # between two looks at a process


def peak_of(pid):
    """VmHWM of a process in KiB; 0 once it has ended."""
    try:
        with open(f"/proc/{pid}/status") as f:
            return next((int(x.split()[1]) for x in f if x.startswith("VmHWM:")), 0)
    except OSError:
        return 0


class Run:
    """One process from start to end: seconds on the wall and of processors, and its peak memory in
    KiB. That is looked up while it runs: getrusage() counts what this process had before exec."""

    def __init__(self, argv, stdin=subprocess.DEVNULL):
        begun = time.monotonic()
        p = subprocess.Popen(argv, stdin=stdin, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        self.rss = 0
        pid = 0
        while not pid:
            time.sleep(LOOK_S)
            self.rss = max(self.rss, peak_of(p.pid))
            pid, status, usage = os.wait4(p.pid, os.WNOHANG)
        p.returncode = os.waitstatus_to_exitcode(status)
        self.wall = time.monotonic() - begun
        self.cpu = usage.ru_utime + usage.ru_stime
        if p.returncode:
            sys.exit(f"{' '.join(argv)}: exit {p.returncode}")


class Subject:
    """A program over a file of `packets`; `rounds` of how many are made."""

    def __init__(self, name, packets, rounds, argv):
        self.name, self.packets, self.rounds, self.argv = name, packets, rounds, argv
        self.runs = []

    def installed(self):
        return shutil.which(self.argv[0]) is not None

    def rates(self):
        """Million packets a second of processor time."""
        return [self.packets / r.cpu / 1e6 for r in self.runs]

    def rate(self):
        return statistics.median(self.rates())

    def row(self, file):
        wall = statistics.median(r.wall for r in self.runs)
        cpu = statistics.median(r.cpu for r in self.runs)
        rss = max(r.rss for r in self.runs) / 1024
        print(f"{file:16} {self.name:36} {self.rate():9.2f} {max(self.rates()):9.2f} {cpu:8.2f} "
              f"{wall:8.2f} {rss:8.1f} {len(self.runs):6}", flush=True)


def subjects_for(reconmon, file, packets, scratch):
    few = min(packets, TSHARK_PACKETS)
    quiet = ["--set", "outputs.0.fast.enabled=no", "--set", "outputs.1.eve-log.enabled=no",
             "--set", "outputs.7.stats.enabled=no"]
    return [
        Subject("reconmon replay", packets, ROUNDS, [reconmon, "replay", "-q", file]),
        Subject("tcpdump, nothing matches", packets, ROUNDS,
                ["tcpdump", "-n", "-r", file, NOTHING]),
        Subject("suricata, no rules, no outputs", packets, ROUNDS_SURICATA,
                ["suricata", "-r", file, "-S", "/dev/null", "-k", "none", "-l", scratch,
                 "--runmode", "single"] + quiet),
        Subject(f"tshark, first {few:,}", few, 1, ["tshark", "-n", "-c", str(few), "-r", file]),
    ]


def measure(subjects):
    for i in range(max(s.rounds for s in subjects)):
        for s in subjects:
            if i < s.rounds:
                s.runs.append(Run(s.argv))


def ratio(a, b, what):
    """Median over rounds of how many times b's time (what: "cpu" or "wall") a took."""
    return statistics.median(getattr(x, what) / getattr(y, what) for x, y in zip(a.runs, b.runs))


def target(name, value, unit, bound, met):
    print(json.dumps({"name": name, "value": round(value, 4), "unit": unit, "target": bound,
                      "met": met}), flush=True)


def report(file, label, subjects):
    by_name = {s.name.split()[0].rstrip(","): s for s in subjects}
    replay = by_name["reconmon"]
    for s in subjects:
        s.row(label)
    rate = replay.rate()
    target(f"replay_rate_{file}", rate, "M packets/s a core", ">= 7", rate >= 7)
    if "tcpdump" in by_name:
        r = ratio(replay, by_name["tcpdump"], "wall")
        target(f"replay_wall_over_tcpdump_{file}", r, "times, on the wall", "<= 1.7", r <= 1.7)
        r = ratio(replay, by_name["tcpdump"], "cpu")
        target(f"replay_processor_over_tcpdump_{file}", r, "times, of processors", "<= 1.7",
               r <= 1.7)
    if "suricata" in by_name:
        r = rate / by_name["suricata"].rate()
        target(f"replay_rate_over_suricata_{file}", r, "times", ">= 10", r >= 10)
    if "tshark" in by_name:
        target(f"replay_rate_over_tshark_{file}", rate / by_name["tshark"].rate(), "times", "-",
               True)


def compare(reconmon, make_capture, folder, packets, file, options):
    path = os.path.join(folder, file + ".pcap")
    subprocess.run([make_capture, "-n", str(packets)] + options + [path], check=True)
    label = f"{file} {os.path.getsize(path) / 1e6:,.0f} MB"
    subjects = subjects_for(reconmon, path, packets, folder)
    for s in subjects:
        if not s.installed():
            print(f"{label:16} {s.argv[0]}: not installed, left out")
    subjects = [s for s in subjects if s.installed()]
    measure(subjects)
    os.unlink(path)
    report(file, label, subjects)


def memory(reconmon, make_capture, packets):
    """Peak memory over captures of some lengths, through a pipe: it grows until what remembers is
    full, and no further."""
    peak = []
    for times in LONGER:
        n = times * packets
        with subprocess.Popen([make_capture, "-n", str(n), "-s", str(SNAPLEN), "-"],
                              stdout=subprocess.PIPE) as source:
            peak.append(Run([reconmon, "replay", "-q", "-"], source.stdout).rss / 1024)
        print(f"peak memory of replay over {n:,} packets: {peak[-1]:.1f} MiB", flush=True)
    grown = peak[-1] / peak[-2]
    target(f"replay_memory_{LONGER[-1]}_over_{LONGER[-2]}_times", grown, "times", "<= 1.02",
           grown <= 1.02)


def main():
    reconmon, make_capture, folder, packets = sys.argv[1:4] + [int(sys.argv[4])]
    print(f"{packets:,} packets: bulk, short connections, DNS, ARP, scans; M packets/s a core, "
          "seconds, MiB")
    print(f"{'file':16} {'program':36} {'median':>9} {'best':>9} {'cpu':>8} {'wall':>8} "
          f"{'memory':>8} {'rounds':>6}", flush=True)
    compare(reconmon, make_capture, folder, packets, "headers", ["-s", str(SNAPLEN)])
    compare(reconmon, make_capture, folder, packets, "full", [])
    memory(reconmon, make_capture, packets)


main()
