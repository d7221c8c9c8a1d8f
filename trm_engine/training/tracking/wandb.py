"""Weights & Biases: one run there for a session, in the session's folder `wandb/`.

Every sitting has a run folder of its own with the same id, and steps are said and never counted, so that
`wandb sync` brings them together.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

FOLDER = "wandb"


class WeightsAndBiases:
    """Logs into a run named by the session's id. What it was given once it keeps."""

    takes_back = False

    def __init__(self, session: Path, about: Mapping[str, Any]) -> None:
        import wandb

        self._run = wandb.init(
            id=session.name,
            name=about["name"] or session.name,
            group=about["group"] or None,
            project=about["project"],
            config=about["config"],
            mode=about["mode"],
            resume="allow" if about["mode"] == "online" else None,
            dir=session,
            # Figures alone: nothing of what else is on this machine or in its terminal.
            settings=wandb.Settings(
                silent=True,
                console="off",
                disable_git=True,
                disable_code=True,
                x_save_requirements=False,
                x_disable_stats=True,
                x_disable_machine_info=True,
            ),
        )

    def write(self, step: int, figures: Mapping[str, float]) -> None:
        """Log the figures of a step."""
        self._run.log(dict(figures), step=step)

    def take_back(self, step: int) -> None:
        """Not possible; never asked for."""

    def flush(self) -> None:
        """Nothing is held back: its own process writes."""

    def close(self) -> None:
        """Finish the run; online, after what is still on its way."""
        self._run.finish()
