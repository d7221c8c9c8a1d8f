"""`eval` of a text model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trm_engine.text import three_digits
from trm_tui.cli.output import notice, print_facts, print_json
from trm_tui.shared.results import text_facts

if TYPE_CHECKING:
    from trm_engine.sessions import Store


def learned_text(store: Store, ref: str) -> bool:
    """Return whether a session has learned text."""
    import trm_engine.tasks  # noqa: F401  # registers the tasks' configurations
    from trm_engine.config import loads

    session = store.get(ref)
    return loads(session.config_text, f"session {session.id}").model.architecture == "text"


def evaluate_text_session(store: Store, ref: str, data: str, checkpoint: str | None, *, as_json: bool) -> int:
    """Measure the loss of a session's model on a text, or on what it held out; print it."""
    from trm_engine.inference.evaluate_text import evaluate_text
    from trm_engine.inference.load_text import load_text

    model = load_text(store, ref, checkpoint)
    for warning in model.warnings:
        notice(f"warning: {warning}")
    task = model.task()
    windows = task.load(data) if data else task.test
    result = evaluate_text(model.network, windows, batch_size=model.config.eval.batch_size)
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
