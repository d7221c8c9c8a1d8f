"""The configuration editor."""
