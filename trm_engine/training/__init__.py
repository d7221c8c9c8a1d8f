"""The training loop: runs, trainer, control, events, saving."""
