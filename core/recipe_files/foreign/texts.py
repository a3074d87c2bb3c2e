"""The texts of a file, each read as JSON at most once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from core.recipe_files.foreign.bounded_json import MAX_TEXT, parse_object


class Texts:
    """What `texts_of` found in a file, by keyword. A text longer than `MAX_TEXT` is as good as absent.

    Args:
        texts: PNG chunks by their keyword, EXIF as `exif:Name`, a comment as `comment`.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = {name: text for name, text in texts.items() if isinstance(text, str) and len(text) <= MAX_TEXT}
        self._objects: dict[str, dict[str, object] | None] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._texts

    def exif(self) -> Iterator[tuple[str, str]]:
        """Yield the names and texts of EXIF."""
        return ((name, text) for name, text in self._texts.items() if name.startswith("exif:"))

    def text(self, name: str) -> str:
        """Return a text without the space around it, empty where there is none."""
        return self._texts.get(name, "").strip()

    def json(self, name: str) -> dict[str, object] | None:
        """Return a text as a JSON object, None where it is none."""
        if name not in self._objects:
            self._objects[name] = parse_object(self._texts.get(name, ""))
        return self._objects[name]
