"""Run every benchmark and print one table: `make bench`, or `python -m bench NAME ...`."""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from pathlib import Path

from bench import (
    abuse,
    api,
    cold_start,
    compare,
    crash,
    doors,
    explore,
    first_result,
    hosted,
    idle,
    intake,
    levels,
    library,
    live,
    load,
    mini,
    page,
    pictures,
    recipes,
    soak,
    start,
    store,
    tabs,
)
from bench.abuses import ABUSES
from bench.table import Row, show

BENCHES = {
    "abuse": abuse.measure,
    "api": api.measure,
    "cold_start": cold_start.measure,
    "compare": compare.measure,
    "crash": crash.measure,
    "doors": doors.measure,
    "explore": explore.measure,
    "first_result": first_result.measure,
    "hosted": hosted.measure,
    "idle": idle.measure,
    "intake": intake.measure,
    "levels": levels.measure,
    "library": library.measure,
    "live": live.measure,
    "load": load.measure,
    "mini": mini.measure,
    "page": page.measure,
    "pictures": pictures.measure,
    "recipes": recipes.measure,
    "soak": soak.measure,
    "start": start.measure,
    "store": store.measure,
    "tabs": tabs.measure,
}
LONG = ("abuse",)
"""Half an hour and more: measured when named."""


def main() -> None:
    """Measure, print, and write `bench/results.json`. A short result is no failure: the table says so."""
    parser = argparse.ArgumentParser(description="Ratios against their goals.")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"some of {', '.join(BENCHES)}; all but the long when left out"
    )
    parser.add_argument("--only", default="", metavar="ABUSE", help=f"of abuse, one of {', '.join(ABUSES)}")
    parser.add_argument("--seconds", type=float, default=abuse.SECONDS, help="for which each abuse goes on")
    given = parser.parse_args()
    wanted = given.names or [name for name in BENCHES if name not in LONG]
    if unknown := set(wanted) - set(BENCHES):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    if given.only not in ("", *ABUSES):
        parser.error(f"there is no abuse {given.only}")
    rows: list[Row] = []
    for name in wanted:
        print(f"measuring {name} ...", file=sys.stderr)
        rows += abuse.measure(given.only, given.seconds) if name == "abuse" else BENCHES[name]()
    print(show(rows))
    report = {
        "time": time.strftime("%FT%TZ", time.gmtime()),
        "machine": platform.platform(),
        "rows": [vars(r) for r in rows],
    }
    path = Path(__file__).parent / "results.json"
    path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
