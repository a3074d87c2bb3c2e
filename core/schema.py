"""The database's tables, and a job as its row has it."""

from __future__ import annotations

from dataclasses import dataclass, field

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """create table jobs (
            id text primary key,
            owner text not null,
            backend text not null,
            created real not null,
            ended real,
            state text not null,
            request text not null,
            reference text not null,
            own_key integer not null,
            estimate real not null,
            remote text not null,
            result text,
            error text,
            cost real,
            pinned integer not null default 0
        ) strict, without rowid""",
        "create index jobs_of_owner on jobs (owner, created)",
        "create index jobs_unfinished on jobs (created) where ended is null",
        """create table pictures (
            name text not null,
            owner text not null,
            job text not null,
            bytes integer not null,
            kept real not null,
            primary key (name, owner, job)
        ) strict, without rowid""",
        "create index pictures_of_job on pictures (job)",
    ),
    (
        "alter table jobs add column call text",
        "alter table jobs add column once text",
        "alter table jobs add column hook text",
        "create unique index jobs_once on jobs (owner, once) where once is not null",
        "create index jobs_untold on jobs (ended) where hook is not null",
        """create table uploads (
            id text primary key,
            owner text not null,
            name text,
            created real not null
        ) strict, without rowid""",
    ),
    (
        """create table files (
            path text not null,
            owner text not null,
            bytes integer not null,
            created real not null,
            primary key (path, owner)
        ) strict, without rowid""",
        "create index files_by_age on files (created)",
    ),
)
"""Append only: what stands here has run on somebody's disk. `user_version` counts what has run."""

UNFINISHED = ("queued", "sending", "waiting")
"""States of a job that goes on: nothing sent; sent and no id known yet; the provider has it, and we its id."""
ENDED = ("done", "failed", "cancelled", "unknown", "interrupted")
"""The last two: sent and its answer lost; cut before anything was sent."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """A job's row.

    Attributes:
        id: the job's.
        owner: whose it is; an unguessable token, or one word on a personal machine.
        backend: its key.
        created, ended: seconds since the epoch.
        state: one of `UNFINISHED` or `ENDED`.
        request, result, error, remote: JSON, as `core.record` writes and reads it; the store never looks inside.
        reference: the file's name.
        own_key: whether it pays with a key that its owner pasted, which is not kept.
        estimate, cost: US dollars; the cost is None where it is not known.
        pinned: whether it stays when room is made.
        call: JSON of how it came in by an API door; None where it did not.
        once: the caller's mark, unique to its owner for a day.
        hook: the address that is to be told its end, None where there is none or it was told.
    """

    id: str
    owner: str
    backend: str
    created: float
    request: str
    reference: str
    own_key: bool = False
    estimate: float = 0.0
    state: str = "queued"
    remote: str = "[]"
    result: str | None = None
    error: str | None = None
    cost: float | None = None
    ended: float | None = None
    pinned: bool = False
    call: str | None = None
    once: str | None = None
    hook: str | None = field(default=None, repr=False)
