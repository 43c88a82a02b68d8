#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Connects to ports that do not answer, says "up", and lets the kernel send the SYNs again:
retransmit.py ADDRESS PORT..."""
import socket
import sys
import time

held = []
for port in sys.argv[2:]:
    s = socket.socket()
    s.setblocking(False)
    s.connect_ex((sys.argv[1], int(port)))
    held.append(s)
print("up", flush=True)
time.sleep(60)
