"""`trm-tui` and `python -m trm_tui`."""

from trm_tui.cli.main import main

if __name__ == "__main__":
    main()
