"""Settings that follow from others: a small arithmetic, read as Python's grammar and computed by hand.

Nothing is evaluated that is not a number, the name of a setting, + − · / **, or one of a few functions.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping

from trm_engine.errors import UsageError
from trm_engine.text import quoted

_MAX_LENGTH = 500
_LARGEST = 1e18
_BINARY: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: lambda base, power: math.pow(base, power),
}
_FUNCTIONS: dict[str, Callable[..., float]] = {
    "sqrt": math.sqrt,
    "log": math.log,
    "exp": math.exp,
    "round": round,
    "floor": math.floor,
    "ceil": math.ceil,
    "min": min,
    "max": max,
}


def names_in(formula: str, where: str) -> set[str]:
    """Return the settings that a formula reads. Raises `UsageError` when it is none."""
    return set(_names(_parsed(formula, where)))


def compute(formula: str, settings: Mapping[str, object], where: str) -> float:
    """Return a formula's value. Raises `UsageError` naming what is wrong with it."""
    try:
        value = _value(_parsed(formula, where), settings, where)
    except (ArithmeticError, ValueError, TypeError) as error:
        raise UsageError(f"{where}: {quoted(formula)} has no value: {error}") from None
    if not (math.isfinite(value) and abs(value) < _LARGEST):
        raise UsageError(f"{where}: {quoted(formula)} is not a finite number")
    return value


def in_order(links: Mapping[str, str], where: str) -> list[str]:
    """Return the linked settings, each after those it reads.

    Raises `UsageError` where they go in a circle.
    """
    needs = {key: names_in(formula, f"{where}, {key}") & links.keys() for key, formula in links.items()}
    ordered: list[str] = []
    while needs:
        ready = [key for key, read in needs.items() if not read - set(ordered)]
        if not ready:
            raise UsageError(f"{where}: linked settings go in a circle: {' → '.join(_circle(needs))}")
        ordered += ready
        needs = {key: read for key, read in needs.items() if key not in ready}
    return ordered


def _circle(needs: Mapping[str, set[str]]) -> list[str]:
    path = [min(needs)]
    while path[-1] not in path[:-1]:
        path.append(min(needs[path[-1]] & needs.keys()))
    return path[path.index(path[-1]) :]


def _parsed(formula: str, where: str) -> ast.expr:
    if len(formula) > _MAX_LENGTH:
        raise UsageError(f"{where}: a formula has at most {_MAX_LENGTH} characters")
    try:
        found = ast.parse(formula.strip(), mode="eval").body
        for _ in _names(found):
            pass
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise UsageError(
            f"{where}: {quoted(formula)} is not a formula; it may hold numbers, settings (train.lr), "
            f"+ - * / // **, and {', '.join(_FUNCTIONS)}"
        ) from None
    return found


def _names(node: ast.expr) -> list[str]:
    """Return the settings below a node. Raises `ValueError` for what no formula may hold."""
    match node:
        case ast.Constant(value=bool()):
            pass
        case ast.Constant(value=int() | float()):
            return []
        case ast.Attribute(value=ast.Name(id=section), attr=field):
            return [f"{section}.{field}"]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _names(operand)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _names(left) + _names(right)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS and args:
            return [found for argument in args for found in _names(argument)]
    raise ValueError


def _value(node: ast.expr, settings: Mapping[str, object], where: str) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.Attribute(value=ast.Name(id=section), attr=field):
            return _setting(f"{section}.{field}", settings, where)
        case ast.UnaryOp(operand=operand):
            return -_value(operand, settings, where)
        case ast.BinOp(left=left, op=op, right=right):
            return _BINARY[type(op)](_value(left, settings, where), _value(right, settings, where))
        case ast.Call(func=ast.Name(id=name), args=args):
            return _FUNCTIONS[name](*(_value(argument, settings, where) for argument in args))
    raise AssertionError(node)


def _setting(name: str, settings: Mapping[str, object], where: str) -> float:
    value = settings.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise UsageError(f"{where}: {name} is not a setting that is a number")
    return value
