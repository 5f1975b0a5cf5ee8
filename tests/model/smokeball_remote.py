"""Smokeball in the simulation: JSON whose writes are done after the yes or not at all, and files in two steps (vendor docs).

An expense has one price; what it cost is that price without the firm's markup. A file is an entry first (`slot` here), in the
list and without contents; what fills it goes to another server, by an address that lapses.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from desktop.settings import Settings
from tests.model.remote import Asked, Books, Entry, No, entry_of
from tests.model.weather import BucketLimit, Limit

KEY = "the-app's-key"
STORE = "files.example"
PAGE = 7
"""The server gives fewer rows at once than it is asked for."""
LAPSES_AFTER = 600.0
GIVEN_UP_AFTER = 7200.0
NEVER = 0.02
MOST_SHOWN_LATE = 60.0


class SmokeballSpelling:
    """Matters are addressed by their id, whose last piece is the number in this simulation, and the one before it the firm."""

    system = "smokeball"
    no_status = 400

    def __init__(self) -> None:
        self._made = 0
        self._markup = Decimal(0)
        self._included = False
        self.limit: Limit = BucketLimit(5.0, 5.0)

    def chosen(self, settings: Settings) -> Settings:
        self._markup = Decimal(str(settings.costs.markup_percent))
        self._included = settings.costs.amounts == "inc_gst"
        return msgspec.structs.replace(settings, smokeball=msgspec.structs.replace(settings.smokeball, api_key=KEY))

    def shows_after(self, chance: Random, *, calm: bool) -> float | None:
        """Most at once, some after a while, a few never: nobody is told of that."""
        what = chance.random()
        if what < NEVER and not calm:
            return None
        return chance.uniform(0.05, 0.5) if what < 0.5 else min(chance.expovariate(1 / 5.0), MOST_SHOWN_LATE)

    def asked(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, by: int) -> Asked:
        split = urlsplit(url)
        if split.hostname == STORE:
            assert (method, dict(headers)) == ("PUT", {"Content-Type": ""})
            return self._contents(split.path.strip("/").split("/"), body or b"", by)
        assert headers["x-api-key"] == KEY
        assert headers["authorization"].startswith("Bearer ")
        query = {name: told[0] for name, told in parse_qs(split.query).items()}
        match [method, *split.path.strip("/").split("/")]:
            case ["GET", "matters"]:
                return Asked("matters", "", "")
            case ["GET", "matters", matter]:
                return Asked("matter", *_place(matter))
            case ["GET", "matters", matter, "expenses"]:
                return replace(Asked("cost", *_place(matter)), whole=True, offset=int(query["Offset"]))
            case ["GET", "matters", matter, "documents", "files"]:
                return replace(Asked("document", *_place(matter)), whole=True, offset=int(query["Offset"]))
            case ["GET", "matters", matter, "documents", "files", file_id, "upload"]:
                return replace(Asked("slot", *_place(matter)), record=file_id)
            case ["POST", "matters", matter, "expenses"]:
                return self._expense(*_place(matter), body or b"", by)
            case ["POST", "matters", matter, "documents", "files"]:
                return self._slot(*_place(matter), body or b"", by)
        raise AssertionError(f"{method} {url}")

    # what is written

    def _id(self) -> str:
        self._made += 1
        return f"0f8a-{self._made:06}"

    def _expense(self, tenant: str, job: str, body: bytes, by: int) -> Asked:
        found = json.loads(body, parse_float=str, parse_int=str)
        price, tax, out = (Decimal(found[name]) for name in ("price", "tax", "outputTax"))
        assert found["quantity"] == "1"
        assert found["costType"] == "Hard"
        assert found["taxInclusive"] is self._included
        assert bool(tax) == bool(out) == (found["activityCode"] == "GST") or abs(price) < Decimal("0.12")
        assert all(amount == amount.quantize(Decimal("0.01")) for amount in (price, tax, out))
        told = {
            "Description": found["subject"],
            "Note": found["description"],
            "Quantity": "1",
            "UnitCost": str(self._without_markup(price)),
            "UnitPrice": str(price),
            "Code": found["activityCode"],
            "id": self._id(),
        }
        return Asked("cost", tenant, job, entry_of(told, "cost", tenant, job, by))

    def _without_markup(self, price: Decimal) -> Decimal:
        return (price * 100 / (100 + self._markup)).quantize(Decimal("0.01"), ROUND_HALF_UP)

    def _with_markup(self, amount: Decimal) -> Decimal:
        return (amount * (100 + self._markup) / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)

    def _slot(self, tenant: str, job: str, body: bytes, by: int) -> Asked:
        found = json.loads(body)
        further = found["fileAdditionalData"]
        told = {"Text": further["iconnect"], "name": found["fileName"], "id": self._id(), "further": json.dumps(further)}
        return Asked("slot", tenant, job, entry_of(told, "slot", tenant, job, by))

    def _contents(self, path: list[str], body: bytes, by: int) -> Asked:
        tenant, job, file_id, mark, made_at = path
        told = {"Text": mark, "Content": base64.b64encode(body).decode(), "slot": file_id, "made at": made_at}
        return Asked("document", tenant, job, entry_of(told, "document", tenant, job, by), apart=True)

    def says_no(self, entry: Entry, books: Books, now: float) -> No | None:
        """An address that has lapsed, and one whose entry was given up."""
        if entry.kind != "document":
            return None
        slot = books.record(entry.fields["slot"])
        if now - float(entry.fields["made at"]) > LAPSES_AFTER or (slot is not None and _given_up(slot, books, now)):
            return No(403, b"<Error><Code>AccessDenied</Code></Error>")
        return None

    # what is answered

    def yes(self, entry: Entry) -> int:
        return 200 if entry.kind == "document" else 202

    def done(self, entry: Entry, variant: int, now: float) -> bytes:
        """An id and a link, or one of the two."""
        key = entry.fields.get("id", "")
        if entry.kind == "document":
            return b""
        if entry.kind == "slot":
            return json.dumps({"fileId": key, "uploadUrl": _address(entry, now), "expiry": now + LAPSES_AFTER}).encode()
        link = {"id": key, "href": f"https://api.example/matters/x/expenses/{key}"}
        if variant < 2:
            link.pop(("id", "href")[variant])
        return json.dumps(link).encode()

    def listed(self, asked: Asked, entries: Sequence[Entry], books: Books, now: float) -> bytes:
        if asked.kind == "slot":
            return json.dumps({"uploadUrl": _address(entries[0], now)} if entries else {}).encode()
        if asked.kind == "matter":
            return json.dumps({"id": asked.job, "number": asked.job, "status": "Open"}).encode()
        if asked.kind == "document":
            filled = {one.fields["slot"]: one for one in entries if one.kind == "document"}
            rows = [self._file(one, filled.get(one.fields["id"]), books, now) for one in entries if one.kind == "slot"]
        else:
            rows = [self._shown(one) for one in entries]
        page = rows[asked.offset : asked.offset + PAGE]
        told: dict[str, Any] = {"value": page, "offset": asked.offset, "limit": PAGE, "size": len(rows)}
        if asked.offset + PAGE < len(rows):
            told["next"] = {"href": "https://api.example/next"}
        return json.dumps(told).encode()

    def _shown(self, one: Entry) -> dict[str, Any]:
        return {
            "id": one.fields["id"],
            "description": one.note,
            "subject": one.fields["Description"],
            "activityCode": one.code,
            "quantity": 1,
            "price": float(self._with_markup(one.amount)),
            "isBillable": True,
            "isDeleted": not one.alive,
        }

    @staticmethod
    def _file(slot: Entry, filled: Entry | None, books: Books, now: float) -> dict[str, Any]:
        return {
            "id": slot.fields["id"],
            "name": slot.fields["name"].removesuffix(".pdf"),
            "fileExtension": ".pdf",
            # Staff edit the mark; the rest of what was sent stays as it was.
            "additionalData": {**json.loads(slot.fields["further"]), "iconnect": slot.note},
            "dateCreated": datetime.fromtimestamp(1_770_000_000 + slot.landed, UTC).isoformat(),
            "isUploaded": filled is not None,
            "isCancelled": _given_up(slot, books, now),
            "isDeleted": filled is not None and not filled.alive,
        }

    def refused(self, reason: str) -> bytes:
        return json.dumps({"title": "Bad Request", "status": 400, "detail": reason, "errors": [{"message": reason}]}).encode()


def _place(matter: str) -> tuple[str, str]:
    tenant, _, job = matter.removeprefix("id-").rpartition("-")
    return tenant, job


def _address(slot: Entry, now: float) -> str:
    return f"https://{STORE}/{slot.tenant}/{slot.job}/{slot.fields['id']}/{slot.mark}/{now:.3f}"


def _given_up(slot: Entry, books: Books, now: float) -> bool:
    """Nobody filled it for hours."""
    return now - slot.landed > GIVEN_UP_AFTER and not books.is_filled(slot.fields["id"])
