"""The training loop: one step, losses, optimizers, evaluation, control and events."""
