"""How much gradients of a batch scatter: from it the noise scale follows (arXiv 1812.06162, appendix A)."""

from __future__ import annotations

from trm_engine.compute.compute import Result
from trm_engine.learning.learner import Learner


def gradient_noise(learner: Learner, micro_batch: int) -> dict[str, float]:
    """Return the squared norms of the gradients of a batch and of its halves, with all ranks.

    The learner stays as it was, bit for bit. Empty for a batch of one row. The noise scale follows from the
    means of these figures over several evaluations.
    """
    rows = learner.rows
    half = rows // 2
    if not half:
        return {}
    learner.team.lead("gradient_noise", micro_batch=micro_batch)
    learner.gather()  # the halves are shared otherwise than the batch
    before, compute, parameters = learner.cursor(), learner.compute, learner.parameters
    micro_batch = max(micro_batch, compute.least_rows)
    try:
        drawn, parts = learner.draw(), []
        for first, last in ((0, half), (half, 2 * half)):
            compute.clear()
            results: list[Result] = []
            for start in range(first, last, micro_batch):
                results += compute.run(learner.work, drawn, start, min(start + micro_batch, last))
            compute.reduce(results)
            # The work weighs its rows as part of the whole batch, and by the factor of float16.
            parts.append(parameters.grads * (rows / half / learner.counters.loss_scale))
        small = sum(float(part.double().square().sum()) for part in parts) / 2
        large = float(((parts[0] + parts[1]) / 2).double().square().sum())
    except BaseException as error:
        learner.team.give_up(compute, error)
        raise
    finally:
        learner.rewind(before)
        compute.clear()
    return {
        "gradient_square_half": small,
        "gradient_square": large,
        "gradient_rows_half": float(half),
        "gradient_rows": float(2 * half),
    }
