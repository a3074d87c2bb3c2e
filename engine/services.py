"""What the page and the API work with, each service by its name."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from engine.decoders import Decoders
from engine.engine import Engine
from engine.experiments import Experiments
from engine.images import Images
from engine.live import LiveDrafts
from engine.meters import Meters
from engine.quotas import Quotas
from engine.uploads import Uploads
from storage.files.disk import DiskProbe
from storage.protocols import Library


@dataclass(frozen=True)
class Services:
    """The services of one process; `app.assemble` makes them.

    Attributes:
        engine: runs jobs.
        experiments: many jobs with one plan.
        live: drafts that follow the dials.
        meters: how results compare with their references.
        images: the pictures of all owners.
        uploads: what comes in before a job.
        library: results by time, star and the words of their prompts.
        quotas: what a visitor may ask for.
        decoders: read pictures in processes of their own.
        disk: whether the data folder can be written to.
    """

    engine: Engine
    experiments: Experiments
    live: LiveDrafts
    meters: Meters
    images: Images
    uploads: Uploads
    library: Library
    quotas: Quotas
    decoders: Decoders
    disk: DiskProbe

    async def close(self) -> None:
        """Stop everything, as `Engine.close` does, and end the decoders meanwhile."""
        await asyncio.gather(self.experiments.close(), self.meters.close())
        await asyncio.gather(self.engine.close(), self.decoders.close())
