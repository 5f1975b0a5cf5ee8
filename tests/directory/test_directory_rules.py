"""Rules that hold for any text."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from desktop.services.practice.directory import Directory
from desktop.services.practice.matter_marks import marks
from desktop.services.practice.model import Matter, Staff
from desktop.services.practice.search_text import canonical_number, compact, fold, initials, words
from desktop.services.practice.vocabulary import Pattern, Vocabulary, mask

APOSTROPHES = "'`´‘’ʹʻʼ′＇"
NOW = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)
ANY_TEXT = st.text(max_size=40)
NAMES = st.text(st.sampled_from("abcdeirtnsāéñøłšĐʻ’'&+.-() 0123"), max_size=24)


@given(st.lists(st.text("abcdeéāü", min_size=1, max_size=6), min_size=2, max_size=4), st.sampled_from(APOSTROPHES))
def test_any_spelling_of_an_apostrophe_folds_like_none(parts: list[str], apostrophe: str) -> None:
    assert words(apostrophe.join(parts)) == words("".join(parts))


@given(st.lists(st.text("abcdeé", min_size=1, max_size=6), min_size=2, max_size=3))
def test_ampersand_plus_and_the_word_are_alike(parts: list[str]) -> None:
    spellings = [words(mark.join(parts)) for mark in ("&", " & ", "+", " + ", " and ", " AND ", "＆")]
    assert all(spelling == spellings[0] for spelling in spellings)


@given(ANY_TEXT)
def test_folding_twice_changes_nothing_and_leaves_no_mark(text: str) -> None:
    folded = " ".join(words(text))
    assert " ".join(words(folded)) == folded
    assert not any(unicodedata.combining(letter) for letter in fold(text))


@given(ANY_TEXT)
def test_composed_and_decomposed_spellings_fold_alike(text: str) -> None:
    assert words(unicodedata.normalize("NFC", text)) == words(unicodedata.normalize("NFD", text))


@given(ANY_TEXT)
def test_numbers_and_initials_are_made_of_any_text(text: str) -> None:
    assert canonical_number(canonical_number(text)) == canonical_number(text)
    assert compact(text).replace(" ", "") == compact(text)
    assert all(len(short) > 1 for short in initials(text, words(text)))


@given(st.text("abc", max_size=7), st.text("abc", max_size=9))
@example("ab", "ba")
@example("abc", "cab")
def test_typing_errors_are_counted_as_the_textbook_does(typed: str, word: str) -> None:
    if typed:
        assert Pattern(typed).distances(word) == _textbook(typed, word)


def _textbook(typed: str, word: str) -> tuple[int, int]:
    table = [[row + column if not row * column else 0 for column in range(len(word) + 1)] for row in range(len(typed) + 1)]
    for row in range(1, len(typed) + 1):
        for column in range(1, len(word) + 1):
            table[row][column] = min(
                table[row - 1][column] + 1,
                table[row][column - 1] + 1,
                table[row - 1][column - 1] + (typed[row - 1] != word[column - 1]),
            )
            if row > 1 and column > 1 and typed[row - 1] == word[column - 2] and typed[row - 2] == word[column - 1]:
                table[row][column] = min(table[row][column], table[row - 2][column - 2] + 1)
    return table[-1][-1], min(table[-1])


@given(
    st.sets(st.text("abcd", min_size=1, max_size=10), max_size=60),
    st.text("abcd", min_size=3, max_size=9),
    st.sampled_from((1, 2)),
)
@settings(max_examples=300)
def test_no_whole_word_within_the_errors_is_missed(known: set[str], typed: str, errors: int) -> None:
    ordered = sorted(known)
    vocabulary = Vocabulary.of(ordered, with_errors=True)
    if len(typed) <= 2 * errors:
        return
    near = vocabulary.like(typed, errors)
    wanted = {word: _textbook(typed, word)[0] for word in ordered if _textbook(typed, word)[0] <= errors}
    assert {ordered[place]: count for place, (count, whole) in near.items() if whole} == wanted


@given(st.sets(st.text(min_size=1, max_size=8).filter(lambda word: "\n" not in word), max_size=40), st.text(min_size=1, max_size=4))
def test_a_vocabulary_finds_words_beginnings_and_parts_as_a_list_would(known: set[str], piece: str) -> None:
    ordered = sorted(known)
    vocabulary = Vocabulary.of(ordered, with_errors=True)

    def listed(places: Iterable[int]) -> list[str]:
        return [vocabulary.word(place) for place in places]

    assert listed(vocabulary.beginning_with(piece)) == [word for word in ordered if word.startswith(piece)]
    if "\n" not in piece:
        assert listed(vocabulary.containing(piece)) == [word for word in ordered if piece in word]
    place = vocabulary.place(piece)
    assert (place is not None and vocabulary.word(place) == piece) == (piece in known)


@given(st.text(max_size=12))
def test_a_mask_has_a_bit_for_each_letter(word: str) -> None:
    assert mask(word).bit_count() <= len(set(word))
    assert bool(mask(word)) == bool(word)


@given(
    names=st.lists(st.tuples(NAMES, NAMES, NAMES), max_size=6),
    queries=st.lists(st.one_of(ANY_TEXT, NAMES), max_size=6),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(names=[("\ud800", "x\x00y", "")], queries=["\ud800", "x\x00", "\x1f", "'" * 40, "&", "a" * 5000])
def test_no_text_and_no_name_makes_a_search_fail_and_numbers_come_first(
    names: list[tuple[str, str, str]], queries: list[str]
) -> None:
    matters = [
        Matter("smokeball", "t", f"{place}", f"{name[:3]}-{place}1", name, client, staff=(Staff(str(place), staff),))
        for place, (name, client, staff) in enumerate(names)
    ]
    with TemporaryDirectory() as folder:
        directory = Directory.open(Path(folder) / "directory.db", clock=lambda: NOW)
        try:
            report = directory.replace("smokeball", "t", matters)
            assert (report.total, report.new) == (len(matters), len(matters))
            for query in queries:
                for hit in directory.find(query, mine=(Staff("0", query),)):
                    assert directory.matches(query, hit.matter) is not None
            for matter in matters:
                if any(letter.isalnum() for letter in matter.number) and matter.number.isprintable() and _storable(matter.number):
                    hits = directory.find(matter.number)
                    assert hits[0].matter.number.casefold().strip() == matter.number.casefold().strip()
        finally:
            directory.close()


def _storable(text: str) -> bool:
    return text == text.encode(errors="replace").decode()


@given(NAMES, NAMES, ANY_TEXT)
def test_marks_lie_within_the_text_and_do_not_overlap(name: str, client: str, typed: str) -> None:
    matter = Matter("smokeball", "t", "1", "A-1", name, client)
    texts = {"name": name, "client": client, "number": "A-1", "staff": ""}
    for text in (typed, name, client[:3], "a1"):
        reached: dict[str, int] = {}
        for mark in marks(text, matter):
            assert reached.get(mark.field, -1) < mark.start < mark.end <= len(texts[mark.field])
            reached[mark.field] = mark.end


def test_marks_show_the_letters_that_were_typed() -> None:
    matter = Matter("x", "t", "1", "J004521", "Estate of Hēmi Māhuta", "Tui & Sons Ltd", staff=(Staff("1", "Kim Ode"),))

    def marked(typed: str) -> list[tuple[str, str]]:
        shown = {"number": matter.number, "name": matter.name, "client": matter.client, "staff": "Kim Ode"}
        return [(mark.field, shown[mark.field][mark.start : mark.end]) for mark in marks(typed, matter)]

    assert marked("mahu") == [("name", "Māhu")]
    assert marked("4521") == [("number", "4521")]
    assert marked("j4521") == [("number", "J004521")]
    assert marked("0452") == [("number", "0452")]
    assert marked("sons kim") == [("client", "Sons"), ("staff", "Kim")]
    assert marked("tsl") == [("client", "T"), ("client", "S"), ("client", "L")]
    assert marked("mauhta") == [("name", "Māhuta")]
    assert marked("") == []
