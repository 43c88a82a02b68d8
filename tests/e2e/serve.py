#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Small servers for the tests, on every address, both families. Each prints "up" once it listens.

    serve.py listen PORT...         accepts, reads until the end, closes
    serve.py greet PORT:SECONDS...  speaks first, that much later, then answers one line
    serve.py http PORT...           HTTP/1.1 with keep-alive
    serve.py dns PORT...            UDP: answers each query
    serve.py ftp PORT FILE...       anonymous, passive only, a new data port for each transfer
    serve.py bounce PORT            FTP that lists to whatever host PORT names, as all once did
    serve.py hold PORT HOW GO       echoes; when the file GO exists, ends every connection at once:
                                    HOW is fin or rst"""
import http.server
import os
import socket
import struct
import sys
import threading
import time


def listener(port, backlog=512):
    s = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    s.bind(("::", port))
    s.listen(backlog)
    return s


def thread(fn, *args):
    threading.Thread(target=fn, args=args, daemon=True).start()


def quietly(fn):
    """A peer that resets or leaves is ordinary here."""
    def wrapped(conn, *args):
        try:
            with conn:
                fn(conn, *args)
        except OSError:
            pass
    return wrapped


def accept_all(s, fn, *args):
    while True:
        conn = s.accept()[0]
        thread(fn, conn, *args)


@quietly
def drain(conn):
    while conn.recv(65536):
        pass


def listen(ports):
    for p in ports:
        thread(accept_all, listener(int(p)), drain)


@quietly
def greet_one(conn, delay):
    time.sleep(delay)
    conn.sendall(b"220 mail.example ESMTP ready\r\n")
    if conn.recv(1024):
        conn.sendall(b"250 mail.example\r\n")
        conn.recv(1024)


def greet(specs):
    for spec in specs:
        port, delay = spec.split(":")
        thread(accept_all, listener(int(port)), greet_one, float(delay))


class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):  # the name that http.server calls
        body = b"x" * 512
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        pass


class HTTPServer(http.server.ThreadingHTTPServer):
    request_queue_size = 512


def web(ports):
    for p in ports:
        thread(HTTPServer(("", int(p)), Page).serve_forever)


def dns_one(s):
    while True:
        query, peer = s.recvfrom(2048)
        # The same question back as a response with one A record: 192.0.2.1.
        answer = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x01"
        s.sendto(query[:2] + b"\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00" + query[12:] + answer,
                 peer)


def dns(args):
    """PORT@ADDRESS: a reply must leave from the address that was asked."""
    for arg in args:
        port, _, addr = arg.partition("@")
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind((addr, int(port)))
        thread(dns_one, s)


class Ftp:
    """One control connection."""
    next_port = [50001]
    lock = threading.Lock()

    def __init__(self, conn):
        self.conn, self.data = conn, None

    def say(self, text):
        self.conn.sendall(text.encode() + b"\r\n")

    def passive(self, extended):
        with self.lock:
            port = self.next_port[0]
            self.next_port[0] += 1
        self.data = listener(port)
        if extended:
            return self.say(f"229 Entering Extended Passive Mode (|||{port}|)")
        host = self.conn.getsockname()[0].replace("::ffff:", "").replace(".", ",")
        return self.say(f"227 Entering Passive Mode ({host},{port >> 8},{port & 255})")

    def transfer(self, verb):
        self.say("150 here it comes")
        with self.data, self.data.accept()[0] as d:
            if verb == "STOR":
                while d.recv(65536):
                    pass
            elif verb == "NLST":
                d.sendall(b"file\r\n" * 300)
            else:
                d.sendall(os.urandom(200 * 1000))
        self.say("226 done")

    def run(self):
        self.say("220 ready")
        replies = {"USER": "331 any password", "PASS": "230 logged in", "PWD": '257 "/"',
                   "CWD": "250 ok", "TYPE": "200 ok", "SIZE": "213 200000", "QUIT": "221 bye"}
        for line in self.conn.makefile("r"):
            verb = line.split()[0].upper()
            if verb in ("EPSV", "PASV"):
                self.passive(verb == "EPSV")
            elif verb in ("RETR", "STOR", "NLST"):
                self.transfer(verb)
            else:
                self.say(replies.get(verb, "502 no"))
            if verb == "QUIT":
                return


@quietly
def ftp_one(conn):
    Ftp(conn).run()


def ftp(args):
    thread(accept_all, listener(int(args[0])), ftp_one)


@quietly
def bounce_one(conn):
    conn.sendall(b"220 ready\r\n")
    to = None
    for line in conn.makefile("r"):
        verb, _, arg = line.strip().partition(" ")
        reply = {"USER": "331 any password", "PASS": "230 logged in"}.get(verb, "200 ok")
        if verb == "PORT":
            n = arg.split(",")
            to = ".".join(n[:4]), int(n[4]) << 8 | int(n[5])
        elif verb == "LIST":
            try:
                with socket.create_connection(to, 5) as d:
                    d.sendall(b"-rw-r--r-- 1 0 0 0 Jan 1 00:00 file\r\n")
                reply = "226 done" # no 150 before: nmap would wait for another line
            except OSError:
                reply = "425 no connection"
        conn.sendall(reply.encode() + b"\r\n")


def bounce(args):
    thread(accept_all, listener(int(args[0])), bounce_one)


def hold(args):
    port, how, go = args
    conns = []

    def serve(s):
        while True:
            conn = s.accept()[0]
            conn.sendall(conn.recv(64))
            conns.append(conn)

    def end():
        while not os.path.exists(go):
            time.sleep(0.05)
        for conn in conns:
            if how == "rst":
                conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            conn.close()

    thread(serve, listener(int(port)))
    thread(end)


KINDS = {"listen": listen, "greet": greet, "http": web, "dns": dns, "ftp": ftp, "bounce": bounce,
         "hold": hold}

if len(sys.argv) < 3 or sys.argv[1] not in KINDS:
    sys.exit(__doc__)
KINDS[sys.argv[1]](sys.argv[2:])
print("up", flush=True)
threading.Event().wait()
