"""Exported files: the recipe is in them, the picture is untouched, and other programs read both."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from core.recipe import Recipe
from core.recipe_files.containers import texts_of
from core.recipe_files.embed import Embed, can_hold, embed
from core.recipe_files.labels import SOURCE_TYPE
from core.recipe_files.public import public_recipe
from core.recipe_files.read import read_own
from core.recipe_files.texts import BrokenContainer
from tests.core.recipe_files.files import (
    FILES,
    RECIPE,
    SIZE,
    chunk,
    file_of,
    opened,
    png_with,
    riff_chunks,
    saved,
    segment,
)
from tests.support.recipes import RECIPES

KINDS = pytest.mark.parametrize("kind", FILES)
LABELLED = pytest.mark.parametrize("what", [Embed.RECIPE, Embed.MARK])
INFOTEXT = (
    "a lake, 湖, an oil painting\nSteps: 20, Seed: 8, Size: 24x16, Model: black-forest-labs/FLUX.1-dev+tencent/SRPO, "
    "Denoising strength: 0.6, Distilled CFG Scale: 3.5, Version: SRPO Studio 1.0"
)


def labelled(kind: str, recipe: Recipe = RECIPE, what: Embed = Embed.RECIPE) -> bytes:
    mime, data = FILES[kind]
    return embed(data, mime, recipe, what=what)


def xmp_of(data: bytes, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the properties that Pillow reads; it asks for a package that guards against strangers' XML."""
    monkeypatch.setattr(Image, "ElementTree", ElementTree)
    found = opened(data).getxmp()["xmpmeta"]["RDF"]["Description"]
    assert isinstance(found, dict)
    return found


@settings(deadline=None, max_examples=40)
@given(RECIPES, st.sampled_from(list(FILES)))
def test_any_recipe_comes_back_from_any_file(recipe: Recipe, kind: str) -> None:
    data = labelled(kind, recipe)
    assert read_own(texts_of(data)) == public_recipe(recipe)
    assert opened(data).tobytes() == opened(FILES[kind][1]).tobytes()


@pytest.mark.parametrize("prompt", ["湖" * 5_000, "🌊" * 30_000, "a" * 70_000, "</x>&\0\r\n\ufffe\uffff\x7f\x85 ]]>"])
@KINDS
def test_a_prompt_of_any_length_and_script_comes_back(kind: str, prompt: str) -> None:
    recipe = RECIPE.model_copy(update={"prompt": prompt})
    data = labelled(kind, recipe)
    assert read_own(texts_of(data)) == recipe
    assert opened(data).tobytes() == opened(FILES[kind][1]).tobytes()


@LABELLED
@pytest.mark.parametrize("kind", [each for each in FILES if each.startswith("png")])
def test_in_a_png_all_is_written_between_the_header_and_what_was_behind_it(kind: str, what: Embed) -> None:
    data, before = labelled(kind, what=what), FILES[kind][1]
    assert data.startswith(before[:33])
    assert data.endswith(before[33:])


@LABELLED
@pytest.mark.parametrize("kind", [each for each in FILES if each.endswith("jpeg")])
def test_in_a_jpeg_all_is_written_between_jfif_and_what_was_behind_it(kind: str, what: Embed) -> None:
    data, before = labelled(kind, what=what), FILES[kind][1]
    front = 20 if before[2:4] == b"\xff\xe0" else 2
    assert data.startswith(before[:front])
    assert data.endswith(before[front:])


@LABELLED
@pytest.mark.parametrize("kind", [each for each in FILES if "webp" in each])
def test_the_chunks_of_a_webps_picture_stay_and_its_header_says_what_is_there(kind: str, what: Embed) -> None:
    before, after = (riff_chunks(each) for each in (FILES[kind][1], labelled(kind, what=what)))
    images = (b"VP8 ", b"VP8L", b"ALPH")
    assert [each for each in after if each[0] in images] == [each for each in before if each[0] in images]
    names = [name for name, _ in after]
    exif = [b"EXIF"] if what is Embed.RECIPE else []
    assert [each for each in names if each not in images] == [b"VP8X", b"ICCP", *exif, b"XMP "]
    flags = 0x24 | (0x08 if exif else 0) | (0x10 if "alpha" in kind else 0)
    sides = b"".join((side - 1).to_bytes(3, "little") for side in SIZE)
    assert after[0] == (b"VP8X", bytes([flags, 0, 0, 0]) + sides)


@LABELLED
@KINDS
def test_pillow_decodes_the_same_pixels(kind: str, what: Embed) -> None:
    before, after = opened(FILES[kind][1]), opened(labelled(kind, what=what))
    assert (after.mode, after.size, after.tobytes()) == (before.mode, before.size, before.tobytes())


@KINDS
def test_the_backends_own_bytes_are_given_as_they_are(kind: str) -> None:
    assert labelled(kind, what=Embed.NONE) == FILES[kind][1]


@LABELLED
def test_files_of_other_kinds_are_given_as_they_are(what: Embed) -> None:
    data = file_of("AVIF")
    assert not can_hold("image/avif")
    assert embed(data, "image/avif", RECIPE, what=what) == data


@KINDS
def test_the_mark_says_nothing_of_the_settings(kind: str) -> None:
    data = labelled(kind, what=Embed.MARK)
    texts = texts_of(data)
    assert {*texts} <= {"xmp", "XML:com.adobe.xmp"}
    assert read_own(texts) is None
    assert b"lake" not in data


@LABELLED
@KINDS
def test_pillow_reads_the_mark_of_ai_and_the_tool(kind: str, what: Embed, monkeypatch: pytest.MonkeyPatch) -> None:
    found = xmp_of(labelled(kind, what=what), monkeypatch)
    assert found["DigitalSourceType"] == SOURCE_TYPE
    assert found["CreatorTool"] == "SRPO Studio 1.0"


@KINDS
def test_pillow_reads_the_settings_where_automatic1111_writes_them(kind: str) -> None:
    image = opened(labelled(kind))
    if image.format == "PNG":
        assert image.info["parameters"] == INFOTEXT
        assert Recipe.model_validate_json(image.info["srpo-studio"]) == RECIPE
    else:
        comment = image.getexif().get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment]
        assert comment == b"UNICODE\0" + INFOTEXT.encode("utf-16-be")


@KINDS
def test_our_own_reader_reads_the_settings_too(kind: str) -> None:
    texts = texts_of(labelled(kind))
    assert INFOTEXT in (texts.get("parameters"), texts.get("exif:UserComment"))


def test_settings_that_latin_1_holds_stand_in_the_block_that_every_reader_knows() -> None:
    data = labelled("png", RECIPE.model_copy(update={"prompt": "un été"}))
    assert b"tEXtparameters\0un \xe9t\xe9" in data
    assert b"iTXtparameters" in labelled("png")


@KINDS
def test_results_are_tagged_as_srgb_where_that_is_possible(kind: str) -> None:
    image = opened(labelled(kind, what=Embed.MARK))
    if image.format == "PNG":
        assert image.info["srgb"] == 0
    elif image.mode in ("L", "CMYK"):
        assert "icc_profile" not in image.info
    else:
        assert b"sRGB" in image.info["icc_profile"].replace(b"\0", b"")


@pytest.mark.parametrize(
    ("kind", "body", "tagged"),
    [
        (b"cICP", b"\x0c\x0d\0\1", False),
        (b"sRGB", b"\1", False),
        (b"gAMA", b"\0\1\x86\xa0", False),
        (b"gAMA", b"\0\0\xb1\x8f", True),
    ],
)
def test_a_png_that_says_which_colours_it_has_is_not_tagged(kind: bytes, body: bytes, tagged: bool) -> None:
    data = embed(png_with(chunk(kind, body)), "image/png", RECIPE, what=Embed.MARK)
    assert (b"sRGB\0" in data) == tagged
    assert chunk(kind, body) in data


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_a_profile_that_the_file_has_stays(format: str) -> None:
    profile = b"a profile of the backend's"
    data = embed(file_of(format, icc_profile=profile), f"image/{format.lower()}", RECIPE, what=Embed.RECIPE)
    assert opened(data).info["icc_profile"] == profile
    assert "srgb" not in opened(data).info


@KINDS
def test_the_same_export_has_the_same_bytes(kind: str) -> None:
    assert labelled(kind) == labelled(kind)
    again = embed(labelled(kind), FILES[kind][0], RECIPE, what=Embed.RECIPE)
    assert len(texts_of(again)) == len(texts_of(labelled(kind)))
    assert again.count(b"compositeWithTrained") == 1


def test_an_animated_webp_keeps_its_frames() -> None:
    frames = [Image.new("RGB", SIZE, colour) for colour in ("red", "green")]
    data = saved(frames[0], "WEBP", save_all=True, append_images=frames[1:])
    image = opened(embed(data, "image/webp", RECIPE, what=Embed.RECIPE))
    assert getattr(image, "n_frames", 0) == 2


@pytest.mark.parametrize("mime", ["image/png", "image/jpeg", "image/webp"])
@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_a_file_of_another_kind_or_cut_off_before_its_picture_is_refused(mime: str, kind: str) -> None:
    data = FILES[kind][1]
    if mime.endswith(kind):
        data = data[:30]
    for each in (data, b""):
        with pytest.raises(BrokenContainer):
            embed(each, mime, RECIPE, what=Embed.MARK)


@pytest.mark.parametrize("kind", ["png", "jpeg"])
def test_a_file_that_is_cut_off_within_its_picture_is_labelled_all_the_same(kind: str) -> None:
    mime, data = FILES[kind]
    assert read_own(texts_of(embed(data[:-40], mime, RECIPE, what=Embed.RECIPE))) == RECIPE


def test_what_stands_behind_a_picture_stays_behind_it() -> None:
    for kind in ("png", "jpeg", "webp"):
        mime, data = FILES[kind]
        after = embed(data + b"a tail", mime, RECIPE, what=Embed.RECIPE)
        assert after.endswith(b"a tail")
        assert read_own(texts_of(after)) == RECIPE


def test_a_marker_may_be_filled_up() -> None:
    data = FILES["jpeg"][1]
    filled = data[:2] + b"\xff\xff" + segment(0xFE, b"hello") + data[2:]
    after = embed(filled, "image/jpeg", RECIPE, what=Embed.RECIPE)
    assert after.endswith(filled[2:])
    assert texts_of(after)["comment"] == "hello"


def test_long_recipes_in_jpeg_stand_in_extended_xmp() -> None:
    recipe = RECIPE.model_copy(update={"prompt": "a" * 200_000})
    data = labelled("jpeg", recipe)
    texts = texts_of(data)
    assert len(re.findall(b"http://ns.adobe.com/xmp/extension/\0", data)) == 4
    assert "HasExtendedXMP" in texts["xmp"]
    assert SOURCE_TYPE in texts["xmp"]
    assert "srpo:recipe" not in texts["xmp"]
    assert "exif:UserComment" not in texts  # UTF-16 does not fit into a segment
    assert read_own(texts) == recipe


def test_five_thousand_chinese_characters_need_no_extension() -> None:
    recipe = RECIPE.model_copy(update={"prompt": "湖" * 5_000})
    data = labelled("jpeg", recipe)
    assert b"xmp/extension" not in data
    assert texts_of(data)["exif:UserComment"].startswith(recipe.prompt)
