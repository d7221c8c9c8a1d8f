"""Going on with a run that has ended: how many steps more, and under which settings."""

from __future__ import annotations

from trm_engine.config.kinds import KINDS

MOST_STEPS = 10**8
"""More steps than this at once are a slip of the finger."""


def steps_problem(text: str) -> str:
    """Return what is wrong with a number of steps as a person wrote it; empty where nothing is."""
    if not text.isdecimal() or not 0 < int(text) <= MOST_STEPS:
        return f"a whole number from 1 to {MOST_STEPS}"
    return ""


def suggested_steps(steps: int) -> int:
    """Return how many more steps to suggest for a run of so many."""
    return max(steps // 2, 100)


def end_of(step: int, steps: int, *, completed: bool) -> int:
    """Return the step that more steps are counted from: where the run ended, or is to end."""
    return step if completed else max(step, steps)


def extension_words(text: str, step: int, steps: int, *, completed: bool) -> str:
    """Say what a number of steps, as a person wrote it, comes to: `200 more: 300 → 500`."""
    if steps_problem(text):
        return ""
    end = end_of(step, steps, completed=completed)
    stopped_early = completed and step < steps
    words = f"{int(text):,} more: {end:,} → {end + int(text):,} steps"
    return f"{words}; the target that ended it is switched off" if stopped_early else words


def extension(steps: int, *, reached_target: bool) -> list[str]:
    """Return the settings under which a run goes on until step `steps`.

    A run that ended because it had reached its target (accuracy of puzzles, loss of text) would end again at
    its first evaluation: the target is taken away.
    """
    settings = [f"train.steps={steps}"]
    targets = dict.fromkeys(kind.score.target for kind in KINDS.values())
    return settings + [f"eval.{target}=0" for target in targets] if reached_target else settings
