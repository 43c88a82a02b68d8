#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Cuts the few kernel types that the BPF side uses out of a full dump.

    bpftool btf dump file /sys/kernel/btf/vmlinux format c | vmlinux/generate.py > vmlinux/vmlinux.h

The programs read no kernel structure but their own context (both kinds are stable ABI), so the
list is short, and neither the build nor the running kernel needs BTF."""
import re
import sys

TYPES = ["enum xdp_action", "struct __sk_buff", "struct xdp_md", "struct bpf_sock"]
TYPEDEFS = ["__u8", "__u16", "__u32", "__u64", "__s8", "__s16", "__s32", "__s64",
            "__be16", "__be32", "__be64", "__sum16", "__wsum"]
MAP_TYPES = ["BPF_MAP_TYPE_ARRAY", "BPF_MAP_TYPE_PERCPU_ARRAY", "BPF_MAP_TYPE_LRU_HASH",
             "BPF_MAP_TYPE_RINGBUF"]
FLAGS = ["BPF_ANY", "BPF_NOEXIST", "BPF_EXIST", "BPF_F_MMAPABLE", "BPF_RB_NO_WAKEUP", "BPF_RB_FORCE_WAKEUP"]

dump = sys.stdin.read()


def fail(what):
    sys.exit(f"generate.py: {what} is not in the dump on standard input; "
             "is it `bpftool btf dump ... format c`?")


def block(head):
    m = re.search(r"^" + re.escape(head) + r" \{.*?^\};$", dump, re.M | re.S)
    return m.group(0) if m else fail(head)


def typedef(name):
    m = re.search(r"^typedef [\w ]+ " + name + r";$", dump, re.M)
    return m.group(0) if m else fail("typedef " + name)


def value(name):
    m = re.search(r"^\t" + name + r" = (\d+),$", dump, re.M)
    return int(m.group(1)) if m else fail(name)


print("/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */")
print("/* The kernel's types that the BPF side uses; made by generate.py (`make vmlinux`). */")
print("#ifndef RECONMON_VMLINUX_H\n#define RECONMON_VMLINUX_H\n")
for name in TYPEDEFS:
    print(typedef(name))
print("\nenum {")
for name in MAP_TYPES + FLAGS:
    print(f"\t{name} = {value(name)},")
print("};\n")
print("struct bpf_flow_keys;\nstruct bpf_sock;\n")
for head in TYPES:
    print(block(head) + "\n")
print("#endif")
