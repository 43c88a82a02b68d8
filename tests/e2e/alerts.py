#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Judges the documents that `reconmon --json` wrote: how many alerts were opened, and what the last
document of each says. Exit 0 if all is as wanted, else 1 and a line that says what is not.

Filters (--rule, --source, --dest) choose the alerts that are looked at; every document must be one
of ECS (formats.py) and every alert must begin with `open`, chosen or not."""
import argparse
import ipaddress
import json
import os
import re
import sys
import xml.etree.ElementTree as ET

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../conformance")
import formats  # noqa: E402


def fail(why):
    print(why)
    sys.exit(1)


def expand(spec):
    """The ports of "22,80,8000-8010"; "" is none."""
    ports = set()
    for part in filter(None, spec.split(",")):
        first, _, last = part.partition("-")
        ports.update(range(int(first), int(last or first) + 1))
    return ports


def ranges(ports):
    """The canonical form: two neighbours stay a list, three become a range."""
    out, todo = [], sorted(ports)
    while todo:
        n = 1
        while n < len(todo) and todo[n] == todo[0] + n:
            n += 1
        out += [f"{todo[0]}-{todo[n - 1]}"] if n > 2 else map(str, todo[:n])
        todo = todo[n:]
    return ",".join(out)


def ports_of(spec):
    """A range string, or the ports that nmap scanned by its own report (@FILE.xml)."""
    if spec.startswith("@"):
        return expand(ET.parse(spec[1:]).find("scaninfo").get("services"))
    return expand(spec)


def get(doc, path):
    for key in path.split("."):
        doc = doc.get(key) if isinstance(doc, dict) else None
    return doc


def field(doc, path):
    """A field by its dotted name, whether the document nests it or not."""
    return doc[path] if path in doc else get(doc, path)


def read(path):
    """Alerts by event.id, each the list of its documents in order."""
    found = {}
    for n, line in enumerate(open(path, encoding="utf-8"), 1):
        try:
            doc = json.loads(line)
        except ValueError as e:
            fail(f"line {n} is no JSON ({e}): {line[:200]!r}")
        ident, state = field(doc, "event.id"), field(doc, "reconmon.alert.state")
        if not ident or state not in ("open", "update", "close"):
            fail(f"line {n} lacks event.id or reconmon.alert.state: {line[:200]!r}")
        if field(doc, "event.kind") != "alert":
            fail(f"line {n}: event.kind is {field(doc, 'event.kind')!r}")
        try:
            formats.ecs(doc)
        except formats.Wrong as e:
            fail(f"line {n}: {e}")
        docs = found.setdefault(ident, [])
        if (state == "open") != (not docs):
            fail(f"line {n}: alert {ident} says {state!r} as its document {len(docs) + 1}")
        if docs and field(docs[-1], "reconmon.alert.state") == "close":
            fail(f"line {n}: alert {ident} goes on after its close")
        docs.append(doc)
    return list(found.values())


def same_addr(got, want):
    try:
        return ipaddress.ip_address(got) == ipaddress.ip_address(want)
    except ValueError:
        return False


def chosen(docs, args):
    first = docs[0]
    return ((not args.rule or field(first, "rule.id") == args.rule)
            and (not args.source or same_addr(field(first, "source.ip"), args.source))
            and (not args.dest or same_addr(field(first, "destination.ip"), args.dest)))


def describe(docs):
    d = docs[-1]
    return "{} {} -> {} ports {} ({})".format(
        field(d, "rule.id"), field(d, "source.ip"), field(d, "destination.ip"),
        field(d, "reconmon.alert.ports"), field(d, "reconmon.alert.state"))


def check_last(docs, args):
    last = docs[-1]
    ports = field(last, "reconmon.alert.ports") or ""
    if args.ports is not None:
        want = ports_of(args.ports)
        if ports != ranges(want):
            fail(f"ports are {ports!r}, wanted {ranges(want)!r}")
        if args.count is None:
            args.count = len(want)
    if args.count is not None and field(last, "reconmon.alert.port_count") != args.count:
        fail(f"port_count is {field(last, 'reconmon.alert.port_count')}, wanted {args.count}")
    for answer in ("open", "closed", "filtered", "none"):
        spec = getattr(args, answer)
        got = field(last, "reconmon.alert.answers." + answer) or ""
        if spec == "rest":
            rest = ports_of(args.ports)
            for other in ("open", "closed", "filtered", "none"):
                if other != answer and getattr(args, other):
                    rest -= ports_of(getattr(args, other))
            spec = ranges(rest)
        if spec is not None and got != ranges(ports_of(spec)):
            fail(f"answers.{answer} is {got!r}, wanted {ranges(ports_of(spec))!r}")
    techniques = field(last, "reconmon.alert.technique")
    if args.technique and (not isinstance(techniques, list) or args.technique not in techniques):
        fail(f"technique is {techniques}, wanted {args.technique}")
    if args.iface and args.iface not in (field(last, "observer.ingress.interface.name"),
                                         field(last, "observer.egress.interface.name")):
        fail(f"no interface {args.iface} in observer: {last.get('observer')}")
    if args.transport and field(last, "network.transport") != args.transport:
        fail(f"network.transport is {field(last, 'network.transport')}, wanted {args.transport}")
    for spec in args.field:
        path, _, want = spec.partition("=")
        got = field(last, path)
        text = "" if got is None else got if isinstance(got, str) else json.dumps(got)
        if not re.fullmatch(want, text, re.S):
            fail(f"{path} is {text!r}, wanted {want!r}")
    if args.final and field(last, "reconmon.alert.state") != args.final:
        fail(f"the last document says {field(last, 'reconmon.alert.state')}, wanted {args.final}")


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("file")
    p.add_argument("--rule", help="rule.id")
    p.add_argument("--source", help="source.ip")
    p.add_argument("--dest", help="destination.ip")
    p.add_argument("--opens", type=int, default=1, help="how many alerts these must be (1)")
    p.add_argument("--count", type=int, help="port_count of the last document")
    p.add_argument("--ports", help="ranges, or @FILE: nmap's XML report")
    for answer in ("open", "closed", "filtered", "none"):
        p.add_argument("--" + answer, help="ranges; `rest`: of --ports, what the others leave")
    p.add_argument("--technique")
    p.add_argument("--iface", help="observer.ingress or egress.interface.name")
    p.add_argument("--transport")
    p.add_argument("--field", action="append", default=[], metavar="PATH=REGEX",
                   help="a field of the last document, as text; nothing: it is not there")
    p.add_argument("--final", help="state of the last document")
    args = p.parse_args()

    alerts = [docs for docs in read(args.file) if chosen(docs, args)]
    if len(alerts) != args.opens:
        fail(f"{len(alerts)} alerts instead of {args.opens}: "
             + "; ".join(describe(docs) for docs in alerts[:8]))
    for docs in alerts:
        check_last(docs, args)


assert not re.search(r"\s", ranges({1, 2, 3})) and ranges({80, 81, 90, 91, 92}) == "80,81,90-92"
if __name__ == "__main__":  # techniques.py takes what it needs
    main()
