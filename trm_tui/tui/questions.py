"""What the app asks before it stops, extends or closes the run on screen."""

from __future__ import annotations

from typing import Any

from textual.app import App

from trm_tui.tui.common.dialogs import Answer, Ask, Choice
from trm_tui.tui.host import host_of
from trm_tui.workbench.extension import end_of, extension_words, steps_problem, suggested_steps
from trm_tui.workbench.possible import require


def ask_stop(app: App[Any]) -> None:
    """Ask, then save the run and end it."""
    host = host_of(app)
    run = host.workbench.snapshot()
    if not host.guard(require, "stop", run):
        return

    def answered(stop: bool | None) -> None:
        if stop:
            host.guard(host.workbench.stop)

    answers = [Answer("x", "Stop and save", True), Answer("k", "Keep training", False)]
    text = f"It is saved at step {run.step:,}; space resumes it from there."
    app.push_screen(Choice(f"Stop {run.title}?", text, answers), answered)


def ask_extend(app: App[Any]) -> None:
    """Ask for how many more steps to train, then train them."""
    host = host_of(app)
    run = host.workbench.snapshot()
    if not host.guard(require, "extend", run):
        return

    def answered(steps: str | None) -> None:
        if steps is not None:
            host.guard(host.workbench.extend, int(steps))

    completed = run.state == "completed"
    question = Ask(
        "Train more steps",
        f"Finished at step {run.step:,} ({run.reason})." if completed else f"At step {run.step:,}.",
        value=str(suggested_steps(end_of(run.step, run.steps, completed=completed))),
        check=steps_problem,
        hint=lambda text: extension_words(text, run.step, run.steps, completed=completed),
    )
    app.push_screen(question, answered)


def ask_close(app: App[Any]) -> None:
    """Save and close the slot on screen; ask where its run has not ended."""
    host = host_of(app)
    run = host.workbench.snapshot()
    if not host.guard(require, "close", run):
        return

    def close(slot: int | None) -> None:
        if slot and host.guard(host.workbench.close_slot, slot) and not host.workbench.slots():
            host.action_mode("dashboard")

    if not run.active:
        close(run.slot)
        return
    answers = [Answer("x", "Save, stop and close", run.slot), Answer("k", "Keep it open", 0)]
    app.push_screen(Choice(f"Close slot {run.slot}?", f"{run.title} is {run.state}.", answers), close)
