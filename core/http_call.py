"""A call over HTTP that makes one picture again, as data: code in any language can be written from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.spec import ParamValue

Place = tuple[str | int, ...]
"""Where a value stands in a JSON answer: keys and indexes, from the outside in."""


@dataclass(frozen=True)
class Upload:
    """Where the reference is sent first: as `file` of a multipart form.

    Attributes:
        url: takes the POST.
        address: where the answer has the address of the uploaded picture.
    """

    url: str
    address: Place


@dataclass(frozen=True)
class Polling:
    """How to wait where a call begins a task, and its answer and every later one tell how far that is.

    Attributes:
        before, after: the task's id between them is the address to GET.
        id: where an answer has the task's id.
        status: where it has the task's status.
        done: the status of a task whose picture is there.
        failed: those of a task that gives none.
    """

    before: str
    after: str
    id: Place
    status: Place
    done: str
    failed: tuple[str, ...]


@dataclass(frozen=True)
class HttpCall:
    """A POST of JSON, with a key as bearer token.

    Attributes:
        url: takes it.
        key_env: the environment variable that holds the key.
        body: the JSON, without the reference.
        image: the body's field for the reference: its address once it is uploaded, else a data URI of it.
        result: where the last answer has the picture's address, which takes no key.
        upload: None where the reference goes inside the body.
        polling: None where the answer to the POST has the picture.
    """

    url: str
    key_env: str
    body: Mapping[str, ParamValue]
    image: str
    result: Place
    upload: Upload | None = None
    polling: Polling | None = None
