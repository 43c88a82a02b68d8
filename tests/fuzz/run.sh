#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# tests/fuzz/run.sh BINARIES DIR [OPTION...]: runs each fuzzer, one after another, with libFuzzer's
# OPTIONs. Corpora grow in DIR/corpus from run to run; what is found lies in DIR/findings. Exits 1 if
# anything was.
#
# A finding: `BINARIES/fuzz_X FILE` repeats it (fuzz_track: FUZZ_TELL=1 shows packets and
# judgements), `-minimize_crash=1 -runs=100000 FILE` makes it smaller. Fixed, it goes into
# tests/fuzz/regressions/X/ under a name that says what was wrong.
set -u
bin=$1 dir=$2
shift 2
here=$(dirname "$0")
failed=0

[ -d "$dir/corpus" ] || "$here/corpus.sh" "$bin" "$dir/corpus" || exit 1
mkdir -p "$dir/findings"
for fuzzer in "$bin"/fuzz_*; do
	[[ $fuzzer != *.* ]] || continue # make's dependencies lie beside it
	name=${fuzzer##*/fuzz_}
	log=$dir/$name.log
	dict=()
	[ ! -f "$here/$name.dict" ] || dict=("-dict=$here/$name.dict")
	# An input takes milliseconds; a minute is a loop without end, on whatever machine.
	if "$fuzzer" -timeout=60 -rss_limit_mb=2048 -max_len=16384 -print_final_stats=1 \
		-artifact_prefix="$dir/findings/$name-" "${dict[@]}" "$@" \
		"$dir/corpus/$name" "$here/regressions/$name" >"$log" 2>&1; then
		awk -v name="$name" '/^stat::number_of_executed_units/ { runs = $2 }
			/ cov: / { for (i = 1; i < NF; i++) if ($i == "cov:") cov = $(i + 1) }
			END { printf "ok      %-8s %d runs, %d edges\n", name, runs, cov }' "$log"
	else
		printf 'FAILED  %s:\n' "$name"
		grep -vE '^#[0-9]+[[:space:]]+(NEW|REDUCE|pulse|RELOAD|INITED)' "$log" | tail -n 60
		failed=1
	fi
done
exit "$failed"
