"""Every key of the app as data: a row each, by the screen that it works on; see `trm_tui.tui.keys`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

Row: TypeAlias = tuple[str, str, str, str, str]
"""Verb (the id without its group), then keys, label, help and action as in `trm_tui.tui.keys.Key`."""


class Rows(NamedTuple):
    """The rows of one screen, and which of their verbs are marked."""

    rows: Sequence[Row]
    footer: Sequence[str] = ()
    """Shown in the footer."""
    unlisted: Sequence[str] = ()
    """Not offered as commands."""
    priority: Sequence[str] = ()
    """Work while a text field has the focus."""


_SLOTS = range(1, 10)

# Whole ids instead of verbs: these groups are no screens.
APP = Rows(
    (
        ("go.dashboard", "d", "Dashboard", "Show the run that is in the active slot", "mode('dashboard')"),
        ("go.config", "e", "Config", "Edit a configuration and see whether it fits", "mode('config')"),
        ("go.sessions", "s", "Sessions", "Browse, compare and resume sessions", "mode('sessions')"),
        ("go.watch", "w", "Watch", "Watch the model refine its answer to a puzzle", "mode('watch')"),
        (
            "go.hardware",
            "h",
            "Hardware",
            "Show what was detected and chosen for this machine",
            "mode('hardware')",
        ),
        ("go.studies", "S", "Studies", "Run studies, and see what they find", "mode('studies')"),
        ("run.pause", "space", "pause", "Pause or resume the run", "toggle_pause"),
        ("run.checkpoint", "c", "checkpoint", "Save a checkpoint after this step", "checkpoint"),
        ("run.stop", "x", "stop", "Stop the run and save it, after a question", "stop"),
        ("run.extend", "plus,equals_sign", "more steps", "Train for more steps than configured", "extend"),
        ("run.evaluate", "v", "evaluate", "Measure accuracy on held-out puzzles now", "evaluate"),
        (
            "run.lr_down",
            "left_square_bracket",
            "lr ÷ 2",
            "Halve the learning rate from here on",
            "scale_lr(0.5)",
        ),
        (
            "run.lr_up",
            "right_square_bracket",
            "lr × 2",
            "Double the learning rate from here on",
            "scale_lr(2.0)",
        ),
        ("slot.new", "n", "new run", "Pick a preset and train it in a new slot", "new_run"),
        ("queue.show", "Q", "queue", "Show what is queued; start, order and hold it", "queue"),
        ("slot.close", "X", "close slot", "Save and close the slot on screen", "close_slot"),
        *(
            (
                f"slot.{n}",
                f"{n}",
                f"slot {n}",
                f"Show run {n}; nothing starts or stops",
                f"switch({n})",
            )
            for n in _SLOTS
        ),
        (
            "view.filter",
            "slash",
            "filter",
            "Go to the filter of this screen; on the dashboard, search the log",
            "search",
        ),
        ("view.next_panel", "tab", "next panel", "Move the focus to the next panel", "focus_next"),
        ("view.last_panel", "shift+tab", "last panel", "Move the focus back", "focus_previous"),
        ("view.freeze", "f", "freeze", "Freeze the display; training continues", "freeze"),
        ("view.theme", "t", "theme", "Change between the dark and the light theme", "next_theme"),
        (
            "app.commands",
            "ctrl+p",
            "commands",
            "Find any command, preset or session by name",
            "command_palette",
        ),
        ("app.help", "question_mark,f1", "help", "Show all keys", "help"),
        ("app.quit", "q", "quit", "Leave; asks what to do with a run that is training", "quit_app"),
        ("app.interrupt", "ctrl+c", "save and quit", "Save everything and leave at once", "interrupt"),
        (
            "app.suspend",
            "ctrl+z",
            "suspend",
            "Suspend app and runs until `fg`",
            "suspend_process",
        ),
    ),
    footer=("run.pause", "run.checkpoint", "run.stop", "run.extend", "slot.new", "app.commands", "app.help"),
    unlisted=(*(f"slot.{n}" for n in _SLOTS), "view.next_panel", "view.last_panel", "app.commands"),
    priority=("app.commands", "app.interrupt"),
)

DASHBOARD = Rows(
    (
        ("maximise", "m", "maximise", "Give the panel with the focus the whole screen", "maximise"),
        ("figure", "g", "figure", "Show the next figure in the chart with the focus", "next_figure"),
        ("log_scale", "y", "log axis", "Logarithmic or linear y axis of losses", "log_scale"),
        ("x_axis", "a", "x axis", "Put steps, samples or seconds on the x axis", "x_axis"),
        ("smoothing", "u", "smoothing", "Smooth training curves more, less, or not", "smoothing"),
        ("overlay", "o", "compare", "Draw other sessions' curves behind this run's", "overlay"),
        ("zoom_in", "up", "zoom in", "Show less of the x axis, in more detail", "zoom(0.5)"),
        ("zoom_out", "down", "zoom out", "Show more of the x axis", "zoom(2.0)"),
        ("pan_left", "shift+left", "pan left", "Move a zoomed chart to earlier", "pan(-0.25)"),
        ("pan_right", "shift+right", "pan right", "Move a zoomed chart to later", "pan(0.25)"),
        ("cursor_left", "left", "cursor left", "Read values further left", "cursor(-1)"),
        ("cursor_right", "right", "cursor right", "Read values further right", "cursor(1)"),
        ("reset", "r", "reset view", "Show all of every chart, and follow the run", "reset_view"),
        ("details", "i", "details", "Show decisions, data and configuration of the run", "details"),
        ("markers", "b", "markers", "Draw charts with braille or with blocks", "markers"),
        ("back", "escape", "back", "Leave the cursor, then the maximised panel", "back"),
    ),
    footer=("maximise", "figure"),
    unlisted=("pan_left", "pan_right", "cursor_left", "cursor_right", "back"),
)

CONFIG = Rows(
    (
        ("edit", "enter", "edit", "Open the field, or switch its switch; enter again closes it", "edit"),
        ("run", "ctrl+r", "run", "Train this configuration in a new slot", "run"),
        ("save", "ctrl+s", "save", "Save the configuration as a preset of your own, or a file", "save"),
        ("queue", "f6", "queue", "Run this configuration after what is queued already", "queue_this"),
        ("sweep", "f7", "sweep", "Queue a run for each of several values of this field", "sweep"),
        ("open", "o,ctrl+o", "open", "Edit another preset, session or file", "open"),
        ("undo", "u,ctrl+z", "undo", "Undo the last change", "undo"),
        ("redo", "y,ctrl+y", "redo", "Redo the change that was undone", "redo"),
        ("apply_1", "f2,a", "fix 1", "Apply the first change that solves the problem", "apply(0)"),
        ("apply_2", "f3", "fix 2", "Apply the second change that solves the problem", "apply(1)"),
        ("apply_3", "f4", "fix 3", "Apply the third change that solves the problem", "apply(2)"),
        ("apply_4", "f5", "fix 4", "Apply the fourth change that solves the problem", "apply(3)"),
        ("problem", "p", "next problem", "Go to the next field with a problem", "problem"),
        ("reset", "r", "reset field", "Reset the field", "reset"),
        ("default", "g", "field's default", "Give the field its default", "default"),
        ("reset_all", "R", "reset all", "Reset every field", "reset_all"),
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
    ),
    footer=("edit", "run", "save", "open", "undo"),
    unlisted=(
        "edit",
        "less",
        "more",
        "up",
        "down",
        "next_section",
        "last_section",
        "page_up",
        "page_down",
        "first",
        "last",
        "back",
    ),
)

SESSIONS = Rows(
    (
        (
            "open",
            "enter",
            "open",
            "Show it, untouched; on a checkpoint, fork or rewind",
            "open",
        ),
        ("details", "tab", "details", "Go to the session's details and checkpoints", "details"),
        ("resume", "r", "resume", "Resume the session in a slot", "resume"),
        ("fork", "F", "fork", "Train on as a new session, from the newest or chosen checkpoint", "fork"),
        ("replay", "R", "replay", "Train it again from its start and compare every loss", "replay"),
        ("mark", "space", "mark", "Mark for compare, tag, export, delete", "mark"),
        ("mark_all", "a", "mark all", "Mark all that is shown, or none", "mark_all"),
        ("compare", "m", "compare", "Compare curves and settings of the marked sessions", "compare"),
        ("overlay", "o", "overlay", "Draw the marked sessions' curves on the dashboard", "overlay"),
        ("watch", "W", "watch it", "Watch the session's model solve puzzles", "watch"),
        ("verify", "V", "verify", "Verify every byte of the session's checkpoints", "verify"),
        ("edit", "E", "edit config", "Open the session's configuration in the editor", "edit"),
        ("rename", "f2,l", "rename", "Give the session another name", "rename"),
        ("tag", "T", "tags", "Change the tags of the marked sessions, or of this one", "tag"),
        ("note", "N", "note", "Write a note on the session", "note"),
        (
            "delete",
            "delete,backspace",
            "delete",
            "Move the marked sessions, or this one, to the trash; there, delete for good",
            "delete",
        ),
        ("undo", "u", "undo delete", "Restore the sessions deleted last", "undo"),
        ("trash", "Z", "trash", "Show the trash, or the sessions again", "trash"),
        ("export", "ctrl+s", "export", "Export metrics, curves or the whole session to a file", "export"),
        ("import", "ctrl+o", "import", "Add a session from an archive", "import"),
        ("filter_help", "f3", "filter help", "Explain the filter's syntax", "filter_help"),
        ("sort_left", "left", "sort left", "Sort by the column to the left", "sort(-1)"),
        ("sort_right", "right", "sort right", "Sort by the column to the right", "sort(1)"),
        ("reverse", "i", "reverse", "Reverse the sort order", "reverse"),
        ("columns", "C", "columns", "Choose the columns of the table, settings among them", "columns"),
        ("copy", "y", "copy", "Copy the session's id, path or a command for it", "copy"),
        ("up", "up,k", "up", "Go up", "move(-1)"),
        ("down", "down,j", "down", "Go down", "move(1)"),
        ("page_up", "pageup", "page up", "Go up by what is visible", "page(-1)"),
        ("page_down", "pagedown", "page down", "Go down by what is visible", "page(1)"),
        ("first", "home,g", "first", "Go to the first", "end(-1)"),
        ("last", "end,G", "last", "Go to the last", "end(1)"),
        ("back", "escape", "back", "Leave the details, filter, marks, trash, then the screen", "back"),
    ),
    footer=("open", "details", "resume", "fork", "mark", "compare", "tag", "export"),
    unlisted=("up", "down", "page_up", "page_down", "first", "last", "back"),
)

STUDIES = Rows(
    (
        ("open", "enter", "open", "Go to the trials; on a trial, show its curves", "open"),
        ("start", "r", "run", "Run what is left of the study, beside the app", "start"),
        ("pause", "p", "pause study", "Save and stop all of the study; it can be run on", "pause"),
        ("stop_trial", "z", "stop trial", "Save and stop the trial under the cursor", "stop_trial"),
        (
            "retry",
            "R",
            "retry",
            "Run the experiment under the cursor again if it failed or diverged",
            "retry",
        ),
        ("report", "o", "report", "Write the report: Markdown, HTML, figures, CSV", "report"),
        ("back", "escape", "back", "Leave the trials, then the screen", "back"),
    ),
    footer=("open", "start", "pause", "stop_trial", "retry", "report"),
    unlisted=("open", "back"),
)

COMPARE = Rows(
    (
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
    ),
    footer=("figure", "log_scale", "x_axis", "smoothing", "export", "back"),
    unlisted=("pan_left", "pan_right", "cursor_left", "cursor_right", "page_up", "page_down", "back"),
)

WATCH = Rows(
    (
        ("play", "space", "play", "Play or pause; write another text", "play"),
        ("forward", "right", "step", "Show the grid after the next supervision step", "step(1)"),
        ("back_one", "left", "step back", "Show the grid one supervision step earlier", "step(-1)"),
        ("first", "home", "first", "Show the puzzle as it was given", "step(-10000)"),
        ("last", "end", "last", "Show the grid after the last step", "step(10000)"),
        ("slower", "comma", "slower", "Play slower", "pace(-1)"),
        ("faster", "full_stop", "faster", "Play faster", "pace(1)"),
        ("next", "down,j", "next one", "Show the next held-out puzzle, or sample of text", "puzzle(1)"),
        ("previous", "up,k", "previous one", "Show the puzzle, or sample of text, before", "puzzle(-1)"),
        (
            "only_failures",
            "o",
            "failures",
            "Show only puzzles that the model gets wrong, or all",
            "only_failures",
        ),
        ("type", "i,enter", "type", "Type or paste a puzzle, or how a text begins", "type"),
        (
            "views",
            "a",
            "look again",
            "Solve one view of a puzzle, or several until the rules accept",
            "views",
        ),
        ("pick", "p", "pick model", "Watch another session's model", "pick"),
        ("live", "l", "live", "Watch the present weights of the run on screen", "live"),
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
        ("up", "shift+up,pageup", "scroll up", "Scroll up a large grid", "scroll(-4)"),
        ("down", "shift+down,pagedown", "scroll down", "Scroll down a large grid", "scroll(4)"),
        ("back", "escape", "back", "Pause, back to the test puzzles, leave", "back"),
    ),
    footer=("play", "forward", "next", "only_failures", "type", "pick"),
    unlisted=("forward", "back_one", "first", "last", "up", "down", "back"),
)

HARDWARE = Rows(
    (
        ("detect", "r", "detect again", "Detect the machine again, torch included", "detect"),
        ("up", "up,k", "up", "Scroll up", "scroll(-1)"),
        ("down", "down,j", "down", "Scroll down", "scroll(1)"),
        ("page_up", "pageup", "page up", "Scroll up by a page", "scroll_page(-1)"),
        ("page_down", "pagedown", "page down", "Scroll down by a page", "scroll_page(1)"),
        ("top", "home", "top", "Scroll to the top", "scroll_page(-1000)"),
        ("end", "end", "end", "Scroll to the end", "scroll_page(1000)"),
        ("back", "escape", "back", "Go to the dashboard", "back"),
    ),
    footer=("detect",),
    unlisted=("up", "down", "page_up", "page_down", "top", "end", "back"),
)

WELCOME = Rows(
    (
        ("run", "enter", "train", "Train the chosen preset", "run_preset"),
        ("edit", "e", "edit", "Change the chosen preset before it is trained", "edit_preset"),
        ("queue", "a", "queue", "Add the chosen preset to the queue", "queue_preset"),
        ("download", "d", "download", "Download what the chosen preset learns from", "download"),
    ),
    footer=("run", "edit", "queue", "download"),
)

DIALOG = Rows(
    (("close", "escape", "back", "Cancel", "close"),),
    unlisted=("close",),
)
