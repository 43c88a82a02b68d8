#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Style and common mistakes: clang-format, clang-tidy, shellcheck, an SPDX line in every file. Quiet
# when all is well.
set -u
bad=0
mapfile -t c_files < <(git ls-files 'bpf/*.[ch]' 'include/*.h' 'user/*.[ch]' 'tests/*.[ch]')
mapfile -t sh_files < <(git ls-files '*.sh' '*.bash' '.ci/run' 'tests/run' 'tests/kernel/init' 'deploy/debian/p[or]*')
mapfile -t all_files < <(git ls-files | grep -vE '^(LICENSE|README.md|docs/|\.git|\.clang|tests/data/|tests/fuzz/(corpus|regressions)/|vmlinux/vmlinux.h|deploy/debian/(changelog|source/format)|deploy/splunk/.*\.csv)')

clang-format --dry-run --Werror "${c_files[@]}" || bad=1
shellcheck -x "${sh_files[@]}" || bad=1
for f in "${all_files[@]}"; do
	head -n 4 "$f" | grep -q 'SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only' ||
		{ echo "$f: no SPDX line"; bad=1; }
done
git ls-files -s 'tests/*/test_*.sh' | grep ^100644 && { echo "not executable"; bad=1; }
# The skeleton must be there for the includes; the daemon's own files are checked, not the tests'.
make --no-print-directory build/obj-nursery/reconmon.skel.h >/dev/null || bad=1
tidy_files=()
for f in user/*.c; do
	[ "$f" = user/sweep_lru.c ] || tidy_files+=("$f") # that one needs the other skeleton
done
printf '%s\n' "${tidy_files[@]}" | xargs -P "$(nproc)" -n 4 sh -c '
	clang-tidy --quiet "$@" -- -std=gnu11 -D_GNU_SOURCE -DRECONMON_VERSION=\"x\" -Iinclude -Iuser \
		-Ibuild/obj-nursery 2>/dev/null' tidy | grep -E '/user/.*(warning:|error:)' && bad=1
exit "$bad"
