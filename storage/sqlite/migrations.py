"""How the database came to be what it is: named steps, append only, for each has run on somebody's disk.

`user_version` of the database counts those that have run. A step sees the tables as they were then, so it uses
nothing of the app's own code that may change.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import unicodedata
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


_SUFFIX = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/avif": ".avif",
    "image/gif": ".gif",
    "image/bmp": ".bmp",
    "image/tiff": ".tiff",
    "image/heic": ".heic",
    "image/jxl": ".jxl",
    "image/jp2": ".jp2",
}


def numbered_rows(base: sqlite3.Connection) -> None:
    """Owners, jobs and pictures get numbers, so that their long names are stored once and not in every row and index.

    A job's number is the microsecond at which it was taken, or the next one that was free: lists go by it.
    """
    base.create_function("file_name", 2, _file_name, deterministic=True)
    old = ("jobs", "results", "pictures", "displays", "uploads", "files", "refs")
    for table in old:
        base.execute(f"alter table {table} rename to old_{table}")
    _create_numbered_tables(base)
    for table in ("jobs", "results", "pictures", "uploads", "files", "refs"):
        base.execute(f"insert or ignore into owners (name) select distinct owner from old_{table}")  # noqa: S608 - our own words
    _copy_jobs_and_results(base)
    _copy_pictures_and_files(base)
    for table in (*old, "numbers"):
        base.execute(f"drop table {table if table == 'numbers' else f'old_{table}'}")
    for index in (
        "index jobs_of_owner on jobs (owner, number)",
        "index jobs_unfinished on jobs (number) where ended is null",
        "unique index jobs_once on jobs (owner, once) where once is not null",
        "index jobs_untold on jobs (ended) where hook is not null",
        "index results_of_owner on results (owner, id) where picture is not null",
        "index results_starred on results (owner, id) where star = 1 and picture is not null",
        "index results_of_picture on results (picture) where picture is not null",
        "index grants_of_job on grants (job) where job != 0",
        "index grants_unused on grants (since) where job = 0",
        "index uploads_by_age on uploads (created)",
        "index files_by_age on files (created)",
    ):
        base.execute(f"create {index}")


def _file_name(digest: str | None, mime: str | None) -> str | None:
    return digest and digest + _SUFFIX.get(mime or "", "")


def _create_numbered_tables(base: sqlite3.Connection) -> None:
    base.execute("create table owners (number integer primary key, name text not null unique) strict")
    base.execute(
        """create table jobs (
            number integer primary key,
            id text not null unique,
            owner integer not null,
            backend text not null,
            created real not null,
            ended real,
            state text not null,
            own_key integer not null,
            estimate real not null,
            cost real,
            once text,
            hook text,
            remote text not null,
            notices text not null,
            address text,
            error text,
            report text,
            call text,
            recipe text not null
        ) strict"""
    )
    base.execute(
        """create table results (
            id integer primary key,
            job integer not null,
            place integer not null,
            owner integer not null,
            created real not null,
            seed integer not null,
            model text not null,
            picture integer,
            width integer,
            height integer,
            damaged integer not null default 0,
            star integer not null default 0,
            missing text,
            why text,
            parent text,
            metrics text not null default '{}',
            unique (job, place)
        ) strict"""
    )
    base.execute(
        """create table pictures (
            number integer primary key,
            name text not null unique,
            bytes integer not null
        ) strict"""
    )
    # Who may see a picture, and for which job: 0 where no job needs it, and then `since` says from when on.
    base.execute(
        """create table grants (
            picture integer not null,
            owner integer not null,
            job integer not null,
            since real,
            primary key (picture, owner, job)
        ) strict, without rowid"""
    )
    base.execute(
        """create table displays (
            picture integer not null,
            width integer not null,
            bytes integer not null,
            primary key (picture, width)
        ) strict, without rowid"""
    )
    base.execute(
        """create table uploads (
            id text primary key,
            owner integer not null,
            name text,
            created real not null
        ) strict, without rowid"""
    )
    base.execute(
        """create table files (
            path text not null,
            owner integer not null,
            bytes integer not null,
            created real not null,
            primary key (path, owner)
        ) strict, without rowid"""
    )
    base.execute(
        """create table refs (
            picture integer not null,
            owner integer not null,
            width integer not null,
            height integer not null,
            notices text not null,
            address text,
            parent text,
            primary key (picture, owner)
        ) strict, without rowid"""
    )


def _copy_jobs_and_results(base: sqlite3.Connection) -> None:
    base.execute("create table numbers (id text primary key, number integer not null) strict, without rowid")
    last = 0
    for job, created in base.execute("select id, created from old_jobs order by created, id"):
        last = max(last + 1, int(created * 1_000_000))
        base.execute("insert into numbers values (?, ?)", (job, last))
    base.execute(
        """insert into jobs select numbers.number, id, owners.number, backend, created, ended, state, own_key,
                estimate, cost, once, hook, remote, notices, address, error, report, call, recipe
            from old_jobs join numbers using (id) join owners on owners.name = owner order by numbers.number"""
    )
    base.execute(
        """insert into pictures (name, bytes) select name, max(bytes) from (
                select name, bytes, kept from old_pictures
                union all select file_name(digest, mime), bytes, created from old_results where digest is not null
            ) group by name order by min(kept), name"""
    )
    base.execute(
        """insert into results select old_results.id, numbers.number, place, owners.number, created, seed, model,
                (select number from pictures where name = file_name(digest, mime)), width, height, damaged, star,
                missing, why, parent, metrics
            from old_results join numbers on numbers.id = job join owners on owners.name = owner
            order by old_results.id"""
    )


def _copy_pictures_and_files(base: sqlite3.Connection) -> None:
    # A grant to a job that is not there counts as one that no job needs, and so expires.
    base.execute(
        """insert or ignore into grants
            select pictures.number, owners.number, coalesce(numbers.number, 0), iif(numbers.number is null, kept, null)
            from old_pictures join pictures using (name) join owners on owners.name = owner
            left join numbers on numbers.id = job"""
    )
    base.execute(
        """insert or ignore into grants select picture, owner, job, null from results where picture is not null"""
    )
    base.execute("insert into displays select number, width, d.bytes from old_displays d join pictures using (name)")
    base.execute(
        """insert into uploads select id, number, old_uploads.name, created
            from old_uploads join owners on owners.name = owner"""
    )
    base.execute(
        """insert into files select path, number, max(bytes) over (partition by path), created
            from old_files join owners on owners.name = owner"""
    )
    base.execute(
        """insert into refs select pictures.number, owners.number, width, height, notices, address, parent
            from old_refs join pictures using (name) join owners on owners.name = owner
            where exists (select 1 from grants where picture = pictures.number and owner = owners.number)"""
    )


def running_totals(base: sqlite3.Connection) -> None:
    """The bytes of all files, of those that no job needs, and of each owner's jobs, counted as rows come and go."""
    base.execute("alter table owners add column job_bytes integer not null default 0")
    base.execute(
        """update owners set job_bytes = (select coalesce(sum(bytes), 0)
            from grants join pictures on number = picture where grants.owner = owners.number and job != 0)"""
    )
    base.execute("create index owners_by_bytes on owners (job_bytes)")
    base.execute("create table totals (stored integer not null, unused integer not null) strict")
    base.execute(
        """insert into totals select
            (select coalesce(sum(bytes), 0) from pictures) + (select coalesce(sum(bytes), 0) from displays)
                + (select coalesce(sum(bytes), 0) from (select max(bytes) as bytes from files group by path)),
            (select coalesce(sum(bytes), 0) from files)
                + (select coalesce(sum(bytes), 0) from grants join pictures on number = picture where job = 0)"""
    )
    for table in ("pictures", "displays"):
        base.execute(
            f"""create trigger {table}_added after insert on {table} begin
                update totals set stored = stored + new.bytes; end"""  # noqa: S608 - our own words
        )
        base.execute(
            f"""create trigger {table}_changed after update of bytes on {table} begin
                update totals set stored = stored + new.bytes - old.bytes; end"""  # noqa: S608 - our own words
        )
        base.execute(
            f"""create trigger {table}_removed after delete on {table} begin
                update totals set stored = stored - old.bytes; end"""  # noqa: S608 - our own words
        )
    # A file that several owners uploaded is stored once.
    base.execute(
        """create trigger files_added after insert on files begin update totals set unused = unused + new.bytes,
            stored = stored + iif((select count(*) from files where path = new.path) = 1, new.bytes, 0); end"""
    )
    base.execute(
        """create trigger files_removed after delete on files begin update totals set unused = unused - old.bytes,
            stored = stored - iif(exists (select 1 from files where path = old.path), 0, old.bytes); end"""
    )
    for event, row, sign in (("added", "new", "+"), ("removed", "old", "-")):
        when = "insert" if event == "added" else "delete"
        size = f"(select bytes from pictures where number = {row}.picture)"  # noqa: S608 - our own words
        base.execute(
            f"""create trigger unused_grants_{event} after {when} on grants when {row}.job = 0 begin
                update totals set unused = unused {sign} {size}; end"""  # noqa: S608 - our own words
        )
        base.execute(
            f"""create trigger job_grants_{event} after {when} on grants when {row}.job != 0 begin
                update owners set job_bytes = job_bytes {sign} {size} where number = {row}.owner; end"""  # noqa: S608 - our own words
        )


def searchable_prompts(base: sqlite3.Connection) -> None:
    """A full-text index over the prompts of results. Its rows have the ids of the results, so it yields lists' order.

    `words` is the prompt with a space around each Chinese and Japanese sign. The owner is a token beside it: a search
    reads the owner's rows alone.
    """
    base.execute("alter table results add column words text not null default ''")
    for job, recipe in base.execute("select number, recipe from jobs where report is not null"):
        try:
            prompt = json.loads(recipe)["prompt"]
            words = "".join(f" {sign} " if _is_han_or_kana(sign) else sign for sign in _normal(prompt))
        except (ValueError, LookupError, TypeError, AttributeError):
            continue  # a damaged row is found by no word
        base.execute("update results set words = ? where job = ?", (words, job))
    base.execute(
        """create virtual table prompts using fts5 (owner, words, content = 'results', content_rowid = 'id',
            prefix = '2 3', columnsize = 0, tokenize = 'unicode61 remove_diacritics 2')"""
    )
    base.execute("insert into prompts (prompts) values ('rebuild')")
    added = "insert into prompts (rowid, owner, words) values (new.id, new.owner, new.words);"
    removed = "insert into prompts (prompts, rowid, owner, words) values ('delete', old.id, old.owner, old.words);"
    base.execute(f"create trigger prompts_added after insert on results begin {added} end")
    base.execute(f"create trigger prompts_removed after delete on results begin {removed} end")
    base.execute(f"create trigger prompts_changed after update of owner, words on results begin {removed} {added} end")


def spending_of_deleted_jobs(base: sqlite3.Connection) -> None:
    """What a deleted job cost on the app owner's keys is remembered: deleting a job gives no money back."""
    base.execute("create table spending (created real not null, dollars real not null) strict")
    base.execute("create index spending_by_age on spending (created)")
    base.execute(
        """create trigger jobs_removed before delete on jobs
            when not old.own_key and coalesce(old.cost, old.estimate) > 0 begin
                insert into spending values (old.created, coalesce(old.cost, old.estimate)); end"""
    )


def changes_of_results(base: sqlite3.Connection) -> None:
    """Which results came, changed or went, in order, so that a page that was away learns what it missed.

    Beside it each owner's pictures are counted as they come and go.
    """
    base.execute(
        """create table changes (
            seq integer primary key autoincrement,
            owner integer not null,
            result integer not null
        ) strict"""
    )
    base.execute("create index changes_of_owner on changes (owner, seq)")
    base.execute("alter table owners add column pictures integer not null default 0")
    base.execute(
        """update owners set pictures =
            (select count(*) from results where owner = owners.number and picture is not null)"""
    )
    for event, row, sign in (("insert", "new", "+"), ("delete", "old", "-")):
        base.execute(
            f"""create trigger changes_at_{event} after {event} on results begin
                insert into changes (owner, result) values ({row}.owner, {row}.id);
                update owners set pictures = pictures {sign} ({row}.picture is not null) where number = {row}.owner;
                end"""  # noqa: S608 - our own words
        )
    base.execute(
        """create trigger changes_at_update after update of star on results begin
            insert into changes (owner, result) values (new.owner, new.id); end"""
    )


def sources_of_jobs(base: sqlite3.Connection) -> None:
    """Where each job was submitted. Of earlier jobs those by the wire formats are known by their models' names."""
    base.execute("alter table jobs add column source text not null default 'page'")
    base.execute(
        """update jobs set source = iif(call ->> '$.model' like 'wavespeed-ai/%', 'wavespeed', 'aimlapi')
            where iif(json_valid(call), call ->> '$.base', '') != ''"""
    )


def library(base: sqlite3.Connection) -> None:
    """What owners note on results, what lists filter and sort by, a trash, and what stars and projects protect.

    Of a result, `shown` is 1 for a picture, 0 for one that did not come, null in the trash; a whole run that failed
    has one too. `cost` is -1 where it is not known. `words` and `marks` are what it is found by: the first never
    changes, the second is its tags and its note. Indexes of lists hold all that a filter asks for.
    """
    for trigger in ("prompts_added", "prompts_removed", "prompts_changed", "changes_at_delete", "changes_at_update"):
        base.execute(f"drop trigger {trigger}")
    base.execute("drop table prompts")
    for index in ("results_of_owner", "results_starred", "jobs_of_owner"):
        base.execute(f"drop index {index}")
    _add_columns_of_library(base)
    _create_tables_of_library(base)
    for index in (
        "results_listed on results (owner, shown, id, star, project, backend, model, styles, width, height, cost)",
        "results_by_cost on results (owner, shown, cost, id)",
        "results_counted on results (owner, shown, backend, model, styles)",
        "results_starred on results (owner, shown, star, id) where star = 1",
        "results_of_project on results (owner, project, shown, id) where project is not null",
        "results_of_parent on results (owner, parent, id) where parent is not null",
        "results_in_trash on results (deleted) where deleted is not null",
        "jobs_of_owner on jobs (owner, number) where hidden = 0",
        "jobs_removable on jobs (owner, number) where ended is not null and kept = 0",
        "owners_with_pictures on owners (pictures) where pictures > 0",
    ):
        base.execute(f"create index {index}")
    _fill_library(base)
    _create_triggers_of_library(base)
    base.execute(
        """create virtual table found_by using fts5 (scope, words, marks, content = 'results', content_rowid = 'id',
            prefix = '1 2 3', columnsize = 0, tokenize = 'unicode61 remove_diacritics 2')"""
    )
    base.execute("insert into found_by (found_by) values ('rebuild')")
    for row, before in (("new", ""), ("old", "'delete', ")):
        columns = "rowid, scope, words, marks" if row == "new" else "found_by, rowid, scope, words, marks"
        values = f"{before}{row}.id, {row}.scope, {row}.words, {row}.marks"
        statement = f"insert into found_by ({columns}) values ({values});"  # noqa: S608 - our own words
        event = "insert" if row == "new" else "delete"
        base.execute(f"create trigger found_by_at_{event} after {event} on results begin {statement} end")
    base.execute(
        """create trigger found_by_at_update after update of shown, words, marks on results begin
            insert into found_by (found_by, rowid, scope, words, marks)
                values ('delete', old.id, old.scope, old.words, old.marks);
            insert into found_by (rowid, scope, words, marks) values (new.id, new.scope, new.words, new.marks); end"""
    )


def _add_columns_of_library(base: sqlite3.Connection) -> None:
    for table, column in (
        ("results", "shown integer"),
        ("results", "deleted real"),
        ("results", "backend text not null default ''"),
        ("results", "styles text not null default '[]'"),
        ("results", "cost real not null default -1"),
        ("results", "project integer"),
        ("results", "note text not null default ''"),
        ("results", "marks text not null default ''"),
        # The owner as a token: `7` for their pictures, `7f` for what did not come, `7d` for the trash.
        (
            "results",
            "scope text generated always as (owner || iif(shown is null, 'd', iif(shown = 1, '', 'f'))) virtual",
        ),
        ("jobs", "hidden integer not null default 0"),  # all of its results are in the trash
        ("jobs", "kept integer not null default 0"),  # all of its pictures are protected
        ("grants", "hidden integer not null default 0"),  # the job has the picture in the trash alone
        ("grants", "pinned integer not null default 0"),  # a star or a project protects it
        ("owners", "bytes integer not null default 0"),  # of all that they may see, each picture once
        ("owners", "protected integer not null default 0"),  # of these, what is pinned
    ):
        base.execute(f"alter table {table} add column {column}")
    base.execute("alter table results drop column created")  # the id is the microsecond at which it was made


def _create_tables_of_library(base: sqlite3.Connection) -> None:
    base.execute(
        """create table projects (
            number integer primary key autoincrement,
            owner integer not null,
            name text not null,
            created real not null,
            unique (owner, name)
        ) strict"""
    )
    base.execute(
        """create table tags (
            number integer primary key,
            owner integer not null,
            name text not null,
            unique (owner, name)
        ) strict"""
    )
    base.execute(
        """create table result_tags (
            result integer not null,
            tag integer not null,
            primary key (result, tag)
        ) strict, without rowid"""
    )
    base.execute("create index result_tags_of_tag on result_tags (tag, result)")


def _fill_library(base: sqlite3.Connection) -> None:
    base.execute("update results set shown = picture is not null")
    jobs = base.execute(
        "select number, owner, backend, cost, recipe, state, ended, report is not null from jobs"
        " where report is not null or (ended is not null and state in ('failed', 'unknown', 'interrupted'))"
        " order by ended, number"
    ).fetchall()
    for job, owner, backend, cost, text, _, ended, made in jobs:
        try:
            facts = _found_by(json.loads(text), backend, cost)
        except (ValueError, LookupError, TypeError, AttributeError):
            if not made:
                continue  # nothing is known of a damaged row: neither what was wanted, nor why it failed
            facts = {"styles": "[]", "cost": -1.0, "words": ""}
        facts |= {"job": job, "backend": backend}
        if made:
            base.execute(
                "update results set backend = :backend, styles = :styles, cost = :cost, words = :words"
                " where job = :job",
                facts,
            )
            continue
        facts |= {"id": int(ended * 1_000_000), "owner": owner}
        while base.execute("select 1 from results where id = ?", (facts["id"],)).fetchone():
            facts["id"] += 1
        base.execute(
            """insert into results (id, job, place, owner, seed, model, missing, parent, shown, backend, styles, cost,
                words) values (:id, :job, 0, :owner, :seed, :model, 'run', :parent, 0, :backend, :styles, :cost,
                :words)""",
            facts,
        )
    base.execute(
        """update grants set pinned = 1 where
            exists (select 1 from results where job = grants.job and star = 1 and shown = 1) and (
                exists (select 1 from results
                    where job = grants.job and picture = grants.picture and star = 1 and shown = 1)
                or not exists (select 1 from results where job = grants.job and picture = grants.picture)
                or exists (select 1 from jobs join pictures on pictures.number = grants.picture
                    where jobs.number = grants.job and instr(recipe, substr(name, 1, instr(name, '.') - 1))))"""
    )
    base.execute(
        """update jobs set kept = exists (select 1 from results where job = number and star = 1 and shown = 1)
            and not exists (select 1 from results where job = number and star = 0 and shown = 1)"""
    )
    for column, which in (("bytes", ""), ("protected", "and pinned = 1")):
        base.execute(
            f"""update owners set {column} = (select coalesce(sum(bytes), 0) from pictures where number in
                (select picture from grants where owner = owners.number {which}))"""  # noqa: S608 - our own words
        )


def _found_by(recipe: dict[str, Any], backend: str, cost: float | None) -> dict[str, Any]:
    styles = recipe["style"]
    texts = [recipe["prompt"], *(part for each in styles for part in (each["id"], each["text"])), backend]
    model = recipe["model"]["id"]
    words = "\n".join([*texts, model])
    return {
        "styles": json.dumps([each["id"] for each in styles], separators=(",", ":")),
        "cost": -1.0 if cost is None else round(cost / max(1, len(recipe["seeds"])), 6),
        "words": "".join(f" {sign} " if _is_han_or_kana(sign) else sign for sign in _normal(words)),
        "model": model,
        "parent": recipe["parent"],
        "seed": recipe["seed"],
    }


def _create_triggers_of_library(base: sqlite3.Connection) -> None:
    """Count pictures that are shown and bytes that are held or pinned, and note what changes, as rows do."""
    base.execute(
        """create trigger changes_at_delete after delete on results when old.deleted is null begin
            insert into changes (owner, result) values (old.owner, old.id);
            update owners set pictures = pictures - old.shown where number = old.owner; end"""
    )
    base.execute(
        """create trigger changes_at_update after update of star, project, marks, deleted on results begin
            insert into changes (owner, result) values (new.owner, new.id);
            update owners set pictures = pictures + coalesce(new.shown, 0) - coalesce(old.shown, 0)
                where number = new.owner; end"""
    )
    base.execute(
        """create trigger tags_at_delete after delete on results begin
            delete from result_tags where result = old.id; end"""
    )
    others = "exists (select 1 from grants where picture = {row}.picture and owner = {row}.owner{which})"
    for name, event, row, sign, column, when, which in (
        ("held_grants_added", "insert", "new", "+", "bytes", "", " and job != new.job"),
        ("held_grants_removed", "delete", "old", "-", "bytes", "", ""),
        ("pinned_grants_removed", "delete", "old", "-", "protected", "old.pinned = 1", " and pinned = 1"),
        (
            "pinned_grants_added",
            "update of pinned",
            "new",
            "+",
            "protected",
            "new.pinned = 1 and old.pinned = 0",
            " and pinned = 1 and job != new.job",
        ),
        (
            "pinned_grants_freed",
            "update of pinned",
            "new",
            "-",
            "protected",
            "new.pinned = 0 and old.pinned = 1",
            " and pinned = 1",
        ),
    ):
        alone = f"not {others.format(row=row, which=which)}"
        condition = f"{when} and {alone}" if when else alone
        base.execute(
            f"""create trigger {name} after {event} on grants when {condition} begin
                update owners set {column} = {column} {sign} (select bytes from pictures where number = {row}.picture)
                where number = {row}.owner; end"""  # noqa: S608 - our own words
        )


def origins_of_references(base: sqlite3.Connection) -> None:
    """Which profile and resolution the file had that became a reference; of earlier ones that is not known."""
    base.execute("alter table refs add column profile text not null default ''")
    base.execute("alter table refs add column dpi real not null default 0")


def experiments(base: sqlite3.Connection) -> None:
    """Plans of many jobs. A cell's row is there from the beginning, and gets its job when it begins."""
    base.execute(
        """create table experiments (
            number integer primary key, id text not null unique, owner integer not null, created real not null,
            state text not null, why text, plan text not null, once text, body text not null)"""
    )
    base.execute("create index experiments_of_owner on experiments (owner, number)")
    base.execute("create unique index experiments_once on experiments (owner, once) where once is not null")
    base.execute(
        """create table cells (
            experiment integer not null, place integer not null, at text not null, backend text not null,
            estimate real not null, recipe text not null, own_key integer not null, job text,
            primary key (experiment, place)) without rowid"""
    )
    base.execute("create index waiting_cells on cells (experiment) where job is null")
    base.execute("create unique index cells_of_jobs on cells (job) where job is not null")


def skipped_cells(base: sqlite3.Connection) -> None:
    """Cells say themselves whether they are to begin, and an experiment is done when all of its cells have ended."""
    base.execute("alter table cells add column skipped integer not null default 0")
    base.execute(
        "update cells set skipped = 1 where job is null"
        " and experiment in (select number from experiments where state = 'cancelled')"
    )
    base.execute("drop index waiting_cells")
    base.execute("create index waiting_cells on cells (experiment) where job is null and not skipped")
    base.execute("create index unfinished_experiments on experiments (number) where state in ('running', 'paused')")


def meters_of_results(base: sqlite3.Connection) -> None:
    """How results compare with their references: three figures that lists are sorted by, the rest in `metrics`.

    `measured` is 1 of a picture that was looked at, also where nothing could be measured. Figures that are not known
    are -2 of `structure` and -1 of the others, which is below all that are. Pages hear of the figures of a result that
    was made in the last ten minutes: after an update, thousands of old ones are measured that nobody looks at.
    """
    base.execute("alter table results add column measured integer not null default 0")
    for column, unknown in (("structure", -2), ("colour_shift", -1), ("sharpness", -1)):
        base.execute(f"alter table results add column {column} real not null default {unknown}")
        base.execute(f"create index results_by_{column} on results (owner, shown, {column}, id)")
    base.execute("create index results_unmeasured on results (id) where measured = 0 and shown = 1")
    base.execute("drop index results_listed")
    base.execute(
        """create index results_listed on results (owner, shown, id, star, project, backend, model, styles, width,
            height, cost, structure, colour_shift, sharpness)"""
    )
    base.execute(
        """create trigger changes_at_measuring after update of structure on results
            when new.deleted is null and new.id > (strftime('%s', 'now') - 600) * 1000000 begin
                insert into changes (owner, result) values (new.owner, new.id); end"""
    )


def spending_by_owner(base: sqlite3.Connection) -> None:
    """Whose deleted jobs cost what, where, and on whose keys; nobody knows that of those from before."""
    base.execute("alter table spending add column owner integer")
    base.execute("alter table spending add column backend text not null default ''")
    base.execute("alter table spending add column own_key integer not null default 0")
    base.execute("drop trigger jobs_removed")
    base.execute(
        """create trigger jobs_removed before delete on jobs
            when coalesce(old.cost, old.estimate) > 0 and old.source <> 'import' begin
                insert into spending (created, dollars, owner, backend, own_key) values
                    (old.created, coalesce(old.cost, old.estimate), old.owner, old.backend, old.own_key); end"""
    )


def _normal(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _is_han_or_kana(sign: str) -> bool:
    return any(
        first <= ord(sign) <= last
        for first, last in (
            (0x3005, 0x3007),
            (0x3040, 0x30FF),
            (0x31F0, 0x31FF),
            (0x3400, 0x4DBF),
            (0x4E00, 0x9FFF),
            (0xF900, 0xFAFF),
            (0x20000, 0x3FFFF),
        )
    )


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
    numbered_rows,
    running_totals,
    searchable_prompts,
    spending_of_deleted_jobs,
    changes_of_results,
    sources_of_jobs,
    library,
    origins_of_references,
    experiments,
    skipped_cells,
    meters_of_results,
    spending_by_owner,
)
