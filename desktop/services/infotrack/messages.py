"""Order messages: bytes in, frozen values out.

Tolerant about everything that can mean only one thing: JSON or XML, one or many, wrapped or flat, typed values or text,
names in any case, unknown fields and unknown words. Strict about what money and identity hang on: a message without a
clear OrderId is not one, a field that comes twice is not believed, an amount that can't be read is named in `problems`
and never guessed. Field names: seen in public client code and in vendor help pages; both shapes of each are accepted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, DecimalException
from zoneinfo import ZoneInfo

import msgspec

from desktop.services.infotrack import order_xml
from desktop.services.infotrack.decoding import NotText, decode, without_declarations
from desktop.services.infotrack.fields import Fields, NotAnAmount, amount, clean, flag, moment, text_of, whole_number
from desktop.services.infotrack.model import Fee, OrderMessage

MAX_BYTES = 20_000_000
MAX_MESSAGES = 20_000
MAX_MESSAGE_BYTES = 2_000_000
ZERO = Decimal("0.00")
_MOST_PARTS = 20 * MAX_MESSAGES


class MessageUnreadable(Exception):
    """No order can be read from this. `str(error)` is a sentence for a person; it quotes nothing of the content."""


@dataclass(frozen=True, slots=True)
class ReadMessage:
    """A message and its own bytes: what was given where it held one message, else this one's part written as JSON.
    Reading `raw` again gives the same message."""

    message: OrderMessage
    raw: bytes


@dataclass(frozen=True, slots=True)
class UnreadableMessage:
    """One message of several that could not be read. `place` counts from 1."""

    place: int
    raw: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Everything that a file or an answer held, in its order."""

    messages: tuple[ReadMessage, ...]
    unreadable: tuple[UnreadableMessage, ...] = ()


def read(data: bytes, zone: ZoneInfo) -> tuple[OrderMessage, ...]:
    """All messages in `data`. Raises MessageUnreadable when there is none or one of them can't be read."""
    batch = read_batch(data, zone)
    if batch.unreadable:
        raise MessageUnreadable(batch.unreadable[0].reason)
    return tuple(found.message for found in batch.messages)


def read_batch(data: bytes, zone: ZoneInfo) -> Batch:
    """All messages in `data`, the unreadable ones apart. `zone` is where dates without an offset belong
    (infotrack.timezone). Raises MessageUnreadable when nothing in it is a message; nothing else."""
    found = list(_parsed(data))
    if len(found) > MAX_MESSAGES:
        raise MessageUnreadable(f"There are more than {MAX_MESSAGES} order messages in one file; split it.")
    batch = _batch(found, zone, data if len(found) == 1 else b"")
    if batch.unreadable and not batch.messages:
        raise MessageUnreadable(batch.unreadable[0].reason)
    if not batch.messages:
        raise MessageUnreadable("The file holds no order message.")
    return batch


def batch_of(items: list[object], zone: ZoneInfo) -> Batch:
    """All messages of a list that `parse_json` gave, the unreadable ones apart, none lost. Raises nothing."""
    found: list[tuple[object, int | None]] = []
    for item in items:
        try:
            found += list(_listed(item, None, 0)) or [(item, None)]
        except MessageUnreadable:
            found.append((item, None))
    return _batch(found, zone, b"")


def _batch(found: list[tuple[object, int | None]], zone: ZoneInfo, whole: bytes) -> Batch:
    good: list[ReadMessage] = []
    bad: list[UnreadableMessage] = []
    for place, (item, sequence) in enumerate(found, start=1):
        raw = whole
        try:
            raw = raw or _written(item, sequence)
            good.append(ReadMessage(message(item, zone, sequence=sequence), raw))
        except MessageUnreadable as error:
            bad.append(UnreadableMessage(place, raw or _remains(item, 0)[:100_000].encode("utf-8", "replace"), str(error)))
    return Batch(tuple(good), tuple(bad))


def parse_json(data: bytes) -> object:
    """JSON with objects as Fields and fractions as Decimal. Raises MessageUnreadable."""
    if len(data) > MAX_BYTES:
        raise MessageUnreadable(f"The file is larger than {MAX_BYTES // 1_000_000} MB.")
    try:
        return _json(decode(data))
    except NotText as error:
        raise MessageUnreadable(str(error)) from error


def message(item: object, zone: ZoneInfo, *, sequence: int | None = None) -> OrderMessage:
    """One message from its fields. `sequence` is the feed's, used where the message has none of its own.
    Raises MessageUnreadable."""
    if not isinstance(item, Fields):
        raise MessageUnreadable("This is not an order message: it has no fields.")
    if twice := sorted(item.repeated & _KNOWN):
        raise MessageUnreadable(f"The field {twice[0]} comes twice in one order message, so neither can be believed.")
    order_id = whole_number(item.get("orderid"))
    if item.get("orderid") in (None, ""):
        raise MessageUnreadable("This is not an order message: it has no OrderId.")
    if not order_id:
        raise MessageUnreadable("The OrderId is not a positive whole number.")
    problems: list[str] = []
    fees = {group: _fee(item, group, problems) for group in ("Retailer", "Supplier", "Total")}
    # Zero is what a program writes that has no number to tell; a flat message of a feed carries the feed's beside its own fields.
    own_sequence = whole_number(item.get("sequencenumber")) or whole_number(item.get("sequence")) or None
    return OrderMessage(
        order_id=str(order_id),
        parent_id=str(whole_number(item.get("parentorderid")) or ""),
        client_reference=text_of(item.get("clientreference")),
        retailer_reference=text_of(item.get("retailerreference")),
        reference=text_of(item.get("reference")),
        service=text_of(item.get("servicename")),
        description=text_of(item.get("description")),
        billing_type=text_of(item.get("billingtypename")),
        ordered_by=text_of(item.get("orderedby")),
        email=text_of(item.get("email")),
        ordered_at=moment(item.get("dateordered"), zone),
        completed_at=moment(item.get("datecompleted"), zone),
        status=text_of(item.get("status")),
        status_message=text_of(item.get("statusmessage")),
        retailer=fees["Retailer"],
        supplier=fees["Supplier"],
        total=fees["Total"],
        is_billable=flag(item.get("isbillable")),
        available_online=flag(item.get("availableonline")),
        online_url=text_of(item.get("onlineurl")),
        download_url=text_of(item.get("downloadurl")),
        file_hash=text_of(item.get("filehash")),
        sequence=sequence if own_sequence is None else own_sequence,
        client_account=text_of(item.get("clientid")),
        problems=tuple(problems),
    )


_GROUPS = {
    "Retailer": ("RetailerFee", "RetailerFeeGST", "RetailerFeeTotal"),
    "Supplier": ("SupplierFee", "SupplierFeeGST", "SupplierFeeTotal"),
    "Total": ("TotalFee", "TotalFeeGST", "TotalFeeTotal"),
}

_KNOWN = frozenset(
    {
        "orderid", "parentorderid", "clientreference", "retailerreference", "reference", "servicename", "description",
        "billingtypename", "orderedby", "email", "dateordered", "datecompleted", "status", "statusmessage", "isbillable",
        "availableonline", "onlineurl", "downloadurl", "filehash", "sequencenumber", "clientid",
    }
    | {name.lower() for names in _GROUPS.values() for name in names}
)  # fmt: skip


def _fee(item: Fields, group: str, problems: list[str]) -> Fee | None:
    """A fee group. Two told members give the third; fewer don't, because the GST would be a guess."""
    told: list[Decimal | None] = []
    before = len(problems)
    for name in _GROUPS[group]:
        try:
            told.append(amount(item.get(name.lower())))
        except NotAnAmount as error:
            problems.append(f"{name} {error}.")
            told.append(None)
    if len(problems) > before or told == [None, None, None]:
        return None
    net, gst, total = told
    if ZERO in (net, total) and not any(told):
        # Where nothing is charged, no GST is either.
        return Fee(ZERO, ZERO, ZERO)
    if net is not None and gst is not None:
        return Fee(net, gst, net + gst if total is None else total)
    if total is not None and net is not None:
        return Fee(net, total - net, total)
    if total is not None and gst is not None:
        return Fee(total - gst, gst, total)
    if group == "Total" and any(item.get(name.lower()) is not None for name in _GROUPS["Retailer"] + _GROUPS["Supplier"]):
        # The two parts are what is charged; an incomplete grand total takes nothing from them.
        return None
    missing = [name for name, value in zip(_GROUPS[group], told, strict=True) if value is None]
    problems.append(f"{' and '.join(missing)} are missing, so the GST of that fee is not known.")
    return None


def _parsed(data: bytes) -> Iterator[tuple[object, int | None]]:
    if len(data) > MAX_BYTES:
        raise MessageUnreadable(f"The file is larger than {MAX_BYTES // 1_000_000} MB.")
    if not data.strip():
        raise MessageUnreadable("The file is empty.")
    try:
        text = decode(data).lstrip()
    except NotText as error:
        raise MessageUnreadable(str(error)) from error
    if text.startswith("<"):
        try:
            for fields in order_xml.orders(text):
                yield fields, None
        except order_xml.NotXml as error:
            raise MessageUnreadable(str(error)) from error
    elif text.startswith(("{", "[")):
        for document in _documents(text):
            yield from _listed(document, None, 0)
    else:
        raise MessageUnreadable("The file is neither XML nor JSON.")


def _json(text: str) -> object:
    documents = _documents(text)
    if len(documents) != 1:
        raise MessageUnreadable("The file is not valid JSON.")
    return documents[0]


def _documents(text: str) -> list[object]:
    """The JSON in a text. A program that appends leaves one object behind the other, often one a line."""
    # Each costs many times its own length once it is read.
    if text.count("{") + text.count("[") > _MOST_PARTS or text.count(":") > 4 * _MOST_PARTS:
        raise MessageUnreadable("The JSON holds more parts than order messages can have; split the file.")
    found: list[object] = []
    at = _BLANKS.match(text).end()  # type: ignore[union-attr]  # matches nothing, too
    try:
        while at < len(text):
            document, at = _DECODER.raw_decode(text, at)
            found.append(document)
            at = _BLANKS.match(text, at).end()  # type: ignore[union-attr]  # as above
    except RecursionError:
        raise MessageUnreadable("The JSON is nested too deeply.") from None
    except ValueError as error:
        raise MessageUnreadable("The file is not valid JSON.") from error
    return found


def _fraction(text: str) -> object:
    try:
        return Decimal(text)
    except DecimalException:
        return text


def _integer(text: str) -> object:
    # A longer one is no id and no fee; as text it can do no harm.
    return int(text) if len(text) <= 18 else text


def _not_a_number(_text: str) -> object:
    raise ValueError("NaN and Infinity are not JSON")


_BLANKS = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder(
    object_pairs_hook=Fields.of, parse_float=_fraction, parse_int=_integer, parse_constant=_not_a_number, strict=False
)


def _listed(value: object, sequence: int | None, depth: int) -> Iterator[tuple[object, int | None]]:
    """Every message in whatever it is wrapped in."""
    if depth > 6:
        raise MessageUnreadable("The JSON is nested too deeply.")
    if isinstance(value, list):
        for part in value:
            yield from _listed(part, sequence, depth + 1)
        return
    if isinstance(value, str) and _is_document(value):
        inside = [found for document in _inside(value) for found in _listed(document, sequence, depth + 1)]
        yield from inside or [(value, sequence)]
        return
    if isinstance(value, Fields) and "orderid" not in value.values:
        for wrapper in ("messages", "orders", "arrayoforder", "order"):
            inner = value.values.get(wrapper)
            if isinstance(inner, (Fields, list)) or (isinstance(inner, str) and _is_document(inner)):
                own = whole_number(value.get("sequence"))
                yield from _listed(inner, sequence if own is None else own, depth + 1)
                return
    yield value, sequence


_EDGE = "\ufeff \t\r\n"


def _is_document(text: str) -> bool:
    return text.lstrip(_EDGE)[:1] in ("<", "{", "[")


def _inside(text: str) -> list[object]:
    """A message that is carried as text within another document: a relay passes on what a drop file held. Nothing where it
    can't be read; then the text stands for itself."""
    text = without_declarations(text).strip(_EDGE)
    try:
        return list(order_xml.orders(text)) if text.startswith("<") else _documents(text)
    except (order_xml.NotXml, MessageUnreadable):
        return []


def _written(item: object, sequence: int | None) -> bytes:
    """One of several messages, as JSON of its own."""
    plain = _plain(item, 0)
    try:
        raw = _ENCODER.encode({"sequence": sequence, "order": plain} if sequence is not None else plain)
    except (TypeError, OverflowError, RecursionError, ValueError) as error:
        raise MessageUnreadable("The message can't be kept as it came.") from error
    if len(raw) > MAX_MESSAGE_BYTES:
        raise MessageUnreadable(f"One order message is larger than {MAX_MESSAGE_BYTES // 1_000_000} MB.")
    return raw


def _remains(item: object, depth: int) -> str:
    """What can be shown of a message that can't be kept as it came. Its depths are left out: a message may be made so that
    writing it in full never ends."""
    if isinstance(item, Fields):
        inner = "…" if depth > 3 else ", ".join(f"{name[:200]!r}: {_remains(value, depth + 1)}" for name, value in item.pairs[:200])
        return f"{{{inner}}}"
    if isinstance(item, list):
        inner = "…" if depth > 3 else ", ".join(_remains(value, depth + 1) for value in item[:50])
        return f"[{inner}]"
    return repr(item[:1_000] if isinstance(item, str) else item)


_ENCODER = msgspec.json.Encoder(decimal_format="number")


def _plain(value: object, depth: int) -> object:
    if depth > 32:
        raise MessageUnreadable("The JSON is nested too deeply.")
    if isinstance(value, Fields):
        return {clean(name): _plain(inner, depth + 1) for name, inner in value.pairs}
    if isinstance(value, list):
        return [_plain(inner, depth + 1) for inner in value]
    if isinstance(value, str):
        return clean(value)
    return value
