"""A seed's whole world: InfoTrack, the practice system's books, the line, the PCs' disks and clocks, and people.

Single thread; everything that happens follows from the seed and the options. What happened is a trace whose digest is the same
for every run of the same seed.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from desktop.services.errors import AnswerLost, BadAnswer, NotSent
from desktop.services.http import Answer
from desktop.services.infotrack.model import Fee, OrderMessage
from desktop.services.ledger.errors import ActionRefused, LedgerTrouble
from desktop.services.practice.model import Matter
from desktop.settings import Costs, Delivery, Practice, Results, Settings
from tests.model.checker import Amount, Judgement, Told, judge
from tests.model.desk_pc import START, Crash, Feed, Files, Matters, Pc, Seat, WallClock, content_of
from tests.model.remote import Asked, Books, Entry
from tests.model.spellings import SPELLINGS
from tests.model.weather import LATE, READS, WRITES, Fate, Lands, Lateness, drawn

HOUR = 3600.0
TIME_OUT = 60.0
LOOKED_WITHIN = 75.0
"""A PC reads before it sends; between the two it may wait its turn for so long."""
FEES: tuple[tuple[str, str], ...] = (
    ("0.00", "0.00"), ("6.00", "0.60"), ("7.29", "0.73"), ("14.50", "1.45"), ("120.00", "12.00"),
    ("20.00", "0.00"), ("31.05", "0.00"), ("0.55", "0.00"), ("20.00", "2.00"), ("9.90", "0.99"),
)  # fmt: skip
PARTLY = ("50.00", "3.00")
NO, NO_CREDITS = "The job is closed.", "A cost can't be negative."
PAGE = b"<!DOCTYPE html><html><body>Sign in to the guest network</body></html>"


@dataclass(frozen=True, slots=True)
class Options:
    """What is the same for all seeds of a run. `late_share`: so many of the sends, besides what the weather brings, have their
    answer lost and land late. `steady`: a clock that is set forward is followed only after a while."""

    system: str = "xero-practice-manager"
    quiet: float = 180.0
    reread: float = 30.0
    lateness: Lateness = field(default_factory=Lateness)
    steps: int = 22
    orders: int = 26
    late_share: float = 0.0
    steady: bool = True
    jumps: bool = True


@dataclass
class World:
    seed: int
    options: Options
    seats: list[Seat]
    keep_trace: bool = False
    trace: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)
        chance = self.chance
        self._digest = hashlib.sha256()
        self.true = 0.0
        self.spelling = SPELLINGS[self.options.system]()
        self.books = Books(landing=self._landing)
        self.doubles: list[str] = []
        self.races = 0
        self.bodies: dict[tuple[int, str, str], bytes] = {}
        self.changed_bodies: list[str] = []
        self.shown: set[tuple[int, str]] = set()
        self.said_no: set[tuple[int, str]] = set()
        self.untrue: dict[str, None] = {}
        self.orders: dict[str, Told] = {}
        self.latest: dict[str, OrderMessage] = {}
        self.feed: list[OrderMessage] = []
        self.on_its_way: list[OrderMessage] = []
        self.last_read: dict[tuple[int, str, str, str], float] = {}
        self.trouble = chance.choice((0.02, 0.05, 0.1, 0.2, 0.35))
        self.lag = chance.choice((0.0, 0.0, 5.0, 20.0))
        self.limits = chance.random() < 0.3
        self.burst: list[Fate] = []
        self.calm = False
        self.nested = False
        pcs = 2 if chance.random() < 0.25 else 1
        tenants = ("firm-1", "firm-2") if pcs == 1 and chance.random() < 0.3 else ("firm-1",)
        self.matters = [
            Matter(self.spelling.system, tenant, f"id-{tenant}-J{n:03}", f"J{n:03}", f"Matter {n}")
            for tenant in tenants
            for n in range(1, chance.randint(2, 5))
        ]
        self.takes_credits = chance.random() < 0.8 or pcs > 1
        self.markup = chance.choice((0.0, 0.0, 10.0))
        settings = Settings(
            practice=Practice(system=self.spelling.system),  # type: ignore[arg-type]  # the register's names are the settings'
            costs=Costs(
                code_taxed="GST",
                code_untaxed="FREE",
                amounts=chance.choice(("ex_gst", "ex_gst", "inc_gst")),
                review=chance.choice(("never", "never", "never", "differences", "always")),
                markup_percent=self.markup,
            ),
            results=Results(takeover_minutes=30),
            delivery=Delivery(quiet_seconds=self.options.quiet, reread_seconds=self.options.reread),
        )
        self.settings = self.spelling.chosen(settings)
        takeover = timedelta(minutes=30) if pcs > 1 or chance.random() < 0.3 else timedelta()
        self.pcs: list[Pc] = []
        for index in range(pcs):
            self.pcs.append(
                Pc(
                    index, self.seats[index], WallClock(), Random(chance.random()), self.settings, takeover, self.spelling.system,
                    tenants, Matters(self.matters), Feed(self.feed, self.chance), Files(self.chance), self.carry, self.pass_time,
                    self.options.steady,
                )
            )  # fmt: skip

    # the trace

    def note(self, text: str) -> None:
        line = f"{self.true:.3f} {text}"
        self._digest.update(line.encode())
        if self.keep_trace:
            self.trace.append(line)

    def digest(self) -> str:
        return self._digest.hexdigest()

    # time

    def pass_time(self, seconds: float) -> None:
        self.true += seconds
        for pc in self.pcs:
            pc.clock.true = self.true

    # the line

    def carry(self, pc: Pc, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """One request, from the PC to its end."""
        if pc.dead:
            raise Crash
        chance = self.chance
        asked = self.spelling.asked(method, url, headers, body, pc.index)
        self.counts["calls"] += 1
        if asked.entry is not None:
            asked.entry.sent = self.true
        if len(self.pcs) > 1 and not self.nested and not self.calm and chance.random() < 0.05:
            self._meanwhile(pc)
        fate: Fate | None = None
        if not self.calm:
            fates = READS if asked.entry is None else WRITES
            wanted = [one for one in self.burst if one in fates]
            if wanted:
                fate = wanted[0]
                self.burst.remove(fate)
            elif asked.entry is not None and self.options.late_share and chance.random() < self.options.late_share:
                fate = chance.choice(LATE)
            elif chance.random() < self.trouble:
                fate = drawn(chance, fates)
        self.pass_time(chance.uniform(0.05, 0.4))
        self.books.settle(self.true)
        answer = self._limited(asked) if fate is None else None
        if answer is None:
            answer = self._read(pc, asked, fate) if asked.entry is None else self._write(pc, asked, asked.entry, body or b"", fate)
        self.pass_time(chance.uniform(0.02, 0.3))
        if 400 <= answer.status < 500 or (answer.status == 200 and answer.body in map(self.spelling.refused, (NO, NO_CREDITS))):
            self.said_no.add((pc.index, asked.entry.mark if asked.entry is not None else asked.job))
        return answer

    def _meanwhile(self, pc: Pc) -> None:
        """The other PC works while this one waits for its answer."""
        other = self.pcs[1 - pc.index]
        if other.asleep:
            return
        self.nested = True
        try:
            self.one_pass(other)
        finally:
            self.nested = False

    def _limited(self, asked: Asked) -> Answer | None:
        if not self.limits or asked.apart:
            return None
        met = self.spelling.limit.met(self.true)
        if met is None:
            return None
        self.counts["429"] += 1
        return Answer(429, met, b"")

    def _headers(self) -> dict[str, str]:
        if not self.limits:
            return {}
        return self.spelling.limit.told(self.true)

    def _read(self, pc: Pc, asked: Asked, fate: Fate | None) -> Answer:
        as_of = self.true
        if fate is None and self.lag and not self.calm and self.chance.random() < 0.1:
            as_of -= self.chance.uniform(0, self.lag)
        if fate is not None and fate.answer == "stale":
            as_of -= self.chance.uniform(0, 20.0)
            fate = None
        if fate is not None:
            return self._other_answer(pc, asked, fate, b"")
        shown = self.books.listed(asked, as_of)
        self.note(f"{pc.index} reads {asked.kind}s of {asked.job}: {[(one.serial, one.note) for one in shown]}")
        self.shown.update((pc.index, one.mark) for one in shown)
        self.last_read[pc.index, asked.tenant, asked.job, asked.kind] = as_of
        if asked.record and not shown:
            return Answer(404, self._headers(), self.spelling.refused("There is no such record."))
        return Answer(200, self._headers(), self._listed(asked, shown))

    def _listed(self, asked: Asked, shown: Sequence[Entry]) -> bytes:
        return self.spelling.listed(asked, shown, self.books, self.true)

    def _write(self, pc: Pc, asked: Asked, entry: Entry, body: bytes, fate: Fate | None) -> Answer:
        self.counts["sends"] += 1
        entry.looked = self.last_read.get((entry.by, entry.tenant, entry.job, entry.kind), -1.0)
        before = self.bodies.setdefault((pc.index, entry.kind, entry.mark), body)
        if before != body:
            self.changed_bodies.append(entry.mark)
        if entry.kind == "cost" and entry.amount < 0 and not self.takes_credits:
            self.note(f"{pc.index} sends {entry.mark} to {asked.job}: no credits here")
            return Answer(self.spelling.no_status, self._headers(), self.spelling.refused(NO_CREDITS))
        no = self.spelling.says_no(entry, self.books, self.true)
        if no is not None:
            self.note(f"{pc.index} sends {entry.mark} to {asked.job}: {no.status}")
            return Answer(no.status, self._headers(), no.body)
        if fate is None:
            self._take(entry, self.true)
            self.note(f"{pc.index} sends {entry.mark} to {asked.job}: done")
            return Answer(self.spelling.yes(entry), self._headers(), self._done(entry, self.chance.randrange(3)))
        self.counts[f"write: {fate.name}"] += 1
        lands = fate.lands
        if lands is Lands.LATE and len(self.pcs) > 1 and not self._is_owned(entry.order):
            lands = Lands.NOW
        if lands is Lands.NOW:
            self._take(entry, self.true)
        said = self._done(entry, self.chance.randrange(3)) if entry.serial else self._done(entry, 2)
        if fate.slow:
            self.pass_time(TIME_OUT)
        if lands is Lands.LATE:
            late = self.options.lateness.drawn(self.chance)
            self._take(entry, self.true + late)
            self.note(f"{pc.index} sends {entry.mark} to {asked.job}: {fate.name}, {late:.1f} s")
        else:
            self.note(f"{pc.index} sends {entry.mark} to {asked.job}: {fate.name}")
        return self._other_answer(pc, asked, replace(fate, slow=False), said)

    def _take(self, entry: Entry, at: float) -> None:
        """The practice system has got it by then. Some do it at once; some later, or not at all."""
        shown = self.spelling.shows_after(self.chance, calm=self.calm)
        if shown is None:
            self.counts["accepted and never done"] += 1
            self.note(f"{entry.mark} will never land")
        elif at + shown > self.true:
            self.books.later(entry, at + shown)
        else:
            self.books.land(entry, at)

    def _done(self, entry: Entry, variant: int) -> bytes:
        return self.spelling.done(entry, variant, self.true)

    def _is_owned(self, order_id: str) -> bool:
        return order_id in self.latest and bool(self.latest[order_id].retailer_reference)

    def _other_answer(self, pc: Pc, asked: Asked, fate: Fate, said: bytes) -> Answer:
        if asked.entry is None:
            self.note(f"{pc.index} reads {asked.kind}s of {asked.job}: {fate.name}")
        if fate.slow:
            self.pass_time(TIME_OUT)
        headers = self._headers()
        refused = self.spelling.refused(NO)
        match fate.answer:
            case "not sent":
                raise NotSent("The server could not be reached.")
            case "lost":
                raise AnswerLost("The connection broke before an answer came.")
            case "unreadable":
                raise BadAnswer("The answer is larger than it may be.")
            case "dies":
                pc.dead = True
                raise Crash
            case "page":
                return Answer(200, {"content-type": "text/html"}, PAGE)
            case "empty":
                return Answer(201, headers, b"")
            case "half":
                whole = said or self._listed(asked, [])
                return Answer(200, headers, whole[: len(whole) // 2])
            case "yes":
                return Answer(200 if asked.entry is None else self.spelling.yes(asked.entry), headers, said)
            case "refused":
                return Answer(self.spelling.no_status, headers, refused)
            case "400" | "413" | "409" | "408":
                return Answer(int(fate.answer), headers, refused if fate.answer in ("400", "413") else b"")
            case "500 refused":
                return Answer(500, headers, refused)
            case "401" | "403" | "302" | "407" | "500" | "502" | "504":
                return Answer(int(fate.answer), headers, b"")
            case "503":
                return Answer(503, {"retry-after": "20"}, b"")
            case limit:
                after = {"minute": {"retry-after": "22"}, "day": {"retry-after": "7000"}}.get(limit, {})
                return Answer(429, {"x-rate-limit-problem": limit, **after}, b"")

    def _landing(self, entry: Entry) -> None:
        """A second line under one mark: nobody's fault but ours, unless two PCs sent before either could see the other's."""
        first = next((one for one in self.books.entries if one.mark == entry.mark and one.alive and entry.mark), None)
        self.note(f"{entry.mark} lands on {entry.job}")
        if first is None:
            return
        if first.by != entry.by and first.landed > entry.looked >= entry.sent - LOOKED_WITHIN:
            self.races += 1
            self.note(f"{entry.mark} is a race of two PCs")
        else:
            self.doubles.append(entry.mark)
            self.note(f"{entry.mark} stands twice")

    # InfoTrack

    def tell_new(self) -> None:
        """A new order, of one of our PCs, of nobody, or started elsewhere."""
        chance = self.chance
        order_id = f"{71000000 + len(self.orders)}"
        matter = chance.choice(self.matters)
        pc = chance.choice(self.pcs)
        alone = len({one.tenant for one in self.matters}) == 1
        reference = f"ICONNECT1_{pc.seat.installation}|{matter.system}|{matter.id}"
        if alone and chance.random() < 0.2:
            reference = ""
        message = OrderMessage(
            order_id=order_id,
            client_reference=matter.number,
            retailer_reference=reference,
            reference="12RP90001",
            service="Title Search",
            ordered_at=START,
            status="Complete",
            sequence=0 if chance.random() < 0.8 else None,
        )
        self.orders[order_id] = Told(matters=[(matter.tenant, matter.number)])
        self._tell(message)

    def tell_change(self) -> None:
        """A price change, a refund, another version of the file, or news without either."""
        if self.latest:
            self._tell(self.latest[self.chance.choice(list(self.latest))])

    def _tell(self, before: OrderMessage) -> None:
        chance, order_id = self.chance, before.order_id
        told = self.orders[order_id]
        told.changes += 1
        sequence = None if before.sequence is None else told.changes
        fees: dict[str, Fee | None] = {"retailer": None, "supplier": None}
        what = chance.random()
        if what < 0.8:
            pairs = [chance.choice(FEES), PARTLY if chance.random() < 0.04 else chance.choice(FEES)]
            if what < 0.1:
                pairs = [FEES[0], FEES[0]]
            amounts = [Amount(Decimal(net), Decimal(gst)) for net, gst in pairs]
            told.retailer, told.supplier = amounts
            fees = {
                name: Fee(one.net, one.gst, one.net + one.gst) for name, one in zip(("retailer", "supplier"), amounts, strict=True)
            }
        url, mark = "", ""
        if chance.random() < 0.45:
            mark = chance.choice(("a", "b", "c"))
            url = f"https://api.infotrack.com.au/v1/order/download/{order_id}?v={mark}"
            version = base64.b64encode(content_of(url)).decode()
            if version not in told.versions:
                told.versions.append(version)
        message = replace(
            before,
            sequence=sequence,
            completed_at=START + timedelta(seconds=told.changes),
            retailer=fees["retailer"],
            supplier=fees["supplier"],
            download_url=url,
            file_hash=mark,
        )
        self.latest[order_id] = message
        self.note(f"told {order_id} {told.changes} {told.retailer} {told.supplier} {mark}")
        if sequence is not None and chance.random() < 0.15:
            self.on_its_way.append(message)
        else:
            self.feed.append(message)

    def tell_late(self) -> None:
        """What was held up comes after newer news; and something comes again."""
        self.chance.shuffle(self.on_its_way)
        self.feed += self.on_its_way
        self.on_its_way.clear()
        if self.feed:
            again = self.chance.choice(self.feed)
            if again.sequence is not None or again is self.latest[again.order_id]:
                self.feed.append(again)

    # passes

    def one_pass(self, pc: Pc) -> datetime | None:
        """The next moment at which there is something to do, or None."""
        report = None
        try:
            report = pc.courier.run_once()
        except Crash:
            pc.dead = True
        except LedgerTrouble:
            pass
        if pc.dead:
            self.counts["deaths"] += 1
            self.begin_again(pc, power_cut=self.chance.random() < 0.4)
        return None if report is None else report.next_at

    def begin_again(self, pc: Pc, *, power_cut: bool) -> None:
        self.note(f"{pc.index} begins again{' after a power cut' if power_cut else ''}")
        pc.restart(power_cut=power_cut)

    def work(self, pc: Pc, seconds: float, most: int = 60) -> None:
        """Passes whenever something is due, for so long."""
        end = self.true + seconds
        for _ in range(most):
            died = self.counts["deaths"]
            next_at = self.one_pass(pc)
            if self.counts["deaths"] > died:
                continue
            if next_at is None:
                break
            wait = (next_at - pc.ledger.now()).total_seconds()
            if self.true + wait > end:
                break
            self.pass_time(max(wait, 0.001))
        self.pass_time(max(0.0, end - self.true))

    def listen(self, pc: Pc) -> None:
        """What the window says must be true: «confirmed» only of what a read has shown, «rejected» only after a no."""
        try:
            rows = pc.ledger.deliveries()
        except LedgerTrouble:
            return
        for one in rows:
            if one.state.value == "confirmed" and (pc.index, one.key) not in self.shown:
                self.untrue[f"{one.key} was confirmed on {pc.index} and no read had shown it"] = None
            noes = self.said_no & {(pc.index, one.key), (pc.index, one.matter_number)}
            if one.state.value == "rejected" and not noes:
                self.untrue[f"{one.key} was rejected on {pc.index} and nobody had said no"] = None

    def verdict(self) -> Judgement:
        verdict = judge(
            self.books,
            self.orders,
            gst_included=self.settings.costs.amounts == "inc_gst",
            markup=Decimal(str(self.markup)) / 100,
        )
        verdict.duplicated += [f"{mark} was posted again" for mark in self.doubles]
        verdict.wrong += [f"{mark} was sent with another body" for mark in self.changed_bodies]
        verdict.wrong += self.untrue
        for pc in self.pcs:
            counted = Counter(one.mark for one in self.books.entries if one.alive)
            for one in pc.ledger.deliveries():
                if one.state.value == "confirmed" and counted[one.key] != 1:
                    verdict.wrong.append(f"{one.key} is confirmed on {pc.index} and stands {counted[one.key]} times")
            if pc.ledger.first_bad_step() is not None:
                verdict.wrong.append(f"the trail of {pc.index} is broken")
        return verdict


def refused(action: Any, *arguments: Any) -> bool:
    """A person's action; True when the ledger said no."""
    try:
        action(*arguments)
    except (ActionRefused, LedgerTrouble):
        return True
    return False
