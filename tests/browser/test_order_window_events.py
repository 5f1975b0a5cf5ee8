"""What a window tells is checked before the desk gets it: the window has touched the web."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from desktop.services.desk import ActionFailed, TypedResult
from desktop.services.infotrack import typed
from desktop.services.order_events import typed_result
from desktop.services.order_protocol import FeesTyped, OfferedToMatter
from tests.delivery.stand_in import Books, Clock, Office


def offered(path: Path | str, **more: str) -> OfferedToMatter:
    facts = {"order_id": "71000123", "service": "Title Search", **more}
    return OfferedToMatter(id=1, path=str(path), suggested_name="a.pdf", content_type="application/pdf", **facts)


def test_typed_fees_become_a_result(tmp_path: Path) -> None:
    event = FeesTyped(id=1, order_id="71000123", service=" Title  Search ", reference="R", retailer_fee="6.00", retailer_gst="0.60")
    assert typed_result(event, matter_number="J1", download_folder=tmp_path) == TypedResult(
        order_id="71000123",
        matter_number="J1",
        service="Title Search",
        reference="R",
        retailer_fee=Decimal("6.00"),
        retailer_gst=Decimal("0.60"),
    )


def test_a_saved_file_comes_along(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF-")
    assert typed_result(offered(tmp_path / "a.pdf"), matter_number="J1", download_folder=tmp_path).file == tmp_path / "a.pdf"


def test_no_other_file_of_this_person_can_be_named(tmp_path: Path) -> None:
    """G9, G11: a window that was taken over can't send the keys of the house to the practice system."""
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    secret = tmp_path / "secret.pdf"
    secret.write_bytes(b"%PDF-")
    (downloads / "link.pdf").symlink_to(secret)
    (downloads / "folder.pdf").mkdir()
    for path in (
        secret,
        downloads / ".." / "secret.pdf",
        downloads / "link.pdf",
        downloads / "folder.pdf",
        downloads / "none",
        "",
        "a\0b",
    ):
        with pytest.raises(ActionFailed, match="saved"):
            typed_result(offered(path), matter_number="J1", download_folder=downloads)


@pytest.mark.parametrize(
    "more", [{"order_id": "x"}, {"order_id": "007"}, {"order_id": ""}, {"retailer_fee": "NaN"}, {"retailer_fee": "-1"}]
)
def test_what_the_form_would_not_have_let_through_is_refused(tmp_path: Path, more: dict[str, str]) -> None:
    """G9: the check is made again on this side of the pipe."""
    (tmp_path / "a.pdf").write_bytes(b"%PDF-")
    with pytest.raises(ActionFailed):
        typed_result(offered(tmp_path / "a.pdf", **more), matter_number="J1", download_folder=tmp_path)


def test_a_file_that_is_added_to_the_matter_again_and_again_lands_there_once(tmp_path: Path) -> None:
    """The window may be pressed twice, closed and opened, and offer the same file once more: the ledger knows the order."""
    clock = Clock()
    books = Books(clock)
    office = Office(tmp_path, clock, books)
    for folder in ("first", "second", "third"):
        downloads = tmp_path / folder
        downloads.mkdir()
        (downloads / "a.pdf").write_bytes(b"%PDF-1.4 the same result")
        event = offered(downloads / "a.pdf", retailer_fee="6.00", retailer_gst="0.60")
        result = typed_result(event, matter_number="J001", download_folder=downloads)
        office.ledger.record([typed.incoming(result, ZoneInfo("Australia/Sydney"))])
        office.deliver_until(3600)
    keys = books.posted_keys()
    assert len(keys) == len(set(keys)) == 2
    assert [len(filed) for filed in books.documents.values()] == [1]
    office.ledger.close()
