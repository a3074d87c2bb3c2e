"""Requests whose JSON holds an image in base64: the image becomes a file, and what is left is small.

Done in a decoder process: parsing tens of MB holds up every thread of the process that does it, and leaves its
memory in pieces.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.errors import BadParameter
from core.imaging.sources import LONGEST_ADDRESS, bare_base64, is_address, is_data_uri, read_data_uri

DEPTH = 20
"""Levels of lists and objects that a request may have; the page's have four."""
REST = 64 * 1024
"""Bytes of a request without its image."""
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
"""A JSON string, or the rest of the text after a quotation mark without its other: in one pass, without a way back."""
_BRACKET = re.compile(rb"[\[\]{}]")


class TooDeep(Exception):
    """A text has more than `DEPTH` levels."""


def shallow_json(text: bytes) -> Any:
    """Return a text's JSON, None where it has none; its levels are counted before anything is built of it.

    Raises:
        TooDeep: it has more than `DEPTH`.
    """
    depth = 0
    for bracket in _BRACKET.finditer(_STRING.sub(b"", text)):
        depth += 1 if bracket[0] in b"[{" else -1
        if depth > DEPTH:
            raise TooDeep
    try:
        return json.loads(text or b"null")
    except ValueError:
        return None


def separate(body: bytes, place: Sequence[str | int], into: Path, most: int) -> bytes:
    """Write the inline image of a request to a file, and return the request with the file's path in its place.

    Args:
        body: of the request, JSON.
        place: the keys, from the outermost, that lead to the image.
        into: the file.
        most: bytes of an image.

    Raises:
        StudioError: the image cannot be read, or there is too much beside it.
        OSError: the disk is full or not writable.
    """
    try:
        value = shallow_json(body)
    except TooDeep as error:
        raise BadParameter("body-too-deep", field="body", limit=DEPTH) from error
    holder = _holder(value, place)
    image = ""
    if holder is not None:
        image, holder[place[-1]] = holder[place[-1]], str(into)
        body = json.dumps(value).encode()
    if len(body) > REST:
        raise BadParameter("body-too-large", field="body", limit=REST // 1024)
    if holder is not None:
        into.write_bytes(read_data_uri(image, most) if is_data_uri(image) else bare_base64(image, most))
    return body


def _holder(value: Any, place: Sequence[str | int]) -> Any:
    """Return the list or object that holds an inline image, None where there is none."""
    holder = None
    for key in place:
        holder = value
        fits = isinstance(value, dict) if isinstance(key, str) else isinstance(value, list) and len(value) > key
        if not fits or (isinstance(key, str) and key not in value):
            return None
        value = value[key]
    inline = isinstance(value, str) and len(value) > LONGEST_ADDRESS and not is_address(value)
    return holder if inline else None
