#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A web service that takes alerts as a strict one of its kind would, and writes each event that it
took to a file, one JSON document a line. Says "up" once it listens; every violation goes to standard
error and is answered with 400.

  collector.py KIND PORT FILE [--answers 503,cut,200] [--cert PEM]

KIND: webhook, hec (Splunk), elasticsearch. --answers: what the first requests get instead: a status,
`cut` (takes the event, and closes without an answer), `bulk429` (Elasticsearch: the document is to
be sent again)."""
import argparse
import http.server
import json
import re
import ssl
import sys

parser = argparse.ArgumentParser()
parser.add_argument("kind")
parser.add_argument("port", type=int)
parser.add_argument("file")
parser.add_argument("--answers", default="")
parser.add_argument("--cert")
args = parser.parse_args()
answers = [a for a in args.answers.split(",") if a]
out = open(args.file, "a", encoding="utf-8")
ids = set()


class Violation(Exception):
    pass


def check(truth, why):
    if not truth:
        raise Violation(why)


def one_json(text):
    try:
        return json.loads(text)
    except ValueError as e:
        raise Violation(f"no JSON ({e}): {text[:200]!r}") from e


def read_webhook(path, headers, body):
    check(path == "/hook", f"path {path}")
    key = headers["Idempotency-Key"] or ""
    check(re.fullmatch(r'"[0-9a-f]{16}-\d{20}"', key), f"key {key}")
    check(headers["Authorization"] == "Bearer s3cret", f"authorization {headers['Authorization']}")
    if headers["Content-Type"] == "text/plain; charset=utf-8":
        check("\n" not in body, "more than a line")
        return key, {"text": body}
    check(headers["Content-Type"] == "application/json", f"type {headers['Content-Type']}")
    return key, one_json(body)


def read_hec(path, headers, body):
    check(path == "/services/collector/event", f"path {path}")
    check(headers["Authorization"] == "Splunk s3cret", f"authorization {headers['Authorization']}")
    doc = one_json(body)
    known = {"time", "host", "source", "sourcetype", "index", "event", "fields"}
    check(set(doc) <= known, f"keys {set(doc) - known}")
    check(isinstance(doc["time"], float) and doc["time"] > 1.5e9, f"time {doc['time']}")
    check(doc["sourcetype"] == "reconmon:alert", f"sourcetype {doc['sourcetype']}")
    check(doc["index"] == "sec", f"index {doc.get('index')}")
    check(isinstance(doc["event"], dict), "the event is no object")
    return None, doc["event"]


def read_elasticsearch(path, headers, body):
    check(path == "/_bulk", f"path {path}")
    check(headers["Content-Type"] == "application/x-ndjson", f"type {headers['Content-Type']}")
    check(headers["Authorization"] == "ApiKey s3cret", f"authorization {headers['Authorization']}")
    check(body.endswith("\n"), "the body does not end with a line end")
    lines = body[:-1].split("\n")
    check(len(lines) == 2, f"{len(lines)} lines")
    action = one_json(lines[0])
    check(set(action) == {"create"}, f"action {action}")
    check(action["create"]["_index"] == "logs-reconmon.alert-default", f"{action}")
    check(re.fullmatch(r"[0-9a-f]{16}-\d+", action["create"]["_id"]), f"{action}")
    return action["create"]["_id"], one_json(lines[1])


def success(ident):
    if args.kind == "hec":
        return {"text": "Success", "code": 0}
    if args.kind == "elasticsearch":
        status = 409 if ident in ids else 201
        return {"errors": status != 201, "items": [{"create": {"status": status}}]}
    return {}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, doc):
        text = json.dumps(doc).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode("utf-8")
        todo = answers.pop(0) if answers else "200"
        try:
            check("Expect" not in self.headers, "asks before it sends")
            ident, event = globals()["read_" + args.kind](self.path, self.headers, body)
        except (Violation, KeyError) as e:
            print(f"violation: {e!r}", file=sys.stderr, flush=True)
            self.answer(400, {"text": str(e), "code": 6})
            return
        if todo == "bulk429":
            self.answer(200, {"errors": True, "items": [{"create": {
                "status": 429, "error": {"reason": "rejected execution"}}}]})
            return
        if todo in ("200", "cut"):
            reply = success(ident)
            if ident is None or ident not in ids:
                out.write(json.dumps(event) + "\n")
                out.flush()
            ids.add(ident)
        if todo == "cut":
            self.close_connection = True
            return
        if todo != "200":
            self.answer(int(todo), {"text": "not now", "code": 9})
            return
        self.answer(200, reply)


server = http.server.ThreadingHTTPServer(("127.0.0.1", args.port), Handler)
if args.cert:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(args.cert)
    server.socket = tls.wrap_socket(server.socket, server_side=True)
print("up", flush=True)
server.serve_forever()
