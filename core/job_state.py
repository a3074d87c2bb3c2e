"""Where a job stands: one set of states, and one function that says which may follow which."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from core.errors import Interrupted, RunCancelled, StudioError, SubmitUnknown


class JobState(StrEnum):
    """The state of a job. The last five are terminal: nothing follows them."""

    QUEUED = "queued"
    """It waits for its turn; nothing was sent."""
    SUBMITTING = "submitting"
    """Its request is on the way to a provider, and may be billed from here on."""
    RUNNING = "running"
    """The provider has it and gave an id, or the backend of this app works on it."""
    DETACHED = "detached"
    """The wait has ended and the provider goes on: a result may still come."""
    NEEDS_KEY = "needs_key"
    """The provider has it, and the key that its visitor gave is gone or refused: with another, the result can come."""
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    """Its request was sent and the answer is lost."""
    INTERRUPTED = "interrupted"
    """A restart came before anything was sent."""

    @property
    def terminal(self) -> bool:
        """Whether no state follows this one."""
        return not _FOLLOWS[self]


_S = JobState
_ENDS = frozenset({_S.DONE, _S.FAILED, _S.CANCELLED, _S.UNKNOWN, _S.INTERRUPTED})
_FOLLOWS: Mapping[JobState, frozenset[JobState]] = {
    _S.QUEUED: _ENDS - {_S.DONE} | {_S.SUBMITTING, _S.RUNNING},
    _S.SUBMITTING: _ENDS - {_S.INTERRUPTED} | {_S.RUNNING, _S.DETACHED},
    _S.RUNNING: _ENDS - {_S.INTERRUPTED} | {_S.SUBMITTING, _S.DETACHED, _S.NEEDS_KEY},  # prepared, then sent
    _S.DETACHED: _ENDS - {_S.INTERRUPTED} | {_S.RUNNING, _S.NEEDS_KEY},
    _S.NEEDS_KEY: _ENDS - {_S.INTERRUPTED, _S.DONE} | {_S.RUNNING},
    **dict.fromkeys(_ENDS, frozenset()),
}


class IllegalTransition(ValueError):
    """A job cannot go from the one state to the other."""


def advance(state: JobState, to: JobState) -> JobState:
    """Return the new state.

    Raises:
        IllegalTransition: it does not follow the old one.
    """
    if to not in _FOLLOWS[state]:
        raise IllegalTransition(f"{state} -> {to}")
    return to


def end_of(error: StudioError) -> JobState:
    """Return the terminal state in which an error ends a job."""
    match error:
        case RunCancelled():
            return JobState.CANCELLED
        case SubmitUnknown():
            return JobState.UNKNOWN
        case Interrupted():
            return JobState.INTERRUPTED
    return JobState.FAILED
