"""Jobs that have ended, written straight into a store."""

from __future__ import annotations

import hashlib
import io

from PIL import Image

from core.job_state import JobState
from core.recipe import ImageRef, Recipe
from storage.rows import Done, Record, ResultRow
from storage.sqlite.inserts import Kept
from storage.sqlite.store import Store


def picture(number: int) -> bytes:
    """Return a small PNG file, another for each number below 256."""
    file = io.BytesIO()
    Image.new("RGB", (8, 6), (number, 0, 0)).save(file, "PNG")
    return file.getvalue()


def ended_job(store: Store, owner: str, number: int, images: int = 2) -> None:
    """Write a job that has ended with some pictures and one that is missing."""
    data = [picture(number * 10 + each) for each in range(images + 1)]
    names = [store.images.put(each, "image/png").name for each in data]
    reference = ImageRef(digest=names[0][:64], mime="image/png", width=8, height=6, size=len(data[0]))
    recipe = Recipe(
        backend="fake", prompt=f"lake {number}", params={"strength": 0.5}, seed=7, seeds=(7,) * 3, reference=reference
    )
    text = recipe.model_dump_json()
    record = Record(
        id=f"{owner}{number}", owner=owner, backend="fake", created=100.0 + number, recipe=text, remote="[]"
    )
    store.add(record, Kept(names[0], len(data[0])))
    rows = [
        ResultRow(
            place=place,
            seed=place,
            digest=hashlib.sha256(each).hexdigest(),
            mime="image/png",
            width=8,
            height=6,
            bytes=len(each),
        )
        for place, each in enumerate(data[1:])
    ]
    why = '{"code":"withheld-by-safety-checker","values":{}}'
    rows.append(ResultRow(place=images, seed=9, missing="nsfw", why=why))
    report = '{"timings":{"total":1.5},"notices":[]}'
    done = Done(report=report, recipe=text, model="m", parent=None, results=rows, prompt=recipe.prompt)
    store.end(record.id, JobState.DONE, 1000.0 + number, done=done, cost=0.3)
