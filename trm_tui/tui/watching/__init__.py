"""Watching a model think: models to look into, films of their refinement, and how they are drawn."""
