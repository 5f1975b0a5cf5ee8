"""What the order window told, turned into a value that the desk takes. The window has touched the web, so nothing of it is believed
unread: a file must lie in the download folder, an amount must be one."""

from __future__ import annotations

import stat
from decimal import Decimal, InvalidOperation
from pathlib import Path

from desktop.services.desk import ActionFailed, TypedResult
from desktop.services.order_protocol import FeesTyped, OfferedToMatter

_MOST_TEXT = 200
_CENT = Decimal("0.01")
_MOST_AMOUNT = Decimal("99999.99")


def typed_result(event: FeesTyped | OfferedToMatter, *, matter_number: str, download_folder: Path) -> TypedResult:
    """The result that the person typed or offered. Raises ActionFailed with a sentence for `OrderWindowProcess.answer`."""
    order_id = event.order_id.strip()
    if not (order_id.isascii() and order_id.isdigit() and len(order_id) <= 18) or order_id.startswith("0"):
        raise ActionFailed("The order number is made of digits only, as InfoTrack shows it.")
    return TypedResult(
        order_id=order_id,
        matter_number=matter_number,
        service=_text(event.service),
        reference=_text(event.reference),
        retailer_fee=_amount(event.retailer_fee),
        retailer_gst=_amount(event.retailer_gst),
        supplier_fee=_amount(event.supplier_fee),
        supplier_gst=_amount(event.supplier_gst),
        file=_file(event.path, download_folder) if isinstance(event, OfferedToMatter) else None,
    )


def _text(text: str) -> str:
    return " ".join(text.split())[:_MOST_TEXT]


def _amount(text: str) -> Decimal | None:
    if not text:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or not 0 <= value <= _MOST_AMOUNT or value != value.quantize(_CENT):
        raise ActionFailed("An amount could not be read. Type it like 12.50.")
    return value.quantize(_CENT)


def _file(path: str, folder: Path) -> Path:
    """Only a plain file, directly in the folder: a window that was taken over must not name any other file of this person."""
    named = Path(path)
    try:
        inside = named.parent.resolve() == folder.resolve() and stat.S_ISREG(named.lstat().st_mode)
    except (OSError, ValueError):
        inside = False
    if not inside:
        raise ActionFailed("The saved file is no longer where it was saved. Save it again on the page.")
    return named
