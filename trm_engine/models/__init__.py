"""Layers and the recursive models."""
