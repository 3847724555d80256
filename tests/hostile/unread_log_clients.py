#!/usr/bin/env python3
"""A server whose logs nobody reads ends all the same when it is asked to.

usage: tests/hostile/unread_log_clients.py ANNALS      (the variable ANNALS_BINARY names another program)

Standard error leads into a pipe that nobody reads, and there are thousands of lines for it. Each of them having a second of its own,
the end would take hours.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time

from hostile import Connection, Wrong, put, run

WRITES = 3000
END_SECONDS_MAX = 60   # generous: what is looked for is a server that never ends


def test(binary, directory) -> str:
    reading, writing = os.pipe()
    process = subprocess.Popen([binary, "serve", "--listen", "127.0.0.1:0", "--data", f"{directory}/data", "--log-level", "debug"],
                               cwd=directory, stdout=subprocess.PIPE, stderr=writing, text=True)
    os.close(writing)
    try:
        listening = re.search(r":(\d+)$", process.stdout.readline().strip())
        if not listening:
            raise Wrong("the server did not start")
        with Connection(int(listening[1])) as connection:
            for number in range(WRITES):
                if (status := put(connection, f"k{number % 50}", "v").status) != 200:
                    raise Wrong(f"a PUT got {status}")
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(END_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            raise Wrong(f"the server has not ended {END_SECONDS_MAX} s after SIGTERM") from None
        took = time.monotonic() - began
        if code != 0:
            raise Wrong(f"the server exited with {code}")
        os.set_blocking(reading, False)
        lines = os.read(reading, 1 << 22).decode().splitlines()
        for line in lines[:100]:
            json.loads(line)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        os.close(reading)
    return f"a server with {WRITES} writes in a log that nobody reads ended {took:.1f} s after SIGTERM"


if __name__ == "__main__":
    sys.exit(run(test, __doc__))
