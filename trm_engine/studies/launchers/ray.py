"""Trials as tasks of a Ray cluster; of Ray only `remote`, `wait`, `get` and `cancel` are used."""

from __future__ import annotations

import importlib.util
import logging
import os
from pathlib import Path
from typing import Any

from trm_engine.errors import UsageError
from trm_engine.studies.claims import Claim
from trm_engine.studies.launchers.away import Messages, run_away
from trm_engine.studies.launchers.base import Request, Tell
from trm_engine.studies.launchers.followed import FollowedTrial
from trm_engine.text import one_line


class OnRay:
    """Starts tasks on the cluster at `address` (ray://HOST:PORT), else on one that runs here or is started.

    Raises `UsageError` without Ray, and where the cluster cannot be reached.
    """

    def __init__(self, slots: int, address: str = "") -> None:
        if importlib.util.find_spec("ray") is None:
            raise UsageError(
                'trials on Ray need the package ray, which is not installed: pip install "trm-tui[ray]"'
            )
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        import ray

        self.slots = slots
        try:
            ray.init(
                address=address or None,
                log_to_driver=False,
                logging_level=logging.ERROR,
                **({} if address else {"include_dashboard": False}),
            )
        except Exception as error:  # Ray raises errors of many kinds, those of gRPC among them
            raise UsageError(f"{address or 'Ray'} cannot be used: {one_line(str(error))[:300]}") from error
        self._ray = ray
        # Retrying is the runner's: it knows the session to go on with.
        self._task = ray.remote(max_retries=0)(run_away)

    def start(self, request: Request, claim: Claim, tell: Tell) -> FollowedTrial:
        """Start a task."""
        messages = Messages(Path(request.root), claim.digest)
        messages.clear()
        task = self._task.options(num_cpus=request.threads, name=request.name).remote(request.to_json())
        return FollowedTrial(_RayJob(self._ray, task), messages, tell)

    def close(self) -> None:
        """Leave the cluster; one that was started for this ends."""
        self._ray.shutdown()


class _RayJob:
    def __init__(self, ray: Any, task: Any) -> None:
        self._ray, self._task = ray, task

    def done(self) -> bool:
        ready, _ = self._ray.wait([self._task], timeout=0)
        return bool(ready)

    def result(self) -> tuple[int, str]:
        code, why = self._ray.get(self._task)
        return int(code), str(why)

    def cancel(self) -> None:
        self._ray.cancel(self._task)
