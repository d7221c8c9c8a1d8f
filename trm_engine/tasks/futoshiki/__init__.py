"""Futoshiki: a Latin square with signs between its cells that say which of two neighbours is less."""
