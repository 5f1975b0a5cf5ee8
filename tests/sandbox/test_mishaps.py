"""Faults on demand: what happened in the books, and what the caller saw, are two things."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
import requests

from sandbox.faults import NAMES
from tests.sandbox.visitors import Controls, Practice, Visitor

COST = "POST practicemanager/3.1/job.api/cost"


@pytest.mark.parametrize(
    ("name", "happened"),
    [
        ("drop_before", False),
        ("reset_before", False),
        ("drop_after", True),
        ("reset_after", True),
        ("half_answer", True),
        ("wrong_length", True),
    ],
)
def test_an_answer_that_never_comes_leaves_the_books_as_the_fault_says(
    practice: Practice, controls: Controls, name: str, happened: bool
) -> None:
    controls.post("faults", name=name, where=COST, count=1)
    with pytest.raises(requests.RequestException):
        practice.post_cost("IT-1-T-1")
    assert len(controls.books()["costs"]) == int(happened)
    assert practice.post_cost("IT-1-T-2").status_code == 200  # once, and no more


@pytest.mark.parametrize(
    ("name", "status", "kind"),
    [
        ("html_503", 503, "text/html; charset=utf-8"),
        ("html_200", 200, "text/html; charset=utf-8"),
        ("json_error", 500, "application/json"),
        ("xml_500", 500, "text/xml; charset=utf-8"),
        ("error_200", 200, "text/xml; charset=utf-8"),
        ("token_expired", 401, "application/json"),
        ("limited", 429, None),
        ("empty_200", 200, None),
        ("redirect", 307, None),
        ("status", 500, None),
    ],
)
def test_an_answer_in_place_of_the_real_one_changes_nothing(
    practice: Practice, controls: Controls, name: str, status: int, kind: str | None
) -> None:
    controls.post("faults", name=name, where=COST, count=1, location="/elsewhere")
    answer = practice.post_cost("IT-1-T-1", allow_redirects=False)
    assert answer.status_code == status
    assert answer.headers.get("content-type") == kind
    assert controls.books()["costs"] == []


@pytest.mark.parametrize("name", ["status_after", "empty_200_after"])
def test_a_wrong_answer_can_hide_that_it_happened(practice: Practice, controls: Controls, name: str) -> None:
    controls.post("faults", name=name, where=COST, count=1)
    answer = practice.post_cost("IT-1-T-1")
    assert answer.status_code == (500 if name == "status_after" else 200)
    assert len(controls.books()["costs"]) == 1


def test_an_effect_can_come_after_the_caller_gave_up(practice: Practice, controls: Controls, settled: Callable[[], None]) -> None:
    controls.post("faults", name="late_effect", where=COST, count=1, seconds=600)
    with pytest.raises(requests.ConnectionError):
        practice.post_cost("IT-1-T-1")
    assert practice.notes() == []
    controls.post("clock", advance=601)
    settled()
    assert [cost["note"] for cost in controls.books()["costs"]] == ["IT-1-T-1"]


def test_a_late_effect_outlives_the_token_it_came_with(practice: Practice, controls: Controls, settled: Callable[[], None]) -> None:
    controls.post("faults", name="late_effect", where=COST, count=1, seconds=3600)
    with pytest.raises(requests.ConnectionError):
        practice.post_cost("IT-1-T-1")
    controls.post("clock", advance=3601)
    settled()
    assert len(controls.books()["costs"]) == 1


def test_a_slow_server_does_it_and_a_caller_with_less_patience_never_knows(
    practice: Practice, controls: Controls, soon: Callable[[Callable[[], bool]], None]
) -> None:
    controls.post("faults", name="slow_answer", where=COST, count=1, seconds=30)
    with pytest.raises(requests.Timeout):
        practice.post_cost("IT-1-T-1", timeout=0.3)
    soon(lambda: len(controls.books()["costs"]) == 1)
    practice.box.world.stopping.set()


def test_a_trickling_answer_arrives_whole(practice: Practice, controls: Controls) -> None:
    controls.post("faults", name="trickle", where="staff.api/list", count=1, seconds=0.2)
    began = time.monotonic()
    slow = practice.call("GET", "staff.api/list").content
    assert time.monotonic() - began >= 0.15
    assert slow == practice.call("GET", "staff.api/list").content


def test_a_probability_with_a_seed_falls_the_same_way_again(practice: Practice, controls: Controls) -> None:
    def run() -> list[int]:
        controls.delete("faults")
        controls.post("faults", name="xml_500", where="staff.api", probability=0.5, seed=7)
        return [practice.call("GET", "staff.api/list").status_code for _ in range(12)]

    first = run()
    assert first == run()
    assert set(first) == {200, 500}


def test_a_fault_may_let_the_first_calls_pass(practice: Practice, controls: Controls) -> None:
    controls.post("faults", name="xml_500", where="*staff.api/*", skip=2, count=1)
    assert [practice.call("GET", "staff.api/list").status_code for _ in range(4)] == [200, 200, 500, 200]


def test_the_token_endpoint_has_mishaps_too(visitor: Visitor, controls: Controls) -> None:
    token = visitor.tokens()["refresh_token"]
    controls.post("faults", name="drop_after", where="identity POST connect/token", count=1)
    with pytest.raises(requests.ConnectionError):
        visitor.refresh(token)
    assert visitor.refresh(token).status_code == 200  # within the grace


def test_a_fault_that_does_not_exist_is_refused_in_words(controls: Controls) -> None:
    answer = requests.post(f"{controls.url}/api/faults", json={"name": "gremlins"})
    assert answer.status_code == 400
    assert "gremlins" in answer.json()["error"]
    assert requests.post(f"{controls.url}/api/faults", json={"name": "slow", "speed": 3}).status_code == 400


def test_every_fault_is_explained(controls: Controls) -> None:
    assert controls.get("faults")["names"] == NAMES


def test_stopping_does_not_wait_for_slow_answers(practice: Practice, controls: Controls) -> None:
    controls.post("faults", name="slow", where="staff.api/list", seconds=60)
    caller = threading.Thread(target=_ignore, args=(practice,), daemon=True)
    caller.start()
    began = time.monotonic()
    practice.box.world.stop()
    caller.join(timeout=10)
    assert time.monotonic() - began < 10
    assert not caller.is_alive()


def _ignore(practice: Practice) -> None:
    try:
        practice.call("GET", "staff.api/list")
    except requests.RequestException:
        pass
