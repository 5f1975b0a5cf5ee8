"""An invoice held against the books: every case a bookkeeper meets."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.services.reconcile.comparison import Known, Posted, Verdict, reconcile
from desktop.services.reconcile.invoice import Invoice, InvoiceLine, Unread

D = Decimal
DAY = date(2026, 5, 14)


def line(order: str = "1", net: str = "10.00", gst: str = "1.00", row: int = 2, on: date | None = DAY) -> InvoiceLine:
    return InvoiceLine(row, order, D(net) + D(gst), D(net), D(gst), service="Title", on=on)


def posted(order: str = "1", net: str = "10.00", gst: str = "1.00", n: int = 1, state: str = "stands", **more: object) -> Posted:
    one = Posted(
        order,
        f"IT-{order}-T-{n}",
        D(net),
        D(gst),
        state == "stands",
        state == "moving",
        "J1",
        "xero-practice-manager",
        "t1",
        on=DAY,
    )
    return replace(one, **more)  # type: ignore[arg-type]


L, P = line, posted

CASES = {
    "the same": ([L()], [P()], Verdict.MATCHED, ""),
    "split on the invoice": ([L(net="4.00", gst="0.40"), L(net="6.00", gst="0.60", row=3)], [P()], Verdict.MATCHED, ""),
    "split in the books": ([L()], [P(net="4.00", gst="0.40"), P(net="6.00", gst="0.60", n=2)], Verdict.MATCHED, ""),
    "never posted": ([L()], [], Verdict.MISSING, "no order with this number"),
    "held here": (
        [L()],
        [P(state="held", reason="No matter found.")],
        Verdict.MISSING,
        "waits for a person here: open the order, and approve it, mend what is said there, or move it. No matter found.",
    ),
    "on its way": ([L()], [P(state="moving")], Verdict.UNDER_WAY, "confirmed"),
    "price went up": ([L(net="12.00", gst="1.20")], [P()], Verdict.DIFFERENT, "The invoice has $2.20 more than the books."),
    "price went down": ([L(net="8.00", gst="0.80")], [P()], Verdict.DIFFERENT, "$2.20 less"),
    "difference held": (
        [L(net="12.00", gst="1.20")],
        [P(), P(net="2.00", gst="0.20", n=2, state="held")],
        Verdict.DIFFERENT,
        "waits for a person",
    ),
    "difference on its way": (
        [L(net="12.00", gst="1.20")],
        [P(), P(net="2.00", gst="0.20", n=2, state="moving")],
        Verdict.UNDER_WAY,
        "",
    ),
    "only the GST differs": ([L(net="10.10", gst="0.90")], [P()], Verdict.DIFFERENT, "GST in them does not"),
    "credited in full": (
        [L(), L(net="-10.00", gst="-1.00", row=3)],
        [P(), P(net="-10.00", gst="-1.00", n=2)],
        Verdict.CREDITED,
        "",
    ),
    "credit not posted": ([L(), L(net="-4.00", gst="-0.40", row=3)], [P()], Verdict.DIFFERENT, "4.40 less"),
    "a credit waits": (
        [L()],
        [P(), P(net="-1.00", gst="-0.10", n=2, state="held")],
        Verdict.DIFFERENT,
        "further line is on its way",
    ),
    "moved, the old line still stands": ([L()], [P(old_matter=True), P(n=2)], Verdict.MATCHED, "still to be undone"),
    "told only with GST": ([replace(L(), net=None, gst=None)], [P()], Verdict.MATCHED, ""),
    "held without a matter": (
        [L()],
        [P(state="held", matter="", system="", tenant="")],
        Verdict.MISSING,
        "waits for a matter here: open the order and choose one",
    ),
    "only what was left behind by a move": ([L()], [P(old_matter=True)], Verdict.MISSING, "No cost of it stands at its matter."),
    "another firm's": ([L()], [P(tenant="t2")], Verdict.ANOTHER_FIRMS, "not signed in"),
}


@pytest.mark.parametrize("name", CASES)
def test_each_case_gets_its_verdict_and_its_reason(name: str) -> None:
    lines, ours, verdict, reason = CASES[name]
    found = reconcile(Invoice(tuple(lines)), ours, tenants=frozenset({("xero-practice-manager", "t1")}))
    assert [order.verdict for order in found.orders] == [verdict]
    assert reason in found.orders[0].reason
    assert (found.orders[0].reason == "") == (reason == "") or verdict is Verdict.UNDER_WAY
    assert found.needs_person == (verdict in (Verdict.MISSING, Verdict.DIFFERENT))


@pytest.mark.parametrize(
    ("known", "told", "to_look_at"),
    [
        (Known(), "iConnect has no order with this number. Was it ordered on the web site or on another PC?", False),
        (Known(orders=frozenset({"2"})), "post the cost by hand", False),
        (Known(orders=frozenset({"1"})), "InfoTrack has told iConnect of no fee for it", True),
        (Known(orders=frozenset({"1"}), without_matter=frozenset({"1"})), "Open the order and choose its matter", True),
        (Known(orders=frozenset({"1"}), given_up=frozenset({"1"})), "Its cost was given up here. Open the order", True),
    ],
)
def test_a_missing_one_says_what_to_do_by_what_this_pc_knows(known: Known, told: str, to_look_at: bool) -> None:
    """Complaint 3: a row that only says «missing» helps nobody on."""
    (order,) = reconcile(Invoice((line(),)), [], known=known).orders
    assert (order.verdict, order.known) == (Verdict.MISSING, to_look_at)
    assert told in order.reason


def test_thousands_are_told_as_money_is_everywhere() -> None:
    (order,) = reconcile(Invoice((line(net="2000.00", gst="200.00"),)), [posted()]).orders
    assert order.reason == "The invoice has $2,189.00 more than the books."


def test_what_was_posted_in_the_invoices_days_and_is_not_on_it_is_extra() -> None:
    ours = [posted("1"), posted("2"), posted("3", on=date(2026, 6, 1)), posted("4", state="moving"), posted("5", tenant="t2")]
    found = reconcile(Invoice((line("1"),)), ours, tenants=frozenset({("xero-practice-manager", "t1")}))
    assert [(order.order_id, order.verdict) for order in found.orders] == [("1", Verdict.MATCHED), ("2", Verdict.EXTRA)]
    assert found.orders[1].difference == D("-11.00")
    assert not found.needs_person


def test_without_days_on_the_invoice_nothing_is_called_extra() -> None:
    found = reconcile(Invoice((line("1", on=None),)), [posted("1"), posted("2")])
    assert [order.order_id for order in found.orders] == ["1"]


def test_a_line_that_could_not_be_read_needs_a_person() -> None:
    assert reconcile(Invoice((line(),), (Unread(3, "It names no order."),)), [posted()]).needs_person


def test_totals_are_told_by_gst() -> None:
    lines = (
        line("1"),
        line("2", net="20.00", gst="0.00"),
        line("3", net="26.00", gst="0.60"),
        replace(line("4"), net=None, gst=None),
    )
    totals = reconcile(Invoice(lines), []).totals("invoiced")
    assert totals == {"taxed": D("16.00"), "untaxed": D("40.00"), "gst": D("1.60"), "unknown": D("11.00"), "total": D("68.60")}


cents = st.integers(-50_000, 50_000).map(lambda value: D(value) / 100)


@given(nets=st.lists(cents, min_size=1, max_size=6), cut=st.integers(0, 6))
def test_however_the_sum_is_cut_into_lines_equal_sums_agree(nets: list[Decimal], cut: int) -> None:
    lines = tuple(InvoiceLine(row, "1", net, net, D(0)) for row, net in enumerate(nets, start=2))
    ours = [posted(net=str(sum(part, D("0.00"))), gst="0.00", n=n) for n, part in enumerate((nets[:cut], nets[cut:]), start=1)]
    assert reconcile(Invoice(lines), ours).orders[0].verdict in (Verdict.MATCHED, Verdict.CREDITED)
    off = [*ours, posted(net="0.01", gst="0.00", n=3)]
    assert reconcile(Invoice(lines), off).orders[0].verdict is Verdict.DIFFERENT
