"""The chat in the terminal: its own small app."""
