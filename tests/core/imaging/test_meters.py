"""Figures that compare a result with its reference: against independent computations and known pictures."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageEnhance, ImageFilter
from skimage.metrics import structural_similarity

from core.imaging.meters import (
    NOTABLE_COLOUR,
    SIDE,
    Drift,
    Swatch,
    Tone,
    drift,
    measure,
    meters_of,
    palette,
    sharpness,
    structure,
    tone,
)
from tests.support.fakes import picture


def photo(seed: int = 0, size: tuple[int, int] = (40, 30)) -> Any:
    """Return a grey picture of blurred noise, as an array."""
    noise = np.random.default_rng(seed).integers(0, 256, (size[1], size[0]), dtype=np.uint8)
    blurred = Image.fromarray(noise).filter(ImageFilter.GaussianBlur(2))
    return np.asarray(blurred, dtype=np.float32)


def ssim_pixel_by_pixel(one: Any, other: Any) -> float:
    """Return the mean SSIM by its definition, a window at a time and in double precision."""
    reach = np.arange(-5, 6)
    weights = np.exp(-(reach[:, None] ** 2 + reach[None, :] ** 2) / (2 * 1.5**2))
    weights /= weights.sum()
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    found = []
    for y in range(one.shape[0] - 10):
        for x in range(one.shape[1] - 10):
            p = one[y : y + 11, x : x + 11].astype(np.float64)
            q = other[y : y + 11, x : x + 11].astype(np.float64)
            m1, m2 = (weights * p).sum(), (weights * q).sum()
            v1, v2 = (weights * (p - m1) ** 2).sum(), (weights * (q - m2) ** 2).sum()
            both = (weights * (p - m1) * (q - m2)).sum()
            found.append((2 * m1 * m2 + c1) * (2 * both + c2) / ((m1**2 + m2**2 + c1) * (v1 + v2 + c2)))
    return float(np.mean(found))


PAIRS = {
    "unrelated": (photo(1), photo(2)),
    "brighter": (photo(1), photo(1) * 0.5 + 60),
    "noisy": (photo(1), photo(1) + np.random.default_rng(3).normal(0, 20, (30, 40)).astype(np.float32)),
    "inverted": (photo(1), 255 - photo(1)),
    "as small as the window": (photo(1, (11, 11)), photo(2, (11, 11))),
}


@pytest.mark.parametrize("pair", PAIRS)
def test_structure_is_the_ssim_of_its_definition(pair: str) -> None:
    one, other = PAIRS[pair]
    assert structure(one, other) == pytest.approx(ssim_pixel_by_pixel(one, other), abs=1e-4)


@pytest.mark.parametrize("pair", [each for each in PAIRS if "window" not in each])
def test_structure_is_that_of_scikit_image(pair: str) -> None:
    one, other = PAIRS[pair]
    wang = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    assert structure(one, other) == pytest.approx(structural_similarity(one, other, **wang), abs=1e-4)


LUMA = arrays.arrays(np.uint8, (14, 13)).map(lambda each: each.astype(np.float32))


@settings(deadline=None)
@given(LUMA)
def test_a_picture_keeps_all_of_its_own_structure(luma: Any) -> None:
    assert structure(luma, luma) == pytest.approx(1, abs=1e-6)


@settings(deadline=None)
@given(LUMA, LUMA)
def test_structure_is_the_same_both_ways_and_within_its_range(one: Any, other: Any) -> None:
    found = structure(one, other)
    assert found == pytest.approx(structure(other, one), abs=1e-6)
    assert -1 - 1e-6 <= found <= 1 + 1e-6


def test_an_inverted_picture_has_the_opposite_structure() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (30, 40)).astype(np.float32)
    assert structure(noise, 255 - noise) == pytest.approx(-1, abs=0.05)


def test_structure_of_black_and_white_is_that_of_their_means_alone() -> None:
    black, white = np.zeros((20, 20), np.float32), np.full((20, 20), 255, np.float32)
    c1 = (0.01 * 255) ** 2
    assert structure(black, white) == pytest.approx(c1 / (255**2 + c1), rel=1e-3)


def test_sharpness_is_the_variance_of_the_laplacian() -> None:
    luma = photo(1)
    by_hand = [
        4 * luma[y, x] - luma[y, x - 1] - luma[y, x + 1] - luma[y - 1, x] - luma[y + 1, x]
        for y in range(1, 29)
        for x in range(1, 39)
    ]
    assert sharpness(luma) == pytest.approx(np.var(by_hand), rel=1e-4)


def test_a_slope_has_no_sharpness() -> None:
    assert sharpness(np.add.outer(np.arange(20.0), 2 * np.arange(30.0))) == 0


def test_a_blurred_result_is_less_sharp_than_its_reference_and_the_other_way_round() -> None:
    sharp = picture(size=(600, 400))
    blurred = sharp.filter(ImageFilter.GaussianBlur(3))
    softer, sharper = measure(blurred, sharp).sharpness, measure(sharp, blurred).sharpness
    assert softer is not None
    assert sharper is not None
    assert softer < 0.7
    assert sharper == pytest.approx(1 / softer)


def test_sharpness_against_a_flat_reference_is_none() -> None:
    assert measure(picture(), Image.new("RGB", (64, 48), "grey")).sharpness is None


@pytest.mark.parametrize("size", [(64, 48), (SIDE, SIDE), (900, 700), (1200, 3), (1, 1)])
def test_a_picture_does_not_differ_from_itself_at_any_size(size: tuple[int, int]) -> None:
    same = picture(size=size)
    meters = measure(same, same)
    assert meters.structure == pytest.approx(1, abs=1e-6)
    assert meters.colour_shift == 0
    assert meters.sharpness in (1, None)
    assert meters.tone == meters.reference_tone


def test_the_same_picture_at_another_size_measures_nearly_the_same() -> None:
    large = picture(size=(1024, 768)).filter(ImageFilter.GaussianBlur(4))
    meters = measure(large.resize((700, 525), Image.Resampling.LANCZOS), large)
    assert meters.structure > 0.99
    assert meters.colour_shift < 0.5


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "1"])
def test_every_mode_is_measured_as_its_colours(mode: str) -> None:
    other = picture(mode)
    assert measure(other, other.convert("RGB")).colour_shift == 0


def test_what_is_transparent_counts_as_white() -> None:
    clear = Image.new("RGBA", (64, 48), (200, 0, 0, 0))
    assert measure(clear, Image.new("RGB", (64, 48), "white")).colour_shift == 0


def test_the_colour_shift_between_two_colours_is_their_ciede2000() -> None:
    red, blue = (Image.new("RGB", (64, 48), each) for each in ("#ff0000", "#0000ff"))
    assert measure(red, blue).colour_shift == pytest.approx(52.88, abs=0.02)  # as colour libraries give it


def test_a_palette_has_the_picture_s_colours_by_their_share() -> None:
    stripes = Image.new("RGB", (100, 60), "#102030")
    for colour, box in {"#c04020": (0, 0, 30, 60), "#20a060": (30, 0, 50, 60), "#f0e0a0": (50, 0, 60, 60)}.items():
        stripes.paste(colour, box)
    found = palette(stripes.resize((50, 30), Image.Resampling.NEAREST))
    assert [each.hex for each in found] == ["#102030", "#c04020", "#20a060", "#f0e0a0"]
    assert [each.share for each in found] == pytest.approx([0.4, 0.3, 0.2, 0.1])


def test_a_picture_of_one_colour_has_a_palette_of_one() -> None:
    assert palette(Image.new("RGB", (300, 200), "#336699")) == (Swatch("#336699", 1.0),)


@settings(deadline=None, max_examples=30)
@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 30), st.integers(1, 30), st.just(3))))
def test_a_palette_is_always_the_same_and_covers_the_picture_once(pixels: Any) -> None:
    found = palette(Image.fromarray(pixels))
    assert found == palette(Image.fromarray(pixels))
    assert 1 <= len(found) <= 5
    assert sum(each.share for each in found) == pytest.approx(1)
    assert [each.share for each in found] == sorted((each.share for each in found), reverse=True)
    assert len({each.hex for each in found}) == len(found)


def test_a_photo_has_five_colours() -> None:
    assert len(palette(picture(size=(400, 300)).filter(ImageFilter.GaussianBlur(9)))) == 5


def test_the_tone_of_half_black_half_white_is_grey_with_the_highest_contrast() -> None:
    lab = np.zeros((3, 10, 10), np.float32)
    lab[0, :5] = 100
    assert tone(lab) == Tone(lightness=50, a=0, b=0, chroma=0, contrast=50)


def test_meters_survive_json() -> None:
    meters = measure(picture(size=(80, 60)).filter(ImageFilter.GaussianBlur(2)), picture(size=(80, 60)))
    assert meters_of(json.loads(json.dumps(meters.as_json()))) == meters


def test_meters_without_sharpness_survive_json() -> None:
    flat = Image.new("RGB", (64, 48), "grey")
    meters = measure(flat, flat)
    assert meters_of(json.loads(json.dumps(meters.as_json()))) == meters


@pytest.mark.parametrize(
    "change",
    [{"palette": None}, {"palette": [{"hex": "#000000"}]}, {"tone": {}}, {"reference_tone": 3}, {"more": 1}],
)
def test_what_is_no_meters_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no meters"):
        meters_of(measure(picture(), picture()).as_json() | change)


FIRST = Tone(lightness=50, a=5, b=5, chroma=20, contrast=20)


def codes(found: Drift) -> list[str]:
    return [each.code for each in found.warnings]


def drift_of(now: Image.Image, first: Image.Image) -> Drift:
    meters = measure(now, first)
    return drift(meters.reference_tone, meters.tone)


def test_a_chain_that_comes_back_to_its_first_picture_has_not_drifted() -> None:
    assert drift(FIRST, FIRST) == Drift(chroma=0, contrast=0, colour=0, warnings=())


def test_drift_is_measured_against_the_first_picture() -> None:
    found = drift(FIRST, Tone(lightness=60, a=5, b=5, chroma=12, contrast=23))
    assert (found.chroma, found.contrast) == (-8, 3)
    assert found.colour == pytest.approx(9.48, abs=0.05)


@pytest.mark.parametrize(
    ("change", "warned"),
    [
        ({"chroma": 25.0}, []),
        ({"chroma": 25.1}, ["drift-vivid"]),
        ({"chroma": 14.9}, ["drift-pale"]),
        ({"contrast": 25.0}, []),
        ({"contrast": 25.1}, ["drift-harsh"]),
        ({"contrast": 14.9}, ["drift-flat"]),
        ({"lightness": 55.0}, []),
        ({"lightness": 70.0}, ["drift-colour"]),
        ({"lightness": 20.0, "chroma": 5.0}, ["drift-pale", "drift-colour"]),
    ],
)
def test_a_drift_is_worth_a_warning_beyond_its_threshold(change: dict[str, float], warned: list[str]) -> None:
    assert codes(drift(FIRST, replace(FIRST, **change))) == warned


@pytest.mark.parametrize(
    ("chroma", "contrast", "warned"),
    [(4.0, 3.0, []), (4.1, 3.0, ["drift-vivid"]), (4.0, 3.1, ["drift-harsh"])],
)
def test_a_grey_flat_picture_may_change_by_the_least_amounts(chroma: float, contrast: float, warned: list[str]) -> None:
    grey = Tone(lightness=50, a=0, b=0, chroma=0, contrast=0)
    assert codes(drift(grey, replace(grey, chroma=chroma, contrast=contrast))) == warned


PHOTOS = sorted((Path(__file__).parents[3] / "assets" / "examples").glob("*.jpg"))


@pytest.mark.parametrize("file", PHOTOS, ids=lambda file: file.stem)
@pytest.mark.parametrize(
    ("enhance", "little", "much", "warned"),
    [
        (ImageEnhance.Color, 1.15, 1.4, "drift-vivid"),
        (ImageEnhance.Color, 0.85, 0.6, "drift-pale"),
        (ImageEnhance.Contrast, 1.15, 1.4, "drift-harsh"),
        (ImageEnhance.Contrast, 0.85, 0.6, "drift-flat"),
        (ImageEnhance.Brightness, 1.1, 1.3, "drift-colour"),
    ],
)
def test_a_photo_may_change_a_little_and_not_much(
    file: Path, enhance: Any, little: float, much: float, warned: str
) -> None:
    first = Image.open(file).convert("RGB")
    assert codes(drift_of(enhance(first).enhance(little), first)) == []
    assert warned in codes(drift_of(enhance(first).enhance(much), first))


def test_saving_a_picture_again_and_again_as_jpeg_is_no_drift() -> None:
    first = picture(size=(300, 200)).filter(ImageFilter.GaussianBlur(3))
    now: Image.Image = first
    for _ in range(5):
        file = io.BytesIO()
        now.save(file, "JPEG", quality=80)
        now = Image.open(file)
    found = drift_of(now, first)
    assert codes(found) == []
    assert found.colour < NOTABLE_COLOUR / 4


def test_meters_are_values() -> None:
    found = [measure(picture(), picture()) for _ in range(2)]
    assert len(set(found)) == 1
