"""The run in figures: progress, speed, accuracy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from trm_engine.config import Config, Section
from trm_engine.learning.schedule import halt_steps
from trm_engine.planning.estimate import estimate
from trm_engine.text import format_seconds, safe_text, three_digits
from trm_engine.training.events import Stepped
from trm_tui.shared.results import aside, headline, score
from trm_tui.shared.words import words_of
from trm_tui.tui.common.gauges import progress_bar, sparkline
from trm_tui.tui.common.hanging import Line
from trm_tui.tui.common.header import STATE_WORDS
from trm_tui.tui.common.panel import Panel, labelled
from trm_tui.workbench.snapshot import EMPTY, Snapshot


class RunPanel(Panel):
    """Progress, speed and accuracy of the run."""

    BORDER_TITLE = "Run"

    charted: Stepped | None = None
    """The record that the charts show last: title and panel tell the same loss."""
    _config: Config | None = None
    _flops = 0

    def lines(self, width: int) -> list[Content]:
        """Return what to show, line by line."""
        snapshot = self.snapshot
        if not snapshot.slot:
            return [Content("No run is open. n starts one.")]
        lines: list[Content] = []
        if snapshot.state in ("waiting", "preparing") or (snapshot.latest is None and snapshot.active):
            lines += _preparation(snapshot, width)
        if snapshot.latest is None and snapshot.active:
            return lines
        lines += [_progress(snapshot, width), _steps(snapshot)]
        # The two numbers that count come before how fast they came: a small panel shows its first lines.
        if (latest := snapshot.latest) is not None:
            lines.append(labelled("loss", Content(f"{(self.charted or latest).loss:.4g}")))
        lines += [_accuracy(snapshot), *_status(snapshot)]
        if latest is not None:
            if snapshot.state in ("running", "pausing", "elsewhere"):
                lines.append(labelled("speed", Content.styled(_speed(latest), "bold")))
            share = self._share_of_peak(snapshot)
            spark = sparkline(snapshot.rates, width - len(share) - 1, "$primary")
            lines.append(Content.assemble(spark, (f" {share}", "$text-muted")))
        lines += [
            *_aside(snapshot),
            *_settings(snapshot),
            _saved(snapshot),
            _model(snapshot),
        ]
        return [line for line in lines if line]

    def _share_of_peak(self, snapshot: Snapshot) -> str:
        """Return what the run computes in a second, and how much of the machine's matrix products that is."""
        if snapshot.config is not self._config:
            self._config = snapshot.config
            self._flops = estimate(snapshot.config).flops_per_sample if snapshot.config else 0
        rate = self._flops * (snapshot.latest.samples_per_second if snapshot.latest else 0.0) / 1e9
        peak = snapshot.hardware.get("gemm_gflops")
        if isinstance(peak, (int, float)) and peak > 0:
            return f"{rate / peak:.0%} of CPU peak"
        return f"{rate:,.1f} GFLOP/s"


class Brief(Widget):
    """The run in a few short lines, for a terminal too small for anything else."""

    DEFAULT_CSS = """
    Brief { height: 1fr; padding: 0 1; background: $background; }
    """

    snapshot: reactive[Snapshot] = reactive(EMPTY)

    def render(self) -> Content:
        """Say the most important first."""
        width = self.content_size.width
        return Content("\n").join(line.truncate(width, ellipsis=True) for line in self._lines())

    def _lines(self) -> list[Content]:
        snapshot, latest = self.snapshot, self.snapshot.latest
        if not snapshot.slot:
            return [Content("no run: n new")]
        if snapshot.failure is not None:
            return [Content.styled(snapshot.failure.message, "$text-error")]
        share = f"{snapshot.step / snapshot.steps:.0%} " if snapshot.steps else ""
        lines = [Content(f"{share}step {snapshot.step:,}")]
        if snapshot.evaluated is not None:
            lines.append(Content(" ".join(headline(snapshot.evaluated.figures))))
        if latest is not None:
            lines += [Content(f"loss {latest.loss:.4f}"), Content(_speed(latest))]
        if snapshot.eta_seconds is not None:
            lines.append(Content(f"ETA {format_seconds(snapshot.eta_seconds)}"))
        return [*lines, Content(STATE_WORDS.get(snapshot.state, snapshot.state))]


def _speed(latest: Stepped) -> str:
    rate = latest.samples_per_second
    return f"{three_digits(rate)} samples/s" if rate else "measuring"


def _preparation(snapshot: Snapshot, width: int) -> list[Content]:
    if snapshot.state == "waiting":
        return [Content("queued: the other run is saved and paused first")]
    if snapshot.preparing is None:
        words = {"pausing": "pausing…", "paused": "paused", "stopping": "stopping…"}
        first = "the first steps…" if snapshot.session else "getting ready…"
        return [Content(words.get(snapshot.state, first))]
    what, done, total = snapshot.preparing
    if total and done >= total:  # building the model and tuning tell no progress
        return [Content("getting ready…")]
    share = done / total if total else 0.0
    return [Content(f"{what}…"), progress_bar(share, width, "$accent"), Content(f"{done:,} of {total:,}")]


def _status(snapshot: Snapshot) -> list[Content]:
    """Return how the run stands where it does not train here, and why."""
    if snapshot.state in ("running", "waiting", "preparing"):
        return []
    words = [STATE_WORDS.get(snapshot.state, snapshot.state), snapshot.reason]
    lines = [labelled("status", Content.styled(": ".join(filter(None, words)), "bold"))]
    if snapshot.state == "completed":
        lines.append(Content.styled("w watches it solve, + trains more steps", "$text-muted"))
    return lines


def _progress(snapshot: Snapshot, width: int) -> Content:
    share = snapshot.step / snapshot.steps if snapshot.steps else 0.0
    share = 1.0 if snapshot.state == "completed" else share
    colours = {"paused": "$warning", "completed": "$success", "failed": "$error", "diverged": "$error"}
    meter = progress_bar(share, max(width - 6, 1), colours.get(snapshot.state, "$primary"))
    return Content.assemble(meter, f" {share:4.0%}")


def _steps(snapshot: Snapshot) -> Content:
    return labelled("step", Content.assemble((f"{snapshot.step:,}", "bold"), f" of {snapshot.steps:,}"))


def _accuracy(snapshot: Snapshot) -> Content:
    if snapshot.evaluated is None:
        return labelled(words_of(snapshot.kind).label, Content.styled("not measured yet", "$text-muted"))
    last = snapshot.evaluated.figures
    best = snapshot.best.figures if snapshot.best else last
    name, figure = headline(last)
    better = score(best) > score(last)
    words = f" · best {headline(best)[1]}" if better else f" at step {snapshot.evaluated.step:,}"
    colour = "$success" if score(last) > 0 else "$foreground"
    return labelled(name, Content.assemble((figure, f"bold {colour}"), (words, "$text-muted")))


def _aside(snapshot: Snapshot) -> list[Content]:
    facts = aside(snapshot.evaluated.figures) if snapshot.evaluated else []
    return [labelled(name, Content(text)) for name, text in facts]


def _settings(snapshot: Snapshot) -> list[Content]:
    if snapshot.config is None:
        return []
    train, latest = snapshot.config.train, snapshot.latest
    batch = str(train.batch_size)
    if latest is None:
        return [labelled("batch", Content(batch))]
    batch += f" · lr {latest.lr:.1e}"
    if latest.micro_batch < train.batch_size:
        batch += f" · {latest.micro_batch} at once"
    lines = [labelled("batch", Content(batch))]
    if snapshot.supervision_steps is not None:
        most = halt_steps(train, latest.step)
        text = f"after {snapshot.supervision_steps:.1f} of {most} steps"
        lines.append(labelled("halts", Content(text)))
    return lines


def _model(snapshot: Snapshot) -> Content:
    return (
        labelled("model", Content(f"{snapshot.parameters:,} parameters"))
        if snapshot.parameters
        else Content("")
    )


def _saved(snapshot: Snapshot) -> Content:
    if snapshot.saved is None:
        return Content("")
    when = f", {snapshot.saved_at}" if snapshot.saved_at else ""
    return labelled("saved", Content(f"checkpoint {snapshot.saved.step:,}{when}"))


_LABEL = 24


def run_details(snapshot: Snapshot) -> list[Line]:
    """Return decisions, data, results and configuration, and the traceback of a failure first."""
    parts: list[Line] = []
    if snapshot.failure is not None:
        text = Content(f"{snapshot.failure.message}\n{snapshot.failure.traceback}")
        parts += [_heading("What failed"), Line(Content(""), text)]
    if snapshot.session:
        parts += _facts("Session", {"id": snapshot.session, "state": snapshot.state, "why": snapshot.reason})
    if snapshot.verdict:
        parts.append(Line(Content(""), Content(snapshot.verdict)))
    parts += _facts("Decisions", {d.subject: f"{d.choice} — {d.reason}" for d in snapshot.decisions})
    parts += _facts("Data", snapshot.facts)
    if snapshot.evaluated is not None:
        parts += _facts("Last evaluation", snapshot.evaluated.figures)
    for section, values in snapshot.config or ():
        if isinstance(values, Section):
            parts += _facts(section, dict(values))
    return parts or [Line(Content("No run is open."))]


def _heading(text: str) -> Line:
    return Line(Content.styled(text, "bold $accent"))


def _facts(title: str, facts: Mapping[str, object]) -> list[Line]:
    lines = list(_lines(facts))
    return [_heading(title), *lines, Line(Content(""))] if lines else []


def _lines(facts: Mapping[str, object]) -> Iterable[Line]:
    for name, value in facts.items():
        if value not in ("", None):
            text = f"{value:.4g}" if isinstance(value, float) else str(value)
            yield Line(Content.styled(f"  {name} ".ljust(_LABEL), "$text-muted"), Content(safe_text(text)))
