"""The demo's report: what was done, what the sandbox's books say of it, and a picture of each step."""

from __future__ import annotations

import html
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass
class Step:
    """`evidence` is quoted from the sandbox's books or from the program's own answers; `picture` is a file name."""

    name: str
    passed: bool
    evidence: list[str] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    seconds: float = 0.0


@dataclass
class Report:
    title: str
    notes: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return bool(self.steps) and all(step.passed for step in self.steps)

    def write(self, folder: Path) -> tuple[Path, ...]:
        """report.html for a person, report.json for a program, report.txt for a terminal."""
        files = {
            "report.html": self._html(),
            "report.json": json.dumps({"passed": self.passed, **asdict(self)}, ensure_ascii=False, indent=2) + "\n",
            "report.txt": self.text(),
        }
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
        return tuple(folder / name for name in files)

    def text(self) -> str:
        lines = [self.title, ""]
        lines += [f"* {note}" for note in self.notes] + ([""] if self.notes else [])
        for number, step in enumerate(self.steps, 1):
            lines.append(f"{number:>2}. {'passed' if step.passed else 'FAILED'}  {step.name}  ({step.seconds:.1f} s)")
            lines += [f"      {line}" for line in step.evidence]
            lines += [f"      picture: {name}" for name in step.pictures]
        good = sum(step.passed for step in self.steps)
        lines += ["", f"{good} of {len(self.steps)} steps passed.", ""]
        return "\n".join(lines)

    def _html(self) -> str:
        rows = []
        for number, step in enumerate(self.steps, 1):
            evidence = "".join(f"<li>{html.escape(line)}</li>" for line in step.evidence)
            pictures = "".join(f'<a href="{name}"><img src="{name}" alt="{html.escape(step.name)}"></a>' for name in step.pictures)
            mark = "passed" if step.passed else "failed"
            rows.append(
                f'<section class="{mark}"><h2>{number}. {html.escape(step.name)} <span>{mark}, {step.seconds:.1f} s</span></h2>'
                f"<ul>{evidence}</ul>{pictures}</section>"
            )
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self.notes)
        return (
            f'<!doctype html><html lang="en-AU"><meta charset="utf-8"><title>{html.escape(self.title)}</title><style>'
            "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2330;background:#fff}"
            "h2{font-size:1.1rem}h2 span{font-weight:400;color:#556}"
            "section{border-left:4px solid #1d7f4e;padding-left:1rem;margin:2rem 0}"
            "section.failed{border-color:#b3261e}img{max-width:100%;border:1px solid #ccd;border-radius:6px;margin:.5rem 0}"
            f"</style><h1>{html.escape(self.title)}</h1><ul>{notes}</ul>{''.join(rows)}</html>\n"
        )
