"""Runs that wait for each other: what is queued, and what starts them."""
