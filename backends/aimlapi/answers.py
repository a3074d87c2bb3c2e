"""What AI/ML API answers: results, refusals, money. Pure: nothing here asks anybody.

Facts from the provider's model page and OpenAPI schema, its billing and error pages. Where they contradict each
other, every reading is accepted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from backends.hosted.lenient import Flag, Lenient, Number, Text
from backends.hosted.refusals import refused, said
from backends.http.answer import Answer
from core.errors import NoCredits, StudioError, TimedOut

NAME = "AI/ML API"
MODEL = "flux/srpo/image-to-image"
KEY_ENV = "AIMLAPI_KEY"
CREDITS_PER_DOLLAR = 2_000_000


@dataclass(frozen=True)
class Result:
    """What an answer of success says.

    Attributes:
        outputs: an address, a data URI or base64 for each image.
        nsfw: for each output whether it was flagged.
        seed: the seed that was used, None where it is not said.
        seconds: of inference, None where it is not said.
        credits: that were used, None where it is not said.
    """

    outputs: tuple[str, ...] = ()
    nsfw: tuple[bool, ...] = ()
    seed: int | None = None
    seconds: float | None = None
    credits: float | None = None


class _Image(Lenient):
    url: Text = ""
    b64_json: Text = ""
    image_base64: Text = ""


class _Output(Lenient):
    choices: tuple[_Image, ...] = ()


class _Timings(Lenient):
    inference: Number | None = None


class _Usage(Lenient):
    credits_used: Number | None = None
    tokens_used: Number | None = None


class _Meta(Lenient):
    usage: _Usage = _Usage()


class _Generated(Lenient):
    """The schema has `data` and `meta.usage.credits_used`; the page's example answers `images`, `timings`, `seed`,
    `has_nsfw_concepts` and `tokens_used` too; the provider's other models `output.choices`. Anything may be null.
    """

    data: tuple[_Image, ...] = ()
    images: tuple[_Image, ...] = ()
    output: _Output = _Output()
    has_nsfw_concepts: tuple[Flag, ...] = ()
    seed: Number | None = None
    timings: _Timings = _Timings()
    meta: _Meta = _Meta()


class _Pricing(Lenient):
    """An amount an image by its usual names: the list's shape is not documented."""

    image: Number | None = None
    per_image: Number | None = None
    usd: Number | None = None
    price: Number | None = None


class _Model(Lenient):
    id: Text = ""
    pricing: _Pricing = _Pricing()


class _Models(Lenient):
    data: tuple[_Model, ...] = ()


class _Billing(Lenient):
    current_balance: Number | None = None


class _Refusal(Lenient):
    message: Any = None


def read(body: Any) -> Result:
    """Read an answer of success."""
    answer = _Generated.of(body)
    images = answer.data or answer.images or answer.output.choices
    outputs = (each.b64_json or each.image_base64 or each.url for each in images)  # what is here already comes first
    usage = answer.meta.usage
    return Result(
        outputs=tuple(each for each in outputs if each),
        nsfw=answer.has_nsfw_concepts,
        seed=None if answer.seed is None else int(answer.seed),
        seconds=answer.timings.inference,
        credits=usage.credits_used or usage.tokens_used,
    )


def price_in(body: Any, model: str) -> float | None:
    """Return US dollars for an image of a model from a list of models, None where none is found."""
    listed = (each.pricing for each in _Models.of(body).data if each.id == model)
    amounts = (amount for each in listed for amount in (each.image, each.per_image, each.usd, each.price))
    return next((each for each in amounts if each is not None), None)


def balance_in(body: Any) -> float | None:
    """Return the US dollars left on an account, None where they are not said."""
    return _Billing.of(body).current_balance


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
    words = said(_Refusal.of(answer.body).message, key)
    if answer.status == 504:
        return TimedOut("provider-gave-up", provider=NAME, charged=False)
    # The two refusals that have no status of their own; their words are documented.
    if answer.status == 403 and "run out of credits" in words.lower():
        return NoCredits("provider-no-credits", provider=NAME, says="")
    if answer.status == 429 and "free-tier limit" in words.lower():
        return NoCredits("provider-free-tier-used", provider=NAME)
    return refused(NAME, answer, words)
