# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""attempts.py FILE N [COLUMN=VALUE]...: does a log of attempts, TSV or JSON, have exactly N rows with
these values? "-" is a column that is unset. Exits 1 and says what it found if not."""
import json
import os
import sys


def rows(path):
    names = []
    with open(path) as f:
        for line in f.read().splitlines():
            if line.startswith("{"):
                yield {k: str(v) for k, v in json.loads(line).items()}
            elif line.startswith("#fields\t"):
                names = line.split("\t")[1:]
            elif not line.startswith("#"):
                yield dict(zip(names, line.split("\t")))


path, number = sys.argv[1], int(sys.argv[2])
want = [w.split("=", 1) for w in sys.argv[3:]]
found = list(rows(path)) if os.path.exists(path) else []
got = sum(all(row.get(k, "-") == v for k, v in want) for row in found)
if got != number:
    print(f"{got} of {len(found)} rows with {' '.join(sys.argv[3:])}, expected {number}")
    sys.exit(1)
