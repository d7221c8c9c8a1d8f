"""Which models there are beside the sessions, and which is chosen: one file, `models.toml`.

It does what `model_config.json` did for the gateways that people may come from: `selected_model`, and where
each model is. A token is never in it: it names the variable of the environment that holds one.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import tomlkit
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from tomlkit.exceptions import TOMLKitError

from trm_engine.errors import UsageError
from trm_engine.files import Disk, disk_errors, read_text, write_atomically
from trm_engine.language.http import check_url
from trm_engine.paths import config_folder, in_home
from trm_engine.text import did_you_mean, safe_text

MODELS_FILE = "models.toml"
MODELS_VARIABLE = "TRM_MODELS_FILE"
AUTO = "auto"
_MOST_BYTES = 1 << 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,79}")


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class TrmEntry(_Entry):
    """A recursive model by a name of one's own: a session."""

    kind: Literal["trm"] = "trm"
    path: str = Field(min_length=1, max_length=4096)


class GgufEntry(_Entry):
    """A language model in a file, run in this process."""

    kind: Literal["gguf"] = "gguf"
    path: str = Field(min_length=1, max_length=4096)
    context: int = Field(4096, ge=256, le=1 << 20)
    """Tokens of conversation and answer; fewer where memory is short."""


class _Server(_Entry):
    url: str = Field(max_length=2048)
    model: str = Field(min_length=1, max_length=200)
    """What the server calls it."""
    context: int = Field(8192, ge=256, le=1 << 24)
    token_variable: str = Field("", max_length=200, pattern=r"[A-Za-z_][A-Za-z0-9_]*|")
    """Variable of the environment that holds the token."""
    tools: bool = True
    """Offer it the solver as a tool."""


class OpenAIEntry(_Server):
    """A language model behind a URL that speaks OpenAI's form, up to and with `/v1`."""

    kind: Literal["openai"] = "openai"


class OllamaEntry(_Server):
    """A language model of an Ollama server."""

    kind: Literal["ollama"] = "ollama"
    url: str = Field("http://127.0.0.1:11434", max_length=2048)


Entry: TypeAlias = TrmEntry | GgufEntry | OpenAIEntry | OllamaEntry
Language: TypeAlias = GgufEntry | OpenAIEntry | OllamaEntry


def session_and_checkpoint(path: str) -> tuple[str, str]:
    """Split `SESSION[:STEP|best]` into the session and the rest."""
    session, colon, checkpoint = path.partition(":")
    return session, f"{colon}{checkpoint}"


class ModelsFile(BaseModel):
    """What the file holds."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    selected_model: str = AUTO
    models: dict[str, Annotated[Entry, Field(discriminator="kind")]] = Field(default_factory=dict)

    @property
    def languages(self) -> dict[str, Language]:
        """The language models by name, in the file's order."""
        return {name: entry for name, entry in self.models.items() if not isinstance(entry, TrmEntry)}


class Registry:
    """Reads the file when it has changed, so that a choice made elsewhere counts at once.

    Any thread may ask.
    """

    def __init__(self, path: Path | None = None) -> None:
        named = os.environ.get(MODELS_VARIABLE)
        self.path = path or (in_home(Path(named)) if named else config_folder() / MODELS_FILE)
        self._lock = threading.Lock()
        self._mark: object = None
        self._known = ModelsFile()

    def read(self) -> ModelsFile:
        """Return what the file holds; nothing is chosen where there is none. Raises `UsageError`."""
        with self._lock:
            try:
                about = self.path.stat()
                mark: object = about.st_mtime_ns, about.st_size, about.st_ino
            except OSError:
                mark = None
            if mark is None:
                self._known = ModelsFile()
            elif mark != self._mark:
                self._known = self._parsed(self._text())
            self._mark = mark
            return self._known

    def select(self, name: str) -> None:
        """Choose a model: a name of the file, a session, or `auto`."""
        self._change({"selected_model": name})

    def add(self, name: str, entry: Entry, *, replace: bool = False) -> None:
        """Add a model under a name. Raises `UsageError` for a name that is taken, or is none."""
        if not _NAME.fullmatch(name) or name == AUTO:
            raise UsageError(f'"{safe_text(name[:40])}" is not a name: letters, digits, and . _ : - within')
        if name in self.read().models and not replace:
            raise UsageError(f"there is a model {name} already: remove it first, or take another name")
        if isinstance(entry, OpenAIEntry | OllamaEntry):
            check_url(entry.url)
        self._change({}, {name: entry})

    def remove(self, name: str) -> None:
        """Forget a model; its file or server stays as it is."""
        known = self.read()
        if name not in known.models:
            raise UsageError(f'there is no model "{safe_text(name[:40])}".{did_you_mean(name, known.models)}')
        selected = {"selected_model": AUTO} if known.selected_model == name else {}
        self._change(selected, {name: None})

    def _change(self, values: Mapping[str, str], models: Mapping[str, Entry | None] | None = None) -> None:
        """Write changes into the file; comments and what this version does not know stay."""
        document = self._document()
        for key, value in values.items():
            document[key] = value
        table = document.setdefault("models", tomlkit.table(is_super_table=True))
        for name, entry in (models or {}).items():
            if entry is None:
                table.remove(name)
            else:
                table[name] = {"kind": entry.kind, **entry.model_dump(exclude_defaults=True)}
        with disk_errors(f"write {safe_text(str(self.path))}"):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(Disk(), self.path, tomlkit.dumps(document).encode())
        with self._lock:
            self._mark = None

    def _document(self) -> tomlkit.TOMLDocument:
        if not self.path.exists():
            return tomlkit.document()
        self._parsed(text := self._text())
        return tomlkit.parse(text)

    def _text(self) -> str:
        try:
            return read_text(self.path, _MOST_BYTES)
        except (OSError, ValueError) as error:
            raise UsageError(
                f"{safe_text(str(self.path))} cannot be read: {safe_text(str(error))}"
            ) from error

    def _parsed(self, text: str) -> ModelsFile:
        try:
            return ModelsFile.model_validate(tomlkit.parse(text).unwrap())
        except (TOMLKitError, RecursionError) as error:
            raise UsageError(f"{safe_text(str(self.path))}: {safe_text(str(error))}") from error
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise UsageError(
                f"{safe_text(str(self.path))}: {safe_text(where)}: {safe_text(first['msg'])}; correct it, or "
                "remove the entry"
            ) from error
