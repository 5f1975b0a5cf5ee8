"""What of all that PyInstaller finds goes into the bundle.

Its hook for Qt's browser engine brings everything of Qt that has QML: 3D, charts, controls, some 200 MB that no window of ours
opens. Leaving modules out of the analysis is not enough, so each file is judged by where it would lie in the bundle.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

QT_LIBRARIES = frozenset(
    (
        *("Core", "Gui", "Widgets", "Network", "DBus", "OpenGL", "OpenGLWidgets", "Svg", "PrintSupport", "Positioning", "Test"),
        *("WebChannel", "WebChannelQuick", "WebEngineCore", "WebEngineWidgets", "XcbQpa"),
        *("Qml", "QmlModels", "QmlMeta", "QmlWorkerScript", "Quick", "QuickWidgets"),
        *("WaylandClient", "WaylandEglClientHwIntegration", "WlShellIntegration"),
    )
)
"""Qt's libraries that the windows or the engine load; the engine and its Wayland side link to the last two lines. Test is the
demo's hand, which clicks."""

QT_BINDINGS = frozenset(
    (
        *("QtCore", "QtGui", "QtWidgets", "QtNetwork", "QtDBus", "QtSvg", "QtPrintSupport", "QtTest"),
        *("QtWebChannel", "QtWebEngineCore", "QtWebEngineWidgets"),
    )
)

PLUGIN_FOLDERS = frozenset(
    (
        *("platforms", "platforminputcontexts", "platformthemes", "styles", "iconengines", "imageformats"),
        *("tls", "networkinformation", "xcbglintegrations"),
        *("wayland-graphics-integration-client", "wayland-shell-integration", "wayland-decoration-client"),
    )
)

PLATFORMS = frozenset(("xcb", "offscreen", "wayland", "wayland-generic", "wayland-egl", "windows", "cocoa", "minimal"))

_PICTURES = ("svg", "ico", "jpeg", "gif", "webp")

ENGINE_LANGUAGES = frozenset(("en-GB", "en-US"))

_LIBRARY = re.compile(r"^(?:lib)?Qt6?(?P<name>[A-Z0-9]\w*?)(?:\.so(?:\.\d+)*|\.dll|\.dylib)$")
_BINDING = re.compile(r"^(?P<name>Qt[A-Z]\w*)(?:\.abi3)?\.(?:so|pyd)$")
_PLATFORM = re.compile(r"^(?:lib)?q(?P<name>[\w-]+?)\.(?:so|dll|dylib)$")
_NO_USE = re.compile(r"(?:\.pyi|\.lib|\.prl|\.pxd|\.debug\.(?:pak|bin)|/py\.typed|\.chk)$")
_PAPERS = ("METADATA", "entry_points.txt", "top_level.txt")


def keep(name: str) -> bool:
    """Whether the file that would lie at `name` in the bundle belongs there; separators of either kind."""
    path = PurePosixPath(name.replace("\\", "/"))
    text = str(path)
    if _NO_USE.search(text):
        return False
    if path.parent.name.endswith(".dist-info"):
        # Entry points and versions are read; the rest says where the build machine keeps its files.
        return path.name in _PAPERS
    if ".dist-info/" in text:
        return "/licenses/" in text or "/sboms/" in text
    return (not text.startswith("PySide6/") and not _is_qt_library(path)) or _keep_of_qt(path)


def _is_qt_library(path: PurePosixPath) -> bool:
    return _LIBRARY.match(path.name) is not None


def _keep_of_qt(path: PurePosixPath) -> bool:
    parts = path.parts[1:]
    if parts[:1] == ("Qt",):  # Linux and macOS have one more folder than Windows
        parts = parts[1:]
    if "qml" in parts[:1]:
        return False
    if parts[:1] == ("plugins",):
        return _keep_plugin(parts[1:])
    if parts[:1] == ("translations",):
        return _keep_translation(parts[1:])
    if parts[:1] == ("resources",):
        return "devtools" not in path.name
    if library := _LIBRARY.match(path.name):
        return library["name"] in QT_LIBRARIES
    if binding := _BINDING.match(path.name):
        return binding["name"] in QT_BINDINGS
    return True


def _keep_plugin(parts: tuple[str, ...]) -> bool:
    if len(parts) < 2 or parts[0] not in PLUGIN_FOLDERS:
        return False
    if parts[0] == "platforms":
        found = _PLATFORM.match(parts[1])
        return found is not None and found["name"] in PLATFORMS
    if parts[0] == "imageformats":
        return any(word in parts[1] for word in _PICTURES)
    # The GTK theme would bring GTK; the virtual keyboard brings QML.
    return not any(word in parts[1] for word in ("gtk3", "virtualkeyboard"))


def _keep_translation(parts: tuple[str, ...]) -> bool:
    if parts[:1] == ("qtwebengine_locales",):
        return PurePosixPath(parts[-1]).stem in ENGINE_LANGUAGES
    return False


def from_the_distribution(source: str, name: str) -> bool:
    """Whether a library came from the Linux distribution. Such libraries are not shipped: the package depends on them, and so they
    are the distribution's to repair when a hole is found. Python's own is shipped, wherever it lies."""
    if PurePosixPath(name).name.startswith("libpython") or re.match(r"/usr/lib/python3[.\d]*/", source):
        return False
    return source.startswith(("/usr/lib/", "/lib/", "/usr/lib64/", "/lib64/"))
