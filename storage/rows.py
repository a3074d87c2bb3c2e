"""A job and its results as the database's rows have them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from core.image_types import MIME_OF
from core.job import Source
from core.job_state import JobState

_FAILED = frozenset(str(each) for each in JobState if each.terminal and each is not JobState.DONE)


@dataclass(frozen=True, kw_only=True)
class ResultRow:
    """The row of one image of a job that is done.

    Attributes:
        id: the result's; None of one that is not stored yet.
        place: its place in the job, from 0.
        seed: the seed that recreates it.
        digest, mime, width, height, bytes: of the file; None of one that is missing.
        damaged: whether the file ends early or is broken.
        missing: one of `core.result.Reason`; None of one that is there.
        why: a full sentence; None of one that is there.
    """

    place: int
    seed: int
    id: int | None = field(default=None, compare=False)
    digest: str | None = None
    mime: str | None = None
    width: int | None = None
    height: int | None = None
    bytes: int | None = None
    damaged: bool = False
    missing: str | None = None
    why: str | None = None


class Sort(StrEnum):
    """The order of a list of results: by date, or by a figure, the highest first and those of unknown figure last.

    Of results that have the same, the newest comes first.
    """

    NEWEST = "newest"
    OLDEST = "oldest"
    COST = "cost"
    STRUCTURE = "structure"
    COLOUR_SHIFT = "colour_shift"
    SHARPNESS = "sharpness"

    @property
    def by_date(self) -> bool:
        """Whether it goes by the time at which results were made."""
        return self in (Sort.NEWEST, Sort.OLDEST)


@dataclass(frozen=True)
class Figures:
    """How a result compares with its reference, as its row has it; see `core.imaging.meters.Meters`.

    Attributes:
        structure, colour_shift, sharpness: as there; the sharpness is None where the reference has no detail.
        metrics: JSON of its palette and tones; the store never looks inside.
    """

    structure: float
    colour_shift: float
    sharpness: float | None
    metrics: str


@dataclass(frozen=True)
class Unmeasured:
    """A picture that is to be measured.

    Attributes:
        id: the result's.
        owner: whose it is.
        file: the stored file's name.
        reference: that of its reference; None where it had none, or its job's row is damaged.
    """

    id: int
    owner: str
    file: str
    reference: str | None


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Which results a list has: those for which all of this holds. None, "" and False leave a thing open.

    Attributes:
        text: words that are found in the prompt, styles, backend, model, tags and note; the last may be unfinished.
            None of it is syntax. Of Chinese and Japanese, two signs in a row are enough.
        starred: only those with a star.
        backend: the backend's key.
        style: the id of one of its styles.
        model: the id of what made it.
        tag: the name of one of its tags.
        project: the id of its project.
        experiment: the id of the experiment of which it is a cell's.
        since, until: when it was made, seconds since the epoch, from `since` and before `until`.
        pixels_min, pixels_max: width times height, both included.
        cost_min, cost_max: US dollars of the one picture, both included; an unknown cost is in no range.
        failed: what did not come instead of pictures: images that are missing, and whole runs that failed.
    """

    text: str = ""
    starred: bool = False
    backend: str | None = None
    style: str | None = None
    model: str | None = None
    tag: str | None = None
    project: int | None = None
    experiment: str | None = None
    since: float | None = None
    until: float | None = None
    pixels_min: int | None = None
    pixels_max: int | None = None
    cost_min: float | None = None
    cost_max: float | None = None
    failed: bool = False


EVERYTHING = Filter()
"""Every picture."""
UNDO = 60.0
"""Seconds for which a deleted result can be restored; then it is removed with its files."""
RUN = "run"
"""What is missing, in `LibraryRow.missing`, where a whole run failed."""


@dataclass(frozen=True, kw_only=True)
class LibraryRow:
    """A result as a list shows it: a picture, or what did not come.

    Attributes:
        id: rises with the time at which the results were made: lists go by it.
        job: the id of its job.
        place: its place in the job, from 0.
        seed: the seed that recreates it.
        model: the id of what made it.
        file: the stored file's name; None where no picture came.
        width, height, bytes: of the file; None where no picture came.
        star: whether its owner starred it.
        note: its owner's, empty where there is none.
        tags: its owner's, sorted.
        project: the id of its project, None where it is in none.
        prompt: what it was asked for with, without styles; empty where the job's row is damaged.
        parent: digest of the result that the reference was, None where it was none.
        backend: the backend's key.
        source: a `core.job.Source`.
        recipe, report, error: of its job, JSON as in `Record`.
        cost: US dollars of this one, None where it is not known.
        missing: why no picture came, one of `core.result.Reason`, or `RUN`: the job's error says why then.
        why: as in `ResultRow`.
        meters: how it compares with its reference, None where that is not known.
    """

    id: int
    job: str
    place: int
    seed: int
    model: str
    file: str | None = None
    width: int | None = None
    height: int | None = None
    bytes: int | None = None
    star: bool = False
    note: str = ""
    tags: tuple[str, ...] = ()
    project: int | None = None
    prompt: str
    parent: str | None = None
    backend: str
    source: str = Source.PAGE
    recipe: str
    report: str | None = None
    error: str | None = None
    cost: float | None
    missing: str | None = None
    why: str | None = None
    meters: Figures | None = None

    @property
    def created(self) -> float:
        """When it was made, seconds since the epoch."""
        return made_at(self.id)

    @property
    def digest(self) -> str | None:
        """The SHA-256 of the file's bytes, in hexadecimal; None where no picture came."""
        return self.file and self.file.partition(".")[0]

    @property
    def mime(self) -> str | None:
        """The file's type; None where no picture came."""
        return self.file and MIME_OF[f".{self.file.partition('.')[2]}"]


def made_at(result_id: int) -> float:
    """Return when the result of an id was made, seconds since the epoch."""
    return result_id / 1_000_000


@dataclass(frozen=True)
class Page:
    """A part of a list.

    Attributes:
        rows: in the list's order.
        next: the cursor of the part behind it, None at the end of the list.
    """

    rows: tuple[LibraryRow, ...]
    next: str | None


@dataclass(frozen=True)
class Block:
    """Results that follow each other in a list, of one day.

    Attributes:
        day: such as `2026-11-26`; None in a list that is not sorted by date.
        count: of results.
        cursor: where it begins; None for the beginning of the list.
        sum: of the results' ids, modulo 2**32: whoever has results knows by it whether they are these.
    """

    day: str | None
    count: int
    cursor: str | None
    sum: int


@dataclass(frozen=True)
class Index:
    """A whole list at one moment.

    Attributes:
        blocks: all of it, in its order.
        first: its first results.
        revision: the number of the owner's latest change at that moment; see `Changes`.
    """

    blocks: tuple[Block, ...] = ()
    first: tuple[LibraryRow, ...] = ()
    revision: int = 0


@dataclass(frozen=True)
class ProjectRow:
    """A project: its id, name, when it was made in seconds since the epoch, and how many pictures it has."""

    id: int
    name: str
    created: float
    count: int = 0


@dataclass(frozen=True)
class Facets:
    """What an owner has, and by what it can be filtered.

    Attributes:
        total, starred: pictures.
        bytes: of all their pictures and references, each once.
        protected: how many of these bytes stars and projects protect.
        share: how many bytes stars and projects can protect.
        full: how much of the quota the files of all owners take, from 0.
        free: how many bytes may come before a picture has to go.
        removable: how many of the owner's bytes nothing protects.
        removable_pictures: how many of their pictures.
        goes_first: whether theirs go before those of others: of all who have some that may go, they store the most.
        oldest: when the run was made whose picture goes first of theirs, seconds since the epoch; None where none may
            go.
        backends, styles, models, tags: how many pictures have each, by key, id or name; the most frequent first.
        projects: by name.
    """

    total: int = 0
    starred: int = 0
    bytes: int = 0
    protected: int = 0
    share: int = 0
    full: float = 0.0
    free: int = 0
    removable: int = 0
    removable_pictures: int = 0
    goes_first: bool = False
    oldest: float | None = None
    backends: Mapping[str, int] = field(default_factory=dict)
    styles: Mapping[str, int] = field(default_factory=dict)
    models: Mapping[str, int] = field(default_factory=dict)
    tags: Mapping[str, int] = field(default_factory=dict)
    projects: tuple[ProjectRow, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Marks:
    """A change of what an owner notes on results. None and an empty tuple change nothing.

    Attributes:
        star: on or off.
        project: its id; 0 takes them out of the one they are in.
        add_tags, remove_tags: names.
        note: of one result alone.
    """

    star: bool | None = None
    project: int | None = None
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    note: str | None = None


@dataclass(frozen=True)
class Lineage:
    """Where a result comes from, and what was made of it.

    Attributes:
        result: the result itself.
        parents: the result that its reference was, then that one's, and so on.
        first: the result whose reference is the first photo: the last of `parents`, or the result itself.
        children: newest first.
    """

    result: LibraryRow
    parents: tuple[LibraryRow, ...]
    first: LibraryRow
    children: tuple[LibraryRow, ...]


@dataclass(frozen=True)
class Changes:
    """What happened to an owner's results.

    Attributes:
        seq: the number of the latest change of anybody's.
        revision: the number of the owner's latest change: lists of the same revision are of the same moment.
        results: those that came or changed, newest first; those that failed or were withheld too.
        gone: ids of those that are there no more.
        stale: too much has changed to tell it one by one; the lists are empty then.
    """

    seq: int
    revision: int = 0
    results: tuple[LibraryRow, ...] = ()
    gone: tuple[int, ...] = ()
    stale: bool = False


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
        profile: the name of the ICC profile in the file that came in; empty where there was none.
        dpi: pixels an inch, as that file said; 0 where it did not say.
    """

    name: str
    width: int
    height: int
    bytes: int
    notices: str = "[]"
    address: str | None = None
    parent: str | None = None
    profile: str = ""
    dpi: float = 0.0


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
        source: a `core.job.Source`.
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
    source: str = Source.PAGE
    results: tuple[ResultRow, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ExperimentRow:
    """An experiment: the durable parent of many jobs.

    Attributes:
        id: 32 hexadecimal digits, as a job's.
        owner: whose it is.
        created: seconds since the epoch.
        state: a `core.experiment.ExperimentState`.
        why: JSON of a message: why it is paused, None where nobody but its owner paused it.
        plan: JSON of its base and axes; the store never looks inside.
        body: a mark of everything that its call asked for.
        cells: how many it has.
        waiting: how many of them have not begun.
        spent: US dollars of those that have ended, as far as they are known.
    """

    id: str
    owner: str
    created: float
    plan: str
    state: str
    why: str | None = None
    body: str = ""
    cells: int = 0
    waiting: int = 0
    spent: float = 0.0


@dataclass(frozen=True)
class Money:
    """How the money for cells is checked, in the transaction that writes them.

    Attributes:
        since: seconds since the epoch.
        check: is given the US dollars that go from the app owner's keys since then, the cells' included, and raises
            where that is too much: then nothing is written.
    """

    since: float
    check: Callable[[float], None]


@dataclass(frozen=True, kw_only=True)
class PlannedCell:
    """A cell that has not begun.

    Attributes:
        at: its place on each axis, from 0.
        backend: the backend's key.
        estimate: US dollars that it may cost.
        recipe: JSON of what it will make.
        own_key: whether it pays with a key that its owner pasted, which is not kept.
    """

    at: tuple[int, ...]
    backend: str
    estimate: float
    recipe: str
    own_key: bool = False


@dataclass(frozen=True, kw_only=True)
class CellRow(PlannedCell):
    """A cell of an experiment.

    Attributes:
        place: in the order in which cells begin, from 0.
        skipped: whether it is not to begin: its experiment was cancelled before.
        job: the id of its job, None before it begins.
        state: the job's `core.job_state.JobState`; None before it begins, and where the job was deleted.
        error: JSON of why the job failed, as in `Record`.
        result: the id of what it made; None where there is nothing, or it was deleted.
        star: whether that has a star.
        structure, colour_shift, sharpness: how it compares with its reference; None where that is not known.
    """

    place: int
    skipped: bool = False
    job: str | None = None
    state: str | None = None
    error: str | None = None
    result: int | None = None
    star: bool = False
    structure: float | None = None
    colour_shift: float | None = None
    sharpness: float | None = None

    @property
    def waits(self) -> bool:
        """Whether it is to begin."""
        return self.job is None and not self.skipped

    @property
    def phase(self) -> str:
        """How far it is: its job's state, or why there is none."""
        return self.state or ("waiting" if self.waits else "skipped" if self.skipped else "deleted")

    @property
    def can_retry(self) -> bool:
        """Whether it is without a picture, and nothing is on the way to one."""
        return self.skipped or self.state in _FAILED


@dataclass(frozen=True)
class Done:
    """What is written down of a job that made something.

    Attributes:
        report: JSON of what is about all of its images.
        recipe: JSON of its recipe, with the model that was really used.
        model: that model's id.
        parent: digest of the picture that its reference was.
        results: a row an image.
        prompt: as a person wrote it.
        styles: the id and text of each.
    """

    report: str
    recipe: str
    model: str
    parent: str | None
    results: Sequence[ResultRow]
    prompt: str = ""
    styles: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Failure:
    """What is written down of a whole run that failed, which stands in the library too; see `Done`."""

    model: str
    parent: str | None
    seed: int
    prompt: str
    styles: Sequence[tuple[str, str]] = ()
