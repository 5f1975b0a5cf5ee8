"""The firm's matters: lists that move while they are read, servers that page in their own way, and how many calls it all takes."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop.services.delivery.bucket import Bucket
from desktop.services.errors import AnswerLost, BadAnswer, Refused
from desktop.services.practice.model import Matter
from desktop.services.practice.practice_system import MatterRef, Urgency
from tests.delivery.test_bucket import Clock
from tests.practice.smokeball_server import SmokeballWorld, problem, said_json
from tests.practice.xpm_server import Asked, Said


@pytest.fixture
def world() -> Iterator[SmokeballWorld]:
    made = SmokeballWorld()
    yield made
    made.close()


@pytest.fixture(scope="module")
def kept_world() -> Iterator[SmokeballWorld]:
    made = SmokeballWorld()
    yield made
    made.close()


def add_many(world: SmokeballWorld, count: int, **more: Any) -> list[str]:
    return [world.add_matter(f"AM-{n:05}", **more) for n in range(count)]


def numbers(matters: Iterator[Matter]) -> list[str]:
    return [matter.number for matter in matters]


def calls(world: SmokeballWorld) -> dict[str, int]:
    found: dict[str, int] = {}
    for step in world.paths:
        found[step] = found.get(step, 0) + 1
    return found


# What a matter is


def test_only_open_matters_are_in_the_whole_list_and_leads_are_not(world: SmokeballWorld) -> None:
    for status in ("Open", "Pending", "Closed", "Deleted", "Cancelled"):
        world.add_matter(status, status=status)
    world.add_matter("lead", isLead=True)
    found = list(world.smokeball.matters())
    assert [(one.number, one.state, one.is_open) for one in found] == [("Open", "Open", True), ("Pending", "Pending", True)]
    assert "Type=Matters" in world.asked[0].path
    assert world.asked[0].path.count("Status=") == 2


def test_a_server_that_does_not_know_the_filters_changes_nothing(world: SmokeballWorld) -> None:
    world.add_matter("1")
    world.add_matter("2", status="Closed")
    everything = said_json({"value": world.matters, "offset": 0, "limit": 500, "size": 2})
    world.scripted = lambda asked: everything if asked.path.startswith("/matters?") else None
    assert numbers(world.smokeball.matters()) == ["1"]


def test_what_changed_since_a_moment_has_the_closed_ones_as_well(world: SmokeballWorld) -> None:
    world.add_matter("old")
    for status in ("Open", "Closed", "Deleted", "Cancelled", "Archived"):
        world.add_matter(status, status=status, lastUpdated="2026-05-12T01:00:00Z")
    since = datetime(2026, 5, 12, 1, 0, 0, 999_999, tzinfo=UTC)
    found = {one.number: one.is_open for one in world.smokeball.matters(since=since)}
    assert found == {"Open": True, "Closed": False, "Deleted": False, "Cancelled": False}
    assert "LastUpdated=2026-05-12T01%3A00%3A00Z" in world.asked[0].path


def test_a_moment_in_another_zone_is_asked_for_in_utc(world: SmokeballWorld) -> None:
    sydney = datetime.fromisoformat("2026-05-12T11:00:00.500000+10:00")
    list(world.smokeball.matters(since=sydney))
    assert "LastUpdated=2026-05-12T01%3A00%3A00Z" in world.asked[0].path


def test_a_matter_says_who_it_is_about_even_where_a_link_leads_nowhere(world: SmokeballWorld) -> None:
    company = "c-company"
    world.contacts[company] = {"id": company, "company": {"name": "Brown Pty Ltd"}}
    world.staff = [{"id": "s-1", "firstName": "Kim", "lastName": "Ode", "former": True}]
    world.add_matter("1", clients=("c-gone", company), personResponsible={"id": "s-1"}, personAssisting={"id": "s-gone"})
    world.add_matter("2", clients=("c-gone",), title=None, description="Sale")
    first, second = world.smokeball.matters()
    assert (first.client, first.client_id, [one.name for one in first.staff]) == ("Brown Pty Ltd", company, ["Kim Ode"])
    assert (second.client, second.client_id, second.name, second.staff) == ("", "c-gone", "Sale", ())


def test_a_row_without_an_id_is_no_matter(world: SmokeballWorld) -> None:
    world.add_matter("1")
    world.add_matter("2", id="../../firm")
    world.matters.append({**world.matters[0], "id": None, "number": "3"})
    assert numbers(world.smokeball.matters()) == ["1"]


# Pages


@pytest.mark.parametrize("count", [0, 1, 499, 500, 501, 999, 1000, 1001, 1499])
def test_every_matter_comes_once(world: SmokeballWorld, count: int) -> None:
    add_many(world, count)
    assert numbers(world.smokeball.matters()) == [f"AM-{n:05}" for n in range(count)]


@pytest.mark.parametrize("page", [1, 2, 3, 100])
def test_a_server_with_smaller_pages_is_read_to_its_end(world: SmokeballWorld, page: int) -> None:
    world.page = page
    add_many(world, 7 if page < 100 else 301)
    assert len(numbers(world.smokeball.matters())) == len(world.matters)


@pytest.mark.parametrize("spellings", [{"offset", "limit"}, {"Offset", "Limit"}])
def test_both_spellings_of_the_paging_are_understood(world: SmokeballWorld, spellings: set[str]) -> None:
    world.spellings = spellings
    add_many(world, 1_250)
    assert len(set(numbers(world.smokeball.matters()))) == 1_250


def test_a_server_that_never_turns_the_page_is_not_believed(world: SmokeballWorld) -> None:
    world.spellings = set()
    add_many(world, 1_250)
    with pytest.raises(BadAnswer, match="does not end"):
        numbers(world.smokeball.matters())
    assert len(world.asked) < 9


@pytest.mark.parametrize("size", [0, 1, 600, 10**9, None, -4, "many", 1.5])
def test_a_size_that_is_not_true_loses_nothing_and_ends(world: SmokeballWorld, size: object) -> None:
    add_many(world, 900)

    def lie(asked: Asked) -> Said | None:
        if not asked.path.startswith("/matters?"):
            return None
        return said_json({**json.loads(world.respond(asked).body), "size": size})

    world.scripted = lie
    assert len(numbers(world.smokeball.matters())) == 900
    assert len(world.asked) < 8


def test_a_list_without_end_is_not_read_for_ever(world: SmokeballWorld) -> None:
    """For a person's question; a whole firm's list may be long."""
    serial = iter(range(10**9))
    world.scripted = lambda asked: said_json(
        {"value": [{"id": f"m-{next(serial)}", "number": "x", "status": "Open"} for _ in range(500)]}
    )
    with pytest.raises(BadAnswer, match="does not end"):
        world.smokeball.matter("AM-1")
    assert len(world.asked) <= 45


def between_pages(world: SmokeballWorld, change: Callable[[int], None]) -> None:
    """Lets something happen after each page of matters."""
    count = [0]

    def respond(asked: Asked) -> Said | None:
        if not asked.path.startswith("/matters?"):
            return None
        said = world.respond(asked)
        change(count[0])
        count[0] += 1
        return said

    world.scripted = respond


def test_a_matter_that_is_closed_meanwhile_hides_no_other(world: SmokeballWorld) -> None:
    """Its row leaves the list, and all later ones move a place forward, over the border of a page."""
    add_many(world, 1_400)

    def close_some(page: int) -> None:
        if page == 0:
            for matter in world.matters[:3]:
                matter["status"] = "Closed"

    between_pages(world, close_some)
    assert set(numbers(world.smokeball.matters())) >= {f"AM-{n:05}" for n in range(3, 1_400)}


def test_many_matters_closed_at_once_hide_no_other(world: SmokeballWorld) -> None:
    add_many(world, 1_400)

    def close_many(page: int) -> None:
        if page == 1:
            for matter in world.matters[:700]:
                matter["status"] = "Closed"

    between_pages(world, close_many)
    assert set(numbers(world.smokeball.matters())) >= {f"AM-{n:05}" for n in range(700, 1_400)}


def test_the_last_row_is_not_missed_when_the_list_becomes_shorter_than_the_page(world: SmokeballWorld) -> None:
    add_many(world, 501)

    def close_two(page: int) -> None:
        if page == 0:
            world.matters[0]["status"] = world.matters[1]["status"] = "Closed"

    between_pages(world, close_two)
    assert "AM-00500" in numbers(world.smokeball.matters())


def test_known_matters_that_move_to_the_end_do_not_hide_that_others_were_passed_over(world: SmokeballWorld) -> None:
    """A list in the order of the last change, downwards: a known row on the last page proves nothing."""
    add_many(world, 1_100)

    def touch(page: int) -> None:
        if page < 5:
            for n in (5, 6, 7):
                world.matters.append(world.matters.pop(n))

    between_pages(world, touch)
    assert set(numbers(world.smokeball.matters())) == {f"AM-{n:05}" for n in range(1_100)}


def test_a_matter_that_moves_to_the_front_is_found_by_what_changed_meanwhile(world: SmokeballWorld) -> None:
    """A list in the order of the last change: the row leaves a later page for one that was read already."""
    add_many(world, 1_100)

    def touch(page: int) -> None:
        if page == 0:
            world.matters[1_050]["lastUpdated"] = "2026-05-12T01:00:01Z"
            world.matters.insert(0, world.matters.pop(1_050))

    between_pages(world, touch)
    found = numbers(world.smokeball.matters())
    assert sorted(found) == [f"AM-{n:05}" for n in range(1_100)]


def test_a_matter_closed_while_the_list_was_read_is_not_given_as_open(world: SmokeballWorld) -> None:
    add_many(world, 600)

    def close_first(page: int) -> None:
        if page == 0:
            world.matters[0].update(status="Closed", lastUpdated="2026-05-12T01:00:01Z")

    between_pages(world, close_first)
    assert "AM-00000" not in numbers(world.smokeball.matters())


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), count=st.integers(1, 25), page=st.integers(2, 9))
def test_whatever_moves_meanwhile_a_line_that_stays_is_always_seen(
    kept_world: SmokeballWorld, seed: int, count: int, page: int
) -> None:
    """D9: for costs a line that is overlooked is a line that is posted twice. Lines go and come before, between and after."""
    world, chance = kept_world, random.Random(seed)
    world.matters.clear()
    world.expenses.clear()
    key = world.add_matter("AM-1")
    world.page = page
    for n in range(count):
        world.add_expense(key, id=f"stays-{n}", description=f"InfoTrack IT-{n}-T-1")
    listed = world.expenses[key]
    for n in range(chance.randrange(30)):
        listed.insert(chance.randrange(len(listed) + 1), {"id": f"goes-{n}", "description": "", "price": 1, "quantity": 1})

    def respond(asked: Asked) -> Said | None:
        said = world.respond(asked)
        for _ in range(chance.randrange(3)):
            going = [row for row in listed if row["id"].startswith("goes")]
            if going and chance.random() < 0.5:
                listed.remove(chance.choice(going))
            elif chance.random() < 0.2:
                listed.append({"id": f"new-{len(world.asked)}", "description": "", "price": 1, "quantity": 1})
        return said

    world.scripted = respond
    try:
        seen = {one.keys for one in world.smokeball.costs(MatterRef(key, "")) if one.keys}
    finally:
        world.scripted = lambda asked: None
        world.page = 500
    assert seen == {(f"IT-{n}-T-1",) for n in range(count)}


# People


def test_people_are_asked_for_together_and_once(world: SmokeballWorld) -> None:
    people = tuple(world.add_person(f"P{n}", "Smith") for n in range(700))
    world.staff = [{"id": "s-1", "firstName": "Sam", "lastName": "Reid"}]
    for n, person in enumerate(people):
        world.add_matter(f"AM-{n}", clients=(person, people[0]), personResponsible={"id": "s-1"})
    for _ in range(2):
        assert {one.client.split()[0] for one in world.smokeball.matters()} == {f"P{n}" for n in range(700)}
    assert calls(world) == {"GET matters": 6, "POST contacts/batch": 2, "GET staff": 1}
    ids = [key for asked in world.asked if asked.method == "POST" for key in json.loads(asked.body)["ids"]]
    assert len(ids) == len(set(ids)) == 700


def test_names_are_asked_for_again_after_a_day(world: SmokeballWorld) -> None:
    clock = Clock()
    smokeball = world.made(clock=clock)
    jo = world.add_person("Jo", "Smith")
    world.add_matter("1", clients=(jo,))
    assert [one.client for one in smokeball.matters()] == ["Jo Smith"]
    world.contacts[jo]["person"]["lastName"] = "Jones"
    assert [one.client for one in smokeball.matters()] == ["Jo Smith"]
    clock.pass_by(timedelta(days=1).total_seconds())
    assert [one.client for one in smokeball.matters()] == ["Jo Jones"]


@pytest.mark.parametrize("count", [2, 700])
def test_where_the_call_by_ids_is_not_there_the_names_are_found_all_the_same(world: SmokeballWorld, count: int) -> None:
    """It is new: an older server answers 404 or 405."""
    world.has_batch = False
    people = [world.add_person(f"P{n}", "Smith") for n in range(count)]
    for n, person in enumerate(people):
        world.add_matter(f"AM-{n}", clients=(person,))
    assert len({one.client for one in world.smokeball.matters()}) == count
    assert calls(world)["POST contacts/batch"] == 1
    assert len([step for step in world.paths if step.startswith("GET contacts")]) == 2


def test_a_refusal_of_the_names_is_not_taken_for_an_older_server(world: SmokeballWorld) -> None:
    world.add_matter("1", clients=("c-1",))
    world.scripted = lambda asked: problem(400, "no") if asked.method == "POST" else None
    with pytest.raises(Refused):
        list(world.smokeball.matters())


def test_a_failure_midway_gives_no_half_list(world: SmokeballWorld) -> None:
    add_many(world, 900)
    world.scripted = lambda asked: Said(500, "") if "Offset=499" in asked.path else None
    found: list[Matter] = []
    with pytest.raises(AnswerLost):
        found.extend(world.smokeball.matters())
    assert found == []


# How many calls


def test_twenty_thousand_matters_take_seconds_of_the_bucket_and_later_changes_a_call() -> None:
    """20,000 matters of 12,000 clients: 41 pages and what changed meanwhile, 24 calls for the names, one for the staff; later,
    with 1 % changed, one call (three after a restart). At five a second; the clock is a simulated one."""
    clock = Clock()
    gate = Bucket(clock=clock, wait=clock.wait, chance=random.Random(1))
    world = SmokeballWorld(gate=gate)
    try:
        people = [world.add_person(f"P{n}", "Smith") for n in range(12_000)]
        world.staff = [{"id": f"s-{n}", "firstName": "Sam", "lastName": f"Reid{n}"} for n in range(40)]
        for n in range(20_000):
            world.add_matter(f"AM-{n:05}", clients=(people[n % 12_000],), personResponsible={"id": f"s-{n % 40}"})
        found = list(world.smokeball.matters())
        assert len({one.id for one in found}) == 20_000
        assert all(one.client and one.staff for one in found)
        assert calls(world) == {"GET matters": 42, "POST contacts/batch": 24, "GET staff": 1}
        assert clock.passed < 15
        print(f"first refresh: {len(world.asked)} calls, {clock.passed:.1f} s")

        for n in range(0, 20_000, 100):
            world.matters[n].update(lastUpdated="2026-05-12T02:00:00Z")
        for smokeball, most in ((world.smokeball, 1), (world.made(gate=gate), 3)):
            world.asked.clear()
            before = clock.passed
            assert len(list(smokeball.matters(since=datetime(2026, 5, 12, 1, 30, tzinfo=UTC), urgency=Urgency.BACKGROUND))) == 200
            assert len(world.asked) == most
            print(f"later refresh: {len(world.asked)} calls, {clock.passed - before:.1f} s")
    finally:
        world.close()


def test_a_page_cut_short_without_a_word_is_not_the_end(world: SmokeballWorld) -> None:
    """Neither size nor limit nor a link is told: only an answer with nothing new ends the list."""
    names = add_many(world, 35)
    world.page = 10

    def silent(asked: Asked) -> Said | None:
        if asked.path.split("?")[0].strip("/") != "matters":
            return None
        told = json.loads(world.respond(asked).body)
        return said_json({"value": told["value"]})

    world.scripted = silent
    assert len(numbers(world.smokeball.matters())) == len(names)


def capital(value: Any) -> Any:
    if isinstance(value, list):
        return [capital(each) for each in value]
    if isinstance(value, dict):
        return {name[:1].upper() + name[1:]: capital(told) for name, told in value.items()}
    return value


def test_answers_whose_names_begin_with_a_capital_are_read_as_well(world: SmokeballWorld) -> None:
    """The vendor's description leaves the spelling open."""
    add_many(world, 3)

    def spelled(asked: Asked) -> Said | None:
        told = world.respond(asked)
        return said_json(capital(json.loads(told.body)), told.status) if told.body else None

    world.scripted = spelled
    assert numbers(world.smokeball.matters()) == ["AM-00000", "AM-00001", "AM-00002"]
