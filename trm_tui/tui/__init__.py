"""The terminal app: drives training from the keyboard. Nothing outside this package imports Textual."""
