"""Curves of runs and how they are drawn with characters: figures, ticks, lines."""
