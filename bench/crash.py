"""SIGKILL at each point of a job's life, twenty times: what is lost, what is paid twice, what is left lying about."""

from __future__ import annotations

import sys

from bench.table import Row
from tests.support.crash_cycle import POINTS, TAKEN, cycles

TIMES = 20


def measure() -> list[Row]:
    """Return the rows on all crashes together."""
    lost = twice = faults = unended = 0
    slowest = 0.0
    with cycles() as crashes:
        for point in POINTS:
            for seed in range(TIMES):
                outcome = crashes.run(point, seed)
                twice += max(0, outcome.posts - 1)
                faults += len(outcome.faults)
                for fault in outcome.faults:
                    print(f"{point}, seed {seed}: {fault}", file=sys.stderr)
                unended += sum(not job["ended"] for job in outcome.jobs)
                slowest = max(slowest, outcome.seconds)
                lost += point in TAKEN and not any(job["ended"] and not job["error"] for job in outcome.jobs)
    number = f"of {len(POINTS) * TIMES} crashes at {len(POINTS)} points"
    return [
        Row("crashes: runs that the provider had and that were lost", lost, 0, "runs", number),
        Row("crashes: paid requests beyond one a click", twice, 0, "requests", number),
        Row("crashes: runs that did not end after the restart", unended, 0, "runs", number),
        Row("crashes: broken database, half or stray files", faults, 0, "faults", number),
        Row("crashes: from restart to every run's end, the slowest", slowest, 30, "s", number),
    ]
