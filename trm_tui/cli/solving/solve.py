"""`eval` and `solve`: use a trained model."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trm_engine.errors import UsageError
from trm_engine.text import safe_text, three_digits
from trm_tui.cli.solving.looking import NoiseOption, TriesOption, ViewsOption, looking_for
from trm_tui.cli.solving.models import CheckpointOption, load_model, with_data_found_again
from trm_tui.cli.solving.vote import evaluate_by_vote
from trm_tui.cli.terminal.context import user_path
from trm_tui.cli.terminal.output import (
    JsonFlag,
    notice,
    print_facts,
    print_grid,
    print_json,
    print_marked,
    print_text,
)
from trm_tui.cli.train import SessionArgument

if TYPE_CHECKING:
    from trm_engine.inference.evaluation_result import Measured
    from trm_engine.inference.looks import Looking
    from trm_engine.inference.model import Model
    from trm_engine.inference.verified import Outcome, Seen
    from trm_engine.inference.verified_evaluation import VerifiedEvaluation
    from trm_engine.tasks.base import Fault, PuzzleTask, Task, Verdict
    from trm_engine.tasks.examples import Source, Tokens


STDIN = "-"
_MOST_PIPED = 1_000_000
_LONGEST_NAME = 4096


def puzzle_text(argument: str) -> str:
    """Return the puzzle's text; what stdin brings may be written as Windows and old Macs write text too."""
    from trm_engine.tasks.puzzle_lists.files import decoded

    if argument != STDIN:
        return argument
    stream = getattr(sys.stdin, "buffer", None)
    if stream is None:
        return decoded(sys.stdin.read(_MOST_PIPED).encode("utf-8", "surrogateescape"))
    return decoded(stream.read(_MOST_PIPED))


@contextmanager
def naming_files(session: str, argument: str) -> Iterator[None]:
    """Say how a file is handed over, where what is refused as a puzzle is the name of one."""
    try:
        yield
    except UsageError as error:
        if not _is_file(argument):
            raise
        name = safe_text(argument)
        raise UsageError(
            f"{error}\nThere is a file {name}: trm-tui solve {session} - < {name} solves the puzzle in it; "
            f"trm-tui eval {session} --data {name} measures on a list."
        ) from error


def _is_file(argument: str) -> bool:
    try:
        return len(argument) < _LONGEST_NAME and Path(argument).expanduser().is_file()
    except (OSError, RuntimeError, ValueError):
        return False


_FAULTS = 8
"""Broken rules that are listed at most."""


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
        bool,
        typer.Option(
            "--early-halt", help="Stop each puzzle when the halting head says that its answer is right."
        ),
    ] = False,
    halt_max_steps: Annotated[
        int | None, typer.Option(min=1, max=4096, help="Supervision steps; default: the configuration's.")
    ] = None,
    views: ViewsOption = None,
    noise: NoiseOption = None,
    tries: TriesOption = None,
    checkpoint: CheckpointOption = None,
    vote: Annotated[
        bool, typer.Option("--vote", help="ARC: vote over augmented copies of each held-out task; pass@k.")
    ] = False,
    augmentations: Annotated[
        int | None,
        typer.Option(min=0, help="With --vote: augmented images of each task; default: all it has."),
    ] = None,
    submission: Annotated[
        Path | None,
        typer.Option(
            parser=user_path,
            metavar="FILE",
            help="With --vote: write the competition's submission.json here.",
        ),
    ] = None,
    json: JsonFlag = False,
) -> int:
    """Measure exact and cell accuracy, puzzles per second and supervision steps; of text, the loss."""
    from trm_engine.config.kinds import kind_of
    from trm_engine.errors import UsageError
    from trm_engine.inference.model import Model
    from trm_engine.inference.puzzle_model import PuzzleModel

    looks_again = views is not None or noise is not None or tries is not None
    model, data = with_data_found_again(ctx, load_model(ctx, session, checkpoint, Model), data)
    if not isinstance(model, PuzzleModel):
        asked = (vote, early_halt, augmentations is not None, submission is not None, halt_max_steps)
        if any(asked) or looks_again:
            what = kind_of(model.config).models
            raise UsageError(f"{what} has no steps and votes: only --data and --checkpoint are for it")
        task = model.task()
        _print_measured(model, data, model.evaluate(task, _examples(model, task, data)), as_json=json)
        return 0
    if vote:
        if looks_again:
            raise UsageError("--vote has images of its own: leave --views, --noise and --tries out")
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
    puzzles = model.task()
    examples = _examples(model, puzzles, data)
    looking = looking_for(model, puzzles, views, noise, tries, halt_max_steps) if looks_again else None
    result = model.evaluate(puzzles, examples, max_steps=halt_max_steps or 0, early_halt=early_halt)
    verified = None if looking is None else model.evaluate_verified(puzzles, examples, looking)
    _print_measured(model, data, result, verified, as_json=json)
    return 0


def _examples(model: Model, task: Task, data: str) -> Source:
    """Read what is measured on, and print what there is to know of it."""
    from trm_engine.errors import UsageError
    from trm_engine.remedies import Advice
    from trm_engine.training.provenance import data_of_session

    if data:
        examples = task.load(data)
    else:
        with data_of_session(model.session):
            examples = task.test
    if not len(examples):
        raise UsageError("no held-out input has a known output: nothing to measure", remedies=[Advice.VOTE])
    for note in examples.notes:
        notice(note)
    return examples


def _print_measured(
    model: Model, data: str, result: Measured, verified: VerifiedEvaluation | None = None, *, as_json: bool
) -> None:
    """Print an evaluation in the words of the model's kind."""
    from trm_engine.config.kinds import kind_of
    from trm_tui.shared.words import number, words_of

    figures = result.to_dict()
    if as_json:
        more = {} if verified is None else {"verified": verified.to_dict()}
        print_json({"session": model.session, "step": model.step, "data": data, **figures, **more})
        return
    words = words_of(kind_of(model.config))
    rate, unit = words.rate
    print_facts(
        [
            (words.examples, f"{number(figures, words.examples) or 0:,.0f} ({data or 'held out'})"),
            *words.facts(figures),
            ("speed", f"{three_digits(number(figures, rate) or 0.0)} {unit}"),
            *([] if verified is None else _verified_facts(verified)),
        ],
        title=f"session {model.session}, step {model.step}",
    )


def _verified_facts(found: VerifiedEvaluation) -> list[tuple[str, str]]:
    """Return the figures of several looks, apart from those of one."""
    how = f"noise {found.looking.noise:g}" if found.looking.noise else "views"
    looks = found.looking.looks
    if found.judges:
        shares = ", ".join(f"{share:.2%} in {limit}" for limit, share in found.within().items())
        what = ("verified", f"{found.accuracy:.2%} with at most {looks} {how}, by the rules alone ({shares})")
    else:
        what = ("chosen", f"{found.accuracy:.2%} exact, the most confident of {looks} attempts ({how})")
    return [
        what,
        (
            "its cost",
            f"{found.mean_looks:.2f} attempts and {found.mean_steps:.1f} supervision steps a puzzle",
        ),
        ("its speed", f"{three_digits(found.puzzles_per_second)} puzzles/s"),
    ]


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
    views: ViewsOption = None,
    noise: NoiseOption = None,
    tries: TriesOption = None,
    halt_max_steps: Annotated[
        int | None,
        typer.Option(min=1, max=4096, help="Supervision steps of a view; default: the configuration's."),
    ] = None,
    checkpoint: CheckpointOption = None,
    json: JsonFlag = False,
) -> int:
    """Solve one puzzle. Exit code 1 when the answer breaks a rule, or (ARC) is not known to be right."""
    from trm_engine.inference.puzzle_model import PuzzleModel

    model = load_model(ctx, session, checkpoint, PuzzleModel)
    task = model.task()
    text = puzzle_text(puzzle)
    with naming_files(session, puzzle):
        question, puzzle_id = task.parse(text), task.puzzle_id_of(text)
    looking = looking_for(model, task, views, noise, tries, halt_max_steps)
    shown: list[Seen] = []

    def observe(seen: Seen) -> None:
        if steps and not json:
            _draw_step(task, seen, shown[-1] if shown else None, looking)
        shown.append(seen)

    found = model.solve(task, question, puzzle_id=puzzle_id, looking=looking, observe=observe)
    verdict = task.check(question, found.answer)
    faults = task.faults(question, found.answer)
    if json:
        print_json(
            {
                "session": model.session,
                "solved": verdict.solved,
                "reason": verdict.reason,
                "answer": task.line(found.answer),
                "looks": found.looks,
                "supervision_steps": found.steps,
                "faults": [{"cells": list(fault.cells), "reason": fault.reason} for fault in faults],
                "steps": [_as_json(task, seen) for seen in (shown if steps else shown[-1:])],
            }
        )
    else:
        if not steps or not verdict.solved:
            _draw(task, found.answer)
        _print_verdict(task, found, verdict, faults, looking)
    return 0 if verdict.solved else 1


def _draw_step(task: PuzzleTask, seen: Seen, before: Seen | None, looking: Looking) -> None:
    """Write a step as it is computed: the look that it belongs to, and the grid where it has changed."""
    look = f"attempt {seen.look} · " if looking.looks > 1 else ""
    print_text(f"{look}step {seen.step} · halt {seen.halt_probability:.0%}")
    same_look = before is not None and before.look == seen.look
    if before is not None and same_look and (before.answer == seen.answer).all():
        print_text("(unchanged)")
    else:
        _draw(task, seen.answer)


def _print_verdict(
    task: PuzzleTask, found: Outcome, verdict: Verdict, faults: Sequence[Fault], looking: Looking
) -> None:
    """Say how an answer was come by; of one that breaks rules, mark which."""
    looks = f", attempt {found.looks} of at most {looking.looks}" if looking.looks > 1 else ""
    cost = f"after {found.steps} supervision steps{looks}"
    if verdict.solved or not task.judges_all:
        print_text(f"{verdict.reason} ({cost})")
        return
    print_text(
        f"unproven: no attempt passed the check ({cost}); this is the model's most confident answer "
        f"({found.halt_probability:.0%})"
    )
    for fault in faults[:_FAULTS]:
        print_text(f"- {fault.reason}")
    if len(faults) > _FAULTS:
        print_text(f"- and {len(faults) - _FAULTS} more")
    marked = {cell for fault in faults for cell in fault.cells}
    if marked:
        print_marked(task.grid(found.answer), marked)


def _as_json(task: PuzzleTask, seen: Seen) -> dict[str, object]:
    return {
        "look": seen.look,
        "step": seen.step,
        "answer": task.line(seen.answer),
        "halt_probability": seen.halt_probability,
    }


def _draw(task: PuzzleTask, tokens: Tokens) -> None:
    print_grid(task.grid(tokens), task.palette, task.render(tokens))
