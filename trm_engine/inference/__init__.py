"""Models that were trained, loaded and used: evaluate, solve, trace, vote, generate. No trainer."""
