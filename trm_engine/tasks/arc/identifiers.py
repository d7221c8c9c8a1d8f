"""Names of puzzle identifiers as the published builder writes them: task, or task|||symmetry|||colours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from trm_engine.tasks.arc.augment import Records
from trm_engine.tasks.arc.config import COLOURS
from trm_engine.tasks.arc.grids import GridError, as_name
from trm_engine.text import safe_text

BLANK = "<blank>"
_ITSELF = b"00123456789"
_IMAGE = re.compile(rf"(.*)\|\|\|t([0-7])\|\|\|([0-9]{{{COLOURS}}})", re.DOTALL)


@dataclass(frozen=True)
class Identifiers:
    """What the identifiers stand for: from 1 on, task by task, each task itself before its images.

    `first_id` (tasks + 1,) bounds those of each task, `records` (identifiers, 11) holds the images.
    """

    tasks: Sequence[str]
    first_id: Sequence[int]
    records: Records


def names_of(identifiers: Identifiers) -> Iterator[str]:
    """Yield the names, that of the blank identifier first."""
    yield BLANK
    for place, task in enumerate(identifiers.tasks):
        first, last = identifiers.first_id[place : place + 2]
        yield task
        for symmetry, *colours in identifiers.records[first + 1 : last].tolist():
            yield f"{task}|||t{symmetry}|||{''.join(map(str, colours))}"


def as_identifiers(names: object) -> Identifiers:
    """Read names as JSON; raise `GridError` where they are not what `names_of` yields."""
    if not isinstance(names, list) or len(names) < 2 or names[0] != BLANK:
        raise GridError(f'must be a list of names, "{BLANK}" first')
    tasks: list[str] = []
    first_id: list[int] = []
    records = bytearray(_ITSELF)
    for number, name in enumerate(names[1:], 1):
        if not isinstance(name, str):
            raise GridError(f"number {number} is not text")
        image = _IMAGE.fullmatch(name)
        if image is None:
            tasks.append(as_name(name))
            first_id.append(number)
            records += _ITSELF
            continue
        task, symmetry, colours = image.groups()
        if not tasks or task != tasks[-1]:
            raise GridError(
                f'number {number}, "{safe_text(name[:80])}", does not follow its task, whose image it is'
            )
        if len(set(colours)) != COLOURS:
            raise GridError(f'number {number}, "{safe_text(name[:80])}", gives two colours the same one')
        records += (symmetry + colours).encode()
    if len(set(tasks)) != len(tasks):
        raise GridError("has a task twice")
    digits = np.frombuffer(bytes(records), np.uint8).reshape(len(names), 1 + COLOURS)
    return Identifiers(tasks, [*first_id, len(names)], digits - np.uint8(ord("0")))
