# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Many clients of /metrics at once: such as ask again and again, such as send nonsense, and such as
connect and say nothing. Every answer that comes must be whole. hammer.py PORT"""
import http.client
import random
import socket
import sys
import threading
import time

PORT = int(sys.argv[1])
SECONDS = 4
whole, broken = [], []


def ask():
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        c = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
        try:
            for _ in range(5):
                c.request("GET", "/metrics")
                body = c.getresponse().read()
                good = body.startswith(b"# HELP reconmon_build_info") and b"\nprocess_max_fds " in body
                (whole if good else broken).append(len(body))
        except http.client.IncompleteRead as e:
            broken.append(str(e))
        except OSError:  # turned away: too many
            time.sleep(0.1)
        c.close()


def nonsense():
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        try:
            with socket.create_connection(("127.0.0.1", PORT), 5) as s:
                s.sendall(random.randbytes(random.randrange(1, 5000)))
                s.recv(100)
        except OSError:
            pass
        time.sleep(0.02)


random.seed(1)
idle = [socket.create_connection(("127.0.0.1", PORT)) for _ in range(40)]  # say nothing
threads = [threading.Thread(target=ask) for _ in range(16)] + [threading.Thread(target=nonsense)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print(len(whole), "answers whole,", len(broken), "not:", broken[:5])
sys.exit(bool(broken) or not whole)
