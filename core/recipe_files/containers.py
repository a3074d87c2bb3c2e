"""The text blocks of a picture file of any kind."""

from __future__ import annotations

import contextlib

from core.imaging.file_kinds import kind_of
from core.recipe_files import jpeg_file, png_file, webp_file
from core.recipe_files.texts import StopReading, Texts

_READERS = {"PNG": png_file.read_texts, "JPEG": jpeg_file.read_texts, "WEBP": webp_file.read_texts}


def texts_of(data: bytes) -> dict[str, str]:
    """Return the texts of a PNG, JPEG or WebP file; {} for all others. It never raises.

    Keys are the keywords of PNG's tEXt, zTXt and iTXt as they are (`parameters`, `prompt`, `workflow`, `Comment`);
    `xmp` for the XMP packet of any kind, `xmp:extended` for what continues it in a JPEG; `exif:UserComment`,
    `exif:ImageDescription`, `exif:Software`, `exif:Make`, `exif:Model`; `comment` for a JPEG's. Of blocks with the same
    key the first counts. All of it was written by strangers.

    At most 4 MiB and 200 blocks are read, compressed ones after decompression; a damaged file gives what stands before
    the damage.

    Args:
        data: the file, of any length; the time is linear in it.
    """
    read = _READERS.get(kind_of(data) or "")
    texts = Texts()
    if read is not None:
        with contextlib.suppress(StopReading):
            read(data, texts)
    return texts.found
