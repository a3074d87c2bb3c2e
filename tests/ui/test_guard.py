"""The framework's routes behind the guard, in a running app, spoken by hand: as a visitor, a stranger and a script."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.fakes import picture_bytes
from tests.support.live_app import Served, serve
from tests.support.page_client import Answer, Person, Tab

pytestmark = pytest.mark.integration

PICTURE = picture_bytes("PNG", "RGB", (90, 60))
FAKE_APP = ("-m", "tests.support.fake_app")


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("public"), *FAKE_APP) as served:
        yield served


@pytest.fixture
def ann(public: Served) -> Person:
    return Person.visitor(public.url)


@pytest.fixture
def bob(public: Served) -> Person:
    return Person.visitor(public.url)


def file_url(file: dict[str, str]) -> str:
    """Return a file's address as gradio's page makes it."""
    return f"/gradio_api/file={quote(file['path'])}"


def ask_edit(tab: Tab, image: Any, prompt: str = "a lake") -> Answer:
    """Send a call of `/edit` to the queue, as the clients of the API do."""
    return tab.join(tab.person.events()["edit"], image, prompt, *[None] * 10)


# ---- names ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "computer%20vision.png",
        "%2e%2e%2fa.png",
        "%252e.png",
        "100%.png",
        "50%25.png",
        "two words  (2).png",
        "写真 #1?.jpg",
        "a#b.png",
        "a&b=c;d,e'f.png",
        "🌅 sunset.png",
        "фото закат.png",
        "Füße.png",
        "noextension",
        ".png",
        "ends with dot..png",
        "x" * 200 + ".png",
        "CON.png",
    ],
)
def test_a_file_is_shown_and_used_whatever_its_name(ann: Person, name: str) -> None:
    file = ann.upload(PICTURE, name)
    answer = ann.ask("GET", file_url(file))
    assert (answer.status, answer.body) == (200, PICTURE)
    tab = Tab(ann)
    assert ask_edit(tab, file).status == 200
    assert tab.end()["output"]["data"][1]["width"] == 90


@pytest.mark.parametrize(
    "path",
    [
        "{uploads}/../studio.db",
        "{uploads}/%2e%2e/studio.db",
        "{uploads}/%252e%252e/studio.db",
        "{uploads}/..%2fstudio.db",
        "{uploads}/.",
        "{uploads}",
        "{uploads}/%00",
        "{data}/studio.db",
        "/etc/passwd",
        "../../etc/passwd",
        "http://127.0.0.1:9/x.png",
        "",
    ],
)
@pytest.mark.parametrize("route", ["file=", "file/"])
def test_a_path_out_of_the_uploads_is_not_found(ann: Person, public: Served, route: str, path: str) -> None:
    path = path.format(uploads=public.data_dir / "uploads", data=public.data_dir)
    answer = ann.ask("GET", f"/gradio_api/{route}{path}")
    assert answer.status == 404
    assert answer.words.startswith("There is nothing here")


# ---- whose it is ------------------------------------------------------------------------------------


def test_another_visitors_upload_is_neither_shown_nor_used_and_the_page_is_told_in_a_sentence(
    ann: Person, bob: Person
) -> None:
    file = ann.upload(picture_bytes("PNG", "RGB", (91, 60)))
    assert bob.ask("GET", file_url(file)).status == 404
    answer = ask_edit(Tab(bob), file)
    assert answer.status == 403
    assert answer.words == ("This upload belongs to another visitor, or is no longer stored. Choose the picture again.")
    assert bob.ask("POST", "/gradio_api/call/v2/edit", {"image": file, "prompt": "x"}).status == 403


def test_who_uploads_the_same_picture_has_a_right_of_their_own_to_it(ann: Person, bob: Person) -> None:
    data = picture_bytes("PNG", "RGB", (92, 60))
    file = ann.upload(data)
    assert bob.ask("GET", file_url(file)).status == 404
    assert bob.upload(data) == file
    assert bob.ask("GET", file_url(file)).status == ann.ask("GET", file_url(file)).status == 200


def test_a_session_belongs_to_whoever_came_with_it_first(ann: Person, bob: Person) -> None:
    tab = Tab(ann)
    assert ask_edit(tab, ann.upload(PICTURE)).status == 200
    for answer in (
        ask_edit(Tab(bob, tab.session), "x"),
        bob.ask("GET", f"/gradio_api/queue/data?session_hash={tab.session}"),
        bob.ask("GET", f"/gradio_api/queue/data?session_hash=mine&session_hash={tab.session}"),
        bob.ask("GET", f"/gradio_api/heartbeat/{tab.session}"),
    ):
        assert answer.status == 403
        assert "belongs to another visitor" in answer.words
    assert tab.end()["success"]


def test_an_events_result_is_for_whoever_started_it(ann: Person, bob: Person) -> None:
    body = {"image": ann.upload(PICTURE), "prompt": "a lake"}
    event = ann.ask("POST", "/gradio_api/call/v2/edit", body).json()["event_id"]
    cancel = {"session_hash": "mine", "fn_index": 0, "event_id": event}
    for path in (f"call/edit/{event}", f"call/v2/edit/{event}", f"call/v2/{event}", f"call/x/{event}"):
        answer = bob.ask("GET", f"/gradio_api/{path}")
        assert answer.status == 404
        assert "There is no such event" in answer.words
    assert bob.ask("GET", f"/gradio_api/queue/data?session_hash={event}").status == 403
    assert bob.ask("POST", "/gradio_api/cancel", cancel).status == 404
    assert Person(ann.url).ask("GET", f"/gradio_api/call/edit/{event}").status == 404
    assert b"event: complete" in ann.ask("GET", f"/gradio_api/call/v2/edit/{event}").body


def test_an_event_that_nobody_started_is_not_found(ann: Person) -> None:
    for event in ("0" * 32, "x"):
        assert ann.ask("GET", f"/gradio_api/call/edit/{event}").status == 404


def test_an_event_of_a_page_is_not_cancelled_by_another_visitor(ann: Person, bob: Person) -> None:
    event = ask_edit(Tab(ann), ann.upload(PICTURE)).json()["event_id"]
    body = {"session_hash": "mine", "fn_index": 0, "event_id": event}
    assert bob.ask("POST", "/gradio_api/cancel", body).status == 404


def test_to_a_client_without_a_cookie_the_events_id_is_the_right_to_its_result(public: Served) -> None:
    body = {"image": Person(public.url).upload(PICTURE), "prompt": "a lake"}
    event = Person(public.url).ask("POST", "/gradio_api/call/v2/edit", body).json()["event_id"]
    assert b"event: complete" in Person(public.url).ask("GET", f"/gradio_api/call/v2/edit/{event}").body


# ---- what a body may hold ---------------------------------------------------------------------------


@pytest.mark.parametrize("route", ["queue/join", "call/edit", "call/v2/edit", "run/predict", "cancel", "reset"])
@pytest.mark.parametrize("levels", [21, 5000])
def test_a_deep_body_is_refused_at_once(ann: Person, route: str, levels: int) -> None:
    body = b'{"session_hash": "deep", "data": ' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"
    answer = ann.ask("POST", f"/gradio_api/{route}", body, Content_Type="application/json")
    assert answer.status == 400
    assert "20 levels" in answer.words


def test_brackets_in_words_are_no_levels(ann: Person) -> None:
    tab = Tab(ann)
    assert ask_edit(tab, ann.upload(PICTURE), '["[{' * 50 + "\\" + '"' * 3).status == 200


def test_a_request_that_names_many_files_is_refused(ann: Person) -> None:
    file = ann.upload(PICTURE)
    answer = ask_edit(Tab(ann), [file] * 9)
    assert answer.status == 400
    assert "At most 8 files" in answer.words
    assert ask_edit(Tab(ann), [{"path": "/etc/passwd"}] * 1000).status == 403


@pytest.mark.parametrize(
    ("route", "body", "status"),
    [
        ("call/edit", {"data": ["words of mine"]}, 400),
        ("run/edit", {"data": []}, 400),
        ("queue/join", {"data": [None], "fn_index": "{edit}"}, 400),
        ("run/predict", {"data": [], "fn_index": "{js_fn}"}, 404),
        ("queue/join", {"data": [], "fn_index": "{js_fn_1}"}, 404),
        ("call/js_fn", {"data": []}, 404),
        ("run/predict", {"data": [], "fn_index": 99_999}, 404),
        ("queue/join", {"data": [], "fn_index": "x"}, 404),
        ("call/nothing", {"data": []}, 404),
        ("call/v2/nothing", {}, 404),
        ("call/v2/js_fn", {"address": "x"}, 404),
    ],
)
def test_an_event_that_is_none_or_lacks_inputs_is_refused_in_words_and_none_of_it_is_logged(
    ann: Person, public: Served, route: str, body: dict[str, object], status: int
) -> None:
    number = str(body.get("fn_index", "")).strip("{}")
    if number in ann.events():
        body = body | {"fn_index": ann.events()[number]}
    if not route.startswith("call/v2"):
        body = body | {"session_hash": Tab(ann).session}
    answer = ann.ask("POST", f"/gradio_api/{route}", body)
    assert answer.status == status
    assert answer.words
    assert "words of mine" not in public.log.read_text()
    assert "Traceback" not in public.log.read_text()


# ---- how much over time -----------------------------------------------------------------------------


def test_a_flood_of_requests_is_refused_before_the_framework_works_on_it(ann: Person) -> None:
    body = {"fn_index": 99_999, "data": ["first"], "session_hash": "flood"}
    answers = (ann.ask("POST", "/gradio_api/run/predict", body) for _ in range(10_000))
    taken, refused = next((number, each) for number, each in enumerate(answers) if each.status != 404)
    assert taken >= 500  # the page before it had some of the share
    assert refused.status == 429
    assert "requests a minute" in refused.words


# ---- over a restart ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("alone", "crash"),
    [(False, True), (False, False), (True, True)],
    ids=["public, crash", "public, stop", "local, crash"],
)
def test_a_session_goes_on_over_a_restart_and_alone_nobody_is_asked_whose_a_file_is(
    tmp_path: Path, alone: bool, crash: bool
) -> None:
    mode = {"ALONE": "1"} if alone else {}
    with serve(tmp_path, *FAKE_APP, kill=crash, **mode) as first:
        person = Person(first.url) if alone else Person.visitor(first.url)
        tab, file = Tab(person), person.upload(PICTURE)
        assert ask_edit(tab, file).status == 200
        assert tab.end()["success"]
    with serve(tmp_path, *FAKE_APP, **mode) as second:
        person.url = second.url
        assert person.ask("GET", file_url(file)).status == 200
        assert ask_edit(tab, file).status == 200
        assert tab.end()["success"]
        if alone:
            older = tmp_path / "uploads" / "from an older version" / "a.png"
            older.parent.mkdir(parents=True)
            older.write_bytes(PICTURE)
            assert person.ask("GET", file_url({"path": str(older)})).status == 200
            assert person.ask("GET", f"/gradio_api/file={tmp_path}/studio.db").status == 404
            assert person.send_files(("notes.txt", b"hello")).status == 200, "the decoder says what it is"
        else:
            stranger = Person.visitor(second.url)
            assert stranger.ask("GET", file_url(file)).status == 404
            assert ask_edit(Tab(stranger), file).status == 403
