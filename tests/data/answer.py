#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The target's side of make.sh, beside the listeners of tests/e2e/serve.py: answers every datagram
at the UDP ports given, and speaks as much SCTP as a port scanner asks for: INIT ACK where --sctp
says that a port is open, ABORT elsewhere (RFC 9260, 8.4), nothing to a COOKIE ECHO at an open one.
On every address, from the one that is nearest (SCTP: IPv4 alone); with --at, on the addresses
given, each answering for itself. Prints "up" once it listens."""
import argparse
import socket
import struct
import threading

IPV6_FREEBIND = 78  # linux/in6.h; Python has no name for it
INIT, INIT_ACK, ABORT, COOKIE_ECHO = 1, 2, 6, 10


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def packet(src, dst, tag, chunk):
    head = struct.pack("!HHI", src, dst, tag)
    crc = struct.pack("<I", crc32c(head + bytes(4) + chunk))
    return head + crc + chunk


def sctp_answer(data, is_open):
    """The packet that answers `data` (from the SCTP header on), or None."""
    if len(data) < 16:
        return None
    src, dst, tag = struct.unpack_from("!HHI", data)
    chunk = data[12]
    if chunk == INIT and len(data) >= 32:
        peer = struct.unpack_from("!I", data, 16)[0]
        if dst not in is_open:
            return packet(dst, src, peer, struct.pack("!BBH", ABORT, 0, 4))
        cookie = struct.pack("!HH8s", 7, 12, b"\x5a" * 8)
        body = struct.pack("!IIHHI", 0x1234567, 65536, 1, 1, 0x89ABCDE) + cookie
        return packet(dst, src, peer, struct.pack("!BBH", INIT_ACK, 0, 4 + len(body)) + body)
    if chunk == COOKIE_ECHO and dst not in is_open:
        return packet(dst, src, tag, struct.pack("!BBH", ABORT, 1, 4)) # T: its tag reflected
    return None


def serve_sctp(sock, is_open):
    while True:
        data, peer = sock.recvfrom(65535)
        if sock.family == socket.AF_INET: # raw IPv4 sockets show the header, those of IPv6 do not
            data = data[(data[0] & 15) * 4:]
        answer = sctp_answer(data, is_open)
        if answer:
            sock.sendto(answer, (peer[0], 0))


def serve_udp(sock):
    while True:
        data, peer = sock.recvfrom(65535)
        sock.sendto(b"answer", peer)


def bound(kind, proto, address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    s = socket.socket(family, kind, proto)
    if family == socket.AF_INET6: # an address by a local route alone is one only to IPv4's bind()
        s.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
    if family == socket.AF_INET6 and kind == socket.SOCK_DGRAM:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, address != "::")
    s.bind((address, port))
    return s


def start(fn, *args):
    threading.Thread(target=fn, args=args, daemon=True).start()


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--udp", type=int, nargs="*", default=[])
    args.add_argument("--sctp", type=int, nargs="*", default=[])
    args.add_argument("--at", nargs="*", default=[], metavar="ADDRESS")
    a = args.parse_args()
    for port in a.udp:
        for address in a.at or ["::"]:
            start(serve_udp, bound(socket.SOCK_DGRAM, 0, address, port))
    for address in a.at or ["0.0.0.0"]:
        start(serve_sctp, bound(socket.SOCK_RAW, socket.IPPROTO_SCTP, address, 0), set(a.sctp))
    print("up", flush=True)
    threading.Event().wait()


assert crc32c(b"123456789") == 0xE3069283
main()
