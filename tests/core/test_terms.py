"""The table of terms: what a parameter is called and what it may be, over all backends."""

from __future__ import annotations

import pytest

from core.terms import TERMS, is_hint, is_neutral


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("strength", "0 to 1; 0 keeps the reference, 1 leaves it."),
        ("num_inference_steps", "1 to 50; strength decides how many run."),
        ("guidance_scale", "1 to 20; how closely the prompt is followed."),
        ("seed", "0 to 2147483647; none draws one, which is reported."),
        ("num_images", "1 to 4."),
        ("output_format", "png or jpeg."),
        ("acceleration", "none, regular or high; where the backend has it."),
        ("enable_safety_checker", "Whether results are checked, where the backend can."),
    ],
)
def test_a_term_is_described_by_its_range_and_its_meaning(name: str, words: str) -> None:
    assert TERMS[name].described == words


def test_every_default_and_neutral_value_fits_its_term() -> None:
    for term in TERMS.values():
        for value in filter(lambda each: each is not None, (term.default, *term.neutral)):
            assert term.param.validate(value) == value


@pytest.mark.parametrize(
    ("name", "value", "neutral"),
    [
        ("num_images", 1, True),
        ("num_images", 2, False),
        ("output_format", "png", True),
        ("output_format", "jpeg", False),
        ("acceleration", "none", True),
        ("acceleration", "high", False),
        ("enable_safety_checker", False, True),
        ("strength", 0.5, False),
        ("unheard_of", 1, False),
    ],
)
def test_a_neutral_value_may_be_sent_to_a_backend_without_the_parameter(
    name: str, value: object, neutral: bool
) -> None:
    assert is_neutral(name, value) is neutral


def test_hints_change_how_an_image_is_made_and_not_which() -> None:
    assert [name for name in TERMS if is_hint(name)] == ["acceleration", "enable_safety_checker"]
    assert not is_hint("unheard_of")
