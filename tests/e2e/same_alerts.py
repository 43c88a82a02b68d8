#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""same_alerts.py FILE...: the documents of several daemons that took over from one another, in their
order, as those of one. What a daemon has said and its successor says again (it could not know that it
had been taken) is the same event.id, state and count: once is enough. To standard output."""
import json
import sys

said = set()
for path in sys.argv[1:]:
    for line in open(path, encoding="utf-8"):
        doc = json.loads(line)
        alert = doc["reconmon"]["alert"]
        key = (doc["event"]["id"], alert["state"], alert.get("port_count"), alert.get("ports"))
        if key not in said:
            sys.stdout.write(line)
        said.add(key)
