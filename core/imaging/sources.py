"""Text that stands for a picture: an address, a data URI, or base64, in the spellings that programs and people use.

Data URIs are read by the rules of browsers (https://fetch.spec.whatwg.org/#data-urls), and more leniently where
programs differ: URL-safe letters, missing padding, a `+` that a form has turned into a blank. The cost is linear.
"""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import unquote_to_bytes

from core.errors import BadImage, FetchFailed

_CONTROLS = "".join(map(chr, range(33)))
"""What browsers strip from both ends of an address: blanks and control characters."""
_BREAKS = str.maketrans("", "", "\t\n\r")
_SPACES = b" \t\n\r\f\v"
_STANDARD = bytes.maketrans(b"-_", b"+/")
_CHUNK = 65_536
LONGEST_ADDRESS = 8192
"""Characters; as many as web servers take."""


class NotInline(ValueError):
    """The text does not hold the bytes of a file."""


class InlineTooLong(NotInline):
    """The text holds more bytes than are taken."""


def tidy(address: str) -> str:
    """Return an address as browsers take it: nothing around it, no line break or tab within."""
    return address.strip(_CONTROLS).translate(_BREAKS)


def is_address(text: str) -> bool:
    """Return whether a text names a place to read from, by any scheme but `data:`."""
    return "://" in text[:200] and not is_data_uri(text)


def is_data_uri(text: str) -> bool:
    """Return whether a text is a data URI, perhaps percent-encoded as a whole."""
    return text[:200].lstrip(_CONTROLS)[:7].lower().startswith(("data:", "data%3a"))


def data_uri(text: str, most: int) -> bytes:
    """Return what a data URI holds.

    Args:
        text: the URI; base64 or percent-encoded bytes after its comma.
        most: bytes that are taken.

    Raises:
        NotInline: it has no comma, or what follows is not what its head says.
        InlineTooLong: it holds more than `most` bytes.
    """
    text = text.strip(_CONTROLS)
    _check(len(text), 4 * most + 1000)
    if text[:7].lower() == "data%3a":
        text = _percent_decoded(_ascii(text)).decode("latin-1")
    head = text[:2000].partition(",")[0]
    if len(head) in (len(text), 2000):
        raise NotInline("there is no comma")
    body = text[len(head) + 1 :].partition("#")[0]
    if any(each.strip().lower() == "base64" for each in head.translate(_BREAKS).split(";")[1:]):
        return base64_bytes(body, most)
    try:
        data = _percent_decoded(body.translate(_BREAKS).encode())
    except UnicodeEncodeError as error:
        raise NotInline("half a character") from error
    _check(len(data), most)
    return data


def base64_bytes(text: str, most: int) -> bytes:
    """Return the bytes behind base64: in lines or not, padded or not, URL-safe or not, percent-encoded or not.

    Args:
        text: base64 and nothing else.
        most: bytes that are taken.

    Raises:
        NotInline: it is not base64.
        InlineTooLong: it holds more than `most` bytes.
    """
    _check(len(text), 4 * most + 1000)
    raw = _ascii(text)
    if b"%" in raw:
        raw = _percent_decoded(raw)
    raw = _joined(raw.strip(_SPACES).translate(_STANDARD))
    letters = raw.rstrip(b"=")
    if len(raw) - len(letters) > 2 or len(letters) % 4 == 1:
        raise NotInline("the length is not that of base64")
    _check(len(letters) * 3 // 4, most)
    try:
        return base64.b64decode(letters + b"=" * (-len(letters) % 4), validate=True)
    except binascii.Error as error:
        raise NotInline("there are letters that base64 does not have") from error


def bare_base64(text: str, most: int) -> bytes:
    """Return what bare base64 holds. Clients send it, though no provider's page says so.

    Raises:
        BadImage: it is none, or holds more than `most` bytes.
    """
    if not text.strip():
        raise BadImage("image-absent")
    try:
        return base64_bytes(text, most)
    except InlineTooLong as error:
        raise BadImage("image-too-large", limit=most // 10**6) from error
    except NotInline as error:
        begin = "".join(each if each.isprintable() else "?" for each in text.strip()[:20])
        raise BadImage("image-not-base64", begin=begin) from error


def read_data_uri(uri: str, most: int) -> bytes:
    """Return what a data URI holds, at most so many bytes.

    Raises:
        FetchFailed: its data cannot be read, or is too much.
    """
    try:
        return data_uri(uri, most)
    except InlineTooLong as error:
        raise too_long(most) from error
    except NotInline as error:
        raise FetchFailed("link-data-uri-broken") from error


def too_long(most: int) -> FetchFailed:
    """Return the refusal of a file with more bytes than are taken."""
    return FetchFailed("link-file-too-large", limit=most // 10**6)


def _joined(raw: bytes) -> bytes:
    """Return base64 without white space; blanks that were `+` before a form decoded them become that again.

    Blanks are `+` only where no `+` is left, and where the length fits better with them, or they do not wrap the text
    into equal lines.
    """
    dropped = raw.translate(None, _SPACES)
    if b" " not in raw or b"+" in raw:
        return dropped
    restored = raw.translate(None, b"\t\n\r\f\v").replace(b" ", b"+")
    if (len(dropped) % 4 == 0) != (len(restored) % 4 == 0):
        return dropped if len(dropped) % 4 == 0 else restored
    return dropped if _is_wrapped(raw) or len(restored) % 4 == 1 else restored


def _is_wrapped(raw: bytes) -> bool:
    """Return whether white space wraps a text into lines of one length; the last may be shorter."""
    first = re.match(rb"\S+", raw)
    width = len(first.group()) if first else 0
    if not width or width % 4 or width > 1000:
        return False
    between = rb"(?: (?=\S)|[ \t]*+[\r\n]\s*+)"
    return re.fullmatch(rb"(?:\S{%d}%b)*+\S{0,%d}" % (width, between, width), raw) is not None


def _percent_decoded(raw: bytes) -> bytes:
    """Decode percent codes piece by piece: all at once costs many times the text's memory."""
    out, place = bytearray(), 0
    while place < len(raw):
        end = place + _CHUNK
        cut = raw.rfind(b"%", end - 2, end) if end < len(raw) else -1
        end = end if cut < 0 else cut
        out += unquote_to_bytes(raw[place:end])
        place = end
    return bytes(out)


def _ascii(text: str) -> bytes:
    try:
        return text.encode("ascii")
    except UnicodeEncodeError as error:
        raise NotInline("there are letters that base64 does not have") from error


def _check(size: int, most: int) -> None:
    if size > most:
        raise InlineTooLong(f"more than {most} bytes")
