#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# tests/fuzz/corpus.sh BINARIES DIR: fills DIR with a folder of first inputs for each fuzzer: those in
# tests/fuzz/corpus, the captures and logs of tests/data and, where they are there, of
# RECONMON_SHARED (or the folder `shared` beside the checkout).
set -eu
bin=$1 dir=$2
here=$(dirname "$0")
head_bytes=8192 # of a capture: small inputs mutate better

mkdir -p "$dir"
cp -r "$here"/corpus/* "$dir"
mapfile -t captures < <(find "$here/../data" "${RECONMON_SHARED:-../shared}/conformance" \
	-name '*.pcap' -o -name '*.pcapng' 2>/dev/null | sort)
for f in "${captures[@]}"; do
	head -c "$head_bytes" "$f" >"$dir/capture/$(basename "$f")"
done
gzip -c "$dir"/capture/ethernet.pcap >"$dir/capture/ethernet.pcap.gz"
gzip -c "$dir"/zeeklog/conn.log >"$dir/zeeklog/conn.log.gz"
"$bin/seeds" "$dir/track" "${captures[@]}"
