"""What trains: configuration, hardware, models, tasks, sessions and the training loop.

The engine knows no user interface; the terminal app and the command line listen to it.
"""

__version__ = "0.1.0"
