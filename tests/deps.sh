#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Installs from Debian 12 what build and tests need; `make deps`. With the word "build": what the build
# alone needs. Asks the network only when something is missing.
set -eu

build='clang llvm gcc make pkg-config bpftool libbpf-dev libelf-dev zlib1g-dev libjansson-dev
libmnl-dev libyaml-dev libpcap-dev libc6-dev linux-libc-dev libcurl4-openssl-dev libncurses-dev
libmaxminddb-dev libmicrohttpd-dev'
tests='libcmocka-dev nmap tcpdump iperf3 curl iproute2 iputils-ping ethtool git python3 shellcheck
clang-format clang-tidy libclang-rt-dev mandoc busybox-static cpio xz-utils qemu-system-x86 procps kmod
logrotate prometheus zsh tshark tmux nftables masscan zmap hping3 rsyslog rsyslog-gnutls systemd openssl chromium
dpkg-dev debhelper lintian debootstrap binutils golang-go golang-github-masterminds-sprig-dev
golang-k8s-sigs-yaml-dev yamllint python3-yaml python3-jsonschema'

[ "${1:-}" != build ] || tests=
missing=
for p in $build $tests; do
	dpkg-query -W -f '${Status}\n' "$p" 2>/dev/null | grep -q '^install ok installed$' ||
		missing="$missing $p"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" -ne 0 ]; then
	echo "make deps: needs root to install:$missing; try: sudo make deps" >&2
	exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get -o Acquire::Retries=3 update -qq
# shellcheck disable=SC2086 # a list of words
apt-get -o Acquire::Retries=3 install -y -qq --no-install-recommends $missing >/dev/null
