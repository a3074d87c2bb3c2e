"""The command line: `python app.py COMMAND`. Without a command, `app.py` serves the app and imports nothing of this."""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from api.keys import KeyRing
from core.errors import BadInput, StartError
from core.messages import Message, in_full, message, say
from core.settings import Settings, SettingsError
from storage.backup import back_up
from storage.protocols import ShareFull
from storage.transfer import export_all, import_all

cli = typer.Typer(
    name="app.py",
    help="SRPO Studio. Without a command it serves the app; settings are environment variables, see README.md.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
keys = typer.Typer(
    help="Keys to the app's own API. They can be issued and revoked while the app runs.", no_args_is_help=True
)
cli.add_typer(keys, name="keys")


def _runs(span: str) -> Any:
    return typer.Option(
        min=1, max=999_999_999, metavar="N", help=f"Runs a {span} that it may start; the app's limit when left out."
    )


@keys.command("new")
def new_key(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose key it is, in your own words.")],
    per_minute: Annotated[int | None, _runs("minute")] = None,
    per_day: Annotated[int | None, _runs("day")] = None,
) -> None:
    """Issue a key and print it, this once."""
    key, letters = _ring().new(name, per_minute, per_day)
    typer.echo(f"{letters}\n\n{say('key-issued', key=key.id)}")


@keys.command("list")
def list_keys() -> None:
    """Print each key's id, date of issue, state and name."""
    for key in _ring().all():
        state = "valid" if key.revoked is None else f"revoked {_date(key.revoked)}"
        typer.echo(f"{key.id}  {_date(key.created)}  {state:<18}  {key.name}")


@keys.command("revoke")
def revoke_key(key_id: Annotated[str, typer.Argument(metavar="ID", help="As `keys list` prints it.")]) -> None:
    """Revoke a key at once; this cannot be undone."""
    if not _ring().revoke(key_id):
        sys.exit(say("key-unknown", key=key_id))


@cli.command("backup")
def backup(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to; one with an earlier backup is renewed.")],
) -> None:
    """Copy all that the app stores, while it runs or not. To restore it, start the app with STUDIO_DATA_DIR=FOLDER."""
    data = _data_dir()
    with _or_exit(message("backup-nothing", folder=str(data))):
        found = back_up(data, folder)
    typer.echo(say("backup-done", pictures=found.pictures, copied=found.copied, folder=str(folder)))


@cli.command("export")
def export(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to; an earlier export there is replaced.")],
) -> None:
    """Write all pictures with their recipes as archives, a folder for each owner, while the app runs or not."""
    data = _data_dir()
    with _or_exit(message("backup-nothing", folder=str(data))):
        moved = export_all(data, folder)
    typer.echo(say("export-done", results=moved.results, archives=moved.archives, folder=str(folder)))


@cli.command("import")
def take_in(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="What `export` wrote.")],
) -> None:
    """Take in what `export` wrote, beside what is there. The app must not run meanwhile."""
    with _or_exit(message("import-nothing", folder=str(folder))):
        settings = Settings.from_env(os.environ)
        moved = import_all(folder, settings.data_dir, settings.caps.quota)
    typer.echo(say("import-done", results=moved.results, archives=moved.archives))


@contextmanager
def _or_exit(nothing: Message) -> Iterator[None]:
    """End the command with a sentence where something cannot be done, with `nothing` where the files are not there."""
    try:
        yield
    except FileNotFoundError:
        sys.exit(str(nothing))
    except (StartError, BadInput) as error:
        sys.exit(str(error))
    except ShareFull as error:
        sys.exit(in_full(message("library-share-full", share=error.share / 1e6)))


def _data_dir() -> Path:
    try:
        return Settings.from_env(os.environ).data_dir
    except SettingsError as error:
        sys.exit(str(error))


def _ring() -> KeyRing:
    folder = _data_dir()
    try:
        return KeyRing(folder)
    except (OSError, sqlite3.Error) as error:
        sys.exit(say("keys-unusable", reason=str(error)))


def _date(seconds: float) -> str:
    return time.strftime("%F", time.gmtime(seconds))
