"""The project's rules, held by reading the code: which package imports which, and what is documented."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Iterator
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
    *(
        f"tests.support.{name}"
        for name in ("api_app", "api_server", "browser", "crash_cycle", "live_app", "studio_calls")
    ),
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


def offenders(paths: Iterable[Path], faults: Callable[[Path], Collection[str]]) -> dict[str, Collection[str]]:
    """Return what is wrong in each file in which something is."""
    return {ids(path): found for path in paths if (found := faults(path))}


def test_every_room_is_there() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in MODULES} == set(ROOMS)


def test_imports_run_one_way() -> None:
    def wrong(path: Path) -> set[str]:
        names = {name.split(".")[0] for name, _ in imports_of(path)} & {*MAY_IMPORT}
        return names - MAY_IMPORT[module_of(path).split(".")[0]]

    assert offenders(EVERYTHING, wrong) == {}


def test_what_tests_share_stands_in_their_support() -> None:
    def wrong(path: Path) -> list[str]:
        own = module_of(path)
        alone = not own.startswith("tests.") or own.startswith("tests.support")
        return [
            name
            for name, _ in imports_of(path)
            if name.split(".")[0] == "tests"
            and (
                name.split(".")[-1].startswith(("test_", "conftest"))
                or (alone and not name.startswith("tests.support"))
            )
        ]

    assert offenders(EVERYTHING, wrong) == {}


@pytest.mark.parametrize("folders", [PRODUCT, {"bench"}, {"tools"}], ids=["product", "bench", "tools"])
def test_no_modules_import_each_other_in_a_circle(folders: set[str]) -> None:
    paths = [path for path in EVERYTHING if module_of(path).split(".")[0] in folders]
    graph = {module_of(path): {name for name, _ in imports_of(path)} & NAMES for path in paths}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' -> '.join(error.args[1])}")


def test_what_takes_a_browser_an_app_an_api_or_a_model_is_marked_as_integration() -> None:
    def unmarked(path: Path) -> set[str]:
        tree = tree_of(path)
        arguments = {each.arg for node in ast.walk(tree) if isinstance(node, ast.arguments) for each in node.args}
        whole = {name for name, _ in imports_of(path)} & WHOLE | arguments & FIXTURES
        return set() if "pytest.mark.integration" in path.read_text(encoding="utf-8") else whole

    assert offenders([path for path in EVERYTHING if path.name.startswith("test_")], unmarked) == {}


def test_assets_hold_no_code_that_the_app_could_import() -> None:
    assert [ids(path) for path in (ROOT / "assets").rglob("*.py")] == []


def test_a_providers_folder_knows_nothing_of_the_other_providers() -> None:
    def others(path: Path) -> list[str]:
        other = "wavespeed" if "aimlapi" in path.parts else "aimlapi"
        return [name for name, _ in imports_of(path) if other in name.split(".")]

    assert offenders([path for path in MODULES if {"aimlapi", "wavespeed"} & set(path.parts)], others) == {}


def test_no_framework_stands_under_the_pages_and_the_api() -> None:
    def frameworks(path: Path) -> set[str]:
        return {name.split(".")[0] for name, _ in imports_of(path)} & {
            "gradio",
            "httpx",
            "fastapi",
            "starlette",
            *HEAVY,
        }

    assert offenders([path for path in MODULES if path.relative_to(ROOT).parts[0] in UNDER], frameworks) == {}


def test_backends_know_no_web_framework() -> None:
    def frameworks(path: Path) -> set[str]:
        return {name.split(".")[0] for name, _ in imports_of(path)} & {"gradio", "fastapi", "starlette"}

    assert offenders([path for path in MODULES if "backends" in path.parts], frameworks) == {}


@pytest.mark.parametrize("room", ["engine", "api", "ui"])
def test_storage_is_known_by_its_protocols_and_not_by_what_is_behind_them(room: str) -> None:
    names = {name for path in MODULES if path.relative_to(ROOT).parts[0] == room for name, _ in imported(tree_of(path))}
    assert not [name for name in names if name.startswith(("storage.async_", "storage.sqlite", "storage.threads"))]


def test_heavy_libraries_are_imported_in_functions_only() -> None:
    def early(path: Path) -> set[str]:
        return {name for name, at_once in imports_of(path) if at_once and name.split(".")[0] in HEAVY}

    assert offenders(MODULES, early) == {}


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


def test_everything_public_is_documented() -> None:
    def bare(path: Path) -> list[str]:
        tree = tree_of(path)
        module = [] if ast.get_docstring(tree) else ["the module itself"]
        return module + [
            name
            for name, node in public(tree)
            if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and not ast.get_docstring(node)
        ]

    assert offenders(MODULES, bare) == {}


def test_no_backend_is_asked_for_by_name_outside_its_room() -> None:
    keys = {"local", "aimlapi", "wavespeed"}
    for path in MODULES:
        if path.relative_to(ROOT).parts[0] in (*UNDER, "ui"):
            for node in ast.walk(tree_of(path)):
                if isinstance(node, ast.Compare):
                    words = {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)}
                    assert not words & keys, f"{ids(path)} asks which backend it is"
