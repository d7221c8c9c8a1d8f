"""The models of the configuration editor: draft, advice, document."""
