"""The app itself, which reads one address more: a slow server on this machine stands for one on the internet."""

from __future__ import annotations

import os
from typing import Any

import app
from backends.http import safe_fetch


class Reaching(safe_fetch.ImageFetcher):
    """A fetcher that trusts the slow server."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **{**named, "trusted": os.environ["SLOW_ADDRESS"]})


if __name__ == "__main__":
    safe_fetch.ImageFetcher = Reaching  # type: ignore[misc] # the app takes it from there when it starts
    app.main()
