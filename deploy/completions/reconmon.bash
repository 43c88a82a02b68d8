# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# bash completion for reconmon(8). Options and subcommands are read off `reconmon --help`, rules off
# `reconmon check`, so that they are those of the binary and the configuration that are there.

_reconmon_options() {
	"$1" --help 2>/dev/null | grep -oE '^ {2,6}(-[a-zA-Z], )?--[a-z-]+(=|\[=)?' |
		sed -E 's/^ +(-[a-zA-Z], )?//; s/\[=$//'
}

_reconmon_commands() {
	"$1" --help 2>/dev/null | sed -nE 's/^  or:  reconmon \[OPTION\.\.\.\] ([a-z]+).*/\1/p'
}

# The rules that hold, each with its fields: "port-scan.threshold=".
_reconmon_rules() {
	"$1" check 2>/dev/null | awk '
		/^[^ ]/ { within = $0 == "rules:" }
		within && /^  [a-z0-9-]+:/ { rule = $1; sub(/:$/, "", rule) }
		within && /^    [a-z-]+:/ { sub(/:$/, "", $1); print rule "." $1 "=" }'
}

_reconmon_limits() {
	"$1" check -c /dev/null 2>/dev/null | awk '
		/^[^ ]/ { within = $0 == "limits:" }
		within && /^  / { sub(/:$/, "", $1); print $1 "=" }'
}

_reconmon_interfaces() {
	local f

	for f in /sys/class/net/*; do
		[ -d "$f" ] && echo "${f##*/}"
	done
}

# _reconmon_value COMMAND OPTION CURRENT - sets COMPREPLY to the values of an option; fails where it
# has none.
_reconmon_value() {
	local words

	case $2 in
	-c | --config | --state | --attempts-file | --geoip | --control | -o | --report-file)
		mapfile -t COMPREPLY < <(compgen -f -- "$3")
		compopt -o filenames 2>/dev/null
		return 0
		;;
	--pod-names | --spool)
		mapfile -t COMPREPLY < <(compgen -d -- "$3")
		compopt -o filenames 2>/dev/null
		return 0
		;;
	-i | --interface) words=$(_reconmon_interfaces) ;;
	--ingress) words='auto tc xdp xdp-generic' ;;
	--profile) words='default splunk' ;;
	--pin) words='auto on off' ;;
	--metrics) words='127.0.0.1:9765 auto off' ;;
	--attempts) words='probes all' ;;
	--allow) words='originator= responder= ports= protocol= process= executable= container= pod= runtime= rules=' ;;
	--output) words='stdout file: syslog:udp: syslog:tcp: syslog:tls: syslog:unix journald webhook:http hec:http elasticsearch:http command:' ;;
	--set) words=$(_reconmon_rules "$1") ;;
	--limit) words=$(_reconmon_limits "$1") ;;
	*) "$1" --help 2>/dev/null | grep -qE "^ +(-[a-zA-Z], )?$2=|^ +$2, --[a-z-]+=" || return 1 ;;
	esac
	[ -z "$words" ] || mapfile -t COMPREPLY < <(compgen -W "$words" -- "$3")
	case "${COMPREPLY[*]}" in
	*=* | *:*) compopt -o nospace 2>/dev/null ;;
	esac
	return 0
}

_reconmon() {
	local command=$1 cur=${COMP_WORDS[COMP_CWORD]} option i given=''

	COMPREPLY=()
	# readline splits at '=' and ':': --ingress = tc, --output file : /var/log
	option=${COMP_WORDS[COMP_CWORD - 1]}
	if [ "$cur" = = ]; then
		cur=''
	elif [ "$option" = = ]; then
		option=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	if [ "$cur" = : ] || [ "$option" = : ]; then
		[ "$cur" != : ] || cur=''
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		compopt -o filenames 2>/dev/null
		return
	fi
	case $option in
	-?*) ! _reconmon_value "$command" "$option" "$cur" || return ;;
	esac
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		replay | report | explain) given=files ;;
		esac
	done
	case $cur in
	-*)
		mapfile -t COMPREPLY < <(compgen -W "$(_reconmon_options "$command")" -- "$cur")
		[ "${COMPREPLY[0]%=}" = "${COMPREPLY[0]}" ] || compopt -o nospace 2>/dev/null
		;;
	*)
		if [ "$COMP_CWORD" -eq 1 ]; then
			mapfile -t COMPREPLY < <(compgen -W "$(_reconmon_commands "$command")" -- "$cur")
		elif [ "$given" = files ]; then
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			compopt -o filenames 2>/dev/null
		fi
		;;
	esac
}

complete -F _reconmon reconmon
