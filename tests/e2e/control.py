# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Clients of the control socket: good ones, and such as mean harm.

    control.py SOCKET live ORIGINATOR PORTS | subscribe | alerts STATE PROBES | nonsense | crowd | stall
"""
import json
import random
import socket
import sys
import time

LIMIT = 16  # clients at once


def connect():
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(10)
    s.connect(sys.argv[1])
    return s


class Client:
    def __init__(self):
        self.sock = connect()
        self.lines = self.sock.makefile("r")

    def ask(self, request):
        self.sock.sendall((request + "\n").encode())
        return self.line()

    def line(self):
        return json.loads(self.lines.readline())

    def is_over(self):
        try:
            return not self.lines.readline()
        except ConnectionResetError:  # it had not read all of ours
            return True


def expect(condition, what):
    if not condition:
        sys.exit(f"not so: {what}")


def live(originator, ports):
    a = Client().ask('{"get":"live"}')
    expect(a["type"] == "live", "type")
    o = [o for o in a["originators"] if o["originator"] == originator]
    expect(len(o) == 1, f"one originator {originator} in {a['originators']}")
    expect(o[0]["ports"] == ports and o[0]["answers"]["closed"] == ports, f"ports of {o[0]}")
    expect(len(o[0]["per_second"]) == 60 and sum(o[0]["per_second"]) == o[0]["attempts"], f"seconds of {o[0]}")
    expect(o[0]["technique"] == ["syn"] and o[0]["responders"] == ["10.77.0.2"], f"technique of {o[0]}")
    alert = [x for x in a["alerts"] if x["originator"] == originator][0]
    expect(alert["ports"] == ports and len(alert["probes"]) == 16, f"alert {alert}")
    expect(alert["incident"] in [i["id"] for i in a["incidents"]], f"incident of {alert}")


def subscribe():
    c = Client()
    first = c.ask('{"get":"live","every_ms":100}')
    times = [first["time"]] + [c.line()["time"] for _ in range(4)]
    expect(len(set(times)) == 5, f"five answers in {times}")
    c.sock.sendall(b'{"get":"status"}\n')  # takes the place of the subscription
    while c.line()["type"] != "status":
        pass
    c.sock.settimeout(0.5)
    try:
        expect(not c.lines.readline(), "no more answers")
    except TimeoutError:
        pass


def alerts(state, probes):
    c = Client()
    a = c.ask('{"get":"alerts"}')
    expect(a["type"] == "alert" and a["state"] == state, f"an alert that is {state}: {a}")
    expect(len(a["probes"]) == int(probes) and a["probes_left_out"] == 0, f"its probes: {a['probes']}")
    expect({p["port"] for p in a["probes"]} == set(range(1, 61)) and
           {p["answer"] for p in a["probes"]} == {"closed"}, f"each port once: {a['probes']}")
    expect(a["document"]["event"]["id"] == a["id"], "its document")
    expect(c.line() == {"type": "end", "alerts": 1, "closed_kept": 0, "closed_dropped": 0}, "the end")
    b = c.ask('{"get":"alerts","id":"%s"}' % a["id"])
    expect(b["id"] == a["id"] and c.line()["alerts"] == 1, "the same by its id")
    expect(c.ask('{"get":"alerts","id":"none"}') | {"closed_kept": 0} ==
           {"type": "end", "alerts": 0, "closed_kept": 0, "closed_dropped": 0}, "none by another")


def nonsense():
    c = Client()
    for request in ("", "x", "[]", '{"get":"all"}', '{"get":"live","every_ms":1}', "{" * 1000):
        expect(c.ask(request)["type"] == "error", request)
    expect(c.ask('{"get":"live"}')["type"] == "live", "an answer after errors")
    expect(c.ask("y" * 2000)["type"] == "error" and c.is_over(), "too long: an error, and the end")
    # Two requests at once, and one in pieces, are read as they are.
    c = Client()
    c.sock.sendall(b'{"get":"live"}\n{"get":"status"}\n{"ge')
    expect([c.line()["type"], c.line()["type"]] == ["live", "status"], "two requests at once")
    c.sock.sendall(b't":"live"}\n')
    expect(c.line()["type"] == "live", "a request in pieces")
    random.seed(1)
    for _ in range(200):  # bytes of any kind
        s = connect()
        try:
            s.sendall(random.randbytes(random.randrange(3000)) + b"\n")
            s.recv(100)
        except OSError:
            pass
        s.close()
    expect(Client().ask('{"get":"status"}')["type"] == "status", "an answer after all that")


def crowd():
    clients = [connect() for _ in range(LIMIT)]
    time.sleep(0.2)
    refused = connect().makefile("r").readline()
    expect("too many clients" in refused, refused)
    for c in clients:
        c.close()
    time.sleep(0.2)
    expect(Client().ask('{"get":"live"}')["type"] == "live", "room again")


def stall():
    """Ask for more than a socket holds, read nothing: the daemon lets go after five seconds."""
    clients = [connect() for _ in range(LIMIT - 2)]
    for c in clients:
        c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        c.settimeout(30)
        c.setblocking(False)
        try:
            while True:
                c.send(b'{"get":"alerts"}\n' * 50)
        except BlockingIOError:
            c.setblocking(True)
            c.settimeout(30)
    time.sleep(7)
    for c in clients:
        try:
            while c.recv(1 << 20):
                pass
        except ConnectionResetError:
            pass


globals()[sys.argv[2]](*sys.argv[3:])
