"""Lists of Smokeball's that say less than there is, and answers spelled half one way and half the other, over real sockets."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from desktop.services.errors import BadAnswer, NotSent
from desktop.services.practice.practice_system import MatterRef
from tests.practice.smokeball_server import SmokeballWorld, line, paper, said_json
from tests.practice.xpm_server import Asked, Said

CAP = 3
"""The most rows that a page gives, whatever was asked for and without a word of it."""


@pytest.fixture
def world() -> Iterator[SmokeballWorld]:
    made = SmokeballWorld()
    yield made
    made.close()


def capital(value: Any) -> Any:
    if isinstance(value, list):
        return [capital(each) for each in value]
    if isinstance(value, dict):
        return {name[:1].upper() + name[1:]: capital(told) for name, told in value.items()}
    return value


def envelope_only(value: Any) -> Any:
    return {name[:1].upper() + name[1:]: told for name, told in value.items()}


def rows_only(value: Any) -> Any:
    return {name: capital(told) for name, told in value.items()}


def loud(value: Any) -> Any:
    """As `capital`, with the short names in capitals alone."""
    if isinstance(value, list):
        return [loud(each) for each in value]
    if isinstance(value, dict):
        return {name.upper() if name == "id" else name[:1].upper() + name[1:]: loud(told) for name, told in value.items()}
    return value


@pytest.mark.parametrize("spelled", [capital, envelope_only, rows_only, loud])
def test_every_call_reads_answers_in_either_spelling(world: SmokeballWorld, spelled: Callable[[Any], Any]) -> None:
    client = world.add_person("Mary", "Smith")
    world.staff = [{"id": "s-1", "firstName": "Sam", "lastName": "Reid", "email": "sam@firm.test", "former": False}]
    world.codes = [{"id": "a-1", "code": "SEARCH", "description": "Searches", "type": "Expense", "isDeleted": False}]
    key = world.add_matter("AM-1", clients=(client,), personResponsible={"id": "s-1"})
    world.scripted = lambda asked: _respelled(world, asked, spelled)
    (matter,) = world.smokeball.matters()
    assert (matter.id, matter.number, matter.client, [one.name for one in matter.staff]) == (
        key,
        "AM-1",
        "Mary Smith",
        ["Sam Reid"],
    )
    found = world.smokeball.matter("AM-1")
    assert found is not None
    assert found.id == key
    details = world.smokeball.client(client)
    assert details is not None
    assert details.name == "Mary Smith"
    assert [one.email for one in world.smokeball.staff()] == ["sam@firm.test"]
    assert [one.code for one in world.smokeball.cost_codes()] == ["SEARCH"]
    cost = world.smokeball.post_cost(line(key))
    assert cost.remote_id
    assert [one.remote_id for one in world.smokeball.costs(MatterRef(key, ""))] == [cost.remote_id]
    document = world.smokeball.post_document(paper(key))
    (read,) = world.smokeball.documents(MatterRef(key, ""))
    assert (read.remote_id, read.keys) == (document.remote_id, (paper(key).key,))


def _respelled(world: SmokeballWorld, asked: Asked, spelled: Callable[[Any], Any]) -> Said | None:
    if asked.path.startswith("/store/"):
        return None
    told = world.respond(asked)
    return said_json(spelled(json.loads(told.body)), told.status) if told.body else told


def capped(rows: list[dict[str, Any]], asked: Asked, *, reach: int, **told: object) -> Said:
    """A page of at most CAP rows, of which those from `reach` on are never given."""
    query = {name.lower(): value for name, value in parse_qsl(urlsplit(asked.path).query)}
    offset = int(query.get("offset", "0"))
    return said_json({"value": rows[:reach][offset : offset + CAP], "offset": offset, "limit": 500, **told})


def test_a_page_that_was_capped_without_a_word_is_followed_to_the_count_s_end(world: SmokeballWorld) -> None:
    key = world.add_matter("AM-1")
    rows = [world.add_expense(key, subject=f"Search {n}") for n in range(10)]
    world.scripted = lambda asked: capped(rows, asked, reach=10, size=10)
    assert len(world.smokeball.costs(MatterRef(key, ""))) == 10


def test_a_page_that_was_capped_without_a_word_is_followed_by_its_link(world: SmokeballWorld) -> None:
    """The count tells of the page alone; the link says that more follows."""
    key = world.add_matter("AM-1")
    rows = [world.add_expense(key, subject=f"Search {n}") for n in range(10)]

    def answer(asked: Asked) -> Said:
        told = json.loads(capped(rows, asked, reach=10).body)
        last = told["offset"] + CAP >= len(rows)
        return said_json(told | {"size": len(told["value"]), "next": None if last else {"href": "https://api.test/next"}})

    world.scripted = answer
    assert len(world.smokeball.costs(MatterRef(key, ""))) == 10


@pytest.mark.parametrize("count", [10, "10"], ids=["number", "text"])
def test_a_matter_s_list_that_ends_before_its_own_count_is_not_believed(world: SmokeballWorld, count: object) -> None:
    """Who took a line for absent would post it again."""
    key = world.add_matter("AM-1")
    rows = [world.add_expense(key, subject=f"Search {n}") for n in range(10)]
    world.scripted = lambda asked: capped(rows, asked, reach=CAP, size=count)
    with pytest.raises(BadAnswer, match="shorter than it says"):
        world.smokeball.costs(MatterRef(key, ""))
    with pytest.raises(NotSent, match="nothing was sent"):
        world.smokeball.post_document(paper(key))
    assert {asked.method for asked in world.asked} == {"GET"}
    assert len(world.asked) < 20


def test_a_firm_s_list_that_is_counted_wrongly_serves_as_far_as_it_goes(
    world: SmokeballWorld, caplog: pytest.LogCaptureFixture
) -> None:
    staff = [{"id": f"s-{n}", "firstName": "Sam", "lastName": f"Reid {n}"} for n in range(CAP)]
    world.scripted = lambda asked: capped(staff, asked, reach=CAP, size=10)
    with caplog.at_level(logging.WARNING):
        assert len(world.smokeball.staff()) == CAP
    assert "shorter than it says" in caplog.text
