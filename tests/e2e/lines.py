#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A syslog receiver over TCP or, with a certificate, TLS that writes each message to a file as it is
read; octet counting. lines.py PORT FILE [PEM]. Says "up" once it listens."""
import os
import socket
import ssl
import sys
import threading

out = os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)


def serve(conn):
    if tls:
        conn = tls.wrap_socket(conn, server_side=True)
    data = b""
    while True:
        more = conn.recv(65536)
        if not more:
            return
        data += more
        while b" " in data:
            count, rest = data.split(b" ", 1)
            if len(rest) < int(count):
                break
            os.write(out, rest[:int(count)] + b"\n")
            data = rest[int(count):]


tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if len(sys.argv) > 3 else None
if tls:
    tls.load_cert_chain(sys.argv[3])
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("up", flush=True)
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
