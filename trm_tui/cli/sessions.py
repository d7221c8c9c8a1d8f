"""`sessions …`: the store of runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Annotated

import typer

from trm_engine.files import folder_bytes
from trm_engine.text import format_bytes, format_seconds, three_digits
from trm_tui.cli import completion
from trm_tui.cli.lazy import group
from trm_tui.cli.session_files import export, import_session, metrics
from trm_tui.cli.terminal.context import settings
from trm_tui.cli.terminal.output import JsonFlag, print_facts, print_json, print_table, print_text
from trm_tui.cli.train import SessionArgument

if TYPE_CHECKING:
    from trm_engine.sessions import SessionRecord

app = group(help="List, show, compare, mark, delete, export and import sessions.")


@app.command("list")
def list_sessions(
    ctx: typer.Context,
    trash: Annotated[bool, typer.Option("--trash", help="List what was deleted instead.")] = False,
    json: JsonFlag = False,
) -> None:
    """List all sessions, the newest last."""
    from trm_engine.sessions.layout import TRASH
    from trm_tui.workbench.browser.current_figures import current_summary

    store = settings(ctx).store()
    folder = store.root / TRASH if trash else store.root
    records = [
        record.model_copy(update={"summary": current_summary(record, folder / record.id)})
        for record in (store.trash() if trash else store.list())
    ]
    if json:
        print_json([record.model_dump(mode="json") for record in records])
    elif not records:
        print_text(f"no {'deleted ' if trash else ''}sessions in {store.root}")
    else:
        figures = (">steps", ">exact", ">samples/s", ">training", ">disk")
        columns = ("session", "name", "task", "status", *figures, "tags")
        print_table(columns, [_row(record, folder_bytes(folder / record.id)) for record in records])


def _row(record: SessionRecord, size: int) -> Sequence[object]:
    figures = _Summary(record)
    return (
        record.id,
        record.name,
        record.task,
        record.status,
        figures.number("steps", "{:,}".format),
        figures.measured[1],
        figures.number("samples_per_second", three_digits),
        figures.duration,
        format_bytes(size),
        " ".join(record.tags),
    )


class _Summary:
    """A session's summary as text; empty where it has none."""

    def __init__(self, record: SessionRecord) -> None:
        self._summary = record.summary

    def number(self, key: str, form: Callable[[float], str]) -> str:
        value = self._summary.get(key)
        return form(value) if isinstance(value, (int, float)) else ""

    @property
    def measured(self) -> tuple[str, str]:
        from trm_tui.shared.results import last_measured

        return last_measured(self._summary)

    @property
    def duration(self) -> str:
        return self.number("seconds", format_seconds)


@app.command()
def show(ctx: typer.Context, session: SessionArgument, json: JsonFlag = False) -> None:
    """Show a session: its record, checkpoints and configuration history."""
    from trm_tui.workbench.browser.current_figures import current_summary

    found = settings(ctx).store().get(session)
    record = found.record.model_copy(update={"status": found.status})
    record = record.model_copy(update={"summary": current_summary(record, found.path)})
    if json:
        print_json(
            {
                **record.model_dump(mode="json"),
                "checkpoints": [
                    {"step": c.step, "bytes": c.bytes, "best": c.best, "sound": c.sound}
                    for c in found.checkpoints(verify=True)
                ],
                "history": [
                    {"step": e.step, "time": e.time, "reason": e.reason} for e in found.history.entries()
                ],
                "config": found.config_text,
            }
        )
        return
    print_facts(_facts(record), title=f"session {found.id}")
    rows = [
        (f"{c.step:,}", format_bytes(c.bytes), c.time or "", "best" if c.best else "", c.problem or "sound")
        for c in found.checkpoints(verify=True)
    ]
    print_table((">checkpoint", ">size", "saved", "", "state"), rows)
    print_table(
        (">from step", "time", "why"), [(f"{e.step:,}", e.time, e.reason) for e in found.history.entries()]
    )


def _facts(record: SessionRecord) -> Iterator[tuple[str, object]]:
    figures = _Summary(record)
    yield "name", record.name or "—"
    yield "preset", record.preset
    yield "status", record.status
    yield "created", record.created.isoformat(timespec="seconds")
    if record.parent is not None:
        yield "parent", f"{record.parent.how} from {record.parent.session}"
    if record.origin is not None:
        yield "origin", f"imported from {record.origin.file} (sha256 {record.origin.sha256[:16]}…)"
    if record.tags:
        yield "tags", " ".join(record.tags)
    if record.note:
        yield "note", record.note
    yield "steps", figures.number("steps", "{:,}".format) or "—"
    title, measured = figures.measured
    yield title or "measured", measured or "—"
    yield "training", figures.duration or "—"
    yield from record.facts.items()
    yield "versions", " · ".join(f"{name} {version}" for name, version in record.versions.items())
    yield "weights sha256", record.summary.get("weights_sha256", "—")


@app.command()
def diff(
    ctx: typer.Context,
    session: SessionArgument,
    other: Annotated[
        str,
        typer.Argument(
            help="Another session, a preset or a TOML file.", autocompletion=completion.sessions_and_presets
        ),
    ],
    json: JsonFlag = False,
) -> None:
    """Compare the configurations of two sessions, or of a session and a preset."""
    from trm_engine.config import diff as compare
    from trm_engine.config import find_preset, loads
    from trm_engine.errors import SessionError, UsageError

    store = settings(ctx).store()
    first = loads(store.config_text(session), session)
    try:
        second = loads(store.config_text(other), other)
    except SessionError as missing:
        try:
            second = find_preset(other).config
        except UsageError:
            raise missing from None
    changes = compare(first, second)
    if json:
        print_json([{"key": change.key, "a": change.a, "b": change.b} for change in changes])
    elif changes:
        print_table(("setting", session, other), [(change.key, change.a, change.b) for change in changes])
    else:
        print_text("the configurations are equal")


@app.command()
def tag(
    ctx: typer.Context,
    session: SessionArgument,
    tags: Annotated[list[str], typer.Argument(help="Words to find it by.")],
    remove: Annotated[bool, typer.Option("--remove", help="Remove the tags instead.")] = False,
) -> None:
    """Add tags to a session, or take them away."""
    store = settings(ctx).store()
    record = (store.untag if remove else store.tag)(session, *tags)
    print_text(f"{record.id}: {' '.join(record.tags) or 'no tags'}")


@app.command()
def note(
    ctx: typer.Context,
    session: SessionArgument,
    text: Annotated[str, typer.Argument(help="The note; may be empty.")],
) -> None:
    """Write a session's note."""
    print_text(f"{settings(ctx).store().note(session, text).id}: noted")


@app.command()
def rename(
    ctx: typer.Context, session: SessionArgument, name: Annotated[str, typer.Argument(help="The new name.")]
) -> None:
    """Give a session another name; its id stays."""
    record = settings(ctx).store().rename(session, name)
    print_text(f"{record.id}: {record.name or 'no name'}")


@app.command()
def fork(
    ctx: typer.Context,
    session: SessionArgument,
    checkpoint: Annotated[
        int | None, typer.Option(metavar="STEP", help="Fork from this step, not the newest.")
    ] = None,
    name: Annotated[str, typer.Option(help="A name for the new session.")] = "",
) -> None:
    """Copy a session as it was at a checkpoint, to train on from there; the original stays as it is."""
    from trm_engine.sessions.fork import fork_session

    print_text(fork_session(settings(ctx).store(), session, step=checkpoint, name=name))


@app.command()
def delete(ctx: typer.Context, session: SessionArgument) -> None:
    """Move a session to the trash; `sessions restore` takes it back."""
    store = settings(ctx).store()
    gone = store.delete(session)
    print_text(f"{gone} is in the trash; `trm-tui sessions restore {gone}` takes it back")


@app.command()
def purge(
    ctx: typer.Context,
    sessions: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SESSION…",
            help="Ids in the trash; default: all.",
            autocompletion=completion.deleted,
        ),
    ] = None,
    older_than: Annotated[float, typer.Option(metavar="DAYS", min=0, help="Only what is older.")] = 0.0,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do it; without, only say what would go.")] = False,
    json: JsonFlag = False,
) -> None:
    """Delete sessions from the trash for good."""
    from trm_engine.sessions.layout import TRASH, session_folder

    store = settings(ctx).store()
    oldest = datetime.now(timezone.utc) - timedelta(days=older_than)
    ids = sessions or [record.id for record in store.trash() if not older_than or record.updated < oldest]
    sizes = {found: folder_bytes(session_folder(store.root / TRASH, found)) for found in ids}
    if yes:
        sizes = {found: store.purge(found) for found in sizes}
    if json:
        print_json({"deleted": yes, "sessions": sizes, "bytes": sum(sizes.values())})
        return
    count = f"{len(sizes)} session{'' if len(sizes) == 1 else 's'}"
    size = format_bytes(sum(sizes.values()))
    told = f"{count} deleted for good, {size} freed" if yes else f"{count} would go, {size}: add --yes"
    print_text(told if sizes else "nothing in the trash")


@app.command()
def restore(
    ctx: typer.Context,
    session: Annotated[
        str, typer.Argument(help="The id of a deleted session.", autocompletion=completion.deleted)
    ],
) -> None:
    """Take a session back from the trash."""
    print_text(f"{settings(ctx).store().restore(session)} is back")


app.command()(metrics)
app.command()(export)
app.command("import")(import_session)
