"""What the tests of the parsers look at."""

from __future__ import annotations

from collections.abc import Mapping

from core.recipe_files.foreign import Foreign, read_foreign


def read(texts: Mapping[str, str]) -> Foreign:
    """Return what is read, which must be something."""
    found = read_foreign(texts)
    assert found is not None
    return found


def left_out(found: Foreign) -> dict[str, tuple[str, str]]:
    """Return the value of each setting that is left out, and the code of the reason."""
    return {each.name: (each.value, each.why.code) for each in found.unmapped}
