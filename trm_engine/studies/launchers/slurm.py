"""Trials as jobs of Slurm, through submitit."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from trm_engine.errors import UsageError
from trm_engine.studies.claims import FOLDER, Claim
from trm_engine.studies.launchers.away import Messages, run_away
from trm_engine.studies.launchers.base import Request, Tell
from trm_engine.studies.launchers.followed import FollowedTrial

_MINUTES = 24 * 60
"""A job's limit of time, where the environment (SBATCH_TIMELIMIT) names none."""


class Slurm:
    """Submits trials; `cluster` is "slurm", or submitit's "local": processes of this machine.

    Partition, account and the like are told as sbatch itself reads them: SBATCH_PARTITION, SBATCH_ACCOUNT, …
    Raises `UsageError` without submitit, and where there is no Slurm.
    """

    def __init__(self, root: Path, slots: int, *, cluster: str = "slurm") -> None:
        if importlib.util.find_spec("submitit") is None:
            raise UsageError(
                "trials on Slurm need the package submitit, which is not installed: "
                'pip install "trm-tui[slurm]"'
            )
        import submitit

        self.slots = slots
        try:
            self._executor = submitit.AutoExecutor(folder=root / FOLDER / "slurm" / "%j", cluster=cluster)
        except (RuntimeError, ValueError) as error:
            raise UsageError("there is no Slurm on this machine: it has no command srun") from error

    def start(self, request: Request, claim: Claim, tell: Tell) -> FollowedTrial:
        """Submit a job."""
        messages = Messages(Path(request.root), claim.digest)
        messages.clear()
        self._executor.update_parameters(
            name=f"trm-{request.name}", cpus_per_task=request.threads, timeout_min=_MINUTES
        )
        return FollowedTrial(_SlurmJob(self._executor.submit(run_away, request.to_json())), messages, tell)

    def close(self) -> None:
        """Jobs live on their own."""


class _SlurmJob:
    def __init__(self, job: Any) -> None:
        self._job = job

    def done(self) -> bool:
        return bool(self._job.done())

    def result(self) -> tuple[int, str]:
        code, why = self._job.result()
        return int(code), str(why)

    def cancel(self) -> None:
        self._job.cancel()
