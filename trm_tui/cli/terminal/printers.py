"""What a training run prints as it goes: JSON lines, a progress line, or just the result."""

from __future__ import annotations

import time
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn
from rich.text import Text

from trm_engine.text import format_bytes, format_seconds, safe_text, three_digits
from trm_engine.training.events import Evaluated, Event, Finished, Paused, Started, Stepped, Warned
from trm_tui.cli.terminal.output import notice, print_facts, print_json
from trm_tui.shared.results import facts as measured_facts
from trm_tui.shared.results import headline, sentence

_JSON_SECONDS = 0.5
_PLAIN_SECONDS = 5.0


class Printer(Protocol):
    """A listener with a beginning and an end."""

    def __enter__(self) -> object: ...

    def __exit__(self, *exc: object) -> None: ...

    def __call__(self, event: Event) -> None:
        """Hear an event."""

    def preparing(self, what: str, done: int, total: int) -> None:
        """Hear how the data is prepared before training begins."""


class JsonPrinter:
    """One JSON object a line; step events are throttled, all others printed."""

    def __init__(self) -> None:
        self._next_step = 0.0

    def __enter__(self) -> JsonPrinter:
        return self

    def __exit__(self, *exc: object) -> None:
        """Nothing is left open."""

    def __call__(self, event: Event) -> None:
        """Print what the event says."""
        if isinstance(event, Stepped):
            now = time.monotonic()
            if now < self._next_step and event.step < event.steps:
                return
            self._next_step = now + _JSON_SECONDS
        print_json(event.to_dict())

    def preparing(self, what: str, done: int, total: int) -> None:
        """JSON output has no line for this."""


class QuietPrinter:
    """Warnings on stderr, and the summary at the end where it is wanted."""

    def __init__(self, *, summary: bool = True) -> None:
        self._summary = summary

    def __enter__(self) -> QuietPrinter:
        return self

    def __exit__(self, *exc: object) -> None:
        """Nothing is left open."""

    def __call__(self, event: Event) -> None:
        """Print what the event says."""
        if isinstance(event, Warned):
            notice(f"warning: {event.message}")
        elif isinstance(event, Finished) and self._summary:
            print_summary(event)

    def preparing(self, what: str, done: int, total: int) -> None:
        """Quiet."""


class ProgressPrinter(QuietPrinter):
    """A live progress line on a terminal; a line every few seconds elsewhere.

    With `verbose` it begins with what the data are and with each decision of the engine.
    """

    def __init__(self, *, summary: bool = True, verbose: bool = False) -> None:
        super().__init__(summary=summary)
        self._verbose = verbose
        self._console = Console(stderr=True, highlight=False)
        self._progress = Progress(
            SpinnerColumn(finished_text=" "),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            console=self._console,
            refresh_per_second=4,
            disable=not self._console.is_terminal,
            transient=True,
        )
        self._task: TaskID | None = None
        self._last_line = time.monotonic()
        self._measured = ""

    def __enter__(self) -> ProgressPrinter:
        self._progress.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._progress.stop()

    def __call__(self, event: Event) -> None:
        """Print what the event says."""
        if isinstance(event, Finished):
            self._progress.stop()
        elif isinstance(event, Started):
            self._started(event)
        elif isinstance(event, Stepped):
            self._stepped(event)
        elif isinstance(event, Evaluated):
            self._evaluated(event)
        elif isinstance(event, Paused):
            self._say("paused" if event.paused else "going on")
        if isinstance(event, Warned):
            self._say(f"warning: {event.message}", style="yellow")
        else:
            super().__call__(event)

    def preparing(self, what: str, done: int, total: int) -> None:
        """Show how far the data is."""
        if self._task is None:
            self._task = self._progress.add_task(what, total=total, note="")
        self._progress.update(self._task, description=what, completed=done, total=total)

    def _started(self, event: Started) -> None:
        self._say(f"session {event.session} · {event.parameters:,} parameters")
        if self._verbose:
            for fact in event.data.values():
                self._say(fact)
            for decision in event.decisions:
                self._say(f"{decision['subject']}: {decision['choice']} ({decision['reason']})")
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._task = self._progress.add_task("training", total=event.steps, completed=event.step, note="")

    def _stepped(self, event: Stepped) -> None:
        note = f"loss {event.loss:.3f}{self._measured} · {_bytes(event.rss_bytes)}"
        if event.samples_per_second:  # of the first step it is not known
            rate, left = three_digits(event.samples_per_second), format_seconds(event.eta_seconds)
            note += f" · {rate} samples/s · ETA {left}"
        if not self._progress.disable and self._task is not None:
            self._progress.update(self._task, completed=event.step, total=event.steps, note=note)
        elif time.monotonic() - self._last_line >= _PLAIN_SECONDS:
            self._say(f"step {event.step:,}/{event.steps:,} · {note}")

    def _evaluated(self, event: Evaluated) -> None:
        figures = event.figures
        self._measured = f" · {' '.join(headline(figures))}"
        self._say(f"step {event.step:,}: {sentence(figures, final=event.final)}")

    def _say(self, line: str, style: str = "") -> None:
        self._last_line = time.monotonic()
        self._console.print(Text(safe_text(line), style=style), soft_wrap=True)


def printing(json: bool, quiet: bool, verbose: bool) -> Printer:
    """Return what prints a run as the options ask for it."""
    if json:
        return JsonPrinter()
    return QuietPrinter() if quiet and not verbose else ProgressPrinter(verbose=verbose)


def print_summary(event: Finished) -> None:
    """Print how a run ended: accuracy, and what it took."""
    figures, resources = event.eval, event.resources
    facts: list[tuple[str, object]] = [("ended", f"{event.status}: {event.reason}")]
    facts += measured_facts(figures)
    facts += [
        ("training", f"{event.steps:,} steps, {event.samples:,} samples in {format_seconds(event.seconds)}"),
        ("throughput", f"{three_digits(event.samples_per_second)} samples/s"),
        ("peak memory", _bytes(resources.get("peak_rss_bytes"))),
        ("mean CPU", _percent(resources.get("mean_cpu_percent"))),
        ("minimum free memory", _bytes(resources.get("min_available_bytes"))),
        ("weights sha256", event.weights_sha256[:16] + "…"),
    ]
    print_facts(facts, title=f"session {event.session}")


def _bytes(count: object) -> str:
    return format_bytes(count) if isinstance(count, int) else "unknown"


def _percent(value: object) -> str:
    return f"{value:.0f} % of one core" if isinstance(value, float) else "unknown"
