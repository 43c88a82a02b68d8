#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""tunnel.py NAME ORIGINATOR RESPONDER PORT...: makes a TUN device, which carries bare IP packets, and
lets a SYN to each port come out of it, again each second until it is killed."""
import fcntl
import os
import socket
import struct
import subprocess
import sys
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000


def checksum(data):
    s = sum(struct.unpack(f"!{len(data) // 2}H", data))
    s = (s & 0xFFFF) + (s >> 16)
    return ~(s + (s >> 16)) & 0xFFFF


def syn(orig, resp, port, sent):
    ends = socket.inet_aton(orig) + socket.inet_aton(resp)
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 40, 0, 0, 64, 6, 0) + ends
    tcp = struct.pack("!HHIIBBHHH", 40000 + sent % 20000, port, 1000 + sent, 0, 0x50, 2, 1024, 0, 0)
    tcp = tcp[:16] + struct.pack("!H", checksum(ends + struct.pack("!HH", 6, 20) + tcp)) + tcp[18:]
    return ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:] + tcp


name, orig, resp, ports = sys.argv[1], sys.argv[2], sys.argv[3], [int(p) for p in sys.argv[4:]]
tun = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
subprocess.run(["ip", "addr", "add", resp + "/24", "dev", name], check=True)
subprocess.run(["ip", "link", "set", name, "up"], check=True)
print("up", flush=True)
sent = 0
while True:
    for port in ports:
        os.write(tun, syn(orig, resp, port, sent))
        sent += 1
    time.sleep(1)
