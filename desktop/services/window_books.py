"""What the windows ask of the books (books.Books): the bookkeeper's desk, long lists, files, and the bundle for support."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from desktop.places import Places
from desktop.private_files import open_private
from desktop.services.book_desk import BookDesk, written
from desktop.services.books import AuditAnswer, AuditFiles, OrderQuery, OrderSums, Preview, TrailCheck, TrailStep
from desktop.services.desk import ActionFailed
from desktop.services.errors import ServiceError
from desktop.services.infotrack.model import FetchedFile
from desktop.services.ledger import order_lists
from desktop.services.ledger.ledger import Ledger
from desktop.services.ledger.model import DeliveryKind, OrderView
from desktop.services.ledger.purged import Purged, purged
from desktop.services.ledger.sealing import first_bad_link
from desktop.services.ledger.wording import with_extension
from desktop.services.plainly import plainly
from desktop.services.practice.considerate import considerate
from desktop.services.practice.model import Matter
from desktop.services.practice_addresses import job_address
from desktop.services.practice_systems import title_of
from desktop.services.preview import preview
from desktop.services.reconcile.comparison import Reconciliation
from desktop.services.reconcile.invoice import BadInvoice, headings
from desktop.services.tables import write_table
from desktop.settings import SettingsError, read_own, write_own

if TYPE_CHECKING:
    from desktop.services.support_bundle import Bundle

Explain = Callable[[Sequence[OrderView]], tuple[OrderView, ...]]

_KEPT_OPEN_SECONDS = 24 * 3600
_ORDERS = (
    "order", "service", "reference", "matter", "system", "ordered by", "ordered at", "started", "state of the costs",
    "state of the documents", "fee ex GST", "GST", "fee inc GST", "posted ex GST", "posted GST", "remark",
)  # fmt: skip


class WindowBooks:
    """Implements Books. `explained` gives orders with the reasons that only the courier knows; `matter` looks in the local
    copy; `fetch` gets a result file from InfoTrack; `zone_text` writes a moment as the firm's own time."""

    def __init__(
        self,
        desk: BookDesk,
        ledger: Ledger,
        where: Places,
        platform_file: Path,
        *,
        explained: Explain,
        matter: Callable[[str, str], Matter | None],
        fetch: Callable[[str], FetchedFile],
        region: Callable[[], str],
    ) -> None:
        self._desk = desk
        self._ledger = ledger
        self._where = where
        self._file = platform_file
        self._explained = explained
        self._matter = matter
        self._fetch = fetch
        self._region = region

    # orders

    def list_orders(self, wanted: OrderQuery) -> tuple[str, ...]:
        with plainly(), considerate(), self._ledger.reading() as db:
            return order_lists.listed(db, wanted)

    def sum_orders(self, wanted: OrderQuery) -> OrderSums:
        with plainly(), considerate(), self._ledger.reading() as db:
            return order_lists.summed(db, wanted)

    def orders_by_id(self, order_ids: Sequence[str]) -> tuple[OrderView, ...]:
        with plainly(), considerate():
            with self._ledger.reading() as db:
                found = order_lists.by_id(db, tuple(order_ids), self._ledger.now())
            return self._explained(found)

    def export_orders(self, wanted: OrderQuery, file: Path) -> int:
        table: list[tuple[object, ...]] = []
        with plainly(), self._ledger.reading() as db:
            order_lists.each(db, wanted, self._ledger.now(), lambda order: table.append(self._row(order)))
        return written(file, lambda: write_table(file, _ORDERS, table))

    def _row(self, order: OrderView) -> tuple[object, ...]:
        costs = [one for one in order.deliveries if one.kind is DeliveryKind.COST]
        posted = [one for one in costs if one.state.value == "confirmed" and one.amount is not None]
        documents = [one for one in order.deliveries if one.kind is DeliveryKind.DOCUMENT]
        net = None if order.total is None or order.gst is None else order.total - order.gst
        return (
            order.order_id, order.service, order.reference, order.matter_number, title_of(order.system) if order.system else "",
            order.ordered_by, self._desk.firms_time(order.ordered_at or order.first_seen_at), order.origin.value,
            ", ".join(dict.fromkeys(one.state.value for one in costs)),
            ", ".join(dict.fromkeys(one.state.value for one in documents)),
            net, order.gst, order.total, sum((one.amount for one in posted if one.amount is not None), 0) if posted else None,
            sum((one.gst for one in posted if one.gst is not None), 0) if posted else None,
            " ".join(dict.fromkeys(filter(None, (order.reason, *(one.reason for one in order.deliveries))))),
        )  # fmt: skip

    def previews(self, wanted: OrderQuery) -> tuple[Preview, ...]:
        with plainly(), considerate():
            with self._ledger.reading() as db:
                postings = order_lists.approvable(db, wanted)
                ids = tuple(dict.fromkeys(one.order_id for one in postings))
                orders = {view.order_id: view for view in order_lists.by_id(db, ids, self._ledger.now())}
            return tuple(
                preview(one, orders.get(one.order_id), self._matter(one.place.system, one.place.matter_id)) for one in postings
            )

    def document(self, key: str) -> Path:
        with plainly():
            posting = self._ledger.posting(key)
            if posting is None or posting.kind is not DeliveryKind.DOCUMENT:
                raise ActionFailed(f"There is no document {key}.")
            kept = self._ledger.body(key)
            if (kept is None or not kept[1]) and posting.file_message is not None:
                kept = self._ledger.typed_file(posting.file_message) or kept
            name, content = kept if kept is not None else (posting.file_name or posting.title, b"")
            if not content and posting.download_url:
                try:
                    fetched = self._fetch(posting.download_url)
                except ServiceError as error:
                    raise ActionFailed(f"No copy is kept on this PC, and InfoTrack did not give it again. {error}") from error
                name, content = with_extension(name or key, fetched.extension), fetched.content
        if not content:
            where = title_of(posting.place.system) if posting.place.system else "the practice system"
            raise ActionFailed(f"No copy of it is kept on this PC any more. Open it in {where}.")
        return self._put(posting.key, name or f"{key}.pdf", content)

    def _put(self, key: str, name: str, content: bytes) -> Path:
        """For a viewer's eyes, in a folder of the person's own; what lay there for a day goes. Each document has its own
        place: versions of one document mostly have one name."""
        folder = self._where.profile / "opened"
        own = folder / key
        try:
            for made in (folder, own):
                made.mkdir(mode=0o700, parents=True, exist_ok=True)
                made.chmod(0o700)
            for old in folder.rglob("*"):
                with contextlib.suppress(OSError):
                    if time.time() - old.stat().st_mtime > _KEPT_OPEN_SECONDS:
                        old.unlink()
            for empty in folder.iterdir():
                with contextlib.suppress(OSError):
                    if empty != own:
                        empty.rmdir()
            file = own / (Path(name).name or "document.pdf")
            if not (file.is_file() and file.read_bytes() == content):  # a viewer may hold it
                with open_private(file) as out:
                    out.write(content)
        except OSError as error:
            raise ActionFailed(f"The document can't be put on this PC's disk ({error.strerror or error}).") from error
        return file

    def job_address(self, system: str, matter_id: str) -> str:
        return job_address(system, matter_id, region=self._region())

    # the supplier's invoice

    def invoice_columns(self) -> Mapping[str, str]:
        try:
            return read_own(self._where.own_settings).invoice_columns
        except SettingsError as error:
            raise ActionFailed(str(error)) from error

    def keep_invoice_columns(self, columns: Mapping[str, str]) -> None:
        own = self._where.own_settings
        try:
            write_own(own, msgspec.structs.replace(read_own(own), invoice_columns=dict(columns)))
        except SettingsError as error:
            raise ActionFailed(str(error)) from error
        except OSError as error:
            raise ActionFailed(f"The settings could not be stored ({error.strerror or error}).") from error

    def invoice_headings(self, file: Path) -> tuple[str, ...]:
        try:
            return headings(file)
        except BadInvoice as error:
            raise ActionFailed(str(error)) from error

    def reconcile(self, file: Path, columns: Mapping[str, str] | None = None) -> Reconciliation:
        with plainly(), considerate():
            return self._desk.reconcile(file, self.invoice_columns() if columns is None else columns)

    def export_reconciliation(self, found: Reconciliation, file: Path) -> int:
        return self._desk.export_reconciliation(found, file)

    # the trail

    def audit(self, order_id: str) -> AuditAnswer:
        wanted = order_id.strip()
        with plainly(), considerate(), self._ledger.reading() as db:
            found = order_lists.by_id(db, (wanted,), self._ledger.now())
            lines, steps = order_lists.lines_of(db, wanted), order_lists.steps_of(db, wanted)
        return AuditAnswer(wanted, found[0] if found else None, lines, steps)

    def trail_page(self, before: int | None, limit: int) -> tuple[TrailStep, ...]:
        with plainly(), considerate(), self._ledger.reading() as db:
            return order_lists.steps_before(db, before, limit)

    def check_trail(self) -> TrailCheck:
        with plainly(), self._ledger.reading() as db:
            bad = first_bad_link(db)
            steps, head = order_lists.trail_head(db)
            taken_out = purged(db)
            span = order_lists.trail_span(db)
        kept = steps if taken_out is None else steps - taken_out.last
        return TrailCheck(kept, bad, head, _said(taken_out), *(span or ()))

    def export_trail(self, file: Path) -> AuditFiles:
        with plainly():
            done = self._desk.export_audit(file)
        return AuditFiles(done.deliveries, done.steps, file, done.trail_file, done.bad_step, done.head, _said(done.purged))

    # support

    def gather_diagnostics(self) -> Bundle:
        from desktop.services.diagnostics import gather

        return gather(str(self._file), self._where, os.environ)

    def save_diagnostics(self, bundle: Bundle, file: Path) -> None:
        from desktop.services.diagnostics import done_with

        written(file, lambda: bundle.save(file))
        done_with(self._where)


def _said(taken_out: Purged | None) -> str:
    return "" if taken_out is None else taken_out.sentence()
