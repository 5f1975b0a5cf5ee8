"""Order messages as they come: JSON and XML, typed and as text, wrapped and flat."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.services.infotrack.fields import NotAnAmount, amount, moment
from desktop.services.infotrack.messages import MessageUnreadable, batch_of, parse_json, read, read_batch
from desktop.services.infotrack.model import Fee, OrderMessage

SYDNEY = ZoneInfo("Australia/Sydney")

WHOLE = {
    "OrderId": 71000123,
    "ParentOrderId": 0,
    "ClientReference": "J004217",
    "RetailerReference": "ICONNECT1_k7f3q2|xero-practice-manager|9b1c",
    "Reference": "12RP90001",
    "ServiceName": "Title Search",
    "Description": "QLD: Title Search - 12RP90001",
    "BillingTypeName": "QLD Titles/Plans",
    "OrderedBy": "Sample Firm",
    "Email": "orders@example.test",
    "DateOrdered": "2025-03-04T01:15:30.120Z",
    "DateCompleted": "2025-03-04T01:15:41.000Z",
    "Status": "Complete",
    "StatusMessage": "Finished.",
    "RetailerFee": 6.00,
    "RetailerFeeGST": 0.60,
    "RetailerFeeTotal": 6.60,
    "SupplierFee": 20.00,
    "SupplierFeeGST": 0.00,
    "SupplierFeeTotal": 20.00,
    "TotalFee": 26.00,
    "TotalFeeGST": 0.60,
    "TotalFeeTotal": 26.60,
    "IsBillable": True,
    "AvailableOnline": True,
    "OnlineUrl": "https://search.infotrack.com.au/example/71000123",
    "DownloadUrl": "https://stageapi.infotrack.com.au/v1/order/download/71000123",
    "FileHash": "00112233445566778899aabbccddeeff",
}
EXPECTED = OrderMessage(
    order_id="71000123",
    client_reference="J004217",
    retailer_reference="ICONNECT1_k7f3q2|xero-practice-manager|9b1c",
    reference="12RP90001",
    service="Title Search",
    description="QLD: Title Search - 12RP90001",
    billing_type="QLD Titles/Plans",
    ordered_by="Sample Firm",
    email="orders@example.test",
    ordered_at=datetime(2025, 3, 4, 1, 15, 30, 120000, tzinfo=UTC),
    completed_at=datetime(2025, 3, 4, 1, 15, 41, tzinfo=UTC),
    status="Complete",
    status_message="Finished.",
    retailer=Fee(Decimal("6.00"), Decimal("0.60"), Decimal("6.60")),
    supplier=Fee(Decimal("20.00"), Decimal("0.00"), Decimal("20.00")),
    total=Fee(Decimal("26.00"), Decimal("0.60"), Decimal("26.60")),
    is_billable=True,
    available_online=True,
    online_url="https://search.infotrack.com.au/example/71000123",
    download_url="https://stageapi.infotrack.com.au/v1/order/download/71000123",
    file_hash="00112233445566778899aabbccddeeff",
)


def as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:.2f}" if isinstance(value, float) else str(value)


def as_xml(fields: dict[str, object], root: str = "Order") -> str:
    inner = "".join(f"<{name}>{as_text(value)}</{name}>" for name, value in fields.items())
    return f'<{root} Version="1.0">{inner}</{root}>'


def one(data: bytes | str | dict[str, object]) -> OrderMessage:
    if isinstance(data, dict):
        data = json.dumps(data)
    (message,) = read(data.encode() if isinstance(data, str) else data, SYDNEY)
    return message


ALL_TEXT: dict[str, object] = {name: as_text(value) for name, value in WHOLE.items()}
SHAPES = {
    "flat and typed": json.dumps(WHOLE).encode(),
    "flat, all values text": json.dumps(ALL_TEXT).encode(),
    "wrapped with a version": json.dumps({"Order": {"-Version": "1.0", **ALL_TEXT}}).encode(),
    "wrapped with another version mark": json.dumps({"order": {"@Version": "1.0", **WHOLE}}).encode(),
    "a list of one": json.dumps([WHOLE]).encode(),
    "a list of wrapped ones": json.dumps([{"Order": WHOLE}]).encode(),
    "under orders": json.dumps({"orders": [WHOLE]}).encode(),
    "an Order that is a list": json.dumps({"Orders": {"Order": [ALL_TEXT]}}).encode(),
    "a feed's page": json.dumps({"messages": [{"order": WHOLE}], "next": "1"}).encode(),
    "lower-case names": json.dumps({name.lower(): value for name, value in WHOLE.items()}).encode(),
    "capital booleans": json.dumps({**ALL_TEXT, "IsBillable": "True", "AvailableOnline": "TRUE"}).encode(),
    "unknown fields": json.dumps({**WHOLE, "Surprise": {"a": [1, None]}, "Other": [{"x": 1}, {"x": 1}]}).encode(),
    "JSON with a byte order mark": b"\xef\xbb\xbf" + json.dumps(WHOLE).encode(),
    "JSON in UTF-16 with a mark": json.dumps(WHOLE).encode("utf-16"),
    "JSON in UTF-16 without one": json.dumps(WHOLE).encode("utf-16-le"),
    "JSON in big-endian UTF-16": json.dumps(WHOLE).encode("utf-16-be"),
    "XML": as_xml(WHOLE).encode(),
    "XML with a declaration": b'<?xml version="1.0" encoding="utf-8"?>\r\n' + as_xml(WHOLE).encode(),
    "XML in UTF-16": ('<?xml version="1.0" encoding="utf-16"?>' + as_xml(WHOLE)).encode("utf-16"),
    "XML in UTF-16 without a mark": ('<?xml version="1.0" encoding="utf-16"?>' + as_xml(WHOLE)).encode("utf-16-le"),
    "XML that calls its UTF-8 UTF-16": ('<?xml version="1.0" encoding="utf-16"?>' + as_xml(WHOLE)).encode(),
    "XML that calls its UTF-16 UTF-8": ('<?xml version="1.0" encoding="utf-8"?>' + as_xml(WHOLE)).encode("utf-16"),
    "XML with a namespace": as_xml(WHOLE).replace("<Order ", '<Order xmlns="urn:x" ').encode(),
    "XML with a prefix": as_xml(WHOLE, "it:Order").replace("Version", 'xmlns:it="urn:x" Version').encode(),
    "a list in XML": f"<Orders>{as_xml(WHOLE)}</Orders>".encode(),
    "XML with unknown elements": as_xml(WHOLE).replace("</Order>", "<More><More/></More><Note/><Note/></Order>").encode(),
    "XML set out in lines": as_xml(WHOLE).replace(">", ">\n  ").replace("</", "\n</").encode(),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_known_shape_gives_the_same_message(shape: str) -> None:
    """D19: amounts come through as the same decimals whatever they were written as."""
    assert one(SHAPES[shape]) == EXPECTED


def test_a_declared_windows_encoding_is_used() -> None:
    xml = '<?xml version="1.0" encoding="windows-1252"?><Order><OrderId>1</OrderId><OrderedBy>Zoë’s firm</OrderedBy></Order>'
    assert one(xml.encode("cp1252")).ordered_by == "Zoë’s firm"


def test_the_drop_files_own_fields_are_read() -> None:
    message = one("<Order><SequenceNumber>5001</SequenceNumber><ClientId>1234567</ClientId><OrderId>71000123</OrderId></Order>")
    assert (message.sequence, message.client_account) == (5001, "1234567")


def test_a_feeds_sequence_counts_only_where_the_message_has_none() -> None:
    page = {"messages": [{"sequence": 12, "order": {"OrderId": 1}}, {"sequence": 13, "order": {"OrderId": 2, "SequenceNumber": 7}}]}
    assert [message.sequence for message in read(json.dumps(page).encode(), SYDNEY)] == [12, 7]


def test_what_is_missing_null_or_empty_is_not_told() -> None:
    empty: dict[str, object] = dict.fromkeys(WHOLE) | {"OrderId": 5}
    blank: dict[str, object] = dict.fromkeys(WHOLE, "") | {"OrderId": 5}
    assert one(empty) == one(blank) == one({"OrderId": 5}) == OrderMessage("5")
    nil = '<Order xmlns:i="urn:i"><OrderId>5</OrderId><DownloadUrl i:nil="true"/><TotalFee i:nil="true"/></Order>'
    assert one(nil) == OrderMessage("5")


def test_a_converted_xml_attribute_beside_the_text_is_tolerated() -> None:
    message = one({"OrderId": {"#text": "5", "-type": "int"}, "DownloadUrl": {"-i:nil": "true"}})
    assert message == OrderMessage("5")


def test_an_unknown_status_is_kept_as_it_came_and_line_breaks_too() -> None:
    message = one({"OrderId": 5, "Status": "Awaiting Wizard", "StatusMessage": "a\r\nb"})
    assert (message.status, message.status_message) == ("Awaiting Wizard", "a\nb")


def test_numbers_where_text_is_expected_are_taken_as_written() -> None:
    assert one('{"OrderId": 5, "ClientReference": 4217, "Reference": 12.50}').reference == "12.50"
    assert one({"OrderId": 5, "ClientReference": 4217}).client_reference == "4217"


def test_a_child_names_its_parent_and_zero_names_none() -> None:
    assert one({"OrderId": 5, "ParentOrderId": "4"}).parent_id == "4"
    assert one({"OrderId": 5, "ParentOrderId": "0"}).parent_id == ""


@pytest.mark.parametrize("told", ["0", "-5", "71000123.0", "", " ", "abc", None, True, 71000123.0, "١٢", {"a": 1}, [5], "9" * 30])
def test_without_a_clear_order_id_there_is_no_message(told: object) -> None:
    with pytest.raises(MessageUnreadable):
        one({**WHOLE, "OrderId": told})


def test_leading_zeros_and_blanks_do_not_make_another_order() -> None:
    assert one({"OrderId": " 0071000123 "}).order_id == "71000123"


@pytest.mark.parametrize("twice", ['"RetailerFee": 6, "RetailerFee": 7', '"FileHash": "a", "filehash": "b"', '"ORDERID": 8'])
def test_a_field_that_comes_twice_is_not_believed(twice: str) -> None:
    with pytest.raises(MessageUnreadable, match="twice"):
        one(f'{{"OrderId": 5, {twice}}}')
    with pytest.raises(MessageUnreadable, match="twice"):
        one("<Order><OrderId>5</OrderId><TotalFee>1</TotalFee><totalfee>2</totalfee></Order>")


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("7.29", "7.29"), (7, "7.00"), ("7", "7.00"), ("7.2", "7.20"), ("7.2900", "7.29"), (" 7.29 ", "7.29"), ("$7.29", "7.29"),
        ("$1,234.50", "1234.50"), ("1,234,567.00", "1234567.00"), ("-7.29", "-7.29"), ("-$7.29", "-7.29"), ("\u22127.29", "-7.29"),
        (".5", "0.50"), ("-0.00", "0.00"), (Decimal("-0.00"), "0.00"), ("1e1", "10.00"),
        ("26.599999999999998", "26.60"), ("0.30000000000000004", "0.30"),
    ],
)  # fmt: skip
def test_an_unambiguous_amount_is_read(told: object, expected: str) -> None:
    """D19: no float is ever made of an amount."""
    assert str(amount(told)) == expected


@pytest.mark.parametrize(
    "told",
    ["x", "7,29", "1,234", "1.234,50", "7.29 AUD", "(7.29)", "NaN", "Infinity", "--7", "7-", "7.295", "1e99", "1e-3", True, [],
     "9" * 12],
)  # fmt: skip
def test_an_ambiguous_amount_is_named_and_not_guessed(told: object) -> None:
    with pytest.raises(NotAnAmount):
        amount(told)
    message = one({**WHOLE, "SupplierFee": told})
    assert message.supplier is None
    assert len(message.problems) == 1
    assert message.problems[0].startswith("SupplierFee ")
    assert message.download_url == EXPECTED.download_url, "the document does not suffer"
    assert message.retailer == EXPECTED.retailer


def test_a_json_number_is_the_decimal_that_was_written() -> None:
    """D19"""
    message = one('{"OrderId": 5, "SupplierFee": 1.1, "SupplierFeeGST": 2.2, "SupplierFeeTotal": 3.3}')
    assert message.supplier == Fee(Decimal("1.10"), Decimal("2.20"), Decimal("3.30"))


def test_two_members_of_a_fee_give_the_third_and_one_does_not() -> None:
    message = one({"OrderId": 5, "RetailerFee": "6", "RetailerFeeGST": ".6", "SupplierFee": "20", "SupplierFeeTotal": "20"})
    assert message.retailer == Fee(Decimal("6.00"), Decimal("0.60"), Decimal("6.60"))
    assert message.supplier == Fee(Decimal("20.00"), Decimal("0.00"), Decimal("20.00"))
    alone = one({"OrderId": 5, "RetailerFeeTotal": "6.60"})
    assert alone.retailer is None
    assert "RetailerFee and RetailerFeeGST are missing" in alone.problems[0]


def test_an_incomplete_grand_total_takes_nothing_from_its_parts() -> None:
    message = one({"OrderId": 5, "RetailerFee": "6", "RetailerFeeGST": ".6", "TotalFeeTotal": "6.60"})
    assert (message.total, message.problems) == (None, ())


def test_fees_that_do_not_add_up_are_told_as_they_came() -> None:
    fee = one({**WHOLE, "RetailerFeeTotal": 9}).retailer
    assert fee == Fee(Decimal("6.00"), Decimal("0.60"), Decimal("9.00"))


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("2025-03-04T01:15:30.120Z", "2025-03-04T01:15:30.120000+00:00"),
        ("2025-03-04T12:15:30+11:00", "2025-03-04T01:15:30+00:00"),
        ("2025-03-04T12:15:30.1234567+1100", "2025-03-04T01:15:30.123456+00:00"),
        ("2025-03-04T12:15:30", "2025-03-04T01:15:30+00:00"),
        ("2025-07-04 12:15:30.5", "2025-07-04T02:15:30.500000+00:00"),
        ("2025-03-04", "2025-03-03T13:00:00+00:00"),
        ("04/03/2025", "2025-03-03T13:00:00+00:00"),
        ("4/03/2025 1:15:30 PM", "2025-03-04T02:15:30+00:00"),
        ("4/03/2025 12:05 am", "2025-03-03T13:05:00+00:00"),
        ("/Date(1741050930120)/", "2025-03-04T01:15:30.120000+00:00"),
        ("/Date(1741050930120+1100)/", "2025-03-04T01:15:30.120000+00:00"),
    ],
)
def test_a_date_is_read_with_its_offset_or_in_the_set_zone(told: str, expected: str) -> None:
    found = moment(told, SYDNEY)
    assert found is not None
    assert found.isoformat() == expected


@pytest.mark.parametrize(
    "told",
    ["", None, "0001-01-01T00:00:00", "0001-01-01T00:00:00Z", "01/01/0001", "soon", "2025-13-01", "25/25/2025",
     "2025-03-04T25:00:00",
     "2025-03-04T01:00:00+99:00", "9999-12-31T23:59:59-14:00", "4/03/2025 13:15 PM", "/Date(999999999999999)/", 20250304, True],
)  # fmt: skip
def test_no_date_is_none(told: object) -> None:
    assert moment(told, SYDNEY) is None


def test_one_bad_message_among_good_ones_is_set_apart_with_its_bytes() -> None:
    batch = read_batch(json.dumps([{"OrderId": 1}, {"ServiceName": "x"}, {"OrderId": 3}]).encode(), SYDNEY)
    assert [found.message.order_id for found in batch.messages] == ["1", "3"]
    (bad,) = batch.unreadable
    assert (bad.place, bad.reason) == (2, "This is not an order message: it has no OrderId.")
    assert b"ServiceName" in bad.raw


def test_each_of_several_messages_can_be_read_again_from_its_own_bytes() -> None:
    page = {"messages": [{"sequence": 3, "order": {**WHOLE, "OrderId": 8}}, {"sequence": 4, "order": WHOLE}]}
    for data in (json.dumps(page).encode(), f"<Orders>{as_xml(WHOLE)}{as_xml({**WHOLE, 'OrderId': 7})}</Orders>".encode()):
        batch = read_batch(data, SYDNEY)
        assert len(batch.messages) == 2
        for found in batch.messages:
            assert read(found.raw, SYDNEY) == (found.message,)


def test_a_single_message_keeps_the_bytes_it_came_as() -> None:
    data = SHAPES["XML in UTF-16"]
    assert read_batch(data, SYDNEY).messages[0].raw == data


REFUSED = {
    "empty": b"",
    "blank": b" \r\n",
    "neither": b"Dear firm, your order",
    "broken JSON": b'{"OrderId": 5',
    "NaN": b'{"OrderId": 5, "TotalFee": NaN}',
    "Infinity": b'{"OrderId": 5, "TotalFee": -Infinity}',
    "no order": b"[]",
    "no order in a page": b'{"messages": [], "next": "5"}',
    "a number": b"[5]",
    "broken XML": b"<Order><OrderId>5</Order>",
    "a web page": b"<html><body>Sign in</body></html>",
    "a DTD": b'<!DOCTYPE Order [<!ENTITY a "b">]><Order><OrderId>5</OrderId></Order>',
    "a bare DTD": b"<!DOCTYPE Order><Order><OrderId>5</OrderId></Order>",
    "a DTD in UTF-16": "<!DOCTYPE Order><Order><OrderId>5</OrderId></Order>".encode("utf-16"),
    "a DTD in UTF-7": b'<?xml version="1.0" encoding="utf-7"?>+ADwAIQ-DOCTYPE Order><Order><OrderId>5</OrderId></Order>',
    "an external entity": b'<!DOCTYPE o [<!ENTITY x SYSTEM "file:///etc/passwd">]><Order><OrderId>5</OrderId><Status>&x;</Status></Order>',
    "not its encoding": b'{"OrderId": 5, "Status": "\xff\xfe"}',
    "UTF-7": b'<?xml version="1.0" encoding="utf-7"?><Order><OrderId>5</OrderId></Order>',
    "an unknown encoding": b'<?xml version="1.0" encoding="klingon"?><Order><OrderId>5</OrderId></Order>',
    "deep JSON": b"[" * 200_000,
    "deep objects": b'{"order":' * 5_000 + b"1" + b"}" * 5_000,
    "deep XML": b"<a>" * 100_000,
    "a long text": b"<Order><OrderId>5</OrderId><Status>" + b"x" * 2_000_000 + b"</Status></Order>",
    "a long attribute": b'<Order a="' + b"x" * 3_000_000 + b'"><OrderId>5</OrderId></Order>',
    "too large": b" " * 20_000_001,
    "billion laughs": b'<!DOCTYPE l [<!ENTITY a "ha">' + b"".join(
        b'<!ENTITY a%d "%s">' % (n, b"&a;" * 9) for n in range(9)
    ) + b"]><Order><OrderId>5</OrderId><Status>&a8;</Status></Order>",
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_message_is_refused_in_words_and_quickly(what: str) -> None:
    """H2: a hostile document is a typed refusal, whatever its encoding claims."""
    began = time.process_time()
    with pytest.raises(MessageUnreadable) as refusal:
        read(REFUSED[what], SYDNEY)
    assert time.process_time() - began < 2
    assert str(refusal.value).endswith(".")


def test_a_huge_exponent_is_a_problem_and_not_a_crash() -> None:
    for number in ("1e999999999", "1e-999999999", "1e99999999999999999999", "-1E+400"):
        message = one(f'{{"OrderId": 5, "TotalFee": {number}, "TotalFeeGST": 0}}')
        assert message.total is None
        assert message.problems


def test_text_that_no_database_can_hold_is_made_harmless() -> None:
    message = one('{"OrderId": 5, "Status": "a\\u0000b\\ud800c"}')
    assert message.status == "ab\ufffdc"
    batch = read_batch(b'[{"OrderId": 5, "Status": "\\ud800"}, {"OrderId": 6, "\\udfff": "\\ud800"}]', SYDNEY)
    assert [found.message.order_id for found in batch.messages] == ["5", "6"]


NAMES = st.sampled_from([*WHOLE, "Order", "orders", "messages", "x"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(["0001-01-01", "1,2"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=25,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(JSON)
def test_any_json_is_read_or_refused_with_a_typed_error(value: object) -> None:
    try:
        batch = read_batch(json.dumps(value).encode(), SYDNEY)
    except MessageUnreadable:
        return
    for found in batch.messages:
        assert int(found.message.order_id) > 0
        found.message.status.encode()
        assert read(found.raw, SYDNEY) == (found.message,)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda b: b"<Order><OrderId>5</OrderId>" + b + b"</Order>"))
def test_any_bytes_are_read_or_refused_with_a_typed_error(data: bytes) -> None:
    try:
        read(data, SYDNEY)
    except MessageUnreadable:
        pass


@settings(max_examples=100, deadline=None)
@given(st.lists(JSON, max_size=5))
def test_no_item_of_a_page_is_lost(items: list[object]) -> None:
    parsed = parse_json(json.dumps(items).replace("NaN", "0").replace("Infinity", "0").encode())
    assert isinstance(parsed, list)
    batch = batch_of(parsed, SYDNEY)
    assert len(batch.messages) + len(batch.unreadable) >= len(items)


@given(st.decimals(min_value=-99999999, max_value=99999999, places=2), st.booleans())
def test_every_amount_in_cents_comes_back_as_it_was(value: Decimal, quoted: bool) -> None:
    """D19: property test, decimal text end to end."""
    written = f'"{value}"' if quoted else f"{value}"
    message = one(f'{{"OrderId": 5, "TotalFee": {written}, "TotalFeeGST": 0}}')
    assert message.total is not None
    assert message.total.net == value
    assert -message.total.net.as_tuple().exponent == 2  # type: ignore[operator]  # finite


@given(st.sampled_from(["json", "xml"]), st.permutations(list(WHOLE)))
def test_the_order_of_fields_means_nothing(kind: str, names: list[str]) -> None:
    fields = {name: WHOLE[name] for name in names}
    assert one(json.dumps(fields) if kind == "json" else as_xml(fields)) == EXPECTED
