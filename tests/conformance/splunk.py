#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Is deploy/splunk/TA-reconmon an app that Splunk takes, and do its searches ask for what is there?

splunk.py RECONMON. There is no Splunk here, so: the rules of its packages, the syntax of its files,
every field of every search against the fields that real documents have (through the aliases, evals
and lookups of props.conf), what the Common Information Model asks for, and the two searches about
conn.log run over the log of a real scan. One line a case."""
import csv
import ipaddress
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

APP = "deploy/splunk/TA-reconmon"
SHARED = os.environ.get("RECONMON_SHARED", "../shared") + "/schemas/"
failed = False


class Wrong(Exception):
    pass


def need(truth, why):
    if not truth:
        raise Wrong(why)


def case(name, check, *args):
    global failed
    try:
        check(*args)
        print("ok     ", name)
    except (Wrong, OSError, ValueError, KeyError, ET.ParseError) as e:
        failed = True
        print(f"FAILED  {name}: {e}")


# --- files -------------------------------------------------------------------------------------------

def conf(name):
    """A .conf file as stanzas of keys, strictly: no key twice, none outside a stanza."""
    stanzas, at, text = {}, None, ""
    with open(f"{APP}/default/{name}", encoding="utf-8") as f:
        for n, line in enumerate(f, 1):
            need(line.endswith("\n"), f"{name}:{n}: no line end")
            text += line[:-1]
            if text.endswith("\\"):
                text = text[:-1]
                continue
            line, text = text.strip(), ""
            if not line or line.startswith("#"):
                continue
            if m := re.fullmatch(r"\[(.+)\]", line):
                at = m.group(1)
                need(at not in stanzas, f"{name}:{n}: [{at}] twice")
                stanzas[at] = {}
                continue
            key, equals, value = line.partition("=")
            key = key.strip()
            need(equals and at is not None, f"{name}:{n}: neither stanza nor KEY = VALUE: {line}")
            need(re.fullmatch(r"[\w.-]+", key), f"{name}:{n}: key {key!r}")
            need(key not in stanzas[at], f"{name}:{n}: {key} twice")
            stanzas[at][key] = value.strip()
    return stanzas


KEYS = {
    "app.conf": "is_configured build author version description is_visible label id check_for_updates",
    "props.conf": "KV_MODE SHOULD_LINEMERGE LINE_BREAKER TRUNCATE TIME_PREFIX TIME_FORMAT TZ "
                  "MAX_TIMESTAMP_LOOKAHEAD",
    "transforms.conf": "filename",
    "macros.conf": "definition",
    "eventtypes.conf": "search",
    "tags.conf": "ids attack network communicate",
    "savedsearches.conf": "description search dispatch.earliest_time dispatch.latest_time "
                          "cron_schedule disabled",
}


def package():
    for folder, folders, files in os.walk(APP):
        for name in folders + files:
            path = os.path.join(folder, name)
            mode = os.stat(path).st_mode & 0o777
            need(not name.startswith("."), f"{path} is hidden")
            need(name not in ("local", "local.meta"), f"{path} is a user's")
            # Who may write in a checkout depends on its umask; who may execute does not.
            need(os.path.isdir(path) or not mode & 0o111, f"{path} is executable")
    need(os.path.isfile(APP + "/README.md") and os.path.isfile(APP + "/LICENSE"), "README, LICENSE")


def files():
    found = sorted(n for n in os.listdir(APP + "/default") if n.endswith(".conf"))
    need(found == sorted(KEYS), f"files are {found}")
    for name in found:
        for stanza, keys in conf(name).items():
            for key in keys:
                known = key in KEYS[name].split() or (
                    name == "props.conf" and re.match(r"(EVAL|FIELDALIAS|LOOKUP)-\w+$", key))
                need(known, f"{name} [{stanza}]: {key} is unknown")
    app = conf("app.conf")
    with open("Makefile", encoding="utf-8") as f:
        version = re.search(r"^VERSION\s*:=\s*(\S+)", f.read(), re.M).group(1)
    need(app["package"]["id"] == os.path.basename(APP), "the app's id is its folder's name")
    need(re.fullmatch(r"\d+\.\d+\.\d+", app["launcher"]["version"]), "a version is x.y.z")
    need(app["launcher"]["version"] == version, f"version {app['launcher']['version']}, not {version}")
    for stanza in conf("tags.conf"):
        need(stanza.removeprefix("eventtype=") in conf("eventtypes.conf"), f"[{stanza}]: no such type")
    for keys in conf("savedsearches.conf").values():
        need(keys["disabled"] == "true", "searches are off until somebody wants them")
    with open(APP + "/metadata/default.meta", encoding="utf-8") as f:
        need(re.search(r"^\[\]\naccess = read : \[ \* \], write : \[ admin \]\nexport = system$",
                       f.read(), re.M), "default.meta")


# --- what an event has at search time ------------------------------------------------------------------

def flat(doc, prefix=""):
    """As KV_MODE=json names fields: a dot between levels, {} behind a list's name."""
    out = {}
    for key, value in doc.items():
        if isinstance(value, dict):
            out |= flat(value, prefix + key + ".")
        elif isinstance(value, list):
            out[prefix + key + "{}"] = [str(v) for v in value]
        else:
            out[prefix + key] = str(value).lower() if isinstance(value, bool) else str(value)
    return out


def lookup(name):
    with open(f"{APP}/lookups/{conf('transforms.conf')[name]['filename']}", newline="") as f:
        return list(csv.DictReader(f))


def coalesce(text, event):
    for part in re.findall(r"'[^']*'|\"[^\"]*\"", text):
        if part[0] == '"' or part[1:-1] in event:
            return part[1:-1] if part[0] == '"' else event[part[1:-1]]
    return None


def at_search_time(doc, stanza):
    """The event with what props.conf adds, in Splunk's order: aliases, evals, lookups."""
    props, event = conf("props.conf")[stanza], flat(doc) | {"host": "node1", "_time": "0"}
    added = {}
    for key, value in props.items():
        if key.startswith("FIELDALIAS-"):
            pairs = re.findall(r'"([^"]+)" AS (\w+)', value)
            need(pairs and " ".join(f'"{a}" AS {b}' for a, b in pairs) == value, f"{key}: {value}")
            added |= {new: event[old] for old, new in pairs if old in event}
    for key, value in props.items():
        if key.startswith("EVAL-"):
            need(re.fullmatch(r"\"[^\"]*\"|coalesce\((?:'[^']+'|\"[^\"]+\")(?:, (?:'[^']+'|\"[^\"]+\"))*\)",
                              value), f"{key}: {value}")
            got = value[1:-1] if value[0] == '"' else coalesce(value, event)
            if got is not None:
                added[key.removeprefix("EVAL-")] = got
    event |= added
    for key, value in props.items():
        if key.startswith("LOOKUP-"):
            table, by, out = re.fullmatch(r"(\w+) (\w+) OUTPUT (\w+)", value).groups()
            for row in lookup(table):
                if by in event and row[by] == event[by]:
                    event[out] = row[out]
    return event


# --- searches ---------------------------------------------------------------------------------------

AGGREGATE = re.compile(r"(\w+)(?:\(([^)]*)\))?(?: AS (\w+))?")


def stages(search):
    for name, keys in conf("macros.conf").items():
        search = search.replace(f"`{name}`", keys["definition"])
    need("`" not in search, f"an unknown macro in {search}")
    return [s.strip() for s in search.split("|")]


def asked(stage, known):
    """The fields that a stage reads, and those that are there behind it."""
    command, _, rest = stage.partition(" ")
    if command in ("stats", "timechart"):
        what, _, by = rest.partition(" BY ")
        reads, makes = by.split(), set(by.split())
        for func, field, name in AGGREGATE.findall(what):
            need(func in ("count", "dc", "values", "latest", "min", "max"), f"function {func}")
            reads += [field] if field else []
            makes.add(name or f"{func}({field})" if field else name or func)
        return reads, makes | ({"_time"} if command == "timechart" else set())
    if command == "where":
        return re.findall(r"([\w.]+)\s*(?:[<>=!]=?)", rest), known
    if command == "sort":
        return [f for f in rest.split() if f not in ("-", "+")], known
    if command == "dedup":
        return rest.split(), known
    if command == "convert":
        return re.findall(r"\w+\((\w+)\)", rest), known
    if command == "bin":
        need(re.fullmatch(r"_time span=\d+m", rest), f"bin {rest}")
        return ["_time"], known
    return re.findall(r"([\w.{}]+)=", rest if command == "search" else stage), known


def search_fields(name, search, known):
    known = known | {"sourcetype"}
    for stage in stages(search):
        reads, behind = asked(stage, known)
        need(reads or stage.startswith("stats count"), f"{name}: nothing is read by: {stage}")
        for field in reads:
            need(field in known, f"{name}: no event has {field}, which '{stage}' asks for")
        known = behind


def dashboard_searches():
    root = ET.parse(APP + "/default/data/ui/views/reconmon.xml").getroot()
    need(root.tag == "form" and root.get("version") == "1.1", "a form of Simple XML 1.1")
    base = {s.get("id"): s.find("query").text for s in root.findall("search")}
    for s in root.iter("search"):
        query = s.find("query").text
        yield (base[s.get("base")] + " | " if s.get("base") else "") + query
    views = {v.get("name") for v in ET.parse(APP + "/default/data/ui/nav/default.xml").getroot()}
    need("reconmon" in views, "the navigation has the dashboard")


def searches(alerts, attempts):
    alert, attempt = set().union(*alerts), set().union(*attempts)
    for name, keys in conf("savedsearches.conf").items():
        search_fields(name, keys["search"], attempt if "`reconmon_conn`" in keys["search"] else alert)
    for query in dashboard_searches():
        search_fields("dashboard", query, alert)


def run(search, events):
    """The searches about conn.log, stage by stage: conditions joined by blanks and OR in parentheses,
    bin, stats dc() and values() BY, where NAME>=N."""
    first, *rest = stages(search)

    def holds(e, text):
        field, _, want = text.partition("=")
        want = want.strip('"')
        if field == "sourcetype":
            return want in ("zeek:conn:json", "reconmon:attempt")
        if "/" in want and field in e:
            return ipaddress.ip_address(e[field]) in ipaddress.ip_network(want)
        return e.get(field) == want
    groups = re.findall(r"\(([^)]*)\)|(\S+=\S+)", first)
    rows = [e for e in events if all(any(holds(e, c) for c in (a or b).split(" OR "))
                                     for a, b in groups)]
    for stage in rest:
        if stage.startswith("bin"):
            span = 60 * int(re.search(r"span=(\d+)m", stage).group(1))
            rows = [e | {"_time": e["_time"] // span * span} for e in rows]
        elif stage.startswith("stats"):
            what, _, by = stage.removeprefix("stats ").partition(" BY ")
            table = {}
            for e in rows:
                table.setdefault(tuple(e[k] for k in by.split()), []).append(e)
            rows = [dict(zip(by.split(), key)) |
                    {name: len({e[f] for e in members if f in e})
                     for _, f, name in AGGREGATE.findall(what)} for key, members in table.items()]
        else:
            name, least = re.fullmatch(r"where (\w+)>=(\d+)", stage).groups()
            rows = [r for r in rows if r[name] >= int(least)]
    return rows


def two_searches(reconmon, attempts):
    saved = conf("savedsearches.conf")
    silent = run(saved["reconmon - three silent ports of an internal host"]["search"], attempts)
    need({(r["src_ip"], r["dest_ip"]) for r in silent} == {("10.77.0.1", "10.77.0.2")},
         f"the scan of nmap-sS is {silent}")
    need(sum(r["ports"] for r in silent) == 100, f"a hundred ports, not {silent}")
    many = saved["reconmon - a thousand ports by one originator"]["search"]
    need(run(many, attempts) == [], "a hundred ports are no thousand")
    more = [e | {"dest_port": str(p)} for e in attempts[:1] for p in range(1000)]
    need(len(run(many, more)) == 1 and run(many, more[1:]) == [], "a thousand ports are")


def cim(events, model):
    with open(SHARED + "cim-fields.tsv", encoding="utf-8") as f:
        rows = [line.rstrip("\n").split("\t") for line in f if not line.startswith("#")]
    for event in events:
        for row in rows:
            if row[0] != model:
                continue
            field, requirement, values = row[2], row[3], row[4]
            if requirement == "required":
                need(field in event, f"{field} is required: {event.get('message', event)}")
            if field in event and values != "-":
                need(event[field] in values.split(","), f"{field}: {event[field]} is none of {values}")
    need(all("src" in e and "dest" in e for e in events if e.get("rule.id") != "basic-scanning"),
         "src and dest")


def replay(reconmon, *args):
    text = subprocess.run([reconmon, "replay", "-q", "--json", *args], capture_output=True, text=True,
                          check=True, timeout=500).stdout
    return [json.loads(line) for line in text.splitlines()]


# What no capture can tell: whose process it was, and where (checked against real ones by formats.py).
LIVE = {"process": {"name": "nmap", "user": {"name": "root"}}, "container": {"id": "c"},
        "network": {"direction": "egress"}, "orchestrator": {"resource": {"id": "p"}}}


def main():
    reconmon = sys.argv[1]
    data = "tests/data/"
    alerts = [at_search_time(d, "reconmon:alert")
              for c in ("nmap-sS", "nmap-sweep-22", "nmap-sU", "nmap6-sS")
              for d in replay(reconmon, f"{data}{c}.pcap.gz")]
    attempts = [at_search_time(d, "reconmon:attempt") | {"_time": d["ts"]}
                for d in replay(reconmon, "--attempts=all", data + "nmap-sS.pcap.gz")]
    case("the package", package)
    case("its files", files)
    case("searches and dashboard ask for fields that are there", searches,
         alerts + [at_search_time(LIVE, "reconmon:alert")], attempts)
    case("the two searches find the scan", two_searches, reconmon, attempts)
    case("every severity has a word", lambda: need(
        [r["severity_id"] for r in lookup("reconmon_severity")] == [str(n) for n in range(11)],
        "0 to 10"))
    if os.path.exists(SHARED + "cim-fields.tsv"):
        case("alerts are of CIM's Intrusion Detection", cim, alerts, "Intrusion_Detection")
        case("attempts are of CIM's Network Traffic", cim, attempts, "Network_Traffic")
    else:
        print(f"no {SHARED}cim-fields.tsv (RECONMON_SHARED says where): CIM is not checked")
    return failed


if __name__ == "__main__":
    sys.exit(main())
