"""What this machine makes of the engine: steps at standard shapes, against plain PyTorch and its own peak."""
