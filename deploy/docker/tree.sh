#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# tree.sh BINARY FOLDER - makes the file tree of the image in FOLDER: the binary, the libraries that
# it is linked with and those that it loads only when they are wanted, what they read, and the
# folders that a DaemonSet mounts something at. Nothing else: no shell, no package manager.
set -eu

if [ $# -ne 2 ] || [ ! -x "$1" ]; then
	echo "usage: tree.sh BINARY FOLDER" >&2
	exit 2
fi
binary=$1
tree=$2

# libraries FILE... - what they are linked with, all the way down.
libraries() {
	ldd "$@" | sed -nE 's/^[^/]*(\/[^ ]+) \(0x.*/\1/p' | sort -u
}

# loaded - the libraries that the binary loads by name (dlopen), as far as they are here.
loaded() {
	for name in $(strings -a "$binary" | grep -oE '^lib[a-z0-9-]+\.so(\.[0-9]+)+$' | sort -u); do
		ldconfig -p | sed -nE "s|^[[:space:]]*$name \\(.*=> (/.*)|\\1|p" | head -n 1
	done
}

mkdir -p "$tree/usr/sbin" "$tree/etc/reconmon" "$tree/etc/ssl/certs" "$tree/var/lib/reconmon" \
	"$tree/var/log" "$tree/run/reconmon" "$tree/proc" "$tree/sys" "$tree/dev" "$tree/tmp"
chmod 1777 "$tree/tmp"
install -m 0755 "$binary" "$tree/usr/sbin/reconmon"
extra=$(loaded)
# shellcheck disable=SC2086 # a list of files
for f in $(libraries "$binary" $extra) $extra; do
	mkdir -p "$tree$(dirname "$f")"
	cp -L "$f" "$tree$f"
done
# Terminals, for `reconmon top`.
for t in x/xterm x/xterm-256color s/screen-256color t/tmux-256color l/linux v/vt100; do
	[ ! -e "/lib/terminfo/$t" ] || install -D -m 0644 "/lib/terminfo/$t" "$tree/lib/terminfo/$t"
done
# Certificates for receivers, names of ports, who may be asked for addresses, whose the files are.
# (The names of a node's users are the node's: the DaemonSet mounts its /etc/passwd.)
for f in /etc/ssl/certs/ca-certificates.crt /etc/services; do
	[ ! -e "$f" ] || cp -L "$f" "$tree$f"
done
echo 'hosts: files dns' >"$tree/etc/nsswitch.conf"
echo 'root:x:0:0:root:/:/usr/sbin/nologin' >"$tree/etc/passwd"
echo 'root:x:0:' >"$tree/etc/group"
