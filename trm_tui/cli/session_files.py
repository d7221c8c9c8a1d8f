"""`sessions metrics`, `export` and `import`: what leaves the store as text or as a file, and comes back."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trm_engine.errors import UsageError
from trm_engine.json_text import number_of
from trm_engine.text import format_bytes, safe_text
from trm_tui.cli.terminal.context import settings, user_path
from trm_tui.cli.terminal.output import JsonFlag, print_json, print_table, print_text
from trm_tui.cli.train import SessionArgument

if TYPE_CHECKING:
    from trm_engine.files import JsonObject

_ENDINGS = {"zip": ".zip", "csv": ".csv", "svg": ".svg", "png": ".png"}
_SUGGESTED = {"zip": "", "csv": "-metrics", "svg": "-curves", "png": "-curves"}


def metrics(
    ctx: typer.Context,
    session: SessionArgument,
    csv: Annotated[bool, typer.Option("--csv", help="Print every record, as CSV.")] = False,
    json: JsonFlag = False,
) -> None:
    """Print what a session has recorded; without an option, the span of every figure."""
    from trm_tui.workbench.browser.exporting import metrics_table

    if csv and json:
        raise UsageError("--csv and --json are two forms of the same: give one")
    store = settings(ctx).store()
    if csv:
        sys.stdout.write(metrics_table(store, [store.resolve(session)]))
        return
    records = store.get(session).metrics.read()
    if json:
        print_json(records)
    elif records:
        print_table(("figure", ">records", ">first", ">last", ">lowest", ">highest"), _spans(records))
    else:
        print_text("nothing is recorded yet: train a few steps first")


def _spans(records: Sequence[JsonObject]) -> Iterator[Sequence[object]]:
    """Yield the numbers that were recorded under each name, in a row."""
    for name in dict.fromkeys(name for record in records for name in record):
        found = (number_of(record.get(name)) for record in records)
        numbers = [number for number in found if number is not None]
        if numbers:
            ends = numbers[0], numbers[-1], min(numbers), max(numbers)
            yield name, len(numbers), *(f"{number:,.6g}" for number in ends)


def export(
    ctx: typer.Context,
    session: SessionArgument,
    file: Annotated[
        Path | None,
        typer.Argument(
            parser=user_path,
            metavar="FILE",
            help="Its ending says what is written; default: a new name here.",
        ),
    ] = None,
    csv: Annotated[bool, typer.Option("--csv", help="All recorded figures as a table.")] = False,
    svg: Annotated[bool, typer.Option("--svg", help="Curves of loss and accuracy as a drawing.")] = False,
    png: Annotated[bool, typer.Option("--png", help="The same as an image.")] = False,
) -> None:
    """Write a session to a new file: .zip for `sessions import`, .csv of figures, .svg or .png of curves."""
    from trm_tui.workbench.browser.exporting import export_curves, export_metrics, suggested

    store = settings(ctx).store()
    found = store.get(session)
    asked = [name for name, is_set in (("csv", csv), ("svg", svg), ("png", png)) if is_set]
    form = _form(file, asked)
    if file is None:
        file = Path(suggested(found.record.name or found.id, _SUGGESTED[form], _ENDINGS[form]))
    if form == "zip":
        store.export(session, file)
    elif form == "csv":
        export_metrics(store, [found.id], file)
    else:
        export_curves(store, [found.id], file)
    print_text(f"wrote {file} ({format_bytes(file.stat().st_size)})")


def _form(file: Path | None, asked: Sequence[str]) -> str:
    """Return what is written, after options and ending. Raises `UsageError` where they differ."""
    if len(asked) > 1:
        raise UsageError(
            f"{' and '.join(f'--{name}' for name in asked)} are different files: give one at a time"
        )
    if file is None:
        return asked[0] if asked else "zip"
    ending = file.suffix.lower()
    named = next((form for form, usual in _ENDINGS.items() if usual == ending), "")
    form = asked[0] if asked else named
    if not form or named != form:
        wanted = _ENDINGS[form] if form else ".zip, .csv, .svg or .png"
        raise UsageError(
            f"{safe_text(file.name)}: the name must end in {wanted}, as it says what is in the file"
        )
    return form


def import_session(
    ctx: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(parser=user_path, metavar="FILE", help="An archive written by `sessions export`."),
    ],
) -> None:
    """Add a session from an archive."""
    print_text(f"imported {settings(ctx).store().import_archive(file)}")
