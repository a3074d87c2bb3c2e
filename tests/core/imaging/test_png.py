"""PNG files as we write them: every reader finds the same pixels."""

from __future__ import annotations

import io
import random

import pytest
from PIL import Image

from core.imaging.png import encode_png
from tests.support.fakes import picture


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (33, 255), (33, 256), (33, 257), (7, 513)])
def test_pixels_come_back_as_they_were(size: tuple[int, int]) -> None:
    seed = random.randrange(2**32)
    print("seed", seed)
    noise = Image.frombytes("RGB", size, random.Random(seed).randbytes(3 * size[0] * size[1]))
    for source in (noise, picture("RGB", size) if min(size) > 8 else noise):
        with Image.open(io.BytesIO(encode_png(source))) as read:
            assert (read.format, read.mode, read.size) == ("PNG", "RGB", size)
            read.verify()
        with Image.open(io.BytesIO(encode_png(source))) as read:
            assert read.tobytes() == source.tobytes()
            assert not read.info


def test_a_file_is_not_much_larger_than_pillows() -> None:
    shapes = Image.effect_noise((40, 30), 60).resize((400, 300), Image.Resampling.BICUBIC)
    photo = Image.merge(
        "RGB", [shapes, Image.effect_noise((400, 300), 20), shapes.transpose(Image.Transpose.ROTATE_180)]
    )
    file = io.BytesIO()
    photo.save(file, "PNG")
    assert len(encode_png(photo)) < 1.2 * len(file.getvalue())
