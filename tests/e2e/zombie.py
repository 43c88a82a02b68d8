#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""zombie.py IFACE ADDRESS: a host whose IP ids count up over all it sends, as an idle scan needs it
and no current kernel is. Refuses every SYN-ACK and says nothing else. The kernel must not own
ADDRESS; the neighbours must know its hardware address. Prints "up" once it listens."""
import socket
import struct
import sys

SYN, RST, ACK = 0x02, 0x04, 0x10


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def refusal(frame, ident):
    """The RST that answers a SYN-ACK (RFC 9293, 3.10.7.1: its number is what was acknowledged)."""
    tcp = 14 + (frame[14] & 15) * 4
    src, dst = frame[26:30], frame[30:34]
    sport, dport, _, ack = struct.unpack_from("!HHII", frame, tcp)
    seg = struct.pack("!HHIIBBHHH", dport, sport, ack, 0, 5 << 4, RST, 0, 0, 0)
    pseudo = dst + src + struct.pack("!HH", socket.IPPROTO_TCP, len(seg))
    seg = seg[:16] + struct.pack("!H", checksum(pseudo + seg)) + seg[18:]
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 40, ident, 0, 64, socket.IPPROTO_TCP, 0) + dst + src
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    return frame[6:12] + frame[:6] + frame[12:14] + ip + seg


def main(iface, address):
    own, ident = socket.inet_aton(address), 1000
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
    s.bind((iface, 0))
    print("up", flush=True)
    while True:
        frame = s.recv(2048)
        if len(frame) < 54 or frame[30:34] != own or frame[23] != socket.IPPROTO_TCP:
            continue
        if frame[14 + (frame[14] & 15) * 4 + 13] & (SYN | RST | ACK) == SYN | ACK:
            ident = ident % 65535 + 1
            s.send(refusal(frame, ident))


main(*sys.argv[1:])
