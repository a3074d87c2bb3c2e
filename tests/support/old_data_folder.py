"""A public data folder as the app left it before a visitor's owner was the digest of their cookie."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

from storage.sqlite.migrations import MIGRATIONS

OLD_VERSION = 2
"""Migrations that had run in such a folder."""
ANN, BOB = "a" * 43, "Bo-b_" + "b" * 38
OTHERS = ("account 5f2", "key 0a1b2c3d", "local", "account " + "x" * 35, "c" * 42)

JOB = {
    "backend": "fake",
    "ended": 1.0,
    "state": "done",
    "request": "{}",
    "reference": "r.png",
    "own_key": 0,
    "estimate": 0.0,
    "remote": "[null]",
    "once": "mark",
}


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def make_old_folder(folder: Path) -> None:
    """Make the folder: open to others, with runs of `ANN` and `OTHERS`, and a reference and a ticket of `BOB`."""
    (folder / "images").mkdir(parents=True)
    (folder / "uploads").mkdir()
    base = sqlite3.connect(folder / "studio.db", isolation_level=None)
    base.execute("pragma journal_mode = wal")
    for migrate in MIGRATIONS[:OLD_VERSION]:
        migrate(base)
    base.execute(f"pragma user_version = {OLD_VERSION}")
    for number, owner in enumerate((ANN, *OTHERS)):
        row = {"id": f"j{number}", "owner": owner, "created": float(number), **JOB}
        names = ", ".join(row)
        base.execute(f"insert into jobs ({names}) values ({', '.join(f':{name}' for name in row)})", row)
        base.execute("insert into pictures values ('p.png', ?, ?, 7, 1.0)", (owner, f"j{number}"))
    base.execute("insert into pictures values ('q.png', ?, '', 7, 1.0)", (BOB,))
    base.execute("insert into uploads values ('u', ?, null, 1.0)", (BOB,))
    base.close()
    for path in (folder, folder / "images", folder / "uploads"):
        path.chmod(0o755)
    (folder / "studio.db").chmod(0o644)
