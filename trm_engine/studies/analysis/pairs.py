"""Arms compared with their baseline, puzzle by puzzle and seed by seed.

McNemar's exact test asks whether the models that were trained differ on puzzles like these; Student's paired
test over seeds asks whether other seeds would differ too. Both are corrected by Holm for the arms of a part.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from trm_engine.studies.analysis.arms import Arm
from trm_engine.studies.analysis.results import Result
from trm_engine.studies.fitting.distributions import binomial_two_sided, holm, t_quantile, t_tail
from trm_engine.studies.fitting.fits import LEVEL, Interval

ALPHA = 0.05


@dataclass(frozen=True)
class Pair:
    """An arm against its baseline, over the seeds that both have."""

    arm: str
    baseline: str
    seeds: int
    puzzles: int
    """Puzzles compared, over all seeds."""
    gained: int
    """Puzzles that only the arm solved."""
    lost: int
    """Puzzles that only the baseline solved."""
    difference: float
    """Of exact accuracy."""
    interval: Interval
    """Over seeds where there are two or more, else over puzzles."""
    p_puzzles: float
    """McNemar's, exact."""
    p_seeds: float | None
    """Student's; None with one seed."""
    adjusted_puzzles: float = math.nan
    adjusted_seeds: float | None = None

    @property
    def verdict(self) -> str:
        """What the tests say: `better`, `worse`, `not told apart`, or for one seed what the two models do."""
        sign = "better" if self.difference > 0 else "worse"
        if self.adjusted_seeds is not None:
            return sign if self.adjusted_seeds < ALPHA else "not told apart"
        return f"{sign} with this seed" if self.adjusted_puzzles < ALPHA else "not told apart"


def compare_with_baseline(arms: Sequence[Arm], baseline: str) -> list[Pair]:
    """Compare every other arm with the baseline, where puzzles can be paired."""
    base = next((arm for arm in arms if arm.name == baseline), None)
    if base is None:
        return []
    found = [pair for arm in arms if arm is not base and (pair := _pair(arm, base)) is not None]
    puzzles = holm([pair.p_puzzles for pair in found])
    told = [pair.p_seeds for pair in found if pair.p_seeds is not None]
    seeds = iter(holm(told))
    return [
        replace(pair, adjusted_puzzles=p, adjusted_seeds=next(seeds) if pair.p_seeds is not None else None)
        for pair, p in zip(found, puzzles, strict=True)
    ]


def _pair(arm: Arm, base: Arm) -> Pair | None:
    partners = {result.trial.seed: result for result in base.results}
    both = [
        (result, partner)
        for result in arm.results
        if (partner := partners.get(result.trial.seed)) is not None and _comparable(result, partner)
    ]
    if not both:
        return None
    gained = [int((one.solved & ~other.solved).sum()) for one, other in both]
    lost = [int((~one.solved & other.solved).sum()) for one, other in both]
    puzzles = [len(one.solved) for one, _ in both]
    differences = np.array([(g - n) / size for g, n, size in zip(gained, lost, puzzles, strict=True)])
    mean = float(differences.mean())
    p_seeds: float | None = None
    if len(both) > 1:
        # A spread of nothing, over few seeds, is chance: the puzzles' own is the least there is.
        least = math.sqrt(sum(gained) + sum(lost)) / sum(puzzles)
        error = max(float(differences.std(ddof=1)) / math.sqrt(len(both)), least, 1e-12)
        p_seeds = t_tail(mean / error, len(both) - 1)
        half = t_quantile(LEVEL, len(both) - 1) * error
    else:
        size = puzzles[0]
        variance = (gained[0] + lost[0] - (gained[0] - lost[0]) ** 2 / size) / size**2
        half = t_quantile(LEVEL, math.inf) * math.sqrt(max(variance, 0.0))
    return Pair(
        arm=arm.name,
        baseline=base.name,
        seeds=len(both),
        puzzles=sum(puzzles),
        gained=sum(gained),
        lost=sum(lost),
        difference=mean,
        interval=Interval(max(mean - half, -1.0), min(mean + half, 1.0)),
        p_puzzles=binomial_two_sided(min(sum(gained), sum(lost)), sum(gained) + sum(lost)),
        p_seeds=p_seeds,
    )


def _comparable(one: Result, other: Result) -> bool:
    return bool(len(one.solved) and len(one.solved) == len(other.solved) and one.test_set == other.test_set)
