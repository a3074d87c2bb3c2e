"""Lets the framework be imported a second sooner: each time it makes stub files of all its components, for editors.

Read off gradio 6.31: `gradio.component_meta` parses the source of every component and renders an interface from it, and
has no switch. Were this gone from the next version, only the second would be back.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType

MODULE, MAKER = "gradio.component_meta", "create_or_modify_pyi"
"""What makes them, and its function for one component."""


def skip_stubs() -> None:
    """Keep the framework from making stub files; to be called before it is imported."""
    if MODULE not in sys.modules:
        sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    def find_spec(self, name: str, path: Sequence[str] | None, _: ModuleType | None = None) -> ModuleSpec | None:
        """Return how the one module is loaded, None for any other."""
        spec = PathFinder.find_spec(name, path) if name == MODULE else None
        if spec is not None and spec.origin is not None:
            spec.loader = _Loader(name, spec.origin)
        return spec


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        setattr(module, MAKER, _make_nothing)


def _make_nothing(*_: object) -> None:
    pass
