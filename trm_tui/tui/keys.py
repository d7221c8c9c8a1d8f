"""Every key of the app, declared once: dispatch, footer, help, command palette and keymap file come from it.

Keys are letters, digits, F1–F10, ctrl+letter, shift+letter and the named keys below: some terminals send
nothing else reliably. A person's own keys stand in `keymap.toml` in the configuration folder:

    "dashboard.smoothing" = "z"
    "run.pause" = "space,f5"
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Where = Literal["app", "dashboard", "config", "sessions", "compare", "watch", "hardware", "welcome", "dialog"]
"""`app` keys work on every screen, `dialog` keys in every dialog, the others on the screen of that name."""

WHERE_TITLES: Mapping[Where, str] = {
    "app": "Everywhere",
    "dashboard": "Dashboard",
    "config": "Configuration editor",
    "sessions": "Sessions",
    "compare": "Comparison of sessions",
    "watch": "Watch",
    "hardware": "Hardware",
    "welcome": "Welcome",
    "dialog": "Dialogs",
}

_NAMED = (
    r"space|enter|escape|tab|shift\+tab|backspace|delete|up|down|left|right|home|end|pageup|pagedown|"
    r"shift\+up|shift\+down|shift\+left|shift\+right|slash|plus|minus|equals_sign|question_mark|comma|"
    "full_stop|left_square_bracket|right_square_bracket"
)
_ALLOWED = re.compile(rf"(?:(?:ctrl\+)?[a-z]|[A-Z]|[0-9]|f(?:[1-9]|10)|{_NAMED})")


@dataclass(frozen=True)
class Key:
    """One binding. `action` is a Textual action of the app (`app` keys) or of the screen."""

    id: str
    """`group.verb`; stable, because keymap files name it."""
    keys: str
    """Textual's key names, comma-separated; the first is the one shown."""
    label: str
    """One or two words for the footer and the palette."""
    help: str
    """What it does, as a sentence without its full stop."""
    action: str
    where: Where = "app"
    footer: bool = False
    """Is it shown in the footer? The rest is in the help, one key away."""
    palette: bool = True
    """Is it offered as a command? Not what only moves a cursor."""
    priority: bool = False
    """Does it work while a text field has the focus?"""


# --- everywhere ---------------------------------------------------------------------------------------

APP_KEYS = (
    Key("go.dashboard", "d", "Dashboard", "Show the run that is in the active slot", "mode('dashboard')"),
    Key("go.config", "e", "Config", "Edit a configuration and see whether it fits", "mode('config')"),
    Key("go.sessions", "s", "Sessions", "Browse, compare and resume sessions", "mode('sessions')"),
    Key("go.watch", "w", "Watch", "Watch the model refine its answer to a puzzle", "mode('watch')"),
    Key(
        "go.hardware",
        "h",
        "Hardware",
        "Show what was detected and chosen for this machine",
        "mode('hardware')",
    ),
    Key("run.pause", "space", "pause", "Pause the run, or let it go on", "toggle_pause", footer=True),
    Key("run.checkpoint", "c", "checkpoint", "Save a checkpoint after this step", "checkpoint", footer=True),
    Key("run.stop", "x", "stop", "Stop the run and save it; it can be resumed", "stop", footer=True),
    Key(
        "run.extend",
        "plus,equals_sign",
        "extend",
        "Train for more steps than configured",
        "extend",
        footer=True,
    ),
    Key("run.evaluate", "v", "evaluate", "Measure accuracy on held-out puzzles now", "evaluate"),
    Key(
        "run.lr_down",
        "left_square_bracket",
        "lr ÷ 2",
        "Halve the learning rate from here on",
        "scale_lr(0.5)",
    ),
    Key(
        "run.lr_up",
        "right_square_bracket",
        "lr × 2",
        "Double the learning rate from here on",
        "scale_lr(2.0)",
    ),
    Key("slot.new", "n", "new run", "Pick a preset and train it in a new slot", "new_run", footer=True),
    Key("slot.close", "X", "close slot", "Save and close the active slot", "close_slot"),
    *(
        Key(
            f"slot.{n}",
            str(n),
            f"slot {n}",
            f"Switch to slot {n}; the running one is saved and paused",
            f"switch({n})",
            palette=False,
        )
        for n in range(1, 10)
    ),
    Key(
        "view.filter",
        "slash",
        "filter",
        "Go to the filter of this screen; on the dashboard, of the log",
        "search",
    ),
    Key(
        "view.next_panel",
        "tab",
        "next panel",
        "Move the focus to the next panel",
        "focus_next",
        palette=False,
    ),
    Key("view.last_panel", "shift+tab", "last panel", "Move the focus back", "focus_previous", palette=False),
    Key("view.freeze", "f", "freeze", "Hold the display still while training goes on", "freeze"),
    Key("view.theme", "t", "theme", "Change between the dark and the light theme", "next_theme"),
    Key(
        "app.commands",
        "ctrl+p",
        "commands",
        "Find any command, preset or session by name",
        "command_palette",
        footer=True,
        palette=False,
        priority=True,
    ),
    Key("app.help", "question_mark,f1", "help", "Show all keys", "help", footer=True),
    Key("app.quit", "q", "quit", "Leave; asks what to do with a run that is training", "quit_app"),
    Key(
        "app.interrupt",
        "ctrl+c",
        "save and quit",
        "Save everything and leave at once",
        "interrupt",
        priority=True,
    ),
)

_IN_FOOTER = {"dashboard.maximise", "dashboard.figure"}
_CURSOR_KEYS = {
    f"dashboard.{verb}" for verb in ("cursor_left", "cursor_right", "pan_left", "pan_right", "back")
}

# --- dashboard ----------------------------------------------------------------------------------------

DASHBOARD_KEYS = tuple(
    Key(*row, "dashboard", footer=row[0] in _IN_FOOTER, palette=row[0] not in _CURSOR_KEYS)
    for row in (
        ("dashboard.maximise", "m", "maximise", "Give the panel with the focus the whole screen", "maximise"),
        (
            "dashboard.figure",
            "g",
            "figure",
            "Show the next figure in the chart with the focus",
            "next_figure",
        ),
        ("dashboard.log_scale", "y", "log axis", "Logarithmic or linear y axis of losses", "log_scale"),
        ("dashboard.x_axis", "a", "x axis", "Put steps, samples or seconds on the x axis", "x_axis"),
        ("dashboard.smoothing", "u", "smoothing", "Smooth training curves more, less, or not", "smoothing"),
        ("dashboard.overlay", "o", "compare", "Draw other sessions' curves behind this run's", "overlay"),
        ("dashboard.zoom_in", "up", "zoom in", "Show less of the x axis, in more detail", "zoom(0.5)"),
        ("dashboard.zoom_out", "down", "zoom out", "Show more of the x axis", "zoom(2.0)"),
        ("dashboard.pan_left", "shift+left", "pan left", "Move a zoomed chart to earlier", "pan(-0.25)"),
        ("dashboard.pan_right", "shift+right", "pan right", "Move a zoomed chart to later", "pan(0.25)"),
        ("dashboard.cursor_left", "left", "cursor left", "Read values further left", "cursor(-1)"),
        ("dashboard.cursor_right", "right", "cursor right", "Read values further right", "cursor(1)"),
        ("dashboard.reset", "r", "reset view", "Show all of every chart, and follow the run", "reset_view"),
        ("dashboard.details", "i", "details", "Show decisions, data and configuration of the run", "details"),
        ("dashboard.markers", "b", "markers", "Draw charts with braille or with blocks", "markers"),
        ("dashboard.back", "escape", "back", "Leave the cursor, then the maximised panel", "back"),
    )
)

# --- config editor ------------------------------------------------------------------------------------

_CONFIG_FOOTER = ("edit", "run", "save", "open", "undo")
_CONFIG_CURSOR = ("up", "down", "page_up", "page_down", "first", "last", "next_section", "last_section")
_CONFIG_HIDDEN = (*_CONFIG_CURSOR, "edit", "less", "more", "back")

CONFIG_KEYS = tuple(
    Key(
        f"config.{verb}",
        keys,
        label,
        text,
        action,
        "config",
        verb in _CONFIG_FOOTER,
        verb not in _CONFIG_HIDDEN,
    )
    for verb, keys, label, text, action in (
        ("edit", "enter", "edit", "Open the field, or switch its switch; enter again closes it", "edit"),
        ("run", "ctrl+r", "run", "Train this configuration in a new slot", "run"),
        ("save", "ctrl+s", "save", "Save the configuration as a TOML file of your own", "save"),
        ("open", "o,ctrl+o", "open", "Edit another preset, session or file", "open"),
        ("undo", "u,ctrl+z", "undo", "Take the last change back", "undo"),
        ("redo", "y,ctrl+y", "redo", "Make the change again that was taken back", "redo"),
        ("apply_1", "f2,a", "way out 1", "Apply the first change that solves the problem", "apply(0)"),
        ("apply_2", "f3", "way out 2", "Apply the second change that solves the problem", "apply(1)"),
        ("apply_3", "f4", "way out 3", "Apply the third change that solves the problem", "apply(2)"),
        ("apply_4", "f5", "way out 4", "Apply the fourth change that solves the problem", "apply(3)"),
        ("problem", "p", "next problem", "Go to the next field with a problem", "problem"),
        ("reset", "r", "reset field", "Give the field the value it came with", "reset"),
        ("default", "g", "field's default", "Give the field its default", "default"),
        ("reset_all", "R", "reset all", "Give every field the value it came with", "reset_all"),
        ("only_changed", "i", "only changed", "List only the fields that are changed or wrong", "only_noted"),
        ("compare", "b", "compare", "Show the differences from a preset, session or file", "compare"),
        ("machine", "m", "machine", "Plan for another machine, or for this one", "machine"),
        ("less", "left", "less", "Take the previous choice or a lower number", "step(-1)"),
        ("more", "right", "more", "Take the next choice or a higher number", "step(1)"),
        ("up", "up,k", "up", "Go to the field above", "move(-1)"),
        ("down", "down,j", "down", "Go to the field below", "move(1)"),
        ("next_section", "tab", "next section", "Go to the next section", "section(1)"),
        ("last_section", "shift+tab", "last section", "Go to the previous section", "section(-1)"),
        ("page_up", "pageup", "page up", "Go up by what is visible", "page(-1)"),
        ("page_down", "pagedown", "page down", "Go down by what is visible", "page(1)"),
        ("first", "home", "first", "Go to the first field", "move(-1000)"),
        ("last", "end", "last", "Go to the last field", "move(1000)"),
        ("back", "escape", "back", "Close the open field, then the search, then the editor", "back"),
    )
)

# --- sessions -----------------------------------------------------------------------------------------

_SESSIONS_FOOTER = ("open", "resume", "mark", "compare", "tag", "export")
_SESSIONS_CURSOR = ("up", "down", "page_up", "page_down", "first", "last", "back")

SESSIONS_KEYS = tuple(
    Key(
        f"sessions.{verb}",
        keys,
        label,
        text,
        action,
        "sessions",
        verb in _SESSIONS_FOOTER,
        verb not in _SESSIONS_CURSOR,
    )
    for verb, keys, label, text, action in (
        ("open", "enter", "open", "Show all of the session; on a checkpoint, go on from it", "open"),
        ("resume", "r", "resume", "Go on with the session in a slot", "resume"),
        ("replay", "R", "replay", "Train it again from its start and compare every loss", "replay"),
        ("mark", "space", "mark", "Mark the session: what acts on several acts on the marked", "mark"),
        ("mark_all", "a", "mark all", "Mark all that is shown, or none", "mark_all"),
        ("compare", "m", "compare", "Hold the marked sessions' curves and settings side by side", "compare"),
        ("overlay", "o", "overlay", "Draw the marked sessions' curves on the dashboard", "overlay"),
        ("watch", "W", "watch it", "Watch the session's model solve puzzles", "watch"),
        ("edit", "E", "edit config", "Open the session's configuration in the editor", "edit"),
        ("rename", "f2,l", "rename", "Give the session another name", "rename"),
        ("tag", "T", "tags", "Change the tags of the marked sessions, or of this one", "tag"),
        ("note", "N", "note", "Write a note on the session", "note"),
        (
            "delete",
            "delete,backspace",
            "delete",
            "Move the marked sessions, or this one, to the trash",
            "delete",
        ),
        ("undo", "u", "undo delete", "Take the last deleted sessions back", "undo"),
        ("trash", "Z", "trash", "Show the trash, or the sessions again", "trash"),
        ("export", "ctrl+s", "export", "Write figures, curves or the whole session to a file", "export"),
        ("import", "ctrl+o", "import", "Add a session from an archive", "import"),
        ("filter_help", "f3", "filter help", "Explain what can be written into the filter", "filter_help"),
        ("sort_left", "left", "sort left", "Sort by the column further left", "sort(-1)"),
        ("sort_right", "right", "sort right", "Sort by the column further right", "sort(1)"),
        ("reverse", "i", "reverse", "Sort the other way round", "reverse"),
        ("up", "up,k", "up", "Go up", "move(-1)"),
        ("down", "down,j", "down", "Go down", "move(1)"),
        ("page_up", "pageup", "page up", "Go up by what is visible", "page(-1)"),
        ("page_down", "pagedown", "page down", "Go down by what is visible", "page(1)"),
        ("first", "home,g", "first", "Go to the first", "end(-1)"),
        ("last", "end,G", "last", "Go to the last", "end(1)"),
        ("back", "escape", "back", "Leave the details, then the filter, the marks, the trash", "back"),
    )
)

# --- comparison of sessions ---------------------------------------------------------------------------

_COMPARE_FOOTER = ("figure", "x_axis", "log_scale", "smoothing", "export", "back")
_COMPARE_CURSOR = ("cursor_left", "cursor_right", "pan_left", "pan_right", "page_up", "page_down", "back")

COMPARE_KEYS = tuple(
    Key(
        f"compare.{verb}",
        keys,
        label,
        text,
        action,
        "compare",
        verb in _COMPARE_FOOTER,
        verb not in _COMPARE_CURSOR,
    )
    for verb, keys, label, text, action in (
        ("figure", "g", "figure", "Show the next figure", "figure(1)"),
        ("last_figure", "G", "last figure", "Show the figure before", "figure(-1)"),
        ("log_scale", "y", "log axis", "Logarithmic or linear y axis of losses", "log_scale"),
        ("x_axis", "a", "x axis", "Put steps, samples or seconds on the x axis", "x_axis"),
        ("smoothing", "u", "smoothing", "Smooth training curves more, less, or not", "smoothing"),
        ("zoom_in", "up", "zoom in", "Show less of the x axis; in the table, go up", "zoom(0.5)"),
        ("zoom_out", "down", "zoom out", "Show more of the x axis; in the table, go down", "zoom(2.0)"),
        ("pan_left", "shift+left", "pan left", "Move a zoomed chart to earlier", "pan(-0.25)"),
        ("pan_right", "shift+right", "pan right", "Move a zoomed chart to later", "pan(0.25)"),
        ("cursor_left", "left", "cursor left", "Read values further left", "cursor(-1)"),
        ("cursor_right", "right", "cursor right", "Read values further right", "cursor(1)"),
        ("page_up", "pageup", "page up", "Scroll the settings up", "page(-1)"),
        ("page_down", "pagedown", "page down", "Scroll the settings down", "page(1)"),
        ("reset", "r", "reset view", "Show all of the chart", "reset_view"),
        ("export", "ctrl+s", "export", "Write the chart to a file, as SVG or PNG", "export"),
        ("back", "escape", "back", "Leave the cursor, then the comparison", "back"),
    )
)

# --- watch --------------------------------------------------------------------------------------------

_WATCH_FOOTER = ("play", "forward", "next", "only_failures", "type", "pick")
_WATCH_CURSOR = ("forward", "back_one", "first", "last", "up", "down", "back")

WATCH_KEYS = tuple(
    Key(f"watch.{verb}", keys, label, text, action, "watch", verb in _WATCH_FOOTER, verb not in _WATCH_CURSOR)
    for verb, keys, label, text, action in (
        ("play", "space", "play", "Play the model's steps, or hold them; have another text written", "play"),
        ("forward", "right", "step", "Show the grid after the next supervision step", "step(1)"),
        ("back_one", "left", "step back", "Show the grid one supervision step earlier", "step(-1)"),
        ("first", "home", "first", "Show the puzzle as it was given", "step(-10000)"),
        ("last", "end", "last", "Show the grid after the last step", "step(10000)"),
        ("slower", "comma", "slower", "Play slower", "pace(-1)"),
        ("faster", "full_stop", "faster", "Play faster", "pace(1)"),
        ("next", "down,j", "next puzzle", "Show the next held-out puzzle, or sample of text", "puzzle(1)"),
        ("previous", "up,k", "last puzzle", "Show the puzzle, or sample of text, before", "puzzle(-1)"),
        (
            "only_failures",
            "o",
            "failures",
            "Show only puzzles that the model gets wrong, or all",
            "only_failures",
        ),
        ("type", "i,enter", "type", "Type or paste a puzzle, or how a text begins", "type"),
        ("pick", "p", "pick model", "Watch another session's model", "pick"),
        ("live", "l", "live", "Watch the weights that the run on screen has now", "live"),
        ("best", "b", "best", "Watch the session's best checkpoint", "best"),
        ("earlier", "shift+left", "earlier", "Watch an earlier checkpoint", "checkpoint_step(-1)"),
        (
            "later",
            "shift+right",
            "later",
            "Watch a later checkpoint, or the live weights",
            "checkpoint_step(1)",
        ),
        ("confidence", "y", "confidence", "Show how sure the model is of each cell", "confidence"),
        ("up", "shift+up,pageup", "scroll up", "Move a grid that is larger than its room", "scroll(-4)"),
        ("down", "shift+down,pagedown", "scroll down", "Move such a grid the other way", "scroll(4)"),
        ("back", "escape", "back", "Hold the film, leave your own puzzle, then the screen", "back"),
    )
)

# --- hardware -----------------------------------------------------------------------------------------

HARDWARE_KEYS = tuple(
    Key(f"hardware.{verb}", keys, label, text, action, "hardware", verb == "detect", verb == "detect")
    for verb, keys, label, text, action in (
        ("detect", "r", "detect again", "Look at the machine again, and ask torch about it", "detect"),
        ("up", "up,k", "up", "Scroll up", "scroll(-1)"),
        ("down", "down,j", "down", "Scroll down", "scroll(1)"),
        ("page_up", "pageup", "page up", "Scroll up by a page", "scroll_page(-1)"),
        ("page_down", "pagedown", "page down", "Scroll down by a page", "scroll_page(1)"),
        ("top", "home", "top", "Scroll to the top", "scroll_page(-1000)"),
        ("end", "end", "end", "Scroll to the end", "scroll_page(1000)"),
        ("back", "escape", "back", "Go to the dashboard", "back"),
    )
)

# --- welcome ------------------------------------------------------------------------------------------

WELCOME_KEYS = (
    Key("welcome.run", "enter", "train", "Train the chosen preset", "run_preset", "welcome", footer=True),
)

# --- dialogs ------------------------------------------------------------------------------------------

DIALOG_KEYS = (
    Key("dialog.close", "escape", "back", "Leave without an answer", "close", "dialog", palette=False),
)

TABLE: tuple[Key, ...] = (
    *APP_KEYS, *DASHBOARD_KEYS, *CONFIG_KEYS, *SESSIONS_KEYS, *COMPARE_KEYS, *WATCH_KEYS, *HARDWARE_KEYS,
    *WELCOME_KEYS, *DIALOG_KEYS,
)  # fmt: skip


def keys_of(where: Where) -> tuple[Key, ...]:
    """Return the rows of one screen, or of `app`."""
    return tuple(key for key in TABLE if key.where == where)


def is_allowed(key: str) -> bool:
    """Whether every terminal can be relied on to send this key."""
    return _ALLOWED.fullmatch(key) is not None


def names(keys: str) -> Iterable[str]:
    """Return the single keys of a comma-separated list."""
    return (name.strip() for name in keys.split(","))
