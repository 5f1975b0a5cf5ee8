"""The words and colours of the windows."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.services.ledger.model import DeliveryState, Step
from desktop.ui import theme, words
from desktop.ui.order_pane import choices
from desktop.ui.result_form import FormProblem, amount
from tests.ui.fake_desk import MATTERS, NOW, delivery, order, typical_orders

S = DeliveryState


@pytest.mark.parametrize("state", DeliveryState)
def test_only_a_confirmed_delivery_is_called_posted(state: DeliveryState) -> None:
    """D16: nothing is shown as posted before it is read back; what is not confirmed tells its age."""
    text = words.plain_state(delivery("7", "T", state), NOW)
    assert ("Posted" in text) == (state is S.CONFIRMED)
    if state in (S.UNKNOWN, S.ACCEPTED):
        assert "not yet seen in Xero" in text
        assert "12 min ago" in text


@pytest.mark.parametrize("state", DeliveryState)
def test_cancelling_what_is_on_its_way_says_that_it_may_be_posted(state: DeliveryState) -> None:
    """D17: honest for every state."""
    text = words.cancel_warning(delivery("7", "T", state))
    assert ("may already be posted" in text) == (state in (S.SENDING, S.UNKNOWN, S.ACCEPTED))


@pytest.mark.parametrize(
    ("state", "stuck", "offered"),
    [
        (S.HELD, True, "approve retry cancel"),
        (S.QUEUED, False, "cancel"),
        (S.SENDING, False, "cancel"),
        (S.UNKNOWN, False, "cancel"),
        (S.UNKNOWN, True, "retry cancel"),
        (S.ACCEPTED, False, ""),
        (S.ACCEPTED, True, "retry"),
        (S.CONFIRMED, False, ""),
        (S.CONFIRMED, True, "retry"),
        (S.REJECTED, True, "retry cancel"),
        (S.CANCELLED, False, ""),
    ],
)
def test_each_state_offers_its_buttons(state: DeliveryState, stuck: bool, offered: str) -> None:
    got = choices(delivery("7", "T", state, waiting=stuck))
    assert [name for name in ("approve", "retry", "cancel") if getattr(got, name)] == offered.split()


def test_without_a_matter_nothing_can_be_approved() -> None:
    got = choices(delivery("7", "T", S.HELD, number=""))
    assert (got.approve, got.retry, got.cancel) == (False, False, True)


def test_a_document_is_never_offered_for_approval() -> None:
    assert not choices(delivery("7", "D", S.HELD)).approve
    assert choices(delivery("7", "D", S.HELD)).retry


def test_a_cost_without_an_amount_can_not_be_approved() -> None:
    assert not choices(delivery("7", "T", S.HELD, amount=None)).approve


def test_what_was_never_tried_is_approved_and_not_retried() -> None:
    fresh = dataclasses.replace(delivery("7", "T", S.HELD), attempts=0)
    assert choices(fresh).approve
    assert not choices(fresh).retry


def test_a_person_who_cancelled_may_think_again_but_what_was_withdrawn_stays() -> None:
    assert choices(delivery("7", "T", S.CANCELLED, reason="Cancelled.")).retry
    assert not choices(delivery("7", "T", S.CANCELLED, reason="Something newer took its place.")).retry


def test_what_to_undo_is_a_sentence() -> None:
    listed = delivery("7", "D", S.CONFIRMED, undo="Undo by hand: IT-7-D-1 on J004500.")
    told = words.undo_sentence(listed)
    assert told == "An earlier posting stands at another matter. Remove it there in Xero Practice Manager: IT-7-D-1 on J004500."
    own = delivery("7", "T", S.CANCELLED, undo="You cancelled it, but it stands in the books of J1.")
    assert words.undo_sentence(own) == own.undo


@pytest.mark.parametrize(
    ("step", "told"),
    [
        (Step(NOW, "message", reason="Complete", by="feed"), ("InfoTrack reported: Complete", "by the firm's feed")),
        (Step(NOW, "matched", reason="J000101", by="plan"), ("Belongs to matter J000101", "")),
        (Step(NOW, "planned", "IT-7-D-1", "", "queued", by="plan"), ("Document: queued", "IT-7-D-1")),
        (Step(NOW, "moved", "IT-7-R-1", "sending", "accepted", by="courier"), ("Cost: sending → accepted", "IT-7-R-1")),
        (Step(NOW, "taken over", by="person"), ("Taken over", "by a person")),
        (Step(NOW, "Ordered", by="Priya Raman"), ("Ordered", "by Priya Raman")),
    ],
)
def test_each_step_is_told_in_plain_words(step: Step, told: tuple[str, str]) -> None:
    assert words.step_words(step) == told


def test_an_orders_word_is_that_of_what_needs_a_person_most() -> None:
    assert words.order_word(order("1", delivery("1", "T", S.CONFIRMED), delivery("1", "D", S.QUEUED))) == "queued"
    assert words.order_word(order("1", delivery("1", "T", S.CONFIRMED), delivery("1", "D", S.REJECTED))) == "rejected"
    assert words.order_word(order("1", delivery("1", "T", S.CANCELLED), delivery("1", "T", S.CONFIRMED, n=2))) == "confirmed"
    assert words.order_word(order("1", number="")) == "held"
    assert words.order_word(order("1")) == "no result yet"


def test_a_rows_spoken_text_holds_order_id_and_state() -> None:
    for shown in typical_orders():
        text = words.order_text(shown)
        assert shown.order_id in text
        assert words.order_word(shown) in text


def test_a_matters_spoken_text_holds_number_name_and_client() -> None:
    for shown in MATTERS:
        text = words.matter_text(shown)
        assert all(part in text for part in (shown.number, shown.name, shown.client))


def test_times_are_told_in_the_pcs_zone() -> None:
    now = datetime.fromisoformat("2026-03-14T01:00+11:00")
    assert words.when(datetime.fromisoformat("2026-03-13T13:30+00:00"), now) == "today 00:30"
    assert words.when(datetime.fromisoformat("2026-03-13T12:30+00:00"), now) == "yesterday 23:30"
    assert words.when(datetime.fromisoformat("2026-01-02T00:00+00:00"), now) == "2 Jan 11:00"
    assert words.when(datetime.fromisoformat("2025-01-02T00:00+00:00"), now) == "2 Jan 2025 11:00"
    assert words.when(None, now) == ""


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=900)))
def test_a_span_is_a_number_and_a_unit(duration: timedelta) -> None:
    number, unit = words.span(duration).split()
    assert int(number) >= 0
    assert unit in ("s", "min", "h", "days")


def test_money_has_two_places_and_a_sign() -> None:
    assert [words.money(Decimal(text)) for text in ("1234.5", "-3.20", "0")] == ["$1,234.50", "-$3.20", "$0.00"]
    assert words.money(None) == ""


def test_a_pattern_is_filled_with_the_sample() -> None:
    assert words.fill_pattern("{service} - {reference}") == "Title Search - 12/SP34567"


WRONG = ["{servce}", "{service", "service}", "{}", "", "  ", "{service!r}", "{service:>9}", "{service.x}"]


@pytest.mark.parametrize("pattern", WRONG)
def test_a_wrong_pattern_is_named(pattern: str) -> None:
    with pytest.raises(words.PatternProblem):
        words.fill_pattern(pattern)


@given(st.text(max_size=300))
def test_a_file_name_is_always_safe_for_windows(name: str) -> None:
    safe = words.safe_file_name(name)
    assert 0 < len(safe) <= 120
    assert not set(safe) & set('<>:"/\\|?*\n\0')
    assert not safe.endswith((".", " "))


@pytest.mark.parametrize(("text", "value"), [("", None), ("12", "12.00"), ("$1,234.5", "1234.50"), (" -3.20 ", "-3.20")])
def test_an_amount_is_read_as_people_type_it(text: str, value: str | None) -> None:
    assert amount(text, "The fee") == (None if value is None else Decimal(value))


@pytest.mark.parametrize("text", ["twelve", "1.234", "1e3", "NaN", "1,23", "--1", "9" * 12])
def test_an_amount_that_is_none_is_refused_by_name(text: str) -> None:
    with pytest.raises(FormProblem, match="The fee"):
        amount(text, "The fee")


@pytest.mark.parametrize("colours", [theme.LIGHT, theme.DARK])
def test_every_ink_can_be_read_on_its_ground(colours: theme.Colours) -> None:
    for ink in colours.tones.values():
        assert theme.contrast(ink.ink, ink.ground) >= 4.5
    grounds = ("#efefef", "#ffffff") if colours is theme.LIGHT else ("#202327", "#1a1c1f")
    for ground in (colours.card, *grounds):
        assert theme.contrast(colours.muted, ground) >= 4.5
        for tone in (words.Tone.BAD, words.Tone.WARN, words.Tone.GOOD):
            assert theme.contrast(colours.tone(tone).ink, ground) >= 4.5


def test_the_snapshot_of_an_order_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        typical_orders()[0].order_id = "x"  # type: ignore[misc]
