"""Published weights and dataset folders, in and out."""
