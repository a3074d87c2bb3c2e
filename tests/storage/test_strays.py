"""Files that a crash left between a file and its row: removed when nobody can be about to write the row any more."""

from __future__ import annotations

import os
import time
from pathlib import Path

from storage.files.image_store import STRAY
from tests.support.services import services_at


async def test_files_that_no_row_names_are_removed_after_an_hour(tmp_path: Path) -> None:
    services = services_at(tmp_path)
    known = await services.images.keep("ann", b"known", "image/png")
    stray, fresh = (services.images._files.put(each, "image/png") for each in (b"stray", b"fresh"))
    copies = [
        await services.images._store.keep_display(known.name, 256, b"copy"),
        services.images._files.put_display(stray.name, 256, b""),
    ]
    for each in (known, stray, *copies):
        os.utime(each, (time.time() - 2 * STRAY, time.time() - 2 * STRAY))
    await services.engine.tidy()
    assert [each.exists() for each in (known, stray, fresh, *copies)] == [True, False, True, True, False]
    await services.close()


async def test_more_strays_than_are_looked_up_in_one_go_are_all_removed(tmp_path: Path) -> None:
    services = services_at(tmp_path)
    (tmp_path / "images").mkdir()
    for number in range(1201):
        path = (tmp_path / "images") / f"{number:064x}.png"
        path.touch()
        os.utime(path, (1.0, 1.0))
    await services.engine.tidy()
    assert list((tmp_path / "images").iterdir()) == []
    await services.close()


async def test_a_folder_that_is_not_there_yet_has_no_strays(tmp_path: Path) -> None:
    services = services_at(tmp_path)
    await services.engine.tidy()
    await services.close()
