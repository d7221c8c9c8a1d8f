"""What several kinds of puzzles are made with: symmetries, search, lists, training and test kept apart."""
