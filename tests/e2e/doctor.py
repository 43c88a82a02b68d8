# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""doctor.py JSON-FILE TOPIC LEVEL [REGEX] [FACT=VALUE]...: does `reconmon doctor --json` say that?

TOPIC's finding must be of LEVEL, its text and remedy must match REGEX. LEVEL `absent`: there is no
such finding. Every finding of level note or problem must have a remedy."""
import json
import re
import sys

path, topic, level, *rest = sys.argv[1:]
doc = json.load(open(path))
assert doc["works"] == (doc["exit_code"] == 0), doc["exit_code"]
for f in doc["findings"]:
    assert f["level"] in ("ok", "note", "problem"), f
    assert f["level"] == "ok" or f.get("remedy") or f["topic"] == "interfaces", f"no remedy: {f}"
found = [f for f in doc["findings"] if f["topic"] == topic]
if level == "absent":
    sys.exit(f"there is one: {found}" if found else 0)
if not found:
    sys.exit(f"no finding about {topic}: {sorted({f['topic'] for f in doc['findings']})}")
regex = rest.pop(0) if rest and "=" not in rest[0] else ""
facts = dict(r.split("=", 1) for r in rest)
for f in found:
    words = f["text"] + " " + f.get("remedy", "")
    if f["level"] == level and re.search(regex, words) and all(
            str(f["facts"].get(k)) == v for k, v in facts.items()):
        sys.exit(0)
sys.exit(f"not of level {level}, or not '{regex}', or not {facts}: {found}")
