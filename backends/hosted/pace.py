"""When to look at a provider's task again."""

from __future__ import annotations

import random
import statistics
from collections import deque

JITTER = (0.9, 1.0)
"""By which waits are multiplied."""

# Where nothing is known: waits grow from the first to the longest, and then with the time that has passed.
FIRST_WAIT, GROWTH, LONGEST_WAIT = 0.4, 1.3, 5.0
"""Seconds, a factor, seconds."""
GROWN = 1 / 10
"""A wait is at least this part of the time that has passed."""

# Where the time of earlier tasks is known; parts are of that expected time.
FIRST_PART = 0.6
"""The first look comes after this part, if that is sooner than FIRST_WAIT."""
EARLY, HALFWAY = 0.4, 0.45
"""Before the first part, a long task is looked at once, at the second."""
LONG = 4.0
"""Seconds from which a task is worth that look."""
EARLIEST_END = 0.88
"""Before this part no task is thought to end, unless earlier ones say when."""
NEAR = 0.75
"""Up to this part, the next look is the one at the earliest end."""
CLOSE_SHORTEST, CLOSE_PART = 0.1, 1 / 32
"""Around the end: seconds at least, and a part of the time that has passed."""
OVERDUE = 1.25
"""From this part on a task is late, and waits grow with the time that has passed:"""
LATE_SHORTEST, LATE_PART, LATE_LONGEST = 0.15, 1 / 5, 30.0
"""Seconds at least, a part of that time, seconds at most."""


class Pace:
    """How long a provider's tasks take, by the latest ones."""

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=20)

    def add(self, seconds: float) -> None:
        """Remember a task's time from its submit to its end."""
        self._seconds.append(seconds)

    def expected(self) -> float | None:
        """Return the median, None before the first task."""
        return statistics.median(self._seconds) if self._seconds else None

    def soonest(self) -> float | None:
        """Return when a look may first pay: just after the shortest of some tasks, well before the end of few."""
        expected = self.expected()
        if expected is None or len(self._seconds) < 5:
            return expected and EARLIEST_END * expected
        return max(EARLIEST_END * expected, 1.01 * min(self._seconds) + 0.01)


def pause(elapsed: float, looks: int, expected: float | None, soonest: float | None = None) -> float:
    """Return the seconds to wait before the next look at a task.

    Where nothing is known, waits grow from 0.4 s by a third to 5 s. Where earlier tasks took `expected`
    seconds, one or two looks come early, the next when the end is possible, at `soonest`, and then they come close
    together: that is where the end lies, and where waiting is noticed. All others have jitter.

    Args:
        elapsed: seconds since its submit.
        looks: at it so far.
        expected, soonest: as `Pace` tells them.
    """
    jitter = random.uniform(*JITTER)  # noqa: S311 - spreads load, guards nothing
    if expected is None:
        return jitter * max(min(LONGEST_WAIT, FIRST_WAIT * GROWTH**looks), GROWN * elapsed)
    if not looks:
        return jitter * min(FIRST_WAIT, FIRST_PART * expected)
    if elapsed > OVERDUE * expected:
        return jitter * min(LATE_LONGEST, max(LATE_SHORTEST, LATE_PART * elapsed))
    if elapsed < EARLY * expected and expected > LONG:
        return jitter * (HALFWAY * expected - elapsed)
    aim = soonest or EARLIEST_END * expected
    if elapsed < min(NEAR * expected, aim):
        return aim - elapsed  # to the point: a look just before the end is one for nothing
    return jitter * max(CLOSE_SHORTEST, CLOSE_PART * elapsed)
