"""An order's result that a person types in, for a firm without a feed or folder (`results add`).

It becomes a message like any other, under the order's own id, so that InfoTrack's own message for it later changes
nothing or posts a difference.
"""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from desktop.services.desk import TypedResult
from desktop.services.errors import BadAnswer
from desktop.services.infotrack import proof
from desktop.services.infotrack.fields import NotAnAmount, amount, whole_number
from desktop.services.infotrack.messages import read
from desktop.services.infotrack.model import Incoming, Source

MAX_FILE = 50_000_000
_NOTHING = Decimal("0.00")


class TypedResultWrong(Exception):
    """What was typed can't be an order's result. `str(error)` says what to correct."""


def incoming(result: TypedResult, zone: ZoneInfo) -> Incoming:
    """The message, with the file if one was named. The same input gives the same bytes. Raises TypedResultWrong.

    The message carries only what the person told: no date, no status. With a file, its FileHash is `typed-` and the
    start of the content's SHA-256."""
    order_id = whole_number(result.order_id)
    if not order_id:
        raise TypedResultWrong("The order id is InfoTrack's number of the order: digits only, greater than zero.")
    if not result.service.strip():
        raise TypedResultWrong("Enter the service, such as Title Search.")
    if not result.matter_number.strip():
        raise TypedResultWrong("Enter the number of the matter that the order belongs to.")
    told: dict[str, str] = {
        "OrderId": str(order_id),
        "ClientReference": result.matter_number.strip(),
        "ServiceName": result.service.strip(),
        "Reference": result.reference.strip(),
    }
    groups = {
        "Retailer": _group("retailer", result.retailer_fee, result.retailer_gst),
        "Supplier": _group("supplier", result.supplier_fee, result.supplier_gst),
    }
    if any(groups.values()):
        net = gst = _NOTHING
        for name, group in groups.items():
            group_net, group_gst = group or (_NOTHING, _NOTHING)
            told |= _told(name, group_net, group_gst)
            net, gst = net + group_net, gst + group_gst
        told |= _told("Total", net, gst)
    content = None
    if result.file is not None:
        content = _file(result.file)
        told["FileHash"] = "typed-" + hashlib.sha256(content).hexdigest()[:32]
    raw = json.dumps(told, ensure_ascii=False).encode("utf-8", errors="replace")
    return Incoming(
        message=read(raw, zone)[0],
        raw=raw,
        source=Source.TYPED,
        matter_number=result.matter_number.strip(),
        file_name=result.file.name if result.file is not None else "",
        file=content,
    )


def _told(name: str, net: Decimal, gst: Decimal) -> dict[str, str]:
    return {f"{name}Fee": str(net), f"{name}FeeGST": str(gst), f"{name}FeeTotal": str(net + gst)}


def _group(word: str, fee: Decimal | None, gst: Decimal | None) -> tuple[Decimal, Decimal] | None:
    try:
        net, tax = amount(fee), amount(gst)
    except NotAnAmount as error:
        raise TypedResultWrong(f"The {word} fee or its GST {error}. Enter dollars and cents, like 12.50.") from error
    if net is None and tax is None:
        return None
    if net is None:
        raise TypedResultWrong(f"There is a {word} GST without a {word} fee. Enter the fee without GST as well.")
    if tax and (tax < 0) != (net < 0):
        raise TypedResultWrong(f"The {word} fee and its GST have different signs. A credit has both negative.")
    return net, tax or _NOTHING


def _file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE + 1)
    except OSError as error:
        raise TypedResultWrong(f"The file can't be opened ({error.strerror or 'no access'}).") from error
    if len(content) > MAX_FILE:
        raise TypedResultWrong(f"The file is larger than {MAX_FILE // 1_000_000} MB.")
    try:
        proof.extension(content, _KINDS.get(path.suffix.lower(), ""), length_proved=True)
    except BadAnswer as error:
        raise TypedResultWrong(f"{error} Choose the file that InfoTrack gave.") from error
    return content


_KINDS = {".csv": "text/csv", ".txt": "text/plain", ".xls": "application/vnd.ms-excel"}
