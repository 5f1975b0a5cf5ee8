"""Whether a job of WorkflowMax was deleted, asked before something is charged to it, over real sockets."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from desktop.services.errors import AccessMissing, AnswerLost, BadAnswer, ServiceError, SignedOut, Wait
from desktop.services.practice.practice_system import KeepsDeleted, MatterRef, Urgency
from desktop.services.practice.workflowmax_v2 import WorkflowMaxV2
from tests.practice.workflowmax_server import Desk, job, said
from tests.practice.xpm_server import Said

REF = MatterRef("j-1", "J000001")
ALIVE = said(job(1))
DELETED = said(job(1, deletedAt="2026-05-02T00:00:00Z"))


class Watch:
    def __init__(self) -> None:
        self.at = datetime(2026, 5, 14, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.close()


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def v2(desk: Desk, watch: Watch) -> WorkflowMaxV2:
    return WorkflowMaxV2(desk.http, desk.tokens, desk.gate, desk.root, clock=watch)


@pytest.mark.parametrize(("answer", "deleted"), [(ALIVE, False), (DELETED, True), (said({"data": job(1, deletedAt="2026")}), True)])
def test_the_time_of_deletion_tells(desk: Desk, v2: WorkflowMaxV2, answer: Said, deleted: bool) -> None:
    """D8."""
    assert isinstance(v2, KeepsDeleted)
    desk.says(answer)
    assert v2.is_deleted(REF) is deleted
    assert (desk.paths, desk.gate.urgencies) == (["GET /v2/jobs/j-1"], [Urgency.SEND])


def test_a_job_without_an_id_is_asked_for_by_its_number(desk: Desk, v2: WorkflowMaxV2) -> None:
    desk.says(DELETED)
    assert v2.is_deleted(MatterRef(" ", " J000001 "))
    assert desk.paths == ["GET /v2/jobs/J000001"]


@pytest.mark.parametrize("answer", [Said(404, ""), said({"message": "Not found"}, 404), said({"message": "Not yours"}, 400)])
def test_of_a_job_that_is_not_told_of_the_answer_to_the_post_decides(desk: Desk, v2: WorkflowMaxV2, answer: Said) -> None:
    desk.says(answer)
    assert not v2.is_deleted(REF)
    assert len(desk.asked) == 1


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Said(403, ""), AccessMissing),
        (Said(401, ""), SignedOut),
        (Said(429, "", {"Retry-After": "30"}), Wait),
        (Said(500, ""), AnswerLost),
        (Said(200, "<html>Sign in</html>"), BadAnswer),
    ],
    ids=["forbidden", "signed out", "limit", "broken", "no answer of its"],
)
def test_what_can_not_be_told_is_raised_and_asked_again(
    desk: Desk, v2: WorkflowMaxV2, answer: Said, expected: type[ServiceError]
) -> None:
    """D8: no answer is no yes to charging."""
    desk.says(answer)
    with pytest.raises(expected) as raised:
        v2.is_deleted(REF)
    if isinstance(raised.value, Wait):
        assert raised.value.after == timedelta(seconds=30)
    desk.tokens.words = ["first"]
    desk.says(DELETED)
    assert v2.is_deleted(REF)


def test_a_lost_answer_tells_nothing_and_is_asked_for_again(desk: Desk, watch: Watch) -> None:
    """D8: the server takes the question and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.02)
        done = threading.Event()

        def hang_up() -> None:
            while not done.is_set():
                with contextlib.suppress(TimeoutError):  # nobody came
                    visitor, _ = server.accept()
                    with visitor:
                        visitor.recv(65_536)

        thread = threading.Thread(target=hang_up)
        thread.start()
        deaf = WorkflowMaxV2(desk.http, desk.tokens, desk.gate, f"http://127.0.0.1:{server.getsockname()[1]}", clock=watch)
        for _ in range(2):
            with pytest.raises(AnswerLost):
                deaf.is_deleted(REF)
        done.set()
        thread.join()


@pytest.mark.parametrize("first", [ALIVE, Said(404, "")], ids=["alive", "not told of"])
def test_a_job_that_was_seen_is_taken_to_be_there_for_ten_minutes_at_most(
    desk: Desk, v2: WorkflowMaxV2, watch: Watch, first: Said
) -> None:
    """D8: whoever deletes it meanwhile is seen ten minutes later."""
    desk.says(first)
    assert not v2.is_deleted(REF)
    desk.says(DELETED)
    watch.at += timedelta(minutes=10) - timedelta(microseconds=1)
    assert not v2.is_deleted(REF)
    assert len(desk.asked) == 1
    watch.at += timedelta(microseconds=1)
    assert v2.is_deleted(REF)
    assert len(desk.asked) == 2


def test_a_deletion_is_not_remembered_and_other_jobs_are_asked_for_themselves(desk: Desk, v2: WorkflowMaxV2) -> None:
    desk.says(DELETED)
    assert v2.is_deleted(REF)
    desk.says(ALIVE)
    assert not v2.is_deleted(REF)
    desk.says(said(job(2, deletedAt="2026-05-02T00:00:00Z")))
    assert v2.is_deleted(MatterRef("j-2", "J000002"))


def test_a_clock_that_was_set_back_makes_nothing_remembered_longer(desk: Desk, v2: WorkflowMaxV2, watch: Watch) -> None:
    desk.says(ALIVE)
    assert not v2.is_deleted(REF)
    watch.at -= timedelta(hours=1)
    desk.says(DELETED)
    assert v2.is_deleted(REF)


@pytest.mark.parametrize("other", [ALIVE, DELETED], ids=["alive", "deleted"])
def test_another_job_s_answer_tells_nothing_of_this_one(desk: Desk, v2: WorkflowMaxV2, other: Said) -> None:
    """Neither a hold nor a go for ten minutes comes from a job that nobody asked for."""
    asked = MatterRef("j-2", "J000002")
    desk.says(other)
    with pytest.raises(BadAnswer, match="another job"):
        v2.is_deleted(asked)
    desk.says(said(job(2, deletedAt="2026-05-02T00:00:00Z")))
    assert v2.is_deleted(asked)


def test_a_job_is_known_by_its_id_in_whatever_case(desk: Desk, v2: WorkflowMaxV2) -> None:
    desk.says(said(job(1, uuid="J-1", deletedAt="2026-05-02T00:00:00Z")))
    assert v2.is_deleted(REF)
