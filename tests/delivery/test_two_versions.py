"""Versions of one document that two PCs received in different order, and so number differently (contracts, section 5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from desktop.services.infotrack.model import OrderMessage
from desktop.services.ledger.planning import FILED_BY_ANOTHER
from desktop.services.practice.keys import file_word
from tests.delivery.stand_in import Books, Clock, Office, matter, order
from tests.delivery.usual_orders import LOST, fails_once

D1, D2, D3 = (f"IT-71000123-D-{n}" for n in (1, 2, 3))
OTHERS = "Another PC has filed another version of the document under this number."


def version(name: str, *, sequence: int | None = None) -> OrderMessage:
    address = f"https://api.infotrack.com.au/v1/order/download/{name}"
    return replace(order(hash=f"hash-{name}", sequence=sequence), download_url=address)


@pytest.fixture
def offices(tmp_path: Path) -> Iterator[tuple[Office, Office]]:
    clock = Clock()
    books = Books(clock)
    one, two = (Office(tmp_path / name, clock, books, seed=seed) for seed, name in enumerate(("one", "two")))
    yield one, two
    one.ledger.close()
    two.ledger.close()


def filed(office: Office, number: str = "J001") -> list[str]:
    """The versions on the matter, one word for each copy, in the order in which they were filed."""
    return [content.decode().rpartition("/")[2] for _, content in office.books.documents.get(f"id-{number}", [])]


def notes(office: Office) -> list[str]:
    return [document.text for document, _ in office.books.documents["id-J001"]]


def test_the_note_tells_the_file_and_ends_with_the_key(offices: tuple[Office, Office]) -> None:
    one, _ = offices
    one.receive(version("a"))
    one.deliver()
    assert notes(one) == [f"InfoTrack file {file_word('hash-a')} {D1}"]


def test_a_number_under_which_another_pc_filed_another_version_is_left_to_it(offices: tuple[Office, Office]) -> None:
    """C4: each version stands once, whoever filed it and whatever it was called on the way."""
    one, two = offices
    one.receive(version("b"))
    one.deliver()
    two.receive(version("a"))
    two.receive(version("b"))
    two.deliver_until(3600)
    assert filed(one) == ["b", "a"]
    assert two.states() == {D1: "confirmed", D2: "cancelled", D3: "confirmed"}
    assert (two.reason(D1), two.reason(D2)) == (OTHERS, FILED_BY_ANOTHER)
    one.receive(version("a"))
    one.deliver_until(3600)
    assert filed(one) == ["b", "a"]
    assert one.states() == {D1: "confirmed", D2: "cancelled", D3: "confirmed"}
    assert one.reason(D3) == "It was in the books already."
    for office in offices:
        office.deliver_until(2 * 86400)
        assert office.deliver().waiting_for_person == 0
    assert filed(one) == ["b", "a"]


def test_the_file_of_the_version_that_gave_way_is_not_opened_for_the_other(offices: tuple[Office, Office]) -> None:
    one, two = offices
    one.receive(version("b"))
    one.deliver()
    two.receive(version("a"))
    two.deliver_until(3600)
    assert two.ledger.body(D1) is None
    posting = two.ledger.posting(D1)
    assert posting is not None
    assert posting.download_url == ""
    kept = two.ledger.body(D2)
    assert kept is not None
    assert kept[1].endswith(b"/a")


def test_a_version_that_arrives_after_another_pc_has_filed_it_is_not_filed_again(offices: tuple[Office, Office]) -> None:
    one, two = offices
    one.receive(version("b"))
    one.deliver()
    two.receive(version("a"))
    two.deliver_until(3600)
    assert filed(one) == ["b", "a"]
    two.receive(version("b"))
    two.deliver_until(3600)
    assert filed(one) == ["b", "a"]
    assert set(two.states().values()) == {"confirmed"}


def test_numbers_that_are_crossed_while_an_answer_is_lost_end_with_each_version_once(offices: tuple[Office, Office]) -> None:
    """A send that did not land, and meanwhile the other PC filed both under each other's numbers."""
    one, two = offices
    fails_once(one, "post_document", LOST)
    one.receive(version("a"))
    one.deliver()
    assert one.states() == {D1: "unknown"}
    two.receive(version("b"))
    two.receive(version("a"))
    two.deliver_until(60)
    assert filed(one) == ["b", "a"]
    one.receive(version("b"))
    one.deliver_until(3600)
    assert filed(one) == ["b", "a"]
    assert one.states() == {D1: "confirmed", D2: "confirmed"}


def test_a_lost_send_whose_number_is_taken_is_sent_again_when_it_is_nowhere(offices: tuple[Office, Office]) -> None:
    """Its number is not given up while it may still land: a second copy under another number would not be seen for one."""
    one, two = offices
    fails_once(one, "post_document", LOST)
    one.receive(version("a"))
    one.deliver()
    two.receive(version("b"))
    two.deliver()
    one.deliver_until(120)
    assert filed(one) == ["b"]
    assert one.states() == {D1: "unknown"}
    one.deliver_until(3600)
    assert Counter(filed(one)) == {"a": 1, "b": 1}
    assert "unknown" not in one.states().values()


def test_a_lost_send_that_lands_beside_the_other_version_is_found_by_its_file(offices: tuple[Office, Office]) -> None:
    """D6: also when the matter is read for something else before the quiet time is over."""
    one, two = offices
    fails_once(one, "post_document", LOST)
    one.practice.does_it_anyway, one.practice.late_by = True, timedelta(seconds=100)
    one.receive(version("a"))
    one.deliver()
    two.receive(version("b"))
    two.deliver()
    one.deliver_until(60)
    one.receive(order("71000124", hash="another"))
    one.deliver()
    assert one.states() == {D1: "unknown", "IT-71000124-D-1": "confirmed"}
    for office in offices:
        office.deliver_until(2 * 86400)
        assert office.states()[D1] == "confirmed"
        assert office.deliver().waiting_for_person == 0
    assert Counter(filed(one)) == {"a": 1, "b": 1, "71000124": 1}


def test_one_file_under_two_numbers_is_shown_to_a_person(offices: tuple[Office, Office]) -> None:
    """C8: a double is found by what it holds, not by its key alone."""
    one, _ = offices
    one.receive(version("a"))
    one.deliver()
    (document, content) = one.books.documents["id-J001"][0]
    copy = replace(document, remote_id="d9", keys=(D2,), text=document.text.replace(D1, D2))
    one.books.documents["id-J001"].append((copy, content))
    one.deliver_until(3600)
    assert one.deliver().waiting_for_person == 1
    assert one.reason(D1) == f"The books hold 2 lines of this document, under {D1} and {D2}. Remove all but one there by hand."
    one.books.documents["id-J001"].pop()
    one.deliver_until(2 * 86400)
    assert one.deliver().waiting_for_person == 0


def test_where_a_note_tells_no_file_the_key_decides(offices: tuple[Office, Office]) -> None:
    """An earlier version of the program, or a person, wrote the note without it."""
    one, two = offices
    one.receive(version("b"))
    one.deliver()
    (document, content) = one.books.documents["id-J001"].pop()
    one.books.documents["id-J001"].append((replace(document, text=f"InfoTrack {D1}"), content))
    two.receive(version("a"))
    two.deliver_until(3600)
    assert two.states() == {D1: "confirmed"}
    assert filed(one) == ["b"]


def test_a_document_that_a_person_cancelled_is_not_filed_because_its_number_is_taken(offices: tuple[Office, Office]) -> None:
    one, two = offices
    fails_once(two, "documents", LOST)
    two.receive(version("a"))
    two.deliver()
    two.ledger.cancel(D1)
    one.receive(version("b"))
    one.deliver()
    two.deliver_until(3600)
    two.receive(version("b"))
    two.deliver_until(3600)
    assert filed(one) == ["b"]
    assert two.states()[D1] == "cancelled"


def test_what_the_books_show_before_any_message_came_is_numbered_as_it_stands_there(offices: tuple[Office, Office]) -> None:
    one, two = offices
    one.receive(version("b"))
    one.deliver()
    two.receive(replace(order("71000124", hash="other"), download_url="https://api.infotrack.com.au/v1/order/download/other"))
    two.deliver()
    two.receive(version("a"), version("b"))
    two.deliver_until(3600)
    assert Counter(filed(one)) == {"a": 1, "b": 1, "other": 1}
    assert {key: state for key, state in two.states().items() if "71000123" in key} == {D1: "confirmed", D2: "confirmed"}


def test_after_a_move_every_version_goes_along_whoever_filed_it(offices: tuple[Office, Office]) -> None:
    one, two = offices
    one.receive(version("b"))
    one.deliver()
    two.receive(version("a"))
    two.receive(version("b"))
    two.deliver_until(3600)
    two.ledger.move("71000123", matter("J002"))
    two.deliver_until(3600)
    assert Counter(filed(two, "J002")) == {"a": 1, "b": 1}
    assert filed(one) == ["b", "a"]
