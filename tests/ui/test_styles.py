"""A style's words in a prompt: put in once, taken out again, the rest left as it is."""

from __future__ import annotations

import pytest

from ui.styles import toggled


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("", "at night"),
        ("a lake", "a lake, at night"),
        ("a lake,", "a lake, at night"),
        ("a lake, at night", "a lake"),
        ("At Night, a lake", "a lake"),
        ("at night", ""),
        ("a boat at night", "a boat at night, at night"),
    ],
)
def test_a_style_is_put_in_or_taken_out(prompt: str, expected: str) -> None:
    assert toggled(prompt, "at night") == expected
