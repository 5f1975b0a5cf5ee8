"""Calls of a practice system that speaks JSON, and how its values are read and written. No vendor's names are in here.

What a caller may rely on: numbers stay exact in both directions; the size of an answer and what it holds are capped; a name
that comes twice in one object is refused, as is what is no JSON (NaN, Infinity); a text comes without the characters that
nobody can store (controls, lone surrogates); and whatever is wrong with an answer is BadAnswer for a read, AnswerLost for a
write.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import NoReturn, TypeAlias

from desktop.services.errors import AnswerLost, BadAnswer
from desktop.services.http import Answer
from desktop.services.practice.amounts import MOST_PLACES, settled
from desktop.services.practice.calls import Calls
from desktop.services.practice.practice_system import Urgency
from desktop.services.practice.practice_xml import writable

Json: TypeAlias = "bool | int | Decimal | str | list[Json] | dict[str, Json] | None"
Found: TypeAlias = Mapping[str, Json]
"""An object of an answer."""

LIST_BYTES = 20_000_000
RECORD_BYTES = 5_000_000
_MOST_BRACKETS = 400_000
_MOST_COMMAS = 2_000_000


@dataclass(frozen=True, slots=True)
class Body:
    """What a write carries. `kind` is its content type."""

    kind: str
    content: bytes = field(repr=False)


class JsonCalls(Calls):
    """Safe to use from several threads."""

    accept = "application/json"

    def read(self, path: str, tail: str, urgency: Urgency, *, cap: int = LIST_BYTES) -> Json:
        """GET `path` + `tail` (both quoted, below the interface's root).

        Raises Refused, NotSent, AnswerLost, BadAnswer, Wait, SignedOut, AccessMissing."""
        return self._get(path, tail, urgency, cap=cap, read=lambda answer: self.decoded(answer.body))

    def decoded(self, content: bytes) -> Json:
        """An answer's document in the spelling that the adapter reads. Raises BadAnswer."""
        return decode(content)

    def write(self, path: str, body: Body, urgency: Urgency, *, done: Callable[[Json], bool], verb: str = "POST") -> Json:
        """Sends `body` once and gives the answer if `done` says of it that it shows the thing done; an empty 2xx is asked
        about as None.

        Raises NotSent, Wait, SignedOut, AccessMissing (proved not done), Refused, or AnswerLost."""

        def written(answer: Answer) -> Json:
            try:
                found = self.decoded(answer.body) if answer.body.strip() else None
                shown = done(found)
            except BadAnswer as error:
                raise AnswerLost("The answer was no answer of the practice system's, so it is not known what was done.") from error
            if not shown:
                raise AnswerLost("The answer was not the one expected, so it is not known whether it was done.")
            return found

        return self._send(verb, path, body.content, body.kind, urgency, cap=RECORD_BYTES, read=written)


def decode(content: bytes) -> Json:
    """The document, numbers as int or Decimal. Raises BadAnswer."""
    if content.count(b"[") + content.count(b"{") > _MOST_BRACKETS or content.count(b",") > _MOST_COMMAS:
        raise BadAnswer("The answer holds more than it may.")
    try:
        found: Json = json.loads(
            content.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_refuse, object_pairs_hook=_object
        )
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise BadAnswer("The answer is not well-formed JSON.") from error
    return found


def _refuse(_constant: str) -> NoReturn:
    raise BadAnswer("The answer holds a number that is none.")


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadAnswer("The answer holds a name more than once in a record.")
    return found


def record(found: Json) -> Found:
    """The value as an object. Raises BadAnswer."""
    if not isinstance(found, dict):
        raise BadAnswer("The answer lacks the record that was asked for.")
    return found


def records(found: Json) -> list[Found]:
    """The value as a list of objects. Raises BadAnswer."""
    if not isinstance(found, list):
        raise BadAnswer("The answer lacks the list that was asked for.")
    return [record(each) for each in found]


def text(found: Found, *names: str) -> str:
    """The first of these that says something, without blanks around it; empty when none does. A whole number counts as its
    digits. Raises BadAnswer for anything else."""
    for name in names:
        value = found.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if value is not None and not isinstance(value, str):
            raise BadAnswer("A text in the answer is none.")
        if value and (shown := writable(value).strip()):
            return shown
    return ""


def need(found: Found, *names: str) -> str:
    """As `text`; raises BadAnswer also when there is nothing."""
    if not (value := text(found, *names)):
        raise BadAnswer(f"The answer lacks “{names[0]}”.")
    return value


_NUMBER = re.compile(rf"-?[0-9]{{1,18}}(\.[0-9]{{1,{MOST_PLACES}}})?", re.ASCII)
_LEAST = Decimal("1e-12")


def number(found: Found, name: str) -> Decimal | None:
    """A number, or a text that is one, to twelve places and without an exponent; None when there is none. Raises BadAnswer."""
    value = found.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return settled(Decimal(value.strip()))
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool) and -(10**18) < value < 10**18:
        exact = Decimal(value)
        finest = -12 if abs(exact) < _LEAST else -MOST_PLACES
        if exact.as_tuple().exponent in range(finest, 19):
            return settled(Decimal(format(exact, "f")))
    raise BadAnswer("A number in the answer can't be read.")


def truth(found: Found, name: str) -> bool | None:
    """None when nothing is said. Raises BadAnswer."""
    value = found.get(name)
    if value is None or isinstance(value, bool):
        return value
    said = {"true": True, "false": False}.get(value.strip().lower()) if isinstance(value, str) else None
    if said is None:
        raise BadAnswer("A yes or no in the answer can't be read.")
    return said


_FRACTION = re.compile(r"\.([0-9]+)")


def moment(found: Found, name: str) -> datetime | None:
    """An ISO date and time as UTC, with however many places of a second; None when there is none, when it can't be read, or
    when it does not say which zone it means."""
    value = text(found, name).replace("Z", "+00:00").replace("z", "+00:00")
    try:
        at = datetime.fromisoformat(_FRACTION.sub(lambda match: "." + match[1][:6].ljust(6, "0"), value))
        return at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def json_body(value: Json) -> Body:
    """`value` as JSON in UTF-8; a Decimal keeps its places."""
    return Body("application/json; charset=utf-8", _written(value).encode())


def _written(value: Json) -> str:
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError("a number that is none can't be written")
        return format(value, "f")
    if isinstance(value, dict):
        return "{" + ",".join(f"{_written(name)}:{_written(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_written, value)) + "]"
    return json.dumps(writable(value) if isinstance(value, str) else value, ensure_ascii=False)


def multipart_body(fields: Iterable[tuple[str, str]], *, name: str, file_name: str, content: bytes) -> Body:
    """A form with these texts and one file, as browsers write it; the same values make the same bytes.

    What the file is counts, not what it is called, nor what this PC calls such files."""
    kind = "application/pdf" if content.startswith(b"%PDF") else "application/octet-stream"
    shown = writable(file_name).replace("\n", "%0A").replace('"', "%22")
    parts = [(f'name="{field_name}"\r\n', writable(value).encode()) for field_name, value in fields]
    parts.append((f'name="{name}"; filename="{shown}"\r\nContent-Type: {kind}\r\n', content))
    whole = hashlib.sha256()
    for head, inside in parts:
        whole.update(head.encode() + inside)
    boundary = f"part-{whole.hexdigest()[:48]}"  # can't stand in what it was reckoned from
    lines: list[bytes] = []
    for head, inside in parts:
        lines += [f"--{boundary}\r\nContent-Disposition: form-data; {head}".encode(), inside]
    return Body(f"multipart/form-data; boundary={boundary}", b"\r\n".join([*lines, f"--{boundary}--\r\n".encode()]))
