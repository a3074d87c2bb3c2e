"""References as callers of the API send them, where they are neither an address nor a file."""

from __future__ import annotations

from core.errors import BadImage
from core.images import Reference
from core.sources import InlineTooLong, NotInline, base64_bytes


def unused_size(size: str | None, reference: Reference) -> tuple[str, ...]:
    """Return a notice where a caller asks for another size than the result will have."""
    own = f"{reference.width}x{reference.height}"
    if size is None or size.strip().lower() in ("auto", "", own):
        return ()
    return (f"size {size[:20]} was not used: a result has the size of its reference, {own}.",)


def bare(text: str, most: int) -> bytes:
    """Return what bare base64 holds. Clients send it, though no provider's page says so.

    Raises:
        BadImage: it is none, or holds more than `most` bytes.
    """
    if not text.strip():
        raise BadImage("There is no picture.", "Send an address that begins with https://, a data URI, or base64.")
    try:
        return base64_bytes(text, most)
    except InlineTooLong as error:
        raise BadImage("The picture is too large.", f"At most {most // 10**6} MB are taken.") from error
    except NotInline as error:
        begin = "".join(each if each.isprintable() else "?" for each in text.strip()[:20])
        raise BadImage(
            f'"{begin}" is the beginning of neither an address nor a picture in base64.',
            "Send an address that begins with https://, a data URI, or base64.",
        ) from error
