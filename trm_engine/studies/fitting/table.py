"""Runs from any CSV table: which column is x, which y, and what is wrong with the file, by line."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from trm_engine.errors import UsageError
from trm_engine.studies.fitting.points import Run
from trm_engine.text import did_you_mean, format_bytes, quoted, safe_text

MAX_BYTES = 50_000_000
_FINISHED = frozenset({"", "completed", "finished", "ok"})


@dataclass(frozen=True)
class Columns:
    """Names of the columns: what was varied, what was measured, puzzles measured on, random seed."""

    x: str
    y: str
    n: str = ""
    seed: str = ""


@dataclass(frozen=True)
class Table:
    """Runs that can be fitted, and why others were left out."""

    runs: list[Run]
    left_out: list[str]


def read_table(path: Path, columns: Columns) -> Table:
    """Read runs from a CSV file with a header. Raises `UsageError` naming the line that is wrong.

    Rows without a finite y, and rows whose `status` column says that they did not finish, are left out and
    listed: a diverged run is no accuracy of 0.
    """
    name = safe_text(str(path))
    header, rows = _rows(path, name)
    for option in ("x", "y", "n", "seed"):
        column = getattr(columns, option)
        if column and column not in header:
            raise UsageError(
                f"{name}: no column {quoted(column)} (--{option}).{did_you_mean(column, header)}"
            )
    table = Table([], [])
    seen: dict[tuple[float, str], int] = {}
    for line, row in rows:
        where = f"{name}, line {line}"
        run = _run(row, columns, where)
        if isinstance(run, str):
            table.left_out.append(f"line {line}: {run}")
            continue
        seed = row[columns.seed].strip() if columns.seed else ""
        if seed and seen.setdefault((run.x, seed), line) != line:
            raise UsageError(
                f"{where}: x = {run.x:g} with seed {quoted(seed)} was on line {seen[run.x, seed]} already; "
                "a run counts once"
            )
        table.runs.append(run)
    if not table.runs:
        why = f" ({table.left_out[0]})" if table.left_out else ""
        raise UsageError(f"{name}: holds no run that can be fitted{why}")
    return table


def _rows(path: Path, name: str) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(f"{name}: is larger than {format_bytes(MAX_BYTES)}: not a table of runs")
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            header = [cell.strip() for cell in next(reader, [])]
            if not header:
                raise UsageError(f"{name}: is empty; its first line should name the columns")
            rows = []
            for cells in reader:
                if not any(cell.strip() for cell in cells):
                    continue
                if len(cells) != len(header):
                    raise UsageError(
                        f"{name}, line {reader.line_num}: {len(cells)} cells under {len(header)} columns"
                    )
                rows.append((reader.line_num, dict(zip(header, cells, strict=True))))
            return header, rows
    except (OSError, ValueError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or (
            "is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else safe_text(str(error))
        )
        raise UsageError(f"{name}: cannot be read as a table: {reason}") from None


def _run(row: Mapping[str, str], columns: Columns, where: str) -> Run | str:
    """Return the run of a row, or why it is left out."""
    status = row.get("status", "").strip().lower()
    if columns.y != "status" and status not in _FINISHED:
        return f"status is {quoted(status)}"
    x = _number(row[columns.x], columns.x, where)
    if not (math.isfinite(x) and x > 0):
        raise UsageError(f"{where}: {columns.x} = {x:g}, but a power law needs x above 0")
    y = _number(row[columns.y], columns.y, where)
    if not math.isfinite(y):
        return f"{columns.y} is {'empty' if not row[columns.y].strip() else y}"
    return Run(x, y, _puzzles(row, y, columns, where) if columns.n else 0)


def _puzzles(row: Mapping[str, str], y: float, columns: Columns, where: str) -> int:
    count = _number(row[columns.n], columns.n, where)
    if not (math.isfinite(count) and count >= 1 and count == int(count)):
        raise UsageError(f"{where}: {columns.n} = {count:g}, but puzzles are counted: 1, 2, …")
    if not 0 <= y <= 1:
        raise UsageError(
            f"{where}: {columns.y} = {y:g}; beside their number ({columns.n}) it is a share of "
            "puzzles, from 0 to 1 (divide percentages by 100)"
        )
    return int(count)


def _number(text: str, column: str, where: str) -> float:
    try:
        return float(text.strip() or "nan")
    except ValueError:
        raise UsageError(f"{where}: {column} = {quoted(text)} is not a number") from None
