"""The dashboard: curves, run, machine, events."""
