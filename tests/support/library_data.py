"""A library of many results of one owner over many days, for measuring and for looking at.

    python -m tests.support.library_data FOLDER [COUNT]

A hundred small real pictures stand behind all of them. Prompts, styles, models, sizes and costs differ; some results
have stars, tags, notes and projects, some did not come. It is the same library each time, up to now.
"""

from __future__ import annotations

import contextlib
import json
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from core.imaging.images import encode
from core.job import EVERYONE
from core.job_state import JobState
from core.recipe import ImageRef, Model, Recipe, StyleUse
from storage.rows import Done, Failure, Marks, Record, ResultRow
from storage.sqlite.inserts import Kept
from storage.sqlite.store import Store

RESULTS, DAYS = 100_000, 500
PICTURES = 100
SIZES = ((384, 256), (256, 384), (320, 320), (512, 288))
MODELS = {"local": "mini", "aimlapi": "flux/srpo/image-to-image", "wavespeed": "wavespeed-ai/flux-srpo/image-to-image"}
COSTS = {"local": 0.0, "aimlapi": 0.02625, "wavespeed": 0.025}
STYLES = {"oil": "an oil painting", "ink": "an ink drawing", "neon": "neon light", "watercolour": "a watercolour"}
_NOUNS = ("lake", "harbour", "street", "forest", "portrait", "cat", "tower", "bridge", "desert", "garden", "window")
_MORE = (
    "market",
    "river",
    "mountain",
    "station",
    "kitchen",
    "lantern",
    "snow",
    "rain",
    "fog",
    "dawn",
    "dusk",
    "summer",
)
WORDS = (*_NOUNS, *_MORE, "winter", "golden", "quiet", "crowded", "empty", "ancient", "modern", "tiny", "vast")
RARE = "obsidian"
"""A word of one prompt in a thousand."""
TAGS, PROJECTS = ("best", "print", "client", "draft"), ("Harbour at night", "Portraits", "Posters")
QUOTA = 1 << 50


class Picture(NamedTuple):
    """A stored picture."""

    digest: str
    size: tuple[int, int]
    bytes: int


def main() -> None:
    """Fill the folder that the command names."""
    folder, *more = sys.argv[1:]
    begun = time.perf_counter()
    fill(Path(folder), int(more[0]) if more else RESULTS)
    print(f"made in {time.perf_counter() - begun:.1f} s")


def fill(folder: Path, count: int, owner: str = EVERYONE) -> None:
    """Write results into a fresh data folder, the last of them now, in one transaction.

    Args:
        folder: of the data; made where it is missing.
        count: of results that have a picture; one run in fifty fails beside them.
        owner: whose.
    """
    store, chance = Store(folder), random.Random(7)
    pictures = [*_pictures(store, min(PICTURES, count))]
    projects = [store.add_project(owner, name, time.time()).id for name in PROJECTS]
    ids = list[int]()
    writing = store._writing
    store._base.execute("pragma cache_size = -500000")  # all of it: else pages go to the disk and back in between
    with writing(), _indexed_later(store):
        store._writing = lambda: contextlib.nullcontext(store._base)  # type: ignore[assignment, return-value]
        begun, step = time.time() - DAYS * 86_400, DAYS * 86_400 / max(1, count)
        number = 0
        while len(ids) < count:
            now = begun + len(ids) * step
            ids += _job(
                store, chance, f"{number:032x}", owner, now, chance.choices(pictures, k=min(4, count - len(ids)))
            )
            number += 1
        _mark(store, chance, owner, ids, projects)
        _measure(store)
    store._writing = writing
    store._base.execute("pragma wal_checkpoint(truncate)")
    store.close()


@contextlib.contextmanager
def _indexed_later(store: Store) -> Iterator[None]:
    """Make the indexes of results when all are written, which takes a third of the time."""
    base = store._base
    which = "tbl_name = 'results' and sql is not null and (type = 'index' or name like 'found_by%')"
    found = base.execute(f"select type, name, sql from sqlite_master where {which}").fetchall()
    for kind, name, _ in found:
        base.execute(f"drop {kind} {name}")
    yield
    for _, _, sql in found:
        base.execute(sql)
    base.execute("insert into found_by (found_by) values ('rebuild')")


def _measure(store: Store) -> None:
    """Write figures that all differ: the pictures are not those that their rows say, and nobody has to look at them."""
    store._base.execute(
        """update results set measured = 1, structure = id % 1009 / 1009.0, colour_shift = id % 4001 / 100.0,
            sharpness = id % 2003 / 1000.0, metrics = '{"palette": []}' where shown = 1"""
    )


def _pictures(store: Store, count: int) -> Iterator[Picture]:
    """Yield small pictures that can be told apart, stored as the backends' files are."""
    for number in range(count):
        size = SIZES[number % len(SIZES)]
        across = Image.linear_gradient("L").rotate(90).resize(size)
        down = Image.linear_gradient("L").resize(size)
        data = encode(Image.merge("RGB", (across, down, Image.new("L", size, number * 255 // PICTURES))), "jpeg")
        yield Picture(store.images.put(data, "image/jpeg").stem, size, len(data))


def _job(
    store: Store, chance: random.Random, name: str, owner: str, now: float, pictures: list[Picture]
) -> tuple[int, ...]:
    """Write a run of one picture or several, or one that failed; return the ids of its pictures."""
    backend = chance.choices([*MODELS], [8, 1, 1])[0]
    pictures = pictures if chance.random() < 0.5 else pictures[:1]
    words = [
        *chance.choices(WORDS, k=8),
        *([RARE] if chance.random() < 0.001 else []),
        *(["水彩"] if chance.random() < 0.1 else []),
    ]
    styles = tuple(
        StyleUse(id=each, text=STYLES[each]) for each in chance.sample([*STYLES], chance.choice((0, 1, 1, 2)))
    )
    first = pictures[0]
    seed = chance.randrange(1 << 31)
    recipe = Recipe(
        backend=backend,
        model=Model(id=MODELS[backend]),
        prompt=" ".join(words),
        style=styles,
        params={"strength": 0.6, "guidance_scale": 3.5, "num_inference_steps": 28},
        seed=seed,
        seeds=(seed,) * len(pictures),
        reference=ImageRef(
            digest=first.digest, mime="image/jpeg", width=first.size[0], height=first.size[1], size=first.bytes
        ),
    )
    text = recipe.model_dump_json()
    texts = tuple((each.id, each.text) for each in styles)
    record = Record(id=name, owner=owner, backend=backend, created=now - 9, recipe=text, remote="[null]")
    store.add(record, Kept(f"{first.digest}.jpg", first.bytes))
    if chance.random() < 0.02:
        error = json.dumps({"kind": "RunFailed", "code": "run-broke", "values": {}, "charged": False})
        failure = Failure(recipe.model.id, None, seed, recipe.prompt, texts)
        store.end(name, JobState.FAILED, now, error=error, failure=failure, cost=0.0)
        return ()
    rows = [
        ResultRow(
            place=place,
            seed=seed,
            digest=each.digest,
            mime="image/jpeg",
            width=each.size[0],
            height=each.size[1],
            bytes=each.bytes,
        )
        for place, each in enumerate(pictures)
    ]
    report = '{"timings":{"total":9.0},"notices":[]}'
    done = Done(report, text, recipe.model.id, None, rows, recipe.prompt, texts)
    return store.end(name, JobState.DONE, now, cost=COSTS[backend] * len(rows), done=done)


def _mark(store: Store, chance: random.Random, owner: str, ids: list[int], projects: list[int]) -> None:
    """Note something on a part of the pictures."""
    part = len(ids) // 50
    store.mark(owner, chance.sample(ids, part), Marks(star=True), QUOTA)
    for project in projects:
        store.mark(owner, chance.sample(ids, part), Marks(project=project), QUOTA)
    for tag in TAGS:
        store.mark(owner, chance.sample(ids, part), Marks(add_tags=(tag,)), QUOTA)
    for each in chance.sample(ids, part // 10):
        store.mark(owner, [each], Marks(note=f"for the {chance.choice(WORDS)}"), QUOTA)


if __name__ == "__main__":
    main()
