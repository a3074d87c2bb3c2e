"""Sheets of what the mini model makes of the app's example pictures: each style, beside the picture it came from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from tools.mini.styles import STYLES

EXAMPLES = Path(__file__).resolve().parents[2] / "assets" / "examples"
WIDTH, GAP, CAPTION, COLUMNS = 320, 8, 26, 5


def draw_sheets(folder: Path, edit: Callable[..., Tensor]) -> None:
    """Write one sheet for each example picture into `folder`.

    Args:
        folder: is made where it is missing.
        edit: from a picture's path and a prompt to the result, (1, 3, height, width).
    """
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(EXAMPLES.glob("*.jpg")):
        cells = [("The photo", Image.open(path).convert("RGB"))]
        cells += [(style.label, as_picture(edit(path, style.prompt))) for style in STYLES]
        _sheet(cells).save(folder / f"{path.stem}.jpg", quality=88)


def as_picture(result: Tensor) -> Image.Image:
    """Return a result as a picture."""
    return Image.fromarray((result[0].permute(1, 2, 0).clamp(0, 1) * 255).round().byte().numpy())


def _sheet(cells: list[tuple[str, Image.Image]]) -> Image.Image:
    first = cells[0][1]
    height = round(WIDTH * first.height / first.width)
    rows = -(-len(cells) // COLUMNS)
    size = (COLUMNS * (WIDTH + GAP) + GAP, rows * (height + CAPTION + GAP) + GAP)
    sheet = Image.new("RGB", size, "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(15)
    for place, (caption, picture) in enumerate(cells):
        left, top = GAP + place % COLUMNS * (WIDTH + GAP), GAP + place // COLUMNS * (height + CAPTION + GAP)
        sheet.paste(picture.resize((WIDTH, height), Image.Resampling.LANCZOS), (left, top))
        draw.text((left + 2, top + height + 4), caption, "black", font)
    return sheet
