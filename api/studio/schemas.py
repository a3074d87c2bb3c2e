"""What the page and the server say to each other: numbers and codes, no sentences.

The page's types are made from the OpenAPI description of these. A message is a code of the catalogue and values; the
page has the words.
"""

from __future__ import annotations

import unicodedata
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    StringConstraints,
)

from core.evolve import MAX_FAVOURITES
from core.experiment import ExperimentState
from core.job import Source
from core.job_state import JobState
from core.recipe import MAX_STYLES, Digest, ImageRef, Recipe, StyleUse
from core.spec import MAX_PROMPT, MAX_SEED
from storage.rows import Filter, Marks, Sort

MAX_IDS = 500
"""Results in one request."""
LARGEST = 2**53
"""Integer that a browser holds exactly."""
PARAMS = 40
"""Parameters in one request; no backend has so many."""
MAX_VALUES = 400
"""Values of an axis."""
AxisValueBody = (
    StrictBool | StrictInt | StrictFloat | StrictStr | Annotated[list[StyleUse], Field(max_length=MAX_STYLES)]
)


class Strict(BaseModel):
    """A request's body: a field that is not listed is refused."""

    model_config = ConfigDict(extra="forbid")


class MessageView(BaseModel):
    """Something to say: a message of the catalogue, and its values. A value may be such a message itself."""

    code: str
    values: dict[str, Any]


class ErrorView(MessageView):
    """Why something was refused or failed: at which field, and whether it was charged; null where not known."""

    field: str | None
    charged: bool | None


class Problem(BaseModel):
    """The body of every refusal."""

    error: ErrorView


class PriceView(BaseModel):
    """US dollars an image; live where the provider's price list gave it, and not its documents."""

    dollars: float
    live: bool


class PaceView(BaseModel):
    """How long runs take: `fixed` seconds, and `step` seconds for each step of each image, by megapixel."""

    fixed: float
    step: float


class StatusView(BaseModel):
    """What changes at a backend.

    Attributes:
        ready: why it takes no run without a pasted key; null where it does.
        words: its state.
        price: of an image.
        pace: by level of acceleration, "" where it has none; empty before the first run.
    """

    ready: MessageView | None
    words: list[MessageView]
    price: PriceView
    pace: dict[str, PaceView]


class StyleView(BaseModel):
    """A style, and the text that it adds to a prompt. A picture usually has one medium."""

    id: str
    label: str
    text: str
    kind: Literal["medium", "mood"]


class ParamView(BaseModel):
    """A parameter. Which of the last five it has depends on its kind."""

    name: str
    kind: Literal["number", "integer", "choice", "toggle"]
    label: MessageView
    help: MessageView | None
    advanced: bool
    default: float | int | str | bool | None
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    low: MessageView | None = None
    high: MessageView | None = None
    choices: list[str] | None = None


class BackendView(StatusView):
    """A backend, as its spec says and as it is now."""

    key: str
    label: MessageView
    model: str
    provider: str | None
    concurrency: int
    shows_steps: bool
    shows_preview: bool
    seed_per_image: bool
    working_pixels: int | None
    working_side: int | None
    notices: list[MessageView]
    styles: list[StyleView]
    params: list[ParamView]


class Limits(BaseModel):
    """The largest that is taken: characters of a prompt, bytes of a file, megapixels and pixels a side of a picture."""

    prompt: int
    bytes: int
    megapixels: float
    side: int


class Specs(BaseModel):
    """All backends, in the order of the screen, and the app's build: another build has other modules.

    Attributes:
        alone: whether the app serves its owner alone, who may change its settings.
        downloads: what a download holds where nobody says; see `/results/{id}/file`.
    """

    build: str
    alone: bool
    limits: Limits
    downloads: Literal["embed", "mark", "none"]
    backends: list[BackendView]


class ReferenceView(ImageRef):
    """A stored reference: what was done to it when it was read, and the result that it was, where it was one."""

    notices: list[MessageView]
    parent: str | None


class ReferenceFrom(Strict):
    """Where a reference comes from, if not from a file: one of a public link, a result, a stored picture."""

    url: StrictStr | None = Field(None, max_length=4000)
    result: int | None = Field(None, ge=1)
    digest: Digest | None = None


class NewJob(Strict):
    """What to make."""

    reference: Digest
    backend: StrictStr = Field(max_length=64)
    prompt: StrictStr = Field(max_length=2 * MAX_PROMPT)
    style: Annotated[list[StyleUse], Field(max_length=MAX_STYLES)] = []
    params: Annotated[dict[str, float | int | str | bool | None], Field(max_length=PARAMS)] = {}
    num_images: int | None = Field(None, ge=1, le=64)


class SpreadBody(Strict):
    """So many values from `low` to `high` at even distances."""

    low: float
    high: float
    count: int = Field(ge=2, le=MAX_VALUES)


class AxisBody(Strict):
    """In what the cells of an experiment differ.

    Attributes:
        name: a parameter's name, or `prompt`, `style`, `backend`, `reference`.
        values: in the order of the screen; of `style`, each is a list of styles.
        spread: of a number, in place of values.
        search: words of the base's prompt, in whose place the values stand; then the axis is `prompt`.
    """

    name: StrictStr = Field(max_length=64)
    values: Annotated[list[AxisValueBody], Field(max_length=MAX_VALUES)] = []
    spread: SpreadBody | None = None
    search: Annotated[StrictStr, Field(min_length=1, max_length=MAX_PROMPT)] | None = None


class ExperimentBase(Strict):
    """What all cells of an experiment have, where no axis says something else."""

    backend: StrictStr = Field(max_length=64)
    prompt: StrictStr = Field(max_length=2 * MAX_PROMPT)
    style: Annotated[list[StyleUse], Field(max_length=MAX_STYLES)] = []
    params: Annotated[dict[str, float | int | str | bool | None], Field(max_length=PARAMS)] = {}


class NewExperiment(Strict):
    """An experiment to plan or to begin.

    Attributes:
        reference: of all cells, unless an axis varies it.
        base: what they have in common.
        axes: one to three.
        repeat: how often each is made, with other seeds: an axis more.
        confirm: whether somebody has said yes to what is large.
    """

    reference: Digest
    base: ExperimentBase
    axes: Annotated[list[AxisBody], Field(min_length=1, max_length=3)]
    repeat: int = Field(1, ge=1, le=MAX_VALUES)
    confirm: bool = False


class MoreCells(Strict):
    """Values to add to an axis of an experiment."""

    axis: StrictStr = Field(max_length=64)
    values: Annotated[list[AxisValueBody], Field(min_length=1, max_length=MAX_VALUES)]
    confirm: bool = False


class Evolve(Strict):
    """A round of recipes near one to four results.

    Attributes:
        favourites: ids of results, A to D in the reasons.
        seed: decides what is drawn: the same favourites and seed give the same round; one is drawn where none is given.
    """

    favourites: Annotated[list[int], Field(min_length=1, max_length=MAX_FAVOURITES)]
    seed: int | None = Field(None, ge=0, le=MAX_SEED)


class Evolved(BaseModel):
    """What a round of neighbours came of.

    Attributes:
        favourites: ids of results.
        seed: that decided what was drawn.
        reasons: of each cell, by its place: what it has of whom, and what is new.
    """

    favourites: list[int]
    seed: int
    reasons: list[list[MessageView]]


class Retry(Strict):
    """Which cell is made again, by its place; null for all that failed or were cancelled."""

    place: int | None = Field(None, ge=0, le=LARGEST)


class Retried(BaseModel):
    """How many cells begin again."""

    retried: int


class ExperimentDeleted(BaseModel):
    """The experiment is gone."""

    deleted: Literal[True]


class PlanView(BaseModel):
    """What an experiment would make.

    Attributes:
        cells: how many.
        cost: US dollars at each backend.
        dollars: in all.
        seconds: that it takes, about; null where a backend has not run yet.
        adapted: what would be changed for a backend that does not take it.
        fits: how many of the cells, from the first, today's limits have room for.
        asks: whether it is so large that it has to be confirmed.
    """

    cells: int
    cost: dict[str, float]
    dollars: float
    seconds: float | None
    adapted: list[MessageView]
    fits: int
    asks: bool


class FiguresView(BaseModel):
    """How a result compares with its reference.

    Attributes:
        structure: what is left of the reference's structure, from -1 to 1: 1 is all.
        colour_shift: the mean difference of colours, CIEDE2000: 1 is just visible.
        sharpness: over the reference's; null where that has no detail.
    """

    structure: float
    colour_shift: float
    sharpness: float | None


class SwatchView(BaseModel):
    """A colour of a palette, `#rrggbb`, and its share of the picture's area, from 0 to 1."""

    hex: str
    share: float


class MetersView(FiguresView):
    """How a result compares with its reference, and the result's colours, the largest share first."""

    palette: list[SwatchView]


class CellView(BaseModel):
    """A cell of an experiment.

    Attributes:
        place: in the order in which cells begin.
        at: its place on each axis.
        state: its job's; `waiting` before it begins, `skipped` where it was cancelled before that, `deleted` where
            the job was deleted.
        job, result: their ids; null where there is none yet, or no longer.
        star: whether the result has one.
        meters: how the result compares with its reference; null before that is measured.
        error: why its job failed.
        recipe: what it makes.
    """

    place: int
    at: list[int]
    backend: str
    state: JobState | Literal["waiting", "skipped", "deleted"]
    job: str | None
    result: int | None
    star: bool
    meters: FiguresView | None
    error: ErrorView | None
    recipe: Recipe


class AxisView(BaseModel):
    """An axis of an experiment, with all of its values."""

    name: str
    values: list[AxisValueBody]


class ExperimentSummary(BaseModel):
    """An experiment without its cells.

    Attributes:
        state: what becomes of the cells that wait; it is done when there are none, and all jobs have ended.
        why: what stood in its way, where it is paused by that.
        count: of cells.
        waiting: how many of them have not begun.
        names: of its axes.
        spent: US dollars of the cells that have ended, as far as they are known.
        needs_keys: which providers' keys it waits for, by the names in the specs of their backends.
    """

    id: str
    created: float
    state: ExperimentState
    why: MessageView | None
    count: int
    waiting: int
    names: list[str]
    spent: float
    needs_keys: list[str]


class Experiments(BaseModel):
    """The latest experiments, newest first."""

    experiments: list[ExperimentSummary]


class ExperimentView(ExperimentSummary):
    """An experiment with its plan and its cells, in the order in which they begin.

    Attributes:
        evolved: of a round of neighbours, whose one axis is `neighbour`; null of any other.
    """

    reference: Digest
    base: ExperimentBase
    axes: list[AxisView]
    adapted: list[MessageView]
    evolved: Evolved | None = None
    cells: list[CellView]


class MissingView(BaseModel):
    """Why an image is missing."""

    reason: Literal["nsfw", "failed"]
    why: MessageView


class ResultView(BaseModel):
    """One picture of a job, or the place of one that did not come, or a whole run that failed.

    Attributes:
        id: rises with the time.
        job, place: its job, and its place there from 0.
        created: when it was made, seconds since the epoch.
        recipe: of this one picture; of a whole run, its index is null.
        image: null where it is missing.
        cost: US dollars of this one picture; null where it is not known.
        seconds: that the job took.
        parent: digest of the result that the reference was.
        note, tags, project: its owner's; the tags are sorted, the project is its id.
        source: where the run was submitted, or that it came in an archive.
        meters: how it compares with its reference; null before that is measured, and where it cannot be.
    """

    id: int
    job: str
    place: int
    created: float
    backend: str
    recipe: Recipe
    image: ImageRef | None
    missing: MissingView | None
    cost: float | None
    seconds: float | None
    parent: str | None
    star: bool
    note: str
    tags: list[str]
    project: int | None
    source: Source
    meters: MetersView | None


class EventView(BaseModel):
    """Where a job is: in the queue, loading a model, at a step, or at a provider."""

    kind: Literal["queued", "loading", "progress", "working", "done"]
    position: int | None = None
    stage: MessageView | None = None
    status: str | None = None
    step: int | None = None
    done: int | None = None
    total: int | None = None


class CellOf(BaseModel):
    """Which cell of an experiment a job makes, by the experiment's id and the place in it."""

    experiment: str
    place: int


class JobView(BaseModel):
    """One request on its way, or its end.

    Attributes:
        state: of `core.job_state.JobState`.
        preview: counts up with each new preview, 0 before the first.
        started: when it left the queue, seconds since the epoch.
        expected: seconds that it should take from there; null where that is not known.
        notices: on the reference and the result.
        results: its pictures, once it is done.
        cell: which cell of an experiment it makes; null of a run of its own.
    """

    id: str
    state: JobState
    backend: str
    created: float
    recipe: Recipe
    event: EventView
    preview: int
    started: float | None
    expected: float | None
    error: ErrorView | None
    notices: list[MessageView]
    results: list[ResultView]
    cost: float | None
    seconds: float | None
    cell: CellOf | None


class Wanted(BaseModel):
    """Which results a list has: those for which all of this holds; what is left out leaves a thing open.

    Attributes:
        q: words of the prompt, the styles, the backend, the model, the tags or the note; the last may be unfinished.
        star: only those with a star.
        style, model, project, experiment: ids; `backend` is its key, `tag` a name.
        since, until: when it was made, seconds since the epoch, from `since` and before `until`.
        pixels_min, pixels_max: width times height, both included.
        cost_min, cost_max: US dollars of the one picture, both included; an unknown cost is in no range.
        failed: only what did not come: images that are missing, and runs that failed.
        sort: the order: by date, or by cost, structure kept, colour shift or sharpness, the highest first and those
            of which it is not known last.
    """

    q: str = Field("", max_length=500)
    star: bool = False
    backend: str | None = Field(None, max_length=64)
    style: str | None = Field(None, max_length=200)
    model: str | None = Field(None, max_length=300)
    tag: str | None = Field(None, max_length=40)
    project: int | None = Field(None, ge=1, le=LARGEST)
    experiment: str | None = Field(None, pattern="^[0-9a-f]{32}$")
    since: float | None = Field(None, ge=0, le=1e10)
    until: float | None = Field(None, ge=0, le=1e10)
    pixels_min: int | None = Field(None, ge=0, le=LARGEST)
    pixels_max: int | None = Field(None, ge=0, le=LARGEST)
    cost_min: float | None = Field(None, ge=0, le=1e9)
    cost_max: float | None = Field(None, ge=0, le=1e9)
    failed: bool = False
    sort: Sort = Sort.NEWEST

    @property
    def filter(self) -> Filter:
        """The filter, as the library has it."""
        given = self.model_dump(exclude={"q", "star", "sort", "limit", "cursor", "zone", "first"})
        return Filter(text=self.q, starred=self.star, **given)


class WantedPage(Wanted):
    """A part of a list: at most `limit` results from `cursor` on, or from the beginning."""

    limit: int = Field(60, ge=1, le=200)
    cursor: str | None = Field(None, max_length=80)


class WantedIndex(Wanted):
    """A whole list in blocks.

    Attributes:
        zone: minutes east of UTC of the place whose days they are.
        first: how many of its first results come with it.
    """

    zone: int = Field(0, ge=-840, le=840)
    first: int = Field(0, ge=0, le=200)


class Results(BaseModel):
    """A part of a list of results; `next` is the cursor of the part behind it, null at the end.

    Attributes:
        total: all pictures of the owner, whatever the list has.
    """

    results: list[ResultView]
    next: str | None
    total: int


class Code(BaseModel):
    """Programs that make a result again: for bash with curl, Python 3, and Node.js 18 or later."""

    curl: str
    python: str
    javascript: str


class FoundRecipe(BaseModel):
    """What a file says of how it was made; null or empty where it does not say.

    Attributes:
        seed: of the first image.
        seeds: of each image of its job.
        index: which of them it is, from 0.
    """

    backend: str | None
    model: str | None
    prompt: str | None
    style: list[StyleUse]
    params: dict[str, float | int | str | bool]
    seed: int | None
    seeds: list[int]
    index: int | None
    reference: ImageRef | None
    parent: str | None


class UnmappedView(BaseModel):
    """A setting of another tool that has no place here, by its name there, and why."""

    name: str
    value: str
    why: MessageView


class ReadRecipe(BaseModel):
    """The recipe in a file, and which tool wrote it."""

    source: Literal["srpo-studio", "a1111", "invokeai", "comfyui", "fooocus", "swarmui", "novelai", "none"]
    recipe: FoundRecipe | None
    unmapped: list[UnmappedView]


class BlockView(BaseModel):
    """Results that follow each other in a list, of one day; `day` is null in a list that is not sorted by date.

    `GET /results` with the same list, this cursor and `count` as the limit has exactly these, as long as nothing has
    changed: `sum` is that of their ids, modulo 2**32.
    """

    day: str | None
    count: int
    cursor: str | None
    sum: int


class Index(BaseModel):
    """A whole list in blocks of at most 200, as it was at one moment.

    Attributes:
        total: how many results it has.
        results: the first of them, as many as were asked for.
        revision: the number of the owner's latest change; events and answers that have a lower one are older.
    """

    total: int
    blocks: list[BlockView]
    results: list[ResultView]
    revision: int


class KeyCount(BaseModel):
    """How many pictures a backend made."""

    key: str
    count: int


class IdCount(BaseModel):
    """How many pictures have a style, or a model made."""

    id: str
    count: int


class NameCount(BaseModel):
    """How many pictures have a tag."""

    name: str
    count: int


class ProjectView(BaseModel):
    """A project: when it was made, seconds since the epoch, and how many pictures it has."""

    id: int
    name: str
    created: float
    count: int


class Imported(BaseModel):
    """What came in with an archive: its project, how many results are new, and how many were here already."""

    project: str | None
    results: int
    known: int


class LibraryView(BaseModel):
    """What an owner has, and by what it can be filtered; what most pictures have comes first, projects by name.

    Attributes:
        bytes: of all pictures and references, each once.
        protected_bytes: how many of these stars and projects protect from being removed for room.
        share_bytes: how many bytes they can protect.
        full: how much of the app's storage is used, from 0 to 1 and more.
        quota_bytes: of the app's storage.
        free_bytes: how many may come before a picture has to go.
        removable_bytes, removable_pictures: of theirs, what neither a star nor a project protects.
        goes_first: whether theirs go before those of others, since they store the most.
        oldest: when the picture was made that is removed first of theirs where room is needed; null where none may go.
    """

    total: int
    starred: int
    bytes: int
    protected_bytes: int
    share_bytes: int | None
    full: float
    quota_bytes: int
    free_bytes: int
    removable_bytes: int
    removable_pictures: int
    goes_first: bool
    oldest: float | None
    backends: list[KeyCount]
    styles: list[IdCount]
    models: list[IdCount]
    tags: list[NameCount]
    projects: list[ProjectView]


def _tidy(text: str) -> str:
    """Return a name in one form of Unicode, with one space between its words."""
    return unicodedata.normalize("NFC", " ".join(text.split()))


ResultIds = Annotated[list[Annotated[int, Field(ge=1, le=LARGEST)]], Field(min_length=1, max_length=MAX_IDS)]
_Plain = StringConstraints(strip_whitespace=True, min_length=1, pattern=r"^\P{Cc}+$")
Tag = Annotated[StrictStr, Field(max_length=40), _Plain, AfterValidator(_tidy)]
ProjectName = Annotated[StrictStr, Field(max_length=80), _Plain, AfterValidator(_tidy)]


class Ids(Strict):
    """Which results."""

    ids: ResultIds


class Noted(Ids):
    """What to note on pictures; what is left out stays as it is.

    Attributes:
        project: its id; null takes them out of the one they are in.
        note: of one picture alone.
    """

    star: bool | None = None
    project: int | None = Field(None, ge=1, le=LARGEST)
    add_tags: Annotated[list[Tag], Field(max_length=20)] = []
    remove_tags: Annotated[list[Tag], Field(max_length=20)] = []
    note: StrictStr | None = Field(None, max_length=2000)

    @property
    def marks(self) -> Marks:
        """The change, as the library has it."""
        project = (self.project or 0) if "project" in self.model_fields_set else None
        return Marks(
            star=self.star,
            project=project,
            add_tags=tuple(self.add_tags),
            remove_tags=tuple(self.remove_tags),
            note=self.note,
        )


class Changed(BaseModel):
    """The pictures that are there, in the order of the request's ids; `revision` is as of `Index`."""

    results: list[ResultView]
    revision: int


class Deleted(BaseModel):
    """Which results were deleted, and until when they can be restored, seconds since the epoch.

    Attributes:
        revision: as of `Index`.
    """

    deleted: list[int]
    until: float
    revision: int


class Restored(BaseModel):
    """Which results were restored; `revision` is as of `Index`."""

    restored: list[int]
    revision: int


class Named(Strict):
    """A project's name."""

    name: ProjectName


class Projects(BaseModel):
    """An owner's projects, by name."""

    projects: list[ProjectView]


class ProjectDeleted(BaseModel):
    """A project is deleted; its pictures are there, without one."""

    deleted: Literal[True]


class LineageView(BaseModel):
    """Where a result comes from, and what was made of it.

    Attributes:
        parents: from the nearest back to the first; one that was deleted ends the chain.
        photo: the first photo, as far as the chain goes: the reference of its oldest result.
        children: newest first.
        drift: what has changed notably since the first photo, where the result was made of another result.
    """

    parents: list[ResultView]
    photo: ImageRef | None
    children: list[ResultView]
    drift: list[MessageView]


class SpentAt(BaseModel):
    """US dollars that a visitor's runs have cost at one backend."""

    backend: str
    dollars: float


class Spending(BaseModel):
    """US dollars that a visitor's runs have cost; those that are not known yet by their price.

    Attributes:
        dollars: of all.
        backends: those that cost anything.
    """

    dollars: float
    backends: list[SpentAt]


class Checked(BaseModel):
    """A key that works; US dollars that its account has left, null where that is not shown to a visitor."""

    balance: float | None
