"""Kept pictures: named by their content, whole or not there."""

from __future__ import annotations

import hashlib
import os
import resource
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.recipe import ImageRef
from storage.files.image_store import STRAY, ImageStore, drop_older


def test_a_file_is_named_by_its_content_and_kept_as_it_is(tmp_path: Path) -> None:
    path = ImageStore(tmp_path / "images").put(b"bytes", "image/png")
    assert path.name == hashlib.sha256(b"bytes").hexdigest() + ".png"
    assert path.read_bytes() == b"bytes"


def test_the_same_bytes_are_kept_once(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        paths = set(pool.map(lambda _: store.put(b"same", "image/jpeg"), range(32)))
    assert [path.suffix for path in paths] == [".jpg"]
    assert list(tmp_path.iterdir()) == list(paths)


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="File too large"), files_end_at(100):
        ImageStore(tmp_path).put(b"x" * 10_000, "image/png")
    assert list(tmp_path.iterdir()) == []


@contextmanager
def files_end_at(size: int) -> Iterator[None]:
    """As a full disk: every file of this process ends there."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_file_that_is_held_is_spared_until_nobody_holds_it(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    with store.held(b"one", "image/png") as kept:
        with store.held(b"one", "image/png"):
            store.drop([kept.name])
        store.drop([kept.name])
        assert kept.exists()
    store.drop([kept.name])
    assert not kept.exists()


def test_the_display_copies_of_a_file_that_is_held_go_for_nothing_counts_them_any_more(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    with store.held(b"one", "image/png") as kept:
        copy = store.put_display(kept.name, 256, b"copy")
        store.drop([kept.name])
        assert (kept.exists(), copy.exists()) == (True, False)


def test_an_unknown_kind_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        ImageStore(tmp_path).put(b"bytes", "text/html")
    assert list(tmp_path.iterdir()) == []


def test_a_sweep_removes_half_files_and_no_picture(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    kept = store.put(b"one", "image/png")
    (tmp_path / "x.part").write_bytes(b"ha")
    store.sweep()
    assert list(tmp_path.iterdir()) == [kept]
    store.drop([kept.name, kept.name])
    assert list(tmp_path.iterdir()) == []
    ImageStore(tmp_path / "nowhere").sweep()


def test_what_is_older_than_wanted_is_dropped_with_the_folders_it_leaves_empty(tmp_path: Path) -> None:
    for name, age in (("a/old.png", 100), ("b/old.png", 100), ("b/new.png", 1)):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
        os.utime(path, (time.time() - age, time.time() - age))
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")  # as a file that is removed while others are looked at
    drop_older(tmp_path, 50)
    assert [str(path.relative_to(tmp_path)) for path in sorted(tmp_path.rglob("*"))] == ["b", "b/new.png", "gone"]
    drop_older(tmp_path / "nowhere", 50)


def aged(path: Path, seconds: float = 2 * STRAY) -> Path:
    """Make a file look as if it had been written long ago."""
    os.utime(path, (time.time() - seconds, time.time() - seconds))
    return path


def test_a_file_that_was_put_long_ago_is_old_until_it_is_put_again(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    one, two = aged(store.put(b"one", "image/png")), aged(store.put(b"two", "image/png"))
    store.put(b"new", "image/png")
    assert store.old() == sorted([one.name, two.name])
    store.put(b"two", "image/png")  # somebody is about to write its row
    assert store.drop_strays([one.name, two.name]) == 1
    assert (one.exists(), two.exists()) == (False, True)


def test_display_copies_go_with_their_picture_and_alone_where_it_is_gone(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    kept = store.put(b"one", "image/png")
    copies = [store.put_display(kept.name, width, b"small") for width in (256, 2048)]
    left = aged(store.put_display("0" * 64 + ".png", 256, b"small"))
    assert store.old() == ["0" * 64 + ".png"]
    assert store.drop_strays(store.old()) == 1
    assert not left.exists()
    store.drop([kept.name])
    assert not any(each.exists() for each in (kept, *copies))


def test_a_sweep_removes_half_display_copies_too(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    copy = store.put_display("0" * 64 + ".png", 256, b"small")
    copy.with_name("x.part").write_bytes(b"ha")
    store.sweep()
    assert list(copy.parent.iterdir()) == [copy]


def test_a_stored_picture_is_found_by_what_a_recipe_says_of_it(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    path = store.put(b"bytes", "image/webp")
    ref = ImageRef(digest=path.stem, mime="image/webp", width=1, height=1, size=5)
    assert store.path(ref.name) == path
