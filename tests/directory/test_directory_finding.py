"""What a person may type and still find the matter: each promise as a table."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from desktop.services.practice.directory import Directory
from desktop.services.practice.model import Matter, Staff

NOW = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)
SAM = Staff("s-1", "Sam Reid", "sam@firm.example")
KIM = Staff("s-2", "Kim Ode", "kim@firm.example")
MAIRE = Staff("s-3", "Máire O’Donnell", "")


def matter(number: str, name: str, client: str, *staff: Staff) -> Matter:
    return Matter(
        system="xero-practice-manager", tenant="t-1", id=f"id-{number}", number=number, name=name, client=client, staff=staff
    )


MATTERS = (
    matter("J004521", "FY26 Annual Accounts", "Tui & Sons Ltd", SAM),
    matter("J004251", "GST Return March 2026", "Harbour View Café Pty Ltd", KIM),
    matter("J000012", "Conveyance of 12/45 Queen Street", "Siobhán O’Brien", SAM, KIM),
    matter("J010045", "Estate of Hēmi Māhuta", "Māia Tāne", MAIRE),
    matter("J010046", "Trust Deed Amendment", "Nguyễn Thị Hương", KIM),
    matter("J010047", "Property Settlement", "Papadopoulos + Georgiou", SAM),
    matter("J010048", "Share Sale Agreement", "Smith-Jones Holdings Pty Limited", SAM),
    matter("J010049", "Payroll 2026", "D'Angelo McDonald Plumbing", KIM),
    matter("J010050", "Subdivision", "The Abernethy Family Trust", KIM),
    matter("J010051", "Will", "J.P. Morgenstern", SAM),
    matter("2024-0012", "Lease", "Łukasz Weiß", SAM),
    matter("J010052", "Payroll 2025", "O Brien Timber", KIM),
)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Directory]:
    opened = Directory.open(tmp_path_factory.mktemp("directory") / "directory.db", clock=lambda: NOW)
    opened.replace("xero-practice-manager", "t-1", MATTERS)
    yield opened
    opened.close()


def first(directory: Directory, text: str) -> str:
    hits = directory.find(text, 5)
    return hits[0].matter.number if hits else ""


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        pytest.param("J004521", "J004521", id="exact number"),
        pytest.param(" j004521 ", "J004521", id="number in lower case, with blanks"),
        pytest.param("4521", "J004521", id="number without letter and zeros"),
        pytest.param("004521", "J004521", id="number without letter"),
        pytest.param("J4521", "J004521", id="number without zeros"),
        pytest.param("j 4521", "J004521", id="number with a gap"),
        pytest.param("J-004521", "J004521", id="number with a dash"),
        pytest.param("521", "J004521", id="end of a number"),
        pytest.param("00452", "J004521", id="middle of a number"),
        pytest.param("2024/12", "2024-0012", id="number with another separator, without zeros"),
        pytest.param("20240012", "2024-0012", id="number without separator"),
        pytest.param("12", "J000012", id="short number"),
        pytest.param("tui accounts", "J004521", id="words of client and name"),
        pytest.param("accounts annual tui", "J004521", id="any order"),
        pytest.param("acc tu", "J004521", id="beginnings"),
        pytest.param("ccoun ons", "J004521", id="parts of words"),
        pytest.param("4521 tui", "J004521", id="number and word"),
        pytest.param("HARBOUR CAFE", "J004251", id="capitals, no accent"),
        pytest.param("mahuta", "J010045", id="no macron"),
        pytest.param("MĀHUTA tane", "J010045", id="macron on one word only"),
        pytest.param("mähuta", "J010045", id="another diacritic"),
        pytest.param("nguyen huong", "J010046", id="Vietnamese without marks"),
        pytest.param("lukasz weiss", "2024-0012", id="Polish and German letters"),
        pytest.param("obrien queen", "J000012", id="no apostrophe"),
        pytest.param("o'brien queen", "J000012", id="typewriter apostrophe"),
        pytest.param("o`brien queen", "J000012", id="backtick"),
        pytest.param("o´brien queen", "J000012", id="acute accent as apostrophe"),
        pytest.param("oʼbrien queen", "J000012", id="modifier apostrophe"),
        pytest.param("o brien queen", "J000012", id="blank for apostrophe"),
        pytest.param("obrien timber", "J010052", id="name in two words typed as one"),
        pytest.param("dangelo", "J010049", id="Italian apostrophe"),
        pytest.param("mc donald", "J010049", id="one word typed as two"),
        pytest.param("smithjones", "J010048", id="hyphen left out"),
        pytest.param("jones-smith", "J010048", id="hyphenated the other way round"),
        pytest.param("tui and sons", "J004521", id="and for &"),
        pytest.param("tui + sons", "J004521", id="+ for &"),
        pytest.param("tui sons", "J004521", id="nothing for &"),
        pytest.param("tui&sons", "J004521", id="& without blanks"),
        pytest.param("papadopoulos & georgiou", "J010047", id="& for +"),
        pytest.param("papadopoulos and georgiou", "J010047", id="and for +"),
        pytest.param("tsl", "J004521", id="initials without and"),
        pytest.param("tasl", "J004521", id="initials with and"),
        pytest.param("t&s", "J004521", id="initials with &"),
        pytest.param("T.S.L.", "J004521", id="initials with full stops"),
        pytest.param("hvc", "J004251", id="initials without Pty Ltd"),
        pytest.param("aft", "J010050", id="initials without The"),
        pytest.param("taft", "J010050", id="initials with The"),
        pytest.param("faa", "J004521", id="initials of the matter's name"),
        pytest.param("jpm", "J010051", id="initials of initials"),
        pytest.param("jp morgenstern", "J010051", id="letters with full stops as a word"),
        pytest.param("acounts tui", "J004521", id="dropped letter"),
        pytest.param("accuonts tui", "J004521", id="swapped letters"),
        pytest.param("acccounts tui", "J004521", id="doubled letter"),
        pytest.param("accoumts tui", "J004521", id="neighbouring key"),
        pytest.param("qccounts tui", "J004521", id="wrong first letter"),
        pytest.param("ccounts tui", "J004521", id="first letter dropped"),
        pytest.param("papadopuolso", "J010047", id="two errors in a word"),
        pytest.param("abernehty famly", "J010050", id="an error in each of two words"),
        pytest.param("abrenehty", "J010050", id="two swaps"),
        pytest.param("subdivsi", "J010050", id="error in a beginning"),
        pytest.param("maire mahuta", "J010045", id="staff and a word"),
        pytest.param("kim trust deed", "J010046", id="staff's first name"),
        pytest.param("odonnell", "J010045", id="staff alone"),
    ],
)
def test_what_is_typed_finds_its_matter_first(directory: Directory, typed: str, number: str) -> None:
    assert first(directory, typed) == number


def test_an_exact_number_stands_before_everything_and_its_swapped_twin_below(directory: Directory) -> None:
    numbers = [hit.matter.number for hit in directory.find("J004251")]
    assert numbers[0] == "J004251"
    assert "J004521" in numbers[1:]


def test_a_number_with_a_slip_is_found_when_nothing_else_is(directory: Directory) -> None:
    for slip in ("J0010045", "J01045", "J010O45".replace("O", "6"), "J100045"):
        assert "J010045" in [hit.matter.number for hit in directory.find(slip)], slip


def test_a_word_that_nothing_holds_leaves_the_others_to_find(directory: Directory) -> None:
    assert first(directory, "tui accounts zzzqqq") == "J004521"


def test_what_nothing_resembles_finds_nothing(directory: Directory) -> None:
    assert directory.find("xqzwv") == ()


def test_no_more_than_the_limit_is_given(directory: Directory) -> None:
    assert len(directory.find("j", 3)) == 3
    assert directory.find("j", 0) == ()


class TestMineAndRecent:
    @pytest.fixture
    def twins(self, tmp_path: Path) -> Iterator[Directory]:
        opened = Directory.open(tmp_path / "directory.db", clock=lambda: NOW)
        alike = [matter(f"J{n:06}", "Annual Accounts", "Tui Ltd", KIM if n != 3 else SAM) for n in range(1, 9)]
        opened.replace("xero-practice-manager", "t-1", alike)
        yield opened
        opened.close()

    def numbers(self, twins: Directory, text: str, *mine: Staff) -> list[str]:
        return [hit.matter.number for hit in twins.find(text, mine=mine)]

    @pytest.mark.parametrize(
        "me", [Staff("s-1", ""), Staff("", "", "SAM@firm.example"), Staff("", "sam  reid")], ids=["by id", "by e-mail", "by name"]
    )
    def test_my_own_matters_stand_higher_among_equals(self, twins: Directory, me: Staff) -> None:
        assert self.numbers(twins, "tui annual")[0] != "J000003"
        hits = twins.find("tui annual", mine=(me,))
        assert (hits[0].matter.number, hits[0].mine) == ("J000003", True)
        assert not hits[1].mine

    def test_a_namesake_with_another_id_is_not_me(self, twins: Directory) -> None:
        assert not any(hit.mine for hit in twins.find("tui", mine=(Staff("s-9", "Sam Reid"),)))

    def test_what_was_used_lately_stands_higher_among_equals(self, twins: Directory) -> None:
        used = twins.by_number("J000005")[0]
        twins.note_use(used)
        hits = twins.find("tui annual", mine=(SAM,))
        assert (hits[0].matter.number, hits[0].recent) == ("J000005", True)
        assert hits[1].matter.number == "J000003"

    def test_the_words_weigh_more_than_use(self, twins: Directory) -> None:
        other = matter("J000099", "Annuities", "Tuition Ltd", KIM)
        twins.keep(other)
        twins.note_use(other)
        assert self.numbers(twins, "tui ltd annual")[0] != "J000099"

    def test_an_empty_text_gives_recent_then_mine_and_nothing_else(self, twins: Directory) -> None:
        for number in ("J000005", "J000007"):
            twins.note_use(twins.by_number(number)[0])
        assert set(self.numbers(twins, "", SAM)[:2]) == {"J000005", "J000007"}
        assert self.numbers(twins, " ", SAM)[2:] == ["J000003"]
        assert [(hit.recent, hit.mine) for hit in twins.find("", mine=(SAM,))] == [(True, False), (True, False), (False, True)]

    def test_recent_ones_stand_latest_first_and_outlive_a_restart(self, tmp_path: Path) -> None:
        moments = iter(NOW + timedelta(minutes=minute) for minute in range(60))
        path = tmp_path / "directory.db"
        opened = Directory.open(path, clock=lambda: next(moments))
        opened.replace("xero-practice-manager", "t-1", MATTERS)
        for number in ("J010045", "J004521", "J010045", "J010047"):
            opened.note_use(opened.by_number(number)[0])
        wanted = ["J010047", "J010045", "J004521"]
        assert [hit.matter.number for hit in opened.find("")] == wanted
        opened.close()
        again = Directory.open(path, clock=lambda: NOW)
        assert [hit.matter.number for hit in again.find("")] == wanted
        again.close()
