"""The session browser and the comparison of sessions."""
