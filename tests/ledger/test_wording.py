from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.services.ledger import wording
from tests.delivery.stand_in import order

VALUES = {"service": "Title Search", "reference": "12RP90001", "order_id": "71000123", "state": "QLD"}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("{service} - {reference}", "Title Search - 12RP90001"),
        ("{state}: {service}", "QLD: Title Search"),
        ("{service} {nonsense}", "Title Search {nonsense}"),
        ("{service.__class__}", "{service.__class__}"),
        ("", "InfoTrack order"),
    ],
)
def test_a_pattern_is_filled_with_known_words_only(pattern: str, expected: str) -> None:
    assert wording.description(pattern, VALUES) == expected


def test_a_part_that_is_empty_leaves_no_dash_behind() -> None:
    assert wording.description("{service} - {reference}", {**VALUES, "reference": ""}) == "Title Search"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Title: 1/SP123 <x>", "Title 1 SP123 x"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("COM1", "_COM1"),
        ("LPT9 .pdf", "_LPT9 .pdf"),
        ("Console", "Console"),
        ("report. . .", "report"),
        ("  x  ", "x"),
        ("fdp\u202egnp", "fdpgnp"),
        ("a\u200bb\x00c\ud800d", "abcd"),
        ("..", "InfoTrack 71000123"),
        ("", "InfoTrack 71000123"),
        ("tab\there\r\nnow", "tab here now"),
    ],
)
def test_a_file_name_is_safe_on_windows(text: str, expected: str) -> None:
    """G6: reserved names, illegal characters, trailing dots, control and direction marks."""
    assert wording.file_name("{service}", {**VALUES, "service": text}) == expected


def test_a_long_name_is_cut_to_120_characters_before_the_extension() -> None:
    name = wording.file_name("{service}", {**VALUES, "service": "x" * 119 + " " + "y" * 50})
    assert name == "x" * 119
    assert wording.with_extension(name, ".pdf") == "x" * 119 + ".pdf"


@given(st.text(max_size=300))
def test_no_text_whatever_makes_an_unsafe_file_name(text: str) -> None:
    name = wording.file_name("{service}", {**VALUES, "service": text})
    assert 0 < len(name) <= 121
    assert not set(name) & set('<>:"/\\|?*')
    assert name == name.strip(" .")
    assert all(character.isprintable() for character in name)
    name.encode("utf-8")


@pytest.mark.parametrize(
    ("description", "billing", "expected"),
    [
        ("QLD: Title Search - 12RP90001", "", "QLD"),
        ("InfoTrack: nsw: Title Search", "", "NSW"),
        ("Company search", "VIC Titles/Plans", "VIC"),
        ("Company search", "ASIC", ""),
        ("Washing machine", "", ""),
    ],
)
def test_the_state_comes_from_the_description_or_the_billing_group(description: str, billing: str, expected: str) -> None:
    assert wording.australian_state(replace(order(), description=description, billing_type=billing)) == expected


@pytest.mark.parametrize(
    ("extension", "expected"), [(".pdf", "a.pdf"), (".PDF", "a.pdf"), ("", "a.pdf"), ("./../x", "a.x"), (".docx", "a.docx")]
)
def test_an_extension_is_added_once_and_holds_letters_only(extension: str, expected: str) -> None:
    assert wording.with_extension("a", extension) == expected
    assert wording.with_extension("a.pdf", ".pdf") == "a.pdf"
