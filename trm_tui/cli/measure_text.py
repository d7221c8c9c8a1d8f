"""`eval` of a text model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trm_engine.text import three_digits
from trm_tui.cli.output import print_facts, print_json
from trm_tui.shared.results import text_facts

if TYPE_CHECKING:
    from trm_engine.inference.model import Model


def evaluate_text_session(model: Model, data: str, *, as_json: bool) -> int:
    """Measure the loss of a model on a text, or on what it held out; print it."""
    from trm_engine.inference.text_model import TextModel

    assert isinstance(model, TextModel)
    task = model.task()
    windows = task.load(data) if data else task.test
    result = model.evaluate(task, windows)
    figures = result.to_dict()
    if as_json:
        print_json({"session": model.session, "step": model.step, "data": data, **figures})
        return 0
    print_facts(
        [
            ("text", f"{result.windows:,} windows ({data or 'held out'})"),
            *text_facts(figures),
            ("speed", f"{three_digits(result.characters_per_second)} characters/s"),
        ],
        title=f"session {model.session}, step {model.step}",
    )
    return 0
