"""RQ with the worker that does not fork; results are not kept."""

import logging
import sys

from redis import Redis
from rq import Queue, SimpleWorker

import program

connection = Redis.from_url(sys.argv[1])
queue = Queue("bench", connection=connection)


def noop(data):
    program.tally.handle(data)


# RQ refuses functions of the main module: workers import them by name.
NAME = "rq_peer.noop"
sys.modules["rq_peer"] = sys.modules[__name__]


def add(data):
    queue.enqueue(NAME, data, result_ttl=0)


def add_many(many):
    queue.enqueue_many([Queue.prepare_data(NAME, (data,), result_ttl=0) for data in many])


def work():
    logging.disable(logging.WARNING)
    SimpleWorker([queue], connection=connection, log_job_description=False).work()


program.serve(sys.modules[__name__])
