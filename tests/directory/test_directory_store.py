"""The copy itself: refreshed in one step or not at all, while others read it, in one process or several, and after damage."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import apsw
import pytest

from desktop.services.errors import AnswerLost, NotNow
from desktop.services.practice.directory import Directory, RefreshReport
from desktop.services.practice.model import Matter, Staff

XPM = "xero-practice-manager"
NOW = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)


def matter(
    number: int, name: str = "Annual Accounts", client: str = "Tui Ltd", *, system: str = XPM, tenant: str = "t-1"
) -> Matter:
    return Matter(
        system, tenant, f"id-{number}", f"J{number:06}", name, client, staff=(Staff("s", "Kim Ode"),), description="line\none"
    )


def numbers(directory: Directory, text: str, limit: int = 50) -> list[str]:
    return [hit.matter.number for hit in directory.find(text, limit)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "directory.db"


@pytest.fixture
def directory(path: Path) -> Iterator[Directory]:
    opened = Directory.open(path, clock=lambda: NOW)
    yield opened
    opened.close()


def test_a_refresh_says_what_it_found(directory: Directory) -> None:
    first = [matter(1), matter(2), matter(3)]
    assert directory.replace(XPM, "t-1", iter(first)) == RefreshReport(total=3, new=3, changed=0, gone=0)
    assert directory.replace(XPM, "t-1", iter(first)) == RefreshReport(total=3, new=0, changed=0, gone=0)
    second = [matter(1), matter(2, "Restructure"), matter(4)]
    assert directory.replace(XPM, "t-1", iter(second)) == RefreshReport(total=3, new=1, changed=1, gone=1)
    assert (directory.count(), directory.refreshed_at()) == (3, NOW)


def test_matters_come_back_as_they_were_given(directory: Directory) -> None:
    team = (Staff("1", "Kim", "k@x"), Staff("2", "Sam"))
    full = Matter(XPM, "t-1", "id-9", " J-9/x ", "Name\n«Ω»", "Łukasz & Co", "c-1", "In Progress", team, "d\x00d", None)
    directory.replace(XPM, "t-1", [full])
    assert directory.by_id(XPM, "id-9") == full
    assert directory.by_number("j-9/X") == (full,)
    assert directory.find("lukasz")[0].matter == full


def test_a_changed_name_is_found_by_the_new_words_and_no_longer_by_the_old(directory: Directory) -> None:
    directory.replace(XPM, "t-1", [matter(1, "Kestrel"), matter(2)])
    directory.replace(XPM, "t-1", [matter(1, "Bellbird"), matter(2)])
    assert numbers(directory, "bellbird") == ["J000001"]
    assert numbers(directory, "kestrel") == []


def test_a_stored_index_gives_way_to_what_changed_since(directory: Directory, path: Path) -> None:
    many = [matter(number, f"Kestrel {number}") for number in range(1, 2500)]
    directory.replace(XPM, "t-1", many)
    many[70] = replace(many[70], name="Bellbird 71")
    assert directory.replace(XPM, "t-1", many) == RefreshReport(2499, 0, 1, 0)
    again = Directory.open(path, clock=lambda: NOW)
    for copy in (directory, again):
        assert numbers(copy, "bellbird") == ["J000071"]
        assert "J000071" not in numbers(copy, "kestrel 71")
        assert numbers(copy, "kestrel 72")[0] == "J000072"
    again.close()


def test_the_number_as_typed_stands_before_its_other_spellings(directory: Directory) -> None:
    spelled = [replace(matter(number), number=text) for number, text in enumerate(("A-1", "A1", "A001", "A 01"))]
    directory.replace(XPM, "t-1", spelled)
    for one in spelled:
        directory.note_use(spelled[0])
        assert numbers(directory, one.number.lower())[0] == one.number


def test_a_matter_that_left_the_list_stays_findable_and_is_not_open(directory: Directory) -> None:
    directory.replace(XPM, "t-1", [matter(1, "Kestrel"), matter(2, "Kestrel")])
    directory.replace(XPM, "t-1", [matter(2, "Kestrel")])
    assert [(hit.matter.number, hit.matter.is_open) for hit in directory.find("kestrel")] == [("J000002", True), ("J000001", False)]
    assert directory.count() == 1
    assert directory.replace(XPM, "t-1", [matter(1, "Kestrel"), matter(2, "Kestrel")]).changed == 1
    assert directory.by_id(XPM, "id-1") == matter(1, "Kestrel")


def test_an_empty_list_closes_all_and_loses_none(directory: Directory) -> None:
    directory.replace(XPM, "t-1", [matter(1), matter(2)])
    assert directory.replace(XPM, "t-1", []) == RefreshReport(0, 0, 0, 2)
    assert directory.count() == 0
    assert numbers(directory, "tui") == ["J000002", "J000001"]


def test_systems_and_tenants_lie_side_by_side(directory: Directory) -> None:
    for system, tenant in ((XPM, "t-1"), (XPM, "t-2"), ("smokeball", "t-1")):
        directory.replace(system, tenant, [matter(7, system=system, tenant=tenant)])
    directory.replace(XPM, "t-2", [])
    assert {(one.system, one.tenant, one.is_open) for one in directory.by_number("J000007")} == {
        (XPM, "t-1", True),
        (XPM, "t-2", False),
        ("smokeball", "t-1", True),
    }
    assert len(directory.find("J000007")) == 3
    found = directory.by_id(XPM, "id-7")
    assert found is not None
    assert found.tenant == "t-1"
    assert directory.by_id("workflowmax", "id-7") is None
    assert directory.forget(XPM, "t-1") == 1
    assert {one.tenant for one in directory.by_number("J000007")} == {"t-2", "t-1"}
    assert len(directory.find("J000007")) == 2


def test_a_stream_that_fails_midway_changes_nothing(directory: Directory, path: Path) -> None:
    directory.replace(XPM, "t-1", [matter(1), matter(2)])

    def broken() -> Iterator[Matter]:
        yield matter(1, "Changed")
        yield matter(3)
        raise AnswerLost("cut")

    with pytest.raises(AnswerLost):
        directory.replace(XPM, "t-1", broken())
    assert numbers(directory, "annual") == ["J000002", "J000001"]
    assert numbers(directory, "changed") == []
    again = Directory.open(path, clock=lambda: NOW)
    assert numbers(again, "annual") == ["J000002", "J000001"]
    again.close()
    assert directory.replace(XPM, "t-1", [matter(1), matter(2)]) == RefreshReport(2, 0, 0, 0)


def test_a_kept_matter_is_found_at_once_and_is_not_counted_as_listed(directory: Directory) -> None:
    directory.replace(XPM, "t-1", [matter(1)])
    asked = replace(matter(5, "Kestrel"), is_open=None)
    directory.keep(asked)
    assert directory.find("J000005")[0].matter == asked
    assert directory.count() == 1
    directory.keep(asked)
    assert directory.replace(XPM, "t-1", [matter(1)]).gone == 0
    assert directory.by_id(XPM, "id-5") == asked


def test_keeping_a_listed_matter_does_not_forget_that_it_is_open(directory: Directory) -> None:
    directory.replace(XPM, "t-1", [matter(1)])
    directory.keep(replace(matter(1, "Kestrel"), is_open=None))
    kept = directory.by_id(XPM, "id-1")
    assert kept is not None
    assert (kept.name, kept.is_open, directory.count()) == ("Kestrel", True, 1)


def test_searches_see_the_old_copy_until_the_new_one_is_complete(directory: Directory) -> None:
    directory.replace(XPM, "t-1", [matter(1, "Kestrel")])
    halfway, go_on = threading.Event(), threading.Event()

    def slow() -> Iterator[Matter]:
        yield matter(2, "Kestrel")
        halfway.set()
        assert go_on.wait(20)
        yield matter(3, "Kestrel")

    refreshing = threading.Thread(target=directory.replace, args=(XPM, "t-1", slow()))
    refreshing.start()
    assert halfway.wait(20)
    assert numbers(directory, "kestrel") == ["J000001"]
    directory.note_use(matter(1, "Kestrel"))
    assert directory.find("")[0].recent
    go_on.set()
    refreshing.join(20)
    assert sorted(numbers(directory, "kestrel")) == ["J000001", "J000002", "J000003"]


def test_searching_from_several_threads_while_refreshing_always_answers(directory: Directory) -> None:
    many = [matter(number, f"Kestrel {number}") for number in range(1, 400)]
    directory.replace(XPM, "t-1", many)
    stop = threading.Event()
    wrong: list[object] = []

    def search() -> None:
        while not stop.is_set():
            for text in ("kestrel", "kestrle 77", "J000250", "t", ""):
                try:
                    if text == "J000250" and numbers(directory, text)[:1] != ["J000250"]:
                        wrong.append(text)
                    directory.find(text)
                except Exception as error:  # noqa: BLE001 - a thread's failure must reach the test
                    wrong.append(error)

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    for turn in range(6):
        directory.replace(
            XPM, "t-1", [*many[turn * 10 :], *[matter(1000 + turn + extra) for extra in range(2500 if turn == 3 else 5)]]
        )
    stop.set()
    for thread in threads:
        thread.join(20)
    assert wrong == []


def test_another_connections_refresh_is_noticed(directory: Directory, path: Path) -> None:
    directory.replace(XPM, "t-1", [matter(1, "Kestrel")])
    other = Directory.open(path, clock=lambda: NOW)
    other.replace(XPM, "t-1", [matter(2, "Kestrel")])
    other.note_use(matter(1, "Kestrel"))
    other.close()
    directory.settle()
    assert numbers(directory, "kestrel") == ["J000001", "J000002"]
    assert numbers(directory, "") == ["J000001"]


def test_another_process_s_refresh_is_noticed_by_searching_alone(directory: Directory, path: Path) -> None:
    directory.replace(XPM, "t-1", [matter(1, "Kestrel")])
    program = (
        "import sys; from datetime import UTC, datetime; from pathlib import Path\n"
        "from desktop.services.practice.directory import Directory; from desktop.services.practice.model import Matter\n"
        "d = Directory.open(Path(sys.argv[1]), clock=lambda: datetime.now(UTC))\n"
        "d.replace('smokeball', 'x', [Matter('smokeball', 'x', str(n), f'S-{n}', 'Kestrel', 'Moa') for n in range(2300)])\n"
        "d.close()\n"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=True, timeout=60)
    deadline = threading.Event()
    for _ in range(400):
        if numbers(directory, "S-2299"):
            break
        deadline.wait(0.05)
    assert numbers(directory, "S-2299")[0] == "S-2299"
    assert directory.count() == 2301


def test_a_stored_index_opens_with_the_same_answers(directory: Directory, path: Path) -> None:
    directory.replace(XPM, "t-1", [matter(number, f"Kestrel {number}", f"Client {number % 50}") for number in range(1, 3000)])
    directory.replace(XPM, "t-1", [matter(number, f"Kestrel {number}", f"Client {number % 50}") for number in range(2, 3001)])
    again = Directory.open(path, clock=lambda: NOW)
    for text in ("J002999", "kestrel 77", "client 7 kestrel", "c", "kestrle 1234", "J000001", "J003000"):
        assert numbers(again, text) == numbers(directory, text), text
    again.close()


def test_an_index_that_cannot_be_read_is_done_without(directory: Directory, path: Path) -> None:
    directory.replace(XPM, "t-1", [matter(number, f"Kestrel {number}") for number in range(1, 2500)])
    directory.close()
    with apsw.Connection(str(path)) as connection:
        connection.execute("UPDATE part SET content = x'00' WHERE name = 'tokens'")
    connection.close()
    again = Directory.open(path, clock=lambda: NOW)
    assert numbers(again, "kestrel 77")[0] == "J000077"
    again.close()


@pytest.mark.parametrize(
    "content", [b"", b"not a database at all" * 500, b"SQLite format 3\x00" + b"\xff" * 5000], ids=["empty", "text", "torn"]
)
def test_a_damaged_file_is_set_aside_and_the_copy_begins_anew(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    opened = Directory.open(path, clock=lambda: NOW)
    assert (opened.count(), opened.find("tui"), opened.refreshed_at()) == (0, (), None)
    opened.replace(XPM, "t-1", [matter(1)])
    assert numbers(opened, "tui") == ["J000001"]
    opened.close()
    aside = path.with_name("directory.damaged.db")
    assert aside.exists() == bool(content)
    assert not content or aside.read_bytes() == content


def test_a_file_of_another_layout_is_set_aside(path: Path) -> None:
    with apsw.Connection(str(path)) as connection:
        connection.execute("PRAGMA user_version = 999; CREATE TABLE matter (x)")
    connection.close()
    opened = Directory.open(path, clock=lambda: NOW)
    assert opened.count() == 0
    opened.close()
    assert path.with_name("directory.damaged.db").exists()


def test_damage_found_while_searching_costs_the_copy_and_not_the_program(path: Path) -> None:
    opened = Directory.open(path, clock=lambda: NOW)
    opened.replace(XPM, "t-1", [matter(number, "Kestrel " * 50) for number in range(1, 300)])
    opened.close()
    size = path.stat().st_size
    opened = Directory.open(path, clock=lambda: NOW)
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xaa" * (size - 8192))
    for _ in range(3):
        opened.find("kestrel")
    opened.replace(XPM, "t-1", [matter(1, "Bellbird")])
    assert numbers(opened, "bellbird") == ["J000001"]
    opened.close()


def test_a_folder_that_cannot_be_used_is_said_in_words(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("x")
    with pytest.raises(NotNow, match="local copy of the matters can't be used"):
        Directory.open(blocked / "directory.db", clock=lambda: NOW)


def test_a_use_noted_while_the_file_is_held_is_kept_for_later(directory: Directory, path: Path) -> None:
    directory.replace(XPM, "t-1", [matter(1), matter(2)])
    holder = apsw.Connection(str(path))
    holder.execute("BEGIN IMMEDIATE")
    directory.note_use(matter(1))
    assert numbers(directory, "") == ["J000001"]
    holder.execute("COMMIT")
    holder.close()
    directory.close()
    again = Directory.open(path, clock=lambda: NOW)
    assert numbers(again, "") == ["J000001"]
    again.close()


def test_refreshed_at_is_told_for_each_tenant(path: Path) -> None:
    moments = iter([NOW, NOW + timedelta(hours=1)])
    opened = Directory.open(path, clock=lambda: next(moments))
    assert opened.refreshed_at() is None
    opened.replace(XPM, "t-1", [])
    opened.replace("smokeball", "t-1", [])
    assert opened.refreshed_at(XPM, "t-1") == NOW
    assert opened.refreshed_at() == NOW + timedelta(hours=1)
    opened.close()


def test_what_changed_is_merged_and_the_rest_stays(directory: Directory) -> None:
    directory.replace(XPM, "t-1", [matter(1), matter(2), matter(3)])
    changed = [matter(2, "Kestrel"), replace(matter(3), is_open=False), matter(4, "Kestrel")]
    assert directory.merge(XPM, "t-1", iter(changed)) == RefreshReport(total=3, new=1, changed=2, gone=1)
    assert directory.count() == 3
    assert numbers(directory, "Kestrel") == ["J000004", "J000002"]
    closed = directory.by_id(XPM, "id-3")
    assert closed is not None
    assert closed.is_open is False
    assert numbers(directory, "J000003")[0] == "J000003"
    assert directory.merge(XPM, "t-1", [matter(2, "Kestrel")]) == RefreshReport(total=1, new=0, changed=0, gone=0)
    assert directory.count() == 3


def test_a_matter_that_was_opened_again_is_in_the_list_again(directory: Directory) -> None:
    directory.replace(XPM, "t-1", [matter(1), matter(2)])
    directory.replace(XPM, "t-1", [matter(2)])
    assert directory.merge(XPM, "t-1", [matter(1)]).changed == 1
    assert directory.count() == 2
    again = directory.by_id(XPM, "id-1")
    assert again is not None
    assert again.is_open is True


def test_a_merge_that_fails_midway_changes_nothing_and_moves_no_time(directory: Directory) -> None:
    directory.replace(XPM, "t-1", [matter(1)], began=NOW - timedelta(hours=1))

    def broken() -> Iterator[Matter]:
        yield matter(1, "Kestrel")
        raise AnswerLost("The answer was cut.")

    with pytest.raises(AnswerLost):
        directory.merge(XPM, "t-1", broken(), began=NOW)
    assert numbers(directory, "Kestrel") == []
    times = directory.refresh_times(XPM, "t-1")
    assert times is not None
    assert (times.began, times.whole_began) == (NOW - timedelta(hours=1), NOW - timedelta(hours=1))


def test_the_beginnings_of_refreshes_are_kept_and_a_merge_is_no_whole_one(path: Path) -> None:
    opened = Directory.open(path, clock=lambda: NOW)
    assert opened.refresh_times(XPM, "t-1") is None
    opened.replace(XPM, "t-1", [matter(1)], began=NOW - timedelta(hours=2))
    opened.merge(XPM, "t-1", [], began=NOW - timedelta(hours=1))
    opened.close()
    again = Directory.open(path, clock=lambda: NOW)
    times = again.refresh_times(XPM, "t-1")
    assert times is not None
    assert (times.began, times.whole_began) == (NOW - timedelta(hours=1), NOW - timedelta(hours=2))
    assert again.refreshed_at(XPM, "t-1") == NOW
    again.forget(XPM, "t-1")
    assert again.refresh_times(XPM, "t-1") is None
    again.close()


def test_a_copy_of_an_earlier_program_goes_on_and_knows_no_beginnings(path: Path) -> None:
    opened = Directory.open(path, clock=lambda: NOW)
    opened.replace(XPM, "t-1", [matter(1)])
    opened.close()
    connection = apsw.Connection(str(path))
    connection.execute("DROP TABLE refresh")
    connection.close()
    again = Directory.open(path, clock=lambda: NOW)
    assert again.count() == 1
    assert again.refresh_times(XPM, "t-1") is None
    again.close()


def test_a_stream_that_stalls_keeps_nobody_else_waiting(directory: Directory) -> None:
    """Another system's refresh and a number that was asked for go on; only the same list is refreshed once at a time."""
    directory.replace(XPM, "t-1", [matter(1)])
    stalled, go = threading.Event(), threading.Event()

    def slow() -> Iterator[Matter]:
        yield matter(1, "Kestrel")
        stalled.set()
        assert go.wait(10)

    thread = threading.Thread(target=lambda: directory.replace(XPM, "t-1", slow()))
    thread.start()
    assert stalled.wait(10)
    directory.replace("smokeball", "f", [matter(7, "Bellbird", system="smokeball", tenant="f")])
    directory.keep(replace(matter(9, "Bellbird"), is_open=None))
    assert sorted(numbers(directory, "Bellbird")) == ["J000007", "J000009"]
    assert numbers(directory, "Kestrel") == []
    go.set()
    thread.join(10)
    assert numbers(directory, "Kestrel") == ["J000001"]
    assert directory.by_id(XPM, "id-9") is not None


def known_by(number: str, matter_id: str = "", *, is_open: bool | None = True) -> Matter:
    return Matter(XPM, "t-1", matter_id or number, number, "Estate", is_open=is_open)


def test_a_matter_asked_for_by_its_number_is_not_doubled_by_a_list_without_ids(directory: Directory) -> None:
    """The vendor's own sample of the list shows none; the single answer does."""
    directory.keep(known_by("J000412", "u-1", is_open=None))
    directory.replace(XPM, "t-1", [known_by("J000412"), known_by("J000413")])
    assert directory.by_number("J000412") == (known_by("J000412", "u-1"),)
    assert numbers(directory, "J000412") == ["J000412"]
    assert directory.by_number("J000413") == (known_by("J000413"),)


def test_ids_that_a_list_tells_only_sometimes_make_no_second_matter(directory: Directory) -> None:
    """Orders that were started under the number alone find it still."""
    bare, told = [known_by("J000412"), known_by("J000413")], [known_by("J000412", "u-1"), known_by("J000413", "u-2")]
    for listed in (bare, told, bare, told):
        directory.replace(XPM, "t-1", listed)
        assert len(directory.by_number("J000412")) == 1
        assert directory.by_id(XPM, "J000412") == directory.by_number("J000412")[0]
    assert directory.by_id(XPM, "u-2") == told[1]
    assert directory.replace(XPM, "t-1", bare[:1]).gone == 1
    assert [directory.by_number(number)[0].is_open for number in ("J000412", "J000413")] == [True, False]


def test_what_is_no_id_finds_a_matter_only_where_its_number_is_the_only_one(directory: Directory) -> None:
    directory.replace(XPM, "t-1", [known_by("7", "u-1")])
    assert directory.by_id(XPM, "7") == known_by("7", "u-1")
    assert directory.by_id("workflowmax", "7") is None
    assert directory.by_id(XPM, "7", "t-2") is None
    directory.replace(XPM, "t-2", [Matter(XPM, "t-2", "u-9", "7", "Another firm's")])
    assert directory.by_id(XPM, "7") is None
