"""What the studies screen shows and does: studies, their trials, and runners beside the app."""

from __future__ import annotations

import subprocess
import tempfile
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from trm_engine.sessions import Store
from trm_engine.studies.analysis.analyse import Analysis, analyse
from trm_engine.studies.analysis.conclusions import conclusions
from trm_engine.studies.catalogue import select, studies_of, suites
from trm_engine.studies.claims import runners
from trm_engine.studies.plan import Plan, build_plan, experiment_id
from trm_engine.studies.state import Found, Stage, look
from trm_engine.studies.stop import stop_study, stop_trial
from trm_engine.text import safe_text
from trm_tui.shared.program import PROGRAM


@dataclass(frozen=True)
class StudyRow:
    """A study to choose."""

    id: str
    title: str
    experiments: int


@dataclass(frozen=True)
class Cell:
    """One trial of the matrix."""

    trial: str
    seed: int
    stage: Stage
    step: int
    steps: int
    accuracy: float | None
    session: str


@dataclass(frozen=True)
class StudyView:
    """A study as it is now."""

    id: str
    title: str
    question: str
    seeds: tuple[int, ...]
    rows: tuple[tuple[str, str, tuple[Cell | None, ...]], ...]
    """Experiments: name, title, and a trial for each seed."""
    counts: Mapping[str, int]
    running_here: bool
    """Whether a runner of this machine works on it."""
    found: tuple[str, ...]
    """What the tests say so far."""
    problem: str = ""
    """Why a runner that was started here has ended badly."""

    @property
    def trials(self) -> int:
        """Different trials."""
        return sum(self.counts.values())


class StudyDesk:
    """Reads and runs studies; its methods may be called in any thread, one at a time."""

    def __init__(self, store: Store, program: Sequence[str] = PROGRAM) -> None:
        self._store, self._program = store, program
        self._plans: dict[str, Plan] = {}
        self._analyses: dict[str, tuple[int, Analysis]] = {}
        self._started: dict[str, tuple[subprocess.Popen[str], IO[str]]] = {}

    def studies(self) -> list[StudyRow]:
        """Return the studies that come with the program, by suite."""
        return [
            StudyRow(study.id, study.file.title, len(study.experiments))
            for suite in suites()
            for study in studies_of(suite)
        ]

    def read(self, study: str) -> StudyView:
        """Look at a study. Raises `TrmError` where it, or a session, cannot be read."""
        plan = self._plan(study)
        found = {one.trial.digest: one for one in look(self._store, plan.trials)}
        (chosen, experiments), *_ = plan.selection.studies
        seeds = tuple(sorted({trial.seed for trial in plan.trials}))
        rows = []
        for experiment in experiments:
            by_seed = {t.seed: found[t.digest] for t in plan.of(experiment_id(chosen, experiment))}
            cells = tuple(_cell(by_seed[seed]) if seed in by_seed else None for seed in seeds)
            rows.append((experiment.name, experiment.title, cells))
        counts = Counter[str](one.stage for one in found.values())
        wanted = found.keys()
        return StudyView(
            id=study,
            title=chosen.file.title,
            question=chosen.file.question,
            seeds=seeds,
            rows=tuple(rows),
            counts=counts,
            running_here=any(_shares(about, wanted) for about in runners(self._store.root)),
            found=self._found(study, plan, counts["done"]),
            problem=self._problem(study),
        )

    def start(self, study: str, *, pattern: str = "*", retry: bool = False) -> str:
        """Run what is left of a study in a process beside the app, which may outlive it; return words.

        What cannot be run is told by `read` once the process has said so.
        """
        errors = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115  # closed when it has ended
        words = ["--no-ui", "--sessions-dir", str(self._store.root), "studies", "run", study]
        words += ["--pattern", pattern, *(["--retry-diverged"] if retry else [])]
        process = subprocess.Popen(  # noqa: S603  # our own program
            [*self._program, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            text=True,
            start_new_session=True,  # neither ctrl+c nor the end of the app ends it
        )
        self._started[study] = (process, errors)
        return f"{study} runs beside the app, and continues when the app is closed"

    def pause(self, study: str) -> str:
        """Have all of a study save and stop. Raises `SessionError` where nothing of it runs."""
        count = stop_study(self._store, study)
        return f"{study}: told {count} process{'es' if count != 1 else ''} to save and stop"

    def stop(self, study: str, trial: str) -> str:
        """Have one trial save and stop. Raises `SessionError` where it does not run."""
        return f"{trial} saves and stops: {stop_trial(self._store, study, trial)}"

    def report(self, study: str, folder: Path) -> str:
        """Write the report of a study into a folder. Raises `TrmError`."""
        from trm_engine.studies.reporting.report import write_report

        files = write_report(analyse(self._store, self._plan(study)), folder)
        return f"wrote {files[0]} and {len(files) - 1} more files"

    def _plan(self, study: str) -> Plan:
        if study not in self._plans:
            self._plans[study] = build_plan(select(study))
        return self._plans[study]

    def _found(self, study: str, plan: Plan, done: int) -> tuple[str, ...]:
        if not done:
            return ()
        known = self._analyses.get(study)
        if known is None or known[0] != done:
            known = self._analyses[study] = done, analyse(self._store, plan)
        return tuple(sentence for part in known[1].parts for sentence in conclusions(part))

    def _problem(self, study: str) -> str:
        process, errors = self._started.get(study, (None, None))
        if process is None or errors is None or process.poll() is None:
            return ""
        if self._started.pop(study, None) is None:
            return ""  # another look, in a thread that was not waited for, has told it
        errors.seek(0)
        lines = [line for line in errors.read(100_000).splitlines() if line.startswith("error: ")]
        errors.close()
        return safe_text(lines[-1].removeprefix("error: ")) if lines else ""


def _cell(one: Found) -> Cell:
    measured = one.record.summary.get("eval") if one.record else None
    value = measured.get("exact_accuracy") if isinstance(measured, dict) else None
    return Cell(
        trial=one.trial.name,
        seed=one.trial.seed,
        stage=one.stage,
        step=one.step,
        steps=one.trial.config.train.steps,
        accuracy=value if isinstance(value, float) else None,
        session=one.record.id if one.record else "",
    )


def _shares(about: Mapping[str, object], wanted: Container[str]) -> bool:
    trials = about.get("trials")
    return isinstance(trials, list) and any(digest in wanted for digest in trials)
