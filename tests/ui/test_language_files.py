"""A language file: made from the windows' words by Qt's own tools, found on the PC, and spoken by the program."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from desktop.ui.language_file import find, folders, spellings
from installer.languages import FOLDER, release, sources, update

ROOT = Path(__file__).resolve().parents[2]
GERMAN = {
    "Quit": "Beenden",
    "Settings": "Einstellungen",
    "Orders and postings": "Bestellungen und Buchungen",
    "{title}: sign in again": "{titel}: neu anmelden",
}

# Starts the program as a person does, but with its own folder of resources, and says what stands in its menu.
SAYS_ITS_MENU = """
import json, sys
import desktop.ui
desktop.ui.load_qt()
import resources
resources.__path__[:] = [sys.argv[1]]
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
import desktop.ui.first_icon as first
after = first.after_first_paint
def say(icon):
    menu = [action.text() for action in icon.contextMenu().actions() if action.text()]
    print(json.dumps({"menu": menu, "rtl": QApplication.layoutDirection().name == "RightToLeft"}), flush=True)
    QApplication.quit()
def soon(icon, then):
    def both():
        then()
        QTimer.singleShot(0, lambda: say(icon))
    after(icon, both)
first.after_first_paint = soon
from desktop.__main__ import main
main(["--profile", sys.argv[2]])
"""


# Begins a program as far as the language, and says which of our modules with words in them came before that.
SAYS_WHAT_CAME_BEFORE = """
import json, os, sys
import desktop.ui
desktop.ui.load_qt()
import desktop.ui.language_file as files
def ask(app, environment):
    def speaks(name, module):
        return name.startswith("desktop.ui.") and hasattr(module, "tr") and name != "desktop.ui.language"
    print(json.dumps(sorted(name for name, module in sys.modules.items() if speaks(name, module))), flush=True)
    os._exit(0)
files.use_the_pcs = ask
if sys.argv[1] == "tray":
    from desktop.__main__ import main
    main(["--profile", sys.argv[2]])
else:
    import desktop.services.order_protocol, desktop.services.sign_in_protocol
    import desktop.ui.browser.__main__, desktop.ui.browser.sign_in, desktop.ui.browser.pipe, desktop.ui.browser.environment
    from desktop.ui.browser.start_up import make_application
    make_application("system")
"""


def words_of_the_windows() -> set[str]:
    """The first argument of every call of `tr`, as the modules' own syntax has it."""
    found: set[str] = set()
    for file in sources():
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "tr":
                text = node.args[0]
                assert isinstance(text, ast.Constant), f"{file.name}:{node.lineno}: no tool can find a text that is put together"
                assert isinstance(text.value, str)
                found.add(text.value)
    return found


# What shows its first argument, or the one so named, to a person. A window with the browser's engine in it is opened by no test of
# languages; these calls are looked at in its source.
SHOWS = {
    *(
        "say",
        "say_beside",
        "say_signed_out",
        "Choice",
        "Deed",
        "Explained",
        "Heading",
        "Muted",
        "Text",
        "EmptyState",
        "plain_button",
    ),
    *("QPushButton", "QLabel", "QCheckBox", "QRadioButton", "setText", "setToolTip", "setPlaceholderText", "setAccessibleName"),
    *(
        "setAccessibleDescription",
        "setWindowTitle",
        "setInformativeText",
        "addAction",
        "addButton",
        "addItem",
        "showMessage",
        "_button",
    ),
    *("plain_label", "label_for", "ColumnLook", "save_as", "start", "emit", "notify", "ActionFailed", "_confirm", "_say", "Fault"),
}
NAMES = {"iConnect", "InfoTrack", "GST"}
KEYS = re.compile(r"(Ctrl|Alt|Shift|Esc|Enter|Tab)\b.*")
FOR_TESTS_TO_FIND = {"take over", "open job"}
FOR_THE_LOG = {"stopped", "crashed"}
"""Signals that tell the starting process what a page was refused; a person reads of it only what the window says besides."""


def words_past_the_translation(file: Path) -> list[str]:
    """Bare texts in such calls. What stands inside a further call is that call's own matter."""

    def bare(node: ast.expr, *, part: bool = False) -> list[str]:
        if isinstance(node, ast.Call):
            return []
        if isinstance(node, ast.Constant):
            text = node.value
            if not isinstance(text, str) or text in FOR_TESTS_TO_FIND or KEYS.fullmatch(text):
                return []
            # One small word alone is a name for the program: a signal's, a choice's, an action's.
            words = re.findall(r"\b[A-Za-z]{3,}\b" if part or " " in text else "^[A-Z][A-Za-z]{2,}", text)
            return [word for word in words if word not in NAMES]
        inside = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
        return [word for child in inside for word in bare(child, part=isinstance(node, ast.JoinedStr))]

    found = []
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""
        of = node.func.value if isinstance(node.func, ast.Attribute) else None
        if name in SHOWS and not (isinstance(of, ast.Attribute) and of.attr in FOR_THE_LOG):
            shown = [*node.args, *(one.value for one in node.keywords if one.arg in ("text", "title", "button"))]
            found += [f"{file.name}:{node.lineno}: {' '.join(words)}" for arg in shown if (words := bare(arg))]
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh `.ts` file of all words."""
    file = tmp_path_factory.mktemp("languages") / "iconnect_de.ts"
    update(file)
    return file


def read(file: Path) -> ElementTree.ElementTree[ElementTree.Element]:
    return ElementTree.parse(file)  # noqa: TID251  # a file that the test itself had made


def translated(file: Path, words: dict[str, str]) -> Path:
    """The `.ts` file with these translations, made ready for the program."""
    tree = read(file)
    for message in tree.iter("message"):
        translation = message.find("translation")
        source = message.findtext("source")
        assert translation is not None
        if source in words:
            del translation.attrib["type"]
            translation.text = words[source]
    tree.write(file, encoding="utf-8", xml_declaration=True)
    return release(file)


def test_the_translators_file_holds_every_word_of_the_windows(made: Path) -> None:
    """Qt's tool reads no call inside another string: a text that stands in one would never reach a translator."""
    in_file = {message.findtext("source") for message in read(made).iter("message")}
    assert words_of_the_windows() == in_file
    assert len(in_file) > 600


@pytest.mark.parametrize("file", sources(), ids=lambda file: file.stem)
def test_nothing_is_shown_that_no_translator_sees(file: Path) -> None:
    assert words_past_the_translation(file) == []


def test_a_bare_text_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "window.py"
    file.write_text(
        'box.setText(f"{many} orders")\nbox.say(tr("Two words"), button="Show all")\nbox.setText(name)\nQPushButton("Close")\n'
    )
    assert words_past_the_translation(file) == ["window.py:1: orders", "window.py:2: Show all", "window.py:4: Close"]


@pytest.mark.parametrize(
    ("reads", "there", "takes"),
    [
        (["de-AT", "de", "en-AU"], ["de"], "de"),
        (["de-AT"], ["de", "de_AT"], "de_AT"),
        (["fr-FR", "de-DE"], ["de"], "de"),
        (["en-AU", "de-DE"], ["de"], ""),
        (["fr-FR", "en-AU", "de-DE"], ["de"], ""),
        (["zh-Hans-CN"], ["zh_Hans"], "zh_Hans"),
        (["C"], ["de"], ""),
        (["fr-FR"], [], ""),
        ([], ["de"], ""),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value or "English",
)
def test_the_first_language_that_a_person_reads_and_that_is_there_is_taken(
    tmp_path: Path, reads: list[str], there: list[str], takes: str
) -> None:
    for tag in there:
        (tmp_path / f"iconnect_{tag}.qm").touch()
    file = find(reads, (tmp_path / "none", tmp_path))
    assert file == (tmp_path / f"iconnect_{takes}.qm" if takes else None)


def test_a_file_that_the_firm_put_there_goes_before_the_programs_own(tmp_path: Path) -> None:
    for place in ("firm", "program"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "iconnect_de.qm").touch()
    assert find(["de-DE"], (tmp_path / "firm", tmp_path / "program")) == tmp_path / "firm" / "iconnect_de.qm"
    assert folders({})[1] == FOLDER


def test_a_tags_narrowest_spelling_comes_first() -> None:
    assert spellings("zh-Hans-CN") == ("zh_Hans_CN", "zh_Hans", "zh")


@pytest.mark.parametrize("program", ["tray", "order and sign-in window"])
def test_no_word_is_read_before_the_language_is_known(tmp_path: Path, program: str) -> None:
    """Some words stand in tables, which are filled when their module is imported."""
    ran = subprocess.run(
        [sys.executable, "-c", SAYS_WHAT_CAME_BEFORE, program, str(tmp_path / "profile")],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.stdout, ran.stderr
    assert json.loads(ran.stdout.splitlines()[0]) == []


def started(tmp_path: Path, tag: str, file: Path | None) -> tuple[list[str], bool]:
    """The menu of the real program, started on a PC of this language, and whether it reads from the right."""
    own = tmp_path / "resources"
    (own / "languages").mkdir(parents=True)
    (own / "icons").symlink_to(ROOT / "resources" / "icons")
    if file is not None:
        (own / "languages" / f"iconnect_{tag}.qm").write_bytes(file.read_bytes())
    environment = {
        **{name: value for name, value in os.environ.items() if not re.match(r"LC_|LANG", name)},
        "QT_QPA_PLATFORM": "offscreen",
        "LANG": f"{tag}.UTF-8",
        "LANGUAGE": tag,
        "PYTHONPATH": str(ROOT),
    }
    ran = subprocess.run(
        [sys.executable, "-c", SAYS_ITS_MENU, str(own), str(tmp_path / "profile")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout.splitlines()[0])
    return said["menu"], said["rtl"]


@pytest.mark.skipif(sys.platform == "win32", reason="the language is set by the environment, as Unix does")
def test_the_program_speaks_an_installed_language_and_english_where_a_text_is_not_translated(tmp_path: Path, made: Path) -> None:
    file = translated(made, GERMAN)
    menu, right_to_left = started(tmp_path, "de", file)
    assert "Beenden" in menu
    assert "Bestellungen und Buchungen" in menu
    assert "Connections" in menu
    assert not right_to_left


@pytest.mark.skipif(sys.platform == "win32", reason="the language is set by the environment, as Unix does")
def test_a_language_that_reads_from_the_right_turns_the_windows_round(tmp_path: Path, made: Path) -> None:
    assert started(tmp_path, "he", translated(made, {}))[1]


@pytest.mark.skipif(sys.platform == "win32", reason="the language is set by the environment, as Unix does")
@pytest.mark.parametrize("installed", ["none", "spoilt"])
def test_without_a_file_that_can_be_read_the_program_speaks_english(tmp_path: Path, installed: str) -> None:
    spoilt = tmp_path / "spoilt.qm"
    spoilt.write_bytes(b"no language at all")
    menu, _ = started(tmp_path, "de", spoilt if installed == "spoilt" else None)
    assert "Quit" in menu
