"""The house's rules, held by reading the code: which room imports which, and what is documented."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("core", "backends", "server", "ui")
MAY_IMPORT = {
    "core": {"core"},
    "backends": {"core", "backends"},
    "server": {"core", "server"},
    "ui": {"core", "ui"},
}
HEAVY = {"torch", "diffusers", "transformers", "tokenizers", "huggingface_hub", "tqdm", "safetensors", "accelerate"}
MODULES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


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
            yield str(node.module), id(node) not in late


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def test_every_room_is_there() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in MODULES} == set(ROOMS)


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_imports_run_one_way(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    rooms = {name.split(".")[0] for name, _ in imported(tree_of(path))} & {*ROOMS, "app", "tests", "bench"}
    assert rooms <= MAY_IMPORT[room]


@pytest.mark.parametrize("path", [path for path in MODULES if {"aimlapi", "wavespeed"} & set(path.parts)], ids=ids)
def test_a_providers_folder_knows_nothing_of_the_other_providers(path: Path) -> None:
    other = "wavespeed" if "aimlapi" in path.parts else "aimlapi"
    assert not [name for name, _ in imported(tree_of(path)) if other in name.split(".")]


@pytest.mark.parametrize("path", [path for path in MODULES if path.parts[-2] == "core"], ids=ids)
def test_core_knows_no_framework(path: Path) -> None:
    names = {name.split(".")[0] for name, _ in imported(tree_of(path))}
    assert not names & {"gradio", "httpx", "fastapi", "starlette", *HEAVY}


@pytest.mark.parametrize("path", [path for path in MODULES if "backends" in path.parts], ids=ids)
def test_backends_know_no_web_framework(path: Path) -> None:
    names = {name.split(".")[0] for name, _ in imported(tree_of(path))}
    assert not names & {"gradio", "fastapi", "starlette"}


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_heavy_libraries_are_imported_in_functions_only(path: Path) -> None:
    assert not {name for name, early in imported(tree_of(path)) if early and name.split(".")[0] in HEAVY}


def test_httpx_is_imported_where_requests_are_made_and_where_their_proxies_are_checked() -> None:
    users = [ids(path) for path in MODULES if "httpx" in {name.split(".")[0] for name, _ in imported(tree_of(path))}]
    assert users == [
        "backends/http/bodies.py",
        "backends/http/client.py",
        "backends/http/safe_fetch.py",
        "server/serving.py",
    ]


def test_only_the_composition_root_reads_the_environment() -> None:
    readers = [
        ids(path)
        for path in MODULES
        if "environ" in {node.attr for node in ast.walk(tree_of(path)) if isinstance(node, ast.Attribute)}
        or "getenv" in path.read_text(encoding="utf-8")
    ]
    # What a child needs to start, without the keys; a command of its own.
    assert readers == ["core/decoder.py", "server/keys.py"]


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
        if path.relative_to(ROOT).parts[0] in ("core", "ui"):
            for node in ast.walk(tree_of(path)):
                if isinstance(node, ast.Compare):
                    words = {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)}
                    assert not words & keys, f"{ids(path)} asks which backend it is"
