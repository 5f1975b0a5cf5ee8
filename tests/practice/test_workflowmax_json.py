"""The JSON that practice systems speak: exact numbers both ways, and hostile answers that end in one kind of error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop.services.errors import BadAnswer, ServiceError
from desktop.services.practice.json_calls import decode, json_body, moment, multipart_body, need, number, text, truth
from desktop.services.practice.practice_system import MatterRef
from tests.practice.workflowmax_server import Desk, Firm, job
from tests.practice.xpm_server import Asked, Said

MONEY = st.decimals(min_value=Decimal(-(10**12)), max_value=Decimal(10**12), places=2)
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=[]), max_size=60)


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.close()


@given(MONEY)
def test_an_amount_survives_writing_and_reading_to_the_last_place(amount: Decimal) -> None:
    """D19."""
    written = json_body({"a": amount}).content
    assert b"e" not in written.lower()
    found = decode(written)
    assert isinstance(found, dict)
    back = number(found, "a")
    assert back == amount
    assert format(back, "f") == format(amount, "f")


@pytest.mark.parametrize(
    ("told", "meant"),
    [("14.20", "14.20"), ("0.1", "0.1"), ("-0.30", "-0.30"), ("1", "1"), ("1.5e3", "1500"), ("100E-2", "1.00"), ('"2.50"', "2.50")],
)
def test_a_number_is_read_as_it_was_written(told: str, meant: str) -> None:
    """D19, H8: not by way of a binary fraction."""
    found = decode(f'{{"a": {told}}}'.encode())
    assert isinstance(found, dict)
    assert str(number(found, "a")) == meant


@pytest.mark.parametrize(
    "told", ["true", "[]", "{}", '"1e3"', '"1,5"', '"٣"', '"NaN"', "1e400", "1e-400", "1e19", "1" * 25, "0.0000000000001"]
)
def test_what_is_no_amount_is_none(told: str) -> None:
    """H8."""
    found = decode(f'{{"a": {told}}}'.encode())
    assert isinstance(found, dict)
    with pytest.raises(BadAnswer):
        number(found, "a")


@pytest.mark.parametrize(
    "hostile",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b"[" + b"[]," * 500_000 + b"[]]",
        b"[" + b"0.1," * 2_100_000 + b"1]",
        b'{"a": NaN}',
        b"[Infinity, -Infinity]",
        b'{"a": 1, "a": 2}',
        b'[{"x": {"a": 1, "a": 2}}]',
        b"1e99999999999999999999",
        b"-1e-99999999999999999999",
        b"9" * 10_000,
        b'"\xff"',
        b"\xff\xfe{\x00}\x00",
        b'{"a": "\n"}',
        b"{'a': 1}",
        b'{"a": 1} {"b": 2}',
        b"",
        b"\x00",
        b"<Response/>",
    ],
)
def test_what_is_no_json_or_too_much_of_it_is_one_kind_of_error(hostile: bytes) -> None:
    """H2 to H4 in JSON."""
    with pytest.raises(BadAnswer):
        decode(hostile)


def test_a_byte_order_mark_does_no_harm() -> None:
    assert decode(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


@given(ANY_TEXT)
def test_any_text_is_read_and_written_as_something_that_can_be_stored(value: str) -> None:
    """H6 in JSON: lone surrogates and controls do not get through in either direction."""
    found = decode(json.dumps({"a": value}).encode())
    assert isinstance(found, dict)
    shown = text(found, "a")
    shown.encode("utf-8")
    assert "\x00" not in shown
    again = decode(json_body({"a": value}).content)
    assert isinstance(again, dict)
    assert text(again, "a") == shown


@pytest.mark.parametrize(
    ("found", "said"),
    [({"a": None, "b": " x "}, "x"), ({"a": "", "b": "x"}, "x"), ({"a": 7}, "7"), ({}, ""), ({"a": "\x00\ud800"}, "")],
)
def test_the_first_name_that_says_something_counts(found: dict[str, Any], said: str) -> None:
    assert text(found, "a", "b") == said


@pytest.mark.parametrize("value", [True, 1.5, [], {}])
def test_what_is_no_text_is_not_read_as_one(value: Any) -> None:
    with pytest.raises(BadAnswer):
        text({"a": value}, "a")
    with pytest.raises(BadAnswer, match="lacks"):
        need({}, "a")


@pytest.mark.parametrize(("value", "meant"), [(True, True), ("False", False), (None, None)])
def test_a_yes_or_no_is_read(value: Any, meant: bool | None) -> None:
    assert truth({"a": value}, "a") is meant
    wrongs: tuple[Any, ...] = (1, "yes", [])
    for wrong in wrongs:
        with pytest.raises(BadAnswer):
            truth({"a": wrong}, "a")


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ("2026-05-01T08:30:00Z", datetime(2026, 5, 1, 8, 30, tzinfo=UTC)),
        ("2026-05-01T18:30:00.5+10:00", datetime(2026, 5, 1, 8, 30, 0, 500_000, tzinfo=UTC)),
        ("2026-05-01 08:30:00.1234567Z", datetime(2026, 5, 1, 8, 30, 0, 123_456, tzinfo=UTC)),
        ("2026-05-01T08:30:00", None),
        ("2026-05-01", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        (None, None),
    ],
)
def test_a_moment_is_read_if_it_says_which_zone_it_means(told: Any, meant: datetime | None) -> None:
    """H8."""
    assert moment({"a": told}, "a") == meant


@given(st.datetimes(), st.integers(-14 * 60, 14 * 60))
def test_a_moment_is_the_same_in_every_zone(at: datetime, offset: int) -> None:
    aware = at.replace(tzinfo=timezone(timedelta(minutes=offset)))
    try:
        meant = aware.astimezone(UTC)
    except OverflowError:
        return
    assert moment({"a": aware.isoformat()}, "a") == meant


def test_a_number_that_is_none_is_never_written() -> None:
    for wrong in (Decimal("NaN"), Decimal("Infinity")):
        with pytest.raises(ValueError, match="none"):
            json_body({"a": [wrong]})


@given(ANY_TEXT, ANY_TEXT, st.binary(max_size=300))
def test_a_form_comes_apart_as_it_was_put_together(title: str, file_name: str, content: bytes) -> None:
    """H6: no text can end a header or a part."""
    body = multipart_body([("title", title)], name="file", file_name=file_name + ".pdf", content=content)
    message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {body.kind}\r\n\r\n".encode() + body.content)
    parts = list(message.iter_parts())
    assert [part.get_param("name", header="content-disposition") for part in parts] == ["title", "file"]
    assert parts[1].get_payload(decode=True) == content
    assert parts[1].get_content_type() == ("application/pdf" if content.startswith(b"%PDF") else "application/octet-stream")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["IT-1-R-1", "2026-05-01"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["data", "total", "uuid", "note", "name", "jobNumber", "unitCost", "quantity", "date", "actual"]), inner
        )
    ),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_JSON, st.sampled_from([200, 200, 200, 400, 404, 500]), st.data())
def test_no_answer_however_wrong_ends_in_an_untyped_error(desk: Desk, value: object, status: int, data: st.DataObject) -> None:
    """H7."""
    mutated = bytearray(json.dumps({"data": [value], "total": 1} if data.draw(st.booleans()) else value).encode())
    if data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(mutated)))
        mutated[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4) | st.sampled_from([b"{", b'"', b"1e9"]))
    desk.says(Said(status, bytes(mutated), kind="application/json"))
    ref = MatterRef("j-1", "J1")
    practice = desk.v2
    for read in (
        lambda: list(practice.matters()),
        lambda: practice.matter("J1"),
        lambda: practice.client("c-1"),
        practice.staff,
        practice.cost_codes,
        lambda: practice.costs(ref),
        lambda: practice.documents(ref),
    ):
        try:
            read()
        except ServiceError:
            pass


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 60), st.integers(1, 25), st.booleans(), st.booleans(), st.booleans())
def test_a_list_is_whole_however_it_is_paged(desk: Desk, rows: int, cap: int, counts: bool, bare: bool, pages: bool) -> None:
    firm = Firm(cap=cap if pages else 1000, counts=counts, bare=bare, pages=pages)
    firm.costs["j-1"] = [
        {"uuid": f"k-{n}", "note": f"IT-{n}-R-1", "quantity": 1, "unitCost": 1, "unitPrice": 1} for n in range(rows)
    ]
    firm.jobs = [job(1)]

    def answer(asked: Asked) -> Said:
        return firm(asked)

    desk.answer = answer
    assert [each.remote_id for each in desk.v2.costs(MatterRef("j-1", "J1"))] == [f"k-{n}" for n in range(rows)]
