"""The supplier's invoice, as CSV and as Excel, in the spellings that exports have."""

from __future__ import annotations

import zipfile
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.services.reconcile.invoice import BadInvoice, Invoice, read_invoice

HEADING = "OrderId,ServiceName,RetailerFee,RetailerFeeGST,RetailerFeeTotal,SupplierFee,SupplierFeeGST,SupplierFeeTotal"


def read(folder: Path, text: str | bytes, columns: dict[str, str] | None = None, name: str = "invoice.csv") -> Invoice:
    file = folder / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_invoice(file, columns)


def test_a_line_in_the_order_messages_words_is_read(tmp_path: Path) -> None:
    found = read(tmp_path, f"{HEADING},Date\n71000123,Title,6.00,0.60,6.60,20.00,0.00,20.00,14/05/2026\n")
    line = found.lines[0]
    assert (line.row, line.order_id, line.service, line.on) == (2, "71000123", "Title", date(2026, 5, 14))
    assert (line.net, line.gst, line.total) == (Decimal("26.00"), Decimal("0.60"), Decimal("26.60"))
    assert found.unread == ()


@pytest.mark.parametrize(
    "encoded",
    [
        "utf-8",
        "utf-8-sig",
        "utf-16",
        "windows-1252",
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encodings_and_delimiters_of_spreadsheets_are_read(tmp_path: Path, encoded: str, delimiter: str) -> None:
    text = f"{HEADING}\n71000123,Café search,6.00,0.60,6.60,20.00,0.00,20.00\n".replace(",", delimiter)
    found = read(tmp_path, text.encode(encoded))
    assert [(line.service, line.total) for line in found.lines] == [("Café search", Decimal("26.60"))]


def test_a_title_above_the_heading_and_a_sum_below_the_lines_are_no_charges(tmp_path: Path) -> None:
    text = "Tax invoice 4711\n\nOrder ID,Total_Fee,Total Fee GST\n71000123,10.00,1.00\n,Total,\n,,\n"
    found = read(tmp_path, text)
    assert [(line.order_id, line.total) for line in found.lines] == [("71000123", Decimal("11.00"))]
    assert found.unread == ()


def test_other_names_are_mapped(tmp_path: Path) -> None:
    text = "Search no.,Amount incl\n71000123,11.00\n"
    with pytest.raises(BadInvoice, match=r"Search no\., Amount incl.*Settings, Reconcile"):
        read(tmp_path, text)
    found = read(tmp_path, text, {"OrderId": "Search no.", "TotalFeeTotal": "Amount incl"})
    assert (found.lines[0].total, found.lines[0].net) == (Decimal("11.00"), None)


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ("abc,10.00,1.00,11.00", "not an order's number"),
        ("71000123,ten,1.00,11.00", "TotalFee “ten” is not an amount"),
        ("71000123,10.00,1.00,12.00", "are not 12.00"),
        ("71000123,,,", "tells no amount"),
        ("71000123,10.00,,", "GST is not known"),
        (",10.00,1.00,11.00", "names no order"),
        ("71000123,10.001,1.00,11.00", "TotalFee"),
    ],
)
def test_a_line_that_cannot_be_read_is_told_and_not_guessed_at(tmp_path: Path, cells: str, why: str) -> None:
    found = read(tmp_path, f"OrderId,TotalFee,TotalFeeGST,TotalFeeTotal\n{cells}\n71000124,10.00,1.00,11.00\n")
    assert [line.order_id for line in found.lines] == ["71000124"]
    assert [line.row for line in found.unread] == [2]
    assert why in found.unread[0].problem


def test_credits_are_negative_in_a_bookkeepers_brackets_too(tmp_path: Path) -> None:
    found = read(tmp_path, "OrderId,TotalFee,TotalFeeGST\n1,-10.00,-1.00\n2,(10.00),(1.00)\n")
    assert [line.total for line in found.lines] == [Decimal("-11.00"), Decimal("-11.00")]


def test_parts_that_do_not_make_the_total_are_told(tmp_path: Path) -> None:
    found = read(tmp_path, f"{HEADING},TotalFeeTotal\n71000123,T,6.00,0.60,6.60,20.00,0.00,20.00,26.61\n")
    assert "parts make 26.60, its total is 26.61" in found.unread[0].problem


def workbook(file: Path, rows: list[list[object]]) -> None:
    book = openpyxl.Workbook()
    empty = book.active
    assert empty is not None
    sheet = book.create_sheet("Lines")
    for row in rows:
        sheet.append(row)
    book.save(file)


def test_an_excel_file_is_read_with_its_numbers_and_days(tmp_path: Path) -> None:
    file = tmp_path / "invoice.xlsx"
    rows: list[list[object]] = [
        ["Invoice"],
        ["OrderId", "Date", "TotalFee", "TotalFeeGST"],
        [71000123.0, datetime(2026, 5, 14), 7.1, 0.71],  # noqa: DTZ001  # a spreadsheet's days have no zone
    ]
    workbook(file, rows)
    line = read_invoice(file).lines[0]
    assert (line.order_id, line.on, line.net, line.gst) == ("71000123", date(2026, 5, 14), Decimal("7.10"), Decimal("0.71"))


def test_a_workbook_that_unpacks_to_a_flood_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for number in range(5):
            packed.writestr(f"xl/{number}.xml", b" " * 90_000_000)
    with pytest.raises(BadInvoice, match="unpacks to more than"):
        read_invoice(file)


def test_a_workbook_with_entities_is_refused(tmp_path: Path) -> None:
    file, hostile = tmp_path / "good.xlsx", tmp_path / "hostile.xlsx"
    workbook(file, [["OrderId", "TotalFeeTotal"], [1, 2]])
    with zipfile.ZipFile(file) as good, zipfile.ZipFile(hostile, "w") as bad:
        for member in good.infolist():
            content = good.read(member)
            if member.filename == "xl/worksheets/sheet2.xml":
                content = b'<!DOCTYPE w [<!ENTITY a "aaaa">]>' + content
            bad.writestr(member.filename, content)
    with pytest.raises(BadInvoice, match="not an Excel file that can be read"):
        read_invoice(hostile)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no heading"),
        (b"%PDF-1.7 a picture of an invoice\n", "no heading"),
        (b"PK\x03\x04nothing", "not an Excel file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old format"),
        (b"\x00\x01\x02" * 50, "not a table"),
    ],
)
def test_what_is_no_invoice_is_refused_with_a_cure(tmp_path: Path, content: bytes, why: str) -> None:
    with pytest.raises(BadInvoice, match=why):
        read(tmp_path, content)
    with pytest.raises(BadInvoice, match="can't be read"):
        read_invoice(tmp_path / "missing.csv")


@given(content=st.binary(max_size=300))
def test_no_file_brings_the_reader_down(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = tmp_path_factory.mktemp("any") / "any.csv"
    file.write_bytes(b"OrderId,TotalFeeTotal\n" + content)
    try:
        found = read_invoice(file)
    except BadInvoice:
        return
    assert all(line.order_id.isdigit() and line.total.as_tuple().exponent == -2 for line in found.lines)
