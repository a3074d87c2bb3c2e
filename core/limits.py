"""What a visitor may ask for, and what the app's owner pays: each limit a setting, each with words of its own.

The counting is the library `limits`: moving windows have corners that others have found already.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypedDict

from limits import RateLimitItemPerDay, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from core.errors import BudgetSpent, TooManyRuns
from core.images import MAX_BYTES, MAX_PIXELS, REFERENCE_PIXELS
from core.job import Allowance, Visitor

DAY = 86_400.0


class PictureLimits(TypedDict):
    """What `core.images.read_reference` takes."""

    max_bytes: int
    max_pixels: int
    reference_pixels: int


@dataclass(frozen=True, kw_only=True)
class Caps:
    """The limits' values; None sets none.

    Attributes:
        max_bytes, max_pixels: of a picture that comes in.
        reference_pixels: that a larger picture is scaled down to.
        per_minute, per_day: runs from one network address.
        budget: US dollars a day (UTC) that runs with the app owner's keys may cost.
        quota: bytes of pictures on the disk.
        cache_age: seconds for which a reference that nobody ran is kept.
    """

    max_bytes: int = MAX_BYTES
    max_pixels: int = MAX_PIXELS
    reference_pixels: int = REFERENCE_PIXELS
    per_minute: int | None = None
    per_day: int | None = None
    budget: float | None = None
    quota: int = 20_000_000_000
    cache_age: float = DAY

    @property
    def of_pictures(self) -> PictureLimits:
        """The limits on a picture that comes in, as `core.images.read_reference` takes them."""
        return {
            "max_bytes": self.max_bytes,
            "max_pixels": self.max_pixels,
            "reference_pixels": self.reference_pixels,
        }


class Limits:
    """Counts runs.

    Args:
        caps: the limits' values.
        now: seconds since the epoch.
    """

    def __init__(self, caps: Caps | None = None, now: Callable[[], float] = time.time) -> None:
        self.caps = caps = caps or Caps()
        self._now = now
        self._windows = MovingWindowRateLimiter(MemoryStorage())
        self._allowance = Allowance(caps.per_minute, caps.per_day)

    def count(self, visitor: Visitor) -> None:
        """Count a run of a visitor; one without an address is the owner of the machine, and is not counted.

        Raises:
            TooManyRuns: there were enough already; this one is not counted.
        """
        if not visitor.address:
            return
        allowed = visitor.allowance or self._allowance
        kinds = ((RateLimitItemPerMinute, allowed.per_minute), (RateLimitItemPerDay, allowed.per_day))
        rates = [kind(amount) for kind, amount in kinds if amount is not None]
        for rate in rates:
            if not self._windows.test(rate, visitor.address):
                wait = max(1.0, self._windows.get_window_stats(rate, visitor.address).reset_time - self._now())
                span = "minute" if isinstance(rate, RateLimitItemPerMinute) else "day"
                raise TooManyRuns(
                    f"At most {rate.amount} runs a {span} are taken from one place.",
                    f"Run again {_in(wait)}.",
                    wait=wait,
                )
        for rate in rates:
            self._windows.hit(rate, visitor.address)

    def afford(self, estimate: float, spent: float) -> None:
        """Check that the app owner's money reaches for a run.

        Args:
            estimate: US dollars that the run may cost.
            spent: US dollars that went since `today`.

        Raises:
            BudgetSpent: it does not.
        """
        if self.caps.budget is not None and spent + estimate > self.caps.budget:
            raise BudgetSpent(
                f"The owner of this app pays ${self.caps.budget:.2f} a day, and that is spent.",
                "Paste a key of your own, choose another backend, or come back tomorrow.",
            )

    def today(self) -> float:
        """Return when the day began, in seconds since the epoch (UTC)."""
        return self._now() // DAY * DAY


def _in(seconds: float) -> str:
    if seconds < 90:
        return f"in {seconds:.0f} s"
    return f"in {seconds / 60:.0f} min" if seconds < 5400 else f"in {seconds / 3600:.0f} h"
