"""A job and its results as the database's rows have them."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.job_state import JobState


@dataclass(frozen=True, kw_only=True)
class ResultRow:
    """The row of one image of a job that is done.

    Attributes:
        place: its place in the job, from 0.
        seed: the seed that recreates it.
        digest, mime, width, height, bytes: of the file; None of one that is missing.
        damaged: whether the file ends early or is broken.
        missing: one of `core.result.Reason`; None of one that is there.
        why: a full sentence; None of one that is there.
    """

    place: int
    seed: int
    digest: str | None = None
    mime: str | None = None
    width: int | None = None
    height: int | None = None
    bytes: int | None = None
    damaged: bool = False
    missing: str | None = None
    why: str | None = None


@dataclass(frozen=True, kw_only=True)
class LibraryRow:
    """A result as a list of pictures shows it.

    Attributes:
        id: rises with the time at which the results were made: lists go by it.
        job: the id of its job.
        place: its place in the job, from 0.
        created: when the job was taken, seconds since the epoch.
        seed: the seed that recreates it.
        model: the id of what made it.
        digest, mime, width, height, bytes: of the file.
        star: whether its owner starred it.
        prompt: what it was asked for with, without styles; empty where the job's row is damaged.
        parent: digest of the result that the reference was, None where it was none.
    """

    id: int
    job: str
    place: int
    created: float
    seed: int
    model: str
    digest: str
    mime: str
    width: int
    height: int
    bytes: int
    star: bool
    prompt: str
    parent: str | None = None


@dataclass(frozen=True, kw_only=True)
class ReferenceRow:
    """What is known of a stored reference that an owner may use.

    Attributes:
        name: of the file, normalised.
        width, height: pixels.
        bytes: of the file.
        notices: JSON of what was done to the picture.
        address: where anyone can read the same picture, None where that is not known.
        parent: digest of the result that it was made of, None where it was none.
    """

    name: str
    width: int
    height: int
    bytes: int
    notices: str = "[]"
    address: str | None = None
    parent: str | None = None


@dataclass(frozen=True, kw_only=True)
class Record:
    """A job's row.

    Attributes:
        id: the job's.
        owner: whose it is; see `core.job.Visitor`.
        backend: its key.
        created, ended: seconds since the epoch.
        state: a `core.job_state.JobState`, as far as a restart must know it: what only this process works on stays
            queued.
        recipe, notices, report, error, remote: JSON, as `storage.records` writes and reads it; the store never looks
            inside. The notices are of the reference, the report has the timings and notices of the result.
        address: where anyone can read the reference, None where that is not known.
        own_key: whether it pays with a key that its owner pasted, which is not kept.
        estimate, cost: US dollars; the cost is None where it is not known.
        call: JSON of how it came in by the API; None where it did not.
        once: the caller's mark, unique to its owner for a day.
        hook: the address that is to be told its end, None where there is none or it was told.
        results: the rows of its images, in order; empty where none is done.
    """

    id: str
    owner: str
    backend: str
    created: float
    recipe: str
    notices: str = "[]"
    address: str | None = None
    own_key: bool = False
    estimate: float = 0.0
    state: str = JobState.QUEUED
    remote: str = "[]"
    report: str | None = None
    error: str | None = None
    cost: float | None = None
    ended: float | None = None
    call: str | None = None
    once: str | None = None
    hook: str | None = field(default=None, repr=False)
    results: tuple[ResultRow, ...] = ()
