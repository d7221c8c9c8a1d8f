"""Things that are found by name, and imported when a name is first looked up."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, MutableMapping
from typing import TypeVar

T = TypeVar("T")


class Registry(MutableMapping[str, T]):
    """Things by name. `modules` hold those that the product has: importing them adds them.

    A module cannot be named by an import statement where what it defines is built on the registry itself.
    """

    def __init__(self, *modules: str) -> None:
        self._modules = modules
        self._found: dict[str, T] = {}

    def _all(self) -> dict[str, T]:
        # Importing again costs a look-up, and another thread that imports just now is waited for.
        for module in self._modules:
            importlib.import_module(module)
        return self._found

    def __getitem__(self, name: str) -> T:
        return self._all()[name]

    def __setitem__(self, name: str, thing: T) -> None:
        self._found[name] = thing  # without importing: this is called while a module is imported

    def __delitem__(self, name: str) -> None:
        del self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


def imported(place: str, base: type[T]) -> type[T]:
    """Return the class that `place` names as "module:Class"; raise `TypeError` if it is no `base`."""
    module, _, name = place.partition(":")
    found = getattr(importlib.import_module(module), name, None) if name else None
    if not (isinstance(found, type) and issubclass(found, base)):
        raise TypeError(f'"{place}" does not name a {base.__name__} as "module:Class"')
    return found
