#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Strict readers of what reconmon writes, from the formats' descriptions and not from the writers.

  formats.py ecs FILE...       ECS documents: names and types of ECS 9.4.0, or below reconmon.*; each
                               field with a fitting mapping in deploy/elasticsearch
  formats.py all FOLDER...     FOLDER/{ecs,ocsf,notice}.json, cef, leef, notice.log: each line by its
                               reader, and the same alerts in the same states in all of them

The last line is how many lines about alerts there were.
Exit 0, or 1 and a line that says what is wrong. ECS and OCSF names need the schemas in
$RECONMON_SHARED/schemas (default: ../shared); without them only the mapping is checked. Other
checkers import this for ecs()."""
import ipaddress
import json
import os
import re
import sys

SHARED = os.environ.get("RECONMON_SHARED", "../shared") + "/schemas/"
ROOT = os.path.dirname(os.path.abspath(__file__)) + "/../../"


class Wrong(Exception):
    pass


def need(truth, why):
    if not truth:
        raise Wrong(why)


def unique(pairs):
    need(len({k for k, _ in pairs}) == len(pairs), f"a key twice among {[k for k, _ in pairs]}")
    return dict(pairs)


def document(line):
    return json.loads(line, object_pairs_hook=unique)


def is_addr(text, version=None):
    try:
        return version in (None, ipaddress.ip_address(text).version)
    except ValueError:
        return False


# --- ECS, and the mapping that Elasticsearch is given ----------------------------------------------

def load_ecs():
    try:
        with open(SHARED + "ecs-fields.tsv", encoding="utf-8") as f:
            rows = [line.rstrip("\n").split("\t") for line in f if not line.startswith("#")]
    except FileNotFoundError:
        return None
    return {r[0]: (r[1], r[3] == "array") for r in rows if len(r) == 4}


def load_mapping():
    """Dotted names of all fields with their types, and whether others are refused."""
    with open(ROOT + "deploy/elasticsearch/component-template.json", encoding="utf-8") as f:
        top = json.load(f)["template"]["mappings"]
    found = {}

    def walk(prefix, properties):
        for name, field in properties.items():
            if "properties" in field:
                walk(prefix + name + ".", field["properties"])
            else:
                found[prefix + name] = field["type"]
    walk("", top["properties"])
    return found


ECS, MAPPING = load_ecs(), load_mapping()
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def is_point(v):
    return (isinstance(v, dict) and set(v) == {"lat", "lon"} and abs(v["lat"]) <= 90
            and abs(v["lon"]) <= 180)


def number(v):
    return isinstance(v, (int, float)) and not isinstance(v, bool)


TYPES = {
    "keyword": lambda v: isinstance(v, str) and v,
    "wildcard": lambda v: isinstance(v, str) and v,
    "match_only_text": lambda v: isinstance(v, str) and v,
    "date": lambda v: isinstance(v, str) and DATE.fullmatch(v),
    "ip": lambda v: isinstance(v, str) and is_addr(v),
    "long": lambda v: isinstance(v, int) and not isinstance(v, bool) and abs(v) < 2**63,
    "float": number, "double": number,
    "boolean": lambda v: isinstance(v, bool),
    "geo_point": is_point,
}
EMPTY_MAY_BE = re.compile(r"reconmon\.alert\.(ports|answers\.\w+)")  # no port: an empty list of ranges


def leaves(doc, prefix=""):
    for key, value in doc.items():
        name = prefix + key
        if isinstance(value, dict) and not is_point(value):
            need(value, f"{name} is empty")
            yield from leaves(value, name + ".")
        else:
            yield name, value


def fits(name, kind, value):
    for v in value if isinstance(value, list) else [value]:
        need(TYPES[kind](v) or (v == "" and EMPTY_MAY_BE.fullmatch(name)),
             f"{name}: {v!r} is no {kind}")


def ecs(doc):
    for name, value in leaves(doc):
        if not name.startswith("reconmon.") and ECS is not None:
            need(name in ECS, f"{name} is no field of ECS")
            kind, array = ECS[name]
            need(array == isinstance(value, list), f"{name}: a list where none belongs, or none")
            fits(name, kind, value)
        need(name in MAPPING, f"{name} has no mapping in deploy/elasticsearch")
        need(name.startswith("reconmon.") or ECS is None or MAPPING[name] == ECS[name][0],
             f"{name} is mapped as {MAPPING[name]} and not as ECS has it")
        fits(name, MAPPING[name], value)
    alert = doc["reconmon"]["alert"]
    return doc["event"]["id"], alert["state"]


# --- OCSF ------------------------------------------------------------------------------------------

def load_ocsf():
    try:
        with open(SHARED + "ocsf-classes.json", encoding="utf-8") as f:
            schema = json.load(f)
    except FileNotFoundError:
        return None
    text, real = {"t": "string_t", "r": "opt"}, {"t": "float_t", "r": "opt"}
    # What the reduced schema leaves out (objects/location.json, autonomous_system.json of 1.8.0).
    schema["objects"]["location"] = {
        "constraints": {"at_least_one": ["city", "country", "postal_code", "region"]},
        "attributes": {"city": text, "continent": text, "country": text, "region": text,
                       "lat": real, "long": real}}
    schema["objects"]["autonomous_system"] = {
        "constraints": {"at_least_one": ["name", "number"]},
        "attributes": {"name": text, "number": {"t": "integer_t", "r": "opt"}}}
    return schema


OCSF = load_ocsf()
BASES = {
    "string_t": lambda v: isinstance(v, str) and v,
    "integer_t": lambda v: TYPES["long"](v) and abs(v) < 2**31,
    "long_t": TYPES["long"],
    "float_t": number,
    "boolean_t": TYPES["boolean"],
    "json_t": lambda v: True,
}


def ocsf_scalar(path, kind, v):
    need(BASES[OCSF["types"][kind]["base"]](v), f"{path}: {v!r} is no {kind}")
    need(kind != "ip_t" or is_addr(v), f"{path}: {v!r} is no address")
    need(kind != "port_t" or 0 <= v <= 65535, f"{path}: {v!r} is no port")
    need(kind != "timestamp_t" or 1.2e12 < v < 4e12, f"{path}: {v!r} is not in milliseconds")


def ocsf_value(path, attr, v, profiles):
    kind = attr["t"]
    if kind == "object":
        need(isinstance(v, dict), f"{path} is no object")
    elif kind in OCSF["types"]:
        ocsf_scalar(path, kind, v)
    else:
        need(kind in OCSF["objects"], f"{path}: the schema at hand does not have {kind}")
        ocsf_object(path, OCSF["objects"][kind], v, profiles)


def ocsf_object(path, cls, o, profiles):
    need(isinstance(o, dict), f"{path} is no object")
    attrs = cls["attributes"]
    for name, attr in attrs.items():
        if attr["r"] == "req" and ("p" not in attr or attr["p"] in profiles):
            need(name in o, f"{path}.{name} is required")
    for name, v in o.items():
        here = f"{path}.{name}"
        need(name in attrs, f"{here} is no attribute")
        attr = attrs[name]
        need("dep" not in attr, f"{here} is deprecated")
        need("p" not in attr or attr["p"] in profiles, f"{here} belongs to a profile")
        need(bool(attr.get("a")) == isinstance(v, list), f"{here}: a list where none belongs, or none")
        for one in v if isinstance(v, list) else [v]:
            ocsf_value(here, attr, one, profiles)
        known = attr.get("e")
        if known and name not in ("category_uid", "class_uid") and "observables" not in path:
            need(str(v) in known, f"{here}: {v} is no value of it")
            beside = o.get("activity_name" if name == "activity_id" else name[:-3])
            need(beside in (None, known[str(v)]), f"{here}: {beside!r} is not its caption")
    some = cls.get("constraints", {}).get("at_least_one")
    need(not some or any(n in o for n in some), f"{path} has none of {some}")


def ocsf(doc):
    if OCSF is not None:
        ocsf_object("", OCSF["classes"]["detection_finding"], doc,
                    doc["metadata"].get("profiles", []))
    need(doc["type_uid"] == doc["class_uid"] * 100 + doc["activity_id"], "type_uid")
    need(doc["metadata"]["version"] == "1.8.0", "version")
    return doc["finding_info"]["uid"], {1: "open", 2: "update", 3: "close"}[doc["activity_id"]]


# --- CEF and LEEF ----------------------------------------------------------------------------------

CEF_KEYS = set("""rt start end externalId cat act src dst spt dpt proto deviceDirection dvchost
deviceInboundInterface deviceOutboundInterface cnt reason msg c6a2 c6a3 cs1 cs2 cs3 cs4 cs5 cs6 cn1 cn2
cn3 flexString1 flexString2 spid sproc suid suser""".split())


def no_controls(line, allowed=""):
    bad = [c for c in line if c < " " and c not in allowed]
    need(not bad, f"control characters {bad} in {line[:200]!r}")


def unescape(text, special):
    out, it = [], iter(text)
    for c in it:
        if c == "\\":
            c = next(it, "")
            need(c and c in special, f"'\\{c}' is no escape in {text!r}")
            c = {"n": "\n", "r": "\r"}.get(c, c)
        out.append(c)
    return "".join(out)


def cef_split(line):
    """Header fields and the extension; '|' and '\\' are escaped in the first."""
    fields = re.match(r"((?:[^|\\]|\\.)*)\|" * 7 + "(.*)", line)
    need(fields, f"no header: {line[:100]}")
    return [unescape(f, "|\\") for f in fields.groups()[:7]], fields.group(8)


def cef(line):
    need(len(line.encode()) < 4096, "longer than 4 KiB")
    no_controls(line)
    header, extension = cef_split(line)
    need(header[0] == "CEF:0" and header[1] == header[2] == "reconmon", f"header {header}")
    need(0 <= int(header[6]) <= 10, f"severity {header[6]}")
    pairs = re.findall(r"(?:^|(?<= ))(\w+)=((?:[^=\\]|\\.)*?)(?= \w+=|$)", extension)
    need(" ".join(f"{k}={v}" for k, v in pairs) == extension, f"not pairs: {extension[:300]}")
    values = unique([(k, unescape(v, "=\\nr")) for k, v in pairs])
    for key, value in values.items():
        base = key[:-5] if key.endswith("Label") else key
        need(base in CEF_KEYS, f"{key} is not in the dictionary")
        need(value, f"{key} is empty")
        if re.match(r"c[sn]\d|c6a|flex", base):
            need(base in values and base + "Label" in values, f"{base} without its label")
    need(is_addr(values.get("src", "0.0.0.0"), 4) and is_addr(values.get("dst", "0.0.0.0"), 4),
         "src and dst are IPv4")
    for key in ("rt", "start", "end"):
        need(re.fullmatch(r"\d{13}", values[key]), f"{key} {values[key]}")
    return values["externalId"], values["act"]


def load_leef():
    own = set("""uid pid process containerId podNamespace podName containerName pod unit direction
interface state alertId incidentId ports count answersOpen answersClosed answersFiltered answersNone
technique attempts threshold window firstTime lastTime attack retracted incomplete msg portsTruncated
srcCountry srcCity srcAsn srcOrganization originators originatorCount""".split())
    try:
        with open(SHARED + "leef-keys.txt", encoding="utf-8") as f:
            return own | {line.strip() for line in f if not line.startswith("#")}
    except FileNotFoundError:
        return None


LEEF_KEYS = load_leef()


def leef(line):
    need(len(line.encode()) < 4096, "longer than 4 KiB")
    no_controls(line, "\t")
    header, _, attributes = line.partition("|x09|")
    fields = header.split("|")
    need(len(fields) == 5 and fields[:3] == ["LEEF:2.0", "reconmon", "reconmon"], f"{fields}")
    values = unique([a.partition("=")[::2] for a in attributes.split("\t")])
    for key, value in values.items():
        need(re.fullmatch(r"[A-Za-z0-9]+", key), f"{key!r} is no key")
        need(LEEF_KEYS is None or key in LEEF_KEYS, f"{key} is neither LEEF's nor ours")
        need(value, f"{key} is empty")
    need(1 <= int(values["sev"]) <= 10, f"sev {values['sev']}")
    need(re.fullmatch(r"\d{13}", values["devTime"]), f"devTime {values['devTime']}")
    need(fields[4] == values["policy"], "the event's id is its rule")
    return values["alertId"], values["state"]


# --- Zeek's notice.log -------------------------------------------------------------------------------

SECONDS = r"-?\d+\.\d{6}"
ZEEK = {"time": SECONDS, "interval": SECONDS, "double": SECONDS, "port": r"\d{1,5}", "count": r"\d+",
        "bool": "[TF]", "enum": r"[A-Za-z_:]+", "string": r"(?:[^\\]|\\\\|\\x[0-9a-f]{2})+"}


def notice_log(text):
    """The columns with their types, and id and state of each row."""
    lines = text.split("\n")
    need(lines.pop() == "", "the last line has no end")
    for i, start in enumerate(("#separator \\x09", "#set_separator\t,", "#empty_field\t(empty)",
                               "#unset_field\t-", "#path\tnotice", "#open\t", "#fields\t",
                               "#types\t")):
        need(lines[i].startswith(start), f"line {i + 1} is {lines[i][:80]!r}")
    names, types = lines[6].split("\t")[1:], lines[7].split("\t")[1:]
    need(len(names) == len(types) == len(set(names)), "names and types")
    need(lines[-1].startswith("#close\t"), "no #close")
    rows = []
    for line in lines[8:-1]:
        no_controls(line, "\t")
        values = line.split("\t")
        need(len(values) == len(names), f"{len(values)} columns of {len(names)}")
        for name, kind, value in zip(names, types, values):
            if value == "-" or (kind.startswith("set[") and value == "(empty)"):
                continue
            if kind == "addr":
                need(is_addr(value), f"{name}: {value!r} is no address")
            elif not kind.startswith("set["):
                need(re.fullmatch(ZEEK[kind], value), f"{name}: {value!r} is no {kind}")
        row = dict(zip(names, values))
        rows.append((row["reconmon_id"], row["reconmon_state"]))
    return dict(zip(names, types)), rows


JSON = {"time": float, "interval": float, "double": float, "port": int, "count": int, "bool": bool}


def notice_json(doc, columns):
    for name, value in doc.items():
        need(name in columns, f"{name} is no column")
        kind = columns[name]
        want = list if kind.startswith("set[") else JSON.get(kind, str)
        need(type(value) is want and value != "", f"{name}: {value!r} is no {kind}")
        need(kind != "addr" or is_addr(value), f"{name}: {value!r} is no address")
    return doc["reconmon_id"], doc["reconmon_state"]


# --- files -------------------------------------------------------------------------------------------

def lines_of(path, reader, parse=lambda line: line):
    found = []
    with open(path, encoding="utf-8", newline="\n") as f:
        for n, line in enumerate(f, 1):
            try:
                need(line.endswith("\n"), "no line end")
                found.append(reader(parse(line[:-1])))
            except (Wrong, ValueError, KeyError) as e:
                raise Wrong(f"{path}:{n}: {e!r}") from e
    return found


def check_all(folder):
    with open(folder + "/notice.log", encoding="utf-8", newline="\n") as f:
        text = f.read()
    try:
        columns, notices = notice_log(text) if text else ({}, [])
    except Wrong as e:
        raise Wrong(f"{folder}/notice.log: {e}") from e
    found = {"notice.log": notices}
    for name, reader, parse in (("ecs.json", ecs, document), ("ocsf.json", ocsf, document),
                                ("cef", cef, str), ("leef", leef, str),
                                ("notice.json", lambda d: notice_json(d, columns), document)):
        found[name] = lines_of(f"{folder}/{name}", reader, parse)
    for name, rows in found.items():
        need(rows == found["ecs.json"], f"{name} has other alerts than ecs.json")
    return len(found["ecs.json"])


def main():
    try:
        if sys.argv[1] == "all":
            print(sum(map(check_all, sys.argv[2:])))
        else:
            print(sum(len(lines_of(p, ecs, document)) for p in sys.argv[2:]))
    except Wrong as e:
        sys.exit(str(e))


if __name__ == "__main__":
    main()
