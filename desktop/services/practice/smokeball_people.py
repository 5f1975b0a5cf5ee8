"""Who the links in Smokeball's matters are: contacts and staff, asked for together and remembered.

One call for each matter would take an hour for a firm's list. Contacts come by their ids, 500 a call (vendor docs, since
August 2026). A list of all contacts holds the other sides too and so never takes fewer calls; it is read only where the call by
ids is not there.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from desktop.services.errors import Refused
from desktop.services.practice.json_calls import Found, json_body, record, records
from desktop.services.practice.model import Staff
from desktop.services.practice.practice_system import Urgency
from desktop.services.practice.smokeball_calls import SmokeballCalls
from desktop.services.practice.smokeball_pages import PAGE, rows
from desktop.services.practice.smokeball_records import contact_name, flag, identifier, staff_member

MOST_NAMES = 200_000
_FEW = 3
_NAMES_LAST = timedelta(days=1)


class People:
    """Remembers at most `most` names. Safe to use from several threads."""

    def __init__(self, contacts: SmokeballCalls, staff: SmokeballCalls, *, most: int = MOST_NAMES) -> None:
        self._contacts = contacts
        self._staff_calls = staff
        self._most = most
        self._names: dict[str, str] = {}
        self._staff: dict[str, Staff] = {}
        self._no_batch = False
        self._asked_at: datetime | None = None
        self._lock = threading.Lock()

    def clients(self, ids: Iterable[str], urgency: Urgency) -> Mapping[str, str]:
        """Their names; one that Smokeball does not give (deleted, another firm's) has none. Raises what reads raise."""
        wanted = list(dict.fromkeys(ids))
        with self._lock:
            known = {key: self._names[key] for key in wanted if key in self._names}
        missing = [key for key in wanted if key not in known]
        if missing:
            found = dict.fromkeys(missing, "") | self._asked(missing, urgency)
            with self._lock:
                if len(self._names) + len(found) > self._most:
                    self._names.clear()
                if len(found) <= self._most:
                    self._names.update(found)
            known |= {key: found[key] for key in missing}
        return known

    def staff(self, ids: Iterable[str], urgency: Urgency) -> Mapping[str, Staff]:
        """Those of them who are the firm's staff. The list is read again when it lacks somebody."""
        wanted = set(ids)
        with self._lock:
            known = self._staff
        if wanted - known.keys():
            # Who is not in it now either stays unknown until somebody new turns up.
            known = {key: Staff(key, "") for key in wanted} | {one.id: one for one in self.all_staff(urgency, former=True)}
            with self._lock:
                self._staff = self._staff | known
        return {key: known[key] for key in wanted if known[key].name}

    def all_staff(self, urgency: Urgency, *, former: bool = False) -> tuple[Staff, ...]:
        """`former`: those who have left as well, since older matters still name them."""
        listed = rows(self._staff_calls, "staff", (), urgency)
        found = [staff_member(each) for each in listed if former or not flag(each, "former")]
        return tuple(one for one in found if one.id and one.name)

    def renew(self, now: datetime) -> None:
        """Forgets the names that were asked for more than a day ago: people marry, and companies are renamed."""
        with self._lock:
            if self._asked_at is not None and not timedelta() <= now - self._asked_at < _NAMES_LAST:
                self._names.clear()
                self._staff = {}
                self._asked_at = None
            self._asked_at = self._asked_at or now

    def _asked(self, ids: list[str], urgency: Urgency) -> dict[str, str]:
        found: dict[str, str] = {}
        for start in range(0, len(ids), PAGE):
            if self._no_batch:
                return found | self._without_batch(ids[start:], urgency)
            try:
                answer = record(self._contacts.ask("contacts/batch", json_body({"ids": list(ids[start : start + PAGE])}), urgency))
            except Refused as error:
                if error.status not in (404, 405):
                    raise
                self._no_batch = True
                return found | self._without_batch(ids[start:], urgency)
            found |= _named(records(answer.get("value") or []))
        return found

    def _without_batch(self, ids: list[str], urgency: Urgency) -> dict[str, str]:
        if len(ids) > _FEW:
            return _named(rows(self._contacts, "contacts", (), urgency))
        found: dict[str, str] = {}
        for key in ids:
            try:
                found |= _named([record(self._contacts.read(f"contacts/{key}", "", urgency))])
            except Refused as error:
                if error.status not in (400, 403, 404):
                    raise
        return found


def _named(contacts: Iterable[Found]) -> dict[str, str]:
    return {key: contact_name(each) for each in contacts if (key := identifier(each))}
