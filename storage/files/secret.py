"""The secret that links and cookies are signed with, in a file of its own."""

from __future__ import annotations

import secrets
from pathlib import Path

from core.links import SECRET
from core.settings import SettingsError
from storage.files.private import close, write_whole


def lasting_secret(folder: Path) -> bytes:
    """Return the secret that is stored in a folder, made where there is none: links and cookies outlive a restart.

    Raises:
        SettingsError: its file cannot be read or made, or is no whole secret: anybody could sign with an empty one.
    """
    path = folder / "links.key"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            write_whole(path, secrets.token_bytes(SECRET))
        close(path, 0o600)
        secret = path.read_bytes()
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be used: {error.strerror}. Let this user write there, or set STUDIO_DATA_DIR."
        ) from error
    if len(secret) != SECRET:
        raise SettingsError(
            f"{path} has {len(secret)} bytes and should have {SECRET}. Restore it from a backup, or delete it: a new "
            "one is made then, and all links and cookies that were given out expire."
        )
    return secret
