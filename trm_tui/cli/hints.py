"""What a person may have meant by words that the command line does not know."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from trm_engine.text import nearest, safe_text

_ASSIGNMENT = re.compile(r"[a-z_]+(?:\.[a-z_]+)+=.*", re.DOTALL)
_FEW = 12
"""Commands that are listed in a line."""
_NO_COMMAND = re.compile(r"No such command '(.*?)'", re.DOTALL)

SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "train": ("run",),
    "start": ("run",),
    "fit": ("run", "studies fit"),
    "continue": ("resume",),
    "restart": ("resume",),
    "test": ("eval",),
    "evaluate": ("eval",),
    "predict": ("solve",),
    "infer": ("solve",),
    "sample": ("generate",),
    "write": ("generate",),
    "estimate": ("check",),
    "validate": ("check", "data verify"),
    "verify": ("check", "data verify"),
    "check": ("check", "data verify"),
    "configs": ("presets",),
    "config": ("presets",),
    "machine": ("hardware",),
    "info": ("hardware", "sessions show", "data describe"),
    "benchmark": ("bench",),
    "autotune": ("tune",),
    "curves": ("plot",),
    "draw": ("plot",),
    "chart": ("plot",),
    "server": ("serve",),
    "web": ("serve",),
    "compare": ("sessions diff",),
    "diff": ("sessions diff",),
    "ls": ("sessions list", "data list", "studies list", "models list"),
    "list": ("sessions list", "data list", "presets"),
    "show": ("sessions show", "studies show", "data describe"),
    "rm": ("sessions delete", "models remove"),
    "remove": ("sessions delete", "models remove"),
    "delete": ("sessions delete", "models remove"),
    "undelete": ("sessions restore",),
    "mv": ("sessions rename",),
    "copy": ("sessions fork",),
    "branch": ("sessions fork",),
    "metrics": ("sessions metrics",),
    "log": ("sessions metrics",),
    "csv": ("sessions export",),
    "export": ("sessions export", "export-checkpoint"),
    "import": ("sessions import", "import-checkpoint"),
    "purge": ("sessions purge",),
    "clean": ("sessions purge",),
    "empty": ("sessions purge",),
    "build": ("data build",),
    "create": ("data build", "studies new", "run"),
    "make": ("data build",),
    "generate": ("data build", "generate"),
    "download": ("data fetch",),
    "fetch": ("data fetch",),
    "sweep": ("studies run",),
    "study": ("studies",),
    "session": ("sessions",),
    "preset": ("presets",),
    "model": ("models",),
    "mcp-server": ("mcp",),
}
"""Words that other programs use, and the commands that do such a thing here."""


def usage_message(error: Exception, words: Sequence[str]) -> str | None:
    """Return what is wrong with the words of a command line, None where the error is another.

    Typer's usage errors are known by what they carry: their module has moved between its versions. Empty
    where the help has been shown already, in place of a message.
    """
    describe = getattr(error, "format_message", None)
    if getattr(error, "exit_code", None) != 2 or not callable(describe):
        return None
    message = str(describe())
    context = getattr(error, "ctx", None)
    if unknown := _NO_COMMAND.match(message):
        return f"{unknown.group(0)}.{_command_meant(unknown.group(1), context)}"
    if message.startswith("No such option"):
        option = safe_text(str(getattr(error, "option_name", "")))
        return f"No such option: {option}.{_option_meant(option, context)}"
    return "\n".join(part for part in (message, _assignments(words, message)) if part)


def _command_meant(word: str, context: Any) -> str:
    """Return the command of a group that a word means, or one of another group."""
    group = getattr(context, "command", None)
    known: list[str] = group.list_commands(context) if group is not None else []
    path = _path(context)
    meant = [name for name in SYNONYMS.get(word.lower(), ()) if not path or name.split()[:-1] == path]
    close = nearest(word, known)
    if not meant and close is not None:
        meant = [" ".join([*path, close])]
    meant = meant or [*SYNONYMS.get(word.lower(), ())]
    if meant:
        return f" Did you mean {' or '.join(f'trm-tui {name}' for name in meant)}?"
    if len(known) > _FEW:
        return f" {' '.join(['trm-tui', *path])} --help lists the commands."
    return f" There are: {', '.join(known)}."


def _path(context: Any) -> list[str]:
    """Return the names of the groups that lead to a context."""
    names: list[str] = []
    while context is not None and context.parent is not None:
        names.insert(0, str(context.info_name))
        context = context.parent
    return names


def _option_meant(option: str, context: Any) -> str:
    """Return the option that is meant by an unknown one, or the setting of a configuration."""
    command = getattr(context, "command", None)
    known = [name for parameter in getattr(command, "params", []) for name in parameter.opts]
    known = [name for name in known if name.startswith("--")]
    if "--set" in known and (setting := _setting_meant(option)):
        return f" A setting is changed by --set {setting}=VALUE"
    close = nearest(option, known)
    if close is not None:
        return f" Did you mean {close}?"
    return f" {' '.join(['trm-tui', *_path(context)])} --help lists the options."


def _setting_meant(option: str) -> str:
    """Return the setting (`train.lr`) that an option names (`--lr`, `--train.lr`, `--batch-size`)."""
    from trm_engine.config import describe

    word = option.lstrip("-").replace("-", "_")
    return next((info.key for info in describe() if word in (info.key, info.key.rpartition(".")[2])), "")


def _assignments(words: Sequence[str], message: str) -> str:
    """Return how settings are written that stand alone, as Hydra takes them."""
    alone = [word for word in words if _ASSIGNMENT.fullmatch(word) and word in message]
    return f"write {' '.join(f'--set {word}' for word in alone)}" if alone else ""
