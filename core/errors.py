"""What can go wrong, in the words of this domain.

    StudioError
    ├── BadInput             the request is refused at the door; names the field
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

Each error says what happened, what to do next and whether the run was charged; `str(error)` is those
sentences in that order. Nothing in a message may hold a key or a path that a visitor must not see.
"""

from __future__ import annotations


class StudioError(Exception):
    """An error that a person may read.

    Args:
        what: what happened, a full sentence.
        todo: what to do next, a full sentence; empty only where there is nothing to do.
        field: the request field to blame, in the API's spelling (`image`, `strength`, ...).
        charged: True or False where it is known whether money was taken, None where it is not.
    """

    def __init__(self, what: str, todo: str = "", *, field: str | None = None, charged: bool | None = False) -> None:
        super().__init__(what, todo)
        self.what = what
        self.todo = todo
        self.field = field
        self.charged = charged

    def __str__(self) -> str:
        named = f"{self.field}: {self.what}" if self.field else self.what
        return f"{named} {self.todo}".strip()


class BadInput(StudioError):
    """The request is refused before any work; `field` names the part to mend."""

    def __init__(self, field: str, what: str, todo: str = "") -> None:
        super().__init__(what, todo, field=field, charged=False)


class BadImage(BadInput):
    """The reference image cannot be used."""

    def __init__(self, what: str, todo: str = "") -> None:
        super().__init__("image", what, todo)


class BadParameter(BadInput):
    """A parameter is missing, of the wrong kind or out of its range."""


class BackendUnavailable(StudioError):
    """The backend cannot take a run now; the message says what would help."""


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

    def __init__(self, what: str, todo: str = "", *, wait: float | None = None) -> None:
        super().__init__(what, todo)
        self.wait = wait


class ProviderDown(BackendUnavailable):
    """The provider does not answer, or says that it is broken."""


class FetchFailed(StudioError):
    """An image address could not be read."""

    def __init__(self, what: str, todo: str = "") -> None:
        super().__init__(what, todo, field="image", charged=False)


class QueueFull(StudioError):
    """Too many runs are waiting already."""


class TooManyRequests(StudioError):
    """A visitor has had their share for now. `wait` is how many seconds until the next request is accepted."""

    def __init__(self, what: str, todo: str = "", *, wait: float = 60.0) -> None:
        super().__init__(what, todo)
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

    def __init__(self, what: str, todo: str = "") -> None:
        super().__init__(what, todo, charged=None)


class TimedOut(StudioError):
    """The provider did not finish in time. `remote_id` is its id of the task, None where it gave none."""

    def __init__(self, what: str, todo: str = "", *, remote_id: str | None = None, charged: bool | None = None) -> None:
        super().__init__(what, todo, charged=charged)
        self.remote_id = remote_id


class Interrupted(StudioError):
    """The app was restarted before the run had begun: nothing was sent, nothing was charged."""


class RunCancelled(StudioError):
    """Somebody cancelled the run."""
