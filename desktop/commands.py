"""The commands of contracts, section 2."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from desktop.logs import log_to, report_crashes_to
from desktop.places import Places, places
from desktop.services.desk import ActionFailed, ConnectionState, NotConnected, SignInSteps, Tenant, TypedResult
from desktop.services.errors import AccessMissing, ServiceError, SignedOut
from desktop.services.ledger.model import DeliveryState
from desktop.settings import SYSTEMS, SettingsError, find_platform_file, overlay, read_own, read_platform

if TYPE_CHECKING:
    from desktop.services.office import Office

DONE, NEEDS_PERSON, WRONG_USE, NOT_CONNECTED = 0, 1, 2, 3


@dataclass(frozen=True)
class Called:
    """What the global options said."""

    platform: str | None
    where: Places


def shown(text: str) -> str:
    """One line that steers no terminal: names and reasons come from elsewhere. Direction marks go, the rest leaves a blank."""
    kept = (character for character in text if unicodedata.category(character) != "Cf")
    return "".join(character if character.isprintable() else " " for character in kept)


def say(text: str) -> None:
    click.echo(shown(text), err=True)


def put(text: str) -> None:
    click.echo(shown(text))


def stop(status: int, text: str) -> NoReturn:
    say(text)
    raise SystemExit(status)


def put_json(value: object) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


@contextlib.contextmanager
def office_of(called: Called) -> Iterator[Office]:
    """The profile's services, with every expected failure turned into its exit status and a sentence."""
    # Without a log of its own, the rooms' warnings would come between a command's own sentences.
    log_to(called.where.logs, "commands")
    report_crashes_to(called.where.crashes, short=True)
    try:
        file = find_platform_file(called.platform, called.where, os.environ)
        settings = overlay(read_platform(file), read_own(called.where.own_settings))
        from desktop.services.ledger.errors import LedgerError
        from desktop.services.office import open_office

        try:
            office = open_office(settings, file, called.where)
        except LedgerError as error:
            stop(NEEDS_PERSON, f"The ledger can't be opened: {error}")
        try:
            yield office
        except LedgerError as error:
            stop(NEEDS_PERSON, f"The ledger could not store or read that: {error}")
        finally:
            office.close()
    except SettingsError as error:
        stop(WRONG_USE, str(error))
    except (NotConnected, SignedOut) as error:
        stop(NOT_CONNECTED, str(error))
    except AccessMissing as error:
        stop(NOT_CONNECTED, f"{error} {error.cure}".strip())
    except (ActionFailed, ServiceError) as error:
        stop(NEEDS_PERSON, str(error))


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, invoke_without_command=True)
@click.option("--platform", metavar="FILE", help="The firm's platform file (default: ICONNECT_PLATFORM, then the usual places).")
@click.option(
    "--profile", metavar="DIR", help="The folder of all of your own state (default: ICONNECT_PROFILE, then the usual place)."
)
@click.version_option(package_name="iconnect-desktop", prog_name="iConnect")
@click.pass_context
def cli(context: click.Context, platform: str | None, profile: str | None) -> None:
    """InfoTrack searches from the tray, delivered to the job in the practice system and read back.

    Without a command: starts the tray, or brings the running one forward."""
    context.obj = Called(platform, places(profile, os.environ))
    if context.invoked_subcommand is None:
        from desktop.app import run_tray

        raise SystemExit(run_tray(platform=platform, profile=profile))


system_option = click.option("--system", type=click.Choice(SYSTEMS), help="Which practice system (default: the platform file's).")
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON value on standard output.")


# ---- connections -------------------------------------------------------------------------------------------------------


@cli.command()
@system_option
@click.option(
    "--no-browser",
    is_flag=True,
    help="Print the address to open as the first line of standard output, and wait: for the callback or, where the vendor "
    "takes only an https redirect, for the address at which the browser ends, on standard input.",
)
@click.pass_obj
def connect(called: Called, system: str | None, no_browser: bool) -> None:
    """Sign in to the practice system."""
    cancelled = threading.Event()

    def open_browser(address: str) -> bool:
        if no_browser:
            click.echo(address)
            sys.stdout.flush()
            return True
        import webbrowser

        if not webbrowser.open(address):
            say("No browser could be opened. Open this address in one:")
            click.echo(address)
        # Whoever reads this can open it elsewhere, so the sign-in goes on either way.
        return True

    def choose_tenant(tenants: Sequence[Tenant]) -> Tenant | None:
        say("Which organisation is it?")
        for index, tenant in enumerate(tenants, 1):
            say(f"  {index}  {tenant.name}")
        say("Type its number:")
        answer = sys.stdin.readline().strip()
        return tenants[int(answer) - 1] if answer.isdecimal() and 1 <= int(answer) <= len(tenants) else None

    def show_tenant(tenant: Tenant) -> None:
        say(f"Organisation: {tenant.name}")

    def paste(redirect: str, given_up: Callable[[], bool]) -> str | None:
        say(f"Sign in there. When the browser ends at {redirect} (it may show an error), paste that whole address here:")
        from desktop.services.pasted_address import pasted_address

        return pasted_address(redirect, given_up, sys.stdin.readline, say)

    with office_of(called) as office, _interrupted(cancelled):
        chosen = system or office.settings.practice.system
        if scopes := office.scopes(chosen):
            say("Asking for: " + ", ".join(scopes))
        steps = SignInSteps(open_browser, choose_tenant, show_tenant, cancelled.is_set, paste=paste if no_browser else None)
        view = office.connect(chosen, steps)
        if view.state is not ConnectionState.CONNECTED:
            stop(NOT_CONNECTED, f"{view.problem} {view.cure}".strip() or "The sign-in did not succeed.")
        say(f"Connected to {view.tenant} as {view.user}." if view.user else f"Connected to {view.tenant}.")
        for notice in office.sign_in_notices():
            say(notice)
        if office.lasts_for_this_process_only(chosen):
            stop(
                NEEDS_PERSON,
                "This command ends now, and the sign-in with it. Mend the keyring, or sign in from the tray.",
            )


@cli.command()
@system_option
@click.pass_obj
def disconnect(called: Called, system: str | None) -> None:
    """Revoke the sign-in at the vendor and forget it here."""
    with office_of(called) as office:
        say(office.disconnect(system or office.settings.practice.system))


@cli.command()
@json_option
@click.pass_obj
def status(called: Called, as_json: bool) -> None:
    """What is connected, what is on its way, how many calls are left."""
    with office_of(called) as office:
        now = office.status()
        if as_json:
            put_json(
                {
                    "installation": now.installation,
                    "connections": [
                        {
                            "system": connection.system,
                            "state": connection.state.value,
                            "tenant": connection.tenant or None,
                            "user": connection.user or None,
                            "since": connection.since.isoformat() if connection.since else None,
                            "problem": " ".join(filter(None, (connection.problem, connection.cure))) or None,
                        }
                        for connection in now.connections
                    ],
                    "infotrack": {"state": now.infotrack.state.value, "user": now.infotrack.user or None},
                    "deliveries": {state.value: now.deliveries.get(state, 0) for state in DeliveryState},
                    "matters": {
                        "count": now.matters,
                        "refreshed_at": now.refreshed_at.isoformat() if now.refreshed_at else None,
                    },
                    "budget": dict(now.budget),
                }
            )
            return
        for connection in now.connections:
            who = f": {connection.tenant}" + (f" as {connection.user}" if connection.user else "") if connection.tenant else ""
            put(f"{connection.title}: {connection.state.value}{who}")
            if connection.problem:
                put(f"  {connection.problem} {connection.cure}".rstrip())
        put(f"InfoTrack: {now.infotrack.state.value}" + (f" as {now.infotrack.user}" if now.infotrack.user else ""))
        click.echo(f"Matters: {now.matters}" + (f", refreshed {now.refreshed_at:%Y-%m-%d %H:%M} UTC" if now.refreshed_at else ""))
        click.echo("Deliveries: " + ", ".join(f"{state.value} {now.deliveries.get(state, 0)}" for state in DeliveryState))
        for notice in now.notices:
            put(notice)


@cli.group()
def infotrack() -> None:
    """The InfoTrack login."""


@infotrack.command("sign-in")
@click.option("--user", required=True, metavar="U", help="The InfoTrack user name.")
@click.pass_obj
def infotrack_sign_in(called: Called, user: str) -> None:
    """Read the password from standard input, check it, keep it in the keyring."""
    if sys.stdin.isatty():
        password = click.prompt("Password", hide_input=True, err=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        stop(WRONG_USE, "No password came on standard input. Give it there, or run the command at a terminal.")
    with office_of(called) as office:
        view = office.sign_in_to_infotrack(user, password)
        if view.state is not ConnectionState.CONNECTED:
            stop(NOT_CONNECTED, view.problem)
        say(f"InfoTrack accepted the login of {view.user}.")
        if view.problem:
            stop(NEEDS_PERSON, f"{view.problem} This command ends now, and the login with it: mend the keyring, or use the tray.")


@infotrack.command("sign-out")
@click.pass_obj
def infotrack_sign_out(called: Called) -> None:
    """Forget the InfoTrack login."""
    with office_of(called) as office:
        office.sign_out_of_infotrack()
        say("The InfoTrack login is forgotten on this PC.")


# ---- matters -------------------------------------------------------------------------------------------------------------


@cli.group()
def matters() -> None:
    """The local copy of the matters."""


@matters.command("refresh")
@json_option
@click.pass_obj
def matters_refresh(called: Called, as_json: bool) -> None:
    """Read all open matters from the practice systems that are connected."""
    with office_of(called) as office:
        count = office.refresh_matters()
        if as_json:
            put_json({"count": count})
        else:
            say(f"{count} matters.")


@matters.command("find")
@click.argument("text")
@click.option("--limit", type=click.IntRange(1, 1000), default=10, show_default=True)
@json_option
@click.pass_obj
def matters_find(called: Called, text: str, limit: int, as_json: bool) -> None:
    """Find matters by any part of number, name, client or staff; - reads a query a line from standard input."""
    with office_of(called) as office:
        for query in (line.rstrip("\r\n") for line in sys.stdin) if text == "-" else (text,):
            found = [
                {
                    "system": hit.matter.system,
                    "id": hit.matter.id,
                    "number": hit.matter.number,
                    "name": hit.matter.name,
                    "client": hit.matter.client,
                    "state": hit.matter.state,
                }
                for hit in office.find_or_ask(query, limit)
            ]
            if text == "-":
                click.echo(json.dumps(found, ensure_ascii=False))
                sys.stdout.flush()
            elif as_json:
                put_json(found)
            else:
                for row in found:
                    put(f"{row['number']:<12} {row['name']}  ({row['client']})")
                if not found:
                    say("Nothing found.")


# ---- orders and results ----------------------------------------------------------------------------------------------------


@cli.command()
@click.argument("matter")
@click.pass_obj
def order(called: Called, matter: str) -> None:
    """Open the order window for a matter number; where several practice systems have it: <system>:<number>.

    A closed matter is asked about at a terminal, and told of elsewhere."""
    from desktop.order_question import settle

    with office_of(called) as office:
        wanted = settle(office.matter_by_number(matter), office.advice, say, sys.stdin.readline if sys.stdin.isatty() else None)
        if wanted is None:
            stop(NEEDS_PERSON, "Nothing was opened.")
        office.order_and_wait(wanted)


@cli.group()
def results() -> None:
    """Results that come by hand."""


@results.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.pass_obj
def results_import(called: Called, files: tuple[Path, ...]) -> None:
    """Take order messages (XML or JSON, one or many in a file)."""
    with office_of(called) as office:
        new = office.import_results(files)
        say(f"{new} new message{'' if new == 1 else 's'}.")


@results.command("add")
@click.option("--order", "order_id", required=True, metavar="ID", help="InfoTrack's order number.")
@click.option("--matter", required=True, metavar="M", help="The matter's number, or <system>:<number>.")
@click.option("--service", required=True, metavar="TEXT", help="What was ordered, such as: Title Search.")
@click.option("--reference", default="", metavar="R", help="What was searched, such as: 12/RP90001.")
@click.option("--retailer-fee", metavar="A", help="InfoTrack's own fee, without GST.")
@click.option("--retailer-gst", metavar="A", help="The GST on it.")
@click.option("--supplier-fee", metavar="A", help="The government's or third party's fee, without GST.")
@click.option("--supplier-gst", metavar="A", help="The GST on it.")
@click.option("--file", "file", metavar="PDF", type=click.Path(path_type=Path), help="The document.")
@click.pass_obj
def results_add(
    called: Called,
    order_id: str,
    matter: str,
    service: str,
    reference: str,
    retailer_fee: str | None,
    retailer_gst: str | None,
    supplier_fee: str | None,
    supplier_gst: str | None,
    file: Path | None,
) -> None:
    """Type in an order's result, for a firm without a feed or folder."""
    typed = TypedResult(
        order_id=order_id,
        matter_number=matter,
        service=service,
        reference=reference,
        retailer_fee=_amount("--retailer-fee", retailer_fee),
        retailer_gst=_amount("--retailer-gst", retailer_gst),
        supplier_fee=_amount("--supplier-fee", supplier_fee),
        supplier_gst=_amount("--supplier-gst", supplier_gst),
        file=file,
    )
    with office_of(called) as office:
        office.add_result(typed)
        say(f"Order {order_id} is recorded. It is delivered by the tray, or by: iconnect deliver")


def _amount(option: str, text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or abs(amount) >= Decimal(10_000_000) or amount != amount.quantize(Decimal("0.01")):
        raise click.UsageError(f"{option}: expected an amount like 12.50, found {text!r}.")
    return amount.quantize(Decimal("0.01"))


@cli.command()
@click.option("--until-idle", is_flag=True, help="Return when nothing is left that time alone can finish.")
@click.pass_obj
def deliver(called: Called, until_idle: bool) -> None:
    """Collect results and deliver them, with no window. Without --until-idle: until it is interrupted."""
    stopped = threading.Event()
    with office_of(called) as office, _interrupted(stopped):
        outcome = office.deliver(until_idle=until_idle, stopped=stopped, tell=say)
        if outcome.not_connected:
            stop(NOT_CONNECTED, "Not connected: what is queued stays queued. Sign in with: iconnect connect")
        if outcome.needs_person or outcome.left:
            stop(NEEDS_PERSON, outcome.sentence)


@cli.group(invoke_without_command=True)
@click.option("--matter", metavar="M", default="", help="Only this matter number.")
@click.option("--order", "order_id", metavar="ID", default="", help="Only this order.")
@click.option("--state", type=click.Choice([state.value for state in DeliveryState]), help="Only this state.")
@json_option
@click.pass_context
def deliveries(context: click.Context, matter: str, order_id: str, state: str | None, as_json: bool) -> None:
    """List costs and documents on their way; or retry, approve, cancel, move them."""
    if context.invoked_subcommand is not None:
        return
    with office_of(context.obj) as office:
        rows = office.deliveries(matter=matter, order_id=order_id, state=DeliveryState(state) if state else None)
        if as_json:
            put_json(
                [
                    {
                        "key": row.key,
                        "kind": row.kind.value,
                        "order_id": row.order_id,
                        "matter": row.matter_number or None,
                        "system": row.system or None,
                        "state": row.state.value,
                        "amount": _text(row.amount),
                        "gst": _text(row.gst),
                        "attempts": row.attempts,
                        "reason": " ".join(filter(None, (row.reason, row.undo))) or None,
                        "remote_id": row.remote_id or None,
                        "updated_at": row.updated_at.isoformat(),
                    }
                    for row in rows
                ]
            )
            return
        for row in rows:
            amount = f"{_text(row.amount):>10}" if row.amount is not None else f"{'document':>10}"
            put(f"{row.key:<20} {row.matter_number or '-':<12} {amount}  {row.state.value:<10} {row.reason} {row.undo}".rstrip())


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:.2f}"


def _each(called: Called, keys: Sequence[str], act: Callable[[Office, str], None]) -> None:
    """Each key alone: a failing one is named, the others are done."""
    failed = False
    with office_of(called) as office:
        for key in keys:
            try:
                act(office, key)
            except ActionFailed as error:
                failed = True
                say(f"{key}: {error}")
    if failed:
        raise SystemExit(NEEDS_PERSON)


@deliveries.command("retry")
@click.argument("keys", nargs=-1, required=True)
@click.pass_obj
def deliveries_retry(called: Called, keys: tuple[str, ...]) -> None:
    """Try rejected ones again; examine held ones again."""
    _each(called, keys, lambda office, key: office.retry(key))


@deliveries.command("approve")
@click.argument("keys", nargs=-1, required=True)
@click.pass_obj
def deliveries_approve(called: Called, keys: tuple[str, ...]) -> None:
    """Let held ones go."""
    _each(called, keys, lambda office, key: office.approve(key))


@deliveries.command("cancel")
@click.argument("keys", nargs=-1, required=True)
@click.pass_obj
def deliveries_cancel(called: Called, keys: tuple[str, ...]) -> None:
    """Give up what has not been sent."""
    _each(called, keys, lambda office, key: office.cancel(key))


@deliveries.command("move")
@click.argument("order_id")
@click.option("--to", "matter", required=True, metavar="MATTER", help="The right matter's number, or <system>:<number>.")
@click.pass_obj
def deliveries_move(called: Called, order_id: str, matter: str) -> None:
    """Post an order's costs and documents to another matter."""
    with office_of(called) as office:
        office.move(order_id, office.matter_by_number(matter))
        for row in office.deliveries(order_id=order_id):
            if row.undo:
                say(f"{row.key}: {row.undo}")


@cli.command()
@json_option
@click.pass_obj
def doctor(called: Called, as_json: bool) -> None:
    """Check everything that can be wrong on this PC or in a connection, each with its cure."""
    from desktop.services.health import Verdict, examine

    checks = examine(called.platform, called.where, os.environ)
    if as_json:
        put_json(
            [
                {"check": check.name, "verdict": check.verdict.value, "message": check.message, "cure": check.cure}
                for check in checks
            ]
        )
    else:
        for check in checks:
            put(f"{check.verdict.value:<5} {check.name}: {check.message}" + (f" {check.cure}" if check.cure else ""))
    if any(check.verdict is Verdict.FAIL for check in checks):
        raise SystemExit(NEEDS_PERSON)


@cli.command()
@click.option("--headless", is_flag=True, help="Offscreen, with pictures of each step and a report.")
@click.option(
    "--system", type=click.Choice((*SYSTEMS, "workflowmax-v1")), help="Which practice system (default: Xero Practice Manager)."
)
@click.option(
    "--matters", "matter_count", type=click.IntRange(50, 100_000), default=400, show_default=True, help="How many matters."
)
@click.option(
    "--out", metavar="DIR", type=click.Path(path_type=Path), help="Where pictures and report go (default: ./iconnect-demo)."
)
def demo(headless: bool, system: str | None, matter_count: int, out: Path | None) -> None:
    """The whole job against the built-in sandbox: no account, no network."""
    from desktop.demo import run_demo

    raise SystemExit(run_demo(headless=headless, system=system, matters=matter_count, out=out))


@contextlib.contextmanager
def _interrupted(event: threading.Event) -> Iterator[None]:
    """Ctrl-C and a polite stop set the event, so that what is under way can end in order."""

    def set_event(*_: Any) -> None:
        event.set()

    before = {number: signal.signal(number, set_event) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
