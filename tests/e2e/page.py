#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Opens a page in headless Chromium and prints, as JSON, what came of it.

    page.py FILE [--width N] [--dark] [--no-scripts] [--screenshot PNG] [--do JS]...

"console" has every message and exception, "requests" every URL but the page's own and data:,
"dialogs" what alert() and its like said, "did" the value of each --do, in order, an expression or a
promise of one. Chromium is told by its pipe (--remote-debugging-pipe: documents of JSON, each ended
by a NUL), so that nothing but Debian's own chromium and python3 is needed. Run it in a namespace
without a network."""
import argparse
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

DEADLINE = 60  # seconds, for everything


class Browser:
    def __init__(self, profile):
        to_read, self.to = os.pipe()
        self.of, of_write = os.pipe()
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions",
                 "--disable-background-networking", "--disable-component-update", "--disable-sync",
                 "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-pipe",
                 f"--user-data-dir={profile}", "about:blank"]

        def ends():  # the pipe's ends have these numbers
            os.dup2(to_read, 13)
            os.dup2(of_write, 14)
            os.dup2(13, 3)
            os.dup2(14, 4)

        self.process = subprocess.Popen(
            ["chromium", *flags], preexec_fn=ends, close_fds=False, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(of_write)
        self.number = 0
        self.rest = b""
        self.events = []
        self.end = time.monotonic() + DEADLINE

    def read(self):
        """The next document."""
        while b"\0" not in self.rest:
            if time.monotonic() > self.end:
                raise TimeoutError("chromium says nothing")
            more = os.read(self.of, 1 << 20)
            if not more:
                raise EOFError("chromium is gone")
            self.rest += more
        document, self.rest = self.rest.split(b"\0", 1)
        return json.loads(document)

    def call(self, method, session=None, **params):
        self.number += 1
        document = {"id": self.number, "method": method, "params": params}
        if session:
            document["sessionId"] = session
        os.write(self.to, json.dumps(document).encode() + b"\0")
        while True:
            got = self.read()
            if got.get("id") != self.number:
                self.events.append(got)
                self.answer_dialog(got)
                continue
            if "error" in got:
                raise RuntimeError(f"{method}: {got['error']}")
            return got["result"]

    def answer_dialog(self, event):
        if event.get("method") == "Page.javascriptDialogOpening":
            self.number += 1
            os.write(self.to, json.dumps({
                "id": self.number, "method": "Page.handleJavaScriptDialog", "params": {"accept": True},
                "sessionId": event["sessionId"]}).encode() + b"\0")

    def wait(self, method):
        while not any(e.get("method") == method for e in self.events):
            self.events.append(self.read())
            self.answer_dialog(self.events[-1])


def texts(event):
    params = event["params"]
    if event["method"] == "Runtime.consoleAPICalled":
        return [" ".join(str(a.get("value", a.get("description"))) for a in params["args"])]
    if event["method"] == "Runtime.exceptionThrown":
        details = params["exceptionDetails"]
        return [details.get("exception", {}).get("description", details["text"])]
    if event["method"] == "Log.entryAdded":
        return [params["entry"]["text"]]
    return []


def visit(browser, args):
    url = "file://" + os.path.abspath(args.file)
    target = browser.call("Target.createTarget", url="about:blank")["targetId"]
    session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    for domain in ("Page", "Runtime", "Log", "Network"):
        browser.call(domain + ".enable", session)
    browser.call("Emulation.setDeviceMetricsOverride", session, width=args.width, height=900,
                 deviceScaleFactor=1, mobile=False)
    browser.call("Emulation.setEmulatedMedia", session, media="print" if args.print else "",
                 features=[{"name": "prefers-color-scheme", "value": "dark" if args.dark else "light"}])
    if args.no_scripts:
        browser.call("Emulation.setScriptExecutionDisabled", session, value=True)
    browser.events.clear()
    begun = time.monotonic()
    browser.call("Page.navigate", session, url=url.replace("%", "%25").replace("#", "%23").replace("?", "%3F"))
    browser.wait("Page.loadEventFired")
    did = []
    for expression in args.do:
        got = browser.call("Runtime.evaluate", session, expression=expression, returnByValue=True,
                           awaitPromise=True)
        if "exceptionDetails" in got:
            raise RuntimeError(f"{expression}: {got['exceptionDetails']['exception'].get('description')}")
        did.append(got["result"].get("value"))
    took = time.monotonic() - begun
    if args.screenshot:
        shot = browser.call("Page.captureScreenshot", session, captureBeyondViewport=True, clip=None or {
            "x": 0, "y": 0, "scale": 1, "width": args.width, "height": min(8000, browser.call(
                "Page.getLayoutMetrics", session)["cssContentSize"]["height"])})
        with open(args.screenshot, "wb") as f:
            f.write(base64.b64decode(shot["data"]))
    own = [e for e in browser.events if e.get("sessionId") == session]
    requests = [e["params"]["request"]["url"] for e in own if e["method"] == "Network.requestWillBeSent"]
    return {
        "console": [t for e in own for t in texts(e)],
        "requests": [u for u in requests[1:] if not u.startswith("data:")],
        "dialogs": [e["params"]["message"] for e in own if e["method"] == "Page.javascriptDialogOpening"],
        "did": did,
        "seconds": round(took, 2),
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--print", action="store_true")
    parser.add_argument("--no-scripts", action="store_true")
    parser.add_argument("--screenshot")
    parser.add_argument("--do", action="append", default=[])
    args = parser.parse_args()
    profile = tempfile.mkdtemp(prefix="reconmon-page.")
    browser = Browser(profile)
    try:
        print(json.dumps(visit(browser, args)))
    finally:
        os.killpg(browser.process.pid, 9)  # a session of its own: chromium and its children
        browser.process.wait()
        shutil.rmtree(profile, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
