"""The faults that are planted, one each: how, and what doctor has to say of it. `BLIND` are those that it does not see."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import apsw

from tests.commands.installation import ROOT
from tests.doctor.rig import Rig, certificate, http, says, silence, tunnel

Break = Callable[[Rig], None]


@dataclass(frozen=True)
class Plant:
    """`check` must be told with `verdict`, a sentence that holds `says`, and a cure that holds `cure` (any case)."""

    name: str
    breaks: Break
    check: str
    says: str
    cure: str
    verdict: str = "fail"
    needs: str = ""
    """"mounts": disks of our own. "screen": a virtual one."""


PLANTS: list[Plant] = []


def plant(check: str, says: str, cure: str, *, verdict: str = "fail", needs: str = "") -> Callable[[Break], Break]:
    def keep(breaks: Break) -> Break:
        PLANTS.append(Plant(breaks.__name__.replace("_", " "), breaks, check, says, cure, verdict, needs))
        return breaks

    return keep


# ---- files of the firm and the person ------------------------------------------------------------------------------------


@plant("platform file", "no such file", "platform.toml|correct the file")
def platform_file_missing(rig: Rig) -> None:
    rig.pc.platform = rig.folder / "nowhere.toml"


@plant("platform file", "not valid TOML", "correct")
def platform_file_not_toml(rig: Rig) -> None:
    rig.platform("[practice\nsystem = ")


@plant("platform file", "practice.sistem is not a known key", "correct")
def platform_file_with_a_wrong_key(rig: Rig) -> None:
    rig.platform('[practice]\nsystem = "xero-practice-manager"\nsistem = "x"\n')


@plant("platform file", "not UTF-8", "correct")
def platform_file_in_another_encoding(rig: Rig) -> None:
    rig.platform("").write_bytes('[practice]\nsystem = "Käse"'.encode("latin-1"))


@plant("platform file", "can't be read", "correct", needs="mounts")
def platform_file_not_readable(rig: Rig) -> None:
    rig.as_nobody()
    assert rig.pc.platform is not None
    os.chown(rig.pc.platform, 0, 0)
    rig.pc.platform.chmod(0o600)


@plant("platform file rights", "every user", "administrators", verdict="note")
def platform_file_that_anybody_may_change(rig: Rig) -> None:
    rig.platform(rig.pc.world.sandbox.platform_file.read_text()).chmod(0o666)


@plant("platform file's values", "xero.client_id is missing", "developer portal")
def client_id_missing(rig: Rig) -> None:
    rig.settings(xero_client_id="")


@plant("own settings", "settings.json", "firm's settings")
def own_settings_damaged(rig: Rig) -> None:
    (rig.pc.profile / "settings.json").write_text('{"markup_percent": ')


@plant("times", "quiet_seconds", "180", verdict="note")
def unwise_times(rig: Rig) -> None:
    rig.settings(delivery_quiet_seconds=5, delivery_read_timeout_seconds=60)


# ---- the profile's folder and the disk -------------------------------------------------------------------------------------


@plant("profile folder", "read-only", "another", needs="mounts")
def profile_on_a_read_only_disk(rig: Rig) -> None:
    rig.inside.append(f"mount --bind {rig.pc.profile} {rig.pc.profile}")
    rig.inside.append(f"mount -o remount,ro,bind {rig.pc.profile}")


@plant("profile folder", "may not write", "right to write", needs="mounts")
def profile_without_the_right_to_write(rig: Rig) -> None:
    rig.as_nobody()
    os.chown(rig.pc.profile, 0, 0)
    rig.pc.profile.chmod(0o755)


@plant("profile folder", "is a file", "another folder|--profile")
def profile_that_is_a_file(rig: Rig) -> None:
    rig.pc.profile = rig.folder / "file"
    rig.pc.profile.write_text("x")


@plant("profile folder", "OneDrive", "local folder")
def profile_in_a_folder_that_is_copied(rig: Rig) -> None:
    home = rig.folder / "OneDrive - Kowhai Law"
    home.mkdir()
    rig.pc.profile = rig.pc.profile.rename(home / "iConnect")


@plant("profile folder", "OneDrive", "local folder")
def profile_below_the_folder_that_the_environment_names(rig: Rig) -> None:
    rig.environment(OneDriveCommercial=str(rig.folder))


@plant("disk room", "MB are free", "200 MB", needs="mounts")
def little_room_on_the_disk(rig: Rig) -> None:
    kept = rig.folder / "kept"
    rig.pc.profile.rename(kept)
    rig.disk(rig.pc.profile, "size=100m,mode=700")
    subprocess.run(["cp", "-a", f"{kept}/.", str(rig.pc.profile)], check=True)


@plant("profile folder", "full", "200 MB", needs="mounts")
def disk_full(rig: Rig) -> None:
    little_room_on_the_disk(rig)
    with (rig.pc.profile / "filler").open("wb") as filler:
        try:
            while True:
                filler.write(b"\0" * 65536)
                filler.flush()
        except OSError:
            pass


@plant("profile rights", "others may read or write ledger.db", "chmod 600")
def ledger_readable_by_others(rig: Rig) -> None:
    (rig.pc.profile / "ledger.db").chmod(0o644)


@plant("profile rights", "others may write", "chmod 700")
def profile_writable_by_others(rig: Rig) -> None:
    rig.pc.profile.chmod(0o777)


@plant("profile rights", "list the profile", "chmod 700", verdict="note")
def profile_listable_by_others(rig: Rig) -> None:
    rig.pc.profile.chmod(0o755)


@plant("profile rights", "another user", "--profile", needs="mounts")
def profile_of_another_user(rig: Rig) -> None:
    os.chown(rig.pc.profile, 65534, 65534)


# ---- the drop folder ------------------------------------------------------------------------------------------------------


@plant("drop folder", "is not there", "results.folder", verdict="note")
def drop_folder_missing(rig: Rig) -> None:
    rig.settings(results_folder=str(rig.folder / "nowhere"))


@plant("drop folder", "is a file", "results.folder")
def drop_folder_that_is_a_file(rig: Rig) -> None:
    (rig.folder / "drop").write_text("x")
    rig.settings(results_folder=str(rig.folder / "drop"))


@plant("drop folder", "read-only", "rights", needs="mounts")
def drop_folder_read_only(rig: Rig) -> None:
    rig.disk(rig.folder / "drop", "ro,size=1m")
    rig.settings(results_folder=str(rig.folder / "drop"))


@plant("drop folder", "full", "rights", needs="mounts")
def drop_folder_full(rig: Rig) -> None:
    rig.disk(rig.folder / "drop", "size=8k")
    (rig.folder / "drop" / "filler").write_bytes(b"x" * 8192)
    rig.settings(results_folder=str(rig.folder / "drop"))


@plant("drop folder", "can't be reached|may not be read", "right", needs="mounts")
def drop_folder_without_rights(rig: Rig) -> None:
    (rig.folder / "drop").mkdir()
    rig.settings(results_folder=str(rig.folder / "drop"))
    rig.as_nobody()
    os.chown(rig.folder / "drop", 0, 0)
    (rig.folder / "drop").chmod(0o700)


# ---- the ledger -------------------------------------------------------------------------------------------------------------


@plant("ledger", "damaged", "backup|put right")
def ledger_with_a_damaged_page(rig: Rig) -> None:
    path = rig.pc.profile / "ledger.db"
    db = apsw.Connection(str(path))
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    whole = bytearray(path.read_bytes())
    pages = len(whole) // 4096
    for page in range(pages - pages // 4, pages):
        whole[page * 4096 : page * 4096 + 64] = os.urandom(64)
    path.write_bytes(whole)


@plant("ledger", "damaged|may not be", "quit iconnect|rights")
def ledger_that_is_no_database(rig: Rig) -> None:
    for path in rig.pc.profile.glob("ledger.db*"):
        path.unlink()
    (rig.pc.profile / "ledger.db").write_bytes(b"not a database at all, " * 4096)
    (rig.pc.profile / "ledger.db").chmod(0o600)


@plant("ledger's version", "version 99", "this program writes")
def ledger_of_another_version(rig: Rig) -> None:
    _sql(rig, "PRAGMA user_version = 99")


@plant("ledger's settings", "journal mode is delete", "local disk")
def ledger_without_its_journal(rig: Rig) -> None:
    _sql(rig, "PRAGMA journal_mode = delete")


@plant("ledger", "may not be read", "rights", needs="mounts")
def ledger_without_rights(rig: Rig) -> None:
    rig.as_nobody()
    os.chown(rig.pc.profile / "ledger.db", 0, 0)
    (rig.pc.profile / "ledger.db").chmod(0o600)


def _sql(rig: Rig, text: str) -> None:
    db = apsw.Connection(str(rig.pc.profile / "ledger.db"))
    db.execute(text)
    db.close()


# ---- libraries, screen, tray, autostart ----------------------------------------------------------------------------------------


@plant("Chromium", "could not be loaded", "install", needs="mounts")
def browser_engine_missing(rig: Rig) -> None:
    import PySide6

    engine = next(Path(PySide6.__file__).parent.rglob("libQt6WebEngineCore.so.6"))
    rig.inside.append(f"mount --bind /dev/null {engine}")


@plant("screen", "no screen", "commands", verdict="note")
def no_screen(rig: Rig) -> None:
    rig.environment(DISPLAY="", WAYLAND_DISPLAY="")


@plant("screen", "no window could be opened", "DISPLAY", verdict="note")
def screen_that_is_gone(rig: Rig) -> None:
    rig.environment(DISPLAY=":4711", QT_QPA_PLATFORM="xcb")


@plant("tray", "no tray", "small window", verdict="note", needs="screen")
def no_tray_host(rig: Rig) -> None:
    from tests.ui.virtual_screen import Screen

    screen = Screen()
    rig.stack.callback(screen.close)
    rig.environment(DISPLAY=screen.display, QT_QPA_PLATFORM="xcb")


@plant("running", "does not answer", "task manager")
def tray_that_hangs(rig: Rig) -> None:
    tray = rig.pc.start(stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    rig.stack.callback(tray.wait)
    rig.stack.callback(tray.kill)
    from tests.commands.installation import until

    until(lambda: (rig.pc.profile / "tray.socket").exists())
    os.kill(tray.pid, signal.SIGSTOP)


@plant("start at sign-in", "is gone", "Settings")
def autostart_entry_gone(rig: Rig) -> None:
    (rig.pc.profile / "settings.json").write_text('{"start_at_sign_in": true}')
    (rig.pc.profile / "settings.json").chmod(0o600)
    rig.environment(XDG_CONFIG_DIRS=str(rig.folder / "xdg"))


@plant("start at sign-in", "not there any more", "Settings")
def autostart_of_a_program_that_was_removed(rig: Rig) -> None:
    entry = rig.folder / "home" / ".config" / "autostart" / "iconnect.desktop"
    entry.parent.mkdir(parents=True)
    entry.write_text('[Desktop Entry]\nType=Application\nName=iConnect\nExec="/opt/gone/iconnect"\n')


# ---- ports ------------------------------------------------------------------------------------------------------------------


@plant("redirect ports", "every registered port is in use", "close the program")
def ports_taken(rig: Rig) -> None:
    import socket

    ports = []
    for _ in range(3):
        taken = rig.stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        ports.append(taken.getsockname()[1])
    rig.settings(xero_redirect_ports=ports)


@plant("redirect ports", "49152", "below", verdict="note")
def ports_that_any_program_may_take(rig: Rig) -> None:
    rig.settings(xero_redirect_ports=[51234])


# ---- network ----------------------------------------------------------------------------------------------------------------


@plant("Xero tokens reach", "DNS", "DNS")
def name_that_nobody_knows(rig: Rig) -> None:
    rig.settings(xero_token_url="https://identity.nowhere.invalid/connect/token")


@plant("Xero tokens reach", "DNS server does not answer|can't be looked up", "DNS", needs="mounts")
def dns_server_that_is_silent(rig: Rig) -> None:
    import socket

    server = rig.stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    server.bind(("127.0.0.77", 53))
    told = rig.folder / "resolv.conf"
    told.write_text("nameserver 127.0.0.77\noptions timeout:20 attempts:3\n")
    rig.settings(xero_token_url="https://identity.somewhere.example/connect/token")
    rig.inside.append(f"mount --bind {told} /etc/resolv.conf")


@plant("InfoTrack reach", "can't be reached", "firewall")
def vendor_that_refuses_connections(rig: Rig) -> None:
    rig.settings(infotrack_api_url=f"http://127.0.0.1:{rig.closed_port()}/v1/")


@plant("InfoTrack reach", "did not answer in time", "firewall")
def vendor_that_is_silent(rig: Rig) -> None:
    rig.settings(infotrack_api_url=f"http://127.0.0.1:{rig.tcp(silence)}/v1/")


@plant("Xero Practice Manager reach", "not available (503)", "status page")
def vendor_that_is_down(rig: Rig) -> None:
    rig.settings(xero_api_url=f"http://127.0.0.1:{rig.tcp(http('503 Service Unavailable'))}/practicemanager/3.1/")


@plant("message feed reach", "broke before an answer|can't be|could not", "firewall")
def vendor_that_talks_nonsense(rig: Rig) -> None:
    rig.settings(results_pull_url=f"http://127.0.0.1:{rig.tcp(says(b'220 mail.example ESMTP' + bytes(2)))}/v1/messages")


@plant("Xero tokens reach", "proxy 127.0.0.1:[0-9]+ can't be reached", "proxy")
def proxy_that_is_gone(rig: Rig) -> None:
    _behind(rig, rig.closed_port())


@plant("Xero tokens reach", "wants a sign-in (407)", "HTTPS_PROXY")
def proxy_that_wants_a_sign_in(rig: Rig) -> None:
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n"
    _behind(rig, rig.tcp(says(refusal)))


@plant("Xero tokens reach", "answered 403", "IT to allow")
def proxy_that_forbids_the_vendor(rig: Rig) -> None:
    _behind(rig, rig.tcp(says(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")))


@plant("Xero tokens reach", "«Muster Firewall Inspection CA», which this PC does not trust", "root certificate")
def proxy_that_inspects(rig: Rig) -> None:
    inspecting = rig.tcp(http(), certificate(rig.folder, "identity.somewhere.example"))
    _behind(rig, rig.tcp(tunnel(inspecting)))


@plant("proxy of the tray", "name another for the tray", "same", verdict="note")
def proxies_that_differ(rig: Rig) -> None:
    _behind(rig, rig.closed_port())
    rig.environment(HTTPS_PROXY="", ALL_PROXY=f"http://127.0.0.1:{rig.closed_port()}")


def _behind(rig: Rig, proxy: int) -> None:
    rig.settings(xero_token_url="https://identity.somewhere.example/connect/token")
    rig.environment(HTTPS_PROXY=f"http://person:canary@127.0.0.1:{proxy}", NO_PROXY="", no_proxy="")


@plant("InfoTrack reach", "«Muster Firewall Inspection CA», which this PC does not trust", "root certificate")
def certificate_of_an_unknown_authority(rig: Rig) -> None:
    _encrypted(rig, rig.tcp(http(), certificate(rig.folder, "localhost")))


@plant("InfoTrack reach", "«Somebody's own», which this PC does not trust", "don't sign in")
def certificate_that_signed_itself(rig: Rig) -> None:
    _encrypted(rig, rig.tcp(http(), certificate(rig.folder, "localhost", issuer="Somebody's own", self_signed=True)))


@plant("InfoTrack reach", "ended on", "date")
def certificate_that_ended(rig: Rig) -> None:
    _trusted(rig, certificate(rig.folder, "localhost", begins=timedelta(days=-20), ends=timedelta(days=-3)))


@plant("InfoTrack reach", "begins only on", "date")
def certificate_that_has_not_begun(rig: Rig) -> None:
    _trusted(rig, certificate(rig.folder, "localhost", begins=timedelta(days=3)))


@plant("InfoTrack reach", "a certificate for portal.hotel.example", "portal")
def certificate_for_another_host(rig: Rig) -> None:
    _trusted(rig, certificate(rig.folder, "portal.hotel.example"))


@plant("InfoTrack reach", "an encrypted one does not come about", "TLS 1.2")
def vendor_without_encryption(rig: Rig) -> None:
    _encrypted(rig, rig.tcp(http()))


def _trusted(rig: Rig, context: object) -> None:
    import ssl

    assert isinstance(context, ssl.SSLContext)
    rig.environment(SSL_CERT_FILE=str(rig.folder / "authority.pem"))
    _encrypted(rig, rig.tcp(http(), context))


def _encrypted(rig: Rig, port: int) -> None:
    rig.settings(infotrack_api_url=f"https://localhost:{port}/v1/")


@plant("clock", "20 minutes ahead", "date and time")
def clock_that_is_ahead(rig: Rig) -> None:
    rig.vendors(rig.tcp(http(date=datetime.now(UTC) - timedelta(minutes=20))))


@plant("clock", "3 days behind", "date and time")
def clock_that_is_behind(rig: Rig) -> None:
    rig.vendors(rig.tcp(http(date=datetime.now(UTC) + timedelta(days=3))))


@plant("Xero tokens reach", "begins only on", "date: it is probably behind")
def clock_so_wrong_that_no_certificate_counts(rig: Rig) -> None:
    context = certificate(rig.folder, "localhost", begins=timedelta(days=30), ends=timedelta(days=60))
    rig.environment(SSL_CERT_FILE=str(rig.folder / "authority.pem"))
    rig.vendors(rig.tcp(http(date=datetime.now(UTC) + timedelta(days=40)), context), "https", "localhost")


@plant("clock", "4 minutes behind", "automatically", verdict="note")
def clock_that_begins_to_drift(rig: Rig) -> None:
    rig.vendors(rig.tcp(http(date=datetime.now(UTC) + timedelta(minutes=4))))


# ---- keyring ------------------------------------------------------------------------------------------------------------------


@plant("keyring", "there is none", "install|switch on|sign-in lasts")
def no_keyring(rig: Rig) -> None:
    rig.environment(PYTHON_KEYRING_BACKEND="keyring.backends.fail.Keyring")


@plant("keyring", "plain text, or not at all", "sign-in lasts")
def keyring_that_keeps_nothing(rig: Rig) -> None:
    rig.environment(PYTHON_KEYRING_BACKEND="keyring.backends.null.Keyring")


@plant("keyring", "service went away|there is none|did not answer|it failed", "sign-in lasts")
def keyring_whose_service_went_away(rig: Rig) -> None:
    rig.environment(DBUS_SESSION_BUS_ADDRESS=f"unix:path={rig.folder}/nobody")


@plant("keyring", "locked", "sign-in lasts")
def keyring_that_is_locked(rig: Rig) -> None:
    from desktop.demo.private_keyring import PrivateKeyring

    own = PrivateKeyring(rig.folder / "keyring")
    own.start()
    rig.stack.callback(own.close)
    lock = "import secretstorage as s\nc = s.dbus_init()\nk = s.get_default_collection(c)\nk.lock()\nassert k.is_locked()"
    subprocess.run([sys.executable, "-c", lock], env={**os.environ, **own.environment}, check=True, cwd=ROOT)
    rig.environment(**own.environment)


@plant("keyring", "is not one that iConnect knows", "encrypts", verdict="note")
def keyring_that_nobody_knows(rig: Rig) -> None:
    _another_keyring(rig)


@plant("InfoTrack login", "not the one that holds", "keyring")
def keyring_other_than_at_sign_in(rig: Rig) -> None:
    _another_keyring(rig)


def _another_keyring(rig: Rig) -> None:
    rig.environment(
        PYTHON_KEYRING_BACKEND="desktop.demo.file_keyring.FileKeyring", ICONNECT_DEMO_KEYRING=str(rig.folder / "keyring.json")
    )


# ---- accounts -----------------------------------------------------------------------------------------------------------------


@plant("Xero Practice Manager", "not signed in", "sign in")
def nobody_signed_in(rig: Rig) -> None:
    for path in rig.pc.profile.glob("identity.db*"):
        path.unlink()


@plant("InfoTrack login", "not signed in", "infotrack sign-in")
def nobody_signed_in_to_infotrack(rig: Rig) -> None:
    (rig.pc.profile / "infotrack.json").unlink()


@plant("InfoTrack login", "did not accept", "infotrack sign-in")
def infotrack_password_changed(rig: Rig) -> None:
    _fault(rig, "infotrack POST v1/mapping", 401)


@plant("InfoTrack login", "answer 500", "again", verdict="note")
def infotrack_that_cannot_check(rig: Rig) -> None:
    _fault(rig, "infotrack POST v1/mapping", 500)


@plant("right|rights", "", "privilege|administrator|role|sign in|again")
def privileges_missing(rig: Rig) -> None:
    _fault(rig, "api GET practicemanager/3.1/*", 403)


@plant("right: Jobs", "has ended the sign-in", "connect")
def sign_in_revoked_at_the_vendor(rig: Rig) -> None:
    rig.pc.world.sandbox.post("/api/faults", name="token_expired", where="api GET practicemanager/3.1/*")
    rig.pc.world.sandbox.post(
        "/api/faults", name="status", where="identity POST connect/token", status=400, body='{"error":"invalid_grant"}'
    )
    rig.stack.callback(rig.pc.world.sandbox.post, "/api/faults/clear")


@plant("costs.code_taxed", "NOSUCHCODE is not in the firm's list", "Settings")
def cost_code_that_is_not_there(rig: Rig) -> None:
    rig.settings(costs_code_taxed="NOSUCHCODE")


@plant("cost codes", "", "could not be compared", verdict="note")
def cost_codes_that_cannot_be_read(rig: Rig) -> None:
    rig.settings(costs_code_taxed="NOSUCHCODE")
    _fault(rig, "api GET practicemanager/3.1/cost.api*", 500)


@plant("costs.code_taxed", "no cost code is set", "Settings", verdict="note")
def no_cost_code(rig: Rig) -> None:
    rig.settings(costs_code_taxed="")


def _fault(rig: Rig, where: str, status: int) -> None:
    rig.pc.world.sandbox.post("/api/faults", name="status", where=where, status=status, body="no")
    rig.stack.callback(rig.pc.world.sandbox.post, "/api/faults/clear")


BLIND = (
    "An inspecting proxy whose root certificate IT has added to this PC: it is trusted, as IT wants it.",
    "A proxy that only a PAC file names, for commands: they follow the environment, on Windows and macOS also the system.",
    "A firewall that lets the hosts' roots pass and blocks longer paths, larger bodies or certain methods.",
    "A vendor that answers reads and would refuse the next post (a locked job, a limit for the day): the post itself says so.",
    "A platform file with another firm's client id: only a sign-in shows it.",
    "A drop folder that nobody writes into, or another PC that takes the messages.",
    "A disk that loses what it says it has written; a clock that jumps later.",
    "A profile on a share that looks like a local disk; a copying program with a folder name of its own.",
    "On Windows: a tray that hangs, and a start entry that group policy removed.",
)
