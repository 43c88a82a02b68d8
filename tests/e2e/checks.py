#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A capture of health checks, to standard output: checks.py EVERY_S ROUNDS PORT...
10.0.0.30 connects to each port of 10.0.0.40 and resets the connection without a byte."""
import struct
import sys

SYN, RST, ACK, SYN_ACK = 0x02, 0x04, 0x10, 0x12
ORIG, RESP = bytes((10, 0, 0, 30)), bytes((10, 0, 0, 40))


def packet(src, dst, sport, dport, seq, ack, flags):
    tcp = struct.pack("!HHIIBBHHH", sport, dport, seq, ack, 5 << 4, flags, 65535, 0, 0)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0, src, dst)
    return ip + tcp


def record(t, data):
    return struct.pack("<IIII", int(t), int(t % 1 * 1e6), len(data), len(data)) + data


every, rounds, ports = int(sys.argv[1]), int(sys.argv[2]), list(map(int, sys.argv[3:]))
out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)]  # LINKTYPE_RAW
for n in range(rounds):
    for i, port in enumerate(ports):
        t, me = 1_700_000_000 + n * every + i * 0.1, 20000 + n * len(ports) + i
        out.append(record(t, packet(ORIG, RESP, me, port, 1000, 0, SYN)))
        out.append(record(t + 0.001, packet(RESP, ORIG, port, me, 5000, 1001, SYN_ACK)))
        out.append(record(t + 0.002, packet(ORIG, RESP, me, port, 1001, 5001, ACK)))
        out.append(record(t + 0.003, packet(ORIG, RESP, me, port, 1001, 5001, RST | ACK)))
sys.stdout.buffer.write(b"".join(out))
