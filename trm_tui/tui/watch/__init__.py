"""The Watch screen: a model solves or writes, step by step."""
