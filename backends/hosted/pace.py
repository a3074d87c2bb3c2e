"""When to look at a provider's task again."""

from __future__ import annotations

import random
import statistics
from collections import deque


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
            return expected and 0.88 * expected
        return max(0.88 * expected, 1.01 * min(self._seconds) + 0.01)


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
    jitter = random.uniform(0.9, 1.0)  # noqa: S311 - spreads load, guards nothing
    if expected is None:
        return jitter * max(min(5.0, 0.4 * 1.3**looks), elapsed / 10)
    if not looks:
        return jitter * min(0.4, 0.6 * expected)
    if elapsed > 1.25 * expected:
        return jitter * min(30.0, max(0.15, elapsed / 5))
    if elapsed < 0.4 * expected and expected > 4:
        return jitter * (0.45 * expected - elapsed)
    aim = soonest or 0.88 * expected
    if elapsed < min(0.75 * expected, aim):
        return aim - elapsed  # to the point: a look just before the end is one for nothing
    return jitter * max(0.1, elapsed / 32)
