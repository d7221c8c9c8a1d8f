"""What would help against an error, in the words of the command line."""

from __future__ import annotations

from collections.abc import Mapping

from trm_engine.errors import ORIGIN, OVERRIDES, ConfigError, TrmError
from trm_engine.paths import SESSIONS_VARIABLE
from trm_engine.remedies import Advice, ChangeSettings, NameData, Remedy

_SOURCES = {OVERRIDES: "--set", ORIGIN: "--from"}
_ADVICE: Mapping[Advice, str] = {
    Advice.SAY_WHERE_DATA_ARE: "say where they are now with --data PATH",
    Advice.KEEP_SESSIONS_ELSEWHERE: "keep sessions on a local disk "
    f"(--sessions-dir DIR, or {SESSIONS_VARIABLE})",
    Advice.WRITE_DATASET_FOLDER: "write it as a dataset folder (trm-tui data build --format published), "
    "which stays on disk",
    Advice.GIVE_MODELS_MEMORY: "start the server with a larger --memory",
    Advice.VOTE: "eval --vote --submission FILE answers them",
    Advice.SOLVE: "trm-tui solve asks it for answers, trm-tui eval measures it",
    Advice.GENERATE: "trm-tui generate writes with it, trm-tui eval measures it",
    Advice.NAME_MODEL_FILE: "name a GGUF file that exists: trm-tui models add NAME FILE.gguf",
    Advice.NAME_TOKEN: "put its token into a variable of the environment, and name that: "
    "trm-tui models add … --token-variable NAME",
    Advice.SEE_OFFERED_MODELS: "look at what the server offers: trm-tui models check NAME",
    Advice.CHOOSE_MODEL: "start that server (as: ollama serve), or choose another model: "
    "trm-tui models select NAME",
    Advice.INSTALL_CHAT: 'install it: pip install "trm-tui[chat]"; '
    "or use a server: trm-tui models add NAME URL",
    Advice.GIVE_CONTEXT: "send less text, or give the model a longer context: "
    "trm-tui models add … --context N",
}


def command_words(remedy: Remedy) -> str:
    """Return a remedy as options and commands of `trm-tui`."""
    if isinstance(remedy, ChangeSettings):
        return " ".join(f"--set {key}={value}" for key, value in remedy.settings)
    if isinstance(remedy, NameData):
        return f"name {remedy.what} with --set {remedy.key}=PATH"
    if isinstance(remedy, Advice):
        return _ADVICE[remedy]
    return f"`trm-tui data fetch {remedy.name}` downloads it{f' ({remedy.size})' if remedy.size else ''}"


def command_text(error: TrmError) -> str:
    """Return an error as the command line tells it."""
    if isinstance(error, ConfigError) and error.source in _SOURCES:
        return error.named(_SOURCES[error.source])
    return error.worded(command_words)
