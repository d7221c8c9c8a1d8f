"""The app: modes, the timer that shows snapshots, and the commands of the key table.

What screens use of it (`screen.trm`): `presets`, `start_run`, `resume_run`, `replay_run`, `edit_config`,
`watch_session`, `overlay`; and of the shell `workbench`, `store`, `settings`, `keymap`, `say`, `guard`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import work
from textual.binding import BindingType
from textual.widgets import Input

from trm_engine.config import Config, Preset
from trm_engine.errors import TrmError
from trm_tui.tui import questions
from trm_tui.tui.bindings import bindings_of
from trm_tui.tui.common.header import SlotHeader
from trm_tui.tui.common.screen import ModeScreen
from trm_tui.tui.gil import Interpreter
from trm_tui.tui.keys import TABLE, WHERE_TITLES, Key
from trm_tui.tui.modes import MODES, Editor, Mode, Watch, commands, has_sessions, screen_of
from trm_tui.tui.presets.shelf import Shelf
from trm_tui.tui.shell import Shell
from trm_tui.tui.shutdown import Leaving
from trm_tui.tui.terminal import StrayOutput, has_job_control
from trm_tui.workbench.charts.overlays import Overlay, read_overlay
from trm_tui.workbench.notices import Watcher
from trm_tui.workbench.possible import possible
from trm_tui.workbench.processes.server_process import ServerProcess
from trm_tui.workbench.queue.queue_file import QueueFile
from trm_tui.workbench.queue.queue_runner import QueueRunner
from trm_tui.workbench.workbench import Workbench

if TYPE_CHECKING:
    from trm_tui.workbench.presets import Place, Prospect

_FRAMES_A_SECOND = 5
_SECONDS_BETWEEN_SAMPLES = 2.0
_ROWS = {key.id: key for key in TABLE}


class TrmApp(Shell, inherit_bindings=False):
    """The workbench on a terminal. Returns an exit code from `run`."""

    TITLE = "trm-tui"
    CSS_PATH = "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("app")
    COMMANDS = {commands}  # noqa: RUF012  # Textual declares it without ClassVar
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "f10"  # the table binds the palette; this one must only not be another's

    def __init__(
        self,
        workbench: Workbench,
        *,
        config_dir: Path | None = None,
        opening: Callable[[Workbench], object] | None = None,
        stray: StrayOutput | None = None,
        interpreter: Interpreter | None = None,
    ) -> None:
        """Prepare the app; `opening` starts or resumes the run that it opens with."""
        super().__init__(workbench, config_dir, stray, interpreter)
        self.presets: list[Preset] = []
        self.prospects: Mapping[Place, Prospect] = {}
        self.shelf = Shelf(self)
        self.overlays: tuple[Overlay, ...] = ()
        self.frozen = False
        self.leaving = Leaving(self, self)
        self.server = ServerProcess(self.store.root)
        self.queue = QueueRunner(workbench, QueueFile(self.store.root))
        self._opening = opening
        self._watcher = Watcher()
        self._shown: object = None
        for mode in MODES:
            self.add_mode(mode, partial(screen_of, mode))

    # --- beginning ----------------------------------------------------------------------------------------

    def on_load(self) -> None:
        """Watch for signals before the terminal is taken over."""
        self.leaving.watch_signals()

    def on_mount(self) -> None:
        """Show the first screen, then what takes longer."""
        self.set_keymap(self.keymap.keys)
        self.theme = self.first_theme()
        self.switch_mode(self._first_mode())
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        for problem in (*self.keymap.problems, *self.ignored):
            self.say(problem, "warning")
        self.begin_capture_print(self)
        if self._opening is not None and not self.guard(self._opening, self.workbench):
            self.switch_mode("welcome")
        self.set_interval(1 / _FRAMES_A_SECOND, self.tick)
        if self.interpreter is not None:
            self.set_interval(_SECONDS_BETWEEN_SAMPLES, self.interpreter.tidy)
        self.read_presets()
        self.guard(self.queue.places)
        if self.queue.waiting:
            self.say(f"{self.queue.waiting} runs wait in the queue; shift+q shows them")
        self.tick()

    def _first_mode(self) -> Mode:
        if self._opening is not None:
            return "dashboard"
        return "sessions" if has_sessions(self.store.root) else "welcome"

    def read_presets(self) -> None:
        """Read presets and recent configurations beside the app's own thread."""
        self.shelf.read()

    # --- showing ------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Show what is new, all at once."""
        if self.stray is not None:
            for line in self.stray.lines():
                self.workbench.log("info", f"output: {line}")
            if self.stray.terminal_lost:
                self.leaving.leave_once(129, "the terminal is gone")
        for told in self.queue.step():
            self.say(told)
        slots = self.workbench.slots()
        for notice in self._watcher.see(slots):
            self.say(notice.text, notice.severity)
            self.alert(notice.text)
        snapshot, sample = self.workbench.snapshot(), self.workbench.machine()
        for notice in self._watcher.warnings(snapshot):
            if self.current_mode != "dashboard":  # there the log says it
                self.say(notice.text, notice.severity)
        if self.frozen or not self.screen_stack:
            return  # at the very end the timer may outlive the last screen
        self.shelf.follow()
        # Behind a dialog as well: what is seen there goes on.
        screen = self.screen if isinstance(self.screen, ModeScreen) else self.screen_stack[0]
        # While a run tells news by itself, the machine's figures come with them: half the frames.
        moment = sample.seconds // (_SECONDS_BETWEEN_SAMPLES if snapshot.state == "running" else 0.1)
        shown = snapshot.version, slots, moment, screen, id(self.presets), id(self.prospects)
        if shown == self._shown or not isinstance(screen, ModeScreen) or not screen.is_mounted:
            return
        self._shown = shown
        with self.batch_update():
            screen.take(slots, snapshot)

    def refresh_now(self) -> None:
        """Show everything at the next tick, new or not, and tick."""
        self._shown = None
        self.call_after_refresh(self.tick)

    # --- what screens ask for -----------------------------------------------------------------------------

    def start_run(self, config: Config, *, preset: str, name: str = "") -> None:
        """Train a configuration in a new slot and show it, as soon as its data are here."""
        self.with_data(config, lambda: self._show_run(self.workbench.start, config, preset=preset, name=name))

    def _show_run(self, command: Callable[..., object], *args: object, **kwargs: object) -> None:
        if self.guard(command, *args, **kwargs):
            self.switch_mode("dashboard")

    def with_data(self, config: Config, then: Callable[[], object]) -> None:
        """Call `then` once a configuration's data are here, after a question where that takes a download."""
        from trm_tui.tui.presets.download import with_data

        with_data(self, config, then)

    def take_preset(self, what: str, preset: Preset) -> None:
        """Train a preset (`run`), open it in the editor (`edit`), or add it to the queue (`queue`)."""
        origin, name = preset.origin or preset.name, preset.name if preset.origin else ""
        if what == "edit":
            self.edit_config(preset.config, origin=preset.name)
        elif what == "queue":
            self.with_data(preset.config, lambda: self.enqueue([(preset.config, origin, name)]))
        else:
            self.start_run(preset.config, preset=origin, name=name)

    def enqueue(self, runs: Sequence[tuple[Config, str, str]]) -> None:
        """Run configurations (with the names of their preset and of the run) after what is queued already."""
        if self.guard(self.queue.add, runs):
            queued = "1 run queued" if len(runs) == 1 else f"{len(runs)} runs queued"
            self.say(f"{queued}; shift+q shows the queue")
            self.tick()
            if self.current_mode == "welcome" and self.workbench.slots():
                self.switch_mode("dashboard")

    def action_queue(self) -> None:
        """Show the queue."""
        from trm_tui.tui.queue.dialog import QueueDialog

        self.push_screen(QueueDialog())

    def resume_run(self, ref: str, *, checkpoint: int | None = None, overrides: Sequence[str] = ()) -> None:
        """Go on with a session and show it."""
        self._show_run(self.workbench.resume, ref, checkpoint=checkpoint, overrides=overrides)

    def view_session(self, ref: str) -> None:
        """Show a session on the dashboard without training it."""
        self._show_run(self.workbench.view, ref)

    def fork_run(self, ref: str, *, checkpoint: int | None = None) -> None:
        """Train on from a session's checkpoint as a new session, and show it."""
        self._show_run(self.workbench.fork, ref, checkpoint=checkpoint)

    def replay_run(self, ref: str) -> None:
        """Replay a session and show it."""
        self._show_run(self.workbench.replay, ref)

    def edit_config(self, config: Config, *, origin: str) -> None:
        """Open a configuration in the editor; `origin` names the preset or session it comes from."""
        self.switch_mode("config")
        self._when_mounted(lambda screen: cast("Editor", screen).edit(config, origin))

    def edit_setting(self, key: str) -> None:
        """Go to a setting in the editor."""
        self.switch_mode("config")
        self._when_mounted(lambda screen: cast("Editor", screen).go_to_setting(key))

    def watch_session(self, ref: str, *, checkpoint: int | None = None) -> None:
        """Open a session in the watch screen."""
        self.switch_mode("watch")
        self._when_mounted(lambda screen: cast("Watch", screen).watch_session(ref, checkpoint))

    def overlay(self, refs: Sequence[str]) -> None:
        """Draw these sessions' curves behind the active run's on the dashboard; none takes them away."""
        self.read_overlays(tuple(refs))

    @work(thread=True, exclusive=True, group="overlays", exit_on_error=False)
    def read_overlays(self, refs: tuple[str, ...]) -> None:
        """Read sessions' curves beside the app's own thread."""
        try:
            overlays = tuple(read_overlay(self.store, ref) for ref in refs)
        except TrmError as error:
            self.call_from_thread(self.say, str(error), "error")
        else:
            self.call_from_thread(self._take_overlays, overlays)

    def _take_overlays(self, overlays: tuple[Overlay, ...]) -> None:
        self.overlays = overlays
        self.refresh_now()

    @work(thread=True, exclusive=True, group="server", exit_on_error=False)
    def toggle_server(self) -> None:
        """Start the puzzle server beside the app and say where it is, or stop it."""
        try:
            said = self.server.toggle()
        except TrmError as error:
            self.call_from_thread(self.say, str(error), "error")
        else:
            self.call_from_thread(self.say, said)

    def on_unmount(self) -> None:
        """Leave no server behind."""
        self.server.close()
        self.queue.hold()

    def _when_mounted(self, then: Callable[[ModeScreen], object]) -> None:
        screen = self.screen
        if isinstance(screen, ModeScreen):
            screen.call_after_refresh(then, screen)

    def unsaved(self) -> list[str]:
        """Return what would be lost if the app ended now, for people."""
        screens = [stack[0] for stack in self._screen_stacks.values() if stack]
        return [lost for screen in screens if isinstance(screen, ModeScreen) and (lost := screen.unsaved())]

    # --- actions of the key table -------------------------------------------------------------------------

    async def action_press_binding(self, binding: str) -> None:
        """Do what a row of the key table does: a click in the footer."""
        await self._run(_ROWS[binding])

    def run_key(self, binding: str) -> None:
        """Do what a row of the key table does: a command of the palette."""
        self.call_later(self._run, _ROWS[binding])

    async def _run(self, key: Key) -> None:
        await self.run_action(key.action, self if key.where == "app" else self.screen)

    def action_mode(self, mode: str) -> None:
        """Show a screen; without any run, the presets to start one in the dashboard's place."""
        if not isinstance(self.screen, ModeScreen):
            return
        if mode == "dashboard" and not self.workbench.slots():
            mode = "welcome"
        if mode == self.current_mode:
            self.say(f"This is {WHERE_TITLES[self.screen.where]}.")
        self.switch_mode(mode)
        self.refresh_now()

    def action_toggle_pause(self) -> None:
        """Pause or resume the run."""
        pauses = possible("pause", self.workbench.snapshot()).label == "pause"
        self.guard(self.workbench.pause if pauses else self.workbench.go_on)

    def action_checkpoint(self) -> None:
        """Save a checkpoint after the current step."""
        if self.guard(self.workbench.checkpoint):
            self.say("saving a checkpoint after this step")

    def action_stop(self) -> None:
        """Ask, then save the run and end it."""
        questions.ask_stop(self)

    def action_evaluate(self) -> None:
        """Measure accuracy now."""
        if self.guard(self.workbench.evaluate):
            self.say("measuring on held-out puzzles after this step")

    def action_scale_lr(self, factor: float) -> None:
        """Change the learning rate; the other key takes it back."""
        if self.guard(self.workbench.scale_lr, factor):
            back = "]" if factor < 1 else "["
            self.say(f"learning rate × {factor:g} from the next step; {back} takes it back")

    def action_extend(self) -> None:
        """Ask for how many more steps to train."""
        questions.ask_extend(self)

    def action_new_run(self) -> None:
        """Pick a preset to train."""
        from trm_tui.tui.presets.dialog import PickPreset

        self.read_presets()
        self.push_screen(PickPreset(), lambda picked: self.take_preset(*picked) if picked else None)

    def action_switch(self, slot: int) -> None:
        """Show a slot's run; nothing starts or stops by that."""
        seen = self.workbench.snapshot().slot == slot and self.current_mode == "dashboard"
        if self.workbench.switch(slot):
            if seen:
                self.say(f"This is run {slot}.")
            self.switch_mode("dashboard")
            self.refresh_now()
        else:
            self.say(f"No run {slot}. n starts one.")

    def action_close_slot(self) -> None:
        """Save and close the slot on screen; asks where a run in it has not ended."""
        questions.ask_close(self)

    def action_freeze(self) -> None:
        """Hold the display still, or show live again."""
        self.frozen = not self.frozen
        for header in self.screen.query(SlotHeader):
            header.frozen = self.frozen
        if not self.frozen:
            self.refresh_now()

    def action_next_theme(self) -> None:
        """Change between dark and light."""
        self.set_theme("trm-light" if self.current_theme.dark else "trm-dark")

    def action_help(self) -> None:
        """Show all keys."""
        from trm_tui.tui.common.help import HelpScreen

        if isinstance(self.screen, ModeScreen):
            self.push_screen(HelpScreen(self.screen.where))

    def action_search(self) -> None:
        """Go to the filter of the screen."""
        if isinstance(self.screen, ModeScreen):
            self.screen.search()

    def action_suspend_process(self) -> None:
        """Suspend, where a shell can bring the app back; a terminal of its own would stand still for ever."""
        if has_job_control():
            super().action_suspend_process()
        else:
            self.say("cannot suspend: no shell waits in this terminal to take the app back", "warning")

    def action_quit_app(self) -> None:
        """Leave, after a question where something trains."""
        self.leaving.ask()

    def action_interrupt(self) -> None:
        """Copy what is selected; with nothing selected, save everything and leave."""
        focused = self.focused
        if isinstance(focused, Input) and focused.selected_text:
            focused.action_copy()
        elif text := self.screen.get_selected_text():
            self.copy_to_clipboard(text)
        else:
            self.leaving.leave(130, "ctrl+c")
