"""The values of the limits: what one picture may have, one visitor may ask for, and the app's owner pays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from core.imaging.images import MAX_BYTES, MAX_PIXELS, REFERENCE_PIXELS

DAY = 86_400.0
"""Seconds."""


class PictureLimits(TypedDict):
    """What `core.imaging.images.read_reference` takes."""

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
        uploads_per_hour: bytes of files from one visitor, and from one network address.
        quota: bytes of pictures and uploaded files on the disk.
        archive: bytes of a project's archive that comes in, and of its files together.
        cache_age: seconds for which a reference that nobody ran is kept.
        cells: of one experiment.
        ask_runs, ask_dollars: of an experiment above which its visitor has to confirm it.
    """

    max_bytes: int = MAX_BYTES
    max_pixels: int = MAX_PIXELS
    reference_pixels: int = REFERENCE_PIXELS
    per_minute: int | None = None
    per_day: int | None = None
    budget: float | None = None
    uploads_per_hour: int | None = None
    quota: int = 20_000_000_000
    archive: int = 2_000_000_000
    cache_age: float = DAY
    cells: int = 400
    ask_runs: int = 64
    ask_dollars: float = 1.0

    def asks(self, runs: int, dollars: float) -> bool:
        """Return whether an experiment is so large that its visitor has to confirm it."""
        return runs > self.ask_runs or dollars > self.ask_dollars

    @property
    def of_pictures(self) -> PictureLimits:
        """The limits on a picture that comes in, as `core.imaging.images.read_reference` takes them."""
        return {
            "max_bytes": self.max_bytes,
            "max_pixels": self.max_pixels,
            "reference_pixels": self.reference_pixels,
        }
