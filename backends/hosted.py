"""What hosted providers have in common: refusals in words, pictures on their way, when to ask again."""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from backends.http.answer import MAX_RESULT, Answer, Lost, NotSent
from core.backend import Price
from core.errors import (
    BadImage,
    FetchFailed,
    KeyRejected,
    MalformedAnswer,
    NoCredits,
    ParameterRefused,
    PermissionRefused,
    ProviderDown,
    RateLimited,
    ResultGone,
    StudioError,
    SubmitUnknown,
)
from core.events import Picture, Withheld
from core.images import MIME, Reference, encode
from core.results import look_at
from core.sources import InlineTooLong, NotInline, base64_bytes, data_uri, is_address, is_data_uri, tidy

PNG_TRAVELS = 8_000_000
"""Bytes; a larger PNG goes to a provider as a JPEG of quality 95."""
PRICE_KEPT = 3600.0
"""Seconds for which a price that was read stands."""


# ---- refusals --------------------------------------------------------------------------------------------


def said(text: object, key: str | None) -> str:
    """Return a provider's words on one short line, without the key should they hold it."""
    words = " ".join(str(text or "").split())
    words = "".join(each if each.isprintable() else "?" for each in words)  # half letters, codes for terminals
    if key:
        words = words.replace(key, "(key)")
    return words[:197] + "..." if len(words) > 200 else words


def refused(name: str, answer: Answer, words: str, key_env: str) -> StudioError:
    """Return what a status of refusal means, charged or not.

    Args:
        name: the provider's.
        answer: with a status of 400 or more.
        words: the provider's own, cleaned.
        key_env: the environment variable of its key.
    """
    status = answer.status
    quoted = f' It says: "{words}".' if words else ""
    match status:
        case 401:
            return KeyRejected(f"{name} does not know this key.", f"Paste another, or set {key_env} and restart.")
        case 402:
            return NoCredits(f"The account at {name} has no credits left.{quoted}", "Top it up there, and run again.")
        case 403:
            return PermissionRefused(f"{name} does not let this key do that.{quoted}", "Look at the key's permissions.")
        case 429:
            wait = answer.wait(time.time())
            todo = f"Run again in {wait:.0f} s." if wait is not None else "Run again in a minute."
            return RateLimited(f"{name} has too many requests from this key.", todo, wait=wait)
        case 400 | 404 | 405 | 409 | 413 | 415 | 422:
            return ParameterRefused(f"{name} refuses the request.{quoted}", "Change the prompt, picture or settings.")
        case _ if status >= 500:
            return ProviderDown(f"{name} has trouble of its own (status {status}).{quoted}", "Run again in a minute.")
    return MalformedAnswer(f"{name} answered with status {status}, which is not documented.", "Run again later.")


def unreadable(what: str, todo: str = "It was probably charged: look there.") -> MalformedAnswer:
    """Return the error for a result that cannot be used; whether it was charged is not known."""
    error = MalformedAnswer(what, todo)
    error.charged = None
    return error


def not_sent(name: str) -> ProviderDown:
    """Return the error for a request that never left."""
    return ProviderDown(f"{name} cannot be reached.", "Check the network, and run again.")


def lost(name: str, where: str) -> SubmitUnknown:
    """Return the error for a request that may have been taken, and whose answer was lost."""
    return SubmitUnknown(
        f"The request was sent to {name}, and its answer was lost on the way.",
        f"It may have run. Look at {where} before you run it again; it is not sent a second time by itself.",
    )


# ---- pictures --------------------------------------------------------------------------------------------


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
        raise unreadable(
            f"The provider's picture has more than {most} MB.", "Ask for JPEG, or a smaller one."
        ) from error
    except NotInline as error:
        if is_data_uri(text):
            raise unreadable("The provider's picture cannot be read.") from error
        return None


async def collect(name: str, text: str, download: Callable[[str], Any]) -> bytes:
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
        raise unreadable(f"{name} gave a result that is no address.")
    try:
        fetched: bytes = await download(text)
    except FetchFailed as error:
        gone = ResultGone(
            f"{name} made the picture, and its address cannot be read. {error.what}", "Look for it there."
        )
        gone.charged = True
        raise gone from error
    return fetched


async def picture(name: str, data: bytes, seed: int) -> Picture:
    """Return a result's file as it came, whatever its kind, after a look at what it is.

    Raises:
        MalformedAnswer: it is no picture.
    """
    try:
        facts = await asyncio.to_thread(look_at, data)
    except BadImage as error:
        raise unreadable(f"{name} gave a file that cannot be used. {error.what}") from error
    return Picture(data, facts.mime, facts.width, facts.height, seed, facts.damaged)


def damage(name: str, images: Sequence[Picture | Withheld]) -> tuple[str, ...]:
    """Return a notice for each image whose file came damaged, or cannot be opened here."""
    notices = []
    for place, each in enumerate(images, 1):
        which = f"image {place}" if len(images) > 1 else "the image"
        if isinstance(each, Picture) and each.damaged:
            notices.append(f"The file of {which} from {name} is damaged; it is kept as it came.")
        elif isinstance(each, Picture) and not each.width:
            kind = each.mime.removeprefix("image/")
            notices.append(f"The file of {which} from {name} is of the kind {kind}, which is kept and not shown here.")
    return tuple(notices)


# ---- time ------------------------------------------------------------------------------------------------


class Pace:
    """How long a provider's tasks take, by the latest ones."""

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=20)

    def add(self, seconds: float) -> None:
        """Remember a task's time from its submit to its end."""
        self._seconds.append(seconds)

    def expected(self) -> float | None:
        """Return the median, None before the first task."""
        return statistics.median(self._seconds) if self._seconds else None

    def soonest(self) -> float | None:
        """Return when a look may first pay: just after the shortest of some tasks, well before the end of few."""
        expected = self.expected()
        if expected is None or len(self._seconds) < 5:
            return expected and 0.88 * expected
        return max(0.88 * expected, 1.01 * min(self._seconds) + 0.01)


def pause(elapsed: float, looks: int, expected: float | None, soonest: float | None = None) -> float:
    """Return the seconds to wait before the next look at a task.

    Where nothing is known, waits grow from 0.4 s by a third to 5 s. Where earlier tasks took `expected`
    seconds, one or two looks come early, the next when the end is possible, at `soonest`, and then they come close
    together: that is where the end lies, and where waiting is noticed. All others have jitter.

    Args:
        elapsed: seconds since its submit.
        looks: at it so far.
        expected, soonest: as `Pace` tells them.
    """
    jitter = random.uniform(0.9, 1.0)  # noqa: S311 - spreads load, guards nothing
    if expected is None:
        return jitter * max(min(5.0, 0.4 * 1.3**looks), elapsed / 10)
    if not looks:
        return jitter * min(0.4, 0.6 * expected)
    if elapsed > 1.25 * expected:
        return jitter * min(30.0, max(0.15, elapsed / 5))
    if elapsed < 0.4 * expected and expected > 4:
        return jitter * (0.45 * expected - elapsed)
    aim = soonest or 0.88 * expected
    if elapsed < min(0.75 * expected, aim):
        return aim - elapsed  # to the point: a look just before the end is one for nothing
    return jitter * max(0.1, elapsed / 32)


class PriceTag:
    """A price that is asked for at most once an hour.

    Args:
        documented: US dollars an image as the provider's page says.
        clock: seconds that never go back.
    """

    def __init__(self, documented: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._price = Price(documented)
        self._read: float | None = None
        self._clock = clock

    async def price(self, ask: Callable[[], Any]) -> Price:
        """Return the price; `ask` returns dollars or None, and what it raises leaves the price as it was."""
        now = self._clock()
        if self._read is None or now - self._read > PRICE_KEPT:
            self._read = now  # a provider that does not answer is not asked at every click either
            try:
                dollars = await ask()
            except (StudioError, NotSent, Lost):
                dollars = None
            if isinstance(dollars, int | float) and not isinstance(dollars, bool) and 0 <= dollars < 1000:
                self._price = Price(float(dollars), live=True)
        return self._price
