"""Render the example reference pictures.

    python -m tools.examples [OUTDIR] [--only NAME ...]

Writes mountain-lake.jpg, still-life.jpg and street.jpg into OUTDIR (assets/examples
by default). Every seed is fixed, so a run repeats the same pictures.
All three take about three minutes on 2 cores (about one minute each; one core does the
work), and 1.4 GB of memory.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from tools.examples import film, lake, still_life, street

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "examples"
SCENES: dict[str, Callable[[], Image.Image]] = {
    "mountain-lake": lake.picture,
    "still-life": still_life.picture,
    "street": street.picture,
}


def main() -> None:
    """Render the scenes that were asked for."""
    parser = argparse.ArgumentParser(description="Render the example reference pictures.")
    parser.add_argument("outdir", nargs="?", type=Path, default=FOLDER)
    parser.add_argument("--only", nargs="+", choices=sorted(SCENES), default=list(SCENES))
    options = parser.parse_args()
    options.outdir.mkdir(parents=True, exist_ok=True)
    for name in options.only:
        start = time.perf_counter()
        path = options.outdir / f"{name}.jpg"
        film.save(SCENES[name](), path)
        seconds = time.perf_counter() - start
        print(f"{path}  {path.stat().st_size / 1000:.0f} kB  {seconds:.0f} s")


if __name__ == "__main__":
    main()
