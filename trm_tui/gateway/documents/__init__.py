"""Texts that answers may come from: cut into passages, and searched."""
