"""How the database came to be what it is: named steps, append only, for each has run on somebody's disk.

`user_version` of the database counts those that have run. A step sees the tables as they were then, so it uses
nothing of the app's own code that may change.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable
from typing import Any

_BY_COOKIE = "length(owner) = 43 and owner not glob '*[^A-Za-z0-9_-]*'"
"""A browser's token; accounts, keys and the owner of a personal machine have other names."""


def jobs_and_pictures(base: sqlite3.Connection) -> None:
    """Jobs, and who may see which picture."""
    base.execute(
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
        ) strict, without rowid"""
    )
    base.execute("create index jobs_of_owner on jobs (owner, created)")
    base.execute("create index jobs_unfinished on jobs (created) where ended is null")
    base.execute(
        """create table pictures (
            name text not null,
            owner text not null,
            job text not null,
            bytes integer not null,
            kept real not null,
            primary key (name, owner, job)
        ) strict, without rowid"""
    )
    base.execute("create index pictures_of_job on pictures (job)")


def calls_and_uploads(base: sqlite3.Connection) -> None:
    """How a job came in by an API, the webhook that is to be called, and uploads to signed addresses."""
    base.execute("alter table jobs add column call text")
    base.execute("alter table jobs add column once text")
    base.execute("alter table jobs add column hook text")
    base.execute("create unique index jobs_once on jobs (owner, once) where once is not null")
    base.execute("create index jobs_untold on jobs (ended) where hook is not null")
    base.execute(
        """create table uploads (
            id text primary key,
            owner text not null,
            name text,
            created real not null
        ) strict, without rowid"""
    )


def display_copies(base: sqlite3.Connection) -> None:
    """Smaller copies of pictures."""
    base.execute(
        """create table displays (
            name text not null,
            width integer not null,
            bytes integer not null,
            primary key (name, width)
        ) strict, without rowid"""
    )


def digests_of_owners(base: sqlite3.Connection) -> None:
    """The owner was the browser's cookie itself; from here on it is the digest of it."""
    base.create_function("sha256", 1, lambda text: hashlib.sha256(text.encode()).hexdigest(), deterministic=True)
    base.execute("create table old_owners (digest text primary key) strict, without rowid")
    for table in ("jobs", "pictures", "uploads"):
        base.execute(f"insert or ignore into old_owners select sha256(owner) from {table} where {_BY_COOKIE}")  # noqa: S608 - our own words
        base.execute(f"update {table} set owner = sha256(owner) where {_BY_COOKIE}")  # noqa: S608 - likewise


def uploaded_files(base: sqlite3.Connection) -> None:
    """Whose the files are that the page uploaded."""
    base.execute(
        """create table files (
            path text not null,
            owner text not null,
            bytes integer not null,
            created real not null,
            primary key (path, owner)
        ) strict, without rowid"""
    )
    base.execute("create index files_by_age on files (created)")


def recipes(base: sqlite3.Connection) -> None:
    """A job's settings become a recipe. Which model ran was not recorded, so it stays unknown."""
    base.execute("alter table jobs rename column request to recipe")
    base.execute("alter table jobs add column notices text not null default '[]'")
    base.execute("alter table jobs add column address text")
    sizes = dict(base.execute("select name, max(bytes) from pictures group by name"))
    rows = base.execute("select id, backend, recipe, reference from jobs").fetchall()
    for job, backend, request, reference in rows:
        try:
            old = json.loads(request)
            row = json.dumps(_recipe(backend, old, reference, sizes.get(reference, 0)), separators=(",", ":"))
            notices, address = json.dumps(old["notices"]), old["address"]
        except (ValueError, LookupError, TypeError, AttributeError):
            continue  # a damaged row stays as it is: no reader takes it for a recipe
        base.execute("update jobs set recipe = ?, notices = ?, address = ? where id = ?", (row, notices, address, job))
    base.execute("alter table jobs drop column reference")


def _recipe(backend: str, old: dict[str, Any], reference: str, size: int) -> dict[str, Any]:
    params = dict(old["params"])
    name, _, suffix = reference.rpartition(".")
    image = {"digest": name, "mime": {"png": "image/png", "jpg": "image/jpeg"}[suffix]}
    return {
        "version": 1,
        "backend": backend,
        "model": {"id": "unknown", "revision": None},
        "app": "unknown",
        "prompt": old["prompt"],
        "style": [],
        "params": {key: value for key, value in params.items() if key != "seed"},
        "seed": old["seeds"][0],
        "seeds": old["seeds"],
        "index": None,
        "reference": {**image, "width": old["width"], "height": old["height"], "size": size},
        "mask": None,
        "parent": None,
    }


def results(base: sqlite3.Connection) -> None:
    """Each image of a job becomes a row of its own. Its id rises with the time, so that lists follow it."""
    base.execute(
        """create table results (
            id integer primary key,
            job text not null,
            place integer not null,
            owner text not null,
            created real not null,
            seed integer not null,
            model text not null,
            digest text,
            mime text,
            width integer,
            height integer,
            bytes integer,
            damaged integer not null default 0,
            missing text,
            why text,
            star integer not null default 0,
            metrics text not null default '{}',
            parent text,
            unique (job, place)
        ) strict"""
    )
    base.execute("create index results_of_owner on results (owner, id)")
    base.execute("create index results_of_digest on results (digest)")
    sizes = dict(base.execute("select name, max(bytes) from pictures group by name"))
    rows = base.execute(
        "select id, owner, created, ended, result from jobs where result is not null order by ended, id"
    ).fetchall()
    last = 0
    for job, owner, created, ended, text in rows:
        last = max(last + 1, int((ended or created) * 1_000_000))
        try:
            images = [_result(each, sizes) for each in json.loads(text)["images"]]
            report = {name: json.loads(text)[name] for name in ("timings", "notices")}
        except (ValueError, LookupError, TypeError, AttributeError):
            continue  # a damaged row stays as it is: no reader takes it for a report
        for place, image in enumerate(images):
            last += place > 0
            row = {"id": last, "job": job, "place": place, "owner": owner, "created": created, "model": "unknown"}
            row |= image
            names = ", ".join(row)
            base.execute(f"insert into results ({names}) values ({', '.join(f':{name}' for name in row)})", row)  # noqa: S608 - our own words
        base.execute("update jobs set result = ? where id = ?", (json.dumps(report, separators=(",", ":")), job))
    base.execute("alter table jobs rename column result to report")
    base.execute("alter table jobs drop column pinned")


def _result(old: dict[str, Any], sizes: dict[str, int]) -> dict[str, Any]:
    if "file" not in old:
        return {"seed": old["seed"], "missing": "nsfw" if old["nsfw"] else "failed", "why": old["why"]}
    return {
        "seed": old["seed"],
        "digest": old["file"].partition(".")[0],
        "mime": old["mime"],
        "width": old["width"],
        "height": old["height"],
        "bytes": sizes.get(old["file"], 0),
        "damaged": int(old.get("damaged", False)),
    }


def normalised_references(base: sqlite3.Connection) -> None:
    """What is known of a reference beside its pixels, so that it is decoded once."""
    base.execute(
        """create table refs (
            name text not null,
            owner text not null,
            width integer not null,
            height integer not null,
            bytes integer not null,
            notices text not null,
            address text,
            parent text,
            primary key (name, owner)
        ) strict, without rowid"""
    )


def job_states(base: sqlite3.Connection) -> None:
    """The states of unfinished jobs get the names that the app's code has for them."""
    for old, new in (("sending", "submitting"), ("waiting", "running")):
        base.execute("update jobs set state = ? where state = ?", (new, old))


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    jobs_and_pictures,
    calls_and_uploads,
    display_copies,
    digests_of_owners,
    uploaded_files,
    recipes,
    results,
    normalised_references,
    job_states,
)
