"""`eval --vote`: ARC tasks answered under many images each, and the answers counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from trm_engine.errors import UsageError
from trm_engine.text import format_seconds, safe_text
from trm_tui.cli.terminal.output import notice, print_facts, print_json

if TYPE_CHECKING:
    from trm_engine.inference.puzzle_model import PuzzleModel
    from trm_engine.inference.vote import Poll


def evaluate_by_vote(
    model: PuzzleModel,
    *,
    augmentations: int | None,
    submission: Path | None,
    max_steps: int,
    early_halt: bool,
    as_json: bool,
) -> int:
    """Vote on the held-out tasks of a model, print pass@k and write the submission; return the exit code.

    An interrupted vote prints what it found so far and writes no submission, for that would lack answers.
    Raises `UsageError` where the model learned no ARC tasks, or the submission cannot be written.
    """
    from trm_engine.inference.vote import predictor, vote
    from trm_engine.tasks.arc.task import ArcTask
    from trm_tui.cli.terminal.printers import JsonPrinter, ProgressPrinter
    from trm_tui.cli.terminal.sitting import seated

    task = model.task()
    if not isinstance(task, ArcTask):
        raise UsageError(
            f'--vote is for ARC tasks; session {model.session} learned "{model.config.task.kind}", '
            "which eval measures without it"
        )
    if submission is not None:
        _require_new(submission)
    given = getattr(model.config.task, "augmentations", 0)
    images = 1 + (given if augmentations is None else min(augmentations, given))
    printer = JsonPrinter() if as_json else ProgressPrinter(summary=False)
    with seated(printer, can_be_called_off=False) as sitting:
        progress = sitting.progress
        poll = vote(
            task,
            predictor(model.network, max_steps, early_halt=early_halt),
            images=images,
            batch_size=model.config.eval.batch_size,
            progress=None if progress is None else lambda done, total: progress("voting", done, total),
            stopping=lambda: sitting.control.stopping,
        )
    try:
        if submission is not None and poll.complete:
            _write(submission, poll)
    finally:  # what took hours is told even where it cannot be written
        _print(model, poll, images, submission, as_json)
    return 128 + sitting.control.signal_number if sitting.control.signal_number else 0


def _require_new(path: Path) -> None:
    """Refuse a file that cannot be written before hours are spent on what goes into it."""
    name = safe_text(str(path))
    if path.exists():
        raise UsageError(f"--submission {name}: exists already; name a new file")
    try:
        path.touch(exist_ok=False)
        path.unlink()
    except OSError as error:
        raise UsageError(f"--submission {name}: cannot be written: {error.strerror}") from error


def _write(path: Path, poll: Poll) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            json.dump(poll.submission(), file)
    except OSError as error:
        raise UsageError(
            f"--submission {safe_text(str(path))}: cannot be written: {error.strerror}"
        ) from error


def _say_too_large(poll: Poll, submission: Path | None) -> str:
    count = len(poll.too_large)
    answered = "; the submission has a placeholder for each test input" if submission is not None else ""
    return f"{count:,} {'task' if count == 1 else 'tasks'} did not fit the canvas (task.size){answered}"


def _print(model: PuzzleModel, poll: Poll, images: int, submission: Path | None, as_json: bool) -> None:
    written = str(submission) if submission is not None and submission.is_file() else ""
    if not poll.complete:
        lost = "; no submission is written" if submission is not None else ""
        notice(f"interrupted after {len(poll.outcomes)} test inputs{lost}")
    if as_json:
        facts = {"session": model.session, "step": model.step, "images": images, **poll.to_dict()}
        print_json({**facts, "submission": written})
        return
    tasks = len({outcome.query.task for outcome in poll.outcomes})
    rate = poll.predictions / poll.seconds if poll.seconds else 0.0
    passes = poll.to_dict()["pass"]
    assert isinstance(passes, dict)
    print_facts(
        [
            ("voted on", f"{len(poll.outcomes):,} test inputs of {tasks:,} tasks, {images:,} images of each"),
            *([("without votes", _say_too_large(poll, submission))] if poll.too_large else []),
            *((f"pass@{tries}", f"{share:.2%}") for tries, share in passes.items()),
            ("predictions", f"{poll.predictions:,} in {format_seconds(poll.seconds)} ({rate:,.1f}/s)"),
            *([("submission", written)] if written else []),
        ],
        title=f"session {model.session}, step {model.step}",
    )
