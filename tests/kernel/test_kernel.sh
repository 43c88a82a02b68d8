#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The daemon in Debian 12's own kernel (6.1: no tcx, an older verifier), booted under qemu without
# KVM: it loads, attaches, catches a scan, also over a real VLAN device, and after kill -9 nothing of
# it stays. -smp 1: emulation of several CPUs is not reliable. The package is fetched once into
# build/kernel. About half a minute.
set -u
RECONMON=${RECONMON:-build/reconmon}
cache=build/kernel
tmp=$(mktemp -d "${TMPDIR:-/tmp}/reconmon-kernel.XXXXXX")
failed=0
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM

ok() {
	printf 'ok      %s\n' "$1"
}

bad() {
	printf 'FAILED  %s: %s\n' "$1" "$2"
	failed=1
}

give_up() {
	bad "preparation" "$1"
	exit 1
}

# kernel_package - the name of the newest 6.1 cloud kernel that apt knows.
kernel_package() {
	apt-cache show linux-image-cloud-amd64 2>/dev/null |
		sed -n 's/^Depends:.*\(linux-image-6\.1\.[0-9.]*-[0-9]*-cloud-amd64\).*/\1/p' | sort -V | tail -n 1
}

kernel_download() {
	local name

	name=$(kernel_package)
	[ -n "$name" ] && (cd "$cache" && apt-get -o APT::Sandbox::User=root -o Acquire::Retries=3 download "$name") \
		>"$tmp/apt" 2>&1
}

# kernel_fetch - prints the path of the package in the cache, which is asked first.
kernel_fetch() {
	local deb

	mkdir -p "$cache"
	deb=$(find "$cache" -name 'linux-image-6.1*.deb' | sort -V | tail -n 1)
	if [ -z "$deb" ]; then
		# Lists may be missing, or older than what the archive has.
		kernel_download || { apt-get -o Acquire::Retries=3 update -qq >/dev/null 2>&1 && kernel_download; } || return 1
		deb=$(find "$cache" -name 'linux-image-6.1*.deb' | head -n 1)
	fi
	echo "$deb"
}

# put_program FILE [NAME] - a program and the libraries it needs into the guest's file system.
put_program() {
	local lib

	cp -L "$1" "$root/bin/${2:-}" || give_up "cannot copy $1"
	for lib in $(ldd "$1" | grep -oE '/[^ ]+\.so[^ ]*'); do
		mkdir -p "$root$(dirname "$lib")"
		cp -Lu "$lib" "$root$lib"
	done
}

# put_module NAME - a kernel module, uncompressed, to be loaded in the order of these calls.
put_module() {
	local file

	file=$(find "$tmp/kernel" -name "$1.ko*" | head -n 1)
	case $file in
	*.xz) xz -dc "$file" >"$root/modules/$1.ko" ;;
	*.ko) cp "$file" "$root/modules/" ;;
	*) give_up "$deb has no module $1" ;;
	esac
	echo "$1" >>"$root/modules/order"
}

[ "$(uname -m)" = x86_64 ] || give_up "boots an amd64 kernel; this machine is $(uname -m)"
[ -x "$RECONMON" ] || give_up "no daemon at $RECONMON; run make first"
bpftool=$(command -v /usr/sbin/bpftool bpftool | head -n 1)
for c in clang qemu-system-x86_64 busybox cpio xz ip tc dpkg "$bpftool"; do
	command -v "$c" >/dev/null || give_up "'$c' is missing; run make deps"
done
deb=$(kernel_fetch) || give_up "cannot download linux-image-cloud-amd64's kernel 6.1 with apt-get: \
$(tail -n 1 "$tmp/apt" 2>/dev/null)"
dpkg -x "$deb" "$tmp/kernel" || give_up "cannot unpack $deb (remove it to fetch it again)"
vmlinuz=$(find "$tmp/kernel/boot" -name 'vmlinuz-*' | head -n 1)

root=$tmp/root
mkdir -p "$root"/{bin,proc,sys,dev,tmp,run,modules}
cp "$(command -v busybox)" "$root/bin/busybox"
for applet in sh mount cat echo insmod sleep nc grep rm true uname poweroff; do
	ln -s busybox "$root/bin/$applet"
done
for p in "$(command -v ip)" "$(command -v tc)" "$bpftool"; do
	put_program "$p"
done
put_program "$RECONMON" reconmon
for m in veth sch_ingress cls_bpf llc stp garp mrp 8021q; do
	put_module $m
done
install -m 0755 tests/kernel/init "$root/init"
clang -O2 -g -target bpf -I"/usr/include/$(uname -m)-linux-gnu" -c tests/e2e/foreign.bpf.c \
	-o "$root/foreign.o" || give_up "cannot compile tests/e2e/foreign.bpf.c"
(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$tmp/init.gz" || give_up "cpio failed"

timeout -k 5 550 qemu-system-x86_64 -accel tcg -cpu max -smp 1 -m 1024 -nic none -nographic \
	-no-reboot -kernel "$vmlinuz" -initrd "$tmp/init.gz" \
	-append "console=ttyS0 panic=-1 quiet mitigations=off" >"$tmp/console" 2>&1 </dev/null
tr -d '\r' <"$tmp/console" >"$tmp/log"

# said KEY [PATTERN] - what the guest printed under that key.
said() {
	sed -n "s/^.*@$1 //p" "$tmp/log" | grep -E -- "${2:-.}"
}

# A panic ends qemu with status 0 as well, so the last line is the evidence.
if grep -q '^@END' "$tmp/log"; then
	ok "boots: $(said KERNEL)"
else
	bad "runs to its end" "$(tail -n 15 "$tmp/log")"
fi
if ready=$(said STDERR '^ready' | head -n 1) && [ -n "$ready" ]; then
	ok "loads and attaches: $ready"
else
	bad "loads and attaches" "$(said STDERR | tail -n 5)"
fi
if said DURING '^va.*tc_ingress' >/dev/null && said DURING '^va.*tc_egress' >/dev/null; then
	ok "through clsact, both ways"
else
	bad "through clsact, both ways" "$(said DURING)"
fi

# judged NAME KEY OPTION... - the documents under KEY hold one such port scan.
judged() {
	local name=$1 why

	said "$2" >"$tmp/json"
	shift 2
	if why=$(python3 tests/e2e/alerts.py "$tmp/json" --rule port-scan "$@"); then
		ok "$name"
	else
		bad "$name" "$why $(said STDERR | tail -n 3)"
	fi
}

# caught NAME KEY NET - ... in 10.NET.0.0/24, of this host.
caught() {
	judged "$1" "$2" --source "10.$3.0.1" --dest "10.$3.0.2"
}
caught "catches a scan" JSON 77
caught "catches a scan on a VLAN" JSON 78
judged "knows whose processes scan from here" JSON --source 10.77.0.2 --field process.name=nc \
	--field reconmon.alert.owner.source=cookie --field reconmon.alert.owner.count=3
python3 tests/e2e/same_alerts.py <(said TAKEN) >"$tmp/taken"
if why=$(python3 tests/e2e/alerts.py "$tmp/taken" --rule port-scan --source 10.77.0.1 --ports 1001-1006); then
	ok "pinned: killed in a scan, one alert has every port"
else
	bad "pinned: killed in a scan, one alert has every port" "$why $(said STDERR | tail -n 5)"
fi
# place KEY - where the filters are, without the programs that are in them.
place() {
	said "$1" 'handle' | sed 's/:\[[0-9]*\]//; s/ id [0-9]*.*//'
}
if [ -n "$(place PINNED)" ] && [ "$(place PINNED)" = "$(place OVER)" ] && [ "$(said PINNED)" != "$(said OVER)" ]; then
	ok "pinned: other programs in the same filters"
else
	bad "pinned: other programs in the same filters" "$(said PINNED) became $(said OVER)"
fi
if said LEFT '^va.*tc_ingress' >/dev/null; then
	ok "pinned: after its end the programs are attached"
else
	bad "pinned: after its end the programs are attached" "$(said LEFT)"
fi
caught "catches a scan before a filter of others that ends the chain" BESIDE 77

# gone NAME KEY - the guest came to its end and had nothing to tell under KEY.
gone() {
	if grep -q '^@END' "$tmp/log" && [ -z "$(said "$2")" ]; then
		ok "$1"
	else
		bad "$1" "$(said "$2")"
	fi
}
gone "kill -9: nothing stays attached" KILLED
gone "SIGINT: nothing stays attached" STOPPED
gone "unpin: nothing stays attached" UNPINNED
if [ "$(said STATUS)" = 0 ]; then
	ok "SIGINT: exit 0"
else
	bad "SIGINT: exit 0" "exit $(said STATUS)"
fi
if [ -n "$(said BEFORE foreign)" ] && [ "$(said BEFORE)" = "$(said BEHIND)" ]; then
	ok "kill -9: filters of others are as they were"
else
	bad "kill -9: filters of others are as they were" "$(said BEFORE) became $(said BEHIND)"
fi
exit $failed
