"""Evaluations of models that solve puzzles, in words."""

from __future__ import annotations

from trm_tui.shared.words import WORDS, Facts, Figures, Words, number

_OF_PART = "exact_accuracy_of_"


def _sentence(figures: Figures, final: bool) -> str:
    exact, cells = (number(figures, name) or 0.0 for name in ("exact_accuracy", "cell_accuracy"))
    of = f"{number(figures, 'puzzles') or 0:,.0f} {'test' if final else 'held-out'} puzzles"
    return f"{exact:.1%} of {of} exact, {cells:.1%} of cells"


def _facts(figures: Figures) -> Facts:
    puzzles = number(figures, "puzzles") or 0
    ran = number(figures, "ran_steps") or 0.0
    exact = f"{_share(figures, 'exact_accuracy')} of {puzzles:,.0f} puzzles after {ran:.3g} supervision steps"
    facts = [("exact accuracy", exact)]
    # A puzzle may have right answers beside its label.
    if number(figures, "valid_accuracy") is not None:
        facts.append(
            ("solved", f"{_share(figures, 'valid_accuracy')}, by the label or any other right answer")
        )
    of_parts = sorted(name for name in figures if name.startswith(_OF_PART))
    facts += [(f"exact, {name.removeprefix(_OF_PART)}", _share(figures, name)) for name in of_parts]
    facts += [
        ("cell accuracy", _share(figures, "cell_accuracy")),
        (
            "with early halting",
            f"{_share(figures, 'early_exact_accuracy')} after {number(figures, 'mean_steps') or 0:.1f} steps "
            "on average",
        ),
        ("halting accuracy", f"{_share(figures, 'q_halt_accuracy')} of puzzles at the last step"),
    ]
    return facts


def _brief(figures: Figures) -> Facts:
    puzzles = number(figures, "puzzles") or 0
    facts = [
        (name, f"{share:.1%} of {puzzles:,.0f} puzzles")
        for name, figure in (("exact", "exact_accuracy"), ("cells", "cell_accuracy"))
        if (share := number(figures, figure)) is not None
    ]
    if (steps := number(figures, "mean_steps")) is not None:
        facts.append(("halting", f"after {steps:.1f} supervision steps"))
    return facts


def _share(figures: Figures, name: str) -> str:
    return f"{number(figures, name) or 0.0:.2%}"


WORDS["puzzle"] = Words(
    label="exact",
    title="exact accuracy",
    best="best exact",
    examples="puzzles",
    rate=("puzzles_per_second", "puzzles/s"),
    show="{:.1%}".format,
    exactly="{:.1%}".format,
    alone="{:.1%}".format,
    sentence=_sentence,
    facts=_facts,
    brief=_brief,
)
