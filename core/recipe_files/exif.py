"""EXIF: its texts, and the comment in which readers of AUTOMATIC1111's JPEG and WebP files look for settings.

The layout is TIFF's (TIFF 6.0, section 2; Exif 2.32, 4.6): a header, directories of 12-byte entries, values that lie
anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.imaging import tiff
from core.recipe_files.texts import Texts, decoded

USER_COMMENT = 0x9286
_NAMES = {0x010E: "ImageDescription", 0x010F: "Make", 0x0110: "Model", 0x0131: "Software"}
"""Texts of the first directory. ComfyUI writes its prompt and workflow into them."""
_BYTES = (1, 2, 7, 129)
"""Types whose values are single bytes: BYTE, ASCII, UNDEFINED, UTF-8."""
_ASCII, _JIS, _UNICODE, _UNDEFINED = b"ASCII\0\0\0", b"JIS\0\0\0\0\0", b"UNICODE\0", bytes(8)
"""The codes before a comment."""
_EMPTY = b"MM\0*\0\0\0\0"
"""A header without a directory; big-endian, as piexif writes it for AUTOMATIC1111."""


@dataclass(frozen=True)
class _Directory:
    """A directory's entries as they stand in the file, and the four bytes that say where the next one is."""

    offset: int = 0
    entries: tuple[bytes, ...] = ()
    following: bytes = bytes(4)

    @property
    def end(self) -> int:
        return self.offset + 2 + 12 * len(self.entries) + 4


class _Exif:
    """The two directories that matter here.

    Raises:
        ValueError: the header is none, or the first directory does not lie inside.
    """

    def __init__(self, data: bytes) -> None:
        layout = tiff.layout_of(data)
        if layout is None or layout.big:
            raise ValueError("not EXIF")
        self.data = data
        self.order = layout.order
        self.main = self._directory(layout.first) if layout.first else _Directory()
        pointer = self.find(self.main, tiff.EXIF)
        try:
            self.sub = _Directory() if pointer is None else self._directory(self.number(pointer[8:]))
        except ValueError:  # the first directory, with the orientation, is whole
            self.sub = _Directory()

    def number(self, raw: bytes) -> int:
        return int.from_bytes(raw, self.order)

    def packed(self, *parts: tuple[int, int]) -> bytes:
        """Return numbers, each in so many bytes."""
        return b"".join(number.to_bytes(size, self.order) for number, size in parts)

    def find(self, directory: _Directory, tag: int) -> bytes | None:
        return next((each for each in directory.entries if self.number(each[:2]) == tag), None)

    def place(self, entry: bytes | None) -> tuple[int, int] | None:
        """Return start and end of a value of single bytes that lies outside its entry."""
        if entry is None or self.number(entry[2:4]) not in _BYTES:
            return None
        size, start = self.number(entry[4:8]), self.number(entry[8:])
        return (start, start + size) if size > 4 and start + size <= len(self.data) else None

    def _directory(self, offset: int) -> _Directory:
        count = self.number(self.data[offset : offset + 2])
        end = offset + 2 + 12 * count
        if offset < 8 or end + 4 > len(self.data):
            raise ValueError("a directory outside")
        entries = tuple(self.data[at : at + 12] for at in range(offset + 2, end, 12))
        return _Directory(offset, entries, self.data[end : end + 4])

    def directory(self, entries: tuple[bytes, ...], following: bytes) -> bytes:
        """Return a directory's bytes; its entries are in the order of their tags, as TIFF wants them."""
        ordered = sorted(entries, key=lambda each: self.number(each[:2]))
        return self.packed((len(ordered), 2)) + b"".join(ordered) + following


def read_texts(data: bytes, texts: Texts) -> None:
    """Read the texts of EXIF as `exif:UserComment`, `exif:ImageDescription` and so on.

    Args:
        data: TIFF bytes; the letters that JPEG puts before them may be there.
        texts: where they go. Damaged EXIF has none.

    Raises:
        StopReading: a limit is reached.
    """
    data = data.removeprefix(b"Exif\0\0")
    texts.spend(len(data))
    try:
        file = _Exif(data)
    except ValueError:
        return
    for entry in file.main.entries:
        name, place = _NAMES.get(file.number(entry[:2])), file.place(entry)
        if name and place:
            raw = data[slice(*place)].partition(b"\0")[0]
            texts.spend(len(raw))
            texts.put(f"exif:{name}", decoded(raw, "utf-8", "latin-1"))
    place = file.place(file.find(file.sub, USER_COMMENT))
    if place:
        raw = data[slice(*place)]
        texts.spend(len(raw))
        texts.put("exif:UserComment", _comment(raw, file.order))


def _comment(raw: bytes, order: str) -> str:
    """Return a comment's text; some programs leave its code out, or write UTF-8 behind the one of ASCII."""
    code, body = (raw[:8], raw[8:]) if raw[:8] in (_ASCII, _JIS, _UNICODE, _UNDEFINED) else (b"", raw)
    if code == _UNICODE:
        return _utf16(body, order).rstrip("\0 ")
    encodings = ("shift_jis",) if code == _JIS else ("utf-8", "latin-1")
    return decoded(body.rstrip(b"\0 "), *encodings)


def _utf16(body: bytes, order: str) -> str:
    """Return UTF-16 as text.

    Piexif writes it big-endian into files of either order. So a mark counts first, then on which side the zeros of
    Latin letters stand, and the file's order last.
    """
    even = body[: len(body) // 2 * 2]
    if even[:2] in (b"\xfe\xff", b"\xff\xfe"):
        return even.decode("utf-16", "replace")
    first, second = even[::2].count(0), even[1::2].count(0)
    big = order == "big" if first == second else first > second
    return even.decode("utf-16-be" if big else "utf-16-le", "replace")


def with_comment(old: bytes | None, text: str) -> bytes:
    """Return EXIF with a text as its comment, in big-endian UTF-16 as piexif writes it.

    Whatever else is there stays where it lies, for orientation, thumbnail and the maker's notes are found by their
    places: the directory with the comment is written behind. A former comment is blanked.

    Args:
        old: TIFF bytes; None, or bytes that are not EXIF, give EXIF with the comment alone.
        text: of any length; a JPEG holds 65,527 bytes of EXIF.
    """
    try:
        file = _Exif(_blanked(_Exif(old or _EMPTY)))
    except ValueError:
        file = _Exif(_EMPTY)
    comment = _UNICODE + text.encode("utf-16-be")
    made = bytearray(file.data + bytes(len(file.data) % 2))
    others = tuple(each for each in file.sub.entries if file.number(each[:2]) != USER_COMMENT)
    place, behind = len(made), len(made) + 2 + 12 * (len(others) + 1) + 4
    entry = file.packed((USER_COMMENT, 2), (7, 2), (len(comment), 4), (behind, 4))
    made += file.directory((*others, entry), file.sub.following) + comment
    pointer = file.packed((tiff.EXIF, 2), (4, 2), (1, 4), (place, 4))
    former = file.find(file.main, tiff.EXIF)
    if former is not None:
        at = file.main.offset + 2 + 12 * file.main.entries.index(former)
        made[at : at + 12] = pointer
    else:
        made += bytes(len(made) % 2)
        made[4:8] = file.packed((len(made), 4))
        made += file.directory((*file.main.entries, pointer), file.main.following)
    return bytes(made)


def without_comment(old: bytes) -> bytes:
    """Return EXIF whose comment is blank; all else stays, and so does what is not EXIF."""
    try:
        return _blanked(_Exif(old))
    except ValueError:
        return old


def _blanked(file: _Exif) -> bytes:
    """Return the bytes with zeros for the comment, which is an empty one of no code."""
    place = file.place(file.find(file.sub, USER_COMMENT))
    if place is None:
        return file.data
    start, end = place
    tables = ((0, 8), *((each.offset, each.end) for each in (file.main, file.sub)))
    if any(start < last and first < end for first, last in tables):  # such a file would lose its directories
        return file.data
    return file.data[:start] + bytes(end - start) + file.data[end:]
