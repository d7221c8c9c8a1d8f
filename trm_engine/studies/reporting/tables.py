"""Tables of a report, and the CSV files beside it: every trial with every figure, and every fit."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence

from trm_engine.studies.analysis.analyse import COST_AXES, Analysis, PartAnalysis
from trm_engine.studies.analysis.conclusions import between
from trm_engine.studies.analysis.pareto import Frontier
from trm_engine.studies.analysis.results import FIGURES
from trm_engine.studies.fitting.fits import Interval
from trm_engine.studies.reporting.document import Table
from trm_engine.text import duration


def arms_table(part: PartAnalysis) -> Table:
    """Return the experiments of a part: x, seeds, figures with intervals, costs."""
    shown = [name for name in FIGURES if name in part.figures]
    axis = (f">{part.part.x}",) if part.part.x else ()
    columns = ("experiment", "what", *axis, ">seeds", *(f">{FIGURES[name][0]}" for name in shown), ">time")
    rows = []
    for arm in part.arms:
        cells = [arm.name, arm.title, *((number(arm.x),) if axis else ()), str(len(arm.results))]
        for name in shown:
            found = part.figures[name].get(arm.name)
            if found is None:
                cells.append("–")
            elif name == "loss":
                cells.append(f"{found.mean:.4g} ({between(found.interval, '.4g')})")
            else:
                cells.append(f"{100 * found.mean:.2f} % ({between(_percent(found.interval), '.2f')})")
        cells.append(duration(arm.cost("seconds")) if arm.results else "–")
        rows.append(tuple(cells))
    return Table(columns, tuple(rows))


def fits_table(part: PartAnalysis) -> Table | None:
    """Return the fitted laws of a part; None without any."""
    rows = []
    for law in part.laws:
        found = law.fit
        if found is None or found.law is None or found.comparison is None:
            continue
        cells = [FIGURES[law.figure][0], f"{len(found.points)} / {found.points.runs}"]
        cells += [
            f"{float(getattr(found.law, name)[0]):.3g} ({between(found.interval(name))})" for name in "abc"
        ]
        rows.append((*cells, f"{found.comparison.lack_of_fit:.2g}", found.preferred))
    columns = ("figure", ">points / runs", ">a", ">b", ">c", ">misfit by chance", "the data prefer")
    return Table(columns, tuple(rows)) if rows else None


def pairs_table(part: PartAnalysis) -> Table | None:
    """Return the comparisons with the baseline; None without any."""
    if not part.pairs:
        return None
    columns = (
        *("experiment", ">seeds", ">only it solved", ">only the baseline", ">difference, points"),
        *(">p McNemar, Holm", ">p seeds, Holm", "verdict"),
    )
    rows = tuple(
        (
            pair.arm,
            str(pair.seeds),
            f"{pair.gained:,}",
            f"{pair.lost:,}",
            f"{100 * pair.difference:+.2f} ({between(_percent(pair.interval), '+.2f')})",
            f"{pair.adjusted_puzzles:.2g}",
            "–" if pair.adjusted_seeds is None else f"{pair.adjusted_seeds:.2g}",
            pair.verdict,
        )
        for pair in part.pairs
    )
    return Table(columns, rows)


def targets_table(part: PartAnalysis) -> Table | None:
    """Return when each arm reached each target; None without targets."""
    rows = []
    for target, by_arm in part.reaches.items():
        for arm in part.arms:
            found = by_arm[arm.name]
            if not found:
                continue
            steps = ", ".join(
                f"{one.low:,.0f}–{one.high:,.0f}" if one.reached else f"not in {one.low:,.0f}"
                for one in found
            )
            times = ", ".join(duration(one.seconds) if one.reached else "–" for one in found)
            rows.append((f"{target:.0%}", arm.name, steps, times))
    return (
        Table((">target", "experiment", "between steps, by seed", "time of training"), tuple(rows))
        if rows
        else None
    )


def noise_table(part: PartAnalysis) -> Table | None:
    """Return the noise scales of gradients; None where none was measured."""
    rows = [
        (name, number(one.rows), between(one.interval), str(one.measurements))
        for name, one in part.noise.items()
    ]
    return (
        Table(("experiment", ">noise scale, rows", ">90 % interval", ">measurements"), tuple(rows))
        if rows
        else None
    )


def frontier_table(one: Frontier) -> Table:
    """Return the candidates of a frontier that are on it, or may be."""
    rows = tuple(
        (s.candidate.name, number(s.candidate.cost), f"{s.candidate.value:.2%}", f"{s.share:.0%}")
        for s in one.standings
        if s.undominated or s.share >= 0.1
    )
    return Table(("arm", f">{COST_AXES[one.cost]}", ">exact accuracy", ">draws on the frontier"), rows)


def missing_table(analysis: Analysis) -> Table | None:
    """Return the trials without a result, and why; None where there are none."""
    rows = tuple((one.trial.name, " ".join(one.trial.experiments), one.why) for one in analysis.missing)
    return Table(("trial", "experiments", "why"), rows) if rows else None


# --- CSV --------------------------------------------------------------------------------------------------


def trials_csv(analysis: Analysis) -> str:
    """Return every trial of every part with its figures: `studies fit --csv` takes it as it is."""
    figures = sorted(
        {name for part in analysis.parts for arm in part.arms for r in arm.results for name in r.final}
    )
    head = [
        "study",
        "part",
        "experiment",
        "x",
        "seed",
        "status",
        "session",
        "steps",
        *COST_AXES,
        "rows",
        *figures,
    ]
    lines: list[list[object]] = []
    for part in analysis.parts:
        for arm in part.arms:
            for result in arm.results:
                costs = [result.costs[name] for name in (*COST_AXES, "rows")]
                known = result.final
                where: list[object] = [
                    part.study.id,
                    part.part.name,
                    arm.name,
                    arm.x,
                    result.trial.seed,
                    "completed",
                ]
                steps = result.trial.config.train.steps
                lines.append([*where, result.session, steps, *costs, *(known.get(name) for name in figures)])
    for one in analysis.missing:
        for experiment in one.trial.experiments:
            blank = [None] * (len(head) - 7)
            lines.append(["", "", experiment, None, one.trial.seed, one.why, None, *blank])
    return _csv(head, lines)


def fits_csv(analysis: Analysis) -> str:
    """Return every fitted law on a line."""
    head = ["study", "part", "figure", "x", "points", "runs"]
    head += [f"{name}{end}" for name in "abc" for end in ("", "_low", "_high")]
    head += ["lack_of_fit_p", "preferred"]
    lines: list[list[object]] = []
    for part in analysis.parts:
        for law in part.laws:
            found = law.fit
            if found is None:
                continue
            line: list[object] = [part.study.id, part.part.name, law.figure, part.part.x]
            line += [len(found.points), found.points.runs]
            for name in "abc":
                interval = found.interval(name)
                value = float(getattr(found.law, name)[0]) if found.law is not None else None
                line += [value, interval.low if interval else None, interval.high if interval else None]
            line += [found.comparison.lack_of_fit if found.comparison else None, found.preferred]
            lines.append(line)
    return _csv(head, lines)


def number(value: float | None) -> str:
    """Return a number as people read it: 17,600 or 1.2e+09."""
    if value is None:
        return "–"
    if value == int(value) and abs(value) < 1e7:
        return f"{int(value):,}"
    return f"{value:.3g}"


def _csv(head: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    for line in lines:
        writer.writerow([_cell(value) for value in line])
    return out.getvalue()


def _cell(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return repr(value) if isinstance(value, float) else str(value)


def _percent(interval: Interval | None) -> Interval | None:
    return None if interval is None else Interval(100 * interval.low, 100 * interval.high)
