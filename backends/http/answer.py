"""What comes back from a provider, or does not."""

from __future__ import annotations

import email.utils
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_WAIT = 7 * 86_400.0
"""Seconds; a longer wait is as good as never."""
MAX_RESULT = 20_000_000
"""Bytes of one picture that a provider made. References may be larger; providers' results are a few megapixels."""


class NotSent(Exception):
    """The request never left: it may be sent again."""


class Lost(Exception):
    """The request may have left, and no answer came: it must not be sent again."""


@dataclass(frozen=True)
class Answer:
    """What a provider answered. `headers` are in lower case; `body` is the parsed JSON, None where there is none."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = field(default=None, repr=False)

    @property
    def ok(self) -> bool:
        """Whether the status is one of success."""
        return 200 <= self.status < 300

    def wait(self, now: float) -> float | None:
        """Return the seconds that the provider asks to wait: milliseconds, seconds or an HTTP date.

        Args:
            now: seconds since the epoch.
        """
        try:
            if "retry-after-ms" in self.headers:
                return min(max(0.0, float(self.headers["retry-after-ms"]) / 1000), MAX_WAIT)
            text = self.headers["retry-after"]
            if text.strip().isdigit():
                return min(float(text), MAX_WAIT)
            return min(max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - now), MAX_WAIT)
        except (KeyError, ValueError, OverflowError):
            return None


def jitter(attempt: int) -> float:
    """Return the seconds before another attempt: full jitter under a doubling bound of 0.5 to 8 s."""
    return random.uniform(0.0, min(8.0, 0.5 * 2**attempt))  # noqa: S311 - spreads load, guards nothing
