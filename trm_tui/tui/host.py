"""The app as its screens, dialogs and widgets see it: they know this protocol, and the app knows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, cast

from textual.app import App

from trm_engine.config import Config, Preset
from trm_engine.sessions import Store
from trm_tui.tui.keymap import Keymap
from trm_tui.tui.shell import Said
from trm_tui.workbench.charts.overlays import Overlay
from trm_tui.workbench.processes.server_process import ServerProcess
from trm_tui.workbench.settings import Settings
from trm_tui.workbench.workbench import Workbench

if TYPE_CHECKING:
    from textual.theme import Theme

    from trm_tui.tui.shutdown import Leaving
    from trm_tui.workbench.presets import Place, Prospect
    from trm_tui.workbench.queue.queue_runner import QueueRunner


class Host(Protocol):
    """What the parts of the app ask of it. Textual's own methods they call on `self.app`."""

    workbench: Workbench
    settings: Settings
    keymap: Keymap
    presets: list[Preset]
    """Own ones, recent ones, shipped ones."""
    prospects: Mapping[Place, Prospect]
    """What each of them would take on this machine, as far as it is known."""
    overlays: tuple[Overlay, ...]
    frozen: bool
    """Whether the display is held still."""
    queue: QueueRunner
    """Runs that wait for each other."""
    leaving: Leaving
    """The ways out of the app."""
    server: ServerProcess
    """The puzzle server beside the app."""

    @property
    def store(self) -> Store:
        """The sessions on disk."""

    @property
    def available_themes(self) -> Mapping[str, Theme]:
        """Colours to choose from."""

    # --- speaking and remembering ---------------------------------------------------------------------------

    def say(self, message: str, severity: Said = "information") -> None:
        """Show a toast."""

    def guard(self, command: Callable[..., object], *args: object, **kwargs: object) -> bool:
        """Call a command; an error for people becomes a toast."""

    def remember(self, **changes: object) -> None:
        """Change settings, and keep them for the next start."""

    def set_theme(self, name: str) -> None:
        """Change the colours."""

    def refresh_now(self) -> None:
        """Show what a command has changed, without waiting for the timer."""

    def unsaved(self) -> list[str]:
        """Return what would be lost if the app ended now."""

    # --- runs and screens -----------------------------------------------------------------------------------

    def start_run(self, config: Config, *, preset: str, name: str = "") -> None:
        """Train a configuration in a new slot."""

    def take_preset(self, what: str, preset: Preset) -> None:
        """Train a preset (`run`), open it in the editor (`edit`), or add it to the queue (`queue`)."""

    def with_data(self, config: Config, then: Callable[[], object]) -> None:
        """Call `then` once a configuration's data are here, after a question where that takes a download."""

    def enqueue(self, runs: Sequence[tuple[Config, str, str]]) -> None:
        """Run configurations (with the names of their preset and of the run) after what is queued already."""

    def read_presets(self) -> object:
        """Read the presets anew, and what each would take."""

    def resume_run(self, ref: str, *, checkpoint: int | None = None, overrides: Sequence[str] = ()) -> None:
        """Go on with a session."""

    def view_session(self, ref: str) -> None:
        """Show a session without training it."""

    def fork_run(self, ref: str, *, checkpoint: int | None = None) -> None:
        """Train on from a session's checkpoint as a new session."""

    def replay_run(self, ref: str) -> None:
        """Train a session again and compare."""

    def edit_config(self, config: Config, *, origin: str) -> None:
        """Open a configuration in the editor."""

    def edit_setting(self, key: str) -> None:
        """Go to a setting in the editor."""

    def watch_session(self, ref: str, *, checkpoint: int | None = None) -> None:
        """Watch a session's model."""

    def overlay(self, refs: Sequence[str]) -> None:
        """Draw other sessions' curves on the dashboard."""

    def toggle_server(self) -> object:
        """Start the puzzle server, or stop it."""

    def action_mode(self, mode: str) -> None:
        """Show a screen."""

    def run_key(self, binding: str) -> None:
        """Do what a key does."""

    async def action_press_binding(self, binding: str) -> None:
        """Do what a key of the footer does."""


def host_of(app: App[Any]) -> Host:
    """Return the app by what its parts may ask of it. They run in no other app."""
    return cast("Host", app)
