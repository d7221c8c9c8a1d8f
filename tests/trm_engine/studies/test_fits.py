from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from planted import SIZES, A, B, C, drawn, law, valley

from trm_engine.studies.fitting.fits import fit
from trm_engine.studies.fitting.points import Run


def test_a_law_without_noise_is_recovered_exactly() -> None:
    found = fit([Run(x, law(x)) for x in SIZES]).to_dict()
    assert (found["a"], found["b"], found["c"]) == pytest.approx((A, B, C), rel=1e-6)
    assert found["preferred"] == "power law"


def test_a_falling_law_is_recovered_too() -> None:
    """A loss falls to its asymptote: b is negative."""
    found = fit([Run(x, 1.7 + 3 * x**-0.4) for x in (1, 3, 10, 30, 100)]).to_dict()
    assert (found["a"], found["b"], found["c"]) == pytest.approx((1.7, -3, 0.4), rel=1e-6)
    assert found["preferred"] == "power law"


def test_the_unit_of_x_does_not_matter() -> None:
    runs = drawn(law, np.random.default_rng(1))
    in_units, in_millions = fit(runs), fit([Run(r.x / 1e6, r.y, r.n) for r in runs])
    for name in ("a", "c"):
        one, other = in_units.interval(name), in_millions.interval(name)
        assert one is not None
        assert other is not None
        assert (one.low, one.high) == pytest.approx((other.low, other.high), rel=1e-5)
    assert in_units.preferred == in_millions.preferred


@pytest.mark.parametrize(("n", "seeds", "seed_sd"), [(500, 3, 0.013), (2000, 3, 0.013), (5000, 1, 0.0)])
def test_intervals_hold_the_truth_as_often_as_they_say(n: int, seeds: int, seed_sd: float) -> None:
    """90 % intervals, 200 repeats: 85 to 97 % hold it, and more where the noise is smaller than assumed."""
    rng, repeats = np.random.default_rng(7), 200
    held = Counter[str]()
    for _ in range(repeats):
        found = fit(drawn(law, rng, n=n, seeds=seeds, seed_sd=seed_sd), draws=100)
        for name, truth in (("a", A), ("c", C)):
            interval = found.interval(name)
            assert interval is not None
            held[name] += interval.low <= truth <= interval.high
    assert 0.85 <= held["a"] / repeats <= 0.98
    assert 0.85 <= held["c"] / repeats <= 0.98


def test_flat_data_are_constant_and_never_a_power_law() -> None:
    rng = np.random.default_rng(3)
    found = Counter(fit(drawn(lambda _: 0.8, rng), draws=2).preferred for _ in range(100))
    assert found["constant"] >= 95
    assert found["power law"] <= 1


@pytest.mark.parametrize(("n", "seeds", "seed_sd"), [(500, 3, 0.013), (5000, 1, 0.0)])
def test_data_that_turn_back_have_no_law(n: int, seeds: int, seed_sd: float) -> None:
    rng = np.random.default_rng(4)
    found = Counter(
        fit(drawn(valley, rng, n=n, seeds=seeds, seed_sd=seed_sd), draws=2).preferred for _ in range(50)
    )
    assert found["no law"] == 50


def test_data_that_turn_back_have_no_law_where_nothing_is_known_of_their_noise() -> None:
    assert fit([Run(x, valley(x)) for x in SIZES]).preferred == "no law"


def test_a_true_law_is_rarely_said_not_to_hold() -> None:
    rng = np.random.default_rng(5)
    found = [fit(drawn(law, rng), draws=2) for _ in range(100)]
    assert sum(one.preferred == "no law" for one in found) <= 5
    assert sum(one.to_dict()["lack_of_fit_p"] < 0.05 for one in found) <= 10  # type: ignore[operator]


def test_few_noisy_points_do_not_tell_a_power_law_from_a_line() -> None:
    rng = np.random.default_rng(6)
    found = Counter(fit(drawn(law, rng, n=200), draws=2).preferred for _ in range(50))
    assert found["not distinguishable"] > 20


def test_equal_values_are_constant() -> None:
    """Without any scatter there is nothing to weigh by."""
    for n in (0, 500):
        assert fit([Run(x, 0.8, n) for x in SIZES for _ in range(3)]).preferred == "constant"


@pytest.mark.parametrize("apex", [2.67, 4.0, 7.0, 12.0])
def test_one_seed_is_enough_to_see_data_turn_back(apex: float) -> None:
    """Wherever between the ends they are best, and with a little noise that nobody tells the size of."""
    rng, turned = np.random.default_rng(11), 0
    for _ in range(40):
        runs = [
            Run(x, 0.87 - 0.03 * np.log(x / 1e6 / apex) ** 2 + 0.003 * rng.standard_normal()) for x in SIZES
        ]
        turned += fit(runs, draws=2).preferred == "no law"
    assert turned >= 36


def test_one_seed_rarely_turns_a_law_or_a_constant_back() -> None:
    rng = np.random.default_rng(12)
    found = Counter[str]()
    for _ in range(100):
        for name, truth in (("law", law), ("flat", lambda _: 0.8)):
            runs = [Run(x, truth(x) + 0.005 * rng.standard_normal()) for x in SIZES]
            found[f"{name} {fit(runs, draws=2).preferred}"] += 1
    assert found["law no law"] <= 5
    assert found["flat no law"] <= 5
    assert found["flat constant"] >= 85
    assert found["flat power law"] <= 2


def test_three_sizes_are_too_few() -> None:
    found = fit([Run(x, law(x), 500) for x in SIZES[:3]]).to_dict()
    assert found["preferred"] == "too few"
    assert (found["a"], found["lack_of_fit_p"]) == (None, None)


def test_shares_of_0_and_1_have_an_uncertainty() -> None:
    found = fit([Run(x, y, 100) for x, y in zip(SIZES, (0, 0.2, 0.6, 0.9, 1, 1), strict=True)])
    assert found.law is not None
    assert 0 <= float(found.law.a[0]) <= 1
    low, high = found.point_intervals()
    assert low[-1] < high[-1]


def test_one_run_far_off_its_seeds_changes_nothing_much_and_is_named() -> None:
    runs = drawn(law, np.random.default_rng(8))
    whole = fit(runs)
    broken = fit([Run(runs[4].x, 0.0, 500) if run is runs[4] else run for run in runs])
    assert whole.law is not None
    assert broken.law is not None
    assert float(broken.law.a[0]) == pytest.approx(float(whole.law.a[0]), abs=0.02)
    assert any("so far off" in remark for remark in broken.remarks)


def test_equal_runs_give_equal_intervals() -> None:
    runs = drawn(law, np.random.default_rng(9))
    assert fit(runs).to_dict() == fit(list(reversed(runs))).to_dict()


def test_nothing_is_predicted_far_beyond_the_points() -> None:
    found = fit(drawn(law, np.random.default_rng(10)))
    value, low, high = found.predict(np.array([SIZES[-1] * 3, SIZES[-1] * 5]))
    assert low[0] <= value[0] <= high[0]
    assert np.isnan(value[1])
