"""The supplier's invoice as a file: a table of charges, CSV or Excel, read into frozen lines.

The supplier sends its invoice as CSV or Excel on request; the names of its columns are not public. They are therefore
taken as in the order message, without regard to case, blanks and underscores; other names are mapped in Settings. A line
that can't be read is told, never guessed at and never left out silently."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from desktop.services.infotrack.fields import NotAnAmount, amount, whole_number

MOST_BYTES = 50_000_000
MOST_UNPACKED = 400_000_000
MOST_LINES = 200_000
ZERO = Decimal("0.00")

COLUMNS = (
    "OrderId",
    "ServiceName",
    "Reference",
    "ClientReference",
    "Date",
    "RetailerFee",
    "RetailerFeeGST",
    "RetailerFeeTotal",
    "SupplierFee",
    "SupplierFeeGST",
    "SupplierFeeTotal",
    "TotalFee",
    "TotalFeeGST",
    "TotalFeeTotal",
)
_DATES = ("Date", "DateCompleted", "DateOrdered", "OrderDate", "InvoiceDate", "TransactionDateTime")


class BadInvoice(Exception):
    """The file is no invoice that can be read. The message says why and what to do."""


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One charge. `row` is the line's number in the file, the heading being 1. `net` and `gst` are None where the file
    tells only the sum with GST. A credit is negative."""

    row: int
    order_id: str
    total: Decimal
    net: Decimal | None
    gst: Decimal | None
    service: str = ""
    reference: str = ""
    client_reference: str = ""
    on: date | None = None


@dataclass(frozen=True, slots=True)
class Unread:
    """A line that could not be read, and why."""

    row: int
    problem: str


@dataclass(frozen=True, slots=True)
class Invoice:
    lines: tuple[InvoiceLine, ...]
    unread: tuple[Unread, ...] = ()

    def days(self) -> tuple[date, date] | None:
        """The first and the last day on the invoice; None where it tells no days."""
        told = [line.on for line in self.lines if line.on is not None]
        return (min(told), max(told)) if told else None


def read_invoice(path: Path, columns: Mapping[str, str] | None = None) -> Invoice:
    """Reads a CSV or an Excel file (.xlsx). `columns` maps our names (COLUMNS) to the file's own. Raises BadInvoice."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise BadInvoice(f"{path.name} can't be read: {error.strerror or error}.") from error
    if len(content) > MOST_BYTES:
        raise BadInvoice(f"{path.name} is larger than {MOST_BYTES // 1_000_000} MB. Export a shorter period.")
    if content.startswith(b"PK\x03\x04"):
        return invoice_of(_sheet(content, path.name), path.name, columns)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise BadInvoice(f"{path.name} is in Excel's old format. Save it as .xlsx or CSV and try again.")
    return invoice_of(_table(content, path.name), path.name, columns)


def headings(path: Path) -> tuple[str, ...]:
    """The names that a person may choose columns from: the first rows' longest run of words. Raises BadInvoice."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise BadInvoice(f"{path.name} can't be read: {error.strerror or error}.") from error
    rows = _sheet(content, path.name) if content.startswith(b"PK\x03\x04") else _table(content, path.name)
    best: tuple[str, ...] = ()
    for _, cells in zip(range(30), rows, strict=False):
        words = tuple(_text(cell) for cell in cells if isinstance(cell, str) and re.search(r"[^\W\d_]", cell))
        if len(words) > len(best):
            best = words
    return best


def invoice_of(rows: Iterable[Sequence[object]], name: str, columns: Mapping[str, str] | None = None) -> Invoice:
    """Finds the heading among the first rows, then reads every row below it."""
    numbered = enumerate(rows, start=1)
    places = _heading(numbered, name, columns or {})
    lines: list[InvoiceLine] = []
    unread: list[Unread] = []
    for row, cells in numbered:
        if all(_blank(cell) for cell in cells):
            continue
        if len(lines) + len(unread) >= MOST_LINES:
            raise BadInvoice(f"{name} has more than {MOST_LINES:,} lines. Export a shorter period.")
        found = _line(row, {column: cells[at] for column, at in places.items() if at < len(cells)})
        if isinstance(found, InvoiceLine):
            lines.append(found)
        elif found is not None:
            unread.append(found)
    return Invoice(tuple(lines), tuple(unread))


def _heading(rows: Iterator[tuple[int, Sequence[object]]], name: str, columns: Mapping[str, str]) -> dict[str, int]:
    """Where each column stands. An export may begin with a title and an address."""
    seen: list[str] = []
    for row, cells in rows:
        names = [_folded(str(cell)) if not _blank(cell) else "" for cell in cells]
        places = {column: names.index(own) for column in COLUMNS if (own := _folded(columns.get(column) or column)) in names}
        for other in _DATES:
            if "Date" not in places and _folded(other) in names:
                places["Date"] = names.index(_folded(other))
        if "OrderId" in places and _tells_fees(places):
            return places
        seen = seen or [str(cell).strip() for cell in cells if not _blank(cell)]
        if row >= 30:
            break
    told = ", ".join(seen[:20])[:300] or "none"
    raise BadInvoice(
        f"{name} has no heading with OrderId and a fee (TotalFeeTotal, or RetailerFee with RetailerFeeGST, …). Its first line "
        f"holds: {told}. Under Settings, Reconcile, say which of its columns is which."
    )


def _tells_fees(places: Mapping[str, int]) -> bool:
    return any(
        column in places
        for column in ("TotalFeeTotal", "TotalFee", "RetailerFee", "RetailerFeeTotal", "SupplierFee", "SupplierFeeTotal")
    )


def _line(row: int, cells: Mapping[str, object]) -> InvoiceLine | Unread | None:
    told = {column: value for column, value in cells.items() if not _blank(value)}
    number = _order_number(told.get("OrderId"))
    if number is None:
        # A sum at the foot of the table names no order; a charge without one can't be held against anything.
        if "OrderId" not in told:
            words = " ".join(str(value) for value in told.values() if isinstance(value, str))
            return (
                None
                if re.search(r"\b(sub)?total|balance|amount due\b", words, re.IGNORECASE)
                else Unread(row, "It names no order.")
            )
        return Unread(row, f"“{str(told['OrderId'])[:40]}” is not an order's number.")
    try:
        net, gst, total = _fees(told)
    except NotAnAmount as error:
        return Unread(row, f"Order {number}: {error}")
    return InvoiceLine(
        row=row,
        order_id=number,
        total=total,
        net=net,
        gst=gst,
        service=_text(told.get("ServiceName")),
        reference=_text(told.get("Reference")),
        client_reference=_text(told.get("ClientReference")),
        on=_day(told.get("Date")),
    )


def _fees(told: Mapping[str, object]) -> tuple[Decimal | None, Decimal | None, Decimal]:
    whole = _fee(told, "TotalFee")
    parts = [fee for fee in (_fee(told, "RetailerFee"), _fee(told, "SupplierFee")) if fee is not None]
    if whole is None and not parts:
        raise NotAnAmount("It tells no amount.")
    summed: tuple[Decimal | None, Decimal | None, Decimal] | None = None
    if parts:
        nets, gsts = [net for net, _, _ in parts], [gst for _, gst, _ in parts]
        summed = (_sum(nets), _sum(gsts), sum((total for _, _, total in parts), ZERO))
    if whole is None:
        assert summed is not None
        return summed
    if summed is not None and len(parts) == 2 and summed[2] != whole[2]:
        raise NotAnAmount(f"Its parts make {summed[2]}, its total is {whole[2]}.")
    return whole if whole[0] is not None or summed is None or summed[2] != whole[2] else summed


def _fee(told: Mapping[str, object], name: str) -> tuple[Decimal | None, Decimal | None, Decimal] | None:
    net, gst, total = (_amount(told.get(name + tail), name + tail) for tail in ("", "GST", "Total"))
    if total is None:
        if net is None:
            return None
        if gst is None:
            raise NotAnAmount(f"{name} comes without {name}GST and {name}Total, so its GST is not known.")
        return net, gst, net + gst
    if net is not None and gst is not None and net + gst != total:
        raise NotAnAmount(f"{name} {net} and GST {gst} are not {total}.")
    if net is not None:
        return net, total - net, total
    return (total - gst, gst, total) if gst is not None else (None, None, total)


def _amount(value: object, column: str) -> Decimal | None:
    if isinstance(value, float):
        value = Decimal(repr(value))
    text = value.strip() if isinstance(value, str) else value
    if isinstance(text, str) and (found := re.fullmatch(r"\((.+)\)", text)):
        text = "-" + found[1]  # bookkeepers' brackets
    try:
        return amount(text)
    except NotAnAmount as error:
        raise NotAnAmount(f"{column} “{str(value)[:40]}” {error}.") from error


def _sum(values: Iterable[Decimal | None]) -> Decimal | None:
    total = ZERO
    for value in values:
        if value is None:
            return None
        total += value
    return total


def _order_number(value: object) -> str | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    number = whole_number(value)
    return str(number) if number else None


def _day(value: object) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    text = _text(value)
    if found := re.match(r"(\d{4})-(\d{2})-(\d{2})", text):
        year, month, day = (int(part) for part in found.groups())
    elif found := re.match(r"(\d{1,2})/(\d{1,2})/(\d{4})", text):
        day, month, year = (int(part) for part in found.groups())
    else:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _text(value: object) -> str:
    return " ".join(str(value).split())[:300] if value is not None else ""


def _blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _folded(name: str) -> str:
    return re.sub(r"[\W_]", "", name).casefold()


def _table(content: bytes, name: str) -> Iterator[list[str]]:
    text = _decoded(content)
    if "\x00" in text:
        raise BadInvoice(f"{name} is not a table. Export the invoice as CSV or Excel (.xlsx).")
    start = text[:20_000]
    delimiter = max((",", ";", "\t"), key=start.count)
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    except csv.Error as error:
        raise BadInvoice(f"{name} is not a table that can be read ({error}). Export the invoice again.") from error


def _decoded(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("windows-1252", "replace")


def _sheet(content: bytes, name: str) -> Iterator[Sequence[object]]:
    """The first sheet that holds anything."""
    import openpyxl  # carries 10 MB that only this needs
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(member.file_size for member in packed.infolist()) > MOST_UNPACKED:
                raise BadInvoice(f"{name} unpacks to more than {MOST_UNPACKED // 1_000_000} MB. Export it as CSV.")
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        try:
            for sheet in book.worksheets:
                rows = sheet.iter_rows(values_only=True)
                first = next(rows, None)
                if first is not None:
                    yield first
                    yield from rows
                    return
        finally:
            book.close()
    # A damaged workbook shows itself as almost any of these, deep inside the reader; a hostile one as a ValueError.
    except (
        zipfile.BadZipFile,
        InvalidFileException,
        KeyError,
        ValueError,
        TypeError,
        SyntaxError,
        OSError,
    ) as error:
        raise BadInvoice(f"{name} is not an Excel file that can be read. Save it again as .xlsx or as CSV.") from error
