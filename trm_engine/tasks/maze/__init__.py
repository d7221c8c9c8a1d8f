"""Mazes: find the shortest path from start to goal between random walls."""
