"""Puzzles with exactly one solution: generated, propagated, solved."""
