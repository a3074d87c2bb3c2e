"""The command line: `python app.py COMMAND`. Without a command, `app.py` serves the app and imports nothing of this."""

from __future__ import annotations

import os
import sys
import time
from typing import Annotated, Any

import typer

from api.keys import KeyRing
from core.messages import say
from core.settings import Settings, SettingsError

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


def _ring() -> KeyRing:
    try:
        return KeyRing(Settings.from_env(os.environ).data_dir)
    except SettingsError as error:
        sys.exit(str(error))


def _date(seconds: float) -> str:
    return time.strftime("%F", time.gmtime(seconds))
