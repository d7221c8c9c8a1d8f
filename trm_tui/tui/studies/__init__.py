"""The studies screen."""
