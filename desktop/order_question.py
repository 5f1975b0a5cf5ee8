"""What `iconnect order` says and asks before its window opens: the picker's advice, for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from desktop.services.advice import Advice, BeforeOrder
from desktop.services.desk import ActionFailed
from desktop.services.practice.model import Matter
from desktop.services.practice_systems import title_of

PATIENCE_S = 5.0
"""How long the practice system is waited for. Who wants to order a search should not wait for a server that stalls."""

_TOLD = 3


def settle(matter: Matter, advice: Advice, say: Callable[[str], None], ask: Callable[[], str] | None) -> Matter | None:
    """The matter to order for, None where the person thinks better of it.

    A closed matter is asked about, with the same client's open ones to choose from. Without `ask` (no terminal) it is said
    and then ordered for all the same: whoever runs a script has decided already."""
    now = _as_it_is_now(matter, advice)
    if now.is_open is False:
        chosen = _about_closed(now, advice, say, ask)
        if chosen is None:
            return None
        matter = now if chosen is now else chosen
    try:
        _tell_lately(advice.before_order(matter), say)
    except ActionFailed as error:
        say(str(error))
    return matter


def _as_it_is_now(matter: Matter, advice: Advice) -> Matter:
    """As the list has it, where the practice system can't be asked in time."""
    pool = ThreadPoolExecutor(1, thread_name_prefix="matter's state")
    try:
        return pool.submit(advice.as_it_is_now, matter).result(PATIENCE_S)
    except (ActionFailed, TimeoutError):
        return matter
    finally:
        pool.shutdown(wait=False)


def _about_closed(matter: Matter, advice: Advice, say: Callable[[str], None], ask: Callable[[], str] | None) -> Matter | None:
    system = title_of(matter.system)
    state = f" ({matter.state})" if matter.state else ""
    say(f"{matter.number} is closed{state}. {system} may refuse the cost, which then waits until somebody moves it.")
    others = _open_ones(matter, advice)
    if others:
        say("The same client's open matters:")
        for position, other in enumerate(others, 1):
            say(f"  {position}  {other.number}  {other.name}")
    if ask is None:
        return matter
    choice = "a number to order for that matter instead, " if others else ""
    say(f"Type {choice}y to order for {matter.number} all the same, or nothing to leave it:")
    answer = ask().strip().casefold()
    if answer in ("y", "yes"):
        return matter
    if answer.isdecimal() and 1 <= int(answer) <= len(others):
        return others[int(answer) - 1]
    return None


def _open_ones(matter: Matter, advice: Advice) -> Sequence[Matter]:
    try:
        return advice.open_matters_of_client(matter, 9)
    except ActionFailed:
        return ()


def _tell_lately(known: BeforeOrder, say: Callable[[str], None]) -> None:
    for order in known.lately[:_TOLD]:
        what = " ".join(part for part in (order.service, order.reference) if part)
        often = f"{order.times} times, last " if order.times > 1 else ""
        by = f" by {order.by}" if order.by else ""
        also = f", also for {', '.join(order.elsewhere)}" if order.elsewhere else ""
        say(f"{what} was ordered {often}on {order.at.astimezone():%d %b %Y at %H:%M}{by}{also}.")
    if known.prices:
        told = ", ".join(f"{price.service} ${price.total:,.2f}" for price in known.prices[:_TOLD])
        say(f"Price last paid, with GST: {told}")
