"""A process that is killed at any moment loses nothing that was paid for, and pays for nothing twice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.crash_cycle import POINTS, TAKEN, Cycles, cycles

pytestmark = pytest.mark.integration

TIMES = 3
"""How often each point is tried here; `make bench` tries it twenty times."""

NEVER_TAKEN = ("before a folder's first table", "during a migration", "before insert")


@pytest.fixture(scope="module")
def crashes() -> Iterator[Cycles]:
    with cycles() as started:
        yield started


@pytest.mark.parametrize("point", POINTS)
def test_a_killed_job_is_taken_up_and_paid_for_once(crashes: Cycles, point: str) -> None:
    for seed in range(TIMES):
        outcome = crashes.run(point, seed)
        assert outcome.faults == (), f"seed {seed}"
        assert all(job["ended"] for job in outcome.jobs), f"seed {seed}"
        if point in NEVER_TAKEN:  # the click was never taken, and nobody was told it was
            assert (outcome.posts, outcome.jobs) == (0, [])
            continue
        (job,) = outcome.jobs
        # Killed between the note and the sending, nobody can tell whether it was sent: it is not sent again.
        assert outcome.posts == (0 if point == "before send" else 1), f"seed {seed}"
        if point in ("before send", "after send"):
            assert job["error"] == "SubmitUnknown"
            assert "its answer is lost" in job["words"]
        else:
            assert job["error"] is None, f"seed {seed}: {job['words']}"
            assert point in (*TAKEN, "after insert")
