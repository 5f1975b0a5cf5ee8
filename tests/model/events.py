"""What happens in the world besides work: the rules of the simulation, and how a seed runs from its beginning to its verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from desktop.services.ledger.errors import ActionRefused, LedgerTrouble
from desktop.services.ledger.model import Delivery
from desktop.services.ledger.planning import PLANNED_HOLDS
from tests.model.desk_pc import Pc, Seat
from tests.model.weather import READS, WRITES, drawn
from tests.model.world import HOUR, Options, World, refused

WAITS = (0.0, 1.0, 5.0, 31.0, 185.0, 240.0, 1900.0)
DONE = frozenset({"confirmed", "cancelled"})


def some_pc(world: World) -> Pc:
    return world.chance.choice(world.pcs)


def new_orders(world: World) -> None:
    for _ in range(world.chance.randint(1, 5)):
        if len(world.orders) < world.options.orders:
            world.tell_new()


def changes(world: World) -> None:
    for _ in range(world.chance.randint(1, 4)):
        world.tell_change()


def late_news(world: World) -> None:
    world.tell_late()


def trouble(world: World) -> None:
    """The next calls meet these."""
    for _ in range(world.chance.randint(1, 4)):
        world.burst.append(drawn(world.chance, world.chance.choice((READS, WRITES, WRITES))))


def disk_dies(world: World) -> None:
    """The process dies in the middle of writing, at any call of the disk."""
    pc = some_pc(world)
    pc.fails_from(world.chance.randint(1, 400), dies=True)
    world.note(f"{pc.index} will die")


def disk_stumbles(world: World) -> None:
    pc = some_pc(world)
    pc.fails_from(world.chance.randint(1, 200), dies=False)


def disk_fills(world: World) -> None:
    pc = some_pc(world)
    pc.fill_up()
    world.note(f"{pc.index} is full")
    world.work(pc, world.chance.choice(WAITS), most=6)
    pc.has_room()


def restart(world: World) -> None:
    pc = some_pc(world)
    world.begin_again(pc, power_cut=world.chance.random() < 0.5)


def sleeps(world: World) -> None:
    """The PC is shut for hours; the world goes on."""
    world.note("sleep")
    world.pass_time(world.chance.uniform(0.1, 10) * HOUR)


def clock_jumps(world: World) -> None:
    """Somebody sets the clock."""
    if not world.options.jumps:
        return
    pc = some_pc(world)
    seconds = world.chance.choice((-1, 1)) * world.chance.choice((5.0, 300.0, HOUR, 26 * HOUR))
    pc.clock.offset += seconds
    world.note(f"{pc.index} has its clock set by {seconds}")


def signs_out(world: World) -> None:
    pc = some_pc(world)
    pc.signed_in.clear()
    world.note(f"{pc.index} signs out")


def sign_in_ends(world: World) -> None:
    """The vendor no longer takes the sign-in; the PC learns of it when it asks."""
    for tokens in some_pc(world).tokens.values():
        tokens.ended = True


def signs_in(world: World) -> None:
    """Perhaps to another organisation than before."""
    pc = some_pc(world)
    tenant = world.chance.choice(pc.tenants)
    pc.signed_in = {tenant}
    for tokens in pc.tokens.values():
        tokens.ended = False
    refused(pc.courier.forgive)
    world.note(f"{pc.index} signs in to {tenant}")


def moves(world: World) -> None:
    """Another PC would not hear of it, so only where there is but one."""
    if len(world.pcs) > 1 or not world.orders:
        return
    order_id, matter = world.chance.choice(list(world.orders)), world.chance.choice(world.matters)
    told = world.orders[order_id]
    told.perhaps_at = None
    try:
        world.pcs[0].ledger.move(order_id, matter)
    except ActionRefused:
        return
    except LedgerTrouble:
        # The disk failed or the process died somewhere in it: whether it is done is seen when the program runs again.
        told.perhaps_at = (matter.tenant, matter.number)
        return
    told.matters.append((matter.tenant, matter.number))
    world.note(f"{order_id} is moved to {matter.id}")


def cancels(world: World) -> None:
    if len(world.pcs) > 1 or not world.takes_credits:
        return
    pc = world.pcs[0]
    waiting = [one for one in displayed(pc) if one.state.value in ("queued", "held", "rejected", "unknown")]
    if waiting:
        cancel(world, pc, world.chance.choice(waiting))


def cancel(world: World, pc: Pc, delivery: Delivery) -> None:
    key, amount, gst = delivery.key, delivery.amount, delivery.gst or Decimal(0)
    told = world.orders[key.split("-")[1]]
    included = world.settings.costs.amounts == "inc_gst"
    seen = Decimal(0) if amount is None else amount + (gst if included else 0)
    along = False
    try:
        posting = pc.ledger.posting(key)
        waits = posting is not None and posting.state.value in ("queued", "held") and not posting.touched
        along = waits and posting is not None and posting.hold in PLANNED_HOLDS
        pc.ledger.cancel(key)
    except ActionRefused:
        return
    except LedgerTrouble:
        # As in a move: it may be done all the same.
        told.perhaps_cancelled[key] = seen
        return
    # What is left behind on a matter that the order was moved away from says nothing of the new one; what had not been sent
    # yet, and was about to go along with its order, does.
    if along or (delivery.tenant, delivery.matter_number) == told.matters[-1]:
        told.cancelled[key] = seen
    world.note(f"{key} is cancelled")


def tries_again(world: World) -> None:
    pc = some_pc(world)
    waiting = [one for one in displayed(pc) if one.state.value not in DONE]
    for one in world.chance.sample(waiting, min(3, len(waiting))):
        refused(pc.ledger.retry, one.key)
        refused(pc.ledger.approve, one.key)
    # As the worker's own pass: while the disk can't be read it comes to nothing.
    refused(pc.courier.forgive)
    world.note(f"{pc.index} tries again")


def _is_confirmed(pc: Pc, mark: str) -> bool:
    return any(one.key == mark and one.state.value == "confirmed" for one in displayed(pc))


def displayed(pc: Pc) -> Sequence[Delivery]:
    """What the window shows; nothing while the disk can't be read."""
    try:
        return pc.ledger.deliveries()
    except LedgerTrouble:
        return ()


def staff_edit_notes(world: World) -> None:
    """Words around the key, other letters, other hyphens; or, of a line that was seen, the whole note."""
    for entry in world.chance.sample(world.books.entries, min(3, len(world.books.entries))):
        if not entry.alive:
            continue
        how = world.chance.randrange(4)
        if how == 0:
            entry.note = f"checked by Kim, {entry.note} ok"
        elif how == 1:
            entry.note = entry.note.lower()
        elif how == 2:
            entry.note = entry.note.replace("-", "\u2011")
        elif len(world.pcs) == 1 and _is_confirmed(world.pcs[0], entry.mark):
            entry.note = "paid"
        world.note(f"note of {entry.serial} is now {entry.note}")


RULES: tuple[tuple[Callable[[World], None], float], ...] = (
    (new_orders, 30), (changes, 16), (late_news, 6), (trouble, 12), (disk_dies, 5), (disk_stumbles, 3), (disk_fills, 3),
    (restart, 3), (sleeps, 2), (clock_jumps, 2), (signs_out, 1), (sign_in_ends, 1), (signs_in, 4), (moves, 4), (cancels, 3),
    (tries_again, 5), (staff_edit_notes, 4),
)  # fmt: skip
_WEIGHTS = [weight for _, weight in RULES]


@dataclass(slots=True)
class Outcome:
    """A seed's result. `races`: keys that two PCs sent before either could see the other's line (what is promised, and what
    not, stands in contracts, section 5)."""

    seed: int
    digest: str
    intents: int
    problems: list[str]
    races: int
    counts: Counter[str]
    trace: list[str] = field(default_factory=list)


def run(seed: int, options: Options, seats: Sequence[Seat], *, keep_trace: bool = False) -> Outcome:
    """One seed from its beginning to its verdict."""
    world = World(seed, options, list(seats), keep_trace=keep_trace)
    try:
        _live(world)
        unfinished = drain(world)
        verdict = world.verdict()
    finally:
        for pc in world.pcs:
            pc.close()
    problems = verdict.problems() + [f"unfinished: {one}" for one in unfinished]
    world.note(f"verdict {verdict.intents} {problems}")
    return Outcome(seed, world.digest(), verdict.intents, problems, world.races, world.counts, world.trace)


def _live(world: World) -> None:
    for _ in range(world.options.steps):
        rule = world.chance.choices(RULES, weights=_WEIGHTS)[0][0]
        world.counts[rule.__name__] += 1
        rule(world)
        pc = some_pc(world)
        world.work(pc, world.chance.choice(WAITS), most=world.chance.choice((1, 3, 12)))
        world.listen(pc)


def drain(world: World) -> list[str]:
    """The faults stop, the late news comes, people do what they are asked to. Gives what is not finished then."""
    world.calm, world.limits = True, False
    while len(world.orders) < world.options.orders // 2:
        world.tell_new()
    world.tell_late()
    for pc in world.pcs:
        pc.disk.before = lambda call: None
        pc.has_room()
    _see_decisions(world)
    unfinished: list[str] = []
    for turn in range(14):
        unfinished = []
        for pc in world.pcs:
            for tenant in pc.tenants:
                pc.signed_in = {tenant}
                pc.tokens[tenant].ended = False
                resolve(world, pc)
                pc.courier.forgive()
                # A clock that was set back a day makes what waits wait a day longer.
                world.work(pc, (0.6 if turn < 5 else 12) * HOUR)
            unfinished += [
                f"{one.key} is {one.state.value} on {pc.index}: {one.reason}"
                for one in pc.ledger.deliveries()
                if one.state.value not in DONE or one.waiting_for_person
            ]
        world.books.settle(world.true)
        if not unfinished and not world.books.on_its_way and not _behind(world):
            break
    return unfinished


def _see_decisions(world: World) -> None:
    """What a person who was told of a failure sees when looking again: the order stands at the one matter or at the other."""
    for order_id, told in world.orders.items():
        view = world.pcs[0].ledger.order_view(order_id) if told.perhaps_at else None
        if view is not None and told.perhaps_at == (view.tenant, view.matter_number):
            told.matters.append(told.perhaps_at)
            world.note(f"{order_id} was moved after all")
        for key, seen in told.perhaps_cancelled.items():
            shown = [one for one in world.pcs[0].ledger.deliveries(order_id=order_id) if one.key == key]
            # By the row's own words: what a later message withdrew, nobody decided against.
            if any(one.state.value == "cancelled" and one.reason.startswith("Cancelled") for one in shown):
                told.cancelled.setdefault(key, seen)
                world.note(f"{key} was cancelled after all")


def _behind(world: World) -> bool:
    """Somebody has not read the feed to its end."""
    return any(int(pc.ledger.cursor("feed") or 0) < len(world.feed) for pc in world.pcs)


def resolve(world: World, pc: Pc) -> None:
    """What a person does who wants everything put right."""
    for one in pc.ledger.deliveries():
        if one.state.value == "confirmed" and one.waiting_for_person:
            _remove_doubles(world, one.key)
        elif one.state.value == "held" and "takes no negative costs" in one.reason:
            _correct_by_hand(world, pc, one)
        elif one.state.value == "held" and "cancelled an earlier line" in one.reason and world.chance.random() < 0.5:
            cancel(world, pc, one)
        elif "only then it is said here what to do" in one.reason:
            # A person does as they are told, and leaves it.
            continue
        elif one.waiting_for_person:
            refused(pc.ledger.retry, one.key)
            refused(pc.ledger.approve, one.key)


def _remove_doubles(world: World, key: str) -> None:
    standing = [one for one in world.books.entries if one.mark == key and one.alive]
    for one in standing[1:]:
        one.alive = False
        world.note(f"a person removes {one.serial}")


def _correct_by_hand(world: World, pc: Pc, delivery: Delivery) -> None:
    """As the row says: the posted line is lowered in the books, then the credit is cancelled here."""
    key, amount, gst = delivery.key, delivery.amount or Decimal(0), delivery.gst or Decimal(0)
    told = world.orders[key.split("-")[1]]
    if key in told.cancelled or any(one.alive and one.mark == key for one in world.books.entries):
        # It was done on behalf of another PC's row already, or another PC has posted it: whoever looks into the books sees that.
        refused(pc.ledger.cancel, key)
        return
    tenant, job = told.matters[-1]
    credit = amount + (gst if world.settings.costs.amounts == "inc_gst" else 0)
    lines = [
        one
        for one in world.books.entries
        if one.alive and one.order == key.split("-")[1] and one.part == key.split("-")[2] and (one.tenant, one.job) == (tenant, job)
    ]
    lines = [one for one in lines if one.amount > 0]
    if sum((one.amount for one in lines), Decimal(0)) < -credit:
        # Nothing stands there that could be lowered.
        cancel(world, pc, delivery)
        return
    if refused(pc.ledger.cancel, key):
        return
    told.cancelled.setdefault(key, Decimal(0))
    for line in lines:
        lowered = max(-line.amount, credit)
        line.amount += lowered
        credit -= lowered
        told.undone_by_hand.add(line.mark)
        world.note(f"a person lowers {line.serial} by {-lowered}")
