"""Secrets are taken out of every text, in the forms in which they travel."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from core.secrets import HIDDEN, REMEMBERED, Redactor, revealed

KEY = "kanarien/vogel+key=1"


def test_a_secret_is_revealed_to_whoever_asks_by_name() -> None:
    assert revealed(SecretStr("x")) == "x"
    assert revealed(None) is None


@pytest.mark.parametrize("form", [KEY, quote(KEY, safe=""), base64.b64encode(KEY.encode()).decode().rstrip("=")])
def test_a_known_secret_is_cleaned_out_in_all_its_forms(form: str) -> None:
    redactor = Redactor()
    redactor.learn(KEY)
    assert redactor.clean(f"before {form} after") == f"before {HIDDEN} after"


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abcdef123456",
        "{'Authorization': 'Bearer abcdef123456'}",
        "api_key=abcdef123456",
        '"token": "abcdef123456"',
        "https://a.example/x?until=5&signature=abcdef123456",
        "Cookie: studio_owner=abcdef123456",
        "Cookie: __Host-studio_owner=abcdef123456.abcdef123456",
        "sk-abcdef123456",
        "hf_abcdef123456",
        "whsec_abcdef123456",
    ],
)
def test_what_looks_like_a_secret_is_cleaned_out_too(text: str) -> None:
    assert "abcdef123456" not in Redactor().clean(text)


@pytest.mark.parametrize("text", ["12 of 20 steps", "job 5f3a on wavespeed broke", "The key was accepted.", "seed: 7"])
def test_other_words_stay(text: str) -> None:
    redactor = Redactor()
    redactor.learn(KEY)
    redactor.learn("of")
    redactor.learn(None)
    redactor.learn("")
    assert redactor.clean(text) == text


def test_as_many_secrets_are_remembered_as_fit() -> None:
    redactor = Redactor()
    redactor.learn("first-of-all")
    for number in range(REMEMBERED):
        redactor.learn(f"another-{number:05}")
    assert redactor.clean("first-of-all another-00000") == f"first-of-all {HIDDEN}"


def test_the_owners_secrets_give_their_place_to_no_other() -> None:
    redactor = Redactor()
    redactor.learn("the-owners-own", for_ever=True)
    for number in range(REMEMBERED + 1):
        redactor.learn(f"another-{number:05}")
    assert redactor.clean("the-owners-own") == HIDDEN
