"""The API tab: the examples of docs/api.md, as they stand there.

The page fetches them when the tab is chosen (`ui/web/chrome.js`), and puts this app's own address in.
"""

from __future__ import annotations

import html
import re
from pathlib import Path

from core.messages import say

PAGE = Path(__file__).resolve().parent.parent / "docs" / "api.md"
LANGUAGES = {"bash": "curl", "python": "Python", "javascript": "JavaScript"}
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def api_examples() -> str:
    """Return what the tab shows, as HTML."""
    sections = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    parts = [_part(section) for section in sections if _BLOCK.search(section) and "```python" in section]
    return f"<h2>{say('ui-api')}</h2>{_introduction()}{''.join(parts)}"


def _introduction() -> str:
    return "".join(f"<p>{say(f'ui-api-{part}')}</p>" for part in ("use", "keys"))


def _part(section: str) -> str:
    """Return one format's examples, a language at a time."""
    title = html.escape(section.partition("\n")[0])
    blocks = [(language, code) for language, code in _BLOCK.findall(section) if language in LANGUAGES]
    choices = "".join(
        f'<button type="button" data-language="{language}" aria-pressed="{str(not place).lower()}">'
        f"{LANGUAGES[language]}</button>"
        for place, (language, _) in enumerate(blocks)
    )
    codes = "".join(
        f'<pre tabindex="0" data-language="{language}"{" hidden" if place else ""}>'
        f"<code>{html.escape(code)}</code></pre>"
        for place, (language, code) in enumerate(blocks)
    )
    copy = f'<button type="button" data-copy data-done="{say("ui-copied")}">{say("ui-copy")}</button>'
    return f'<section><header><h3>{title}</h3><div role="group">{choices}</div>{copy}</header>{codes}</section>'
