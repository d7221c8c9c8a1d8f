"""`data fetch`: download what is learned from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from trm_tui.cli.terminal.output import JsonFlag, notice, print_json, print_text

if TYPE_CHECKING:
    from trm_engine.progress import Progress


def register(app: typer.Typer) -> None:
    """Add the command to `data`."""
    app.command()(fetch)


def fetch(
    name: Annotated[
        str,
        typer.Argument(
            metavar="TEXT|PRESET|FILE.toml",
            help="A text (tinyshakespeare), or whose data to fetch.",
        ),
    ],
    json: JsonFlag = False,
) -> None:
    """Download a text known by name, or what a preset needs from the Hugging Face Hub, and check it.

    Texts go to the user's data folder (TRM_DATA_DIR), files of the Hub to its cache (HF_HOME). A file of the
    Hub that was interrupted goes on where it stopped.
    """
    from trm_engine.tasks.text.fetch import KNOWN
    from trm_engine.text import nearest

    is_text = nearest(name, KNOWN) is not None
    found = _fetch_text(name) if is_text else _fetch_preset(name)
    if json:
        print_json(found[0] if is_text else found)
        return
    for part in found:
        told = f"{part['name']} is in {part['file']}"
        print_text(f"{told} ({part['bytes']:,} bytes, sha256 {str(part['sha256'])[:16]}…)")


def _fetch_text(name: str) -> list[dict[str, object]]:
    from trm_engine.tasks.text.fetch import fetch as download
    from trm_engine.tasks.text.fetch import known_text

    text = known_text(name)
    path = download(text, _telling())
    return [{"name": text.name, "file": str(path), "bytes": text.size, "sha256": text.sha256}]


def _fetch_preset(name: str) -> list[dict[str, object]]:
    from trm_engine.config import find_preset
    from trm_engine.errors import UsageError
    from trm_engine.tasks.availability import fetch_data

    task = find_preset(name).config.task
    found = fetch_data(task, _telling())
    if not found:
        source = str(getattr(task, "data", ""))
        where = f"reads {source}" if source else "makes its own data"
        raise UsageError(f"{name} {where}: there is nothing to fetch for it")
    return [
        {
            "name": part.name,
            **({"commit": part.commit} if part.commit else {}),
            "file": str(part.file),
            "bytes": part.size,
            "sha256": part.sha256,
        }
        for part in found
    ]


def _telling() -> Progress:
    """Return a progress that tells each tenth of each thing that is done."""
    from trm_engine.text import format_bytes

    told: dict[str, int] = {}

    def progress(what: str, done: int, total: int) -> None:
        tenth = 10 * done // max(total, 1)
        if tenth > told.get(what, 0):
            told[what] = tenth
            notice(f"{what}: {format_bytes(done)} of {format_bytes(total)}")

    return progress
