#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""traffic.py [--seed N] [--start SECONDS] OUT.pcap SCENE...: writes a capture of made-up traffic.

A scene is what a host, its clients or its scanners do within an hour, packet by packet; `benign` is
all that is innocent, `limits` what is and is accused all the same, `scans` all that is not. The same seed gives the same file, byte for byte.
Packets are raw IP (LINKTYPE_RAW), with sequence numbers, answers and times as real stacks send them;
checksums are zero, as on a host that leaves them to its card.
"""
import argparse
import ipaddress
import random
import struct
import sys

FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
RTT = 0.0005
HOUR = 3600
SCENES = {}


def scene(*groups):
    def register(fn):
        SCENES[fn.__name__.replace("_", "-")] = (fn, groups)
        return fn
    return register


class Wire:
    """The packets of a capture, in any order."""

    def __init__(self, rng):
        self.packets = []
        self.rng = rng
        self.ports = {}  # originator -> its next ephemeral port

    def ip(self, t, src, dst, proto, payload):
        src, dst = ipaddress.ip_address(src), ipaddress.ip_address(dst)
        if src.version == 4:
            head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, 0, 64, proto, 0, src.packed,
                               dst.packed)
        else:
            head = struct.pack("!IHBB16s16s", 6 << 28, len(payload), proto, 64, src.packed, dst.packed)
        self.packets.append((round(t * 1e6), len(self.packets), head + payload))

    def tcp(self, t, src, sport, dst, dport, flags, seq=0, ack=0, data=b""):
        head = struct.pack("!HHIIBBHHH", sport, dport, seq & 0xffffffff, ack & 0xffffffff, 5 << 4, flags,
                           64240, 0, 0)
        self.ip(t, src, dst, 6, head + data)

    def udp(self, t, src, sport, dst, dport, data=b""):
        self.ip(t, src, dst, 17, struct.pack("!HHHH", sport, dport, 8 + len(data), 0) + data)

    def unreachable(self, t, router, host, original, code):
        """ICMP: what `original` (an IPv4 packet) was sent to cannot be reached."""
        self.ip(t, router, host, 1, struct.pack("!BBHI", 3, code, 0, 0) + original[:28])

    def ping(self, t, src, dst, size=56):
        for n, (kind, a, b) in enumerate(((8, src, dst), (0, dst, src))):
            self.ip(t + n * RTT, a, b, 1, struct.pack("!BBHHH", kind, 0, 0, 7, 1) + bytes(size))

    def ephemeral(self, orig):
        port = self.ports.get(orig, self.rng.randrange(32768, 61000))
        self.ports[orig] = port + 1 if port < 60998 else 32768
        return port

    def write(self, path, start):
        with open(path, "wb") as f:
            f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101))
            for t, _, data in sorted(self.packets):
                t += round(start * 1e6)
                f.write(struct.pack("<IIII", t // 10**6, t % 10**6, len(data), len(data)) + data)


class Conn:
    """A TCP connection from its originator's view; `at` is the time of its last packet."""

    def __init__(self, w, t, orig, resp, port, sport=None):
        self.w, self.at, self.orig, self.resp, self.port = w, t, orig, resp, port
        self.sport = sport or w.ephemeral(orig)
        self.seq = w.rng.randrange(1 << 32)
        self.ack = w.rng.randrange(1 << 32)
        self.send(SYN, first=True)

    def send(self, flags, data=b"", first=False):
        self.w.tcp(self.at, self.orig, self.sport, self.resp, self.port, flags, self.seq,
                   0 if first else self.ack, data)
        self.seq += len(data) + bool(flags & (SYN | FIN))

    def answer(self, flags, data=b""):
        self.at += RTT
        self.w.tcp(self.at, self.resp, self.port, self.orig, self.sport, flags, self.ack, self.seq, data)
        self.ack += len(data) + bool(flags & (SYN | FIN))

    def wait(self, seconds):
        self.at += seconds
        return self

    def refused(self):
        self.answer(RST | ACK)

    def accepted(self):
        self.answer(SYN | ACK)
        self.at += 0.00005
        self.send(ACK)
        return self

    def unanswered(self, retries=2):
        for n in range(retries):  # Linux: after 1 s, 3 s, 7 s
            self.at += 1 << n
            self.seq -= 1
            self.send(SYN, first=True)

    def close(self, by_responder=False):
        ends = (self.answer, self.send) if by_responder else (self.send, self.answer)
        ends[0](FIN | ACK)
        ends[1](FIN | ACK)
        ends[0](ACK)

    def reset(self):
        self.send(RST | ACK)

    def say(self, data, reply=b""):
        self.send(PSH | ACK, data)
        self.answer(PSH | ACK, reply) if reply else self.answer(ACK)
        return self

    def stream(self, size):
        """The responder sends `size` bytes, acknowledged every other segment."""
        for n, left in enumerate(range(size, 0, -1448)):
            self.answer(ACK, bytes(min(left, 1448)))
            if n % 2:
                self.send(ACK)
        self.send(ACK)
        return self


def every(period, until=HOUR, start=0.0):
    t = start
    while t < until:
        yield t
        t += period


def knock(w, t, orig, resp, port, how):
    """A look without a word: `how` it ends is fin, rst, half (a RST in place of the last ACK), refused
    or none."""
    c = Conn(w, t, orig, resp, port)
    if how == "refused":
        c.refused()
    elif how == "none":
        c.unanswered()
    elif how == "half":
        c.answer(SYN | ACK)
        c.send(RST)
    elif how == "rst":
        c.accepted().reset()
    else:
        c.accepted().close()


def request(w, t, orig, resp, port, data=b"GET / HTTP/1.1\r\n\r\n", reply=b"HTTP/1.1 200 OK\r\n\r\n"):
    Conn(w, t, orig, resp, port).accepted().say(data, reply).close()


# --- innocent ------------------------------------------------------------------------------------

@scene("benign")
def kubelet(w):
    """FP-01: tcpSocket probes of three ports of three pods, which are replaced every ten minutes."""
    for pod in range(3):
        for life in range(6):
            resp = f"10.244.1.{20 + life * 3 + pod}"
            begin = life * 600 + pod * 200 if life or pod else 0
            for n, t in enumerate(every(10, min(begin + 600, HOUR), begin)):
                for k, port in enumerate((5432, 8080, 9187)):
                    knock(w, t + k * 0.01, "10.244.1.1", resp, port, "rst" if n % 2 else "fin")


@scene("benign")
def balancer(w):
    """FP-02: two load balancers check three NodePorts every five seconds; one says a PROXY line."""
    for k, (orig, how) in enumerate((("10.0.0.5", "half"), ("10.0.1.5", "rst"))):
        for t in every(5, start=0.3 * k):
            for n, port in enumerate((30080, 30443, 31883)):
                knock(w, t + n * 0.02, orig, "10.0.9.10", port, how)
    for t in every(5, start=1.1):
        for n, port in enumerate((30080, 30443, 31883)):
            c = Conn(w, t + n * 0.02, "10.0.2.5", "10.0.9.10", port).accepted()
            c.say(b"PROXY TCP4 192.0.2.1 192.0.2.2 4711 80\r\n")
            c.reset()


@scene("benign")
def nagios(w):
    """FP-03: five ports each minute with jitter; three of another host every five minutes."""
    for t in every(60, HOUR - 30):
        for port in (22, 80, 443, 3306, 5432):
            knock(w, t + w.rng.uniform(0, 20), "10.0.0.30", "10.0.0.40", port, "fin")
    for t in every(300, start=17):
        for port in (25, 143, 993):
            knock(w, t + w.rng.uniform(0, 2), "10.0.0.30", "10.0.0.41", port, "fin")


@scene("benign")
def prometheus(w):
    """Scrapes of three exporters on each of 15 hosts; of one host, one exporter is down."""
    for host in range(15):
        for port in (9100, 9187, 9256):
            for t in every(15, start=w.rng.uniform(0, 15)):
                resp = f"10.0.4.{10 + host}"
                if host == 3 and port == 9256:
                    knock(w, t, "10.0.0.31", resp, port, "refused")
                else:
                    request(w, t, "10.0.0.31", resp, port, reply=b"up 1\n" * 200)


@scene("benign")
def ftp(w):
    """FP-04: passive FTP: within a minute five downloads of 200 KB and an upload; after half an hour
    five listings of 3 KB."""
    c = Conn(w, 100, "10.0.0.50", "10.0.0.60", 21).accepted()
    c.answer(PSH | ACK, b"220 ready\r\n")
    for n in range(5):
        c.wait(8).say(b"PASV\r\n", b"227 Entering Passive Mode\r\n").say(b"RETR x\r\n", b"150 here\r\n")
        Conn(w, c.at, "10.0.0.50", "10.0.0.60", 50001 + n).accepted().stream(200000).close(by_responder=True)
    c.say(b"STOR y\r\n", b"150 go\r\n")
    up = Conn(w, c.at, "10.0.0.50", "10.0.0.60", 50009).accepted()
    for _ in range(20):
        up.say(bytes(1448))
    up.close()
    for n in range(5):
        c.wait(600 if not n else 8).say(b"PASV\r\n", b"227 Entering Passive Mode\r\n")
        c.say(b"LIST\r\n", b"150 here\r\n")
        Conn(w, c.at, "10.0.0.50", "10.0.0.60", 50011 + n).accepted().stream(3000).close(by_responder=True)
    c.close()


@scene("benign")
def preconnect(w):
    """FP-08: a browser connects to three consoles ahead of need, two sockets each; one of each is used
    after 6 s, the other closed after a minute."""
    for t in (300, 1500, 2700):
        for k, port in enumerate((3000, 9090, 9093)):
            used = Conn(w, t + k * 0.01, "10.0.0.100", "10.0.0.101", port).accepted()
            unused = Conn(w, t + k * 0.01 + 0.003, "10.0.0.100", "10.0.0.101", port).accepted()
            used.wait(6).say(b"GET / HTTP/1.1\r\n\r\n", bytes(900)).wait(30).close()
            unused.wait(60).close()


@scene("benign")
def slow_greetings(w):
    """FP-09: a mail client connects to four ports at once; greetings come after 0.1 to 20 s."""
    for t in every(900, start=50):
        for k, (port, delay) in enumerate(((25, 0.1), (143, 3), (587, 8), (4190, 20))):
            c = Conn(w, t + k * 0.002, "10.0.0.110", "10.0.0.111", port).accepted().wait(delay)
            c.answer(PSH | ACK, b"220 hello\r\n")
            c.say(b"QUIT\r\n", b"221 bye\r\n").close(by_responder=True)


@scene("benign")
def backends(w):
    """FP-10: a balancer looks at one port of forty backends every ten seconds; two are exchanged."""
    for t in every(10, start=2):
        for host in range(40):
            resp = 200 + host if host < 2 and t > 1800 else 1 + host
            knock(w, t + host * 0.001, "10.0.0.6", f"10.0.2.{resp}", 443, "rst")


@scene("benign")
def start_up(w):
    """FP-11: three containers wait for their dependencies, which come after 0, 30 and 60 s."""
    for k in range(3):
        for t in every(2, 700, 600 + k * 0.1):
            for port, after in ((5432, 0), (6379, 30), (9092, 60)):
                if t < 600 + k * 0.1 + after:
                    knock(w, t, f"10.0.5.{2 + k}", "10.0.0.120", port, "refused")
                    break
                knock(w, t, f"10.0.5.{2 + k}", "10.0.0.120", port, "fin")


@scene("benign")
def nat_strays(w):
    """FP-06: 200 users behind one address of a carrier; long after their connections are forgotten
    come late FINs, resets and segments from both sides."""
    nat, server = "100.64.7.7", "10.0.0.80"
    for n in range(200):
        c = Conn(w, 60 + n * 2.5, nat, server, 443, sport=1024 + 7 * n).accepted()
        c.say(b"\x16\x03\x01 hello", bytes(1200)).say(b"\x17\x03\x03 get", bytes(1400))
        c.close()
        late = c.at + w.rng.uniform(400, 1500)
        w.tcp(late, nat, c.sport, server, 443, FIN | ACK, c.seq - 1, c.ack)
        w.tcp(late + RTT, server, 443, nat, c.sport, RST, c.ack)
        w.tcp(late + 3, nat, c.sport, server, 443, RST, c.seq)
        w.tcp(late + 5, server, 443, nat, c.sport, ACK, c.ack, c.seq)
        w.tcp(late + 5.02, nat, c.sport, server, 443, RST, c.seq)


@scene("benign")
def amid(w):
    """FP-05: the capture begins amid 60 idle connections of a proxy. The server sends keepalives, an old
    byte or none, which the proxy acknowledges; after half an hour it closes 40 and resets 20."""
    for n in range(60):
        port, mine, its = 33000 + 17 * n, w.rng.randrange(1 << 32), w.rng.randrange(1 << 32)

        def server(t, flags, data=b"", back=0):
            w.tcp(t, "10.0.0.71", 8080, "10.0.0.70", port, flags, its - back, mine, data)

        def proxy(t, flags, more=0):
            w.tcp(t, "10.0.0.70", port, "10.0.0.71", 8080, flags, mine, its + more)

        for t in every(75, 1800, n):
            server(t, ACK, bytes(n % 2), 1)
            proxy(t + RTT, ACK)
        if n < 40:
            server(1800 + n * 0.01, FIN | ACK)
            proxy(1800.1 + n * 0.01, ACK, 1)
            proxy(1800.2 + n * 0.01, FIN | ACK, 1)
        else:
            server(1800 + n * 0.01, RST | ACK)


@scene("benign")
def forged_syns(w):
    """FP-07: 3,000 SYNs from forged addresses to one port; the host answers each three times, and some of
    the hosts that did not ask answer by RST."""
    for n in range(3000):
        t, orig, port = 2000 + n * 0.01, f"10.20.{n % 251}.{n // 251 + 1}", w.rng.randrange(1024, 65536)
        seq, ack = w.rng.randrange(1 << 32), w.rng.randrange(1 << 32)
        w.tcp(t, orig, port, "10.0.0.90", 443, SYN, seq)
        if n % 3 == 0:
            w.tcp(t + RTT, "10.0.0.90", 443, orig, port, SYN | ACK, ack, seq + 1)
            w.tcp(t + 2 * RTT, orig, port, "10.0.0.90", 443, RST, seq + 1)
            continue
        for late in (RTT, 1.0, 3.0):
            w.tcp(t + late, "10.0.0.90", 443, orig, port, SYN | ACK, ack, seq + 1)


@scene("benign")
def peers(w):
    """P2P: a host tries 40 peers a minute at ports of all kinds, most of which are gone; 600 peers try
    the port that it listened on, after it has stopped."""
    for n in range(40 * 60):
        peer = f"203.0.{113 + n % 5}.{1 + n % 250}"
        port = w.rng.choice((6881, 51413, w.rng.randrange(1024, 65536)))
        t = n * 1.5 + w.rng.uniform(0, 1)
        how = w.rng.random()
        if how < 0.3:
            request(w, t, "10.0.3.7", peer, port, b"\x13BitTorrent protocol", bytes(68))
        else:
            knock(w, t, "10.0.3.7", peer, port, "none" if how < 0.8 else "refused")
    for n in range(600):
        t = 1200 + n * 3.5
        knock(w, t, f"198.51.{100 + n % 40}.{1 + n % 200}", "10.0.3.7", 6881, "refused")
        w.udp(t + 0.1, f"198.51.{100 + n % 40}.{1 + n % 200}", 6881, "10.0.3.7", 6881, b"d1:ad2:id20:")


@scene("benign")
def reboot(w):
    """A host of 40 services reboots: 300 clients, each with one or two of them, are refused or hear
    nothing for two minutes; the half that had been served before among them."""
    ports = list(range(20, 40)) + list(range(8000, 8020))
    clients = [(f"10.0.{64 + n // 250}.{1 + n % 250}", w.rng.sample(ports, 1 + n % 2)) for n in range(300)]
    for orig, wanted in clients:
        for port in wanted:
            for t in every(240, 1500, w.rng.uniform(0, 240)):
                request(w, t, orig, "10.0.0.70", port)
            for t in every(w.rng.choice((5, 10, 30)), 1630, 1510 + w.rng.uniform(0, 5)):
                knock(w, t, orig, "10.0.0.70", port, "none" if t < 1570 else "refused")
            for t in every(240, HOUR, 1640 + w.rng.uniform(0, 240)):
                request(w, t, orig, "10.0.0.70", port)


@scene("benign")
def dead_host(w):
    """A host that nobody has seen alive: 400 balanced clients try its two ports, over and over."""
    for n in range(400):
        for t in every(120, 3000, w.rng.uniform(600, 720)):
            for port in (80, 443):
                knock(w, t, f"10.0.{32 + n // 200}.{1 + n % 200}", "10.0.0.99", port, "none")


@scene("benign")
def resolver(w):
    """A resolver asks 2,000 name servers; every tenth answer comes when nobody waits any more, to a
    port that is closed by then."""
    for n in range(2000):
        t, server = n * 1.7, f"192.0.2.{1 + n % 250}"
        port = w.rng.randrange(1024, 65536)
        w.udp(t, "10.0.0.53", port, server, 53, bytes(40))
        late = w.rng.uniform(130, 400) if n % 10 == 0 else 0.02
        w.udp(t + late, server, 53, "10.0.0.53", port, bytes(120))
        if late > 1:
            w.unreachable(t + late + RTT, "10.0.0.53", server, w.packets[-1][2], 3)


@scene("benign")
def monitoring_by_ping(w):
    """A monitor pings 60 hosts each minute, as `ping` does."""
    for t in every(60):
        for host in range(60):
            w.ping(t + host * 0.01, "10.0.0.30", f"10.0.4.{1 + host}")


@scene("benign")
def traceroute(w):
    """Every five minutes somebody traces the way to a neighbour, which is at the end of it at once: 16
    datagrams, and 16 times port unreachable."""
    for n, t in enumerate(every(300, start=33)):
        for k in range(16):
            w.udp(t + k * 0.001, "10.0.0.33", 40000 + k, f"10.0.4.{10 + n}", 33434 + k, bytes(32))
            w.unreachable(t + k * 0.001 + RTT, f"10.0.4.{10 + n}", "10.0.0.33", w.packets[-1][2], 3)


@scene("benign")
def browsing(w):
    """What much of the hour is: 20 people, who talk to a dozen servers."""
    for n in range(20):
        for t in every(6, start=w.rng.uniform(0, 6)):
            request(w, t + w.rng.uniform(0, 3), f"10.0.7.{1 + n}", f"10.0.8.{w.rng.randrange(1, 13)}",
                    w.rng.choice((80, 443, 8443)), reply=bytes(800))


# --- innocent, and accused all the same: docs/cases.md says why -----------------------------------

@scene("limits")
def old_connections(w):
    """Connections from before the capture, to five services of a host that reboots: it resets each."""
    for n, port in enumerate((22, 443, 5432, 6379, 9092)):
        seq = w.rng.randrange(1 << 32)
        w.tcp(100 + n, "10.0.0.34", 44000 + n, "10.0.0.72", port, ACK, seq, 77)
        w.tcp(100 + n + RTT, "10.0.0.72", port, "10.0.0.34", 44000 + n, RST, 77)


@scene("limits")
def old_backends(w):
    """A proxy closes connections from before the capture to 30 backends, which have forgotten them."""
    for n in range(30):
        seq = w.rng.randrange(1 << 32)
        w.tcp(200 + n * 0.1, "10.0.0.35", 45000 + n, f"10.0.6.{1 + n}", 1080, FIN | ACK, seq, 77)
        w.tcp(200 + n * 0.1 + RTT, f"10.0.6.{1 + n}", 1080, "10.0.0.35", 45000 + n, RST, 77)


@scene("limits")
def no_ftp(w):
    """Three files below 64 KiB from ports that are read without a word (`nc HOST PORT </dev/null`)."""
    for n in range(3):
        c = Conn(w, 300 + n, "10.0.0.36", "10.0.0.73", 7001 + n).accepted()
        c.stream(30000).close(by_responder=True)


# --- not innocent --------------------------------------------------------------------------------

@scene("scans")
def fast(w):
    """nmap -T4: a hundred ports of the host that Nagios checks, within a second."""
    for n in range(100):
        knock(w, 1000 + n * 0.009, "10.0.66.1", "10.0.0.40", 1 + n * 5, "half" if n == 4 else "refused")


@scene("scans")
def polite(w):
    """nmap -T2: 0.4 s a probe, 60 ports of the host that the balancers check; it answers nothing."""
    for n in range(60):
        Conn(w, 1100 + n * 0.4, "10.0.66.2", "10.0.9.10", 100 + n)


@scene("scans")
def sneaky(w):
    """nmap -T1: 15 s a probe, 20 ports."""
    for n in range(20):
        knock(w, 1200 + n * 15, "10.0.66.3", "10.0.0.111", 440 + n, "refused")


@scene("scans")
def paranoid(w):
    """nmap -T0: five minutes a probe, twelve ports."""
    for n in range(12):
        knock(w, 30 + n * 300.01, "10.0.66.4", "10.0.0.60", 20 + n, "refused")


@scene("scans")
def across(w):
    """One port of 60 hosts, among which the forty that a balancer looks at."""
    for n in range(60):
        knock(w, 1400 + n * 0.05, "10.0.66.5", f"10.0.2.{1 + n}", 443, "half" if n < 40 else "none")


@scene("scans")
def botnet(w):
    """1,023 ports of one host, split among 400 addresses with two or three each, within 20 minutes: hardly
    any of them would be a scan by itself."""
    ports = list(range(1, 1024))
    w.rng.shuffle(ports)
    for n, port in enumerate(ports):
        knock(w, 1800 + n * 1.17, f"198.18.{n % 400 // 200}.{1 + n % 200}", "10.0.0.40", port,
              "half" if port == 22 else "refused")


@scene("scans")
def small_botnet(w):
    """Forty ports, two each to 20 addresses, of a host that answers nothing."""
    for n in range(40):
        knock(w, 2400 + n * 3, f"198.18.9.{1 + n // 2}", "10.0.0.101", 1 + n * 7, "none")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=float, default=1795575600.0)  # 2026-11-25T03:00:00Z
    parser.add_argument("out")
    parser.add_argument("scene", nargs="+")
    args = parser.parse_args()
    packets = Wire(None)
    for name, (fn, groups) in SCENES.items():
        if name in args.scene or set(groups) & set(args.scene):
            packets.rng = random.Random(f"{args.seed} {name}")  # a scene is the same with or without others
            fn(packets)
    if unknown := [s for s in args.scene if s not in SCENES and s not in ("benign", "limits", "scans")]:
        sys.exit(f"no scene {unknown[0]!r}; there are benign, limits, scans, {', '.join(SCENES)}")
    packets.write(args.out, args.start)


if __name__ == "__main__":
    main()
