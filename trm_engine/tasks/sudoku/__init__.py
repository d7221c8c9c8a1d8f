"""Sudoku on n×n grids with r×c boxes: generate, read, augment, draw and check puzzles."""
