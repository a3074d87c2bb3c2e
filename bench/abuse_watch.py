"""Asks an app for its health five times a second, until it is ended; then prints the seconds of each call.

A call that finds no answer counts with the seconds that it waited, and with at least `LOST`.
"""

from __future__ import annotations

import http.client
import signal
import sys
import time
import urllib.parse

LOST = 30.0
"""Seconds that a call waits."""


def main() -> None:
    """Ask and ask again."""
    split = urllib.parse.urlsplit(sys.argv[1])
    took: list[float] = []
    begun = 0.0

    def end(*_: object) -> None:
        print(*took, time.perf_counter() - begun if begun else 0.0, flush=True)  # the open call too
        sys.exit()

    signal.signal(signal.SIGTERM, end)
    print("watching", flush=True)
    while True:
        begun = time.perf_counter()
        connection = http.client.HTTPConnection(str(split.hostname), split.port, timeout=LOST)
        try:
            connection.request("GET", "/healthz")
            well = connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            well = False
        took.append(time.perf_counter() - begun if well else LOST)
        begun = 0.0
        connection.close()
        time.sleep(0.2)


if __name__ == "__main__":
    main()
