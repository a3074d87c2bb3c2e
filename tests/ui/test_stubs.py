"""How the framework is imported."""

from __future__ import annotations

import inspect
import subprocess
import sys

from gradio import component_meta

from ui.stubs import MAKER, MODULE


def test_the_framework_makes_its_stub_files_where_ours_replaces_that() -> None:
    assert component_meta.__name__ == MODULE
    assert f"\n        {MAKER}(" in inspect.getsource(component_meta.ComponentMeta), "look at ui.stubs"


def test_no_stub_files_are_made_when_the_page_is_imported() -> None:
    code = f"import ui, sys; print(sys.modules['{MODULE}'].{MAKER}.__module__)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "ui.stubs"
