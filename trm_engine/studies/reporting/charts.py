"""The figures of an analysis as numbers: drawn with matplotlib in reports, with characters in a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from trm_engine.studies.analysis.analyse import COST_AXES, Analysis, Law, PartAnalysis
from trm_engine.studies.analysis.pareto import Frontier
from trm_engine.studies.analysis.results import FIGURES

_LINE = 80
"""Points of a drawn law."""


@dataclass(frozen=True)
class Series:
    """Points or a line; `low` and `high` are ends of intervals, none where nothing is known."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    kind: Literal["points", "line", "dots"] = "points"
    """`dots` are single runs behind the means."""
    low: Sequence[float] = ()
    high: Sequence[float] = ()


@dataclass(frozen=True)
class Chart:
    """One figure. With `categories` x counts them from 0."""

    name: str
    """Of its file, unique in a report."""
    title: str
    x_title: str
    y_title: str
    series: tuple[Series, ...]
    x_log: bool = False
    y_log: bool = False
    percent: bool = False
    """y is a share."""
    categories: tuple[str, ...] = ()
    zero: bool = False
    """A line at y = 0 says what no difference is."""
    marked: Mapping[str, int] = field(default_factory=dict)
    """Words beside points of the first series, by their place."""


def charts_of(analysis: Analysis) -> list[Chart]:
    """Return every figure that the data allow, in the order of a report."""
    found = [chart for part in analysis.parts for chart in charts_of_part(part)]
    return [*found, *(frontier_chart(one) for one in analysis.frontiers)]


def charts_of_part(part: PartAnalysis) -> list[Chart]:
    """Return the figures of one part."""
    return [
        *(law_chart(part, law) for law in part.laws if law.fit is not None),
        *_curves(part),
        *_differences(part),
        *_steps_to_target(part),
        *_surfaces(part),
    ]


def law_chart(part: PartAnalysis, law: Law) -> Chart:
    """Return points with their intervals, single runs, and the law with its band where one was fitted."""
    assert law.fit is not None
    points = law.fit.points
    low, high = law.fit.point_intervals()
    series = [
        Series(
            "mean, 90 % interval", points.x.tolist(), points.y.tolist(), "points", low.tolist(), high.tolist()
        )
    ]
    runs = [(arm.x, value) for arm in part.arms if arm.x for value in arm.values(law.figure)]
    if len(runs) > len(points):
        series.append(Series("run", [x for x, _ in runs], [y for _, y in runs], "dots"))
    if law.fit.law is not None:
        x = np.geomspace(points.x[0] / 1.2, points.x[-1] * 1.5, _LINE)
        value, below, above = law.fit.predict(x)
        words = {"power law": "power law", "no law": "power law, which does not hold"}
        label = f"{words.get(law.fit.preferred, f'power law (data: {law.fit.preferred})')}, 90 % band"
        series.append(Series(label, x.tolist(), value.tolist(), "line", below.tolist(), above.tolist()))
    words_of = FIGURES[law.figure][0]
    return Chart(
        name=f"{part.part.name}-{law.figure}",
        title=f"{part.study.file.title}: {words_of} over {part.part.title or part.part.x}",
        x_title=part.part.x,
        y_title=words_of,
        series=tuple(series),
        x_log=True,
        percent=law.figure != "loss",
    )


def frontier_chart(one: Frontier) -> Chart:
    """Return all candidates over a cost, and the frontier as measured."""
    on = [s for s in one.standings if s.undominated]
    every = [s.candidate for s in one.standings]
    error = [1.645 * c.value_error for c in every]
    return Chart(
        name=f"frontier-{one.cost}",
        title=f"Exact accuracy against {COST_AXES[one.cost]}",
        x_title=COST_AXES[one.cost],
        y_title="exact accuracy",
        series=(
            Series(
                "arm, 90 % interval",
                [c.cost for c in every],
                [c.value for c in every],
                "points",
                [max(c.value - e, 0.0) for c, e in zip(every, error, strict=True)],
                [min(c.value + e, 1.0) for c, e in zip(every, error, strict=True)],
            ),
            Series("frontier", [s.candidate.cost for s in on], [s.candidate.value for s in on], "line"),
        ),
        x_log=all(c.cost > 0 for c in every),
        percent=True,
        marked={s.candidate.name: at for at, s in enumerate(one.standings) if s.undominated},
    )


def _curves(part: PartAnalysis) -> Iterator[Chart]:
    series = []
    for arm in part.arms:
        by_step: dict[float, list[float]] = {}
        for result in arm.results:
            for figures in result.history:
                if "exact_accuracy" in figures:
                    by_step.setdefault(figures["step"], []).append(figures["exact_accuracy"])
        steps = sorted(step for step, values in by_step.items() if len(values) == len(arm.results))
        if len(steps) > 1:
            series.append(Series(arm.name, steps, [float(np.mean(by_step[s])) for s in steps], "line"))
    if series:
        yield Chart(
            name=f"{part.part.name}-curves",
            title=f"{part.study.file.title}: exact accuracy while training (means over seeds)",
            x_title="step",
            y_title="exact accuracy",
            series=tuple(series),
            percent=True,
        )


def _differences(part: PartAnalysis) -> Iterator[Chart]:
    if not part.pairs:
        return
    baseline = part.pairs[0].baseline
    yield Chart(
        name=f"{part.part.name}-differences",
        title=f"{part.study.file.title}: exact accuracy against {baseline}",
        x_title="experiment",
        y_title=f"difference from {baseline}",
        series=(
            Series(
                "difference, 90 % interval",
                [float(at) for at in range(len(part.pairs))],
                [pair.difference for pair in part.pairs],
                "points",
                [pair.interval.low for pair in part.pairs],
                [pair.interval.high for pair in part.pairs],
            ),
        ),
        percent=True,
        categories=tuple(pair.arm for pair in part.pairs),
        zero=True,
    )


def _steps_to_target(part: PartAnalysis) -> Iterator[Chart]:
    for one in part.critical:
        x, low, high = [], [], []
        for arm in part.arms:
            for reached, result in zip(part.reaches[one.target][arm.name], arm.results, strict=True):
                if reached.reached:
                    x.append(float(result.trial.config.train.batch_size))
                    low.append(max(reached.low, 1.0))
                    high.append(reached.high)
        middle = [(a * b) ** 0.5 for a, b in zip(low, high, strict=True)]
        rows = np.geomspace(min(x) / 1.5, max(x) * 1.5, _LINE)
        law = one.least_steps * (1 + one.critical / rows)
        yield Chart(
            name=f"{part.part.name}-steps-to-{100 * one.target:.0f}",
            title=f"{part.study.file.title}: steps to {one.target:.0%} exact accuracy",
            x_title="rows a batch",
            y_title="steps",
            series=(
                Series("run, between two evaluations", x, middle, "points", low, high),
                Series("S_min·(1 + B_crit/B)", rows.tolist(), law.tolist(), "line"),
            ),
            x_log=True,
            y_log=True,
        )


def _surfaces(part: PartAnalysis) -> Iterator[Chart]:
    for figure, one in part.surfaces.items():
        results = [result for arm in part.arms for result in arm.results]
        flops = sorted({f"{result.costs['training_flops']:.2g}" for result in results}, key=float)
        known = [(r, value) for r in results if (value := r.figure(figure)) is not None]
        sizes = [result.costs["parameters"] for result, _ in known]
        n = np.geomspace(min(sizes) / 1.5, max(sizes) * 1.5, _LINE)
        log_u, v = one.cost
        series = [
            Series(
                "run",
                sizes,
                [value if figure == "loss" else 1 - value for _, value in known],
                "points",
            )
        ]
        for budget in _spread([float(text) for text in flops]):
            error = one.at(n, budget / (np.exp(log_u) * n**v))
            series.append(Series(f"{budget:.2g} operations", n.tolist(), error.tolist(), "line"))
        words = FIGURES[figure][0] if figure == "loss" else f"error of {FIGURES[figure][0]}"
        yield Chart(
            name=f"{part.part.name}-surface-{figure}",
            title=f"{part.study.file.title}: {words} at equal work, by the fitted surface",
            x_title="weights",
            y_title=words,
            series=tuple(series),
            x_log=True,
        )


def _spread(budgets: Sequence[float]) -> list[float]:
    """Return at most four budgets, the least and the greatest among them."""
    if len(budgets) <= 4:
        return list(budgets)
    return [float(b) for b in np.geomspace(budgets[0], budgets[-1], 4)]
