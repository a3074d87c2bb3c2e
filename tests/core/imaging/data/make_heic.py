"""How the HEIC files of this folder were made: `pip install pillow-heif==1.8.1`, which the app does not need, and run this."""

from __future__ import annotations

import struct
from pathlib import Path

import pillow_heif
from PIL import Image

HERE = Path(__file__).parent
FINE = {"format": "HEIF", "quality": 100, "chroma": 444}
P3 = {"color_primaries": 12, "transfer_characteristics": 13, "matrix_coefficients": 1, "full_range_flag": 1}
PQ_NUMBERS = (31_574, 22_349, 17_550)
PQ = {"color_primaries": 9, "transfer_characteristics": 16, "matrix_coefficients": 9, "full_range_flag": 1}


def corners(mode: str = "RGB") -> Image.Image:
    """Return a picture of 64x48 pixels, a red, a green, a blue and a white quarter."""
    picture = Image.new("RGB", (64, 48), (230, 230, 230))
    picture.paste((220, 30, 30), (0, 0, 32, 24))
    picture.paste((30, 200, 30), (32, 0, 64, 24))
    picture.paste((30, 30, 220), (0, 24, 32, 48))
    return picture.convert(mode)


def turned() -> Image.Image:
    """Return it as a camera that is held upright stores it."""
    return corners().transpose(Image.Transpose.ROTATE_90)


def see_through() -> Image.Image:
    """Return it with its red quarter transparent."""
    picture = corners("RGBA")
    picture.paste((220, 30, 30, 0), (0, 0, 32, 24))
    return picture


def main() -> None:
    """Write the files."""
    pillow_heif.register_heif_opener()
    exif = Image.Exif()
    exif[0x0112] = 6
    corners().save(HERE / "plain.heic", **FINE)
    turned().save(HERE / "turned.heic", exif=exif.tobytes(), **FINE)
    see_through().save(HERE / "see-through.heic", **FINE)
    # (200, 60, 40) of sRGB, as Display P3 and (16 bits) PQ in BT.2020 write it
    Image.new("RGB", (64, 48), (185, 71, 50)).save(HERE / "display-p3.heic", **FINE, **P3)
    deep = pillow_heif.from_bytes("RGB;16", (64, 48), struct.pack("<3H", *PQ_NUMBERS) * (64 * 48))
    deep.save(HERE / "ten-bits-pq.heic", quality=100, chroma=444, **PQ)
    corners().save(HERE / "two-pictures.heic", save_all=True, append_images=[Image.new("RGB", (64, 48))], primary_index=0, **FINE)


if __name__ == "__main__":
    main()
