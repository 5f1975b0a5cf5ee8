"""What can be ordered, and for how much. Prices are ours; the mixture of taxed and untaxed fees is the point."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Fees:
    """Ex GST and GST, of the service fee (retailer) and of the government's or other supplier's fee."""

    retailer: Decimal
    retailer_gst: Decimal
    supplier: Decimal
    supplier_gst: Decimal

    @property
    def total(self) -> Decimal:
        """All with GST."""
        return self.retailer + self.retailer_gst + self.supplier + self.supplier_gst

    @property
    def gst(self) -> Decimal:
        """Both GST amounts."""
        return self.retailer_gst + self.supplier_gst

    def with_changes(self, values: dict[str, Decimal]) -> Fees:
        """Other amounts for the named parts."""
        return replace(self, **values)

    def negated(self) -> Fees:
        """The same as a credit."""
        return Fees(-self.retailer, -self.retailer_gst, -self.supplier, -self.supplier_gst)


NO_FEES = Fees(Decimal("0.00"), Decimal("0.00"), Decimal("0.00"), Decimal("0.00"))


@dataclass(frozen=True, slots=True)
class Service:
    """A product. `asks` is the label of what is searched; `entry` the entry points that lead to it; `children` makes it a package;
    `size` is about the size of its PDF in bytes; `factor` stretches the delay."""

    code: str
    name: str
    state: str
    billing_type: str
    asks: str
    example: str
    fees: Fees
    entry: tuple[str, ...] = ()
    children: tuple[str, ...] = ()
    size: int = 3_000
    factor: float = 1.0


def _fees(retailer: str, retailer_gst: str, supplier: str, supplier_gst: str) -> Fees:
    return Fees(Decimal(retailer), Decimal(retailer_gst), Decimal(supplier), Decimal(supplier_gst))


TITLE, COMPANY = "Title reference", "Company number (ACN)"

SERVICES = {
    service.code: service
    for service in (
        Service(
            "nsw-title",
            "Title Search",
            "NSW",
            "NSW Titles/Plans",
            TITLE,
            "12/90001",
            _fees("6.00", "0.60", "15.28", "0.00"),
            ("nsw/search",),
        ),
        Service(
            "vic-title",
            "Title Search",
            "VIC",
            "VIC Titles/Plans",
            TITLE,
            "8123/456",
            _fees("6.00", "0.60", "7.10", "0.71"),
            ("victoria/search",),
        ),
        Service(
            "qld-title",
            "Title Search",
            "QLD",
            "QLD Titles/Plans",
            TITLE,
            "12RP90001",
            _fees("6.00", "0.60", "20.00", "0.00"),
            ("queensland/search",),
        ),
        Service(
            "act-title",
            "Title Search",
            "ACT",
            "ACT Titles/Plans",
            TITLE,
            "1234:56",
            _fees("6.00", "0.60", "31.00", "0.00"),
            ("act/search",),
        ),
        Service(
            "wa-title",
            "Title Search",
            "WA",
            "WA Titles/Plans",
            TITLE,
            "1234-567",
            _fees("6.00", "0.60", "28.20", "0.00"),
            ("wa/search",),
        ),
        Service(
            "sa-title",
            "Title Search",
            "SA",
            "SA Titles/Plans",
            TITLE,
            "CT 5123/456",
            _fees("6.00", "0.60", "31.75", "3.18"),
            ("sa/search",),
        ),
        Service(
            "nt-title",
            "Title Search",
            "NT",
            "NT Titles/Plans",
            TITLE,
            "123 456",
            _fees("6.00", "0.60", "22.00", "0.00"),
            ("nt/search/index",),
        ),
        Service(
            "tas-title",
            "Title Search",
            "TAS",
            "TAS Titles/Plans",
            TITLE,
            "12345/1",
            _fees("6.00", "0.60", "33.66", "0.00"),
            ("tasmania/search",),
        ),
        Service("asic-current", "ASIC Current Extract", "", "ASIC", COMPANY, "000000019", _fees("5.50", "0.55", "10.00", "0.00")),
        Service(
            "asic-historical",
            "ASIC Current & Historical Extract",
            "",
            "ASIC",
            COMPANY,
            "000000019",
            _fees("7.50", "0.75", "20.00", "0.00"),
        ),
        Service(
            "bankruptcy",
            "Bankruptcy Search",
            "",
            "Insolvency",
            "Name of the person",
            "Aroha Tui",
            _fees("0.00", "0.00", "15.00", "0.00"),
        ),
        Service(
            "nsw-planning",
            "Planning Certificate s10.7(2)&(5)",
            "NSW",
            "NSW Certificates",
            "Lot and plan",
            "Lot 12 DP 90001",
            _fees("18.00", "1.80", "174.00", "0.00"),
            ("nswenquiries/search",),
            factor=3,
        ),
        Service(
            "vic-water",
            "Water Certificate",
            "VIC",
            "VIC Certificates",
            "Address",
            "8 Wattle Ct",
            _fees("12.00", "1.20", "26.36", "2.64"),
            factor=2,
        ),
        Service(  # the council's fee holds 12.00 of taxed work: GST is neither 0 nor 10 %
            "qld-rates",
            "Council Rates Certificate",
            "QLD",
            "QLD Certificates",
            "Address",
            "8 Wattle Ct",
            _fees("10.00", "1.00", "92.00", "1.20"),
            ("qldenquiries/search",),
            factor=2,
        ),
        Service(
            "plans",
            "Plan Bundle (large file)",
            "NSW",
            "NSW Titles/Plans",
            "Plan number",
            "DP 90001",
            _fees("9.00", "0.90", "12.00", "0.00"),
            size=3_500_000,
        ),
        Service(
            "package",
            "Conveyancing Pack",
            "QLD",
            "Packages",
            "Lot and plan",
            "12RP90001",
            NO_FEES,
            children=("qld-title", "asic-current", "bankruptcy"),
        ),
    )
}


def by_entry_point(path: str) -> Service | None:
    """The service whose page an entry point opens; None leads to the home page."""
    wanted = path.split("?")[0].strip("/").lower()
    return next((service for service in SERVICES.values() if wanted in service.entry), None)
