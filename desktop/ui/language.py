"""The one place through which the windows' own words pass on their way to the screen. The source is Australian English.

A translation is one function from the source's text to another's; it has to be in use before the windows' modules are imported,
because some of their words stand in tables. Names, numbers and what a vendor said are data: they go in as `values`.
"""

from __future__ import annotations

from collections.abc import Callable

Translate = Callable[[str], str]


def _source(text: str) -> str:
    return text


_translate: Translate = _source


def use(translate: Translate | None) -> None:
    """From now on `tr` gives what `translate` makes of its text; None: the source itself."""
    global _translate
    _translate = translate or _source


def tr(text: str, /, **values: object) -> str:
    """The text in the language in use, with `values` in the places that it names, such as `{system}` or `{count:,}`.

    A translation keeps the names of the places; it may put them elsewhere. One that spoils them is passed over."""
    shown = _translate(text)
    if not values:
        return shown
    try:
        return shown.format(**values)
    except (KeyError, IndexError, ValueError, AttributeError, TypeError):
        return text.format(**values)
