"""`studies list`, `show`, `plan` and `new`: what there is, and what it will take."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trm_engine.errors import UsageError
from trm_engine.text import duration, format_bytes
from trm_tui.cli.studies.options import (
    CorrectedFlag,
    ParallelOption,
    PatternOption,
    Planned,
    SeedsOption,
    StudyArgument,
    planned,
)
from trm_tui.cli.terminal.context import settings, user_path
from trm_tui.cli.terminal.output import JsonFlag, print_facts, print_json, print_table, print_text
from trm_tui.cli.train import SetOption

if TYPE_CHECKING:
    from trm_engine.studies.plan import Trial
    from trm_engine.studies.study import Study


def list_studies(json: JsonFlag = False) -> None:
    """List the studies that come with the program, by suite."""
    from trm_engine.studies.catalogue import studies_of, suites

    rows = [
        {
            "suite": suite,
            "study": study.name,
            "title": study.file.title,
            "experiments": len(study.experiments),
        }
        for suite in suites()
        for study in studies_of(suite)
    ]
    if json:
        print_json(rows)
    else:
        print_table(("suite", "study", "title", ">experiments"), [tuple(row.values()) for row in rows])


def show(name: StudyArgument, corrected: CorrectedFlag = False, json: JsonFlag = False) -> None:
    """Show a study: its question, what it holds fixed, and each experiment's settings."""
    from trm_engine.config import diff
    from trm_engine.studies.catalogue import select
    from trm_engine.studies.plan import base_of, experiment_id, resolve

    found = []
    for study, experiments in select(name).studies:
        base = base_of(study)
        resolved = {e.name: resolve(study, e, base, corrected=corrected) for e in experiments}
        changes = {
            name: {c.key: c.b for c in diff(base, config) if c.key not in ("title", "expect")}
            for name, config in resolved.items()
        }
        found.append(
            {
                **_about(study),
                "experiments": [
                    {"name": experiment_id(study, e), "title": e.title, "settings": changes[e.name]}
                    for e in experiments
                ],
            }
        )
    if json:
        print_json(found if len(found) > 1 else found[0])
        return
    for about in found:
        _print_study(about)


def _about(study: Study) -> dict[str, object]:
    file = study.file
    return {
        "study": study.id,
        "title": file.title,
        "question": file.question,
        "method": file.method,
        "base": file.base,
        "seeds": file.seeds,
        "correction": file.correction.about if file.correction else "",
    }


def _print_study(about: dict[str, object]) -> None:
    names = ("question", "method", "base", "seeds", "correction")
    print_facts(
        [(name, about[name]) for name in names if about[name]], title=f"{about['study']}: {about['title']}"
    )
    experiments = about["experiments"]
    assert isinstance(experiments, list)
    print_table(
        ("experiment", "what", "settings over the base"),
        [
            (e["name"], e["title"], " ".join(f"{key}={value}" for key, value in e["settings"].items()))
            for e in experiments
        ],
    )


def plan(
    ctx: typer.Context,
    name: StudyArgument,
    pattern: PatternOption = "*",
    seeds: SeedsOption = None,
    overrides: SetOption = None,
    corrected: CorrectedFlag = False,
    parallel: ParallelOption = "auto",
    json: JsonFlag = False,
) -> None:
    """Check every trial of a study or suite and predict time, memory and disk, for each and in all.

    Trials whose configurations and seeds are equal are run once. Nothing is started.
    """
    from trm_engine.studies.state import look

    found = planned(
        settings(ctx),
        name,
        pattern=pattern,
        seeds=seeds,
        overrides=overrides,
        corrected=corrected,
        parallel=parallel,
    )
    stages = {one.trial.digest: one.stage for one in look(settings(ctx).store(), found.plan.trials)}
    if json:
        print_json(_as_json(found, stages))
        return
    rows = [
        (
            trial.name,
            " ".join(trial.experiments),
            f"{trial.fit.parameters:,}",
            duration(found.forecast.seconds(trial)),
            format_bytes(trial.fit.peak_rss_bytes),
            format_bytes(trial.disk_bytes),
            stages[trial.digest],
        )
        for trial in found.plan.trials
    ]
    print_table(("trial", "experiments", ">weights", ">time", ">memory", ">disk", "state"), rows)
    print_facts(_totals(found, stages), title=f"{name} on {found.machine.title or found.machine.cpu.model}")


def _totals(found: Planned, stages: Mapping[str, str]) -> list[tuple[str, object]]:
    trials = found.plan.trials
    left = [trial for trial in trials if stages[trial.digest] != "done"]
    seconds = found.forecast.total_seconds(left)
    return [
        ("trials", f"{len(trials):,} different of {found.plan.wanted:,}; {len(left):,} to run"),
        ("time", f"about {_long(seconds)} with {found.workers} side by side"),
        ("disk", f"at most {format_bytes(sum(trial.disk_bytes for trial in left))}"),
    ]


def _long(seconds: float) -> str:
    days = seconds / 86_400
    return f"{days:,.1f} days" if days >= 2 else duration(seconds)


def _as_json(found: Planned, stages: Mapping[str, str]) -> dict[str, object]:
    left = [trial for trial in found.plan.trials if stages[trial.digest] != "done"]
    return {
        "name": found.plan.selection.name,
        "experiments": sum(len(experiments) for _, experiments in found.plan.selection.studies),
        "wanted": found.plan.wanted,
        "unique": len(found.plan.trials),
        "left": len(left),
        "workers": found.workers,
        "seconds": found.forecast.total_seconds(left),
        "disk_bytes": sum(trial.disk_bytes for trial in left),
        "peak_rss_bytes": max((trial.fit.peak_rss_bytes for trial in left), default=0),
        "trials": [_trial(found, trial, stages[trial.digest]) for trial in found.plan.trials],
    }


def _trial(found: Planned, trial: Trial, stage: str) -> dict[str, object]:
    return {
        "trial": trial.name,
        "digest": trial.digest,
        "seed": trial.seed,
        "experiments": list(trial.experiments),
        "state": stage,
        "parameters": trial.fit.parameters,
        "flops_per_sample": trial.fit.flops_per_sample,
        "seconds": found.forecast.seconds(trial),
        "peak_rss_bytes": trial.fit.peak_rss_bytes,
        "disk_bytes": trial.disk_bytes,
    }


_TEMPLATE = """\
# A study of your own. `trm-tui studies plan {name}` checks it; `trm-tui studies run {name}` runs it.
title = "What is varied"
question = "What the study answers"
# A preset, or a configuration file beside this one.
base = "{base}"
seeds = [0, 1, 2]

# Settings of every experiment, over those of the base, by section.
[set.train]
steps = 200

# Settings that follow from others: numbers, settings, + - * / // **, sqrt log exp round floor ceil min max,
# and what a row costs, cost.flops and cost.parameters, so that steps can follow from equal work.
[link.train]
lr = "2e-3 * sqrt(train.batch_size / 64)"

[[part]]
name = "batch"
# What laws and figures go over: parameters, flops, training_flops, rows, or a formula of settings.
x = "train.batch_size"

# All combinations of these values: batcha, batchb, batchc.
[part.vary.train]
batch_size = [32, 64, 128]

# Or experiments written out, as many as you like:
# [[part.experiment]]
# name = "wide"
# set.model.hidden_size = 128
"""


def new(
    file: Annotated[
        Path, typer.Argument(parser=user_path, metavar="FILE", help="The TOML file to write; must not exist.")
    ],
    base: Annotated[str, typer.Option(help="The preset to start from.")] = "sudoku-4x4",
) -> None:
    """Write a study file to begin with, commented."""
    from trm_engine.config import find_preset

    if file.suffix != ".toml":
        raise UsageError(f"{file}: a study file ends in .toml")
    preset = find_preset(base).name
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(_TEMPLATE.format(name=file, base=preset))
    except FileExistsError:
        raise UsageError(f"{file} exists already; name a new file") from None
    except OSError as error:
        raise UsageError(f"{file}: cannot be written: {error.strerror or error}") from None
    print_text(f"wrote {file}; check it with: trm-tui studies plan {file}")
