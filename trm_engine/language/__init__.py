"""Language models that talk: files run in this process, and servers reached by URL; no user interface."""
