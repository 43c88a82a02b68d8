# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Frames that go around tc on their way out, as some scanners' and traffic generators' do:
bypass.py INTERFACE SECONDS"""
import socket
import sys
import time

PACKET_QDISC_BYPASS = 20
ETHERTYPE = 0x88B5  # IEEE 802, local experimental

s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.setsockopt(socket.SOL_PACKET if hasattr(socket, "SOL_PACKET") else 263, PACKET_QDISC_BYPASS, 1)
s.bind((sys.argv[1], 0))
frame = b"\xff" * 6 + b"\x02" + b"\x00" * 5 + ETHERTYPE.to_bytes(2, "big") + b"\x00" * 46
end = time.monotonic() + float(sys.argv[2])
print("up", flush=True)
while time.monotonic() < end:
    for _ in range(10):
        s.send(frame)
    time.sleep(0.005)
