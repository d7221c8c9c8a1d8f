"""Text: the next character of any UTF-8 file."""
