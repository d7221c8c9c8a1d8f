"""How commands meet the terminal: options, output, progress, charts, signals."""
