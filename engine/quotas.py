"""What a visitor may ask for, and what the app's owner pays: each limit a setting, each with a message of its own.

Runs are counted by the library `limits`: moving windows have corners that others have found already. All other work
is counted by `Pace`: the library's memory keeps every key it ever saw, and visitors' cookies are free.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from core.errors import BudgetSpent, TooManyRequests, TooManyRuns
from core.job import Allowance, Visitor
from core.limits import DAY, Caps
from core.messages import Message, message


@dataclass(frozen=True)
class Share:
    """How much of one kind of work is done for one visitor, and for one network address.

    Attributes:
        visitor, address: amounts in `span`; an address has more, for an office shares one.
        span: seconds.
        code: the message of its refusal, with the variables `amount`, `who` and `after`.
    """

    visitor: float
    address: float
    span: float
    code: str


REQUESTS = Share(600, 1800, 60.0, "limit-requests")
"""A slider that is dragged sends about ten a second; each takes the server a few milliseconds."""
REFERENCES = Share(30, 120, 60.0, "limit-references")
"""A large photo takes a decoder seconds; a person looks at a picture longer than that before they choose the next."""
FETCHES = Share(10, 40, 60.0, "limit-fetches")
"""Each may hold a connection for 20 seconds, to a host that the visitor chose."""
KEY_CHECKS = Share(6, 24, 60.0, "limit-key-checks")
"""Each is a request to a provider: nobody tries out keys here."""


class Pace:
    """Counts amounts over time (the generic cell rate algorithm): a whole share at once, then as it comes back.

    One number a key: when its share will be whole again. From then on the key is forgotten.

    Args:
        now: seconds, on a clock that never goes back.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._whole = dict[str, float]()
        self._sweep_at = 1000

    def wait(self, key: str, amount: float, limit: float, span: float) -> float:
        """Return the seconds until `amount` of `limit` in `span` seconds fits; 0 where it does now."""
        now = self._now()
        return max(0.0, max(self._whole.get(key, now), now) - now + min(amount, limit) * span / limit - span)

    def add(self, key: str, amount: float, limit: float, span: float) -> None:
        """Count an amount."""
        now = self._now()
        self._whole[key] = max(self._whole.get(key, now), now) + amount * span / limit
        if len(self._whole) > self._sweep_at:
            self._whole = {each: whole for each, whole in self._whole.items() if whole > now}
            self._sweep_at = max(1000, 2 * len(self._whole))


class Quotas:
    """Counts runs, and all other work that a visitor may ask for.

    A visitor without an address is the owner of the machine, and is not counted.

    Args:
        caps: the limits' values.
        now: seconds since the epoch.
        clock: seconds, on a clock that never goes back.

    Attributes:
        caps: the limits' values.
        now: seconds since the epoch.
    """

    def __init__(
        self,
        caps: Caps | None = None,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.caps = caps = caps or Caps()
        self.now = now
        self._windows = MovingWindowRateLimiter(MemoryStorage())
        self._allowance = Allowance(caps.per_minute, caps.per_day)
        self._pace = Pace(clock)

    def count(self, visitor: Visitor, runs: int = 1) -> None:
        """Count a run of a visitor.

        Args:
            visitor: who asks.
            runs: of an experiment; they begin as there is room, so they are one of the minute's, and all of the day's.

        Raises:
            TooManyRuns: there were enough already; nothing is counted.
        """
        self.check(visitor, runs)
        for rate in self._rates(visitor):
            self._windows.hit(rate, visitor.address, cost=_cost(rate, runs))

    def check(self, visitor: Visitor, runs: int = 1) -> None:
        """Check that a visitor may start a run now, or so many of an experiment, without counting them.

        Raises:
            TooManyRuns: there were enough already, or there would be too many.
        """
        for rate in self._rates(visitor):
            if not self._windows.test(rate, visitor.address, cost=_cost(rate, runs)):
                wait = max(1.0, self._windows.get_window_stats(rate, visitor.address).reset_time - self.now())
                code = "limit-runs-minute" if isinstance(rate, RateLimitItemPerMinute) else "limit-runs-day"
                raise TooManyRuns(code, amount=rate.amount, wait=wait, after=_in(wait))

    def left_today(self, visitor: Visitor) -> int | None:
        """Return how many runs a visitor may still start today, None where there is no limit."""
        days = [each for each in self._rates(visitor) if isinstance(each, RateLimitItemPerDay)]
        return min((self._windows.get_window_stats(each, visitor.address).remaining for each in days), default=None)

    def _rates(self, visitor: Visitor) -> list[RateLimitItem]:
        if not visitor.address:
            return []
        allowed = visitor.allowance or self._allowance
        kinds = ((RateLimitItemPerMinute, allowed.per_minute), (RateLimitItemPerDay, allowed.per_day))
        return [kind(amount) for kind, amount in kinds if amount is not None]

    def spend(self, share: Share, visitor: Visitor, amount: float = 1.0) -> None:
        """Count work of a kind other than a run.

        Raises:
            TooManyRequests: the visitor, or their network address, has had its share; this is not counted.
        """
        self.check_share(share, visitor, amount)
        for key, limit, _ in _holders(share, visitor):
            self._pace.add(key, amount, limit, share.span)

    def check_share(self, share: Share, visitor: Visitor, amount: float) -> None:
        """Check that a share has room for an amount, without counting it; more than a whole share needs a whole one.

        Raises:
            TooManyRequests: it has not.
        """
        waits = [
            (self._pace.wait(key, amount, limit, share.span), limit, who)
            for key, limit, who in _holders(share, visitor)
        ]
        wait, limit, who = max(waits, default=(0.0, 0.0, ""))
        if wait > 0:
            wait = max(1.0, wait)
            raise TooManyRequests(share.code, amount=limit, who=who, wait=wait, after=_in(wait))

    def spend_reference(self, visitor: Visitor) -> None:
        """Count a reference that is read for a run: before the run itself is counted, also if it fails.

        Who may start many runs may have as many references uploaded and read, and some that fail.

        Raises:
            TooManyRequests: the visitor has had their share, of runs or of references.
        """
        self.check(visitor)
        runs = (visitor.allowance or self._allowance).per_minute
        if runs is not None:
            share = replace(
                REFERENCES, visitor=max(REFERENCES.visitor, 3 * runs), address=max(REFERENCES.address, 3 * runs)
            )
            self.spend(share, visitor)

    def uploads(self) -> Share | None:
        """Return the share of uploaded megabytes, None where there is no limit."""
        if self.caps.uploads_per_hour is None:
            return None
        most = self.caps.uploads_per_hour / 1e6
        return Share(most, most, 3600.0, "limit-uploads")

    def afford(self, estimate: float, spent: float) -> None:
        """Check that the app owner's money reaches for a run.

        Args:
            estimate: US dollars that the run may cost.
            spent: US dollars that went since `today`.

        Raises:
            BudgetSpent: it does not.
        """
        if self.caps.budget is not None and spent + estimate > self.caps.budget:
            raise BudgetSpent("budget-spent", dollars=self.caps.budget)

    def today(self) -> float:
        """Return when the day began, in seconds since the epoch (UTC)."""
        return self.now() // DAY * DAY


def _holders(share: Share, visitor: Visitor) -> list[tuple[str, float, str]]:
    """Return whose shares a visitor's work counts on: key, amount and name of each."""
    if not visitor.address:
        return []
    holders = [(f"{share.code} address {visitor.address}", share.address, "address")]
    if not visitor.passing:  # else the owner is new with each request
        holders.append((f"{share.code} visitor {visitor.owner}", share.visitor, "visitor"))
    return holders


def _cost(rate: RateLimitItem, runs: int) -> int:
    return runs if isinstance(rate, RateLimitItemPerDay) else 1


def _in(seconds: float) -> Message:
    if seconds < 90:
        return message("wait-seconds", amount=round(seconds))
    if seconds < 5400:
        return message("wait-minutes", amount=round(seconds / 60))
    return message("wait-hours", amount=round(seconds / 3600))
