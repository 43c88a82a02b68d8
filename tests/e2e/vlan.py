#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A VLAN device in user space, for kernels without 802.1q: vlan.py LOWER UPPER ID makes the TAP
device UPPER; what it sends leaves LOWER with a tag of that ID, and what arrives on LOWER is handed to
it. LOWER must carry nothing else: the kernel takes tags out of frames before this program sees them.
Prints "up" when it forwards."""
import fcntl
import os
import select
import socket
import struct
import sys

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
ETH_P_ALL, ETH_P_8021Q, PACKET_OUTGOING = 0x0003, 0x8100, 4

lower, upper, vlan = sys.argv[1], sys.argv[2], int(sys.argv[3])
tap = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", upper.encode(), IFF_TAP | IFF_NO_PI))
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
wire.bind((lower, ETH_P_ALL))
tag = struct.pack("!HH", ETH_P_8021Q, vlan)
print("up", flush=True)

while True:
    for fd in select.select([tap, wire], [], [])[0]:
        if fd is tap:
            frame = os.read(tap, 65536)
            wire.send(frame[:12] + tag + frame[12:])
            continue
        frame, addr = wire.recvfrom(65536)
        if addr[2] == PACKET_OUTGOING:
            continue
        if frame[12:14] == tag[:2]:
            frame = frame[:12] + frame[16:]
        try:
            os.write(tap, frame)
        except OSError:
            pass  # not up yet
