"""Notes on how pictures may be used, as archives have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.messages import say
from core.spec import BackendSpec
from storage.archive import ArchivedJob


def licences(jobs: Sequence[ArchivedJob], specs: Mapping[str, BackendSpec]) -> str:
    """Return in words how the pictures of each backend may be used."""
    lines = []
    for key in sorted({job.backend for job in jobs}):
        spec = specs.get(key)
        models = sorted({image.model for job in jobs if job.backend == key for image in job.images})
        licence = say("licence-unknown") if spec is None or spec.licence is None else str(spec.licence)
        lines.append(f"{key if spec is None else spec.label} ({', '.join(models)})\n{licence}\n")
    return "\n".join(lines)
