#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Does docs/cases.md tell the truth about its tests? Every case has a row, every row a test or a limit
# with its reason, every test that is named is there, and `make test` runs it.
set -u
exec python3 - docs/cases.md <<'P'
import os
import re
import sys

IDS = [f"FP-{n:02}" for n in range(1, 12)] + [f"MS-{n:02}" for n in range(1, 9)] + \
      [f"OP-{n:02}" for n in range(1, 10)]
RUN = re.compile(r"tests/(unit|bpf)/test_\w+\.c|tests/(conformance|e2e|kernel)/test_\w+\.sh")
# What is read by tests that are run, and by which.
DATA = {"tests/packets.h": "tests/unit/test_track.c", "tests/conformance/traffic.py": "tests/conformance/test_hour.sh",
        "tests/data/INDEX.tsv": "tests/conformance/test_own.sh"}

problems, texts, named, rows = [], {}, 0, {}


def text_of(path):
    """A file without what only breaks its lines, so that a sentence stands in one piece."""
    if path not in texts:
        text = open(path, encoding="utf-8").read() if os.path.exists(path) else ""
        text = re.sub(r'"\s*\n\s*"', "", text).replace('\\"', '"')
        texts[path] = re.sub(r"\s+", " ", text)
    return texts[path]


def check(row, path, sentence):
    if not text_of(path):
        return f"{row}: {path} is not there"
    if not RUN.fullmatch(path) and path not in DATA:
        return f"{row}: nobody runs {path}"
    if path in DATA and os.path.basename(path) not in text_of(DATA[path]):
        return f"{row}: {DATA[path]} does not read {path}"
    if sentence not in text_of(path):
        return f"{row}: {path} has no {sentence!r}"
    return None


for line in open(sys.argv[1], encoding="utf-8"):
    cells = [c.strip() for c in line.strip().strip("|").split(" | ")]
    if not line.startswith("|") or cells[0] in ("case", "---"):
        continue
    rows[cells[0]] = cells[-1]
    tests = re.findall(r"`(tests/\S+?): ([^`]+)`", cells[-1])
    named += len(tests)
    problems += filter(None, (check(cells[0], *t) for t in tests))
    if not tests and "**limit**" not in cells[-1]:
        problems.append(f"{cells[0]} names neither a test nor a limit")
    for reason in cells[-1].split("**limit**")[1:]:
        if len(reason) < 40:
            problems.append(f"{cells[0]}: a limit without its reason")
problems += [f"{i} has no row" for i in IDS if i not in rows]
for p in problems:
    print("FAILED ", p)
if not problems:
    print(f"ok      {len(rows)} cases, {named} tests, and all are there")
sys.exit(bool(problems))
P
