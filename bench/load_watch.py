"""Asks an app for its health ten times a second, until it is ended; then prints the seconds of each call."""

from __future__ import annotations

import http.client
import signal
import sys
import time
import urllib.parse


def main() -> None:
    """Ask and ask again."""
    split = urllib.parse.urlsplit(sys.argv[1])
    took: list[float] = []

    def end(*_: object) -> None:
        print(*took, flush=True)
        sys.exit()

    signal.signal(signal.SIGTERM, end)
    print("watching", flush=True)
    while True:
        begun = time.perf_counter()
        line = http.client.HTTPConnection(str(split.hostname), split.port, timeout=30)
        line.request("GET", "/healthz")
        assert line.getresponse().status == 200
        took.append(time.perf_counter() - begun)
        line.close()
        time.sleep(0.1)


if __name__ == "__main__":
    main()
