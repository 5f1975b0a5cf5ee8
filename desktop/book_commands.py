"""The commands of the bookkeeper and the auditor: `reconcile` and `audit export` (contracts, section 2)."""

from __future__ import annotations

from pathlib import Path

import click

from desktop.commands import NEEDS_PERSON, Called, cli, json_option, office_of, put, put_json, say
from desktop.services.reconcile.comparison import Compared, Reconciliation, Sums, Verdict

_FILE = click.Path(dir_okay=False, path_type=Path)


@cli.command("reconcile")
@click.argument("file", metavar="FILE", type=_FILE)
@click.option("--export", "target", type=_FILE, metavar="CSV", help="Write the comparison to this file as well.")
@json_option
@click.pass_obj
def reconcile_command(called: Called, file: Path, target: Path | None, as_json: bool) -> None:
    """Compare the supplier's invoice (CSV or Excel) with what was posted.

    Its columns are named as in the order message (OrderId, ServiceName, RetailerFee, …, TotalFeeTotal); others are mapped in
    Settings. Ends with 1 when an order was never posted or differs."""
    with office_of(called) as office:
        found = office.book_desk.reconcile(file, office.invoice_columns)
        if target is not None:
            office.book_desk.export_reconciliation(found, target)
        if as_json:
            put_json(_as_json(found))
        else:
            _tell(found)
        for line in found.unread:
            say(f"Line {line.row} of {file.name} can't be read: {line.problem}")
    if found.needs_person:
        raise SystemExit(NEEDS_PERSON)


def _tell(found: Reconciliation) -> None:
    for order in found.orders:
        if order.verdict is not Verdict.MATCHED:
            about = f"{order.matter or '-':<12} {order.reason}"
            put(f"{order.order_id:<12} {order.verdict.value:<12} {order.difference:>10.2f}  {about}".rstrip())
    counts = ", ".join(f"{count} {verdict.value}" for verdict, count in found.counts.items() if count)
    put(f"{found.lines} lines: {counts or 'nothing'}")
    for side, name in (("invoiced", "Invoice"), ("posted", "Posted")):
        sums = found.totals(side)
        rest = f", told only with GST {sums['unknown']:.2f}" if sums["unknown"] else ""
        put(
            f"{name:<8} with GST {sums['taxed']:.2f}, without GST {sums['untaxed']:.2f}, GST {sums['gst']:.2f}{rest}, "
            f"in all {sums['total']:.2f}"
        )


def _as_json(found: Reconciliation) -> dict[str, object]:
    return {
        "lines": found.lines,
        "counts": {verdict.value: count for verdict, count in found.counts.items()},
        "orders": [_order(order) for order in found.orders],
        "unread": [{"row": line.row, "problem": line.problem} for line in found.unread],
        "totals": {side: {name: f"{sum_:.2f}" for name, sum_ in found.totals(side).items()} for side in ("invoiced", "posted")},
    }


def _order(order: Compared) -> dict[str, object]:
    return {
        "order_id": order.order_id,
        "verdict": order.verdict.value,
        "service": order.service,
        "matter": order.matter or None,
        "system": order.system or None,
        "invoiced": _sums(order.invoiced),
        "posted": _sums(order.posted),
        "difference": f"{order.difference:.2f}",
        "lines": order.lines,
        "rows": list(order.rows),
        "keys": list(order.keys),
        "reason": order.reason or None,
    }


def _sums(sums: Sums) -> dict[str, str | None]:
    return {
        "net": None if sums.net is None else f"{sums.net:.2f}",
        "gst": None if sums.gst is None else f"{sums.gst:.2f}",
        "total": f"{sums.total:.2f}",
    }


@cli.group()
def audit() -> None:
    """Who did what, when: for the auditor."""


@audit.command("export")
@click.argument("file", metavar="FILE.csv", type=_FILE)
@click.pass_obj
def audit_export(called: Called, file: Path) -> None:
    """Write who ordered what, what was charged, and what was posted where and when.

    A row for each cost and document goes to FILE.csv; each step with the hash that ties it to the one before goes to
    FILE-steps.csv. Ends with 1 when the trail was tampered with."""
    with office_of(called) as office:
        found = office.book_desk.export_audit(file)
    say(f"{found.deliveries} costs and documents: {file}")
    say(f"{found.steps} steps: {found.trail_file}")
    if found.purged is not None:
        say(found.purged.sentence())
    if found.bad_step is not None:
        say(
            f"The trail does not verify: step {found.bad_step} was changed, taken out or cut off. Keep both files and the profile "
            "folder as they are, and ask whoever looks after this PC who had access to it."
        )
        raise SystemExit(NEEDS_PERSON)
    say(f"The trail is whole. Its last hash, to be kept elsewhere: {found.head or 'none yet'}")
