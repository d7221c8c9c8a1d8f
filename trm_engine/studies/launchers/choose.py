"""From the name of a place to a launcher."""

from __future__ import annotations

from pathlib import Path

from trm_engine.errors import UsageError
from trm_engine.studies.launchers.base import Launcher
from trm_engine.studies.launchers.local import Local
from trm_engine.text import quoted

HERE = "local"


def launcher(where: str, root: Path, slots: int) -> Launcher:
    """Return what starts trials at `where`: local, ray, ray://HOST:PORT, slurm or slurm:local.

    `root` is the sessions folder, shared with wherever trials run. Raises `UsageError`.
    """
    if where == HERE:
        return Local(slots)
    if where in ("slurm", "slurm:local"):
        from trm_engine.studies.launchers.slurm import Slurm

        return Slurm(root, slots, cluster=where.rpartition(":")[2])
    if where == "ray" or where.startswith("ray://"):
        from trm_engine.studies.launchers.ray import OnRay

        return OnRay(slots, where if where != "ray" else "")
    raise UsageError(
        f"trials run on local, ray, ray://HOST:PORT, slurm or slurm:local, and not on {quoted(where)}"
    )
