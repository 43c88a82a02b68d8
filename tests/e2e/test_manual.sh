#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# What is written about the command line: the manual has every option and subcommand and no other,
# and bash and zsh complete them.
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
need mandoc zsh bash
export LC_ALL=C

verdict "the manual is well-formed" test -z "$(mandoc -Tlint -W warning docs/reconmon.8 2>&1)"
"$RECONMON" --help >"$tmp/help"
grep -oE '^ {2,6}(-[a-zA-Z], )?--[a-z-]+' "$tmp/help" | sed -E 's/^ +//' | sort >"$tmp/help.options"
sed -nE 's/^\.It Fl ([a-zA-Z]) , Fl -([a-z-]+).*/-\1, --\2/p; s/^\.It Fl -([a-z-]+).*/--\1/p' \
	docs/reconmon.8 | sort >"$tmp/manual.options"
verdict "it has every option of --help" test -z "$(comm -23 "$tmp/help.options" "$tmp/manual.options")"
verdict "and no other" test -z "$(comm -13 "$tmp/help.options" "$tmp/manual.options")"
sed -nE 's/^  or:  reconmon \[OPTION\.\.\.\] ([a-z]+).*/\1/p' "$tmp/help" | sort >"$tmp/help.commands"
verdict "there are subcommands" grep -qx replay "$tmp/help.commands"
for where in "^\.Cm ([a-z]+)$" "^\.It Cm ([a-z]+).*"; do # the synopsis, the description
	sed -nE "1,/^\.Ss/s/$where/\1/p" docs/reconmon.8 | sort -u >"$tmp/manual.commands"
	verdict "every subcommand, as $where" diff "$tmp/help.commands" "$tmp/manual.commands"
done

# shellcheck disable=SC2016 # of Markdown
missing=$(grep -hoE '`(bpf|include|user|tests|deploy|docs)/[a-zA-Z0-9_./-]+`' docs/*.md README.md | tr -d '`' |
	sort -u | while read -r f; do [ -e "$f" ] || echo "$f"; done)
verdict "every file that README and docs name is there: $missing" test -z "$missing"

bin=$(dirname "$(readlink -f "$RECONMON")")
for shell in bash zsh; do
	python3 "$E2E/complete.py" "$shell" "$PWD/deploy/completions" "$bin" >"$tmp/$shell.out" 2>&1 ||
		echo "$shell" >>"$tmp/failed"
	cat "$tmp/$shell.out"
done
# What the scripts know by themselves is what the binary takes.
for s in deploy/completions/reconmon.bash deploy/completions/_reconmon; do
	grep -oE '(^|[ |])--[a-z-]+( \||\))' "$s" | grep -oE -- '--[a-z-]+' | sort -u >"$tmp/known"
	verdict "$s knows no option that is gone" \
		test -z "$(sed -E 's/^-., //' "$tmp/help.options" | sort | comm -13 - "$tmp/known")"
done
finish
