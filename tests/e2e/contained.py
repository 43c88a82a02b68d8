# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""contained.py TREE CAPABILITY[,CAPABILITY]... COMMAND ARGUMENT...

Runs a command as a container runtime would with `drop: [ALL]`, `add: [...]`, a read-only root and
no new privileges: within TREE, which the caller has mounted, as root with those capabilities alone.
The capabilities as Kubernetes calls them (NET_ADMIN). Namespaces are the caller's."""
import ctypes
import os
import sys

# include/uapi/linux/capability.h, prctl.h
CAPS = {"DAC_READ_SEARCH": 2, "NET_ADMIN": 12, "SYS_PTRACE": 19, "SYS_ADMIN": 21, "PERFMON": 38,
        "BPF": 39}
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 24, 38
LAST = int(open("/proc/sys/kernel/cap_last_cap", encoding="ascii").read())

tree, caps, command = sys.argv[1], sys.argv[2].split(","), sys.argv[3:]
keep = {CAPS[c] for c in caps}
libc = ctypes.CDLL(None, use_errno=True)


def prctl(*args):
    if libc.prctl(*[ctypes.c_ulong(a) for a in args], 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


os.chroot(tree)
os.chdir("/")
for cap in range(LAST + 1):
    if cap not in keep:
        prctl(PR_CAPBSET_DROP, cap)
prctl(PR_SET_NO_NEW_PRIVS, 1)
os.execv(command[0], command)
