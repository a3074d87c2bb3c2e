"""How the words of results are written into the full-text index, and how what a person types becomes a query of it."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable

HAN_AND_KANA = (
    (0x3005, 0x3007),
    (0x3040, 0x30FF),
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)
"""Ranges of code points that Chinese and Japanese write without spaces between words."""


def indexed(texts: Iterable[str]) -> str:
    """Return texts as one column of the index has them."""
    return spaced("\n".join(texts))


def spaced(text: str) -> str:
    """Return a text with a space around each Han and kana sign, so that the index takes each for a word.

    Full-width letters and half-width kana become the usual ones first, in what is indexed and in queries alike.
    """
    if text.isascii():
        return text
    return "".join(f" {sign} " if _stands_alone(ord(sign)) else sign for sign in unicodedata.normalize("NFKC", text))


def _stands_alone(point: int) -> bool:
    return point >= HAN_AND_KANA[0][0] and any(first <= point <= last for first, last in HAN_AND_KANA)


def query(owner: int, text: str, *, failed: bool = False) -> str | None:
    """Return the FTS5 query for an owner's results that have every word of a text, None where it has no words.

    Each word is a quoted phrase, so that nothing a person types is syntax: `neon-lit` finds the two words in a row,
    as do two Chinese signs. The last word may be unfinished.

    Args:
        owner: its number.
        text: words between spaces.
        failed: what did not come, instead of pictures.
    """
    words = [each for each in spaced_words(text) if any(unicodedata.category(sign)[0] in "LN" for sign in each)]
    if not words:
        return None
    phrases = " ".join('"' + each.replace('"', '""') + '"' for each in words)
    return f'scope : "{owner}{"f" if failed else ""}" AND {{words marks}} : ({phrases} *)'


def spaced_words(text: str) -> list[str]:
    """Return a text's words as the index has them; a run of Han and kana signs is one word of several signs."""
    return [spaced(each).strip() for each in text.replace("\0", " ").split()]


def style_ids(ids: Iterable[str]) -> str:
    """Return the ids of a recipe's styles as their column has them: JSON, in which `quoted` finds one."""
    return json.dumps(list(ids), separators=(",", ":"))


def quoted(style: str) -> str:
    """Return a style's id as it stands in its column: a quotation mark inside is escaped there."""
    return json.dumps(style)
