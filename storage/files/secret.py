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
        raise SettingsError("secret-unusable", path=str(path), reason=str(error.strerror)) from error
    if len(secret) != SECRET:
        raise SettingsError("secret-damaged", path=str(path), size=len(secret), wanted=SECRET)
    return secret
