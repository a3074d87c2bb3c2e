"""Results to compare, of one owner: the same scene by other settings, in files of a size."""

from __future__ import annotations

import time
from pathlib import Path

from PIL import Image, ImageEnhance, ImageOps

from core.imaging.images import encode
from core.job import EVERYONE
from core.job_state import JobState
from core.recipe import ImageRef, Model, Recipe, StyleUse
from storage.rows import Done, Record, ResultRow
from storage.sqlite.inserts import Kept
from storage.sqlite.store import Store

SCENE = Path(__file__).parent.parent.parent / "assets" / "examples"
STYLES = (("oil", "an oil painting"), ("ink", "an ink drawing"), ("neon", "neon light"))


def fill(folder: Path, count: int, size: tuple[int, int], scene: str) -> list[int]:
    """Write results into a fresh data folder, a minute apart; return their ids.

    Args:
        folder: of the data.
        count: of results.
        size: of their files, and of the reference.
        scene: the file under `assets/examples` that all are made of.
    """
    store = Store(folder)
    with Image.open(SCENE / scene) as opened:
        photo = ImageOps.fit(opened.convert("RGB"), size)
    reference = _put(store, photo)
    ids = list[int]()
    for number in range(count):
        picture = _put(store, _changed(photo, number))
        style, text = STYLES[number % len(STYLES)]
        where = "at night in the rain" if number % 2 else "on a summer morning"
        recipe = Recipe(
            backend="local",
            model=Model(id="mini"),
            prompt=f"the same scene {where}, with glowing windows and a quiet sky",
            style=(StyleUse(id=style, text=text),),
            params={"strength": round(0.3 + 0.05 * number, 2), "guidance_scale": 3.5, "num_inference_steps": 28},
            seed=77,
            seeds=(77,),
            reference=reference,
        )
        ids += _end(store, f"{number:032x}", time.time() - 60 * (count - number), recipe, picture)
    store.close()
    return ids


def _changed(photo: Image.Image, number: int) -> Image.Image:
    """Return the scene as no other number has it: other colours, and a part of it moved."""
    changed = ImageEnhance.Color(photo).enhance(0.4 + 0.2 * number)
    changed = ImageEnhance.Brightness(changed).enhance(1.2 - 0.06 * number)
    width, height = photo.size
    part = changed.crop((0, 0, width // 4, height // 4))
    changed.paste(ImageOps.mirror(part), (width * (number % 4) // 4, height // 2))
    return changed


def _put(store: Store, picture: Image.Image) -> ImageRef:
    data = encode(picture, "jpeg")
    file = store.images.put(data, "image/jpeg")
    width, height = picture.size
    return ImageRef(digest=file.stem, mime="image/jpeg", width=width, height=height, size=len(data))


def _end(store: Store, job: str, begun: float, recipe: Recipe, picture: ImageRef) -> tuple[int, ...]:
    assert recipe.reference
    text = recipe.model_dump_json()
    record = Record(id=job, owner=EVERYONE, backend=recipe.backend, created=begun, recipe=text, remote="[null]")
    store.add(record, Kept(f"{recipe.reference.digest}.jpg", recipe.reference.size))
    row = ResultRow(
        place=0,
        seed=77,
        digest=picture.digest,
        mime=picture.mime,
        width=picture.width,
        height=picture.height,
        bytes=picture.size,
    )
    report = '{"timings": {"total": 9.0}, "notices": []}'
    texts = tuple((each.id, each.text) for each in recipe.style)
    done = Done(report, text, recipe.model.id, None, [row], recipe.prompt, texts)
    return store.end(job, JobState.DONE, begun + 9, cost=0.0, done=done)
