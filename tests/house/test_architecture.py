"""The house's own rules, read off its source: what may import what, what nobody may write, what no file may hold."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

BROAD = {
    "desktop/app.py": "opening the desk: Qt would print it and leave an icon that answers nobody",
    "desktop/demo/hands.py": "carries what went wrong on the GUI thread to the thread that asked",
    "desktop/demo/journey.py": "the journey's thread: the report must say what happened",
    "desktop/services/background.py": "the refresher's thread",
    "desktop/services/delivery/courier.py": "one source's surprise must not keep back the others",
    "desktop/services/delivery/lanes.py": "a thread's edge: raised again where it was asked",
    "desktop/services/delivery/matter_work.py": "a surprise while sending leaves the row unknown, never queued",
    "desktop/services/delivery/planner.py": "one order's surprise must not keep back the others",
    "desktop/services/delivery/worker.py": "the courier's thread",
    "desktop/services/doctor/check.py": "a thread's edge: one broken check must not cost the others",
    "desktop/services/identity/keys.py": "foreign keyring backends raise anything",
    "desktop/services/identity/sign_in.py": "a thread's edge: raised again in the caller",
    "desktop/services/identity/wallet.py": "forgetting a sign-in must go on",
    "desktop/services/matter_desk.py": "threads' edges: one system's surprise must not hide another's answer",
    "desktop/services/order_process.py": "a listener's fault must not stop the pipe from being drained",
    "desktop/ui/bridge.py": "the workers' threads: the person must hear of it",
}
"""Where everything may be caught and kept, and why. An edge that is new here needs a reason of its own."""


def tracked(*suffixes: str) -> list[Path]:
    """The files under version control, with those that are about to be."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    ).stdout
    paths = [ROOT / name.decode() for name in listed.split(b"\0") if name]
    return [path for path in paths if path.is_file() and (not suffixes or path.suffix in suffixes)]


def modules(*folders: str) -> Iterator[tuple[str, str]]:
    """Every module below the folders: name as in the repository, and text."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def test_imports_go_one_way() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_no_module_is_longer_than_600_lines() -> None:
    long = {name: len(text.splitlines()) for name, text in modules("desktop", "sandbox") if len(text.splitlines()) > 600}
    assert long == {}


def _is_broad(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or (isinstance(kind, ast.Name) and kind.id in ("Exception", "BaseException")) for kind in kinds)


def _raises_again(handler: ast.ExceptHandler) -> bool:
    """Such as a rollback on the way out: nothing is swallowed."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def test_everything_is_caught_at_known_edges_only() -> None:
    found = set()
    for name, text in modules("desktop"):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ExceptHandler) and _is_broad(node) and not _raises_again(node):
                found.add(name)
                line = text.splitlines()[node.lineno - 1]
                assert "  # " in line, f"{name}:{node.lineno} catches everything and does not say why"
    assert found == set(BROAD), "an edge is new, or gone"


def test_nobody_prints() -> None:
    for name, text in modules("desktop", "sandbox"):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
                assert "noqa: T201" in text.splitlines()[node.lineno - 1], f"{name}:{node.lineno}"


FORBIDDEN = re.compile(
    "|".join(
        (
            r"/work" + r"/",
            r"/tmp/" + r"bash_jobs",
            r"/root" + r"/",
            r"/home/(?!runner\b)[a-z]+/",
            r"pypi\.org" + r"/simple",
            r"files\.python" + "hosted",
            r"--(?:extra-)?index" + r"-url",
            r"BEGIN (?:RSA |EC )?PRIVATE " + r"KEY",
        )
    )
)


def test_no_file_names_this_machine_a_package_registry_or_a_key() -> None:
    found = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture
        if path == Path(__file__):
            continue
        found += [f"{path.relative_to(ROOT)}: {match.group()}" for match in FORBIDDEN.finditer(text)]
    assert found == []


def _with_modules(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, json\n{code}\nprint(json.dumps(sorted(sys.modules)))"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    found: set[str] = set(json.loads(done.stdout))
    return found


@pytest.mark.parametrize("module", ["desktop.services.office", "desktop.commands", "desktop.services.health", "sandbox.house"])
def test_services_and_commands_bring_no_qt(module: str) -> None:
    assert not {name for name in _with_modules(f"import {module}") if name.split(".")[0] in ("PySide6", "shiboken6")}


def test_the_tray_shows_its_icon_before_anything_heavy_is_imported() -> None:
    heavy = {"requests", "authlib", "keyring", "cryptography", "rapidfuzz", "apsw", "joserfc", "msgspec"}
    names = _with_modules("import desktop.app")
    assert not {name.split(".")[0] for name in names} & heavy
    assert not {name for name in names if "WebEngine" in name}


def test_tls_checks_can_not_be_switched_off() -> None:
    """A26: no «ignore errors» anywhere in the product."""
    switches = re.compile(
        r"verify\s*=\s*False|CERT_NONE|check_hostname\s*=\s*False|_create_unverified|ignoreCertificateError|acceptCertificate"
    )
    assert [name for name, text in modules("desktop") if switches.search(text)] == []


def test_money_is_never_a_float() -> None:
    """D19: no float is made, typed or compared where amounts are handled, but for a percentage that the settings file holds."""
    places = ("desktop/services/ledger", "desktop/services/delivery", "desktop/services/infotrack", "desktop/services/practice")
    money = re.compile(r"amount|fee|gst|cost(?!s_)|price|money|dollars|net\b", re.IGNORECASE)
    found = []
    for name, text in modules(*places):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float":
                found += [f"{name}:{node.lineno}" for part in node.args if money.search(ast.unparse(part))]
            if (
                isinstance(node, ast.AnnAssign | ast.arg)
                and node.annotation is not None
                and "float" in ast.unparse(node.annotation)
            ):
                target = node.arg if isinstance(node, ast.arg) else ast.unparse(node.target)
                found += [f"{name}:{node.lineno} {target}"] if money.search(target) else []
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Decimal" and node.args:
                value = node.args[0]
                found += [f"{name}:{node.lineno}"] if isinstance(value, ast.Constant) and isinstance(value.value, float) else []
    assert found == []


DATABASES = ("ledger.db", "directory.db", "identity.db")
FILE_CALLS = re.compile(
    r"\b(?:where|places)\.(?:ledger|directory)\.(?:open|read_bytes|read_text|write_bytes|write_text|unlink|rename|replace)\("
    r"|(?:open|copy|copy2|copyfile|move|rename|replace|remove|unlink)\([^\n)]*(?:ledger|directory|identity)\.db"
)


def test_nobody_opens_or_copies_a_live_database_by_file_calls() -> None:
    """C11: closing any descriptor of a live database would drop its locks."""
    for name, text in modules("desktop"):
        assert not FILE_CALLS.search(text), name
    users = {name for name, text in modules("desktop") if any(f'"{database}"' in text for database in DATABASES)}
    assert users <= {"desktop/places.py", "desktop/services/identity/wallet.py", "desktop/services/identity/store.py"}


def test_writing_transactions_begin_at_once() -> None:
    """C12: a function that says BEGIN alone only reads; whoever writes says BEGIN IMMEDIATE."""
    plain, at_once = 0, 0
    for name, text in modules("desktop/services"):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                source = ast.unparse(node)
                at_once += "'BEGIN IMMEDIATE'" in source
                if "'BEGIN'" in source:
                    plain += 1
                    # The staging table is a temporary one, of that connection alone: nobody waits for it.
                    source = source.replace("INSERT INTO staged ", "")
                    assert not re.search(r"\b(?:INSERT|UPDATE|DELETE|REPLACE|CREATE|DROP)\b", source), f"{name}: {node.name}"
    assert plain
    assert at_once


def test_no_transaction_is_a_connections_own_with() -> None:
    """Its commit waits while it holds the interpreter's lock: every other thread, the reader it waits for too, stands still."""
    for name, text in modules("desktop"):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.With):
                held = {ast.unparse(item.context_expr) for item in node.items}
                assert not held & {"db", "self._db", "connection", "self._connection", "source", "copy"}, f"{name}:{node.lineno}"


def test_the_one_place_that_parses_xml_is_the_guarded_one() -> None:
    """H1: nobody else calls an XML parser."""
    parsers = re.compile(r"\b(?:fromstring|XMLParser|ParserCreate|iterparse|minidom|XMLPullParser|lxml|expatreader)\b")
    users = {name for name, text in modules("desktop") if parsers.search(text)}
    assert users == {"desktop/services/practice/practice_xml.py"}


def test_nothing_speaks_to_remote_pages_through_a_channel() -> None:
    """G8: no QWebChannel in the product."""
    assert [
        name for name, text in modules("desktop") if "QWebChannel" in text and "import" in text.split("QWebChannel")[0][-200:]
    ] == []


def test_the_browsers_sandbox_is_not_switched_off_but_for_the_demo_as_root() -> None:
    """G12: the only way to it is a value that the demo sets."""
    switches = re.compile(r"[\"']--no-sandbox[\"' ]|DISABLE_SANDBOX")
    assert {name for name, text in modules("desktop") if switches.search(text)} <= {"desktop/ui/browser/environment.py"}
    callers = {name for name, text in modules("desktop") if re.search(r"as_root_unsandboxed\s*=\s*as_root", text)}
    assert callers == {"desktop/demo/headless.py", "desktop/demo/interactive.py"}


def test_the_locked_requirements_have_hashes_and_no_addresses() -> None:
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    entries = re.findall(r"^([A-Za-z0-9_.\[\]-]+)==", text, re.MULTILINE)
    blocks = re.split(r"^(?=[A-Za-z0-9_.\[\]-]+==)", text, flags=re.MULTILINE)[1:]
    assert len(entries) == len(blocks) > 10
    assert [block.split("==")[0] for block in blocks if "--hash=sha256:" not in block] == []
    assert not re.search(r"https?://|--index|--find-links", text)


def test_every_dependency_is_in_the_lock() -> None:
    import tomllib

    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    names = {re.split(r"[<>=!;\[ ]", line)[0].lower().replace("_", "-") for line in wanted}
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    locked = {name.lower().replace("_", "-") for name in re.findall(r"^([A-Za-z0-9_.-]+)==", text, re.MULTILINE)}
    assert names - locked == set()
