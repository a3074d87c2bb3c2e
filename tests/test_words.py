"""Every word that a person reads stands in the catalogue, and every message of the catalogue is used."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from fluent.syntax import FluentParser
from fluent.syntax import ast as ftl
from fluent.syntax.visitor import Visitor

from core.errors import RunFailed, StudioError, error_of
from core.messages import LOCALES, Message, advice, in_full, message, message_of, recorded, render, say

ROOT = Path(__file__).parent.parent
PACKAGES = ("core", "engine", "storage", "backends", "api", "ui")

SENTENCES_ELSEWHERE = {
    "ui/edit_api.py": "the endpoint's docstring, from which gradio makes its reference",
    "ui/experiment_api.py": "likewise",
    "ui/image_input.py": "a description in the reference of the endpoint",
    "ui/mcp_tool.py": "descriptions in the tool's schema",
}
"""Files that may hold a sentence that no catalogue has, and why: reference documentation is English, as docstrings."""
DESCRIPTIONS = {"description", "help", "name", "title"}
"""Keywords whose words stand in an API's reference, or in a command's help."""
FIGURES = {"Counter", "Histogram", "GaugeMetricFamily"}
"""What describes a figure to whoever collects figures."""
NAMES = {
    "Raw profile type exif": "a key in PNG files",
    "ZeroGPU worker error": "the title of an error of the library `spaces`",
    "Raw negative prompt": "a name in files of Fooocus",
}
"""Texts that read as sentences and are none."""
LOGGERS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
FAULTS = {
    "ValueError",
    "LookupError",
    "TypeError",
    "RuntimeError",
    "KeyError",
    "NotInline",
    "InlineTooLong",
    "TooLong",
    "DecodingError",
}
"""Exceptions whose words nobody reads but in a traceback."""


def sources() -> Iterator[tuple[str, ast.Module]]:
    for path in [*(each for package in PACKAGES for each in sorted((ROOT / package).rglob("*.py"))), ROOT / "app.py"]:
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


SCRIPT = re.compile(
    r"""//[^\n]*|/\*.*?\*/|'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`""", re.DOTALL
)
"""A comment or a text of JavaScript. What stands within braces of a template counts as its text."""
SCRIPT_USE = re.compile(r"\b(?:message|say)\(\s*'([a-z0-9-]+)'")
"""Where a module of the page names a message."""
SCRIPT_PARTS = re.compile(r"\b(?:message|say)\(\s*`([a-z0-9-]*)\$\{[^}]*\}([a-z0-9-]*)`")
"""Where it puts the name together; inside of a template of HTML, too."""


def scripts() -> Iterator[tuple[str, str]]:
    """Yield each module of the page, without its tests and its libraries."""
    web = ROOT / "ui" / "web"
    for path in sorted(web.rglob("*.js")):
        if "vendor" not in path.parts and not path.name.endswith(".test.js"):
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def script_texts(source: str) -> Iterator[str]:
    """Yield the texts of a module, with `${}` where a template puts something in."""
    for found in SCRIPT.finditer(source):
        for text in filter(None, found.groups()):
            yield re.sub(r"\$\{[^}]*\}", "${}", text)


def called(node: ast.AST) -> str:
    """Return the name of what a call calls."""
    if not isinstance(node, ast.Call):
        return ""
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


def texts(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the texts of a program that may be shown: no docstrings, no words of logs, references and tracebacks."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    name = called(node)
    if name in FAULTS | FIGURES or (
        name in LOGGERS and isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ):
        return
    if isinstance(node, ast.keyword) and node.arg in DESCRIPTIONS:
        return
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        described = [isinstance(key, ast.Constant) and key.value in DESCRIPTIONS for key, _ in pairs]
        for value in (each for each, reference in zip(node.values, described, strict=True) if not reference):
            yield from texts(value)
        return
    if isinstance(node, ast.JoinedStr):
        yield node.lineno, "".join(each.value if isinstance(each, ast.Constant) else "x" for each in node.values)
        children: list[ast.AST] = [each for each in node.values if isinstance(each, ast.FormattedValue)]
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.lineno, node.value
        children = []
    else:
        children = list(ast.iter_child_nodes(node))
    for child in children:
        yield from texts(child)


def is_sentence(text: str) -> bool:
    """Return whether a text reads as a sentence: three words or more, with a capital in front or a stop behind."""
    text = re.sub(r"<[^>]*>", " ", text).strip()
    if re.search(r"[{}\\]|\?|=|^(select|create|insert|update|delete|where|pragma|alter)\b", text):
        return False  # code of another language
    words = [each for each in text.split() if re.search("[A-Za-z]{2}|^[axAI]$", each)]
    return len(words) >= 3 and text not in NAMES and (text[:1].isupper() or text.endswith("."))


def test_no_sentence_stands_outside_the_catalogue() -> None:
    found = [
        f"{file}:{line}: {text}"
        for file, tree in sources()
        if file not in SENTENCES_ELSEWHERE
        for line, text in texts(tree)
        if is_sentence(text)
    ]
    assert found == []


def test_every_exception_of_that_rule_is_needed() -> None:
    with_sentences = {file for file, tree in sources() for _, text in texts(tree) if is_sentence(text)}
    assert set(SENTENCES_ELSEWHERE) <= with_sentences


@cache
def catalogue(language: str = "en") -> dict[str, ftl.Message]:
    resource = FluentParser().parse((LOCALES / f"{language}.ftl").read_text(encoding="utf-8"))
    assert not [each for each in resource.body if isinstance(each, ftl.Junk)], "the catalogue has broken entries"
    entries = [each for each in resource.body if isinstance(each, ftl.Message)]
    assert len({each.id.name for each in entries}) == len(entries), "a message stands twice in the catalogue"
    return {each.id.name: each for each in entries}


class Variables(Visitor):
    """Collects the variables of a message, and the messages that it refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.messages: set[str] = set()

    def visit_VariableReference(self, node: ftl.VariableReference) -> None:  # noqa: N802 - the library's spelling
        self.names.add(node.id.name)

    def visit_MessageReference(self, node: ftl.MessageReference) -> None:  # noqa: N802 - likewise
        self.messages.add(node.id.name)


def of(entry: ftl.Message) -> Variables:
    found = Variables()
    found.visit(entry)
    return found


MAKERS = {
    "message",
    "say",
    "SettingsError",
    "StoreError",
    "Refusal",
    "Refused",
    "unreadable",
    "MediaUnreachable",
    *StudioError.kinds,
}
"""What takes a code of the catalogue as its first argument."""
NOT_VALUES = {"field", "charged", "wait", "remote_id", "status"}
"""Arguments of errors that are no variables of their message."""


def uses() -> Iterator[tuple[str, str, set[str] | None]]:
    """Yield where a code is used, the code, and the names of the values that go with it, None where they vary."""
    for file, tree in sources():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or called(node) not in MAKERS or not node.args:
                continue
            names = {each.arg for each in node.keywords}
            given = None if None in names else {str(each) for each in names}
            first = node.args[0]
            for code in (first.body, first.orelse) if isinstance(first, ast.IfExp) else (first,):
                if isinstance(code, ast.Constant) and isinstance(code.value, str):
                    yield f"{file}:{node.lineno}", code.value, given


@cache
def mentioned() -> tuple[set[str], list[re.Pattern[str]]]:
    """Return every text of the program, and a pattern for each code that is put together from parts."""
    plain, patterns = set[str](), list[re.Pattern[str]]()
    for _, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                plain.add(node.value)
            elif isinstance(node, ast.Call) and called(node) in MAKERS and node.args:
                first = node.args[0]
                if isinstance(first, ast.JoinedStr):
                    parts = (re.escape(e.value) if isinstance(e, ast.Constant) else "[a-z0-9-]+" for e in first.values)
                    patterns.append(re.compile("".join(map(str, parts))))
    for _, source in scripts():
        plain.update(SCRIPT_USE.findall(source))
        patterns += (re.compile(f"{before}[a-z0-9-]+{after}") for before, after in SCRIPT_PARTS.findall(source))
        for text in script_texts(source):
            plain.add(text)
            if re.fullmatch(r"[a-z-]+-\$\{\}[a-z-]*", text):
                patterns.append(re.compile(re.escape(text).replace(re.escape("${}"), "[a-z0-9-]+")))
    return plain, patterns


def test_every_code_that_is_used_is_in_the_catalogue() -> None:
    in_scripts = ((file, code) for file, source in scripts() for code in SCRIPT_USE.findall(source))
    used = [*((place, code) for place, code, _ in uses()), *in_scripts]
    assert [f"{place}: {code}" for place, code in used if code not in catalogue()] == []


def test_no_sentence_stands_in_a_module_of_the_page() -> None:
    found = [f"{file}: {text}" for file, source in scripts() for text in script_texts(source) if is_sentence(text)]
    assert found == []


def test_every_message_of_the_catalogue_is_used() -> None:
    plain, patterns = mentioned()
    referred = {name for entry in catalogue().values() for name in of(entry).messages}
    unused = [
        code
        for code in catalogue()
        if code not in plain | referred and not any(pattern.fullmatch(code) for pattern in patterns)
    ]
    assert unused == []


def test_every_use_gives_the_variables_of_its_message_and_no_others() -> None:
    wrong = []
    for place, code, given in uses():
        if given is None or code not in catalogue():
            continue
        wanted = of(catalogue()[code]).names
        status = {"status"} & wanted  # a variable of some, the answer's own in a refusal
        if wanted != (given - NOT_VALUES) | (status & given):
            wrong.append(f"{place}: {code} has {sorted(wanted)} and is given {sorted(given)}")
    assert wrong == []


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (
            message("limit-runs-minute", amount=1, after=message("wait-seconds", amount=20)),
            "Limit reached: 1 run a minute.",
        ),
        (message("limit-runs-minute", amount=10, after="x"), "Limit reached: 10 runs a minute."),
        (message("queue-full", waiting=1), "The queue is full (1 run)."),
        (message("queue-full", waiting=50), "The queue is full (50 runs)."),
        (message("notice-oldest-removed", count=1), "To make room on the disk, the oldest run was removed."),
        (message("notice-oldest-removed", count=1200), "To make room on the disk, the 1,200 oldest runs were removed."),
        (
            message("notice-first-page", count=1000, more=True),
            "Of the document's more than 1000 pages, the first was used.",
        ),
        (message("spent-budget", dollars=0.63), "$0.63 this session"),
        (message("price-documented", dollars=0.02625), "about $0.0262"),
        (message("price-live", dollars=2), "$2.00"),
        (message("figure-size", width=16384, height=768), "16384×768"),
        (message("status-devices", device="cuda", count=1), "GPU"),
        (message("status-devices", device="mps", count=3), "Apple GPUs: 3"),
        (message("image-file-too-large", size=31.24, limit=20.0), "The file is 31.2 MB; the limit is 20 MB."),
    ],
)
def test_numbers_and_plurals_are_the_catalogues(said: Message, text: str) -> None:
    assert render(said) == text


def test_a_message_inside_another_is_rendered_with_it() -> None:
    inner = message("wait-minutes", amount=12)
    assert advice(message("limit-runs-day", amount=3, after=inner)) == "Try again in 12 min."


def test_a_language_without_a_catalogue_is_english() -> None:
    assert render(message("run-cancelled"), "tlh") == say("run-cancelled")


@pytest.mark.parametrize(
    "said",
    [
        message("run-cancelled"),
        message("queue-full", waiting=2),
        message("limit-runs-day", amount=3, after=recorded("x")),
    ],
)
def test_a_message_is_the_same_after_it_was_written_down(said: Message) -> None:
    assert message_of(said.as_json()) == said


def test_a_sentence_from_before_messages_had_codes_is_read_as_it_is() -> None:
    assert str(message_of("The file ends early {and} is grey.")) == "The file ends early {and} is grey."
    old = {"kind": "TimedOut", "what": "Late.", "todo": "Ask there.", "field": None, "charged": None, "remote_id": "t1"}
    error = error_of(old)
    assert (type(error).__name__, str(error), error.charged) == ("TimedOut", "Late. Ask there.", None)
    assert vars(error)["remote_id"] == "t1"
    assert in_full(RunFailed(error.message).message) == "Late. Ask there."


def test_a_value_of_any_length_is_shown_as_far_as_a_person_reads() -> None:
    text = render(message("setting-switch", name="X", value="y" * 5000))
    assert text.startswith("X is yyy")
    assert text.endswith("yyy....")
    assert str(recorded("y" * 5000)) == "y" * 5000
