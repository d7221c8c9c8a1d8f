"""Files of puzzles as people have them: what a file is, its lines, its columns."""
