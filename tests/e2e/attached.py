#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""attached.py IFACE: one line for each BPF program on the interface's hooks, in the network namespace
it runs in: XDP, tcx (which bpftool of Debian 12 does not know), filters of tc; and for a clsact qdisc.
Nothing attached: no output. Programs of anybody are shown, ours and others'.

attached.py IFACE IFACE...: of several, the names of those that have any."""
import ctypes
import json
import os
import platform
import socket
import struct
import subprocess
import sys

BPF_PROG_QUERY = 16  # enum bpf_cmd
TCX = {"tcx ingress": 46, "tcx egress": 47}  # enum bpf_attach_type, Linux 6.6
NR_BPF = {"x86_64": 321, "aarch64": 280}


def tcx_ids(ifindex, attach_type):
    """The ids of the programs there; [] also on kernels without tcx."""
    ids = (ctypes.c_uint32 * 64)()
    # target_ifindex, attach_type, query_flags, attach_flags, prog_ids, count, ...
    attr = bytearray(struct.pack("=IIIIQI", ifindex, attach_type, 0, 0,
                                 ctypes.addressof(ids), len(ids)).ljust(128, b"\0"))
    buf = (ctypes.c_char * len(attr)).from_buffer(attr)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(NR_BPF[platform.machine()], BPF_PROG_QUERY, buf, len(attr)) < 0:
        if ctypes.get_errno() in (22, 2):  # EINVAL: no tcx; ENOENT: nothing there
            return []
        sys.exit(f"BPF_PROG_QUERY: {os.strerror(ctypes.get_errno())}")
    return list(ids[:struct.unpack_from("=I", attr, 24)[0]])


def output(*cmd):
    return subprocess.run(cmd, capture_output=True, text=True, check=False).stdout


def attached(iface):
    for name, attach_type in TCX.items():
        for prog in tcx_ids(socket.if_nametoindex(iface), attach_type):
            yield f"{name}: program {prog}"
    for link in json.loads(output("ip", "-j", "-d", "link", "show", "dev", iface) or "[]"):
        for prog in link.get("xdp", {}).get("attached", []) or [link.get("xdp", {}).get("prog")]:
            if prog:
                yield f"xdp: program {prog.get('id', prog.get('prog', {}).get('id'))}"
    for way in ("ingress", "egress"):
        for line in output("tc", "filter", "show", "dev", iface, way).splitlines():
            yield f"tc filter {way}: {line}"
    if "clsact" in output("tc", "qdisc", "show", "dev", iface):
        yield "qdisc clsact"


ifaces = sys.argv[1:]
for name in ifaces:
    for found in attached(name):
        print(name if len(ifaces) > 1 else found)
        if len(ifaces) > 1:
            break
