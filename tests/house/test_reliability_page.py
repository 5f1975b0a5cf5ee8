"""docs/reliability.md says what the tests say."""

from __future__ import annotations

from tests.house.reliability_lists import LEVELS, MISTAKES
from tests.house.reliability_table import GROUPS, ITEMS, PAGE, ROOT, SO_FAR, WITHOUT, collect, ids_in, page


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(collect()), "run: python -m tests.house.reliability_table --write"


def test_every_item_is_on_the_page_and_has_a_test_or_a_reason() -> None:
    assert set(ITEMS) == {f"{letter}{number}" for letter, count in GROUPS.items() for number in range(1, count + 1)}
    found = collect()
    assert {item for item in ITEMS if not found.get(item)} == set(WITHOUT), "an item got a test, or lost its last one"
    assert not set(SO_FAR) & set(WITHOUT)
    assert set(SO_FAR) <= set(ITEMS)


def test_ids_are_read_from_the_beginning_of_a_docstring_or_of_a_sentence_in_it() -> None:
    assert ids_in("A16, A17: the first 401 refreshes") == ["A16", "A17"]
    assert ids_in("C5.") == ["C5"]
    assert ids_in("G12: on. D16: read back") == ["G12", "D16"]
    assert ids_in("H2-H4: hostile") == ["H2", "H3", "H4"]
    assert ids_in("The part D1 of it") == []
    assert ids_in("A99: there is no such item") == []


def test_levels_and_mistakes_name_tests_that_are_there_or_say_why_not() -> None:
    for one in (*LEVELS, *MISTAKES):
        assert one.tests or one.remark, one.what
        for test in one.tests:
            path, _, name = test.partition("::")
            text = (ROOT / "tests" / path).read_text(encoding="utf-8")
            assert not name or f"def {name}(" in text, test
