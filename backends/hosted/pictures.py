"""Pictures on their way to a provider and back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from backends.hosted.refusals import unreadable
from backends.http.answer import MAX_RESULT
from core.errors import BadImage, FetchFailed, ResultGone
from core.events import Picture
from core.imaging.images import MIME, Reference, encode
from core.imaging.result_files import look_at
from core.imaging.sources import InlineTooLong, NotInline, base64_bytes, data_uri, is_address, is_data_uri, tidy
from core.messages import Message, Value, message
from core.result import Missing

PNG_TRAVELS = 8_000_000
"""Bytes; a larger PNG goes to a provider as a JPEG of quality 95."""


def travelling(reference: Reference) -> tuple[bytes, str]:
    """Return a reference as a file that a provider takes, upright and without metadata: its bytes and MIME type."""
    data = reference.read()
    if len(data) <= PNG_TRAVELS:
        return data, reference.mime
    return encode(reference.open(), "jpeg"), MIME["jpeg"]


def inline(text: str) -> bytes | None:
    """Return what a data URI or bare base64 holds, None where the text is neither (an address, say).

    Raises:
        MalformedAnswer: a data URI that cannot be read, or too many bytes.
    """
    if is_address(text):
        return None
    try:
        return data_uri(text, MAX_RESULT) if is_data_uri(text) else base64_bytes(text, MAX_RESULT)
    except InlineTooLong as error:
        most = MAX_RESULT // 10**6
        raise unreadable("result-too-large", limit=most) from error
    except NotInline as error:
        if is_data_uri(text):
            raise unreadable("result-unreadable") from error
        return None


async def collect(name: str, text: str, download: Callable[[str], Awaitable[bytes]]) -> bytes:
    """Return the bytes of one result: inline, or read from its address.

    Raises:
        ResultGone: its address cannot be read any more.
        MalformedAnswer: it is neither an address nor a picture.
    """
    data = await asyncio.to_thread(inline, text)
    if data is not None:
        return data
    text = tidy(text)
    if not text.lower().startswith(("http://", "https://")):
        raise unreadable("result-not-address", provider=name)
    try:
        return await download(text)
    except FetchFailed as error:
        raise ResultGone("result-gone", provider=name, why=error.message, charged=True) from error


async def picture(name: str, data: bytes, seed: int) -> Picture:
    """Return a result's file as it came, whatever its kind, after a look at what it is.

    Raises:
        MalformedAnswer: it is no picture.
    """
    try:
        facts = await asyncio.to_thread(look_at, data)
    except BadImage as error:
        raise unreadable("result-file-unusable", provider=name, why=error.message) from error
    return Picture(data, facts.mime, facts.width, facts.height, seed, facts.damaged)


def damage(name: str, images: Sequence[Picture | Missing]) -> tuple[Message, ...]:
    """Return a notice for each image whose file came damaged, or cannot be opened here."""
    notices = []
    for place, each in enumerate(images, 1):
        which: dict[str, Value] = {"provider": name, "place": place, "count": len(images)}
        if isinstance(each, Picture) and each.damaged:
            notices.append(message("notice-file-damaged", **which))
        elif isinstance(each, Picture) and not each.width:
            kind = each.mime.removeprefix("image/")
            notices.append(message("notice-file-not-shown", kind=kind, **which))
    return tuple(notices)
