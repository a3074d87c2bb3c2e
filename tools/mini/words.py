"""Sentences such as people write, made of the phrasings in `phrasings.toml`, for the text encoders to learn from."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tools.mini.styles import STYLES, TINTS

Rng = np.random.Generator

_SAID = tomllib.loads((Path(__file__).parent / "phrasings.toml").read_text(encoding="utf-8"))
_STYLES = [_SAID["styles"][style.name] for style in STYLES]
_SENTENCES = _SAID["sentences"]


def _pick(rng: Rng, choices: Sequence[str]) -> str:
    return choices[int(rng.integers(len(choices)))]


def sentence(rng: Rng, styles: Sequence[int], tints: Sequence[str] = ()) -> str:
    """Return something that a person could write for these styles (places in `STYLES`) and tints.

    With neither it says nothing about looks: the picture should stay.
    """
    it, other = _pick(rng, _SENTENCES["subjects"]), _pick(rng, _SENTENCES["subjects"])
    if not styles:
        said = _pick(rng, _SENTENCES["plain"]).format(it=it, other=other)
        if rng.random() < 0.2:
            said = _bag(rng, [])
    elif rng.random() < 0.3:
        said = _bag(rng, [_pick(rng, _STYLES[style]["words"]) for style in styles])
    else:
        said = _phrase(rng, styles, it)
        if rng.random() < 0.4:
            said = _strewn(rng, said.split(" "), [*_unknown(rng), _pick(rng, _SENTENCES["filler"])])
    for tint in tints:
        coloured = _pick(rng, _SENTENCES["around_tints"]).format(tint=tint)
        said = f"{said}, {coloured}" if said else coloured
    said = _smeared(rng, said + _pick(rng, _SENTENCES["endings"]))
    return _pick(
        rng, [said, said, said, said.lower(), said.capitalize(), said.capitalize(), said.title(), said.upper()]
    )


def _phrase(rng: Rng, styles: Sequence[int], it: str) -> str:
    first, rest = styles[0], styles[1:]
    if rng.random() < 0.55:
        said = _pick(rng, _SENTENCES["around_things"]).format(thing=_pick(rng, _STYLES[first]["things"]), it=it)
    else:
        said = _pick(rng, _SENTENCES["around_manners"]).format(how=_pick(rng, _STYLES[first]["manners"]), it=it)
    for style in rest:
        link = _pick(rng, [" and ", ", ", " ", " with ", " plus ", " + "])
        said += link + _pick(rng, _STYLES[style]["manners"] if rng.random() < 0.5 else _STYLES[style]["things"])
    return said


def _bag(rng: Rng, marked: Sequence[str]) -> str:
    """Return the marked words among words that mean nothing, so that single words are learnt too."""
    words = [_pick(rng, _SENTENCES["filler"]) for _ in range(int(rng.integers(0, 9)))]
    if rng.random() < 0.5:
        words.append(_pick(rng, _SENTENCES["subjects"]))
    return _strewn(rng, words, [*marked, *_unknown(rng)])


def _strewn(rng: Rng, words: list[str], more: Sequence[str]) -> str:
    for word in more:
        words.insert(int(rng.integers(len(words) + 1)), word)
    return " ".join(words)


def _unknown(rng: Rng) -> list[str]:
    """Return up to three words that nobody knows: what a prompt says besides should not matter."""
    count = max(0, int(rng.integers(-3, 4)))
    return ["".join(_pick(rng, _SENTENCES["syllables"]) for _ in range(int(rng.integers(1, 4)))) for _ in range(count)]


def _smeared(rng: Rng, said: str) -> str:
    """Return the sentence, now and then with a slip of the finger."""
    if len(said) > 4 and rng.random() < 0.06:
        at = int(rng.integers(1, len(said) - 1))
        return said[:at] + said[at + 1 :] if rng.random() < 0.5 else said[:at] + said[at] + said[at:]
    return said


def draw_look(rng: Rng) -> tuple[list[int], list[str]]:
    """Return styles and tints as people combine them: mostly one style, sometimes none, two, or a tint with it."""
    count = int(rng.choice([0, 1, 2], p=[0.1, 0.72, 0.18]))
    styles = rng.choice(len(STYLES), size=count, replace=False).tolist()
    tints = [_pick(rng, list(TINTS))] if rng.random() < (0.3 if count == 0 else 0.12) else []
    return styles, tints


if __name__ == "__main__":
    example = np.random.default_rng(1)
    for _ in range(40):
        look = draw_look(example)
        print([STYLES[each].name for each in look[0]], look[1], "|", sentence(example, *look))
