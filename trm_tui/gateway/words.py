"""What the gateway says by itself: answers without a language model, questions back, and help."""

from __future__ import annotations

from collections.abc import Sequence

from trm_engine.config.sections import TaskConfig
from trm_engine.serving.recogniser import Found, NearMiss
from trm_engine.serving.residents import Resident
from trm_engine.serving.solving import Answer
from trm_engine.tasks.base import Fault
from trm_engine.text import safe_text
from trm_tui.gateway.advice import Advice
from trm_tui.gateway.documents.passages import Passage

DOES_NOT_CHAT = (
    "I am a Tiny Recursive Model: I solve grid puzzles, and I do not chat. Send me a Sudoku (4×4 to "
    "16×16), a "
    "maze of # . S G, or an ARC task as JSON, in any notation. To talk as well, give me a language model: "
    "`trm-tui models add NAME FILE.gguf` or `trm-tui models add NAME URL`."
)
_SHOWN = 500


def grid_block(resident: Resident, answer: Answer) -> str:
    """Return the answer's grid as a block of text: the only place where a grid of a reply comes from."""
    return f"```grid\n{resident.task.render(answer.answer)}\n```"


def solved_words(resident: Resident, answer: Answer) -> str:
    """Say what came of a puzzle, checked; the grid itself stands beneath."""
    served = resident.served
    what, who = served.config.task.called, safe_text(served.title)
    steps = f"{len(answer.steps)} step{'s' * (len(answer.steps) != 1)}"
    if answer.verdict.solved:
        look = f", at its view {answer.views + 1}" if answer.views else ""
        return f"**{what}: solved** by {who} in {steps}{look}. Checked: {safe_text(answer.verdict.reason)}."
    if not resident.task.judges_all:
        return (
            f"**{what}: unproven.** {who} answers after {steps}; nobody wrote down the rules of such "
            f"tasks, so "
            "nothing proves that this is right."
        )
    return (
        f"**{what}: not solved.** After {steps} the best grid of {who} still breaks a rule: "
        f"{safe_text(answer.verdict.reason)}. It is shown for what it is, and is not an answer."
    )


def near_miss_question(near: NearMiss) -> str:
    """Ask back about what looks like a puzzle but is not a valid one."""
    what = {"sudoku": "Sudoku", "maze": "maze"}.get(near.kind, near.kind.replace("_", " "))
    return f"This looks like a {what}, but {near.reason}. Could you look at it again and send it once more?"


def unsettled_question(found: Found, doubt: Fault, solutions: int) -> str:
    """Ask back about a puzzle without a solution, or with several."""
    what = found.config.called
    if solutions == 0:
        return (
            f"This {what} has no solution: {safe_text(doubt.reason)}. Is one of its clues copied "
            f"wrongly? Send "
            "it once more and I solve it."
        )
    return (
        f"This {what} has more than one solution: {safe_text(doubt.reason)}. Is a clue missing? Send it with "
        'that clue, or say "any solution" and I give you one of them.'
    )


def no_model_words(config: TaskConfig, advice: Advice | None, have: Sequence[str], order: str) -> str:
    """Say that no session has learned such puzzles, and what would make one."""
    how = f"This trains one: {advice}." if advice is not None else "No preset learns this kind."
    own = f" The sessions here have learned: {', '.join(have)}." if have else f" There is none yet ({order})."
    return f"I see a {config.called}, and no session has learned that. {how}{own}"


def other_model_words(found: Found, resident_title: str, resident_config: TaskConfig) -> str:
    """Say that the model that was chosen has learned another kind."""
    return (
        f"I see a {found.config.called}, and {safe_text(resident_title)} has learned "
        f"{resident_config.called} "
        "puzzles. Choose the model `auto`, and the fitting one answers."
    )


def passages_words(passages: Sequence[Passage]) -> str:
    """Answer with the passages themselves."""
    parts = [
        f"**[{number}] {one.title or one.where}**\n{_short(one.text)}"
        for number, one in enumerate(passages, 1)
    ]
    return "\n\n".join(["This is what the documents say; no language model is chosen to word it.", *parts])


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN].rsplit(" ", 1)[0] + " …"
