"""Who can be talked to: the registry, language models made of it, text sessions, where checkpoints are."""
