"""What is suggested for an order that came without a matter."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from desktop.services.infotrack.model import OrderMessage
from desktop.services.practice.directory import Directory
from desktop.services.practice.model import Matter

XPM = "xero-practice-manager"


def matter(number: str, name: str, client: str, description: str = "") -> Matter:
    return Matter(XPM, "t-1", f"id-{number}", number, name, client, description=description)


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Directory]:
    opened = Directory.open(tmp_path / "directory.db", clock=lambda: datetime(2026, 4, 1, tzinfo=UTC))
    opened.replace(
        XPM,
        "t-1",
        [
            matter("J004521", "FY26 Annual Accounts", "Tui & Sons Ltd"),
            matter("J004522", "Conveyance of 12 Queen Street, Ponsonby", "Siobhán O’Brien"),
            matter("J010999", "Restructure", "Harbour View Café Pty Ltd", "ACN 123 456 789"),
            matter("J020001", "Will", "Smith"),
        ],
    )
    yield opened
    opened.close()


def suggested(directory: Directory, message: OrderMessage) -> list[tuple[str, str]]:
    return [(one.matter_number, one.reason) for one in directory.suggestions(message)]


@pytest.mark.parametrize(
    ("reference", "number", "words"),
    [
        ("j004521", "J004521", "is this matter's number"),
        ("4521", "J004521", "digits of this matter's number"),
        ("J-4521", "J004521", "written another way"),
        ("J005421", "J004521", "digits swapped"),
        ("J014521", "J004521", "one digit"),
        ("Job J004521 Tui", "J004521", "holds this matter's number"),
    ],
)
def test_a_client_reference_like_a_number_suggests_that_matter(
    directory: Directory, reference: str, number: str, words: str
) -> None:
    found = suggested(directory, OrderMessage("1", client_reference=reference))
    assert found[0][0] == number
    assert words in found[0][1]
    assert reference in found[0][1]


@pytest.mark.parametrize(
    ("message", "number", "words"),
    [
        (
            OrderMessage("1", description="Company extract: TUI AND SONS LIMITED"),
            "J004521",
            "description names the client Tui & Sons Ltd",
        ),
        (OrderMessage("1", reference="O'BRIEN, Siobhan - title"), "J004522", "reference names the client Siobhán O’Brien"),
        (OrderMessage("1", description="Title search 12 Queen Street Ponsonby"), "J004522", "shares the words"),
        (OrderMessage("1", description="ASIC extract 123456789"), "J010999", "123456789"),
        (OrderMessage("1", description="ASIC extract 123 456 789 current"), "J010999", "123456789"),
    ],
)
def test_names_and_company_numbers_in_an_order_s_texts_suggest_matters(
    directory: Directory, message: OrderMessage, number: str, words: str
) -> None:
    found = suggested(directory, message)
    assert found[0][0] == number
    assert words in found[0][1]


def test_nothing_alike_suggests_nothing(directory: Directory) -> None:
    assert (
        suggested(directory, OrderMessage("1", client_reference="ZZ-9", description="Title search for the trust of nobody")) == []
    )
    assert suggested(directory, OrderMessage("1")) == []


def test_no_more_than_asked_for_are_suggested(directory: Directory) -> None:
    message = OrderMessage("1", description="Tui and Sons, Siobhan O'Brien, Harbour View Cafe, Smith")
    assert len(directory.suggestions(message, limit=2)) == 2
    assert {one.matter_number for one in directory.suggestions(message)} == {"J004521", "J004522", "J010999", "J020001"}
