from __future__ import annotations

from dataclasses import replace

from desktop.services.infotrack.model import OrderMessage
from desktop.services.ledger.facts import Place
from desktop.services.ledger.matching import Ask, Match, judge_answers, match, place_of
from desktop.services.practice.model import Matter
from tests.delivery.stand_in import XPM, FakeLookup, matter, order, read_reference

ONE, TWO = matter("J001"), matter("J002")
THERE = FakeLookup([ONE, TWO])


def found(message: OrderMessage, *, lookup: FakeLookup = THERE, parent: Place | None = None, typed: str = "") -> Match:
    return match(
        message,
        read_reference(message.retailer_reference),
        parent or Place(),
        by_id=lookup.by_id,
        by_number=lookup.by_number,
        typed_number=typed,
    )


def mark(number: str, system: str = XPM) -> str:
    return f"ICONNECT1_k7f3q2|{system}|id-{number}"


def test_our_own_mark_decides() -> None:
    assert found(order(number="J001", reference=mark("J001"))).place == place_of(ONE)
    assert found(order(number="", reference=mark("J002"))).place == place_of(TWO)
    assert found(order(number="typed over", reference=mark("J002"))).place == place_of(TWO)


def test_a_reference_edited_to_another_matter_of_the_firm_waits_for_a_person() -> None:
    result = found(order(number="J002", reference=mark("J001")))
    assert not result.place
    assert "J001" in result.reason
    assert "J002" in result.reason


def test_without_our_mark_the_number_decides_whatever_its_case() -> None:
    assert found(order(number=" j001 ")).place == place_of(ONE)
    assert found(order(number="j001", reference="OFX_somebody|else")).place == place_of(ONE)


def test_a_number_that_nobody_knows_or_none_waits_for_a_person() -> None:
    assert found(order(number="J999")) == Match(reason="No matter has the number J999. Choose one.", ask=Ask("J999"))
    nothing = found(order(number=""))
    assert not nothing.place
    assert nothing.ask is None


def test_a_number_that_two_systems_know_waits_for_a_person() -> None:
    other = matter("J001", system="smokeball", matter_id="sb-1")
    result = found(order(number="J001"), lookup=FakeLookup([ONE, other]))
    assert not result.place
    assert "smokeball" in result.reason
    assert found(order(number="J001", reference=mark("J001")), lookup=FakeLookup([ONE, other])).place == place_of(ONE)


def test_a_mark_without_room_for_the_matter_finds_it_by_number_in_its_own_system() -> None:
    other = matter("J001", system="smokeball", matter_id="sb-1")
    reference = f"ICONNECT1_k7f3q2|{XPM}|"
    message = order(number="J001", reference=reference)
    short = replace(read_reference(mark("J001")), matter_id="")  # type: ignore[type-var]
    result = match(message, short, Place(), by_id=THERE.by_id, by_number=FakeLookup([ONE, other]).by_number)
    assert result.place == place_of(ONE)


def test_a_marked_matter_that_is_not_in_the_list_is_asked_for_and_must_be_the_same_one() -> None:
    result = found(order(number="J009", reference=mark("J009")))
    assert result.ask == Ask("J009", XPM, "id-J009")
    assert judge_answers(result.ask, [matter("J009")], "no").place == place_of(matter("J009"))
    assert not judge_answers(result.ask, [matter("J009", matter_id="another")], "no").place


def test_a_matter_that_was_marked_by_its_number_is_the_one_that_now_has_an_id_too() -> None:
    ask = Ask("J009", XPM, "J009")
    assert judge_answers(ask, [matter("J009", matter_id="uuid-9")], "no").place == place_of(matter("J009", matter_id="uuid-9"))
    assert not judge_answers(ask, [matter("J010", matter_id="uuid-10")], "no").place


def test_a_child_order_inherits_its_parents_matter_unless_it_says_otherwise() -> None:
    parent = place_of(TWO)
    assert found(order(number="", parent="1"), parent=parent).place == parent
    assert found(order(number="Lot 12", parent="1"), parent=parent).place == parent
    assert found(order(number="J001", parent="1"), parent=parent).place == place_of(ONE)


def test_a_typed_result_goes_where_the_person_said() -> None:
    assert found(order(number="J001", reference=mark("J001")), typed="J002").place == place_of(TWO)
    assert found(order(number="J001"), typed="J777").ask == Ask("J777")


def test_answers_of_two_systems_settle_nothing() -> None:
    answers: list[Matter] = [ONE, matter("J001", system="smokeball")]
    assert not judge_answers(Ask("J001"), answers, "no").place
