"""The state and mathematics of one training step: learner, losses, optimizers, schedules."""
