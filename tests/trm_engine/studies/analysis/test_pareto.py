from __future__ import annotations

from trm_engine.studies.analysis.pareto import Candidate, frontier


def test_the_frontier_of_a_table_made_by_hand() -> None:
    table = [
        Candidate("cheap", 1, 0.5),
        Candidate("dominated", 3, 0.6),
        Candidate("middle", 2, 0.7),
        Candidate("as good but dearer", 4, 0.7),
        Candidate("best", 5, 0.9),
        Candidate("as dear but worse", 5, 0.8),
    ]
    found = frontier("cost", table, draws=10)
    assert [s.candidate.name for s in found.standings if s.undominated] == ["cheap", "middle", "best"]
    assert [s.share for s in found.standings if s.undominated] == [1, 1, 1]


def test_the_same_point_twice_is_on_the_frontier_twice() -> None:
    found = frontier("cost", [Candidate("a", 1, 0.5), Candidate("b", 1, 0.5)], draws=10)
    assert all(s.undominated for s in found.standings)


def test_uncertain_values_share_the_frontier() -> None:
    """Two equally good at the same cost: each is the better one in half of the draws."""
    found = frontier("cost", [Candidate("a", 1, 0.5, 0.01), Candidate("b", 1, 0.5, 0.01)])
    assert all(0.45 < s.share < 0.55 for s in found.standings)
    apart = frontier("cost", [Candidate("a", 1, 0.5, 0.01), Candidate("b", 1, 0.6, 0.01)])
    assert [round(s.share, 2) for s in apart.standings if s.undominated] == [1.0]
