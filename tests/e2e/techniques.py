#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The rows of techniques.tsv for test_techniques.sh: each has addresses of its own, so that all can
run at once under one daemon and every alert still tells whose it is.

    techniques.py addresses SIDE     `ip -batch` lines for the side's namespace
    techniques.py commands LOGS MAC  what to run, a shell command a line; MAC is the target's
    techniques.py listen             the target's addresses for answer.py: those that have SCTP
    techniques.py judge LOGS DOC TARGET.json SCANNER.json [--write]
                                     one line a row, side and family; the table, and whether DOC
                                     holds the same one (--write: puts it there)"""
import ipaddress
import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from alerts import expand, field, ranges, read  # noqa: E402 (the folder has to be known first)

TSV = os.path.join(os.path.dirname(os.path.abspath(__file__)), "techniques.tsv")
FAMILIES = {"4": "IPv4", "6": "IPv6"}
SIDES = {"t": "target", "s": "scanner"}
ANSWERS = ("open", "closed", "filtered", "none")
LAST = 250  # the row that test_techniques.sh adds by itself, after all others
# Addresses without a row: behind the target, or on its own link.
FIXED = {"zombie": "10.78.0.3", "third": "10.78.0.2", "ftp": "10.78.0.1", "lan": "10.77.3.0/27"}
# What a tool says when it has done its work. hping3's exit status tells of answers instead.
DONE = {"nmap": r"Nmap done: [1-9].*\nexit 0$", "masscan": r"\nexit 0$", "zmap": r"exit 0$",
        "hping3": r"packets transmitted|replies received"}
BEGIN, END = "<!-- what the test saw: begin -->\n", "<!-- what the test saw: end -->\n"


def names(n, family):
    """The addresses of row n, by the words that stand for them in techniques.tsv."""
    if family == "6":
        own = {w: f"fd77:{i}::{n:x}" for w, i in
               (("target", 1), ("scanner", 2), ("filtered", 8), ("silent", 9))}
        return own | {"decoy1": f"fd77:4::{n:x}", "decoy2": f"fd77:5::{n:x}",
                      "net": f"fd76:0:0:{n:x}::/123"}
    own = {w: f"10.77.{i}.{n}" for w, i in
           (("target", 1), ("scanner", 2), ("filtered", 8), ("silent", 9))}
    return own | {"decoy1": f"10.77.4.{n}", "decoy2": f"10.77.5.{n}",
                  "net": f"10.76.{n}.0/27"} | FIXED


def parse_alert(text, where):
    """RULE [ORIG>RESP] TECHNIQUES, then PORTS ANSWER:PORTS... or N hosts."""
    words = text.split()
    if ">" not in words[1]:
        words.insert(1, "scanner>target")
    orig, resp = words[1].split(">")
    alert = {"rule": words[0], "orig": where.get(orig, orig), "resp": where.get(resp, resp),
             "technique": words[2]}
    if words[-1] == "hosts":
        return alert | {"hosts": int(words[3])}
    ports = rest = expand(words[3])
    alert |= {a: set() for a in ANSWERS} | {"ports": ports}
    for answer, spec in (w.split(":") for w in words[4:]):
        alert[answer] = rest if spec == "rest" else expand(spec)
        rest = rest - alert[answer]
    return alert


def seen_alert(doc):
    """The last document of an alert in the same terms."""
    orig = field(doc, "source.ip")
    alert = {"rule": field(doc, "rule.id"), "orig": orig,
             "technique": ",".join(field(doc, "reconmon.alert.technique"))}
    ports = field(doc, "reconmon.alert.ports")
    if alert["rule"] == "sweep":
        return alert | {"resp": "*:" + (ports or "0"),
                        "hosts": field(doc, "reconmon.alert.responder_count")}
    alert |= {a: expand(field(doc, "reconmon.alert.answers." + a)) for a in ANSWERS}
    return alert | {"resp": field(doc, "destination.ip"), "ports": expand(ports)}


def say(alert):
    out = f"{alert['rule']} {alert['orig']}>{alert['resp']} {alert['technique']}"
    if "hosts" in alert:
        return f"{out} {alert['hosts']} hosts"
    return " ".join([out, ranges(alert["ports"])]
                    + [f"{a}:{ranges(alert[a])}" for a in ANSWERS if alert[a]])


class Row:
    def __init__(self, n, line):
        self.n = n
        self.name, self.families, self.command, self.alerts, self.remark = line.split("\t")

    def expected(self, side, family):
        """The text of the alerts that this side must show."""
        for part in self.alerts.split(" || "):
            whose, colon, text = part.partition(": ")
            if not colon or set(whose) & set("ts") <= {side} and set(whose) & set("46") <= {family}:
                return text if colon else part
        sys.exit(f"{TSV}: {self.name}: nothing for {side}{family}")

    def shell(self, family, mac):
        tool, rest = self.command.split(" ", 1)
        if family == "6":
            rest = "-6 " + rest if tool == "nmap" else rest
        if tool == "nmap":
            pace = "" if "-T" in rest else "-T4 "
            quick = "-n --max-retries 1 --max-rtt-timeout 500ms "
            probe = "" if "-sn" in rest else "-Pn "
            arp = "" if "-PR" in rest else "--disable-arp-ping "
            rest = quick + pace + probe + arp + rest
        elif tool == "masscan":
            dashed = mac.replace(":", "-")
            rest = ("--wait 1 --rate 500 -e s0 --adapter-ip {scanner} "
                    f"--router-mac-ipv{family} {dashed} " + rest)
        elif tool == "zmap":
            rest = f"-q -b /dev/null -c 1 -i s0 -G {mac} -S {{scanner}} -r 500 -o /dev/null " + rest
        else:
            source = "" if "-a" in rest.split() else "-a {scanner} "
            pace = "" if "--scan" in rest else "-q -i u20000 -c 10 "
            rest = "-I s0 " + source + pace + rest
        return tool + " " + rest.format(**names(self.n, family))


def rows():
    with open(TSV, encoding="utf-8") as f:
        lines = [ln for ln in f.read().splitlines() if ln and ln[0] != "#"]
    return [Row(n, line) for n, line in enumerate(lines, 1)]


def each(all_rows):
    for row in all_rows:
        for family in row.families:
            yield row, family


def addresses(side):
    numbers = [row.n for row in rows()] + [LAST]
    if side == "t":
        for net in ("10.76.0.0/16", "10.77.1.0/24", "10.77.3.0/24", "fd77:1::/64", "fd76::/48"):
            print(f"route add local {net} dev lo")
        for net in ("10.77.2.0/24 via 10.77.0.1", "10.77.4.0/23 via 10.77.0.1",
                    "fd77:2::/64 via fd77::1", "fd77:4::/32 via fd77::1",
                    "fd77:5::/32 via fd77::1"):
            print(f"route add {net} dev t0")
        print("route add prohibit 10.77.8.0/24\nroute add prohibit fd77:8::/64\n"
              "route add blackhole 10.77.9.0/24\nroute add blackhole fd77:9::/64")
        return
    for n in numbers:
        for family, via in (("4", "10.77.0.2"), ("6", "fd77::2")):
            at = names(n, family)
            print(f"addr add {at['scanner']} dev s0" + " nodad" * (family == "6"))
            for word in ("target", "filtered", "silent", "net"):
                print(f"route add {at[word]} via {via} dev s0 src {at['scanner']}")
    idle = next(row.n for row in rows() if "{zombie}" in row.command)
    print(f"route add 10.78.0.0/24 via 10.77.0.2 dev s0 src {names(idle, '4')['scanner']}")
    arp = next(row.n for row in rows() if "{lan}" in row.command)
    print(f"route add {FIXED['lan']} dev s0 src {names(arp, '4')['scanner']}")


def log_of(logs, row, family):
    return f"{logs}/row-{row.n}-{family}"


def commands(logs, mac):
    """Slow ones first: that is what the whole test takes."""
    slow = ("-T2", "-sI", "{silent}", "masscan", "zmap")
    order = sorted(each(rows()), key=lambda it: not any(s in it[0].command for s in slow))
    for row, family in order:
        log = log_of(logs, row, family)
        print(f"{{ timeout 180 {row.shell(family, mac)}; echo exit $?; }} >{log} 2>&1 </dev/null")


def listen():
    print(*[names(row.n, family)["target"] for row, family in each(rows())
            if "open:2905" in row.alerts or "none:2905" in row.alerts or "5000" in row.alerts])


def seen_by(path):
    """What a side's daemon said in the end, by originator."""
    found = {}
    for docs in read(path):
        alert = seen_alert(docs[-1])
        found.setdefault(alert["orig"], []).append(alert)
        if field(docs[-1], "reconmon.alert.state") != "close":
            sys.exit(f"{path}: no close: {say(alert)}")
    return found


def judge_cell(row, side, family, found, logs):
    """What this side saw of the row: (as wanted?, cell of the table, why not)."""
    where, text = names(row.n, family), row.expected(side, family)
    want = [] if text == "-" else [parse_alert(a, where) for a in text.split("; ")]
    own = {where["scanner"], where["decoy1"], where["decoy2"]} | {a["orig"] for a in want}
    got = [a for orig in own for a in found.pop(str(ipaddress.ip_address(orig)), [])]
    with open(log_of(logs, row, family), encoding="utf-8", errors="replace") as f:
        log = f.read()
    if not re.search(DONE[row.command.split()[0]], log.strip()):
        return False, "?", f"{row.shell(family, 'MAC')} did not run: {log.strip()[-300:]!r}"
    if sorted(map(say, got)) == sorted(map(say, want)):
        return True, "yes" if want else "no", ""
    return False, "WRONG", (f"saw {'; '.join(map(say, got)) or 'nothing'}, wanted "
                            f"{'; '.join(map(say, want)) or 'nothing'}")


def in_words(row):
    """The row's alerts for the table: whose they are only where that is not plain."""
    def side_words(whose):
        return " ".join([FAMILIES[c] if c in FAMILIES else SIDES[c] + "'s side" for c in whose])
    parts = []
    for part in row.alerts.split(" || "):
        whose, colon, text = part.partition(": ")
        text = text if colon else part
        text = "none" if text == "-" else text.replace(">", " -> ").replace("*", "\\*")
        parts.append(f"{side_words(whose)}: {text}" if colon else text)
    return "; ".join(parts)


def table(cells):
    head = ["technique", "command", "alert"]
    head += [f"{FAMILIES[f]}, {SIDES[s]}" for f in FAMILIES for s in SIDES] + ["remark"]
    lines = [head, ["---"] * len(head)]
    for row in rows():
        line = [row.name, f"`{re.sub(r'[{}]', '', row.command)}`", in_words(row)]
        line += [cells.get((row.n, s, f), "-") for f in FAMILIES for s in SIDES]
        lines.append(line + [row.remark])
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def judge(logs, doc, paths, write):
    bad, cells = 0, {}
    for side, path in zip(SIDES, paths):
        found = seen_by(path)
        found.pop(names(LAST, "4")["scanner"], None)
        found.pop(names(LAST, "6")["scanner"], None)
        for row, family in each(rows()):
            good, cells[row.n, side, family], why = judge_cell(row, side, family, found, logs)
            bad += not good
            print(f"{'ok      ' if good else 'FAILED  '}{row.name}, {FAMILIES[family]}, the "
                  f"{SIDES[side]}'s side{': ' * (not good)}{why}")
        for alert in (a for alerts in found.values() for a in alerts):
            bad += 1
            print(f"FAILED  no other alert, the {SIDES[side]}'s side: {say(alert)}")
    new = BEGIN + "\n" + table(cells) + "\n" + END
    print(new)
    with open(doc, encoding="utf-8") as f:
        text = f.read()
    begin, end = text.index(BEGIN), text.index(END) + len(END)
    if write and not bad:
        with open(doc, "w", encoding="utf-8") as f:
            f.write(text[:begin] + new + text[end:])
    elif text[begin:end] != new:
        bad += 1
        print(f"FAILED  {doc} holds another table; tests/e2e/test_techniques.sh --write puts this "
              "one there")
    return bad == 0


def main(args):
    if args[:1] == ["addresses"] and len(args) == 2:
        addresses(args[1])
    elif args[:1] == ["commands"] and len(args) == 3:
        commands(*args[1:])
    elif args == ["listen"]:
        listen()
    elif args[:1] == ["judge"] and len(args) in (5, 6):
        sys.exit(not judge(args[1], args[2], args[3:5], args[5:] == ["--write"]))
    else:
        sys.exit(__doc__)


main(sys.argv[1:])
