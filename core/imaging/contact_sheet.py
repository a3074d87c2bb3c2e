"""Contact sheets with labelled axes: small pictures in rows and columns, what each stands for beside them."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

GAP, TITLE, HEAD, SIDE_HEAD = 8, 56, 40, 144
"""Pixels between pictures, of the title, of the columns' labels and of the rows'."""
MOST_PIXELS = 60_000_000
"""Pixels of a sheet; the pictures of a larger one are made smaller."""
LEAST_SIDE = 48
"""Pixels of a picture's longer side, at least."""
INK, PAPER, TILE = "#1a1a1a", "#ffffff", "#e4e4e4"


@dataclass(frozen=True)
class Tile:
    """One place of a sheet.

    Attributes:
        file: a picture that can be opened here; None where there is none.
        words: what stands there in its place.
    """

    file: Path | None
    words: str = ""


@dataclass(frozen=True)
class Page:
    """One page of a sheet.

    Attributes:
        title: the line above it.
        columns, rows: the labels; one empty label where there is no such axis.
        tiles: by row, then by column.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[str]
    tiles: Sequence[Sequence[Tile]]


def drawn(page: Page, side: int, ratio: float, reference: Path | None) -> Image.Image:
    """Return a page as a picture.

    Args:
        page: what stands on it.
        side: pixels of the longer side of each picture; less where the page would be too large.
        ratio: width over height of the pictures.
        reference: the picture that all were made of, shown small in the corner; None where they differ.
    """
    width, height = _cell(page, side, ratio)
    left = SIDE_HEAD if any(page.rows) or reference is not None else GAP
    sheet = Image.new(
        "RGB",
        (left + len(page.columns) * (width + GAP), TITLE + HEAD + len(page.rows) * (height + GAP)),
        PAPER,
    )
    pen = ImageDraw.Draw(sheet)
    font, small = ImageFont.load_default(18), ImageFont.load_default(14)
    pen.text((GAP, GAP), textwrap.shorten(page.title, max(16, sheet.width // 10), placeholder="..."), INK, font)
    if reference is not None:
        _paste(sheet, reference, (GAP, TITLE - 20, SIDE_HEAD - 2 * GAP, HEAD + 12))
    for number, label in enumerate(page.columns):
        _label(pen, label, (left + number * (width + GAP), TITLE + 4), width, small, lines=2)
    for number, (label, tiles) in enumerate(zip(page.rows, page.tiles, strict=True)):
        top = TITLE + HEAD + number * (height + GAP)
        _label(pen, label, (GAP, top), SIDE_HEAD - 2 * GAP, small, lines=max(1, height // 18))
        for place, tile in enumerate(tiles):
            box = (left + place * (width + GAP), top, width, height)
            if tile.file is None or not _paste(sheet, tile.file, box):
                pen.rectangle((box[0], top, box[0] + width - 1, top + height - 1), fill=TILE)
                _label(pen, tile.words, (box[0] + GAP, top + GAP), width - 2 * GAP, small, lines=max(1, height // 18))
    return sheet


def encoded(pages: Sequence[Image.Image], file_format: str) -> bytes:
    """Return pages as one file: `pdf`, a page each, or `png`, one below the other."""
    file = io.BytesIO()
    if file_format == "pdf":
        pages[0].save(file, "PDF", save_all=True, append_images=list(pages[1:]), resolution=150.0)
        return file.getvalue()
    whole = Image.new("RGB", (max(each.width for each in pages), sum(each.height for each in pages)), PAPER)
    top = 0
    for each in pages:
        whole.paste(each, (0, top))
        top += each.height
    whole.save(file, "PNG")
    return file.getvalue()


def _cell(page: Page, side: int, ratio: float) -> tuple[int, int]:
    room = MOST_PIXELS / (len(page.columns) * len(page.rows))
    longer = max(LEAST_SIDE, min(side, int((room * max(ratio, 1 / ratio)) ** 0.5)))
    return (longer, max(1, round(longer / ratio))) if ratio >= 1 else (max(1, round(longer * ratio)), longer)


def _paste(sheet: Image.Image, file: Path, box: tuple[int, int, int, int]) -> bool:
    """Put a picture into a box, whole and in its middle; return whether it could be opened."""
    left, top, width, height = box
    try:
        with Image.open(file) as picture:
            small = picture.convert("RGB")
    except OSError:
        return False
    small.thumbnail((width, height), Image.Resampling.LANCZOS)
    sheet.paste(small, (left + (width - small.width) // 2, top + (height - small.height) // 2))
    return True


def _label(
    pen: ImageDraw.ImageDraw,
    text: str,
    at: tuple[int, int],
    width: int,
    font: ImageFont.ImageFont | ImageFont.FreeTypeFont,
    lines: int,
) -> None:
    wrapped = textwrap.wrap(text, max(4, width // 8), max_lines=lines, placeholder="...")
    pen.multiline_text(at, "\n".join(wrapped), INK, font)
