"""Choosing a preset: the welcome screen and the dialog for a new run."""
