"""Smokeball's interface: what can be read. Firm, staff, activity codes, matter types, contacts and matters."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from flask import Blueprint, g

from sandbox.clock import Clock
from sandbox.smokeball_answers import MOST, Problem, Query, answer, head, link, matches, order, paged, read_body
from sandbox.smokeball_firm import STATUSES, ActivityCode, Contact, Matter, MatterType, SmokeballFirm, Staff, iso, ticks
from sandbox.smokeball_gate import find_matter
from sandbox.switches import Switches

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

KINDS = frozenset({"staff", "person", "organisation", "groupofpeople", "trust"})


class MatterLists:
    """Matters as the lists ask for them, filtered and sorted: kept until something changes, for lists have many pages."""

    def __init__(self, firm: SmokeballFirm) -> None:
        self.firm = firm
        self._changes = -1
        self._kept: dict[tuple[object, ...], list[Matter]] = {}

    def find(self, query: Query) -> list[Matter]:
        """The matters that fit, in the order that was asked for; without one, by age."""
        with self.firm.lock:
            if self._changes != self.firm.changes or len(self._kept) > 20:
                self._kept.clear()
                self._changes = self.firm.changes
            key = query.key()
            if key not in self._kept:
                self._kept[key] = self._select(query)
            return self._kept[key]

    def _select(self, query: Query) -> list[Matter]:
        statuses = {status.lower() for status in query.all("Status")}
        unknown = statuses - {status.lower() for status in STATUSES}
        if unknown:
            raise Problem(400, "There is no such status.", ("Status", "not one of the five"))
        kinds = {part.strip().lower() for part in (query.one("Type") or "Matters").split(",")}
        if not kinds <= {"matters", "leads"}:
            raise Problem(400, "Type is Matters, Leads or both.", ("Type", "not a type of matter"))
        if query.one("Type") is None and query.flag("IsLead"):
            kinds = {"leads"}
        since, updated = query.since(), query.moment("LastUpdated")
        if since and updated is not None:
            raise Problem(400, "LastUpdated and UpdatedSince can't be used together.", ("LastUpdated", "not with UpdatedSince"))
        least = ticks(updated) if updated is not None else since
        words = (query.one("Search") or "").strip().casefold()
        kind, contact = query.one("MatterTypeId"), query.one("ContactId")
        found = [
            matter
            for matter in self.firm.matters.values()
            if ("leads" if matter.lead else "matters") in kinds
            and (not statuses or matter.status.lower() in statuses)
            and matter.updated >= least
            and (not kind or matter.matter_type == kind)
            and (not contact or contact in matter.clients or contact in matter.other_sides)
            and (not words or words in self._text(matter))
        ]
        by, downwards = order(query, "status", "lastupdated")
        if by == "status":
            found.sort(key=lambda matter: matter.status, reverse=downwards)
        else:
            found.sort(key=lambda matter: matter.updated, reverse=downwards)
        return found

    def _text(self, matter: Matter) -> str:
        people = [self.firm.contacts[each].name for each in (*matter.clients, *matter.other_sides)]
        return "\n".join((matter.number or "", matter.description, *people)).casefold()


def make_smokeball(clock: Clock, switches: Switches) -> Blueprint:
    """The calls that read. The gate must stand before them."""
    pages = Blueprint("smokeball", __name__)
    kept: list[MatterLists] = []
    dice = random.Random(2)

    def lists(firm: SmokeballFirm) -> MatterLists:
        if not kept or kept[0].firm is not firm:
            kept[:] = [MatterLists(firm)]
        return kept[0]

    @pages.get("/firm")
    def firm() -> ResponseReturnValue:
        return answer(firm_json(g.firm), switches)

    @pages.get("/firm/users")
    @pages.get("/firmusers")
    def users() -> ResponseReturnValue:
        """The newer path and the older one, which the vendor's description still has."""
        rows = [
            {**head(f"firmusers/{each.user_id}", each.user_id, "FirmUser"), **_user(each)} for each in g.firm.staff if each.user_id
        ]
        return answer(rows, switches)

    @pages.get("/staff")
    def staff() -> ResponseReturnValue:
        query = Query()
        terms, rates = query.all("Search"), "rate" in (query.one("Fields") or "").lower()
        rows = [each for each in g.firm.staff if all(matches(term, {"email": each.email, "name": each.name}) for term in terms)]
        return answer(paged(query, rows, lambda each: staff_json(each, rates=rates)), switches)

    @pages.get("/staff/<staff_id>")
    def staff_member(staff_id: str) -> ResponseReturnValue:
        found = [each for each in g.firm.staff if each.id == staff_id.lower()]
        if not found:
            raise Problem(404, "There is no such member of staff.")
        return answer(staff_json(found[0], rates=False), switches)

    @pages.get("/activitycodes")
    def codes() -> ResponseReturnValue:
        return answer(paged(Query(), g.firm.codes, code_json), switches)

    @pages.get("/activitycodes/<code_id>")
    def code(code_id: str) -> ResponseReturnValue:
        found = [each for each in g.firm.codes if each.id == code_id.lower()]
        if not found:
            raise Problem(404, "There is no such activity code.")
        return answer(code_json(found[0]), switches)

    @pages.get("/mattertypes")
    def matter_types() -> ResponseReturnValue:
        query = Query()
        name, place = (query.one("Name") or "").casefold(), query.one("Location") or ""
        rows = [each for each in g.firm.matter_types if name in each.name.casefold() and place in ("", each.location)]
        return answer(paged(query, rows, type_json), switches)

    @pages.get("/contacts")
    def contacts() -> ResponseReturnValue:
        query = Query()
        kinds, since, terms = {each.lower() for each in query.all("Type")}, query.since(), query.all("Search")
        if not kinds <= KINDS:
            raise Problem(400, "There is no such type of contact.", ("Type", "not a type of contact"))
        living = query.flag("ExcludeDeletedContacts")
        rows = [
            each
            for each in g.firm.contacts.values()
            if (not kinds or each.kind.lower() in kinds)
            and each.updated >= since
            and not (living and each.deleted)
            and all(matches(term, {"email": each.email, "phone": each.phone, "name": each.name}) for term in terms)
        ]
        by, downwards = order(query, "lastupdated")
        if by:
            rows.sort(key=lambda each: each.updated, reverse=downwards)
        return answer(paged(query, rows, contact_json), switches)

    @pages.get("/contacts/<contact_id>")
    def contact(contact_id: str) -> ResponseReturnValue:
        found = g.firm.contacts.get(contact_id.lower())
        if found is None:
            raise Problem(404, "There is no such contact.")
        return answer(contact_json(found), switches)

    @pages.post("/contacts/batch")
    def batch() -> ResponseReturnValue:
        ids = read_body().get("ids")
        if not isinstance(ids, list) or len(ids) > MOST or not all(isinstance(each, str) for each in ids):
            raise Problem(400, f"ids wants to be a list of at most {MOST} identifiers.", ("ids", "too many, or none"))
        found = [g.firm.contacts[each.lower()] for each in ids if each.lower() in g.firm.contacts]
        whole = {"id": None, "href": None, "relation": None, "method": "GET", "self": None}
        return answer({**whole, "value": [contact_json(each) for each in found]}, switches)

    @pages.get("/matters")
    def matters() -> ResponseReturnValue:
        query, current = Query(), g.firm
        rows = lists(current).find(query)
        page = paged(query, rows, matter_json)
        _stir(current, rows, int(str(page["offset"])) + len(page["value"]))  # type: ignore[arg-type]
        return answer(page, switches)

    def _stir(current: SmokeballFirm, rows: list[Matter], end: int) -> None:
        """While somebody pages, others work: some matters shown already and some not yet shown change, and so move."""
        for part in (rows[:end], rows[end:]) if switches.smokeball_moving_rows and end < len(rows) else ():
            for matter in dice.sample(part, min(len(part), switches.smokeball_moving_rows)):
                current.touch(matter, clock.now())

    @pages.get("/matters/<matter_id>")
    def matter(matter_id: str) -> ResponseReturnValue:
        found = find_matter(matter_id)
        return answer({**matter_json(found), "items": _items(found)}, switches)

    return pages


def firm_json(firm: SmokeballFirm) -> dict[str, object]:
    """The account."""
    return {
        **head("firm", firm.tenant_id, "Firm"),
        "versionId": "1",
        "owner": "Smokeball",
        "name": firm.name,
        "status": {"status": "Active", "statusMessage": None},
        "email": "office@kowhai-rata.example",
        "createdDate": iso(firm.created),
    }


def _user(member: Staff) -> dict[str, object]:
    return {"staffId": member.id, "userId": member.user_id, "isFormerUser": member.former}


def staff_json(member: Staff, *, rates: bool) -> dict[str, object]:
    """A member of the staff; the rate only for who asks for it."""
    return {
        **head(f"staff/{member.id}", member.id, "Staff"),
        "versionId": "1",
        "firstName": member.first_name,
        "lastName": member.last_name,
        "initials": (member.first_name[:1] + member.last_name[:1]).upper(),
        "email": member.email,
        "rate": member.rate if rates else None,
        "former": member.former,
        "enabled": bool(member.user_id),
        "userId": member.user_id or None,
    }


def code_json(code: ActivityCode) -> dict[str, object]:
    """An activity code, its tax rates as percentages."""
    return {
        **head(f"activitycodes/{code.id}", code.id, "Activity"),
        "versionId": "1",
        "type": code.kind,
        "description": code.description,
        "code": code.code,
        "isBillable": True,
        "rateType": 1 if code.rate != "0" else 0,
        "rate": float(code.rate),
        "quantity": 1.0,
        "taxInclusive": False,
        "taxExempt": code.tax_rate == "0",
        "taxZeroRated": False,
        "taxOutOfScope": False,
        "isDeleted": code.deleted,
        "inputTaxRate": float(code.tax_rate),
        "outputTaxRate": float(code.tax_rate),
    }


def type_json(kind: MatterType) -> dict[str, object]:
    """A type of matter."""
    return {
        **head(f"mattertypes/{kind.id}", kind.id, "MatterType"),
        "versionId": "1",
        "name": kind.name,
        "category": kind.category,
        "type": 1 if kind.lead else 0,
        "representativeOptions": [],
        "location": kind.location or None,
        "isDeleted": False,
    }


def contact_json(contact: Contact) -> dict[str, object]:
    """A contact: one envelope, with the person, company or group inside."""
    address = {
        "addressLine1": contact.street,
        "city": contact.city,
        "state": contact.state,
        "zipCode": contact.post_code,
        "country": contact.country,
    }
    phone = {"areaCode": contact.area_code or None, "number": contact.phone or None}
    inside: dict[str, Any] = {"person": None, "company": None, "trust": None, "groupOfPeople": None}
    if contact.kind == "Person":
        inside["person"] = {
            "firstName": contact.first_name or None,
            "lastName": contact.last_name,
            "email": contact.email or None,
            "phone": phone,
            "residentialAddress": address,
        }
    elif contact.kind == "Organisation":
        inside["company"] = {
            "name": contact.name,
            "email": contact.email or None,
            "phone": phone,
            "abn": contact.business_number or None,
            "companyNumber": contact.company_number or None,
            "businessAddress": address,
        }
    else:
        inside["groupOfPeople"] = {"people": [], "name": contact.name, "residentialAddress": address}
    return {
        **head(f"contacts/{contact.id}", contact.id, "Contact"),
        "externalSystemId": None,
        "versionId": str(contact.updated),
        **inside,
        "isDeleted": contact.deleted,
        "lastUpdated": contact.updated,
    }


def matter_json(matter: Matter) -> dict[str, object]:
    """A row of the matters: people are links, not names."""

    def people(ids: tuple[str, ...]) -> list[dict[str, object]]:
        return [link(f"contacts/{each}", each, "Contact") for each in ids]

    def of_staff(staff_id: str) -> dict[str, object] | None:
        return link(f"staff/{staff_id}", staff_id, "Staff") if staff_id else None

    return {
        **head(f"matters/{matter.id}", matter.id, "Matter"),
        "externalSystemId": None,
        "versionId": str(matter.updated),
        "number": matter.number,
        "title": matter.title,
        "matterType": link(f"mattertypes/{matter.matter_type}", matter.matter_type, "MatterType"),
        "clients": people(matter.clients),
        "otherSides": people(matter.other_sides),
        "description": matter.description,
        "status": matter.status,
        "personResponsible": of_staff(matter.responsible),
        "personAssisting": of_staff(matter.assisting),
        "originatingStaff": None,
        "supervisor": None,
        "clientCode": matter.client_code or None,
        "openedDate": None if matter.lead else iso(matter.opened),
        "closedDate": iso(matter.closed) if matter.closed is not None else None,
        "leadOpenedDate": iso(matter.opened) if matter.lead else None,
        "leadClosedDate": None,
        "isLead": matter.lead,
        "branch": None,
    }


def _items(matter: Matter) -> dict[str, object]:
    """The left-hand list of a matter: one role for each client."""
    roles = [{"type": "Role", "id": each, "name": "Client", "subItems": {}} for each in matter.clients]
    return {"Client": roles}
