"""The checkpoints of one session: saving so that a sound one always exists, finding the newest sound one.

A checkpoint appears under its name in one rename, after it has been read back. One that is replaced steps
aside under another name (`.old-…`) first; `recover` tidies what a crash has left and undoes a replacement cut
short.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from trm_engine.errors import ResourceError, SessionError
from trm_engine.files import Storage, disk_errors, is_real_folder, remove_tree
from trm_engine.sessions.checkpoints.best import Best, read_best, write_best
from trm_engine.sessions.checkpoints.checkpoint import (
    Checkpoint,
    estimated_bytes,
    read_checkpoint,
    write_checkpoint,
)
from trm_engine.sessions.checkpoints.manifest import (
    DamagedError,
    Manifest,
    check_sizes,
    read_manifest,
    verify,
)
from trm_engine.sessions.checkpoints.verified import Finding, VerifiedCheckpoints, signature
from trm_engine.sessions.layout import BEST, CONFIG, WEIGHTS
from trm_engine.text import format_bytes

_NEW = ".new-"
_OLD = ".old-"
_GONE = ".gone-"
_NAME = re.compile(rf"({re.escape(_OLD)})?([0-9]{{9,18}})")


@dataclass(frozen=True)
class CheckpointInfo:
    """What `sessions show` tells of a checkpoint."""

    step: int
    bytes: int
    time: datetime | None
    """When it was saved; None when its manifest is damaged."""
    best: bool
    problem: str | None
    """What is damaged, as far as it was looked at; None where nothing was found."""
    verified: bool
    """Whether every byte has been compared with its checksum; else only manifest, names and sizes have."""

    @property
    def sound(self) -> bool:
        """Whether nothing was found that would keep it from being loaded."""
        return self.problem is None


@dataclass(frozen=True)
class _Found:
    step: int
    path: Path
    manifest: Manifest | None
    """None when it cannot be read."""

    @property
    def age(self) -> tuple[int, int, bool]:
        """Sorts the newest last. One without a manifest counts as newest, so that loading mentions it."""
        serial = self.manifest.serial if self.manifest else 1 << 62
        return serial, self.step, not self.path.name.startswith(_OLD)


class Checkpoints:
    """The folder of a session's checkpoints. Only the holder of the session's lock may save or recover."""

    def __init__(self, folder: Path, storage: Storage) -> None:
        self._folder = folder
        self._storage = storage
        self._verified: dict[Path, str] = {}
        self._suspects: frozenset[Path] | None = None
        """What may be the best where its mark is damaged and no manifest says; None: not looked at yet."""

    def save(self, checkpoint: Checkpoint, *, keep: int, best_score: float | None = None) -> list[str]:
        """Save a checkpoint, then remove all but the newest `keep` sound ones and the best.

        With `best_score` it becomes the best. Returns what a person should know. Raises `ResourceError` when
        the disk is full or does not give back what was written, `SessionError` when it cannot be written
        otherwise; earlier checkpoints stay.
        """
        name = f"{checkpoint.step:09d}"
        try:
            with disk_errors(f"save the checkpoint of step {checkpoint.step}{self._intact()}"):
                if not is_real_folder(self._folder):
                    self._storage.make_folder(self._folder)
                # First what a crash has left: it takes the room that the new checkpoint needs.
                self.recover()
                self._check_room(checkpoint)
                self._settle_suspects()
                self._write(name, checkpoint, best_score)
                if best_score is not None:
                    self._mark_best(name)
            with disk_errors("remove the oldest checkpoints"):
                return self._prune(keep)
        except BaseException:
            with suppress(OSError):
                self.recover()
            raise

    def load(self, step: int | None = None) -> tuple[Checkpoint, list[str]]:
        """Return the newest sound checkpoint, with a sentence for every damaged one that was passed over.

        With `step`, only that one will do. Raises `SessionError` when there is none, or none that is sound.
        """
        found = self._newest_first()
        wanted = found if step is None else [one for one in found if one.step == step]
        session = self._folder.parent.name
        if not wanted:
            steps = ", ".join(str(number) for number in sorted({one.step for one in found}))
            if not found:
                raise SessionError(
                    f"session {session} ended before anything was saved: there is nothing to resume. Run "
                    f"its configuration anew: {self._folder.parent / CONFIG}"
                )
            raise SessionError(f"session {session} has no checkpoint of step {step}. It has steps {steps}.")
        problems: list[str] = []
        doubt = self._find_best()[1]
        # Newest first, each verified whole before a byte of it is used.
        for one in wanted:
            checkpoint = _read(one)
            if isinstance(checkpoint, Checkpoint):
                words = [f"{problem} The one of step {one.step} is used." for problem in problems]
                return checkpoint, [*words, *([doubt] if doubt else [])]
            problems.append(f"the checkpoint of step {one.step} is damaged: {checkpoint}.")
        advice = (
            " None is valid." if step is None else " Resume without naming it to use the newest valid one."
        )
        raise SessionError(f"session {session}: {problems[0]}{advice}")

    def infos(self, *, verify: bool = False) -> list[CheckpointInfo]:
        """Return all checkpoints by step.

        Manifest, names and sizes are compared, which costs next to nothing; what an earlier verification has
        found is remembered. With `verify`, every byte is read and compared anew.
        """
        best, memory = self.best(), VerifiedCheckpoints(self._folder)
        infos, findings = [], dict(memory.read())
        newest = {one.step: one for one in reversed(self._newest_first())}
        for step, one in sorted(newest.items()):
            with (
                disk_errors(f"read the checkpoint of step {step}"),
                suppress(FileNotFoundError),  # the run that is under way may remove one meanwhile
            ):
                size = sum(path.lstat().st_size for path in one.path.iterdir())
                time, now = one.manifest.time if one.manifest else None, signature(one.path)
                if verify:
                    findings[one.path.name] = Finding(signature=now, problem=_problem(one))
                found = findings.get(one.path.name)
                found = found if found is not None and found.signature == now else None
                problem = found.problem if found else _problem(one, sizes_only=True)
                infos.append(CheckpointInfo(step, size, time, _is(best, one), problem, found is not None))
        if verify:
            names = {one.path.name for one in newest.values()}
            memory.write({name: finding for name, finding in findings.items() if name in names})
        return infos

    def steps(self) -> list[int]:
        """Return the steps of the checkpoints that have a manifest, the newest last; none is read through."""
        return [one.step for one in reversed(self._newest_first()) if one.manifest is not None]

    def best(self) -> Best | None:
        """Return the mark of the best checkpoint; None when there is none or it has been replaced since."""
        return self._find_best()[0]

    def _find_best(self) -> tuple[Best | None, str]:
        """Return the best, and what is wrong with its mark: empty where all is well.

        A mark that is damaged is read in the newest manifest instead, where there is one that knows.
        """
        found = self._newest_first()
        recorded = next((one.manifest.best for one in found if one.manifest), None)
        known = recorded if any(_is(recorded, one) for one in found) else None
        try:
            mark, sealed = read_best(self._folder)
        except FileNotFoundError:
            return known, ""
        except (OSError, ValueError):
            return known, self._doubt(f"{BEST} is damaged", known)
        if any(_is(mark, one) for one in found):
            return mark, ""
        # Where a sealed mark fits no checkpoint, its step was saved again; one without a digest may be wrong.
        fine = sealed or known is not None or not found
        return known, "" if fine else self._doubt(f"{BEST} fits no checkpoint", None)

    def _doubt(self, problem: str, known: Best | None) -> str:
        if known is not None:
            return f"{problem}: by the newest checkpoint, the best is that of step {known.step}."
        return f"{problem}: which checkpoint is the best is not known, and those there are will be kept."

    def _settle_suspects(self) -> None:
        """Note, before the first save, which checkpoints may be the best without our knowing."""
        if self._suspects is None:
            best, problem = self._find_best()
            unknown = bool(problem) and best is None
            self._suspects = frozenset(one.path for one in self._found()) if unknown else frozenset()

    def recover(self) -> None:
        """Remove what a crash has left of a save, and finish or undo a replacement. Raises `OSError`."""
        if not is_real_folder(self._folder):
            return
        for path in sorted(self._folder.iterdir()):
            if path.name.startswith((_NEW, _GONE)) and is_real_folder(path):
                remove_tree(self._storage, path)
            elif path.name.startswith(_OLD) and _NAME.fullmatch(path.name) and is_real_folder(path):
                self._settle(path, path.with_name(path.name.removeprefix(_OLD)))

    def _settle(self, aside: Path, final: Path) -> None:
        """Keep the one of two checkpoints of the same step that is sound, preferring the newer."""
        # A crash came between setting the old aside and removing it: exactly one of the two may stay.
        if is_real_folder(final):
            if self._sound(final):
                return self._remove(aside)
            self._remove(final)
        self._storage.rename(aside, final)
        return self._storage.sync(self._folder)

    def _check_room(self, checkpoint: Checkpoint) -> None:
        needed, free = 2 * estimated_bytes(checkpoint), self._storage.free_bytes(self._folder)
        if free < needed:
            raise ResourceError(
                f"not enough disk space to save step {checkpoint.step}: {format_bytes(free)} free, "
                f"{format_bytes(needed)} needed ({self._folder}). Free some{self._intact()}."
            )

    def _intact(self) -> str:
        """Return the words that what was saved before stands; none where nothing was."""
        with suppress(OSError, SessionError):
            return "; earlier ones are intact" if any(True for _ in self._found()) else ""
        return ""

    def _write(self, name: str, checkpoint: Checkpoint, score: float | None) -> None:
        new, aside, final = (self._folder / f"{prefix}{name}" for prefix in (_NEW, _OLD, ""))
        serial = 1 + max((one.manifest.serial for one in self._newest_first() if one.manifest), default=0)
        write_checkpoint(self._storage, new, checkpoint, serial, best=self.best(), score=score)
        if not self._sound(new):
            raise ResourceError(
                f"the checkpoint of step {checkpoint.step} reads back differently from what was written: "
                f"the disk or the memory of this machine is failing{self._intact()}."
            )
        replaces = is_real_folder(final)
        if replaces:
            self._storage.rename(final, aside)
        self._storage.rename(new, final)
        self._storage.sync(self._folder)
        self._verified[final] = self._verified.pop(new)
        if replaces:
            self._remove(aside)

    def _mark_best(self, name: str) -> None:
        mark = read_manifest(self._folder / name).best
        assert mark is not None
        write_best(self._storage, self._folder, mark)

    def _prune(self, keep: int) -> list[str]:
        found = self._newest_first()
        kept = [one.path for one in found if self._sound(one.path)][:keep]
        if len(kept) < keep:
            return []
        best = self.best()
        words = []
        for one in found:
            if one.path in kept or _is(best, one) or one.path in (self._suspects or ()):
                continue
            if problem := _problem(one):
                words.append(f"the damaged checkpoint of step {one.step} is removed ({problem})")
            self._remove(one.path)
        return words

    def _remove(self, path: Path) -> None:
        """Remove a checkpoint so that a crash leaves no half of one under a checkpoint's name."""
        gone = path.with_name(_GONE + path.name)
        self._verified.pop(path, None)
        self._storage.rename(path, gone)
        remove_tree(self._storage, gone)

    def _newest_first(self) -> list[_Found]:
        return sorted(self._found(), key=lambda one: one.age, reverse=True)

    def _found(self) -> Iterator[_Found]:
        if not is_real_folder(self._folder):
            return
        with disk_errors(f"read the checkpoints of session {self._folder.parent.name}"):
            paths = list(self._folder.iterdir())
        for path in paths:
            match = _NAME.fullmatch(path.name)
            if match and is_real_folder(path):
                try:
                    manifest = read_manifest(path)
                except DamagedError:
                    manifest = None
                yield _Found(int(match[2]), path, manifest)

    def _sound(self, path: Path) -> bool:
        """Return whether a checkpoint is sound; if untouched since it was read, without reading it again."""
        now = signature(path)
        if self._verified.get(path) == now:
            return True
        try:
            verify(path)
        except DamagedError:
            return False
        self._verified[path] = now
        return True


def is_checkpoint(name: str) -> bool:
    """Whether a folder of that name is a checkpoint, be it one that steps aside."""
    return _NAME.fullmatch(name) is not None


def _read(one: _Found) -> Checkpoint | DamagedError:
    try:
        checkpoint = read_checkpoint(one.path)
    except DamagedError as error:
        return error
    return checkpoint if checkpoint.step == one.step else DamagedError(f"it is of step {checkpoint.step}")


def _problem(one: _Found, *, sizes_only: bool = False) -> str | None:
    try:
        manifest = check_sizes(one.path) if sizes_only else verify(one.path)
    except DamagedError as error:
        return str(error)
    return None if manifest.step == one.step else f"it is of step {manifest.step}"


def _is(best: Best | None, one: _Found) -> bool:
    if best is None or one.manifest is None:
        return False
    return one.step == best.step and one.manifest.files[WEIGHTS].sha256 == best.weights
