"""What the global options say, for every command."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from trm_engine.paths import in_home

if TYPE_CHECKING:
    from trm_engine.hardware import Hardware
    from trm_engine.sessions import Store


@dataclass(frozen=True)
class Settings:
    """The global options."""

    no_ui: bool = False
    sessions_dir: Path | None = None
    hardware: str | None = None

    def store(self) -> Store:
        """Open the sessions folder that the options, the environment or the working folder name."""
        from trm_engine.paths import sessions_folder
        from trm_engine.sessions import Store

        return Store(self.sessions_dir or sessions_folder())

    def profile(self) -> Hardware | None:
        """Return the machine that `--hardware` names, if it names one."""
        from trm_engine.hardware import load_profile

        return load_profile(self.hardware) if self.hardware else None

    def machine(self, *, with_torch: bool = True) -> Hardware:
        """Return the machine to plan for: the one that `--hardware` names, or this one."""
        from trm_engine.hardware import detect

        return self.profile() or detect(with_torch=with_torch)


def user_path(text: str) -> Path:
    """Return the path that a word names; `~` is the home folder, also where no shell has seen it."""
    return in_home(Path(text))


def settings(ctx: typer.Context) -> Settings:
    """Return the global options of a command's context."""
    found = ctx.find_object(Settings)
    assert found is not None
    return found
