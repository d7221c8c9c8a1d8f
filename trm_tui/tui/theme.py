"""The app's own dark and light theme."""
