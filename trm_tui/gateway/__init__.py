"""The chat gateway: a language model talks, recursive models solve, the rules prove; no user interface."""
