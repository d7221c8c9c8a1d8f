"""Commands that use a trained model: solve, eval, vote, generate."""
