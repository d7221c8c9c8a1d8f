"""The queue as a person sees it."""
