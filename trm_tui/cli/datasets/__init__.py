"""Commands about data: list, build, fetch, describe, verify."""
