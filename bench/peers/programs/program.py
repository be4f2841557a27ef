"""Answers the bench's requests, a line of JSON each; the twin of program.ts.

Handlers run in the main thread, as both Celery and RQ want it; requests are read in another.
"""

import json
import os
import queue
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

ANSWERS = 3
PAYLOAD = {"text": "x" * 89}
THREADS_MAX = 20
WARM_UP_MS = 500


def moment():
    return time.monotonic_ns() / 1e6


class Tally:
    def __init__(self):
        self.seen, self.wanted = 0, None
        self.reached = threading.Event()

    def handle(self, data):
        if "sentAt" in data:
            self.latencies.append(moment() - data["sentAt"])
        self.seen += 1
        if self.seen == 1:
            self.started_at = moment()
        if self.seen == self.wanted:
            self.last_at = moment()
            self.reached.set()

    def count(self, count, seconds, **_):
        self.seen, self.wanted, self.latencies = 0, count, []
        self.started_at = self.last_at = 0
        self.reached.clear()
        whole = self.reached.wait(seconds)
        end = self.last_at if whole else moment()
        return {
            "jobs": min(self.seen, count) - 1,
            "ms": end - self.started_at,
            "tailJobs": 0,
            "tailMs": 0,
            "latencies": self.latencies,
        }


tally = Tally()


def enqueue(peer, callers, size, seconds, **_):
    def once():
        peer.add(PAYLOAD) if size == 1 else peer.add_many([PAYLOAD] * size)

    def until(end):
        jobs = 0
        while moment() < end:
            once()
            jobs += size
        return jobs

    threads = min(callers, THREADS_MAX)
    until(moment() + WARM_UP_MS)
    start = moment()
    end = start + seconds * 1000
    with ThreadPoolExecutor(threads) as pool:
        jobs = sum(pool.map(until, [end] * threads))
    return {"jobs": jobs, "ms": moment() - start}


def fill(peer, count, **_):
    for done in range(0, count, 1000):
        peer.add_many([PAYLOAD] * min(1000, count - done))
    return {}


def pace(peer, count, perSecond, **_):
    start = moment()
    for sent in range(count):
        wait = start + sent * 1000 / perSecond - moment()
        if wait > 0:
            time.sleep(wait / 1000)
        peer.add({"sentAt": moment()})
    return {"ms": moment() - start}


def serve(peer):
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    todo = queue.Queue()
    verbs = {"enqueue": enqueue, "fill": fill, "pace": pace, "close": lambda *_, **__: {}}

    def say(id, answer):
        os.write(ANSWERS, (json.dumps({"id": id, **answer}) + "\n").encode())

    def perform(id, verb, arguments):
        try:
            say(id, verbs[verb](peer, **arguments))
        except Exception as error:
            say(id, {"error": repr(error)})

    def listen():
        for line in sys.stdin:
            request = json.loads(line)
            id, verb = request.pop("id"), request.pop("verb")
            if verb == "count":
                answer = lambda id=id, request=request: say(id, tally.count(**request))
                threading.Thread(target=answer, daemon=True).start()
            else:
                todo.put((id, verb, request))
        os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    while True:
        id, verb, arguments = todo.get()
        if verb == "work":
            say(id, {})
            peer.work()
        else:
            perform(id, verb, arguments)
