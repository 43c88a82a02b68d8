# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Every metric that a file names is one that a daemon has: metric_names.py METRICS FILE..."""
import re
import sys

metrics = open(sys.argv[1]).read()
there = set(re.findall(r"^([a-z_]+)(?:\{| )", metrics, re.M))
there |= set(re.findall(r"^# TYPE ([a-z_]+) ", metrics, re.M))
bad = 0
for path in sys.argv[2:]:
    # What a recording rule or an alert is called is no metric.
    text = re.sub(r"^\s*- (?:alert|record): .*$", "", open(path).read(), flags=re.M)
    used = set(re.findall(r"\b((?:reconmon|process)_[a-z_]+)\b", text))
    for name in sorted(used - there):
        print(f"{path}: no metric {name}")
        bad += 1
    if not used:
        print(f"{path}: names no metric")
        bad += 1
sys.exit(bool(bad))
