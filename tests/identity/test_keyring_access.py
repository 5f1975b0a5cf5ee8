"""The secret store and all its ways to fail."""

from __future__ import annotations

import base64
import errno
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, cast
from urllib.parse import quote

import pytest
from keyring.backends import fail, null
from keyring.backends.chainer import ChainerBackend
from keyring.errors import InitError, KeyringLocked, NoKeyringError, PasswordSetError

from desktop.services.errors import NotNow
from desktop.services.identity.keys import KeyringFault, KeyringTrouble, Vault, decode_key, sort_failure
from desktop.services.identity.sealing import seal, unseal
from desktop.services.identity.store import IdentityStore
from tests.identity.identity_rig import XPM, MemoryKeyring, OtherKeyring, Rig


def raiser(error: Exception) -> Callable[[], NoReturn]:
    def fail_now() -> NoReturn:
        raise error

    return fail_now


def windows(code: int) -> OSError:
    error = OSError("Windows says so")
    error.winerror = code  # type: ignore[attr-defined, unused-ignore]
    return error


class LockedException(Exception):
    """Named like the one of the Secret Service's library."""


class DBusErrorResponse(Exception):
    """Named like the one of the D-Bus library."""


FAULTS = {
    "no backend": (NoKeyringError("No recommended backend was available."), KeyringFault.NONE),
    "locked": (KeyringLocked("Failed to unlock the collection!"), KeyringFault.LOCKED),
    "prompt dismissed": (InitError("Failed to create the collection: Prompt dismissed.."), KeyringFault.LOCKED),
    "locked item": (LockedException("Item is locked!"), KeyringFault.LOCKED),
    "no service": (InitError("Failed to open session"), KeyringFault.GONE),
    "bus error": (DBusErrorResponse("org.freedesktop.DBus.Error.ServiceUnknown"), KeyringFault.GONE),
    "bus gone": (ConnectionResetError(), KeyringFault.GONE),
    "closed bus": (EOFError(), KeyringFault.GONE),
    "denied": (windows(5), KeyringFault.DENIED),
    "permission": (PermissionError(errno.EACCES, "Permission denied"), KeyringFault.DENIED),
    "mac refused": (PasswordSetError("Can't store password on keychain: (-25293, 'Unknown Error')"), KeyringFault.DENIED),
    "mac no interaction": (PasswordSetError("Can't store password on keychain: (-25308, 'x')"), KeyringFault.LOCKED),
    "too long": (windows(1783), KeyringFault.TOO_LONG),
    "full": (windows(8), KeyringFault.FULL),
    "disk full": (OSError(errno.ENOSPC, "No space left on device"), KeyringFault.FULL),
    "no logon session": (windows(1312), KeyringFault.NO_LOGON),
    "garbled": (UnicodeDecodeError("utf-8", b"x", 0, 1, "bad"), KeyringFault.GARBLED),
    "time out": (TimeoutError(), KeyringFault.TIMED_OUT),
    "module not there": (ModuleNotFoundError("No module named 'x'"), KeyringFault.NONE),
    "anything": (ZeroDivisionError(), KeyringFault.OTHER),
}


def called(vault: Vault, call: str) -> None:
    if call == "get":
        vault.get("s")
    elif call == "delete":
        vault.delete("s")
    else:
        vault.set("s", "new")


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("call", ["get", "set", "delete", "pick"])
def test_every_fault_is_told_apart_at_every_call(name: str, call: str) -> None:
    """B2: the fault table x each call site: typed, with a cure, nothing erased, no foreign words."""
    error, expected = FAULTS[name]
    backend = MemoryKeyring()
    backend.entries[("s", "iConnect")] = "kept"
    if call != "pick":
        backend.fail[call] = raiser(error)
    vault = Vault(raiser(error) if call == "pick" else lambda: backend)
    with pytest.raises(KeyringTrouble) as told:
        called(vault, call)
    assert told.value.fault is expected
    assert isinstance(told.value, NotNow)
    assert expected.value in str(told.value)
    if call in ("get", "delete", "pick"):
        assert backend.entries == {("s", "iConnect"): "kept"}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_while_refreshing_erases_nothing_and_passes(rig: Rig, name: str) -> None:
    """B2, B4: the sign-in stands, whatever the keyring says for a while."""
    rig.signed_in()
    error, expected = FAULTS[name]
    assert isinstance(rig.keyring, MemoryKeyring)
    rig.keyring.fail["get"] = raiser(error)
    connection = rig.identity().connection(XPM)
    assert connection is not None
    with pytest.raises(KeyringTrouble) as told:
        connection.token()
    assert told.value.fault is expected
    assert rig.identity().records()[0].problem == ""
    rig.keyring.fail.clear()
    assert connection.token() in rig.server.issued


@pytest.mark.parametrize("name", FAULTS)
def test_without_a_usable_keyring_the_sign_in_lasts_for_this_session_only(rig: Rig, name: str) -> None:
    """B5: no silent plain text: the tokens stay in memory, the person is told, and no file holds them."""
    assert isinstance(rig.keyring, MemoryKeyring)
    rig.keyring.fail["set"] = raiser(FAULTS[name][0])
    identity = rig.identity()
    record = identity.sign_in(XPM, rig.person.steps())
    assert record.session_only
    assert identity.records() == (record,)
    assert "lasts only as long as this program runs" in identity.notices()[0]
    connection = identity.connection(XPM)
    assert connection is not None
    rig.clock.pass_(1800)
    assert connection.token() in rig.server.issued
    assert rig.identity().records() == ()
    assert not leaks(rig.profile, rig.server.issued)
    assert "revoked there" in identity.disconnect(XPM)
    assert identity.records() == ()
    assert identity.notices() == ()


def test_a_session_whose_grant_ends_asks_for_a_person(rig: Rig) -> None:
    assert isinstance(rig.keyring, MemoryKeyring)
    rig.keyring.fail["set"] = raiser(KeyringLocked())
    identity = rig.signed_in()
    identity.mark_problem(XPM, "No access.", "Ask.")
    assert identity.records()[0].problem == "No access."
    identity.clear_problem(XPM)
    rig.server.revoked |= {known.family for known in rig.server.refreshing.values()}
    rig.clock.pass_(1800)
    connection = identity.connection(XPM)
    assert connection is not None
    with pytest.raises(Exception, match="has ended the sign-in"):
        connection.token()
    assert "has ended the sign-in" in identity.records()[0].problem


def test_a_later_sign_in_with_a_keyring_is_kept(rig: Rig) -> None:
    """B5: the banner goes when it is no longer true."""
    assert isinstance(rig.keyring, MemoryKeyring)
    rig.keyring.fail["set"] = raiser(KeyringLocked())
    identity = rig.signed_in()
    rig.keyring.fail.clear()
    assert not identity.sign_in(XPM, rig.person.steps()).session_only
    assert identity.notices() == ()
    assert len(rig.identity().records()) == 1


def leaks(folder: Path, secrets: list[str]) -> list[str]:
    """Files below `folder` that hold one of these, as they are, percent-coded or in base64."""
    found = []
    for file in folder.rglob("*"):
        if not file.is_file():
            continue
        content = file.read_bytes()
        for secret in secrets:
            coded = base64.b64encode(secret.encode())
            forms = (secret.encode(), quote(secret, safe="").encode(), coded.rstrip(b"=")[:-2], secret.encode("utf-16-le"))
            if any(form in content for form in forms):
                found.append(f"{file.name}: {secret[:4]}")
    return found


def test_neither_database_nor_log_nor_arguments_hold_a_secret(
    rig: Rig, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """A24, B9: every flow with known secrets, then a search of files, log, output and command lines for each of them."""
    caplog.set_level("DEBUG")
    rig.server.client_secret = "app-s3cret-canary"
    rig.xero = {"client_secret": "app-s3cret-canary"}
    identity = rig.signed_in()
    connection = identity.connection(XPM)
    assert connection is not None
    for _ in range(3):
        rig.clock.pass_(1800)
        connection.token()
    rig.server.fault = lambda path, _: (500, b"") if path == "/connect/token" else None
    rig.clock.pass_(1800)
    with pytest.raises(Exception, match="problem") as told:
        connection.token()
    rig.server.fault = lambda path, form: None
    identity.secrets.set("infotrack", "pa55-canary-word")
    verifiers = [form["code_verifier"] for form in rig.server.forms("/connect/token") if "code_verifier" in form]
    assert isinstance(rig.keyring, MemoryKeyring)
    canaries = [*rig.server.issued, *verifiers, *rig.keyring.entries.values(), "app-s3cret-canary", "pa55-canary-word"]
    assert len(canaries) > 8
    assert leaks(rig.profile, canaries) == []
    output = capfd.readouterr()
    said = caplog.text + output.out + output.err + str(told.value) + repr(identity.records()) + repr(rig.settings().practice)
    arguments = b"".join(file.read_bytes() for file in Path("/proc").glob("[0-9]*/cmdline") if file.exists())
    for canary in canaries:
        assert canary not in said
        assert canary.encode() not in arguments
    assert not [value for value in os.environ.values() if value in canaries]
    assert [record.name for record in caplog.records if record.name.startswith("desktop")]
    identity.disconnect(XPM)


def test_nothing_long_ever_reaches_the_keyring(rig: Rig) -> None:
    """B1: Windows' own limit, with a 4,000-character access token: every flow passes."""
    rig.server.access_padding = 4_000
    identity = rig.signed_in()
    connection = identity.connection(XPM)
    assert connection is not None
    assert len(connection.token()) > 4_000
    rig.clock.pass_(1800)
    connection.token()
    assert isinstance(rig.keyring, MemoryKeyring)
    assert [len(secret) for secret in rig.keyring.entries.values()] == [44]
    with pytest.raises(KeyringTrouble) as told:
        identity.secrets.set("infotrack", "x" * 1_001)
    assert told.value.fault is KeyringFault.TOO_LONG
    identity.secrets.set("infotrack", "x" * 1_000)
    identity.disconnect(XPM)


def test_a_store_that_hangs_ends_in_a_typed_time_out() -> None:
    """B3: within the limit, at each call; and a store that hangs for ever does not collect threads for ever."""
    let_go = threading.Event()
    backend = MemoryKeyring()

    def hang() -> None:
        let_go.wait(30)

    backend.fail = dict.fromkeys(("get", "set", "delete"), hang)
    vault = Vault(lambda: backend, patience=0.1)
    before = threading.active_count()
    for call in ("get", "set", "delete") * 5:
        began = time.monotonic()
        with pytest.raises(KeyringTrouble) as told:
            called(vault, call)
        assert told.value.fault is KeyringFault.TIMED_OUT
        assert time.monotonic() - began < 2
    assert threading.active_count() - before <= 8
    let_go.set()
    deadline = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    backend.fail.clear()
    assert vault.get("other") is None


def test_another_store_that_answers_nothing_is_not_a_sign_out(rig: Rig) -> None:
    """B4: «secret store changed», nothing overwritten; going back to the first one goes on."""
    rig.signed_in()
    first = rig.keyring
    rig.keyring = OtherKeyring()
    connection = rig.identity().connection(XPM)
    assert connection is not None
    with pytest.raises(KeyringTrouble) as told:
        connection.token()
    assert told.value.fault is KeyringFault.CHANGED
    assert rig.keyring.entries == {}
    assert rig.identity().records()[0].problem == ""
    rig.keyring = first
    assert connection_again(rig) in rig.server.issued


def connection_again(rig: Rig) -> str:
    connection = rig.identity().connection(XPM)
    assert connection is not None
    return connection.token()


def test_the_same_store_without_the_key_asks_for_a_sign_in(rig: Rig) -> None:
    """B2, B4: the entry was removed by hand: told as such; a new sign-in makes a new key."""
    rig.signed_in()
    assert isinstance(rig.keyring, MemoryKeyring)
    rig.keyring.entries.clear()
    connection = rig.identity().connection(XPM)
    assert connection is not None
    with pytest.raises(KeyringTrouble) as told:
        connection.token()
    assert told.value.fault is KeyringFault.MISSING
    rig.identity().sign_in(XPM, rig.person.steps())
    assert connection_again(rig) in rig.server.issued
    assert connection.token() in rig.server.issued


@pytest.mark.parametrize("value", ["", "rubbish", "AAAA", "ä" * 44, base64.b64encode(bytes(32)).decode()])
def test_a_damaged_key_is_told_as_damaged(rig: Rig, value: str) -> None:
    """B2: value garbled, or somebody else's."""
    rig.signed_in()
    assert isinstance(rig.keyring, MemoryKeyring)
    rig.keyring.entries = dict.fromkeys(rig.keyring.entries, value)
    connection = rig.identity().connection(XPM)
    assert connection is not None
    with pytest.raises(KeyringTrouble) as told:
        connection.token()
    assert told.value.fault is KeyringFault.GARBLED
    rig.identity().sign_in(XPM, rig.person.steps())
    assert connection.token() in rig.server.issued


def test_a_signing_in_person_may_move_to_another_store(rig: Rig) -> None:
    """B4: a choice of theirs, not an accident."""
    rig.signed_in()
    rig.keyring = OtherKeyring()
    rig.identity().sign_in(XPM, rig.person.steps())
    assert connection_again(rig) in rig.server.issued


def test_another_rooms_secret_is_not_lost_to_a_changed_store_either(rig: Rig) -> None:
    """B4."""
    rig.identity().secrets.set("infotrack", "pa55")
    assert rig.identity().secrets.get("infotrack") == "pa55"
    assert rig.identity().secrets.get("never kept") is None
    rig.keyring = OtherKeyring()
    with pytest.raises(KeyringTrouble) as told:
        rig.identity().secrets.get("infotrack")
    assert told.value.fault is KeyringFault.CHANGED
    rig.identity().secrets.delete("infotrack")
    assert rig.identity().secrets.get("infotrack") is None


def plain_text_backend() -> Any:
    kind = type("PlaintextKeyring", (MemoryKeyring,), {})
    kind.__module__ = "keyrings.alt.file"
    return type("OurOwnName", (kind,), {})()


@pytest.mark.parametrize(
    ("backend", "expected"),
    [(null.Keyring, KeyringFault.UNSAFE), (fail.Keyring, KeyringFault.NONE), (plain_text_backend, KeyringFault.UNSAFE)],
    ids=["null", "fail", "plain text"],
)
def test_stores_that_keep_nothing_or_keep_it_open_are_refused(backend: Callable[[], Any], expected: KeyringFault) -> None:
    """B5."""
    for call in ("get", "set", "delete"):
        with pytest.raises(KeyringTrouble) as told:
            called(Vault(backend), call)
        assert told.value.fault is expected


def test_of_a_chain_the_first_safe_member_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """B5: the package's chain would happily write to a plain-text member."""
    safe = MemoryKeyring()
    chained: Any = cast(Any, ChainerBackend)()
    monkeypatch.setattr(ChainerBackend, "backends", [plain_text_backend(), safe])
    vault = Vault(lambda: chained)
    vault.set("s", "x")
    assert safe.entries == {("s", "iConnect"): "x"}
    assert vault.backend_name().endswith("MemoryKeyring")
    monkeypatch.setattr(ChainerBackend, "backends", [plain_text_backend()])
    with pytest.raises(KeyringTrouble):
        Vault(lambda: chained).get("s")


def test_windows_keeps_the_entry_on_this_machine_and_no_copy_of_the_old_secret() -> None:
    """B6: local machine, not the package's roaming default; deleted before it is set anew."""

    class WinVaultKeyring(MemoryKeyring):
        persist = "enterprise"

    backend = WinVaultKeyring()
    vault = Vault(lambda: backend)
    vault.set("s", "old")
    vault.set("s", "new")
    assert backend.persist == "local machine"
    assert backend.calls == ["get", "set", "get", "get", "delete", "set", "get"]
    assert backend.entries == {("s", "iConnect"): "new"}


def test_a_store_that_does_not_keep_what_it_was_given_is_found_out() -> None:
    backend = MemoryKeyring()
    backend.fail["set"] = lambda: None
    backend.set_password = lambda *_: None  # type: ignore[method-assign]
    with pytest.raises(KeyringTrouble) as told:
        Vault(lambda: backend).set("s", "x")
    assert told.value.fault is KeyringFault.GARBLED


def test_a_copied_profile_does_not_open_with_another_key(rig: Rig) -> None:
    """B7, B9: the files without the keyring's key, or a row moved elsewhere, open nothing."""
    rig.signed_in()
    row = IdentityStore(rig.profile / "identity.db").row(XPM)
    assert row is not None
    with pytest.raises(KeyringTrouble):
        unseal(bytes(32), row.ciphertext, row=row.place(1))
    assert isinstance(rig.keyring, MemoryKeyring)
    key = decode_key(next(iter(rig.keyring.entries.values())))
    assert unseal(key, row.ciphertext, row=row.place(1)) in rig.server.refreshing
    for place in ((XPM, "other", row.sign_in, 1), ("workflowmax", row.record.tenant, row.sign_in, 1), row.place(2)):
        with pytest.raises(KeyringTrouble):
            unseal(key, row.ciphertext, row=place)
    with pytest.raises(KeyringTrouble):
        unseal(key, row.ciphertext[:5], row=row.place(1))
    assert seal(key, "t", row=row.place(1)) != seal(key, "t", row=row.place(1))


def test_the_words_of_a_backend_are_never_repeated() -> None:
    """A24: a backend's error text may hold what was to be stored."""
    backend = MemoryKeyring()
    backend.fail["set"] = raiser(ValueError("could not store 's3cret'"))
    with pytest.raises(KeyringTrouble) as told:
        Vault(lambda: backend).set("s", "s3cret")
    assert "s3cret" not in str(told.value)
    assert told.value.__cause__ is None
    assert told.value.__context__ is None or told.value.__suppress_context__


def test_a_fault_is_found_behind_the_packages_own_error() -> None:
    outer = PasswordSetError("could not")
    outer.__cause__ = windows(1312)
    assert sort_failure(outer) is KeyringFault.NO_LOGON


SCRIPT = """
import sys
import tempfile
from desktop.services.identity.keys import Vault, KeyringTrouble
vault = Vault(patience=20)
try:
    print(vault.backend_name())
    vault.set("iConnect test", "k" * 44)
    vault.set("iConnect test", "n" * 44)
    print(vault.get("iConnect test"))
    vault.delete("iConnect test")
    vault.delete("iConnect test")
    print(vault.get("iConnect test"))
except KeyringTrouble as trouble:
    print(trouble.fault.name)
"""


def private_environment(folder: Path) -> dict[str, str]:
    runtime = folder / "run"
    runtime.mkdir(mode=0o700)
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return kept | {"HOME": str(folder), "XDG_RUNTIME_DIR": str(runtime), "XDG_DATA_HOME": str(folder / "data")}


@pytest.mark.keyring
@pytest.mark.skipif(
    not shutil.which("dbus-run-session") or not shutil.which("gnome-keyring-daemon"), reason="needs a Secret Service"
)
def test_a_real_secret_service_keeps_and_forgets(tmp_path: Path) -> None:
    """B2: GNOME Keyring in a private session of its own."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    start = f'eval "$(printf "pw\\n" | gnome-keyring-daemon --unlock --components=secrets)"; exec "{sys.executable}" "{script}"'
    done = subprocess.run(
        ["dbus-run-session", "--", "sh", "-c", start],
        env=private_environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.split() == ["keyring.backends.SecretService.Keyring", "n" * 44, "None"], done.stderr


LATE = """
import os, subprocess, sys
from desktop.services.identity.keys import KeyringTrouble, Vault

vault = Vault(patience=20)
try:
    vault.get("iConnect test")
except KeyringTrouble as trouble:
    print(trouble.fault.name)
bus = subprocess.Popen(["dbus-daemon", "--session", "--nofork", "--print-address=1",
    "--address=" + os.environ["DBUS_SESSION_BUS_ADDRESS"]], stdout=subprocess.PIPE)
bus.stdout.readline()
keyring = subprocess.Popen(["gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"],
    stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
keyring.stdin.write(b"pw")
keyring.stdin.close()
try:
    while True:
        try:
            vault.set("iConnect test", "k" * 44)
            break
        except KeyringTrouble:
            pass
    print(vault.get("iConnect test"), vault.backend_name())
finally:
    keyring.kill()
    bus.kill()
"""


BETTER = """
import sys, types
from keyring.backend import KeyringBackend
from keyring.compat.properties import classproperty

module = types.ModuleType("keyrings.alt.file")
sys.modules["keyrings.alt.file"] = module
started = []

class PlaintextKeyring(KeyringBackend):
    __module__ = "keyrings.alt.file"
    priority = 0.5
    def get_password(self, service, username): return "kept in the open"
    set_password = delete_password = get_password

class Encrypting(KeyringBackend):
    @classproperty
    def priority(cls):
        if not started:
            raise RuntimeError("not on the bus yet")
        return 5
    def get_password(self, service, username): return "kept well"
    set_password = delete_password = get_password

from desktop.services.identity.keys import KeyringTrouble, Vault
vault = Vault(patience=20)
for _ in range(2):
    try:
        print(vault.get("iConnect test"), vault.backend_name())
    except KeyringTrouble as trouble:
        print(trouble.fault.name)
    started.append(True)
"""


def test_a_plain_text_store_that_was_first_does_not_stand_in_the_way_of_a_better_one(tmp_path: Path) -> None:
    """B2, B5: the package picks once in a process; what it picked before the desktop's own store was there may be unfit."""
    script = tmp_path / "script.py"
    script.write_text(BETTER)
    done = subprocess.run(
        [sys.executable, str(script)], env=private_environment(tmp_path), capture_output=True, text=True, timeout=60
    )
    assert done.stdout.splitlines() == ["UNSAFE", "kept well __main__.Encrypting"], done.stdout + done.stderr


BUSY = """
import io, secretstorage
asked = []

def shake_hands():
    asked.append(True)
    if len(asked) < 6:
        raise TimeoutError("Did not authenticate in 1.0 seconds")
    return io.BytesIO()

secretstorage.dbus_init = shake_hands
secretstorage.check_service_availability = lambda connection: True
from desktop.services.identity.keys import Vault
print(Vault(patience=20).backend_name())
"""


def test_a_bus_that_is_slow_while_the_store_is_looked_for_is_no_pc_without_one(tmp_path: Path) -> None:
    """B2: else a sign-in on a busy PC would last for this session only."""
    script = tmp_path / "script.py"
    script.write_text(BUSY)
    done = subprocess.run(
        [sys.executable, str(script)], env=private_environment(tmp_path), capture_output=True, text=True, timeout=60
    )
    assert done.stdout.split() == ["keyring.backends.SecretService.Keyring"], done.stdout + done.stderr


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), PermissionError("no")])
def test_a_store_that_takes_nothing_new_keeps_what_it_holds(rig: Rig, error: OSError) -> None:
    """B2: a changed password that can't be written costs nobody the one before."""
    rig.identity().secrets.set("infotrack", "before")
    assert isinstance(rig.keyring, MemoryKeyring)

    def full() -> None:
        raise error

    rig.keyring.fail = {"set": full}
    with pytest.raises(KeyringTrouble):
        rig.identity().secrets.set("infotrack", "after")
    rig.keyring.fail = {}
    assert rig.identity().secrets.get("infotrack") == "before"


@pytest.mark.keyring
@pytest.mark.skipif(not shutil.which("dbus-daemon") or not shutil.which("gnome-keyring-daemon"), reason="needs a Secret Service")
def test_a_secret_service_that_starts_after_us_is_found(tmp_path: Path) -> None:
    """B2: the tray starts with the desktop and may be the quicker of the two; it needs no second start."""
    script = tmp_path / "script.py"
    script.write_text(LATE)
    short = Path(tempfile.mkdtemp(prefix="bus-"))
    try:
        done = subprocess.run(
            [sys.executable, str(script)],
            env=private_environment(tmp_path) | {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={short}/bus"},
            capture_output=True,
            text=True,
            timeout=60,
        )
    finally:
        shutil.rmtree(short, ignore_errors=True)
    assert done.stdout.split() == ["NONE", "k" * 44, "keyring.backends.SecretService.Keyring"], done.stdout + done.stderr


def test_a_bus_that_is_slow_to_shake_hands_is_asked_again() -> None:
    """B2: what the library gives one second only, a PC that has just been switched on may need longer for."""
    tries = []

    class Slow(MemoryKeyring):
        def get_password(self, service: str, username: str) -> str | None:
            tries.append(service)
            if len(tries) < 3:
                raise TimeoutError("Did not authenticate in 1.0 seconds")
            return "kept"

    assert Vault(Slow).get("iConnect test") == "kept"
    assert len(tries) == 3


@pytest.mark.keyring
@pytest.mark.parametrize("bus", [False, True], ids=["no bus", "no service on the bus"])
def test_no_secret_service_is_a_plain_fault(tmp_path: Path, bus: bool) -> None:
    """B2: no traceback, one of the known faults."""
    if bus and not shutil.which("dbus-run-session"):
        pytest.skip("needs dbus-run-session")
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script)]
    if bus:
        command = ["dbus-run-session", "--", *command]
    done = subprocess.run(command, env=private_environment(tmp_path), capture_output=True, text=True, timeout=120)
    assert done.stdout.split()[-1] in ("NONE", "LOCKED", "GONE", "TIMED_OUT"), done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ("keyring.backends.null.Keyring", "UNSAFE"),
        ("keyring.backends.fail.Keyring", "NONE"),
        ("no_such_module.Keyring", "NONE"),
        ("own_backend.Own", "own_backend.Own"),
    ],
)
def test_the_environments_choice_of_backend_counts(tmp_path: Path, choice: str, said: str) -> None:
    """B5: PYTHON_KEYRING_BACKEND is honoured, and its null and fail backends refused."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    (tmp_path / "own_backend.py").write_text(
        "from keyring.backend import KeyringBackend\n"
        "class Own(KeyringBackend):\n"
        "    priority = 1\n"
        "    kept = {}\n"
        "    def get_password(self, s, u): return self.kept.get(s)\n"
        "    def set_password(self, s, u, p): self.kept[s] = p\n"
        "    def delete_password(self, s, u): self.kept.pop(s, None)\n"
    )
    environment = private_environment(tmp_path) | {"PYTHON_KEYRING_BACKEND": choice}
    done = subprocess.run([sys.executable, str(script)], env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout.split()[:1] == [said], done.stderr
