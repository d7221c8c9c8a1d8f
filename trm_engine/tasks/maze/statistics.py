"""What a set of mazes looks like, in a few figures."""

from __future__ import annotations

import numpy as np

from trm_engine.tasks.base import Source
from trm_engine.tasks.maze.rules import Shape, paths_of, solved
from trm_engine.tasks.maze.text import PATH, WALL

_AT_ONCE = 4096


def statistics(shape: Shape, mazes: Source) -> dict[str, float]:
    """Return the figures of mazes by name.

    A path is that of the label, and its length counts start and goal. Shares are between 0 and 1: of the
    cells that are walls, of the labels that are a shortest path, and of the mazes with only one such path.
    """
    paths, walls, shortest, unique = [], [], [], []
    for first in range(0, len(mazes), _AT_ONCE):
        part = mazes.take(slice(first, first + _AT_ONCE))
        paths.append((part.labels == PATH).sum(axis=1) + 2)
        walls.append((part.inputs == WALL).sum(axis=1))
        shortest.append(solved(shape, part.inputs, part.labels))
        unique.append(paths_of(shape, part.inputs).unique)
    path, wall = np.concatenate(paths), np.concatenate(walls)
    return {
        "mazes": len(mazes),
        "path cells, min": int(path.min()),
        "path cells, mean": round(float(path.mean()), 2),
        "path cells, max": int(path.max()),
        "walls, min": int(wall.min()),
        "walls, mean": round(float(wall.mean()), 2),
        "walls, max": int(wall.max()),
        "share of walls, mean": round(float(wall.mean()) / shape.cells, 4),
        "labels that are a shortest path": round(float(np.concatenate(shortest).mean()), 4),
        "mazes with one shortest path": round(float(np.concatenate(unique).mean()), 4),
    }
