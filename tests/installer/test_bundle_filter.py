"""Which files go into the bundle, by their names on Linux and on Windows."""

from __future__ import annotations

from pathlib import Path

import pytest

from installer.prune import from_the_distribution, keep
from installer.verify import BundleFault, verify_bundle

KEPT = [
    "PySide6/Qt/lib/libQt6WebEngineCore.so.6",
    "PySide6/Qt/lib/libicudata.so.73",
    "PySide6/Qt/libexec/QtWebEngineProcess",
    "PySide6/Qt/resources/icudtl.dat",
    "PySide6/Qt/resources/qtwebengine_resources.pak",
    "PySide6/Qt/translations/qtwebengine_locales/en-GB.pak",
    "PySide6/Qt/plugins/platforms/libqxcb.so",
    "PySide6/Qt/plugins/platforms/libqoffscreen.so",
    "PySide6/Qt/plugins/tls/libqopensslbackend.so",
    "PySide6/QtWebEngineCore.abi3.so",
    "PySide6\\Qt6WebEngineCore.dll",
    "PySide6\\QtWebEngineProcess.exe",
    "PySide6\\plugins\\platforms\\qwindows.dll",
    "PySide6\\translations\\qtwebengine_locales\\en-US.pak",
    "Qt6Core.dll",
    "keyring-25.7.0.dist-info/entry_points.txt",
    "iconnect_desktop-0.1.0.dist-info/METADATA",
    "desktop/services/ledger/schema.sql",
    "sandbox/pages/site.html",
    "resources/icons/tray-connected.svg",
    "cryptography/hazmat/bindings/_rust.abi3.so",
    "libpython3.11.so.1.0",
]
LEFT_OUT = [
    "PySide6/Qt/lib/libQt63DCore.so.6",
    "libQt63DRender.so.6",
    "PySide6/Qt/lib/libQt6Charts.so.6",
    "PySide6/Qt/qml/QtQuick/Controls/libplugin.so",
    "PySide6/Qt/translations/qtwebengine_locales/de.pak",
    "PySide6/Qt/translations/qtbase_de.qm",
    "PySide6/Qt/resources/qtwebengine_devtools_resources.pak",
    "PySide6/Qt/plugins/platformthemes/libqgtk3.so",
    "PySide6/Qt/plugins/platforms/libqeglfs.so",
    "PySide6/Qt/plugins/imageformats/libqpdf.so",
    "PySide6/Qt/plugins/sqldrivers/libqsqlite.so",
    "PySide6\\plugins\\multimedia\\windowsmediaplugin.dll",
    "PySide6\\Qt6Quick3D.dll",
    "PySide6/QtCore.pyi",
    "iconnect_desktop-0.1.0.dist-info/direct_url.json",
    "iconnect_desktop-0.1.0.dist-info/RECORD",
]


@pytest.mark.parametrize("name", KEPT)
def test_what_the_program_opens_goes_in(name: str) -> None:
    assert keep(name)


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_no_window_opens_and_what_tells_of_the_build_machine_stays_out(name: str) -> None:
    assert not keep(name)


def test_the_distributions_libraries_are_not_shipped_and_python_is() -> None:
    assert from_the_distribution("/usr/lib/x86_64-linux-gnu/libnss3.so", "libnss3.so")
    assert from_the_distribution("/lib/x86_64-linux-gnu/libssl.so.3", "libssl.so.3")
    assert not from_the_distribution("/usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0", "libpython3.11.so.1.0")
    assert not from_the_distribution("/usr/lib/python3.11/lib-dynload/_decimal.so", "python3.11/lib-dynload/_decimal.so")
    assert not from_the_distribution("/somewhere/site-packages/PySide6/Qt/lib/libicudata.so.73", "PySide6/Qt/lib/libicudata.so.73")


def whole_bundle(folder: Path, *, windows: bool = False) -> Path:
    engine = "PySide6" if windows else "PySide6/Qt/libexec"
    process = "QtWebEngineProcess.exe" if windows else "QtWebEngineProcess"
    for name in (
        "desktop/services/ledger/schema.sql",
        "sandbox/pages/order_form.html",
        "resources/icons/tray-connected.svg",
        "licences/LICENCES.txt",
        "licences/LGPL-3.txt",
        "licences/sbom.cdx.json",
        "keyring-25.7.0.dist-info/entry_points.txt",
        "PySide6/resources/icudtl.dat",
        "PySide6/resources/qtwebengine_resources.pak",
        "PySide6/translations/qtwebengine_locales/en-US.pak",
        f"{engine}/{process}",
        *(["PySide6/Qt6WebEngineCore.dll"] if windows else []),
    ):
        path = folder / "_internal" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return folder


@pytest.mark.parametrize("gone", ["icudtl.dat", "en-US.pak", "QtWebEngineProcess", "schema.sql", "entry_points.txt"])
def test_a_bundle_that_lacks_what_is_opened_by_name_is_refused(tmp_path: Path, gone: str) -> None:
    """G19: ICU, the engine's languages and its process are there, or there is no bundle."""
    bundle = whole_bundle(tmp_path)
    verify_bundle(bundle, run=False)
    next(bundle.rglob(gone)).unlink()
    with pytest.raises(BundleFault):
        verify_bundle(bundle, run=False)


def test_on_windows_the_engines_process_has_its_libraries_beside_it(tmp_path: Path) -> None:
    bundle = whole_bundle(tmp_path, windows=True)
    verify_bundle(bundle, run=False)
    library = bundle / "_internal" / "PySide6" / "Qt6WebEngineCore.dll"
    library.rename(bundle / "_internal" / library.name)
    with pytest.raises(BundleFault, match="beside"):
        verify_bundle(bundle, run=False)


def test_a_bundle_that_tells_of_the_build_machine_is_refused(tmp_path: Path) -> None:
    bundle = whole_bundle(tmp_path)
    (bundle / "_internal" / "keyring-25.7.0.dist-info" / "direct_url.json").write_text("{}", encoding="ascii")
    with pytest.raises(BundleFault, match=r"direct_url\.json"):
        verify_bundle(bundle, run=False)
