"""A document's two steps: an entry and its contents, and what is left when one of them fails."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from desktop.services.errors import AccessMissing, AnswerLost, NotSent, Refused, ServiceError, Wait
from desktop.services.practice.keys import file_word
from desktop.services.practice.practice_system import MatterRef
from tests.practice.smokeball_server import Entry, SmokeballWorld, paper, problem, said_json
from tests.practice.xpm_server import Asked, Said

MATTER = "b471682e-fa17-4e46-b7fe-9b2b8fdcb3c2"
REF = MatterRef(MATTER, "AM-1")
FILES = f"matters/{MATTER}/documents/files"
PAPER = paper(MATTER)


@pytest.fixture
def world() -> Iterator[SmokeballWorld]:
    made = SmokeballWorld()
    made.add_matter("AM-1", id=MATTER)
    yield made
    made.close()


def entries(world: SmokeballWorld) -> list[Entry]:
    return world.files.get(MATTER, [])


def contents(world: SmokeballWorld) -> list[list[bytes]]:
    return [entry.contents for entry in entries(world)]


def add_entry(world: SmokeballWorld, key: str | None = "IT-71000123-D-1", **told: Any) -> Entry:
    """An entry that some PC made."""
    world.made().post_document(paper(MATTER, key="IT-9-D-9"))
    entry = entries(world)[-1]
    entry.contents.clear()
    entry.told.update({"additionalData": {"iconnect": key} if key else None, "isUploaded": False, **told})
    world.asked.clear()
    world.puts.clear()
    return entry


def at_store(said: Said) -> Any:
    return lambda asked: said if asked.method == "PUT" else None


# Reading


@pytest.mark.parametrize(
    ("told", "seen"),
    [
        ({"isUploaded": True}, True),
        ({"isUploaded": False}, False),
        ({"isUploaded": None}, False),
        ({"isUploaded": True, "isDeleted": True}, False),
        ({"isUploaded": True, "isCancelled": True}, False),
    ],
)
def test_only_a_file_whose_contents_are_there_is_a_document(world: SmokeballWorld, told: dict[str, Any], seen: bool) -> None:
    """D16: an entry without contents confirms nothing."""
    add_entry(world, **told)
    assert [one.keys for one in world.smokeball.documents(REF)] == ([("IT-71000123-D-1",)] if seen else [])


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        ({"iconnect": "IT-71000123-D-1"}, ("IT-71000123-D-1",)),
        ({"IConnect": "InfoTrack it-71000123-d-1"}, ("IT-71000123-D-1",)),
        ({"other": "IT-71000123-D-1"}, ()),
        ({"iconnect": None}, ()),
        ({"iconnect": {"key": "IT-71000123-D-1"}}, ()),
        ([{"key": "iconnect", "value": "IT-71000123-D-1"}], ("IT-71000123-D-1",)),
        (None, ()),
        ({}, ()),
    ],
)
def test_the_key_is_in_the_files_further_data(world: SmokeballWorld, data: object, keys: tuple[str, ...]) -> None:
    add_entry(world, isUploaded=True, additionalData=data)
    (found,) = world.smokeball.documents(REF)
    assert found.keys == keys


@pytest.mark.parametrize(
    ("name", "extension", "shown"),
    [("a", ".pdf", "a.pdf"), ("a", "pdf", "a.pdf"), ("a.PDF", ".pdf", "a.PDF"), ("a", None, "a"), (None, ".pdf", ".pdf")],
)
def test_a_files_name_and_extension_come_apart(world: SmokeballWorld, name: str | None, extension: str | None, shown: str) -> None:
    add_entry(world, isUploaded=True, name=name, fileExtension=extension)
    assert world.smokeball.documents(REF)[0].file_name == shown


# Posting


def test_a_document_is_not_there_before_smokeball_shows_it(world: SmokeballWorld) -> None:
    """D16: asynchronous writes."""
    world.shows_at_once = False
    world.smokeball.post_document(PAPER)
    assert world.smokeball.documents(REF) == ()
    world.show()
    assert [one.keys for one in world.smokeball.documents(REF)] == [("IT-71000123-D-1",)]


def test_an_entry_of_ours_without_contents_is_filled_and_no_second_is_made(world: SmokeballWorld) -> None:
    """D9: whoever began it, this PC before a crash or another one."""
    entry = add_entry(world)
    receipt = world.smokeball.post_document(PAPER)
    assert receipt.remote_id == entry.told["id"]
    assert world.paths == [f"GET {FILES}", f"GET {FILES}/{receipt.remote_id}/upload", f"PUT store/{receipt.remote_id}"]
    assert contents(world) == [[PAPER.content]]


def test_of_several_without_contents_every_pc_fills_the_oldest(world: SmokeballWorld) -> None:
    add_entry(world, dateCreated="2026-05-12T01:00:09Z")
    oldest = add_entry(world, dateCreated="2026-05-12T01:00:01Z")
    assert world.smokeball.post_document(PAPER).remote_id == oldest.told["id"]


def test_a_document_that_is_there_already_is_not_sent(world: SmokeballWorld) -> None:
    """D9."""
    add_entry(world)
    whole = add_entry(world, isUploaded=True)
    assert world.smokeball.post_document(PAPER).remote_id == whole.told["id"]
    assert world.paths == [f"GET {FILES}"]


@pytest.mark.parametrize("dead", [{"isCancelled": True}, {"isDeleted": True}, {"additionalData": None}])
def test_an_entry_that_was_given_up_or_is_not_ours_is_left_alone(world: SmokeballWorld, dead: dict[str, Any]) -> None:
    other = add_entry(world, **dead)
    assert world.smokeball.post_document(PAPER).remote_id != other.told["id"]
    assert contents(world) == [[], [PAPER.content]]


@pytest.mark.parametrize("uploaded", [False, True])
def test_an_entry_of_another_version_that_another_pc_made_is_not_filled(world: SmokeballWorld, uploaded: bool) -> None:
    """D9: one key can stand for two files, where two PCs received an order's versions in different order."""
    key, words = "IT-71000123-D-1", (file_word("one"), file_word("two"))
    notes = [f"InfoTrack file {word} {key}" for word in words]
    other = add_entry(world, additionalData={"iconnect": key, "iconnectNote": notes[0]}, isUploaded=uploaded)
    mine = world.smokeball.post_document(paper(MATTER, text=notes[1]))
    assert mine.remote_id != other.told["id"]
    assert contents(world) == [[], [PAPER.content]]
    assert notes[1] in [one.text for one in world.smokeball.documents(REF)]
    same = world.made().post_document(paper(MATTER, text=notes[1]))
    assert same == mine


def test_an_address_that_lapsed_is_asked_for_again_once(world: SmokeballWorld) -> None:
    first: list[str] = []

    def lapse_first(asked: Asked) -> Said | None:
        if asked.method == "PUT" and not first:
            first.append(asked.path)
            world.lapsed.add(asked.path.partition("?")[2])
        return None

    world.scripted = lapse_first
    receipt = world.smokeball.post_document(PAPER)
    assert [step.split(" ")[0] for step in world.paths] == ["GET", "POST", "PUT", "GET", "PUT"]
    assert world.puts[0].path != world.puts[1].path
    assert (contents(world), receipt.remote_id) == ([[PAPER.content]], entries(world)[0].told["id"])


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_store_that_never_takes_it_is_a_refusal_after_two_tries(world: SmokeballWorld, status: int) -> None:
    world.scripted = at_store(Said(status, "<Error><Code>SignatureDoesNotMatch</Code></Error>", kind="application/xml"))
    with pytest.raises(Refused, match="by hand") as refused:
        world.smokeball.post_document(PAPER)
    assert refused.value.status == status
    assert [asked.method for asked in world.asked].count("PUT") == 2


@pytest.mark.parametrize("said", [Said(307, "", {"Location": "https://elsewhere.test/x"}), Said(302, "", {"Location": "/x"})])
def test_a_store_that_sends_us_elsewhere_is_not_followed(world: SmokeballWorld, said: Said) -> None:
    """D5: the file goes where it was signed for and nowhere else."""
    world.scripted = at_store(said)
    with pytest.raises(AnswerLost):
        world.smokeball.post_document(PAPER)
    assert [asked.method for asked in world.asked].count("PUT") == 1


LOST = [Said(500, ""), Said(503, "<Error><Code>SlowDown</Code></Error>"), Said(409, ""), Said(408, ""), Said(599, ""), Said(0)]


@pytest.mark.parametrize("said", LOST)
@pytest.mark.parametrize("arrived", [True, False])
def test_contents_that_may_have_arrived_are_unknown_and_the_next_try_makes_no_second_entry(
    world: SmokeballWorld, said: Said, arrived: bool
) -> None:
    """D1, D3: whether or not they did arrive, and from this program or the next one."""

    def lose(asked: Asked) -> Said | None:
        if asked.method != "PUT" or len(world.puts):
            return None
        if arrived:
            world.respond(asked)
        else:
            world.puts.append(asked)
        return said

    world.scripted = lose
    with pytest.raises(AnswerLost):
        world.smokeball.post_document(PAPER)
    assert len(world.smokeball.documents(REF)) == arrived
    for practice in (world.smokeball, world.made()):
        receipt = practice.post_document(PAPER)
        assert receipt.remote_id == entries(world)[0].told["id"]
    assert contents(world) == [[PAPER.content]]


def test_contents_that_never_left_are_not_sent_and_the_next_try_fills_the_same_entry(world: SmokeballWorld) -> None:
    """D1, D3: the first step is done and the store can't be reached. The entry may not even be in the list yet."""
    world.shows_at_once = False
    nobody = "http://127.0.0.1:9/store/x?sig=1"
    made = said_json({"fileId": "f-1", "uploadUrl": nobody, "expiry": "2026-05-12T01:15:00Z"}, 202)
    world.says_to(f"POST /{FILES}", made)
    for _ in range(3):
        with pytest.raises(NotSent):
            world.smokeball.post_document(PAPER)
    assert [asked.method for asked in world.asked].count("POST") == 1


def test_an_entry_that_was_accepted_and_does_not_appear_is_waited_for_and_then_made_anew() -> None:
    """A late failure shows as absence; while it may still appear, no second entry is made."""
    now = [datetime(2026, 5, 12, 1, 0, tzinfo=UTC)]
    world = SmokeballWorld()
    try:
        world.add_matter("AM-1", id=MATTER)
        smokeball = world.made(clock=lambda: now[0])
        lost = said_json({"fileId": "f-gone", "uploadUrl": "", "expiry": None}, 202)
        world.says_to(f"POST /{FILES}", lost)
        for _ in range(2):
            with pytest.raises(AnswerLost, match="does not know it yet"):
                smokeball.post_document(PAPER)
            now[0] += timedelta(minutes=2)
        now[0] += timedelta(minutes=2)
        assert smokeball.post_document(PAPER).remote_id == entries(world)[0].told["id"]
        assert [asked.method for asked in world.asked].count("POST") == 2
    finally:
        world.close()


def test_a_yes_without_an_address_is_completed_by_asking_for_one(world: SmokeballWorld) -> None:
    def without_address(asked: Asked) -> Said | None:
        if asked.method != "POST":
            return None
        world.respond(asked)
        return said_json({"fileId": entries(world)[0].told["id"], "uploadUrl": {"not": "an address"}}, 202)

    world.scripted = without_address
    world.smokeball.post_document(PAPER)
    assert contents(world) == [[PAPER.content]]


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("http://store.test/x?s=1", Refused),
        ("http://127.0.0.1.store.test/x", Refused),
        ("http://localhost.store.test/x", Refused),
        ("ftp://store.test/x", NotSent),
        ("file:///x", NotSent),
        ("x", NotSent),
        ("//x", NotSent),
    ],
)
def test_a_place_that_is_not_protected_gets_no_document(world: SmokeballWorld, address: str, error: type[ServiceError]) -> None:
    made = said_json({"fileId": "f-1", "uploadUrl": address}, 202)
    upload = said_json({"fileId": "f-1", "uploadUrl": address})
    world.scripted = lambda asked: made if asked.method == "POST" else upload if asked.path.endswith("/upload") else None
    with pytest.raises(error, match="no https" if error is Refused else "where the file goes"):
        world.smokeball.post_document(PAPER)
    assert world.puts == []


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (Said(429, "", {"Retry-After": "3"}), Wait),
        (said_json({"message": "Forbidden"}, 403), AccessMissing),
        (Said(500, ""), NotSent),
        (Said(0), NotSent),
        (Said(200, "<html>"), NotSent),
        (problem(400, "no"), Refused),
    ],
)
@pytest.mark.parametrize("step", [f"GET /{FILES}?", f"GET /{FILES}/"])
def test_trouble_before_the_contents_leave_is_not_done(
    world: SmokeballWorld, said: Said, error: type[ServiceError], step: str
) -> None:
    """D3: the list of what is there, and the address for what was begun, are reads: what they meet is not a write's fate."""
    add_entry(world)
    world.says_to(step, *(said for _ in range(9)))
    world.scripted = lambda asked: said if f"{asked.method} {asked.path}".startswith(step) else None
    with pytest.raises(error):
        world.smokeball.post_document(PAPER)
    assert world.puts == []
    assert len(entries(world)) == 1


@pytest.mark.parametrize(("said", "error"), [(Said(429, "", {"Retry-After": "3"}), Wait), (Said(413, ""), Refused)])
def test_the_stores_own_no_is_told_apart(world: SmokeballWorld, said: Said, error: type[ServiceError]) -> None:
    world.scripted = at_store(said)
    with pytest.raises(error):
        world.smokeball.post_document(PAPER)


def test_a_large_file_arrives_whole(world: SmokeballWorld) -> None:
    content = bytes(range(256)) * 40_000
    world.smokeball.post_document(paper(MATTER, content))
    assert contents(world) == [[content]]


def test_the_stand_ins_store_refuses_what_a_signed_address_refuses(world: SmokeballWorld) -> None:
    """The tests above prove something only if it does."""
    world.smokeball.post_document(PAPER)
    address = f"{world.root}{world.puts[0].path}"
    for headers in ({"Content-Type": "application/pdf"}, {}, {"Content-Type": "", "Authorization": "Bearer x"}):
        assert world.http.send("PUT", address, headers=headers, body=b"x").status == 403
    assert world.http.send("PUT", address + "&more=1", headers={"Content-Type": ""}, body=b"x").status == 403
    assert world.http.send("PUT", address, headers={"Content-Type": ""}, body=b"x").status == 200
