"""One screen a module; each is a mode of the app."""
