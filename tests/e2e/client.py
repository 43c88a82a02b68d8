#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Innocent work, as originator. Exit 0 when it went as it should.

    client.py keepalive HOST PORT N       N requests over one connection
    client.py requests HOST N PORT...     N requests, a connection each, over these ports in turn
    client.py greeted HOST PORT...        waits for each greeting, then speaks
    client.py early HOST SECONDS PORT...  two connections a port; one speaks that much later, the
                                          other never
    client.py dns HOST N PORT...          N queries, a new source port each
    client.py parallel HOST PORT N SECONDS  N silent connections held that long
    client.py hold HOST PORT N            N connections that spoke; prints "up"; reads until the
                                          responder ends them"""
import http.client
import socket
import sys
import threading
import time


def connect(host, port):
    return socket.create_connection((host, int(port)), timeout=60)


def keepalive(host, port, n):
    c = http.client.HTTPConnection(host, int(port), timeout=30)
    for _ in range(int(n)):
        c.request("GET", "/")
        assert len(c.getresponse().read()) == 512
    c.close()


def requests(host, n, *ports):
    for i in range(int(n)):
        keepalive(host, ports[i % len(ports)], 1)


def greeted(host, *ports):
    failed = []

    def one(port):
        try:
            with connect(host, port) as s:
                assert s.recv(1024).startswith(b"220")
                s.sendall(b"EHLO client.example\r\n")
                assert s.recv(1024).startswith(b"250")
        except (OSError, AssertionError) as e:
            failed.append(f"port {port}: {e!r}")

    threads = [threading.Thread(target=one, args=(p,)) for p in ports]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failed, failed


def early(host, seconds, *ports):
    used = [connect(host, p) for p in ports]
    spare = [connect(host, p) for p in ports]
    time.sleep(float(seconds))
    for s in used:
        s.sendall(b"GET / HTTP/1.1\r\nHost: start.example\r\n\r\n")
        assert s.recv(4096).startswith(b"HTTP/1.1 200")
    time.sleep(3)
    for s in used + spare:
        s.close()


def dns(host, n, *ports):
    question = b"\x07example\x03org\x00\x00\x01\x00\x01"
    for i in range(int(n)):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(10)
            s.connect((host, int(ports[i % len(ports)])))
            ident = i.to_bytes(2, "big")
            s.send(ident + b"\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + question)
            assert s.recv(2048)[:2] == ident


def parallel(host, port, n, seconds):
    conns = [connect(host, port) for _ in range(int(n))]
    time.sleep(float(seconds))
    for s in conns:
        s.close()


def hold(host, port, n):
    conns = [connect(host, port) for _ in range(int(n))]
    for s in conns:
        s.sendall(b"hello")
        assert s.recv(64) == b"hello"
        s.settimeout(None)
    print("up", flush=True)
    for s in conns:
        try:
            assert s.recv(64) == b""
        except ConnectionResetError:
            pass
    for s in conns:
        s.close()


KINDS = {f.__name__: f for f in (keepalive, requests, greeted, early, dns, parallel, hold)}

if len(sys.argv) < 4 or sys.argv[1] not in KINDS:
    sys.exit(__doc__)
KINDS[sys.argv[1]](*sys.argv[2:])
