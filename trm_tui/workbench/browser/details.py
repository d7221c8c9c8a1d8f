"""All that is known of one session, read from disk and put into words; every text is safe to show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from trm_engine.config import Config, find_preset, loads
from trm_engine.config.kinds import kind_for_task
from trm_engine.errors import TrmError
from trm_engine.files import folder_bytes
from trm_engine.planning.estimate import estimate
from trm_engine.sessions import CheckpointInfo, Session, SessionRecord, Store
from trm_engine.text import format_bytes, format_seconds, safe_text, three_digits
from trm_tui.shared.words import number, words_of
from trm_tui.workbench.browser import clock
from trm_tui.workbench.browser.columns import short_count
from trm_tui.workbench.browser.current_figures import UNFINISHED, current_figures
from trm_tui.workbench.browser.session_row import ACTIVE_STATUSES
from trm_tui.workbench.browser.timeline import Moment, timeline

Facts = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Details:
    """What the pane beside the table shows."""

    session: str
    groups: Sequence[tuple[str, Facts]]
    """Facts under their headings."""
    moments: Sequence[Moment]
    """What happened, in order."""
    problem: str = ""
    """What of it could not be read."""


@dataclass(frozen=True)
class SavedStep:
    """One checkpoint."""

    step: int
    size: str
    time: datetime | None
    best: bool
    problem: str
    """What is damaged; empty where nothing was found."""
    verified: bool
    """Whether every byte has been compared with its checksum, now or earlier."""


def read_details(store: Store, session_id: str) -> Details:
    """Read a session's record, configurations and log. Raises `SessionError` when there is none."""
    session = store.get(session_id)
    problem = ""
    moments: list[Moment] = []
    config: Config | None = None
    try:
        found = session.configuration
        problem = safe_text(" ".join(found.warnings))
        config = loads(found.text, f"session {session.id}")
        moments = timeline(session.history.entries(), session.events(), _preset(session.record))
    except TrmError as error:
        problem = safe_text(str(error))
    return Details(session.id, list(_groups(session, config)), moments, problem)


def read_checkpoints(store: Store, session_id: str, *, verify: bool = False) -> list[SavedStep]:
    """Return a session's checkpoints, the newest first, by their manifests and sizes.

    With `verify`, every byte is read and compared, which competes with a run that trains.
    """
    return [_saved(info) for info in reversed(store.get(session_id).checkpoints(verify=verify))]


def verification(saved: Sequence[SavedStep]) -> str:
    """Return in a sentence what a verification has found."""
    damaged = [one for one in saved if one.problem]
    if not saved:
        return "there is no checkpoint to verify"
    if not damaged:
        return (
            f"{len(saved)} checkpoint{'s' if len(saved) > 1 else ''} verified: every byte is as it was saved"
        )
    steps = ", ".join(f"{one.step:,}" for one in damaged)
    return f"damaged: the checkpoint of step {steps}" if len(damaged) == 1 else f"damaged: steps {steps}"


def _saved(info: CheckpointInfo) -> SavedStep:
    problem = safe_text(info.problem or "")
    return SavedStep(info.step, format_bytes(info.bytes), info.time, info.best, problem, info.verified)


def _preset(record: SessionRecord) -> Config | None:
    try:
        return find_preset(record.preset).config
    except TrmError:
        return None


def _groups(session: Session, config: Config | None) -> Iterator[tuple[str, Facts]]:
    groups = (
        ("Session", _identity(session)),
        ("Result", _result(session, config)),
        ("Data", session.record.facts.items()),
        ("Machine", _machine(session.record)),
    )
    for title, facts in groups:
        shown = [(safe_text(name), safe_text(text)) for name, text in facts if text]
        if shown:
            yield title, shown


def _identity(session: Session) -> Iterator[tuple[str, str]]:
    record = session.record
    yield "name", record.name
    yield "preset", record.preset
    reason = record.summary.get("reason")
    # The summary is of the last sitting that has ended: it says nothing of one that runs now.
    ended = session.status == record.status and session.status not in ACTIVE_STATUSES
    why = f" · {reason}" if isinstance(reason, str) and ended else ""
    yield "status", f"{session.status}{why}"
    yield "started", _local(record.created)
    yield "changed", _local(record.updated)
    if record.parent is not None:
        yield "parent", f"{record.parent.how} from {record.parent.session}"
    if record.origin is not None:
        yield "origin", f"imported from {record.origin.file}"
    yield "tags", " ".join(record.tags)
    yield "note", record.note


def _result(session: Session, config: Config | None) -> Iterator[tuple[str, str]]:
    summary: Mapping[str, object] = session.record.summary
    if session.status in UNFINISHED or not summary:
        summary = {**summary, **current_figures(session.path, session.record.task)}
    measured = summary.get("eval")
    evaluation = measured if isinstance(measured, Mapping) else {}
    steps, planned = number(summary, "steps"), f" of {config.train.steps:,}" if config else ""
    if steps is not None:
        yield "steps", f"{steps:,.0f}{planned}"
    yield from _reached(session, evaluation)
    if (seconds := number(summary, "seconds")) is not None:
        yield "training", format_seconds(seconds)
    if (rate := number(summary, "samples_per_second")) is not None:
        yield "speed", f"{three_digits(rate)} samples/s"
    yield "disk", format_bytes(folder_bytes(session.path))
    if config is not None:
        # The settings alone do not always say how many there are; a model that was built has been counted.
        counted = number(summary, "parameters")
        yield "parameters", short_count(estimate(config).parameters if counted is None else counted)
    digest = summary.get("weights_sha256")
    yield "weights", f"sha256 {digest[:16]}…" if isinstance(digest, str) and digest else ""


def _reached(session: Session, evaluation: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield what the model was measured at, in the words of its kind."""
    words = words_of(kind_for_task(session.record.task))
    score = kind_for_task(session.record.task).score
    if (best := session.best) is not None:
        yield words.best, f"{words.exactly(score.value(best.score))} at step {best.step:,}"
    if number(evaluation, score.figure) is not None:
        yield from words.brief(
            {name: n for name in evaluation if (n := number(evaluation, name)) is not None}
        )


def _machine(record: SessionRecord) -> Iterator[tuple[str, str]]:
    cpu = record.hardware.get("cpu")
    model = cpu.get("model") if isinstance(cpu, Mapping) else None
    yield "processor", model if isinstance(model, str) else ""
    yield "threads", str(record.threads or "")
    resources = record.summary.get("resources")
    peak = number(resources, "peak_rss_bytes") if isinstance(resources, Mapping) else None
    yield "peak memory", format_bytes(peak) if peak else ""
    yield "versions", " · ".join(f"{name} {version}" for name, version in record.versions.items())


def _local(moment: datetime) -> str:
    return f"{moment.astimezone(clock.local_now().tzinfo):%Y-%m-%d %H:%M}"
