"""When to look at a provider's task again."""

from __future__ import annotations

import math
import random
import statistics
from collections import deque
from dataclasses import dataclass

JITTER = (0.9, 1.0)
"""By which waits are multiplied, so that many tasks are not looked at together."""


@dataclass(frozen=True)
class Growing:
    """Waits that grow with the time that has passed.

    Attributes:
        shortest: seconds.
        share: of the time since the submit.
        longest: seconds; it bounds the growth.
    """

    shortest: float
    share: float
    longest: float = math.inf

    def wait(self, elapsed: float) -> float:
        """Return the wait, in seconds, after so many seconds."""
        return min(self.longest, max(self.shortest, self.share * elapsed))


# Where nothing is known of how long tasks take.
FIRST_WAIT = 0.4
"""Seconds until the first look; at most, where earlier tasks are known."""
GROWTH, LONGEST_WAIT = 1.3, 5.0
"""A factor from each wait to the next, and seconds at which that ends."""
UNKNOWN_SHARE = 1 / 10
"""A wait is at least this share of the time that has passed."""

# Where earlier tasks are known: shares of the time that one is expected to take.
FIRST_LOOK = 0.6
"""The first look, where that is sooner than `FIRST_WAIT`."""
EARLY_UNTIL, EARLY_LOOK, EARLY_FROM_SECONDS = 0.4, 0.45, 4.0
"""Until the first share, a task expected to take more than so many seconds is looked at once more, at the second."""
DIRECT_UNTIL = 0.75
"""Until here the next look is the one at the earliest end."""
EARLIEST_END = 0.88
"""Before this no task is expected to end, unless earlier ones say otherwise."""
NEAR_END = Growing(0.1, 1 / 32)
"""Waits around the end."""
LATE_FROM = 1.25
"""From here on a task is late."""
LATE = Growing(0.15, 1 / 5, 30.0)
"""Waits then."""


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
        """Return the seconds after which an end is possible, None before the first task.

        That is just after the shortest of five or more tasks, and well before the median of fewer.
        """
        expected = self.expected()
        if expected is None or len(self._seconds) < 5:
            return expected and EARLIEST_END * expected
        return max(EARLIEST_END * expected, 1.01 * min(self._seconds) + 0.01)


def pause(elapsed: float, looks: int, expected: float | None, soonest: float | None = None) -> float:
    """Return the seconds to wait before the next look at a task.

    Where nothing is known, waits grow. Where earlier tasks are, a task goes through phases: a first look, an early one
    if it takes long, none until the end is possible, and then looks close together: that is where the end lies, and
    where waiting is noticed. A late task is looked at ever more rarely.

    Args:
        elapsed: seconds since its submit.
        looks: at it so far.
        expected: seconds that such a task takes, None if not known; see `Pace.expected`.
        soonest: seconds after which its end is possible; see `Pace.soonest`.
    """
    jitter = random.uniform(*JITTER)  # noqa: S311 - spreads load, guards nothing
    if expected is None:
        return jitter * _unknown(elapsed, looks)
    if not looks:
        return jitter * min(FIRST_WAIT, FIRST_LOOK * expected)
    if elapsed > LATE_FROM * expected:
        return jitter * LATE.wait(elapsed)
    if elapsed < EARLY_UNTIL * expected and expected > EARLY_FROM_SECONDS:
        return jitter * (EARLY_LOOK * expected - elapsed)
    end = soonest or EARLIEST_END * expected
    if elapsed < min(DIRECT_UNTIL * expected, end):
        return end - elapsed  # without jitter: a look just before the end is wasted
    return jitter * NEAR_END.wait(elapsed)


def _unknown(elapsed: float, looks: int) -> float:
    return max(min(LONGEST_WAIT, FIRST_WAIT * GROWTH**looks), UNKNOWN_SHARE * elapsed)
