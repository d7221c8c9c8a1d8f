"""Changes of the configuration while it is trained: asked for, replayed, or forced by memory.

Each takes effect between two steps, and is written into the session's history with its step and reason.
"""

from __future__ import annotations

from collections.abc import Mapping

from trm_engine.config import Config, Value, change, dumps
from trm_engine.config.diff import changed_trial
from trm_engine.errors import ConfigError
from trm_engine.training.memory_policy import Change
from trm_engine.training.run import Run


class Changes:
    """Brings changes of a run's configuration in force. `plan` says those of a replay, by their step."""

    def __init__(self, run: Run, plan: Mapping[int, Config]) -> None:
        self.out_of_memory = False
        """Whether the run was stopped because memory was short and nothing could be made smaller."""
        self._run = run
        self._plan = dict(plan)

    def apply(self) -> None:
        """Bring in force what memory, the plan and whoever commands the run ask for before the next step."""
        self._heed_memory()
        control, step = self._run.control, self._run.step
        if (planned := self._plan.pop(step, None)) is not None:
            self._reconfigure(planned, "replayed")
        if extra := control.take_extension():
            steps = self._config.train.steps + extra
            self._change({"train.steps": steps}, f"extended by {extra} steps")
        if (factor := control.take_lr_factor()) != 1:
            train = self._config.train
            rates = {f"train.{name}": getattr(train, name) * factor for name in ("lr", "puzzle_emb_lr")}
            self._change(rates, f"learning rate × {factor:g}")

    @property
    def next_planned(self) -> int | None:
        """The step before which a replay changes the configuration next."""
        return min(self._plan, default=None)

    def shrink(self, why: str) -> None:
        """Train on fewer rows at once because memory ran out; where that cannot be, stop the run."""
        change = self._run.memory.smaller(self._config, why)
        if change is not None:
            self.take(change)
        else:
            self.stop_without_memory(f"{why} with the smallest batch; free some, then resume")

    def take(self, change: Change) -> None:
        """Bring a change that memory asked for in force."""
        run = self._run
        trial = changed_trial(self._config, change.config)
        run.learner.reconfigure(change.config)
        run.session.configure(dumps(change.config), run.step, change.why, trial=trial)
        run.memory.took(change)
        run.reporter.warn(change.code, f"step {run.step}: {change.why}")

    def stop_without_memory(self, reason: str) -> None:
        """Stop the run, resumable, because memory is short."""
        self.out_of_memory = True
        self._run.reporter.warn("out-of-memory", reason)
        self._run.control.stop(reason)

    @property
    def _config(self) -> Config:
        return self._run.learner.config

    def _heed_memory(self) -> None:
        memory = self._run.memory
        if (change := memory.due(self._config)) is not None:
            self.take(change)
        elif memory.must_stop(self._config):
            self.stop_without_memory(memory.stop_reason())

    def _change(self, settings: Mapping[str, Value], reason: str) -> None:
        """Change settings, unless the configuration could not be so: a session must stay resumable."""
        try:
            changed = change(self._config, settings)
        except ConfigError as error:
            self._run.reporter.warn("change-refused", f"{reason} refused: {'; '.join(error.problems)}")
        else:
            self._reconfigure(changed, reason)

    def _reconfigure(self, config: Config, reason: str) -> None:
        run = self._run
        trial = changed_trial(self._config, config)
        run.learner.reconfigure(config)
        run.session.configure(dumps(config), run.step, reason, trial=trial)
        run.session.log("info", f"configuration at step {run.step}: {reason}")
