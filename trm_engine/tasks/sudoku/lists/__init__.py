"""Lists of Sudoku as people have them: read, told apart, prepared."""
