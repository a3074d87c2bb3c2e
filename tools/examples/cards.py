"""Make the pictures of the empty page: each example before and after a run of the mini checkpoint, and one of them in
all styles that mini knows, as small WebP files.

    python -m tools.examples.cards

All together are what a first visit loads, so they are small.
"""

from __future__ import annotations

import asyncio
import io
import tempfile
from pathlib import Path

from PIL import Image

from backends.local.backend import LocalBackend
from core.events import Completed, Picture
from core.imaging.images import read_reference
from core.recipe import StyleUse
from core.request import EditRequest
from core.settings import Settings
from ui.examples import EXAMPLES, FOLDER, SHEET, SHEET_OF, Example, sheet_styles

SIZE, QUALITY = (320, 240), 40
TILE, TILE_QUALITY = (96, 72), 36
SEED = 77


def small(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return a picture cut to 4:3 from its middle, at a size."""
    width, height = picture.size
    wide = min(width, height * 4 // 3)
    high = wide * 3 // 4
    left, top = (width - wide) // 2, (height - high) // 2
    return picture.convert("RGB").crop((left, top, left + wide, top + high)).resize(size, Image.Resampling.LANCZOS)


async def after(backend: LocalBackend, example: Example, styles: tuple[str, ...]) -> Image.Image:
    """Return what mini makes of an example in some styles, by their ids."""
    known = {each.id: each for each in backend.spec.styles}
    style = tuple(StyleUse(id=name, text=known[name].text) for name in styles)
    values = {**example.settings, "seed": SEED}
    request = EditRequest.build(backend.spec, example.prompt, read_reference(example.path.read_bytes()), values, style)
    async for event in backend.edit(request):
        if isinstance(event, Completed):
            made = event.images[0]
            assert isinstance(made, Picture)
            return Image.open(io.BytesIO(made.data))
    raise RuntimeError("no picture came")


async def main() -> None:
    """Make them all."""
    with tempfile.TemporaryDirectory() as folder:
        backend = LocalBackend(Settings(data_dir=Path(folder)))
        for example in EXAMPLES:
            with Image.open(example.path) as before:
                small(before, SIZE).save(FOLDER / example.before, quality=QUALITY, method=6)
            made = await after(backend, example, example.style)
            small(made, SIZE).save(FOLDER / example.after, quality=QUALITY, method=6)
        styles = sheet_styles()
        sheet = Image.new("RGB", (TILE[0] * len(styles), TILE[1]))
        for place, style in enumerate(styles):
            sheet.paste(small(await after(backend, SHEET_OF, (style,)), TILE), (TILE[0] * place, 0))
        sheet.save(FOLDER / SHEET, quality=TILE_QUALITY, method=6)


if __name__ == "__main__":
    asyncio.run(main())
