"""Amounts in answers, whatever they are written in."""

from __future__ import annotations

from decimal import Context, Decimal

MOST_PLACES = 20
_PLACES = 12
_FINEST = Decimal(1).scaleb(-_PLACES)
_WIDE = Context(prec=60)


def settled(told: Decimal) -> Decimal:
    """The amount to twelve places at most. What stands behind them is the noise of a binary fraction: servers that reckon with
    those tell 14.2 as 14.199999999999999."""
    exponent = told.as_tuple().exponent
    if not isinstance(exponent, int) or exponent >= -_PLACES:
        return told
    return told.quantize(_FINEST, context=_WIDE)
