"""A selection of studies analysed: what the files ask for, from what the sessions hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from trm_engine.planning.flops import forward_flops
from trm_engine.sessions import Store
from trm_engine.studies.analysis.arms import Arm, Summary, runs_of, summaries
from trm_engine.studies.analysis.batch_size import CriticalBatch, NoiseScale, critical_batch, noise_scale
from trm_engine.studies.analysis.pairs import Pair, compare_with_baseline
from trm_engine.studies.analysis.pareto import Candidate, Frontier, frontier
from trm_engine.studies.analysis.results import FIGURES, Missing, by_experiment, read_results
from trm_engine.studies.analysis.surface import Sample, Surface, fit_surface
from trm_engine.studies.analysis.targets import Reach, reach
from trm_engine.studies.fitting.fits import Fit, fit
from trm_engine.studies.plan import Plan, experiment_id, part_of, place
from trm_engine.studies.study import Part, Study

COST_AXES: Mapping[str, str] = {
    "parameters": "weights",
    "flops": "operations a row",
    "training_flops": "operations of the training",
    "seconds": "seconds of training",
    "inference_flops": "operations a puzzle at inference",
}
"""What frontiers go over, in words."""
_BATCH = "train.batch_size"


@dataclass(frozen=True)
class Law:
    """A figure over the axis of a part: the fit, or why there is none."""

    figure: str
    fit: Fit | None
    why_not: str = ""


@dataclass(frozen=True)
class PartAnalysis:
    """What one part of a study shows."""

    study: Study
    part: Part
    arms: tuple[Arm, ...]
    """In the order of the file, those without results too."""
    figures: Mapping[str, Mapping[str, Summary]]
    """Summaries by figure and arm."""
    laws: tuple[Law, ...]
    pairs: tuple[Pair, ...]
    reaches: Mapping[float, Mapping[str, tuple[Reach, ...]]]
    """When each run of an arm reached each target."""
    noise: Mapping[str, NoiseScale]
    """Noise scale of gradients by arm, where it was measured."""
    critical: tuple[CriticalBatch, ...]
    surfaces: Mapping[str, Surface]
    """By figure, where weights and rows are both varied."""

    @property
    def finished(self) -> int:
        """Trials with a result."""
        return sum(len(arm.results) for arm in self.arms)


@dataclass(frozen=True)
class Analysis:
    """What a selection shows."""

    plan: Plan
    parts: tuple[PartAnalysis, ...]
    frontiers: tuple[Frontier, ...]
    missing: tuple[Missing, ...]


def analyse(store: Store, plan: Plan) -> Analysis:
    """Analyse the trials that have ended; the others are listed. Equal sessions give equal analyses."""
    results = read_results(store, plan)
    parts: list[PartAnalysis] = []
    for study, experiments in plan.selection.studies:
        for part in study.file.part:
            arms = []
            for experiment in experiments:
                if part_of(study, experiment) is not part:
                    continue
                name = experiment_id(study, experiment)
                found = tuple(by_experiment(plan, results, name))
                trials = plan.of(name)
                x = place(study, experiment, trials[0].config) if trials else None
                arms.append(Arm(experiment.name, experiment.title, x, found))
            if arms:
                parts.append(_analysed(study, part, tuple(arms)))
    return Analysis(plan, tuple(parts), tuple(_frontiers(parts)), results.missing)


def _analysed(study: Study, part: Part, arms: tuple[Arm, ...]) -> PartAnalysis:
    figures = {name: found for name in FIGURES if (found := summaries(arms, name))}
    laws = tuple(law_over(part.x, arms, name) for name in study.file.fits) if part.x else ()
    reaches = {
        target: {arm.name: tuple(reach(result, target) for result in arm.results) for arm in arms}
        for target in study.file.targets
    }
    noise = {
        arm.name: scale
        for arm in arms
        if (scale := noise_scale([(*result.history, result.final) for result in arm.results]))
    }
    return PartAnalysis(
        study=study,
        part=part,
        arms=arms,
        figures=figures,
        laws=laws,
        pairs=tuple(compare_with_baseline(arms, part.baseline)),
        reaches=reaches,
        noise=noise,
        critical=tuple(_critical(part, arms, reaches)),
        surfaces={name: one for name in study.file.fits if (one := _surface(arms, name))},
    )


def law_over(axis: str, arms: Sequence[Arm], figure: str) -> Law:
    """Fit a law to a figure of arms over their axis, or say why there is none."""
    words = FIGURES[figure][0]
    placed = [arm for arm in arms if arm.values(figure)]
    on = [arm for arm in placed if arm.x is not None and arm.x > 0]
    if not on:
        return Law(figure, None, f"no {words} over {axis} yet" if not placed else f"no {axis} above 0")
    twice = [x for x, count in Counter(arm.x for arm in on).items() if count > 1]
    if twice:
        same = ", ".join(arm.name for arm in on if arm.x == twice[0])
        return Law(figure, None, f"{same} stand at the same {axis} and differ in something else")
    found = fit([run for arm in on for run in runs_of(arm, figure, arm.x or 0.0)])
    beside = [arm.name for arm in placed if arm not in on]
    return Law(figure, found, f"left out, {axis} not above 0: {', '.join(beside)}" if beside else "")


def _critical(
    part: Part, arms: Sequence[Arm], reaches: Mapping[float, Mapping[str, tuple[Reach, ...]]]
) -> list[CriticalBatch]:
    if part.x != _BATCH:
        return []
    found = []
    for target, by_arm in reaches.items():
        runs = [
            (result.trial.config.train.batch_size, one)
            for arm in arms
            for result, one in zip(arm.results, by_arm[arm.name], strict=True)
        ]
        if runs and (one := critical_batch([b for b, _ in runs], [r for _, r in runs], target)):
            found.append(one)
    return found


def _surface(arms: Sequence[Arm], figure: str) -> Surface | None:
    loss = figure == "loss"
    samples = [
        Sample(
            parameters=result.costs["parameters"],
            rows=result.costs["rows"],
            flops_per_row=result.costs["training_flops"] / result.costs["rows"],
            error=value if loss else 1 - value,
        )
        for arm in arms
        for result in arm.results
        if (value := result.figure(figure)) is not None
    ]
    return fit_surface(samples, share=not loss) if samples else None


# --- frontiers --------------------------------------------------------------------------------------------


def _frontiers(parts: Sequence[PartAnalysis]) -> list[Frontier]:
    arms: dict[tuple[str, ...], tuple[Arm, Summary]] = {}
    for part in parts:
        for arm in part.arms:
            summary = part.figures.get("exact_accuracy", {}).get(arm.name)
            if summary is not None:
                # The same trials belong to experiments of several studies: once is enough.
                arms.setdefault(tuple(result.trial.digest for result in arm.results), (arm, summary))
    if len(arms) < 2:
        return []
    found = []
    for cost in COST_AXES:
        candidates = [one for arm, summary in arms.values() for one in _candidates(cost, arm, summary)]
        found.append(frontier(cost, candidates))
    return found


def _candidates(cost: str, arm: Arm, summary: Summary) -> list[Candidate]:
    costs = np.array([result.costs[cost] for result in arm.results])
    spread = float(costs.std(ddof=1)) / len(costs) ** 0.5 if len(costs) > 1 else 0.0
    usual = Candidate(arm.name, float(costs.mean()), summary.mean, summary.error, spread)
    return [usual, *_other_looks(arm, summary)] if cost == "inference_flops" else [usual]


def _other_looks(arm: Arm, summary: Summary) -> list[Candidate]:
    """Return the arm looked at with other numbers of supervision steps, fixed or by its halting head."""
    found = []
    first = arm.results[0]
    per_step = float(forward_flops(first.trial.config))
    looks = [("early_exact_accuracy", "mean_steps", "halting at 0")]
    for name in first.final:
        if name.startswith("exact_accuracy_over_"):
            threshold = name.removeprefix("exact_accuracy_over_")
            looks.append((name, f"mean_steps_over_{threshold}", f"halting at {threshold}"))
        elif name.startswith("exact_accuracy_at_"):
            looks.append((name, "", f"{name.removeprefix('exact_accuracy_at_')} steps"))
    for value, steps, words in looks:
        if not all(value in result.final for result in arm.results):
            continue
        mean = float(np.mean([result.final[value] for result in arm.results]))
        if steps:
            depth = float(np.mean([result.final[steps] for result in arm.results]))
        else:
            depth = float(words.split()[0])
        found.append(Candidate(f"{arm.name}, {words}", depth * per_step, mean, summary.error))
    return found
