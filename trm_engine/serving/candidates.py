"""Where in a message a puzzle may stand: JSON, blocks of lines, rows told one by one, long runs of cells.

Nothing here decides that it is one: each place is offered to the loaders, which read or refuse it.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Literal, TypeAlias

Form = Literal["task", "grid", "rows", "block", "run"]
Cells: TypeAlias = list[list[int | str]]

_DIGITS = "0-9._*·xX?□⬜-"
_RUN = re.compile(rf"(?<![\w.])(?:[{_DIGITS}](?:[ \t,;/|]{{0,3}}(?=[{_DIGITS}]))?){{14,600}}(?!\w)")
_LETTERS = re.compile(r"(?<![\w.])[0-9A-Ga-g._*·]{100,256}(?!\w)")
_SLASHED = re.compile(r"(?<![\w#/])[#.SGETFo█_]{2,}(?:[/|][#.SGETFo█_]{2,}){1,}(?![\w/])")
_WORD = re.compile(r"(?<!\S)\S{8,1000}(?!\S)")
_LABEL = re.compile(
    r"(?<![\w])(?:(?:row|line)\s*(?:no\.?|number|#)?\s*(\d{1,2})\b|"
    r"(first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|last)\s+(?:row|line)|r(\d{1,2})(?=\s*[:=]))"
    r"\s*(?:(?:is|has|reads|contains|goes|of)\b|[:=–-](?=\s)|[:=])?\s*:?",
    re.IGNORECASE,
)
_PREFIX = re.compile(
    r"^\s*(?:>\s?)*(?:[-*+]\s+(?=[^-*+\s]))?(?:(?:row|line|r)\s*\d{1,2}\s*[:=.)]\s*)?", re.IGNORECASE
)
_IN_GRIDS = frozenset(
    "0123456789ABCDEFGabcdefg._*·xX?□⬜-#SGTFoO█ \t,;<>^v∧∨`|+=¦│┃║─━═┌┐└┘├┤┬┴┼┏┓┗┛┣┫┳┻╋╔╗╚╝╠╣╦╩╬┠┨┯┷┿╂╪╫╞╡╤╧"
)
_FRAME_ONLY = re.compile(r"[\s|+=¦─-╿*-]*")
_CELL = re.compile(r"[0-9A-Ga-g._*·xX?□⬜#█]")
_DIGITS_IN_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_NUMBERS = {name: str(number) for number, name in enumerate(_DIGITS_IN_WORDS)}
_BLANK_WORDS = frozenset(
    ["blank", "empty", "gap", "nothing", "unknown", "open", "free", "missing", "dot", "space", "hole"]
)
_JOINING = frozenset(["and", "then", "next", "followed", "by", "a", "an", "cell", "cells", "is", "the"])
_TOKEN = re.compile(r"[A-Za-z]{2,}|[0-9._*·xX?□⬜-]|[A-Ga-g](?![a-z])")
_MOST_JSON = 40
_MOST_CANDIDATES = 40
_SHAPES_OF_BLANKS = str.maketrans(dict.fromkeys("?□⬜", "."))


@dataclass(frozen=True)
class Candidate:
    """A stretch of a message; `text` is what stands there, put into a form that loaders read.

    `arc` holds an ARC task, `grid` rows of cells, where it was JSON. `clear` tells that the form alone makes
    it a drawing or data, not prose.
    """

    form: Form
    start: int
    end: int
    text: str = ""
    arc: dict[str, object] | None = None
    grid: Cells | None = None
    clear: bool = False


def candidates(message: str) -> list[Candidate]:
    """Return where a puzzle may stand, the most telling forms first; they may overlap."""
    found = chain(_jsons(message), _blocks(message), _told_rows(message), _runs(message))
    return list(islice(found, _MOST_CANDIDATES))


# --- JSON -------------------------------------------------------------------------------------------------


def _jsons(message: str) -> Iterator[Candidate]:
    decoder = json.JSONDecoder()
    at, tries = 0, 0
    while tries < _MOST_JSON:
        opened = min((place for mark in "{[" if (place := message.find(mark, at)) >= 0), default=-1)
        if opened < 0:
            return
        tries += 1
        try:
            value, end = decoder.raw_decode(message, opened)
        except (ValueError, RecursionError):
            at = opened + 1
            continue
        if _is_row(value):
            value, end = _list_of_rows(message, decoder, value, end)
        candidate = _of_json(value, _named_start(message, opened), end)
        at = end if candidate is not None else opened + 1
        if candidate is not None:
            yield candidate


def _named_start(message: str, opened: int) -> int:
    named = re.search(r"task:\S{1,80}\s*$", message[max(0, opened - 100) : opened])
    return opened - (len(named[0]) if named else 0)


def _list_of_rows(message: str, decoder: json.JSONDecoder, first: object, end: int) -> tuple[object, int]:
    """Return rows that stand one after the other without brackets around them."""
    rows = [first]
    while len(rows) < 30 and (gap := re.compile(r"[\s,;]*(?=\[)").match(message, end)):
        try:
            value, after = decoder.raw_decode(message, gap.end())
        except (ValueError, RecursionError):
            break
        if not _is_row(value):
            break
        rows.append(value)
        end = after
    return rows, end


def _is_row(value: object) -> bool:
    return isinstance(value, list) and 1 < len(value) <= 30 and all(_cell(one) is not None for one in value)


def _cell(value: object) -> int | str | None:
    if value is None or value == "":
        return "."
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if 0 <= value <= 16 else None
    return value.translate(_SHAPES_OF_BLANKS) if isinstance(value, str) and len(value) == 1 else None


def _of_json(value: object, start: int, end: int) -> Candidate | None:
    if isinstance(value, dict):
        if isinstance(value.get("train"), list) and isinstance(value.get("test"), list):
            return Candidate(
                "task", start, end, arc={"train": value["train"], "test": value["test"]}, clear=True
            )
        grids = [one for name in ("puzzle", "grid", "board", "input") if _is_grid(one := value.get(name))]
        value = grids[0] if grids else None
    if not _is_grid(value):
        return None
    assert isinstance(value, list)
    rows = [[cell for one in row if (cell := _cell(one)) is not None] for row in value]
    return Candidate("grid", start, end, grid=rows)


def _is_grid(value: object) -> bool:
    if not isinstance(value, list) or not 2 <= len(value) <= 30:
        return False
    return all(_is_row(row) for row in value) and len({len(row) for row in value}) == 1


# --- blocks of lines --------------------------------------------------------------------------------------


def _blocks(message: str) -> Iterator[Candidate]:
    """Yield runs of lines that hold nothing but cells and frames, without what quotes or numbers them."""
    lines: list[tuple[int, int, str]] = []
    at = 0
    for raw in message.splitlines(keepends=True):
        whole = raw.rstrip("\r\n")
        text = _PREFIX.sub("", whole) if not whole.lstrip().startswith(("|", "+")) else whole
        text = text if _cells_only(text) else whole
        if _cells_only(text):
            lines.append((at, at + len(whole), text))
        elif whole.strip() or not lines or not _goes_on(message, at + len(raw)):
            yield from _block(lines)
            lines = []
        at += len(raw)
    yield from _block(lines)


def _cells_only(line: str) -> bool:
    if not line.strip() or not _IN_GRIDS.issuperset(line):
        return False
    return bool(_CELL.search(line)) or _FRAME_ONLY.fullmatch(line) is not None


def _goes_on(message: str, after: int) -> bool:
    """Return whether after one empty line there is a line of cells again."""
    end = message.find("\n", after)
    upcoming = message[after:] if end < 0 else message[after:end]
    return _cells_only(_PREFIX.sub("", upcoming.rstrip("\r")))


def _block(lines: Sequence[tuple[int, int, str]]) -> Iterator[Candidate]:
    """Yield a block as it stands, and without the lines that are of another width than most."""
    whole = [line for line in lines if "```" not in line[2]]
    while whole and _FRAME_ONLY.fullmatch(whole[0][2]) and not _CELL.search(whole[0][2]):
        whole = whole[1:]
    if len(whole) < 2:
        return
    start, end = whole[0][0], whole[-1][1]
    texts = [line[2].translate(_SHAPES_OF_BLANKS) for line in whole]
    margin = min(len(text) - len(text.lstrip(" ")) for text in texts)
    for part in (texts, [text[margin:] for text in texts] if margin else [], _same_width(texts)):
        if len(part) > 1:
            yield Candidate("block", start, end, _squared(part), clear=True)


def _same_width(texts: Sequence[str]) -> list[str]:
    counts = Counter(len(_CELL.findall(text)) for text in texts if _CELL.search(text))
    usual = counts.most_common(1)[0][0] if counts else 0
    kept = [text for text in texts if len(_CELL.findall(text)) == usual]
    return kept if len(kept) < len(texts) else []


def _squared(texts: Sequence[str]) -> str:
    """Return the lines; those of a maze as wide as the longest, for spaces at the end are open cells."""
    if not any("#" in text or "█" in text for text in texts):
        return "\n".join(texts)
    width = max(map(len, texts))
    return "\n".join(text.ljust(width) for text in texts)


# --- prose ------------------------------------------------------------------------------------------------


def _told_rows(message: str) -> Iterator[Candidate]:
    """Yield rows that are told one by one: `row 1: 5 3 blank …`, `the first row is …`."""
    labels = list(_LABEL.finditer(message))
    if len(labels) < 3:
        return
    ends = [label.start() for label in labels[1:]] + [len(message)]
    rows = [_row_told(message[label.end() : end]) for label, end in zip(labels, ends, strict=True)]
    numbers = [label[1] or label[3] for label in labels]
    kept = [cells for cells, _ in rows if cells]
    if len(kept) < 3 or (all(numbers) and numbers != sorted(numbers, key=int)):
        return
    width = Counter(map(len, kept)).most_common(1)[0][0]
    if width == len(kept) + 1 and all(row[-1] == "." for row in kept):
        width -= 1  # each row is a sentence, and ends with a full stop
    kept = [row[:width] if row[width:] in ([], ["."]) or row is kept[-1] else row for row in kept]
    last = labels[-1].end() + rows[-1][1]
    yield Candidate("rows", labels[0].start(), last, "\n".join("".join(row) for row in kept), clear=True)


def _row_told(text: str) -> tuple[list[str], int]:
    """Return the cells of one row, and where in the text they end: at the first word that is no cell."""
    cells: list[str] = []
    end = 0
    for token in _TOKEN.finditer(text):
        word = token[0].lower()
        if "\n\n" in text[end : token.start()]:
            break
        if word in _NUMBERS:
            cells.append(_NUMBERS[word])
        elif word.rstrip("s") in _BLANK_WORDS:
            many = word.endswith("s") and cells and cells[-1].isdigit() and 1 < int(cells[-1]) < 17
            cells[-1:] = ["."] * int(cells[-1]) if many else [*cells[-1:], "."]
        elif len(word) == 1:
            cells.append(token[0].translate(_SHAPES_OF_BLANKS))
        elif word not in _JOINING:
            break
        else:
            continue
        end = token.end()
    return cells, end


def _runs(message: str) -> Iterator[Candidate]:
    for match in _SLASHED.finditer(message):
        text = re.sub(r"[/|]", "\n", match[0])
        yield Candidate("run", match.start(), match.end(), text, clear="#" in match[0])
    for match in chain(_RUN.finditer(message), _LETTERS.finditer(message)):
        quoted = message[max(0, match.start() - 1) : match.start()] == "`"
        text = match[0].translate(_SHAPES_OF_BLANKS)
        yield Candidate("run", match.start(), match.end(), text, clear=quoted)
    for match in _WORD.finditer(message):
        # Notations of one word: games and addresses of puzzles (5:0,0L,…, akari/7/7/…).
        if ":" in match[0] or "/" in match[0]:
            yield Candidate("run", match.start(), match.end(), match[0].rstrip(".,;!?)`").lstrip("(`"))
