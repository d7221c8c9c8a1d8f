"""ARC-AGI: tasks of coloured grids, each with a rule of its own that a few pairs demonstrate."""
