"""What is behind the configuration editor: what was typed, what it means, what it costs. No Textual."""
