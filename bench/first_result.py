"""From starting the app with nothing configured to the first result on an example picture."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from gradio_client import Client, handle_file

from bench.serve import ROOT, serve
from bench.table import Row
from ui.examples import EXAMPLES


def measure() -> list[Row]:
    """Start in an empty folder; run each example with its settings."""
    rows = []
    for example in EXAMPLES:
        with tempfile.TemporaryDirectory() as folder:
            begun = time.perf_counter()
            with serve(Path(folder), "app.py") as app:
                client = Client(app.url, verbose=False, download_files=folder)
                path = ROOT / "assets" / "examples" / example.file
                client.predict(handle_file(path), example.prompt, api_name="/edit", **example.settings)
                seconds = time.perf_counter() - begun
                client.close()
        rows.append(
            Row(
                f"first result on {example.file}",
                seconds,
                15,
                "s",
                f"of which {app.seconds:.1f} s until the app answers",
            )
        )
    return rows
