"""A provider's price, read from its list now and then."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from backends.http.answer import Lost, NotSent
from core.errors import StudioError
from core.provider import Price

PRICE_KEPT = 3600.0
"""Seconds for which a price that was read stands."""


class PriceTag:
    """A price that is asked for at most once an hour.

    Args:
        documented: US dollars an image as the provider's page says.
        clock: seconds that never go back.
    """

    def __init__(self, documented: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._price = Price(documented)
        self._read: float | None = None
        self._clock = clock

    async def price(self, ask: Callable[[], Awaitable[float | None]]) -> Price:
        """Return the price; `ask` returns dollars or None, and what it raises leaves the price as it was."""
        now = self._clock()
        if self._read is None or now - self._read > PRICE_KEPT:
            self._read = now  # a provider that does not answer is not asked at every click either
            try:
                dollars = await ask()
            except (StudioError, NotSent, Lost):
                dollars = None
            if isinstance(dollars, int | float) and not isinstance(dollars, bool) and 0 <= dollars < 1000:
                self._price = Price(float(dollars), live=True)
        return self._price
