#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""bench_idle.py RECONMON NAMESPACE: start-up time, medians of five starts; then twenty seconds of
nothing: processor, wake-ups, memory."""
import json
import os
import signal
import statistics
import subprocess
import sys
import time

reconmon, ns = sys.argv[1:]
SECONDS = 20


def start():
    begun = time.monotonic()
    p = subprocess.Popen(["ip", "netns", "exec", ns, reconmon, "-c", "/dev/null", "--control", "none"],
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    for line in p.stderr:
        if line.startswith("ready"):
            return p, time.monotonic() - begun
    sys.exit("it does not become ready")


def stop(p):
    p.send_signal(signal.SIGINT)
    p.communicate()


def status(pid, key):
    with open(f"/proc/{pid}/status") as f:
        return next(int(x.split()[1]) for x in f if x.startswith(key + ":"))


def spent(pid):
    with open(f"/proc/{pid}/stat") as f:
        v = f.read().rsplit(")", 1)[1].split()
    return (int(v[11]) + int(v[12])) / os.sysconf("SC_CLK_TCK")


def switches(pid):
    n = 0
    for t in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{t}/status") as f:
            n += sum(int(x.split()[1]) for x in f if "ctxt_switches" in x)
    return n


def kernel(pid):
    """Bytes of the maps behind its descriptors, each once."""
    seen = {}
    for fd in os.listdir(f"/proc/{pid}/fdinfo"):
        try:
            with open(f"/proc/{pid}/fdinfo/{fd}") as f:
                v = dict(x.split(":", 1) for x in f.read().splitlines() if ":" in x)
        except OSError:
            continue
        if "map_id" in v:
            seen[v["map_id"]] = int(v["memlock"])
    return sum(seen.values())


def say(name, value, unit, target=None, met=None):
    print(json.dumps({"name": name, "value": round(value, 4), "unit": unit, "target": target,
                      "met": met}))


def main():
    took = []
    for _ in range(5):
        p, t = start()
        took.append(t * 1e3)
        stop(p)
    p, _ = start()
    time.sleep(2)
    pid = p.pid  # `ip netns exec` becomes what it runs
    cpu, woken = spent(pid), switches(pid)
    time.sleep(SECONDS)
    cpu, woken = (spent(pid) - cpu) / SECONDS * 100, (switches(pid) - woken) / SECONDS
    rss, anon = status(pid, "VmRSS") / 1024, status(pid, "RssAnon") / 1024
    maps = kernel(pid) / 2**20
    stop(p)
    say("idle_start_to_ready", statistics.median(took), "ms")
    say("idle_processor", cpu, "% of a core", "<= 0.1", cpu <= 0.1)
    say("idle_wake_ups", woken, "a second")
    say("idle_resident_memory", rss, "MiB", "<= 12", rss <= 12)
    say("idle_own_memory", anon, "MiB (no files, no maps)")
    say("idle_kernel_memory", maps, "MiB of maps", "<= 32", maps <= 32)


main()
