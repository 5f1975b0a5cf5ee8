"""What is suggested for an order that came without a matter, and how an unknown number is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from desktop.services.delivery.ports import MatterLookup
from desktop.services.errors import AnswerLost
from desktop.services.infotrack.model import OrderMessage
from desktop.services.practice.directory import Directory
from desktop.services.practice.directory_lookup import DirectoryLookup
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


def test_an_unknown_number_is_asked_for_and_kept(directory: Directory) -> None:
    asked: list[tuple[str, str]] = []

    def ask(system: str, number: str) -> Matter | None:
        asked.append((system, number))
        return matter("J099999", "Late one", "Moa Ltd") if number == "J099999" else None

    lookup: MatterLookup = DirectoryLookup(directory, ask)
    assert lookup.by_number("J099999") == ()
    assert lookup.ask(XPM, "J000000") is None
    found = lookup.ask(XPM, "J099999")
    assert found == matter("J099999", "Late one", "Moa Ltd")
    assert lookup.by_number(" j099999 ") == (found,)
    assert lookup.by_id(XPM, "id-J099999") == found
    assert directory.find("late moa")[0].matter == found
    assert asked == [(XPM, "J000000"), (XPM, "J099999")]
    assert lookup.suggestions(OrderMessage("1", client_reference="J099999"))[0].matter_number == "J099999"


def test_what_asking_raises_reaches_the_caller(directory: Directory) -> None:
    def ask(system: str, number: str) -> Matter | None:
        raise AnswerLost("gone")

    with pytest.raises(AnswerLost):
        DirectoryLookup(directory, ask).ask(XPM, "J1")
