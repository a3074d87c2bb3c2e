"""What AI/ML API answers: results, refusals, money. Pure: nothing here asks anybody.

Facts from the provider's model page and OpenAPI schema, its billing and error pages. Where they contradict each
other, every reading is accepted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from backends.hosted.refusals import refused, said
from backends.http.answer import Answer
from core.errors import NoCredits, StudioError, TimedOut

NAME = "AI/ML API"
MODEL = "flux/srpo/image-to-image"
KEY_ENV = "AIMLAPI_KEY"
CREDITS_PER_DOLLAR = 2_000_000


@dataclass(frozen=True)
class Result:
    """What an answer says.

    Attributes:
        outputs: an address, a data URI or base64 for each image.
        nsfw: for each output whether it was flagged.
        seed: the seed that was used, None where it is not said.
        seconds: of inference, None where it is not said.
        credits: that were used, None where it is not said.
        answered: whether the answer had a list of images at all.
    """

    outputs: tuple[str, ...] = ()
    nsfw: tuple[bool, ...] = ()
    seed: int | None = None
    seconds: float | None = None
    credits: float | None = None
    answered: bool = True


def read(body: Any) -> Result:
    """Read an answer of success.

    The schema has `data` and `meta.usage.credits_used`; the example answers `images`, `timings`,
    `seed`, `has_nsfw_concepts` and `tokens_used` too; the provider's other models `output.choices`.
    Anything may be null.
    """
    body = body if isinstance(body, dict) else {}
    items = body.get("data") or body.get("images") or dig(body, "output", "choices")
    items = items if isinstance(items, list) else None
    outputs = [_output(each) for each in items or ()]
    flags = body.get("has_nsfw_concepts") or []
    usage = dig(body, "meta", "usage")
    return Result(
        outputs=tuple(each for each in outputs if each),
        nsfw=tuple(bool(each) for each in flags) if isinstance(flags, list) else (),
        seed=number(body.get("seed"), int),
        seconds=number(dig(body, "timings", "inference"), float),
        credits=number(dig(usage, "credits_used") or dig(usage, "tokens_used"), float),
        answered=items is not None,
    )


def _output(item: Any) -> str:
    item = item if isinstance(item, dict) else {}
    found = item.get("url") or item.get("b64_json") or item.get("image_base64")
    return found if isinstance(found, str) else ""


def dig(body: Any, *names: str) -> Any:
    """Return what lies in objects within objects, None where it does not."""
    for name in names:
        body = body.get(name) if isinstance(body, dict) else None
    return body


def number(value: Any, kind: Callable[[Any], Any]) -> Any:
    """Return a number that a person could mean; JSON holds others too."""
    plain = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15
    return kind(value) if plain else None


def price_in(body: Any) -> float | None:
    """Return US dollars an image from a list of models with their pricing, None where none is found.

    The list's shape is not documented, so an amount an image is looked for by its usual names.
    """
    for model in body.get("data") or [] if isinstance(body, dict) else []:
        if isinstance(model, dict) and model.get("id") == MODEL:
            pricing = model.get("pricing")
            for name in ("image", "per_image", "usd", "price"):
                amount = number(dig(pricing, name), float)
                if amount is not None:
                    return float(amount)
    return None


def cost(answer: Answer, result: Result) -> float | None:
    """Return US dollars: the headers' word first, then the body's credits."""
    headers = answer.headers
    for name, unit in (("x-aimlapi-usd-spent", 1), ("x-aimlapi-credits-used", CREDITS_PER_DOLLAR)):
        try:
            return float(headers[name]) / unit
        except (KeyError, ValueError):
            continue
    return None if result.credits is None else result.credits / CREDITS_PER_DOLLAR


def refusal(answer: Answer, key: str | None) -> StudioError:
    """Return what a refusal means. The provider does not charge failed requests."""
    words = said(dig(answer.body, "message"), key)
    if answer.status == 504:
        return TimedOut(f"{NAME} gave up on the picture.", "Run again, with fewer steps perhaps.", charged=False)
    # The two refusals that have no status of their own; their words are documented.
    if answer.status == 403 and "run out of credits" in words.lower():
        return NoCredits(f"The account at {NAME} has no credits left.", "Top it up at aimlapi.com, and run again.")
    if answer.status == 429 and "free-tier limit" in words.lower():
        return NoCredits(f"The free tier of {NAME} is used up.", "Top the account up, or come back when it renews.")
    return refused(NAME, answer, words, KEY_ENV)
