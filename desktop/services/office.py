"""One profile's services put together: what the command line and the windows call (desk.Desk).

Everything is opened by `open_office` and closed by `Office.close`. Rooms know each other by protocols only; this is the place
where they meet. No Qt.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from random import SystemRandom
from zoneinfo import ZoneInfo

from desktop.logs import crashes
from desktop.places import Places
from desktop.private_files import make_private
from desktop.services.background import Background
from desktop.services.book_desk import BookDesk
from desktop.services.delivery.courier import Courier, Report
from desktop.services.delivery.lanes import Lanes
from desktop.services.delivery.ports import ResultSource
from desktop.services.delivery.steady import SteadyClock
from desktop.services.delivery.turn import Turn
from desktop.services.delivery.until_idle import Idle
from desktop.services.delivery.until_idle import until_idle as until_idle_passes
from desktop.services.desk import (
    ActionFailed,
    ConnectionState,
    ConnectionView,
    InfoTrackView,
    MatterHit,
    NotConnected,
    OrderFilter,
    SignInSteps,
    Status,
    TypedResult,
)
from desktop.services.errors import ServiceError
from desktop.services.http import Http, Limits
from desktop.services.identity.model import ConnectionRecord
from desktop.services.identity.renewal import is_renewal_near, renewal
from desktop.services.identity.vendors import client_id_of
from desktop.services.identity.wallet import Identity
from desktop.services.infotrack import references, typed
from desktop.services.infotrack.credentials import Credentials
from desktop.services.infotrack.documents import Documents
from desktop.services.infotrack.feed import Feed
from desktop.services.infotrack.file_import import import_file
from desktop.services.infotrack.folder import DropFolder
from desktop.services.infotrack.ordering import LoginVerdict, Ordering
from desktop.services.infotrack.trusted import Trusted
from desktop.services.infotrack.unreadable import Unreadable
from desktop.services.ledger.errors import LedgerTrouble
from desktop.services.ledger.ledger import Ledger
from desktop.services.ledger.model import Delivery, DeliveryState, OrderView
from desktop.services.ledger.passed import uptime
from desktop.services.matter_advice import MatterAdvice
from desktop.services.matter_desk import MatterDesk
from desktop.services.order_desk import OrderDesk, WindowOptions
from desktop.services.plainly import plainly
from desktop.services.practice.directory import Directory
from desktop.services.practice.model import AccessFinding, CostCode, Finding, Matter
from desktop.services.practice_links import PracticeLinks
from desktop.services.practice_systems import title_of
from desktop.services.sign_in_process import SignInWindows
from desktop.services.window_books import WindowBooks
from desktop.settings import SYSTEMS, Settings, read_own, require_client

_log = logging.getLogger(__name__)

Tell = Callable[[str], None]

_LONGEST_END = 90.0
_SIGN_IN_FIRST = "No practice system is connected. Sign in: press the tray icon, or iconnect connect."


@dataclass(frozen=True, slots=True)
class Delivered:
    """How `Office.deliver` ended. `sentence` says what is left and why."""

    not_connected: bool = False
    needs_person: bool = False
    left: bool = False
    sentence: str = ""


def utc_now() -> datetime:
    return datetime.now(UTC)


def open_office(
    settings: Settings,
    platform_file: Path,
    where: Places,
    *,
    changed: Callable[[], None] = lambda: None,
    window: WindowOptions | None = None,
    proxy: Callable[[str], str | None] | None = None,
) -> Office:
    """Raises LedgerError when the ledger can't be trusted, NotNow when the profile's folder can't be written."""
    where.profile.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Office(settings, platform_file, where, changed=changed, window=window or WindowOptions(), proxy=proxy)


class Office:
    """Implements Desk. Safe to use from several threads; `close` when the program ends."""

    def __init__(
        self,
        settings: Settings,
        platform_file: Path,
        where: Places,
        *,
        changed: Callable[[], None],
        window: WindowOptions,
        proxy: Callable[[str], str | None] | None,
    ) -> None:
        self.settings = settings
        self.where = where
        self._file = platform_file
        self._changed = changed
        self._zone = ZoneInfo(settings.infotrack.timezone)
        random = SystemRandom()
        delivery = settings.delivery
        self._http = Http(
            limits=Limits(connect=delivery.connect_timeout_seconds, read=delivery.read_timeout_seconds),
            proxy=proxy,
        )
        # Longer than anything that is judged by time having passed: twice the quiet time is a system's that writes later.
        hold = timedelta(seconds=2 * delivery.quiet_seconds + 2 * delivery.reread_seconds + delivery.read_timeout_seconds)
        self._ledger = Ledger.open(
            where.ledger,
            clock=SteadyClock(hold),
            uptime=uptime,
            random=random,
            takeover=timedelta(minutes=settings.results.takeover_minutes),
            read_reference=lambda text: references.read(settings.infotrack.retailer_tag, text),
        )
        sign_in_windows = SignInWindows(
            where.profile,
            version=version("iconnect-desktop"),
            never_ports=lambda: self.settings.xero.redirect_ports,
            as_root_unsandboxed=window.as_root_unsandboxed,
        )
        self._identity = Identity(where.profile, lambda: self.settings, self._http, watch=sign_in_windows.watch)
        self._links = PracticeLinks(
            lambda: self.settings,
            self._http,
            self._identity,
            remember=self._ledger.remember,
            recall=self._ledger.recall,
            changed=changed,
        )
        with contextlib.suppress(OSError):  # the directory itself says what is wrong
            make_private(where.directory)
        self._matters = MatterDesk(Directory.open(where.directory, clock=utc_now), self._links, self._identity)
        self.advice = MatterAdvice(self._ledger, self._matters.directory, self._links)
        self._credentials = Credentials(where.profile / "infotrack.json", self._identity.secrets)
        trusted = Trusted(settings.infotrack.hosts, settings.infotrack.api_url)
        self._ordering = Ordering(self._http, self._credentials, trusted, retailer_tag=settings.infotrack.retailer_tag)
        self._unreadable = Unreadable(where.profile / "unreadable")
        self._result_sources = self._sources()
        documents = Documents(self._http, self._credentials, trusted)
        self._courier = Courier(
            self._ledger,
            connections=self._links,
            lookup=self._matters,
            sources=lambda: self._result_sources,
            documents=lambda: documents,
            settings=settings,
            read_reference=lambda text: references.read(settings.infotrack.retailer_tag, text),
            random=random,
            turn=Turn(where.profile),
            lanes=Lanes(),
            known_as=self._known_as,
        )
        self._orders = OrderDesk(
            lambda: self.settings,
            self._ordering,
            self._links,
            installation=self._ledger.installation,
            profile=where.profile,
            downloads=where.downloads,
            add_result=self.add_result,
            options=window,
            changed=self._changed,
        )
        self.book_desk = BookDesk(self._ledger, tenants=lambda: frozenset(self._links.connected()), zone=lambda: self._zone)
        self.books = WindowBooks(
            self.book_desk,
            self._ledger,
            where,
            platform_file,
            explained=self._explained,
            matter=self._matters.by_id,
            fetch=documents.fetch,
            region=lambda: self.settings.smokeball.region,
        )
        self._last = Report(utc_now())
        self._signed_in: frozenset[tuple[str, str, str]] = frozenset()
        self._signed_in = self._sign_ins()
        self.background: Background | None = None

    def use(self, settings: Settings) -> None:
        """Settings changed while the program runs: in force from the next pass on."""
        if changed := _changed_keys(self.settings, settings):
            self._note("changed settings", ", ".join(changed))
        self.settings = settings
        self._courier.settings = settings
        self._links.make_anew()
        self._result_sources = self._sources()
        self._wake(forgive=True)
        self._changed()

    def _sources(self) -> tuple[ResultSource, ...]:
        found: list[ResultSource] = []
        results = self.settings.results
        if results.folder:
            found.append(DropFolder(Path(results.folder), self._zone))
        if results.pull_url:
            found.append(Feed(self._http, results.pull_url, self._credentials, self._unreadable, self._zone))
        return tuple(found)

    def close(self) -> None:
        if self.background is not None:
            self.background.ask_to_stop()
        self._links.close()
        if self.background is not None:
            self.background.stop()
        self._orders.close()
        self._matters.directory.close()
        self._ledger.close()
        self._http.close()

    @property
    def invoice_columns(self) -> Mapping[str, str]:
        """How the supplier's invoice names its columns, as the person said. Raises SettingsError."""
        return read_own(self.where.own_settings).invoice_columns

    # what there is to see

    def status(self) -> Status:
        counts = self._ledger.counts()
        login = self._credentials.state()
        with plainly():
            return Status(
                installation=self._ledger.installation,
                connections=self._connections(),
                infotrack=InfoTrackView(login.state, login.user, login.problem),
                deliveries=counts,
                waiting_for_person=self._ledger.waiting_for_person(),
                matters=self._matters.directory.count(),
                refreshed_at=self._matters.directory.refreshed_at(),
                refreshing=self._matters.refreshing,
                budget=self._links.budgets(),
                notices=self._notices(),
                crash_reports=len(crashes(self.where.crashes)),
            )

    def _connections(self) -> tuple[ConnectionView, ...]:
        records = {record.system: record for record in self._identity.records()}
        set_up = (system for system in SYSTEMS if client_id_of(system, self.settings))
        systems = dict.fromkeys((self.settings.practice.system, *records, *set_up))
        return tuple(self._connection(system, records.get(system)) for system in systems)

    def _connection(self, system: str, record: ConnectionRecord | None) -> ConnectionView:
        title = title_of(system)
        if self._identity.connecting(system):
            return ConnectionView(system, title, ConnectionState.CONNECTING)
        if record is None:
            return ConnectionView(system, title, ConnectionState.DISCONNECTED)
        return ConnectionView(
            system,
            title,
            ConnectionState.ATTENTION if record.problem else ConnectionState.CONNECTED,
            tenant=record.tenant_name,
            user=record.user,
            since=record.since,
            problem=record.problem,
            cure=record.cure,
            offline=self._links.is_offline(system),
            renewal=renewal(record, self._zone),
            renew_soon=is_renewal_near(record, utc_now()),
        )

    def _notices(self) -> tuple[str, ...]:
        connections = self._connections()
        several = sum(view.state is not ConnectionState.DISCONNECTED for view in connections) > 1
        named = {view.system: f"{view.title}: " for view in connections if several}
        notices = [
            *self._ledger.notices(),
            *self._identity.notices(),
            *(f"{view.title}: {view.renewal}" for view in connections if view.renew_soon),
            *(f"{named.get(trouble.where, '')}{trouble.message}" for trouble in self._last.trouble),
        ]
        if count := self._unreadable.count():
            kept = self.where.profile / "unreadable"
            notices.append(f"{count} message{'' if count == 1 else 's'} from the feed could not be read and are kept in {kept}.")
        notices += filter(None, [self._orders.failure])
        if reports := crashes(self.where.crashes):
            times = "once" if len(reports) == 1 else f"{len(reports)} times"
            notices.append(f"iConnect ended unexpectedly {times}. For support, make a bundle: iconnect diagnostics FILE.zip")
        if self.background is not None and self.background.failure:
            notices.append(self.background.failure)
        return tuple(dict.fromkeys(notices))

    # matters

    def find_matters(self, text: str, limit: int = 50) -> tuple[MatterHit, ...]:
        return self._matters.find(text, limit)

    def find_or_ask(self, text: str, limit: int) -> tuple[MatterHit, ...]:
        return self._matters.find_or_ask(text, limit)

    def ask_for_matter(self, number: str) -> Matter | None:
        with plainly():
            return self._matters.ask_everywhere(number)

    def matter_by_number(self, number: str) -> Matter:
        with plainly():
            return self._matters.named(number)

    def refresh_matters(self) -> int:
        with plainly():
            if not self._links.connected():
                raise NotConnected(_SIGN_IN_FIRST)
            try:
                return self._matters.refresh()
            finally:
                # Where one system failed, the others' matters are there all the same.
                self._ledger.look_again()
                self._wake()
                self._links.keep_budgets()
                self._changed()

    # orders

    def order(self, matter: Matter) -> None:
        with plainly():
            self._orders.open(matter)
        self._matters.directory.note_use(matter)

    def order_and_wait(self, matter: Matter) -> None:
        """For the command line: stays until the window, of this process, is closed. Raises ActionFailed if it ends badly."""
        with plainly():
            window = self._orders.open(matter)
        self._matters.directory.note_use(matter)
        window.wait_closed()
        if window.failure:
            raise ActionFailed(window.failure)

    def orders(self, wanted: OrderFilter) -> tuple[OrderView, ...]:
        found = self._ledger.orders(
            matter=wanted.matter,
            order_id=wanted.order_id,
            state=wanted.state,
            waiting_for_person=wanted.waiting_for_person,
            limit=wanted.limit,
        )
        return self._explained(found)

    def _explained(self, views: Sequence[OrderView]) -> tuple[OrderView, ...]:
        """With the reason of every delivery that waits for a sign-in or a limit."""
        told = iter(self._courier.explained([delivery for view in views for delivery in view.deliveries]))
        return tuple(replace(view, deliveries=tuple(next(told) for _ in view.deliveries)) for view in views)

    def order_view(self, order_id: str) -> OrderView | None:
        view = self._ledger.order_view(order_id)
        if view is None:
            return None
        if view.matter_id:
            return self._explained([view])[0]
        message = self._ledger.latest_message(order_id)
        return view if message is None else self._ledger.order_view(order_id, self._matters.suggestions(message))

    def add_result(self, result: TypedResult) -> None:
        with plainly():
            self._matters.check_typed(result.matter_number)
            self._ledger.record([typed.incoming(result, self._zone)])
        self._plan()

    def import_results(self, files: Sequence[Path]) -> int:
        new, problems = 0, []
        for path in files:
            try:
                with plainly():
                    new += import_file(path, self._ledger, self._zone)
            except ActionFailed as error:
                problems.append(f"{path}: {error}")
        self._plan()
        if problems:
            raise ActionFailed(" ".join(problems))
        return new

    # deliveries

    def deliveries(self, *, matter: str = "", order_id: str = "", state: DeliveryState | None = None) -> tuple[Delivery, ...]:
        with plainly():
            return self._courier.explained(self._ledger.deliveries(matter=matter, order_id=order_id, state=state))

    def retry(self, key: str) -> None:
        self._act(lambda: self._ledger.retry(key))

    def approve(self, key: str) -> None:
        self._act(lambda: self._ledger.approve(key))

    def cancel(self, key: str) -> None:
        self._act(lambda: self._ledger.cancel(key))

    def move(self, order_id: str, matter: Matter) -> None:
        self._act(lambda: self._ledger.move(order_id, matter))

    def take_over(self, order_id: str) -> None:
        self._act(lambda: self._ledger.take_over(order_id))

    def _act(self, action: Callable[[], None]) -> None:
        with plainly():
            action()
        self._plan()

    def _plan(self) -> None:
        """What follows from a new message or a person's action is worked out at once; sending is the courier's."""
        with plainly():
            self._courier.plan_only()
        self._wake()
        self._changed()

    def deliver_now(self) -> None:
        self._wake(forgive=True)

    def _wake(self, *, forgive: bool = False) -> None:
        if self.background is not None:
            self.background.wake(forgive=forgive)

    def deliver(self, *, until_idle: bool, stopped: threading.Event, tell: Tell) -> Delivered:
        """For the command line: with no window, on this thread. Without `until_idle` it goes on until `stopped` is set."""
        with plainly():
            while True:
                if self._somebody_signed_in():
                    self._courier.forgive()
                idle = until_idle_passes(self._courier, utc_now, lambda until: _wait(until, stopped), stop=stopped.is_set)
                self._links.keep_budgets()
                if until_idle or stopped.is_set():
                    if self._courier.is_under_way() and self._courier.finish(_LONGEST_END):
                        idle = replace(idle, left=self._courier.left(), waiting_for_person=self._ledger.waiting_for_person())
                    return self._delivered(idle)
                stopped.wait(self.settings.results.poll_seconds)

    def _delivered(self, idle: Idle) -> Delivered:
        stopped = {trouble.where for trouble in idle.report.trouble if trouble.needs_person}
        if not any(system not in stopped for system, _ in self._links.connected()):
            return Delivered(not_connected=True)
        parts = [trouble.message for trouble in idle.report.trouble]
        if idle.waiting_for_person:
            parts.append(f"{idle.waiting_for_person} waiting for a person: iconnect deliveries")
        if idle.left:
            parts.append(f"{idle.left} left for later.")
        if idle.busy:
            parts.append("Another iConnect process is delivering.")
        return Delivered(
            needs_person=bool(idle.waiting_for_person), left=not idle.is_clean, sentence=" ".join(dict.fromkeys(parts)) or "Done."
        )

    # the tray's own

    def start_background(self) -> None:
        """Starts the courier and the refreshing of matters on threads of their own."""
        self.background = Background(self._courier, self._ledger, self._matters, self._links, self._passed, self._orders.running)

    def _passed(self, report: Report) -> None:
        before, self._last = self._last, report
        if report.did_something or report.trouble != before.trouble:
            self._links.keep_budgets()
            self._changed()
        if self._somebody_signed_in():
            self._changed()
            self.deliver_now()

    def _somebody_signed_in(self) -> bool:
        """True once after a sign-in, by whichever process: a command's is in a process of its own, and what rests here until
        somebody signs in would rest for good."""
        before, self._signed_in = self._signed_in, self._sign_ins()
        return bool(self._signed_in - before)

    def _known_as(self, system: str, tenant: str) -> str:
        """An organisation that may not be connected now, and who signed in to it last: its deliveries wait for that."""
        return self._ledger.recall(f"organisation {system} {tenant}") or ""

    def _keep_names(self, records: Sequence[ConnectionRecord]) -> None:
        for record in records:
            who = f" (last signed in: {record.user})" if record.user else ""
            name, text = f"organisation {record.system} {record.tenant}", f"{record.tenant_name} in {title_of(record.system)}{who}"
            with contextlib.suppress(LedgerTrouble):
                if self._ledger.recall(name) != text:
                    self._ledger.remember(name, text)

    def _sign_ins(self) -> frozenset[tuple[str, str, str]]:
        try:
            records = self._identity.records()
            self._keep_names(records)
            found = {(record.system, record.tenant, record.since.isoformat()) for record in records}
        except ServiceError:
            return self._signed_in  # it is noticed when the store can be read again
        login = self._credentials.state()
        if login.state is ConnectionState.CONNECTED:
            found.add(("infotrack", login.user, ""))
        return frozenset(found)

    # connections

    def connect(self, system: str, steps: SignInSteps) -> ConnectionView:
        require_client(self.settings, system, self._file)
        with plainly():
            self._identity.sign_in(system, steps)
            self._keep_names(self._identity.records())
        self._note("signed in", system)
        self._changed()
        self.deliver_now()
        return self._connection(system, self._identity.record(system))

    def scopes(self, system: str) -> tuple[str, ...]:
        """What signing in will ask the vendor for."""
        return self._identity.scopes(system)

    def sign_in_notices(self) -> tuple[str, ...]:
        """What is special about a sign-in, such as that it lasts only as long as this program runs."""
        return self._identity.notices()

    def lasts_for_this_process_only(self, system: str) -> bool:
        """No keyring could keep the sign-in."""
        record = self._identity.record(system)
        return record is not None and record.session_only

    def disconnect(self, system: str) -> str:
        with plainly():
            sentence = self._identity.disconnect(system)
        self._note("signed out", system)
        self._changed()
        return sentence

    def check_access(self, system: str) -> tuple[AccessFinding, ...]:
        practice = self._links.of(system)
        if practice is None:
            raise NotConnected(_SIGN_IN_FIRST)
        with plainly():
            findings = practice.check_access()
        missing = next((finding for finding in findings if finding.finding is Finding.MISSING), None)
        if missing is not None:
            self._identity.mark_problem(system, missing.message, missing.cure)
        self._changed()
        return findings

    def sign_in_to_infotrack(self, user: str, password: str) -> InfoTrackView:
        with plainly():
            check = self._ordering.check_login(user, password)
            if check.verdict is LoginVerdict.WRONG:
                return InfoTrackView(ConnectionState.ATTENTION, user, check.message)
            if check.verdict is not LoginVerdict.ACCEPTED:
                raise ActionFailed(check.message)
            problem = self._credentials.keep(user, password)
        self._note("signed in", "infotrack")
        self._changed()
        self.deliver_now()
        return InfoTrackView(ConnectionState.CONNECTED, user, problem)

    def sign_out_of_infotrack(self) -> None:
        with plainly():
            self._credentials.sign_out()
        self._note("signed out", "infotrack")
        self._changed()

    def _note(self, what: str, where: str) -> None:
        """For the trail (J3). A disk that is full keeps nobody from signing in or out."""
        with contextlib.suppress(LedgerTrouble):
            self._ledger.note(what, reason=where, by="person")

    def cost_codes(self, system: str) -> tuple[CostCode, ...]:
        practice = self._links.of(system)
        if practice is None:
            raise NotConnected(_SIGN_IN_FIRST)
        with plainly():
            return practice.cost_codes()


def _changed_keys(before: Settings, now: Settings) -> tuple[str, ...]:
    """Which keys differ, as the platform file calls them. Their values stay out of the trail."""
    pairs = ((section, getattr(before, section), getattr(now, section)) for section in now.__struct_fields__)
    return tuple(
        f"{section}.{key}" for section, old, new in pairs for key in new.__struct_fields__ if getattr(old, key) != getattr(new, key)
    )


def _wait(until: datetime, stopped: threading.Event) -> None:
    stopped.wait(max(0.0, (until - utc_now()).total_seconds()))
