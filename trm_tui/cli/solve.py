"""`eval` and `solve`: use a trained model."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trm_engine.text import three_digits
from trm_tui.cli.measure_text import evaluate_text_session
from trm_tui.cli.models import CheckpointOption, load_model, with_data_found_again
from trm_tui.cli.output import JsonFlag, print_facts, print_grid, print_json, print_text
from trm_tui.cli.train import SessionArgument
from trm_tui.cli.vote import evaluate_by_vote

if TYPE_CHECKING:
    from trm_engine.tasks.base import PuzzleTask, Tokens


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("eval")(evaluate)
    app.command()(solve)


def evaluate(
    ctx: typer.Context,
    session: SessionArgument,
    data: Annotated[
        str,
        typer.Option(
            metavar="PATH",
            help="Puzzles or text to measure on, default: what the session held out; "
            "or where its own data are now, if they have been moved.",
        ),
    ] = "",
    early_halt: Annotated[
        bool, typer.Option("--early-halt", help="Stop each puzzle when the model says that it is done.")
    ] = False,
    halt_max_steps: Annotated[
        int | None, typer.Option(min=1, max=4096, help="Supervision steps; default: the configuration's.")
    ] = None,
    checkpoint: CheckpointOption = None,
    vote: Annotated[
        bool, typer.Option("--vote", help="ARC: let answers to images of each held-out task vote; pass@k.")
    ] = False,
    augmentations: Annotated[
        int | None,
        typer.Option(min=0, help="With --vote: images of each task beside itself; default: all it has."),
    ] = None,
    submission: Annotated[
        Path | None, typer.Option(help="With --vote: write the competition's submission.json here.")
    ] = None,
    json: JsonFlag = False,
) -> int:
    """Measure exact and cell accuracy, puzzles per second and supervision steps; of text, the loss."""
    from trm_engine.errors import UsageError
    from trm_engine.inference.model import Model
    from trm_engine.inference.puzzle_model import PuzzleModel

    model, data = with_data_found_again(ctx, load_model(ctx, session, checkpoint, Model), data)
    if not isinstance(model, PuzzleModel):
        if vote or early_halt or augmentations is not None or submission is not None or halt_max_steps:
            raise UsageError("a text model has no steps and votes: only --data and --checkpoint are for it")
        return evaluate_text_session(model, data, as_json=json)
    if vote:
        if data:
            raise UsageError("--vote is about the session's own held-out tasks: leave --data out")
        return evaluate_by_vote(
            model,
            augmentations=augmentations,
            submission=submission,
            max_steps=halt_max_steps or model.config.eval_steps,
            early_halt=early_halt,
            as_json=json,
        )
    if augmentations is not None or submission is not None:
        raise UsageError("--augmentations and --submission belong to --vote")
    task = model.task()
    examples = task.load(data) if data else task.test
    result = model.evaluate(task, examples, max_steps=halt_max_steps or 0, early_halt=early_halt)
    if json:
        print_json({"session": model.session, "step": model.step, "data": data, **result.to_dict()})
        return 0
    steps = f"{result.ran_steps:.1f}" if early_halt else str(result.max_steps)
    valid = result.valid_accuracy
    print_facts(
        [
            ("puzzles", f"{result.puzzles:,} ({data or 'held out'})"),
            ("exact accuracy", f"{result.exact_accuracy:.2%} after {steps} supervision steps"),
            *([] if valid is None else [("solved", f"{valid:.2%}, by the label or any other right answer")]),
            ("cell accuracy", f"{result.cell_accuracy:.2%}"),
            (
                "with early halting",
                f"{result.early_exact_accuracy:.2%} after {result.mean_steps:.1f} steps on average",
            ),
            ("halting accuracy", f"{result.q_halt_accuracy:.2%} of puzzles at the last step"),
            ("speed", f"{three_digits(result.puzzles_per_second)} puzzles/s"),
        ],
        title=f"session {model.session}, step {model.step}",
    )
    return 0


def solve(
    ctx: typer.Context,
    session: SessionArgument,
    puzzle: Annotated[
        str,
        typer.Argument(
            metavar="[PUZZLE|-]",
            help="A puzzle as text, or - for stdin. ARC: task:ID[#2], a test input; task:ID 012/340, a grid.",
        ),
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
    """Solve one puzzle. Exit code 1 when the answer breaks a rule, or (ARC) is not known to be right."""
    from trm_engine.inference.puzzle_model import PuzzleModel

    model = load_model(ctx, session, checkpoint, PuzzleModel)
    task = model.task()
    text = sys.stdin.read(1_000_000) if puzzle == "-" else puzzle
    question, puzzle_id = task.parse(text), task.puzzle_id_of(text)
    refinements = []
    for refinement in model.refine(question, puzzle_id=puzzle_id, max_steps=halt_max_steps or 0):
        refinements.append(refinement)
        if steps and not json:
            changed = len(refinements) < 2 or (refinements[-2].answer != refinement.answer).any()
            print_text(f"step {refinement.step} · halt {refinement.halt_probability:.0%}")
            if changed:
                _draw(task, refinement.answer)
            else:
                print_text("(unchanged)")
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
            _draw(task, refinements[-1].answer)
        print_text(f"{verdict.reason} (after {len(refinements)} supervision steps)")
    return 0 if verdict.solved else 1


def _draw(task: PuzzleTask, tokens: Tokens) -> None:
    print_grid(task.grid(tokens), task.palette, task.render(tokens))
