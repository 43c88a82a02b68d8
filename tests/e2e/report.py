#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What test_report.sh needs beside a browser.

    report.py hostile ALERTS.json > HOSTILE.json   every text of the first alert becomes one that means harm
    report.py probes N > conn.log                  N probes: 8 originators, 2 hosts each, all ports
    report.py holds RESULT.json TEXT|PATTERN...    what page.py printed: quiet, and `did` is these
    report.py contrast                             prints a script for page.py --do: texts that are too pale"""
import json
import sys

HARM = "<script>alert(1)</script>\"' onload=alert(2) \u202e</style></title><img src=x onerror=alert(3)>&amp;"

CONTRAST = """(() => {
const channel = (c) => (c /= 255) <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4;
const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
const rgb = (color) => {
    paint.clearRect(0, 0, 1, 1); paint.fillStyle = color; paint.fillRect(0, 0, 1, 1);
    const d = paint.getImageData(0, 0, 1, 1).data; return d[3] < 255 ? null : [...d].slice(0, 3);
};
const light = (c) => .2126 * channel(c[0]) + .7152 * channel(c[1]) + .0722 * channel(c[2]);
const behind = (e) => {
    for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c) return c; }
    return [255, 255, 255];
};
const pale = new Set();
const look = (what, front, back, least) => {
    const [a, b] = [light(front), light(back)].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < least) pale.add(what + " " + ((a + .05) / (b + .05)).toFixed(2));
};
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim() || !e.checkVisibility() || e.closest("script, style, title, desc")) continue;
    const style = getComputedStyle(e), back = behind(e.closest("svg") || e);
    look(e.tagName + "." + (e.getAttribute("class") || ""), rgb(e.closest("svg") ? style.fill : style.color), back, 4.5);
}
for (const m of document.querySelectorAll("path.m"))
    look("mark " + m.getAttribute("class"), rgb(getComputedStyle(m).stroke), behind(m), 3);
return [...pale];
})()"""


def hostile(name):
    with open(name, encoding="utf-8") as f:
        doc = json.loads(f.readline())
    doc["event"]["id"] = "1" + HARM
    doc["rule"].update(id=HARM, name=HARM, description=HARM)
    doc["process"] = {"name": HARM, "pid": 7, "executable": HARM}
    doc["container"] = {"id": HARM}
    doc["reconmon"]["incident"] = {"id": HARM}
    doc["reconmon"]["alert"]["technique"] = [HARM]
    doc["threat"]["technique"]["id"] = [HARM]
    doc["observer"]["ingress"] = {"interface": {"name": HARM}}
    print(json.dumps(doc))


def probes(n):
    columns = ["ts", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "orig_bytes", "conn_state"]
    print("#separator \\x09\n#path\tconn\n#fields\t" + "\t".join(columns))
    rows = []
    for i in range(n):
        port = i // 16 % 65535 + 1
        state = "S1" if port % 1000 == 22 else "S0" if port % 7 == 3 else "REJ"
        rows.append(f"{1764144000 + i * 1e-3:.6f}\t10.0.{i % 8}.5\t40000\t10.1.{i % 8}.{i // 8 % 2}\t{port}"
                    f"\ttcp\t0\t{state}")
    print("\n".join(rows))


def holds(name, wanted):
    with open(name, encoding="utf-8") as f:
        got = json.load(f)
    wrong = [f"{k}: {got[k]}" for k in ("console", "requests", "dialogs") if got[k]]
    did = [v if isinstance(v, str) else json.dumps(v) for v in got["did"]]
    for i, want in enumerate(wanted):
        if i >= len(did) or did[i] != want:
            wrong.append(f"{i}: {did[i] if i < len(did) else 'nothing'}, not {want}")
    for w in wrong:
        print(w)
    return 1 if wrong else 0


def main():
    what, args = sys.argv[1], sys.argv[2:]
    if what == "hostile":
        return hostile(args[0])
    if what == "probes":
        return probes(int(args[0]))
    if what == "contrast":
        return print(CONTRAST)
    return holds(args[0], args[1:])


if __name__ == "__main__":
    sys.exit(main())
