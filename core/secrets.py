"""Secrets: revealed at the one place that sends them, and cleaned out of everything that is written."""

from __future__ import annotations

import base64
import re
from collections import OrderedDict
from urllib.parse import quote

from pydantic import SecretStr

HIDDEN = "(hidden)"
REMEMBERED = 1000
"""Pasted keys that are looked for by their letters; older ones still fall to the patterns."""

_PATTERNS = (
    re.compile(r"(?i)(?<=bearer )[^\s'\"]{6,}"),
    re.compile(
        r"(?i)((?:api[-_]?key|token|secret|password|signature|authorization|studio_owner)['\"]?\s*[:=]\s*['\"]?)[^\s'\"&,;)}]{6,}"
    ),
    re.compile(r"\b(?:sk|hf|whsec|ghp)[-_][A-Za-z0-9_-]{8,}"),
)
"""What looks like a secret, whoever it belongs to."""


def revealed(secret: SecretStr | None) -> str | None:
    """Return a secret's letters, None where there is none. For the place that sends it, and no other."""
    return None if secret is None else secret.get_secret_value()


class Redactor:
    """Knows secrets, and takes them out of texts: plain, as in addresses, and in base64."""

    def __init__(self) -> None:
        self._forms: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        self._for_ever: dict[str, tuple[str, ...]] = {}

    def learn(self, secret: str | None, *, for_ever: bool = False) -> None:
        """Take a secret out of every text from now on; one of fewer than eight letters would take words out too.

        Args:
            secret: its letters.
            for_ever: whether no other ever takes its place: the app owner's.
        """
        if not secret or len(secret) < 8:
            return
        coded = base64.b64encode(secret.encode()).decode().rstrip("=")
        forms = tuple(dict.fromkeys((secret, quote(secret, safe=""), coded)))
        if for_ever:
            self._for_ever[secret] = forms
            return
        self._forms[secret] = forms
        self._forms.move_to_end(secret)
        while len(self._forms) > REMEMBERED:
            self._forms.popitem(last=False)

    def clean(self, text: str) -> str:
        """Return the text without any known secret, and without what looks like one."""
        for forms in (*self._for_ever.values(), *self._forms.values()):
            for form in forms:
                text = text.replace(form, HIDDEN)
        for pattern in _PATTERNS:
            text = pattern.sub(lambda found: (found.group(1) if found.re.groups else "") + HIDDEN, text)
        return text


redactor = Redactor()
"""The process's own: logging is the process's too."""
