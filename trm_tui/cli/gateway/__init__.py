"""Commands of the chat: its models, the chat itself, and its tools for other programs."""
