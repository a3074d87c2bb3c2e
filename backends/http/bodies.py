"""The body of an answer, counted while it comes and while it unpacks."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import httpx

PACKINGS = ("gzip", "x-gzip", "deflate", "br", "zstd", "compress", "x-compress", "dcb", "dcz")
"""Words of Content-Encoding that say something of the bytes."""


class TooLong(httpx.TransportError):
    """An answer has more bytes than are taken."""


class UnknownPacking(httpx.DecodingError):
    """An answer is packed in a way that is not read here; the text names it."""


async def body_of(response: httpx.Response, most: int) -> bytes:
    """Return a response's body, counted while it comes and while it unpacks: a few bytes of gzip may hold gigabytes.

    Raises:
        TooLong: it has more than `most` bytes.
        UnknownPacking: it is packed in another way than once by gzip or deflate.
        httpx.DecodingError: it is packed badly.
    """
    unpack = _unpacker(response.headers.get("content-encoding", ""))
    body = bytearray()
    assert isinstance(response.stream, httpx.AsyncByteStream)
    async for chunk in response.stream:
        try:
            body += unpack(chunk, most + 1 - len(body)) if unpack else chunk
        except zlib.error as error:
            raise httpx.DecodingError("The answer is packed badly.") from error
        if len(body) > most:
            body.clear()  # the error's traceback would hold it as long as the error is kept
            raise TooLong("The answer has no end.")
    return bytes(body)


def _unpacker(header: str) -> Callable[[bytes, int], bytes] | None:
    """Return what unpacks a body, None where nothing is packed.

    Servers put words into Content-Encoding that are none, S3 whatever a file was stored with: `utf-8`, `none`,
    `aws-chunked`. They mean nothing, as in browsers.
    """
    packings = [each for each in (part.strip().lower() for part in header.split(",")) if each in PACKINGS]
    if not packings:
        return None
    if len(packings) > 1 or packings[0] not in ("gzip", "x-gzip", "deflate"):
        raise UnknownPacking(", ".join(packings))
    return _inflate() if packings[0] == "deflate" else zlib.decompressobj(16 + zlib.MAX_WBITS).decompress


def _inflate() -> Callable[[bytes, int], bytes]:
    """Return what unpacks `deflate`, with the header that the standard asks for or without it, as some servers send."""
    state: Any = None
    held = b""

    def unpack(chunk: bytes, most: int) -> bytes:
        nonlocal state, held
        if state is None:
            held += chunk
            if len(held) < 2:
                return b""
            headed = held[0] & 0x0F == 8 and (held[0] << 8 | held[1]) % 31 == 0
            state, chunk = zlib.decompressobj(zlib.MAX_WBITS if headed else -zlib.MAX_WBITS), held
        unpacked: bytes = state.decompress(chunk, most)
        return unpacked

    return unpack
