#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Small databases in MaxMind's format (maxmind.github.io/MaxMind-DB, version 2.0): city.mmdb and
asn.mmdb of documentation addresses, v4.mmdb that knows IPv4 alone, hostile.mmdb whose texts mean
harm.  make.py DIR [asn-NUMBER]  (the number of the network in asn.mmdb)"""
import ipaddress
import struct
import sys

MARKER = b"\xab\xcd\xefMaxMind.com"


class U16(int):
    pass


class U32(int):
    pass


class U64(int):
    pass


def head(kind, size):
    """The control byte, the extended type behind it, and what of the size did not fit."""
    small = size if size < 29 else 29 if size < 285 else 30
    out = bytes([(kind if kind < 8 else 0) << 5 | small])
    if kind >= 8:
        out += bytes([kind - 7])
    if small == 29:
        out += bytes([size - 29])
    elif small == 30:
        out += struct.pack("!H", size - 285)
    return out


def number(kind, value):
    raw = value.to_bytes(8, "big").lstrip(b"\0")
    return head(kind, len(raw)) + raw


def encode(v):
    if isinstance(v, (str, bytes)):
        raw = v.encode() if isinstance(v, str) else v
        return head(2, len(raw)) + raw
    if isinstance(v, float):
        return head(3, 8) + struct.pack("!d", v)
    if isinstance(v, U16):
        return number(5, v)
    if isinstance(v, U32):
        return number(6, v)
    if isinstance(v, U64):
        return number(9, v)
    if isinstance(v, dict):
        return head(7, len(v)) + b"".join(encode(k) + encode(x) for k, x in v.items())
    if isinstance(v, list):
        return head(11, len(v)) + b"".join(map(encode, v))
    raise TypeError(v)


def database(kind, networks, version=6):
    """A tree of 24-bit records; IPv4 is below ::/96 in one of IPv6."""
    nodes, data = [[None, None]], b""
    for text, doc in networks.items():
        net = ipaddress.ip_network(text)
        bits, length = int(net.network_address), net.prefixlen
        width = net.max_prefixlen
        if version == 6 and net.version == 4:
            width, length = 128, length + 96
        at = 0
        for depth in range(length):
            side = bits >> (width - 1 - depth) & 1
            if depth == length - 1:
                nodes[at][side] = ("data", len(data))
            elif nodes[at][side] is None:
                nodes.append([None, None])
                nodes[at][side] = len(nodes) - 1
            at = nodes[at][side] if depth < length - 1 else at
        data += encode(doc)
    count = len(nodes)

    def record(r):
        value = count if r is None else count + 16 + r[1] if isinstance(r, tuple) else r
        return value.to_bytes(3, "big")

    meta = {"binary_format_major_version": U16(2), "binary_format_minor_version": U16(0),
            "build_epoch": U64(1795574000), "database_type": kind, "description": {"en": "a test"},
            "ip_version": U16(version), "languages": ["en"], "node_count": U32(count),
            "record_size": U16(24)}
    return (b"".join(record(r) for n in nodes for r in n) + bytes(16) + data + MARKER +
            encode(meta))


def place(iso, country, sub=None, region=None, city=None, lat=None, lon=None, zone=None):
    doc = {"continent": {"code": "EU"}, "country": {"iso_code": iso, "names": {"en": country}}}
    if sub:
        doc["subdivisions"] = [{"iso_code": sub, "names": {"en": region}}]
    if city:
        doc["city"] = {"names": {"de": city, "en": city}}
    if lat is not None:
        doc["location"] = {"latitude": lat, "longitude": lon, "time_zone": zone}
    return doc


def network(asn, name):
    return {"autonomous_system_number": U32(asn), "autonomous_system_organization": name}


def write(name, content):
    with open(f"{sys.argv[1]}/{name}", "wb") as f:
        f.write(content)


asn = int(sys.argv[2][4:]) if len(sys.argv) > 2 else 64496
write("city.mmdb", database("GeoLite2-City", {
    "203.0.113.0/24": place("DE", "Germany", "BE", "Land Berlin", "Berlin", 52.52, 13.405,
                            "Europe/Berlin"),
    "198.51.100.0/25": place("CH", "Switzerland"),
    "2001:db8:5::/48": place("FR", "France", "IDF", "Île-de-France", "Paris", 48.8566, 2.3522,
                             "Europe/Paris"),
    "192.0.2.0/24": place("AR", "Argentina", "C", "Buenos Aires F.D.", "Buenos Aires", -34.6037,
                          -58.3816, "America/Argentina/Buenos_Aires")}))
write("asn.mmdb", database("GeoLite2-ASN", {
    "203.0.113.0/24": network(asn, "Example Net AG"),
    "2001:db8:5::/48": network(64511, "Réseau d'exemple"),
    "198.51.100.128/25": network(4200000000, "Private")}))
write("v4.mmdb", database("GeoLite2-ASN", {"203.0.113.0/24": network(64500, "Only IPv4")}, 4))
write("hostile.mmdb", database("GeoLite2-City", {
    "203.0.113.0/24": {"country": {"iso_code": "X|Y=Z", "names": {"en": b"\xff\xfe"}},
                       "city": {"names": {"en": "\x1b[2J a=b|c\\d\te\n\"] " + "ü" * 60}},
                       "location": {"latitude": "north", "longitude": 1.0},
                       "autonomous_system_number": "many",
                       "autonomous_system_organization": "a=b|c\\d\te\nf\rg \"h] \x7f" + "x" * 300}}))
