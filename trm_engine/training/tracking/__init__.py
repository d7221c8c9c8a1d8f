"""Trackers: the figures of a session passed on to TensorBoard and Weights & Biases, beside the training."""
