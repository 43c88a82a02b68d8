#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""connect6.py ADDRESS FIRST LAST [hop] [dst]: connects to each port and closes without a word, every
packet with a hop-by-hop header, destination options, or both in front of TCP. No scanner of Debian's
sends those; the kernel does."""
import socket
import sys

IPV6_HOPOPTS, IPV6_DSTOPTS = 54, 59  # linux/in6.h
PADDING = bytes([0, 0, 1, 4, 0, 0, 0, 0])  # one header of eight bytes that holds PadN

address, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
for port in range(first, last + 1):
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as s:
        s.settimeout(2)
        for name, option in (("hop", IPV6_HOPOPTS), ("dst", IPV6_DSTOPTS)):
            if name in sys.argv[4:]:
                s.setsockopt(socket.IPPROTO_IPV6, option, PADDING)
        s.connect_ex((address, port))
