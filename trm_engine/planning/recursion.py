"""Curriculum of recursion: shallow at first, full later (after CGAR, arXiv 2511.08653, by even growth)."""

from __future__ import annotations

from trm_engine.config.sections import Config


def growing(start: int, end: int, step: int, steps: int) -> int:
    """Return a number that grows from `start` (0: `end`) to `end` in equal shares of `steps`."""
    first = start or end
    return min(first + (end - first + 1) * step // max(steps, 1), end)


def recursion_at(config: Config, step: int) -> tuple[int, int]:
    """Return the cycles h and updates l of training step `step` (0, 1, …)."""
    train, model = config.train, config.model
    over = _steps_of_growth(config)
    return (
        growing(train.recursion_start_h, model.h_cycles, step, over),
        growing(train.recursion_start_l, model.l_cycles, step, over),
    )


def recursion_stages(config: Config) -> list[tuple[int, Config]]:
    """Return how many steps are trained with which recursion, as configurations without a curriculum."""
    train = config.train
    plain = config.model_copy(
        update={"train": train.model_copy(update={"recursion_start_h": 0, "recursion_start_l": 0})}
    )
    if not train.recursion_start_h and not train.recursion_start_l:
        return [(train.steps, plain)]
    over = min(_steps_of_growth(config), train.steps)
    counts: dict[tuple[int, int], int] = {}
    for step in range(over):
        depth = recursion_at(config, step)
        counts[depth] = counts.get(depth, 0) + 1
    full = (config.model.h_cycles, config.model.l_cycles)
    counts[full] = counts.get(full, 0) + train.steps - over
    return [
        (
            count,
            plain.model_copy(update={"model": plain.model.model_copy(update={"h_cycles": h, "l_cycles": n})}),
        )
        for (h, n), count in counts.items()
        if count
    ]


def _steps_of_growth(config: Config) -> int:
    return max(1, round(config.train.recursion_share * config.train.steps))
