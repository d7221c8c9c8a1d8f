"""What would help against an error, as data: each front end words it in its own terms.

`str()` of a remedy is the neutral wording, for logs and for who has no words of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, TypeAlias


@dataclass(frozen=True)
class ChangeSettings:
    """Give these settings other values, all together: pairs of section.key and value, as TOML writes it."""

    code: ClassVar[str] = "change-settings"
    settings: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, assignments: tuple[str, ...]) -> ChangeSettings:
        """Return a change of settings given as `section.key=value`."""
        pairs = (assignment.partition("=") for assignment in assignments)
        return cls(tuple((key, value) for key, _, value in pairs))

    @property
    def assignments(self) -> tuple[str, ...]:
        """The settings as `section.key=value`."""
        return tuple(f"{key}={value}" for key, value in self.settings)

    def __str__(self) -> str:
        return ", ".join(f"{key} = {value}" for key, value in self.settings)

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object's members."""
        return {"code": self.code, "settings": dict(self.settings)}


@dataclass(frozen=True)
class NameData:
    """Let a setting name other data; `what` says which kind, with its article."""

    code: ClassVar[str] = "name-data"
    key: str = "task.data"
    what: str = "data of your own"

    def __str__(self) -> str:
        return f"name {self.what} in {self.key}"

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object's members."""
        return {"code": self.code, "key": self.key, "what": self.what}


@dataclass(frozen=True)
class FetchData:
    """Download a known data set; `size` says how large it is, for people."""

    code: ClassVar[str] = "fetch-data"
    name: str
    size: str = ""

    def __str__(self) -> str:
        return f"download {self.name}{f' ({self.size})' if self.size else ''}"

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object's members."""
        return {"code": self.code, "name": self.name}


class Advice(Enum):
    """What helps and has no further data: its code, and its neutral wording."""

    SAY_WHERE_DATA_ARE = "moved-data", "say where they are now"
    KEEP_SESSIONS_ELSEWHERE = "local-sessions", "keep sessions on a local disk"
    WRITE_DATASET_FOLDER = "dataset-folder", "write it as a dataset folder, which stays on disk"
    GIVE_MODELS_MEMORY = "model-memory", "let models have more memory"
    VOTE = "vote", "voting answers them"
    SOLVE = "solve", "ask it for answers, or measure it"
    GENERATE = "generate", "let it write text, or measure it"
    NAME_MODEL_FILE = "model-file", "name a GGUF file that exists"
    NAME_TOKEN = "token-variable", "put its token into a variable of the environment, and name that variable"
    SEE_OFFERED_MODELS = "offered-models", "look at what the server offers"
    CHOOSE_MODEL = "other-model", "start that server (as: ollama serve), or choose another model"
    INSTALL_CHAT = "install-chat", "install it, or use a server"
    GIVE_CONTEXT = "model-context", "send less text, or give the model a longer context"

    @property
    def code(self) -> str:
        """What does not change."""
        return self.value[0]

    def __str__(self) -> str:
        return self.value[1]

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object's members."""
        return {"code": self.code}


Remedy: TypeAlias = "ChangeSettings | NameData | FetchData | Advice"
