"""How many ranks are fastest on this machine, found by trial steps of as many processes.

`python -m trm_engine.training.ranks.trial` is rank 0 of a trial; the configuration comes on standard input.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from trm_engine.compute.place import PARTS, Place
from trm_engine.config import Config, apply, dumps, loads
from trm_engine.errors import ConfigError, TrmError
from trm_engine.hardware import Hardware
from trm_engine.process_setup import prepare_process
from trm_engine.training.ranks.launch import followers
from trm_engine.tuning.cache import Trial, TuningCache, describe, key_of

WORTH = 1.05
"""Several processes hold several times the memory: they must win by more than noise."""
_SECONDS = 3.0
_PATIENCE_SECONDS = 240.0
_FEW = ("task.train_size=256", "task.test_size=16")  # what is learned makes no step faster

Rate = Callable[[Config, int], float]


def candidates(config: Config, cores: int) -> list[int]:
    """Return the numbers of ranks to try: 1, 2, 4, … and as many as there are cores, if there are rows."""
    exact = config.runtime.reduction == "exact"
    most = min(cores, config.train.batch_size, PARTS if exact else cores)
    powers = [2**n for n in range(most.bit_length()) if 2**n <= most]
    return powers if exact or most in powers else [*powers, most]


def fastest_ranks(
    config: Config,
    hardware: Hardware,
    *,
    cache: TuningCache | None = None,
    rate_of: Rate | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[int, str]:
    """Return how many ranks are fastest for a configuration on this machine, and why.

    What was measured before is remembered. `tell` hears what is being measured. A number whose trial fails or
    takes minutes counts as slow.
    """
    cores = hardware.cpu.usable_physical_cores or hardware.cpu.usable_cores or os.cpu_count() or 1
    counts = candidates(config, cores)
    if len(counts) == 1:
        return 1, "one core or one row: there is nothing to share"
    cache, rate_of = cache or TuningCache(), rate_of or _rate
    key = key_of(config, hardware, "ranks", cores)
    trial = cache.find(key)
    if trial is None or set(trial.rates) != {str(count) for count in counts}:
        rates = {}
        for number, count in enumerate(counts):
            tell(f"measuring {count} {'rank' if count == 1 else 'ranks'} ({number + 1} of {len(counts)})")
            rates[str(count)] = rate_of(config, count)
        trial = Trial.now(describe(config), "ranks", rates, unit="samples/s")
        if max(rates.values()) > 0:
            cache.put(key, trial)
    return int(trial.winner(WORTH)), f"{trial}; more processes need {WORTH - 1:.0%}"


def _rate(config: Config, ranks: int) -> float:
    """Return the samples a second of some steps on a number of ranks; 0 where they cannot be taken."""
    with (
        tempfile.TemporaryDirectory(prefix="trm-ranks-") as folder,
        followers(ranks, Path(folder)) as (_, told),
    ):
        try:
            done = subprocess.run(
                [sys.executable, "-m", "trm_engine.training.ranks.trial"],
                input=dumps(config),
                env={**os.environ, **told},
                capture_output=True,
                text=True,
                timeout=_PATIENCE_SECONDS,
                check=False,
            )
            return float(json.loads(done.stdout)["samples_per_second"])
        except (subprocess.TimeoutExpired, ValueError, KeyError):
            return 0.0


def main() -> int:
    """Take steps with the other ranks for some seconds, and print how many samples a second that made."""
    prepare_process()
    config = loads(sys.stdin.read(), "standard input")
    with suppress(ConfigError):  # a task without these settings reads its data as they are
        config = apply(config, _FEW)
    try:
        rate = _measured(config)
    except TrmError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    sys.stdout.write(json.dumps({"samples_per_second": rate}) + "\n")
    return 0


def _measured(config: Config) -> float:
    from trm_engine.compute.group import Group
    from trm_engine.hardware import detect
    from trm_engine.learning.build import build_learner
    from trm_engine.tasks import build_task
    from trm_engine.tasks.fingerprint import fingerprint
    from trm_engine.training.ranks.lead import dismissing, lead
    from trm_engine.tuning.tuner import tune

    task = build_task(config.task)
    learner = build_learner(config, task)
    place = Place.told()
    tuned = tune(learner, detect(with_torch=True), ranks=place.local_size if place else 1)

    def steps() -> Iterator[float]:
        while True:
            started = time.perf_counter()
            learner.learn(learner.config.micro_batch)
            yield time.perf_counter() - started

    def rate() -> float:
        times, taken = steps(), list[float]()
        next(times)  # warms up
        while not taken or sum(taken) < _SECONDS:
            taken.append(next(times))
        return learner.rows / sorted(taken)[len(taken) // 2]

    if place is None:
        return rate()
    with dismissing(Group.join(place)) as group:
        lead(learner, group, threads=tuned.threads, data=fingerprint(task))
        return rate()


if __name__ == "__main__":
    sys.exit(main())
