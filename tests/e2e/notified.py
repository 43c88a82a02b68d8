#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""notified.py SOCKET FILE: a service manager's ear. Writes every datagram that comes to SOCKET to FILE, a
line each, its own lines joined by a blank; says "up" once it listens."""
import os
import socket
import sys

s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o777)
with open(sys.argv[2], "w", encoding="utf-8", buffering=1) as out:
    print("up", flush=True)
    while True:
        out.write(s.recv(4096).decode().strip().replace("\n", " ") + "\n")
