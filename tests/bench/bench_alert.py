#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""bench_alert.py TARGET SCANS: scans closed ports of TARGET from 10.77.10.1 on, three ports and a
source address a scan, and reads the daemon's documents from standard input. The clock runs from
right before the third SYN is sent until the line has been read; both ends are this process, so it is
one clock. Pauses of uneven length keep the scans out of step with the tick."""
import json
import os
import select
import socket
import sys
import time

PORTS = (81, 82, 83)
PATIENCE_S = 5


def probe(source, target, port):
    """One SYN and its answer; the port is closed, so this is refused and was a probe."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
        s.bind((source, 0))
        s.setblocking(False)
        sent = time.monotonic()
        s.connect_ex((target, port))
        return sent


class Lines:
    """Documents as they arrive, and when."""

    def __init__(self, fd):
        self.fd, self.rest = fd, b""

    def next(self, deadline):
        while b"\n" not in self.rest:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                return None, None
            chunk = os.read(self.fd, 65536)
            if not chunk:
                return None, None
            self.rest += chunk
        now = time.monotonic()
        line, _, self.rest = self.rest.partition(b"\n")
        return json.loads(line), now


def is_open_of(doc, source):
    return (doc["reconmon"]["alert"]["state"] == "open" and doc["rule"]["id"] == "port-scan"
            and doc["source"]["ip"] == source)


def measure(lines, source, target):
    for port in PORTS:
        sent = probe(source, target, port)
    deadline = sent + PATIENCE_S
    while True:
        doc, when = lines.next(deadline)
        if doc is None:
            return None
        if is_open_of(doc, source):
            return when - sent


def quantile(values, q):
    """The smallest value that at least q of all do not exceed."""
    return sorted(values)[max(0, -int(-q * len(values) // 1) - 1)]


def main():
    target, scans = sys.argv[1], int(sys.argv[2])
    lines = Lines(sys.stdin.fileno())
    took = []
    for i in range(scans):
        d = measure(lines, f"10.77.{10 + i // 200}.{1 + i % 200}", target)
        if d is None:
            sys.exit(f"scan {i + 1} of {scans} raised no alert within {PATIENCE_S} s")
        took.append(d * 1e3)
        time.sleep(0.003 + i * 7919 % 41 / 1e3)
    print("| third probe's packet to the alert's line, {} scans "
          "| median {:.2f} ms | p99 {:.2f} ms | max {:.2f} ms |".format(
              scans, quantile(took, 0.5), quantile(took, 0.99), max(took)))
    for name, q, target in (("median", 0.5, None), ("p99", 0.99, 20)):
        v = quantile(took, q)
        print(json.dumps({"name": f"alert_latency_{name}", "value": round(v, 4), "unit": "ms",
                          "target": target and f"<= {target}", "met": target and v <= target}))


main()
