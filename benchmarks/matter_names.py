"""Made-up Australian and New Zealand matters for measuring: seeded, so that two runs see the same firm. No real person or firm."""

from __future__ import annotations

import random
from collections.abc import Iterator

from desktop.services.practice.model import Matter, Staff

SYSTEM = "xero-practice-manager"
TENANT = "0f3c9d52-0000-4000-8000-0000000000aa"


def _listed(text: str, separator: str = " ") -> tuple[str, ...]:
    return tuple(text.split(separator))


_GIVEN = _listed(
    "Aroha Tāne Hēmi Māia Wiremu Ngaire Rāwiri Anahera Manaia Mereana Kahurangi Tūī Rangi Hinemoa Pāora Nguyên Thảo "
    "Đức Hương Minh Phượng Tuấn Lan Quỳnh Hải Giáp Ánh Bảo Chí Yiannis Eleni Konstantinos Despina Stavros Sofía José "
    "Zoë Chloé Renée André François Björn Søren Siobhán Seán Niamh Órla Ciarán Giuseppe Francesca Salvatore Giovanna "
    "Luca Chiara James John William Thomas George Charlotte Olivia Amelia Isla Mia Grace Ava Willow Harper Noah "
    "Oliver Jack Henry Theodore Leo Hudson Luca Isabella Matilda Margaret Patricia Susan Karen Helen Deborah Julie "
    "Anne Jennifer Michelle Nicole Rebecca Sarah Jessica Emily Lauren Hannah Sophie Bruce Graham Trevor Neville Kevin"
    " Barry Craig Darren Shane Wayne Scott Brett Dean Glenn Ross Stuart Malcolm Angus Hamish Callum Fergus Priya "
    "Arjun Rajesh Sunita Harpreet Gurpreet Mohammed Fatima Yusuf Aisha Omar Layla Wei Xiu Jun Mei Hiroshi Yuki Sanjay"
    " Deepak Lakshmi Tevita Sione Mele Losa"
)

_FAMILY = _listed(
    "Smith Jones Williams Brown Wilson Taylor Johnson White Martin Anderson Thompson Thomas Walker Nguyen Harris Lee "
    "Ryan Robinson Kelly King Davis Wright Evans Roberts Green Hall Wood Jackson Clarke Patel Khan Lewis James "
    "Phillips Mason Mitchell Rose Davies Rodriguez Cox Alexander Garden Campbell Johnston Moore Smyth O'Brien O’Neill"
    " O'Sullivan O’Connor O'Shea D’Angelo D'Amico D’Souza Dell'Oro L'Estrange McDonald MacDonald McKenzie McLeod "
    "McPherson MacGregor McCarthy McAllister Macpherson Fitzgerald Fitzpatrick Papadopoulos Papadopoulou Georgiou "
    "Nikolaidis Karagiannis Konstantinou Stavropoulos Christodoulou Vlahos Tzannes Trần Lê Phạm Huỳnh Hoàng Võ Đặng "
    "Bùi Đỗ Hồ Ngô Dương Lý Tūhoe Ngāta Pōmare Tāmihana Hēnare Te Rangihīroa Parāone Wharerangi Rāpana Tāwhiri Kāretu"
    " Māhuta Ruatapu Kingi Takahashi Rossi Russo Ferrari Esposito Bianchi Romano Colombo Ricci Marino Greco Bruno "
    "Gallo Conti De Luca Costa Giordano Mancini Rizzo Lombardi Moretti Müller Schröder Weiß Jørgensen Sørensen Łukasz"
    " Novák Dvořák Kovačević Petrović Horvat Babić Singh Kaur Sharma Gupta Kumar Reddy Chaudhary Chen Wang Zhang Liu "
    "Huang Zhao Zhou Wu Xu Tanaka Suzuki Kim Park Choi Abdullah Haddad Khoury Saad Nasser Abernethy Ainsworth "
    "Atkinson Bainbridge Balmoral Beauchamp Blackwood Bradshaw Brathwaite Calloway Carruthers Chamberlain "
    "Cholmondeley Crawford Cunningham Dalrymple Davenport Drummond Dunstan Eastwood Ellsworth Fairbanks Farquhar "
    "Featherstone Galbraith Gillespie Goodwin Hargreaves Hathaway Hawthorne Henderson Higginbotham Holloway Huxley "
    "Ingram Jamieson Kensington Kirkpatrick Lancaster Lockhart Mainwaring Merriweather Montgomery Nightingale "
    "Northcote Ogilvie Osborne Pemberton Pettigrew Prendergast Quigley Radcliffe Ramsbottom Rutherford Sinclair "
    "Somerville Stapleton Sutherland Tattersall Thistlethwaite Underwood Vandenberg Wainwright Weatherby Whitaker "
    "Winterbottom Yarwood"
)

_TRADE = _listed(
    "Plumbing Electrical Building Roofing Joinery Landscapes Civil Earthmoving Transport Logistics Freight Motors "
    "Automotive Panelbeaters Orchards Vineyards Dairy Farms Pastoral Shearing Fisheries Seafoods Bakery Café "
    "Restaurant Catering Brewing Distillery Pharmacy Dental Physiotherapy Optical Veterinary Medical Imaging Legal "
    "Consulting Advisory Wealth Insurance Realty Property Developments Constructions Homes Interiors Design "
    "Architects Engineering Surveying Software Digital Analytics Media Studios Events Travel Tours Hotels Fitness "
    "Surf Marine Boats Aviation Mining Resources Energy Solar Recycling Waste Cleaning Security Recruitment Education"
    " Childcare Tutoring Books Toys Fashion Apparel Jewellery Furniture Flooring Tiles Kitchens Glass Steel Timber "
    "Concrete Quarries Nurseries Florist Bikes"
)

_FIRST = _listed(
    "Southern Northern Coastal Harbour Pacific Tasman Alpine Kauri Rimu Tōtara Pōhutukawa Kōwhai Banksia Wattle "
    "Waratah Jacaranda Eucalypt Ironbark Redgum Mulga Boab Bilby Kookaburra Magpie Lorikeet Brolga Jabiru Kererū Tūī "
    "Kea Kākāpō Weka Moana Aotearoa Matariki Rangitoto Waitematā Taranaki Wānaka Ōtaki Whakatāne Taupō Manawatū "
    "Kāpiti Hawke's Kaikōura Gippsland Barossa Kimberley Pilbara Illawarra Riverina Mallee Otway Grampians Daintree "
    "Whitsunday Noosa Byron Bondi Manly Fremantle Cottesloe Glenelg Hobart Launceston Ballarat Bendigo Geelong "
    "Mildura Wagga Dubbo Tamworth Armidale Toowoomba Cairns Townsville Mackay Rockhampton Bundaberg Gympie Silver "
    "Golden Crimson Azure Emerald Sapphire Granite Basalt Summit Horizon Beacon Compass Anchor Keystone Cornerstone "
    "Pinnacle Vanguard Apex Zenith Quantum Fusion Nova Orion Lyra Vega Altair Phoenix Griffin Falcon Kestrel Osprey "
    "Condor Albatross Dolphin Marlin Stingray Wombat"
)

_JOBS = _listed(
    "{fy} Annual Accounts|{fy} Income Tax Return|{fy} Financial Statements|BAS {quarter} {year}|GST Return {month} "
    "{year}|{fy} SMSF Audit|{fy} FBT Return|Monthly Bookkeeping {year}|Payroll {year}|Company Incorporation|ASIC "
    "Annual Review {year}|Trust Deed Amendment|Discretionary Trust Establishment|Conveyance of {address}|Purchase of "
    "{address}|Sale of {address}|Lease - {address}|{address} - Refinance|Subdivision {address}|Estate of "
    "{person}|Estate {person} - Probate|Will & Power of Attorney - {person}|{person} v {family}|{family} + {family} "
    "Property Settlement|Family Law - {person}|Employment Dispute ({person})|Debt Recovery - {company}|Share Sale "
    "Agreement: {company}|Shareholders' Agreement|Due Diligence – {company}|Caveat on {address}|Mortgage Discharge "
    "{address}|Tax Planning {year}|Valuation for {person}|Business Succession Plan|Voluntary Liquidation|Restructure "
    "{year}|R&D Claim {fy}",
    "|",
)

_STREET = _listed(
    "Queen King George Victoria Albert Elizabeth Collins Bourke Lambton Cuba Ponsonby Dominion Karangahape Willis "
    "Molesworth Riccarton Moorhouse Colombo Hereford Hagley Crown Oxford Pitt Flinders Swanston Lygon Brunswick "
    "Chapel Toorak Hay Murray Rundle Hindley Adelaide Ann Edward Parramatta Anzac Botany Military Pittwater Ōrākei "
    "Tāmaki Remuera Manukau Hobson Nelson Fanshawe Beaumont Banksia Acacia Grevillea Wattle"
)

_STREET_KIND = _listed("Street Road Avenue Terrace Parade Crescent Lane Drive Place Highway St Rd Ave")
_SUBURB = _listed(
    "Ponsonby Remuera Epsom Parnell Newtown Karori Petone Riccarton Fendalton Merivale Mosman Bondi Manly Newtown "
    "Glebe Carlton Fitzroy Richmond Toorak Prahran Subiaco Nedlands Claremont Norwood Unley Glenelg Toowong "
    "Paddington Ashgrove Bulimba Sandy_Bay Battery_Point"
)
_MONTH = _listed("January February March April May June July August September October November December")
_STAFF = _listed(
    "Sam Reid|Lee Park|Kim Ode|Aroha Tui|Máire O'Donnell|Đức Trần|Priya Nair|Jean-Luc Moreau|Zoë Katsaros|Wiremu "
    "Pōtae|Sarah McIntyre|Tom Ng|Anna D’Arcy|Hēmi Walker|Grace Liu|Ben Fa'asavalu|Nicola Bianchi|Raj Patel|Emma van "
    "der Berg|Olivia Chan|Jack Smythe|Mere Parata|Louise St. John|Viktor Kovač|Hannah Weiß|Callum Fraser|Yuki "
    "Sato|Tessa Blackwood|Omar Haddad|Ingrid Sørensen",
    "|",
)


_SYLLABLES = (
    _listed("Al Bar Cor Dun Er Fal Gar Hol Is Jar Kel Lan Mor Nar Os Pen Quin Ros Sal Tor Ul Ver Wes Yar Zan"),
    _listed("a e i o u an en ic or il am ab ed el in on ur"),
    ("", "", "", "be", "da", "ki", "lo", "mi", "ra", "su", "te", "wa"),
    _listed("bury dale field ford ham land ley man mont ner rick shaw son stein ston ton vale well wick worth"),
)


class Firm:
    """One made-up firm. The same seed gives the same matters."""

    def __init__(self, seed: int = 26) -> None:
        self._random = random.Random(seed)
        self.staff = tuple(
            Staff(id=f"5af0{number:04d}", name=name, email=f"{number}@firm.example") for number, name in enumerate(_STAFF, 1)
        )

    def family(self) -> str:
        chosen = self._random
        name = chosen.choice(_FAMILY)
        if chosen.random() < 0.3:
            # Invented names from syllables, since a firm's vocabulary is far larger than any list here.
            name = "".join(chosen.choice(part) for part in _SYLLABLES)
        return f"{name}-{chosen.choice(_FAMILY)}" if chosen.random() < 0.06 else name

    def person(self) -> str:
        chosen = self._random
        middle = f" {chosen.choice(_GIVEN)}" if chosen.random() < 0.3 else ""
        return f"{chosen.choice(_GIVEN)}{middle} {self.family()}"

    def address(self) -> str:
        chosen = self._random
        unit = f"{chosen.randint(1, 40)}/" if chosen.random() < 0.3 else ""
        suburb = f", {chosen.choice(_SUBURB).replace('_', ' ')}" if chosen.random() < 0.7 else ""
        return f"{unit}{chosen.randint(1, 480)} {chosen.choice(_STREET)} {chosen.choice(_STREET_KIND)}{suburb}"

    def company(self) -> str:
        chosen = self._random
        end = chosen.choice(
            ("Pty Ltd", "Pty Ltd", "Pty Limited", "Ltd", "Limited", "Group Pty Ltd", "Holdings Ltd", "(NZ) Limited", "& Co")
        )
        shape = chosen.randrange(7)
        if shape == 0:
            return f"{self.family()} & Sons {end}"
        if shape == 1:
            return f"{self.family()} {chosen.choice(_TRADE)} {end}"
        if shape == 2:
            return f"{chosen.choice(_FIRST)} {chosen.choice(_TRADE)} {end}"
        if shape == 3:
            return f"{chosen.choice(_FIRST)} {self.family()} {chosen.choice(_TRADE)} {end}"
        if shape == 4:
            return f"{self.family()} + {self.family()} {chosen.choice(_TRADE)} {end}"
        if shape == 5:
            return f"{self.family()}, {self.family()} and {self.family()}"
        return f"{chosen.choice(_FIRST)} {chosen.choice(_FIRST)} {chosen.choice(_TRADE)} {end}"

    def client(self) -> str:
        chosen = self._random
        shape = chosen.random()
        if shape < 0.5:
            return self.company()
        if shape < 0.72:
            return self.person()
        if shape < 0.8:
            return f"The {self.family()} Family Trust"
        if shape < 0.86:
            return f"{self.family()} Super Fund"
        if shape < 0.9:
            return f"{self.company()} as trustee for the {self.family()} Trust"
        family = self.family()
        return f"{chosen.choice(_GIVEN)} & {chosen.choice(_GIVEN)} {family}"

    def job(self) -> str:
        chosen = self._random
        year = chosen.randint(2022, 2027)
        return chosen.choice(_JOBS).format(
            fy=f"FY{year - 2000}",
            year=year,
            quarter=f"Q{chosen.randint(1, 4)}",
            month=chosen.choice(_MONTH),
            address=self.address(),
            person=self.person(),
            family=self.family(),
            company=self.company(),
        )

    def matters(self, count: int) -> Iterator[Matter]:
        """`count` matters, numbered upwards, with about three and a half to a client."""
        chosen = self._random
        clients = [self.client() for _ in range(max(1, count * 2 // 7))]
        for number in range(1, count + 1):
            client = chosen.randrange(len(clients))
            yield Matter(
                system=SYSTEM,
                tenant=TENANT,
                id=f"{chosen.getrandbits(32):08x}-0000-4000-8000-{number:012d}",
                number=f"J{number:06d}",
                name=self.job(),
                client=clients[client],
                client_id=f"a1b2c3d4-0000-4000-8000-{client:012d}",
                state=chosen.choice(("Planned", "In Progress", "In Progress", "On Hold", "Review")),
                staff=tuple(chosen.sample(self.staff, chosen.randint(1, 3))),
            )
