"""What a client's calls came to: a line for each, client | method | outcome; refusals, looks that wait.

Knows no client and no call.
"""

import contextlib
import json
import os
import signal
import sys
import time
import traceback
import urllib.request
from unittest import mock

# A client that hangs is a failure like any other: seconds a script may take, far above what one takes.
ALL_TIME = 120
# Seconds that a view may take to show what happened, and between two looks at it.
PATIENCE, LOOK = 60, 0.02


class Table:
    """The lines of one client."""

    def __init__(self, client):
        self.client = client

    def said(self, method, outcome):
        """One line; whatever was asserted before it held."""
        text = str(outcome).replace("\n", " ")
        print(f"{self.client} | {method} | {text}", flush=True)

    def refused(self, expected, method, call):
        """`call` must raise an exception of exactly this type; gives it back."""
        try:
            answer = call()
        except Exception as raised:
            assert type(raised) is expected, f"{method}: {type(raised).__name__} instead of {expected.__name__}: {raised}"
            self.said(method, f"{type(raised).__name__}: {raised}")
            return raised
        raise AssertionError(f"{method}: {expected.__name__} expected, but it answered {answer}")


def eventually(call, condition):
    """Market data may be a moment behind: `call` until `condition` holds of its answer."""
    deadline = time.monotonic() + PATIENCE
    while not condition(answer := call()):
        assert time.monotonic() < deadline, f"it stayed {answer}"
        time.sleep(LOOK)
    return answer


@contextlib.contextmanager
def clock(seconds):
    """This process' clock is ahead by so many seconds, or behind: what a client reads of it."""
    real = time.time
    with mock.patch("time.time", lambda: real() + seconds):
        yield


class Arguments:
    """Where the exchange is and whose keys there are, from the command line: ADDRESS KEYS_FILE ADMIN."""

    def __init__(self):
        self.address, keys_file, self._admin = sys.argv[1:4]
        with open(keys_file, encoding="utf-8") as file:
            self.keys = {key["account"]: key for key in json.load(file)}
        with open(os.path.join(os.path.dirname(keys_file), "admin-token"), encoding="utf-8") as file:
            self._token = file.read().strip()

    @property
    def rest(self):
        return f"http://{self.address}"

    @property
    def sockets(self):
        return f"ws://{self.address}"

    def listed(self, symbol):
        """Whether there is such an instrument."""
        return any(row["symbol"] == symbol for row in self.administer("GET", "/admin/instruments"))

    def administer(self, method, path, body=None):
        """One call of the operators' port."""
        request = urllib.request.Request(
            f"http://{self._admin}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)


def restart():
    """Has the exchange killed as nobody can refuse (kill -9) and started again on the same addresses."""
    print("@restart", flush=True)
    line = sys.stdin.readline()
    assert line.strip() == "restarted", f"the test said {line!r}"


def run(main):
    """Runs a script to its end: not a client's own threads, which may never end, decide when that is."""
    signal.alarm(ALL_TIME)
    status = 0
    try:
        main()
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
