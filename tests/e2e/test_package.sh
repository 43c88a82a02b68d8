#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The Debian package: builds, pleases lintian, and in a clean Debian 12 tree installs, upgrades,
# survives a removal and purges. The tree is made by debootstrap once and kept in build/.
# shellcheck disable=SC2317 # some functions are called through verdict only
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
need mountpoint debootstrap lintian dpkg-buildpackage dpkg-deb

root=$tmp/root

cleanup_all() {
	trap - EXIT INT TERM
	! mountpoint -q "$root/sys/fs/bpf" || umount "$root/sys/fs/bpf"
	cleanup
}
trap cleanup_all EXIT

# in_tree COMMAND... - in the clean tree, without anything of this machine.
in_tree() {
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C \
		unshare --mount --pid --fork chroot "$root" "$@" </dev/null
}

is_there() {
	local f

	for f in "$@"; do
		[ -e "$root/$f" ] || [ -L "$root/$f" ] || { echo "$f is missing"; return 1; }
	done
}

# is_gone - of all that the package or the daemon brought, nothing is left. What dpkg and the helper
# for systemd's units write down of their own work is theirs.
is_gone() {
	local left

	left=$(find "$root" -xdev -name '*reconmon*' ! -path "$root/tmp/*" ! -path "$root/proc/*")
	[ -z "$left" ] || { echo "left: $left"; return 1; }
	! grep -q '^reconmon:' "$root/etc/passwd" "$root/etc/group" || { echo "a user is left"; return 1; }
}

# What the build needs is written in two places.
missing=$(sh -c "$(sed -n "/^build='/,/'\$/p" tests/deps.sh); printf '%s\n' \$build" | grep -- '-dev$' |
	grep -v '^libc6-dev\|^linux-libc-dev' | while read -r p; do # build-essential
	grep -q "[ ,]${p}[ ,]" deploy/debian/control || echo "$p"
done)
verdict "Build-Depends has what make deps installs for the build" test -z "$missing"
verdict "make deb" make --no-print-directory deb
deb=$(echo build/deb/reconmon_*.deb)
[ -e "$deb" ] || give_up "no package: $(tail -n 5 "$tmp"/*)"
verdict "lintian: no error, no warning" lintian --allow-root --fail-on error,warning build/deb/*.changes

# --- the tree: Debian 12's smallest, and what the package depends upon ---------------------------
depends=$(dpkg-deb -f "$deb" Depends | sed -E 's/ \([^)]*\)//g; s/ *\|[^,]*//g; s/, */,/g')
cache=build/debian12-$(echo "$depends" | cksum | cut -d' ' -f1).tar
if [ ! -e "$cache" ]; then
	debootstrap --variant=minbase --include="$depends,logrotate" bookworm "$root" \
		>"$tmp/debootstrap.log" 2>&1 || give_up "debootstrap: $(tail -n 3 "$tmp/debootstrap.log")"
	tar -cf "$cache.tmp" --exclude='./var/cache/apt/*' --exclude='./proc/*' --exclude='./sys/*' \
		--exclude='./dev/*' -C "$root" . && mv "$cache.tmp" "$cache"
	rm -rf "$root"
fi
mkdir "$root"
tar -xf "$cache" -C "$root" || give_up "cannot unpack $cache"
mknod -m 666 "$root/dev/null" c 1 3
# systemd does not run in there; what it would be told is written down.
mkdir -p "$root/run/systemd/system" "$root/sys/fs/bpf/reconmon"
cat >"$root/usr/bin/systemctl" <<-'EOF'
	#!/bin/sh
	case "$*" in
	*is-enabled*) echo enabled ;;
	*is-active*) ;;
	*) echo "$@" >>/tmp/systemctl.log ;;
	esac
EOF
chmod 755 "$root/usr/bin/systemctl"
told() {
	grep -q -- "$1" "$root/tmp/systemctl.log"
}

# The version before: the same files, an earlier number, another byte in a file.
dpkg-deb -R "$deb" "$tmp/old"
sed -i 's/^Version: .*/Version: 0.0.1/' "$tmp/old/DEBIAN/control"
echo "# of 0.0.1" >>"$tmp/old/lib/systemd/system/reconmon.service"
dpkg-deb --root-owner-group -b "$tmp/old" "$root/tmp/old.deb" >/dev/null
cp "$deb" "$root/tmp/new.deb"

# --- installed -----------------------------------------------------------------------------------
verdict "it installs with what it depends upon" in_tree dpkg -i /tmp/old.deb
verdict "the service is enabled" told 'preset reconmon.service'
verdict "and started" told 'start.*reconmon.service'
verdict "configuration, unit, logrotate, completions, manuals are there" is_there \
	etc/reconmon/reconmon.yaml lib/systemd/system/reconmon.service etc/logrotate.d/reconmon \
	usr/share/bash-completion/completions/reconmon usr/share/zsh/vendor-completions/_reconmon \
	usr/share/man/man8/reconmon.8.gz usr/share/man/man5/reconmon.yaml.5.gz
# shellcheck disable=SC2016 # for dpkg-query
verdict "two conffiles" test "$(in_tree dpkg-query -W -f '${Conffiles}' reconmon |
	grep -c '/etc/reconmon/reconmon.yaml\|/etc/logrotate.d/reconmon')" -eq 2
verdict "a user of its own, who cannot log in" in_tree \
	sh -c 'getent passwd reconmon | grep -q ":/usr/sbin/nologin$"'
verdict "its folders are that user's alone" test "$(in_tree stat -c '%U:%G %a' /var/lib/reconmon \
	/var/log/reconmon | sort -u)" = "reconmon:reconmon 750"
verdict "the binary runs" test "$(in_tree reconmon --version)" = \
	"reconmon $(dpkg-deb -f "$deb" Version)"
cp tests/data/nmap-sS.pcap.gz "$root/tmp/"
verdict "it replays: the library that it loads then is among what it depends upon" \
	in_tree reconmon replay -q /tmp/nmap-sS.pcap.gz
verdict "the configuration that is installed makes sense" in_tree reconmon check
in_tree reconmon check >"$tmp/out" 2>"$tmp/err"
verdict "... and is the one that is read" grep -q 'configuration: /etc/reconmon/reconmon.yaml' "$tmp/err"

# --- logrotate, as installed ---------------------------------------------------------------------
in_tree sh -c 'echo 1 >/var/log/reconmon/alerts.json; chown reconmon: /var/log/reconmon/alerts.json'
verdict "logrotate takes its file" in_tree logrotate -f /etc/logrotate.d/reconmon
verdict "... rotates as that user" test "$(in_tree stat -c '%U:%G %a' /var/log/reconmon/alerts.json)" = \
	"reconmon:reconmon 640"
verdict "... keeps the old one" grep -q 1 "$root/var/log/reconmon/alerts.json.1"
verdict "... and says so to the daemon" told 'kill --signal=HUP.*reconmon.service'

# --- upgraded ------------------------------------------------------------------------------------
echo "# mine" >>"$root/etc/reconmon/reconmon.yaml"
echo '{}' >"$root/var/lib/reconmon/habits.json"
rm "$root/tmp/systemctl.log"
verdict "it upgrades" in_tree dpkg -i /tmp/new.deb
verdict "the service is restarted" told 'restart.*reconmon.service'
verdict "... and was not stopped first" sh -c "! grep -q 'stop.*reconmon' '$root/tmp/systemctl.log'"
verdict "a changed configuration stays" grep -q '^# mine' "$root/etc/reconmon/reconmon.yaml"
verdict "so does what was learnt" test -e "$root/var/lib/reconmon/habits.json"
verdict "the new files are there" sh -c "! grep -q 'of 0.0.1' '$root/lib/systemd/system/reconmon.service'"

# --- removed, purged -----------------------------------------------------------------------------
# A daemon with pins that was killed: its programs go on.
rmdir "$root/sys/fs/bpf/reconmon"
mount -t bpf bpf "$root/sys/fs/bpf" || give_up "cannot mount a BPF file system"
setup
monitor pinned "$T" -i t0 --pin="$root/sys/fs/bpf/reconmon"
stop pinned KILL
attached() {
	run "$T" python3 "$E2E/attached.py" t0
}
verdict "(a daemon that was killed leaves its programs)" test -n "$(attached)"
verdict "it is removed" in_tree dpkg -r reconmon
verdict "the service was stopped" told 'stop.*reconmon.service'
verdict "no program is attached any more" test -z "$(attached)"
verdict "no program is pinned any more" test ! -e "$root/sys/fs/bpf/reconmon"
verdict "configuration and state stay" is_there etc/reconmon/reconmon.yaml var/lib/reconmon/habits.json
umount "$root/sys/fs/bpf"
verdict "it is purged" in_tree dpkg -P reconmon
verdict "nothing is left" is_gone
finish
