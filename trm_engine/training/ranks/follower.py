"""One of the processes beside rank 0: `python -m trm_engine.training.ranks.follower`.

The environment tells its place (`trm_engine.compute.place`).
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

from trm_engine.errors import TrmError
from trm_engine.process_setup import prepare_process
from trm_engine.text import safe_text

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


def main() -> int:
    """Train along until rank 0 says that the run is over; return the exit code."""
    prepare_process()
    try:
        return train_along()
    except TrmError as error:
        sys.stderr.write(f"error: {safe_text(str(error))}\n")
        return error.exit_code


def train_along() -> int:
    """Join the other ranks and do what rank 0 does; a signal is passed on with the next step.

    Raises `LostRankError` when another rank has ended.
    """
    from trm_engine.compute.group import Group
    from trm_engine.compute.place import Place
    from trm_engine.training.ranks.lead import be_led

    place = Place.told()
    assert place is not None, "started by a launcher"
    heard: list[int] = []
    group: Group | None = None

    def note(number: int, _frame: FrameType | None) -> None:
        if heard and number == signal.SIGINT:
            os._exit(128 + number)
        heard.append(number)
        if group is not None:
            group.signal = number

    for name in _SIGNALS:
        signal.signal(getattr(signal, name), note)
    group = Group.join(place)
    if heard:
        group.signal = heard[-1]
    be_led(group)
    return 0


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    # Nothing is left to save, and while an interpreter is torn down, threads of gloo can abort the process,
    # which the launcher would take for a rank that was lost.
    os._exit(code)
