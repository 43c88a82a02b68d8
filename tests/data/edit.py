#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""edit.py [--snap BYTES] [--pause SECONDS] IN OUT: a capture with less of each packet, or slower.

--snap keeps the first BYTES of each packet (its length on the wire stays what it was), in pcap and
pcapng. --pause makes every silence of more than 0.2 s last SECONDS, in pcap: a scan recorded with
`nmap --scan-delay 400ms` becomes one of minutes a probe, each answer as far behind its probe as it
was. Nothing else is touched. IN may be gzip-compressed; OUT is if its name ends in .gz.
"""
import argparse
import gzip
import struct
import sys

MAGIC = {0xA1B2C3D4: 10**6, 0xA1B23C4D: 10**9}  # of pcap: units in a second
PCAPNG, EPB = 0x0A0D0D0A, 6
SILENCE = 0.2


def edit_pcap(data, order, units, snap, pause):
    out = [data[:24]]
    pos, before, shift = 24, None, 0
    while pos < len(data):
        sec, frac, have, wire = struct.unpack_from(order + "4I", data, pos)
        t = sec * units + frac
        if pause is not None and before is not None and t - before > SILENCE * units:
            shift += pause * units - (t - before)
        before = t
        sec, frac = divmod(t + shift, units)
        keep = min(have, snap)
        out += [struct.pack(order + "4I", sec, frac, keep, wire), data[pos + 16:pos + 16 + keep]]
        pos += 16 + have
    return b"".join(out)


def edit_pcapng(data, order, snap):
    out, pos = [], 0
    while pos < len(data):
        kind, size = struct.unpack_from(order + "2I", data, pos)
        block = data[pos:pos + size]
        if kind == EPB:
            head = struct.unpack_from(order + "5I", block, 8)
            keep = min(head[3], snap)
            body = block[28:28 + keep] + bytes(-keep % 4)
            size_new = 32 + len(body)
            block = struct.pack(order + "7I", EPB, size_new, *head[:3], keep, head[4]) + body
            block += struct.pack(order + "I", size_new)
        out.append(block)
        pos += size
    return b"".join(out)


def main():
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("--snap", type=int, default=1 << 30)
    args.add_argument("--pause", type=int)
    args.add_argument("input")
    args.add_argument("output")
    a = args.parse_args()
    with open(a.input, "rb") as f:
        data = f.read()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    for order in "<>":
        magic = struct.unpack(order + "I", data[:4])[0]
        if magic in MAGIC:
            data = edit_pcap(data, order, MAGIC[magic], a.snap, a.pause)
            break
        if magic == PCAPNG and struct.unpack(order + "I", data[8:12])[0] == 0x1A2B3C4D:
            if a.pause is not None:
                sys.exit(f"{a.input}: --pause takes pcap only")
            data = edit_pcapng(data, order, a.snap)
            break
    else:
        sys.exit(f"{a.input}: neither pcap nor pcapng")
    if a.output.endswith(".gz"):
        data = gzip.compress(data, 9, mtime=0)
    with open(a.output, "wb") as f:
        f.write(data)


if __name__ == "__main__":
    main()
