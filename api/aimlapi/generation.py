"""What `POST /v1/images/generations` and `/v1/images/edits` take: AI/ML API's fields, and those of OpenAI's clients.

OpenAI's shape by its Python client and the AI SDK: `n`, `response_format`, `size`, and an image as a file of a form.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BeforeValidator, ConfigDict, Field, StrictBool, StrictStr, ValidationError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartParser

from api.schemas import Acceleration, Body, Format, Real, Whole, whole
from core.errors import BadParameter
from core.messages import Message, message
from core.spec import MAX_PROMPT, MAX_SEED
from storage.files.disk import disk_errors

MODEL = "flux/srpo/image-to-image"
MAX_FILES = 17
"""Files of a form: OpenAI's clients may send 16 images and a mask."""
UNSEEN = ("user", "safety_identifier")
"""OpenAI's fields that change no image."""
DEFAULTS: Mapping[str, tuple[Any, ...]] = {
    "stream": (False,),
    "partial_images": (0,),
    "background": ("auto", "opaque"),
    "quality": ("auto", "standard"),
    "moderation": ("auto",),
    "output_compression": (100,),
}
"""OpenAI's fields that are not used, and the values for which there is no notice."""
WHOLE = ("n", "num_images", "num_inference_steps", "seed")
REAL = ("guidance_scale", "strength")
FLAGS = ("enable_safety_checker", "stream", "sync_mode")
MASKS = ("mask", "markup")


class Generation(Body):
    """What to make. Fields that are not listed are ignored, with a notice in the answer."""

    model_config = ConfigDict(protected_namespaces=())

    model: StrictStr = Field(examples=[MODEL])
    prompt: StrictStr = Field(min_length=1, max_length=MAX_PROMPT, description="What the picture should become.")
    image_url: StrictStr = Field(
        description="The reference: a public address, a data URI, or an address that this app gave out."
    )
    num_images: Whole = Field(1, ge=1, le=4, description="How many images.")
    seed: Annotated[int, Field(ge=1), BeforeValidator(whole)] | None = Field(
        None, description="The same seed and settings make the same image."
    )
    num_inference_steps: Whole = Field(40, ge=1, le=50, description="Steps; strength decides how many run.")
    guidance_scale: Real = Field(4.5, ge=1, le=20, description="How closely the prompt is followed.")
    sync_mode: StrictBool = Field(False, description="Whether the images come inside the answer, in base64.")
    enable_safety_checker: StrictBool = Field(True, description="Whether results are checked, where that is set up.")
    output_format: Format = Field("jpeg", description="The images' format.")
    acceleration: Acceleration = Field("regular", description="How much speed may cost quality.")
    strength: Real = Field(0.95, ge=0, le=1, description="How far to leave the reference.")
    n: Annotated[int, Field(ge=1, le=4), BeforeValidator(whole)] | None = Field(
        None, description="OpenAI's name for `num_images`."
    )
    response_format: Literal["url", "b64_json"] | None = Field(
        None, description="OpenAI's name for `sync_mode`: `b64_json` is true."
    )
    size: StrictStr | None = Field(
        None, max_length=40, description="Not used: a result has its reference's size. Another one gets a notice."
    )

    @property
    def inline(self) -> bool:
        """Whether the images come inside the answer."""
        return self.sync_mode or self.response_format == "b64_json"

    def values(self) -> dict[str, Any]:
        """Return the backend's parameters by name."""
        other = {"model", "prompt", "image_url", "sync_mode", "n", "response_format", "size"}
        values = self.model_dump(exclude=other)
        values["num_images"] = self.n or self.num_images
        if self.seed is not None:
            values["seed"] = (self.seed - 1) % MAX_SEED + 1  # the schema sets no end, and 31 bits are used
        return values

    @classmethod
    def adjusted(cls, fields: dict[str, Any]) -> tuple[dict[str, Any], tuple[Message, ...]]:
        """Leave out what is not used.

        Raises:
            BadParameter: `n` and `num_images` differ, or a stream is asked for.
        """
        if fields.get("stream") is True:
            raise BadParameter("stream-unsupported", field="stream")
        if "n" in fields and fields.get("num_images", fields["n"]) != fields["n"]:
            raise BadParameter("count-differs", field="n")
        unknown = {name: value for name, value in fields.items() if name not in cls.model_fields}
        unused = [
            name
            for name, value in unknown.items()
            if name not in UNSEEN and not (name in DEFAULTS and value in DEFAULTS[name])
        ]
        notices = []
        if unused:
            names = ", ".join(name[:40] for name in unused[:10])
            notices.append(message("notice-field-ignored", names=names))
        seed = fields.get("seed")
        if isinstance(seed, int) and seed > MAX_SEED:
            notices.append(message("notice-seed-too-large", limit=str(MAX_SEED)))
        return {name: value for name, value in fields.items() if name in cls.model_fields}, tuple(notices)


# ---- images.edit --------------------------------------------------------------------------------------


def edits_described(guarded: Mapping[str, Any]) -> dict[str, Any]:
    """Return the description of the edits' route for OpenAPI, added to that of every route that needs a key."""
    file = {"type": "string", "format": "binary"}
    text = {name: {"type": "string"} for name in ("prompt", "model", "n", "size", "response_format", "user")}
    own = {name: {"type": "string"} for name in ("strength", "num_inference_steps", "guidance_scale", "seed")}
    form = {"type": "object", "required": ["image", "prompt"], "properties": {"image": file, **text, **own}}
    body = {"required": True, "content": {"multipart/form-data": {"schema": form}}}
    return {**guarded, "openapi_extra": {**guarded["openapi_extra"], "requestBody": body}}


async def read_edit(request: Request, model: str, max_bytes: int) -> tuple[Generation, str | bytes]:
    """Return what an edit asks for, and its image: a file's bytes, or text as `image_url` takes it.

    Args:
        request: a form with a file, or JSON.
        model: what runs where none is named.
        max_bytes: of the image.

    Raises:
        BadParameter: there is no image, or a mask.
        RequestValidationError: a field does not fit.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json":
        try:
            content = await request.json()
        except (ValueError, RecursionError) as error:
            raise RequestValidationError([{"type": "json_invalid", "loc": ("body",), "msg": ""}]) from error
        if not isinstance(content, dict):
            raise BadParameter("body-not-object", field="body")
        fields, images = _of_json(content)
    else:
        with disk_errors():  # large files are spooled to the disk
            fields, images = await _of_form(request, max_bytes)
    for name in MASKS:
        if fields.pop(name, None) not in (None, ""):
            raise BadParameter("mask-unsupported", field=name)
    if not images:
        raise BadParameter("image-field-missing", field="image")
    if "response_format" not in fields and "sync_mode" not in fields:
        fields["response_format"] = "b64_json"  # as OpenAI's models answer; the AI SDK reads nothing else
    body = _checked({"model": model, **fields, "image_url": "in the form"})
    if len(images) > 1:
        body._notices += (message("notice-first-image", count=len(images)),)
    return body, images[0]


def _checked(fields: dict[str, Any]) -> Generation:
    try:
        return Generation.model_validate(fields)
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from error


def _of_json(content: dict[str, Any]) -> tuple[dict[str, Any], list[str | bytes]]:
    """Return the fields of a JSON body, and its images: text, or objects that hold an address."""
    fields = {name: value for name, value in content.items() if value is not None}
    images: list[str | bytes] = []
    for name in ("image", "images", "image_url"):
        given = fields.pop(name, None)
        for each in given if isinstance(given, list) else [given]:
            address = each.get("image_url") if isinstance(each, dict) else each
            address = address.get("url") if isinstance(address, dict) else address
            if isinstance(address, str):
                images.append(address)
    return fields, images


async def _of_form(request: Request, max_bytes: int) -> tuple[dict[str, Any], list[str | bytes]]:
    """Return the fields of a form, numbers as such, and its images: files, or text."""
    fields: dict[str, Any] = {}
    images: list[str | bytes] = []
    largest = max_bytes * 4 // 3 + MultiPartParser.max_part_size  # an image may come as base64 text
    async with request.form(max_files=MAX_FILES, max_fields=100, max_part_size=largest) as form:
        for name, value in form.multi_items():
            plain = name.removesuffix("[]")
            if plain in ("image", "images", "image_url"):
                # All but the first are only counted: they are not read into memory.
                data = await value.read() if isinstance(value, UploadFile) and not images else value
                images.append(data if isinstance(data, str | bytes) else b"")
            elif isinstance(value, UploadFile):
                fields[plain] = value.filename or plain
            elif value.strip() not in ("", "null"):
                fields[plain] = _typed(plain, value)
    return fields, [each for each in images if each != ""]


def _typed(name: str, text: str) -> Any:
    """Return a form's text as the field wants it; what does not fit stays text, for the check to refuse."""
    if name not in (*WHOLE, *REAL, *FLAGS):
        return text
    text = text.strip()
    if name in FLAGS:
        return {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), text)
    if name in WHOLE and re.fullmatch(r"[+-]?\d{1,30}", text):
        return int(text)
    number = re.fullmatch(r"[+-]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})([eE][+-]?\d{1,3})?", text)
    return float(text) if number else text
