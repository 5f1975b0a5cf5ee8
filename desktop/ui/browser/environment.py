"""What the browser engine is told before it starts. Pure.

The engine reads switches from the environment, so this process drops every variable that could change the engine or Qt,
whatever the starting process did, and sets its own afterwards.
"""

from __future__ import annotations

from collections.abc import MutableMapping

_ENGINE_BEGINNINGS = (
    "QTWEBENGINE",
    "QT_WEBENGINE",
    "CHROME_",
    "CHROMIUM_",
    "GOOGLE_",
    "QT_LOGGING",
    "QML",
    "QSG_",
    "QT_QUICK",
    "QT_DEBUG",
)
_ENGINE_NAMES = frozenset({"SSLKEYLOGFILE", "QT_PLUGIN_PATH", "LD_PRELOAD", "LD_AUDIT", "NODE_OPTIONS", "MOJO_LOGGING", "PWDEBUG"})


def drop_engine_switches(environ: MutableMapping[str, str]) -> tuple[str, ...]:
    """Takes out of `environ` everything that would steer the engine; gives the names, for the record."""
    dropped = tuple(
        sorted(name for name in environ if name.upper().startswith(_ENGINE_BEGINNINGS) or name.upper() in _ENGINE_NAMES)
    )
    for name in dropped:
        del environ[name]
    return dropped


def engine_flags(*, software_rendering: bool, unsandboxed: bool) -> list[str]:
    """The engine's switches. The sandbox stays on but for the demo as root, see `may_run_unsandboxed`."""
    flags = [
        "--disable-background-networking",
        "--disable-breakpad",
        "--disable-component-update",
        "--disable-domain-reliability",
        "--disable-sync",
        "--no-pings",
    ]
    if software_rendering:
        flags.append("--disable-gpu")
    if unsandboxed:
        flags.append("--no-sandbox")
    return flags


def may_run_unsandboxed(*, asked: bool, effective_user: int | None) -> bool:
    """Only the demo asks, and only root is heeded: for everybody else the sandbox works."""
    return asked and effective_user == 0


def set_engine_environment(
    environ: MutableMapping[str, str], *, software_rendering: bool, unsandboxed: bool, platform: str
) -> None:
    """Writes our own switches into `environ`; call after `drop_engine_switches` and before Qt is imported."""
    environ["QTWEBENGINE_CHROMIUM_FLAGS"] = " ".join(engine_flags(software_rendering=software_rendering, unsandboxed=unsandboxed))
    if software_rendering:
        environ["QT_QUICK_BACKEND"] = "software"
        if platform == "win32":
            environ["QT_OPENGL"] = "software"
    # The page's own console and the engine's warnings carry addresses; nothing of it may reach a log.
    environ["QT_LOGGING_RULES"] = "js=false;qt.webenginecontext=false"
