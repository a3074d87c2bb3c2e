"""Signed links: for their path and time, and for nobody who changed a letter of them."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from core.links import SECRET, VALID, Links
from core.settings import SettingsError
from storage.files.secret import lasting_secret

LINKS = Links(b"s" * 32, lambda: 1000.0)


def test_a_link_opens_its_path_for_an_hour() -> None:
    clock = [1000.0]
    links = Links(b"s" * 32, lambda: clock[0])
    address = "https://studio.example" + links.sign("/files/a.png")
    assert links.opened(address) == "/files/a.png"
    clock[0] += VALID - 1
    assert links.opened(address) == "/files/a.png"
    clock[0] += 2
    assert links.opened(address) is None


def test_a_link_may_last_as_long_as_is_wanted() -> None:
    assert LINKS.opened(LINKS.sign("/files/a.png", 1001)) == "/files/a.png"
    assert LINKS.opened(LINKS.sign("/files/a.png", 1000)) is None


def test_the_same_path_and_end_give_the_same_link() -> None:
    assert LINKS.sign("/files/a.png", 5000) == LINKS.sign("/files/a.png", 5000)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a.png", "b.png"),
        ("/files/", "/uploads/"),
        ("until=4600", "until=9999"),
        ("until=4600", "until=soon"),
        ("until=4600", "until=\u0664\u0666"),
        ("signature=", "signature=0"),
        ("signature=", "signature=\u00e9"),
        ("?", "?x&"),
        ("signature", "other"),
    ],
)
def test_a_changed_link_opens_nothing(old: str, new: str) -> None:
    address = LINKS.sign("/files/a.png")
    assert old in address
    changed = address.replace(old, new, 1)
    assert LINKS.opened(changed) is None or old == "?"  # a further word in the query changes nothing


@pytest.mark.parametrize("address", ["", "files", "http://[", "data:image/png;base64,AAAA", "https://a/b?until=1"])
def test_what_is_no_link_of_ours_opens_nothing(address: str) -> None:
    assert LINKS.opened(address) is None


def test_another_secret_opens_nothing() -> None:
    assert Links(b"t" * 32, lambda: 1000.0).opened(LINKS.sign("/files/a.png")) is None


def test_derived_secrets_are_lasting_and_apart() -> None:
    assert LINKS.derived("webhook ann") == LINKS.derived("webhook ann") != LINKS.derived("webhook bob")


def test_the_secret_is_made_once_and_is_nobody_elses_to_read(tmp_path: Path) -> None:
    first = lasting_secret(tmp_path / "data")
    assert lasting_secret(tmp_path / "data") == first
    assert len(first) == SECRET == 32
    assert stat.S_IMODE((tmp_path / "data" / "links.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["links.key"]


@pytest.mark.parametrize("length", [0, 1, 31, 33])
def test_a_secret_that_is_not_whole_is_refused_in_words(tmp_path: Path, length: int) -> None:
    (tmp_path / "links.key").write_bytes(b"x" * length)
    with pytest.raises(SettingsError) as told:
        lasting_secret(tmp_path)
    assert str(tmp_path / "links.key") in str(told.value)
    assert "delete it" in str(told.value)


def test_a_secret_that_cannot_be_read_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "links.key").mkdir()
    with pytest.raises(SettingsError, match=r"links\.key cannot be used"):
        lasting_secret(tmp_path)


def test_a_disk_that_fills_up_leaves_no_secret_rather_than_a_short_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(SettingsError, match="No space left"):
            lasting_secret(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert len(lasting_secret(tmp_path)) == SECRET


def test_a_secret_that_others_could_read_is_closed(tmp_path: Path) -> None:
    lasting_secret(tmp_path)
    (tmp_path / "links.key").chmod(0o644)
    lasting_secret(tmp_path)
    assert stat.S_IMODE((tmp_path / "links.key").stat().st_mode) == 0o600


@pytest.mark.parametrize("secret", [b"", b"s" * 31])
def test_nothing_is_signed_with_a_short_secret(secret: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Links(secret)


def test_how_long_a_link_still_lasts_is_known() -> None:
    address = LINKS.sign("/files/a.png", 1600)
    assert LINKS.seconds_left(address) == 600
    assert LINKS.seconds_left(address.replace("a.png", "b.png")) == 0
    assert LINKS.seconds_left(LINKS.sign("/files/a.png", 1000)) == 0
