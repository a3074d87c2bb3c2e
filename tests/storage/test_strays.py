"""Files that a crash left between a file and its row: removed when nobody can be about to write the row any more."""

from __future__ import annotations

import os
import time
from pathlib import Path

from engine.engine import Engine
from storage.files.image_store import STRAY
from storage.sqlite.store import Store
from tests.support.fakes import FakeBackend


async def test_files_that_no_row_names_are_removed_after_an_hour(tmp_path: Path) -> None:
    engine = Engine({"fake": FakeBackend()}, Store(tmp_path))
    known = await engine.images.keep("ann", b"known", "image/png")
    stray, fresh = (engine.images._files.put(each, "image/png") for each in (b"stray", b"fresh"))
    copies = [
        await engine._store.keep_display(known.name, 256, b"copy"),
        engine.images._files.put_display(stray.name, 256, b""),
    ]
    for each in (known, stray, *copies):
        os.utime(each, (time.time() - 2 * STRAY, time.time() - 2 * STRAY))
    await engine.tidy()
    assert [each.exists() for each in (known, stray, fresh, *copies)] == [True, False, True, True, False]
    await engine.close()


async def test_more_strays_than_are_looked_up_in_one_go_are_all_removed(tmp_path: Path) -> None:
    engine = Engine({"fake": FakeBackend()}, Store(tmp_path))
    engine.images.folder.mkdir()
    for number in range(1201):
        path = engine.images.folder / f"{number:064x}.png"
        path.touch()
        os.utime(path, (1.0, 1.0))
    await engine.tidy()
    assert list(engine.images.folder.iterdir()) == []
    await engine.close()


async def test_a_folder_that_is_not_there_yet_has_no_strays(tmp_path: Path) -> None:
    engine = Engine({"fake": FakeBackend()}, Store(tmp_path))
    await engine.tidy()
    await engine.close()
