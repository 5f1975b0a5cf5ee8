"""The body of the mapping call: a matter told in InfoTrack's words (member names: seen in public client code).

Everything is text, empty members are left out, and nothing is sent that is only guessed: a field that is missing costs a
person some typing, a wrong one costs a search.
"""

from __future__ import annotations

from desktop.services.infotrack import parties, property_address
from desktop.services.infotrack.fields import clean
from desktop.services.practice.model import ClientDetails, Matter

type_of_body = dict[str, object]

# Title search by state, as one integration had them in 2020; an order page that has moved shows its home page instead.
_TITLE_SEARCH = {
    "NSW": "Nsw/Search",
    "VIC": "Victoria/Search",
    "QLD": "Queensland/search",
    "ACT": "ACT/Search",
    "WA": "WA/Search",
    "SA": "SA/Search",
    "NT": "NT/Search/Index",
    "TAS": "Tasmania/search",
}


def body(matter: Matter, client: ClientDetails | None, retailer_reference: str) -> type_of_body:
    """What to POST. `State` stays out on purpose: it changes the page that opens."""
    told: type_of_body = {"ClientReference": _text(matter.number), "RetailerReference": retailer_reference}
    address = property_address.find(matter.name, matter.description)
    if address is not None:
        told["EntryPoint"] = _TITLE_SEARCH[address.state]
        told["PropertyDetails"] = [_property(address, property_address.lot_plan(matter.name, matter.description))]
    told |= _client(client or ClientDetails(id=matter.client_id, name=matter.client))
    return told


def _property(address: property_address.PropertyAddress, lot: property_address.LotPlan | None) -> type_of_body:
    found: type_of_body = {
        "PropertyAddress": _filled(
            UnitFlatShopNumber=address.unit,
            StreetNumber=address.number,
            StreetNumberTo=address.number_to,
            StreetName=address.street,
            StreetType=address.street_type,
            Suburb=address.suburb,
            State=address.state,
            PostCode=address.post_code,
        )
    }
    if lot is not None:
        found["LotPlans"] = [_filled(Lot=lot.lot, PlanType=lot.plan_type, PlanNumber=lot.plan)]
    return found


def _client(client: ClientDetails) -> type_of_body:
    name = _text(client.name)
    if parties.is_company(name, acn=client.acn):
        told = _filled(Name=name, AcnOrAbn=client.acn or client.abn, Acn=client.acn, Abn=client.abn)
        return {"Organisations": [told]} if told else {}
    human = parties.person(name)
    if human is not None:
        return {"Individuals": [_filled(Title=human.title, GivenName=human.given, GivenName2=human.given2, Surname=human.surname)]}
    if client.abn:
        return {"Organisations": [_filled(Name=name, AcnOrAbn=client.abn, Abn=client.abn)]}
    return {}


def _filled(**members: str) -> dict[str, str]:
    return {name: _text(value) for name, value in members.items() if _text(value)}


def _text(value: str) -> str:
    return " ".join(clean(value).split())[:500]
