"""Which matter each new order belongs to, and what it owes there. Asks a practice system only for numbers nobody knows."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from desktop.services.delivery.pauses import Pauses
from desktop.services.delivery.ports import Connections, MatterLookup
from desktop.services.errors import Refused, ServiceError
from desktop.services.infotrack.model import OrderMessage, RetailerReference
from desktop.services.ledger.errors import LedgerError
from desktop.services.ledger.facts import OrderFacts, Place
from desktop.services.ledger.ledger import Ledger
from desktop.services.ledger.matching import Ask, Match, judge_answers, match
from desktop.services.ledger.planning import Rules
from desktop.services.practice.model import Matter
from desktop.settings import Settings

log = logging.getLogger(__name__)

LOOK_AGAIN = timedelta(minutes=1)
ASK_AGAIN = timedelta(hours=24)
AFTER_NO_ANSWER = timedelta(minutes=5)


def rules_of(settings: Settings, *, negative_costs: bool = True, one_price: bool = False) -> Rules:
    """The firm's choices as the rules want them."""
    costs = settings.costs
    return Rules(
        zone=ZoneInfo(settings.infotrack.timezone),
        code_taxed=costs.code_taxed,
        code_untaxed=costs.code_untaxed,
        gst_included=costs.amounts == "inc_gst",
        markup_percent=Decimal(str(costs.markup_percent)),
        billable=costs.billable,
        description=costs.description,
        file_name=costs.file_name,
        folder=costs.folder,
        review=costs.review,
        negative_costs=negative_costs,
        one_price=one_price,
    )


def no_negatives(system: str, tenant: str) -> str:
    """Under this name the ledger remembers that a tenant's practice system refused a negative cost."""
    return f"no negative costs {system} {tenant}"


class Planner:
    """Plans whatever the ledger says must be planned. `asked_apart` asks a practice system for a number where several are
    connected: as MatterLookup.ask, but it raises NotNow rather than wait for long."""

    def __init__(
        self,
        ledger: Ledger,
        connections: Connections,
        lookup: MatterLookup,
        read_reference: Callable[[str], RetailerReference | None],
        pauses: Pauses,
        *,
        asked_apart: Callable[[str, str], Matter | None] | None = None,
    ) -> None:
        self._ledger = ledger
        self._connections = connections
        self._lookup = lookup
        self._read_reference = read_reference
        self._pauses = pauses
        self._asked_apart = asked_apart
        self._no_answer: dict[str, datetime] = {}

    def forget(self) -> None:
        """Practice systems that gave no answer may be asked at once."""
        self._no_answer.clear()

    def plan_all(self, settings: Settings, *, ask: bool = True) -> int:
        """Plans every order that needs it and gives how many could not be; one that can't does not keep back the others."""
        failed = 0
        while orders := self._ledger.to_plan():
            before = failed
            for order_id in orders:
                try:
                    self.plan_order(order_id, settings, ask=ask)
                except LedgerError:
                    raise
                except Exception:  # one order's surprise must not keep back all the others
                    log.exception("An order could not be planned")
                    failed += 1
            # A parent that found its matter has made its children due: those come in the next round.
            if failed > before:
                break
        return failed

    def plan_order(self, order_id: str, settings: Settings, *, ask: bool = True) -> None:
        facts = self._ledger.facts(order_id)
        if facts is None:
            return
        found = Match(facts.place) if facts.pinned or not facts.messages else self._match(facts, ask=ask)
        self._ledger.plan(
            order_id,
            found,
            lambda place: rules_of(settings, negative_costs=self._takes_negatives(place), one_price=self._has_one_price(place)),
            look_again_at=None if found.place else self._ledger.now() + LOOK_AGAIN,
        )

    def _takes_negatives(self, place: Place) -> bool:
        practice = self._connections.practice(place.system, place.tenant) if place else None
        if practice is not None and practice.capabilities.negative_costs is not None:
            return practice.capabilities.negative_costs
        return self._ledger.recall(no_negatives(place.system, place.tenant)) != "yes"

    def _has_one_price(self, place: Place) -> bool:
        practice = self._connections.practice(place.system, place.tenant) if place else None
        return practice is not None and practice.capabilities.one_price

    def _match(self, facts: OrderFacts, *, ask: bool) -> Match:
        message = _references(facts)
        typed = next((one.matter_number for one in reversed(facts.messages) if one.matter_number), "")
        found = match(
            message,
            self._read_reference(message.retailer_reference),
            facts.parent_place,
            by_id=self._lookup.by_id,
            by_number=self._lookup.by_number,
            typed_number=typed,
        )
        if found.place or found.ask is None:
            return found
        if not self._connections.connected():
            number = found.ask.number
            return replace(found, reason=f"Matter {number} could not be looked up yet: not connected. Sign in, or choose a matter.")
        if not ask:
            return found
        return self._ask(facts.order_id, found, found.ask)

    def _ask(self, order_id: str, found: Match, ask: Ask) -> Match:
        """Asks once a day for a number that no list knows; the firm's calls are too few to ask more often."""
        now = self._ledger.now()
        asked = self._ledger.asked(order_id)
        if asked is not None and asked[0] == ask.number and now - asked[1] < ASK_AGAIN:
            return found
        connected = self._connections.connected()
        wanted = [one for one in connected if ask.system in ("", one[0])]
        put = self._lookup.ask if self._asked_apart is None or len(connected) < 2 else self._asked_apart
        answers: list[Matter] = []
        silent = ""
        for system, tenant in wanted:
            resting = self._pauses.current(system, tenant) is not None
            if resting or now - self._no_answer.get(system, now - AFTER_NO_ANSWER) < AFTER_NO_ANSWER:
                silent = silent or "The practice system could not be asked yet."
                continue
            try:
                answer = put(system, ask.number)
            except Refused:
                # Some systems answer a number that they do not know with an error of their own.
                answer = None
            except ServiceError as error:
                self._no_answer[system] = now
                silent = f"The practice system could not be asked yet: {error}"
                continue
            if answer is not None:
                answers.append(answer)
        if silent and not answers:
            return replace(found, reason=f"{found.reason} {silent}")
        if wanted:
            self._ledger.note_asked(order_id, ask.number)
        return judge_answers(ask, answers, found.reason)


def _references(facts: OrderFacts) -> OrderMessage:
    """The latest message, with the references of the nearest earlier one where it is silent."""
    message = facts.latest
    for recorded in reversed(facts.messages):
        earlier = recorded.message
        if not message.client_reference and earlier.client_reference:
            message = replace(message, client_reference=earlier.client_reference)
        if not message.retailer_reference and earlier.retailer_reference:
            message = replace(message, retailer_reference=earlier.retailer_reference)
    return message
