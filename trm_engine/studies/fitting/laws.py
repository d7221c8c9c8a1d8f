"""Which law holds: constant, a line in log x, or a saturating power law, or none of them.

With a known variance (of puzzles counted, of repeated seeds) misfits are judged by χ², or by F where seeds
told part of the variance. Without one, the scatter round the laws is all there is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from trm_engine.studies.fitting.distributions import chi_squared_tail, f_tail
from trm_engine.studies.fitting.points import Floats, Points
from trm_engine.studies.fitting.projection import PowerLaws

Law = Literal["constant", "log-linear", "power law"]
Preferred = Literal["constant", "log-linear", "power law", "not distinguishable", "no law", "too few"]

LEAST_POINTS = 4
"""Different x below which three parameters explain anything."""
_PARAMETERS = {"constant": 1, "log-linear": 2, "power law": 3, "turning": 3}
_SLOPE = 0.01
"""Probability, by chance, of a slope as clear as this, above which data are called constant."""
_MISFIT = 0.01
"""Probability, by chance, of so bad a fit, below which the law is said not to hold."""
_CURVED = 0.05
"""The same for the bend that tells a power law from a line in log x."""
_BEND = 0.04
"""The same for a curve that turns back, which must also be much better than every law."""
_OPEN = 0.1
"""The same for a bend that leaves open whether data are constant."""
_TURNS = 5.0
"""By how much, in units of AIC."""
_RELATIVE_ROUNDING = 1e-9


@dataclass(frozen=True)
class Comparison:
    """How well each law describes the points, and which is preferred."""

    aicc: dict[str, float]
    """Akaike's criterion, small-sample corrected; less is better, and only differences mean anything."""
    lack_of_fit: float
    """Probability of points as far off the power law as these if it held."""
    preferred: Preferred


def compare(points: Points, law: PowerLaws, variance: Floats) -> Comparison:
    """Compare the laws over at least `LEAST_POINTS` points; `variance` (M,) is 0 where it is not known."""
    if not (variance > 0).all():
        judge = _Judge(points, law)
        return Comparison(judge.aicc(), judge.misfit("power law"), judge.preferred())
    judge = _Judge(points, law, variance)
    lack = judge.misfit("power law")
    if points.seed_dof == 0 and lack < _MISFIT and judge.misfit("turning") < _MISFIT:
        # No curve comes near the points, and nothing is known of how much seeds differ: only their scatter
        # can judge the laws then. The probability told is the one that counts puzzles alone.
        judge = _Judge(points, law)
    return Comparison(judge.aicc(), lack, judge.preferred())


class _Judge:
    """Sums of squares of the laws and of a curve that turns back, and what chance would make of them.

    With `variance` they are χ², without one they are measured by their own scatter.
    """

    def __init__(self, points: Points, law: PowerLaws, variance: Floats | None = None) -> None:
        self._points = points
        self._known = variance is not None
        weights = points.seeds if variance is None else 1 / variance
        logs = np.log(points.x)
        line, curve = (_polynomial(logs, points.y, weights, degree) for degree in (1, 2))
        residuals = {
            "constant": points.y - np.average(points.y, weights=weights),
            "log-linear": points.y - np.polyval(line, logs - logs.mean()),
            "power law": points.y - law.at(points.x)[0],
            "turning": points.y - np.polyval(curve, logs - logs.mean()),
        }
        # What rounding leaves of data without noise is no scatter.
        rounding = _RELATIVE_ROUNDING * max(float(np.abs(points.y).max()), 1e-300)
        floor = float(weights.sum()) * rounding**2
        self._squares = {name: max(float((weights * r * r).sum()), floor) for name, r in residuals.items()}
        turning_point = -curve[1] / (2 * curve[0]) + logs.mean() if curve[0] else np.inf
        # Nearer to an end than its neighbour it may be no turn but saturation.
        first, last = (logs[0] + logs[1]) / 2, (logs[-2] + logs[-1]) / 2
        self._turns = bool(first < turning_point < last)

    def preferred(self) -> Preferred:
        """Return the law that the points prefer."""
        if self._turns_back():
            return "no law"
        if min(self._gain("constant", law) for law in ("log-linear", "power law")) > _SLOPE:
            misfit = self.misfit("constant")
            if misfit < _MISFIT:
                return "no law"
            # With nothing but the scatter to go by, a bend that chance makes now and then is left open.
            return "not distinguishable" if not self._known and misfit < _OPEN else "constant"
        if max(self.misfit(law) for law in ("log-linear", "power law")) < _MISFIT:
            return "no law"
        if self._gain("log-linear", "power law") < _CURVED:
            return "power law"
        # A line is the limit of power laws with small exponents: it is preferred only where it is no worse.
        no_worse = self._squares["log-linear"] <= self._squares["power law"]
        return "log-linear" if no_worse else "not distinguishable"

    def misfit(self, law: str) -> float:
        """Return how likely points are by chance to lie as far off the law as these."""
        dof = len(self._points) - _PARAMETERS[law]
        squares = self._squares[law]
        if self._known:
            return self._tail(squares, dof)
        # Without a known variance only a shape that no law has can be told from scatter.
        if law == "constant":
            return self._gain("constant", "turning")
        rest = len(self._points) - _PARAMETERS["turning"]
        ratio = (squares / dof) / (self._squares["turning"] / rest)
        return f_tail(ratio, dof, rest) if self._turns else 1.0

    def aicc(self) -> dict[str, float]:
        """Return Akaike's criterion of the three laws, corrected for small samples where that has a value."""
        points, found = self._points, {}
        for law in ("constant", "log-linear", "power law"):
            k, squares = _PARAMETERS[law], self._squares[law]
            if self._known:
                correction = _correction(k + 1, points.runs) if points.seed_dof else 0.0
                found[law] = squares + 2 * k + correction
            else:
                scatter = len(points) * float(np.log(squares / len(points)))
                found[law] = scatter + 2 * (k + 1) + _correction(k + 1, len(points))
        return found

    def _turns_back(self) -> bool:
        if not self._turns or self._gain("constant", "turning") > _BEND:
            return False
        return all(self._better("turning", law) > _TURNS for law in ("constant", "log-linear", "power law"))

    def _gain(self, law: str, richer: str) -> float:
        """Return how likely the richer law is by chance to come so much closer to the points."""
        more = _PARAMETERS[richer] - _PARAMETERS[law]
        closer = max(0.0, self._squares[law] - self._squares[richer])
        if self._known:
            return self._tail(closer, more)
        dof = len(self._points) - _PARAMETERS[richer]
        return f_tail((closer / more) / (self._squares[richer] / dof), more, dof)

    def _better(self, law: str, other: str) -> float:
        """Return by how much a law is better than another, in units of AIC."""
        fewer = 2 * (_PARAMETERS[other] - _PARAMETERS[law])
        if self._known:
            return self._squares[other] - self._squares[law] + fewer
        return len(self._points) * float(np.log(self._squares[other] / self._squares[law])) + fewer

    def _tail(self, chi_squared: float, dof: int) -> float:
        """Return the probability of so large a χ²; where seeds told part of the variance, it is an F."""
        seeds = self._points.seed_dof
        return f_tail(chi_squared / dof, dof, seeds) if seeds else chi_squared_tail(chi_squared, dof)


def _correction(k: int, observations: int) -> float:
    """Return the small-sample term of Akaike's criterion; infinite where parameters are too many for it."""
    return 2 * k * (k + 1) / (observations - k - 1) if observations > k + 1 else np.inf


def _polynomial(logs: Floats, y: Floats, weights: Floats, degree: int) -> Floats:
    """Return the coefficients of a weighted polynomial in log x less its mean, the highest power first."""
    root = np.sqrt(weights)
    columns = np.vander(logs - logs.mean(), degree + 1)
    return np.asarray(np.linalg.lstsq(columns * root[:, None], y * root, rcond=None)[0], np.float64)
