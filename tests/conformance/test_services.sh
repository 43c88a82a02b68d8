#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Names of ports: from the host's /etc/services, whatever it holds, and from nowhere else. The file is
# another one in a mount namespace of the test's own.
set -u

RECONMON=${RECONMON:-build/reconmon}
export RECONMON_CONFIG=/dev/null # none of this machine's
tmp=$(mktemp -d "${TMPDIR:-/tmp}/reconmon-services.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
failed=0
scan=tests/data/nmap-sS.pcap.gz # 22 and 80 open

# is NAME WANT SERVICES OPTION... - the alert with that file in the place of /etc/services.
is() {
	local name=$1 want=$2 file=$3 got

	shift 3
	# shellcheck disable=SC2016 # for the inner shell
	got=$(unshare -m sh -c 'mount --bind "$0" /etc/services && shift 0 && exec "$@"' "$file" \
		"$RECONMON" replay -q "$@" "$scan" | head -n 1)
	case $got in
	*"$want"*) echo "ok      $name" ;;
	*)
		echo "FAILED  $name: wanted '$want', got '$got'"
		failed=1
		;;
	esac
}

[ "$(id -u)" -eq 0 ] || { echo "skipped: mounting needs root"; exit 77; }
made=
[ -e /etc/services ] || { : >/etc/services && made=1; } # something to mount over
printf 'ssh 22/tcp\n# a comment\nhttp\t80/tcp www\ntelnet 23/tcp\n' >"$tmp/few"
: >"$tmp/empty"
head -c 100000 /dev/urandom >"$tmp/noise"
printf 'gopher 22/tcp\nesc\033[2J 80/tcp\n' >"$tmp/odd"

is "open ports have names" '; open 22/ssh,80/http; closed 1-21,23-79' "$tmp/few"
is "--numeric: numbers" '; open 22,80; closed 1-21,23-79' "$tmp/few" --numeric
is "-n is the same" '; open 22,80; closed 1-21,23-79' "$tmp/few" -n
is "an empty database: numbers" '; open 22,80; closed 1-21,23-79' "$tmp/empty"
is "a database of noise: numbers" '; open 22,80; closed 1-21,23-79' "$tmp/noise"
is "the host's own names, but no escape sequence" '; open 22/gopher,80; closed' "$tmp/odd"
is "ECS names them" '"services":["22/ssh","80/http"]' "$tmp/few" --json
[ -z "$made" ] || rm -f /etc/services
exit $failed
