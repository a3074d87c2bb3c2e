"""CIELAB and CIEDE2000 against published values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.imaging.lab import chroma, difference, hex_of, lab_of, rgb_of

SHARMA = """
50.0000 2.6772 -79.7751 50.0000 0.0000 -82.7485 2.0425
50.0000 3.1571 -77.2803 50.0000 0.0000 -82.7485 2.8615
50.0000 2.8361 -74.0200 50.0000 0.0000 -82.7485 3.4412
50.0000 -1.3802 -84.2814 50.0000 0.0000 -82.7485 1.0000
50.0000 -1.1848 -84.8006 50.0000 0.0000 -82.7485 1.0000
50.0000 -0.9009 -85.5211 50.0000 0.0000 -82.7485 1.0000
50.0000 0.0000 0.0000 50.0000 -1.0000 2.0000 2.3669
50.0000 -1.0000 2.0000 50.0000 0.0000 0.0000 2.3669
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0009 7.1792
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0010 7.1792
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0011 7.2195
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0012 7.2195
50.0000 -0.0010 2.4900 50.0000 0.0009 -2.4900 4.8045
50.0000 -0.0010 2.4900 50.0000 0.0010 -2.4900 4.8045
50.0000 -0.0010 2.4900 50.0000 0.0011 -2.4900 4.7461
50.0000 2.5000 0.0000 50.0000 0.0000 -2.5000 4.3065
50.0000 2.5000 0.0000 73.0000 25.0000 -18.0000 27.1492
50.0000 2.5000 0.0000 61.0000 -5.0000 29.0000 22.8977
50.0000 2.5000 0.0000 56.0000 -27.0000 -3.0000 31.9030
50.0000 2.5000 0.0000 58.0000 24.0000 15.0000 19.4535
50.0000 2.5000 0.0000 50.0000 3.1736 0.5854 1.0000
50.0000 2.5000 0.0000 50.0000 3.2972 0.0000 1.0000
50.0000 2.5000 0.0000 50.0000 1.8634 0.5757 1.0000
50.0000 2.5000 0.0000 50.0000 3.2592 0.3350 1.0000
60.2574 -34.0099 36.2677 60.4626 -34.1751 39.4387 1.2644
63.0109 -31.0961 -5.8663 62.8187 -29.7946 -4.0864 1.2630
61.2901 3.7196 -5.3901 61.4292 2.2480 -4.9620 1.8731
35.0831 -44.1164 3.7933 35.0232 -40.0716 1.5901 1.8645
22.7233 20.0904 -46.6940 23.0331 14.9730 -42.5619 2.0373
36.4612 47.8580 18.3852 36.2715 50.5065 21.2231 1.4146
90.8027 -2.0831 1.4410 91.1528 -1.6435 0.0447 1.4441
90.9257 -0.5406 -0.9208 88.6381 -0.8985 -0.7239 1.5381
6.7747 -0.2908 -2.4247 5.8714 -0.0985 -2.2286 0.6377
2.0776 0.0795 -1.1350 0.9033 -0.0636 -0.5514 0.9082
"""
"""L*, a*, b* of two colours and their CIEDE2000: Sharma, Wu, Dalal 2005, table 1."""
PAIRS = np.array([[float(each) for each in line.split()] for line in SHARMA.split("\n") if line]).T

PUBLISHED = {
    "#ff0000": (53.2408, 80.0925, 67.2032),
    "#00ff00": (87.7347, -86.1827, 83.1793),
    "#0000ff": (32.2970, 79.1875, -107.8602),
    "#ffff00": (97.1393, -21.5537, 94.4780),
    "#00ffff": (91.1132, -48.0875, -14.1312),
    "#ff00ff": (60.3242, 98.2343, -60.8249),
    "#808080": (53.5850, 0.0, 0.0),
    "#ffffff": (100.0, 0.0, 0.0),
    "#000000": (0.0, 0.0, 0.0),
}
"""sRGB in CIELAB under D65, as published with a matrix of more digits than that of IEC 61966-2-1 has."""


def rgb(name: str) -> Any:
    return np.frombuffer(bytes.fromhex(name[1:]), dtype=np.uint8)


def test_there_are_all_34_pairs() -> None:
    assert PAIRS.shape == (7, 34)


def test_differences_are_those_that_sharma_published() -> None:
    assert difference(PAIRS[:3], PAIRS[3:6]) == pytest.approx(PAIRS[6], abs=5e-5)


def test_a_difference_is_the_same_both_ways() -> None:
    assert difference(PAIRS[3:6], PAIRS[:3]) == pytest.approx(PAIRS[6], abs=5e-5)


def test_single_precision_is_enough_for_three_digits() -> None:
    one, other = PAIRS[:3].astype(np.float32), PAIRS[3:6].astype(np.float32)
    at_half_a_turn = np.isclose(PAIRS[0], 50) & np.isclose(np.abs(PAIRS[1] + PAIRS[4]), 0, atol=1e-3)
    got = difference(one, other)
    assert got.dtype == np.float32
    assert got[~at_half_a_turn] == pytest.approx(PAIRS[6][~at_half_a_turn], abs=2e-3)


def test_a_colour_does_not_differ_from_itself() -> None:
    assert np.all(difference(PAIRS[:3], PAIRS[:3]) == 0)


def test_black_and_white_differ_by_100() -> None:
    assert difference(np.array([0.0, 0, 0]), np.array([100.0, 0, 0])) == pytest.approx(100, abs=1e-4)


@pytest.mark.parametrize("name", PUBLISHED)
def test_colours_of_srgb_have_their_published_values(name: str) -> None:
    assert lab_of(rgb(name)) == pytest.approx(PUBLISHED[name], abs=0.02)


def test_every_grey_has_no_chroma() -> None:
    greys = np.broadcast_to(np.arange(256, dtype=np.uint8), (3, 256))
    assert np.all(chroma(lab_of(greys)) < 1e-3)


def test_colours_come_back_from_cielab_as_they_were() -> None:
    levels = np.array([0, 1, 9, 10, 11, 64, 127, 200, 254, 255], dtype=np.uint8)
    colours = np.stack(np.meshgrid(levels, levels, levels)).reshape(3, -1)
    assert np.array_equal(rgb_of(lab_of(colours)), colours)


def test_a_colour_outside_of_srgb_is_clipped() -> None:
    assert hex_of(np.array([100.0, 0, 0])) == "#ffffff"
    assert hex_of(np.array([110.0, 0, 0])) == "#ffffff"
    assert hex_of(np.array([50.0, -200.0, 0])).startswith("#00")


def test_arrays_keep_their_shape() -> None:
    picture = np.zeros((3, 4, 5), dtype=np.uint8)
    lab = lab_of(picture)
    assert lab.shape == rgb_of(lab).shape == picture.shape
    assert difference(lab, lab).shape == (4, 5)
