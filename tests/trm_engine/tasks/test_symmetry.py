"""Symmetries that rename tokens as well as move cells: what undoes them, and hashes that see through them."""

from __future__ import annotations

import numpy as np

from trm_engine.tasks.kit.symmetry import Images, reflections, relabelling

SQUARE = reflections(3, 3)
# Every image of a 3×3 grid, with tokens 0 … 3 as they are, and with 1 and 2 exchanged.
EXCHANGED = Images(
    np.concatenate([SQUARE.sources, SQUARE.sources]),
    np.repeat(np.array([[0, 1, 2, 3], [0, 2, 1, 3]], np.uint8), len(SQUARE), axis=0),
)
GRIDS = np.random.default_rng(0).integers(0, 4, (40, 9), dtype=np.uint8)


def test_a_relabelling_is_undone_for_one_grid_and_for_many():
    rng = np.random.default_rng(1)
    looks = [EXCHANGED.symmetry(rng) for _ in range(200)]
    looks += [SQUARE.symmetry(rng), relabelling(rng.permutation(9), rng.permutation(4).astype(np.uint8))]
    for forward, back, _ in looks:
        assert (back(forward(GRIDS)) == GRIDS).all()
        assert (forward(back(GRIDS)) == GRIDS).all()
        assert back(forward(GRIDS[0])).tolist() == GRIDS[0].tolist()
        assert forward(GRIDS).dtype == np.uint8
    assert len({forward(GRIDS).tobytes() for forward, *_ in looks[:200]}) == 16, "all are drawn"


def test_augmentation_draws_moves_and_names_together():
    (drawn, again) = EXCHANGED.augment((GRIDS, GRIDS), np.random.default_rng(2))
    assert (drawn == again).all()
    for image, grid in zip(drawn, GRIDS, strict=True):
        images = {EXCHANGED.names[k][grid[EXCHANGED.sources[k]]].tobytes() for k in range(16)}
        assert image.tobytes() in images


def test_images_share_a_hash_and_others_do_not():
    hashes = EXCHANGED.hashes(GRIDS)
    for _ in range(10):
        (drawn,) = EXCHANGED.augment((GRIDS,), np.random.default_rng(3))
        assert (EXCHANGED.hashes(drawn) == hashes).all()
    assert len(set(hashes.tolist())) == len(GRIDS)
    exchanged = np.array([0, 2, 1, 3], np.uint8)[GRIDS]
    assert (EXCHANGED.hashes(exchanged) == hashes).all()
    assert (SQUARE.hashes(exchanged) != SQUARE.hashes(GRIDS)).all()


def test_the_hash_of_a_puzzle_does_not_depend_on_its_company():
    assert SQUARE.hashes(GRIDS[:5]).tolist() == SQUARE.hashes(GRIDS)[:5].tolist()
    assert SQUARE.hashes(GRIDS[:0]).tolist() == []
