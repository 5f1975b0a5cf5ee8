"""The program's icon in the forms that the systems want, drawn from its one SVG.

python -m installer.pictures      draws installer/windows/iconnect.ico anew, after the SVG was changed
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SVG = ROOT / "resources" / "icons" / "iconnect.svg"
ICO = ROOT / "installer" / "windows" / "iconnect.ico"

ICO_SIZES = (16, 20, 24, 32, 40, 48, 64, 256)
"""What Windows asks for at 100 to 250 per cent, and the large tile."""


def png(size: int) -> bytes:
    """The icon as a PNG of that many pixels each way. Needs no screen."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtCore import QBuffer, QByteArray, QIODevice
    from PySide6.QtGui import QGuiApplication, QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    app = QGuiApplication.instance() or QGuiApplication([])
    image = QImage(size, size, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    painter = QPainter(image)
    QSvgRenderer(str(SVG)).render(painter)
    painter.end()
    kept = QByteArray()
    buffer = QBuffer(kept)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]  # the binding's types know file names only
    del app
    return bytes(kept.data())


def ico(pictures: dict[int, bytes]) -> bytes:
    """A Windows icon file that holds these PNGs, by size."""
    head = struct.pack("<HHH", 0, 1, len(pictures))
    offset = len(head) + 16 * len(pictures)
    entries, bodies = b"", b""
    for size, body in sorted(pictures.items()):
        entries += struct.pack("<BBBBHHII", size % 256, size % 256, 0, 0, 1, 32, len(body), offset + len(bodies))
        bodies += body
    return head + entries + bodies


def main() -> None:
    ICO.write_bytes(ico({size: png(size) for size in ICO_SIZES}))
    print(f"{ICO.name}: {ICO.stat().st_size} bytes")


if __name__ == "__main__":
    main()
