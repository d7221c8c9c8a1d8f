"""The hardware screen."""
