"""Settings as they are typed: text to value, value to text, and the next value up or down."""

from __future__ import annotations

import math

from trm_engine.config import FieldInfo, Value
from trm_engine.text import safe_text

_PLAIN_BELOW = 1e15
_DOUBLED_FROM = 16
_SMALLEST_MISSING = 1e-8  # from here on a share is as good as 1


def read(info: FieldInfo, text: str) -> Value:
    """Return the value that `text` stands for, or `text` itself where it stands for none of the field's type.

    Numbers may be written `1_000` or `1e6`; whether a value is allowed is not asked here.
    """
    if info.type_name == "str":
        return text
    bare = text.strip()
    if info.type_name == "bool":
        return {"true": True, "false": False}.get(bare.lower(), text)
    if info.type_name == "int":
        try:
            return int(bare)
        except ValueError:
            pass
    try:
        number = float(bare)
    except ValueError:
        return text
    return int(number) if info.type_name == "int" and number.is_integer() else number


def show(value: Value) -> str:
    """Return a value as a person would type it; `read` gives it back."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if value.is_integer() and abs(value) < _PLAIN_BELOW:
            return str(int(value))
        mantissa, e, exponent = repr(value).partition("e")
        return f"{mantissa}e{int(exponent)}" if e else mantissa
    return str(value)


def field_text(text: str) -> str:
    """Return text as a field of one line can hold it: harmless, its spaces as they were typed."""
    return " ".join(safe_text(text).splitlines())


def stepped(info: FieldInfo, value: Value, *, up: bool) -> Value:
    """Return the next value up or down: the other switch position, the next choice, the next round number.

    Powers of two double and halve; other numbers change in their first digit, shares above one half in the
    first digit of what is missing to 1. The result is within the field's range; where there is no next value
    (or the value is text) it stays as it is.
    """
    if info.choices:
        return _next_choice(info.choices, value, up)
    if info.type_name == "bool":
        return not value
    if isinstance(value, str) or not math.isfinite(value):
        return value
    if info.type_name == "int":
        return _clamped(info, _next_int(int(value), up), value)
    return _clamped(info, _next_float(float(value), info.maximum, up), value)


def _next_choice(choices: tuple[Value, ...], value: Value, up: bool) -> Value:
    if value not in choices:
        return choices[0 if up else -1]
    return choices[(choices.index(value) + (1 if up else -1)) % len(choices)]


def _next_int(value: int, up: bool) -> int:
    if value >= _DOUBLED_FROM and value & (value - 1) == 0:
        return value * 2 if up else value // 2
    if abs(value) <= _DOUBLED_FROM:
        return value + (1 if up else -1)
    unit = int(10 ** (len(str(abs(value))) - 1))
    if not up and value == unit:
        unit //= 10
    return (value // unit + 1) * unit if up else (-(-value // unit) - 1) * unit


def _next_float(value: float, maximum: float | None, up: bool) -> float:
    if maximum == 1 and value >= 0.5:
        missing = _rounded(1 - value)
        if missing < _SMALLEST_MISSING:
            return 1.0 if up else 0.99
        return _rounded(1 - _next_float(missing, None, not up))
    if value <= 0:
        return 0.1 if up else value
    exponent = math.floor(math.log10(value) + 1e-9)
    digits = round(value / 10.0**exponent, 9)
    if not up and digits <= 1:
        exponent, digits = exponent - 1, 10.0
    digits = math.floor(digits) + 1 if up else math.ceil(digits) - 1
    return float(f"{digits}e{exponent}")


def _rounded(value: float) -> float:
    return float(f"{value:.9g}")


def _clamped(info: FieldInfo, wanted: int | float, value: int | float) -> int | float:
    """Return the wanted value, else the bound it would pass, else `value` where that is not allowed."""
    if info.minimum is not None and (
        wanted < info.minimum or (info.above_minimum and wanted == info.minimum)
    ):
        wanted = value if info.above_minimum else info.minimum
    if info.maximum is not None and (
        wanted > info.maximum or (info.below_maximum and wanted == info.maximum)
    ):
        wanted = value if info.below_maximum else info.maximum
    return float(wanted) if info.type_name == "float" else int(wanted)
