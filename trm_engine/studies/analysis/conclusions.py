"""What follows from the tests of an analysis, in sentences: nothing is said that no test says."""

from __future__ import annotations

import math
from collections.abc import Iterator

from trm_engine.studies.analysis.analyse import COST_AXES, Analysis, Law, PartAnalysis
from trm_engine.studies.analysis.batch_size import CriticalBatch
from trm_engine.studies.analysis.pairs import ALPHA, Pair
from trm_engine.studies.analysis.pareto import SURE
from trm_engine.studies.analysis.results import FIGURES
from trm_engine.studies.fitting.fits import LEVEL, Fit, Interval

_LEVEL = f"{LEVEL:.0%}"


def conclusions(part: PartAnalysis) -> list[str]:
    """Return what one part says, a sentence an item."""
    return [
        *(of_law(part.part.x, law) for law in part.laws),
        *_of_pairs(part),
        *_of_batches(part),
        *_of_surfaces(part),
    ]


def of_frontiers(analysis: Analysis) -> list[str]:
    """Return which arms are on which frontier, with how much certainty."""
    found = []
    for one in analysis.frontiers:
        sure = [s.candidate.name for s in one.standings if s.share >= SURE]
        open_ = [s for s in one.standings if s.undominated and s.share < SURE]
        text = f"Exact accuracy against {COST_AXES[one.cost]}: "
        text += f"on the frontier in at least {SURE:.0%} of draws: {', '.join(sure)}" if sure else "no arm is"
        text += "" if sure else f" on the frontier in {SURE:.0%} of draws"
        if open_:
            text += "; as measured, but less surely: "
            text += ", ".join(f"{s.candidate.name} ({s.share:.0%})" for s in open_)
        found.append(text + ".")
    return found


def of_law(axis: str, law: Law) -> str:
    """Return what a fit says."""
    words = FIGURES[law.figure][0]
    subject = f"{words[0].upper()}{words[1:]} over {axis}"
    if law.fit is None:
        return f"{subject}: no law, since {law.why_not}."
    found = law.fit
    beside = f" ({law.why_not})" if law.why_not else ""
    if found.law is None or found.comparison is None:
        return f"{subject}: {len(found.points)} values are too few for a law{beside}."
    formula = describe_law(found)
    sentence = {
        "power law": f"a saturating power law, {formula}, describes it better than a line in log x",
        "log-linear": f"a line in log x describes it at least as well as any power law (fitted: {formula})",
        "not distinguishable": "it changes, but a power law and a line in log x cannot be told apart "
        f"(fitted: {formula})",
        "constant": "no change can be told from chance",
        "no law": "it follows neither a constant, nor a line in log x, nor a saturating power law",
    }[found.preferred]
    return f"{subject}{beside}: {sentence} (misfit by chance: p = {found.comparison.lack_of_fit:.2g})."


def describe_law(found: Fit) -> str:
    """Return the fitted law with intervals: `a = 0.93 (0.90 … 0.97), c = …`."""
    assert found.law is not None
    parts = []
    for name in "abc":
        value, interval = float(getattr(found.law, name)[0]), found.interval(name)
        parts.append(f"{name} = {value:.3g} ({_LEVEL}: {between(interval)})")
    return "a − b·x^(−c) with " + ", ".join(parts)


def between(interval: Interval | None, style: str = ".3g") -> str:
    """Return an interval as people write it."""
    if interval is None:
        return "not known"
    high = "∞" if math.isinf(interval.high) else format(interval.high, style)
    return f"{format(interval.low, style)} … {high}"


def of_pair(pair: Pair) -> str:
    """Return what the tests say of an arm and its baseline."""
    return (
        f"{pair.arm} against {pair.baseline}: {pair.verdict}, by {100 * pair.difference:+.2f} points "
        f"({_LEVEL}: {between(Interval(100 * pair.interval.low, 100 * pair.interval.high), '+.2f')})"
    )


def _of_pairs(part: PartAnalysis) -> Iterator[str]:
    if not part.pairs:
        return
    told = [pair for pair in part.pairs if pair.verdict != "not told apart"]
    same = [pair.arm for pair in part.pairs if pair.verdict == "not told apart"]
    for pair in told:
        p = pair.adjusted_puzzles if pair.adjusted_seeds is None else pair.adjusted_seeds
        test = "McNemar" if pair.adjusted_seeds is None else f"{pair.seeds} seeds"
        yield f"{of_pair(pair)}; p = {p:.2g} ({test}, Holm)."
    if same:
        yield f"Not told apart from {part.pairs[0].baseline} at {ALPHA:.0%} (Holm): {', '.join(same)}."
    if any(pair.seeds == 1 for pair in part.pairs):
        yield (
            "Where there is one seed, McNemar's test compares two trained models on these puzzles; whether "
            "the settings differ, or their random seeds, it cannot tell."
        )


def _of_batches(part: PartAnalysis) -> Iterator[str]:
    for one in part.critical:
        yield _of_critical(one)
    for name, scale in part.noise.items():
        if name == part.part.baseline:
            yield (
                f"{name}: the noise of gradients suggests a critical batch of {scale.rows:.3g} rows "
                f"({_LEVEL}: {between(scale.interval)}; {scale.measurements} measurements)."
            )


def _of_critical(one: CriticalBatch) -> str:
    if one.at_bound:
        return (
            f"Steps to {one.target:.0%}: the critical batch lies outside what these batches tell "
            f"({one.reached} of {one.runs} runs reached the target)."
        )
    return (
        f"Steps to {one.target:.0%} fall as S = {one.least_steps:.3g}·(1 + B_crit/B) with a critical batch "
        f"of {one.critical:.3g} rows ({_LEVEL}: {between(one.interval)}); at {one.overhead_20:.3g} rows "
        f"a batch takes 20 % more samples than the smallest ({one.reached} of {one.runs} runs reached it)."
    )


def _of_surfaces(part: PartAnalysis) -> Iterator[str]:
    for figure, one in part.surfaces.items():
        words = FIGURES[figure][0] if figure == "loss" else f"error of {FIGURES[figure][0]}"
        terms = f"{one.e:.3g} + {one.a:.3g}·N^(−{one.alpha:.3g}) + {one.b:.3g}·D^(−{one.beta:.3g})"
        yield (
            f"{words[0].upper()}{words[1:]} over weights N and rows D: {terms}; "
            f"α {between(one.intervals['alpha'])}, β {between(one.intervals['beta'])}. At equal work the "
            f"best N grows as C^{one.size_exponent:.3g} "
            f"({_LEVEL}: {between(one.intervals['size_exponent'])}; {one.runs} runs)."
        )
