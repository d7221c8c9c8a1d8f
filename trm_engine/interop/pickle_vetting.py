"""What the pickle in a torch checkpoint describes, worked out without unpickling it.

`torch.load(weights_only=True)` builds tensors from a pickle that a stranger wrote, and before torch 2.10 it
trusted that pickle too far (CVE-2026-24747: more storage claimed than the file holds). So the few operations
that `torch.save` of weights needs are followed here on plain descriptions, and anything else is refused
before torch sees the file.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod

from trm_engine.text import one_line

_ITEM_BYTES = {
    "torch FloatStorage": 4,
    "torch DoubleStorage": 8,
    "torch HalfStorage": 2,
    "torch BFloat16Storage": 2,
}
_DICT = "collections OrderedDict"
_TENSOR = "torch._utils _rebuild_tensor_v2"
_PARAMETER = "torch._utils _rebuild_parameter"
_IGNORED = ("PROTO", "FRAME")
_PLAIN = ("BININT", "BININT1", "BININT2", "LONG1", "BINUNICODE")
_CONSTANTS: Mapping[str, object] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_MAX_DIMENSIONS = 8
_VERSIONS = "_metadata"
"""The one attribute that torch gives a table of weights: the versions of its modules."""


@dataclass(frozen=True)
class Stored:
    """Numbers in a file of the archive: its name there, how many, and the bytes of each."""

    key: str
    count: int
    item_bytes: int

    @property
    def bytes(self) -> int:
        """Return the size that the file must have."""
        return self.count * self.item_bytes


@dataclass(frozen=True)
class Described:
    """A tensor: its numbers, and its shape over them."""

    stored: Stored
    shape: tuple[int, ...]


@dataclass(frozen=True)
class _Global:
    name: str


def described_weights(pickled: bytes) -> dict[str, Described]:
    """Return the tensors by name that a pickled table of weights describes.

    Raises `ValueError`, in words for people, when it is no such table or asks for anything else.
    """
    try:
        table = _Machine().run(pickled)
    except (IndexError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError("its pickle is damaged") from error
    if not isinstance(table, dict):
        raise ValueError("it holds no table of weights")
    for name, value in table.items():
        if not isinstance(value, Described):
            raise ValueError(f'"{one_line(name)}" is not a tensor: save the weights (state_dict) alone')
    return table


class _Machine:
    """Follows a pickle's operations; tensors, storages and functions stay descriptions."""

    def __init__(self) -> None:
        self._stack: list[object] = []
        self._marks: list[int] = []
        self._memo: dict[int, object] = {}

    def run(self, pickled: bytes) -> object:
        """Return what the pickle describes; raise `ValueError` for an operation that weights do not need."""
        for operation, argument, _ in pickletools.genops(pickled):
            name = operation.name
            if name == "STOP":
                return self._stack.pop()
            if name in _IGNORED:
                continue
            if name in _PLAIN:
                self._stack.append(argument)
            elif name in _CONSTANTS:
                self._stack.append(_CONSTANTS[name])
            elif name in _TUPLES:
                self._stack.append(self._pop(_TUPLES[name]))
            else:
                self._act(name, argument)
        raise ValueError("its pickle is cut short")

    def _act(self, name: str, argument: object) -> None:
        actions: Mapping[str, Callable[[object], None]] = {
            "MARK": lambda _: self._marks.append(len(self._stack)),
            "TUPLE": lambda _: self._stack.append(self._since_mark()),
            "EMPTY_DICT": lambda _: self._stack.append({}),
            "GLOBAL": lambda what: self._stack.append(_known(str(what))),
            "BINPUT": self._remember,
            "LONG_BINPUT": self._remember,
            "BINGET": self._recall,
            "LONG_BINGET": self._recall,
            "BINPERSID": lambda _: self._stack.append(_storage(self._stack.pop())),
            "REDUCE": lambda _: self._call(),
            "BUILD": lambda _: self._attributes(),
            "SETITEM": lambda _: self._put(self._pop(2)),
            "SETITEMS": lambda _: self._put(self._since_mark()),
        }
        if name not in actions:
            raise ValueError(f"refused: its pickle uses {name}, which weights do not need")
        actions[name](argument)

    def _pop(self, count: int) -> tuple[object, ...]:
        values = tuple(self._stack[-count:])
        if len(values) != count:
            raise IndexError
        del self._stack[-count:]
        return values

    def _since_mark(self) -> tuple[object, ...]:
        start = self._marks.pop()
        values = tuple(self._stack[start:])
        del self._stack[start:]
        return values

    def _remember(self, place: object) -> None:
        assert isinstance(place, int)
        self._memo[place] = self._stack[-1]

    def _recall(self, place: object) -> None:
        assert isinstance(place, int)
        self._stack.append(self._memo[place])

    def _call(self) -> None:
        function, arguments = self._pop(2)
        if not isinstance(function, _Global) or not isinstance(arguments, tuple):
            raise ValueError("refused: its pickle calls what is not a torch function")
        self._stack.append(_called(function.name, arguments))

    def _attributes(self) -> None:
        """Pass over the versions of a table's modules; another attribute could stand in for a method."""
        target, state = self._pop(2)
        if not isinstance(target, dict) or not isinstance(state, dict):
            raise ValueError("refused: its pickle changes what is not a table")
        if not state.keys() <= {_VERSIONS} or not isinstance(state.get(_VERSIONS, {}), dict):
            raise ValueError("refused: its pickle sets attributes that weights do not need")
        self._stack.append(target)

    def _put(self, pairs: tuple[object, ...]) -> None:
        table = self._stack[-1]
        if not isinstance(table, dict):
            raise ValueError("refused: its pickle changes what is not a table")
        if len(pairs) % 2:
            raise IndexError
        for name, value in zip(pairs[::2], pairs[1::2], strict=True):
            if not isinstance(name, str):
                raise ValueError("it has a weight without a name")
            table[name] = value


def _known(name: str) -> _Global:
    if name not in (*_ITEM_BYTES, _DICT, _TENSOR, _PARAMETER):
        dotted = one_line(name.replace(" ", "."))
        raise ValueError(f"refused: it asks for {dotted}, which weights do not need; it may run code")
    return _Global(name)


def _storage(identity: object) -> Stored:
    if not isinstance(identity, tuple) or len(identity) != 5:
        raise TypeError
    _, kind, key, _, count = identity
    if not (isinstance(kind, _Global) and isinstance(key, str) and isinstance(count, int)):
        raise TypeError
    if not key.isdecimal() or not _is_count(count):
        raise TypeError
    return Stored(key, count, _ITEM_BYTES[kind.name])


def _called(function: str, arguments: tuple[object, ...]) -> object:
    if function == _DICT and not arguments:
        return {}
    if function == _PARAMETER and len(arguments) == 3:
        tensor, gradient, hooks = arguments
        _require_plain(gradient, hooks)
        if isinstance(tensor, Described):
            return tensor
    if function != _TENSOR or len(arguments) < 6:
        raise ValueError("refused: its pickle calls what is not a torch function")
    stored, offset, shape, strides, gradient, hooks, *more = arguments
    _require_plain(gradient, hooks)
    if more not in ([], [None], [{}]):
        raise ValueError("refused: a tensor of its pickle has more than numbers and a shape")
    if not (isinstance(stored, Stored) and isinstance(shape, tuple) and isinstance(strides, tuple)):
        raise TypeError
    if not all(map(_is_count, (offset, *shape, *strides))) or len(shape) != len(strides):
        raise TypeError
    if len(shape) > _MAX_DIMENSIONS:
        raise ValueError(f"a tensor has {len(shape)} dimensions")
    assert isinstance(offset, int)
    last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    # As many numbers as the shape has: a stride of zero would make a tensor of any size from one number.
    if prod(shape) > stored.count or (prod(shape) and last >= stored.count):
        raise ValueError("a tensor is larger than its numbers")
    return Described(stored, shape)


def _require_plain(gradient: object, hooks: object) -> None:
    """Refuse hooks, which torch would call; whether a gradient is wanted is of no matter here."""
    if not isinstance(gradient, bool) or hooks not in ({}, None):
        raise ValueError("refused: a tensor of its pickle has hooks")


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**62
