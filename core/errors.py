"""What can go wrong, in the words of this domain.

    StudioError
    ├── BadInput             the request is refused before any work; names the field
    │   ├── BadImage         the reference image cannot be used
    │   └── BadParameter     a value is missing, out of range or not a number
    ├── BackendUnavailable   the backend cannot take a run now
    │   ├── ModelMissing     the model's files are not where the setting points
    │   ├── ModelGated       the hub wants a licence accepted or a token
    │   ├── OutOfMemory      the device cannot hold the model or this run
    │   ├── KeyMissing       a hosted backend has no key yet
    │   ├── KeyRejected      the provider does not know the key
    │   ├── PermissionRefused  the provider knows the key and does not let it do this
    │   ├── NoCredits        the provider's account is empty, or its quota used up
    │   ├── RateLimited      too many requests; holds the seconds to wait
    │   └── ProviderDown     the provider does not answer, or says that it is broken
    ├── FetchFailed          an image address could not be read
    ├── QueueFull            too many runs are waiting
    ├── TooManyRequests      this visitor has had their share for now; holds the seconds to wait
    │   └── TooManyRuns      of runs
    ├── BudgetSpent          the app's owner pays no more today
    ├── RunFailed            the backend broke while it worked
    │   ├── Moderated        the provider refuses the prompt or the picture
    │   ├── ParameterRefused the provider refuses a value that passed our own checks
    │   ├── MalformedAnswer  the provider's answer cannot be read
    │   └── ResultGone       the result is no longer where the provider said
    ├── DiskFull             the disk takes nothing: a picture that was made, an upload, a new run
    ├── SubmitUnknown        the request was sent and its answer lost: it may have been taken
    ├── TimedOut             the provider did not finish in time; holds the task's id
    ├── Interrupted          the app was restarted before the run had begun
    └── RunCancelled         somebody cancelled the run

Each error has a code and values, which the catalogue turns into what happened and what to do next (see
`core.messages`), and says whether the run was charged. `str(error)` is those sentences in English, in that order. No
value may hold a key, or a path that a visitor must not see.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from core.messages import RECORDED, Message, Value, advice, in_full, message, message_of, with_details


class StudioError(Exception):
    """An error that a person may read.

    Args:
        code: a message of the catalogue, whose attribute `.todo` says what to do next; or a whole message.
        field: the request field to blame, in the API's spelling (`image`, `strength`, ...).
        charged: True or False where it is known whether money was taken, None where it is not.
        values: the variables of the message.

    Attributes:
        message: what happened, with the catalogue's advice on what to do next.
        field, charged: as given.
    """

    facts: ClassVar[tuple[str, ...]] = ("field", "charged")
    """Names of the attributes that are stored beside the message, each an argument of the constructor."""
    kinds: ClassVar[dict[str, type[StudioError]]] = {}
    """Every kind of error by the name of its class."""

    def __init_subclass__(cls) -> None:
        StudioError.kinds[cls.__name__] = cls

    def __init__(
        self, code: str | Message, *, field: str | None = None, charged: bool | None = False, **values: Value
    ) -> None:
        self.message = message(code, **values) if isinstance(code, str) else code
        super().__init__(self.message)
        self.field = field
        self.charged = charged

    @property
    def code(self) -> str:
        """The message's name in the catalogue."""
        return self.message.code

    @property
    def what(self) -> str:
        """What happened, in English, with its details."""
        return with_details(self.message)

    @property
    def todo(self) -> str:
        """What to do next, in English; empty where there is nothing to do."""
        return advice(self.message)

    def __str__(self) -> str:
        text = in_full(self.message)
        return f"{self.field}: {text}" if self.field else text

    def __reduce__(self) -> tuple[Any, ...]:
        return error_of, (self.as_json(),)

    def as_json(self) -> dict[str, Any]:
        """Return what `error_of` reads."""
        facts = {name: getattr(self, name) for name in self.facts}
        return {"kind": type(self).__name__, **self.message.as_json(), **facts}


def error_of(stored: Mapping[str, Any]) -> StudioError:
    """Return the error of what `StudioError.as_json` wrote.

    Errors from before messages had codes hold their sentences as `what` and `todo`. A kind that is no longer known
    becomes RunFailed.

    Raises:
        ValueError: it is no error.
    """
    kind = StudioError.kinds.get(str(stored.get("kind")), RunFailed)
    facts: dict[str, Any] = {name: stored[name] for name in kind.facts if name in stored}
    if "what" in stored:
        return kind(message(RECORDED, what=stored["what"], todo=stored.get("todo", "")), **facts)
    return kind(message_of(stored), **facts)


class BadInput(StudioError):
    """The request is refused before any work; `field` names the part to mend."""


class BadImage(BadInput):
    """The reference image cannot be used."""

    def __init__(
        self, code: str | Message, *, field: str | None = "image", charged: bool | None = False, **values: Value
    ) -> None:
        super().__init__(code, field=field, charged=charged, **values)


class BadParameter(BadInput):
    """A parameter is missing, of the wrong kind or out of its range."""


class BackendUnavailable(StudioError):
    """The backend cannot take a run now; the message says what would help."""


class DraftRefused(StudioError):
    """A live draft is not made: something else has the backend, or a newer one has taken its place."""


class ModelMissing(BackendUnavailable):
    """The model's files are not where the setting points."""


class ModelGated(BackendUnavailable):
    """The hub wants a licence accepted or a token before it hands out the model."""


class OutOfMemory(BackendUnavailable):
    """The device cannot hold the model, or not this run."""


class KeyMissing(BackendUnavailable):
    """A hosted backend has no key yet."""


class KeyRejected(BackendUnavailable):
    """The provider does not know the key."""


class PermissionRefused(BackendUnavailable):
    """The provider knows the key and does not let it do this."""


class NoCredits(BackendUnavailable):
    """The provider's account is empty, or its quota used up."""


class RateLimited(BackendUnavailable):
    """Too many requests. `wait` is how many seconds the provider asks for, None where it does not say."""

    facts = (*BackendUnavailable.facts, "wait")

    def __init__(
        self,
        code: str | Message,
        *,
        wait: float | None = None,
        field: str | None = None,
        charged: bool | None = False,
        **values: Value,
    ) -> None:
        super().__init__(code, field=field, charged=charged, **values)
        self.wait = wait


class ProviderDown(BackendUnavailable):
    """The provider does not answer, or says that it is broken."""


class FetchFailed(StudioError):
    """An image address could not be read."""

    def __init__(
        self, code: str | Message, *, field: str | None = "image", charged: bool | None = False, **values: Value
    ) -> None:
        super().__init__(code, field=field, charged=charged, **values)


class QueueFull(StudioError):
    """Too many runs are waiting already."""


class TooManyRequests(StudioError):
    """A visitor has had their share for now. `wait` is how many seconds until the next request is accepted."""

    facts = (*StudioError.facts, "wait")

    def __init__(
        self,
        code: str | Message,
        *,
        wait: float = 60.0,
        field: str | None = None,
        charged: bool | None = False,
        **values: Value,
    ) -> None:
        super().__init__(code, field=field, charged=charged, **values)
        self.wait = wait


class TooManyRuns(TooManyRequests):
    """A visitor has had their share of runs for now."""


class BudgetSpent(StudioError):
    """The app's owner pays no more today; a visitor's own key still runs."""


class RunFailed(StudioError):
    """The backend broke while it worked."""


class Moderated(RunFailed):
    """The provider refuses the prompt or the picture."""


class ParameterRefused(RunFailed):
    """The provider refuses a value that passed our own checks."""


class MalformedAnswer(RunFailed):
    """The provider's answer cannot be read."""


class ResultGone(RunFailed):
    """The result is no longer where the provider said."""


class DiskFull(StudioError):
    """The disk takes nothing. A picture that was made at a provider is fetched again after a restart."""


class SubmitUnknown(StudioError):
    """The request was sent and its answer lost: it may have been taken, and is never sent again by itself."""

    def __init__(
        self, code: str | Message, *, field: str | None = None, charged: bool | None = None, **values: Value
    ) -> None:
        super().__init__(code, field=field, charged=charged, **values)


class TimedOut(StudioError):
    """The provider did not finish in time. `remote_id` is its id of the task, None where it gave none."""

    facts = (*StudioError.facts, "remote_id")

    def __init__(
        self,
        code: str | Message,
        *,
        remote_id: str | None = None,
        field: str | None = None,
        charged: bool | None = None,
        **values: Value,
    ) -> None:
        super().__init__(code, field=field, charged=charged, **values)
        self.remote_id = remote_id


class Interrupted(StudioError):
    """The app was restarted before the run had begun: nothing was sent, nothing was charged."""


class RunCancelled(StudioError):
    """Somebody cancelled the run."""


class StartError(Exception):
    """The app cannot start; the message says what to set or to repair.

    Args:
        code: a message of the catalogue.
        values: the variables of the message.
    """

    def __init__(self, code: str, /, **values: Value) -> None:
        self.message = message(code, **values)
        super().__init__(self.message)

    def __str__(self) -> str:
        return in_full(self.message)
