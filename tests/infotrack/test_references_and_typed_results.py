"""RetailerReference there and back, results that a person types in, and files that a person imports."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.services.desk import TypedResult
from desktop.services.infotrack import references
from desktop.services.infotrack.file_import import import_file
from desktop.services.infotrack.messages import MessageUnreadable, read
from desktop.services.infotrack.model import Fee, RetailerReference, Source
from desktop.services.infotrack.typed import TypedResultWrong, incoming
from tests.infotrack.scripted_server import KeptInbox

SYDNEY = ZoneInfo("Australia/Sydney")
SYSTEMS = ("xero-practice-manager", "workflowmax", "smokeball")


def test_a_reference_has_the_agreed_shape() -> None:
    made = references.make("ICONNECT1", "k7f3q2", "xero-practice-manager", "0d3f6c1a-9b1c")
    assert made == "ICONNECT1_k7f3q2|xero-practice-manager|0d3f6c1a-9b1c"
    assert references.read("ICONNECT1", f"  {made}\r\n") == RetailerReference(
        "ICONNECT1", "k7f3q2", "xero-practice-manager", "0d3f6c1a-9b1c"
    )


@given(
    st.from_regex(r"[A-Za-z0-9_.-]{1,32}", fullmatch=True),
    st.from_regex(r"[a-z0-9]{6}", fullmatch=True),
    st.sampled_from(SYSTEMS),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
)
def test_every_reference_reads_back_as_it_was_made(tag: str, installation: str, system: str, matter: str) -> None:
    made = references.make(tag, installation, system, matter)
    assert len(made) <= references.LONGEST
    assert made.isascii()
    assert made.isprintable()
    found = references.read(tag, made)
    assert found is not None
    assert (found.installation, found.system) == (installation, system)
    assert found.matter_id in (matter, "")
    if len(matter) < 5:
        assert found.matter_id == matter


@pytest.mark.parametrize(
    "text",
    [
        "", "ICONNECT1", "ICONNECT1_k7f3q2", "ICONNECT1_k7f3q2|smokeball", "ICONNECT1_k7f3q2|smokeball|1|2",
        "ICONNECT12_k7f3q2|smokeball|1",
        "iconnect1_k7f3q2|smokeball|1", "XICONNECT1_k7f3q2|smokeball|1", "ICONNECT1_|smokeball|1", "ICONNECT1-k7f3q2|smokeball|1",
        "ICONNECT1_k7 f3|smokeball|1",
        "ICONNECT1_k7f3q2||1", "ICONNECT1_k7f3q2|Smoke ball|1", "ICONNECT1_k7f3q2|smokeball|%ff", "WCA_t7|u12",
        "ICONNECT1_" + "x" * 500,
    ],
)  # fmt: skip
def test_anything_else_is_not_ours(text: str) -> None:
    assert references.read("ICONNECT1", text) is None


@given(st.text())
def test_no_text_breaks_the_reading(text: str) -> None:
    references.read("ICONNECT1", text)
    references.read("ICONNECT1", "ICONNECT1_k7f3q2|smokeball|" + text)


TYPED = TypedResult("71000123", "J004217", "Title Search", "12RP90001", Decimal("6"), Decimal("0.6"), Decimal("20"))


def test_a_typed_result_is_a_message_like_any_other() -> None:
    """D19"""
    found = incoming(TYPED, SYDNEY)
    assert (found.source, found.matter_number, found.file) == (Source.TYPED, "J004217", None)
    message = found.message
    assert (message.order_id, message.service, message.reference) == ("71000123", "Title Search", "12RP90001")
    assert message.client_reference == "J004217"
    assert message.retailer == Fee(Decimal("6.00"), Decimal("0.60"), Decimal("6.60"))
    assert message.supplier == Fee(Decimal("20.00"), Decimal("0.00"), Decimal("20.00"))
    assert message.total == Fee(Decimal("26.00"), Decimal("0.60"), Decimal("26.60"))
    assert message.problems == ()
    assert read(found.raw, SYDNEY) == (message,)
    assert incoming(TYPED, SYDNEY).raw == found.raw, "typed twice, it is an exact repeat"


def test_a_typed_result_without_fees_tells_none() -> None:
    message = incoming(TypedResult("5", "J1", "Title Search"), SYDNEY).message
    assert (message.retailer, message.supplier, message.total) == (None, None, None)


def test_a_typed_credit_is_negative_throughout() -> None:
    message = incoming(TypedResult("5", "J1", "X", supplier_fee=Decimal("-20"), supplier_gst=Decimal("-2")), SYDNEY).message
    assert message.total == Fee(Decimal("-20.00"), Decimal("-2.00"), Decimal("-22.00"))


@pytest.mark.parametrize(
    "wrong",
    [
        TypedResult("", "J1", "X"),
        TypedResult("IT-5", "J1", "X"),
        TypedResult("0", "J1", "X"),
        TypedResult("5", " ", "X"),
        TypedResult("5", "J1", " "),
        TypedResult("5", "J1", "X", retailer_gst=Decimal(1)),
        TypedResult("5", "J1", "X", retailer_fee=Decimal("1.005")),
        TypedResult("5", "J1", "X", retailer_fee=Decimal("NaN")),
        TypedResult("5", "J1", "X", retailer_fee=Decimal("1E+20")),
        TypedResult("5", "J1", "X", supplier_fee=Decimal(-1), supplier_gst=Decimal(1)),
        TypedResult("5", "J1", "X", file=Path("/nonexistent/file.pdf")),
    ],
)
def test_a_typing_mistake_is_named(wrong: TypedResult) -> None:
    with pytest.raises(TypedResultWrong) as raised:
        incoming(wrong, SYDNEY)
    assert str(raised.value).endswith(".")


def test_a_typed_results_file_is_proved_like_a_download(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.pdf", tmp_path / "bad.pdf"
    good.write_bytes(b"%PDF-1.4 x\n%%EOF")
    bad.write_bytes(b"<html>Sign in</html>")
    found = incoming(TypedResult("5", "J1", "X", file=good), SYDNEY)
    assert (found.file, found.file_name) == (good.read_bytes(), "good.pdf")
    assert found.message.file_hash.startswith("typed-")
    with pytest.raises(TypedResultWrong, match="sign-in page"):
        incoming(TypedResult("5", "J1", "X", file=bad), SYDNEY)
    bad.write_bytes(b"")
    with pytest.raises(TypedResultWrong, match="empty"):
        incoming(TypedResult("5", "J1", "X", file=bad), SYDNEY)


def test_a_file_by_hand_is_taken_whoever_ordered_and_may_hold_many(tmp_path: Path) -> None:
    path = tmp_path / "orders.txt"
    path.write_text('{"orders": [{"OrderId": 1}, {"OrderId": 2}]}')
    inbox = KeptInbox(mine=lambda _message: False)
    assert import_file(path, inbox, SYDNEY) == 2
    assert import_file(path, inbox, SYDNEY) == 0
    assert {kept.source for kept in inbox.recorded} == {Source.FILE}
    assert path.exists()


def test_a_file_by_hand_that_can_be_read_in_part_is_taken_in_part(tmp_path: Path) -> None:
    path = tmp_path / "orders.json"
    path.write_text('[{"OrderId": 1}, {}]')
    inbox = KeptInbox()
    with pytest.raises(MessageUnreadable, match=r"1 of 2 messages were taken\. Message 2"):
        import_file(path, inbox, SYDNEY)
    assert inbox.ids == ["1"]


@pytest.mark.parametrize("content", [None, b"", b"junk"])
def test_a_file_by_hand_that_can_not_be_read_says_why(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "orders.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MessageUnreadable):
        import_file(path, KeptInbox(), SYDNEY)
