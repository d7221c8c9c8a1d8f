"""The addresses of the API, a subject a module."""
