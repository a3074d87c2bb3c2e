"""The project's rules, held by reading the code: which package imports which, and what is documented."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("core", "storage", "backends", "engine", "api", "ui")
PRODUCT = {"app", *ROOMS}
MAY_IMPORT = {
    "core": {"core"},
    "storage": {"core", "storage"},
    "backends": {"core", "backends"},
    "engine": {"core", "storage", "engine"},
    "api": {"core", "storage", "engine", "api"},
    "ui": {"core", "storage", "engine", "ui"},
    "app": PRODUCT,
    "bench": {*PRODUCT, "bench", "tests"},
    "tools": {*PRODUCT, "tools", "tests"},
    "tests": {*PRODUCT, "tools", "tests"},
}
"""Who imports whom. Of `tests`, others see `tests.support` alone."""
WHOLE = {
    *(f"tests.support.{name}" for name in ("api_app", "api_server", "browser", "crash_cycle", "live_app")),
    *(f"tests.backends.local.{name}" for name in ("checked_runs", "runs")),
}
UNDER = ("core", "engine", "storage")
FIXTURES = {"browser", "tiny"}
"""By what tests come to a browser, a process of the app, a whole API, or a model: `make quick` leaves these out."""
HEAVY = {"torch", "diffusers", "transformers", "tokenizers", "huggingface_hub", "tqdm", "safetensors", "accelerate"}
MODULES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
EVERYTHING = sorted([ROOT / "app.py", *(path for folder in MAY_IMPORT for path in (ROOT / folder).rglob("*.py"))])


def module_of(path: Path) -> str:
    """Return a file's module, as imports name it."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


NAMES = {module_of(path) for path in EVERYTHING}


def ids(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imported(tree: ast.AST) -> Iterator[tuple[str, bool]]:
    """Yield each imported module, and whether it is imported when the file is, not inside a function or for types."""
    late = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) not in late) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            # A package's names are its modules, or stand in its `__init__`.
            within = [f"{node.module}.{alias.name}" for alias in node.names]
            modules = {each if each in NAMES else str(node.module) for each in within}
            yield from ((each, id(node) not in late) for each in sorted(modules))


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports_of(path: Path) -> tuple[tuple[str, bool], ...]:
    return tuple(imported(tree_of(path)))


def test_every_room_is_there() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in MODULES} == set(ROOMS)


@pytest.mark.parametrize("path", EVERYTHING, ids=ids)
def test_imports_run_one_way(path: Path) -> None:
    own = module_of(path).split(".")[0]
    assert {name.split(".")[0] for name, _ in imports_of(path)} & {*MAY_IMPORT} <= MAY_IMPORT[own]


@pytest.mark.parametrize("path", EVERYTHING, ids=ids)
def test_what_tests_share_stands_in_their_support(path: Path) -> None:
    own = module_of(path)
    of_tests = {name for name, _ in imports_of(path) if name.split(".")[0] == "tests"}
    assert [name for name in of_tests if name.split(".")[-1].startswith(("test_", "conftest"))] == []
    if not own.startswith("tests.") or own.startswith("tests.support"):
        assert [name for name in of_tests if not name.startswith("tests.support")] == []


@pytest.mark.parametrize("folders", [PRODUCT, {"bench"}, {"tools"}], ids=["product", "bench", "tools"])
def test_no_modules_import_each_other_in_a_circle(folders: set[str]) -> None:
    paths = [path for path in EVERYTHING if module_of(path).split(".")[0] in folders]
    graph = {module_of(path): {name for name, _ in imports_of(path)} & NAMES for path in paths}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' -> '.join(error.args[1])}")


@pytest.mark.parametrize("path", [path for path in EVERYTHING if path.name.startswith("test_")], ids=ids)
def test_what_takes_a_browser_an_app_an_api_or_a_model_is_marked_as_integration(path: Path) -> None:
    tree = tree_of(path)
    arguments = {each.arg for node in ast.walk(tree) if isinstance(node, ast.arguments) for each in node.args}
    whole = {name for name, _ in imports_of(path)} & WHOLE | arguments & FIXTURES
    assert not whole or "pytest.mark.integration" in ast.unparse(tree), f"{whole} needs the mark"


def test_assets_hold_no_code_that_the_app_could_import() -> None:
    assert [ids(path) for path in (ROOT / "assets").rglob("*.py")] == []


@pytest.mark.parametrize("path", [path for path in MODULES if {"aimlapi", "wavespeed"} & set(path.parts)], ids=ids)
def test_a_providers_folder_knows_nothing_of_the_other_providers(path: Path) -> None:
    other = "wavespeed" if "aimlapi" in path.parts else "aimlapi"
    assert not [name for name, _ in imported(tree_of(path)) if other in name.split(".")]


@pytest.mark.parametrize("path", [path for path in MODULES if path.relative_to(ROOT).parts[0] in UNDER], ids=ids)
def test_no_framework_stands_under_the_pages_and_the_api(path: Path) -> None:
    names = {name.split(".")[0] for name, _ in imports_of(path)}
    assert not names & {"gradio", "httpx", "fastapi", "starlette", *HEAVY}


@pytest.mark.parametrize("path", [path for path in MODULES if "backends" in path.parts], ids=ids)
def test_backends_know_no_web_framework(path: Path) -> None:
    names = {name.split(".")[0] for name, _ in imported(tree_of(path))}
    assert not names & {"gradio", "fastapi", "starlette"}


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_heavy_libraries_are_imported_in_functions_only(path: Path) -> None:
    assert not {name for name, early in imports_of(path) if early and name.split(".")[0] in HEAVY}


def test_httpx_is_imported_where_requests_are_made_and_where_their_proxies_are_checked() -> None:
    users = [ids(path) for path in MODULES if "httpx" in {name.split(".")[0] for name, _ in imports_of(path)}]
    assert users == [
        "api/serving.py",
        "backends/http/bodies.py",
        "backends/http/client.py",
        "backends/http/safe_fetch.py",
    ]


def test_only_the_composition_root_reads_the_environment() -> None:
    readers = [
        ids(path)
        for path in MODULES
        if "environ" in {node.attr for node in ast.walk(tree_of(path)) if isinstance(node, ast.Attribute)}
        or "getenv" in path.read_text(encoding="utf-8")
    ]
    # What a child needs to start, without the keys; a command of its own.
    assert readers == ["api/cli.py", "core/imaging/decoder.py"]


def public(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Yield each public class, function and method with its name."""
    for node in tree.body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and not node.name.startswith("_"):
            yield node.name, node
            if isinstance(node, ast.ClassDef):
                for inner in node.body:
                    if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)) and not inner.name.startswith("_"):
                        yield f"{node.name}.{inner.name}", inner


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_everything_public_is_documented(path: Path) -> None:
    tree = tree_of(path)
    assert ast.get_docstring(tree), "the module says what it is for"
    bare = [
        name
        for name, node in public(tree)
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and not ast.get_docstring(node)
    ]
    assert bare == []


def test_no_backend_is_asked_for_by_name_outside_its_room() -> None:
    keys = {"local", "aimlapi", "wavespeed"}
    for path in MODULES:
        if path.relative_to(ROOT).parts[0] in (*UNDER, "ui"):
            for node in ast.walk(tree_of(path)):
                if isinstance(node, ast.Compare):
                    words = {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)}
                    assert not words & keys, f"{ids(path)} asks which backend it is"
