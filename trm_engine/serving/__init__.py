"""Many askers at once: resident models, rows that join and leave a batch between steps, verified answers."""
