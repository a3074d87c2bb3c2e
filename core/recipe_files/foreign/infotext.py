"""The text that AUTOMATIC1111 writes: a prompt, a negative prompt, and a last line of `Key: value` pairs.

Source of the layout: AUTOMATIC1111/stable-diffusion-webui, modules/processing.py (create_infotext) and
modules/infotext_utils.py (quote: a value with a comma, a colon or a line feed is written as a JSON string);
vladmandic/sdnext, modules/processing_info.py, puts `Template:` and `Negative template:` behind the negative prompt.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from core.recipe_files.foreign.draft import MAX_KEYS

MAX_SEGMENTS = 4 * MAX_KEYS
"""Parts between commas that are looked at in a line of pairs."""
MAX_TAIL = 64
"""Lines from the end among which the line of pairs is looked for: some extensions write more behind it."""
FEWEST_PAIRS = 3
"""A last line with fewer belongs to the prompt, as it does in the tool's own reader."""

_KEY = re.compile(r"\s*+(\w[\w /\-]{0,79}+):[ \t]*+")
_QUOTED = re.compile(r'"(?:[^"\\]++|\\.)*+"')
_END_OF_VALUE = re.compile(r"\s*+(?:,|\Z)")
_NEGATIVE = "\nNegative prompt:"
_TEMPLATES = ("\nTemplate:", "\nNegative template:")
_LINE = re.compile(r"[ \t]*+(\w[\w /\-]{0,79}+):(.*)")

Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Infotext:
    """The parts of the text.

    Attributes:
        prompt: may have several lines.
        negative: likewise, empty where there is none.
        pairs: names and values in the order of the text, quotes undone.
        more: other named texts, such as templates of the prompt.
    """

    prompt: str
    negative: str
    pairs: Pairs
    more: Pairs


def parse_infotext(text: str) -> Infotext | None:
    """Return the parts of the text, None where it is no such text.

    Only the last line of pairs counts, so a prompt may hold lines that look like one.
    """
    text = text.strip()
    end = len(text)
    for place in range(MAX_TAIL):
        start = text.rfind("\n", 0, end) + 1
        if place == 0 or text.startswith("Steps:", start):
            pairs = parse_pairs(text[start:end])
            if len(pairs) >= FEWEST_PAIRS and {"Steps", "Seed"} & {name for name, _ in pairs}:
                prompt, negative, more = _parts(text[:start])
                return Infotext(prompt, negative, pairs, [*more, *_lines(text[end:])])
        if start == 0:
            return None
        end = start - 1
    return None


def parse_pairs(line: str) -> Pairs:
    """Return the names and values of `Key: value, Key: "value, quoted"`; what is no pair is passed over."""
    pairs: Pairs = []
    position = 0
    for _ in range(MAX_SEGMENTS):
        if position >= len(line) or len(pairs) == MAX_KEYS:
            break
        key = _KEY.match(line, position)
        if key is None:
            comma = line.find(",", position)
            position = len(line) if comma < 0 else comma + 1
            continue
        value, position = _value(line, key.end())
        pairs.append((key[1], value))
    return pairs


def _value(line: str, start: int) -> tuple[str, int]:
    """Return the value that begins at `start`, and where the next pair begins."""
    quoted = _QUOTED.match(line, start)
    end = _END_OF_VALUE.match(line, quoted.end()) if quoted else None
    if quoted and end:
        try:
            return str(json.loads(quoted[0], strict=False)), end.end()
        except ValueError:
            return quoted[0], end.end()
    comma = line.find(",", start)
    stop = len(line) if comma < 0 else comma
    return line[start:stop].strip(), stop + 1


def _parts(body: str) -> tuple[str, str, Pairs]:
    """Return prompt, negative prompt and templates of what stands above the pairs."""
    prompt, _, negative = f"\n{body}".partition(_NEGATIVE)
    templates = [place for place in map(negative.find, _TEMPLATES) if place >= 0]
    end = min(templates, default=len(negative))
    return prompt.strip(), negative[:end].strip(), _lines(negative[end:])


def _lines(text: str) -> Pairs:
    """Return the lines that are `Name: text`."""
    found = (_LINE.match(line) for line in text.split("\n", MAX_KEYS)[:MAX_KEYS])
    return [(line[1], line[2].strip()) for line in found if line]
