"""The fit beside the form: does it run on the machine, what would it cost, and the ways out if not."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content
from textual.reactive import reactive
from textual.style import Style
from textual.widget import Widget

from trm_engine.planning.estimate import Fit
from trm_engine.text import duration, format_bytes, safe_text, three_digits
from trm_tui.tui.common.gauges import bar
from trm_tui.tui.common.panel import Panel
from trm_tui.workbench.editor.remedies import Advice

_LABEL = 9
_PART_LABEL = 11
_TENTH = 0.1
_SIZE = 9
_PARTS_HEIGHT = 7
_MOST_MESSAGES = 3
_NEARLY_FULL = 0.8
_NOTICEABLE = 0.005


class FitPanel(Panel, can_focus=False):
    """The verdict, the ways out, the figures; and what holds the memory, where there is room."""

    BORDER_TITLE = "Fit"
    auto_links: reactive[bool] = reactive(False)  # the colour of links would cover what the colours say

    advice: reactive[Advice | None] = reactive(None)
    apply_keys: reactive[tuple[str, ...]] = reactive(())
    """How the keys that apply the first, second, … way out are written."""

    def lines(self, width: int) -> list[Content]:
        """Return what to show, line by line."""
        advice = self.advice
        if advice is None:
            return [Content.styled("working it out…", "$text-muted")]
        lines = [line for text in _verdict(advice) for line in text.wrap(max(width, 8))]
        lines += self._ways_out(advice, width)
        if advice.fit is not None:
            lines += [Content(""), *_figures(advice, advice.fit, width)]
            if self.content_size.height > len(lines) + _PARTS_HEIGHT:
                lines += [Content(""), *_parts(advice.fit, width)]
        return lines

    def _ways_out(self, advice: Advice, width: int) -> Iterator[Content]:
        for number, remedy in enumerate(advice.remedies):
            key = self.apply_keys[number] if number < len(self.apply_keys) else ""
            label = Content.styled(safe_text(remedy.label), "bold").wrap(max(width - 3, 8))
            effect = [Content.styled(remedy.effect, "$text-muted")] if remedy.effect else []
            click = Style.from_meta({"@click": f"screen.apply({number})"})
            for place, text in enumerate([*label, *effect]):
                head = (f"{key:<3}", "bold $accent") if place == 0 else "   "
                yield Content.assemble(head, text).stylize(click)


class FitLine(Widget):
    """The fit in one line, for terminals too narrow for the panel."""

    DEFAULT_CSS = """
    FitLine { height: 1; width: 1fr; padding: 0 1; background: $surface; }
    """

    advice: reactive[Advice | None] = reactive(None)
    apply_keys: reactive[tuple[str, ...]] = reactive(())

    def render(self) -> Content:
        """Say whether it fits, else how to make it."""
        advice = self.advice
        if advice is None:
            return Content.styled("working it out…", "$text-muted")
        parts = [_fits(advice.fit) if advice.fit else Content.styled("✗ problems", "bold $text-error")]
        if advice.remedies and self.apply_keys:
            key, label = self.apply_keys[0], safe_text(advice.remedies[0].label)
            parts.append(Content.assemble((key, "bold $accent"), f" {label}"))
        if advice.fit:
            parts.append(Content(format_bytes(advice.fit.peak_rss_bytes)))
            if advice.fit.seconds is not None:
                parts.append(Content(duration(advice.fit.seconds)))
        return Content(" · ").join(parts).truncate(self.content_size.width, ellipsis=True)


def _verdict(advice: Advice) -> Iterator[Content]:
    if advice.fit is not None:
        yield _fits(advice.fit)
        for problem in advice.fit.problems:
            yield Content.styled(safe_text(problem), "$text-error")
        return
    messages = advice.draft.checked.messages
    for message in messages[:_MOST_MESSAGES]:
        yield Content.styled(f"✗ {safe_text(message)}", "$text-error")
    if len(messages) > _MOST_MESSAGES:
        yield Content.styled(f"and {len(messages) - _MOST_MESSAGES} more", "$text-muted")


def _fits(fit: Fit) -> Content:
    if not fit.fits:
        return Content.styled("✗ does not fit", "bold $text-error")
    if fit.budget_bytes is None:
        return Content.styled("? memory of the machine unknown", "$text-warning")
    return Content.styled("✓ fits", "bold $text-success")


def _figures(advice: Advice, fit: Fit, width: int) -> Iterator[Content]:
    before = advice.original
    yield from _memory(fit, width)
    change = _change(fit.parameters, before.parameters if before else None)
    yield _figure("params", f"{fit.parameters:,}", change, width)
    if fit.samples_per_second is not None:
        speed = fit.samples_per_second
        change = _change(speed, before.samples_per_second if before else None)
        yield _figure("speed", f"{three_digits(speed)} samples/s", change, width)
    if fit.epoch_seconds is not None:
        yield _figure("epoch", duration(fit.epoch_seconds), "", width)
    if fit.seconds is not None:
        yield _figure(
            "total",
            duration(fit.seconds),
            _change(fit.seconds, before.seconds if before else None),
            width,
        )
    rate = advice.machine.rate
    basis = (
        f"with {rate.gflops:,.0f} GFLOP/s, {rate.source}"
        if rate
        else "no time estimate before the first run here"
    )
    yield from Content.styled(basis, "$text-muted").wrap(max(width, 8))


def _figure(label: str, value: str, change: str, width: int) -> Content:
    line = Content.assemble((label.ljust(_LABEL), "$text-muted"), (value, "bold"))
    if line.cell_length + len(change) + 2 <= width:
        line = Content.assemble(line, (f"  {change}", "$text-accent"))
    return line


def _change(now: float, before: float | None) -> str:
    """Return how much a figure differs from that of the configuration the draft came from."""
    if not before or not now or abs(now / before - 1) < _NOTICEABLE:
        return ""
    ratio = now / before
    if ratio < _TENTH:  # a percentage would say −100 % of everything far below
        return f"÷{three_digits(1 / ratio)}"
    if ratio < 2:
        return f"{ratio - 1:+.0%}".replace("-", "−")
    return f"×{three_digits(ratio)}"


def _memory(fit: Fit, width: int) -> Iterator[Content]:
    peak, budget = fit.peak_rss_bytes, fit.budget_bytes
    of = f" of {format_bytes(budget)}" if budget is not None else ""
    yield Content.assemble(("memory".ljust(_LABEL), "$text-muted"), (format_bytes(peak), "bold"), of)
    if budget is not None:
        share = peak / budget if budget else 1.0
        colour = "$error" if not fit.fits else "$warning" if share > _NEARLY_FULL else "$success"
        yield bar(share, width, colour)


def _parts(fit: Fit, width: int) -> Iterator[Content]:
    """Yield what holds the memory at its peak, the largest first."""
    memory = fit.memory
    turns = {"training": memory.training, "evaluation": memory.evaluation, "saving": memory.saving}
    largest = max(turns, key=lambda name: turns[name])
    parts = {
        "program": memory.base,
        "weights": memory.weights,
        "state": memory.carry,
        "examples": memory.data,
        largest: turns[largest],
    }
    yield Content.styled("memory use", "$text-muted")
    for name, size in sorted(parts.items(), key=lambda part: -part[1]):
        meter = bar(size / memory.peak, max(width - _PART_LABEL - _SIZE, 1))
        yield Content.assemble(
            (name.ljust(_PART_LABEL), "$text-muted"), meter, f"{format_bytes(size):>{_SIZE}}"
        )
