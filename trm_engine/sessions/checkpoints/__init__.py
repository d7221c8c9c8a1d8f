"""Checkpoints of a session: whole or absent, verified, pruned."""
