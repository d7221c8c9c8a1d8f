"""`eval` and `solve`: use a trained model."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from trm_tui.cli.context import settings
from trm_tui.cli.output import JsonFlag, notice, print_facts, print_json, print_text
from trm_tui.cli.train import SessionArgument

CheckpointOption = Annotated[
    str | None, typer.Option(metavar="STEP|best", help="Which checkpoint; default: the newest.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("eval")(evaluate)
    app.command()(solve)


def evaluate(
    ctx: typer.Context,
    session: SessionArgument,
    data: Annotated[
        str, typer.Option(help="Puzzles to measure on; default: the session's held-out puzzles.")
    ] = "",
    early_halt: Annotated[
        bool, typer.Option("--early-halt", help="Stop each puzzle when the model says that it is done.")
    ] = False,
    halt_max_steps: Annotated[
        int | None, typer.Option(min=1, max=4096, help="Supervision steps; default: the configuration's.")
    ] = None,
    checkpoint: CheckpointOption = None,
    json: JsonFlag = False,
) -> None:
    """Measure exact and cell accuracy, puzzles per second and supervision steps."""
    from engine.training.evaluate import evaluate as measure
    from engine.training.trained import load_trained

    model = load_trained(settings(ctx).store(), session, checkpoint)
    for warning in model.warnings:
        notice(f"warning: {warning}")
    task = model.task()
    examples = task.load(data) if data else task.test
    result = measure(
        model.network,
        examples,
        max_steps=halt_max_steps or model.config.eval_steps,
        batch_size=model.config.eval.batch_size,
        early_halt=early_halt,
    )
    if json:
        print_json({"session": model.session, "step": model.step, "data": data, **result.to_dict()})
        return
    steps = f"{result.ran_steps:.1f}" if early_halt else str(result.max_steps)
    print_facts(
        [
            ("puzzles", f"{result.puzzles:,} ({data or 'held out'})"),
            ("exact accuracy", f"{result.exact_accuracy:.2%} after {steps} supervision steps"),
            ("cell accuracy", f"{result.cell_accuracy:.2%}"),
            (
                "with early halting",
                f"{result.early_exact_accuracy:.2%} after {result.mean_steps:.1f} steps on average",
            ),
            ("halting right", f"{result.q_halt_accuracy:.2%} of puzzles at the last step"),
            ("speed", f"{result.puzzles_per_second:,.0f} puzzles/s"),
        ],
        title=f"session {model.session}, step {model.step}",
    )


def solve(
    ctx: typer.Context,
    session: SessionArgument,
    puzzle: Annotated[
        str, typer.Argument(metavar="[PUZZLE|-]", help="A puzzle as text, or - for stdin.")
    ] = "-",
    steps: Annotated[
        bool, typer.Option("--steps", help="Show the grid after every supervision step.")
    ] = False,
    halt_max_steps: Annotated[
        int | None,
        typer.Option(min=1, max=4096, help="Supervision steps at most; default: the configuration's."),
    ] = None,
    checkpoint: CheckpointOption = None,
    json: JsonFlag = False,
) -> int:
    """Solve one puzzle. Exit code 1 when the answer breaks a rule."""
    from engine.training.evaluate import refine
    from engine.training.trained import load_trained

    model = load_trained(settings(ctx).store(), session, checkpoint)
    for warning in model.warnings:
        notice(f"warning: {warning}")
    task = model.task()
    question = task.parse(sys.stdin.read(1_000_000) if puzzle == "-" else puzzle)
    refinements = []
    for refinement in refine(model.network, question, halt_max_steps or model.config.eval_steps):
        refinements.append(refinement)
        if steps and not json:
            changed = len(refinements) < 2 or (refinements[-2].answer != refinement.answer).any()
            print_text(f"step {refinement.step} · halt {refinement.halt_probability:.0%}")
            print_text(task.render(refinement.answer) if changed else "(unchanged)")
        if refinement.halt_probability > 0.5:
            break
    verdict = task.check(question, refinements[-1].answer)
    if json:
        shown = refinements if steps else refinements[-1:]
        print_json(
            {
                "session": model.session,
                "solved": verdict.solved,
                "reason": verdict.reason,
                "answer": task.line(refinements[-1].answer),
                "steps": [
                    {"step": r.step, "answer": task.line(r.answer), "halt_probability": r.halt_probability}
                    for r in shown
                ],
            }
        )
    else:
        if not steps:
            print_text(task.render(refinements[-1].answer))
        print_text(f"{verdict.reason} (after {len(refinements)} supervision steps)")
    return 0 if verdict.solved else 1
