"""Several practice systems side by side: each one's list, changes, numbers and troubles are its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from desktop.services.delivery.ports import MatterLookup
from desktop.services.desk import ActionFailed, NotConnected
from desktop.services.errors import AnswerLost, NotNow, ServiceError, SignedOut
from desktop.services.identity.model import ConnectionRecord
from desktop.services.identity.wallet import Identity
from desktop.services.infotrack.model import OrderMessage
from desktop.services.matter_desk import MatterDesk
from desktop.services.practice.directory import Directory
from desktop.services.practice.model import Matter
from desktop.services.practice.practice_system import Capabilities, Urgency
from desktop.services.practice_links import PracticeLinks

XPM, SMOKEBALL = "xero-practice-manager", "smokeball"
START = datetime(2026, 5, 1, 9, 0, tzinfo=UTC)
PATIENCE = 10.0


def matter(number: str, *, system: str = XPM, tenant: str = "x-1", name: str = "Annual Accounts") -> Matter:
    return Matter(system, tenant, f"id-{number}", number, name, "Tui Ltd")


@dataclass
class System:
    """A practice system that holds these matters; `fails` is asked before each call."""

    name: str
    matters_now: list[Matter]
    changes_since: bool = False
    fails: Callable[[], Exception | None] = lambda: None
    asked_since: list[datetime | None] = field(default_factory=list)
    changed: list[Matter] = field(default_factory=list)

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(True, False, True, 1_000_000, changes_since=self.changes_since)

    def _fail(self) -> None:
        error = self.fails()
        if error is not None:
            raise error

    def matters(self, *, urgency: Urgency = Urgency.BACKGROUND, since: datetime | None = None) -> Iterator[Matter]:
        self.asked_since.append(since)
        self._fail()
        yield from self.matters_now if since is None else self.changed

    def matter(self, number: str, *, urgency: Urgency = Urgency.PERSON) -> Matter | None:
        self._fail()
        return next((one for one in self.matters_now if one.number == number), None)


@dataclass
class Firm:
    """What is signed in, and a clock."""

    systems: dict[tuple[str, str], System]
    now: datetime = START
    since: datetime = START - timedelta(days=1)

    def connected(self) -> tuple[tuple[str, str], ...]:
        return tuple(sorted(self.systems))

    def practice(self, system: str, tenant: str) -> System | None:
        return self.systems.get((system, tenant))

    def of(self, system: str) -> System | None:
        return next((made for (name, _), made in self.systems.items() if name == system), None)

    def records(self) -> tuple[ConnectionRecord, ...]:
        return tuple(ConnectionRecord(system, tenant, "Firm", "Kim", self.since) for system, tenant in self.connected())

    def record(self, system: str) -> ConnectionRecord | None:
        return next((one for one in self.records() if one.system == system), None)


@dataclass
class House:
    firm: Firm
    desk: MatterDesk
    xpm: System
    smokeball: System


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    xpm = System(XPM, [matter("J0001"), matter("J0002")])
    smokeball = System(
        SMOKEBALL,
        [matter("S0001", system=SMOKEBALL, tenant="s-1"), matter("J0002", system=SMOKEBALL, tenant="s-1")],
        changes_since=True,
    )
    firm = Firm({(XPM, "x-1"): xpm, (SMOKEBALL, "s-1"): smokeball})
    directory = Directory.open(tmp_path / "directory.db", clock=lambda: firm.now)
    stand_in: Any = firm
    desk = MatterDesk(directory, cast(PracticeLinks, stand_in), cast(Identity, stand_in), clock=lambda: firm.now)
    yield House(firm, desk, xpm, smokeball)
    directory.close()


def test_changes_are_asked_for_from_ten_minutes_before_the_last_refresh_began(house: House) -> None:
    assert house.desk.refresh() == 4
    house.firm.now += timedelta(minutes=30)
    house.smokeball.changed = [replace(house.smokeball.matters_now[0], is_open=False)]
    assert house.desk.refresh() == 3
    house.firm.now += timedelta(minutes=30)
    house.desk.refresh()
    assert house.smokeball.asked_since == [None, START - timedelta(minutes=10), START + timedelta(minutes=20)]
    # One that can't tell what changed is read whole.
    assert house.xpm.asked_since == [None, None, None]
    closed = house.desk.by_id(SMOKEBALL, "id-S0001")
    assert closed is not None
    assert closed.is_open is False


def test_a_refresh_that_failed_moves_nothing(house: House) -> None:
    house.desk.refresh()
    house.firm.now += timedelta(minutes=30)
    house.smokeball.fails = lambda: AnswerLost("The answer was cut.")
    with pytest.raises(ServiceError):
        house.desk.refresh()
    house.smokeball.fails = lambda: None
    house.firm.now += timedelta(minutes=30)
    house.desk.refresh()
    assert house.smokeball.asked_since[-1] == START - timedelta(minutes=10)


@pytest.mark.parametrize("what", ["a day", "another person", "a clock that was set back"])
def test_the_whole_list_is_read_after(house: House, what: str) -> None:
    house.desk.refresh()
    match what:
        case "a day":
            for _ in range(49):
                house.firm.now += timedelta(minutes=30)
                house.desk.refresh()
            assert house.smokeball.asked_since.count(None) == 2
            assert house.smokeball.asked_since[48] is None
            return
        case "another person":
            house.firm.since = house.firm.now + timedelta(minutes=1)
            house.firm.now += timedelta(minutes=30)
        case _:
            house.firm.now -= timedelta(hours=2)
    house.desk.refresh()
    assert house.smokeball.asked_since == [None, None]


@pytest.mark.parametrize("error", [AnswerLost("The server did not answer."), ValueError("a surprise in an adapter")])
def test_one_systems_failure_does_not_stop_the_others_refresh(house: House, error: Exception) -> None:
    house.smokeball.fails = lambda: error
    with pytest.raises(NotNow) as caught:
        house.desk.refresh()
    assert str(caught.value).startswith("smokeball: ") or str(caught.value).startswith("Smokeball: ")
    assert str(caught.value).endswith("The other systems' matters were refreshed.")
    assert house.desk.directory.count() == 2


def test_all_systems_troubles_are_told_and_only_sign_ins_alone_count_as_not_connected(house: House) -> None:
    house.xpm.fails = lambda: SignedOut("The sign-in has ended. Connect again.")
    house.smokeball.fails = lambda: SignedOut("Smokeball has ended the sign-in.")
    with pytest.raises(SignedOut, match=r"Smokeball has ended.*Connect again"):
        house.desk.refresh()
    house.smokeball.fails = lambda: AnswerLost("The server did not answer.")
    with pytest.raises(NotNow):
        house.desk.refresh()


def test_the_background_refreshes_what_is_due_though_another_system_stalls(house: House) -> None:
    stalled, go = threading.Event(), threading.Event()

    def stall() -> None:
        stalled.set()
        assert go.wait(PATIENCE)

    house.smokeball.fails = stall
    thread = threading.Thread(target=house.desk.refresh_if_old)
    thread.start()
    assert stalled.wait(PATIENCE)
    end = threading.Event()
    for _ in range(1000):
        if house.desk.directory.refreshed_at(XPM, "x-1"):
            break
        end.wait(0.01)
    assert house.desk.directory.refreshed_at(XPM, "x-1") == START
    assert house.desk.refreshing
    go.set()
    thread.join(PATIENCE)
    assert house.desk.directory.count() == 4
    assert not house.desk.refresh_if_old()


def test_a_number_is_found_at_one_system_though_the_other_fails(house: House) -> None:
    house.xpm.fails = lambda: AnswerLost("The server did not answer.")
    (hit, *_) = house.desk.find_or_ask("S0001", 10)
    assert hit.matter.system == SMOKEBALL
    assert house.desk.ask_everywhere("S0001") == house.smokeball.matters_now[0]
    with pytest.raises(ActionFailed, match="did not answer"):
        house.desk.ask_everywhere("S0009")


def test_a_system_that_stalls_holds_up_another_ones_answer_by_a_moment_only(house: House) -> None:
    go = threading.Event()

    def stall() -> None:
        go.wait(PATIENCE)

    house.xpm.fails = stall
    found = house.desk.ask_everywhere("S0001")
    assert not go.is_set()
    go.set()
    assert found is not None
    assert found.system == SMOKEBALL


@pytest.mark.parametrize("refreshed", [True, False])
def test_a_number_in_two_systems_is_asked_about_and_told_apart_by_the_systems_name(house: House, refreshed: bool) -> None:
    if refreshed:
        house.desk.refresh()
    with pytest.raises(ActionFailed, match=r"\(smokeball:J0002\) and .*\(xero-practice-manager:J0002\)"):
        house.desk.named("J0002")
    assert house.desk.named("smokeball:J0002").system == SMOKEBALL
    assert house.desk.named("Xero-Practice-Manager: J0002").system == XPM
    assert [one.system for one in house.desk.by_number("smokeball:J0002")] == [SMOKEBALL]
    assert {hit.matter.system for hit in house.desk.find("smokeball:J0002", 5)} == {SMOKEBALL}


def test_what_is_typed_in_is_checked_for_a_number_of_two_systems(house: House) -> None:
    house.desk.refresh()
    with pytest.raises(ActionFailed, match="Say which"):
        house.desk.check_typed("J0002")
    house.desk.check_typed("smokeball:J0002")
    house.desk.check_typed("J0001")
    house.desk.check_typed("J9999")


def test_another_firms_copy_does_not_stand_in_the_way_of_the_one_that_is_signed_in(house: House) -> None:
    """After signing in to another firm of the same system, both copies hold the number."""
    house.desk.refresh()
    new = System(XPM, [matter("J0001", tenant="x-2", name="New Firm's")])
    del house.firm.systems[XPM, "x-1"]
    house.firm.systems[XPM, "x-2"] = new
    house.desk.refresh()
    assert house.desk.named("J0001").tenant == "x-2"
    # What only the old firm has is still known, and its deliveries wait for its sign-in.
    house.desk.directory.keep(matter("J0077"))
    assert house.desk.named("J0077").tenant == "x-1"


def test_without_any_sign_in_the_copy_alone_answers(house: House) -> None:
    house.desk.refresh()
    house.firm.systems.clear()
    assert house.desk.named("J0001").number == "J0001"
    with pytest.raises(NotConnected):
        house.desk.named("J9999")


def test_an_unknown_number_is_asked_for_and_kept(house: House) -> None:
    """As the courier asks: what nobody knows stays unknown, and what asking raises reaches it."""
    late = matter("J0099", name="Late one")
    house.xpm.matters_now.append(late)
    lookup: MatterLookup = house.desk
    assert lookup.by_number("J0099") == ()
    assert lookup.ask(XPM, "J0000") is None
    assert lookup.ask(XPM, "J0099") == late
    assert lookup.by_number(" j0099 ") == (late,)
    assert lookup.by_id(XPM, "id-J0099") == late
    assert lookup.suggestions(OrderMessage("1", client_reference="J0099"))[0].matter_number == "J0099"
    house.xpm.fails = lambda: AnswerLost("gone")
    with pytest.raises(AnswerLost):
        lookup.ask(XPM, "J0001")


def test_a_deleted_matter_is_not_found_by_its_number_and_not_asked_for(house: House) -> None:
    """Nothing is to be charged to it: an order that names it waits for a person."""
    closed = replace(matter("J0001"), is_open=False, state="Deleted")
    house.xpm.matters_now = [closed]
    assert house.desk.ask(XPM, "J0001") is None
    house.desk.directory.keep(closed)
    assert house.desk.by_number("J0001") == ()
    house.desk.directory.keep(replace(closed, state="Completed"))
    assert [one.number for one in house.desk.by_number("J0001")] == ["J0001"]
