"""Where a recursive model is looked for, in a stated order, and what is said when none is found.

1. what the registry or `TRM_CHECKPOINT_PATH` names: a session, or the path of a checkpoint;
2. the `best` checkpoint of the sessions that read the puzzle: the best score first, then the newest;
3. where people who come from other gateways keep theirs: `models/TRM/checkpoints/best.pt` and `latest.pt`,
   then `models/trm_checkpoint.pt`, in the working folder.
"""

from __future__ import annotations

from pathlib import Path

USUAL_PLACES = (
    Path("models/TRM/checkpoints/best.pt"),
    Path("models/TRM/checkpoints/latest.pt"),
    Path("models/trm_checkpoint.pt"),
)


def usual_checkpoint(folder: Path | None = None) -> Path | None:
    """Return the first of the usual places that holds a file; None where none does."""
    base = folder or Path()
    return next((base / place for place in USUAL_PLACES if (base / place).is_file()), None)


def order_in_words() -> str:
    """Return the order in a sentence, for who has no model."""
    places = ", ".join(str(place) for place in USUAL_PLACES)
    return (
        "looked for: the model chosen with trm-tui models select, then the best checkpoint of every session, "
        f"then {places}"
    )
